//! How far a rule is from a match.
//!
//! In: the tree of a rule that does not match. Out: what alone stands in its
//! way, where that is one test or one filter, and something rare that it
//! asks for is in the line. Without the latter every rule that asks for two
//! things would be near.

use super::{Node, Parts, RuleTrace, State};

/// A rule that nearly matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// A filter of the rule holds: all that it looks for is there.
    pub filtered: bool,
    /// What failed: a test, or a `not`.
    pub failed: Node,
    /// The tests that hold on the way to it.
    pub held: Vec<Node>,
    /// Bytes of the line that the rule asks for and ordinary logs do not
    /// hold.
    pub weight: usize,
}

/// The cheapest way to a match.
struct Way {
    /// Tests and filters that would have to turn.
    cost: usize,
    weight: usize,
    filtered: bool,
    failed: Option<Node>,
    held: Vec<Node>,
}

impl Way {
    fn free(weight: usize) -> Self {
        let (failed, held) = (None, Vec::new());
        Self { cost: 0, weight, filtered: false, failed, held }
    }

    /// A test that holds.
    fn held(node: &Node, weight: usize) -> Self {
        Self { held: vec![node.clone()], ..Self::free(weight) }
    }
}

impl RuleTrace {
    /// What alone stands in the way of a match; none where that is more than
    /// one thing, or the rule matches.
    pub fn near(&self) -> Option<Near> {
        let way = way(&self.tree);
        let Way { cost, weight, filtered, failed, held } = way;
        let failed = failed.filter(|_| cost == 1 && weight > 0)?;
        Some(Near { filtered, failed, held, weight })
    }
}

fn way(node: &Node) -> Way {
    let mut way = match &node.parts {
        Parts::All(parts) => of_all(parts),
        Parts::Any(parts) => of_any(node.state, parts),
        Parts::Not(part) => match node.state {
            State::Held | State::Untold => Way::free(0),
            State::Failed => Way {
                cost: 1,
                filtered: names_search(part),
                failed: Some(node.clone()),
                ..Way::free(0)
            },
        },
        Parts::Test(asked) => {
            let held = asked.wants.iter().filter(|want| want.held);
            let weights = held.map(|want| want.weight);
            match node.state {
                State::Held if asked.all => Way::held(node, weights.sum()),
                State::Held => Way::held(node, weights.max().unwrap_or(0)),
                State::Failed | State::Untold => Way {
                    cost: if asked.all {
                        asked.wants.iter().filter(|it| !it.held).count()
                    } else {
                        1
                    },
                    // One of several that are not all needed proves nothing.
                    weight: if asked.all { weights.sum() } else { 0 },
                    failed: Some(node.clone()),
                    ..Way::free(0)
                },
            }
        }
    };
    if let Some(failed) = &mut way.failed
        && failed.search.is_none()
    {
        failed.search.clone_from(&node.search);
    }
    way
}

fn of_all(parts: &[Node]) -> Way {
    let mut all = Way::free(0);
    for part in parts {
        let one = way(part);
        all.cost = all.cost.saturating_add(one.cost);
        all.weight += one.weight;
        all.filtered |= one.filtered;
        all.failed = all.failed.or(one.failed);
        all.held.extend(one.held);
    }
    all
}

fn of_any(state: State, parts: &[Node]) -> Way {
    let ways = parts.iter().map(way);
    if state == State::Held {
        let held = parts.iter().zip(ways);
        let held = held.filter(|(part, _)| part.state == State::Held);
        let best = held.map(|(_, way)| way).max_by_key(|way| way.weight);
        return best.unwrap_or(Way::free(0));
    }
    let nearest =
        ways.min_by_key(|way| (way.cost, std::cmp::Reverse(way.weight)));
    nearest.unwrap_or(Way { cost: usize::MAX, ..Way::free(0) })
}

/// True where a part is a search of the rule, or holds one: then a `not`
/// before it is a filter, and not the `neq` of one test.
fn names_search(node: &Node) -> bool {
    node.search.is_some()
        || match &node.parts {
            Parts::All(parts) | Parts::Any(parts) => {
                parts.iter().any(names_search)
            }
            Parts::Not(part) => names_search(part),
            Parts::Test(_) => false,
        }
}
