//! Anchors of fewer bytes than a gram: such as a backslash, or `/+/`.
//!
//! In: entries of a prefilter. Out: whether one of them may stand at a place
//! of a text, and which. Only texts get here that are rare in requests; their
//! gram begins with their rarest pair of bytes.

use crate::signature::pattern::Fold;
use crate::signature::prefilter::Entry;
use crate::w3c::simd::GRAM;

/// Bits for pairs of bytes: many more than there are such texts.
const PAIRS: usize = 1024;

/// Short anchors.
#[derive(Clone, Debug, Default)]
pub(super) struct Shorts {
    entries: Vec<Entry>,
    /// One bit for each byte that a gram of one byte is.
    bytes: [u64; 4],
    /// Bits for the first two bytes of longer grams.
    pairs: [u64; PAIRS / 64],
}

impl Shorts {
    pub fn new(entries: Vec<Entry>) -> Self {
        let mut own = Self { entries, bytes: [0; 4], pairs: [0; PAIRS / 64] };
        for entry in &own.entries {
            let gram = entry.text.get(entry.before..).unwrap_or_default();
            match *gram {
                [] => {}
                [byte] => {
                    for byte in Fold::CaseAndPlus.both(byte) {
                        let word = own.bytes.get_mut(usize::from(byte / 64));
                        *word.unwrap_or(&mut 0) |= 1 << (byte % 64);
                    }
                }
                [first, second, ..] => {
                    for first in Fold::CaseAndPlus.both(first) {
                        for second in Fold::CaseAndPlus.both(second) {
                            let slot = slot(first, second);
                            let word = own.pairs.get_mut(slot / 64);
                            *word.unwrap_or(&mut 0) |= 1 << (slot % 64);
                        }
                    }
                }
            }
        }
        own
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The lowest bit tells whether one of them may have its gram here.
    #[inline]
    pub fn may_have(&self, gram: [u8; GRAM]) -> u64 {
        let [first, second, ..] = gram;
        let bytes = self.bytes.get(usize::from(first / 64));
        let slot = slot(first, second);
        let pairs = self.pairs.get(slot / 64);
        bytes.copied().unwrap_or(0) >> (first % 64)
            | pairs.copied().unwrap_or(0) >> (slot % 64)
    }

    /// Those whose gram begins as this one does, folded.
    pub fn of(&self, gram: u32) -> impl Iterator<Item = &Entry> {
        let [first, ..] = gram.to_le_bytes();
        let begins = move |entry: &&Entry| {
            entry.text.get(entry.before).is_some_and(|own| *own == first)
        };
        self.entries.iter().filter(begins)
    }
}

/// The same for both cases of a letter.
#[inline]
fn slot(first: u8, second: u8) -> usize {
    let pair = u32::from(first | 0x20) | u32::from(second | 0x20) << 8;
    (pair.wrapping_mul(0x9E37_79B1) >> 22) as usize
}
