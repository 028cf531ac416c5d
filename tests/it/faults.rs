//! Faults in the evidence: files that change while they are scanned, one bad
//! file among many, compressed files that end early.
//!
//! A file is changed by a second thread while a scan waits for it at a chunk
//! of a seeded number, so that the change always falls into the scan.

#![cfg(unix)]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use iisleuth::evidence::{Access, discover};
use iisleuth::scan::{Progress, ScanOptions, Silent};
use serde_json::Value;

use super::library::{Dice, Scan, number, scan, scan_bytes, scan_path, text};
use super::packers::gzip;
use super::support::{Folder, run};

const CHUNK: usize = 2 << 10;
/// Chunks that two threads take at once.
const WAVE: usize = 8;

/// Stops the scan at one chunk until the other side has done its work.
struct Gate {
    left: AtomicUsize,
    reached: SyncSender<()>,
    done: Mutex<Receiver<()>>,
}

impl Gate {
    /// A gate at that chunk. The other side waits on the receiver and then
    /// lets the scan go on through the sender.
    fn new(chunk: usize) -> (Self, Receiver<()>, SyncSender<()>) {
        let (reached, wait) = sync_channel(1);
        let (go, done) = sync_channel(1);
        let left = AtomicUsize::new(chunk);
        (Self { left, reached, done: Mutex::new(done) }, wait, go)
    }
}

impl Progress for Gate {
    fn begin(&self, _: u64) {}

    fn advance(&self, _: u64) {
        let less = |left: usize| left.checked_sub(1);
        let order = Ordering::SeqCst;
        if self.left.fetch_update(order, order, less) == Ok(1) {
            self.reached.send(()).unwrap();
            let done = self.done.lock();
            done.unwrap_or_else(PoisonError::into_inner).recv().unwrap();
        }
    }

    fn end(&self) {}
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    /// Cut to that many bytes.
    Truncate(u64),
    /// More lines at the end.
    Grow,
    /// Moved away; another file takes its name.
    Replace,
}

impl Change {
    fn make(self, path: &Path) {
        match self {
            Self::Truncate(bytes) => {
                let file = fs::OpenOptions::new().write(true).open(path);
                file.unwrap().set_len(bytes).unwrap();
            }
            Self::Grow => {
                let file = fs::OpenOptions::new().append(true).open(path);
                file.unwrap().write_all(b"2020-01-01 x\n").unwrap();
            }
            Self::Replace => {
                let aside = path.with_extension("moved");
                fs::rename(path, aside).unwrap();
                fs::write(path, b"#Version: 1.0\n").unwrap();
            }
        }
    }
}

const LAYOUT: &str =
    "date time c-ip cs-method cs-uri-stem cs-uri-query sc-status";

/// One of eight logs of about 64 KiB.
fn log(kind: usize, dice: &mut Dice) -> Vec<u8> {
    let version = ["4.0", "5.0", "6.0", "10.0"][kind % 4];
    let end = if kind.is_multiple_of(2) { "\n" } else { "\r\n" };
    // Kinds 6 and 7 log no date, so their lines hang on those before.
    let dated = kind < 6;
    let fields = if dated { LAYOUT } else { &LAYOUT["date ".len()..] };
    let software = format!(
        "#Software: Microsoft Internet Information Services {version}"
    );
    let mut log = format!(
        "{software}{end}#Date: 2003-03-03 00:00:00{end}#Fields: {fields}{end}"
    );
    let mut line = 0;
    while log.len() < 64 << 10 {
        line += 1;
        let (hour, second) = (line / 3_600 % 24, line % 60);
        let minute = line / 60 % 60;
        let date = if dated { "2003-03-03 " } else { "" };
        let request = match dice.below(30) {
            0 => "/scripts/root.exe /c+dir+c:\\ 200",
            1 => "/phpmyadmin/index.php - 404",
            2 if kind == 5 => "/short",
            _ => "/shop/basket.asp item=77&colour=blue 200",
        };
        write!(
            log,
            "{date}{hour:02}:{minute:02}:{second:02} 192.0.2.{} GET \
             {request}{end}",
            dice.below(250)
        )
        .unwrap();
        if kind == 4 && line % 300 == 0 {
            write!(log, "#Fields: {fields}{end}{end}").unwrap();
        }
    }
    log.into_bytes()
}

fn options(access: Access) -> ScanOptions {
    ScanOptions {
        threads: 2,
        access,
        chunk_bytes: CHUNK,
        ..ScanOptions::default()
    }
}

/// Scans one file and changes it when the scan is at that chunk.
fn scan_and_change(path: &Path, chunk: usize, change: Change) -> Scan {
    let (gate, wait, go) = Gate::new(chunk);
    let evidence = discover(&[path.to_owned()]).unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            wait.recv().unwrap();
            change.make(path);
            go.send(()).unwrap();
        });
        scan(&evidence, options(Access::Auto), &gate)
    })
}

const COUNTS: [&str; 5] =
    ["lines", "records", "directives", "blank", "rejected"];

fn counts(row: &Value) -> [u64; 5] {
    COUNTS.map(|key| number(&row[key]))
}

/// The first lines of a log, and how many bytes they are.
fn first_lines(log: &[u8], lines: u64) -> &[u8] {
    let lines = usize::try_from(lines).unwrap();
    let pieces = log.split_inclusive(|byte| *byte == b'\n').take(lines);
    &log[..pieces.map(<[u8]>::len).sum()]
}

/// What was found is what the file held before the place of the cut.
/// Chunks that were read before the cut may count beyond it.
fn is_prefix(
    case: &str,
    (path, log): (&Path, &[u8]),
    found: &Scan,
    (chunk, end): (usize, u64),
) {
    let row = found.exhibit(path).unwrap_or_else(|| panic!("{case}: no row"));
    let kept = first_lines(log, number(&row["lines"]));
    let most = end.max(((chunk + WAVE) * (CHUNK + 200)) as u64);
    assert!(
        kept.len() as u64 <= most,
        "{case}: {} bytes of lines, the file ended at {end}",
        kept.len()
    );
    // All lines of pages that were there in full.
    let page = 4_096;
    let whole = usize::try_from(end / page * page).unwrap();
    let sure = log[..whole].iter().rposition(|byte| *byte == b'\n');
    let sure = sure.map_or(0, |feed| feed + 1);
    assert!(kept.len() >= sure, "{case}: {} of {sure} bytes", kept.len());
    let intact = scan_bytes(path, kept);
    let expected = &intact.exhibits()[0];
    assert_eq!(counts(row), counts(expected), "{case}: {COUNTS:?}");
    let hits = |scan: &Scan| scan.hits.iter().map(bare).collect::<Vec<_>>();
    assert_eq!(hits(found), hits(&intact), "{case}: hits");
}

/// A hit without what the path alone tells.
fn bare(hit: &Value) -> Value {
    let mut hit = hit.clone();
    for key in ["host", "site"] {
        hit.as_object_mut().unwrap().remove(key);
    }
    hit
}

fn check_change(case: &str, folder: &Folder, log: &[u8], dice: &mut Dice) {
    let path = folder.write("W3SVC1/ex030303.log", log);
    let chunks = log.len() / CHUNK;
    let chunk = 1 + dice.below(chunks - 2);
    let size = log.len() as u64;
    let change = match dice.below(8) {
        0 | 1 => Change::Grow,
        2 => Change::Replace,
        3 => Change::Truncate(0),
        4 => Change::Truncate(size - 1 - dice.below(3_000) as u64),
        _ => Change::Truncate(dice.below(log.len()) as u64),
    };
    let case = format!("{case}, {change:?} of {size} at chunk {chunk}");
    let found = scan_and_change(&path, chunk, change);
    let warnings = found.warnings_of(&path);
    let has = |kind: &str| warnings.iter().any(|it| it.starts_with(kind));
    let row = found.exhibit(&path).unwrap();
    match change {
        Change::Truncate(end) => {
            assert!(has("lost: "), "{case}: {warnings:?}");
            assert_eq!(row["sha256"], Value::Null, "{case}: a digest");
            is_prefix(&case, (&path, log), &found, (chunk, end));
        }
        Change::Grow => {
            assert!(has("changed: "), "{case}: {warnings:?}");
            assert_eq!(row["sha256"], Value::Null, "{case}: a digest");
            is_prefix(&case, (&path, log), &found, (chunk, size));
        }
        // What was opened was read whole.
        Change::Replace => {
            assert!(!has("lost: "), "{case}: {warnings:?}");
            is_prefix(&case, (&path, log), &found, (chunk, size));
        }
    }
}

#[test]
fn files_that_change_keep_their_prefix() {
    let mut dice = Dice::new(9);
    let logs: Vec<_> = (0..8).map(|kind| log(kind, &mut dice)).collect();
    for round in 0..20 {
        for (kind, log) in logs.iter().enumerate() {
            let folder = Folder::new("changes");
            let case = format!("file {kind}, round {round}");
            check_change(&case, &folder, log, &mut dice);
        }
    }
}

#[test]
fn a_cut_in_the_last_page_is_told_and_keeps_the_rest() {
    let mut dice = Dice::new(10);
    for kind in [0, 5, 7] {
        let log = log(kind, &mut dice);
        for back in [1, 7, 40, 200] {
            let folder = Folder::new("last-page");
            let path = folder.write("W3SVC1/ex030303.log", &log);
            let end = log.len() as u64 - back;
            let case = format!("file {kind}, {back} bytes fewer");
            let found = scan_and_change(&path, 1, Change::Truncate(end));
            let warnings = found.warnings_of(&path);
            assert!(warnings[0].starts_with("lost: "), "{case}: {warnings:?}");
            is_prefix(&case, (&path, &log), &found, (1, end));
        }
    }
}

/// Many files in one scan, and a thread that changes all of them.
#[test]
fn no_change_ends_the_process() {
    let mut dice = Dice::new(11);
    let logs: Vec<_> = (0..8).map(|kind| log(kind, &mut dice)).collect();
    for round in 0..20 {
        let folder = Folder::new("storm");
        let paths: Vec<PathBuf> = logs
            .iter()
            .enumerate()
            .map(|(kind, log)| {
                folder.write(&format!("H{kind}/W3SVC1/ex030303.log"), log)
            })
            .collect();
        let ends: Vec<_> =
            logs.iter().map(|log| dice.below(log.len()) as u64).collect();
        let (gate, wait, go) = Gate::new(1 + dice.below(150));
        let evidence = discover(&[folder.path().to_owned()]).unwrap();
        let found = thread::scope(|scope| {
            let (paths, ends) = (&paths, &ends);
            scope.spawn(move || {
                wait.recv().unwrap();
                go.send(()).unwrap();
                for (path, end) in paths.iter().zip(ends) {
                    Change::Truncate(*end).make(path);
                }
            });
            scan(&evidence, options(Access::Auto), &gate)
        });
        for (path, log) in paths.iter().zip(&logs) {
            let case = format!("round {round}, {}", path.display());
            let row = found.exhibit(path).unwrap();
            let kept = first_lines(log, number(&row["lines"]));
            let whole = kept.len() == log.len();
            let bytes = number(&row["bytes"]);
            let told = !found.warnings_of(path).is_empty();
            // Opened after the change it is a shorter file, and no more.
            assert!(
                whole || told || bytes < log.len() as u64,
                "{case}: a loss in silence: {row}"
            );
        }
    }
}

fn good_log(index: usize) -> String {
    format!(
        "#Software: Microsoft Internet Information Services 5.0\n\
         #Fields: {LAYOUT}\n\
         2003-03-03 01:02:03 192.0.2.{} GET /scripts/root.exe /c+{index} 200\n\
         2003-03-03 01:02:04 192.0.2.1 GET /index.asp - 200\n\
         2003-03-03 01:02:05 192.0.2.1 GET\n",
        index % 250
    )
}

/// Ten bad ones; each with the kind of warning that names it.
fn spoil(folder: &Folder) -> Vec<(PathBuf, &'static str)> {
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("W3SVC1")).unwrap();
    fs::create_dir(at("W3SVC1/folder.log")).unwrap();
    let fifo = at("W3SVC1/fifo.log");
    let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success(), "mkfifo");
    drop(UnixListener::bind(at("W3SVC1/socket.log")).unwrap());
    symlink(at("nowhere.log"), at("W3SVC1/dangling.log")).unwrap();
    symlink(at("W3SVC1"), at("W3SVC1/loop")).unwrap();
    symlink("loop.log", at("W3SVC1/loop.log")).unwrap();
    symlink("/dev/zero", at("W3SVC1/zero.log")).unwrap();
    folder.write("W3SVC1/empty.log", "");
    let mut dice = Dice::new(5);
    let noise: Vec<u8> =
        (0..40_000).map(|_| dice.below(256).to_le_bytes()[0]).collect();
    folder.write("W3SVC1/noise.log", noise);
    let packed = gzip(good_log(7).as_bytes());
    folder.write("W3SVC1/cut.log.gz", &packed[..packed.len() - 9]);
    folder.write("W3SVC1/vanishes.log", good_log(8));
    [
        ("W3SVC1/fifo.log", "odd"),
        ("W3SVC1/socket.log", "odd"),
        ("W3SVC1/dangling.log", "odd"),
        ("W3SVC1/loop", "odd"),
        ("W3SVC1/loop.log", "odd"),
        ("W3SVC1/zero.log", "odd"),
        ("W3SVC1/noise.log", "not-a-log"),
        ("W3SVC1/cut.log.gz", "cut"),
        ("W3SVC1/vanishes.log", "unreadable"),
    ]
    .map(|(name, kind)| (at(name), kind))
    .to_vec()
}

#[test]
fn one_bad_among_many_costs_only_itself() {
    let folder = Folder::new("many");
    let good: Vec<_> = (0..300)
        .map(|index| {
            let name = format!("HOST{}/W3SVC1/ex{index:06}.log", index % 7);
            folder.write(&name, good_log(index))
        })
        .collect();
    let clean = scan_path(folder.path(), options(Access::Auto));
    assert_eq!(clean.hits.len(), 300, "the good ones");
    let bad = spoil(&folder);
    for access in [Access::Auto, Access::Buffered] {
        folder.write("W3SVC1/vanishes.log", good_log(8));
        let evidence = discover(&[folder.path().to_owned()]).unwrap();
        fs::remove_file(folder.path().join("W3SVC1/vanishes.log")).unwrap();
        let found = scan(&evidence, options(access), &Silent);
        for path in &good {
            let case = format!("{access:?}, {}", path.display());
            assert_eq!(found.exhibit(path), clean.exhibit(path), "{case}");
            assert_eq!(found.hits_of(path), clean.hits_of(path), "{case}");
        }
        for (path, kind) in &bad {
            let warnings = found.warnings_of(path);
            let named =
                warnings.iter().any(|it| it.starts_with(&format!("{kind}: ")));
            assert!(named, "{access:?}, {}: {warnings:?}", path.display());
        }
        // Nothing is in these two, so nothing is lost; they are named too.
        for name in ["W3SVC1/empty.log", "W3SVC1/folder.log"] {
            let path = folder.path().join(name);
            let row = found.exhibit(&path).map(|row| text(&row["dialect"]));
            let named =
                row == Some("empty") || !found.warnings_of(&path).is_empty();
            assert!(named, "{access:?}: {name} is not named");
        }
    }
}

/// Runs the program, and fails where it waits for ever.
fn run_within(case: &str, args: &[&Path]) -> super::support::Run {
    let args: Vec<PathBuf> = args.iter().map(|it| it.to_path_buf()).collect();
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(run(&args)));
    receiver
        .recv_timeout(Duration::from_mins(1))
        .unwrap_or_else(|_| panic!("{case}: the program waits"))
}

#[test]
fn bad_files_end_with_the_code_of_a_loss() {
    let folder = Folder::new("bad");
    let good = folder.write("good.log", good_log(1));
    let bad = spoil(&folder);
    let scan = Path::new("scan");
    let all = run_within("folder", &[scan, folder.path()]);
    assert_eq!(all.code, Some(3), "{}", all.err());
    assert!(all.out().contains("root-exe-backdoor"), "{}", all.out());
    // Named themselves they are a loss each.
    for (path, _) in &bad {
        let name = path.file_name().unwrap().to_str().unwrap();
        if matches!(name, "loop" | "vanishes.log") {
            continue;
        }
        let run = run_within(name, &[scan, path, &good]);
        let told = format!("{}{}", run.out(), run.err());
        let code = match name {
            // A path that leads nowhere is a slip of the user's.
            "dangling.log" => 2,
            _ => 3,
        };
        assert_eq!(run.code, Some(code), "{name}: {told}");
        assert!(told.contains(name), "{name} is not named: {told}");
    }
}

#[test]
fn a_cut_gzip_keeps_its_prefix() {
    let folder = Folder::new("gzip");
    let mut dice = Dice::new(13);
    let mut plain = log(4, &mut dice);
    plain.truncate(24_000);
    // Two members, so that cuts fall into headers and seams as well.
    let (first, second) = plain.split_at(13_000);
    let packed = [gzip(first), gzip(second)].concat();
    let seam = gzip(first).len();
    let mut cuts: Vec<usize> = (0..260)
        .map(|cut| 2 + cut * (packed.len() - 2) / 260)
        .chain(seam - 20..seam + 20)
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    assert!(cuts.len() >= 290, "{} cuts", cuts.len());
    let name = |cut: usize| format!("{cut:06}/W3SVC1/ex030303.log.gz");
    for cut in &cuts {
        folder.write(&name(*cut), &packed[..*cut]);
    }
    let found = scan_path(folder.path(), options(Access::Auto));
    let mut before = 0;
    for cut in cuts {
        let path = folder.path().join(name(cut));
        let case = format!("cut at {cut} of {}", packed.len());
        let warnings = found.warnings_of(&path);
        let told = warnings.iter().any(|it| it.starts_with("cut: "));
        assert_eq!(told, cut != seam, "{case}: {warnings:?}");
        let Some(row) = found.exhibit(&path) else {
            panic!("{case}: no row");
        };
        let lines = number(&row["lines"]);
        assert!(lines >= before, "{case}: {lines} lines, {before} before");
        before = lines;
        // The last line is torn; those before it are the log's.
        let kept = first_lines(&plain, lines.saturating_sub(1));
        let intact = scan_bytes(&path, kept);
        let hits: Vec<_> = found.hits_of(&path);
        let hits = hits.into_iter().filter(|hit| number(&hit["line"]) < lines);
        let expected = intact.hits.iter();
        assert!(hits.map(place).eq(expected.map(place)), "{case}: hits");
    }
    let lines = plain.split(|byte| *byte == b'\n').count() as u64;
    assert!(before + 30 > lines, "{before} of {lines} lines at the last cut");
}

/// Which rule, on which line. (The folder's name makes the host differ.)
fn place(hit: &Value) -> (&str, u64, u64) {
    (text(&hit["rule"]), number(&hit["line"]), number(&hit["offset"]))
}
