//! Runs the tests that signatures carry: whole log lines that a rule must or
//! must not match, with the outcome expected.
//!
//! In: the signatures, and the rules to test. Out: what failed, with the
//! place in the rule file. Each line becomes a small log and takes the same
//! way as evidence, so a passing test says something about scans.

use std::sync::Mutex;
use std::sync::PoisonError;

use crate::case::{CaseBuilder, Options, Run};
use crate::error::Result;
use crate::raw::Raw;
use crate::scan::{
    Collector, Hit, Part, ScanOptions, Scanner, Setting, Tally,
};
use crate::signature::{Outcome, Outcomes, Rule, Signatures, Story, TestLine};
use crate::verdict::judge;
use crate::w3c::Record;
use crate::warning::Warning;

/// What came of the tests.
#[derive(Debug, Default)]
pub struct Trial {
    /// Lines that were tested.
    pub lines: usize,
    /// Names of rules without tests.
    pub untested: Vec<String>,
    /// What failed.
    pub failures: Vec<Failure>,
}

/// One line that did not give what its rule expects.
#[derive(Debug)]
pub struct Failure {
    /// The rule's file.
    pub file: Raw,
    /// The line in that file.
    pub at: usize,
    /// The log line.
    pub line: String,
    /// What is wrong.
    pub message: String,
}

/// Runs the tests of the rules given.
pub fn run<'s>(
    signatures: &'s Signatures,
    rules: impl Iterator<Item = &'s Rule>,
) -> Result<Trial> {
    let options = ScanOptions { threads: 1, ..ScanOptions::default() };
    let scanner = Scanner::new(signatures, options)?;
    let outcomes = signatures.outcomes();
    let mut trial = Trial::default();
    for rule in rules {
        let tests = &rule.sleuth.tests;
        for story in &tests.stories {
            let lines: Vec<String> = story.lines().collect();
            trial.lines += lines.len();
            let found = tell(signatures, &scanner, rule, (story, &lines));
            if let Some(message) = misjudged(rule, story, found) {
                trial.failures.push(Failure {
                    file: rule.file.clone(),
                    at: story.at,
                    line: lines.into_iter().next().unwrap_or_default(),
                    message,
                });
            }
        }
        if tests.matching.is_empty()
            && tests.other.is_empty()
            && tests.stories.is_empty()
        {
            trial.untested.push(rule.name.clone());
        }
        let matching = tests.matching.iter().map(|line| (line, true));
        let other = tests.other.iter().map(|line| (line, false));
        for (line, must_match) in matching.chain(other) {
            trial.lines += 1;
            let seen = Witness::watch(&scanner, outcomes, rule, line);
            if let Some(message) = fault(rule, line, must_match, &seen) {
                trial.failures.push(Failure {
                    file: rule.file.clone(),
                    at: line.at,
                    line: line.line.clone(),
                    message,
                });
            }
        }
    }
    Ok(trial)
}

/// What a correlation makes of a small log: the worst outcome, or what is
/// wrong with the log.
fn tell(
    signatures: &Signatures,
    scanner: &Scanner<'_>,
    rule: &Rule,
    (story, lines): (&Story, &[String]),
) -> std::result::Result<Option<Outcome>, String> {
    let outcomes = signatures.outcomes();
    let builder =
        CaseBuilder::new(outcomes, Options::default(), Run::default());
    let log = format!(
        "#Software: {}\n#Version: 1.0\n#Fields: {}\n{}\n",
        story.software,
        story.fields,
        lines.join("\n")
    );
    scanner.scan_bytes(&Raw::from("test"), log.as_bytes(), &builder);
    let (case, _) = builder.finish();
    if case.summary.records != lines.len() as u64 {
        return Err("a line does not fit its fields".to_owned());
    }
    Ok(case.held(&rule.name).worst())
}

fn misjudged(
    rule: &Rule,
    story: &Story,
    found: std::result::Result<Option<Outcome>, String>,
) -> Option<String> {
    let name = &rule.name;
    let outcome = match found {
        Ok(outcome) => outcome,
        Err(message) => return Some(message),
    };
    match (&story.outcome, outcome) {
        (None, None) => None,
        (None, Some(_)) => Some(format!("{name} matches")),
        (Some(_), None) => Some(format!("{name} does not match")),
        (Some(expected), Some(outcome)) => {
            let word = outcome.as_str();
            (word != expected)
                .then(|| format!("{name} is {word}, expected {expected}"))
        }
    }
}

fn fault(
    rule: &Rule,
    line: &TestLine,
    must_match: bool,
    seen: &Seen,
) -> Option<String> {
    let name = &rule.name;
    if seen.records != 1 {
        return Some("the line does not fit its fields".to_owned());
    }
    match (must_match, seen.outcome) {
        (true, None) => Some(format!("{name} does not match")),
        (false, Some(_)) => Some(format!("{name} matches")),
        (false, None) => None,
        (true, Some(outcome)) => {
            let expected = line.outcome.as_deref()?;
            let word = outcome.as_str();
            (word != expected)
                .then(|| format!("{name} is {word}, expected {expected}"))
        }
    }
}

/// What a rule made of a line.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    records: u64,
    outcome: Option<Outcome>,
}

/// Watches one rule during a scan.
#[derive(Debug)]
struct Witness<'a> {
    outcomes: &'a Outcomes,
    rule: &'a str,
    seen: Mutex<Seen>,
}

impl<'a> Witness<'a> {
    fn watch(
        scanner: &Scanner<'_>,
        outcomes: &'a Outcomes,
        rule: &'a Rule,
        line: &TestLine,
    ) -> Seen {
        let name = &rule.name;
        let witness = Self { outcomes, rule: name, seen: Mutex::default() };
        let log = format!(
            "#Software: {}\n#Version: 1.0\n#Fields: {}\n{}\n",
            line.software, line.fields, line.line
        );
        scanner.scan_bytes(&Raw::from("test"), log.as_bytes(), &witness);
        witness.seen.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Collector for Witness<'a> {
    type Part = Testimony<'a>;

    fn part(&self, _: &Setting) -> Testimony<'a> {
        let seen = Seen::default();
        Testimony { outcomes: self.outcomes, rule: self.rule, seen }
    }

    fn aside(&self, _: Warning) {}

    fn exhibit(&self, _: &Setting, _: Tally, part: Testimony<'a>) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = part.seen;
    }
}

/// What one chunk shows of the rule.
#[derive(Debug)]
struct Testimony<'a> {
    outcomes: &'a Outcomes,
    rule: &'a str,
    seen: Seen,
}

impl Part for Testimony<'_> {
    fn record(&mut self, _: &Record<'_>, _: u64) {
        self.seen.records += 1;
    }

    fn hit(&mut self, hit: &Hit<'_>) {
        if hit.rule.name == self.rule {
            let verdict = judge(hit, self.outcomes);
            self.seen.outcome = Some(verdict.outcome);
        }
    }

    fn append(&mut self, later: Self, _: u64) {
        self.seen.records += later.seen.records;
        self.seen.outcome = self.seen.outcome.or(later.seen.outcome);
    }
}
