//! With what did they probe? The rules that hit, gravest first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::page::Cell;
use super::words::{self, number};
use super::{Sheet, text};
use crate::case::{Case, Finding};
use crate::signature::{Level, Outcome};

/// Rules shown where lists are cut.
const RULES: usize = 10;

const HEAD: [&str; 5] = ["Level", "Rule", "Worst outcome", "Hits", "Hosts"];

/// A rule on all hosts.
struct Total<'c> {
    rule: &'c str,
    level: Level,
    worst: Option<Outcome>,
    hits: u64,
    hosts: u64,
}

pub(super) fn show(sheet: &mut Sheet, case: &Case) {
    if case.findings.is_empty() {
        return;
    }
    sheet.page.heading("Which rules hit?");
    let mut totals = totals(&case.findings);
    totals.sort_by_key(|total| {
        let (level, worst) = (Reverse(total.level), Reverse(total.worst));
        (level, worst, Reverse(total.hits), total.rule)
    });
    let shown = sheet.shown(totals.len(), RULES);
    let rows: Vec<_> = totals.iter().take(shown).map(row).collect();
    sheet.page.table(2, &HEAD, &rows);
    sheet.left_out(2, totals.len(), RULES);
}

fn totals(findings: &[Finding]) -> Vec<Total<'_>> {
    let mut totals: BTreeMap<&str, Total<'_>> = BTreeMap::new();
    for finding in findings {
        let total = totals.entry(&finding.rule).or_insert(Total {
            rule: &finding.rule,
            level: finding.level,
            worst: None,
            hits: 0,
            hosts: 0,
        });
        total.worst = total.worst.max(finding.worst);
        total.hits = total.hits.saturating_add(finding.outcomes.hits());
        total.hosts += 1;
    }
    totals.into_values().collect()
}

fn row(total: &Total<'_>) -> Vec<Cell> {
    vec![
        Cell::new(total.level.as_str()),
        Cell::new(text(total.rule)),
        words::outcome(total.worst),
        Cell::number(number(total.hits)),
        Cell::number(number(total.hosts)),
    ]
}
