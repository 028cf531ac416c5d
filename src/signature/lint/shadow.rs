//! Values of one list that say nothing which another does not say.
//!
//! In: the values of a test. Out: those that another makes needless: where
//! one of them must match, the narrower one; with `all`, the wider one.
//!
//! A pattern takes in another where it matches it as if it were a text whose
//! own `*` only a `*` takes. That is never wrong, and finds all that people
//! write. `+` and a blank count as two: with `--sigma-strict` they are.

use super::Sink;
use crate::signature::diagnostic::quote;
use crate::signature::modifier::Plan;
use crate::signature::rule::Part;
use crate::signature::variant::{parts, placed};
use crate::signature::yaml::Node;

/// Steps that the comparisons of one rule may take: far more than any rule
/// of people needs, and a fraction of a second.
pub(super) const STEPS: usize = 20_000_000;

/// One sign of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Byte(u8),
    One,
    Any,
}

pub(super) fn lint(
    nodes: &[Node],
    plan: &Plan,
    steps: &mut usize,
    sink: &mut Sink<'_>,
) {
    let signs: Vec<(Vec<Sign>, &Node)> = nodes
        .iter()
        .filter_map(|node| Some((signs(node.text()?, plan), node)))
        .collect();
    for (at, (own, node)) in signs.iter().enumerate() {
        let others = signs.iter().enumerate().filter(|(it, _)| *it != at);
        let twin = others.clone().find(|(other_at, (other, _))| {
            let (wide, narrow) =
                if plan.all { (own, other) } else { (other, own) };
            let same = own == other;
            // Of two that are the same the first one stays.
            (!same || *other_at < at) && takes_in(wide, narrow, steps)
        });
        let Some((_, (_, other))) = twin else { continue };
        let (own, other_text) =
            (quote(node.text().unwrap_or_default()), other.text());
        let other_text = quote(other_text.unwrap_or_default());
        let what = if plan.all {
            format!("{own} is asked for by {other_text} already")
        } else {
            format!("{own} adds nothing: {other_text} matches all of it")
        };
        let help = format!("{other_text} is in line {}", other.line);
        sink.warn("shadowed-literal", node.at(), what, help);
    }
    if *steps == 0
        && let Some(first) = nodes.first()
    {
        let what = "there are too many values to compare all of them";
        let kind = (super::Severity::Note, "shadowed-literal");
        sink.add(kind, first.at(), what, "part the rule in several");
    }
}

fn signs(text: &str, plan: &Plan) -> Vec<Sign> {
    let mut signs = Vec::new();
    for part in placed(parts(text), plan.place) {
        match part {
            Part::Any => signs.push(Sign::Any),
            Part::One => signs.push(Sign::One),
            Part::Text(bytes) => {
                let fold = |byte: u8| {
                    if plan.cased { byte } else { byte.to_ascii_lowercase() }
                };
                signs.extend(bytes.into_iter().map(|it| Sign::Byte(fold(it))));
            }
        }
    }
    signs
}

/// Whether all that `narrow` matches is matched by `wide`. False where the
/// steps run out.
fn takes_in(wide: &[Sign], narrow: &[Sign], steps: &mut usize) -> bool {
    let (mut w, mut n) = (0, 0);
    // The last `*` of the wide one, and how far it reaches so far.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let Some(rest) = steps.checked_sub(1) else { return false };
        *steps = rest;
        let next = narrow.get(n);
        match (wide.get(w), next) {
            (None, None) => return true,
            (Some(Sign::Any), _) => {
                star = Some((w, n));
                w += 1;
                continue;
            }
            (Some(Sign::One), Some(Sign::Byte(_) | Sign::One)) => {
                (w, n) = (w + 1, n + 1);
                continue;
            }
            (Some(Sign::Byte(a)), Some(Sign::Byte(b))) if a == b => {
                (w, n) = (w + 1, n + 1);
                continue;
            }
            _ => {}
        }
        match (star, next) {
            (Some((at, reach)), Some(_)) => {
                star = Some((at, reach + 1));
                (w, n) = (at + 1, reach + 1);
            }
            _ => return false,
        }
    }
}
