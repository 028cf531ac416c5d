//! Each finding once, with its place, and what must not be found.

use super::*;
use crate::signature::documents::RuleFile;

const USER: Ask = Ask { embedded: false, strict: false };

/// Findings as `line:column code: message`, without those about tests.
fn found(text: &str, ask: Ask) -> Vec<String> {
    let file = RuleFile {
        name: Raw::from("a.yml"),
        bytes: Cow::Owned(text.as_bytes().to_vec()),
        events: &[],
    };
    let text = Text::from(&file.bytes[..]);
    if let Err(faults) = read_rules(&file.name, text) {
        panic!("{faults:#?}");
    }
    let lints = lint_file(&file, ask);
    let lints = lints.iter().filter(|it| it.code != "few-tests");
    lints
        .map(|it| {
            let fault = &it.fault;
            let (line, column) = (fault.line, fault.column);
            format!("{line}:{column} {}: {}", it.code, fault.message)
        })
        .collect()
}

/// The findings of one search; its keys begin in line 5, column 5.
fn of(search: &str, ask: Ask) -> Vec<String> {
    let head = "title: t\nlogsource: {category: webserver}\ndetection:\n";
    let search = search.replace('\n', "\n    ");
    let text = format!("{head}  a:\n    {search}\n  condition: a\n");
    found(&text, ask)
}

const DEAD: &[(&str, &str)] = &[
    ("sc-status: 2OO", "5:17 dead-literal: `sc-status` holds digits alone"),
    ("sc-status: 4044", "5:16 dead-literal: a status has three digits"),
    ("c-ip: 10.0.0.0/8", "5:19 dead-literal: `c-ip` is an address"),
    (
        "cs-method: 'GET /'",
        "5:21 dead-literal: `cs-method` is a token of letters and digits",
    ),
    (
        "cs-version|cased: http/1.1",
        "5:23 dead-literal: `cs-version` is `HTTP/` and a number",
    ),
    (
        "cs-host|contains: example.com/a",
        "5:34 dead-literal: `cs-host` is a name or address, with a port \
             perhaps",
    ),
    ("date: '#Date'", "5:12 dead-literal: `date` is a day like `2001-07-19`"),
    (
        "cs-uri-stem|endswith: .asp?",
        "5:31 dead-literal: a path ends before its `?`",
    ),
    ("cs-uri-stem: default.ida", "5:18 dead-literal: a path begins with `/`"),
    (
        "c-uri-extension: .asp",
        "5:22 dead-literal: an extension is what follows the last dot of \
             a path",
    ),
    (
        "cs-uri-query|startswith: '?a='",
        "5:31 dead-literal: a query is logged without its `?`",
    ),
    (
        "cs-username: '-'",
        "5:19 dead-literal: `-` stands for no value, and nothing equals \
             that",
    ),
    (
        "cs-user-agent|contains: \"a\\tb\"",
        "5:33 dead-literal: a column never holds a control character",
    ),
    (
        "cs-uri-stem|gte: 5",
        "5:5 dead-literal: `cs-uri-stem` never holds a number",
    ),
    (
        "sc-status|cidr: 10.0.0.0/8",
        "5:5 dead-literal: `sc-status` never holds an address",
    ),
    (
        "cs-uri-query|contains: '*'",
        "5:28 bare-wildcard: `*` matches every value there is",
    ),
];

#[test]
fn dead_literals() {
    for (search, finding) in DEAD {
        assert_eq!(of(search, USER), [*finding], "{search}");
    }
}

#[test]
fn literals_that_live() {
    let cases = [
        "sc-status: [200, 4*]",
        "sc-status|startswith: 40",
        "c-ip: 2001:db8::1",
        "cs-method: [GET, M-SEARCH]",
        "cs-version: http/1.1",
        "cs-host: 'example.com:8080'",
        "cs-uri-stem|contains: ['/ex??.log', '\\?~1', '.asp\\?.htr']",
        "cs-uri-stem: '...'",
        "cs-uri-stem|contains: ['<!doctype ', '<!doctype+']",
        "cs-uri-stem: ['/a', '*.ida', 'http://x', '\\*']",
        "cs-uri-stem|contains: [\"%0a\", \"a\\tb\", '#', 'a b']",
        "cs-uri-query|contains: ['?a=', '/a.asp?b=', \"a\\nb\", '#']",
        "cs-uri-query|startswith: '/a.asp?b'",
        "cs-user-agent|contains: 'a b'",
        "cs-username: null",
        "cs-username: '*'",
        "cs-host|cidr: 10.0.0.0/8",
        "cs-uri-query|base64offset|contains: 'a b'",
    ];
    for search in cases {
        assert_eq!(of(search, USER), [""; 0], "{search}");
    }
}

#[test]
fn the_logged_columns_alone_hold_less() {
    let strict = Ask { strict: true, ..USER };
    let path = "5:30 dead-literal: the logged query does not hold the path";
    assert_eq!(of("cs-uri-query|startswith: '/a'", strict).len(), 1);
    assert_eq!(
        of("cs-uri-query|startswith: /a.asp?b=", strict),
        [path.to_owned()]
    );
    assert_eq!(
        of("cs-uri-query|contains: /a.asp?b=", strict),
        [path.replace("5:30", "5:28")]
    );
    assert_eq!(of("cs-uri-query|contains: ../etc/passwd", strict), [""; 0]);
    assert_eq!(
        of("cs-user-agent|contains: a b", strict),
        ["5:31 dead-literal: a column never holds a blank: IIS writes `+`"]
    );
}

#[test]
fn shadowed_literals() {
    let one = |text: &str| of(&format!("cs-uri-stem|{text}"), USER);
    assert_eq!(
        one("contains: ['/A/b', '/a', 'x']"),
        ["5:28 shadowed-literal: `/A/b` adds nothing: `/a` matches all of it"]
    );
    assert_eq!(
        one("contains|all: ['/a/b', '/a']"),
        ["5:40 shadowed-literal: `/a` is asked for by `/a/b` already"]
    );
    assert_eq!(one("contains|cased: ['/A/b', '/a']"), [""; 0]);
    assert_eq!(one("endswith: ['/a.asp', '.asp']").len(), 1);
    assert_eq!(one("endswith: ['/a.aspx', '.asp']"), [""; 0]);
    assert_eq!(one("startswith: ['/a/b', '/a/']").len(), 1);
    assert_eq!(
        one("contains: ['/a', '/a', '/A']"),
        [
            "5:34 shadowed-literal: `/a` adds nothing: `/a` matches all of it",
            "5:40 shadowed-literal: `/A` adds nothing: `/a` matches all of it",
        ]
    );
    // Wildcards: `a?c` is in `a*c`, not the other way.
    assert_eq!(one("contains: ['/a?c', '/a*c']").len(), 1);
    assert_eq!(
        one("contains: ['/a*c', '/a?cc', '/b*']"),
        [
            "5:36 shadowed-literal: `/a?cc` adds nothing: `/a*c` matches all of \
         it"
        ]
    );
}

#[test]
fn unused_searches() {
    let text = |condition: &str| {
        format!(
            "title: t\nlogsource: {{category: webserver}}\ndetection:\n  \
             a: [abcd]\n  b_1: [efgh]\n  b_2: [ijkl]\n  _c: [mnop]\n  \
             condition: {condition}\n"
        )
    };
    let unused = |condition: &str| -> Vec<String> {
        let found = found(&text(condition), USER);
        let name = |it: &String| it.split('`').nth(1).map(str::to_owned);
        found.iter().filter_map(name).collect()
    };
    assert_eq!(unused("a and not 1 of b_*"), ["_c"]);
    assert_eq!(unused("all of them"), ["_c"]);
    assert_eq!(unused("(a)or(b_1 or 1 of _*)"), ["b_2"]);
    assert_eq!(unused("[a, b_1, _c]"), ["b_2"]);
    assert_eq!(
        found(&text("1 of b*"), USER).first().unwrap(),
        "4:3 unused-search: no condition asks for `a`"
    );
}

#[test]
fn heads_and_tests() {
    let rule = "\
title: t
levle: high
logsource: {category: webserver}
detection:
  a: [abcd]
  condition: a
iisleuth:
  tests:
    fields: cs-uri-stem
    match:
      - {line: /abcd, outcome: reached}
      - {line: /abcd, outcome: absent}
    no_match:
      - line: /abcd
";
    let file = |text: &str| RuleFile {
        name: Raw::from("a.yml"),
        bytes: Cow::Owned(text.as_bytes().to_vec()),
        events: &[],
    };
    let lints = |ask| -> Vec<String> {
        let lints = lint_file(&file(rule), ask);
        let show = |it: &Lint| {
            let (severity, fault) = (it.severity.as_str(), &it.fault);
            format!("{severity} {}:{} {}", fault.line, fault.column, it.code)
        };
        lints.iter().map(show).collect()
    };
    let user = [
        "warning 2:1 unknown-key",
        "warning 8:3 few-tests",
        "warning 12:16 duplicate-test",
        "error 14:15 duplicate-test",
    ];
    assert_eq!(lints(USER), user);
    let own = lints(Ask { embedded: true, strict: false });
    assert!(own.contains(&"error 8:3 few-tests".to_owned()), "{own:?}");
    let missing = own.iter().filter(|it| it.ends_with("missing-key"));
    // All but the title, and the stage.
    assert_eq!(missing.count(), 11, "{own:?}");
}

#[test]
fn a_finding_is_shown_like_a_fault() {
    let lints = lint_file(
        &RuleFile {
            name: Raw::from("a.yml"),
            bytes: Cow::Borrowed(
                b"title: t\nlogsource: {category: webserver}\ndetection:\n  \
                  a:\n    sc-status: x\n  condition: a\n",
            ),
            events: &[],
        },
        USER,
    );
    let lint = lints.iter().find(|it| it.code == "dead-literal").unwrap();
    assert_eq!(
        lint.render(),
        [
            "warning[dead-literal]: `sc-status` holds digits alone",
            " --> a.yml:5:16",
            "5 |     sc-status: x",
            "  |                ^",
            "help: write a number",
        ]
    );
}

#[test]
fn the_rules_of_the_program_are_clean() {
    let lints = lint(&[], false);
    let shown: Vec<String> =
        lints.iter().map(|it| it.render().join("\n")).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n\n"));
}
