//! Is what cannot be judged for want of a column told as that?

use std::collections::BTreeSet;

use iisleuth::case::Case;
use iisleuth::evidence::{Access, discover};
use iisleuth::scan::{Scanner, Silent};
use iisleuth::signature::{Rule, Scratch, TestLine};
use iisleuth::w3c::{Layout, Line, Parser};

use crate::scanning::{builder, embedded, options};
use crate::support::Folder;

/// A line of a rule's tests, without some columns.
fn without(test: &TestLine, columns: &BTreeSet<String>) -> (String, String) {
    let layout = Layout::from_fields(test.fields.as_bytes()).unwrap();
    let names = layout.columns().map(|it| String::from_utf8(it).unwrap());
    let kept: Vec<bool> = names.map(|name| !columns.contains(&name)).collect();
    let cut = |text: &str| {
        let parts = text.split(' ').zip(&kept);
        let parts = parts.filter(|(_, kept)| **kept).map(|(part, _)| part);
        parts.collect::<Vec<_>>().join(" ")
    };
    (cut(&test.fields), cut(&test.line))
}

fn matches(index: u32, fields: &str, line: &str) -> bool {
    let mut parser = Parser::default();
    parser.line(format!("#Fields: {fields}").as_bytes(), false);
    let mut scratch = Scratch::default();
    match parser.line(line.as_bytes(), false) {
        Line::Record(record) => {
            embedded().find(&record, &mut scratch);
            scratch.rules.contains(&index)
        }
        _ => false,
    }
}

/// No rule matches a line of its own tests without the columns that it is
/// said to need.
#[test]
fn without_what_it_needs_no_rule_matches() {
    let mut tried = 0;
    for needs in embedded().needs() {
        let rules = embedded().rules().iter().zip(0_u32..);
        let is = |(rule, _): &(&Rule, u32)| rule.name == needs.rule;
        let (rule, index) = rules.clone().find(is).unwrap();
        for test in &rule.sleuth.tests.matching {
            for group in &needs.needs {
                let (fields, line) = without(test, group);
                let name = &rule.name;
                assert!(!matches(index, &fields, &line), "{name} {group:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 2_000, "{tried}");
}

const SHORT: &str = "#Fields: date time s-computername c-ip cs-method \
                     cs-uri-stem cs-uri-query sc-status\n\
                     2024-05-01 10:00:00 WEB01 1.2.3.4 GET /a - 200\n";
const LONG: &str = "#Fields: date time s-computername c-ip cs-method \
                    cs-uri-stem cs-uri-query cs(User-Agent) CS(Cookie) \
                    sc-status\n\
                    2024-05-01 10:00:00 WEB01 1.2.3.4 GET /b - - - 200\n";

fn scan(logs: &[(&str, String)]) -> Case {
    let folder = Folder::new("columns");
    for (name, text) in logs {
        folder.write(name, text);
    }
    let set = embedded();
    let scanner = Scanner::new(set, options(1, 1 << 20, Access::Auto));
    let builder = builder(set).looking_for(set.needs());
    let evidence = discover(&[folder.path().to_owned()]).unwrap();
    assert!(scanner.unwrap().scan(&evidence, &builder, &Silent));
    builder.finish().0
}

/// The hosts of a rule's row, and what is missing there.
fn row(case: &Case, rule: &str) -> Option<(Vec<String>, Vec<String>)> {
    let row = case.not_evaluated.iter().find(|it| it.needs.rule == rule)?;
    let hosts = row.hosts.iter();
    let hosts = hosts.map(|it| String::from_utf8_lossy(it.as_bytes()));
    let missing = row.missing.iter().cloned().collect();
    Some((hosts.map(Into::into).collect(), missing))
}

const RULE: &str = "webshell-aspxspy-cookie";

#[test]
fn hosts_whose_logs_lack_a_column_are_named() {
    let case = scan(&[("a.log", SHORT.to_owned())]);
    let told = (vec!["WEB01".to_owned()], vec!["cs(cookie)".to_owned()]);
    assert_eq!(row(&case, RULE), Some(told));
    assert_eq!(row(&case, "nimda-root-exe"), None);
    let case = scan(&[("a.log", LONG.to_owned())]);
    assert_eq!(row(&case, RULE), None);
}

/// One log with the column is enough; that of another host is not.
#[test]
fn each_host_is_told_by_its_own_logs() {
    let other = SHORT.replace("WEB01", "WEB02");
    let logs = [("a.log", SHORT.to_owned()), ("b.log", LONG.to_owned())];
    let case = scan(&[&logs[..], &[("c.log", other)]].concat());
    assert_eq!(row(&case, RULE).unwrap().0, ["WEB02"]);
}

/// A layout counts from its directive on, in one file and one second too.
#[test]
fn a_change_of_layout_is_seen() {
    let case = scan(&[("a.log", format!("{SHORT}{LONG}"))]);
    assert_eq!(row(&case, RULE), None);
    let host = case.hosts.first().unwrap();
    assert_eq!(host.layouts.len(), 2);
}

/// Joined cases tell what one scan of all tells.
#[test]
fn joined_cases_tell_the_same() {
    let other = SHORT.replace("WEB01", "WEB02");
    let parts = [
        ("a.log", SHORT.to_owned()),
        ("b.log", LONG.to_owned()),
        ("c.log", other),
    ];
    let whole = scan(&parts);
    let single = |at: usize| scan(&parts[at..=at]);
    let left = single(0).merge(single(1)).unwrap();
    let left = left.merge(single(2)).unwrap();
    let right = single(1).merge(single(2)).unwrap();
    let right = single(0).merge(right).unwrap();
    assert_eq!(left.not_evaluated, whole.not_evaluated);
    assert_eq!(right.not_evaluated, whole.not_evaluated);
}
