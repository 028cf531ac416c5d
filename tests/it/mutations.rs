//! A request that means the same is found by the same rule.
//!
//! In: the lines that rules must match, each written another way, as an
//! attacker would and the log would show it: other letter case, escapes,
//! detours in the path, more parameters. Out: how many are still found by
//! their rule, for each way; those that are not stand with their reasons in
//! `testdata/mutations.tsv`.
//!
//! HTTP.sys decodes a path once and shortens it before it is logged, so most
//! of what is tried here never shows in a path of IIS 6 or later. IIS 4 and
//! 5, HTTPERR, URLScan and Apache show it. All rules are held to all ways.
//!
//! `cargo test --release --test it mutations -- --ignored` tries each place
//! of each line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use iisleuth::signature::{Scratch, Signatures, TestLine};
use iisleuth::w3c::{Line, Parser};

use crate::scanning::embedded;
use crate::support::golden;

mod reasons;
mod ways;

use ways::{Request, WAYS};

/// Of the lines written another way, those that are found: per cent.
const LEAST: f64 = 97.0;

/// What became of one way.
#[derive(Clone, Copy, Default)]
struct Count {
    tried: usize,
    found: usize,
}

impl Count {
    fn share(self) -> f64 {
        100.0 * self.found as f64 / self.tried.max(1) as f64
    }
}

/// Tries a line; true where the rule finds it.
struct Trial<'s> {
    set: &'s Signatures,
    scratch: Scratch,
}

impl Trial<'_> {
    fn finds(&mut self, index: u32, test: &TestLine, line: &str) -> bool {
        let mut parser = Parser::default();
        let software = format!("#Software: {}", test.software);
        let fields = format!("#Fields: {}", test.fields);
        parser.line(software.as_bytes(), false);
        parser.line(fields.as_bytes(), false);
        match parser.line(line.as_bytes(), false) {
            Line::Record(record) => {
                self.set.find(&record, &mut self.scratch);
                self.scratch.rules.contains(&index)
            }
            _ => panic!("no record: {line}"),
        }
    }

    /// The other rules that found the line tried last.
    fn others(&self) -> Vec<String> {
        let rules = self.scratch.rules.iter();
        let rules = rules.filter_map(|index| self.set.rule(*index));
        rules.map(|rule| rule.name.clone()).collect()
    }
}

/// What is missed, by rule and way.
type Misses = BTreeMap<(String, &'static str), Miss>;

#[derive(Default)]
struct Miss {
    missed: usize,
    tried: usize,
    /// Those that no other rule finds either.
    lost: usize,
    /// The first of these, else of all.
    line: String,
    /// The rules that find the others.
    heirs: BTreeSet<String>,
}

/// Every rule's lines in every way, some places of each or all of them.
fn try_all(every_place: bool) -> (BTreeMap<&'static str, Count>, Misses) {
    let set = embedded();
    let mut trial = Trial { set, scratch: Scratch::default() };
    let mut counts: BTreeMap<_, Count> = BTreeMap::new();
    let mut misses = Misses::new();
    for (rule, index) in set.rules().iter().zip(0_u32..) {
        for test in &rule.sleuth.tests.matching {
            assert!(trial.finds(index, test, &test.line), "{}", rule.name);
            for (way, write) in &WAYS {
                if reasons::is_left_out(rule, way) {
                    continue;
                }
                let request = Request::of(test);
                for line in write(&request, every_place) {
                    let found = trial.finds(index, test, &line);
                    let count = counts.entry(*way).or_default();
                    count.tried += 1;
                    count.found += usize::from(found);
                    let key = (rule.name.clone(), *way);
                    let miss = misses.entry(key).or_default();
                    miss.tried += 1;
                    if !found {
                        miss.note(line, trial.others());
                    }
                }
            }
        }
    }
    misses.retain(|_, miss| miss.missed > 0);
    (counts, misses)
}

impl Miss {
    fn note(&mut self, line: String, others: Vec<String>) {
        self.missed += 1;
        let is_lost = others.is_empty();
        if self.missed == 1 || is_lost && self.lost == 0 {
            self.line = line;
        }
        self.lost += usize::from(is_lost);
        self.heirs.extend(others);
    }
}

/// Fails where too little is found, overall or in one way.
#[allow(clippy::print_stdout)] // Only seen where tests print.
fn hold(counts: &BTreeMap<&'static str, Count>) {
    let mut all = Count::default();
    for count in counts.values() {
        all.tried += count.tried;
        all.found += count.found;
    }
    let mut told = String::new();
    for (way, count) in counts.iter().chain([(&"all", &all)]) {
        let Count { tried, found } = count;
        let share = count.share();
        writeln!(told, "{way}: {found} of {tried}, {share:.2} %").unwrap();
    }
    println!("{told}");
    let is_low = |count: &Count| count.share() < LEAST;
    assert!(!counts.values().any(is_low) && !is_low(&all), "{told}");
    assert_eq!(counts.len(), WAYS.len(), "each way is tried");
}

/// The misses as a table, with the reason for each.
#[allow(clippy::print_stdout)] // Only seen where tests print.
fn table(misses: &Misses) -> String {
    let mut out =
        String::from("rule\tway\tmissed\ttried\tlost\tfound by\treason\n");
    for ((rule, way), miss) in misses {
        let Miss { missed, tried, lost, line, heirs } = miss;
        let heirs: Vec<_> = heirs.iter().map(String::as_str).collect();
        let heirs = heirs.join(" ");
        let reason = reasons::of(rule, way).unwrap_or_else(|| {
            println!("no reason: {rule}, {way}: {lost}, {heirs}: {line}");
            "?"
        });
        let figures = format!("{missed}\t{tried}\t{lost}\t{heirs}");
        writeln!(out, "{rule}\t{way}\t{figures}\t{reason}").unwrap();
    }
    out
}

#[test]
fn what_means_the_same_is_found_by_the_same_rule() {
    let (counts, misses) = try_all(false);
    let table = table(&misses);
    hold(&counts);
    assert!(!table.contains("\t?\n"), "each miss has its reason");
    let keys = misses.keys().map(|(rule, way)| (rule.as_str(), *way));
    let idle = reasons::idle(keys);
    assert!(idle.is_empty(), "reasons for what is found: {idle:?}");
    golden("mutations.tsv", table.as_bytes());
}

/// Each place of each line: a few million lines.
#[test]
#[allow(clippy::print_stdout)] // Only seen where tests print.
#[ignore = "takes minutes"]
fn what_means_the_same_is_found_at_every_place() {
    let (counts, misses) = try_all(true);
    hold(&counts);
    print!("{}", table(&misses));
}
