//! The program as a person or a script meets it: every command, every exit
//! code, and what is said on the way out.
//!
//! The exit codes are 0 finished, 1 found, 2 usage, 3 incomplete, 4 not
//! written. Whatever is wrong with one file, the results of the others stay.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::packers::gzip;
use crate::support::{Folder, Run, bin, root, run};

/// A day on which FREIGHT-WEB1 was attacked, and one before.
const DAY: &str = "FREIGHT-WEB1/LogFiles/W3SVC1/ex010806.log";
const QUIET_DAY: &str = "FREIGHT-WEB1/LogFiles/W3SVC1/ex010717.log";
const NEXT_DAY: &str = "FREIGHT-WEB1/LogFiles/W3SVC1/ex010918.log";

fn log(name: &str) -> PathBuf {
    root().join("testdata").join("showcase").join(name)
}

/// Runs the program with words and paths.
fn with(words: &[&str], paths: &[&Path]) -> Run {
    Run::of(bin().args(words).args(paths))
}

fn scan(paths: &[&Path]) -> Run {
    with(&["scan", "--format", "jsonl"], paths)
}

/// Asserts the exit code, and that a word stands on standard error.
fn ends(run: &Run, code: i32, says: &str, what: &str) {
    let err = run.err();
    assert_eq!(run.code, Some(code), "{what}: exit code; it says {err}");
    assert!(err.contains(says), "{what}: {says:?} is not said: {err}");
}

/// The hits of one exhibit, without its name.
fn hits_of(run: &Run, exhibit: &Path) -> Vec<String> {
    let exhibit = exhibit.to_str().unwrap();
    let rows = run.out();
    let rows = rows.lines().filter_map(|line| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        let own = row["exhibit"] == exhibit;
        row.as_object_mut().unwrap().remove("exhibit");
        // What several lines show is told by its lines.
        (own && row["correlation"].is_null()).then(|| row.to_string())
    });
    rows.collect()
}

/// The kinds of warnings about one exhibit.
fn warnings(case: &Run, exhibit: &Path) -> Vec<String> {
    let case: Value = serde_json::from_slice(&case.stdout).unwrap();
    let rows = case["warnings"].as_array().unwrap().iter();
    let own = rows.filter(|row| row["exhibit"] == exhibit.to_str().unwrap());
    own.map(|row| row["kind"].as_str().unwrap().to_owned()).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

// ------------------------------------------------------------- bad evidence

#[test]
fn a_missing_path_is_an_error_of_usage() {
    let folder = Folder::new("missing");
    let missing = folder.path().join("nowhere.log");
    ends(&scan(&[&missing]), 2, "nowhere.log", "a missing path");
    let mixed = scan(&[&log(DAY), &missing]);
    ends(&mixed, 2, "nowhere.log", "a missing path beside a good one");
    assert_eq!(mixed.out(), "", "nothing is scanned before the paths are");
    let pattern = folder.path().join("*.log");
    ends(&scan(&[&pattern]), 2, "*.log", "a pattern without a match");
}

#[test]
fn an_empty_folder_is_an_error_of_usage() {
    let folder = Folder::new("empty");
    let run = scan(&[folder.path()]);
    ends(&run, 2, "no files in this folder", "an empty folder");
    ends(&run, 2, "nothing to scan", "an empty folder");
    // A folder inside it makes no difference, a file of no bytes does.
    fs::create_dir(folder.path().join("x.log")).unwrap();
    ends(&scan(&[folder.path()]), 2, "nothing to scan", "empty folders");
    folder.write("x.log/ex.log", "");
    ends(&scan(&[folder.path()]), 0, "", "an empty file");
}

/// One that cannot be read among those that can: said, and nothing lost.
fn one_bad(bad: &Path, kind: &str, what: &str) {
    let good = log(DAY);
    let alone = hits_of(&scan(&[&good]), &good);
    assert!(!alone.is_empty(), "{DAY} has no hits");
    let both = scan(&[bad, &good]);
    ends(&both, 3, "", what);
    assert_eq!(hits_of(&both, &good), alone, "{what}: hits are lost");
    let case = with(&["scan", "--format", "json"], &[bad, &good]);
    ends(&case, 3, "", what);
    let found = warnings(&case, bad);
    assert!(found.iter().any(|it| it == kind), "{what}: {found:?}");
    let summary = with(&["scan"], &[bad, &good]);
    ends(&summary, 3, "", what);
    let out = summary.out();
    let name = bad.file_name().unwrap().to_str().unwrap();
    assert!(out.contains(name), "{what}: {name} is not in the summary");
    // A loss outranks a finding.
    let fail_on = with(&["scan", "--fail-on", "low"], &[bad, &good]);
    ends(&fail_on, 3, "", what);
}

#[test]
fn a_binary_file_named_log_is_no_log() {
    let folder = Folder::new("binary");
    let bytes: Vec<u8> = (0..4096_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    let binary = folder.write("ex010806.log", bytes);
    one_bad(&binary, "not-a-log", "a binary file named .log");
}

#[cfg(unix)]
#[test]
fn a_file_without_the_right_to_read_is_a_loss() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new("secret");
    let file = folder.write("secret.log", "#Fields: time\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&file).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    one_bad(&file, "unreadable", "a file without the right to read");
}

/// Regular to look at, and an error to read, even for root.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_fails_to_read_is_a_loss() {
    let bad = Path::new("/proc/self/mem");
    one_bad(bad, "lost", "a file that fails to read");
}

#[cfg(unix)]
#[test]
fn links_in_a_folder_are_named_and_not_followed() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new("links");
    let good = folder.write("good.log", fs::read(log(DAY)).unwrap());
    let alone = hits_of(&scan(&[&good]), &good);
    symlink("nowhere", folder.path().join("dangling.log")).unwrap();
    symlink("..", folder.path().join("loop.log")).unwrap();
    symlink("/dev/zero", folder.path().join("zero.log")).unwrap();
    let run = scan(&[folder.path()]);
    assert_eq!(hits_of(&run, &good), alone, "links cost hits");
    let case = with(&["scan", "--format", "json"], &[folder.path()]);
    for name in ["dangling.log", "loop.log", "zero.log"] {
        let link = folder.path().join(name);
        assert_eq!(warnings(&case, &link), ["odd"], "{name}");
    }
    let dangling = folder.path().join("dangling.log");
    ends(&scan(&[&dangling]), 2, "dangling.log", "a named dangling link");
}

fn line_of(hit: &str) -> u64 {
    let hit: Value = serde_json::from_str(hit).unwrap();
    hit["line"].as_u64().unwrap()
}

#[test]
fn a_cut_gzip_keeps_what_came_before() {
    let folder = Folder::new("gzip");
    let plain = fs::read(log(NEXT_DAY)).unwrap();
    let packed = gzip(&plain);
    let whole = folder.write("whole.log.gz", &packed);
    let good = scan(&[&whole]);
    ends(&good, 0, "", "a whole gzip");
    let all = hits_of(&good, &whole);
    let cut = folder.write("cut.log.gz", &packed[..packed.len() / 2]);
    let run = scan(&[&cut]);
    ends(&run, 3, "", "a cut gzip");
    let kept = hits_of(&run, &cut);
    let (kept_len, all_len) = (kept.len(), all.len());
    assert!(
        0 < kept_len && kept_len < all_len,
        "a cut gzip keeps {kept_len} of {all_len} hits"
    );
    // The last line is cut as well and may be judged by what is left of it.
    let same = kept.iter().zip(&all).take_while(|(a, b)| a == b).count();
    let last = kept.last().map(|hit| line_of(hit));
    let torn = kept.iter().filter(|hit| Some(line_of(hit)) == last).count();
    assert_eq!(same, kept_len - torn, "all but the last line agree");
    one_bad(&cut, "cut", "a cut gzip among others");
}

/// What a run leaves that must end; a pipe opened with care never blocks.
#[cfg(unix)]
fn soon(mut command: Command, fifo: PathBuf, what: &str) -> Run {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = send.send(Run::of(&mut command));
    });
    receive.recv_timeout(Duration::from_secs(20)).unwrap_or_else(|_| {
        // A writer that comes and goes sets the reader free.
        let _ = fs::OpenOptions::new().read(true).write(true).open(fifo);
        panic!("{what}: it blocks");
    })
}

#[cfg(unix)]
#[test]
fn a_pipe_never_blocks() {
    let folder = Folder::new("fifo");
    let good = folder.write("good.log", fs::read(log(DAY)).unwrap());
    let alone = hits_of(&scan(&[&good]), &good);
    let fifo = folder.path().join("fifo.log");
    let made = Command::new("mkfifo").arg(&fifo).status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: there is no mkfifo");
        return;
    }
    for access in [None, Some("--no-mmap")] {
        let mut command = bin();
        command.args(["scan", "--format", "jsonl"]).args(access);
        command.arg(folder.path());
        let run = soon(command, fifo.clone(), "a pipe in a folder");
        assert_eq!(hits_of(&run, &good), alone, "a pipe costs hits");
    }
    let case = with(&["scan", "--format", "json"], &[folder.path()]);
    assert_eq!(warnings(&case, &fifo), ["odd"], "a pipe in a folder");
    let mut command = bin();
    command.args(["scan", "--format", "jsonl"]).args([&good, &fifo]);
    let run = soon(command, fifo.clone(), "a named pipe");
    ends(&run, 3, "", "a named pipe");
    assert_eq!(hits_of(&run, &good), alone, "a named pipe costs hits");
}

#[test]
fn standard_input_equals_the_file() {
    let folder = Folder::new("stdin");
    // Away from the showcase no folder tells host and site.
    let file = folder.write("x", fs::read(log(DAY)).unwrap());
    let packed = folder.write("x.gz", gzip(&fs::read(&file).unwrap()));
    let expected = hits_of(&scan(&[&file]), &file);
    assert!(!expected.is_empty(), "{DAY} has no hits");
    for input in [&file, &packed] {
        let mut command = bin();
        command.args(["scan", "--format", "jsonl", "-"]);
        command.stdin(fs::File::open(input).unwrap());
        let run = Run::of(&mut command);
        ends(&run, 0, "", "standard input");
        let found = hits_of(&run, Path::new("-"));
        assert_eq!(found, expected, "{}", input.display());
    }
    ends(&run(["scan", "-"]), 0, "", "standard input without a byte");
}

// ---------------------------------------------------------------- bad rules

const RULE: &str = "\
title: A page of the tests
id: 6c2f52d5-4d0c-4a43-9d2c-5f0e3f4d9a01
name: page-of-the-tests
status: test
description: Nothing else asks for this page.
logsource:
  category: webserver
detection:
  selection:
    cs-uri-stem: /page-of-the-tests
  condition: selection
level: low
";

#[test]
fn a_users_rule_is_used() {
    let folder = Folder::new("rule");
    let rule = folder.write("rules/own.yml", RULE);
    let text = "#Fields: date time c-ip cs-method cs-uri-stem sc-status\n\
        2001-08-06 00:00:00 192.0.2.1 GET /page-of-the-tests 200\n";
    let log = folder.write("x.log", text);
    for rules in [rule.as_path(), rule.parent().unwrap()] {
        let rules = rules.to_str().unwrap();
        let run = with(&["scan", "--format=jsonl", "--rules", rules], &[&log]);
        ends(&run, 0, "", "a user's rule");
        let hits = run.out();
        assert!(hits.contains("page-of-the-tests"), "no hit: {hits}");
        assert_eq!(hits.lines().count(), 1, "more hits: {hits}");
    }
    ends(&scan(&[&log]), 0, "", "without the rule");
    assert_eq!(scan(&[&log]).out(), "", "a hit without the rule");
}

#[test]
fn a_broken_rule_is_shown_with_its_place() {
    let folder = Folder::new("broken");
    let text = RULE.replace("cs-uri-stem:", "cs-uri-stem|contians:");
    let rule = folder.write("broken.yml", text);
    let place = format!("{}:10:17", rule.display());
    let runs = [
        with(&["scan"], &[&log(DAY), Path::new("--rules"), &rule]),
        with(&["signatures", "check"], &[&rule]),
        with(&["signatures", "test"], &[&rule]),
    ];
    for run in runs {
        ends(&run, 2, &place, "a broken rule");
        ends(&run, 2, "contians", "a broken rule");
        ends(&run, 2, "help: ", "a broken rule");
        assert_eq!(run.out(), "", "nothing is done with a broken rule");
        let err = run.err();
        let lines: Vec<_> = err.lines().collect();
        let caret =
            lines.iter().position(|line| line.trim_end().ends_with('^'));
        let caret = caret.expect("there is a caret");
        let at = lines[caret].find('^').unwrap();
        let word = lines[caret - 1].get(at..).unwrap_or_default();
        assert!(word.starts_with("contians"), "the caret shows {word:?}");
    }
    let rule = folder.write("no.yml", "title: [x\n");
    ends(&with(&["signatures", "check"], &[&rule]), 2, "no.yml:", "YAML");
    let missing = folder.path().join("nowhere.yml");
    let run = with(&["signatures", "check"], &[&missing]);
    ends(&run, 2, "nowhere.yml", "a missing rule");
}

#[test]
fn a_name_or_id_twice_is_an_error() {
    let folder = Folder::new("twice");
    let first = folder.write("rules/first.yml", RULE);
    let name = RULE.replace("page-of-the-tests\nstatus", "other\nstatus");
    folder.write("rules/second.yml", name);
    let run = with(&["signatures", "check"], &[first.parent().unwrap()]);
    ends(&run, 2, "first.yml", "an id twice");
    ends(&run, 2, "second.yml", "an id twice");
    ends(&run, 2, "6c2f52d5-4d0c-4a43-9d2c-5f0e3f4d9a01", "an id twice");
    let own = root().join("signatures/worm/nimda-root-exe.yml");
    let rule = folder.write("own.yml", fs::read(own).unwrap());
    let run = with(&["scan"], &[&log(DAY), Path::new("--rules"), &rule]);
    ends(&run, 2, "nimda-root-exe", "a rule of the program again");
    ends(&run, 2, "own.yml", "a rule of the program again");
    assert_eq!(run.out(), "", "nothing is scanned with rules in doubt");
}

// ------------------------------------------------------------------ outputs

/// What a closed pipe leaves the program to do: end quietly.
#[test]
fn a_closed_pipe_is_no_fault() {
    let showcase = log("FREIGHT-WEB1");
    let showcase = showcase.to_str().unwrap();
    let commands: [&[&str]; 7] = [
        &["scan", showcase],
        &["scan", "--format", "json", showcase],
        &["scan", "--format", "jsonl", showcase],
        &["signatures", "list"],
        &["signatures", "show", "nimda-root-exe"],
        &["features"],
        &["--help"],
    ];
    for words in commands {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = bin();
        command.args(words).stdout(writer).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code();
        assert_eq!(code, Some(0), "{words:?} into a closed pipe: {err}");
        assert_eq!(err, "", "{words:?} into a closed pipe");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_a_fault() {
    let day = log(DAY);
    let day = day.to_str().unwrap();
    let commands: [&[&str]; 6] = [
        &["scan", day],
        &["scan", "--format", "json", day],
        &["scan", "--format", "jsonl", day],
        &["signatures", "list"],
        &["features"],
        &["--help"],
    ];
    for words in commands {
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        let mut command = bin();
        command.args(words).stdout(full.unwrap()).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code();
        assert_eq!(code, Some(4), "{words:?} into /dev/full: {err}");
        assert!(err.contains("standard output"), "{words:?}: {err}");
    }
}

#[test]
fn nothing_is_written_into_evidence() {
    let folder = Folder::new("inside");
    let logs = folder.path().join("logs");
    let file = folder.write("logs/x.log", fs::read(log(DAY)).unwrap());
    let before = names(&logs);
    let twisted = logs.join("a").join("..").join("..").join("logs");
    for output in [logs.join("case"), logs.clone(), twisted] {
        for evidence in [&logs, folder.path()] {
            let output = output.to_str().unwrap();
            let run = with(&["scan", "-o", output], &[evidence]);
            ends(&run, 2, "output", output);
            assert_eq!(run.out(), "", "{output}: scanned all the same");
            assert_eq!(names(&logs), before, "{output}: written");
        }
    }
    // A log that has the name of an output.
    let file = {
        let named = file.with_file_name("case.json");
        fs::rename(&file, &named).unwrap();
        named
    };
    let run = with(&["scan", "-o", logs.to_str().unwrap()], &[&file]);
    ends(&run, 2, "output", "a log named case.json");
    let same = fs::read(&file).unwrap() == fs::read(log(DAY)).unwrap();
    assert!(same, "a log named case.json was overwritten");
}

#[test]
fn a_case_is_written_whole_or_not_at_all() {
    let folder = Folder::new("again");
    let case = folder.path().join("new").join("case");
    let output = case.to_str().unwrap();
    let read = |name: &str| fs::read(case.join(name)).unwrap();
    for _ in 0..2 {
        let run = with(&["scan", "-o", output], &[&log(DAY)]);
        ends(&run, 0, "wrote ", "scan -o");
        assert_eq!(names(&case), ["case.json", "hits.jsonl"]);
        let json = with(&["scan", "--format", "json"], &[&log(DAY)]);
        assert!(read("case.json") == json.stdout, "case.json, --format json");
        let jsonl = scan(&[&log(DAY)]);
        assert!(read("hits.jsonl") == jsonl.stdout, "hits.jsonl, --format");
        fs::write(case.join("case.json"), "an older case").unwrap();
        fs::write(case.join("hits.jsonl"), "older hits").unwrap();
    }
    // A run that fails before the end leaves the older files.
    let missing = folder.path().join("nowhere.log");
    let run = with(&["scan", "-o", output], &[&log(DAY), &missing]);
    ends(&run, 2, "nowhere.log", "a run that fails");
    assert_eq!(read("case.json"), b"an older case");
    assert_eq!(names(&case), ["case.json", "hits.jsonl"]);
    // An output that cannot get its name.
    let blocked = folder.path().join("blocked");
    folder.write("blocked/hits.jsonl/x", "");
    let output = blocked.to_str().unwrap();
    let run = with(&["scan", "-o", output], &[&log(DAY)]);
    ends(&run, 4, "hits.jsonl", "an output that is a folder");
    let left = names(&blocked);
    let odd = left.iter().find(|name| name.starts_with('.'));
    assert_eq!(odd, None, "a temporary file is left");
    let file = folder.write("file", "");
    let run = with(&["scan", "-o", file.to_str().unwrap()], &[&log(DAY)]);
    ends(&run, 4, "file", "an output folder that is a file");
}

#[test]
fn fail_on_tells_a_script() {
    let showcase = log("");
    let on = |level, path: &Path| with(&["scan", "--fail-on", level], &[path]);
    let run = on("critical", &showcase);
    ends(&run, 1, "", "--fail-on critical on the showcase");
    assert!(run.out().contains("FREIGHT-WEB1"), "no summary");
    let quiet = on("informational", &log(QUIET_DAY));
    ends(&quiet, 0, "", "--fail-on informational on an ordinary day");
    ends(&with(&["scan"], &[&log(DAY)]), 0, "", "without --fail-on");
    ends(&on("dire", &showcase), 2, "dire", "a level that is none");
    // A scanner that found nothing, on the second day of SP01.
    let low = log("SP01/inetpub/logs/LogFiles/W3SVC1/u_ex250716.log");
    ends(&on("low", &low), 1, "", "--fail-on low where low is the worst");
    ends(&on("medium", &low), 0, "", "--fail-on medium, low is the worst");
}

// ----------------------------------------------------------- other commands

/// Scans into a case folder.
fn case_of(folder: &Folder, name: &str, paths: &[&Path]) -> PathBuf {
    let case = folder.path().join(name);
    let words = ["scan", "-o", case.to_str().unwrap()];
    ends(&with(&words, paths), 0, "", name);
    case
}

#[test]
fn merge_equals_one_scan() {
    let folder = Folder::new("merge");
    let (one, two) = (log(DAY), log("EXCH01"));
    let both = case_of(&folder, "both", &[&one, &two]);
    let one = case_of(&folder, "one", &[&one]);
    let two = case_of(&folder, "two", &[&two]);
    let merged = folder.path().join("merged");
    let words = ["merge", "-o", merged.to_str().unwrap()];
    let file = two.join("case.json");
    for cases in [[&one, &two], [&two, &one], [&file, &one]] {
        let cases = cases.map(PathBuf::as_path);
        let run = with(&words, &cases);
        ends(&run, 0, "wrote ", "merge");
        let report = with(&["report"], &[&both]);
        assert_eq!(run.out(), report.out(), "summaries: {cases:?}");
        for name in ["case.json", "hits.jsonl"] {
            let scanned = fs::read(both.join(name)).unwrap();
            let joined = fs::read(merged.join(name)).unwrap();
            assert!(scanned == joined, "{name} of {cases:?}");
        }
    }
    ends(&with(&["merge"], &[&one, &two]), 2, "-o", "merge without -o");
    ends(&with(&words, &[&one, &one]), 2, "in both", "a case twice");
    let missing = folder.path().join("nowhere");
    ends(&with(&words, &[&one, &missing]), 2, "nowhere", "a missing case");
    let into = ["merge", "-o", one.to_str().unwrap()];
    ends(&with(&into, &[&one, &two]), 2, "output", "merge into a case");
}

#[test]
fn cases_made_otherwise_do_not_merge() {
    let folder = Folder::new("differ");
    let one = case_of(&folder, "one", &[&log(DAY)]);
    let other = folder.path().join("other");
    let words = ["scan", "--min-level=high", "-o", other.to_str().unwrap()];
    ends(&with(&words, &[&log(NEXT_DAY)]), 0, "", "--min-level");
    let merged = folder.path().join("merged");
    let words = ["merge", "-o", merged.to_str().unwrap()];
    let run = with(&words, &[&one, &other]);
    ends(&run, 2, "different options", "cases of different options");
    assert!(!merged.join("case.json").exists(), "written all the same");
}

#[test]
fn report_repeats_the_summary() {
    let folder = Folder::new("report");
    let case = folder.path().join("case");
    let words = ["scan", "-o", case.to_str().unwrap()];
    let scanned = with(&words, &[&log("")]);
    for path in [case.clone(), case.join("case.json")] {
        let report = with(&["report"], &[&path]);
        ends(&report, 0, "", "report");
        assert_eq!(report.out(), scanned.out(), "{}", path.display());
    }
    let full = with(&["report", "--full"], &[&case]);
    ends(&full, 0, "", "report --full");
    let more = full.out().lines().count() > scanned.out().lines().count();
    assert!(more, "--full shows no more");
    let missing = folder.path().join("nowhere");
    ends(&with(&["report"], &[&missing]), 2, "nowhere", "a missing case");
    let broken = folder.write("broken/case.json", "{\"schema\": 1}");
    ends(&with(&["report"], &[&broken]), 2, "case.json", "a broken case");
    let later = fs::read_to_string(case.join("case.json")).unwrap();
    let later = later.replace("iisleuth-case/1", "iisleuth-case/999");
    let later = folder.write("later/case.json", later);
    ends(&with(&["report"], &[&later]), 2, "case/999", "a later schema");
}

#[test]
fn signatures_are_listed_shown_checked_and_tested() {
    let list = run(["signatures", "list"]);
    ends(&list, 0, "", "signatures list");
    let out = list.out();
    let rows = out.lines().skip(1).take_while(|l| !l.is_empty());
    let rows: Vec<_> = rows.collect();
    assert!(rows.len() >= 60, "only {} signatures", rows.len());
    let sum = format!("{} signatures", rows.len());
    assert!(out.contains(&sum), "the list does not end with {sum:?}");
    let check = run(["signatures", "check"]);
    ends(&check, 0, "", "signatures check");
    let sum = format!("{} signatures checked, no fault", rows.len());
    assert!(check.out().contains(&sum), "{}", check.out());
    let test = run(["signatures", "test"]);
    ends(&test, 0, "", "signatures test");
    assert!(test.out().contains(" 0 failed"), "{}", test.out());
    assert!(!test.out().contains("no tests"), "{}", test.out());
    let show = run(["signatures", "show", "nimda-root-exe"]);
    ends(&show, 0, "", "signatures show");
    for word in ["nimda-root-exe", "critical", "MS01-033", "2001"] {
        assert!(show.out().contains(word), "{word}: {}", show.out());
    }
    let unknown = run(["signatures", "show", "no-such-rule"]);
    ends(&unknown, 2, "no-such-rule", "a signature that is none");
    let features = run(["features"]);
    ends(&features, 0, "", "features");
    let features = features.out();
    assert!(features.contains("index-server-ida"), "{features}");
}

#[test]
fn a_failing_test_of_a_rule_is_shown() {
    let folder = Folder::new("trial");
    let tests = "\
iisleuth:
  tests:
    fields: date time c-ip cs-method cs-uri-stem sc-status
    match:
      - line: '2001-08-06 00:00:00 192.0.2.1 GET /another-page 200'
        outcome: reached
    no_match:
      - line: '2001-08-06 00:00:00 192.0.2.1 GET /page-of-the-tests 200'
";
    let rule = folder.write("own.yml", format!("{RULE}{tests}"));
    let run = with(&["signatures", "test"], &[&rule]);
    ends(&run, 2, "", "a test that fails");
    let out = run.out();
    for (line, fault) in [(17, "does not match"), (20, "matches")] {
        let place = format!("own.yml:{line}: page-of-the-tests {fault}");
        assert!(out.contains(&place), "{place}: {out}");
    }
    assert!(out.contains("2 lines tested, 2 failed"), "{out}");
}

#[test]
fn help_and_usage() {
    for words in [&["--help"][..], &["-h"], &["scan", "--help"], &["help"]] {
        let help = run(words);
        ends(&help, 0, "", "help");
        assert!(help.out().contains("Usage: iisleuth"), "{words:?}");
        assert_eq!(help.err(), "", "{words:?}");
    }
    let help = run(["--help"]).out();
    for word in ["scan", "merge", "report", "signatures", "Exit codes"] {
        assert!(help.contains(word), "--help does not speak of {word}");
    }
    let version = run(["--version"]);
    ends(&version, 0, "", "--version");
    assert!(version.out().contains(env!("CARGO_PKG_VERSION")));
    let wrong: [(&[&str], &str); 8] = [
        (&["--nope"], "--nope"),
        (&["scan", "--nope", "."], "--nope"),
        (&["sacn"], "sacn"),
        (&["scan"], "PATH"),
        (&["report"], "CASE"),
        (&["scan", "--threads", "0", "."], "threads"),
        (&["scan", "--format", "xml", "."], "xml"),
        (&[], "Usage"),
    ];
    for (words, says) in wrong {
        let refused = run(words);
        ends(&refused, 2, says, &format!("{words:?}"));
        assert_eq!(refused.out(), "", "{words:?} prints a result");
    }
}

#[test]
fn quiet_keeps_the_results() {
    let folder = Folder::new("quiet");
    let case = folder.path().join("case");
    let output = case.to_str().unwrap();
    let loud = with(&["scan", "-o", output], &[&log(DAY)]);
    let quiet = with(&["scan", "--quiet", "-o", output], &[&log(DAY)]);
    assert_ne!(loud.err(), "", "scan -o says what it wrote");
    assert_eq!(quiet.err(), "", "--quiet is not quiet");
    assert_eq!(quiet.out(), loud.out(), "--quiet changes the results");
}

/// Neither colour nor a progress bar where no terminal is, nor where
/// nobody wants them.
#[test]
fn no_escape_sequence_without_a_terminal() {
    let folder = Folder::new("plain");
    let broken = folder.write("broken.yml", "title: [x\n");
    let broken = broken.to_str().unwrap();
    let case = case_of(&folder, "case", &[&log("")]);
    let case = case.to_str().unwrap();
    let showcase = log("");
    let showcase = showcase.to_str().unwrap();
    let commands: [&[&str]; 12] = [
        &["scan", showcase],
        &["scan", "--full", showcase],
        &["scan", "--no-color", showcase],
        &["scan", "--rules", broken, showcase],
        &["scan", "nowhere"],
        &["report", case],
        &["signatures", "list"],
        &["signatures", "check", broken],
        &["signatures", "test"],
        &["features"],
        &["--help"],
        &["--nope"],
    ];
    for words in commands {
        for settings in [&[][..], &[("NO_COLOR", "1")], &[("TERM", "dumb")]] {
            let mut command = bin();
            command.args(words).envs(settings.iter().copied());
            let run = Run::of(&mut command);
            for (name, bytes) in [("out", &run.stdout), ("err", &run.stderr)] {
                let escape = bytes.contains(&0x1b);
                assert!(!escape, "{words:?} {settings:?}: ESC on std{name}");
            }
        }
    }
}

#[test]
fn only_the_time_asked_for_counts() {
    let folder = Folder::new("span");
    let log = |days: std::ops::Range<u32>| {
        let rows = days.map(|day| {
            format!(
                "2001-07-{day:02} 12:00:00 192.0.2.1 GET /scripts/root.exe\n"
            )
        });
        let fields = "#Fields: date time c-ip cs-method cs-uri-stem\n";
        fields.to_owned() + &rows.collect::<String>()
    };
    folder.write("early.log", log(1..10));
    folder.write("across.log", log(8..25));
    folder.write("late.log.gz", gzip(log(25..29).as_bytes()));
    let path = folder.path().to_str().unwrap();
    let scan = |more: &[&str]| {
        let words = ["scan", path, "-q", "--format", "json"];
        let run = run(words.iter().chain(more));
        assert_eq!(run.code, Some(0), "{}", run.err());
        let case: Value = serde_json::from_slice(&run.stdout).unwrap();
        case["summary"].clone()
    };
    let all = scan(&[]);
    assert_eq!(all["hits"], 30);
    assert!(all["unread"].is_null() && all["records_outside"].is_null());
    let some = scan(&["--from", "2001-07-15", "--to", "2001-07-18"]);
    assert_eq!(some["hits"], 4);
    assert_eq!(some["unread"], 2);
    assert_eq!(some["records"], 17);
    assert_eq!(some["records_outside"], 13);
    assert_eq!(some["first"], "2001-07-15T12:00:00Z");
    assert_eq!(some["last"], "2001-07-18T12:00:00Z");
    let noon =
        scan(&["--from", "2001-07-15T12:00", "--to", "2001-07-18T12:00"]);
    assert_eq!(noon["hits"], 3);
    for words in [["--from", "15.07.2001"], ["--to", "2001-07-15T25:00"]] {
        let words = [&["scan", path], &words[..]].concat();
        assert_eq!(run(words).code, Some(2));
    }
}

#[test]
fn times_are_shown_in_the_zone_asked_for() {
    let words = ["scan", "testdata/dialects/w3c", "-q"];
    let utc = run(words).out();
    assert!(utc.contains("2001-07-19 13:02:11 UTC"), "{utc}");
    let zone = ["--display-timezone", "America/New_York"];
    let local = run(words.iter().chain(&zone)).out();
    assert!(local.contains("2001-07-19 09:02:11-04:00"), "{local}");
    assert!(!local.contains("UTC"), "{local}");
    let json = ["--format", "json"];
    let both = run(words.iter().chain(&zone).chain(&json)).out();
    assert_eq!(both, run(words.iter().chain(&json)).out());
    let wrong = run(words.iter().chain(&["--display-timezone", "New York"]));
    assert_eq!(wrong.code, Some(2));
}
