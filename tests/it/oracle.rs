//! The fast way and a naive twin agree on every line.
//!
//! In: logs made at random from the rules' own test lines, and rules made
//! at random with lines to match. Out: the kinds of lines, and which rule
//! matched which line, of the scan and of [`naive`], compared. Also that
//! the prefilter drops no rule that matches.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use iisleuth::case::Case;
use iisleuth::evidence::Access;
use iisleuth::scan::{Reading, ScanOptions, Scanner};
use iisleuth::signature::{Scratch, Signatures, Source};
use iisleuth::w3c::simd::Isa;
use iisleuth::w3c::{CodePage, Line, Parser};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::Value;

use crate::scanning::{Lcg, embedded, files, options, scan_bytes};
use crate::support::Folder;

mod generate;
mod naive;

use naive::{Matches, Twin};

/// What the real scan says, in the form of the twin.
fn real(case: &Case, hits: &[u8]) -> Matches {
    let row = &case.exhibits[0];
    let hits = hits.split(|byte| *byte == b'\n');
    let hits = hits.filter(|line| !line.is_empty()).filter_map(|line| {
        let hit: Value = serde_json::from_slice(line).unwrap();
        // What several lines show has tests of its own.
        if !hit["correlation"].is_null() {
            return None;
        }
        let rule = hit["rule"].as_str().unwrap().to_owned();
        Some((hit["line"].as_u64().unwrap(), rule))
    });
    Matches {
        lines: row.lines,
        records: row.records,
        directives: row.directives,
        blank: row.blank,
        rejected: row.rejected,
        hits: hits.collect(),
    }
}

/// What differs, in words; with the lines that it is about.
fn difference(
    name: &str,
    text: &[u8],
    naive: &Matches,
    real: &Matches,
) -> Option<String> {
    if naive == real {
        return None;
    }
    let lines: Vec<_> = text.split(|byte| *byte == b'\n').collect();
    let tell = |what: &str, of: &BTreeSet<&(u64, String)>| -> String {
        let told: Vec<_> = of
            .iter()
            .take(3)
            .map(|(line, rule)| {
                let at = usize::try_from(*line).unwrap() - 1;
                let text = lines[at].escape_ascii();
                let layout = lines[..at].iter().rev().find(|line| {
                    line.to_ascii_lowercase().starts_with(b"#fields:")
                });
                let layout = layout.map_or(&b""[..], |line| *line);
                let layout = layout.escape_ascii();
                format!("{what} {rule}, line {line}: {text}\n  {layout}\n")
            })
            .collect();
        told.concat()
    };
    let missed = naive.hits.difference(&real.hits).collect();
    let extra = real.hits.difference(&naive.hits).collect();
    Some(format!(
        "{name}\nnaive: {}\nreal:  {}\n{}{}",
        naive.counts(),
        real.counts(),
        tell("missed", &missed),
        tell("only the scan finds", &extra)
    ))
}

/// Scans one log both ways.
fn compare(
    name: &str,
    text: &[u8],
    set: &Signatures,
    twin: &Twin<'_>,
    scanner: &Scanner<'_>,
) -> Result<u64, String> {
    let (case, hits) = scan_bytes(scanner, set, text);
    let (_, hits) = files(&case, &hits);
    let (naive, real) = (twin.read(text), real(&case, &hits));
    match difference(name, text, &naive, &real) {
        Some(text) => Err(text),
        None => Ok(naive.hits.len() as u64),
    }
}

/// The kernels take turns.
fn isa(turn: usize) -> Isa {
    let all = Isa::available();
    all[turn % all.len()]
}

/// `find` and `matches` on every record of a log.
fn prefilter_agrees(
    name: &str,
    text: &[u8],
    set: &Signatures,
    codepage: Option<CodePage>,
) -> Result<u64, String> {
    let mut matched = 0;
    let mut parser = Parser::default();
    let mut scratch = Scratch::new(isa(text.len()));
    scratch.read_as(codepage);
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Line::Record(record) = parser.line(line, false) else { continue };
        set.find(&record, &mut scratch);
        let found = scratch.rules.clone();
        matched += found.len() as u64;
        for (rule, index) in set.rules().iter().zip(0_u32..) {
            let holds = set.matches(index, &record, &mut scratch);
            if holds != found.contains(&index) {
                let line = line.escape_ascii();
                let rule = &rule.name;
                return Err(format!(
                    "{name}: {rule} matches {holds} without the \
                     prefilter and {} with it: {line}",
                    !holds
                ));
            }
        }
    }
    Ok(matched)
}

/// Checks all made logs on two threads; returns how many hits they hold.
fn made_logs(
    count: usize,
    check: &(dyn Fn(usize) -> Result<u64, String> + Sync),
) -> u64 {
    let (next, hits) = (AtomicUsize::new(0), Mutex::new(0));
    let faults = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count || faults.lock().unwrap().len() > 4 {
                        return;
                    }
                    match check(n) {
                        Ok(more) => *hits.lock().unwrap() += more,
                        Err(text) => faults.lock().unwrap().push(text),
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    hits.into_inner().unwrap()
}

/// Logs that are made: few enough for each run of the tests. More of them:
/// `IISLEUTH_MADE_LOGS=5000 cargo test --release --test it oracle`.
fn logs() -> usize {
    let told = std::env::var("IISLEUTH_MADE_LOGS").ok();
    told.and_then(|it| it.parse().ok()).unwrap_or(300)
}

#[test]
fn made_logs_read_the_same_both_ways() {
    let set = embedded();
    let twin = Twin::new(set, false);
    let pool = generate::Pool::new(set);
    let hits = made_logs(logs(), &|n| {
        let text = pool.log(&mut Lcg::new(n as u64), 10);
        let chunk = [64, 700, 1 << 20][n % 3];
        let isa = isa(n / 3);
        let options =
            ScanOptions { isa, ..options(1 + n % 2, chunk, Access::Auto) };
        let scanner = Scanner::new(set, options).unwrap();
        compare(&format!("log {n}, {isa:?}"), &text, set, &twin, &scanner)
    });
    assert!(hits > 3 * logs() as u64, "the logs hold attacks: {hits} hits");
}

#[test]
fn the_prefilter_misses_nothing_in_made_logs() {
    let set = embedded();
    let pool = generate::Pool::new(set);
    let hits = made_logs(logs(), &|n| {
        let text = pool.log(&mut Lcg::new(n as u64), 10);
        prefilter_agrees(&format!("log {n}"), &text, set, None)
    });
    assert!(hits > 3 * logs() as u64, "the logs hold attacks: {hits} hits");
}

/// One encoding of each kind: of one byte, and of two whose second may be a
/// backslash, or digits, or neither.
const CODEPAGES: [&str; 7] = [
    "windows-1252",
    "shift_jis",
    "gbk",
    "big5",
    "euc-kr",
    "windows-1251",
    "gb18030",
];

/// A scan and a twin of logs in a code page.
fn foreign<'s>(
    set: &'s Signatures,
    label: &str,
    strict: bool,
    options: ScanOptions,
) -> (CodePage, Scanner<'s>, Twin<'s>) {
    let codepage = CodePage::from_name(label).unwrap();
    let reading = Reading { codepage: Some(codepage), ..Reading::default() };
    let scanner = Scanner::new(set, options).unwrap().with_reading(reading);
    (codepage, scanner, Twin::new(set, strict).in_codepage(label))
}

/// Nothing that is found without a code page is lost with one.
#[test]
fn made_logs_in_a_code_page_read_the_same_both_ways() {
    let set = embedded();
    let plain = Twin::new(set, false);
    let pool = generate::Pool::new(set);
    let hits = made_logs(logs(), &|n| {
        let text = pool.log(&mut Lcg::new(n as u64), 10);
        let isa = isa(n / 3);
        let chunk = [64, 700, 1 << 20][n % 3];
        let options = options(1 + n % 2, chunk, Access::Auto);
        let options = ScanOptions { isa, ..options };
        let label = CODEPAGES[n % CODEPAGES.len()];
        let (codepage, scanner, twin) = foreign(set, label, false, options);
        let name = format!("log {n}, {label}, {isa:?}");
        prefilter_agrees(&name, &text, set, Some(codepage))?;
        let (with, without) = (twin.read(&text), plain.read(&text));
        if let Some(lost) = without.hits.difference(&with.hits).next() {
            return Err(format!("{name}: lost {lost:?}"));
        }
        compare(&name, &text, set, &twin, &scanner)
    });
    assert!(hits > 3 * logs() as u64, "the logs hold attacks: {hits} hits");
}

/// Rules from a folder, as a user gives them.
fn load(rules: &[String], strict: bool) -> Signatures {
    let folder = Folder::new("oracle");
    folder.write("made.yml", rules.join("---\n"));
    let paths = vec![folder.path().to_owned()];
    let source =
        Source { without_embedded: true, paths, strict, ..Source::default() };
    match Signatures::load(&source) {
        Ok(set) => set,
        Err(faults) => {
            let fault = &faults[0];
            let (line, what) = (fault.line, &fault.message);
            panic!("made rules do not load: line {line}: {what}")
        }
    }
}

/// Detections that need care to find fast, the columns and a line that
/// they match.
const CORNERS: [(&str, &str, &str); 12] = [
    ("cs-uri-stem|re: '/[aé]dmin'", "cs-uri-stem", "/édmin"),
    ("cs-uri-stem|re: '[aé]dministrator'", "cs-uri-stem", "/administrator"),
    ("cs-uri-stem|re|i: '/kkkkkk'", "cs-uri-stem", "/KKkkKk"),
    ("cs-uri-stem|re: '(?i)/[é]?kkkkkk'", "cs-uri-stem", "/kkkk\u{212a}k"),
    ("cs-uri-stem|re|i: '/[é]ssess'", "cs-uri-stem", "/ÉSSE\u{17f}\u{17f}"),
    ("cs-uri-stem|re: '(abcd|abce|x)+'", "cs-uri-stem", "/x"),
    ("cs-uri-stem|re: 'root{0}exec'", "cs-uri-stem", "/rooexec"),
    (
        "'GET+/root.exe'",
        "cs-method sc-status cs-uri-stem",
        "GET 200 /root.exe",
    ),
    (
        "'GET /root.exe\\?dir'",
        "cs-uri-query cs-uri-stem cs-method",
        "dir /root.exe GET",
    ),
    (
        "cs-uri-query: '/root.exe\\?dir+c'",
        "cs-uri-query cs-uri-stem",
        "dir+c /root.exe",
    ),
    ("cs-method: 'A+B'", "cs-method cs-uri-stem", "A+b /"),
    ("cs-uri-stem|cased: '/Root.exe'", "cs-uri-stem", "/%52oot.exe"),
];

#[test]
fn corners_match_the_same_both_ways() {
    for (detection, fields, line) in CORNERS {
        let is_keyword = detection.starts_with('\'');
        let dash = if is_keyword { "- " } else { "" };
        let rule =
            format!("  sel:\n    {dash}{detection}\n  condition: sel\n");
        let set = load(&[generate::rule(0, &rule)], false);
        let text = format!("#Fields: {fields}\n{line}\n").into_bytes();
        let twin = Twin::new(&set, false);
        let found = twin.read(&text).hits.len();
        assert_eq!(found, 1, "the twin matches {detection} on {line}");
        let scanner =
            Scanner::new(&set, options(1, 256, Access::Auto)).unwrap();
        let compared = compare(detection, &text, &set, &twin, &scanner);
        let agrees = prefilter_agrees(detection, &text, &set, None);
        assert_eq!(compared, Ok(1));
        assert_eq!(agrees, Ok(1));
    }
}

proptest! {
    #![proptest_config(Config {
        cases: 1500,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    })]

    #[test]
    fn made_rules_match_the_same_both_ways(
        rules in prop::collection::vec(generate::detection(), 1..16),
        lines in prop::collection::vec(generate::line(), 1..24),
        layout in 0..generate::LAYOUTS.len(),
        strict: bool,
    ) {
        let rules = rules.iter().enumerate();
        let rules: Vec<_> =
            rules.map(|(n, text)| generate::rule(n, text)).collect();
        let set = load(&rules, strict);
        let text = generate::log_of(layout, &lines);
        let isa = isa(text.len());
        let options = ScanOptions { isa, ..options(1, 256, Access::Auto) };
        let scanner = Scanner::new(&set, options).unwrap();
        let twin = Twin::new(&set, strict);
        let compared = compare("made", &text, &set, &twin, &scanner);
        prop_assert!(compared.is_ok(), "{}", compared.unwrap_err());
        let agrees = prefilter_agrees("made", &text, &set, None);
        prop_assert!(agrees.is_ok(), "{}", agrees.unwrap_err());
    }

    #[test]
    fn made_rules_in_a_code_page_match_the_same_both_ways(
        rules in prop::collection::vec(generate::detection(), 1..12),
        lines in prop::collection::vec(generate::foreign_line(), 1..24),
        layout in 0..generate::LAYOUTS.len(),
        label in prop::sample::select(CODEPAGES.to_vec()),
        strict: bool,
    ) {
        let rules = rules.iter().enumerate();
        let rules: Vec<_> =
            rules.map(|(n, text)| generate::rule(n, text)).collect();
        let set = load(&rules, strict);
        let text = generate::foreign_log(layout, &lines, label);
        let isa = isa(text.len());
        let options = ScanOptions { isa, ..options(1, 256, Access::Auto) };
        let (codepage, scanner, twin) = foreign(&set, label, strict, options);
        let compared = compare(label, &text, &set, &twin, &scanner);
        prop_assert!(compared.is_ok(), "{}", compared.unwrap_err());
        let agrees = prefilter_agrees(label, &text, &set, Some(codepage));
        prop_assert!(agrees.is_ok(), "{}", agrees.unwrap_err());
    }
}
