//! Why a rule matches a line, or does not: its condition as a tree, each
//! test with what it asks for and what it was given.
//!
//! In: a record, or a line that is none, and a rule. Out: a [`RuleTrace`].
//! This is for one line that a person asks about, so it goes the plainest
//! way: every test is tried on every form, no order of cost, no anchors, no
//! early end. Tests hold it to what the matcher finds.
//!
//! | file | idea |
//! |---|---|
//! | here | the tree |
//! | `asked` | one test: what it asks, what it was given |
//! | `near` | how far a rule is from a match |
//! | `features` | why a request counts for a feature |

mod asked;
mod features;
mod near;

use serde::Serialize;

pub use self::asked::{Asked, Want};
pub use self::features::FeatureTrace;
pub use self::near::Near;
use crate::signature::evaluate::Resolved;
use crate::signature::matcher::Scratch;
use crate::signature::pattern::Fold;
use crate::signature::rule::{Detection, Expr};
use crate::signature::set::Signatures;
use crate::signature::torn::Torn;
use crate::signature::view::Sight;
use crate::w3c::Record;
use crate::w3c::decode::Decoded;

/// A rule's condition on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleTrace {
    /// The conditions as written, of which one must hold.
    pub condition: Vec<String>,
    /// The condition with its searches filled in.
    pub tree: Node,
}

/// A part of a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Whether it holds.
    pub state: State,
    /// The search of the rule that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// What it consists of.
    #[serde(flatten)]
    pub parts: Parts,
}

/// Whether a part of a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It does.
    Held,
    /// It does not.
    Failed,
    /// A line that is no record does not tell.
    Untold,
}

impl State {
    fn of(held: bool) -> Self {
        if held { Self::Held } else { Self::Failed }
    }
}

/// What a part of a condition consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Parts {
    /// All must hold.
    All(Vec<Node>),
    /// One must.
    Any(Vec<Node>),
    /// It must not.
    Not(Box<Node>),
    /// A test.
    Test(Asked),
}

impl RuleTrace {
    /// True where the rule matches.
    pub fn holds(&self) -> bool {
        self.tree.state == State::Held
    }
}

impl Signatures {
    /// Why a rule matches a record, or does not.
    pub fn trace(
        &self,
        index: u32,
        record: &Record<'_>,
        scratch: &mut Scratch,
    ) -> Option<RuleTrace> {
        let sight = &mut scratch.sight;
        sight.look();
        sight.foreign.look(true);
        sight.decode(&record.target());
        self.trace_on(index, &mut On::Record(record, sight))
    }

    /// Why the texts of a rule count as standing in a line that is no
    /// record, or do not.
    pub fn trace_rejected(
        &self,
        index: u32,
        line: &[u8],
        scratch: &mut Scratch,
    ) -> Option<RuleTrace> {
        let mut decoded = Decoded::default();
        decoded.set(line);
        let mut foreign = Vec::new();
        scratch.sight.foreign.read_line(line, &mut foreign);
        let (decoded, foreign) = (&decoded, foreign.as_slice());
        let torn = Torn { raw: line, decoded, foreign };
        self.trace_on(index, &mut On::Torn(torn))
    }

    /// True where `+` and a blank are the same to rules.
    pub fn joins_plus(&self) -> bool {
        let first = self.matcher().resolved(0);
        first.is_none_or(|it| it.fold() == Fold::CaseAndPlus)
    }

    fn trace_on(&self, index: u32, on: &mut On<'_>) -> Option<RuleTrace> {
        let detection = &self.rule(index)?.detection;
        let resolved = self.matcher().resolved(index)?;
        let tracer = Tracer { detection, resolved };
        let condition = detection.conditions.clone();
        Some(RuleTrace { condition, tree: tracer.node(&detection.expr, on) })
    }
}

/// What a condition is tried on.
enum On<'o> {
    Record(&'o Record<'o>, &'o mut Sight),
    Torn(Torn<'o>),
}

/// Walks one condition.
struct Tracer<'t> {
    detection: &'t Detection,
    resolved: &'t Resolved,
}

impl Tracer<'_> {
    fn node(&self, expr: &Expr, on: &mut On<'_>) -> Node {
        let is_torn = matches!(on, On::Torn(_));
        let (state, parts) = match expr {
            Expr::All(parts) => {
                let nodes = self.nodes(parts, on);
                (all(&nodes, is_torn), Parts::All(nodes))
            }
            Expr::Any(parts) => {
                let nodes = self.nodes(parts, on);
                (any(&nodes), Parts::Any(nodes))
            }
            Expr::Not(part) => {
                let node = self.node(part, on);
                // A filter cannot be told where columns mean nothing.
                let state = match node.state {
                    _ if is_torn => State::Untold,
                    State::Held => State::Failed,
                    State::Failed => State::Held,
                    State::Untold => State::Untold,
                };
                (state, Parts::Not(Box::new(node)))
            }
            Expr::Test(index) => {
                let (state, asked) = self.test(*index, on);
                (state, Parts::Test(asked))
            }
        };
        let mut searches = self.detection.searches.iter();
        let search = searches.find(|(_, own)| own == expr);
        let search = search.map(|(name, _)| name.clone());
        Node { state, search, parts }
    }

    fn nodes(&self, parts: &[Expr], on: &mut On<'_>) -> Vec<Node> {
        parts.iter().map(|part| self.node(part, on)).collect()
    }
}

/// Of a rejected line something must hold: what cannot be told proves
/// nothing.
fn all(nodes: &[Node], is_torn: bool) -> State {
    let has = |state| nodes.iter().any(|node| node.state == state);
    if has(State::Failed) {
        State::Failed
    } else if is_torn && !has(State::Held) {
        State::Untold
    } else {
        State::Held
    }
}

fn any(nodes: &[Node]) -> State {
    let has = |state| nodes.iter().any(|node| node.state == state);
    if has(State::Held) {
        State::Held
    } else if has(State::Untold) {
        State::Untold
    } else {
        State::Failed
    }
}
