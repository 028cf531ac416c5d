//! What was read: files, lines, time, and what could not be read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::page::{Cell, Tone};
use super::words::{self, Precision, counted, number, size};
use super::{Sheet, raw, text};
use crate::case::{Case, Summary};
use crate::warning::{Kind, Warning};

/// Warnings of one kind that are shown one by one.
const WARNINGS: usize = 3;

pub(super) fn show(sheet: &mut Sheet, case: &Case) {
    let sum = &case.summary;
    sheet.page.heading("What was read");
    if case.run.partial {
        let text = "Interrupted: evidence is missing from these results.";
        sheet.page.pieces(2, &[Cell::toned(text, Tone::Bad)]);
    }
    let files = counted(sum.exhibits, "file", "files");
    let hosts = words::hosts(sum.hosts);
    let line = format!("{files}, {}, {hosts}", size(sum.bytes));
    sheet.paragraph(2, 2, &line);
    if sum.copies > 0 {
        let copies = counted(
            sum.copies,
            "file more is a copy",
            "files more are copies",
        );
        sheet.paragraph(2, 2, &format!("{copies}; their lines count once"));
    }
    if sum.records_copied > 0 {
        let records = counted(sum.records_copied, "record", "records");
        let line = format!("{records} stand in two files, and count in one");
        sheet.paragraph(2, 2, &line);
    }
    outside(sheet, sum);
    if sum.first.is_some() {
        let first = sheet.time(sum.first, Precision::Full);
        let last = sheet.time(sum.last, Precision::Full);
        let clock = if sheet.zone.is_some() { "" } else { " UTC" };
        sheet.paragraph(2, 2, &format!("{first} to {last}{clock}"));
    }
    let line = format!(
        "{} = {} + {} + {} blank + {} rejected",
        counted(sum.lines, "line", "lines"),
        counted(sum.records, "record", "records"),
        counted(sum.directives, "directive", "directives"),
        number(sum.blank),
        number(sum.rejected),
    );
    sheet.paragraph(2, 2, &line);
    let hits = words::hits(sum.hits);
    let findings = counted(sum.findings, "finding", "findings");
    sheet.paragraph(2, 2, &format!("{hits} in {findings}"));
    warnings(sheet, &case.warnings);
}

/// What the time that was asked for leaves out.
fn outside(sheet: &mut Sheet, sum: &Summary) {
    if sum.unread == 0 && sum.records_outside == 0 {
        return;
    }
    let files = counted(sum.unread, "file", "files");
    let records = counted(sum.records_outside, "record", "records");
    let line = format!(
        "outside the time asked for: {files}, not read, and {records}"
    );
    sheet.paragraph(2, 2, &line);
}

/// All warnings by kind, losses first.
pub(super) fn warnings(sheet: &mut Sheet, all: &[Warning]) {
    let mut kinds: BTreeMap<Kind, Vec<&Warning>> = BTreeMap::new();
    for warning in all {
        kinds.entry(warning.kind).or_default().push(warning);
    }
    for (kind, warnings) in kinds {
        let count = warnings
            .iter()
            .fold(0, |sum: u64, warning| sum.saturating_add(warning.count));
        let tone = if kind.is_loss() { Tone::Bad } else { Tone::Odd };
        let head = format!("{}: {}", word(kind), number(count));
        sheet.page.pieces(2, &[Cell::toned(head, tone)]);
        let shown = sheet.shown(warnings.len(), WARNINGS);
        for warning in warnings.iter().take(shown) {
            let line = describe(warning);
            let most = if sheet.full { usize::MAX } else { 2 };
            sheet.page.wrapped(4, 2, &line, most);
        }
        sheet.left_out(4, warnings.len(), WARNINGS);
    }
}

fn describe(warning: &Warning) -> String {
    let mut line = raw(&warning.exhibit);
    if !line.is_empty() {
        line.push_str(": ");
    }
    line.push_str(&text(&warning.detail));
    if warning.count > 1 {
        // Writing to a string cannot fail.
        let _ = write!(line, " ({} times)", number(warning.count));
    }
    line
}

/// The kind's word in files, with blanks.
fn word(kind: Kind) -> String {
    let value = serde_json::to_value(kind).unwrap_or_default();
    let word = value.as_str().unwrap_or_default().replace('-', " ");
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
