//! What a line must hold before a rule can match it: literals that the
//! prefilter looks for, so that conditions are evaluated on few records.

use std::cmp::Reverse;

use regex_syntax::hir::{Hir, HirKind};

use crate::signature::evaluate::Resolved;
use crate::signature::facts::Facts;
use crate::signature::ordinary::{self, Values};
use crate::signature::pattern::Fold;
use crate::signature::rule::{Detection, Expr, Op, Part};
use crate::signature::view::View;
use crate::w3c::Field;

/// Times that a byte alone, or a pair of bytes, may stand in ordinary
/// requests and still tell something.
const TELLING_BYTE: usize = 60;
const TELLING_PAIR: usize = 20;

/// True for a text of one to three bytes that few ordinary requests hold,
/// and that the filter finds by a byte, or a pair, that few hold.
fn is_telling(text: &[u8]) -> bool {
    let is_rare = match *text {
        [] => false,
        [byte] => {
            !byte.is_ascii_alphanumeric()
                && ordinary::count_byte_of_requests(byte) <= TELLING_BYTE
        }
        _ => text
            .windows(2)
            .any(|pair| ordinary::count_pair(pair) <= TELLING_PAIR),
    };
    is_rare && ordinary::count(Values::Requests, text) == 0
}

/// Which columns an anchor is looked for in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Stem and query, raw and decoded.
    Request,
    /// The stem alone, raw and decoded.
    Stem,
    /// `cs(User-Agent)`.
    Agent,
    /// `cs(Referer)`.
    Referer,
    /// `cs(Cookie)`.
    Cookie,
    /// `cs-username`.
    User,
    /// `cs-host`.
    Host,
    /// The whole line, raw, and the decoded request.
    Line,
    /// `cs-method`, whole.
    Method,
    /// `sc-status`, whole: three digits.
    Status,
    /// The start of a stem that does not begin with a slash.
    Start,
}

/// A literal, folded, without which its rule cannot match.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Anchor {
    /// Where it must stand.
    pub group: Group,
    /// The folded bytes.
    pub text: Vec<u8>,
    /// The records in which it says something.
    pub facts: Facts,
}

/// The anchors, each with its rule, that are looked for in some columns.
pub fn of_groups<'a>(
    anchors: &'a [(Anchor, u32)],
    wanted: &'a [Group],
) -> impl Iterator<Item = (&'a Anchor, u32)> {
    anchors
        .iter()
        .filter(|(anchor, _)| wanted.contains(&anchor.group))
        .map(|(anchor, rule)| (anchor, *rule))
}

/// Least length of an anchor, but for one that stands in a request and that
/// is rare there.
pub const LEAST: usize = 4;

/// Anchors of which a matching record holds at least one, and has the facts
/// that go with it; `None` where no such set can be told, so that the rule
/// is evaluated on every record.
pub fn anchors(
    detection: &Detection,
    views: &Resolved,
) -> Option<Vec<Anchor>> {
    let (expr, facts) = (&detection.expr, Facts::ALL);
    Search { detection, views }.of(expr, facts)
}

/// Anchors of which a rejected line holds at least one where the rule's
/// texts stand in it; `None` where that cannot be told.
pub fn torn_anchors(
    detection: &Detection,
    views: &Resolved,
) -> Option<Vec<Anchor>> {
    let mut found = Vec::new();
    for (index, test) in detection.tests.iter().enumerate() {
        if !views.is_text(index) {
            continue;
        }
        let Op::Text { patterns, .. } = &test.op else { continue };
        for pattern in patterns {
            let pieces = pattern
                .texts()
                .flat_map(|text| text.split(|byte| *byte == b'?'));
            let best = pieces.max_by_key(|piece| piece.len())?;
            found.push(anchor(Group::Line, best)?);
        }
    }
    Some(found)
}

/// A rule whose anchors are looked for.
#[derive(Clone, Copy)]
struct Search<'r> {
    detection: &'r Detection,
    views: &'r Resolved,
}

impl Search<'_> {
    /// The anchors of a part of the condition, which goes with these facts.
    fn of(self, expr: &Expr, facts: Facts) -> Option<Vec<Anchor>> {
        match expr {
            Expr::All(parts) => {
                let Self { detection, views } = self;
                let facts = facts.both(Facts::needed(expr, detection, views));
                parts
                    .iter()
                    .filter_map(|part| self.of(part, facts))
                    .max_by(|a, b| worth(a).total_cmp(&worth(b)))
            }
            Expr::Any(parts) => {
                let each = parts.iter().map(|part| self.of(part, facts));
                let all: Option<Vec<_>> = each.collect();
                all.map(|all| all.concat()).filter(|all| !all.is_empty())
            }
            Expr::Not(_) => None,
            Expr::Test(index) => {
                let op = &self.detection.tests.get(*index)?.op;
                let mut found = of_test(op, self.views.view(*index))?;
                for anchor in &mut found {
                    anchor.facts = facts;
                }
                Some(found)
            }
        }
    }
}

fn of_test(op: &Op, view: &View) -> Option<Vec<Anchor>> {
    let group = group(view)?;
    let found: Vec<Option<Anchor>> = match op {
        Op::Text { patterns, .. } => patterns
            .iter()
            .map(|pattern| match (group, pattern.parts.as_slice()) {
                (
                    Group::Stem,
                    [Part::Text(text)] | [Part::Text(text), Part::Any],
                ) if is_start(view, text) => {
                    Some(Anchor::new(Group::Start, text.clone()))
                }
                (Group::Method, [Part::Text(text)]) => anchor(group, text),
                (Group::Status, [Part::Text(text)])
                    if text.len() == 3
                        && text.iter().all(u8::is_ascii_digit) =>
                {
                    Some(Anchor::new(group, text.clone()))
                }
                (Group::Method | Group::Status, _) => None,
                _ => rarest(group, view, pattern.texts()),
            })
            .collect(),
        Op::Regex { .. } if matches!(group, Group::Method | Group::Status) => {
            return None;
        }
        Op::Regex { regexes, .. } => regexes
            .iter()
            .map(|regex| {
                let hir = parse(regex.as_str())?;
                rarest(group, view, required(&hir).iter().map(Vec::as_slice))
            })
            .collect(),
        _ => return None,
    };
    let all = match op {
        Op::Text { all, .. } | Op::Regex { all, .. } => *all,
        _ => false,
    };
    if all {
        let best = found.into_iter().flatten().min_by_key(Anchor::rank);
        return best.map(|anchor| vec![anchor]);
    }
    found.into_iter().collect()
}

/// Ordinary stems begin with a slash: whatever begins otherwise is told by
/// that, better than by what it begins with, which a referer may hold.
fn is_start(view: &View, text: &[u8]) -> bool {
    matches!(view, View::Stem | View::Field(Field::CsUriStem))
        && text.first().is_some_and(|first| *first != b'/')
}

fn group(view: &View) -> Option<Group> {
    Some(match view {
        View::Request => Group::Request,
        View::Stem | View::Extension => Group::Stem,
        View::Line | View::Custom(_) => Group::Line,
        View::Field(field) => match field {
            Field::CsMethod => Group::Method,
            Field::CsUriStem => Group::Stem,
            Field::CsUriQuery | Field::CsUri => Group::Request,
            Field::CsUserAgent => Group::Agent,
            Field::CsReferer => Group::Referer,
            Field::CsCookie => Group::Cookie,
            Field::CsUsername => Group::User,
            Field::CsHost => Group::Host,
            Field::ScStatus => Group::Status,
            Field::ScSubstatus | Field::ScWin32Status | Field::SPort => {
                return None;
            }
            _ => Group::Line,
        },
    })
}

/// The rarest piece that stands in one column: texts on the request are cut
/// at `?`, which parts stem and query, and in a line at blanks, which part
/// columns, and at `+`, which matches a blank.
fn rarest<'t>(
    group: Group,
    view: &View,
    texts: impl Iterator<Item = &'t [u8]>,
) -> Option<Anchor> {
    let parts = matches!(view, View::Request | View::Line);
    texts
        .flat_map(|text| {
            text.split(move |byte| {
                (*byte == b'?' && parts)
                    || (matches!(byte, b' ' | b'+') && group == Group::Line)
            })
        })
        .filter_map(|piece| anchor(group, piece))
        .min_by_key(Anchor::rank)
}

fn anchor(group: Group, text: &[u8]) -> Option<Anchor> {
    let fold = |byte: &u8| Fold::CaseAndPlus.apply(*byte);
    let text: Vec<u8> = text.iter().map(fold).collect();
    let is_long = match group {
        Group::Method => true,
        Group::Request | Group::Stem => {
            text.len() >= LEAST || is_telling(&text)
        }
        _ => text.len() >= LEAST,
    };
    is_long.then(|| Anchor::new(group, text))
}

impl Anchor {
    fn new(group: Group, text: Vec<u8>) -> Self {
        Self { group, text, facts: Facts::ALL }
    }

    /// How many ordinary records of ten thousand hold it, as far as can be
    /// told.
    fn chance(&self) -> usize {
        let text = self.text.as_slice();
        match self.group {
            Group::Method => match text {
                b"get" => 8000,
                b"post" => 1500,
                b"head" => 100,
                b"options" => 30,
                _ => 1,
            },
            Group::Start => 0,
            Group::Status => match text {
                [b'2', ..] => 8000,
                [b'3', ..] => 1000,
                b"404" => 200,
                _ => 100,
            },
            // Looked for in every column.
            Group::Line => 1500,
            Group::Request | Group::Stem => {
                10 * ordinary::count(Values::Requests, text)
            }
            _ => 50 * ordinary::count(Values::Headers, text),
        }
    }

    /// The rarest is the least; of equals, the longest.
    fn rank(&self) -> (usize, Reverse<usize>) {
        (self.chance(), Reverse(self.text.len()))
    }
}

/// How much a set of anchors is worth: the fewer records it picks, the
/// better; then the longer the shortest text is.
fn worth(anchors: &[Anchor]) -> f64 {
    let chance: usize = anchors.iter().map(Anchor::chance).sum();
    let shortest = anchors.iter().map(|anchor| anchor.text.len()).min();
    shortest.unwrap_or(0).min(16) as f64
        - chance as f64 * 100.0
        - anchors.len() as f64 / 1000.0
}

/// An expression as it was compiled, bytes first, in any letter case. Case
/// is ignored because the text of an expression does not tell its flags,
/// and because Unicode has letters that fold to ASCII ones.
fn parse(regex: &str) -> Option<Hir> {
    let parse = |unicode| {
        regex_syntax::ParserBuilder::new()
            .utf8(false)
            .unicode(unicode)
            .case_insensitive(true)
            .build()
            .parse(regex)
            .ok()
    };
    parse(false).or_else(|| parse(true))
}

/// Literal runs that every match of an expression holds.
fn required(hir: &Hir) -> Vec<Vec<u8>> {
    match hir.kind() {
        HirKind::Literal(literal) => vec![literal.0.to_vec()],
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            required(&repetition.sub)
        }
        HirKind::Concat(parts) => of_sequence(parts),
        // A letter of a case-insensitive expression is a class of two.
        HirKind::Class(_) => {
            single(hir).map(|byte| vec![vec![byte]]).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// Joins neighbours of a sequence that are one byte up to letter case.
fn of_sequence(parts: &[Hir]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut run = Vec::new();
    for part in parts {
        match part.kind() {
            HirKind::Literal(literal) => run.extend_from_slice(&literal.0),
            HirKind::Class(_) if single(part).is_some() => {
                run.extend(single(part));
            }
            HirKind::Look(_) => {}
            _ => {
                found.push(std::mem::take(&mut run));
                found.extend(required(part));
            }
        }
    }
    found.push(run);
    found
}

/// The byte that a class stands for, ignoring letter case.
fn single(hir: &Hir) -> Option<u8> {
    let HirKind::Class(class) = hir.kind() else { return None };
    let bytes: Vec<u8> = match class {
        regex_syntax::hir::Class::Bytes(class) => class
            .iter()
            .flat_map(|range| range.start()..=range.end())
            .take(3)
            .collect(),
        regex_syntax::hir::Class::Unicode(class) => class
            .iter()
            .flat_map(|range| range.start()..=range.end())
            .take(3)
            .map(|letter| u8::try_from(letter).ok().filter(u8::is_ascii))
            .collect::<Option<_>>()?,
    };
    let first = bytes.first()?.to_ascii_lowercase();
    bytes
        .iter()
        .all(|byte| byte.to_ascii_lowercase() == first)
        .then_some(first)
}
