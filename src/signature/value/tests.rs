//! Tests of `value.rs`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::raw::Raw;
use crate::signature::diagnostic::Diagnostic;
use crate::signature::modifier::{LESS, MORE, SAME};
use crate::signature::rule::{Part, Pattern};
use crate::signature::variant::{offsets, parts};
use crate::signature::yaml;

type Read = Result<(Expr, Vec<Test>), Vec<Diagnostic>>;

fn read(text: &str) -> Read {
    let file = Raw::from("a.yml");
    let (mut faults, documents) = yaml::parse(&file, text.as_bytes().into());
    let mut budget = Budget::default();
    let mut tests = Tests::new(&mut faults, &mut budget);
    let mut exprs = Vec::new();
    for document in &documents {
        let Value::Map(entries) = &document.value else { continue };
        for (key, value) in entries {
            exprs.push(tests.entry(key, value));
        }
    }
    let list = tests.list;
    faults.finish((all(exprs), list))
}

fn ok(text: &str) -> (Expr, Vec<Test>) {
    read(text).unwrap()
}

/// The only test of a line.
fn op(text: &str) -> Op {
    let (expr, mut tests) = ok(text);
    assert_eq!(expr, Expr::Test(0), "{text}");
    assert_eq!(tests.len(), 1, "{text}");
    tests.remove(0).op
}

/// Patterns in a readable form: `<any>` and `<one>` for wildcards.
fn shown(op: &Op) -> Vec<String> {
    let Op::Text { patterns, .. } = op else { panic!("{op:?}") };
    let part = |part: &Part| match part {
        Part::Any => "<any>".to_owned(),
        Part::One => "<one>".to_owned(),
        Part::Text(bytes) => bytes.escape_ascii().to_string(),
    };
    let pattern = |p: &Pattern| p.parts.iter().map(part).collect();
    patterns.iter().map(pattern).collect()
}

fn fault(text: &str) -> (usize, usize, String) {
    let mut found = read(text).expect_err(text);
    let first = found.remove(0);
    (first.line, first.column, first.message)
}

fn t(text: &str) -> Part {
    Part::Text(text.as_bytes().to_vec())
}

#[test]
fn escapes() {
    let cases: [(&str, Vec<Part>); 18] = [
        ("abc", vec![t("abc")]),
        ("a*c", vec![t("a"), Part::Any, t("c")]),
        ("a?c", vec![t("a"), Part::One, t("c")]),
        (r"a\*c", vec![t("a*c")]),
        (r"a\?c", vec![t("a?c")]),
        (r"a\\*", vec![t(r"a\"), Part::Any]),
        (r"a\\\*", vec![t(r"a\*")]),
        (r"a\b", vec![t(r"a\b")]),
        (r"a\\b", vec![t(r"a\b")]),
        (r"a\\\b", vec![t(r"a\\b")]),
        (r"a\\\\b", vec![t(r"a\\b")]),
        (r"a\", vec![t(r"a\")]),
        (r"\", vec![t(r"\")]),
        ("**", vec![Part::Any]),
        ("*a**b*", vec![Part::Any, t("a"), Part::Any, t("b"), Part::Any]),
        ("??", vec![Part::One, Part::One]),
        ("é*", vec![t("é"), Part::Any]),
        ("", vec![]),
    ];
    for (text, wanted) in cases {
        assert_eq!(parts(text), wanted, "{text}");
    }
}

#[test]
fn places() {
    let cases = [
        ("cs-uri-stem: a", "a"),
        ("x|contains: a", "<any>a<any>"),
        ("x|startswith: a", "a<any>"),
        ("x|endswith: a", "<any>a"),
        ("x|contains: '*a*'", "<any>a<any>"),
        ("x|contains: 200", "<any>200<any>"),
        ("x: 007", "007"),
        ("x: 0x1f", "0x1f"),
        ("x: true", "true"),
        ("x: 5.10", "5.10"),
        ("x: 2001-07-19", "2001-07-19"),
        ("'|contains': a", "<any>a<any>"),
    ];
    for (text, wanted) in cases {
        assert_eq!(shown(&op(text)), [wanted], "{text}");
    }
}

#[test]
fn lists_and_all() {
    let any = op("x: [a, 2, null_]");
    assert!(matches!(any, Op::Text { all: false, .. }));
    assert_eq!(shown(&any), ["a", "2", "null_"]);
    let all = op("x|contains|all: [a, b]");
    assert!(matches!(all, Op::Text { all: true, .. }));
    let one = op("x|contains|all: a");
    assert!(matches!(one, Op::Text { all: false, .. }));
    let (_, tests) = ok("'|all': [a, b]");
    assert_eq!(tests[0].field, None);
    assert!(matches!(tests[0].op, Op::Text { all: true, .. }));
    assert_eq!(shown(&tests[0].op), ["<any>a<any>", "<any>b<any>"]);
}

#[test]
fn fields_are_lower_case() {
    assert_eq!(ok("CS-Uri-Query: a").1[0].field.as_deref(), {
        Some("cs-uri-query")
    });
}

#[test]
fn nothing() {
    assert!(matches!(op("x: null"), Op::Null));
    assert!(matches!(op("x:"), Op::Null));
    assert!(matches!(op("x: ''"), Op::Null));
    let (expr, tests) = ok("x: ['', a]");
    assert_eq!(expr, any(vec![Expr::Test(0), Expr::Test(1)]));
    assert!(matches!(tests[0].op, Op::Null));
    let (expr, _) = ok("x|neq: null");
    assert_eq!(expr, Expr::Not(Box::new(Expr::Test(0))));
    assert_eq!(fault("x: [a, null]").1, 8);
    assert_eq!(fault("x|contains: null").1, 1);
    assert!(fault("x|contains: ''").2.contains("everywhere"));
    assert!(fault("'|all': ['']").2.contains("everywhere"));
}

#[test]
fn regexes() {
    let matches = |text: &str, hay: &[u8]| {
        let Op::Regex { regexes, .. } = op(text) else { panic!() };
        regexes[0].is_match(hay)
    };
    assert!(matches("x|re: 'a\\d+b'", b"xa12b"));
    assert!(!matches("x|re: 'ab'", b"AB"));
    assert!(matches("x|re|i: 'ab'", b"AB"));
    assert!(matches("x|re|m: '^b'", b"a\nb"));
    assert!(matches("x|re|s: 'a.b'", b"a\nb"));
    assert!(!matches("x|re: 'a.b'", b"a\nb"));
    assert!(matches("x|re|i|s: 'a.B'", b"A\nb"));
    assert!(matches("x|re|ignorecase: 'a/B'", b"A/b"));
    assert!(matches("x|re: 'a.b'", b"a\xffb"));
    assert!(matches("x|re: '[é]'", "é".as_bytes()));
    let all = op("x|re|all: [a, b]");
    assert!(matches!(all, Op::Regex { all: true, .. }));
}

#[test]
fn regex_faults() {
    let cases = [
        ("x|re: 'ab(?=c)'", 10, "look-around"),
        ("x|re: '(a)\\1'", 11, "backreferences"),
        ("x|re: 'a''b(c'", 12, "unclosed group"),
        ("x|re: 'a{2000}{2000}'", 8, "larger than"),
        ("x|re: ''", 8, "everywhere"),
        ("x|re: null", 1, "`null`"),
    ];
    for (text, column, message) in cases {
        let found = fault(text);
        assert!(found.2.contains(message), "{text}: {found:?}");
        assert_eq!(found.1, column, "{text}: {found:?}");
    }
}

#[test]
fn networks() {
    let Op::Cidr(networks) =
        op("x|cidr: [10.0.0.0/8, '2001:db8::/32', 192.0.2.1]")
    else {
        panic!()
    };
    let prefixes: Vec<_> = networks.iter().map(|n| n.prefix).collect();
    assert_eq!(prefixes, [8, 32, 32]);
    let (expr, _) = ok("x|cidr|all: [10.0.0.0/8, 10.1.0.0/16]");
    assert_eq!(expr, all(vec![Expr::Test(0), Expr::Test(1)]));
    ok("x|cidr: 0.0.0.0/0");
    ok("x|cidr: '::/0'");
    for wrong in
        ["a", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/+8", "10.0.0.0/", "1"]
    {
        let found = fault(&format!("x|cidr: '{wrong}'"));
        assert_eq!(found.1, 10, "{found:?}");
    }
}

#[test]
fn comparisons() {
    let accept = |text| {
        let Op::Compare(list) = op(text) else { panic!() };
        assert!((list[0].number - 5.0).abs() < 1e-9);
        list[0].accept
    };
    assert_eq!(accept("x|lt: 5"), [LESS, None]);
    assert_eq!(accept("x|lte: 5"), [LESS, SAME]);
    assert_eq!(accept("x|gt: 5.0"), [MORE, None]);
    assert_eq!(accept("x|gte: 5"), [MORE, SAME]);
    let (expr, tests) = ok("x|neq: [200, 404]");
    assert_eq!(expr, Expr::Not(Box::new(Expr::Test(0))));
    assert_eq!(shown(&tests[0].op), ["200", "404"]);
    assert_eq!(fault("x|lt: five").1, 7);
    assert_eq!(fault("x|lt: .nan").1, 7);
}

#[test]
fn other_kinds() {
    assert!(matches!(op("x|exists: true"), Op::Exists(true)));
    assert!(matches!(op("x|exists: false"), Op::Exists(false)));
    let Op::FieldRef { other, how } = op("x|fieldref|endswith: Y") else {
        panic!()
    };
    assert_eq!((other.as_str(), how), ("y", How::EndsWith));
    assert!(matches!(
        op("x|fieldref: y"),
        Op::FieldRef { how: How::Equals, .. }
    ));
    let (expr, _) = ok("x|fieldref|neq: y");
    assert!(matches!(expr, Expr::Not(_)));
    let Op::Text { patterns, .. } = op("x|contains|cased: A") else {
        panic!()
    };
    assert!(patterns[0].cased);
}

#[test]
fn encodings() {
    let cases: [(&str, &[&str]); 8] = [
        ("x|base64: foo", &["Zm9v"]),
        ("x|base64|contains: fo", &["<any>Zm8=<any>"]),
        ("x|wide: ab", &[r"a\x00b\x00"]),
        ("x|utf16le: a", &[r"a\x00"]),
        ("x|utf16be: a", &[r"\x00a"]),
        ("x|utf16: a", &[r"\xff\xfea\x00"]),
        ("x|wide|base64: fo", &["ZgBvAA=="]),
        (
            "x|base64offset|contains: foobar",
            &["<any>Zm9vYmFy<any>", "<any>Zvb2Jhc<any>", "<any>mb29iYX<any>"],
        ),
    ];
    for (text, wanted) in cases {
        assert_eq!(shown(&op(text)), wanted, "{text}");
    }
    let (expr, tests) = ok("x|base64offset|contains|all: [foo, bar]");
    assert_eq!(expr, all(vec![Expr::Test(0), Expr::Test(1)]));
    assert!(matches!(tests[0].op, Op::Text { all: false, .. }));
}

#[test]
fn offsets_hold_wherever_the_value_stands() {
    let value = b"Get-Item";
    let variants = offsets(value).unwrap();
    for before in 0..7 {
        for after in 0..4 {
            let text = [vec![b'#'; before], value.to_vec(), vec![b'%'; after]];
            let code = STANDARD.encode(text.concat());
            let found = variants.iter().any(|parts| {
                let Part::Text(part) = &parts[0] else { return false };
                let part = std::str::from_utf8(part).unwrap();
                code.contains(part)
            });
            assert!(found, "{before} {after}");
        }
    }
}

#[test]
fn dashes_vary() {
    let wanted = ["-enc", "/enc", "–enc", "—enc", "―enc"];
    let wanted: Vec<_> = wanted
        .iter()
        .map(|text| text.as_bytes().escape_ascii().to_string())
        .collect();
    assert_eq!(shown(&op("x|windash: -enc")), wanted);
    let two = op("x|windash|contains: ' /a -b'");
    assert_eq!(shown(&two).len(), 25);
    assert_eq!(shown(&op("x|contains|windash: a-b")), ["<any>a-b<any>"]);
    let (_, tests) = ok("x|contains|all|windash: [' -a', ' -b']");
    assert_eq!(tests.len(), 2);
    let found = fault("x|windash: ' -a -b -c -d -e'");
    assert_eq!(found.1, 26, "{found:?}");
}

#[test]
fn modifiers_that_do_not_fit() {
    let cases = [
        ("x|contain: a", 3, "unknown modifier `contain`"),
        ("x|: a", 3, "unknown modifier ``"),
        ("x|Contains: a", 3, "unknown modifier"),
        ("x|expand: '%a%'", 3, "`expand` is not supported"),
        ("x|hour: 3", 3, "`hour` is not supported"),
        ("x|re|contains: a", 6, "`contains` fits texts"),
        ("x|contains|re: a", 3, "`contains` fits texts"),
        ("x|contains|startswith: a", 12, "cannot go with"),
        ("x|contains|contains: a", 12, "stands twice"),
        ("x|contains|base64: a", 12, "must stand before `contains`"),
        ("x|base64|wide: a", 10, "must stand before base64"),
        ("x|wide|utf16be: a", 8, "second encoding"),
        ("x|base64|windash: a", 10, "before the encodings"),
        ("x|base64: 'a*'", 12, "wildcards cannot be encoded"),
        ("x|base64offset: abc", 1, "finds parts"),
        ("x|base64offset|contains: a", 26, "too short"),
        ("x|i: a", 3, "`i` must follow `re`"),
        ("x|i|re: a", 3, "`i` must follow `re`"),
        ("x|cidr|re: a", 8, "cannot go with `cidr`"),
        ("x|gte|lt: 5", 7, "cannot go with `gte`"),
        ("x|re|cased: a", 6, "fits texts only"),
        ("x|exists|all: true", 10, "means nothing"),
        ("x|exists: yes", 11, "`true` or `false`"),
        ("x|lt|neq: 5", 6, "means nothing"),
        ("'|cidr': 10.0.0.0/8", 3, "needs a field"),
        ("'|endswith': a", 3, "needs a field"),
        ("x: {y: z}", 4, "cannot be a map"),
        ("x: [[y]]", 5, "cannot be a list"),
        ("x: []", 4, "empty"),
    ];
    for (text, column, message) in cases {
        let found = fault(text);
        assert!(found.2.contains(message), "{text}: {found:?}");
        assert_eq!((found.0, found.1), (1, column), "{text}: {found:?}");
    }
    let help = read("x|contain: a").unwrap_err()[0].help.clone();
    assert_eq!(help.as_deref(), Some("did you mean `contains`?"));
}

#[test]
fn growth_is_bounded() {
    let value = format!(" -a -b -c -d{}", "x".repeat(100_000));
    let found = fault(&format!("x|windash: '{value}'"));
    assert!(found.2.contains("too large"), "{found:?}");
    let line = |n| format!("f{n}|re: 'a{{20000}}'\n");
    let many = (0..20).map(line).collect::<Vec<_>>().concat();
    let found = fault(&many);
    assert!(found.2.contains("too many large"), "{found:?}");
    assert_eq!(found.0, LARGE_REGEXES + 1);
}
