//! What is cheap to tell of a record and must hold before a rule can match
//! it.
//!
//! In: a rule's condition. Out: a few checks that most records fail which
//! only share a common anchor with what the rule looks for, such as a verb
//! or an ending. Only for records of which nothing was decoded: there a
//! stem has one form.

use crate::signature::evaluate::Resolved;
use crate::signature::pattern::Fold;
use crate::signature::rule::{Detection, Expr, Op, Part, Pattern};
use crate::signature::view::View;
use crate::w3c::{Field, Record};

/// What must hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard(Vec<Check>);

#[derive(Clone, Debug)]
enum Check {
    /// The column has, or has no, value.
    Has(Field, bool),
    /// The request has no query.
    NoQuery,
    /// The stem ends with one of these.
    Ends(Vec<Vec<u8>>),
    /// The stem holds one of these bytes.
    Holds(Vec<u8>),
}

impl Guard {
    pub fn new(detection: &Detection, views: &Resolved) -> Self {
        let mut checks = Vec::new();
        collect(&detection.expr, detection, views, &mut checks);
        Self(checks)
    }

    /// False where the rule cannot match the record.
    #[inline]
    pub fn lets_pass(&self, record: &Record<'_>) -> bool {
        self.0.iter().all(|check| check.holds(record))
    }
}

impl Check {
    fn holds(&self, record: &Record<'_>) -> bool {
        let stem = || record.target().stem.unwrap_or_default();
        match self {
            Self::Has(field, wanted) => {
                record.get(*field).is_some() == *wanted
            }
            Self::NoQuery => record.target().query.is_none(),
            Self::Ends(ends) => {
                let stem = stem();
                let fold = Fold::CaseAndPlus;
                ends.iter().any(|end| fold.ends_with(stem, end))
            }
            Self::Holds(bytes) => {
                let stem = stem();
                bytes.iter().any(|byte| memchr::memchr(*byte, stem).is_some())
            }
        }
    }
}

/// The checks of all parts that must hold together.
fn collect(
    expr: &Expr,
    detection: &Detection,
    views: &Resolved,
    checks: &mut Vec<Check>,
) {
    match expr {
        Expr::All(parts) => {
            for part in parts {
                collect(part, detection, views, checks);
            }
        }
        Expr::Test(index) => {
            let op = detection.tests.get(*index).map(|test| &test.op);
            checks.extend(op.and_then(|op| check(op, views.view(*index))));
        }
        Expr::Any(_) | Expr::Not(_) => {}
    }
}

fn check(op: &Op, view: &View) -> Option<Check> {
    match (op, view) {
        (Op::Null | Op::Exists(false), View::Field(field)) => {
            Some(Check::Has(*field, false))
        }
        (Op::Exists(true), View::Field(field)) => {
            Some(Check::Has(*field, true))
        }
        (Op::Null | Op::Exists(false), View::Request) => Some(Check::NoQuery),
        (Op::Text { patterns, all }, View::Stem) => {
            ends(patterns, *all).or_else(|| holds(patterns, *all))
        }
        _ => None,
    }
}

fn ends(patterns: &[Pattern], all: bool) -> Option<Check> {
    let end = |pattern: &Pattern| match pattern.parts.as_slice() {
        [Part::Any, Part::Text(text)] => Some(text.clone()),
        _ => None,
    };
    let ends: Option<Vec<_>> = patterns.iter().map(end).collect();
    ends.filter(|_| !all).map(Check::Ends)
}

/// Bytes that hardly any stem has and that are written in one way.
const RARE: &[u8] = b"\\~*;<>|^$%'\"`{}[]#!,";

fn holds(patterns: &[Pattern], all: bool) -> Option<Check> {
    let byte = |pattern: &Pattern| {
        let mut bytes = pattern.texts().flatten();
        bytes.find(|byte| RARE.contains(byte)).copied()
    };
    if all {
        let byte = patterns.iter().find_map(byte)?;
        return Some(Check::Holds(vec![byte]));
    }
    let bytes: Option<Vec<u8>> = patterns.iter().map(byte).collect();
    let mut bytes = bytes?;
    bytes.sort_unstable();
    bytes.dedup();
    (bytes.len() <= 4).then_some(Check::Holds(bytes))
}
