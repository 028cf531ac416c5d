//! Hosts as the examiner knows them: what a map says goes before what logs
//! and folders say, and joined cases still equal one scan.
//!
//! In: made logs of machines that share an address or a folder, and a table.
//! Out: `case.json` and the summary.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Folder, Run, bin};

const FIELDS: &str = "#Fields: date time s-sitename s-computername s-ip \
    cs-method cs-uri-stem cs-uri-query c-ip sc-status sc-substatus \
    sc-win32-status\n";

/// A line of a server at a second; every third one is a probe.
fn line(second: usize, server: &str) -> String {
    let stem =
        if second.is_multiple_of(3) { "/scripts/root.exe" } else { "/a.htm" };
    format!(
        "2001-09-18 13:00:{second:02} {server} GET {stem} /c+dir 192.0.2.7 \
         404 0 2\n"
    )
}

fn log(servers: &[&str]) -> String {
    let lines = (0..24).map(|n| line(n / 2, servers[n % servers.len()]));
    [FIELDS.to_owned(), lines.collect()].concat()
}

fn scan(map: Option<&Path>, words: &[&str], paths: &[&Path]) -> Run {
    let mut command = bin();
    command.arg("scan").args(words).args(paths);
    if let Some(map) = map {
        command.arg("--host-map").arg(map);
    }
    Run::of(&mut command)
}

fn case(map: Option<&Path>, words: &[&str], paths: &[&Path]) -> Value {
    let run = scan(map, &[&["--format", "json"], words].concat(), paths);
    assert_eq!(run.code, Some(0), "{}", run.err());
    serde_json::from_slice(&run.stdout).unwrap()
}

/// Name, source, role and sites of each host, with its records and hits.
fn hosts(case: &Value) -> Vec<String> {
    let rows = case["hosts"].as_array().unwrap().iter();
    rows.map(|row| {
        let word = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
        format!(
            "{} {} {} {} {} {}",
            word("name"),
            word("source"),
            word("role"),
            row["sites"],
            row["records"],
            row["hits"]
        )
    })
    .collect()
}

const MAP: &str = "path,s-ip,s-computername,s-sitename,host,site,role\n\
    ,10.0.0.2,,W3SVC2,SHOP,W3SVC902,internet\n\
    ,10.0.0.2,,,Mail,,\"dmz, guarded\"\n\
    **/tape/**,,,,archive,W3SVC77,\n\
    ,,old-nt4,,,,intranet\n";

fn evidence(folder: &Folder) -> [PathBuf; 3] {
    [
        folder.write(
            "a/ex010918.log",
            log(&["W3SVC1 - 10.0.0.2", "W3SVC2 - 10.0.0.2"]),
        ),
        folder.write("b/tape/ex010918.log", log(&["W3SVC1 WEB9 10.0.0.9"])),
        folder.write("c/ex010918.log", log(&["W3SVC1 OLD-NT4 10.0.0.8"])),
    ]
}

#[test]
fn a_map_goes_before_logs_and_folders() {
    let folder = Folder::new("host-map");
    let map = folder.write("map.csv", MAP);
    let logs = evidence(&folder);
    let paths: Vec<&Path> = logs.iter().map(PathBuf::as_path).collect();
    let without = hosts(&case(None, &[], &paths));
    assert_eq!(
        without,
        [
            "10.0.0.2 s-ip - [\"W3SVC1\",\"W3SVC2\"] 24 8",
            "OLD-NT4 s-computername - [\"W3SVC1\"] 24 8",
            "WEB9 s-computername - [\"W3SVC1\"] 24 8",
        ]
    );
    let expected = [
        "Mail map dmz, guarded [\"W3SVC1\"] 12 4",
        "OLD-NT4 s-computername intranet [\"W3SVC1\"] 24 8",
        "SHOP map internet [\"W3SVC902\"] 12 4",
        "archive map - [\"W3SVC77\"] 24 8",
    ];
    for words in [&[][..], &["--chunk-size", "300"], &["--threads", "1"]] {
        let case = case(Some(&map), words, &paths);
        assert_eq!(hosts(&case), expected, "{words:?}");
    }
    let hits = scan(Some(&map), &["--format", "jsonl"], &paths);
    let mut places: Vec<String> = hits
        .out()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|hit| format!("{} {}", hit["host"], hit["site"]))
        .collect();
    places.sort();
    places.dedup();
    assert_eq!(
        places,
        [
            "\"Mail\" \"W3SVC1\"",
            "\"OLD-NT4\" \"W3SVC1\"",
            "\"SHOP\" \"W3SVC902\"",
            "\"archive\" \"W3SVC77\"",
        ]
    );
    let shown = scan(Some(&map), &[], &paths).out();
    for word in ["Role", "dmz, guarded", "internet", "intranet"] {
        assert!(shown.contains(word), "{word} is not in the summary");
    }
}

#[test]
fn joined_cases_equal_one_scan() {
    let folder = Folder::new("host-map-merge");
    let map = folder.write("map.csv", MAP);
    let logs = evidence(&folder);
    let paths: Vec<&Path> = logs.iter().map(PathBuf::as_path).collect();
    let case = |name: &str, paths: &[&Path]| {
        let output = folder.path().join(name);
        let words = ["-o", output.to_str().unwrap(), "--quiet"];
        let run = scan(Some(&map), &words, paths);
        assert_eq!(run.code, Some(0), "{}", run.err());
        output
    };
    let whole = case("whole", &paths);
    let parts = [case("one", &paths[..1]), case("two", &paths[1..])];
    let joined = folder.path().join("joined");
    let run = Run::of(
        bin().args(["merge", "-o"]).arg(&joined).args(parts.iter().rev()),
    );
    assert_eq!(run.code, Some(0), "{}", run.err());
    for file in ["case.json", "hits.jsonl"] {
        let read = |folder: &Path| std::fs::read(folder.join(file)).unwrap();
        assert_eq!(read(&joined), read(&whole), "{file}");
    }
}

#[test]
fn a_line_without_a_record_has_the_host_of_its_path() {
    let folder = Folder::new("host-map-rest");
    let log = folder.write("x/ex.log", "GET /scripts/root.exe?/c+dir\n");
    let map = folder.write("map.csv", "path,host,role\n**/x,PROXY,dmz\n");
    let run = scan(Some(&map), &["--format", "json"], &[&log]);
    let case: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(case["exhibits"][0]["host"], "PROXY");
}

#[test]
fn a_wrong_map_is_an_error_of_usage() {
    let folder = Folder::new("host-map-wrong");
    let log = folder.write("ex.log", log(&["W3SVC1 WEB9 10.0.0.9"]));
    let map = folder.write("map\x1b.csv", "path,nosuch\n");
    let run = scan(Some(&map), &[], &[&log]);
    assert_eq!(run.code, Some(2));
    assert!(run.err().contains("map\\x1b.csv:1:6: "), "{}", run.err());
    assert_eq!(run.out(), "");
    let missing = folder.path().join("missing.csv");
    let run = scan(Some(&missing), &[], &[&log]);
    assert_eq!(run.code, Some(2));
    assert!(run.err().contains("missing.csv"), "{}", run.err());
}

const CONFIG: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <system.applicationHost>
    <sites>
      <site name="Default Web Site" id="1" serverAutoStart="true">
        <bindings>
          <binding protocol="https" bindingInformation="*:443:shop.example" />
          <binding protocol="http" bindingInformation="*:80:" />
        </bindings>
      </site>
      <site name="R&amp;D" id="7">
        <logFile directory="D:\logs\" />
      </site>
      <siteDefaults>
        <logFile directory="%SystemDrive%\inetpub\logs\LogFiles" />
      </siteDefaults>
    </sites>
  </system.applicationHost>
</configuration>
"#;

#[test]
fn a_configuration_tells_the_sites_of_its_host() {
    let folder = Folder::new("sites");
    let config = folder.write("app=Host.config", CONFIG);
    let other = folder.write("b.log", log(&["W3SVC1 OTHER 10.0.0.3"]));
    let log = folder.write("a.log", log(&["W3SVC1 WEB9 10.0.0.9"]));
    let config = config.to_str().unwrap();
    let named = format!("web9={config}");
    let words = ["--app-host-config", &named];
    let both = case(None, &words, &[&log, &other]);
    let host = |case: &Value, name: &str| {
        let mut rows = case["hosts"].as_array().unwrap().iter();
        rows.find(|row| row["name"] == name).unwrap().clone()
    };
    let web9 = host(&both, "WEB9");
    assert_eq!(web9["sites"], serde_json::json!(["W3SVC1"]));
    assert_eq!(
        web9["configured_sites"],
        serde_json::json!([
            {
                "site": "W3SVC1",
                "name": "Default Web Site",
                "bindings": ["http *:80:", "https *:443:shop.example"],
                "log_folder": r"%SystemDrive%\inetpub\logs\LogFiles\W3SVC1",
            },
            {
                "site": "W3SVC7",
                "name": "R&D",
                "bindings": [],
                "log_folder": r"D:\logs\W3SVC7",
            },
        ])
    );
    assert!(host(&both, "OTHER").get("configured_sites").is_none());
    let all = case(None, &["--app-host-config", config], &[&log, &other]);
    for name in ["WEB9", "OTHER"] {
        let sites = host(&all, name)["configured_sites"].clone();
        assert_eq!(sites, web9["configured_sites"], "{name}");
    }
}

#[test]
fn cases_with_configurations_join() {
    let folder = Folder::new("sites-merge");
    let config = folder.write("a.config", CONFIG);
    let config = format!("WEB9={}", config.display());
    let logs: Vec<_> = [("a", "W3SVC1"), ("b", "W3SVC2")]
        .map(|(name, site)| {
            let row = format!("{site} WEB9 10.0.0.9");
            folder.write(&format!("{name}.log"), log(&[&row]))
        })
        .to_vec();
    let paths: Vec<&Path> = logs.iter().map(PathBuf::as_path).collect();
    let case = |name: &str, paths: &[&Path]| {
        let output = folder.path().join(name);
        let output = output.to_str().unwrap();
        let words = ["-o", output, "--quiet", "--app-host-config", &config];
        assert_eq!(scan(None, &words, paths).code, Some(0));
        PathBuf::from(output)
    };
    let whole = case("whole", &paths);
    let parts = [case("one", &paths[..1]), case("two", &paths[1..])];
    let joined = folder.path().join("joined");
    let run = Run::of(bin().args(["merge", "-o"]).arg(&joined).args(&parts));
    assert_eq!(run.code, Some(0), "{}", run.err());
    let read =
        |folder: &Path| std::fs::read(folder.join("case.json")).unwrap();
    assert_eq!(read(&joined), read(&whole));
}

#[test]
fn a_wrong_configuration_is_an_error_of_usage() {
    let folder = Folder::new("sites-wrong");
    let log = folder.write("ex.log", log(&["W3SVC1 WEB9 10.0.0.9"]));
    let config = folder.write("bad.config", "<configuration>\n<sites>");
    let words = ["--app-host-config", config.to_str().unwrap()];
    let run = scan(None, &words, &[&log]);
    assert_eq!(run.code, Some(2));
    assert!(run.err().contains("bad.config:2:8: "), "{}", run.err());
}
