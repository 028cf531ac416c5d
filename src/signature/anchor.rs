//! What a line must hold before a rule can match it: literals that the
//! prefilter looks for, so that conditions are evaluated on few records.

use regex_syntax::hir::{Hir, HirKind};

use crate::signature::evaluate::Resolved;
use crate::signature::ordinary;
use crate::signature::pattern::Fold;
use crate::signature::rule::{Detection, Expr, Op, Part};
use crate::signature::view::View;
use crate::w3c::Field;

/// Which columns an anchor is looked for in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Stem and query, raw and decoded.
    Request,
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
}

/// Least length of an anchor other than a method.
pub const LEAST: usize = 4;

/// Anchors of which a matching record holds at least one; `None` where no
/// such set can be told, so that the rule is evaluated on every record.
pub fn anchors(
    detection: &Detection,
    views: &Resolved,
) -> Option<Vec<Anchor>> {
    of(&detection.expr, detection, views)
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

fn of(
    expr: &Expr,
    detection: &Detection,
    views: &Resolved,
) -> Option<Vec<Anchor>> {
    match expr {
        Expr::All(parts) => parts
            .iter()
            .filter_map(|part| of(part, detection, views))
            .max_by(|a, b| worth(a).total_cmp(&worth(b))),
        Expr::Any(parts) => {
            let all: Option<Vec<_>> =
                parts.iter().map(|part| of(part, detection, views)).collect();
            all.map(|all| all.concat()).filter(|all| !all.is_empty())
        }
        Expr::Not(_) => None,
        Expr::Test(index) => {
            of_test(&detection.tests.get(*index)?.op, views.view(*index))
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
                    Group::Request,
                    [Part::Text(text)] | [Part::Text(text), Part::Any],
                ) if is_start(view, text) => {
                    let text = text.clone();
                    Some(Anchor { group: Group::Start, text })
                }
                (Group::Method, [Part::Text(text)]) => anchor(group, text),
                (Group::Status, [Part::Text(text)])
                    if text.len() == 3
                        && text.iter().all(u8::is_ascii_digit) =>
                {
                    Some(Anchor { group, text: text.clone() })
                }
                (Group::Method | Group::Status, _) => None,
                _ => longest(group, view, pattern.texts()),
            })
            .collect(),
        Op::Regex { .. } if matches!(group, Group::Method | Group::Status) => {
            return None;
        }
        Op::Regex { regexes, .. } => regexes
            .iter()
            .map(|regex| {
                let hir = parse(regex.as_str())?;
                longest(group, view, required(&hir).iter().map(Vec::as_slice))
            })
            .collect(),
        _ => return None,
    };
    let all = match op {
        Op::Text { all, .. } | Op::Regex { all, .. } => *all,
        _ => false,
    };
    if all {
        let best = found.into_iter().flatten().max_by_key(|a| a.text.len());
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
        View::Request | View::Stem | View::Extension => Group::Request,
        View::Line | View::Custom(_) => Group::Line,
        View::Field(field) => match field {
            Field::CsMethod => Group::Method,
            Field::CsUriStem | Field::CsUriQuery | Field::CsUri => {
                Group::Request
            }
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

/// The longest piece that stands in one column: texts on the request are cut
/// at `?`, which parts stem and query, and in a line at blanks, which part
/// columns, and at `+`, which matches a blank.
fn longest<'t>(
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
        .max_by_key(|piece| piece.len())
        .and_then(|piece| anchor(group, piece))
}

fn anchor(group: Group, text: &[u8]) -> Option<Anchor> {
    let fold = |byte: &u8| Fold::CaseAndPlus.apply(*byte);
    let text: Vec<u8> = text.iter().map(fold).collect();
    (group == Group::Method || text.len() >= LEAST)
        .then_some(Anchor { group, text })
}

/// How much a set of anchors is worth: the chance that it rejects a record.
fn worth(anchors: &[Anchor]) -> f64 {
    let one = |anchor: &Anchor| match anchor.group {
        Group::Method => match anchor.text.as_slice() {
            b"get" => -1000.0,
            b"post" => -3.0,
            b"head" => 0.5,
            b"options" => 4.0,
            _ => 20.0,
        },
        Group::Start => 20.0,
        // Worse than a verb that is not `GET`, better than nothing.
        Group::Status => match anchor.text.as_slice() {
            [b'2' | b'3', ..] => -900.0,
            _ => -20.0,
        },
        Group::Line => 0.5 + anchor.text.len() as f64 / 100.0,
        _ => match ordinary::count(&anchor.text) {
            0 => anchor.text.len().min(16) as f64,
            often => -(often as f64),
        },
    };
    anchors.iter().map(one).fold(f64::INFINITY, f64::min)
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
