//! What is cheap to tell of a record – verb, status, which columns are
//! empty –, and what rules need of it.
//!
//! In: a record, or a rule's condition. Out: a few bits. Most records that
//! hold an anchor of a rule by chance are told apart by them with one step.
//! What decoding could change is told only of records that have nothing to
//! decode.

use crate::signature::evaluate::Resolved;
use crate::signature::rule::{Detection, Expr, Op, Part, Pattern};
use crate::signature::view::View;
use crate::w3c::{Field, Record};

/// One bit of each kind for a record. For a rule, all bits of records that
/// it could match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facts(u32);

/// The bits that tell one kind of fact.
#[derive(Clone, Copy)]
struct Kind {
    first: u32,
    mask: u32,
}

const fn kind(first: u32, count: u32) -> Kind {
    Kind { first, mask: ((1 << count) - 1) << first }
}

const METHOD: Kind = kind(0, 4);
const STATUS: Kind = kind(4, 10);

/// Columns of which it is told whether they have a value: two bits each.
/// The first two tell most.
const FIRST: [(Field, Kind); 2] =
    [(Field::CsReferer, kind(14, 2)), (Field::CsCookie, kind(18, 2))];
const REST: [(Field, Kind); 2] =
    [(Field::CsUserAgent, kind(16, 2)), (Field::CsUsername, kind(20, 2))];

/// Whether a request has a query.
const QUERY: Kind = kind(22, 2);

impl Kind {
    const fn bit(self, number: u32) -> u32 {
        1 << (self.first + number)
    }
}

impl Facts {
    /// Those of records that any rule could match.
    pub const ALL: Self = Self(u32::MAX);

    /// Those of a record that tell most, and cost least.
    #[inline]
    pub fn first_of(record: &Record<'_>) -> Self {
        let method = record.get(Field::CsMethod);
        let status = record.get(Field::ScStatus);
        Self(
            METHOD.bit(method_class(method.unwrap_or_default()))
                | STATUS.bit(status_class(status.unwrap_or_default()))
                | presence(record, &FIRST),
        )
    }

    /// The others; `is_plain` where its stem has but one form.
    pub fn rest_of(record: &Record<'_>, is_plain: bool) -> Self {
        let mut facts = presence(record, &REST);
        if is_plain {
            let query = record.target().query;
            facts |= QUERY.bit(u32::from(query.is_some()));
        }
        Self(facts)
    }

    /// Those of the records of which a part of a rule's condition could
    /// hold.
    pub fn needed(
        expr: &Expr,
        detection: &Detection,
        views: &Resolved,
    ) -> Self {
        let of = |part: &Expr| Self::needed(part, detection, views).0;
        Self(match expr {
            Expr::All(parts) => {
                parts.iter().map(of).fold(u32::MAX, |a, b| a & b)
            }
            Expr::Any(parts) => parts.iter().map(of).fold(0, |a, b| a | b),
            Expr::Not(_) => u32::MAX,
            Expr::Test(index) => {
                let op = detection.tests.get(*index).map(|test| &test.op);
                op.map_or(u32::MAX, |op| of_test(op, views.view(*index)))
            }
        })
    }

    /// Those of records that have both.
    pub fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// True where a record with these facts could match.
    #[inline]
    pub fn let_pass(self, record: Self) -> bool {
        record.0 & !self.0 == 0
    }
}

/// Which of these columns have a value.
#[inline]
fn presence(record: &Record<'_>, columns: &[(Field, Kind)]) -> u32 {
    let each = columns.iter().map(|(field, kind)| {
        kind.bit(u32::from(record.get(*field).is_some()))
    });
    each.fold(0, |all, bit| all | bit)
}

/// `GET`, `POST`, `HEAD`, or another.
fn method_class(method: &[u8]) -> u32 {
    let is = |word: &[u8]| method.eq_ignore_ascii_case(word);
    match method.len() {
        3 if is(b"GET") => 0,
        4 if is(b"POST") => 1,
        4 if is(b"HEAD") => 2,
        _ => 3,
    }
}

/// The class of a status: the most frequent ones, and the hundreds.
fn status_class(status: &[u8]) -> u32 {
    match status {
        b"200" => 0,
        [b'2', _, _] => 1,
        [b'3', _, _] => 2,
        b"401" => 3,
        b"403" => 4,
        b"404" => 5,
        [b'4', _, _] => 6,
        b"500" => 7,
        [b'5', _, _] => 8,
        _ => 9,
    }
}

fn of_test(op: &Op, view: &View) -> u32 {
    let field = match view {
        View::Field(field) => field,
        View::Request => return of_request(op),
        _ => return u32::MAX,
    };
    let values = |kind: Kind, class: fn(&[u8]) -> u32| match op {
        Op::Text { patterns, all: false } => {
            let each = patterns.iter().map(|pattern| match whole(pattern) {
                Some(text) => kind.bit(class(text)),
                None => kind.mask,
            });
            each.fold(!kind.mask, |all, bits| all | bits)
        }
        _ => u32::MAX,
    };
    match field {
        Field::CsMethod => values(METHOD, method_class),
        Field::ScStatus => values(STATUS, status_class),
        _ => match FIRST.iter().chain(&REST).find(|it| it.0 == *field) {
            Some((_, kind)) => of_presence(op, *kind),
            None => u32::MAX,
        },
    }
}

/// Texts of a request may stand in its stem, and need no query.
fn of_request(op: &Op) -> u32 {
    match op {
        Op::Null | Op::Exists(_) => of_presence(op, QUERY),
        _ => u32::MAX,
    }
}

/// A column that must, or must not, have a value.
fn of_presence(op: &Op, kind: Kind) -> u32 {
    let wanted = match op {
        Op::Null | Op::Exists(false) => 0,
        // No test but these holds where there is nothing to test.
        _ => 1,
    };
    !kind.mask | kind.bit(wanted)
}

/// The text of a pattern without wildcards.
fn whole(pattern: &Pattern) -> Option<&[u8]> {
    match pattern.parts.as_slice() {
        [Part::Text(text)] => Some(text),
        _ => None,
    }
}
