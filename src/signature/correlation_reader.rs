//! Sigma correlations: from YAML to [`Correlation`]s whose rules are names
//! or ids as written.
//!
//! In: the map of a document with `correlation:`. Out: what it asks, or
//! faults with their places. Which rules the names lead to is seen once all
//! files are read (`links`).

use std::collections::{BTreeMap, HashSet};

use crate::limits;
use crate::signature::correlation::{Bounds, Correlation, Kind};
use crate::signature::diagnostic::{Faults, Position, quote};
use crate::signature::entries::{Entries, items};
use crate::signature::fields;
use crate::signature::outcome::{Confidence, Outcome};
use crate::signature::yaml::{Node, Value};

/// A correlation whose rules are not looked up yet.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub correlation: Correlation,
    /// Where each of its rules stands in the file.
    pub places: Vec<Position>,
    /// Its rules give findings of their own.
    pub generate: bool,
}

const KEYS: [&str; 8] = [
    "type",
    "rules",
    "group-by",
    "timespan",
    "condition",
    "aliases",
    "generate",
    "field",
];

/// Reads the value of `correlation:`. `generate` may also stand beside it.
pub(super) fn read(
    document: Entries<'_>,
    node: &Node,
    own: &[String],
    faults: &mut Faults<'_>,
) -> Option<Wanted> {
    let map = Entries::of(node, "`correlation`", faults)?;
    map.known(&KEYS, faults);
    let kind = kind(map, faults);
    let rules = map.nodes("rules", faults);
    let before = faults.count();
    let aliases = aliases(map, own, faults);
    let timespan = timespan(map, faults);
    let text = |node: &&Node| node.text().unwrap_or_default().to_owned();
    let names: Vec<String> = rules.iter().map(text).collect();
    refuse_twins(&rules, faults);
    if rules.is_empty() && faults.count() == before {
        map.missing("rules", faults);
    }
    let mut group_by = Vec::new();
    for node in map.nodes("group-by", faults) {
        group_by.push(field(node, own, &aliases, faults));
    }
    let asked = condition(map, kind?, names.len(), faults);
    let generate = map.bool("generate", faults);
    let beside = document.bool("generate", faults);
    let Asked { bounds, field: counted } = asked?;
    let counted = counted.map(|it| field(it, own, &aliases, faults));
    Some(Wanted {
        correlation: Correlation {
            kind: kind?,
            rules: names,
            group_by,
            field: counted,
            aliases,
            timespan: timespan?,
            bounds,
            ..Correlation::default()
        },
        places: rules.iter().map(|node| node.at()).collect(),
        generate: generate.or(beside).unwrap_or(false),
    })
}

/// Aliases keep their spelling; fields compare without letter case, and must
/// be known.
fn field(
    node: &Node,
    own: &[String],
    aliases: &BTreeMap<String, BTreeMap<String, String>>,
    faults: &mut Faults<'_>,
) -> String {
    let name = node.text().unwrap_or_default();
    if aliases.contains_key(name) {
        return name.to_owned();
    }
    fields::check_name(name, node, own, faults);
    name.to_ascii_lowercase()
}

fn kind(map: Entries<'_>, faults: &mut Faults<'_>) -> Option<Kind> {
    if map.entry("type").is_none() {
        map.missing("type", faults);
        return None;
    }
    let words = Kind::ALL.map(Kind::as_str);
    map.word("type", &words, Kind::from_word, faults)
}

fn refuse_twins(rules: &[&Node], faults: &mut Faults<'_>) {
    let mut seen = HashSet::new();
    for node in rules {
        let name = node.text().unwrap_or_default();
        if !seen.insert(name) {
            faults.add(node.at(), format!("{} stands twice", quote(name)));
        }
    }
}

fn aliases(
    map: Entries<'_>,
    own: &[String],
    faults: &mut Faults<'_>,
) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let Some(node) = map.get("aliases") else { return found };
    let Some(aliases) = Entries::of(node, "`aliases`", faults) else {
        return found;
    };
    for (key, value) in aliases.iter() {
        let Some(rules) = Entries::of(value, "an alias", faults) else {
            continue;
        };
        let mut by_rule = BTreeMap::new();
        for (rule, _) in rules.iter() {
            if let Some(field) = rules.text(rule.key(), faults) {
                let node = rules.get(rule.key()).unwrap_or(rule);
                fields::check_name(field, node, own, faults);
                let field = field.to_ascii_lowercase();
                by_rule.insert(rule.key().to_owned(), field);
            }
        }
        found.insert(key.key().to_owned(), by_rule);
    }
    found
}

/// Seconds of `90s`, `5m`, `1h`, `30d`.
fn timespan(map: Entries<'_>, faults: &mut Faults<'_>) -> Option<u32> {
    let text = map.required("timespan", faults)?;
    let at = map.get("timespan").map_or(map.at(), Node::at);
    let seconds = seconds(&text);
    if seconds.is_none() {
        let what = format!("{} is no time span", quote(&text));
        faults.advise(at, what, "write it like `90s`, `5m`, `1h` or `30d`");
    }
    let seconds = seconds?;
    if seconds == 0 || seconds > limits::TIMESPAN {
        let days = limits::TIMESPAN / 86_400;
        let what = format!("a time span is 1 second to {days} days");
        faults.add(at, what);
        return None;
    }
    Some(seconds)
}

fn seconds(text: &str) -> Option<u32> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<u32>().ok()?.checked_mul(unit)
}

/// What a condition asks for.
struct Asked<'n> {
    bounds: Bounds,
    field: Option<&'n Node>,
}

fn condition<'n>(
    map: Entries<'n>,
    kind: Kind,
    rules: usize,
    faults: &mut Faults<'_>,
) -> Option<Asked<'n>> {
    let all = u64::try_from(rules).unwrap_or(u64::MAX);
    let outer = map.text("field", faults).and_then(|_| map.get("field"));
    let Some(node) = map.get("condition") else {
        if kind.counts() {
            map.missing("condition", faults);
            return None;
        }
        return Some(Asked { bounds: Bounds::from(all), field: None });
    };
    let map = Entries::of(node, "`condition`", faults)?;
    map.known(&["gt", "gte", "lt", "lte", "eq", "neq", "field"], faults);
    let mut bounds = Bounds { least: 0, most: u64::MAX, not: None };
    let mut asks = false;
    for (key, value) in map.iter().filter(|(key, _)| key.key() != "field") {
        let Some(number) = number(value, faults) else { continue };
        asks = true;
        let Bounds { least, most, not } = &mut bounds;
        match key.key() {
            "gt" => *least = number.saturating_add(1).max(*least),
            "gte" => *least = number.max(*least),
            "lt" => *most = number.saturating_sub(1).min(*most),
            "lte" => *most = number.min(*most),
            "eq" => (*least, *most) = (number.max(*least), number.min(*most)),
            _ => *not = Some(number),
        }
    }
    if !asks {
        let what = "`condition` needs one of gt, gte, lt, lte, eq, neq";
        faults.add(node.at(), what);
        return None;
    }
    if !bounds.hold_for_any(1, u64::MAX) {
        let what = "no count meets this condition";
        faults.advise(node.at(), what, "an event alone counts 1");
        return None;
    }
    let inner = map.text("field", faults).and_then(|_| map.get("field"));
    let field = inner.or(outer);
    if kind == Kind::ValueCount && field.is_none() {
        map.missing("field", faults);
        return None;
    }
    if !kind.counts() && bounds.least > all {
        let what = format!("there are only {rules} rules to count");
        faults.add(node.at(), what);
        return None;
    }
    Some(Asked { bounds, field })
}

fn number(node: &Node, faults: &mut Faults<'_>) -> Option<u64> {
    let number = match node.value {
        Value::Int(number) => u64::try_from(number).ok(),
        _ => None,
    };
    let number = number.filter(|it| *it <= limits::CORRELATED);
    if number.is_none() {
        let most = limits::CORRELATED;
        let what = format!("a count is a whole number from 0 to {most}");
        faults.add(node.at(), what);
    }
    number
}

/// What the `iisleuth:` block of a correlation says of the outcome.
pub(super) fn outcome(
    map: Entries<'_>,
    faults: &mut Faults<'_>,
) -> (Option<Outcome>, Option<Confidence>) {
    let words = Outcome::ALL.map(Outcome::as_str);
    let outcome = map.word("outcome", &words, Outcome::from_word, faults);
    let words = Confidence::ALL.map(Confidence::as_str);
    let confidence =
        map.word("confidence", &words, Confidence::from_word, faults);
    (outcome, confidence)
}

/// A test of a correlation: a small log.
#[derive(Clone, Debug)]
pub struct Story {
    /// Its lines.
    lines: Vec<Repeated>,
    /// The field names of its layout.
    pub fields: String,
    /// The text of `#Software`.
    pub software: String,
    /// The outcome word expected; none where nothing must be found.
    pub outcome: Option<String>,
    /// Line of the rule file (1-based) for messages.
    pub at: usize,
}

/// A line that stands so many times, each time with its number, and a time
/// that goes on by a second.
#[derive(Clone, Debug)]
struct Repeated {
    line: String,
    times: Option<u64>,
}

impl Story {
    /// Its lines, written out.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.lines.iter().flat_map(|Repeated { line, times }| {
            let written = |n: u64| match times {
                None => line.clone(),
                Some(_) => numbered(line, n),
            };
            (0..times.unwrap_or(1)).map(written)
        })
    }
}

fn numbered(line: &str, n: u64) -> String {
    let (minute, second) = (n / 60 % 60, n % 60);
    line.replace("{n}", &n.to_string())
        .replace("{ss}", &format!("{second:02}"))
        .replace("{mm}", &format!("{minute:02}"))
}

/// The tests of a correlation, those that match first.
pub(super) fn stories(node: &Node, faults: &mut Faults<'_>) -> Vec<Story> {
    let Some(map) = Entries::of(node, "`tests`", faults) else {
        return Vec::new();
    };
    map.known(&["software", "fields", "match", "no_match"], faults);
    let software = map.text("software", faults);
    let fields = map.text("fields", faults);
    let mut found = Vec::new();
    for (key, matches) in [("match", true), ("no_match", false)] {
        let Some(node) = map.get(key) else { continue };
        for item in items(node, &quote(key), faults) {
            let story = story(item, (software, fields), matches, faults);
            found.extend(story);
        }
    }
    found
}

fn story(
    node: &Node,
    default: (Option<&str>, Option<&str>),
    matches: bool,
    faults: &mut Faults<'_>,
) -> Option<Story> {
    let map = Entries::of(node, "a test", faults)?;
    map.known(&["lines", "fields", "software", "outcome"], faults);
    let software = map.text("software", faults).or(default.0);
    let fields = map.text("fields", faults).or(default.1);
    if fields.is_none() {
        map.missing("fields", faults);
    }
    let outcome = super::criteria::outcome(map, faults);
    match map.entry("outcome") {
        None if matches => map.missing("outcome", faults),
        Some((key, _)) if !matches => {
            let what = "lines that must not match have no outcome";
            faults.add(key.at(), what);
        }
        _ => {}
    }
    let Some(list) = map.get("lines") else {
        map.missing("lines", faults);
        return None;
    };
    let mut lines = Vec::new();
    for item in items(list, "`lines`", faults) {
        lines.extend(repeated(item, faults));
    }
    Some(Story {
        lines,
        fields: fields?.to_owned(),
        software: software.unwrap_or_default().to_owned(),
        outcome: outcome.map(|outcome| outcome.as_str().to_owned()),
        at: node.line,
    })
}

/// A line, or one that is repeated.
fn repeated(node: &Node, faults: &mut Faults<'_>) -> Option<Repeated> {
    if let Some(line) = node.text() {
        return Some(Repeated { line: line.to_owned(), times: None });
    }
    let map = Entries::of(node, "a line", faults)?;
    map.known(&["line", "repeat"], faults);
    let line = map.required("line", faults);
    let times = map.get("repeat").and_then(|it| number(it, faults));
    let (Some(line), Some(_)) = (line, times) else {
        let what = "a line that is repeated has `line` and `repeat`";
        faults.add(node.at(), what);
        return None;
    };
    Some(Repeated { line, times })
}
