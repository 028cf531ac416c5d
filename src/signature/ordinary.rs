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

/// How often a folded text stands in ordinary values.
pub(super) fn count(text: &[u8]) -> usize {
    memchr::memmem::find_iter(&FOLDED, text).count()
}

/// How often a folded byte does.
pub(super) fn count_byte(byte: u8) -> usize {
    BYTES[usize::from(byte)]
}
