//! Text patterns against text: wildcards, letter case, and the fold that
//! takes `+` for a blank, since IIS writes blanks so.

use crate::signature::lead::Lead;
use crate::signature::rule::{Part, Pattern};

/// How two bytes compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Exactly.
    Exact,
    /// Ignoring ASCII letter case.
    Case,
    /// Ignoring letter case, `+` and blank alike.
    CaseAndPlus,
}

impl Fold {
    /// The byte that stands for all that compare equal.
    #[inline]
    pub const fn apply(self, byte: u8) -> u8 {
        match (self, byte) {
            (Self::CaseAndPlus, b'+') => b' ',
            (Self::CaseAndPlus | Self::Case, byte) => {
                byte.to_ascii_lowercase()
            }
            (Self::Exact, byte) => byte,
        }
    }

    /// Eight bytes, each by [`Fold::apply`].
    #[inline]
    pub const fn apply_8(self, bytes: [u8; 8]) -> u64 {
        // Each byte by itself: bit 7 tells whether its byte qualifies.
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x8080_8080_8080_8080;
        let bytes = u64::from_le_bytes(bytes);
        if matches!(self, Self::Exact) {
            return bytes;
        }
        let low = bytes & !HIGH;
        let from_a = low + (0x80 - b'A' as u64) * ONES;
        let above_z = low + (0x80 - b'Z' as u64 - 1) * ONES;
        let letters = from_a & !above_z & !bytes & HIGH;
        let lower = bytes | letters >> 2;
        if matches!(self, Self::Case) {
            return lower;
        }
        let other = low ^ (b'+' as u64 * ONES);
        let plus = !(other + 0x7F * ONES) & !bytes & HIGH;
        // `+` becomes a blank: 2B less 0B.
        lower - (plus >> 7) * 0x0B
    }

    /// Four bytes, each by [`Fold::apply`].
    #[inline]
    pub const fn apply_4(self, bytes: [u8; 4]) -> u32 {
        let [a, b, c, d] = bytes;
        let folded = self.apply_8([a, b, c, d, 0, 0, 0, 0]);
        #[allow(clippy::cast_possible_truncation)] // the upper half is 0
        let folded = folded as u32;
        folded
    }

    #[inline]
    fn equal(self, a: &[u8], b: &[u8]) -> bool {
        if a.len() != b.len() {
            return false;
        }
        let ((a_eights, a), (b_eights, b)) =
            (a.as_chunks::<8>(), b.as_chunks::<8>());
        a.iter().zip(b).all(|(a, b)| self.apply(*a) == self.apply(*b))
            && a_eights
                .iter()
                .zip(b_eights)
                .all(|(a, b)| self.apply_8(*a) == self.apply_8(*b))
    }

    /// True where `text` begins with, ends with, equals or holds `part`.
    pub fn starts_with(self, text: &[u8], part: &[u8]) -> bool {
        text.get(..part.len()).is_some_and(|head| self.equal(head, part))
    }

    /// See [`Fold::starts_with`].
    pub fn ends_with(self, text: &[u8], part: &[u8]) -> bool {
        text.len()
            .checked_sub(part.len())
            .and_then(|at| text.get(at..))
            .is_some_and(|tail| self.equal(tail, part))
    }

    /// See [`Fold::starts_with`].
    pub fn contains(self, text: &[u8], part: &[u8]) -> bool {
        let Some(lead) = Lead::of(part, self) else { return true };
        lead.places(text).any(|at| {
            let rest = text.get(at..).unwrap_or_default();
            self.starts_with(rest, part)
        })
    }

    /// The bytes that compare equal to one: there are two at most.
    pub const fn both(self, byte: u8) -> [u8; 2] {
        match (self, byte) {
            (Self::Exact, _) => [byte, byte],
            (Self::CaseAndPlus, b'+' | b' ') => [b'+', b' '],
            _ => [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()],
        }
    }

    /// See [`Fold::starts_with`].
    pub fn equals(self, text: &[u8], other: &[u8]) -> bool {
        self.equal(text, other)
    }
}

impl Pattern {
    /// True where the whole text matches. `fold` is for patterns without
    /// the `cased` modifier.
    pub fn matches(&self, text: &[u8], fold: Fold) -> bool {
        let fold = if self.cased { Fold::Exact } else { fold };
        let mut runs = self.parts.split(|part| *part == Part::Any);
        let first = runs.next().unwrap_or_default();
        let Some(mut rest) = eat(first, text, fold) else { return false };
        let mut runs = runs.peekable();
        if runs.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(run) = runs.next() {
            if runs.peek().is_none() {
                if run.contains(&Part::One) && !rest.is_ascii() {
                    return places(run, rest).any(|at| {
                        let tail = rest.get(at..).unwrap_or_default();
                        eat(run, tail, fold).is_some_and(<[u8]>::is_empty)
                    });
                }
                let width = width(run);
                return rest
                    .len()
                    .checked_sub(width)
                    .and_then(|at| rest.get(at..))
                    .is_some_and(|tail| eat(run, tail, fold).is_some());
            }
            // Leftmost is enough: a later place leaves less for the rest.
            let Some(after) = seek(run, rest, fold) else {
                return false;
            };
            rest = after;
        }
        true
    }

    /// The literal pieces.
    pub fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_slice()),
            Part::One | Part::Any => None,
        })
    }
}

/// Matches a run at the leftmost place of a text; what is left behind it.
fn seek<'t>(run: &[Part], text: &'t [u8], fold: Fold) -> Option<&'t [u8]> {
    let at = |at: usize| eat(run, text.get(at..)?, fold);
    let lead = match run {
        [Part::Text(literal), ..] => Lead::of(literal, fold),
        _ => None,
    };
    match lead {
        Some(lead) => lead.places(text).find_map(at),
        None => places(run, text).find_map(at),
    }
}

/// Where a run may begin in a text: one that begins with `?` does so at a
/// character.
fn places<'t>(
    run: &[Part],
    text: &'t [u8],
) -> impl Iterator<Item = usize> + 't {
    let by_character = run.first() == Some(&Part::One) && !text.is_ascii();
    std::iter::successors(Some(0), move |at| {
        let rest = text.get(*at..).filter(|rest| !rest.is_empty())?;
        Some(at + if by_character { character(rest) } else { 1 })
    })
}

/// The bytes of the character that a text begins with. What is no UTF-8 may
/// be of any encoding: there each byte is one.
fn character(text: &[u8]) -> usize {
    let width = match text.first() {
        Some(0xC2..=0xDF) => 2,
        Some(0xE0..=0xEF) => 3,
        Some(0xF0..=0xF4) => 4,
        _ => 1,
    };
    let whole = text.get(..width).map(std::str::from_utf8);
    if whole.is_some_and(|it| it.is_ok()) { width } else { 1 }
}

/// The bytes that a run without `*` takes in a text that is ASCII.
fn width(run: &[Part]) -> usize {
    run.iter()
        .map(|part| if let Part::Text(text) = part { text.len() } else { 1 })
        .sum()
}

/// Matches a run without `*` at the start of the text; what is left.
fn eat<'t>(run: &[Part], text: &'t [u8], fold: Fold) -> Option<&'t [u8]> {
    run.iter().try_fold(text, |rest, part| match part {
        Part::Text(text) => fold
            .starts_with(rest, text)
            .then(|| rest.get(text.len()..))
            .flatten(),
        Part::One | Part::Any => rest.get(character(rest)..),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        let mut parts = Vec::new();
        for piece in text.split_inclusive(['*', '?']) {
            let (plain, wild) = match piece.as_bytes().last() {
                Some(b'*') => (&piece[..piece.len() - 1], Some(Part::Any)),
                Some(b'?') => (&piece[..piece.len() - 1], Some(Part::One)),
                _ => (piece, None),
            };
            if !plain.is_empty() {
                parts.push(Part::Text(plain.into()));
            }
            parts.extend(wild);
        }
        Pattern { parts, cased: false }
    }

    const FOLDS: [Fold; 3] = [Fold::Exact, Fold::Case, Fold::CaseAndPlus];

    #[test]
    fn eight_bytes_fold_like_one() {
        for fold in FOLDS {
            for first in 0..=u8::MAX {
                for second in [0, b' ', b'+', b'A', b'Z', b'[', 0x80, 0xFF] {
                    let bytes = [first, second].repeat(4);
                    let bytes: [u8; 8] = bytes.try_into().unwrap();
                    let plain = bytes.map(|byte| fold.apply(byte));
                    let plain = u64::from_le_bytes(plain);
                    assert_eq!(fold.apply_8(bytes), plain, "{bytes:?}");
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn texts_compare_byte_by_byte(
            text in "[a-cA-C+ ./]{0,40}",
            part in "[a-cA-C+ ./]{0,12}",
            cut in 0..40_usize,
        ) {
            let own = text.as_bytes().get(cut..).unwrap_or(b"").to_vec();
            for part in [part.as_bytes(), &own] {
                for fold in FOLDS {
                    let plain = |text: &[u8]| -> Vec<u8> {
                        text.iter().map(|byte| fold.apply(*byte)).collect()
                    };
                    let (whole, piece) = (plain(text.as_bytes()), plain(part));
                    let text = text.as_bytes();
                    let held = piece.is_empty()
                        || whole.windows(piece.len()).any(|at| at == piece);
                    assert_eq!(fold.contains(text, part), held);
                    assert_eq!(
                        fold.starts_with(text, part),
                        whole.starts_with(&piece)
                    );
                    assert_eq!(
                        fold.ends_with(text, part),
                        whole.ends_with(&piece)
                    );
                    assert_eq!(fold.equals(text, part), whole == piece);
                }
            }
        }
    }

    #[test]
    fn a_question_mark_is_one_character() {
        let cases: [(&str, &[u8], bool); 16] = [
            ("a?c", "aéc".as_bytes(), true),
            ("a??c", "aéc".as_bytes(), false),
            ("?", "€".as_bytes(), true),
            ("??", "€".as_bytes(), false),
            ("*?", "€".as_bytes(), true),
            ("*??", "€".as_bytes(), false),
            ("*??", "a€".as_bytes(), true),
            ("?*?", "é".as_bytes(), false),
            ("?*?*", "éa".as_bytes(), true),
            ("*?é", "éé".as_bytes(), true),
            ("*?b?*", "a𝄞b€c".as_bytes(), true),
            ("*a?", "éaé".as_bytes(), true),
            // Of another encoding, torn, and overlong.
            ("a?c", b"a\xE9c", true),
            ("a?", b"a\xC3", true),
            ("??", b"\xC0\xAF", true),
            ("*??", b"\xE2\x82", true),
        ];
        for (glob, text, expected) in cases {
            let found = pattern(glob).matches(text, Fold::CaseAndPlus);
            assert_eq!(found, expected, "{glob} {}", text.escape_ascii());
        }
    }

    #[test]
    fn wildcards() {
        for (glob, text, expected) in [
            ("abc", "ABC", true),
            ("abc", "abcd", false),
            ("*abc", "xabc", true),
            ("abc*", "abc", true),
            ("*abc*", "xabcx", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*a", "a", false),
            ("*a*a", "aa", true),
            ("a*b?d*e", "axxbcdyye", true),
            ("*ab*abc", "ababc", true),
            ("", "", true),
            ("", "x", false),
            ("*", "", true),
            ("?", "", false),
            ("a b", "a+b", true),
            ("a+b", "a b", true),
        ] {
            let found =
                pattern(glob).matches(text.as_bytes(), Fold::CaseAndPlus);
            assert_eq!(found, expected, "{glob} {text}");
        }
    }
}
