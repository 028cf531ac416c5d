//! Tests of `yaml.rs`.

use std::time::{Duration, Instant};

use super::*;

fn one(text: &str) -> Node {
    let file = Raw::from("a.yml");
    let (faults, mut documents) = parse(&file, text.as_bytes().into());
    assert_eq!(faults.finish(()), Ok(()));
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

fn faults(text: &[u8]) -> Vec<(usize, usize, String)> {
    let file = Raw::from("a.yml");
    let (faults, _) = parse(&file, text.into());
    let found = faults.finish(()).unwrap_err();
    found.into_iter().map(|d| (d.line, d.column, d.message)).collect()
}

fn value(text: &str) -> Value {
    one(&format!("- {text}\n")).list()[0].value.clone()
}

impl Node {
    fn list(&self) -> &[Node] {
        let Value::List(items) = &self.value else { panic!("no list") };
        items
    }

    fn map(&self) -> &[Entry] {
        let Value::Map(entries) = &self.value else { panic!("no map") };
        entries
    }
}

#[test]
fn resolves_plain_scalars_as_the_core_schema() {
    for text in ["null", "~", "", "NULL"] {
        assert_eq!(value(text), Value::Null, "{text}");
    }
    assert_eq!(value("true"), Value::Bool(true));
    assert_eq!(value("0x1F"), Value::Int(31));
    assert_eq!(value("0o17"), Value::Int(15));
    assert_eq!(value("007"), Value::Int(7));
    assert_eq!(value("-12"), Value::Int(-12));
    assert_eq!(value("5.1"), Value::Float(5.1));
    assert_eq!(value("-.inf"), Value::Float(f64::NEG_INFINITY));
    assert_eq!(value("1e3"), Value::Float(1e3));
    assert!(matches!(value("9223372036854775808"), Value::Float(_)));
    for text in ["2001-07-19", "yes", "1.2.3.4", "nan", "inf", "0x", "5,1"] {
        assert_eq!(value(text), Value::Text(text.to_owned()));
    }
    assert_eq!(value("'200'"), Value::Text("200".to_owned()));
    assert_eq!(value("\"null\""), Value::Text("null".to_owned()));
}

#[test]
fn keeps_the_spelling() {
    let node = one("- 007\n- 0x10\n- true\n- '1'\n- null\n");
    let texts: Vec<_> = node.list().iter().map(Node::text).collect();
    let wanted = [Some("007"), Some("0x10"), Some("true"), Some("1"), None];
    assert_eq!(texts, wanted);
}

#[test]
fn knows_places() {
    let node = one("\u{feff}a: 1\nbé: {c: d}\r\ne:\r\n  - f\n  -  g: h\n");
    let map = node.map();
    assert_eq!((node.line, node.column), (1, 1));
    assert_eq!((map[1].0.line, map[1].0.column), (2, 1));
    assert_eq!((map[1].1.line, map[1].1.column), (2, 5));
    let items = map[2].1.list();
    assert_eq!((items[0].line, items[0].column), (4, 5));
    assert_eq!((items[1].line, items[1].column), (5, 6));
}

#[test]
fn finds_places_inside_scalars() {
    let cases = [
        ("a: one two\n", 4, 1, 8),
        ("a: 'it''s two'\n", 5, 1, 11),
        ("a: \"x\\x41 two\"\n", 3, 1, 11),
        ("a: \"x\\n two\"\n", 2, 1, 9),
        ("a: |\n  one\n  two\n", 4, 3, 3),
        ("a: >- # c\n\n  one\n  two three\n", 8, 4, 7),
        ("a: one\n  two\n", 4, 2, 3),
    ];
    for (text, offset, line, column) in cases {
        let file = Raw::from("a.yml");
        let (faults, documents) = parse(&file, text.as_bytes().into());
        let node = &documents[0].map()[0].1;
        let at = faults.inside(node, offset);
        assert_eq!(at, Position { line, column }, "{text}");
    }
}

#[test]
fn refuses_what_yaml_can_do_too_much() {
    let cases: [(&[u8], usize, usize, &str); 13] = [
        (b"a: &x 1\n", 1, 4, "anchors"),
        (b"a: 1\nb: *x\n", 2, 4, "unknown anchor"),
        (b"a: &x [1]\nb: *x\n", 1, 4, "anchors"),
        (b"a: !!str 1\n", 1, 4, "tags"),
        (b"a: !x {b: c}\n", 1, 4, "tags"),
        (b"a: 1\nb: 2\na: 3\n", 3, 1, "`a` stands twice"),
        (b"a:\n  b: 1\n  'b': 3\n", 3, 3, "`b` stands twice"),
        (b"[a]: 1\n", 1, 1, "cannot be a key"),
        (b": 1\n", 1, 1, "key is missing"),
        (b"a: 1\nb: \xff\n", 2, 4, "not UTF-8"),
        (b"a: 1\n\xc3\xa9: \x1b[0m\n", 2, 4, "U+001B"),
        (b"a: 1\nb: \"x\n", 2, 4, "YAML"),
        (b"a: \x00\n", 1, 4, "U+0000"),
    ];
    for (text, line, column, message) in cases {
        let shown = String::from_utf8_lossy(text);
        let found = faults(text);
        assert!(found[0].2.contains(message), "{shown}: {found:?}");
        assert_eq!((found[0].0, found[0].1), (line, column), "{shown}");
    }
}

#[test]
fn refuses_bombs_quickly() {
    let start = Instant::now();
    let mut laughs = String::from("a: &a [x,x,x,x,x,x,x,x,x]\n");
    laughs.push_str(&"b: &b [*a,*a,*a,*a]\n".repeat(25));
    let wide = format!("a: [{}]\n", "x,".repeat(20_000));
    let deep = (0..40).map(|n| format!("{}a:\n", " ".repeat(n)));
    let mib = 1 << 20;
    let key = |n| format!("k{n}: v\n");
    let bombs = [
        laughs,
        wide,
        deep.collect(),
        "[".repeat(mib),
        "{".repeat(mib),
        "- ".repeat(mib / 2),
        "? ".repeat(mib / 2),
        "[[],".repeat(mib / 4),
        "---\n".repeat(mib / 4),
        (0..100_000).map(key).collect::<Vec<_>>().concat(),
        "a: 1\n".repeat(mib / 5),
        "x".repeat(10 * mib),
    ];
    for bomb in bombs {
        let found = faults(bomb.as_bytes());
        assert!(found.len() <= 21);
    }
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[test]
fn nesting_is_counted() {
    let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
    one(&nested(limits::YAML_NESTING));
    let found = faults(nested(limits::YAML_NESTING + 1).as_bytes());
    assert_eq!(found[0].2, "nested more than 32 deep");
    assert_eq!(found[0].1, limits::YAML_NESTING + 1);
}

#[test]
fn gives_all_documents() {
    let file = Raw::from("a.yml");
    let (faults, documents) =
        parse(&file, b"a: 1\n---\nb: 2\n---\n"[..].into());
    assert_eq!(faults.count(), 0);
    assert_eq!(documents.len(), 3);
    assert_eq!(documents[2].value, Value::Null);
}
