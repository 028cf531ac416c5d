//! The searches of a detection: is each used, and is each value of use?
//!
//! In: the `detection` of a rule that was read without a fault. Out:
//! searches that no condition names, and what [`literal`](super::literal)
//! and [`shadow`](super::shadow) say of their values.

use super::{Ask, Sink, literal, shadow};
use crate::raw::Raw;
use crate::signature::condition::glob;
use crate::signature::diagnostic::{Faults, quote};
use crate::signature::modifier::{Kind, Plan};
use crate::signature::view::View;
use crate::signature::yaml::{Entry, Node, Value};

pub(super) fn lint(detection: &Node, ask: Ask, sink: &mut Sink<'_>) {
    let Value::Map(entries) = &detection.value else { return };
    let searches: Vec<&Entry> = entries
        .iter()
        .filter(|(key, _)| !matches!(key.key(), "condition" | "timeframe"))
        .collect();
    let condition = entries.iter().find(|(key, _)| key.key() == "condition");
    if let Some((_, condition)) = condition {
        unused(&searches, condition, sink);
    }
    let mut steps = shadow::STEPS;
    for (_, node) in searches {
        for map in items(node) {
            let Value::Map(tests) = &map.value else { continue };
            for (key, value) in tests {
                values(key, value, ask, &mut steps, sink);
            }
        }
    }
}

/// The items of a list, or the node alone.
fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

/// Searches that no condition names.
fn unused(searches: &[&Entry], condition: &Node, sink: &mut Sink<'_>) {
    let mut used = vec![false; searches.len()];
    for text in items(condition).iter().filter_map(Node::text) {
        let parts = |c: char| c.is_whitespace() || matches!(c, '(' | ')');
        let words: Vec<&str> =
            text.split(parts).filter(|word| !word.is_empty()).collect();
        for (at, word) in words.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| words.get(at));
            let many = before.is_some_and(|it| it.eq_ignore_ascii_case("of"));
            let names = searches.iter().map(|entry| entry.0.key());
            for (used, name) in used.iter_mut().zip(names) {
                *used |= if many { fits(word, name) } else { *word == name };
            }
        }
    }
    for ((key, _), _) in searches.iter().zip(used).filter(|(_, used)| !used) {
        let what = format!("no condition asks for {}", quote(key.key()));
        let help = "name it in the condition, or remove it";
        sink.warn("unused-search", key.at(), what, help);
    }
}

/// Whether `1 of word` takes the search.
fn fits(word: &str, name: &str) -> bool {
    let pattern = if word.eq_ignore_ascii_case("them") { "*" } else { word };
    let shown = pattern.starts_with('_') || !name.starts_with('_');
    shown && glob(pattern, name)
}

/// The values of one test.
fn values(
    key: &Node,
    value: &Node,
    ask: Ask,
    steps: &mut usize,
    sink: &mut Sink<'_>,
) {
    let file = Raw::from("");
    let mut faults = Faults::new(&file, &[]);
    let Some(plan) = Plan::read(key, &mut faults) else { return };
    let view = View::of(plan.field.as_deref(), ask.strict);
    let name = key.key().split('|').next().unwrap_or_default();
    if let Some((what, help)) = literal::misplaced(&view, &plan, name) {
        sink.warn("dead-literal", key.at(), what, help);
        return;
    }
    // Other encodings are not what a column holds as it stands.
    if plan.kind != Kind::Text || plan.windash || !plan.codes.is_empty() {
        return;
    }
    for node in items(value) {
        let Some(text) = node.text() else { continue };
        let dead = literal::dead(&view, &plan, name, text, ask.strict);
        if let Some(dead) = dead {
            let at = sink.faults.inside(node, dead.offset);
            sink.warn("dead-literal", at, dead.message, dead.help);
        } else if literal::is_bare(&plan, text) {
            let what = format!("{} matches every value there is", quote(text));
            let help = format!("write `{name}|exists: true`");
            sink.warn("bare-wildcard", node.at(), what, help);
        }
    }
    shadow::lint(items(value), &plan, steps, sink);
}
