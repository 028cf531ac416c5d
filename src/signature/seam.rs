//! Where decoding could make an anchor whole that the page does not hold
//! as it is.
//!
//! In: a page, and where something in it is wrapped. Out: the few places
//! whose lines must be decoded. Most escapes of a log are a blank or a
//! letter in an ordinary word: what they stand for is written out with its
//! next neighbours, and all that of a page goes through the sieve at once.
//! A gram without an unwrapped byte stands in the page itself, where it is
//! found anyway.

use crate::signature::prefilter::{Grams, Prefilter};
use crate::w3c::decode::{Wrapping, unwrap};
use crate::w3c::simd::{GRAM, Isa};

/// Bytes of a gram beside the unwrapped one.
const REACH: usize = GRAM - 1;
/// Bytes of an escape such as `%41`.
const ESCAPE: usize = 3;

/// The escapes of a page, and which of them matter.
#[derive(Debug, Default)]
pub struct Seams {
    /// What escapes stand for, each between its neighbours.
    text: Vec<u8>,
    /// Where each begins there, and the escape's place in the page.
    pieces: Vec<(u32, u32)>,
    grams: Grams,
    /// Where a line must be decoded.
    open: Grams,
    /// All lines must be.
    all: bool,
}

impl Seams {
    /// Reads the escapes of a page, given where something is wrapped.
    pub fn read(
        &mut self,
        filter: &Prefilter,
        isa: Isa,
        page: &[u8],
        wrapped: &[u32],
    ) {
        self.open.clear(0);
        self.all = false;
        if wrapped.is_empty() {
            return;
        }
        self.write_out(page, wrapped);
        filter.read(isa, &self.text, 0, &mut self.grams);
        self.mark();
    }

    /// A line that was read alone: it is to be decoded.
    pub fn read_line(&mut self) {
        self.all = true;
    }

    /// True where what stands from `start` up to `end` must be decoded; to
    /// be asked in order.
    #[inline]
    pub fn is_open(&mut self, start: usize, end: usize) -> bool {
        self.all || self.open.between(start, end).next().is_some()
    }

    /// Writes out what one round undoes without a doubt; marks the rest.
    fn write_out(&mut self, page: &[u8], wrapped: &[u32]) {
        self.text.clear();
        self.pieces.clear();
        // The end of the escape before.
        let mut end = 0;
        for place in wrapped {
            let at = *place as usize;
            match unwrap(page.get(at..).unwrap_or_default()) {
                Wrapping::None => {}
                Wrapping::Deep => self.open.push(*place),
                Wrapping::Byte(byte) => {
                    let gap = page.get(end..at).unwrap_or_default();
                    self.join(gap, *place);
                    self.text.push(byte);
                    end = at + ESCAPE;
                }
            }
        }
        let tail = page.get(end..).unwrap_or_default();
        self.text.extend(tail.iter().take(REACH));
    }

    /// What stands between the escape before and the one at `place`, as far
    /// as a gram reaches from either.
    fn join(&mut self, gap: &[u8], place: u32) {
        let middle = gap.len().saturating_sub(2 * REACH);
        if middle > 0 {
            self.text.extend(gap.iter().take(REACH));
        }
        // Places are those of a page, whose length fits.
        #[allow(clippy::cast_possible_truncation)]
        self.pieces.push((self.text.len() as u32, place));
        let skipped = if middle > 0 { REACH + middle } else { 0 };
        self.text.extend(gap.get(skipped..).unwrap_or_default());
    }

    /// Marks the escapes whose pieces hold a gram. One that begins in a
    /// piece may reach into the next.
    fn mark(&mut self) {
        let pieces = &self.pieces;
        let mut piece = 0;
        let deep = self.open.count();
        for at in self.grams.between(0, self.text.len()) {
            let begins = |n: usize, most: usize| {
                pieces.get(n).is_some_and(|(start, _)| *start as usize <= most)
            };
            while begins(piece + 1, at) {
                piece += 1;
            }
            let mut last = piece;
            while begins(last + 1, at + REACH) {
                last += 1;
            }
            let own = pieces.get(piece..=last).unwrap_or_default();
            for (_, place) in own {
                self.open.push(*place);
            }
        }
        if deep > 0 && self.open.count() > deep {
            self.open.sort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::anchor::{Anchor, Group};
    use crate::signature::facts::Facts;
    use crate::signature::ordinary::Values;
    use crate::w3c::decode::{Decoded, is_wrapped};

    proptest::proptest! {
        /// A line whose decoded form holds an anchor is marked, or the line
        /// itself holds the gram that stands for it.
        #[test]
        fn misses_no_anchor(
            texts in proptest::collection::vec("[ab/]{4,6}", 1..6),
            lines in proptest::collection::vec(
                "([ab/]{0,7}|%61|%2[fF5]|%62|%u0061|%%36%31|%c0%a|\
                  [\u{c0}-\u{c4}\u{e0}]|%c3|%e0|%80|%81|%){0,9}",
                1..6
            ),
        ) {
            let anchors: Vec<Anchor> = texts
                .iter()
                .map(|text| Anchor {
                    group: Group::Request,
                    text: text.clone().into_bytes(),
                    facts: Facts::ALL,
                })
                .collect();
            let filter =
                Prefilter::new(anchors.iter().zip(0_u32..), Values::Requests);
            let page = lines.join("\n");
            let page = page.as_bytes();
            let wrapped: Vec<u32> = (0_u32..)
                .zip(page)
                .filter(|(_, byte)| is_wrapped(&[**byte]))
                .map(|(at, _)| at)
                .collect();
            for isa in Isa::available() {
                let (mut seams, mut grams) =
                    (Seams::default(), Grams::default());
                seams.read(&filter, isa, page, &wrapped);
                filter.read(isa, page, 0, &mut grams);
                let mut start = 0;
                for line in page.split(|byte| *byte == b'\n') {
                    let end = start + line.len();
                    let seen = seams.is_open(start, end);
                    let has_gram = grams.between(start, end).count() > 0;
                    let mut decoded = Decoded::default();
                    decoded.set(line);
                    let mut found = Vec::new();
                    for (form, _) in decoded.forms() {
                        filter.find_slowly(form, &mut found);
                    }
                    assert!(seen || has_gram || found.is_empty());
                    start = end + 1;
                }
            }
        }
    }

    /// What ordinary logs are full of is passed over.
    #[test]
    fn ordinary_escapes_are_left_alone() {
        let anchor = Anchor {
            group: Group::Request,
            text: b"cmd.exe".to_vec(),
            facts: Facts::ALL,
        };
        let one = std::iter::once((&anchor, 0));
        let filter = Prefilter::new(one, Values::Requests);
        let marked = |line: &str| {
            let wrapped: Vec<u32> = (0_u32..)
                .zip(line.bytes())
                .filter(|(_, byte)| is_wrapped(&[*byte]))
                .map(|(at, _)| at)
                .collect();
            let mut seams = Seams::default();
            let isa = Isa::best();
            seams.read(&filter, isa, line.as_bytes(), &wrapped);
            u32::from(seams.is_open(0, line.len()))
        };
        assert_eq!(marked("/a%20b q=m%c3%bcller%2Fx"), 0);
        assert_eq!(marked("/m\u{fc}ller %C3%A4"), 0);
        assert_eq!(marked("/%63md.exe"), 1);
        assert_eq!(marked("/a%20b/cmd%2eexe"), 1);
        assert_eq!(marked("/%2563md.exe"), 1);
    }
}
