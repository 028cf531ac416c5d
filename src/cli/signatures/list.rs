//! `signatures list`: the rules, or those of them that are asked for.
//!
//! In: filters, all of which must hold. Out: a table, or JSON for programs.
//! A filter that names what does not exist is a fault: an empty list would
//! look like a fact about the rules.

use serde::Serialize;

use super::load_with;
use super::text::{cve_of_tag, did_you_mean, stage_word};
use crate::cli::args::ListArgs;
use crate::cli::console::{print, safe};
use crate::cli::exit::Exit;
use crate::error::{Error, Result};
use crate::signature::{Level, Rule, Signatures};

/// A rule for programs.
#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    id: Option<&'a str>,
    title: &'a str,
    level: &'static str,
    stage: Option<&'static str>,
    status: Option<&'a str>,
    feature: Option<&'a str>,
    advisories: &'a [String],
    cves: Vec<String>,
    tags: &'a [String],
    file: String,
}

/// Runs the command.
pub fn run(words: &ListArgs) -> Result<Exit> {
    let signatures = load_with(&words.rules, false)?;
    check(&signatures, words)?;
    let all = signatures.rules();
    let rules: Vec<&Rule> =
        all.iter().filter(|rule| fits(&signatures, rule, words)).collect();
    if words.format.is_some() {
        json(&signatures, &rules)?;
        return Ok(Exit::Finished);
    }
    print(|out| {
        let heads = ["name", "level", "stage"];
        let [name, level, stage] = heads;
        writeln!(out, "{name:<36} {level:<13} {stage:<12} title")?;
        for rule in &rules {
            let name = safe(&rule.name);
            let level = rule.level.as_str();
            let stage = stage_word(rule);
            let title = safe(&rule.title);
            writeln!(out, "{name:<36} {level:<13} {stage:<12} {title}")?;
        }
        let (some, all) = (rules.len(), all.len());
        if some == all {
            writeln!(out, "\n{all} signatures")
        } else {
            writeln!(out, "\n{some} of {all} signatures")
        }
    })?;
    Ok(Exit::Finished)
}

/// The CVEs that a rule speaks of: those of its tags and its advisories.
pub fn cves(signatures: &Signatures, rule: &Rule) -> Vec<String> {
    let tags = rule.tags.iter().filter_map(|tag| cve_of_tag(tag));
    let named = &rule.sleuth.advisories;
    let advisories = signatures.advisories().iter();
    let advisories = advisories.filter(|it| named.contains(&it.id));
    let mut cves: Vec<String> =
        tags.chain(advisories.flat_map(|it| it.cves.clone())).collect();
    cves.sort();
    cves.dedup();
    cves
}

fn fits(signatures: &Signatures, rule: &Rule, words: &ListArgs) -> bool {
    let level = words.min_level.as_deref().and_then(Level::from_word);
    let text = format!("{} {}", rule.name, rule.title).to_lowercase();
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    let feature = rule.sleuth.feature.as_deref();
    level.is_none_or(|level| rule.level >= level)
        && words.stage.as_deref().is_none_or(|it| it == stage_word(rule))
        && words
            .feature
            .as_deref()
            .is_none_or(|id| feature.is_some_and(|own| same(own, id)))
        && words
            .tag
            .iter()
            .all(|tag| rule.tags.iter().any(|own| same(own, tag)))
        && words.cve.as_deref().is_none_or(|cve| {
            cves(signatures, rule).iter().any(|own| same(own, cve))
        })
        && words.words.iter().all(|word| text.contains(&word.to_lowercase()))
}

/// Refuses filters that name what is not there.
fn check(signatures: &Signatures, words: &ListArgs) -> Result<()> {
    let rules = signatures.rules();
    if let Some(id) = &words.feature {
        let own = rules.iter().filter_map(|it| it.sleuth.feature.as_deref());
        let ids = signatures.features().iter().map(|it| it.id.as_str());
        let ids: Vec<&str> = own.chain(ids).collect();
        known("feature", id, &ids, "`iisleuth features`")?;
    }
    if let Some(cve) = &words.cve {
        let own = rules.iter().flat_map(|rule| cves(signatures, rule));
        let listed = signatures.advisories().iter();
        let listed = listed.flat_map(|it| it.cves.iter().cloned());
        let ids: Vec<String> = own.chain(listed).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        known("CVE", cve, &ids, "`iisleuth signatures coverage`")?;
    }
    for tag in &words.tag {
        let tags = rules.iter().flat_map(|rule| &rule.tags);
        let tags: Vec<&str> = tags.map(String::as_str).collect();
        let all = "`iisleuth signatures list --format json`";
        known("tag", tag, &tags, all)?;
    }
    Ok(())
}

fn known(what: &str, word: &str, ids: &[&str], all: &str) -> Result<()> {
    if ids.iter().any(|id| id.eq_ignore_ascii_case(word)) {
        return Ok(());
    }
    let help = did_you_mean(word, ids.iter().copied(), all);
    let message = format!("no signature speaks of the {what} {word}; {help}");
    Err(Error::usage(message))
}

fn json(signatures: &Signatures, rules: &[&Rule]) -> Result<()> {
    let rows: Vec<Row<'_>> = rules
        .iter()
        .map(|rule| Row {
            name: &rule.name,
            id: rule.id.as_deref(),
            title: &rule.title,
            level: rule.level.as_str(),
            stage: rule.sleuth.stage.map(|_| stage_word(rule)),
            status: rule.status.as_deref(),
            feature: rule.sleuth.feature.as_deref(),
            advisories: &rule.sleuth.advisories,
            cves: cves(signatures, rule),
            tags: &rule.tags,
            file: String::from_utf8_lossy(rule.file.as_bytes()).into_owned(),
        })
        .collect();
    print_json(&rows)
}

/// Prints a value as JSON for programs.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    print(|out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        writeln!(out)
    })
}
