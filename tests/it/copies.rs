//! Copies of evidence count once and are named.
//!
//! In: the showcase as a folder, packed file by file, zipped and in a tar,
//! given together. Out: the findings of the folder alone, and for each copy
//! the exhibit that it is one of.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::archives::{below, tar_of, zip};
use crate::packers::{gzip, zstd};
use crate::support::{Folder, root, run};

pub const COUNTED: [&str; 4] = ["findings", "hosts", "clients", "features"];

/// The exit code of a scan, and its case.
pub fn scan(paths: &[&Path], more: &[&str]) -> (Option<i32>, Value) {
    let mut args = vec!["scan", "-q", "--format", "json"];
    args.extend(more);
    args.extend(paths.iter().map(|path| path.to_str().unwrap()));
    let run = run(args);
    (run.code, serde_json::from_slice(&run.stdout).unwrap())
}

/// The showcase again, in the ways that people keep it.
fn copies(folder: &Folder) -> Vec<PathBuf> {
    let showcase = root().join("testdata/showcase");
    let files = below(&showcase);
    for (name, bytes) in &files {
        folder.write(&format!("packed/{name}.gz"), gzip(bytes));
    }
    vec![
        folder.path().join("packed"),
        folder.write("month.zip", zip(&files, true)),
        folder.write("backup.tar.zst", zstd(&tar_of(&showcase))),
    ]
}

#[test]
fn a_month_given_four_times_counts_once() {
    let folder = Folder::new("copies");
    let copies = copies(&folder);
    let showcase = root().join("testdata/showcase");
    let (code, once) = scan(&[&showcase], &[]);
    let mut paths: Vec<_> = copies.iter().map(PathBuf::as_path).collect();
    paths.push(&showcase);
    let (again, all) = scan(&paths, &[]);
    assert_eq!(again, code);
    for key in COUNTED {
        assert!(all[key] == once[key], "{key} differ");
    }
    for key in ["exhibits", "lines", "records", "hits", "bytes"] {
        assert_eq!(all["summary"][key], once["summary"][key], "{key}");
    }
    let exhibits = once["summary"]["exhibits"].as_u64().unwrap();
    assert_eq!(all["summary"]["copies"], 3 * exhibits);
    let rows = all["exhibits"].as_array().unwrap();
    for row in rows.iter().filter(|row| row["dialect"] != "archive") {
        let path = row["path"].as_str().unwrap();
        let is_plain = Path::new(path).starts_with(&showcase);
        let original = row["copy_of"].as_str();
        assert_eq!(original.is_none(), is_plain, "{path}");
        if let Some(original) = original {
            assert!(Path::new(original).starts_with(&showcase), "{path}");
            let end = path.trim_end_matches(".gz");
            assert!(end.ends_with(original.rsplit('/').next().unwrap()));
        }
    }
}

#[test]
fn neither_threads_nor_arguments_decide_what_is_kept() {
    let folder = Folder::new("copies-order");
    let copies = copies(&folder);
    let mut paths: Vec<_> = copies.iter().map(PathBuf::as_path).collect();
    let first = scan(&paths, &["--threads", "1"]);
    paths.reverse();
    assert_eq!(scan(&paths, &["--threads", "4"]), first);
}

#[test]
fn on_demand_all_count() {
    let folder = Folder::new("copies-kept");
    let copies = copies(&folder);
    let showcase = root().join("testdata/showcase");
    let (_, once) = scan(&[&showcase], &[]);
    let (_, twice) = scan(&[&showcase, &copies[1]], &["--keep-duplicates"]);
    // Twice the events of a correlation are one correlation still.
    let told = |case: &Value| {
        let rows = case["correlations"].as_array().unwrap().iter();
        let names: Vec<_> = rows.map(|row| row["rule"].clone()).collect();
        let findings = case["findings"].as_array().unwrap().iter();
        let lines = findings.filter(|it| !names.contains(&it["rule"]));
        let counts = lines.flat_map(|it| it["outcomes"].as_object().unwrap());
        counts.map(|(_, count)| count.as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!(told(&twice), 2 * told(&once));
    assert!(twice["summary"]["copies"].is_null());
}

#[test]
fn a_line_more_is_no_copy() {
    let folder = Folder::new("copies-differ");
    let log = "#Fields: c-ip cs-uri-stem\n192.0.2.1 /scripts/root.exe\n";
    let one = folder.write("a/one.log", log);
    let other =
        folder.write("b/two.log", format!("{log}192.0.2.1 /index.htm\n"));
    let (_, case) = scan(&[&one, &other], &[]);
    assert_eq!(case["summary"]["hits"], 2);
    assert!(case["summary"]["copies"].is_null());
}

#[test]
fn two_hosts_that_a_worm_met_are_two() {
    let folder = Folder::new("copies-hosts");
    let log = "#Fields: c-ip cs-uri-stem\n192.0.2.1 /scripts/root.exe\n";
    folder.write("WEB01/W3SVC1/ex010719.log", log);
    folder.write("WEB02/W3SVC1/ex010719.log", log);
    folder.write("WEB02/W3SVC1/old/ex010719.log", log);
    let (_, case) = scan(&[folder.path()], &[]);
    assert_eq!(case["summary"]["hits"], 2);
    assert_eq!(case["summary"]["hosts_probed"], 2);
    assert_eq!(case["summary"]["copies"], 1);
    let long = format!("{log}{}", "192.0.2.1 /a.htm\n".repeat(60));
    folder.write("WEB01/W3SVC1/ex010720.log", &long);
    folder.write("backup/W3SVC1/ex010720.log", &long);
    let (_, case) = scan(&[folder.path()], &[]);
    assert_eq!(case["summary"]["hits"], 3);
    assert_eq!(case["summary"]["copies"], 2);
}

#[test]
fn cases_that_hold_the_same_say_so() {
    let folder = Folder::new("copies-merged");
    let log = "#Fields: c-ip cs-uri-stem\n192.0.2.1 /scripts/root.exe\n";
    let path = |name: &str| folder.path().join(name).display().to_string();
    for name in ["a", "b"] {
        folder.write(&format!("{name}.log"), log);
        run(["scan", "-q", &path(&format!("{name}.log")), "-o", &path(name)]);
    }
    let merged =
        run(["merge", "-q", &path("a"), &path("b"), "-o", &path("c")]);
    assert_eq!(merged.code, Some(0), "{}", merged.err());
    let case = std::fs::read(folder.path().join("c/case.json")).unwrap();
    let case: Value = serde_json::from_slice(&case).unwrap();
    let warnings = case["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(warnings[0]["kind"], "copied");
    assert_eq!(warnings[0]["exhibit"], path("b.log"));
}
