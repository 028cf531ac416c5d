//! A rule on a line that is no record: its texts, anywhere in the line.
//!
//! Nobody must be able to hide by breaking the line. What is left of the
//! columns are their borders: a text that a column begins or ends with must
//! stand at one.

use crate::signature::evaluate::Resolved;
use crate::signature::lead::Lead;
use crate::signature::pattern::Fold;
use crate::signature::rule::{Detection, Expr, Op, Part, Pattern};
use crate::signature::view::View;
use crate::w3c::Field;
use crate::w3c::decode::Decoded;

/// Least letters of a text that count: fewer stand anywhere.
const LEAST: usize = 4;

/// A line that is no record.
#[derive(Clone, Copy, Debug)]
pub struct Torn<'a> {
    /// As found.
    pub raw: &'a [u8],
    /// Its decoded forms.
    pub decoded: &'a Decoded,
    /// What its code page makes of them.
    pub foreign: &'a [String],
}

impl<'a> Torn<'a> {
    /// All forms, the line as found first.
    pub fn texts(&self) -> impl Iterator<Item = &'a [u8]> {
        std::iter::once(self.raw)
            .chain(self.decoded.forms().map(|(form, _)| form))
            .chain(self.foreign.iter().map(String::as_bytes))
    }
}

impl Resolved {
    /// Whether a rejected line shows this rule: its texts are looked for
    /// anywhere in the raw or decoded line. Statuses and the like cannot be
    /// told and count as fitting; filters are left out, for whoever breaks a
    /// line could write what they ask for anywhere in it. At least one text
    /// must be of the URL or a header, so that a verb alone is none.
    pub fn matches_rejected(
        &self,
        detection: &Detection,
        line: &Torn<'_>,
    ) -> bool {
        self.rejected(&self.plan, detection, line) == Some(true)
    }

    /// `None`: cannot be told.
    fn rejected(
        &self,
        expr: &Expr,
        detection: &Detection,
        line: &Torn<'_>,
    ) -> Option<bool> {
        match expr {
            Expr::All(parts) | Expr::Any(parts) => {
                // One part that fails refutes all; one that holds proves
                // any. Else what can be told counts first for all, what
                // cannot for any.
                let decides = matches!(expr, Expr::Any(_));
                let (mut known, mut unknown) = (false, false);
                for part in parts {
                    match self.rejected(part, detection, line) {
                        Some(found) if found == decides => {
                            return Some(decides);
                        }
                        Some(_) => known = true,
                        None => unknown = true,
                    }
                }
                let told = if decides { !unknown } else { known };
                told.then_some(!decides)
            }
            Expr::Not(_) => None,
            Expr::Test(index) => {
                let Op::Text { patterns, all } =
                    &detection.tests.get(*index)?.op
                else {
                    return None;
                };
                if *self.view(*index) == View::Field(Field::CsMethod) {
                    return method_fits(patterns, line.raw, self.fold);
                }
                if !self.is_text(*index) {
                    return None;
                }
                let mut found = patterns
                    .iter()
                    .map(|pattern| stands_in(pattern, line, self.fold));
                Some(if *all { found.all(|x| x) } else { found.any(|x| x) })
            }
        }
    }
}

/// A verb proves nothing, but one that stands nowhere in the line refutes.
fn method_fits(patterns: &[Pattern], line: &[u8], fold: Fold) -> Option<bool> {
    let fits = line.split(|byte| *byte == b' ').any(|word| {
        patterns.iter().any(|pattern| pattern.matches(word, fold))
    });
    if fits { None } else { Some(false) }
}

/// Whether all pieces of a pattern stand in one form of the line.
fn stands_in(pattern: &Pattern, line: &Torn<'_>, fold: Fold) -> bool {
    form_with(pattern, line, fold).is_some()
}

/// The form of the line in which all pieces of a pattern stand, by its place
/// among them.
pub(super) fn form_with(
    pattern: &Pattern,
    line: &Torn<'_>,
    fold: Fold,
) -> Option<usize> {
    let length: usize = pattern.texts().map(<[u8]>::len).sum();
    if length < LEAST {
        return None;
    }
    let pieces = pieces(pattern);
    let holds =
        |text: &[u8]| pieces.iter().all(|piece| piece.is_in(text, fold));
    line.texts().position(holds)
}

/// A text of one column.
struct Piece<'p> {
    text: &'p [u8],
    /// The column begins, or ends, with it.
    begins: bool,
    ends: bool,
}

/// The texts of a pattern. One that holds a `?` spans two columns.
fn pieces(pattern: &Pattern) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let count = pattern.parts.len();
    for (part, place) in pattern.parts.iter().zip(1..) {
        let Part::Text(text) = part else { continue };
        let columns: Vec<_> = text.split(|byte| *byte == b'?').collect();
        let last = columns.len();
        for (text, column) in columns.into_iter().zip(1..) {
            let begins = column > 1 || place == 1;
            let ends = column < last || place == count;
            found.push(Piece { text, begins, ends });
        }
    }
    found
}

impl Piece<'_> {
    fn is_in(&self, line: &[u8], fold: Fold) -> bool {
        let size = self.text.len();
        // A line may be a megabyte, and the rules are many.
        let Some(lead) = Lead::of(self.text, fold) else { return true };
        lead.places(line).any(|at| {
            let window = line.get(at..at + size);
            window.is_some_and(|window| fold.equals(window, self.text))
                && (!self.begins || is_border(at.checked_sub(1), line, fold))
                && (!self.ends || is_border(Some(at + size), line, fold))
        })
    }
}

/// Whether a column may begin or end at this byte, in any dialect; the ends
/// of the line are such places.
fn is_border(at: Option<usize>, line: &[u8], fold: Fold) -> bool {
    at.and_then(|at| line.get(at)).is_none_or(|byte| {
        matches!(fold.apply(*byte), b' ' | b'\t' | b'"' | b'\'' | b',' | b'?')
    })
}
