//! Logs that hold some of the same lines count these once.
//!
//! In: a month of made logs as days, joined, cut at noon, in archives, in
//! halves that overlap. Out: the findings of each line once, and for every
//! log how many of its records count elsewhere and where.

use std::path::Path;

use serde_json::Value;

use crate::archives::{tar_of, zip};
use crate::copies::{COUNTED, scan};
use crate::packers::zstd;
use crate::support::{Folder, run};

const FIELDS: &str = "#Software: Microsoft Internet Information Services 5.0\n\
    #Fields: date time c-ip s-computername cs-method cs-uri-stem \
    cs-uri-query sc-status sc-win32-status\n";

/// The lines of a day: a request every ten minutes, each seventh a probe.
fn lines(day: u32, computer: &str) -> Vec<String> {
    (0..144)
        .map(|n| {
            let (hour, minute) = (n / 6, n % 6 * 10);
            let client = (day * 7 + n) % 250;
            let (stem, query) = if n % 7 == 3 {
                ("/scripts/root.exe", "/c+dir")
            } else {
                ("/index.htm", "-")
            };
            format!(
                "2001-07-{day:02} {hour:02}:{minute:02}:07 192.0.2.{client} \
                 {computer} GET {stem} {query} 404 2\n"
            )
        })
        .collect()
}

fn day(day: u32, computer: &str) -> String {
    format!("{FIELDS}{}", lines(day, computer).concat())
}

fn days(days: impl Iterator<Item = u32>) -> String {
    days.map(|one| day(one, "WEB01")).collect()
}

fn row<'c>(case: &'c Value, end: &str) -> &'c Value {
    let rows = case["exhibits"].as_array().unwrap();
    let ends = |row: &&Value| row["path"].as_str().unwrap().ends_with(end);
    rows.iter().find(ends).unwrap_or_else(|| panic!("no {end}"))
}

#[test]
fn a_copy_taken_at_noon_counts_in_the_whole_day() {
    let folder = Folder::new("overlaps-noon");
    let whole = day(19, "WEB01");
    let log = folder.write("WEB01/W3SVC1/ex010719.log", &whole);
    let (code, once) = scan(&[&log], &[]);
    let noon: String = FIELDS.to_owned() + &lines(19, "WEB01")[..70].concat();
    let torn = &whole[..noon.len() + 30];
    let named = |text: &str| vec![("ex010719.log".to_owned(), text.into())];
    let tree = Folder::new("overlaps-noon-tree");
    tree.write("WEB01/W3SVC1/ex010719.log", torn);
    folder.write("noon.zip", zip(&named(&noon), true));
    folder.write("noon.tar.zst", zstd(&tar_of(tree.path())));
    let (again, all) = scan(&[folder.path()], &[]);
    assert_eq!(again, code);
    for key in COUNTED {
        assert!(all[key] == once[key], "{key} differ");
    }
    assert_eq!(all["summary"]["hits"], once["summary"]["hits"]);
    let copy = row(&all, "noon.zip!/ex010719.log");
    assert_eq!(copy["copy_of"], log.to_str().unwrap());
    // The line that the copy breaks off in is its own, and rejected.
    let torn = row(&all, "noon.tar.zst!/WEB01/W3SVC1/ex010719.log");
    assert_eq!(torn["records"], 70);
    assert_eq!(torn["rejected"], 1);
    assert_eq!(torn["records_copied"], 70);
    assert_eq!(torn["host"], "WEB01");
    assert_eq!(torn["first"], "2001-07-19T00:00:07Z");
    assert_eq!(torn["copied_from"][0]["path"], log.to_str().unwrap());
    assert_eq!(torn["copied_from"][0]["records"], 70);
    assert_eq!(all["summary"]["records_copied"], 70);
}

#[test]
fn a_month_and_its_days_count_once() {
    let folder = Folder::new("overlaps-month");
    let month = folder.write("month.log", days(1..=31));
    let (_, once) = scan(&[&month], &[]);
    for one in 1..=31 {
        let name = format!("WEB01/W3SVC1/ex0107{one:02}.log");
        folder.write(&name, day(one, "WEB01"));
    }
    for threads in ["1", "4"] {
        let (_, all) = scan(&[folder.path()], &["--threads", threads]);
        for key in COUNTED {
            assert!(all[key] == once[key], "{key} differ");
        }
        assert_eq!(all["summary"]["copies"], 31);
        assert_eq!(all["summary"]["exhibits"], 1);
    }
    let (_, all) = scan(&[folder.path()], &["--keep-duplicates"]);
    let hits = once["summary"]["hits"].as_u64().unwrap();
    assert_eq!(all["summary"]["hits"], 2 * hits);
    assert!(all["summary"]["copies"].is_null());
}

#[test]
fn halves_that_overlap_count_as_the_whole() {
    let folder = Folder::new("overlaps-halves");
    let month = folder.write("month.log", days(1..=31));
    let early = folder.write("a/early.log", days(1..=20));
    let late = folder.write("b/late.log", days(11..=31));
    let (_, once) = scan(&[&month], &[]);
    let (_, halves) = scan(&[&early, &late], &[]);
    let (_, other) = scan(&[&late, &early], &["--threads", "3"]);
    assert_eq!(halves, other);
    for key in ["hits", "hosts", "findings", "first", "last", "outcomes"] {
        assert_eq!(halves["summary"][key], once["summary"][key], "{key}");
    }
    assert_eq!(halves["hosts"], once["hosts"]);
    assert_eq!(halves["clients"], once["clients"]);
    let row = row(&halves, "early.log");
    assert_eq!(row["records_copied"], 10 * 144);
    assert_eq!(row["copied_from"][0]["path"], late.to_str().unwrap());
    assert!(row["copy_of"].is_null());
    let text = run([
        "scan",
        "-q",
        folder.path().join("a").to_str().unwrap(),
        folder.path().join("b").to_str().unwrap(),
    ])
    .out();
    let line = "1,440 records stand in two files, and count in one";
    assert!(text.contains(line), "{text}");
}

#[test]
fn every_hit_is_listed_once() {
    let folder = Folder::new("overlaps-hits");
    let early = folder.write("a/early.log", days(1..=3));
    let late = folder.write("b/late.log", days(3..=5));
    let hits = |paths: &[&Path]| {
        let mut args = vec!["scan", "-q", "--format", "jsonl"];
        args.extend(paths.iter().map(|path| path.to_str().unwrap()));
        let mut lines: Vec<String> = run(args)
            .out()
            .lines()
            .map(|line| line.split(",\"exhibit\"").next().unwrap().to_owned())
            .collect();
        lines.sort();
        lines
    };
    let whole = folder.write("whole.log", days(1..=5));
    assert_eq!(hits(&[&early, &late]), hits(&[&whole]));
}

#[test]
fn two_servers_with_the_same_health_check_are_two() {
    let folder = Folder::new("overlaps-farm");
    let check = |computer: &str, own: &str| {
        let mut text = "#Fields: time c-ip cs-uri-stem\n".to_owned();
        for n in 0..600 {
            let (hour, minute) = (n / 60, n % 60);
            let stem = if n % 10 == 0 { own } else { "/health.htm" };
            text.push_str(&format!(
                "{hour:02}:{minute:02}:00 10.0.0.9 {stem}\n"
            ));
        }
        folder.write(&format!("{computer}/W3SVC1/ex010719.log"), text)
    };
    check("WEB01", "/one/root.exe");
    check("WEB02", "/other/root.exe");
    let (_, case) = scan(&[folder.path()], &[]);
    assert!(case["summary"]["records_copied"].is_null());
    assert_eq!(case["hosts"][0]["records"], 600);
    assert_eq!(case["hosts"][1]["records"], 600);
}

#[test]
fn an_attack_in_a_broken_line_of_a_copy_is_not_lost() {
    let folder = Folder::new("overlaps-broken");
    let whole = day(19, "WEB01");
    let copy = format!("{whole}broken /scripts/root.exe?/c+dir here\n");
    let log =
        folder.write("ex010719.log", format!("{whole}{}", day(20, "WEB01")));
    let copy = folder.write("copy.log", copy);
    let (_, case) = scan(&[&log, &copy], &[]);
    let hits = |case: &Value| case["summary"]["hits"].as_u64().unwrap();
    let (_, alone) = scan(&[&log], &[]);
    assert!(hits(&case) > hits(&alone));
    let row = row(&case, "copy.log");
    assert_eq!(row["rejected"], 1);
    assert_eq!(row["records_copied"], 144);
}

#[test]
fn days_whose_lines_look_the_same_are_two() {
    let folder = Folder::new("overlaps-days");
    let rows: String = (0..144)
        .map(|n| {
            let (hour, minute) = (n / 6, n % 6 * 10);
            format!("{hour:02}:{minute:02}:00 10.0.0.9 /scripts/root.exe\n")
        })
        .collect();
    let fields = "#Fields: time c-ip cs-uri-stem\n";
    for day in 18..=19 {
        let date = format!("#Date: 2001-07-{day} 00:00:00\n");
        let name = format!("WEB01/W3SVC1/ex0107{day}.log");
        folder.write(&name, format!("{date}{fields}{rows}"));
    }
    let (_, case) = scan(&[folder.path()], &[]);
    assert!(case["summary"]["copies"].is_null());
    assert!(case["summary"]["records_copied"].is_null());
    assert_eq!(case["hosts"][0]["records"], 288);
}
