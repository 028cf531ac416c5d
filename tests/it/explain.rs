//! What is said of one line is what a scan finds in it, and the page says
//! it so that a person can check it.
//!
//! In: the lines that rules are tested with, logs of the showcase, and real
//! logs where they are there. Out: a failed test that names line and rule.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use iisleuth::evidence::discover;
use iisleuth::raw::Raw;
use iisleuth::scan::{LogLine, Reading, ScanOptions, Scanner, Sought};
use iisleuth::signature::{Scratch, Signatures, Source};
use iisleuth::verdict::explanation::{Explanation, What, explain};
use iisleuth::w3c::{Line, Parser};
use serde_json::{Value, json};

use crate::library::{Scan, scan_bytes_with, scan_path, signatures};
use crate::packers::gzip;
use crate::support::{Folder, Run, bin, corpus, golden, root, run};

// ------------------------------------------------------ agreement with scan

/// Hits by line, each as both sides tell it.
fn hits_of(scan: &Scan, line: u64) -> BTreeSet<String> {
    // A correlation takes more than one line.
    let is_of_one = |hit: &&Value| {
        let rule = signatures().rule_named(hit["rule"].as_str().unwrap());
        rule.unwrap().correlation.is_none()
    };
    let own = scan.hits.iter().filter(|hit| hit["line"] == line);
    let own = own.filter(is_of_one);
    own.map(|hit| {
        let keys = [
            "rule",
            "rule_id",
            "title",
            "level",
            "stage",
            "feature",
            "outcome",
            "confidence",
            "reasons",
            "matched_on",
        ];
        told(&keys.map(|key| hit[key].clone()))
    })
    .collect()
}

fn told(values: &[Value]) -> String {
    serde_json::to_string(values).unwrap()
}

fn matches_of(said: &Explanation) -> BTreeSet<String> {
    let said = serde_json::to_value(said).unwrap();
    let matches = said["matches"].as_array().unwrap().iter();
    matches
        .filter(|one| one["silent"] != true)
        .map(|one| {
            let judged = &one["judgement"];
            told(&[
                one["rule"].clone(),
                one["rule_id"].clone(),
                one["title"].clone(),
                one["level"].clone(),
                one["stage"].clone(),
                one["feature"]["id"].clone(),
                judged["outcome"].clone(),
                judged["confidence"].clone(),
                judged["reasons"].clone(),
                one["matched_on"].clone(),
            ])
        })
        .collect()
}

/// What an explanation says must hold together, whatever the line.
fn check(said: &Explanation, what: &str) {
    let mut names = BTreeSet::new();
    for one in &said.matches {
        assert!(one.why.holds(), "{what}: {} has no reason", one.name.rule);
        names.insert(&one.name.rule);
        let asked = &one.judgement.asked;
        if let Some((last, passed)) = asked.split_last() {
            assert!(passed.iter().all(|one| !one.fits), "{what}");
            let code = &one.judgement.reasons[0].code;
            let by_last = last.fits && last.reason == *code;
            assert!(by_last || code == "no-criterion", "{what}: {code}");
        }
    }
    for one in &said.near {
        let name = &one.name.rule;
        assert!(!one.why.holds(), "{what}: {name} is near and matches");
        assert!(!names.contains(name), "{what}: {name} is near and matches");
    }
    assert_eq!(said.near_count, said.near.len());
    for chain in &said.decoding {
        let mut last = &chain.text;
        for step in chain.steps.iter().filter(|step| step.round > 0) {
            assert_ne!(
                last, &step.text,
                "{what}: a step that changes nothing"
            );
            last = &step.text;
        }
    }
}

/// The rules whose condition holds, each rule asked, against the matcher.
fn rules_agree(set: &Signatures, line: &LogLine, what: &str) {
    let mut parser = Parser::new(line.state.clone());
    let mut scratch = Scratch::default();
    scratch.read_as(line.codepage);
    let is_record;
    let found = match parser.line(&line.text, line.cut) {
        Line::Record(record) => {
            set.find(&record, &mut scratch);
            is_record = Some(record);
            std::mem::take(&mut scratch.rules)
        }
        Line::Rejected(_) => {
            set.find_rejected(&line.text, &mut scratch);
            is_record = None;
            std::mem::take(&mut scratch.rules)
        }
        Line::Blank | Line::Directive => return,
    };
    let mut held = Vec::new();
    for index in 0..set.rules().len() as u32 {
        let why = match &is_record {
            Some(record) => set.trace(index, record, &mut scratch),
            None => set.trace_rejected(index, &line.text, &mut scratch),
        };
        if why.unwrap().holds() {
            held.push(index);
        }
    }
    assert_eq!(held, found, "{what}");
}

/// All lines that rules are tested with, as one log, and the number of each.
fn test_lines(set: &Signatures) -> (Vec<u8>, Vec<(u64, LogLine)>) {
    let mut log = String::new();
    let mut lines = Vec::new();
    let reading = Reading::default();
    for rule in set.rules() {
        let tests = &rule.sleuth.tests;
        for test in tests.matching.iter().chain(&tests.other) {
            let text = format!(
                "#Software: {}\n#Fields: {}\n{}\n",
                test.software, test.fields, test.line
            );
            log += &text;
            lines.push(LogLine::typed(text.as_bytes(), &reading));
        }
    }
    let numbers = (1..).map(|number| number * 3);
    (log.into_bytes(), numbers.zip(lines).collect())
}

/// Explains each of them but for those that are stepped over; asks all
/// rules about one in `every`.
fn lines_agree(set: &Signatures, step: usize, every: u64) {
    let (log, lines) = test_lines(set);
    let scan = scan_bytes_with(set, Path::new("test.log"), &log);
    assert!(lines.len() > 1000, "the rules have tests");
    for (number, line) in lines.iter().step_by(step) {
        let what = String::from_utf8_lossy(&line.text).into_owned();
        let said = explain(line, set);
        assert_eq!(matches_of(&said), hits_of(&scan, *number), "{what}");
        check(&said, &what);
        if number / 3 % every == 0 {
            rules_agree(set, line, &what);
        }
    }
}

#[test]
fn the_lines_of_rules_are_explained_as_they_are_scanned() {
    lines_agree(signatures(), 1, 29);
}

#[test]
fn so_they_are_without_the_view_of_iis() {
    let source = Source { strict: true, ..Source::default() };
    let set = Signatures::load(&source).unwrap();
    lines_agree(&set, 7, 2);
}

/// Lines broken in two: most are rejected, and their texts are looked for.
#[test]
fn rejected_lines_are_explained_as_they_are_scanned() {
    let set = signatures();
    let (_, lines) = test_lines(set);
    let mut log = Vec::new();
    let mut broken = Vec::new();
    for (_, line) in lines.iter().step_by(7) {
        let layout = line.state.layout.as_ref().unwrap();
        let names: Vec<_> = layout.names().collect();
        let head = [b"#Fields: ", names.join(&b' ').as_slice()].concat();
        let text = [line.text.as_slice(), b" one more"].concat();
        let whole = [head.as_slice(), b"\n", &text, b"\n"].concat();
        log.extend_from_slice(&whole);
        broken.push(LogLine::typed(&whole, &Reading::default()));
    }
    let scan = scan_bytes_with(set, Path::new("test.log"), &log);
    let mut found = 0;
    for (line, number) in broken.iter().zip((2..).step_by(2)) {
        let what = String::from_utf8_lossy(&line.text).into_owned();
        let said = explain(line, set);
        let hits = hits_of(&scan, number);
        found += hits.len();
        assert_eq!(said.read.what, What::Rejected, "{what}");
        let rejected = said.read.rejected.as_ref().unwrap();
        assert_eq!(rejected.columns, rejected.wanted.unwrap() + 2, "{what}");
        assert_eq!(matches_of(&said), hits, "{what}");
        check(&said, &what);
        rules_agree(set, line, &what);
    }
    assert!(found > 50, "{found} hits in rejected lines");
}

/// A line of a file, found on the way of a scan.
fn line_at(path: &Path, name: &Path, number: u64) -> Option<LogLine> {
    let evidence = discover(&[path.to_owned()]).unwrap();
    let scanner = Scanner::new(signatures(), ScanOptions::default()).unwrap();
    let name = Raw::from_path(name);
    let exhibit = &evidence.exhibits[0];
    match scanner.line(exhibit, &name, number).unwrap().unwrap() {
        Sought::Found(line) => Some(*line),
        Sought::Short(..) => None,
        Sought::Archive(_) => panic!("an archive"),
    }
}

/// The hits of a scan, and as many other lines, explained.
fn file_agrees(path: &Path, most: usize) {
    let scan = scan_path(path, ScanOptions::default());
    let hits = scan.hits.iter().map(|hit| hit["line"].as_u64().unwrap());
    let lines: BTreeSet<u64> = hits.collect();
    let other = lines.iter().map(|line| line + 1);
    let all: BTreeSet<u64> = lines.iter().copied().chain(other).collect();
    let step = all.len().div_ceil(most).max(1);
    for number in all.into_iter().step_by(step) {
        let Some(line) = line_at(path, path, number) else { continue };
        let what = format!("{}:{number}", path.display());
        let said = explain(&line, signatures());
        assert_eq!(matches_of(&said), hits_of(&scan, number), "{what}");
        check(&said, &what);
        let offset = line.place.as_ref().unwrap().offset;
        for hit in scan.hits.iter().filter(|hit| hit["line"] == number) {
            assert_eq!(hit["offset"], offset, "{what}");
        }
    }
}

const DAY: &str =
    "testdata/showcase/FREIGHT-WEB2/LogFiles/W3SVC1/ex010918.log";

#[test]
fn lines_of_files_are_explained_as_they_are_scanned() {
    for name in [
        DAY,
        "testdata/showcase/FREIGHT-INTRA/LogFiles/W3SVC1/ex010919.log",
        "testdata/showcase/EXCH01/inetpub/logs/LogFiles/W3SVC1/u_ex210818.log",
    ] {
        file_agrees(&root().join(name), 40);
    }
}

#[test]
fn lines_of_real_logs_are_explained_as_they_are_scanned() {
    let Some(folder) = corpus() else { return };
    let mut files = Vec::new();
    logs(&folder, &mut files);
    files.sort();
    for file in files.iter().step_by(files.len().div_ceil(12).max(1)) {
        file_agrees(file, 12);
    }
}

fn logs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            logs(&path, found);
        } else if fs::metadata(&path).is_ok_and(|it| it.len() < 4 << 20)
            && path.extension().is_some_and(|end| end == "log")
        {
            found.push(path);
        }
    }
}

/// Each line of a log is what the scan counted it as, packed or not.
#[test]
fn every_line_is_what_the_scan_counts() {
    let folder = Folder::new("explain");
    let plain = [
        fs::read(root().join(DAY)).unwrap().as_slice(),
        b"\n \nbroken\n#Fields: date time cs-uri-stem\n2001-01-01 1:2:3 /x",
    ]
    .concat();
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(plain.len() as u64);
    header.set_mode(0o644);
    let inside = "WEB1/W3SVC1/ex010918.log";
    tar.append_data(&mut header, inside, plain.as_slice()).unwrap();
    let tar = tar.into_inner().unwrap();
    let bare = folder.write("ex010918.log", &plain);
    let packed = folder.write("x.log.gz", gzip(&plain));
    let archive = folder.write("old.tar.gz", gzip(&tar));
    let member = format!("{}!/{inside}", archive.to_str().unwrap());
    let row = scan_path(&bare, ScanOptions::default());
    let row = row.exhibits()[0].clone();
    for (path, name) in [
        (&bare, bare.clone()),
        (&packed, packed.clone()),
        (&archive, PathBuf::from(member)),
    ] {
        let mut counts = [0_u64; 4];
        let lines = row["lines"].as_u64().unwrap();
        for number in (1..=lines).rev() {
            let line = line_at(path, &name, number).unwrap();
            let place = line.place.as_ref().unwrap();
            let at = usize::try_from(place.offset).unwrap();
            assert!(plain[at..].starts_with(&line.text), "line {number}");
            let mut parser = Parser::new(line.state.clone());
            let kind = match parser.line(&line.text, line.cut) {
                Line::Record(_) => 0,
                Line::Directive => 1,
                Line::Blank => 2,
                Line::Rejected(_) => 3,
            };
            counts[kind] += 1;
        }
        let keys = ["records", "directives", "blank", "rejected"];
        let expected = keys.map(|key| row[key].as_u64().unwrap());
        assert_eq!(counts, expected, "{}", name.display());
        assert!(line_at(path, &name, lines + 1).is_none());
        let last = line_at(path, &name, lines).unwrap();
        assert_eq!(last.fields_line, Some(lines - 1));
    }
}

// ------------------------------------------------------------ what it says

const IIS10: &str = "Microsoft Internet Information Services 10.0";
const FIELDS: &str =
    "date time c-ip cs-method cs-uri-stem cs-uri-query sc-status";

fn typed(line: &str) -> Explanation {
    let text = format!("#Software: {IIS10}\n#Fields: {FIELDS}\n{line}");
    explain(
        &LogLine::typed(text.as_bytes(), &Reading::default()),
        signatures(),
    )
}

fn steps(said: &Explanation) -> Vec<(String, String)> {
    let chains = said.decoding.iter();
    chains
        .flat_map(|chain| &chain.steps)
        .map(|step| {
            let text = String::from_utf8_lossy(step.text.as_bytes());
            (step.undone.join(" "), text.into_owned())
        })
        .collect()
}

#[test]
fn each_layer_is_one_step() {
    let line =
        |url: &str| format!("2020-01-01 00:00:00 192.0.2.1 GET {url} 200");
    for (url, expected) in [
        ("/a -", vec![]),
        ("/%41 -", vec![("percent", "/A")]),
        ("/%2541 -", vec![("percent", "/%41"), ("percent", "/A")]),
        ("/%u0041 -", vec![("unicode", "/A")]),
        (
            "/..%C0%AF -",
            vec![("percent", "/..\u{fffd}\u{fffd}"), ("overlong", "/../")],
        ),
        ("/a x+y", vec![("plus", "x y")]),
        ("/a x%2by", vec![("percent", "x+y"), ("plus", "x y")]),
    ] {
        let said = typed(&line(url));
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(word, text)| (word.to_owned(), text.to_owned()))
            .collect();
        assert_eq!(steps(&said), expected, "{url}");
    }
    let deep = typed(&line("/%2525252541 -"));
    assert_eq!(deep.decoding[0].steps.len(), 3);
    assert!(deep.decoding[0].more);
}

const RULE: &str = "
title: A parcel
name: parcel
id: 0d6f4b0e-8f3b-4a55-9d60-54a1f4f2b3c7
logsource: {category: webserver}
detection:
  selection:
    cs-uri-stem|endswith: '/qzparcel.asp'
    cs-uri-query|contains|all: ['qzshow=', 'qzall=']
  filter:
    c-ip|cidr: 10.0.0.0/8
  other:
    cs-method|neq: GET
  agent:
    cs-user-agent: qzrobot
  condition: selection and not filter and not other or agent
";

/// What stands in the way is told: one test, one part of `all`, a filter, a
/// column that is not there. Where two things are, the rule is not near.
#[test]
fn near_misses_say_what_is_missing() {
    let folder = Folder::new("near");
    let file = folder.write("parcel.yml", RULE);
    let source = Source {
        without_embedded: true,
        paths: vec![file],
        ..Source::default()
    };
    let set = Signatures::load(&source).unwrap();
    let near = |line: &str| {
        let text = format!("#Fields: {FIELDS}\n{line} 200");
        let line = LogLine::typed(text.as_bytes(), &Reading::default());
        let said = explain(&line, &set);
        assert_eq!(said.near_count, said.near.len());
        let near = said.near.first().map(|one| {
            let failed = serde_json::to_value(&one.failed).unwrap();
            (one.filtered, failed)
        });
        (said.matches.len(), near)
    };
    let day = "2020-01-01 00:00:00";
    let whole = "GET /qzparcel.asp qzshow=1&qzall=1";
    assert_eq!(near(&format!("{day} 192.0.2.1 {whole}")), (1, None));
    let (count, filtered) = near(&format!("{day} 10.1.1.1 {whole}"));
    let (is_filtered, failed) = filtered.unwrap();
    assert!(count == 0 && is_filtered, "{failed}");
    assert_eq!(failed["state"], "failed");
    assert_eq!(failed["not"]["search"], "filter");
    assert_eq!(failed["not"]["test"]["wants"][0]["text"], "10.0.0.0/8");
    let half = format!("{day} 192.0.2.1 GET /qzparcel.asp qzshow=1");
    let (count, missing) = near(&half);
    let (is_filtered, failed) = missing.unwrap();
    assert!(count == 0 && !is_filtered);
    assert_eq!(failed["search"], "selection");
    assert_eq!(failed["test"]["field"], "cs-uri-query");
    let wants = &failed["test"]["wants"];
    assert_eq!(wants[0]["held"], json!(true));
    assert_eq!(wants[0]["on"], json!("cs-uri-query"));
    assert_eq!(wants[1]["held"], json!(false));
    assert_eq!(failed["test"]["value"], "/qzparcel.asp?qzshow=1");
    // Neither has both; nor is a verb alone anything.
    for other in ["GET /qzparcel.asp x=1", "GET /other.asp a=1"] {
        let line = format!("{day} 192.0.2.1 {other}");
        assert_eq!(near(&line), (0, None), "{other}");
    }
}

#[test]
fn why_it_is_that_feature() {
    let own = typed(
        "2020-01-01 00:00:00 192.0.2.1 GET /default.ida NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN 404",
    );
    let own = own.matches.first().unwrap().feature.clone().unwrap();
    assert!(own.own && own.keys.is_empty(), "{own:?}");
    let folder = Folder::new("feature");
    let rule = "title: Any\nname: any\nlogsource: {category: webserver}\n\
                detection:\n  a: {cs-uri-stem|contains: qzrare}\n  \
                condition: a\n";
    let source = Source {
        paths: vec![folder.write("any.yml", rule)],
        ..Source::default()
    };
    let set = Signatures::load(&source).unwrap();
    let text = format!(
        "#Fields: {FIELDS}\n2020-01-01 00:00:00 192.0.2.1 GET /qzrare.ida - 200"
    );
    let line = LogLine::typed(text.as_bytes(), &Reading::default());
    let said = explain(&line, &set);
    let one = said.matches.iter().find(|it| it.name.rule == "any").unwrap();
    let feature = one.feature.as_ref().unwrap();
    assert!(!feature.own);
    assert_eq!(feature.id, "index-server-ida");
    assert_eq!(feature.keys, ["extension ida"]);
}

// ------------------------------------------------------------- the command

fn page(args: &[&str]) -> String {
    let run = run([&["explain"], args].concat());
    assert_eq!(run.code, Some(0), "{}", run.err());
    run.out()
}

const UNICODE: &str = "2001-09-18 05:13:00 198.51.100.7 - 10.0.0.1 80 GET \
    /scripts/..%c0%af../winnt/system32/cmd.exe /c+dir+c:\\ 200 0 ";

#[test]
#[cfg_attr(windows, ignore = "the golden files hold paths with `/`")]
fn the_pages_are_the_committed_ones() {
    let web = "testdata/showcase/FREIGHT-WEB1/LogFiles/W3SVC1";
    let intra = "testdata/showcase/FREIGHT-INTRA/LogFiles/W3SVC1";
    let exchange = "testdata/showcase/EXCH01/inetpub/logs/LogFiles/W3SVC1";
    let blocked = "2019-05-01 10:00:00 203.0.113.5 GET \
                   /%252e%252e/web.config - 404 11 0";
    let names = "date time c-ip cs-method cs-uri-stem cs-uri-query \
                 sc-status sc-substatus sc-win32-status";
    let rejected = "2001-07-19 13:00:00 203.0.113.5 GET /scripts/root.exe \
                    /c+dir 200 and more";
    for (name, args) in [
        ("code-red", vec![format!("{web}/ex010719.log:142")]),
        ("unicode", vec![UNICODE.trim_end().to_owned()]),
        ("proxyshell", vec![format!("{exchange}/u_ex210818.log:17")]),
        (
            "blocked",
            vec![
                blocked.to_owned(),
                format!("--fields={names}"),
                format!("--software={IIS10}"),
            ],
        ),
        ("rejected", vec![rejected.to_owned(), format!("--fields={FIELDS}")]),
        ("urlscan", vec![format!("{intra}/ex010919.log:15")]),
    ] {
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let text = page(&args);
        for line in text.lines() {
            let width = line.chars().count();
            assert!(width <= 80, "{width} columns: {line}");
        }
        assert!(!text.contains('\x1b'), "colour without a terminal");
        golden(&format!("golden/explain/{name}.txt"), text.as_bytes());
    }
    let json = page(&["--format", "json", UNICODE.trim_end()]);
    golden("golden/explain/unicode.json", json.as_bytes());
}

fn refused(args: &[&str], says: &str) {
    let run = run([&["explain"], args].concat());
    assert_eq!(run.code, Some(2), "{args:?}: {}", run.out());
    assert!(run.err().contains(says), "{args:?}: {}", run.err());
    assert_eq!(run.out(), "");
}

#[test]
fn what_cannot_be_explained_is_an_error_of_usage() {
    let place = |line: &str| format!("{DAY}:{line}");
    let lines = fs::read(root().join(DAY)).unwrap();
    let lines = lines.iter().filter(|byte| **byte == b'\n').count();
    refused(
        &[&place("99999")],
        &format!("has {lines} lines, so none is 99999"),
    );
    refused(&[&place("0")], "counted from 1");
    refused(&[DAY], "say which line of it");
    refused(&["testdata/showcase:3"], "is a folder");
    refused(&["a\nb"], "more than one line");
    refused(&["a", "--fields", " "], "names no column");
    refused(&[&place("5"), "--software", "x"], "--software is for");
    let folder = Folder::new("explain-none");
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    tar.append_data(&mut header, "a.log", &b"x\n"[..]).unwrap();
    let archive = folder.write("old.tar", tar.into_inner().unwrap());
    let archive = archive.to_str().unwrap();
    refused(&[&format!("{archive}:1")], "old.tar!/a.log");
    refused(&[&format!("{archive}!/b.log:1")], "holds no file named");
    refused(&[&format!("{archive}!/a.log:2")], "has one line");
    let empty = folder.write("empty.log", "");
    refused(&[&format!("{}:1", empty.display())], "has no line");
    let cut = gzip(&b"#Fields: a\nb\n".repeat(9000));
    let cut = folder.write("cut.gz", &cut[..cut.len() / 2]);
    refused(&[&format!("{}:99999", cut.display())], "; ");
}

#[test]
fn what_only_looks_like_a_place_is_a_line() {
    let run = run(["explain", "C:\\logs\\gone.log:12"]);
    assert_eq!(run.code, Some(0), "{}", run.err());
    assert!(run.err().contains("is no file, so this is a line"));
    assert!(run.out().contains("Rejected"), "{}", run.out());
    let line = "GET /a referer http://example.com:80";
    assert!(page(&[line]).contains("Rejected"));
}

/// A line that holds quotes comes by standard input, with directives where
/// they are at hand.
#[test]
fn standard_input_is_a_line() {
    use std::io::Write as _;
    use std::process::Stdio;

    let text = format!(
        "#Fields: {FIELDS}\r\n2020-01-01 00:00:00 192.0.2.1 \
        GET /default.ida {} 200\r\n",
        "N".repeat(30)
    );
    let mut child = bin()
        .args(["explain", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["read"]["what"], "record");
    assert_eq!(said["read"]["layout"]["line"], 1);
    assert_eq!(said["matches"][0]["rule"], "code-red");
    let nothing = run(["explain", "-"]);
    assert_eq!(nothing.code, Some(2));
}

/// Nothing that a line, a name or a rule says reaches the terminal as it is.
#[test]
fn hostile_text_comes_out_escaped() {
    let folder = Folder::new("explain-hostile");
    let rule = RULE
        .replace("A parcel", "\"A \\e[31mparcel\"")
        .replace("'qzshow='", "\"qz\\e[2J\\u202e\"")
        .replace("qzparcel", "qz\u{200b}parcel");
    let rule = folder.write("p.yml", rule);
    let mut line = String::from("2020-01-01 00:00:00 192.0.2.1 GET ");
    let _ =
        write!(line, "/qz\u{200b}parcel.asp qz\x1b[2J\u{202e}qzall=%1b 200");
    let log = format!("#Fields: {FIELDS} x\u{1b}y\n{line} \u{9b}31m\n");
    let name = if cfg!(windows) { "x.log" } else { "x\u{1b}[1m.log" };
    let log = folder.write(name, log);
    let place = format!("{}:2", log.display());
    let rules = ["--rules", rule.to_str().unwrap()];
    for args in [
        vec!["explain", &place, "--all"],
        vec!["explain", &line, "--all", "--fields", FIELDS],
        vec!["explain", "\x1b[2J:5"],
    ] {
        let run = Run::of(bin().args(args).args(rules));
        assert_eq!(run.code, Some(0), "{}", run.err());
        for text in [run.out(), run.err()] {
            let hidden = |c: char| {
                c != '\n' && c.is_control()
                    || matches!(c, '\u{202e}' | '\u{200b}')
            };
            assert!(!text.contains(hidden), "{text:?}");
        }
    }
    let whole = page(&[&place, "--rules", rule.to_str().unwrap()]);
    assert!(whole.contains("A \\x1b[31mparcel"), "{whole}");
}
