//! The feature that a rule hit, and how the outcome was reached.
//!
//! In: the traces of both. Out: the criteria in the order in which they were
//! asked, up to the one that decided. Those of which no condition holds are
//! told together, unless `--all` is given.

use super::super::page::Cell;
use super::super::words::tone;
use super::super::{Sheet, raw, text};
use super::tree::mark;
use crate::signature::{FeatureTrace, State};
use crate::verdict::trace::{AskedCriterion, Condition, Judgement, Owner};

/// Alternatives of a condition that are named.
const NAMED: usize = 4;

/// The feature and why it is that.
pub(super) fn feature(sheet: &mut Sheet, feature: Option<&FeatureTrace>) {
    let Some(feature) = feature else {
        return sheet.line(4, "feature: none that the catalogue knows");
    };
    let why = if feature.own {
        "named by the rule".to_owned()
    } else {
        let keys: Vec<_> = feature.keys.iter().map(|it| text(it)).collect();
        format!("by its URL: {}", keys.join(", "))
    };
    let (id, name) = (text(&feature.id), text(&feature.name));
    sheet.paragraph(4, 2, &format!("feature: {id} ({name}), {why}"));
    if !feature.others.is_empty() {
        let others: Vec<_> =
            feature.others.iter().map(|it| text(it)).collect();
        let others = others.join(", ");
        let words = format!("less narrowly it is also that of {others}");
        sheet.paragraph(6, 2, &words);
    }
}

/// The outcome and the way to it.
pub(super) fn outcome(sheet: &mut Sheet, judged: &Judgement) {
    let outcome = judged.outcome;
    let pieces = [
        Cell::new("outcome: "),
        Cell::toned(outcome.as_str(), tone(outcome)),
        Cell::new(format!(", {}", judged.confidence.as_str())),
    ];
    sheet.page.pieces(4, &pieces);
    for reason in &judged.reasons {
        let words = format!("{}: {}", text(&reason.code), text(&reason.text));
        sheet.paragraph(6, 2, &words);
    }
    if judged.asked.is_empty() {
        return;
    }
    let words = if judged.refused {
        "criteria in the order asked; URLScan or HTTP.sys answered, so those \
         that name it came first:"
    } else {
        "criteria in the order asked, until one fits:"
    };
    sheet.paragraph(6, 0, words);
    let mut rest = judged.asked.as_slice();
    while let Some(first) = rest.first() {
        let run = rest.iter().take_while(|one| goes_with(one, first));
        let run = if sheet.full { 0 } else { run.count() };
        if run > 1 {
            let (those, others) = rest.split_at(run);
            together(sheet, those);
            rest = others;
        } else {
            criterion(sheet, first);
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    if !judged.asked.iter().any(|one| one.fits) {
        sheet.line(8, "none fits");
    }
}

/// True where both are of one list and nothing of either holds.
fn goes_with(one: &AskedCriterion, first: &AskedCriterion) -> bool {
    let fails = |one: &AskedCriterion| {
        !one.fits && one.when.iter().all(|condition| !condition.holds)
    };
    fails(one)
        && fails(first)
        && one.of == first.of
        && one.names_refuser == first.names_refuser
}

fn owner(of: &Owner) -> String {
    match of {
        Owner::Rule => "rule".to_owned(),
        Owner::Profile(name) => format!("profile {}", text(name)),
        Owner::Generic => "generic".to_owned(),
    }
}

/// Criteria of which nothing holds.
fn together(sheet: &mut Sheet, those: &[AskedCriterion]) {
    let (Some(first), Some(last)) = (those.first(), those.last()) else {
        return;
    };
    let mut keys: Vec<&str> = Vec::new();
    for condition in those.iter().flat_map(|one| &one.when) {
        if !keys.contains(&condition.key) {
            keys.push(condition.key);
        }
    }
    let logged = those.iter().flat_map(|one| &one.when);
    let keys: Vec<_> = keys
        .iter()
        .map(|key| {
            let one = logged.clone().find(|it| it.key == *key);
            format!("{key} ({})", one.map(here).unwrap_or_default())
        })
        .collect();
    let (of, from, to) = (owner(&first.of), first.number, last.number);
    let keys = keys.join(", ");
    let words = format!("{of} {from} to {to} ask for another {keys}");
    line(sheet, false, &words);
}

fn criterion(sheet: &mut Sheet, one: &AskedCriterion) {
    let when: Vec<_> = one.when.iter().map(condition).collect();
    let when =
        if when.is_empty() { "always".to_owned() } else { when.join(", ") };
    let (of, number) = (owner(&one.of), one.number);
    let (reason, outcome) = (text(&one.reason), one.outcome.as_str());
    let words = format!("{of} {number}, {reason} ({outcome}): {when}");
    line(sheet, one.fits, &words);
}

fn line(sheet: &mut Sheet, fits: bool, words: &str) {
    let (mark, _) = mark(if fits { State::Held } else { State::Failed });
    sheet.paragraph(8, 2, &format!("{mark} {words}"));
}

/// `✗ bytes >=4000 (here 604)`.
fn condition(one: &Condition) -> String {
    let state = if one.holds { State::Held } else { State::Failed };
    let mut wants: Vec<_> =
        one.wants.iter().take(NAMED).map(|want| text(want)).collect();
    let more = one.wants.len().saturating_sub(NAMED);
    if more > 0 {
        wants.push(format!("{more} others"));
    }
    let (mark, _) = mark(state);
    let (key, wants) = (one.key, wants.join(" or "));
    let here = if one.holds && one.wants.len() == 1 {
        String::new()
    } else {
        format!(" ({})", here(one))
    };
    format!("{mark} {key} {wants}{here}")
}

fn here(one: &Condition) -> String {
    match &one.logged {
        Some(text) if text.is_empty() => "here empty".to_owned(),
        Some(text) => format!("here {}", short(&raw(text))),
        None if one.key == "missing" && one.holds => "they are".to_owned(),
        None if one.key == "missing" => "it is there".to_owned(),
        None => "not logged".to_owned(),
    }
}

/// A stem or query may be long, and stands above.
fn short(shown: &str) -> String {
    const ENOUGH: usize = 30;
    super::super::cut::cut(shown, ENOUGH)
}
