//! `features`: the catalogue of features, or all that is known of one.
//!
//! In: an id, or none. Out: a table with the number of rules that name each,
//! or a page: what it is, which versions have it, how to switch it off and
//! how to refuse its requests.

use std::io::{self, Write};

use serde::Serialize;

use super::args::FeatureArgs;
use super::console::{print, safe};
use super::exit::Exit;
use super::signatures::{
    did_you_mean, field, load, own_field, print_json, wrap,
};
use crate::error::{Error, Result};
use crate::signature::{Feature, Rule, Signatures, Source};

/// A feature for programs.
#[derive(Debug, Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    feature: &'a Feature,
    rules: Vec<&'a str>,
}

/// Runs the command.
pub fn run(words: &FeatureArgs) -> Result<Exit> {
    let signatures = load(&Source::default())?;
    let features = match &words.id {
        None => signatures.features(),
        Some(id) => std::slice::from_ref(find(&signatures, id)?),
    };
    if words.format.is_some() {
        let row = |feature| {
            let rules = rules(&signatures, feature);
            let rules = rules.map(|it| it.name.as_str()).collect();
            Row { feature, rules }
        };
        let rows: Vec<Row<'_>> = features.iter().map(row).collect();
        print_json(&rows)?;
        return Ok(Exit::Finished);
    }
    print(|out| match (&words.id, features) {
        (Some(_), [one]) => page(out, &signatures, one),
        _ => table(out, &signatures),
    })?;
    Ok(Exit::Finished)
}

fn find<'s>(signatures: &'s Signatures, id: &str) -> Result<&'s Feature> {
    let all = signatures.features();
    let same = all.iter().find(|it| it.id.eq_ignore_ascii_case(id));
    same.ok_or_else(|| {
        // A library, an extension or a verb leads to its feature too.
        let word = id.trim_start_matches('.');
        let stands_for = |it: &&Feature| {
            let url = &it.url;
            let mut named = url.extensions.iter().chain(&url.methods);
            named.any(|it| it.eq_ignore_ascii_case(word))
                || it.component.as_deref().is_some_and(|component| {
                    component.to_lowercase().contains(&word.to_lowercase())
                })
        };
        let found = all.iter().filter(stands_for).map(|it| it.id.as_str());
        let found: Vec<&str> = found.take(5).collect();
        let ids = all.iter().map(|it| it.id.as_str());
        let help = match found.as_slice() {
            [] => did_you_mean(id, ids, "`iisleuth features`"),
            ids => format!("it belongs to {}", ids.join(", ")),
        };
        Error::usage(format!("no feature has the id {id}; {help}"))
    })
}

fn table(out: &mut dyn Write, signatures: &Signatures) -> io::Result<()> {
    writeln!(out, "{:<30} {:>5}  name", "feature", "rules")?;
    for feature in signatures.features() {
        let id = safe(&feature.id);
        let name = safe(&feature.name);
        let rules = rules(signatures, feature).count();
        writeln!(out, "{id:<30} {rules:>5}  {name}")?;
    }
    Ok(())
}

fn page(
    out: &mut dyn Write,
    signatures: &Signatures,
    feature: &Feature,
) -> io::Result<()> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    field(out, "feature", &feature.id)?;
    field(out, "name", &feature.name)?;
    field(out, "component", &text(&feature.component))?;
    field(out, "present", &text(&feature.present))?;
    field(out, "default on", &text(&feature.default_on))?;
    field(out, "profile", &feature.profile)?;
    field(out, "needed by", &text(&feature.needed_by))?;
    writeln!(out)?;
    for line in wrap(&feature.description) {
        writeln!(out, "{}", safe(line))?;
    }
    let url = &feature.url;
    let extensions = url.extensions.iter().map(|it| format!(".{it}"));
    let extensions: Vec<String> = extensions.collect();
    let reached = [
        ("  ends in", extensions.join(" ")),
        ("  begins", url.prefixes.join(" ")),
        ("  holds", url.contains.join(" ")),
        ("  methods", url.methods.join(" ")),
        ("  query", url.query.join(" ")),
    ];
    part(out, "Reached by a path, method or query that", &reached)?;
    let off = [
        ("  IIS 4 to 6", text(&feature.disable.iis4_6)),
        ("  IIS 7 on", text(&feature.disable.iis7)),
    ];
    part(out, "To switch it off", &off)?;
    let refuse = [
        ("  URLScan", text(&feature.filter.urlscan)),
        ("  IIS 7 on", text(&feature.filter.request_filtering)),
    ];
    part(out, "To refuse its requests", &refuse)?;
    let mut rules = rules(signatures, feature).peekable();
    if rules.peek().is_some() {
        writeln!(out, "\nRules:")?;
    }
    for rule in rules {
        let level = rule.level.as_str();
        writeln!(out, "  {:<36} {level}", safe(&rule.name))?;
    }
    Ok(())
}

/// A head and values below it; nothing where there are none.
fn part(
    out: &mut dyn Write,
    head: &str,
    rows: &[(&str, String)],
) -> io::Result<()> {
    if rows.iter().any(|(_, value)| !value.is_empty()) {
        writeln!(out, "\n{head}:")?;
    }
    rows.iter().try_for_each(|(word, value)| own_field(out, word, value))
}

/// The rules that name a feature.
fn rules<'s>(
    signatures: &'s Signatures,
    feature: &'s Feature,
) -> impl Iterator<Item = &'s Rule> {
    let named = |id: &String| *id == feature.id;
    let rules = signatures.rules().iter();
    rules.filter(move |it| it.sleuth.feature.as_ref().is_some_and(named))
}
