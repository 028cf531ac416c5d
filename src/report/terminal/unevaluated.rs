//! What could not be judged, because logs lack a column.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::words::counted;
use super::{Sheet, raw, text};
use crate::case::Case;
use crate::raw::Raw;

/// Groups of columns shown where lists are cut.
const GROUPS: usize = 5;
/// Hosts named where lists are cut.
const HOSTS: usize = 4;

/// Rules that lack the same columns on the same hosts.
type Gap<'c> = (&'c BTreeSet<String>, &'c [Raw]);

pub(super) fn show(sheet: &mut Sheet, case: &Case) {
    if case.not_evaluated.is_empty() {
        return;
    }
    sheet.page.heading("What could not be judged?");
    let mut gaps: BTreeMap<Gap<'_>, u64> = BTreeMap::new();
    for row in &case.not_evaluated {
        *gaps.entry((&row.missing, &row.hosts)).or_default() += 1;
    }
    let mut gaps: Vec<(Gap<'_>, u64)> = gaps.into_iter().collect();
    gaps.sort_by_key(|(gap, rules)| (Reverse(*rules), *gap));
    let shown = sheet.shown(gaps.len(), GROUPS);
    for ((missing, hosts), rules) in gaps.iter().take(shown) {
        let rules = counted(*rules, "rule", "rules");
        let columns: Vec<String> = missing.iter().map(|it| text(it)).collect();
        let line = format!(
            "{rules}: {} not logged on {}",
            columns.join(", "),
            names(sheet, hosts)
        );
        sheet.paragraph(2, 4, &line);
    }
    sheet.left_out(2, gaps.len(), GROUPS);
    let line = "That they found nothing there proves nothing; \
                not_evaluated in case.json names them.";
    sheet.paragraph(2, 2, line);
}

fn names(sheet: &Sheet, hosts: &[Raw]) -> String {
    let shown = sheet.shown(hosts.len(), HOSTS);
    let names: Vec<String> = hosts.iter().take(shown).map(raw).collect();
    let rest = hosts.len() - names.len();
    if rest == 0 {
        return names.join(", ");
    }
    format!("{} and {rest} more", names.join(", "))
}
