//! A request in the logs of IIS and of URLScan counts once.
//!
//! In: made logs of both. Out: one hit for each request, at the line of IIS,
//! which names that of URLScan; `blocked` where URLScan refused it, whatever
//! status IIS wrote; and nothing is tied that differs.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::support::{Folder, run};

const W3C: &str = "#Software: Microsoft Internet Information Services 6.0\n\
    #Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status \
    sc-substatus sc-win32-status\n";

const URLSCAN: &str = "#Software: Microsoft UrlScan 3.1\n#Version: 1.0\n\
    #Fields: Date Time c-ip s-siteid cs-method cs-uri x-action x-reason \
    x-context cs-data x-control\n";

const PROBE: &str = "/scripts/root.exe?/c+dir";

/// A line of URLScan.
fn filtered(time: &str, client: &str, url: &str, action: &str) -> String {
    format!(
        "2001-07-19 {time} {client} 1 GET {url} {action} \
         disallowed+url+sequence URL .. -\n"
    )
}

/// A line of IIS.
fn logged(time: &str, client: &str, url: &str, status: &str) -> String {
    let (stem, query) = url.split_once('?').unwrap_or((url, "-"));
    format!("2001-07-19 {time} {client} GET {stem} {query} {status}\n")
}

fn hits(path: &Path) -> Vec<Value> {
    let run = run(["scan", "-q", "--format", "jsonl", path.to_str().unwrap()]);
    let lines = run.stdout.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// Rule, outcome, log and line of URLScan of each hit.
fn told(hits: &[Value]) -> Vec<String> {
    let tell = |hit: &Value| {
        let path = hit["exhibit"].as_str().unwrap();
        let mut text = format!(
            "{} {} {}:{}",
            hit["rule"].as_str().unwrap(),
            hit["outcome"].as_str().unwrap(),
            path.rsplit('/').next().unwrap(),
            hit["line"],
        );
        if let Some(line) = hit["urlscan"]["line"].as_u64() {
            write!(text, " = {line}").unwrap();
        }
        text
    };
    hits.iter().map(tell).collect()
}

fn scene(server: &[String], filter: &[String]) -> Folder {
    let folder = Folder::new("ties");
    let (server, filter) = (server.concat(), filter.concat());
    folder.write("WEB01/W3SVC1/ex010719.log", format!("{W3C}{server}"));
    let filter = format!("{URLSCAN}{filter}");
    folder.write("WEB01/urlscan/urlscan.071901.log", filter);
    folder
}

#[test]
fn a_refused_request_counts_once_and_is_blocked() {
    let original = format!("/<Rejected-By-UrlScan>?~{PROBE}");
    let folder = scene(
        &[
            // As URLScan has IIS log it by default.
            logged("13:00:01", "192.0.2.1", &original, "404 0 2"),
            // As it is logged with another page for refused requests.
            logged("13:00:02", "192.0.2.2", PROBE, "404 0 2"),
            logged("13:00:09", "192.0.2.3", "/index.htm", "200 0 0"),
        ],
        &[
            filtered("13:00:00", "192.0.2.1", PROBE, "Rejected"),
            filtered("13:00:02", "192.0.2.2", PROBE, "Rejected"),
        ],
    );
    let hits = hits(folder.path());
    let told = told(&hits);
    let of = |rule: &str| -> Vec<&str> {
        let ours = told.iter().filter(|it| it.starts_with(rule));
        ours.map(|it| &it[rule.len() + 1..]).collect()
    };
    assert_eq!(
        of("nimda-root-exe"),
        ["blocked ex010719.log:3 = 4", "blocked ex010719.log:4 = 5"],
        "{told:?}"
    );
    assert!(told.iter().all(|it| !it.contains("urlscan.0719")), "{told:?}");
    let case = run([
        "scan",
        "-q",
        "--format",
        "json",
        folder.path().to_str().unwrap(),
    ]);
    let case: Value = serde_json::from_slice(&case.stdout).unwrap();
    let rows = case["exhibits"].as_array().unwrap();
    let filter = rows.iter().find(|row| row["dialect"] == "urlscan").unwrap();
    assert_eq!(filter["records"], 2);
    assert_eq!(filter["records_copied"], 2);
    let place = filter["copied_from"][0]["path"].as_str().unwrap();
    assert!(place.ends_with("ex010719.log"));
    let finding = &case["findings"].as_array().unwrap()[0];
    assert_eq!(finding["outcomes"]["blocked"], 2, "{finding}");
}

#[test]
fn what_was_only_logged_keeps_its_outcome() {
    let folder = scene(
        &[logged("13:00:02", "192.0.2.2", PROBE, "404 0 2")],
        &[filtered("13:00:02", "192.0.2.2", PROBE, "Logged+and+allowed")],
    );
    let told = told(&hits(folder.path()));
    let absent = "nimda-root-exe absent ex010719.log:3 = 4";
    assert!(told.contains(&absent.to_owned()), "{told:?}");
    assert!(told.iter().all(|it| it.contains("ex010719.log:3")), "{told:?}");
}

#[test]
fn what_differs_is_not_tied() {
    let folder = scene(
        &[
            logged("13:00:09", "192.0.2.1", PROBE, "404 0 2"),
            logged("13:00:02", "192.0.2.9", PROBE, "404 0 2"),
            logged(
                "13:00:02",
                "192.0.2.3",
                "/msadc/root.exe?/c+dir",
                "404 0 2",
            ),
            // What IIS answered was not refused.
            logged("13:00:02", "192.0.2.4", PROBE, "200 0 0"),
        ],
        &[
            filtered("13:00:02", "192.0.2.1", PROBE, "Rejected"),
            filtered("13:00:02", "192.0.2.2", PROBE, "Rejected"),
            filtered("13:00:02", "192.0.2.3", PROBE, "Rejected"),
            filtered("13:00:02", "192.0.2.4", PROBE, "Rejected"),
        ],
    );
    let told = told(&hits(folder.path()));
    let count = told.iter().filter(|it| it.starts_with("nimda-root-exe"));
    assert_eq!(count.count(), 8, "{told:?}");
    assert!(told.iter().all(|it| !it.contains('=')), "{told:?}");
}

#[test]
fn a_line_goes_with_one_other() {
    let folder = scene(
        &[
            logged("13:00:01", "192.0.2.1", PROBE, "404 0 2"),
            logged("13:00:01", "192.0.2.1", PROBE, "404 0 2"),
        ],
        &[
            filtered("13:00:01", "192.0.2.1", PROBE, "Rejected"),
            filtered("13:00:01", "192.0.2.1", PROBE, "Rejected"),
            filtered("13:00:01", "192.0.2.1", PROBE, "Rejected"),
        ],
    );
    let told = told(&hits(folder.path()));
    let ours = told.iter().filter(|it| it.starts_with("nimda-root-exe"));
    let ours: Vec<_> = ours.map(String::as_str).collect();
    assert_eq!(
        ours,
        [
            "nimda-root-exe blocked ex010719.log:3 = 4",
            "nimda-root-exe blocked ex010719.log:4 = 5",
            "nimda-root-exe blocked urlscan.071901.log:6",
        ]
    );
}
