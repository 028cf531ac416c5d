//! Sigma files: from bytes to [`Rule`]s.
//!
//! In: the text of one file. Out: its rules, or every fault worth telling,
//! each with its place. Nothing of a rule is passed over in silence: what
//! this program cannot do (`timeframe`, placeholders, collections) is a
//! fault, and a rule for other logs is named as such. Only attributes that
//! Sigma leaves to everyone are free.

use std::collections::HashSet;

use crate::raw::Raw;
use crate::signature::condition::{self, Searches, all, any};
use crate::signature::correlation_reader::{self as correlations, Wanted};
use crate::signature::criteria;
use crate::signature::diagnostic::{Diagnostic, Faults, Position, quote};
use crate::signature::entries::{Entries, items};
use crate::signature::fields;
use crate::signature::outcome::{Confidence, Outcome};
use crate::signature::rule::{
    Detection, Expr, Level, Rule, Sleuth, Stage, TestLine, Tests,
};
use crate::signature::value::{self, Budget};
use crate::signature::yaml::{self, Node, Text, Value};

/// What one document of a Sigma file is to this program.
#[derive(Clone, Debug)]
pub(super) enum Loaded {
    /// A rule for web logs.
    Rule(Box<Rule>),
    /// A correlation, and the rules that it wants.
    Correlation(Box<Rule>, Box<Wanted>),
    /// A filter for web logs.
    Filter(Box<Filter>),
    /// A rule for other logs. Only its title was read.
    OtherLogsource {
        /// The title, else the name of the file.
        title: String,
    },
}

impl Loaded {
    /// The rule, where it is one.
    pub fn rule(&self) -> Option<&Rule> {
        match self {
            Self::Rule(rule) | Self::Correlation(rule, _) => Some(rule),
            Self::Filter(_) | Self::OtherLogsource { .. } => None,
        }
    }
}

/// What narrows other rules.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    /// The rules that it narrows, with their places; none for all.
    pub rules: Option<Vec<(String, Position)>>,
    /// What must hold as well.
    pub detection: Detection,
    /// The file it came from.
    pub file: Raw,
}

const STATUSES: [&str; 5] =
    ["stable", "test", "experimental", "deprecated", "unsupported"];

const SLEUTH_KEYS: [&str; 8] = [
    "columns",
    "feature",
    "stage",
    "worm",
    "advisories",
    "confirmed_by",
    "outcome",
    "tests",
];

/// Reads the rules of one file. `file` is its name as given; a rule without
/// `name:` is called after it.
pub(super) fn read_rules(
    file: &Raw,
    text: Text<'_>,
) -> Result<Vec<Loaded>, Vec<Diagnostic>> {
    let (mut faults, documents) = yaml::parse(file, text);
    let mut budget = Budget::default();
    budget.is_sound = !text.events.is_empty();
    let mut loaded = Vec::new();
    for document in &documents {
        if document.value == Value::Null {
            continue;
        }
        let stem = stem(file, loaded.len());
        let mut reader =
            Reader { faults: &mut faults, budget: &mut budget, stem };
        loaded.extend(reader.document(document));
    }
    if loaded.is_empty() && faults.count() == 0 {
        let at = Position { line: 1, column: 1 };
        faults.add(at, "the file holds no rule");
    }
    faults.finish(loaded)
}

/// The file's name without folder and ending; documents after the first get
/// a number, since names tell rules apart.
fn stem(file: &Raw, before: usize) -> String {
    let path = String::from_utf8_lossy(file.as_bytes());
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = [".yml", ".yaml"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name);
    match before {
        0 => stem.to_owned(),
        n => format!("{stem}-{}", n + 1),
    }
}

/// Reads one document.
struct Reader<'f, 'a> {
    faults: &'f mut Faults<'a>,
    budget: &'f mut Budget,
    stem: String,
}

impl Reader<'_, '_> {
    fn document(&mut self, node: &Node) -> Option<Loaded> {
        let map = Entries::of(node, "the rule", self.faults)?;
        if let Some((key, _)) = map.entry("action") {
            let what = "rule collections (`action:`) are not supported";
            self.faults.add(key.at(), what);
            return None;
        }
        if let Some(node) = map.get("correlation") {
            return self.correlation(map, node);
        }
        if map.entry("logsource").is_none() {
            map.missing("logsource", self.faults);
        } else if !self.is_web(map) {
            let title = map.get("title").and_then(Node::text);
            let title = title.unwrap_or(&self.stem).to_owned();
            return Some(Loaded::OtherLogsource { title });
        }
        if let Some(node) = map.get("filter") {
            return self.filter(map, node);
        }
        let rule = self.described(map);
        let sleuth = match map.get("iisleuth") {
            None => Sleuth::default(),
            Some(node) => sleuth(node, self.faults),
        };
        let detection = self.detection(map)?;
        let rule = Rule { detection, sleuth, ..rule? };
        Some(Loaded::Rule(Box::new(rule)))
    }

    fn correlation(
        &mut self,
        map: Entries<'_>,
        node: &Node,
    ) -> Option<Loaded> {
        let own = self.columns(map);
        let wanted = correlations::read(map, node, &own, self.faults);
        let mut rule = self.described(map)?;
        let mut wanted = wanted?;
        if let Some(node) = map.get("iisleuth") {
            let (sleuth, outcome, confidence) =
                sleuth_of_correlation(node, self.faults);
            rule.sleuth = sleuth;
            wanted.correlation.outcome = outcome;
            wanted.correlation.confidence = confidence;
        }
        Some(Loaded::Correlation(Box::new(rule), Box::new(wanted)))
    }

    /// A filter: a detection, and the rules that it narrows.
    fn filter(&mut self, map: Entries<'_>, node: &Node) -> Option<Loaded> {
        let own = self.columns(map);
        let map = Entries::of(node, "`filter`", self.faults)?;
        let named = map.nodes("rules", self.faults);
        let name = |node: &Node| node.text().unwrap_or_default().to_owned();
        let rules: Vec<_> =
            named.into_iter().map(|it| (name(it), it.at())).collect();
        let is_any = matches!(rules.as_slice(), [(word, _)] if word == "any");
        let detection = self.searches(map, &["rules"], &own)?;
        Some(Loaded::Filter(Box::new(Filter {
            rules: (!rules.is_empty() && !is_any).then_some(rules),
            detection,
            file: self.faults.file().clone(),
        })))
    }

    /// Whether the rule is about web logs. A faulty logsource counts as
    /// such, so that the rest of the rule is checked too.
    fn is_web(&mut self, map: Entries<'_>) -> bool {
        let Some(node) = map.get("logsource") else { return true };
        let before = self.faults.count();
        let Some(source) = Entries::of(node, "`logsource`", self.faults)
        else {
            return true;
        };
        let keys = ["category", "product", "service"];
        let [category, product, service] = keys.map(|key| {
            let text = source.text(key, self.faults);
            text.map(str::to_ascii_lowercase)
        });
        if [&category, &product, &service].into_iter().all(Option::is_none)
            && self.faults.count() == before
        {
            let what = "`logsource` needs `category`, `product` or `service`";
            self.faults.add(node.at(), what);
        }
        self.faults.count() > before
            || matches!(category.as_deref(), Some("webserver" | "proxy"))
            || product.as_deref() == Some("iis")
            || service.as_deref() == Some("iis")
    }

    /// The rule, but for what it detects.
    fn described(&mut self, map: Entries<'_>) -> Option<Rule> {
        let faults = &mut *self.faults;
        let title = map.required("title", faults);
        let name = map.optional("name", faults);
        let id = uuid(map, faults);
        let words = Level::ALL.map(Level::as_str);
        let level = if map.entry("level").is_some() {
            map.word("level", &words, Level::from_word, faults)
        } else {
            Some(Level::Medium)
        };
        let known =
            |word: &str| STATUSES.contains(&word).then(|| word.to_owned());
        let status = map.word("status", &STATUSES, known, faults);
        let description = map.optional("description", faults);
        let references = map.texts("references", faults);
        let tags = map.texts("tags", faults);
        let false_positives = map.texts("falsepositives", faults);
        Some(Rule {
            name: name.unwrap_or_else(|| self.stem.clone()),
            id,
            title: title?,
            status,
            level: level?,
            description: description.unwrap_or_default(),
            references,
            tags,
            false_positives,
            detection: Detection::never(),
            correlation: None,
            feeds: Vec::new(),
            is_silent: false,
            sleuth: Sleuth::default(),
            file: self.faults.file().clone(),
        })
    }

    /// The columns of the user's own logs that the rule names.
    fn columns(&mut self, map: Entries<'_>) -> Vec<String> {
        let node = map.get("iisleuth");
        let node = node.filter(|it| matches!(it.value, Value::Map(_)));
        let block =
            node.and_then(|it| Entries::of(it, "`iisleuth`", self.faults));
        block.map_or_else(Vec::new, |it| it.texts("columns", self.faults))
    }

    fn detection(&mut self, map: Entries<'_>) -> Option<Detection> {
        let own = self.columns(map);
        let Some(node) = map.get("detection") else {
            map.missing("detection", self.faults);
            return None;
        };
        let map = Entries::of(node, "`detection`", self.faults)?;
        self.searches(map, &[], &own)
    }

    /// The searches of a map and its condition; `other` are keys that are
    /// neither.
    fn searches(
        &mut self,
        map: Entries<'_>,
        other: &[&str],
        own: &[String],
    ) -> Option<Detection> {
        if let Some((key, _)) = map.entry("timeframe") {
            let what = "`timeframe` is not supported";
            self.faults.advise(
                key.at(),
                what,
                "it belongs to aggregations, which Sigma dropped",
            );
        }
        fields::check(map, own, self.faults);
        let mut searches = Searches::default();
        let mut tests = value::Tests::new(self.faults, self.budget);
        for (key, node) in map.iter() {
            let name = key.key();
            if !matches!(name, "condition" | "timeframe")
                && !other.contains(&name)
            {
                searches.add(name, search(node, &mut tests));
            }
        }
        let tests = tests.list;
        if searches.is_empty() {
            let what = format!("{} holds no search", map.what());
            self.faults.add(map.at(), what);
            return None;
        }
        let Some(node) = map.get("condition") else {
            map.missing("condition", self.faults);
            return None;
        };
        let expr = self.condition(node, &searches)?;
        let conditions = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let conditions = conditions.iter().filter_map(Node::text);
        let conditions = conditions.map(str::to_owned).collect();
        let searches = searches.into_list();
        Some(Detection { tests, expr, searches, conditions })
    }

    /// One condition, or a list of which one must hold.
    fn condition(&mut self, node: &Node, searches: &Searches) -> Option<Expr> {
        let list = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        if list.is_empty() {
            self.faults.add(node.at(), "the list of conditions is empty");
        }
        let mut budget = condition::BUDGET;
        let mut parts = Vec::new();
        for item in list {
            if self.faults.is_full() {
                self.faults.skip();
                break;
            }
            let Some(text) = item.text() else {
                let kind = item.kind();
                let what = format!("a condition must be a text, not {kind}");
                self.faults.add(item.at(), what);
                continue;
            };
            match condition::parse(text, searches, &mut budget) {
                Ok(expr) => parts.push(expr),
                Err(fault) => self.faults.misread(item, fault),
            }
        }
        (!parts.is_empty()).then(|| any(parts))
    }
}

/// A search: a map of tests, all of which must hold, or a list of maps and
/// keywords, one of which must.
fn search(node: &Node, tests: &mut value::Tests<'_, '_>) -> Expr {
    match &node.value {
        Value::List(items) if items.is_empty() => {
            tests.faults.add(node.at(), "the search is empty");
            any(Vec::new())
        }
        Value::List(items) => {
            let is_map = |node: &&Node| matches!(node.value, Value::Map(_));
            let (maps, words): (Vec<_>, Vec<_>) =
                items.iter().partition(is_map);
            let mut parts = Vec::new();
            if !words.is_empty() {
                parts.push(tests.keywords(&words));
            }
            parts.extend(maps.into_iter().map(|map| search_map(map, tests)));
            any(parts)
        }
        Value::Map(_) => search_map(node, tests),
        Value::Null => {
            tests.faults.add(node.at(), "the search is empty");
            any(Vec::new())
        }
        _ => tests.keywords(&[node]),
    }
}

fn search_map(node: &Node, tests: &mut value::Tests<'_, '_>) -> Expr {
    let Value::Map(entries) = &node.value else { return all(Vec::new()) };
    if entries.is_empty() {
        tests.faults.add(node.at(), "the search is empty");
    }
    let test = |(key, value): &yaml::Entry| tests.entry(key, value);
    all(entries.iter().map(test).collect())
}

/// The id, which must look like a UUID.
fn uuid(map: Entries<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let id = map.text("id", faults)?;
    let lengths = id.split('-').map(str::len);
    let shaped = lengths.eq([8, 4, 4, 4, 12])
        && id.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    if !shaped {
        let at = map.get("id").map_or(map.at(), Node::at);
        faults.add(at, format!("the id {} is no UUID", quote(id)));
    }
    Some(id.to_owned())
}

fn sleuth(node: &Node, faults: &mut Faults<'_>) -> Sleuth {
    let Some(map) = Entries::of(node, "`iisleuth`", faults) else {
        return Sleuth::default();
    };
    map.known(&SLEUTH_KEYS, faults);
    let stages = ["recon", "exploit", "post-exploit"];
    Sleuth {
        feature: map.optional("feature", faults),
        stage: map.word("stage", &stages, Stage::from_word, faults),
        worm: map.bool("worm", faults).unwrap_or(false),
        advisories: unique(map, "advisories", faults),
        confirmed_by: unique(map, "confirmed_by", faults),
        outcome: match map.get("outcome") {
            None => Vec::new(),
            Some(node) => criteria::read(node, faults),
        },
        tests: match map.get("tests") {
            None => Tests::default(),
            Some(node) => tests(node, faults),
        },
    }
}

/// The block of a correlation: its outcome is a word.
fn sleuth_of_correlation(
    node: &Node,
    faults: &mut Faults<'_>,
) -> (Sleuth, Option<Outcome>, Option<Confidence>) {
    let Some(map) = Entries::of(node, "`iisleuth`", faults) else {
        return (Sleuth::default(), None, None);
    };
    let own = ["feature", "stage", "worm", "advisories", "tests"].into_iter();
    let known: Vec<_> =
        own.chain(["columns", "outcome", "confidence"]).collect();
    map.known(&known, faults);
    let (outcome, confidence) = correlations::outcome(map, faults);
    let stages = ["recon", "exploit", "post-exploit"];
    let stories = match map.get("tests") {
        None => Vec::new(),
        Some(node) => correlations::stories(node, faults),
    };
    let sleuth = Sleuth {
        feature: map.optional("feature", faults),
        stage: map.word("stage", &stages, Stage::from_word, faults),
        worm: map.bool("worm", faults).unwrap_or(false),
        advisories: unique(map, "advisories", faults),
        tests: Tests { stories, ..Tests::default() },
        ..Sleuth::default()
    };
    (sleuth, outcome, confidence)
}

/// Ids or names of other things; one that stands twice is a slip.
fn unique(
    map: Entries<'_>,
    key: &str,
    faults: &mut Faults<'_>,
) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut texts = Vec::new();
    for node in map.nodes(key, faults) {
        let text = node.text().unwrap_or_default();
        if !seen.insert(text) {
            faults.add(node.at(), format!("{} stands twice", quote(text)));
        }
        texts.push(text.to_owned());
    }
    texts
}

fn tests(node: &Node, faults: &mut Faults<'_>) -> Tests {
    let Some(map) = Entries::of(node, "`tests`", faults) else {
        return Tests::default();
    };
    map.known(&["software", "fields", "match", "no_match"], faults);
    let software = map.text("software", faults);
    let fields = map.text("fields", faults);
    let mut list = |key: &str| {
        let Some(node) = map.get(key) else { return Vec::new() };
        let list = items(node, &quote(key), faults);
        let mut lines = Vec::new();
        for item in list {
            let default = (software, fields);
            lines.extend(test_line(item, default, key == "match", faults));
        }
        lines
    };
    Tests {
        matching: list("match"),
        other: list("no_match"),
        stories: Vec::new(),
    }
}

fn test_line(
    node: &Node,
    default: (Option<&str>, Option<&str>),
    matching: bool,
    faults: &mut Faults<'_>,
) -> Option<TestLine> {
    let map = Entries::of(node, "a test", faults)?;
    map.known(&["line", "fields", "software", "outcome"], faults);
    let line = match map.get("line").and_then(Node::text) {
        // Blanks at the ends of a log line are part of it.
        Some(line) if !line.is_empty() => Some(line.to_owned()),
        _ => map.required("line", faults),
    };
    let software = map.text("software", faults).or(default.0);
    let fields = map.text("fields", faults).or(default.1);
    if fields.is_none() {
        map.missing("fields", faults);
    }
    let outcome = criteria::outcome(map, faults);
    match map.entry("outcome") {
        None if matching => map.missing("outcome", faults),
        Some((key, _)) if !matching => {
            let what = "a line that must not match has no outcome";
            faults.add(key.at(), what);
        }
        _ => {}
    }
    Some(TestLine {
        line: line?,
        fields: fields?.to_owned(),
        software: software.unwrap_or_default().to_owned(),
        outcome: outcome.map(|outcome| outcome.as_str().to_owned()),
        at: node.line,
    })
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod unit;
