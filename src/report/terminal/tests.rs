//! The summary of a small case, as it stands in `summary.txt`, and what
//! must hold at any width.

use super::*;
use crate::report::escape::columns;

/// A case of the rows that are stored, with all else derived.
fn case(json: &str) -> Case {
    let rows: serde_json::Value = serde_json::from_str(json).unwrap();
    let mut all = serde_json::to_value(Case::default()).unwrap();
    for (key, value) in rows.as_object().unwrap() {
        all[key] = value.clone();
    }
    let case: Case = serde_json::from_value(all).unwrap();
    case.merge(Case::default()).unwrap()
}

const CASE: &str = include_str!("tests/case.json");

fn feature() -> Feature {
    let mut feature = Feature {
        id: "ida".to_owned(),
        name: "Index Server".to_owned(),
        ..Feature::default()
    };
    feature.disable.iis4_6 = Some("Remove the .ida mapping. ".repeat(20));
    feature.disable.iis7 = Some("Not part of IIS 7.".to_owned());
    feature
}

fn show(case: &Case, options: TerminalOptions) -> String {
    let feature = feature();
    summary(case, &|id| (id == "ida").then_some(&feature), options)
}

#[test]
fn the_summary_reads_as_its_golden_file() {
    let text = show(&case(CASE), TerminalOptions::default());
    if std::env::var_os("BLESS").is_some() {
        let path = "src/report/terminal/tests/summary.txt";
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(text, include_str!("tests/summary.txt"));
}

#[test]
fn no_line_is_wider_than_asked() {
    let case = case(CASE);
    for width in [0, 1, 7, 20, 40, 80, 200] {
        let options = TerminalOptions { width, ..TerminalOptions::default() };
        for line in show(&case, options).lines() {
            assert!(columns(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn colour_changes_nothing_else() {
    let case = case(CASE);
    let plain = show(&case, TerminalOptions::default());
    let options = TerminalOptions { color: true, ..Default::default() };
    let mut colored = show(&case, options);
    assert!(colored.contains("\x1b[1;31msucceeded\x1b[0m"));
    for code in ["0", "1", "2", "32", "33", "1;31"] {
        colored = colored.replace(&format!("\x1b[{code}m"), "");
    }
    assert_eq!(colored, plain);
}

#[test]
fn hostile_text_stays_text() {
    let json = CASE.replace("WEB", "\\u001b[2J\\u202e\\u009b");
    for full in [false, true] {
        let options = TerminalOptions { full, ..Default::default() };
        let text = show(&case(&json), options);
        let wild = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!text.contains(wild));
        assert!(text.contains("\\x1b[2J\\u{202e}\\u{9b}"));
    }
}

#[test]
fn an_empty_case_has_its_three_answers() {
    let text = show(&Case::default(), TerminalOptions::default());
    assert_eq!(text.matches("None.").count(), 3, "{text}");
    assert!(text.contains("0 lines = 0 records + 0 directives"));
}
