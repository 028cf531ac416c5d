//! What stands around a detection: the keys that people read, and the tests.
//!
//! In: a rule as a map. Out: keys that are missing or look misspelt, too few
//! tests, and tests that stand twice. Of a user's rule nothing is asked that
//! Sigma does not ask, but tests are missed aloud.

use std::collections::HashMap;

use super::{Ask, Severity, Sink};
use crate::raw::Raw;
use crate::signature::diagnostic::{Faults, Position, nearest, quote};
use crate::signature::entries::Entries;
use crate::signature::yaml::{Node, Value};

/// What each rule of the program has.
const ASKED: [&str; 11] = [
    "title",
    "id",
    "name",
    "status",
    "description",
    "references",
    "author",
    "date",
    "tags",
    "falsepositives",
    "level",
];

/// The keys of Sigma 2.1, for slips.
const KNOWN: [&str; 22] = [
    "title",
    "id",
    "name",
    "status",
    "description",
    "references",
    "author",
    "date",
    "modified",
    "tags",
    "falsepositives",
    "level",
    "license",
    "taxonomy",
    "scope",
    "fields",
    "related",
    "logsource",
    "detection",
    "correlation",
    "filter",
    "iisleuth",
];

/// Lines of each kind that a rule should carry.
const LEAST: usize = 2;

pub(super) fn lint(map: Entries<'_>, ask: Ask, sink: &mut Sink<'_>) {
    for (key, _) in map.iter() {
        let word = key.key();
        if KNOWN.contains(&word) {
            continue;
        }
        if let Some(near) = nearest(word, &KNOWN)
            && map.entry(near).is_none()
        {
            let what = format!("{} is no key of Sigma", quote(word));
            let help = format!("did you mean `{near}`?");
            sink.warn("unknown-key", key.at(), what, help);
        }
    }
    if ask.embedded {
        asked(map, sink);
    }
    // What joins or narrows other rules has no line of its own to test.
    if map.entry("correlation").is_none() && map.entry("filter").is_none() {
        tests(map, ask, sink);
    }
}

/// The keys that the rules of the program have.
fn asked(map: Entries<'_>, sink: &mut Sink<'_>) {
    for key in ASKED {
        if map.entry(key).is_none() {
            let what = format!("the rule has no `{key}`");
            let help = "signatures/README.md shows a whole rule";
            let kind = (Severity::Error, "missing-key");
            sink.add(kind, map.at(), what, help);
        }
    }
    let block = block(map);
    if block.is_none_or(|it| it.entry("stage").is_none()) {
        let at = map.entry("iisleuth").map_or(map.at(), |it| it.0.at());
        let what = "the rule does not say its stage";
        let help = "`iisleuth: stage: recon`, `exploit` or `post-exploit`";
        sink.add((Severity::Error, "missing-key"), at, what, help);
    }
}

/// The block that other tools ignore.
fn block(map: Entries<'_>) -> Option<Entries<'_>> {
    inner(map.get("iisleuth")?)
}

/// A node as a map; the reader told before where it is none.
fn inner(node: &Node) -> Option<Entries<'_>> {
    let file = Raw::from("");
    Entries::of(node, "", &mut Faults::new(&file, &[]))
}

fn tests(map: Entries<'_>, ask: Ask, sink: &mut Sink<'_>) {
    let block = block(map);
    let entry = block.and_then(|block| block.entry("tests"));
    let tests = entry.and_then(|(_, node)| inner(node));
    let outer = ["iisleuth", "title"].iter().find_map(|it| map.entry(it));
    let at = entry.or(outer).map_or(map.at(), |(key, _)| key.at());
    let list = |key| -> &[Node] {
        match tests.and_then(|it| it.get(key)).map(|node| &node.value) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    };
    let (matching, other) = (list("match"), list("no_match"));
    let few = [(matching, "match"), (other, "no_match")];
    let few = few.map(|(list, key)| (list.len(), key));
    let missing: Vec<String> = few
        .iter()
        .filter(|(count, _)| *count < LEAST)
        .map(|(count, key)| format!("{count} under `{key}`"))
        .collect();
    if !missing.is_empty() {
        let severity =
            if ask.embedded { Severity::Error } else { Severity::Warning };
        let what = format!("too few tests: {}", missing.join(", "));
        let help = "give at least two lines that match and two near misses \
                    under `iisleuth: tests:`";
        sink.add((severity, "few-tests"), at, what, help);
    }
    if let Some(tests) = tests {
        twice(tests, matching, other, sink);
    }
}

/// Lines that stand twice; on both sides they cannot both hold.
fn twice(
    tests: Entries<'_>,
    matching: &[Node],
    other: &[Node],
    sink: &mut Sink<'_>,
) {
    let text = |map: Entries<'_>, key: &str| {
        map.get(key).and_then(Node::text).map(str::to_owned)
    };
    let common = (text(tests, "fields"), text(tests, "software"));
    let mut seen: HashMap<_, (Position, bool)> = HashMap::new();
    let both = [(matching, true), (other, false)];
    for (list, must_match) in both {
        for item in list {
            let Some(map) = inner(item) else { continue };
            let own = (
                text(map, "line"),
                text(map, "fields").or_else(|| common.0.clone()),
                text(map, "software").or_else(|| common.1.clone()),
            );
            let at = map.get("line").map_or(item.at(), Node::at);
            let Some(first) = seen.insert(own, (at, must_match)) else {
                continue;
            };
            let what = "this test line stands twice";
            let help = format!("the first one is in line {}", first.0.line);
            let both = first.1 != must_match;
            let severity =
                if both { Severity::Error } else { Severity::Warning };
            sink.add((severity, "duplicate-test"), at, what, help);
        }
    }
}
