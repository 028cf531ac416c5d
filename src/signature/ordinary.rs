//! What ordinary logs hold: browsers of three decades, paths, queries and
//! referers of the kinds that fill them. Nothing of it is from a real log.
//!
//! In: `ordinary.txt`. Out: how common a text is. It steers what is looked
//! for first, so it touches speed and never results.

use std::sync::LazyLock;

use crate::signature::pattern::Fold;

/// One value of a column a line.
pub(super) static TEXT: &[u8] = include_bytes!("ordinary.txt");

/// [`TEXT`], folded.
static FOLDED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    TEXT.iter().map(|byte| Fold::CaseAndPlus.apply(*byte)).collect()
});

/// How often each folded byte stands in [`TEXT`].
static BYTES: LazyLock<[usize; 256]> = LazyLock::new(|| {
    let mut counts = [0; 256];
    for byte in FOLDED.iter() {
        counts[usize::from(*byte)] += 1;
    }
    counts
});

/// How often two folded bytes stand side by side in [`TEXT`].
static PAIRS: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let mut counts = vec![0_u16; 1 << 16];
    for (first, second) in FOLDED.iter().zip(FOLDED.iter().skip(1)) {
        let pair = usize::from(u16::from_le_bytes([*first, *second]));
        counts[pair] = counts[pair].saturating_add(1);
    }
    counts
});

/// How likely a folded text is, going by its pairs: tells apart texts that
/// ordinary values do not hold, but others of their kind may.
pub(super) fn likelihood(text: &[u8]) -> u64 {
    let pairs = text.iter().zip(text.iter().skip(1));
    pairs.fold(1, |product, (first, second)| {
        let pair = usize::from(u16::from_le_bytes([*first, *second]));
        product * (1 + u64::from(PAIRS[pair]))
    })
}

/// How often a folded text stands in ordinary values.
pub(super) fn count(text: &[u8]) -> usize {
    memchr::memmem::find_iter(&FOLDED, text).count()
}

/// How often a folded byte does.
pub(super) fn count_byte(byte: u8) -> usize {
    BYTES[usize::from(byte)]
}
