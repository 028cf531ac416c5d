//! Tests of the rule reader: whole rules in and out, rules in the style of
//! the public collection, faults with their places, hostile files.

use std::time::{Duration, Instant};

use super::*;
use crate::signature::outcome::{Confidence, Outcome};
use crate::signature::rule::{Op, Part, Pattern};

const WHOLE: &str = r"title: Probe of an example mapping
id: 5b1c2e0e-5d8e-4d0b-9a3a-0f5f3f0c1a11
name: example-probe
status: stable
description: >-
  First line
  and second.
references:
  - https://example.com/a
author: The iisleuth authors
date: 2026-11-23
tags:
  - attack.t1190
  - cve.2001-0500
logsource:
  category: webserver
detection:
  selection:
    cs-uri-stem|endswith: '/default.ida'
    cs-uri-query|startswith: 'NNNN'
  filter_main_ours:
    c-ip|cidr: 192.0.2.0/24
  condition: selection and not 1 of filter_*
falsepositives:
  - None known
level: critical
iisleuth:
  feature: index-server-ida
  stage: exploit
  worm: true
  advisories:
    - MS01-033
  confirmed_by:
    - root-exe-backdoor
  outcome:
    - when:
        status: [200, 502]
        iis: '<=5'
      outcome: succeeded
      confidence: certain
      reason: cgi-program-ran
      text: the program was started and its output came back
  tests:
    software: Microsoft Internet Information Services 5.0
    fields: date time cs-method cs-uri-stem sc-status
    match:
      - line: '2001-07-19 13:01:02 GET /default.ida 200'
        outcome: reached
      - line: '2001-07-19 13:01:02 GET /default.ida'
        software: Microsoft Internet Information Services 6.0
        fields: date time cs-method cs-uri-stem
        outcome: unknown
    no_match:
      - line: '2001-07-19 13:01:02 GET /default.asp 200'
";

fn read(text: &str) -> Result<Vec<Loaded>, Vec<Diagnostic>> {
    read_rules(&Raw::from("rules/some-rule.yml"), text.as_bytes().into())
}

fn rule(text: &str) -> Rule {
    let mut loaded = read(text).expect(text);
    assert_eq!(loaded.len(), 1);
    match loaded.remove(0) {
        Loaded::Rule(rule) => *rule,
        other => panic!("{other:?}"),
    }
}

fn faults(text: &str) -> Vec<String> {
    let found = read(text).expect_err(text);
    let show =
        |d: &Diagnostic| format!("{}:{} {}", d.line, d.column, d.message);
    found.iter().map(show).collect()
}

/// A rule with this detection, whose first line is line 5.
fn with_detection(detection: &str) -> String {
    let head = "title: x\nlogsource:\n  category: webserver\ndetection:\n";
    format!("{head}{detection}")
}

fn t(test: usize) -> Expr {
    Expr::Test(test)
}

fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

#[test]
fn a_whole_rule() {
    let rule = rule(WHOLE);
    assert_eq!(rule.name, "example-probe");
    assert_eq!(rule.id.unwrap(), "5b1c2e0e-5d8e-4d0b-9a3a-0f5f3f0c1a11");
    assert_eq!(rule.title, "Probe of an example mapping");
    assert_eq!(rule.status.as_deref(), Some("stable"));
    assert_eq!(rule.level, Level::Critical);
    assert_eq!(rule.description, "First line and second.");
    assert_eq!(rule.references, ["https://example.com/a"]);
    assert_eq!(rule.tags, ["attack.t1190", "cve.2001-0500"]);
    assert_eq!(rule.false_positives, ["None known"]);
    assert_eq!(rule.file, Raw::from("rules/some-rule.yml"));
    let Detection { tests, expr, .. } = rule.detection;
    assert_eq!(tests.len(), 3);
    assert_eq!(tests[0].field.as_deref(), Some("cs-uri-stem"));
    assert!(matches!(tests[2].op, Op::Cidr(_)));
    let selection = Expr::All(vec![t(0), t(1)]);
    assert_eq!(expr, Expr::All(vec![selection, not(t(2))]));
}

#[test]
fn the_iisleuth_block() {
    let sleuth = rule(WHOLE).sleuth;
    assert_eq!(sleuth.feature.as_deref(), Some("index-server-ida"));
    assert_eq!(sleuth.stage, Some(Stage::Exploit));
    assert!(sleuth.worm);
    assert_eq!(sleuth.advisories, ["MS01-033"]);
    assert_eq!(sleuth.confirmed_by, ["root-exe-backdoor"]);
    assert_eq!(sleuth.outcome.len(), 1);
    assert_eq!(sleuth.outcome[0].outcome, Outcome::Succeeded);
    assert_eq!(sleuth.outcome[0].confidence, Confidence::Certain);
    let [first, second] = sleuth.tests.matching.as_slice() else { panic!() };
    assert!(first.software.ends_with("5.0"));
    assert_eq!(first.fields, "date time cs-method cs-uri-stem sc-status");
    assert_eq!(first.outcome.as_deref(), Some("reached"));
    assert_eq!(first.at, 47);
    assert!(second.software.ends_with("6.0"));
    assert_eq!(second.fields, "date time cs-method cs-uri-stem");
    assert_eq!(sleuth.tests.other[0].outcome, None);
}

#[test]
fn defaults() {
    let rule = rule(&with_detection("  a: x\n  condition: a\n"));
    assert_eq!(rule.name, "some-rule");
    assert_eq!(rule.level, Level::Medium);
    assert_eq!((rule.id, rule.status), (None, None));
    assert!(rule.sleuth.tests.matching.is_empty());
}

#[test]
fn names_come_from_files() {
    for (file, before, wanted) in [
        ("a/b/x.yml", 0, "x"),
        ("a\\x.yaml", 0, "x"),
        ("x.sigma", 0, "x.sigma"),
        ("x.yml", 2, "x-3"),
        ("", 0, ""),
    ] {
        assert_eq!(stem(&Raw::from(file), before), wanted);
    }
}

#[test]
fn rules_in_the_style_of_the_public_collection() {
    let cases = [
        // Keywords, one of which is enough, without those of a filter.
        (
            "  keywords:\n    - '=select '\n    - 'UNION(SELECT'\n  \
             filter:\n    sc-status: 404\n  \
             condition: keywords and not filter\n",
            Expr::All(vec![t(0), not(t(1))]),
        ),
        // Several texts in one field.
        (
            "  selection:\n    cs-method: GET\n    \
             cs-uri-query|contains|all:\n      - '/a/'\n      - '?b='\n    \
             sc-status:\n      - 200\n      - 301\n  condition: selection\n",
            Expr::All(vec![t(0), t(1), t(2)]),
        ),
        (
            "  sel_path:\n    cs-uri-stem|endswith: .aspx\n  sel_agent:\n    \
             cs-user-agent|startswith: 'curl/'\n  condition: 1 of sel*\n",
            Expr::Any(vec![t(0), t(1)]),
        ),
        (
            "  selection:\n    cs-uri-query|contains: '/owa/'\n  \
             filter_main_a:\n    cs-host: mail.example.com\n  \
             filter_main_b:\n    cs-referer: null\n  \
             condition: selection and not 1 of filter*\n",
            Expr::All(vec![t(0), not(Expr::Any(vec![t(1), t(2)]))]),
        ),
        // A list of maps.
        (
            "  selection:\n    - cs-uri-stem: /a\n      cs-method: PUT\n    \
             - cs-uri-stem: /b\n  condition: selection\n",
            Expr::Any(vec![Expr::All(vec![t(0), t(1)]), t(2)]),
        ),
        // Keywords that must all be there.
        (
            "  keywords:\n    '|all':\n      - '%24%7B'\n      - 'jndi'\n  \
             condition: keywords\n",
            t(0),
        ),
        (
            "  selection1:\n    cs-uri-query|re: 'a[0-9]{4}'\n    \
             cs-username: ''\n  selection2:\n    \
             sc-status: 500\n  condition: all of selection*\n",
            Expr::All(vec![Expr::All(vec![t(0), t(1)]), t(2)]),
        ),
        (
            "  a:\n    cs-uri-query: '*/x?y=\\*'\n  b:\n    sc-status: 200\n  \
             _c:\n    sc-status: 1\n  condition:\n    - all of them\n    \
             - not a\n",
            Expr::Any(vec![Expr::All(vec![t(0), t(1)]), not(t(0))]),
        ),
    ];
    for (text, wanted) in cases {
        let rule = rule(&with_detection(text));
        assert_eq!(rule.detection.expr, wanted, "{text}");
    }
}

#[test]
fn keywords_are_found_anywhere() {
    let text = "  k:\n    - a\n    - 12\n    - {host: y}\n  condition: k\n";
    let Detection { tests, expr, .. } = rule(&with_detection(text)).detection;
    assert_eq!(expr, Expr::Any(vec![t(0), t(1)]));
    assert_eq!(tests[0].field, None);
    let Op::Text { patterns, all: false } = &tests[0].op else { panic!() };
    let around = |text: &str| Pattern {
        parts: vec![Part::Any, Part::Text(text.into()), Part::Any],
        cased: false,
    };
    assert_eq!(patterns, &[around("a"), around("12")]);
}

#[test]
fn other_logsources_are_named() {
    let text = "title: a\nlogsource: {product: windows}\ndetection: {}\n---\n";
    let text = format!("{text}{}", with_detection("  a: x\n  condition: a\n"));
    let loaded = read(&text).unwrap();
    let Loaded::OtherLogsource { title } = &loaded[0] else { panic!() };
    assert_eq!(title, "a");
    let Loaded::Rule(rule) = &loaded[1] else { panic!() };
    assert_eq!(rule.name, "some-rule-2");
    for (source, web) in [
        ("category: proxy", true),
        ("product: iis", true),
        ("service: IIS", true),
        ("service: iis-configuration", false),
        ("{product: windows, category: webserver}", true),
        ("category: process_creation", false),
    ] {
        let source = source.trim_matches(['{', '}']);
        let text = with_detection("  a: x\n  condition: a\n")
            .replace("  category: webserver", &format!("  {{{source}}}"));
        let loaded = read(&text).unwrap();
        assert_eq!(matches!(loaded[0], Loaded::Rule(_)), web, "{source}");
    }
}

#[test]
fn faults_of_the_head() {
    let text = "id: 1234\nlevel: hihg\nstatus: new\ntags: [a, 1, {}]\n";
    assert_eq!(
        faults(text),
        [
            "1:1 the rule needs `logsource`",
            "1:1 the rule needs `title`",
            "1:1 the rule needs `detection`",
            "1:5 the id `1234` is no UUID",
            "2:8 `hihg` is no level",
            "3:9 `new` is no status",
            "4:14 `tags` holds texts, not a map",
        ]
    );
    let help = read(text).unwrap_err()[4].help.clone();
    assert_eq!(help.as_deref(), Some("did you mean `high`?"));
    assert_eq!(faults(""), ["1:1 the file holds no rule"]);
    assert_eq!(faults("# nothing\n---\n"), ["1:1 the file holds no rule"]);
    assert_eq!(faults("- a\n"), ["1:1 the rule must be a map, not a list"]);
    let text = "title: x\nlogsource: {}\ndetection: {a: b, condition: a}\n";
    assert!(faults(text)[0].starts_with("2:12 `logsource` needs"));
}

#[test]
fn other_documents_are_refused() {
    let cases = [
        ("title: x\ncorrelation: {}\n", "2:14 `correlation` needs `type`"),
        ("title: x\nfilter: {}\n", "1:1 the rule needs `logsource`"),
        ("action: global\n", "1:1 rule collections"),
    ];
    for (text, wanted) in cases {
        assert!(faults(text)[0].starts_with(wanted), "{text}");
    }
}

#[test]
fn faults_of_the_detection() {
    let cases = [
        ("  a: x\n", "5:3 `detection` needs `condition`"),
        ("  condition: a\n", "5:3 `detection` holds no search"),
        ("  a: x\n  condition: a and b\n", "6:20 no search has the name"),
        ("  a: x\n  condition: >\n    a\n    or b\n", "8:8 no search"),
        ("  a: x\n  condition: [a, 'a or']\n", "6:23 the condition ends"),
        ("  a: x\n  condition: a | count() > 1\n", "6:16 aggregations"),
        ("  a: x\n  condition: []\n", "6:14 the list of conditions"),
        ("  a: x\n  condition:\n    x: y\n", "7:5 a condition must be"),
        ("  a: {}\n  condition: a\n", "5:6 the search is empty"),
        ("  a: []\n  condition: a\n", "5:6 the search is empty"),
        ("  a: [b, null]\n  condition: a\n", "5:10 `null` may not"),
        ("  a: [b, [c]]\n  condition: a\n", "5:10 a value cannot be"),
        ("  a: x\n  timeframe: 5m\n  condition: a\n", "6:3 `timeframe`"),
        ("  a: {host|foo: y}\n  condition: a\n", "5:12 unknown modifier"),
        ("  a: {hots|foo: y}\n  condition: a\n", "5:7 unknown field `hots`"),
    ];
    for (text, wanted) in cases {
        let found = faults(&with_detection(text));
        assert!(found[0].starts_with(wanted), "{text}: {found:?}");
    }
}

#[test]
fn several_faults_are_told_at_once() {
    let text =
        "  a:\n    host|foo: y\n    date|re: '('\n  condition: a and b\n";
    let found = faults(&with_detection(text));
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn faults_of_the_iisleuth_block() {
    let head = with_detection("  a: x\n  condition: a\n");
    let text = "iisleuth:
  featur: x
  stage: exploits
  worm: yes
  advisories: [A, A]
  outcome:
    - outcome: reached
  tests:
    matches: []
    match:
      - line: 'a b'
        outcome: reached
      - fields: a b
        lines: x
    no_match:
      - line: c
        fields: d
        outcome: absent
";
    assert_eq!(
        faults(&format!("{head}{text}")),
        [
            "8:3 unknown key `featur` in `iisleuth`",
            "9:10 `exploits` is no stage",
            "10:9 `worm` must be `true` or `false`",
            "11:19 `A` stands twice",
            "13:7 an outcome needs `confidence`",
            "13:7 an outcome needs `reason`",
            "13:7 an outcome needs `text`",
            "15:5 unknown key `matches` in `tests`",
            "17:9 a test needs `fields`",
            "19:9 a test needs `line`",
            "19:9 a test needs `outcome`",
            "20:9 unknown key `lines` in a test",
            "24:9 a line that must not match has no outcome",
        ]
    );
}

/// Lines with the numbers below 9000.
fn repeat(line: impl Fn(usize) -> String) -> String {
    (0..9000).map(line).collect::<Vec<_>>().concat()
}

#[test]
fn hostile_files_end_soon() {
    let parens = "(".repeat(10_000);
    let condition = format!("  a: x\n  condition: '{parens}'\n");
    let searches = repeat(|n| format!("  s{n}: x\n"));
    let many = "1 of s* or ".repeat(50_000) + "s1";
    let keywords = format!("  a: [{}]\n  condition: a\n", "x,".repeat(9000));
    let regexes = repeat(|n| format!("    f{n}|re: 'a{{900}}'\n"));
    let modifiers = repeat(|n| format!("    f{n}|contain{n}: a\n"));
    let dashes = "    - ' -a -b -c -d'\n".repeat(9000);
    let files = [
        with_detection(&condition),
        with_detection(&format!("{searches}  condition: {many}\n")),
        with_detection(&keywords),
        with_detection(&format!("  a:\n{regexes}  condition: a\n")),
        with_detection(&format!(
            "  a:\n   x|windash:\n{dashes}  condition: a\n"
        )),
        with_detection(&format!("  a: '{}'\n", "?".repeat(1 << 19))),
        with_detection(&format!(
            "{searches}  condition: [{}]\n",
            "nobody,".repeat(9000)
        )),
        with_detection(&format!("  a:\n{modifiers}  condition: a\n")),
        with_detection(&format!(
            "  a:\n    {}: [{}]\n",
            "x".repeat(1 << 19),
            "'',".repeat(9000)
        )),
        with_detection(&format!("  a: [{}]\n", "{x|y: z}, ".repeat(9000))),
        "[".repeat(1 << 20),
        "a: ".repeat(1 << 18),
        "x".repeat(10 << 20),
    ];
    for file in files {
        let start = Instant::now();
        let found = read(&file).map_or_else(|found| found.len(), |_| 0);
        let head: String = file.chars().take(90).collect();
        assert!(found <= 21, "{head}");
        assert!(start.elapsed() < Duration::from_secs(1), "{head}");
    }
}

#[test]
fn damaged_rules_never_panic() {
    let text = WHOLE.as_bytes();
    let mut seed = 1_u64;
    for _ in 0..3000 {
        let mut damaged = text.to_vec();
        for _ in 0..4 {
            seed =
                seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = usize::try_from(seed >> 33).unwrap() % damaged.len();
            let signs = b"[]{}:-'\"\\|&*#%\n\t ?!>(\xff";
            let sign =
                signs[usize::try_from(seed >> 20).unwrap() % signs.len()];
            match seed & 3 {
                0 => damaged[at] = sign,
                1 => damaged.insert(at, sign),
                2 => drop(damaged.remove(at)),
                _ => damaged.truncate(at.max(9)),
            }
        }
        for diagnostic in
            read_rules(&Raw::from("x.yml"), damaged.as_slice().into())
                .err()
                .unwrap_or_default()
        {
            assert!(diagnostic.line > 0 && diagnostic.column > 0);
            assert!(diagnostic.render().len() >= 2);
        }
    }
}
