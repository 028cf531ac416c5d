//! Which probes succeeded? Each with its reason and the line that shows it.

use std::cmp::Reverse;
use std::fmt::Write as _;

use super::page::Cell;
use super::words::{self, Precision, number};
use super::{Sheet, raw, text};
use crate::case::{Case, EvidenceRef, Finding};
use crate::report::Untrusted;
use crate::signature::Outcome;

/// Findings shown where lists are cut.
const FINDINGS: usize = 10;

pub(super) fn show(sheet: &mut Sheet, case: &Case) {
    sheet.page.heading("Which probes succeeded?");
    let mut found: Vec<&Finding> = case
        .findings
        .iter()
        .filter(|f| f.worst.is_some_and(Outcome::is_success))
        .collect();
    found.sort_by_key(|f| {
        (Reverse(f.worst), Reverse(f.level), f.first, &f.host, &f.rule)
    });
    let shown = sheet.shown(found.len(), FINDINGS);
    for finding in found.iter().take(shown) {
        show_finding(sheet, finding);
    }
    sheet.left_out(2, found.len(), FINDINGS);
    if found.is_empty() {
        none(sheet, case);
    }
}

/// What is known where nothing shows a success.
fn none(sheet: &mut Sheet, case: &Case) {
    let outcomes = &case.summary.outcomes;
    let exposed: u64 = outcomes
        .iter()
        .filter(|(outcome, _)| outcome.is_exposed())
        .fold(0, |sum, (_, hits)| sum.saturating_add(hits));
    let unknown = outcomes.of(Outcome::Unknown);
    let mut line = "None.".to_owned();
    // Writing to a string cannot fail.
    if exposed > 0 {
        let _ = write!(
            line,
            " {} reached a feature without a sign of success; the features \
             are listed next.",
            words::hits(exposed)
        );
    }
    if unknown > 0 {
        let verb = if unknown == 1 { "remains" } else { "remain" };
        let _ = write!(
            line,
            " {} {verb} unknown: the log lacks what would tell.",
            words::hits(unknown)
        );
    }
    sheet.paragraph(2, 0, &line);
}

fn show_finding(sheet: &mut Sheet, finding: &Finding) {
    let title = text(&finding.title);
    let head = format!("{}: {title}", raw(&finding.host));
    sheet.page.wrapped(2, 4, &head, if sheet.full { usize::MAX } else { 2 });
    sheet.page.pieces(4, &outcome_line(finding));
    let most = if sheet.full { usize::MAX } else { 1 };
    let proofs = finding.evidence.iter().filter(|e| e.outcome.is_success());
    for evidence in proofs.take(most) {
        show_evidence(sheet, evidence);
    }
}

fn outcome_line(finding: &Finding) -> Vec<Cell> {
    let succeeded = finding
        .outcomes
        .iter()
        .filter(|(outcome, _)| outcome.is_success())
        .fold(0, |sum: u64, (_, hits)| sum.saturating_add(hits));
    let hits = finding.outcomes.hits();
    let share = if succeeded == hits {
        words::hits(hits)
    } else {
        format!("{} of {}", number(succeeded), words::hits(hits))
    };
    let confidence = finding.confidence.map_or("", |c| c.as_str());
    let rest = format!(
        " ({confidence}): {share} by {}, rule {}",
        words::clients(finding.clients),
        text(&finding.rule),
    );
    vec![words::outcome(finding.worst), Cell::new(rest)]
}

fn show_evidence(sheet: &mut Sheet, evidence: &EvidenceRef) {
    let mut who = sheet.time(evidence.time, Precision::Full);
    if evidence.time.is_some() && sheet.zone.is_none() {
        who.push_str(" UTC");
    }
    if let Some(client) = &evidence.client {
        // Writing to a string cannot fail.
        let _ = write!(who, " from {}", raw(client));
    }
    sheet.line(4, &who);
    for reason in &evidence.reasons {
        let why = format!("why: {}", text(&reason.text));
        sheet.paragraph(4, 5, &why);
    }
    let place = format!(
        "{}:{} (byte {})",
        raw(&evidence.exhibit),
        evidence.line,
        evidence.offset
    );
    sheet.paragraph(4, 2, &place);
    let line = Untrusted::from(evidence.text.shown()).terminal();
    if sheet.full {
        sheet.page.whole(6, &line);
    } else {
        sheet.page.wrapped(6, 0, &line, 4);
    }
}
