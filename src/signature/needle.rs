//! A pattern made ready: what is worked out once, so that a text can be
//! told from it in few steps.
//!
//! In: a [`Pattern`] and how letters compare. Out: yes or no for a text,
//! the same as [`Pattern::matches`], which tests hold it to.

use crate::signature::lead::Lead;
use crate::signature::ordinary;
use crate::signature::pattern::Fold;
use crate::signature::rule::{Part, Pattern};

/// Patterns of which any will do.
#[derive(Clone, Debug)]
pub(super) struct Needles {
    list: Vec<Needle>,
    guard: Option<Box<Guard>>,
}

impl Needles {
    pub fn new(patterns: &[Pattern], fold: Fold) -> Self {
        let list: Vec<Needle> =
            patterns.iter().map(|one| Needle::new(one, fold)).collect();
        let guard = Guard::new(&list).map(Box::new);
        Self { list, guard }
    }

    /// True where the whole text matches one of them.
    #[inline]
    pub fn any_matches(&self, text: &[u8]) -> bool {
        self.guard.as_ref().is_none_or(|guard| guard.passes(text))
            && self.list.iter().any(|needle| needle.matches(text))
    }
}

/// Tells in one go that a text holds none of several literals: three bytes
/// stand for each.
#[derive(Clone, Debug)]
struct Guard {
    /// By place and byte: the literals that may have it there, one bit
    /// each; some share a bit where there are many.
    tables: [[u32; 256]; Guard::GRAM],
}

impl Guard {
    const GRAM: usize = 3;
    /// Fewer are looked for one by one.
    const LEAST: usize = 3;

    /// For literals that may stand anywhere; `None` where some may not, or
    /// are too short.
    fn new(needles: &[Needle]) -> Option<Self> {
        if needles.len() < Self::LEAST {
            return None;
        }
        let mut guard = Self { tables: [[0; 256]; Self::GRAM] };
        for (number, needle) in needles.iter().enumerate() {
            let Kind::Within(_) = needle.kind else { return None };
            let likely = |gram: &&[u8]| ordinary::likelihood(gram);
            let rarest = needle.text.windows(Self::GRAM).min_by_key(likely)?;
            for (table, byte) in guard.tables.iter_mut().zip(rarest) {
                for own in needle.fold.both(*byte) {
                    table[usize::from(own)] |= 1 << (number % 32);
                }
            }
        }
        Some(guard)
    }

    #[inline]
    fn passes(&self, text: &[u8]) -> bool {
        let [first, second, third] = &self.tables;
        let of = |table: &[u32; 256], byte: u8| table[usize::from(byte)];
        text.windows(Self::GRAM).fold(0, |found, gram| match *gram {
            [a, b, c] => found | of(first, a) & of(second, b) & of(third, c),
            _ => found,
        }) != 0
    }
}

/// A pattern made ready.
#[derive(Clone, Debug)]
struct Needle {
    kind: Kind,
    fold: Fold,
    /// The literal of all kinds but [`Kind::Glob`].
    text: Box<[u8]>,
}

#[derive(Clone, Debug)]
enum Kind {
    Whole,
    Start,
    End {
        /// The last byte of the literal, as it may be written.
        last: [u8; 2],
    },
    Within(Lead),
    /// Anything else.
    Glob(Pattern),
}

impl Needle {
    fn new(pattern: &Pattern, fold: Fold) -> Self {
        let own = if pattern.cased { Fold::Exact } else { fold };
        let (kind, text) = match pattern.parts.as_slice() {
            [Part::Text(text)] => (Kind::Whole, text.as_slice()),
            [Part::Text(text), Part::Any] => (Kind::Start, text.as_slice()),
            [Part::Any, Part::Text(text)] => {
                let Some(last) = text.last() else {
                    return Self::glob(pattern, fold);
                };
                (Kind::End { last: own.both(*last) }, text.as_slice())
            }
            [Part::Any, Part::Text(text), Part::Any] => {
                let Some(lead) = Lead::of(text, own) else {
                    return Self::glob(pattern, fold);
                };
                (Kind::Within(lead), text.as_slice())
            }
            _ => return Self::glob(pattern, fold),
        };
        Self { kind, fold: own, text: text.into() }
    }

    fn glob(pattern: &Pattern, fold: Fold) -> Self {
        let kind = Kind::Glob(pattern.clone());
        Self { kind, fold, text: Box::default() }
    }

    /// True where the whole text matches.
    #[inline]
    fn matches(&self, text: &[u8]) -> bool {
        match &self.kind {
            Kind::Whole => self.fold.equals(text, &self.text),
            Kind::Start => self.fold.starts_with(text, &self.text),
            Kind::End { last } => {
                text.last().is_some_and(|own| last.contains(own))
                    && self.fold.ends_with(text, &self.text)
            }
            Kind::Within(lead) => {
                let starts = |at: usize| {
                    let rest = text.get(at..).unwrap_or_default();
                    self.fold.starts_with(rest, &self.text)
                };
                lead.places(text).any(starts)
            }
            Kind::Glob(pattern) => pattern.matches(text, self.fold),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// Several literals, with and without a guard before them.
        #[test]
        fn any_is_what_one_of_them_tells(
            literals in proptest::collection::vec("[a-bA-B+ ./]{1,5}", 1..9),
            text in "[a-bA-B+ ./]{0,24}",
            cased: bool,
        ) {
            let patterns: Vec<Pattern> = literals
                .iter()
                .map(|literal| {
                    let text = Part::Text(literal.clone().into_bytes());
                    Pattern { parts: vec![Part::Any, text, Part::Any], cased }
                })
                .collect();
            for fold in [Fold::Case, Fold::CaseAndPlus] {
                let needles = Needles::new(&patterns, fold);
                let plain = patterns
                    .iter()
                    .any(|one| one.matches(text.as_bytes(), fold));
                assert_eq!(needles.any_matches(text.as_bytes()), plain);
            }
        }

        #[test]
        fn tells_what_the_pattern_tells(
            parts in proptest::collection::vec(0..3_u8, 1..5),
            literal in "[a-bA-B+ ./]{1,4}",
            text in "[a-bA-B+ ./]{0,24}",
            cased: bool,
        ) {
            let part = |kind: &u8| match kind {
                0 => Part::Any,
                1 => Part::One,
                _ => Part::Text(literal.clone().into_bytes()),
            };
            let mut parts: Vec<Part> = parts.iter().map(part).collect();
            parts.dedup();
            let pattern = Pattern { parts, cased };
            for fold in [Fold::Case, Fold::CaseAndPlus] {
                let needle = Needle::new(&pattern, fold);
                let plain = pattern.matches(text.as_bytes(), fold);
                assert_eq!(needle.matches(text.as_bytes()), plain);
            }
        }
    }
}
