//! Four bytes of each anchor stand for it in the [`Sieve`] that every byte
//! of a log goes through: which four, and in which of the sieve's sets.
//!
//! In: the anchors' texts, folded. Out: the sieve, and for each text how
//! many bytes stand before its four. The fewer places of ordinary logs a
//! set lets through, the better; so each text joins the set that it widens
//! least, as measured on [`ordinary`] values. The choice touches speed
//! only: what the sieve lets through is compared in full.

use crate::signature::ordinary::{self, Values};
use crate::signature::pattern::Fold;
use crate::w3c::simd::{GRAM, Isa, SETS, Sieve};

/// Places in a text that are tried for its four bytes.
const TRIED: usize = 6;

/// What it costs where a set lets a measured gram through, and where a gram
/// of ordinary values is that of a text: those of all values are counted,
/// and of requests one in eighteen is measured.
const PASSING: u32 = 18;
const HELD: u32 = 5;

/// Ordinary grams that sets are measured on, one bit each.
const GRAMS: usize = 32 * 64;

/// Some of the ordinary grams.
type Grams = [u64; GRAMS / 64];

const NONE: Grams = [0; GRAMS / 64];

/// How the kernels of a machine tell bytes apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// Each by itself, but for its topmost bit.
    Bytes,
    /// By their halves: see [`Sieve`].
    Halves,
}

impl Resolution {
    /// That of the kernels in use.
    pub fn best() -> Self {
        if Isa::best().sees_bytes() { Self::Bytes } else { Self::Halves }
    }
}

/// Bytes that a place lets through: themselves, and by their halves.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bytes {
    /// Without their topmost bits, one bit each.
    own: u128,
    low: u16,
    high: u16,
}

impl Bytes {
    /// All bytes that fold to this one.
    fn of(folded: u8) -> Self {
        unfolded(folded).into_iter().fold(Self::default(), |all, byte| Self {
            own: all.own | 1 << (byte & 127),
            low: all.low | 1 << (byte & 15),
            high: all.high | 1 << (byte >> 4),
        })
    }

    const ALL: Self = Self { own: u128::MAX, low: u16::MAX, high: u16::MAX };

    fn with(self, other: Self) -> Self {
        Self {
            own: self.own | other.own,
            low: self.low | other.low,
            high: self.high | other.high,
        }
    }

    /// How many are let through, as seen.
    fn width(self, resolution: Resolution) -> u32 {
        match resolution {
            Resolution::Bytes => self.own.count_ones(),
            Resolution::Halves => {
                self.low.count_ones() + self.high.count_ones()
            }
        }
    }
}

/// All bytes that fold to this one.
fn unfolded(folded: u8) -> [u8; 2] {
    Fold::CaseAndPlus.both(folded)
}

/// The ordinary grams by the halves of each of their bytes, and by their
/// bytes.
struct Ordinary {
    low: [Vec<Grams>; GRAM],
    high: [Vec<Grams>; GRAM],
    bytes: [Vec<Grams>; GRAM],
}

impl Ordinary {
    /// As many as there is room for, from all over the values.
    fn new(values: Values) -> Self {
        let rows = |count| std::array::from_fn(|_| vec![NONE; count]);
        let mut ordinary =
            Self { low: rows(16), high: rows(16), bytes: rows(256) };
        let text = ordinary::logged(values);
        let step = (text.len() / GRAMS).max(1);
        let grams = text.windows(GRAM).step_by(step).take(GRAMS);
        for (at, gram) in grams.enumerate() {
            for (place, byte) in gram.iter().enumerate() {
                for row in [
                    &mut ordinary.low[place][usize::from(byte & 15)],
                    &mut ordinary.high[place][usize::from(byte >> 4)],
                    &mut ordinary.bytes[place][usize::from(*byte)],
                ] {
                    row[at / 64] |= 1 << (at % 64);
                }
            }
        }
        ordinary
    }

    /// What a byte adds at a place.
    fn step(&self, place: usize, folded: u8, resolution: Resolution) -> Step {
        let bytes = Bytes::of(folded);
        let (low, high) = match resolution {
            Resolution::Bytes => {
                let row = &self.bytes[place];
                (row[usize::from(folded)], NONE)
            }
            Resolution::Halves => (
                union(bytes.low, &self.low[place]),
                union(bytes.high, &self.high[place]),
            ),
        };
        Step { bytes, low, high }
    }
}

/// One of four places of a set: the bytes that pass, and the ordinary grams
/// that pass by either half; where whole bytes are seen, by them in `low`.
#[derive(Clone, Debug)]
struct Place {
    bytes: Bytes,
    low: Grams,
    high: Grams,
}

impl Place {
    fn widen(&mut self, more: &Step) {
        self.bytes = self.bytes.with(more.bytes);
        or(&mut self.low, &more.low);
        or(&mut self.high, &more.high);
    }
}

fn or(own: &mut Grams, more: &Grams) {
    for (own, more) in own.iter_mut().zip(more) {
        *own |= more;
    }
}

/// What one byte of a gram adds to a place: all bytes that fold to it, and
/// the ordinary grams that have them there.
#[derive(Clone, Debug)]
struct Step {
    bytes: Bytes,
    low: Grams,
    high: Grams,
}

type Gram<'s> = [&'s Step; GRAM];

impl Default for Place {
    fn default() -> Self {
        Self { bytes: Bytes::default(), low: NONE, high: NONE }
    }
}

/// The steps of all bytes that texts hold, each worked out once.
struct Steps {
    /// By place, and by folded byte.
    steps: [Vec<Option<Box<Step>>>; GRAM],
    /// Behind the end of a text: any byte will do.
    any: Box<Step>,
}

impl Steps {
    fn new(texts: &[&[u8]], values: Values, resolution: Resolution) -> Self {
        let whole = NONE.map(|none| !none);
        let any = Step { bytes: Bytes::ALL, low: whole, high: whole };
        let mut all = Self {
            steps: std::array::from_fn(|_| vec![None; 256]),
            any: Box::new(any),
        };
        let ordinary = Ordinary::new(values);
        let mut bytes: Vec<u8> = texts.concat();
        bytes.sort_unstable();
        bytes.dedup();
        for byte in bytes {
            for (place, steps) in all.steps.iter_mut().enumerate() {
                let step = ordinary.step(place, byte, resolution);
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
            step.unwrap_or(&self.any)
        })
    }

    /// The grams of a text that ordinary values hold least.
    fn rarest(&self, text: &[u8]) -> Vec<Choice<'_>> {
        if text.len() < GRAM {
            let before = rarest_pair(text);
            let rest = text.get(before..).unwrap_or_default();
            return vec![Choice { before, often: 0, gram: self.gram(rest) }];
        }
        let mut all: Vec<(u32, usize)> = text
            .windows(GRAM)
            .enumerate()
            .map(|(before, gram)| (ordinary::count_gram(gram), before))
            .collect();
        all.sort_unstable();
        all.into_iter()
            .take(TRIED)
            .filter_map(|(often, before)| {
                let gram = self.gram(text.get(before..)?);
                Some(Choice { before, often, gram })
            })
            .collect()
    }
}

/// A gram that could stand for a text.
#[derive(Clone, Copy)]
struct Choice<'s> {
    /// Bytes of the text before it.
    before: usize,
    /// Times that ordinary values hold it.
    often: u32,
    gram: Gram<'s>,
}

/// Where the rarest pair of bytes of a short text stands.
fn rarest_pair(text: &[u8]) -> usize {
    let pairs = text.windows(2).enumerate();
    let rarest = pairs.min_by_key(|(_, pair)| ordinary::count_pair(pair));
    rarest.map_or(0, |(at, _)| at)
}

/// The grams that have one of these halves.
fn union(mask: u16, rows: &[Grams]) -> Grams {
    let mut all = NONE;
    for (half, row) in rows.iter().enumerate() {
        if mask >> half & 1 == 1 {
            or(&mut all, row);
        }
    }
    all
}

/// The sets while they grow.
struct Sets {
    grown: Vec<[Place; GRAM]>,
    /// The ordinary grams that no set lets through.
    kept_out: Grams,
    resolution: Resolution,
}

/// Words of ordinary grams that are counted at a time.
const STRIDE: usize = 8;

/// Where each of these begins.
fn starts() -> impl Iterator<Item = usize> {
    (0..GRAMS / 64).step_by(STRIDE)
}

/// Keeps what stands in either of two rows, from a word on.
#[inline]
fn and_either(
    words: &mut [u64; STRIDE],
    first: &Grams,
    second: &Grams,
    start: usize,
) {
    let rows = first.get(start..).zip(second.get(start..));
    let Some((first, second)) = rows else { return };
    for (word, (a, b)) in words.iter_mut().zip(first.iter().zip(second)) {
        *word &= a | b;
    }
}

impl Sets {
    fn new(count: usize, resolution: Resolution) -> Self {
        let set: [Place; GRAM] = std::array::from_fn(|_| Place::default());
        let kept_out = NONE.map(|none| !none);
        Self { grown: vec![set; count], kept_out, resolution }
    }

    /// Some of the ordinary grams that a set would newly let through: those
    /// from a word on.
    #[inline]
    fn passing(
        &self,
        set: &[Place; GRAM],
        gram: &Gram<'_>,
        start: usize,
    ) -> [u64; STRIDE] {
        let mut words = [0; STRIDE];
        let kept_out = self.kept_out.get(start..start + STRIDE);
        words.copy_from_slice(kept_out.unwrap_or(&[0; STRIDE]));
        for (place, step) in set.iter().zip(gram) {
            and_either(&mut words, &place.low, &step.low, start);
            if self.resolution == Resolution::Halves {
                and_either(&mut words, &place.high, &step.high, start);
            }
        }
        words
    }

    /// How many ordinary grams a set would newly let through; where it
    /// would be more than `most`, any number above.
    fn passing_count(
        &self,
        set: &[Place; GRAM],
        gram: &Gram<'_>,
        most: u32,
    ) -> u32 {
        let mut passing = 0;
        for start in starts() {
            let words = self.passing(set, gram, start);
            passing += words.iter().map(|word| word.count_ones()).sum::<u32>();
            if passing > most {
                break;
            }
        }
        passing
    }

    /// Which of the grams of a text to take, and the set to put it into:
    /// what lets the fewest places of ordinary values through, where a gram
    /// that they hold passes all filters; of equals, where the set is
    /// narrower.
    fn best<'s>(&self, tried: &[Choice<'s>]) -> Option<(usize, Choice<'s>)> {
        let mut best: Option<((u32, u32), (usize, Choice<'s>))> = None;
        for choice in tried {
            for (at, set) in self.grown.iter().enumerate() {
                let least = best.map_or(u32::MAX, |((least, _), _)| least);
                let held = HELD * choice.often;
                let Some(room) = least.checked_sub(held) else { continue };
                let most = room / PASSING;
                let passing = self.passing_count(set, &choice.gram, most);
                if passing > most {
                    continue;
                }
                let width = set.iter().zip(&choice.gram).map(|(own, step)| {
                    own.bytes.with(step.bytes).width(self.resolution)
                });
                let cost = (PASSING * passing + held, width.sum());
                if best.is_none_or(|(least, _)| cost < least) {
                    best = Some((cost, (at, *choice)));
                }
            }
        }
        best.map(|(_, choice)| choice)
    }

    fn add(&mut self, at: usize, gram: &Gram<'_>) {
        let Some(set) = self.grown.get(at) else { return };
        let passing = starts().flat_map(|at| self.passing(set, gram, at));
        let passing: Vec<u64> = passing.collect();
        for (own, more) in self.kept_out.iter_mut().zip(passing) {
            *own &= !more;
        }
        let places = self.grown.get_mut(at).into_iter().flatten();
        for (place, step) in places.zip(gram) {
            place.widen(step);
        }
    }
}

/// The sieve for these texts, and how many bytes of each stand before the
/// four that stand for it. What follows a shorter text may be anything.
pub(super) fn sieve(
    texts: &[&[u8]],
    values: Values,
    resolution: Resolution,
) -> (Sieve, Vec<usize>) {
    let steps = Steps::new(texts, values, resolution);
    let mut sets = Sets::new(SETS, resolution);
    let mut sieve = Sieve::default();
    let mut before = vec![0; texts.len()];
    // Those that have no choice first; the others can follow them.
    let mut order: Vec<_> = texts.iter().zip(&mut before).collect();
    order.sort_by_key(|(text, _)| text.len());
    for (text, before) in order {
        let tried = steps.rarest(text);
        if let Some((set, choice)) = sets.best(&tried) {
            *before = choice.before;
            sets.add(set, &choice.gram);
            let own = text.get(choice.before..).unwrap_or_default();
            for place in 0..GRAM {
                match own.get(place) {
                    Some(folded) => {
                        sieve.add(set, place, unfolded(*folded).into_iter());
                    }
                    None => sieve.add(set, place, 0..=u8::MAX),
                }
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
            texts in proptest::collection::vec("[ -~]{1,20}", 1..40),
            plus: bool,
            by_bytes: bool,
        ) {
            let fold = |byte: u8| Fold::CaseAndPlus.apply(byte);
            let folded: Vec<Vec<u8>> = texts
                .iter()
                .map(|text| text.bytes().map(fold).collect())
                .collect();
            let list: Vec<&[u8]> = folded.iter().map(Vec::as_slice).collect();
            let resolution = if by_bytes { Resolution::Bytes } else { Resolution::Halves };
            let (sieve, before) = sieve(&list, Values::Requests, resolution);
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
