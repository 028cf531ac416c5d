//! Real logs: every line of every file is accounted for, no dialect is
//! mistaken for another, and ordinary traffic raises no alarm.
//!
//! The corpus lies beside the package and is not part of it. Where it is
//! missing these tests pass and say so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use iisleuth::case::{Case, CaseBuilder, Exhibit, Hits, Options, Run, Sha256};
use iisleuth::evidence::{discover, sha256};
use iisleuth::raw::Raw;
use iisleuth::scan::{ScanOptions, Scanner, Silent};
use iisleuth::signature::{Level, Outcome, Signatures, Source};
use iisleuth::warning::Kind;
use serde_json::Value;

use crate::support::{corpus, golden};

/// The folder of the corpus, or a note that it is missing.
#[allow(clippy::print_stdout)] // Only seen where tests print.
fn folder() -> Option<PathBuf> {
    let folder = corpus();
    if folder.is_none() {
        println!("skipped: there is no ../shared/corpus");
    }
    folder
}

fn scan(paths: &[PathBuf], keep_hits: bool) -> (Case, Hits) {
    static RULES: OnceLock<Signatures> = OnceLock::new();
    let rules = RULES.get_or_init(|| {
        Signatures::load(&Source::default()).expect("the rules are right")
    });
    let evidence = discover(paths).unwrap();
    let scanner = Scanner::new(rules, ScanOptions::default()).unwrap();
    let options = Options { keep_hits, ..Options::default() };
    let builder = CaseBuilder::new(rules.outcomes(), options, Run::default());
    assert!(scanner.scan(&evidence, &builder, &Silent), "interrupted");
    builder.finish()
}

/// One scan of everything.
fn whole() -> Option<(&'static Path, &'static Case)> {
    static WHOLE: OnceLock<Option<(PathBuf, Case)>> = OnceLock::new();
    let whole = WHOLE.get_or_init(|| {
        let folder = folder()?;
        let (case, _) = scan(std::slice::from_ref(&folder), false);
        Some((folder, case))
    });
    let (folder, case) = whole.as_ref()?;
    Some((folder, case))
}

/// The exhibits by their path below the corpus, with `/` between its parts.
fn exhibits<'c>(
    folder: &Path,
    case: &'c Case,
) -> BTreeMap<String, &'c Exhibit> {
    let rows = case.exhibits.iter().map(|row| {
        let path = String::from_utf8(row.path.as_bytes().into()).unwrap();
        let below = Path::new(&path).strip_prefix(folder).unwrap();
        let parts: Vec<_> =
            below.iter().map(|part| part.to_str().unwrap()).collect();
        (parts.join("/"), &**row)
    });
    rows.collect()
}

/// A row of `counts.tsv`, made by a plain script.
struct Counts {
    path: String,
    bytes: u64,
    lines: u64,
    hashes: u64,
    blank: u64,
    other: u64,
}

fn counts(folder: &Path) -> Vec<Counts> {
    let text = fs::read_to_string(folder.join("counts.tsv")).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let words: Vec<_> = line.split('\t').collect();
        let [path, numbers @ ..] = words.as_slice() else {
            panic!("an empty row in counts.tsv");
        };
        let numbers: Vec<u64> =
            numbers.iter().map(|word| word.parse().unwrap()).collect();
        let [bytes, lines, hashes, blank, other] = numbers[..] else {
            panic!("{path}: not five numbers in counts.tsv");
        };
        let path = (*path).to_owned();
        Counts { path, bytes, lines, hashes, blank, other }
    });
    rows.collect()
}

#[test]
fn every_line_of_every_file_is_accounted_for() {
    let Some((folder, case)) = whole() else { return };
    let exhibits = exhibits(folder, case);
    let counts = counts(folder);
    assert!(counts.len() > 700, "counts.tsv has lost rows");
    for row in &counts {
        let path = &row.path;
        let exhibit = exhibits.get(path).unwrap_or_else(|| {
            panic!("{path} is in counts.tsv and no exhibit");
        });
        assert_eq!(exhibit.bytes, row.bytes, "bytes of {path}");
        assert_eq!(exhibit.lines, row.lines, "lines of {path}");
        assert_eq!(exhibit.directives, row.hashes, "directives of {path}");
        assert_eq!(exhibit.blank, row.blank, "blank lines of {path}");
        let rest = exhibit.records + exhibit.rejected;
        assert_eq!(rest, row.other, "records and rejects of {path}");
    }
    let counted: BTreeSet<_> =
        counts.iter().map(|row| row.path.as_str()).collect();
    let found: BTreeSet<_> = exhibits.keys().map(String::as_str).collect();
    assert_eq!(found, counted, "exhibits that counts.tsv does not name");
}

/// What is no log of any kind is no exhibit, and is named.
#[test]
fn what_is_no_log_is_left_aside() {
    let Some((folder, case)) = whole() else { return };
    let odd = case.warnings.iter().filter(|it| it.kind == Kind::Odd);
    let odd: Vec<_> = odd.map(|it| it.exhibit.clone()).collect();
    let expected = ["README.md", "counts.tsv"];
    let expected = expected.map(|name| Raw::from_path(&folder.join(name)));
    assert_eq!(odd, expected);
}

#[test]
fn every_digest_is_that_of_the_file() {
    let Some((folder, case)) = whole() else { return };
    for (path, exhibit) in exhibits(folder, case) {
        let bytes = fs::read(folder.join(&path)).unwrap();
        assert_eq!(exhibit.sha256, Some(Sha256(sha256(&bytes))), "{path}");
    }
}

/// All logs that are neither W3C nor HTTPERR, exactly.
const OTHER: [(&str, &str); 11] = [
    ("apache/hackers-access.log", "ncsa"),
    ("apache/testglobal.log", "ncsa"),
    ("variants/ex010320.log", "iis-native"),
    ("variants/iis-example.log", "iis-native"),
    ("variants/iis-native-nonutf8.log", "iis-native"),
    ("variants/page-apache_nimda_exam_excerpt.log", "ncsa"),
    ("variants/pf040903.log", "firewall"),
    ("variants/w3c-2.log", "ftp"),
    ("webknowit/FTPSVC1/u_ex151018.log", "ftp"),
    ("webknowit/FTPSVC2/u_ex151018.log", "ftp"),
    ("webknowit/FTPSVC2/u_ex160206.log", "ftp"),
];

#[test]
fn no_other_dialect_is_taken_for_w3c() {
    let Some((folder, case)) = whole() else { return };
    let exhibits = exhibits(folder, case);
    let found: Vec<_> = exhibits
        .iter()
        .filter(|(_, row)| !["w3c", "httperr"].contains(&row.dialect.as_str()))
        .map(|(path, row)| (path.as_str(), row.dialect.as_str()))
        .collect();
    assert_eq!(found, OTHER);
    for (path, _) in OTHER {
        let records = exhibits[path].records;
        if ["ncsa", "iis-native"].contains(&exhibits[path].dialect.as_str()) {
            assert!(records > 0, "{path} is read and has no records");
            continue;
        }
        assert_eq!(records, 0, "{path} is not read and has records");
        let file = folder.join(path);
        let named = case.warnings.iter().any(|warning| {
            warning.exhibit.as_bytes() == file.as_os_str().as_encoded_bytes()
        });
        assert!(named, "no warning says that {path} is left aside");
    }
}

#[test]
fn every_rejected_line_has_a_place_and_a_reason() {
    let Some((folder, case)) = whole() else { return };
    for (path, exhibit) in exhibits(folder, case) {
        if ["ftp", "smtp", "firewall"].contains(&exhibit.dialect.as_str()) {
            continue;
        }
        let by: u64 = exhibit.rejected_by.values().sum();
        assert_eq!(by, exhibit.rejected, "reasons in {path}");
        if exhibit.rejected == 0 {
            continue;
        }
        let bytes = fs::read(folder.join(&path)).unwrap();
        assert!(!exhibit.rejects.is_empty(), "{path} lists no reject");
        for reject in exhibit.rejects.iter() {
            let offset = usize::try_from(reject.offset).unwrap();
            let before = &bytes[..offset];
            let newlines = before.iter().filter(|byte| **byte == b'\n');
            let line = newlines.count() as u64 + 1;
            let at = reject.line;
            assert_eq!(line, at, "{path}: offset of line {at}");
            let start = before.last().is_none_or(|byte| *byte == b'\n');
            assert!(start, "{path}:{at} does not begin at its offset");
            assert!(!reject.reason.is_empty(), "{path}:{at}: no reason");
        }
    }
}

/// A hit, as far as these tests ask.
fn rows(hits: &Hits) -> Vec<Value> {
    let mut bytes = Vec::new();
    hits.write(&mut bytes).unwrap();
    let lines = bytes.split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// The lines that hold the start of a shell function, by exhibit.
fn shellshock_lines(folder: &Path, case: &Case) -> BTreeSet<(String, u64)> {
    let mut found = BTreeSet::new();
    for path in exhibits(folder, case).into_keys() {
        let bytes = fs::read(folder.join(&path)).unwrap();
        let lines = bytes.split(|byte| *byte == b'\n');
        for (number, line) in (1..).zip(lines) {
            let text = String::from_utf8_lossy(line).replace('+', " ");
            if text.contains("() {") {
                let file = folder.join(&path);
                found.insert((file.to_str().unwrap().to_owned(), number));
            }
        }
    }
    found
}

/// Windows has no Bash: that a page came back says nothing.
#[test]
fn shellshock_never_succeeded() {
    let Some(folder) = folder() else { return };
    let paths = ["webknowit", "waikolai"].map(|name| folder.join(name));
    let (case, hits) = scan(&paths, true);
    for finding in case.findings.iter().filter(|f| f.rule == "shellshock") {
        let worst = finding.worst;
        let harmless = worst <= Some(Outcome::Reached);
        assert!(harmless, "{:?}: {worst:?}", finding.host);
    }
    let lines = shellshock_lines(&folder, &case);
    assert!(lines.len() >= 8, "where are the Shellshock lines?");
    let mut seen = BTreeSet::new();
    for hit in rows(&hits) {
        let exhibit = hit["exhibit"].as_str().unwrap().to_owned();
        let place = (exhibit, hit["line"].as_u64().unwrap());
        if lines.contains(&place) {
            let outcome = hit["outcome"].as_str().unwrap();
            let success = ["succeeded", "compromised"].contains(&outcome);
            assert!(!success, "{place:?} is {outcome}: {}", hit["rule"]);
            seen.insert(place);
        }
    }
    let missed: Vec<_> = lines.difference(&seen).collect();
    assert!(missed.is_empty(), "no rule matched {missed:?}");
}

/// Two servers over months: nothing rejected, nothing lost.
#[test]
fn two_servers_are_read_whole() {
    let Some((folder, case)) = whole() else { return };
    let mut records = 0;
    for (path, exhibit) in exhibits(folder, case) {
        let server = ["webknowit/W3SVC", "waikolai/W3SVC"];
        if server.iter().any(|server| path.starts_with(server)) {
            assert_eq!(exhibit.rejected, 0, "rejected lines in {path}");
            let host = path.split('/').next().unwrap_or_default();
            let named = exhibit.host.as_ref().map(Raw::as_bytes);
            let none = exhibit.records == 0;
            assert!(none || named == Some(host.as_bytes()), "host of {path}");
            records += exhibit.records;
        }
    }
    assert!(records > 10_000, "only {records} records");
    let lost = |kind: Kind| kind.is_loss() && kind != Kind::NotRead;
    let lost: Vec<_> =
        case.warnings.iter().filter(|it| lost(it.kind)).collect();
    assert!(lost.is_empty(), "part of the evidence was not read: {lost:?}");
}

#[test]
fn ordinary_traffic_raises_no_alarm() {
    let Some(folder) = folder() else { return };
    let (case, _) = scan(&[folder.join("clean")], false);
    assert!(case.summary.records > 14_000, "the clean logs were not read");
    assert_eq!(case.summary.rejected, 0, "rejected lines in clean/");
    for finding in &case.findings {
        let rule = &finding.rule;
        let places: Vec<_> =
            finding.evidence.iter().map(|it| it.line).collect();
        assert!(finding.level <= Level::Low, "{rule} at lines {places:?}");
        let success = finding.worst.is_some_and(Outcome::is_success);
        assert!(!success, "{rule} succeeded at lines {places:?}");
    }
}

/// Every odd file, read as a person would read it: numbers and reasons in a
/// committed table.
#[test]
fn the_variants_are_read_as_the_table_says() {
    let Some((folder, case)) = whole() else { return };
    let mut table = String::from(
        "file\tdialect\tlines\trecords\tdirectives\tblank\trejected\t\
         reasons\n",
    );
    for (path, row) in exhibits(folder, case) {
        let Some(file) = path.strip_prefix("variants/") else { continue };
        let mut reasons: Vec<_> = row
            .rejected_by
            .iter()
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        if row.records == 0 && row.rejected_by.is_empty() {
            reasons.push("not judged".to_owned());
        }
        let notes = row.time_notes.iter();
        reasons.extend(notes.map(|(note, n)| format!("{n} {note}")));
        if row.records_inferred > 0 {
            let told = row.records_inferred;
            reasons.push(format!("{told} by columns told from the rows"));
        }
        table.push_str(&format!(
            "{file}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
            row.dialect.as_str(),
            row.lines,
            row.records,
            row.directives,
            row.blank,
            row.rejected,
            reasons.join("; "),
        ));
    }
    golden("golden/variants.tsv", table.as_bytes());
}
