//! Many small files: what each of them costs in memory, and how many are
//! open at once.
//!
//! In: folders of logs of two lines each, made here, and the most memory and
//! handles that a run over them was seen to have, which only Linux tells.
//! Out: the memory of one more file is bounded, and handles do not depend on
//! how many there are. A million files are asked for by
//!
//! ```sh
//! cargo test --release --test it crowds -- --ignored --nocapture
//! ```

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::bombs::peak;
use crate::support::{Folder, bin};

/// Bytes that one more file may take: its name twice, its row with the
/// digest, and its place in the tables.
const SCAN: u64 = 900;
const INVENTORY: u64 = 1_100;

/// The standard ones, and a few for each thread.
const HANDLES: usize = 64;

/// The most that a run was seen to have.
struct Most {
    kib: u64,
    handles: usize,
    took: Duration,
}

/// Runs the program on a folder; `None` where nobody tells what it has.
fn run(words: &[&str], folder: &Path) -> Option<Most> {
    let begin = Instant::now();
    let mut child = bin()
        .args(words)
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut kib, mut handles) = (None, 0);
    let status = loop {
        kib = peak(child.id()).max(kib);
        let open = std::fs::read_dir(format!("/proc/{}/fd", child.id()));
        handles = handles.max(open.map_or(0, Iterator::count));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(status.code(), Some(0), "{words:?}");
    kib.map(|kib| Most { kib, handles, took: begin.elapsed() })
}

/// A thousand in a folder, ten folders a host.
fn fill(folder: &Folder, from: u32, to: u32) {
    let head = "#Fields: date time c-ip cs-method cs-uri-stem sc-status\n";
    for number in from..to {
        let log = format!(
            "{head}2001-07-19 13:00:01 192.0.2.1 GET /{number}.htm 200\n\
             2001-07-19 13:00:02 192.0.2.1 GET /a.gif 200\n"
        );
        let (host, site) = (number / 10_000, number / 1_000 % 10 + 1);
        let number = number % 1_000;
        let name = format!("WEB{host:03}/W3SVC{site}/u_ex{number:06}.log");
        folder.write(&name, log);
    }
}

/// So many files, and so many more.
fn grow(few: u32, many: u32) {
    let folder = Folder::new("crowd");
    fill(&folder, 0, few);
    let ways: [(&[&str], u64); 2] = [
        (&["scan", "-q", "--format", "json"], SCAN),
        (&["inventory", "-q", "--format", "json"], INVENTORY),
    ];
    let before = ways.map(|(words, _)| run(words, folder.path()));
    fill(&folder, few, many);
    for ((words, most), before) in ways.into_iter().zip(before) {
        let after = run(words, folder.path());
        let Some((before, after)) = before.zip(after) else { return };
        let more = after.kib.saturating_sub(before.kib) << 10;
        let each = more / u64::from(many - few);
        let told = format!(
            "{} of {many} files: {each} bytes a file, {} MiB in all, {} \
             handles, {:?}\n",
            words[0],
            after.kib >> 10,
            after.handles,
            after.took
        );
        // Seen with --nocapture.
        let _ = std::io::stderr().write_all(told.as_bytes());
        assert!(each <= most, "{words:?}: {each} bytes a file");
        assert!(after.handles <= HANDLES, "{} handles", after.handles);
    }
}

#[test]
fn one_more_file_costs_little() {
    grow(4_000, 12_000);
}

/// Takes minutes and some GiB of disk.
#[test]
#[ignore = "makes a million files"]
fn one_of_a_million_costs_no_more() {
    grow(200_000, 1_000_000);
}
