//! Correlations and filters, from rule file to case: what each kind finds,
//! at the edges of its time span and count; how lines of several logs and
//! cases come together; what is refused.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Folder, Run, bin};

const FIELDS: &str = "#Fields: date time s-ip cs-method cs-uri-stem \
    cs-uri-query cs-username c-ip sc-status\n";

/// Rules for events, one for each of three pages.
const EVENTS: &str = "\
title: Made a
name: made-a
id: 11111111-1111-4111-8111-111111111111
logsource: {category: webserver}
detection:
  selection: {cs-uri-stem: /made/page-a.asp}
  condition: selection
---
title: Made b
name: made-b
logsource: {category: webserver}
detection:
  selection: {cs-uri-stem: /made/page-b.asp}
  condition: selection
---
title: Made c
name: made-c
logsource: {category: webserver}
detection:
  selection: {cs-uri-stem: /made/page-c.asp}
  condition: selection
---
";

/// One line: second of the day, page, query, user, client.
type Row<'a> = (u32, &'a str, &'a str, &'a str, &'a str);

fn log(rows: &[Row<'_>]) -> String {
    let mut text = FIELDS.to_owned();
    for (second, page, query, user, client) in rows {
        let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
        writeln!(
            text,
            "2024-05-06 {h:02}:{m:02}:{s:02} 10.0.0.1 GET \
             /made/page-{page}.asp {query} {user} {client} 200"
        )
        .unwrap();
    }
    text
}

fn pages(times: &[(u32, &str)], client: &str) -> String {
    let rows: Vec<Row<'_>> =
        times.iter().map(|(s, p)| (*s, *p, "-", "-", client)).collect();
    log(&rows)
}

fn rules(folder: &Folder, correlation: &str) -> PathBuf {
    folder.write("rules.yml", format!("{EVENTS}{correlation}"))
}

/// The hits of a scan as JSON, embedded rules left aside.
fn hits(rules: &Path, paths: &[&Path], words: &[&str]) -> Vec<Value> {
    let run = Run::of(
        bin()
            .args(["scan", "-q", "--format", "jsonl"])
            .args(words)
            .arg("--rules")
            .arg(rules)
            .args(paths),
    );
    assert_eq!(run.code, Some(0), "{}", run.err());
    let lines = run.out();
    let all = lines.lines().map(|it| serde_json::from_str(it).unwrap());
    all.filter(|it: &Value| it["rule"].as_str().unwrap().starts_with("made"))
        .collect()
}

/// How often a correlation of these lines holds in a log.
fn count(correlation: &str, log: &str) -> usize {
    let folder = Folder::new("correlation");
    let rules = rules(&folder, correlation);
    let log = folder.write("a.log", log);
    let found = hits(&rules, &[&log], &[]);
    found.iter().filter(|hit| hit["rule"] == "made-of").count()
}

fn of(kind: &str, rules: &str, rest: &str) -> String {
    format!(
        "title: Made of\nname: made-of\ncorrelation:\n  type: {kind}\n  \
         rules: [{rules}]\n  group-by: [c-ip]\n{rest}"
    )
}

#[test]
fn events_are_counted_in_a_window_that_slides() {
    let rule = of(
        "event_count",
        "made-a",
        "  timespan: 10s\n  condition: {gte: 3}\n",
    );
    let told = |times: &[u32]| {
        let times: Vec<_> = times.iter().map(|it| (*it, "a")).collect();
        count(&rule, &pages(&times, "192.0.2.1"))
    };
    assert_eq!(told(&[0, 5]), 0);
    // Ten seconds apart is within ten seconds, eleven is not.
    assert_eq!(told(&[0, 5, 10]), 1);
    assert_eq!(told(&[0, 5, 11]), 0);
    // No bucket of the clock decides: 9, 12 and 19.
    assert_eq!(told(&[9, 12, 19]), 1);
    // Of one second, and two times apart.
    assert_eq!(told(&[7, 7, 7]), 1);
    assert_eq!(told(&[0, 1, 2, 100, 101, 102]), 2);
    // What goes on is one.
    assert_eq!(told(&[0, 4, 8, 12, 16, 20]), 1);
}

#[test]
fn conditions_are_those_of_sigma() {
    let told = |condition: &str, events: u32| {
        let rest = format!("  timespan: 1m\n  condition: {condition}\n");
        let rule = of("event_count", "made-a", &rest);
        let times: Vec<_> = (0..events).map(|it| (it, "a")).collect();
        count(&rule, &pages(&times, "192.0.2.1")) > 0
    };
    assert!(!told("{gt: 3}", 3) && told("{gt: 3}", 4));
    assert!(!told("{eq: 3}", 2) && told("{eq: 3}", 3));
    assert!(told("{lt: 2}", 1) && told("{lte: 1}", 1));
    assert!(!told("{gte: 2, lte: 3}", 1) && told("{gte: 2, lte: 3}", 2));
    assert!(!told("{neq: 1}", 1) && told("{neq: 1}", 2));
}

#[test]
fn values_are_counted_once_and_groups_apart() {
    let rule = of(
        "value_count",
        "made-a",
        "  timespan: 1m\n  condition: {field: cs-username, gte: 3}\n",
    );
    let row = |s, user, client| (s, "a", "-", user, client);
    let one = "192.0.2.1";
    let same = [row(0, "x", one), row(1, "X", one), row(2, "y", one)];
    assert_eq!(count(&rule, &log(&same)), 0);
    let three = [row(0, "x", one), row(1, "y", one), row(2, "z", one)];
    assert_eq!(count(&rule, &log(&three)), 1);
    let apart = [row(0, "x", one), row(1, "y", one), row(2, "z", "::2")];
    assert_eq!(count(&rule, &log(&apart)), 0);
    // No user name is no value.
    let none = [row(0, "x", one), row(1, "y", one), row(2, "-", one)];
    assert_eq!(count(&rule, &log(&none)), 0);
}

#[test]
fn temporal_asks_for_all_and_ordered_for_their_order() {
    let all = "made-a, made-b, made-c";
    let near = of("temporal", all, "  timespan: 30s\n");
    let chain = of("temporal_ordered", all, "  timespan: 30s\n");
    let told = |rule: &str, times: &[(u32, &str)]| {
        count(rule, &pages(times, "192.0.2.1"))
    };
    let forward = [(0, "a"), (10, "b"), (30, "c")];
    assert_eq!((told(&near, &forward), told(&chain, &forward)), (1, 1));
    let backward = [(0, "c"), (10, "b"), (30, "a")];
    assert_eq!((told(&near, &backward), told(&chain, &backward)), (1, 0));
    let late = [(0, "a"), (10, "b"), (31, "c")];
    assert_eq!((told(&near, &late), told(&chain, &late)), (0, 0));
    // The last start counts, not the first.
    let again = [(0, "a"), (20, "a"), (25, "b"), (40, "c")];
    assert_eq!((told(&near, &again), told(&chain, &again)), (1, 1));
    // A chain is none whose middle lies before its start.
    let crossed = [(0, "b"), (10, "a"), (20, "c")];
    assert_eq!((told(&near, &crossed), told(&chain, &crossed)), (1, 0));
    // Two of three.
    let two = of("temporal", all, "  timespan: 30s\n  condition: {gte: 2}\n");
    assert_eq!(told(&two, &[(0, "a"), (30, "c")]), 1);
}

#[test]
fn a_hit_cites_its_lines_and_its_events_keep_silent() {
    let folder = Folder::new("correlation-cites");
    let rule = of("temporal_ordered", "made-a, made-b", "  timespan: 1m\n")
        + "iisleuth: {outcome: succeeded, confidence: certain, worm: true}\n";
    let rules = rules(&folder, &rule);
    let times = [(0, "a"), (9, "c"), (10, "b")];
    let log = folder.write("a.log", pages(&times, "192.0.2.1"));
    let found = hits(&rules, &[&log], &[]);
    let names: Vec<_> = found.iter().map(|it| &it["rule"]).collect();
    assert_eq!(names, ["made-c", "made-of"]);
    let hit = &found[1];
    assert_eq!(hit["outcome"], "succeeded");
    assert_eq!(hit["confidence"], "certain");
    assert_eq!(hit["time"], "2024-05-06T00:00:10Z");
    assert_eq!(hit["line"], 4);
    let cites = hit["correlation"]["cites"].as_array().unwrap();
    let lines: Vec<_> = cites.iter().map(|it| it["line"].clone()).collect();
    assert_eq!(lines, [2, 4]);
    assert_eq!(hit["correlation"]["group"]["c-ip"], "192.0.2.1");
    // With `generate` they are told as well.
    let rule =
        rule.replace("temporal_ordered", "temporal_ordered\n  generate: true");
    let loud = folder.write("loud.yml", format!("{EVENTS}{rule}"));
    let found = hits(&loud, &[&log], &[]);
    let names: Vec<_> = found.iter().map(|it| &it["rule"]).collect();
    assert_eq!(names, ["made-a", "made-c", "made-b", "made-of"]);
    // Rules by id; aliases; a correlation as an event of another.
    let rest = "  timespan: 1m\n  condition: {gte: 2}\n---\n\
        title: Made outer\nname: made-outer\ncorrelation:\n  \
        type: temporal_ordered\n  rules: [made-of, made-b]\n  \
        group-by: [who]\n  timespan: 1h\n  aliases:\n    who:\n      \
        made-of: c-ip\n      made-b: cs-username\n";
    let own = "11111111-1111-4111-8111-111111111111";
    let outer = of("event_count", own, rest);
    let outer = folder.write("outer.yml", format!("{EVENTS}{outer}"));
    let rows = [
        (0, "a", "-", "-", "192.0.2.9"),
        (5, "a", "-", "-", "192.0.2.9"),
        (7, "b", "-", "somebody", "192.0.2.1"),
        (9, "b", "-", "192.0.2.9", "192.0.2.1"),
    ];
    let log = folder.write("b.log", crate::correlations::log(&rows));
    let found = hits(&outer, &[&log], &[]);
    let names: Vec<_> = found.iter().map(|it| &it["rule"]).collect();
    assert_eq!(names, ["made-outer"]);
    assert_eq!(found[0]["line"], 5);
}

/// A burst that a rollover cuts in two is found by one scan of both logs, by
/// joined cases, and with any chunk size, and by the same bytes.
#[test]
fn what_several_logs_show_together() {
    let folder = Folder::new("correlation-logs");
    let rule = of(
        "event_count",
        "made-a",
        "  timespan: 5m\n  condition: {gte: 20}\n",
    );
    let rules = rules(&folder, &rule);
    let times = |from: u32, to: u32| {
        let all: Vec<_> = (from..to).map(|it| (it * 5, "a")).collect();
        pages(&all, "192.0.2.1")
    };
    let first = folder.write("logs/1/ex1.log", times(0, 12));
    let second = folder.write("logs/2/ex2.log", times(12, 24));
    assert!(hits(&rules, &[&first], &[]).is_empty());
    assert!(hits(&rules, &[&second], &[]).is_empty());
    let both = [first.as_path(), &second];
    let found = hits(&rules, &both, &[]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["correlation"]["events"], 24);
    for size in ["64", "1000"] {
        let words = ["--chunk-size", size, "--threads", "3"];
        assert_eq!(hits(&rules, &both, &words), found, "{size}");
    }
    let case = |name: &str, paths: &[&Path]| {
        let out = folder.path().join(name);
        let run = Run::of(
            bin()
                .args(["scan", "-q", "--rules"])
                .arg(&rules)
                .args(paths)
                .arg("-o")
                .arg(&out),
        );
        assert_eq!(run.code, Some(0), "{}", run.err());
        out
    };
    let parts = [case("c1", &[&first]), case("c2", &[&second])];
    let whole = case("c", &both);
    let joined = folder.path().join("joined");
    let run = Run::of(bin().arg("merge").args(&parts).arg("-o").arg(&joined));
    assert_eq!(run.code, Some(0), "{}", run.err());
    for name in ["case.json", "hits.jsonl"] {
        let read = |path: &Path| std::fs::read(path.join(name)).unwrap();
        assert!(read(&joined) == read(&whole), "{name} differs");
    }
}

#[test]
fn filters_narrow_other_rules() {
    let folder = Folder::new("filters");
    let filter = |rules: &str| {
        format!(
            "title: Ours\nlogsource: {{category: webserver}}\nfilter:\n  \
             {rules}\n  ours: {{c-ip: 192.0.2.1}}\n  condition: not ours\n"
        )
    };
    let log = log(&[
        (0, "a", "-", "-", "192.0.2.1"),
        (1, "b", "-", "-", "192.0.2.1"),
        (2, "a", "-", "-", "192.0.2.2"),
    ]);
    let log = folder.write("a.log", log);
    let told = |rules: &str| {
        let path = folder.write("f.yml", format!("{EVENTS}{}", filter(rules)));
        let found = hits(&path, &[&log], &[]);
        let lines = found.iter().map(|it| it["line"].as_u64().unwrap());
        lines.collect::<Vec<_>>()
    };
    assert_eq!(told("rules: [made-a]"), [3, 4]);
    let id = "rules: [11111111-1111-4111-8111-111111111111, made-b]";
    assert_eq!(told(id), [4]);
    assert_eq!(told("rules: any"), [4]);
}

#[test]
fn faults_name_their_line() {
    let folder = Folder::new("correlation-faults");
    let told = |text: &str| {
        let path = folder.write("bad.yml", format!("{EVENTS}{text}"));
        let run = Run::of(bin().args(["signatures", "check"]).arg(path));
        assert_eq!(run.code, Some(2), "{text}");
        run.err()
    };
    let first = EVENTS.lines().count();
    let timespan = "  timespan: 1m\n";
    for (text, line, what) in [
        (of("temporal", "made-a, made-d", timespan), 5, "made-d"),
        (of("temporal", "made-a, made-a", timespan), 5, "stands twice"),
        (of("event_sum", "made-a", timespan), 4, "event_sum"),
        (of("event_count", "made-a", timespan), 4, "condition"),
        (of("temporal", "made-a", "  timespan: 1x\n"), 7, "time span"),
        (of("temporal", "made-a", "  timespan: 0s\n"), 7, "time span"),
        (
            of(
                "value_count",
                "made-a",
                &format!("{timespan}  condition: {{gte: 2}}\n"),
            ),
            8,
            "field",
        ),
        (
            of(
                "event_count",
                "made-a",
                &format!("{timespan}  condition: {{gte: 5, lt: 2}}\n"),
            ),
            8,
            "no count",
        ),
        (
            of(
                "temporal",
                "made-a",
                &format!("{timespan}  aliases: {{x: {{made-b: c-ip}}}}\n"),
            ),
            5,
            "alias",
        ),
        (of("temporal", "made-of, made-a", timespan), 5, "circle"),
        (of("temporal", "made-a", &format!("{timespan}  sum: 1\n")), 8, "sum"),
    ] {
        let err = told(&text);
        let place = format!("bad.yml:{}:", first + line);
        assert!(err.contains(&place), "{place} in {err}\n{text}");
        assert!(err.contains(what), "{what} in {err}");
    }
}
