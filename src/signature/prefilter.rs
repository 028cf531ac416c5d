//! Finds which anchors a text may hold, fast and without missing one.
//!
//! Each anchor is represented by four of its bytes that are rare in ordinary
//! logs. A text's every four bytes, folded, are looked up in a small bitmap;
//! what passes is compared in full. Nearly all of a log never passes.

use crate::signature::anchor::{Anchor, Group};
use crate::signature::pattern::Fold;

/// Bits of the bitmap: 8 KiB, so that it stays in the first-level cache.
const BITS: u32 = 16;

/// Looks for the anchors of one [`Group`].
#[derive(Clone, Debug)]
pub struct Prefilter {
    bitmap: Vec<u64>,
    /// Sorted by gram.
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    gram: u32,
    /// Bytes of the anchor before the gram.
    before: usize,
    text: Vec<u8>,
    rules: Vec<u32>,
}

/// Every byte's fold.
static FOLDED: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation)] // below 256
        let own = byte as u8;
        table[byte] = Fold::CaseAndPlus.apply(own);
        byte += 1;
    }
    table
};

#[inline]
fn folded(byte: u8) -> u8 {
    FOLDED[usize::from(byte)]
}

#[inline]
fn slot(gram: u32) -> usize {
    (gram.wrapping_mul(0x9E37_79B1) >> (32 - BITS)) as usize
}

impl Prefilter {
    /// A filter for the anchors of `group`, each with its rule.
    pub fn new<'a>(
        group: Group,
        anchors: impl Iterator<Item = (&'a Anchor, u32)>,
    ) -> Self {
        let mut texts: Vec<(Vec<u8>, u32)> = anchors
            .filter(|(anchor, _)| anchor.group == group)
            .map(|(anchor, rule)| (anchor.text.clone(), rule))
            .collect();
        texts.sort();
        texts.dedup();
        let mut entries: Vec<Entry> = Vec::new();
        for (text, rule) in texts {
            match entries.last_mut() {
                Some(last) if last.text == text => last.rules.push(rule),
                _ => entries.extend(Entry::new(text, rule)),
            }
        }
        entries.sort_by_key(|entry| entry.gram);
        let mut bitmap = vec![0_u64; 1 << (BITS - 6)];
        for entry in &entries {
            let slot = slot(entry.gram);
            if let Some(word) = bitmap.get_mut(slot / 64) {
                *word |= 1 << (slot % 64);
            }
        }
        Self { bitmap, entries }
    }

    /// True where there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds the rules whose anchors stand in the text.
    #[inline]
    pub fn find(&self, text: &[u8], rules: &mut Vec<u32>) {
        let Some((head, rest)) = text.split_first_chunk::<3>() else { return };
        let mut gram = 0_u32;
        for byte in head {
            gram = (gram >> 8) | (u32::from(folded(*byte)) << 24);
        }
        for (at, byte) in rest.iter().enumerate() {
            gram = (gram >> 8) | (u32::from(folded(*byte)) << 24);
            let slot = slot(gram);
            if self
                .bitmap
                .get(slot / 64)
                .is_some_and(|word| word >> (slot % 64) & 1 != 0)
            {
                self.verify(gram, at, text, rules);
            }
        }
    }

    /// Compares the anchors of a gram that stands at `at`.
    #[cold]
    fn verify(&self, gram: u32, at: usize, text: &[u8], rules: &mut Vec<u32>) {
        let first = self.entries.partition_point(|entry| entry.gram < gram);
        for entry in self.entries.iter().skip(first) {
            if entry.gram != gram {
                return;
            }
            let found = at
                .checked_sub(entry.before)
                .and_then(|start| text.get(start..))
                .is_some_and(|text| {
                    Fold::CaseAndPlus.starts_with(text, &entry.text)
                });
            if found {
                rules.extend_from_slice(&entry.rules);
            }
        }
    }
}

impl Entry {
    /// `None` for a text of fewer than four bytes.
    fn new(text: Vec<u8>, rule: u32) -> Option<Self> {
        let (before, gram) = text
            .windows(4)
            .enumerate()
            .max_by_key(|(_, gram)| {
                gram.iter().copied().map(rarity).sum::<u32>()
            })
            .and_then(|(before, gram)| {
                Some((before, u32::from_le_bytes(gram.try_into().ok()?)))
            })?;
        Some(Self { gram, before, text, rules: vec![rule] })
    }
}

/// How rare a folded byte is in requests of ordinary logs.
fn rarity(byte: u8) -> u32 {
    match byte {
        b'/' | b'.' | b'=' | b'&' | b'-' | b' ' => 1,
        b'e' | b'a' | b's' | b't' | b'i' | b'o' | b'n' | b'r' => 2,
        b'0'..=b'9' | b'c' | b'd' | b'l' | b'm' | b'p' | b'u' => 3,
        b'a'..=b'z' | b'_' | b'%' => 4,
        _ => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn misses_no_anchor(
            texts in proptest::collection::vec("[a-c+ .]{4,7}", 1..20),
            hay in "[a-cA-C+ .]{0,200}",
        ) {
            let anchors: Vec<Anchor> = texts
                .iter()
                .map(|text| Anchor {
                    group: Group::Request,
                    text: text.replace('+', " ").into_bytes(),
                })
                .collect();
            let filter = Prefilter::new(
                Group::Request,
                anchors.iter().zip(0_u32..),
            );
            let mut found = Vec::new();
            filter.find(hay.as_bytes(), &mut found);
            found.sort_unstable();
            found.dedup();
            let plain = hay.to_ascii_lowercase().replace('+', " ");
            let expected: Vec<u32> = texts
                .iter()
                .zip(0..)
                .filter(|(text, _)| plain.contains(&text.replace('+', " ")))
                .map(|(_, rule)| rule)
                .collect();
            assert_eq!(found, expected);
        }
    }
}
