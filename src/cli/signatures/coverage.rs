//! `signatures coverage`: which CVE has which rules, and which exploited
//! faults have none.
//!
//! In: the rules and catalogues, and a user's list of exploited faults. Out:
//! a table of CVEs with rules and features. With the list: the faults in
//! products on IIS that no rule looks for, and, so that nobody takes silence
//! for cover, how many entries of the list were not looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Serialize;

use super::kev::{self, Entry};
use super::list::{cves, print_json};
use super::load_with;
use crate::cli::args::CoverageArgs;
use crate::cli::console::{print, safe};
use crate::cli::exit::Exit;
use crate::error::Result;
use crate::signature::Signatures;

/// Kinds of products that are listed without `--full`.
const LISTED: usize = 10;

/// What is known of one CVE.
#[derive(Debug, Default, Serialize)]
struct Row {
    cve: String,
    rules: BTreeSet<String>,
    features: BTreeSet<String>,
    advisories: BTreeSet<String>,
    /// By the catalogue: since when CISA lists it.
    kev: Option<String>,
}

/// A CVE by its numbers: CVE-2021-9999 comes before CVE-2021-10000.
type Key = (u64, u64, String);

/// What a list of exploited faults says beside the rules.
#[derive(Debug, Default, Serialize)]
struct Compared {
    entries: usize,
    covered: Vec<Fault>,
    without_rule: Vec<Fault>,
    /// Not on IIS: vendor and product, and how many.
    not_looked_at: BTreeMap<String, usize>,
}

/// One exploited fault.
#[derive(Debug, Serialize)]
struct Fault {
    cve: String,
    vendor: String,
    product: String,
    added: String,
    ransomware: bool,
    rules: BTreeSet<String>,
}

/// All of it for programs.
#[derive(Debug, Serialize)]
struct Page<'a> {
    kev_as_of: &'a str,
    cves: Vec<&'a Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kev: Option<&'a Compared>,
}

/// Runs the command.
pub fn run(words: &CoverageArgs) -> Result<Exit> {
    let signatures = load_with(&words.rules, false)?;
    let entries = words.kev.as_deref().map(kev::read).transpose()?;
    let rows = rows(&signatures);
    let compared = entries.map(|it| compare(&signatures, &rows, it));
    let kev_as_of = signatures.notices().kev_as_of.as_str();
    if words.format.is_some() {
        let cves = rows.values().collect();
        print_json(&Page { kev_as_of, cves, kev: compared.as_ref() })?;
        return Ok(Exit::Finished);
    }
    print(|out| match &compared {
        None => table(out, &rows, kev_as_of),
        Some(compared) => page(out, compared, words.full),
    })?;
    Ok(Exit::Finished)
}

fn key(cve: &str) -> Key {
    let mut numbers = cve.split('-').skip(1).map(str::parse);
    let mut next = || numbers.next().and_then(std::result::Result::ok);
    let (year, number) = (next().unwrap_or(0), next().unwrap_or(0));
    (year, number, cve.to_owned())
}

fn rows(signatures: &Signatures) -> BTreeMap<Key, Row> {
    let mut rows: BTreeMap<Key, Row> = BTreeMap::new();
    let mut row = |cve: &str, fill: &mut dyn FnMut(&mut Row)| {
        let row = rows.entry(key(cve)).or_default();
        cve.clone_into(&mut row.cve);
        fill(row);
    };
    for rule in signatures.rules() {
        for cve in cves(signatures, rule) {
            row(&cve, &mut |row| {
                row.rules.insert(rule.name.clone());
                row.features.extend(rule.sleuth.feature.clone());
            });
        }
    }
    for one in signatures.advisories() {
        for cve in &one.cves {
            row(cve, &mut |row| {
                row.advisories.insert(one.id.clone());
                if row.kev.is_none() {
                    row.kev.clone_from(&one.kev);
                }
            });
        }
    }
    rows
}

fn compare(
    signatures: &Signatures,
    rows: &BTreeMap<Key, Row>,
    entries: Vec<Entry>,
) -> Compared {
    let mut compared =
        Compared { entries: entries.len(), ..Compared::default() };
    let vendors = signatures.products();
    let entries: BTreeMap<Key, Entry> =
        entries.into_iter().map(|it| (key(&it.cve), it)).collect();
    for (key, entry) in entries {
        let row = rows.get(&key);
        let on_iis = row.is_some()
            || vendors
                .iter()
                .any(|it| it.has(&entry.vendor, &entry.product, &entry.cve));
        if !on_iis {
            let name = format!("{} {}", entry.vendor, entry.product);
            *compared.not_looked_at.entry(name).or_default() += 1;
            continue;
        }
        let rules = row.map(|row| row.rules.clone()).unwrap_or_default();
        let list = if rules.is_empty() {
            &mut compared.without_rule
        } else {
            &mut compared.covered
        };
        list.push(Fault {
            ransomware: entry.is_ransomware(),
            cve: entry.cve,
            vendor: entry.vendor,
            product: entry.product,
            added: entry.added,
            rules,
        });
    }
    compared
}

fn joined(names: &BTreeSet<String>) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    safe(names.join(", "))
}

fn table(
    out: &mut dyn Write,
    rows: &BTreeMap<Key, Row>,
    kev_as_of: &str,
) -> io::Result<()> {
    writeln!(out, "{:<16} {:<11} features: rules", "CVE", "exploited")?;
    for row in rows.values() {
        let cve = safe(&row.cve);
        let kev = match row.kev.as_deref() {
            None => "-",
            Some("true") => "yes",
            Some(day) => day,
        };
        let rules = if row.rules.is_empty() {
            "no rule".to_owned()
        } else {
            joined(&row.rules)
        };
        let features = if row.features.is_empty() {
            "-".to_owned()
        } else {
            joined(&row.features)
        };
        writeln!(out, "{cve:<16} {:<11} {features}: {rules}", safe(kev))?;
    }
    let all = rows.len();
    let none = rows.values().filter(|row| row.rules.is_empty()).count();
    writeln!(out, "\n{all} CVEs, {none} without a rule")?;
    writeln!(out, "exploited: in CISA's list of {}", safe(kev_as_of))
}

fn page(
    out: &mut dyn Write,
    compared: &Compared,
    full: bool,
) -> io::Result<()> {
    let covered = compared.covered.len();
    let lacking = compared.without_rule.len();
    let all = compared.entries;
    writeln!(
        out,
        "{all} exploited faults, {} in products on IIS: {covered} with a \
         rule, {lacking} without",
        covered + lacking
    )?;
    let lists = [
        ("Without a rule", &compared.without_rule),
        ("With a rule", &compared.covered),
    ];
    for (head, list) in lists {
        if !list.is_empty() {
            writeln!(out, "\n{head}:")?;
        }
        for fault in list {
            let extortion = if fault.ransomware { " ransomware" } else { "" };
            let rules = if fault.rules.is_empty() {
                String::new()
            } else {
                format!(": {}", joined(&fault.rules))
            };
            writeln!(
                out,
                "  {:<16} {:<10} {} {}{extortion}{rules}",
                safe(&fault.cve),
                safe(&fault.added),
                safe(&fault.vendor),
                safe(&fault.product),
            )?;
        }
    }
    others(out, &compared.not_looked_at, full)
}

/// What the list holds of products that no log of IIS tells of.
fn others(
    out: &mut dyn Write,
    others: &BTreeMap<String, usize>,
    full: bool,
) -> io::Result<()> {
    let sum: usize = others.values().sum();
    if sum == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "\n{sum} entries were not looked at: their products do not live on \
         IIS (signatures/products.yml).",
    )?;
    let mut list: Vec<(&String, &usize)> = others.iter().collect();
    list.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
    let shown = if full { list.len() } else { LISTED };
    for (name, count) in list.iter().take(shown) {
        writeln!(out, "  {count:>4} {}", safe(name))?;
    }
    let more = list.len().saturating_sub(shown);
    if more > 0 {
        writeln!(out, "  … and of {more} more products (--full)")?;
    }
    Ok(())
}
