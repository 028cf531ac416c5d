//! The showcase incident: its files are those that the maker makes, its
//! results are the committed ones, and its story is told as the README of
//! `testdata/showcase` tells it.
//!
//! The lines of attacks are counted a second way, by their text alone, so
//! that neither a missed attack nor a false alarm hides in a golden file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use iisleuth::case::{Case, Sha256};
use iisleuth::evidence::{hex, sha256};
use iisleuth::raw::Raw;
use iisleuth::signature::Outcome;
use serde_json::Value;

use crate::showcase_maker;
use crate::support::{golden, root, run};

/// The folder as the golden outputs name it.
const FOLDER: &str = "testdata/showcase";

/// What the maker makes, below [`FOLDER`]. With `IISLEUTH_BLESS=1` it is
/// written first, so that no test reads a folder half renewed.
fn made() -> &'static [(String, Vec<u8>)] {
    static MADE: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    MADE.get_or_init(|| {
        let files = showcase_maker::files();
        if std::env::var_os("IISLEUTH_BLESS").is_some_and(|it| it == "1") {
            for (name, bytes) in &files {
                let path = root().join(FOLDER).join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                // Tests that run meanwhile must not see it change.
                if fs::read(&path).ok().as_ref() != Some(bytes) {
                    fs::write(&path, bytes).unwrap();
                }
            }
        }
        files
    })
}

/// What a format prints; without one, the summary.
fn scan(format: Option<&str>) -> Vec<u8> {
    made();
    let mut args = vec!["scan", FOLDER];
    args.extend(format.map(|_| "--format"));
    args.extend(format);
    let run = run(&args);
    let err = run.err();
    assert_eq!(run.code, Some(0), "{args:?} ends otherwise: {err}");
    assert_eq!(err, "", "{args:?} has something to say");
    run.stdout
}

fn case() -> &'static Case {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(|| serde_json::from_slice(&scan(Some("json"))).unwrap())
}

fn hits() -> &'static [u8] {
    static HITS: OnceLock<Vec<u8>> = OnceLock::new();
    HITS.get_or_init(|| scan(Some("jsonl")))
}

fn below(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            below(&path, into);
        } else {
            into.push(path);
        }
    }
}

#[test]
fn the_files_are_those_of_the_maker() {
    let folder = root().join(FOLDER);
    for (name, bytes) in made() {
        let there = fs::read(folder.join(name)).unwrap_or_default();
        assert!(
            there == *bytes,
            "{FOLDER}/{name} is not what the maker makes; \
             IISLEUTH_BLESS=1 writes it anew"
        );
    }
    let mut expected: BTreeSet<_> =
        made().iter().map(|(name, _)| folder.join(name)).collect();
    expected.insert(folder.join("README.md"));
    let mut found = Vec::new();
    below(&folder, &mut found);
    let found: BTreeSet<_> = found.into_iter().collect();
    let extra: Vec<_> = found.difference(&expected).collect();
    assert!(extra.is_empty(), "the maker does not make {extra:?}");
    let bytes: usize = made().iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes < 2 << 20, "the showcase has grown to {bytes} bytes");
}

#[test]
#[cfg_attr(windows, ignore = "the golden files hold paths with `/`")]
fn the_summary_is_the_committed_one() {
    let summary = scan(None);
    let text = String::from_utf8(summary.clone()).unwrap();
    assert!(!text.contains('\x1b'), "colour without a terminal");
    for line in text.lines().filter(|line| !line.contains(FOLDER)) {
        let width = line.chars().count();
        assert!(width <= 80, "{width} columns: {line}");
    }
    golden("golden/showcase/summary.txt", &summary);
}

#[test]
#[cfg_attr(windows, ignore = "the golden files hold paths with `/`")]
fn the_case_is_the_committed_one() {
    golden("golden/showcase/case.json", &scan(Some("json")));
}

/// The hits are too many to commit; their digest tells a change as well, and
/// the case says in which rule and outcome it is.
#[test]
#[cfg_attr(windows, ignore = "the golden files hold paths with `/`")]
fn the_hits_are_the_committed_ones() {
    let digest = format!("{}  hits.jsonl\n", hex(&sha256(hits())));
    golden("golden/showcase/hits.sha256", digest.as_bytes());
}

#[test]
fn each_host_has_the_worst_outcome_of_the_story() {
    let expected = [
        ("EXCH01", Outcome::Compromised),
        ("FREIGHT-INTRA", Outcome::Blocked),
        ("FREIGHT-PARTNER", Outcome::Denied),
        ("FREIGHT-SHOP", Outcome::Reached),
        ("FREIGHT-WEB1", Outcome::Compromised),
        ("FREIGHT-WEB2", Outcome::Absent),
        ("SP01", Outcome::Compromised),
    ];
    let expected = expected.map(|(host, worst)| (Raw::from(host), worst));
    let found: Vec<_> = case()
        .hosts
        .iter()
        .map(|host| (host.name.clone(), host.worst.unwrap()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_infected_machine_inside_is_a_worm() {
    let named = |name: &str| {
        let name = Raw::from(name);
        let mut clients = case().clients.iter();
        clients.find(|client| client.client == name)
    };
    for (address, hosts) in [("10.1.4.77", 5), ("10.1.0.11", 4)] {
        let client = named(address).expect(address);
        assert!(client.worm, "{address} is infected and not marked");
        let on: BTreeSet<_> =
            client.findings.iter().map(|f| &f.host).collect();
        assert_eq!(on.len(), hosts, "{address} attacked other hosts: {on:?}");
    }
    // A person with a browser, and the users of planted pages.
    for address in ["203.0.113.201", "198.51.100.222", "203.0.113.244"] {
        let client = named(address).expect(address);
        assert!(!client.worm, "{address} is a person, not a worm");
    }
    // Who fetched the worm's mail from WEB1 is a victim, not an attacker:
    // what shows is that WEB1 serves it.
    for address in ["198.51.100.61", "10.1.3.104", "10.1.5.117"] {
        let Some(client) = named(address) else { continue };
        assert!(!client.worm, "{address} attacked nobody");
        for finding in &client.findings {
            assert_eq!(
                finding.rule.as_bytes(),
                b"nimda-readme-eml",
                "{address}"
            );
        }
    }
}

#[test]
fn every_line_is_accounted_for() {
    let mut logs = 0;
    for exhibit in &case().exhibits {
        let path = String::from_utf8_lossy(exhibit.path.as_bytes());
        let sum = exhibit.records
            + exhibit.directives
            + exhibit.blank
            + exhibit.rejected;
        assert_eq!(exhibit.lines, sum, "{path}");
        let name = path.replace('\\', "/");
        let name = name.strip_prefix("testdata/showcase/").unwrap();
        if name == "README.md" {
            continue;
        }
        let log = made().iter().find(|(made, _)| made == name);
        let (_, bytes) = log.expect(name);
        let lines = bytes.split(|byte| *byte == b'\n').count() - 1;
        assert_eq!(exhibit.lines, lines as u64, "lines of {name}");
        assert_eq!(exhibit.bytes, bytes.len() as u64, "bytes of {name}");
        assert_eq!(exhibit.sha256, Some(Sha256(sha256(bytes))), "{name}");
        let torn = name == "FREIGHT-SHOP/LogFiles/W3SVC1/ex010919.log";
        let rejects: Vec<_> = exhibit.rejects.iter().map(|r| r.line).collect();
        let expected: &[u64] = if torn { &[89, 180] } else { &[] };
        assert_eq!(rejects, expected, "rejected lines of {name}");
        logs += 1;
    }
    assert_eq!(logs, made().len(), "some logs are no exhibits");
}

/// What only an attack of the story has in its line.
const MARKS: [&str; 8] = [
    "/default.ida",
    "root.exe",
    "cmd.exe",
    "/admin.dll",
    "@evil.example",
    "/aspnet_client/",
    "/toolpane.aspx",
    "/spinstall0.aspx",
];

/// The file and line of each attack.
fn attacks() -> BTreeSet<(String, u64)> {
    let mut found = BTreeSet::new();
    for (name, bytes) in made() {
        let lines = bytes.split(|byte| *byte == b'\n');
        for (number, line) in (1..).zip(lines) {
            let text = String::from_utf8_lossy(line).to_lowercase();
            if MARKS.iter().any(|mark| text.contains(mark)) {
                found.insert((name.clone(), number));
            }
        }
    }
    found
}

fn by_server<'a>(
    lines: impl Iterator<Item = &'a str>,
) -> BTreeMap<&'a str, u64> {
    let mut counts = BTreeMap::new();
    for name in lines {
        let server = name.split('/').next().unwrap_or_default();
        *counts.entry(server).or_default() += 1;
    }
    counts
}

#[test]
fn every_attack_is_hit_and_nothing_else() {
    let attacks = attacks();
    let counts = by_server(attacks.iter().map(|(name, _)| name.as_str()));
    let expected = [
        ("EXCH01", 15),
        ("FREIGHT-INTRA", 82),
        ("FREIGHT-PARTNER", 260),
        ("FREIGHT-SHOP", 226),
        ("FREIGHT-WEB1", 362),
        ("FREIGHT-WEB2", 289),
        ("SP01", 5),
    ];
    assert_eq!(counts, BTreeMap::from(expected), "lines of attacks");
    let mut hit = BTreeSet::new();
    let mut other = BTreeSet::new();
    for line in String::from_utf8_lossy(hits()).lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let path = row["exhibit"].as_str().unwrap().replace('\\', "/");
        let name = path.strip_prefix("testdata/showcase/").unwrap();
        let number = row["line"].as_u64().unwrap();
        let place = (name.to_owned(), number);
        if attacks.contains(&place) {
            hit.insert(place);
        } else {
            other.insert(place);
        }
    }
    let missed: Vec<_> = attacks.difference(&hit).collect();
    assert!(missed.is_empty(), "no rule matched {missed:?}");
    // Someone asks EXCH01 for pages of other intruders and climbs in vain; a
    // scanner asks SP01 for other people's software; visitors of WEB1 are
    // served the worm.
    let counts = by_server(other.iter().map(|(name, _)| name.as_str()));
    let expected =
        BTreeMap::from([("EXCH01", 3), ("FREIGHT-WEB1", 5), ("SP01", 8)]);
    assert_eq!(counts, expected, "hits beside the attacks: {other:?}");
}

#[test]
fn an_ordinary_day_has_no_hit() {
    let days = ["ex010717.log", "u_ex210816.log"];
    for line in String::from_utf8_lossy(hits()).lines() {
        let ordinary = days.iter().find(|day| line.contains(**day));
        assert!(ordinary.is_none(), "before the incident: {line}");
    }
}
