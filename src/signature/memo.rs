//! What was found in stems before: nearly all records of a log ask for one
//! of a few thousand.
//!
//! In: a stem. Out: the rules that it is a reason to evaluate, where it was
//! looked at not long ago. What a stem holds depends on nothing else.

use crate::signature::prefilter::Candidate;

/// Stems that are kept.
const SLOTS: usize = 4096;
/// Longest stem that is kept, so that a slot is two lines of the cache, and
/// most rules that it is kept with.
const STEM_BYTES: usize = 126;
const CANDIDATES: usize = 32;

/// Stems, and what they hold.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// The filter that found it.
    filter: u64,
    slots: Vec<Slot>,
    /// Some of the hash of each slot's stem: tells which of two to look at.
    tags: Vec<u16>,
    /// The candidates of each slot.
    found: Vec<Vec<Candidate>>,
}

#[derive(Clone, Debug)]
#[repr(align(64))]
struct Slot {
    length: u8,
    facts: u8,
    stem: [u8; STEM_BYTES],
}

/// Bits of [`Slot::facts`].
const HAS_FORMS: u8 = 1;
const HAS_CANDIDATES: u8 = 2;

const EMPTY: Slot = Slot { length: 0, facts: 0, stem: [0; STEM_BYTES] };

/// What a stem holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'m> {
    pub found: &'m [Candidate],
    /// It has more forms than one.
    pub has_forms: bool,
}

impl Slot {
    #[inline]
    fn is(&self, stem: &[u8]) -> bool {
        usize::from(self.length) == stem.len()
            && self.stem.get(..stem.len()) == Some(stem)
    }
}

impl Memo {
    /// What is known of a stem from this filter.
    #[inline]
    pub fn get(&self, filter: u64, stem: &[u8]) -> Option<Known<'_>> {
        if self.filter != filter {
            return None;
        }
        let (home, tag) = home(stem);
        // Without a branch: which of two it is cannot be foretold.
        let at = home ^ usize::from(*self.tags.get(home)? != tag);
        let slot = self.slots.get(at).filter(|slot| slot.is(stem))?;
        let facts = slot.facts;
        let found = if facts & HAS_CANDIDATES == 0 {
            &[][..]
        } else {
            self.found.get(at)?.as_slice()
        };
        Some(Known { found, has_forms: facts & HAS_FORMS != 0 })
    }

    /// Keeps what a stem, which is not empty, holds.
    pub fn keep(
        &mut self,
        filter: u64,
        stem: &[u8],
        found: &[Candidate],
        has_forms: bool,
    ) {
        if stem.len() > STEM_BYTES || found.len() > CANDIDATES {
            return;
        }
        if self.filter != filter || self.slots.is_empty() {
            self.filter = filter;
            self.slots.clear();
            self.slots.resize(SLOTS, EMPTY);
            self.found.resize(SLOTS, Vec::new());
            self.tags.resize(SLOTS, 0);
        }
        let (home, tag) = home(stem);
        // What was here moves beside, in place of what was there longer.
        self.slots.swap(home, home ^ 1);
        self.found.swap(home, home ^ 1);
        self.tags.swap(home, home ^ 1);
        if let Some(own) = self.tags.get_mut(home) {
            *own = tag;
        }
        let places = self.slots.get_mut(home).zip(self.found.get_mut(home));
        let Some((slot, own)) = places else { return };
        own.clear();
        own.extend_from_slice(found);
        if let Some(start) = slot.stem.get_mut(..stem.len()) {
            start.copy_from_slice(stem);
        }
        slot.length = u8::try_from(stem.len()).unwrap_or(0);
        slot.facts = if has_forms { HAS_FORMS } else { 0 }
            | if found.is_empty() { 0 } else { HAS_CANDIDATES };
    }
}

/// The slot of a stem, by its length, its start and its end, and a tag that
/// tells it from most others there. (Knuth's
/// multiplicative hash.)
#[inline]
fn home(stem: &[u8]) -> (usize, u16) {
    let word = |bytes: Option<&[u8; 8]>| {
        u64::from_le_bytes(bytes.copied().unwrap_or_default())
    };
    let key = if stem.len() < 16 {
        let mut bytes = [0; 16];
        if let Some(start) = bytes.get_mut(..stem.len()) {
            start.copy_from_slice(stem);
        }
        word(bytes.first_chunk()) ^ word(bytes.last_chunk()).rotate_left(29)
    } else {
        let middle = stem.get(stem.len() / 2 - 4..);
        let middle = word(middle.and_then(<[u8]>::first_chunk));
        word(stem.first_chunk())
            ^ word(stem.last_chunk()).rotate_left(29)
            ^ middle.rotate_left(13)
    };
    let key = key ^ stem.len() as u64;
    let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    // Some bits of it, and others.
    #[allow(clippy::cast_possible_truncation)]
    let (home, tag) = (
        (hash >> (64 - SLOTS.trailing_zeros())) as usize,
        (hash >> 32) as u16,
    );
    (home, tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::facts::Facts;

    proptest::proptest! {
        /// Whatever was kept before, nothing is told of another stem.
        #[test]
        fn tells_what_was_kept_last(
            stems in proptest::collection::vec("/[ab/]{0,20}", 1..400),
        ) {
            let mut memo = Memo::default();
            for (stem, rule) in stems.iter().zip(0_u32..) {
                let stem = stem.as_bytes();
                if let Some(known) = memo.get(1, stem) {
                    let before = known.found[0].rule as usize;
                    assert_eq!(stems[before].as_bytes(), stem);
                }
                let found = [Candidate { rule, needs: Facts::ALL }];
                memo.keep(1, stem, &found, false);
                assert_eq!(memo.get(1, stem).unwrap().found, found);
                assert!(memo.get(2, stem).is_none());
            }
        }
    }
}
