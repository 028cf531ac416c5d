//! Do the commands on signatures answer what is asked, and say what is wrong?
//!
//! In: the real binary with the signatures of the program, rules made here,
//! and lists of exploited faults. Out: rows, pages, exit codes.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::{Folder, Run, bin, run};

fn json(words: &[&str]) -> Value {
    let run = run(words);
    assert_eq!(run.code, Some(0), "{words:?}: {}", run.err());
    serde_json::from_slice(&run.stdout).unwrap()
}

/// The names that a list gives.
fn names(filters: &[&str]) -> BTreeSet<String> {
    let head = ["signatures", "list", "--format", "json"];
    let words: Vec<&str> = head.iter().chain(filters).copied().collect();
    let list = json(&words);
    let rows = list.as_array().unwrap().iter();
    rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

fn refused(words: &[&str], what: &[&str]) {
    let run = run(words);
    assert_eq!(run.code, Some(2), "{words:?}: {}", run.err());
    assert_eq!(run.out(), "", "{words:?}");
    for part in what {
        assert!(run.err().contains(part), "{words:?}: {}", run.err());
    }
}

fn check(words: &[&str], path: &Path) -> Run {
    let head = ["signatures", "check"];
    Run::of(bin().args(head).args(words).arg(path))
}

#[test]
fn filters_of_the_list() {
    let all = json(&["signatures", "list", "--format", "json"]);
    let rows = all.as_array().unwrap();
    let text = |row: &Value, key: &str| {
        row[key].as_str().unwrap_or_default().to_owned()
    };
    let those = |holds: &dyn Fn(&Value) -> bool| -> BTreeSet<String> {
        let rows = rows.iter().filter(|row| holds(row));
        rows.map(|row| text(row, "name")).collect()
    };
    let has = |row: &Value, key: &str, word: &str| {
        row[key].as_array().unwrap().iter().any(|it| it == word)
    };
    let by = names(&["--feature", "index-server-ida"]);
    assert_eq!(by, those(&|row| text(row, "feature") == "index-server-ida"));
    assert!(by.contains("code-red") && by.len() < rows.len());
    // Of this one the advisory tells, whether tagged or not.
    let by = names(&["--cve", "cve-2001-0500"]);
    assert_eq!(by, those(&|row| has(row, "cves", "CVE-2001-0500")));
    assert!(by.contains("code-red"));
    let grave = ["high", "critical"];
    let by = names(&["--level", "high"]);
    assert_eq!(by, those(&|row| grave.contains(&&*text(row, "level"))));
    assert_eq!(by, names(&["--min-level", "high"]));
    let by = names(&["--stage", "post-exploit", "--tag", "attack.t1505.003"]);
    let both = |row: &Value| {
        text(row, "stage") == "post-exploit"
            && has(row, "tags", "attack.t1505.003")
    };
    assert_eq!(by, those(&both));
    assert!(!by.is_empty());
    let by = names(&["RED", "worm"]);
    let words = |row: &Value| {
        let all = text(row, "name") + " " + &text(row, "title");
        let all = all.to_lowercase();
        all.contains("red") && all.contains("worm")
    };
    assert_eq!(by, those(&words));
    assert!(by.contains("code-red"));
    let table = run(["signatures", "list", "code-red", "--level", "critical"]);
    let out = table.out();
    assert!(out.contains("\ncode-red  "), "{out}");
    let of = format!(" of {} signatures", rows.len());
    assert!(out.contains(&of), "{out}");
}

#[test]
fn wrong_names_get_near_ones() {
    let list = ["signatures", "list"];
    let with = |more: [&'static str; 2]| [list[0], list[1], more[0], more[1]];
    let slip = with(["--feature", "index-server-idb"]);
    refused(&slip, &["index-server-idb", "index-server-ida"]);
    let slip = with(["--cve", "CVE-2001-0501"]);
    refused(&slip, &["CVE-2001-0501", "CVE-2001-0500"]);
    refused(&with(["--tag", "atack.t1190"]), &["attack.t1190"]);
    refused(&with(["--level", "grave"]), &["informational"]);
    refused(&with(["--stage", "late"]), &["post-exploit"]);
    refused(&["signatures", "show", "code-rad"], &["code-red"]);
    refused(&["signatures", "show", "nimda"], &["nimda-root-exe"]);
    refused(&["signatures", "show", "qqqqqq"], &["signatures list"]);
    refused(&["features", "index-server"], &["index-server-ida"]);
    refused(&["features", "idq.dll"], &["index-server-ida"]);
    refused(&["features", "qqqqqq"], &["`iisleuth features`"]);
}

#[test]
fn a_signature_in_full() {
    let show = run(["signatures", "show", "code-red"]);
    assert_eq!(show.code, Some(0), "{}", show.err());
    let out = show.out();
    for part in [
        "index-server-ida",
        "Advisory MS01-033: Unchecked buffer",
        "CVE-2001-0500",
        "superseded MS01-044",
        "exploited  no, as of 2",
        "IIS 5.0 (Windows 2000): to 2010-07-13",
        "\nDetection:\n",
        "cs-uri-stem|endswith: '/default.ida'",
        "condition: selection",
        "\nOutcome:\n",
        "profile isapi",
        "#Fields: date time",
        " -> reached",
        "\nLines that do not:\n",
        "signatures/worm/code-red.yml",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let id = "9bb24fba-c531-4abf-954a-2baae34c39b5";
    assert_eq!(run(["signatures", "show", id]).out(), out);
    let shell = run(["signatures", "show", "proxyshell-autodiscover"]).out();
    assert!(shell.contains("since 2021-11-03 (list of "), "{shell}");
    assert!(shell.contains("extortionists"), "{shell}");
}

/// Features that no URL tells apart: they answer below or behind all others,
/// or lie in what a request carries.
const WITHOUT_URL: [&str; 9] = [
    "http-sys-core",
    "directory-listing",
    "aspnet-core-module",
    "aspnet-pages",
    "exchange-back-end",
    "sql-server-procedures",
    "outbound-requests",
    "serialized-objects",
    "request-headers",
];

#[test]
fn a_feature_in_full() {
    let show = run(["features", "index-server-ida"]);
    assert_eq!(show.code, Some(0), "{}", show.err());
    let out = show.out();
    for part in [
        "idq.dll",
        "IIS 4 to 5.1",
        "isapi",
        "Only sites whose",
        ".ida .idq",
        "adsutil.vbs",
        // As it is typed.
        r"%windir%\system32\idq.dll",
        "[DenyExtensions] .ida",
        "<fileExtensions>",
        "\n  code-red  ",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let all = json(&["features", "--format", "json"]);
    let one = json(&["features", "INDEX-SERVER-IDA", "--format", "json"]);
    let all = all.as_array().unwrap();
    assert!(all.len() > 150, "{}", all.len());
    let [one] = one.as_array().unwrap().as_slice() else { panic!("{one}") };
    assert!(all.contains(one));
    for feature in all {
        for key in ["component", "present", "default_on", "needed_by"] {
            assert!(feature[key].is_string(), "{}: {key}", feature["id"]);
        }
        let url = feature["url"].as_object().unwrap();
        let known = |it: &Value| !it.as_array().unwrap().is_empty();
        let id = feature["id"].as_str().unwrap();
        assert_ne!(url.values().any(known), WITHOUT_URL.contains(&id), "{id}");
    }
    assert!(one["rules"].as_array().unwrap().contains(&"code-red".into()));
}

const RULE: &str = "\
title: A page
logsource: {category: webserver}
detection:
  a:
    cs-uri-stem|contains: ['/parcel', '/parcel/sample']
  b:
    cs-username: '-'
  condition: a
";

#[test]
fn warnings_fail_only_where_asked() {
    let folder = Folder::new("lint");
    let rule = folder.write("page.yml", RULE);
    let run = check(&[], &rule);
    assert_eq!(run.code, Some(0), "{}", run.err());
    let err = run.err();
    for (place, code) in [
        ("5:39", "warning[shadowed-literal]"),
        ("6:3", "warning[unused-search]"),
        ("7:19", "warning[dead-literal]"),
        ("1:1", "warning[few-tests]"),
    ] {
        let place = format!("{}:{place}\n", rule.display());
        assert!(err.contains(&place), "{place}: {err}");
        assert!(err.contains(code), "{code}: {err}");
    }
    let sum = "1 signatures checked, 0 errors, 4 warnings\n";
    assert!(run.out().ends_with(sum), "{}", run.out());
    let denied = check(&["--deny-warnings"], &rule);
    assert_eq!(denied.code, Some(2), "{}", denied.err());
    assert_eq!(denied.out(), run.out());
    // A line on both sides can never pass: an error.
    let tests = "iisleuth:\n  tests:\n    fields: cs-uri-stem\n    match:\n      \
                 - {line: /parcel, outcome: reached}\n    no_match:\n      \
                 - {line: /parcel}\n";
    let rule = folder.write("both.yml", RULE.to_owned() + tests);
    let run = check(&[], &rule);
    assert_eq!(run.code, Some(2), "{}", run.err());
    assert!(run.err().contains("error[duplicate-test]"), "{}", run.err());
}

#[test]
fn strict_rules_are_checked_as_such() {
    let folder = Folder::new("lint-strict");
    let text = RULE.replace("cs-uri-stem|contains: [", "cs-uri-query: [");
    let rule = folder.write("page.yml", text);
    let what = "the logged query does not hold the path";
    assert!(!check(&[], &rule).err().contains(what));
    let run = check(&["--sigma-strict"], &rule);
    assert_eq!(run.code, Some(0), "{}", run.err());
    assert!(run.err().contains(what), "{}", run.err());
}

#[test]
fn the_signatures_of_the_program_are_clean() {
    let run = run(["signatures", "check", "--deny-warnings"]);
    assert_eq!(run.code, Some(0), "{}", run.err());
    assert_eq!(run.err(), "");
}

#[test]
fn coverage_by_cve() {
    let table = run(["signatures", "coverage"]);
    assert_eq!(table.code, Some(0), "{}", table.err());
    let out = table.out();
    let row = |cve: &str| {
        let found = out.lines().find(|line| line.starts_with(cve));
        found.unwrap_or_else(|| panic!("{cve}: {out}")).to_owned()
    };
    let red = row("CVE-2001-0500 ");
    assert!(red.contains("index-server-ida"), "{red}");
    assert!(red.contains(" code-red, "), "{red}");
    let shell = row("CVE-2021-34473 ");
    assert!(shell.contains(" 2021-11-03 "), "{shell}");
    assert!(out.contains("in CISA's list of 20"), "{out}");
    // By number, not by letter.
    let order: Vec<&str> = out
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let number = |cve: &&str| -> (u32, u32) {
        let mut parts = cve.split('-').skip(1).map(|it| it.parse().unwrap());
        (parts.next().unwrap(), parts.next().unwrap())
    };
    assert!(order.is_sorted_by_key(number), "{order:?}");
}

const KEV: &str = r#"{"title": "t", "vulnerabilities": [
{"cveID": "CVE-2021-34473", "vendorProject": "Microsoft", "product":
 "Exchange Server", "dateAdded": "2021-11-03",
 "knownRansomwareCampaignUse": "Known", "notes": ""},
{"cveID": "CVE-2099-0001", "vendorProject": "Microsoft", "product":
 "SharePoint Server", "dateAdded": "2099-01-02",
 "knownRansomwareCampaignUse": "Known"},
{"cveID": "CVE-2099-0002", "vendorProject": "Progress", "product":
 "MOVEit Transfer", "dateAdded": "2099-01-03",
 "knownRansomwareCampaignUse": "Unknown"},
{"cveID": "CVE-2099-0003", "vendorProject": "Microsoft", "product":
 "Office", "dateAdded": "2099-01-04"},
{"cveID": "CVE-2099-0004", "vendorProject": "Acme\u001b[2J", "product":
 "Router", "dateAdded": "2099-01-05"}
]}"#;

#[test]
fn coverage_of_a_list_of_exploited_faults() {
    let folder = Folder::new("kev");
    let file = folder.write("kev.json", KEV);
    let name = file.to_str().unwrap();
    let run = run(["signatures", "coverage", "--kev", name]);
    assert_eq!(run.code, Some(0), "{}", run.err());
    let out = run.out();
    let sum = "5 exploited faults, 3 in products on IIS: 1 with a rule, 2 \
               without";
    assert!(out.contains(sum), "{out}");
    let (lacking, covered) = out.split_once("With a rule:").unwrap();
    for (cve, rest) in [
        ("CVE-2099-0001", "2099-01-02 Microsoft SharePoint Server ransomware"),
        ("CVE-2099-0002", "2099-01-03 Progress MOVEit Transfer\n"),
    ] {
        assert!(lacking.contains(cve), "{out}");
        assert!(lacking.contains(rest), "{out}");
    }
    assert!(covered.contains("CVE-2021-34473"), "{out}");
    assert!(covered.contains("proxyshell-autodiscover"), "{out}");
    assert!(covered.contains("2 entries were not looked at"), "{out}");
    assert!(covered.contains("1 Microsoft Office"), "{out}");
    assert!(covered.contains("Acme\\x1b[2J Router"), "{out}");
    let page =
        json(&["signatures", "coverage", "--kev", name, "--format", "json"]);
    let kev = &page["kev"];
    assert_eq!(kev["without_rule"].as_array().unwrap().len(), 2);
    assert_eq!(kev["not_looked_at"]["Microsoft Office"], 1);
    // A rule of one's own closes the gap.
    let text = RULE.to_owned() + "tags: [cve.2099-0001]\n";
    let rule = folder.write("own.yml", text);
    let rule = rule.to_str().unwrap();
    let words = ["signatures", "coverage", "--kev", name, "--rules", rule];
    let out = crate::support::run(words).out();
    assert!(out.contains("2 with a rule, 1 without"), "{out}");
}

#[test]
fn a_table_is_the_same_list() {
    let folder = Folder::new("kev-table");
    let table = "\u{feff}cveID,vendorProject,product,notes,dateAdded,\
                 knownRansomwareCampaignUse\r\nCVE-2099-0001,Microsoft,\
                 SharePoint,\"a\nb, c\",2099-01-02,Known\r\n";
    let file = folder.write("kev.csv", table);
    let kev = ["signatures", "coverage", "--kev", file.to_str().unwrap()];
    let out = run(kev).out();
    assert!(out.contains("0 with a rule, 1 without"), "{out}");
    let bad: [(&str, &str, &str); 4] = [
        ("a.json", "{\"vulnerabilities\": [\n{}]}", ":2:2: missing field"),
        ("b.json", "{\"vulnerabilities\": 3}", ":1:"),
        ("c.csv", "a,b\n1,2\n", ":1:1: no column cveID"),
        ("d.csv", "cveID,vendorProject,product\nx,y,z\n", ":2:1: `x` is no"),
    ];
    for (name, text, what) in bad {
        let file = folder.write(name, text);
        let file = file.to_str().unwrap();
        let words = ["signatures", "coverage", "--kev", file];
        refused(&words, &[&format!("{file}{what}")]);
    }
    let nowhere = folder.path().join("nowhere.json");
    let nowhere = nowhere.to_str().unwrap();
    refused(&["signatures", "coverage", "--kev", nowhere], &["cannot read"]);
    // Larger than any list: refused, and not read to its end.
    let large = folder.path().join("large.json");
    let file = std::fs::File::create(&large).unwrap();
    file.set_len(65 << 20).unwrap();
    let large = large.to_str().unwrap();
    refused(&["signatures", "coverage", "--kev", large], &["larger than"]);
}

/// A changed copy of a rule of the program is tried in its place; a scan
/// does not take two of a name.
#[test]
fn a_copy_stands_in_place_of_its_rule() {
    let folder = Folder::new("copy");
    let own = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("signatures/webshell/planted-script-answered.yml");
    let text = std::fs::read_to_string(own).unwrap();
    let copy = folder.write("planted.yml", &text);
    assert_eq!(check(&[], &copy).code, Some(0));
    let test =
        |path: &Path| Run::of(bin().args(["signatures", "test"]).arg(path));
    let run = test(&copy);
    assert_eq!(run.code, Some(0), "{}", run.err());
    assert!(run.out().contains(" 0 failed"), "{}", run.out());
    // It is the copy that is tried.
    let broken = text.replace("sc-status: 200", "sc-status: 201");
    assert_ne!(broken, text);
    let run = test(&folder.write("planted.yml", broken));
    assert_eq!(run.code, Some(2), "{}", run.err());
    assert!(run.out().contains("planted.yml:"), "{}", run.out());
    let copy = copy.to_str().unwrap();
    let log = folder.write("a.log", "#Fields: date time\n");
    let log = log.to_str().unwrap();
    refused(&["scan", "--rules", copy, log], &["is also that of"]);
}
