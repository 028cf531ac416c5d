//! The first look at evidence tells what is there, before any rule.
//!
//! In: made evidence of two hosts: a week that is missing, packed files and
//! archives, logs of other services, what is no log, a large log. Out: the
//! inventory as JSON and as a page, compared with how it was made.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::archives::zip;
use crate::packers::gzip;
use crate::support::{Folder, golden, run};

const FIELDS: &str = "date time c-ip cs-method cs-uri-stem sc-status";

/// A log of one day, a request each hour.
fn day(date: &str, fields: &str) -> String {
    let mut log = format!(
        "#Software: Microsoft Internet Information Services 5.0\n\
         #Date: {date} 00:00:00\n#Fields: {fields}\n"
    );
    for hour in 0..24 {
        let mut row = format!("{date} {hour:02}:10:20 192.0.2.1 GET / 200");
        for _ in fields.split(' ').skip(6) {
            row.push_str(" -");
        }
        writeln!(log, "{row}").unwrap();
    }
    log
}

/// More than 2 MiB of one month, in order.
fn large(turn: Option<usize>) -> String {
    let mut log = format!("#Fields: {FIELDS}\n");
    for row in 0..60_000 {
        if turn == Some(row) {
            writeln!(log, "#Fields: {FIELDS} cs-host").unwrap();
        }
        let (day, second) = (1 + row / 2400, row % 2400);
        let (hour, minute) = (second / 100, second % 60);
        write!(
            log,
            "2002-03-{day:02} {hour:02}:{minute:02}:00 192.0.2.9 GET \
             /page{row} 200"
        )
        .unwrap();
        log.push_str(if turn.is_some_and(|at| row >= at) {
            " -\n"
        } else {
            "\n"
        });
    }
    assert!(log.len() > 2 << 20);
    log
}

fn evidence() -> Folder {
    let folder = Folder::new("inventory");
    for date in ["010701", "010702", "010710"] {
        let text = format!("20{}-{}-{}", &date[..2], &date[2..4], &date[4..]);
        let name = format!("WEB1/W3SVC1/ex{date}.log");
        folder.write(&name, day(&text, FIELDS));
    }
    let packed = gzip(day("2001-07-03", FIELDS).as_bytes());
    folder.write("WEB1/W3SVC1/ex010703.log.gz", packed);
    let more = format!("{FIELDS} cs-host");
    let members = [
        ("WEB2/W3SVC7/ex010801.log", day("2001-08-01", &more)),
        ("WEB2/W3SVC7/ex010802.log", day("2001-08-02", FIELDS)),
    ];
    let members =
        members.map(|(name, log)| (name.to_owned(), log.into_bytes()));
    folder.write("old.zip", zip(&members, true));
    folder.write("WEB2/W3SVC7/ex010804.log", "");
    folder.write(
        "WEB2/MSFTPSVC1/ex010801.log",
        "#Software: Microsoft Internet Information Services 5.0\n\
         #Fields: time c-ip cs-method cs-uri-stem sc-status\n\
         10:00:00 192.0.2.1 [1]USER anonymous 331\n\
         10:00:01 192.0.2.1 [1]PASS x@y.example 230\n",
    );
    folder.write("WEB1/W3SVC1/core.log", [7_u8, 0, 1, 2, 0, 3].repeat(99));
    folder.write("WEB3/W3SVC2/ex0203.log", large(None));
    folder
}

fn look(path: &Path, more: &[&str]) -> (Option<i32>, Value) {
    let mut args = vec!["inventory", "-q", "--format", "json"];
    args.extend(more);
    args.push(path.to_str().unwrap());
    let run = run(args);
    let json = serde_json::from_slice(&run.stdout);
    (run.code, json.unwrap_or_else(|_| panic!("{}", run.err())))
}

fn row<'v>(inventory: &'v Value, end: &str) -> &'v Value {
    let rows = inventory["exhibits"].as_array().unwrap();
    let mut found = rows.iter().filter(|row| {
        row["path"].as_str().unwrap().replace('\\', "/").ends_with(end)
    });
    let row = found.next().unwrap_or_else(|| panic!("no exhibit {end}"));
    assert!(found.next().is_none(), "{end} is there twice");
    row
}

fn host<'v>(inventory: &'v Value, name: &str) -> &'v Value {
    let rows = inventory["hosts"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap()
}

#[test]
fn it_tells_hosts_sites_times_and_gaps() {
    let folder = evidence();
    let (code, found) = look(folder.path(), &[]);
    assert_eq!(code, Some(3), "a binary file with the name of a log is loss");
    assert_eq!(found["schema"], "iisleuth-inventory/1");
    let site = &host(&found, "WEB1")["sites"][0];
    assert_eq!(site["site"], "W3SVC1");
    assert_eq!(site["exhibits"], 4);
    assert_eq!(site["first"], "2001-07-01T00:10:20Z");
    assert_eq!(site["last"], "2001-07-10T23:10:20Z");
    let week =
        json!([{"first": "2001-07-04", "last": "2001-07-09", "days": 6}]);
    assert_eq!(site["gaps"], week);
    // An empty log covers the day of its name.
    let sites = &host(&found, "WEB2")["sites"];
    let web = sites.as_array().unwrap().iter();
    let web = web.clone().find(|row| row["site"] == "W3SVC7").unwrap();
    let day =
        json!([{"first": "2001-08-03", "last": "2001-08-03", "days": 1}]);
    assert_eq!(web["gaps"], day);
    assert_eq!(web["exhibits"], 3);
    assert_eq!(web["dialects"], json!(["empty", "w3c"]));
    assert_eq!(found["summary"]["days_without_log"], 7);
    assert_eq!(found["summary"]["hosts"], 3);
    assert_eq!(found["summary"]["exhibits"], 10);
    let ftp = row(&found, "MSFTPSVC1/ex010801.log");
    assert_eq!(ftp["dialect"], "ftp");
    assert_eq!(ftp["hosts"], json!(["WEB2"]));
}

#[test]
fn it_tells_layouts_and_what_they_lack() {
    let folder = evidence();
    let (_, found) = look(folder.path(), &[]);
    let layouts = found["layouts"].as_array().unwrap();
    assert_eq!(layouts.len(), 2);
    assert_eq!(layouts[0]["fields"], FIELDS);
    assert_eq!(layouts[0]["exhibits"], 6);
    assert_eq!(layouts[0]["lacks"], json!(["cs-uri-query"]));
    assert_eq!(layouts[0]["hosts"], json!(["WEB1", "WEB2", "WEB3"]));
    assert_eq!(layouts[1]["columns"], 7);
    let member = row(&found, "old.zip!/WEB2/W3SVC7/ex010801.log");
    assert_eq!(member["layouts"], json!([2]));
    assert_eq!(member["lines"], 27);
}

#[test]
fn what_cannot_be_read_or_judged_has_its_reason() {
    let folder = evidence();
    let (_, found) = look(folder.path(), &[]);
    let warnings = found["warnings"].as_array().unwrap();
    let of = |end: &str| -> Vec<&str> {
        let mine = warnings.iter().filter(|it| {
            it["exhibit"].as_str().unwrap().replace('\\', "/").ends_with(end)
        });
        mine.map(|it| it["kind"].as_str().unwrap()).collect()
    };
    assert_eq!(of("core.log"), ["not-a-log"]);
    assert_eq!(of("MSFTPSVC1/ex010801.log"), ["not-judged"]);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert_eq!(found["summary"]["exhibits_with_loss"], 1);
}

#[test]
fn threads_and_ways_of_reading_change_nothing() {
    let folder = evidence();
    let one = look(folder.path(), &["--threads", "1"]);
    assert_eq!(look(folder.path(), &["--threads", "4"]), one);
    let full = look(folder.path(), &["--full", "--threads", "1"]);
    assert_eq!(look(folder.path(), &["--full", "--threads", "4"]), full);
    assert_eq!(look(folder.path(), &["--full", "--no-mmap"]), full);
}

#[test]
fn both_ends_of_a_large_log_tell_what_the_whole_does() {
    let folder = evidence();
    let (_, quick) = look(folder.path(), &[]);
    let (_, full) = look(folder.path(), &["--full"]);
    let end = "WEB3/W3SVC2/ex0203.log";
    let (ends, whole) = (row(&quick, end), row(&full, end));
    for key in ["first", "last", "layouts", "hosts", "sites", "bytes"] {
        assert_eq!(ends[key], whole[key], "{key}");
    }
    assert_eq!(quick["hosts"], full["hosts"]);
    assert_eq!(quick["layouts"], full["layouts"]);
    assert_eq!(ends["counted"], false);
    assert_eq!(ends["lines"], Value::Null);
    assert_eq!(quick["summary"]["counted"], false);
    assert_eq!(quick["summary"]["lines"], Value::Null);
    assert_eq!(quick["summary"]["exhibits_not_counted"], 1);
    assert_eq!(whole["counted"], true);
    assert_eq!(whole["records"], 60_000);
    assert_eq!(full["summary"]["counted"], true);
    assert_eq!(ends["sha256"], Value::Null);
    assert_eq!(whole["sha256"].as_str().unwrap().len(), 64);
    let (_, hashed) = look(folder.path(), &["--hash", "sha256"]);
    assert_eq!(row(&hashed, end)["sha256"], whole["sha256"]);
    assert_eq!(row(&hashed, end)["counted"], false);
    let (_, bare) = look(folder.path(), &["--full", "--hash", "none"]);
    assert_eq!(row(&bare, end)["sha256"], Value::Null);
}

/// Where both ends do not tell enough, all is read without being asked.
#[test]
fn ends_that_do_not_tell_are_not_relied_on() {
    let mut dateless = String::from("#Date: 2002-03-01 00:00:00\n");
    for line in large(None).lines() {
        let line = line.replace("2002-03-", "");
        let line = line.replace("#Fields: date", "#Fields:");
        let from = if line.starts_with('#') { 0 } else { 3 };
        writeln!(dateless, "{}", &line[from..]).unwrap();
    }
    let mut zeros = large(None).into_bytes();
    zeros.resize(zeros.len() + (300 << 10), 0);
    let mut torn = large(None);
    torn.push_str("2002-03-25 torn\n");
    // Of another server than those before is one record at the end.
    let mut two_servers = String::new();
    for line in large(None).lines() {
        let other = line.starts_with("2002-03-12");
        let address = if other { "10.0.0.2" } else { "10.0.0.1" };
        let line = line.replace(" GET", &format!(" {address} GET"));
        let line = line.replace("c-ip", "c-ip s-ip");
        writeln!(two_servers, "{line}").unwrap();
    }
    two_servers.push_str("2002-03-26 00:00:00 192.0.2.9 10.0.0.2 GET / 200\n");
    let backward: String = {
        let log = large(None);
        let (head, rows) = log.split_once('\n').unwrap();
        let mut rows: Vec<_> = rows.lines().collect();
        rows.reverse();
        format!("{head}\n{}\n", rows.join("\n"))
    };
    let units = large(None);
    let units = ["\u{feff}", &units].concat();
    let utf16 = units.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let logs: [(&str, Vec<u8>); 7] = [
        ("utf16", utf16),
        ("turns", large(Some(59_990)).into_bytes()),
        ("dateless", dateless.into_bytes()),
        ("zeros", zeros),
        ("torn", torn.into_bytes()),
        ("servers", two_servers.into_bytes()),
        ("backward", backward.into_bytes()),
    ];
    for (name, log) in logs {
        let folder = Folder::new("inventory-ends");
        folder.write("large.log", log);
        let (_, quick) = look(folder.path(), &["--hash", "none"]);
        let (_, full) = look(folder.path(), &["--full", "--hash", "none"]);
        if name == "turns" {
            // The directive stands in the end that is read.
            assert_eq!(quick["layouts"], full["layouts"], "{name}");
        } else {
            assert_eq!(row(&quick, "large.log")["counted"], true, "{name}");
            assert_eq!(quick, full, "{name}");
        }
    }
}

#[test]
fn options_of_the_scan_hold_here_too() {
    let folder = Folder::new("inventory-options");
    folder.write("a.log", day("2001-07-01", FIELDS));
    let map = folder.write("map/hosts.csv", "path,host,role\n,OLD,mail\n");
    let log = folder.path().join("a.log");
    let (code, found) = look(&log, &["--host", "NAMED"]);
    assert_eq!(code, Some(0));
    assert_eq!(found["hosts"][0]["name"], "NAMED");
    assert_eq!(found["hosts"][0]["source"], "option");
    let (_, found) = look(&log, &["--host-map", map.to_str().unwrap()]);
    assert_eq!(found["hosts"][0]["name"], "OLD");
    assert_eq!(found["hosts"][0]["roles"], json!(["mail"]));
    let missing = folder.path().join("missing.log");
    let missing = missing.to_str().unwrap();
    let gone = run(["inventory", missing]);
    assert_eq!(gone.code, run(["scan", missing]).code, "{}", gone.err());
    assert_eq!(run(["inventory"]).code, Some(2));
}

#[test]
#[cfg_attr(windows, ignore = "the golden files hold paths with `/`")]
fn the_page_is_the_committed_one() {
    let run = run(["inventory", "testdata/showcase"]);
    assert_eq!(run.code, Some(0), "{}", run.err());
    for line in run.out().lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    golden("golden/showcase/inventory.txt", &run.stdout);
}

#[test]
fn no_name_steers_the_terminal() {
    let folder = Folder::new("inventory-hostile");
    let fields = format!("{FIELDS} \u{1b}[31mred");
    folder.write("a.log", day("2001-07-01", &fields));
    let path = folder.path().to_str().unwrap();
    for more in [&["--host", "\u{1b}]0;x\u{7}"][..], &["--full"]] {
        let args = [&["inventory", path], more].concat();
        let run = run(&args);
        assert_eq!(run.code, Some(0), "{}", run.err());
        assert!(!run.stdout.contains(&0x1b), "{}", run.out());
        assert!(run.out().contains("\\x1b[31mred"), "{}", run.out());
    }
}
