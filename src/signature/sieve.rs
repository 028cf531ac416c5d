//! Four bytes of each anchor stand for it in the [`Sieve`] that every byte
//! of a log goes through: which four, and in which of the sieve's sets.
//!
//! In: the anchors' texts, folded. Out: the sieve, and for each text how
//! many bytes stand before its four. The fewer places of ordinary logs a
//! set lets through, the better; so each text joins the set that it widens
//! least, as measured on [`ordinary`] values. The choice touches speed
//! only: what the sieve lets through is compared in full.

use crate::signature::ordinary;
use crate::signature::pattern::Fold;
use crate::w3c::simd::{GRAM, SETS, Sieve};

/// Places in a text that are tried for its four bytes.
const TRIED: usize = 8;

/// Ordinary grams that sets are measured on, one bit each.
const GRAMS: usize = 58 * 64;

/// Some of the ordinary grams.
type Grams = [u64; GRAMS / 64];

const NONE: Grams = [0; GRAMS / 64];

fn count(grams: &Grams) -> u32 {
    grams.iter().map(|word| word.count_ones()).sum()
}

/// The halves of bytes, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Halves {
    low: u16,
    high: u16,
}

impl Halves {
    /// The halves of all bytes that fold to this one.
    fn of(folded: u8) -> Self {
        unfolded(folded).fold(Self::default(), |halves, byte| Self {
            low: halves.low | 1 << (byte & 15),
            high: halves.high | 1 << (byte >> 4),
        })
    }

    fn holds(self, other: Self) -> bool {
        other.low & !self.low == 0 && other.high & !self.high == 0
    }
}

/// All bytes that fold to this one.
fn unfolded(folded: u8) -> impl Iterator<Item = u8> {
    (0..=u8::MAX).filter(move |byte| Fold::CaseAndPlus.apply(*byte) == folded)
}

/// The ordinary grams by the halves of each of their bytes.
struct Ordinary {
    low: [[Grams; 16]; GRAM],
    high: [[Grams; 16]; GRAM],
}

impl Ordinary {
    fn new() -> Box<Self> {
        let rows = || std::array::from_fn(|_| std::array::from_fn(|_| NONE));
        let mut ordinary = Box::new(Self { low: rows(), high: rows() });
        let grams = ordinary::TEXT
            .windows(GRAM)
            .filter(|gram| !gram.contains(&b'\n'))
            .take(GRAMS);
        for (at, gram) in grams.enumerate() {
            let rows = ordinary.low.iter_mut().zip(&mut ordinary.high);
            for (byte, (low, high)) in gram.iter().zip(rows) {
                for row in [
                    &mut low[usize::from(byte & 15)],
                    &mut high[usize::from(byte >> 4)],
                ] {
                    row[at / 64] |= 1 << (at % 64);
                }
            }
        }
        ordinary
    }
}

/// One of four places of a set: the halves that pass, and the ordinary
/// grams that pass by either half.
#[derive(Clone, Debug)]
struct Place {
    halves: Halves,
    low: Grams,
    high: Grams,
}

impl Place {
    fn widen(&mut self, more: &Step) {
        self.halves.low |= more.halves.low;
        self.halves.high |= more.halves.high;
        or(&mut self.low, &more.low);
        or(&mut self.high, &more.high);
    }
}

fn or(own: &mut Grams, more: &Grams) {
    for (own, more) in own.iter_mut().zip(more) {
        *own |= more;
    }
}

/// What one byte of a gram adds to a place: the halves of all bytes that
/// fold to it, and the ordinary grams that have them there.
#[derive(Clone, Debug)]
struct Step {
    halves: Halves,
    low: Grams,
    high: Grams,
}

type Gram<'s> = [&'s Step; GRAM];

impl Default for Place {
    fn default() -> Self {
        Self { halves: Halves::default(), low: NONE, high: NONE }
    }
}

/// The steps of all bytes that texts hold, each worked out once.
struct Steps {
    /// By place, and by folded byte.
    steps: [Vec<Option<Box<Step>>>; GRAM],
    none: Box<Step>,
}

impl Steps {
    fn new(texts: &[&[u8]]) -> Self {
        let none = Step { halves: Halves::default(), low: NONE, high: NONE };
        let mut all = Self {
            steps: std::array::from_fn(|_| vec![None; 256]),
            none: Box::new(none),
        };
        let ordinary = Ordinary::new();
        let mut bytes: Vec<u8> = texts.concat();
        bytes.sort_unstable();
        bytes.dedup();
        for byte in bytes {
            let halves = Halves::of(byte);
            let rows = ordinary.low.iter().zip(&ordinary.high);
            for (steps, (low, high)) in all.steps.iter_mut().zip(rows) {
                let (low, high) =
                    (union(halves.low, low), union(halves.high, high));
                let step = Step { halves, low, high };
                steps[usize::from(byte)] = Some(Box::new(step));
            }
        }
        all
    }

    /// The four bytes of a folded text.
    fn gram(&self, folded: &[u8]) -> Gram<'_> {
        std::array::from_fn(|at| {
            let byte = folded.get(at).copied().map(usize::from);
            let step = byte
                .and_then(|byte| self.steps.get(at)?.get(byte)?.as_deref());
            step.unwrap_or(&self.none)
        })
    }

    /// The grams of a text that ordinary values hold least, each with the
    /// bytes before it. Of those that none of them holds, the ones that are
    /// least like them.
    fn rarest(&self, text: &[u8]) -> Vec<(usize, Gram<'_>)> {
        let mut all: Vec<(u32, u64, usize, Gram<'_>)> = text
            .windows(GRAM)
            .enumerate()
            .map(|(before, bytes)| {
                let gram = self.gram(bytes);
                let often = count(&alone(&gram));
                (often, ordinary::likelihood(bytes), before, gram)
            })
            .collect();
        all.sort_by_key(|(often, likely, ..)| (*often, *likely));
        all.truncate(TRIED);
        all.into_iter().map(|(.., before, gram)| (before, gram)).collect()
    }
}

/// The grams that have one of these halves.
fn union(mask: u16, rows: &[Grams; 16]) -> Grams {
    let mut all = NONE;
    for (half, row) in rows.iter().enumerate() {
        if mask >> half & 1 == 1 {
            or(&mut all, row);
        }
    }
    all
}

/// The ordinary grams that a set of one gram lets through.
fn alone(gram: &Gram<'_>) -> Grams {
    let mut passing = NONE.map(|none| !none);
    for step in gram {
        let rows = step.low.iter().zip(&step.high);
        for (word, (low, high)) in passing.iter_mut().zip(rows) {
            *word &= low & high;
        }
    }
    passing
}

/// The sets while they grow.
struct Sets {
    grown: Vec<[Place; GRAM]>,
    /// The ordinary grams that no set lets through.
    kept_out: Grams,
}

impl Sets {
    fn new() -> Self {
        let set: [Place; GRAM] = std::array::from_fn(|_| Place::default());
        Self { grown: vec![set; SETS], kept_out: NONE.map(|none| !none) }
    }

    /// The ordinary grams that a set would newly let through.
    fn passing(&self, set: &[Place; GRAM], gram: &Gram<'_>) -> Grams {
        let mut passing = self.kept_out;
        for (place, step) in set.iter().zip(gram) {
            let rows = place.low.iter().zip(&step.low);
            let rows = rows.zip(place.high.iter().zip(&step.high));
            for (word, ((a, b), (c, d))) in passing.iter_mut().zip(rows) {
                *word &= (a | b) & (c | d);
            }
        }
        passing
    }

    /// Which of the grams of a text to take, and the set to put it into:
    /// those that let the fewest ordinary grams through; of equals, where
    /// the set is narrower.
    fn best<'s>(
        &self,
        tried: &[(usize, Gram<'s>)],
    ) -> Option<(usize, usize, Gram<'s>)> {
        let mut best: Option<(_, (usize, usize, Gram<'s>))> = None;
        for (before, gram) in tried {
            for (at, set) in self.grown.iter().enumerate() {
                let there = set.iter().zip(gram);
                let is_in = |(own, step): (&Place, &&Step)| {
                    own.halves.holds(step.halves)
                };
                if there.clone().all(is_in) {
                    return Some((*before, at, *gram));
                }
                let width = |(own, step): (&Place, &&Step)| {
                    (own.halves.low | step.halves.low).count_ones()
                        + (own.halves.high | step.halves.high).count_ones()
                };
                let width: u32 = there.map(width).sum();
                let cost = (count(&self.passing(set, gram)), width);
                if best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                    best = Some((cost, (*before, at, *gram)));
                }
            }
        }
        best.map(|(_, choice)| choice)
    }

    fn add(&mut self, at: usize, gram: &Gram<'_>) {
        let Some(set) = self.grown.get(at) else { return };
        let passing = self.passing(set, gram);
        for (own, more) in self.kept_out.iter_mut().zip(&passing) {
            *own &= !more;
        }
        let places = self.grown.get_mut(at).into_iter().flatten();
        for (place, step) in places.zip(gram) {
            place.widen(step);
        }
    }
}

/// The sieve for these texts, and how many bytes of each stand before the
/// four that stand for it. Texts of fewer than four bytes are left out.
pub(super) fn sieve(texts: &[&[u8]]) -> (Sieve, Vec<usize>) {
    let steps = Steps::new(texts);
    let mut sets = Sets::new();
    let mut sieve = Sieve::default();
    let mut before = vec![0; texts.len()];
    // Those that have no choice first; the others can follow them.
    let mut order: Vec<_> = texts.iter().zip(&mut before).collect();
    order.sort_by_key(|(text, _)| text.len());
    for (text, before) in order {
        if let Some((chosen, set, gram)) = sets.best(&steps.rarest(text)) {
            *before = chosen;
            sets.add(set, &gram);
            let own = text.get(chosen..).unwrap_or_default();
            for (place, folded) in own.iter().take(GRAM).enumerate() {
                sieve.add(set, place, unfolded(*folded));
            }
        }
    }
    (sieve, before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::w3c::simd::{Isa, Places, Sink, sift};

    impl Sink<u64> for Vec<u64> {
        fn block(&mut self, _: u32, mask: u64, _: Places) {
            self.push(mask);
        }
    }

    proptest::proptest! {
        #[test]
        fn lets_every_text_through(
            texts in proptest::collection::vec("[ -~]{4,20}", 1..40),
            plus: bool,
        ) {
            let fold = |byte: u8| Fold::CaseAndPlus.apply(byte);
            let folded: Vec<Vec<u8>> = texts
                .iter()
                .map(|text| text.bytes().map(fold).collect())
                .collect();
            let list: Vec<&[u8]> = folded.iter().map(Vec::as_slice).collect();
            let (sieve, before) = sieve(&list);
            for (text, before) in texts.iter().zip(before) {
                let text = text.to_ascii_uppercase();
                let from = if plus { " " } else { "+" };
                let text = text.replace(from, if plus { "+" } else { " " });
                let mut masks: Vec<u64> = Vec::new();
                sift(Isa::PORTABLE, &sieve, text.as_bytes(), &mut masks);
                assert!(masks[before / 64] >> (before % 64) & 1 == 1);
            }
        }
    }
}
