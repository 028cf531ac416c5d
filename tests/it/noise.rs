//! Ordinary traffic raises no alarm.
//!
//! In: made-up traffic of real kinds of sites, five million lines of it and
//! more, and the clean logs of the corpus where it is there. Out: how often
//! each rule fires in a million lines, which `testdata/noise.tsv` keeps.
//! What is above `low` must not fire at all. Correlations are measured on
//! traffic of fewer clients (`noise/chains.rs`).
//!
//! The traffic was written before it was scanned, from what such sites log,
//! and nothing was taken out of it because a rule fires on it.
//!
//! `cargo test --release --locked --test it noise -- --ignored --nocapture`
//! measures anew; with `IISLEUTH_BLESS=1` it writes the file. A small part
//! runs with all tests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use iisleuth::evidence::discover;
use iisleuth::raw::Raw;
use iisleuth::scan::{
    Collector, Hit, Part, ScanOptions, Scanner, Setting, Silent, Tally,
};
use iisleuth::signature::{Level, Rule};
use iisleuth::w3c::Record;
use iisleuth::warning::Warning;

use crate::scanning::embedded;
use crate::support::{corpus, golden};

mod chains;
mod fill;
mod traffic;

use traffic::{CROWD, Traffic};

/// Lines of one made log.
const LINES: usize = 2000;

/// What fires: rule, how often, and one line.
type Fired = BTreeMap<String, (u64, Vec<u8>)>;

/// Counts hits, and keeps a line for each rule.
#[derive(Default)]
struct Noise {
    fired: Mutex<Fired>,
    records: Mutex<u64>,
}

#[derive(Default)]
struct Share {
    fired: Fired,
    records: u64,
}

fn add(fired: &mut Fired, more: Fired) {
    for (rule, (count, line)) in more {
        let own = fired.entry(rule).or_insert((0, line.clone()));
        own.0 += count;
        // The same one, however the threads were.
        if line < own.1 {
            own.1 = line;
        }
    }
}

impl Collector for Noise {
    type Part = Share;

    fn part(&self, _: &Setting) -> Share {
        Share::default()
    }

    fn aside(&self, _: Warning) {}

    fn exhibit(&self, _: &Setting, tally: Tally, part: Share) {
        assert_eq!(tally.rejected, 0, "made lines fit their fields");
        *self.records.lock().unwrap() += part.records;
        add(&mut self.fired.lock().unwrap(), part.fired);
    }
}

impl Part for Share {
    fn record(&mut self, _: &Record<'_>, _: u64) {
        self.records += 1;
    }

    fn wants_words(&self, _: &Rule) -> bool {
        false
    }

    fn hit(&mut self, hit: &Hit<'_>) {
        let one = (1, hit.text.to_vec());
        add(&mut self.fired, BTreeMap::from([(hit.rule.name.clone(), one)]));
    }

    fn append(&mut self, later: Self, _: u64) {
        self.records += later.records;
        add(&mut self.fired, later.fired);
    }
}

/// Does the work for each number below `end`, on all processors.
fn for_each(end: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= end {
                        return;
                    }
                    work(n);
                }
            });
        }
    });
}

/// What so many made logs raise, and their lines.
fn made(logs: usize) -> (Fired, u64) {
    let traffic = Traffic::new();
    let options = ScanOptions { threads: 1, ..ScanOptions::default() };
    let scanner = Scanner::new(embedded(), options).unwrap();
    let noise = Noise::default();
    for_each(logs, |n| {
        let text = traffic.log(n as u64, LINES, CROWD);
        scanner.scan_bytes(&Raw::from("made"), &text, &noise);
    });
    let records = noise.records.into_inner().unwrap();
    assert_eq!(records, (logs * LINES) as u64, "each line is a record");
    (noise.fired.into_inner().unwrap(), records)
}

/// What the clean logs of the corpus raise, and their lines.
fn clean() -> Option<(Fired, u64)> {
    let folder = corpus()?.join("clean");
    let evidence = discover(&[folder]).unwrap();
    let noise = Noise::default();
    let scanner = Scanner::new(embedded(), ScanOptions::default()).unwrap();
    assert!(scanner.scan(&evidence, &noise, &Silent), "interrupted");
    let records = noise.records.into_inner().unwrap();
    Some((noise.fired.into_inner().unwrap(), records))
}

fn level(rule: &str) -> Level {
    let rules = embedded().rules().iter();
    rules.clone().find(|own| own.name == rule).unwrap().level
}

/// The rules above `low` that fire, each with a line.
fn alarms(fired: &Fired) -> String {
    let mut told = String::new();
    for (rule, (count, line)) in fired {
        if level(rule) > Level::Low {
            let line = line.escape_ascii();
            writeln!(told, "{rule}: {count}, {line}").unwrap();
        }
    }
    told
}

#[test]
fn a_little_ordinary_traffic_raises_no_alarm() {
    let (fired, _) = made(50);
    let alarms = alarms(&fired);
    assert!(alarms.is_empty(), "{alarms}");
}

#[test]
fn a_few_busy_clients_add_up_to_no_alarm() {
    let (fired, lines) = chains::made(1);
    assert!(lines >= 99_000, "{lines} lines");
    let alarms = alarms(&fired);
    assert!(alarms.is_empty(), "{alarms}");
}

/// Rows of the table: what fires in made lines, and in the clean logs.
#[allow(clippy::print_stdout)] // Only seen where tests print.
fn rows(made: &Fired, lines: u64, clean: &Fired) -> String {
    let mut rules: Vec<&String> = made.keys().chain(clean.keys()).collect();
    rules.sort();
    rules.dedup();
    let mut rows = String::new();
    for rule in rules {
        let count = |of: &Fired| of.get(rule).map_or(0, |(count, _)| *count);
        let share = count(made) as f64 * 1e6 / lines as f64;
        let level = level(rule).as_str();
        let figures = format!("{}\t{share:.1}", count(made));
        writeln!(rows, "{rule}\t{level}\t{figures}\t{}", count(clean))
            .unwrap();
        let line = made.get(rule).or_else(|| clean.get(rule));
        let line = line.unwrap().1.escape_ascii();
        println!("{rule} ({level}) {figures}: {line}");
    }
    rows
}

#[test]
#[allow(clippy::print_stdout)] // Only seen where tests print.
#[ignore = "a minute with --release"]
fn ordinary_traffic_is_measured() {
    let (fired, lines) = made(2600);
    let (chained, busy) = chains::made(12);
    let clean = clean();
    let (other, others) = clean.clone().unwrap_or_default();
    let linked = chains::clean().unwrap_or_default();
    let table = format!(
        "# made: {lines} lines; clean: {others} lines; rules that are not \
         listed: 0\nrule\tlevel\tmade\tin a million\tclean\n{}\
         # correlations; made, of few clients: {busy} lines\n{}",
        rows(&fired, lines, &other),
        rows(&chained, busy, &linked)
    );
    let alarms = [&fired, &other, &chained, &linked].map(alarms).concat();
    assert!(alarms.is_empty(), "{alarms}");
    if clean.is_some() {
        golden("noise.tsv", table.as_bytes());
    } else {
        println!("not compared: there is no ../shared/corpus\n{table}");
    }
}
