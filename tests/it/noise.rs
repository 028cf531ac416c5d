//! Ordinary traffic raises no alarm.
//!
//! In: made-up traffic of real kinds of sites, five million lines of it and
//! more, and the clean logs of the corpus where it is there. Out: how often
//! each rule fires in a million lines, which `testdata/noise.tsv` keeps.
//! What is above `low` must not fire at all.
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

mod fill;
mod traffic;

use traffic::Traffic;

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

/// What so many made logs raise, and their lines.
fn made(logs: usize) -> (Fired, u64) {
    let traffic = Traffic::new();
    let options = ScanOptions { threads: 1, ..ScanOptions::default() };
    let scanner = Scanner::new(embedded(), options).unwrap();
    let noise = Noise::default();
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= logs {
                        return;
                    }
                    let text = traffic.log(n as u64, LINES);
                    scanner.scan_bytes(&Raw::from("made"), &text, &noise);
                }
            });
        }
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
#[allow(clippy::print_stdout)] // Only seen where tests print.
#[ignore = "a minute with --release"]
fn ordinary_traffic_is_measured() {
    let (fired, lines) = made(2600);
    let clean = clean();
    let (other, others) = clean.clone().unwrap_or_default();
    let mut rules: Vec<&String> = fired.keys().chain(other.keys()).collect();
    rules.sort();
    rules.dedup();
    let mut table = format!(
        "# made: {lines} lines; clean: {others} lines; rules that are not \
         listed: 0\nrule\tlevel\tmade\tin a million\tclean\n"
    );
    for rule in rules {
        let count = |of: &Fired| of.get(rule).map_or(0, |(count, _)| *count);
        let share = count(&fired) as f64 * 1e6 / lines as f64;
        let level = level(rule).as_str();
        let figures = format!("{}\t{share:.1}", count(&fired));
        writeln!(table, "{rule}\t{level}\t{figures}\t{}", count(&other))
            .unwrap();
        let line = fired.get(rule).or_else(|| other.get(rule));
        let line = line.unwrap().1.escape_ascii();
        println!("{rule} ({level}) {figures}: {line}");
    }
    let alarms = [alarms(&fired), alarms(&other)].concat();
    if clean.is_some() {
        golden("noise.tsv", table.as_bytes());
    } else {
        println!("not compared: there is no ../shared/corpus\n{table}");
    }
    assert!(alarms.is_empty(), "{alarms}");
}
