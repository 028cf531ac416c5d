//! Finds which anchors a text holds, fast and without missing one.
//!
//! In: a page of a log. Out: the few places where four bytes that stand for
//! an anchor stand, and there the rules whose anchor it is. The page goes
//! through the sieve; what the sieve lets through is looked up in a bitmap;
//! what is in the bitmap is compared in full. Nearly all of a log never
//! comes as far as the bitmap, and nine lines of ten not beyond it.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::signature::anchor::{Anchor, Group};
use crate::signature::facts::Facts;
use crate::signature::ordinary::Values;
use crate::signature::pattern::Fold;
use crate::signature::short::Shorts;
use crate::signature::sieve::{Resolution, sieve};
use crate::w3c::simd::{
    BLOCK, GRAM, Isa, Places, Sieve, Sink, sift, sift_range,
};

/// Bits of the bitmap for each anchor: few enough for the first-level
/// cache, many enough that one place in a hundred passes by chance.
const BITS_PER_ANCHOR: usize = 64;

/// Bytes of a text on either side of its gram that are compared: enough to
/// be seldom mistaken, few enough to be quick.
const AROUND: usize = 14;

/// No entry.
const NONE: u32 = u32::MAX;

/// Looks for anchors.
#[derive(Clone, Debug)]
pub struct Prefilter {
    sieve: Sieve,
    bitmap: Vec<u64>,
    /// 32 less the logarithm of the bits.
    shift: u32,
    /// Sorted by gram.
    entries: Vec<Entry>,
    /// The first entry of each gram, by some of the gram's hash; what does
    /// not fit goes on behind.
    first: Vec<u32>,
    /// Texts shorter than a gram.
    short: Shorts,
}

/// A text, and the rules that it is an anchor of.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The four bytes that stand for it, folded.
    gram: u32,
    /// Bytes of the text before the gram.
    pub before: usize,
    pub text: Vec<u8>,
    rules: Vec<(Group, Candidate)>,
}

/// A rule that a record could match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The rule.
    pub rule: u32,
    /// What it needs of the record.
    pub needs: Facts,
}

impl Candidate {
    /// What an anchor of a rule speaks for.
    pub fn of(anchor: &Anchor, rule: u32) -> Self {
        Self { rule, needs: anchor.facts }
    }
}

/// The places in a text where grams of anchors stand, in order.
#[derive(Debug, Default)]
pub struct Grams {
    /// Room for one place a byte and a block more; `count` are used.
    places: Vec<u32>,
    count: usize,
    /// How many of them lie before what was asked for last.
    done: usize,
    /// Where the text begins in what the places are asked for.
    origin: usize,
}

impl Grams {
    /// The places from `start` up to `end`. Asked for in order, they cost
    /// one comparison where there are none.
    #[inline]
    pub fn between(&mut self, start: usize, end: usize) -> Between<'_> {
        let places = self.places.get(..self.count).unwrap_or_default();
        let at = |place: &u32| *place as usize + self.origin;
        while let Some(place) = places.get(self.done)
            && at(place) < start
        {
            self.done += 1;
        }
        let rest = places.get(self.done..).unwrap_or_default();
        let inside = rest.iter().take_while(|place| at(place) < end).count();
        Between {
            places: rest.get(..inside).unwrap_or_default().iter(),
            origin: self.origin,
        }
    }
}

/// For places that are entered one by one.
impl Grams {
    /// Forgets all places; what is entered counts from `origin`.
    pub fn clear(&mut self, origin: usize) {
        (self.count, self.done, self.origin) = (0, 0, origin);
    }

    /// Enters a place.
    pub fn push(&mut self, place: u32) {
        match self.places.get_mut(self.count) {
            Some(slot) => *slot = place,
            None => self.places.push(place),
        }
        self.count += 1;
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Puts them in order.
    pub fn sort(&mut self) {
        let places = self.places.get_mut(..self.count);
        places.unwrap_or_default().sort_unstable();
    }
}

/// Some of [`Grams`].
#[derive(Debug)]
pub struct Between<'a> {
    places: std::slice::Iter<'a, u32>,
    origin: usize,
}

impl Iterator for Between<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        Some(*self.places.next()? as usize + self.origin)
    }
}

impl Sink<u64> for Grams {
    #[inline(always)]
    fn block(&mut self, base: u32, mask: u64, places: Places) {
        let room = self.places.get_mut(self.count..);
        if let Some(room) = room.and_then(<[u32]>::first_chunk_mut) {
            places.write_few(mask, base, room);
        }
        self.count += mask.count_ones() as usize;
    }
}

impl Prefilter {
    /// A filter for the anchors that stand somewhere in a text, each with
    /// its rule; they will be looked for in columns with such values.
    pub fn new<'a>(
        anchors: impl Iterator<Item = (&'a Anchor, u32)>,
        values: Values,
    ) -> Self {
        Self::with(anchors, |texts| sieve(texts, values, Resolution::best()))
    }

    /// The same without a sieve: for [`Prefilter::find_slowly`] only.
    pub fn slow<'a>(anchors: impl Iterator<Item = (&'a Anchor, u32)>) -> Self {
        Self::with(anchors, |texts| (Sieve::default(), vec![0; texts.len()]))
    }

    fn with<'a>(
        anchors: impl Iterator<Item = (&'a Anchor, u32)>,
        sieve: impl FnOnce(&[&[u8]]) -> (Sieve, Vec<usize>),
    ) -> Self {
        let mut texts: BTreeMap<&[u8], Vec<(Group, Candidate)>> =
            BTreeMap::new();
        for (anchor, rule) in anchors {
            let rules = texts.entry(&anchor.text).or_default();
            rules.push((anchor.group, Candidate::of(anchor, rule)));
        }
        let list: Vec<&[u8]> = texts.keys().copied().collect();
        let (sieve, before) = sieve(&list);
        let mut entries: Vec<Entry> = texts
            .into_iter()
            .zip(before)
            .filter_map(|((text, mut rules), before)| {
                rules.sort_unstable();
                rules.dedup();
                let gram = gram_at(text, before)?;
                let gram = Fold::CaseAndPlus.apply_4(gram);
                let start = before.saturating_sub(AROUND);
                let end = text.len().min(before + GRAM + AROUND);
                let text = text.get(start..end)?.to_owned();
                Some(Entry { gram, before: before - start, text, rules })
            })
            .collect();
        let is_short = |entry: &mut Entry| entry.text.len() < GRAM;
        let short = entries.extract_if(.., is_short).collect();
        entries.sort_by_key(|entry| entry.gram);
        let bits = (entries.len() * BITS_PER_ANCHOR).next_power_of_two();
        let bits = bits.clamp(64, 1 << 22);
        let mut filter = Self {
            sieve,
            bitmap: vec![0_u64; bits / 64],
            shift: 32 - bits.trailing_zeros(),
            first: vec![NONE; bits / 8],
            entries,
            short: Shorts::new(short),
        };
        filter.fill();
        filter.list();
        filter
    }

    /// Sets the bits of all grams, in each way that they may be written.
    fn fill(&mut self) {
        let grams: Vec<u32> = self.entries.iter().map(|it| it.gram).collect();
        for gram in grams {
            for mask in 0..1 << GRAM {
                let mut bytes = gram.to_le_bytes();
                for (at, byte) in bytes.iter_mut().enumerate() {
                    if mask >> at & 1 == 1 && *byte == b' ' {
                        *byte = b'+';
                    }
                }
                let slot = self.slot(bytes);
                if let Some(word) = self.bitmap.get_mut(slot / 64) {
                    *word |= 1 << (slot % 64);
                }
            }
        }
    }

    /// Enters the first entry of each gram.
    fn list(&mut self) {
        let mut last = None;
        for (entry, at) in self.entries.iter().zip(0_u32..) {
            if last.replace(entry.gram) == Some(entry.gram) {
                continue;
            }
            let mut place = self.home(entry.gram);
            // An eighth of the places is taken at most.
            while self.first.get(place).is_some_and(|taken| *taken != NONE) {
                place = (place + 1) % self.first.len();
            }
            if let Some(free) = self.first.get_mut(place) {
                *free = at;
            }
        }
    }

    fn home(&self, gram: u32) -> usize {
        self.hash(gram) / 8
    }

    /// The entries of a folded gram.
    fn entries_of(&self, gram: u32) -> impl Iterator<Item = &Entry> {
        let mut place = self.home(gram);
        let first = loop {
            match self.first.get(place).copied() {
                None | Some(NONE) => break self.entries.len(),
                Some(at) => {
                    let own = self.entries.get(at as usize);
                    if own.is_some_and(|entry| entry.gram == gram) {
                        break at as usize;
                    }
                }
            }
            place = (place + 1) % self.first.len();
        };
        let rest = self.entries.iter().skip(first);
        rest.take_while(move |entry| entry.gram == gram)
    }

    /// The same for both cases of a letter.
    #[inline]
    fn slot(&self, gram: [u8; GRAM]) -> usize {
        self.hash(u32::from_le_bytes(gram) | 0x2020_2020)
    }

    /// A bit of the bitmap. (Knuth's multiplicative hash.)
    #[inline]
    fn hash(&self, gram: u32) -> usize {
        (gram.wrapping_mul(0x9E37_79B1) >> self.shift) as usize
    }

    #[inline]
    fn has(&self, gram: [u8; GRAM]) -> bool {
        let slot = self.slot(gram);
        let word = self.bitmap.get(slot / 64).copied().unwrap_or(0);
        (word >> (slot % 64) | self.short.may_have(gram)) & 1 != 0
    }

    /// Finds the grams in a text, which begins at `origin` of what they will
    /// be asked for.
    pub fn read(
        &self,
        isa: Isa,
        text: &[u8],
        origin: usize,
        grams: &mut Grams,
    ) {
        grams.clear(origin);
        if self.is_empty() {
            return;
        }
        let room = text.len() + 2 * BLOCK;
        if grams.places.len() < room {
            grams.places.resize(room, 0);
        }
        sift(isa, &self.sieve, text, grams);
        let mut kept = 0;
        for at in 0..grams.count {
            let Some(place) = grams.places.get(at).copied() else { break };
            let Some(gram) = gram_at(text, place as usize) else { continue };
            // Without a branch: what comes next cannot be foretold.
            if let Some(slot) = grams.places.get_mut(kept) {
                *slot = place;
            }
            kept += usize::from(self.has(gram));
        }
        grams.count = kept;
    }

    /// Calls back with the places in some of a text where a gram stands.
    #[inline]
    pub fn each(
        &self,
        isa: Isa,
        text: &[u8],
        range: Range<usize>,
        mut found: impl FnMut(usize),
    ) {
        if self.is_empty() {
            return;
        }
        sift_range(isa, &self.sieve, text, range, |base, window, mask| {
            let mut places = [0_u8; BLOCK];
            let (mut mask, mut kept) = (mask, 0);
            // Without a branch: what comes next cannot be foretold.
            while mask != 0 {
                // 63 at most.
                #[allow(clippy::cast_possible_truncation)]
                let at = mask.trailing_zeros() as u8;
                mask &= mask - 1;
                let gram = window.get(usize::from(at)..);
                let gram = gram.and_then(<[u8]>::first_chunk);
                if let Some(place) = places.get_mut(kept) {
                    *place = at;
                }
                kept += gram.map_or(0, |gram| usize::from(self.has(*gram)));
            }
            for place in places.iter().take(kept) {
                found(base + usize::from(*place));
            }
        });
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.short.is_empty()
    }

    /// Adds the rules that an anchor whose gram stands at `at` speaks for,
    /// of the groups wanted.
    pub fn look(
        &self,
        text: &[u8],
        at: usize,
        wanted: impl Fn(Group) -> bool,
        rules: &mut Vec<Candidate>,
    ) {
        let Some(gram) = gram_at(text, at) else { return };
        let has_short = self.short.may_have(gram) & 1 != 0;
        let gram = Fold::CaseAndPlus.apply_4(gram);
        let short = has_short.then(|| self.short.of(gram));
        for entry in self.entries_of(gram).chain(short.into_iter().flatten()) {
            if !entry.rules.iter().any(|(group, _)| wanted(*group)) {
                continue;
            }
            let found = at
                .checked_sub(entry.before)
                .and_then(|start| text.get(start..))
                .is_some_and(|text| {
                    Fold::CaseAndPlus.starts_with(text, &entry.text)
                });
            if found {
                let own = entry.rules.iter();
                let own = own.filter(|(group, _)| wanted(*group));
                rules.extend(own.map(|(_, rule)| rule));
            }
        }
    }

    /// Adds the rules whose anchors stand anywhere in the text, of any
    /// group. Without the sieve: for texts that are seldom met.
    pub fn find_slowly(&self, text: &[u8], rules: &mut Vec<Candidate>) {
        for at in 0..text.len() {
            if gram_at(text, at).is_some_and(|gram| self.has(gram)) {
                self.look(text, at, |_| true, rules);
            }
        }
    }
}

/// The four bytes from a place on; zeros where the text has ended.
#[inline]
fn gram_at(text: &[u8], at: usize) -> Option<[u8; GRAM]> {
    let rest = text.get(at..)?;
    Some(match (rest.first_chunk(), rest) {
        (Some(gram), _) => *gram,
        (None, [a, b, c]) => [*a, *b, *c, 0],
        (None, [a, b]) => [*a, *b, 0, 0],
        (None, [a]) => [*a, 0, 0, 0],
        (None, _) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn misses_no_anchor(
            texts in proptest::collection::vec("[a-c+ .]{1,7}", 1..20),
            hay in "[a-cA-C+ .]{0,200}",
            start in 0..100_usize,
            lead in 0..130_usize,
        ) {
            let anchors: Vec<Anchor> = texts
                .iter()
                .map(|text| Anchor {
                    group: Group::Request,
                    text: text.replace('+', " ").into_bytes(),
                    facts: Facts::ALL,
                })
                .collect();
            let filter: Prefilter =
                Prefilter::new(anchors.iter().zip(0_u32..), Values::Requests);
            let hay = hay.get(start..).unwrap_or_default();
            let page = "abc.".repeat(lead) + hay + "abcabc";
            let plain = hay.to_ascii_lowercase().replace('+', " ");
            let expected: Vec<u32> = texts
                .iter()
                .zip(0..)
                .filter(|(text, _)| plain.contains(&text.replace('+', " ")))
                .map(|(_, rule)| rule)
                .collect();
            let sorted = |found: Vec<Candidate>| {
                let mut found: Vec<_> =
                    found.iter().map(|it| it.rule).collect();
                found.sort_unstable();
                found.dedup();
                found
            };
            let mut found = Vec::new();
            filter.find_slowly(hay.as_bytes(), &mut found);
            assert_eq!(sorted(found), expected);
            for isa in Isa::available() {
                let (mut grams, mut found) = (Grams::default(), Vec::new());
                filter.read(isa, page.as_bytes(), 7, &mut grams);
                let origin = 7 + lead * 4;
                // What stands before is passed over.
                for place in grams.between(origin, origin + hay.len()) {
                    let at = place - origin;
                    filter.look(hay.as_bytes(), at, |_| true, &mut found);
                }
                assert_eq!(sorted(found), expected, "{isa:?}");
                assert_eq!(grams.between(origin + hay.len(), 0).count(), 0);
            }
        }
    }
}
