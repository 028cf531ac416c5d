//! Cases join as one scan of everything, and serialize to the same bytes.

use std::fmt::Write as _;

use super::*;
use crate::evidence::PathIdentity;
use crate::raw::Raw;
use crate::scan::{Collector, Hit, Part, Setting, Tally};
use crate::signature::{
    Confidence, Criterion, Detection, Expr, Feature, Level, Outcome, Outcomes,
    Range, Rule, Sleuth, When,
};
use crate::w3c::{Dialect, Line, Parser};
use crate::warning::{Kind, Warning};

const FIELDS: &str = "#Fields: date time s-computername s-sitename c-ip \
    cs-method cs-uri-stem cs-uri-query sc-status sc-substatus sc-win32-status";

fn rule(name: &str, level: Level) -> Rule {
    Rule {
        name: name.to_owned(),
        id: Some(format!("id-of-{name}")),
        title: format!("Title of {name}"),
        status: None,
        level,
        description: String::new(),
        references: Vec::new(),
        tags: Vec::new(),
        false_positives: Vec::new(),
        correlation: None,
        feeds: Vec::new(),
        is_silent: false,
        detection: Detection {
            tests: Vec::new(),
            expr: Expr::All(vec![]),
            searches: Vec::new(),
            conditions: Vec::new(),
        },
        sleuth: Sleuth {
            worm: name == "worm",
            advisories: vec!["MS01-033".to_owned()],
            ..Sleuth::default()
        },
        file: Raw::from("x.yml"),
    }
}

fn setting(path: &str) -> Setting {
    let host = path.split_once('/').map(|(host, _)| Raw::from(host));
    let identity =
        PathIdentity { host, site: Some("W3SVC1".to_owned()), date: None };
    let (name, dialect) = (Raw::from(path), Dialect::W3c);
    Setting { name, identity, dialect, encoding: None, codepage: None }
}

/// Scans lines, cut into chunks: a hit is each line with `probe` or `worm`.
fn scan(builder: &CaseBuilder<'_>, path: &str, text: &str, chunk: usize) {
    let rules = [rule("probe", Level::Low), rule("worm", Level::Critical)];
    let feature = Feature {
        id: "ida".to_owned(),
        name: "Index".to_owned(),
        ..Feature::default()
    };
    let setting = setting(path);
    let mut parser = Parser::default();
    let mut tally = Tally { bytes: text.len() as u64, ..Tally::default() };
    let mut whole: Option<CasePart<'_>> = None;
    let mut offset = 0;
    let lines: Vec<&str> = text.lines().collect();
    for lines in lines.chunks(chunk) {
        let mut part = builder.part(&setting);
        let before = tally.lines;
        for text in lines {
            tally.lines += 1;
            let line = parser.line(text.as_bytes(), false);
            let record = match &line {
                Line::Record(record) => {
                    tally.records += 1;
                    part.record(record, 0);
                    Some(record)
                }
                Line::Rejected(_) => {
                    tally.rejected += 1;
                    None
                }
                _ => {
                    tally.directives += 1;
                    offset += text.len() as u64 + 1;
                    continue;
                }
            };
            for rule in rules.iter().filter(|r| text.contains(&r.name)) {
                part.hit(&Hit {
                    rule,
                    feature: Some(&feature),
                    record,
                    text: text.as_bytes(),
                    codepage: None,
                    line: tally.lines - before,
                    offset,
                    matched_on: &["request".to_owned()],
                    decoded_stem: b"",
                    decoded_query: b"",
                });
            }
            offset += text.len() as u64 + 1;
        }
        match &mut whole {
            Some(whole) => whole.append(part, before),
            None => whole = Some(part),
        }
    }
    let part = whole.unwrap_or_else(|| builder.part(&setting));
    builder.exhibit(&setting, tally, part);
}

/// Some exhibit, told by a number.
fn exhibit(seed: u64) -> (String, String) {
    let mut text = format!("{FIELDS}\n");
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for _ in 0..60 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let pick =
            |from: u64, n: u64| usize::try_from((state >> from) % n).unwrap();
        let host = ["WEB01", "WEB02", "-"][pick(3, 3)];
        let what = ["/a.htm", "/probe", "/worm.ida"][pick(9, 3)];
        let status = ["200", "404", "403", "-"][pick(13, 4)];
        let (second, client) = (pick(17, 60), pick(25, 5));
        let extra = if pick(31, 9) == 0 { " x" } else { "" };
        let _ = writeln!(
            text,
            "2001-07-19 13:00:{second:02} {host} W3SVC{} 192.0.2.{client} \
             GET {what} - {status} - 2{extra}",
            pick(35, 3)
        );
    }
    (format!("HOST{}/ex{seed}.log", seed % 3), text)
}

fn options() -> Options {
    Options { keep_hits: true, ..Options::default() }
}

fn run() -> Run {
    Run { version: "1".to_owned(), ..Run::default() }
}

fn case(seeds: &[u64], chunk: usize) -> (Case, Vec<u8>) {
    let builder = CaseBuilder::new(outcomes(), options(), run());
    for seed in seeds {
        let (path, text) = exhibit(*seed);
        scan(&builder, &path, &text, chunk);
        let warning = Warning::new(Kind::Odd, Raw::default(), "same");
        builder.warn(warning);
    }
    let (case, hits) = builder.finish();
    let mut lines = Vec::new();
    hits.write(&mut lines).unwrap();
    (case, lines)
}

fn outcomes() -> &'static Outcomes {
    static OUTCOMES: std::sync::OnceLock<Outcomes> =
        std::sync::OnceLock::new();
    let criterion = |(status, outcome): (f64, _)| Criterion {
        when: When {
            status: vec![Range { low: status, high: status }],
            ..When::default()
        },
        outcome,
        confidence: Confidence::Likely,
        reason: "by-status".to_owned(),
        text: "the status says so".to_owned(),
    };
    OUTCOMES.get_or_init(|| Outcomes {
        generic: [
            (200.0, Outcome::Succeeded),
            (403.0, Outcome::Denied),
            (404.0, Outcome::Absent),
        ]
        .map(criterion)
        .to_vec(),
        ..Outcomes::default()
    })
}

#[test]
fn chunks_and_order_do_not_matter() {
    let (whole, lines) = case(&[1, 2, 3], 1000);
    for chunk in [1, 2, 7, 13] {
        let (other, other_lines) = case(&[3, 1, 2], chunk);
        assert_eq!(whole.to_json().unwrap(), other.to_json().unwrap());
        assert_eq!(lines, other_lines);
    }
    assert!(whole.summary.hits > 50);
    assert_eq!(
        whole.summary.hits,
        lines.split(|b| *b == b'\n').count() as u64 - 1
    );
}

#[test]
fn joined_cases_equal_one_scan() {
    let all: Vec<u64> = (1..=9).collect();
    let (whole, whole_lines) = case(&all, 8);
    let whole = whole.to_json().unwrap();
    for mask in [0_u32, 1, 0b1_0101_0101, 0b1_1110_0000, 0b1_1111_1111] {
        let (a, b): (Vec<u64>, Vec<u64>) =
            all.iter().partition(|seed| mask >> (**seed - 1) & 1 == 1);
        let ((a, a_lines), (b, b_lines)) = (case(&a, 8), case(&b, 5));
        let ab = a.clone().merge(b.clone()).unwrap();
        assert_eq!(ab.to_json().unwrap(), whole);
        assert_eq!(b.merge(a).unwrap().to_json().unwrap(), whole);
        assert_eq!(
            Case::default().merge(ab).unwrap().to_json().unwrap(),
            whole
        );
        let mut joined = Vec::new();
        merge_hits(
            [&b_lines[..], &a_lines[..]],
            &Hits::default(),
            &mut joined,
        )
        .unwrap();
        assert_eq!(joined, whole_lines);
    }
    let each = all.iter().map(|seed| case(&[*seed], 3).0);
    assert_eq!(Case::merge_all(each).unwrap().to_json().unwrap(), whole);
}

#[test]
fn saved_and_loaded_is_the_same() {
    let (case, _) = case(&[4, 5], 6);
    let folder = std::env::temp_dir()
        .join(format!("iisleuth-case-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(FILE_NAME), case.to_json().unwrap()).unwrap();
    assert_eq!(Case::load(&folder).unwrap(), case);
    let top: serde_json::Value =
        serde_json::from_slice(&case.to_json().unwrap()).unwrap();
    assert_eq!(top["schema"], SCHEMA);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_same_exhibit_twice_is_refused() {
    let error = case(&[1, 2], 9).0.merge(case(&[2], 9).0).unwrap_err();
    assert!(error.is_case());
    assert_eq!(
        error.to_string(),
        "exhibit \"HOST2/ex2.log\" is in both cases"
    );
    let other = Case {
        run: Run { version: "2".to_owned(), ..run() },
        ..Case::default()
    };
    assert!(case(&[1], 9).0.merge(other).is_err());
}

#[test]
fn a_hit_is_one_line_with_its_keys_in_order() {
    let builder = CaseBuilder::new(outcomes(), options(), run());
    let text = format!(
        "{FIELDS}\n2001-07-19 13:00:01 W W3SVC2 192.0.2.1 GET /worm a=b 404 \
         2 1260\n/worm broken\n"
    );
    scan(&builder, "H/x.log", &text, 1);
    let (case, hits) = builder.finish();
    let mut lines = Vec::new();
    hits.write(&mut lines).unwrap();
    let head = FIELDS.len() + 1;
    let second = text.find("/worm broken").unwrap();
    let rule = "\"rule\":\"worm\",\"rule_id\":\"id-of-worm\",\"title\":\
        \"Title of worm\",\"level\":\"critical\",\"feature\":\"ida\",\
        \"advisories\":[\"MS01-033\"]";
    let expected = format!(
        "{{\"time\":\"2001-07-19T13:00:01Z\",\"host\":\"W\",\
         \"site\":\"W3SVC2\",\"client\":\"192.0.2.1\",{rule},\
         \"outcome\":\"absent\",\"confidence\":\"likely\",\
         \"reasons\":[{{\"code\":\"by-status\",\
         \"text\":\"the status says so (logged: 404.2, win32 1260)\"}}],\
         \"method\":\"GET\",\"uri_stem\":\"/worm\",\"uri_query\":\"a=b\",\
         \"status\":404,\"substatus\":2,\"win32_status\":1260,\
         \"matched_on\":[\"request\"],\"exhibit\":\"H/x.log\",\"line\":2,\
         \"offset\":{head}}}\n\
         {{\"host\":\"W\",\"site\":\"W3SVC1\",{rule},\"outcome\":\"unknown\",\
         \"confidence\":\"possible\",\
         \"reasons\":[{{\"code\":\"rejected-line\",\
         \"text\":\"the line does not fit its layout; the rule's text \
         stands in it\"}}],\
         \"matched_on\":[\"request\"],\"exhibit\":\"H/x.log\",\"line\":3,\
         \"offset\":{second},\"text\":\"/worm broken\"}}\n"
    );
    assert_eq!(String::from_utf8(lines).unwrap(), expected);
    let [finding] = &case.findings[..] else { panic!("one finding") };
    assert_eq!(finding.evidence[0].line, 3, "unknown is worse than absent");
    let status = finding.evidence[1].status.as_deref();
    assert_eq!(status, Some("404.2.1260"));
    assert_eq!((finding.clients, finding.worst), (1, Some(Outcome::Unknown)));
    assert_eq!(case.hosts[0].source, NameSource::SComputername);
    assert_eq!(case.features[0].hosts[0].exposure, Exposure::Absent);
    assert_eq!(case.summary.rejected, 1);
    assert!(case.clients[0].worm);
}

#[test]
fn rules_below_the_level_are_dropped() {
    let options = Options { min_level: Level::High, ..options() };
    let builder = CaseBuilder::new(outcomes(), options, run());
    let (path, text) = exhibit(7);
    scan(&builder, &path, &text, 4);
    let (case, _) = builder.finish();
    assert!(case.findings.iter().all(|f| f.rule == "worm"));
    assert!(case.summary.records > 0 && !case.findings.is_empty());
}
