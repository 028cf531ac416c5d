//! `signatures show NAME`: all that is known of one rule, on one page.
//!
//! In: its name. Out: what it says of itself, the feature and the advisories
//! behind it, its detection as its author wrote it, what decides the
//! outcome, and its tests.

use std::io::{self, Write};
use std::path::PathBuf;

use super::text::{
    did_you_mean, field, paragraphs, section, stage_word, wrap,
};
use super::{list, load};
use crate::cli::console::{plain, print, safe};
use crate::cli::exit::Exit;
use crate::error::{Error, Result};
use crate::signature::{
    Advisory, Criterion, Range, Rule, Signatures, Source, TestLine, When,
    detection_of,
};

/// Runs the command.
pub fn run(name: &str, rules: &[PathBuf]) -> Result<Exit> {
    let source = Source { paths: rules.to_vec(), ..Source::default() };
    let signatures = load(&source)?;
    let all = signatures.rules();
    let by_id = || {
        let named = |rule: &&Rule| rule.id.as_deref() == Some(name);
        all.iter().find(named)
    };
    let Some(rule) = signatures.rule_named(name).or_else(by_id) else {
        let names = all.iter().map(|rule| rule.name.as_str());
        let help = did_you_mean(name, names, "`iisleuth signatures list`");
        let message = format!("no signature has the name {name}; {help}");
        return Err(Error::usage(message));
    };
    let detection = detection_of(&source, rule).unwrap_or_default();
    print(|out| {
        head(out, &signatures, rule)?;
        writeln!(out)?;
        for line in wrap(&rule.description) {
            writeln!(out, "{}", safe(line))?;
        }
        for id in &rule.sleuth.advisories {
            let mut all = signatures.advisories().iter();
            if let Some(one) = all.find(|one| one.id == *id) {
                advisory(out, &signatures, one)?;
            }
        }
        if !detection.is_empty() {
            writeln!(out, "\nDetection:")?;
        }
        for line in &detection {
            writeln!(out, "{}", plain(line))?;
        }
        outcomes(out, &signatures, rule)?;
        let tests = &rule.sleuth.tests;
        lines(out, "Lines that match", &tests.matching)?;
        lines(out, "Lines that do not", &tests.other)?;
        section(out, "False positives", &rule.false_positives)?;
        section(out, "References", &rule.references)
    })?;
    Ok(Exit::Finished)
}

fn head(
    out: &mut dyn Write,
    signatures: &Signatures,
    rule: &Rule,
) -> io::Result<()> {
    field(out, "name", &rule.name)?;
    field(out, "title", &rule.title)?;
    field(out, "id", rule.id.as_deref().unwrap_or_default())?;
    field(out, "status", rule.status.as_deref().unwrap_or_default())?;
    field(out, "level", rule.level.as_str())?;
    field(out, "stage", stage_word(rule))?;
    if let Some(feature) = signatures.own_feature(rule) {
        let text = format!("{} ({})", feature.id, feature.name);
        field(out, "feature", &text)?;
    }
    if rule.sleuth.worm {
        let text = "yes: the client is itself an infected machine";
        field(out, "worm", text)?;
    }
    field(out, "confirmed by", &rule.sleuth.confirmed_by.join(", "))?;
    field(out, "CVEs", &list::cves(signatures, rule).join(", "))?;
    field(out, "tags", &rule.tags.join(", "))?;
    field(out, "file", &String::from_utf8_lossy(rule.file.as_bytes()))
}

fn advisory(
    out: &mut dyn Write,
    signatures: &Signatures,
    one: &Advisory,
) -> io::Result<()> {
    let notices = signatures.notices();
    writeln!(out, "\nAdvisory {}: {}", safe(&one.id), safe(&one.title))?;
    let mut row = |word: &str, value: &str| {
        field(&mut *out, &format!("  {word}"), value)
    };
    row("CVEs", &one.cves.join(", "))?;
    row("date", one.date.as_deref().unwrap_or_default())?;
    row("product", one.product.as_deref().unwrap_or_default())?;
    row("severity", one.severity.as_deref().unwrap_or_default())?;
    row("fix", one.fix.as_deref().unwrap_or_default())?;
    row("superseded", &one.superseded_by.join(", "))?;
    let as_of = &notices.kev_as_of;
    let since = match one.kev.as_deref() {
        None => format!("no, as of {as_of}"),
        Some("true") => format!("yes (list of {as_of})"),
        Some(day) => format!("since {day} (list of {as_of})"),
    };
    let extortion = if one.ransomware {
        "; known to be used by extortionists"
    } else {
        ""
    };
    row("exploited", &format!("{since}{extortion}"))?;
    for id in &one.affects {
        let mut all = notices.support.iter();
        let Some(support) = all.find(|it| it.id == *id) else { continue };
        let system = support.system.as_deref();
        let system = system.map(|it| format!(" ({it})")).unwrap_or_default();
        let ends = &support.ends;
        row("support", &format!("{id}{system}: to {ends}"))?;
    }
    Ok(())
}

/// The criteria of the rule, then those of its profile.
fn outcomes(
    out: &mut dyn Write,
    signatures: &Signatures,
    rule: &Rule,
) -> io::Result<()> {
    let text = |list: &[Criterion]| -> Vec<String> {
        list.iter().map(criterion).collect()
    };
    paragraphs(out, "Outcome", &text(&rule.sleuth.outcome))?;
    let Some(feature) = signatures.own_feature(rule) else { return Ok(()) };
    let profiles = &signatures.outcomes().profiles;
    let profile =
        profiles.get(&feature.profile).map_or(&[][..], Vec::as_slice);
    let head = format!("Outcome, else (profile {})", safe(&feature.profile));
    paragraphs(out, &head, &text(profile))
}

/// `crashed (likely) where status 500-599, missing bytes: the reason`.
fn criterion(it: &Criterion) -> String {
    let mut asks = Vec::new();
    let when: &When = &it.when;
    let numbers = [
        ("status", &when.status),
        ("substatus", &when.substatus),
        ("win32", &when.win32),
        ("bytes", &when.bytes),
        ("cs_bytes", &when.cs_bytes),
        ("time_taken", &when.time_taken),
        ("iis", &when.iis),
    ];
    for (key, ranges) in numbers {
        let ranges: Vec<String> = ranges.iter().map(range).collect();
        if !ranges.is_empty() {
            asks.push(format!("{key} {}", ranges.join("|")));
        }
    }
    let texts = [
        ("method", &when.method),
        ("reason", &when.reason),
        ("stem", &when.stem),
        ("query", &when.query),
        ("missing", &when.missing),
    ];
    for (key, texts) in texts {
        if !texts.is_empty() {
            asks.push(format!("{key} {}", texts.join("|")));
        }
    }
    if let Some(truth) = when.urlscan {
        asks.push(format!("urlscan {truth}"));
    }
    let asks = if asks.is_empty() {
        "always".to_owned()
    } else {
        format!("where {}", asks.join(", "))
    };
    let (outcome, sure) = (it.outcome.as_str(), it.confidence.as_str());
    format!("{outcome} ({sure}) {asks}: {} [{}]", it.text, it.reason)
}

/// `500`, `400-499`, `>=4000`, `<6`.
fn range(it: &Range) -> String {
    let (low, high) = (bound(it.low), bound(it.high));
    match (it.low.is_finite(), it.high.is_finite()) {
        (true, true) if low.0 == high.0 => low.0,
        (true, true) => format!("{}-{}", low.0, high.0),
        (true, false) if low.1 => format!(">{}", low.0),
        (true, false) => format!(">={}", low.0),
        (false, true) if high.1 => format!("<{}", high.0),
        (false, true) => format!("<={}", high.0),
        (false, false) => "any".to_owned(),
    }
}

/// A number, and whether it stands for one just beside it, which itself does
/// not count.
fn bound(number: f64) -> (String, bool) {
    let near = (number * 1000.0).round() / 1000.0;
    let beside = near.to_bits() != number.to_bits();
    (near.to_string(), beside && (near - number).abs() < 1e-6)
}

fn lines(
    out: &mut dyn Write,
    head: &str,
    tests: &[TestLine],
) -> io::Result<()> {
    let mut shown = Vec::new();
    let mut fields = "";
    for test in tests {
        if test.fields != fields {
            shown.push(format!("#Fields: {}", test.fields));
            fields = &test.fields;
        }
        shown.push(match &test.outcome {
            Some(outcome) => format!("{}  -> {outcome}", test.line),
            None => test.line.clone(),
        });
    }
    section(out, head, &shown)
}
