//! Another evaluator of Sigma and this program match the same.
//!
//! In: rules, and lines made from the rules' own words. Out: for each rule
//! and line what the program says where names mean the logged columns and
//! nothing more (`--sigma-strict`), and what the crate `rsigma-eval` says of
//! the same columns as an event. The two share no code and no author. Where
//! they differ, `known` says why and who is right; a difference that is not
//! listed fails, and so does a row of the list that nothing shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use iisleuth::signature::{Op, Rule, Scratch, Signatures, Source};
use rsigma_eval::event::JsonEvent;
use rsigma_eval::{CompiledRule, compile_rule, evaluate_rule};
use rsigma_parser::parse_sigma_yaml;

use crate::library::{Dice, signatures};
use crate::support::{Folder, root};

mod conditions;
mod events;
mod known;
mod modifiers;
mod public;
mod shapes;
mod values;

use events::{Request, event, names, read};
use known::REFUSED;

/// Lines for each rule of the program.
const LINES: usize = 120;

/// Where the dice begin; another number makes other lines.
const SEED: u64 = 0x51_67_4d_41;

/// Rules as the other evaluator has them, by name; or why it refuses them.
type Others = BTreeMap<String, Result<CompiledRule, String>>;

/// Reads rules for the other evaluator.
fn others(text: &str) -> Others {
    let file = parse_sigma_yaml(text).unwrap();
    let mut found = Others::new();
    for fault in file.errors {
        found.insert(String::new(), Err(fault));
    }
    for rule in &file.rules {
        let name = rule.name.clone().unwrap_or_default();
        let own = compile_rule(rule).map_err(|it| it.to_string());
        let before = found.insert(name.clone(), own);
        assert!(before.is_none(), "{name} stands twice");
    }
    found
}

/// Reads rules for the program, or says why it refuses them.
fn ours(text: &str, strict: bool) -> Result<Signatures, String> {
    let folder = Folder::new("agreement");
    let source = Source {
        without_embedded: true,
        paths: vec![folder.write("rules.yml", text)],
        strict,
        ..Source::default()
    };
    Signatures::load(&source).map_err(|faults| {
        let first = faults.first().map(|it| it.message.clone());
        first.unwrap_or_default()
    })
}

/// A rule with this detection, each line of it indented by four.
fn rule(name: &str, detection: &str) -> String {
    format!(
        "---\ntitle: {name}\nname: {name}\nlogsource:\n    \
         category: webserver\ndetection:\n{detection}level: low\n\
         iisleuth: {{columns: [x, y, a, b]}}\n"
    )
}

/// What both say of one rule and one line: ours, then theirs.
fn verdicts(
    set: &Signatures,
    index: u32,
    other: &CompiledRule,
    request: &Request,
    scratch: &mut Scratch,
) -> Option<(bool, bool)> {
    let own = read(request, |record| set.matches(index, record, scratch))?;
    let event = JsonEvent::owned(event(request));
    Some((own, evaluate_rule(other, &event).is_some()))
}

/// The files of all rules that come with the program.
fn rule_files() -> String {
    let mut text = String::new();
    let mut folders = vec![root().join("signatures")];
    while let Some(folder) = folders.pop() {
        let is_top = folder == root().join("signatures");
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !is_top && path.extension().is_some_and(|it| it == "yml")
            {
                text.push_str("---\n");
                text.push_str(&fs::read_to_string(path).unwrap());
                text.push('\n');
            }
        }
    }
    text
}

/// The requests in the tests of a rule.
fn own_requests(rule: &Rule) -> Vec<Request> {
    let tests = &rule.sleuth.tests;
    let lines = tests.matching.iter().chain(&tests.other);
    lines.map(Request::of).collect()
}

/// Compares one rule of the program; how many lines, and how many match.
fn compare(
    set: &Signatures,
    index: u32,
    other: &CompiledRule,
    pool: &[Request],
) -> Result<(usize, usize), String> {
    let own = &set.rule(index).unwrap();
    let requests = own_requests(own);
    let mut dice = Dice::new(SEED ^ u64::from(index));
    let mut scratch = Scratch::default();
    let (mut lines, mut matches) = (0, 0);
    for turn in 0..4 * LINES {
        let request = match requests.get(turn) {
            Some(request) => request.clone(),
            None => {
                let from = &requests[dice.below(requests.len())];
                from.varied(&mut dice, &requests, pool)
            }
        };
        let Some((ours, theirs)) =
            verdicts(set, index, other, &request, &mut scratch)
        else {
            continue;
        };
        if ours != theirs {
            return Err(format!(
                "{}: we say {ours}, the other {theirs}\n  {}\n  {}",
                own.name,
                request.fields(),
                request.line()
            ));
        }
        lines += 1;
        matches += usize::from(ours);
        if lines == LINES {
            break;
        }
    }
    Ok((lines, matches))
}

#[test]
fn every_rule_of_the_program_matches_what_the_other_evaluator_matches() {
    let source = Source { strict: true, ..Source::default() };
    let set = Signatures::load(&source).unwrap();
    let others = others(&rule_files());
    let pool: Vec<_> = set.rules().iter().flat_map(own_requests).collect();
    let (next, told) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(own) = set.rules().get(at) else { break };
                let index = u32::try_from(at).unwrap();
                let name = &own.name;
                if own.correlation.is_some() {
                    continue;
                }
                let listed = REFUSED.iter().any(|it| it.0 == name);
                let found = match others.get(name) {
                    Some(Err(_)) if listed => continue,
                    _ if listed => Err(format!("{name} is not refused")),
                    Some(Ok(other)) => compare(&set, index, other, &pool),
                    Some(Err(fault)) => Err(format!("{name}: {fault}")),
                    None => Err(format!("{name} has no twin")),
                };
                told.lock().unwrap().push((name.clone(), found));
            }
        };
        scope.spawn(work);
        scope.spawn(work);
    });
    let told = told.into_inner().unwrap();
    // What correlations make of hits is not asked here.
    let rules = set.rules().iter().filter(|it| it.correlation.is_none());
    assert_eq!(told.len() + REFUSED.len(), rules.count());
    let faults: Vec<_> =
        told.iter().filter_map(|it| it.1.as_ref().err().cloned()).collect();
    assert!(
        faults.is_empty(),
        "{} of {} rules differ:\n{}",
        faults.len(),
        told.len(),
        faults[..faults.len().min(10)].join("\n")
    );
    let (mut lines, mut matches, mut silent) = (0, 0, Vec::new());
    for (name, found) in &told {
        let (own_lines, own_matches) = found.as_ref().unwrap();
        assert!(*own_lines >= 100, "{name}: {own_lines} lines");
        (lines, matches) = (lines + own_lines, matches + own_matches);
        if *own_matches == 0 {
            silent.push(name.as_str());
        }
    }
    println!(
        "{} rules, {lines} lines, {matches} matches, {} without: {silent:?}",
        told.len(),
        silent.len()
    );
    assert!(matches * 20 >= lines, "{matches} of {lines} lines match");
    // Under `--sigma-strict` encoded and joined requests do not count, so
    // some rules match none of their lines, but few.
    assert!(silent.len() * 10 <= told.len(), "never match: {silent:?}");
}

/// A field that no event has would agree in silence.
#[test]
fn every_field_of_the_rules_is_in_the_events() {
    let mut known = BTreeSet::new();
    let mut asked = BTreeMap::new();
    for rule in signatures().rules() {
        for request in own_requests(rule) {
            known.extend(request.columns.iter().flat_map(|it| names(&it.0)));
        }
        for test in &rule.detection.tests {
            let field = test.field.clone().unwrap_or_default();
            asked.entry(field).or_insert(&rule.name);
            if let Op::FieldRef { other, .. } = &test.op {
                asked.entry(other.clone()).or_insert(&rule.name);
            }
        }
    }
    asked.remove("");
    asked.retain(|field, _| !known.contains(field));
    assert!(asked.is_empty(), "in no event: {asked:?}");
}

/// The evaluator brings more of the crate `regex` than the program has, so a
/// rule that needs more would pass all tests and be refused in the field.
#[test]
fn no_rule_needs_what_only_tests_bring() {
    for rule in signatures().rules() {
        for test in &rule.detection.tests {
            let Op::Regex { regexes, .. } = &test.op else { continue };
            for regex in regexes {
                let text = regex.as_str();
                let class = text.contains(r"\p") || text.contains(r"\P");
                assert!(!class, "{}: {text}", rule.name);
            }
        }
    }
}
