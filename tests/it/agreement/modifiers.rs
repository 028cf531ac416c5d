//! Made rules for every modifier, and for most that may stand together.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use iisleuth::signature::Scratch;
use rsigma_eval::event::JsonEvent;
use rsigma_eval::{CompiledRule, evaluate_rule};

use super::events::{Request, event};
use super::known::{Point, REFUSALS, ROWS, Refusal, errs, explains};
use super::values::{NETWORKS, NUMBERS, PLAIN, REGEXES, TEXTS, texts};
use super::{SEED, others, ours, rule, verdicts};
use crate::library::Dice;

/// Columns that a case looks at in turn, as rules call them.
const FIELDS: [(&str, &str); 5] = [
    ("x-note", "x-note"),
    ("cs-uri-query", "cs-uri-query"),
    ("cs-uri-stem", "cs-uri-stem"),
    ("cs-user-agent", "cs(User-Agent)"),
    ("cs-referer", "cs(Referer)"),
];

/// Cases in one file: each may hold so many regular expressions.
const FILE: usize = 400;

/// Texts that each case is compared with, drawn from all that it makes.
const TEXTS_EACH: usize = 32;

/// One key with its values.
struct Case {
    chain: Vec<&'static str>,
    values: Vec<&'static str>,
    /// No field: the values are looked for anywhere.
    is_keyword: bool,
}

impl Case {
    fn field(&self, number: usize) -> (&'static str, &'static str) {
        FIELDS[number % FIELDS.len()]
    }

    fn detection(&self, number: usize) -> String {
        let field = self.field(number).0;
        search(field, &self.chain, &self.values, self.is_keyword)
    }

    fn requests(&self, number: usize) -> Vec<(String, Request)> {
        let column = self.field(number).1;
        let others: &[&str] = if self.chain.contains(&"fieldref") {
            &["-", "abc", "aBC", "bc", "20", "é"]
        } else {
            &["o"]
        };
        let mut requests = Vec::new();
        let mut dice = Dice::new(SEED ^ u64::try_from(number).unwrap());
        let mut texts = texts(&self.chain, &self.values);
        while texts.len() > TEXTS_EACH {
            texts.swap_remove(dice.below(texts.len()));
        }
        for text in texts {
            for other in others {
                let mut request = Request::new(&[
                    ("c-ip", "198.51.100.9"),
                    ("cs-method", "GET"),
                    ("cs-uri-stem", "o"),
                    ("cs-uri-query", "o"),
                    ("cs(User-Agent)", "o"),
                    ("cs(Referer)", "o"),
                    ("x-note", "o"),
                    ("x-other", other),
                ]);
                for own in &mut request.columns {
                    if own.0 == column {
                        own.1.clone_from(&text);
                    }
                }
                requests.push((text.clone(), request));
            }
        }
        requests
    }
}

/// The detection of one key with its values.
fn search(
    field: &str,
    chain: &[&str],
    values: &[&str],
    is_keyword: bool,
) -> String {
    let mut key = vec![if is_keyword { "" } else { field }];
    key.extend(chain);
    let list = format!("[{}]", values.join(", "));
    let search = match values {
        _ if key == [""] => list,
        [value] => format!("{{'{}': {value}}}", key.join("|")),
        _ => format!("{{'{}': {list}}}", key.join("|")),
    };
    format!("    s: {search}\n    condition: s\n")
}

/// Each value alone, and lists of two and three of them.
fn lists(
    cases: &mut Vec<Case>,
    chain: &[&'static str],
    values: &[&'static str],
) {
    let mut add = |values: Vec<&'static str>| {
        let chain = chain.to_vec();
        cases.push(Case { chain, values, is_keyword: false });
    };
    if !chain.contains(&"all") {
        for value in values {
            add(vec![value]);
        }
    }
    let is_long = values.len() > 15;
    for (at, value) in values.iter().enumerate() {
        if is_long && at % 2 == 1 {
            continue;
        }
        let step = 1 + at % 5;
        let next = |far: usize| values[(at + far * step) % values.len()];
        if next(1) != *value {
            add(vec![value, next(1)]);
        }
        if at % 4 == 0 && values.len() > 5 {
            add(vec![value, next(1), next(2)]);
        }
    }
}

/// Values without a field.
fn keywords(cases: &mut Vec<Case>) {
    for chain in [&[][..], &["all"], &["contains"], &["contains", "all"]] {
        let before = cases.len();
        lists(cases, chain, &TEXTS[..32]);
        cases[before..].iter_mut().for_each(|it| it.is_keyword = true);
    }
    for chain in [&["re"][..], &["re", "i"], &["re", "all"]] {
        let before = cases.len();
        lists(cases, chain, &REGEXES);
        cases[before..].iter_mut().for_each(|it| it.is_keyword = true);
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let chain = |parts: &[&'static str]| -> Vec<&'static str> {
        parts.iter().copied().filter(|part| !part.is_empty()).collect()
    };
    for place in ["", "contains", "startswith", "endswith"] {
        for cased in ["", "cased"] {
            for all in ["", "all"] {
                for neq in ["", "neq"] {
                    let own = chain(&[place, cased, all, neq]);
                    lists(&mut cases, &own, &TEXTS);
                }
            }
        }
        for last in ["", "cased", "all", "neq"] {
            let own = chain(&["windash", place, last]);
            lists(&mut cases, &own, &TEXTS[..8]);
            let own = chain(&["windash", "base64", place, last]);
            lists(&mut cases, &own, &PLAIN);
            for code in ["wide", "utf16le", "utf16be", "utf16"] {
                lists(&mut cases, &chain(&[code, place, last]), &PLAIN);
                let own = chain(&[code, "base64", place, last]);
                lists(&mut cases, &own, &PLAIN);
            }
            lists(&mut cases, &chain(&["base64", place, last]), &PLAIN);
        }
        for neq in ["", "neq"] {
            let own = chain(&["fieldref", place, neq]);
            lists(&mut cases, &own, &["x-other"]);
        }
    }
    for code in ["", "wide", "utf16le", "utf16be", "utf16"] {
        for last in ["", "cased", "all", "neq"] {
            let own = chain(&[code, "base64offset", "contains", last]);
            lists(&mut cases, &own, &PLAIN);
        }
    }
    for flags in ["", "i", "m", "s", "ignorecase", "multiline", "dotall"] {
        for last in ["", "all", "neq"] {
            lists(&mut cases, &chain(&["re", flags, last]), &REGEXES);
        }
    }
    lists(&mut cases, &["re", "i", "m", "s"], &REGEXES);
    for last in ["", "all", "neq"] {
        lists(&mut cases, &chain(&["cidr", last]), &NETWORKS);
        if last != "neq" {
            for comparison in ["lt", "lte", "gt", "gte"] {
                let own = chain(&[comparison, last]);
                lists(&mut cases, &own, &NUMBERS);
            }
        }
    }
    let single: [(&[&str], &str); 6] = [
        (&["exists"], "true"),
        (&["exists"], "false"),
        (&[], "null"),
        (&["neq"], "null"),
        (&[], "''"),
        (&["neq"], "''"),
    ];
    for (chain, value) in single {
        lists(&mut cases, chain, &[value]);
    }
    keywords(&mut cases);
    cases
}

/// What the comparison of some cases came to.
#[derive(Default)]
struct Told {
    count: usize,
    matches: usize,
    /// Differences, and how often the other was asked once more, by row.
    used: BTreeMap<usize, [usize; 2]>,
    faults: Vec<String>,
}

/// The rules that say the same as one case otherwise, by the row of the
/// difference.
type Again = BTreeMap<usize, Option<CompiledRule>>;

impl Told {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.matches += other.matches;
        self.faults.extend(other.faults);
        for (row, counts) in other.used {
            let own = self.used.entry(row).or_default();
            own.iter_mut().zip(counts).for_each(|(own, more)| *own += more);
        }
    }

    /// Notes what both say of one request. Where the other is known to err
    /// it is asked once more, whether or not we say the same as it.
    fn judge(
        &mut self,
        (case, number): (&Case, usize),
        (text, request): (&str, &Request),
        (own, other): (bool, bool),
        again: &mut Again,
    ) {
        self.count += 1;
        self.matches += usize::from(own);
        let point = Point {
            chain: &case.chain,
            values: &case.values,
            text,
            is_keyword: case.is_keyword,
        };
        let told = || format!("{own} of {text:?}\n{}", case.detection(number));
        if own != other {
            match explains(&point, own) {
                Some(row) => self.used.entry(row).or_default()[0] += 1,
                None => self.faults.push(told()),
            }
        }
        // Where another difference may be in play the rest tells nothing.
        if !text.is_ascii() || text == "-" || text.contains('%') {
            return;
        }
        let Some(row) = errs(&point) else { return };
        let said = again.entry(row).or_insert_with(|| {
            let (chain, values) = ROWS[row].said?(&point)?;
            let values: Vec<_> = values.iter().map(String::as_str).collect();
            let field = case.field(number).0;
            let search = search(field, &chain, &values, case.is_keyword);
            let other = others(&rule("said", &search)).remove("said");
            Some(other.unwrap().unwrap())
        });
        let Some(said) = said else { return };
        self.used.entry(row).or_default()[1] += 1;
        let event = JsonEvent::owned(event(request));
        if evaluate_rule(said, &event).is_some() != own {
            self.faults.push(format!("said otherwise: {}", told()));
        }
    }

    fn compare(&mut self, file: &[(usize, &Case)]) {
        let text: String = file
            .iter()
            .map(|(at, case)| rule(&format!("r{at:05}"), &case.detection(*at)))
            .collect();
        let set = ours(&text, true).unwrap();
        let theirs = others(&text);
        assert_eq!(set.rules().len(), file.len());
        let mut scratch = Scratch::default();
        for ((at, case), index) in file.iter().zip(0_u32..) {
            let name = &set.rule(index).unwrap().name;
            assert_eq!(*name, format!("r{at:05}"));
            let other = theirs[name].as_ref().unwrap();
            let mut again = Again::new();
            for (text, request) in case.requests(*at) {
                let both =
                    verdicts(&set, index, other, &request, &mut scratch);
                let asked = (text.as_str(), &request);
                self.judge((case, *at), asked, both.unwrap(), &mut again);
            }
        }
    }
}

#[test]
fn every_modifier_means_the_same_to_both() {
    let cases = cases();
    let numbered: Vec<_> = cases.iter().enumerate().collect();
    let files: Vec<_> = numbered.chunks(FILE).collect();
    let (next, told) = (AtomicUsize::new(0), Mutex::new(Told::default()));
    std::thread::scope(|scope| {
        let work = || {
            while let Some(file) =
                files.get(next.fetch_add(1, Ordering::Relaxed))
            {
                let mut own = Told::default();
                own.compare(file);
                told.lock().unwrap().add(own);
            }
        };
        scope.spawn(work);
        scope.spawn(work);
    });
    let Told { count, matches, used, faults } = told.into_inner().unwrap();
    println!("{} rules, {count} comparisons, {matches} match", cases.len());
    for (row, [times, asked]) in &used {
        println!("{times:6} {asked:6} {}", ROWS[*row].what);
    }
    let some: Vec<_> = faults.iter().step_by(faults.len() / 12 + 1).collect();
    let faults = faults.len();
    assert!(faults == 0, "{faults} are not as listed: {some:#?}");
    for (at, row) in ROWS.iter().enumerate() {
        let [times, asked] = used.get(&at).copied().unwrap_or_default();
        assert!(times > 0, "nothing shows: {}", row.what);
        assert_eq!(asked > 0, row.said.is_some(), "{}", row.what);
    }
    // Neither may be the rare case, or agreement says little.
    assert!(matches * 8 > count && matches * 8 < count * 7, "{matches}");
}

/// The example of each row shows what the row says.
#[test]
fn what_is_listed_as_different_is() {
    for row in &ROWS {
        let (key, value, text, wanted) = row.shown;
        let search = match key {
            "" => value.to_owned(),
            key => format!("{{'{key}': {value}}}"),
        };
        let detection = format!("    s: {search}\n    condition: s\n");
        let file = rule("shown", &detection);
        let (set, theirs) = (ours(&file, true).unwrap(), others(&file));
        let query = if key.starts_with("x-note") { "-" } else { text };
        let request = Request::new(&[
            ("c-ip", "-"),
            ("cs-uri-stem", "/"),
            ("cs-uri-query", query),
            ("x-note", text),
        ]);
        let other = theirs["shown"].as_ref().unwrap();
        let mut scratch = Scratch::default();
        let found = verdicts(&set, 0, other, &request, &mut scratch);
        let (what, right) = (row.what, row.right);
        assert_eq!(found, Some((wanted, !wanted)), "{what} ({right:?})");
        assert!(row.ours.is_none_or(|it| it == wanted), "{what}");
        assert!(!row.why.is_empty(), "{what}");
    }
}

/// Whether each of the two takes a rule: ours, then theirs.
pub fn taken(refusal: &Refusal, detection: &str) {
    let file = rule("taken", detection);
    let (own, other) = (ours(&file, true), others(&file));
    let other = other.values().next().unwrap();
    assert_eq!(
        (own.is_ok(), other.is_ok()),
        (refusal.ours, refusal.theirs),
        "{} ({}): {:?} {:?}",
        refusal.detection,
        refusal.why,
        own.err(),
        other.as_ref().err()
    );
}

#[test]
fn who_refuses_which_value_is_listed() {
    for refusal in &REFUSALS {
        let search = format!("      {}\n", refusal.detection);
        let search = format!("    s:\n{search}    condition: s\n");
        taken(refusal, &search);
    }
}
