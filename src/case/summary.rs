//! A case in a few numbers: all derived from its rows.

use serde::{Deserialize, Serialize};

use crate::case::tally::{Counts, is_zero, join_spans};
use crate::case::{Case, Exhibit};
use crate::signature::Outcome;
use crate::w3c::{Dialect, Timestamp};

/// A case in a few numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Exhibits read.
    pub exhibits: u64,
    /// Exhibits that are copies of others: their lines count once, there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub copies: u64,
    /// Hosts that wrote them.
    pub hosts: u64,
    /// Hosts with a hit.
    pub hosts_probed: u64,
    /// Hosts with a probe that succeeded.
    pub hosts_with_success: u64,
    /// Bytes as found; those of an archive are those of its members.
    pub bytes: u64,
    /// All lines: the sum of the four that follow.
    pub lines: u64,
    /// Lines that are records.
    pub records: u64,
    /// Records outside the time that was asked for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub records_outside: u64,
    /// Records that stand in two exhibits, and count in one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub records_copied: u64,
    /// Exhibits outside it, not read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unread: u64,
    /// Lines that begin with `#`.
    pub directives: u64,
    /// Blank lines.
    pub blank: u64,
    /// Lines that do not fit their layout.
    pub rejected: u64,
    /// All hits.
    pub hits: u64,
    /// All findings.
    pub findings: u64,
    /// The earliest record.
    pub first: Option<Timestamp>,
    /// The latest.
    pub last: Option<Timestamp>,
    /// Hits by outcome.
    pub outcomes: Counts,
}

impl Summary {
    /// Counts a case.
    pub(super) fn of(case: &Case) -> Self {
        let succeeded =
            |worst: Option<Outcome>| worst.is_some_and(Outcome::is_success);
        // What an archive holds are exhibits, and counts there.
        let is_log = |it: &&Exhibit| {
            it.dialect != Dialect::Archive && it.copy_of.is_none()
        };
        let rows = || case.exhibits.iter().map(|row| &**row);
        let logs = || rows().filter(is_log);
        let mut sum = Self {
            exhibits: count(logs()),
            copies: count(
                case.exhibits.iter().filter(|it| it.copy_of.is_some()),
            ),
            hosts: count(case.hosts.iter()),
            hosts_probed: count(case.hosts.iter().filter(|h| h.probed)),
            hosts_with_success: count(
                case.hosts.iter().filter(|h| succeeded(h.worst)),
            ),
            findings: count(case.findings.iter()),
            ..Self::default()
        };
        for exhibit in logs() {
            sum.bytes = sum.bytes.saturating_add(exhibit.bytes);
            sum.lines = sum.lines.saturating_add(exhibit.lines);
            sum.records = sum.records.saturating_add(exhibit.records);
            sum.records_outside =
                sum.records_outside.saturating_add(exhibit.records_outside);
            sum.records_copied =
                sum.records_copied.saturating_add(exhibit.records_copied);
            sum.unread += u64::from(exhibit.unread);
            sum.directives = sum.directives.saturating_add(exhibit.directives);
            sum.blank = sum.blank.saturating_add(exhibit.blank);
            sum.rejected = sum.rejected.saturating_add(exhibit.rejected);
            let span = (exhibit.first, exhibit.last);
            join_spans(&mut sum.first, &mut sum.last, span);
        }
        for finding in &case.findings {
            sum.outcomes.absorb(&finding.outcomes);
        }
        sum.hits = sum.outcomes.hits();
        sum
    }
}

fn count<T>(rows: impl Iterator<Item = T>) -> u64 {
    rows.fold(0, |sum, _| sum + 1)
}
