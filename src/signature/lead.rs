//! Where a literal may stand in a text.
//!
//! In: a literal, and how bytes compare. Out: the few places worth a look:
//! those where its byte that ordinary logs hold least stands.

use crate::signature::ordinary;
use crate::signature::pattern::Fold;

/// The byte that leads to a literal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lead {
    /// Bytes of the literal before it.
    before: usize,
    /// The byte, as it may be written.
    rare: [u8; 2],
}

impl Lead {
    /// That of a literal; none where it is empty.
    pub fn of(literal: &[u8], fold: Fold) -> Option<Self> {
        let common = |byte: u8| ordinary::count_byte(fold.apply(byte));
        let bytes = literal.iter().enumerate();
        let rarest = bytes.min_by_key(|(_, byte)| common(**byte));
        let (before, byte) = rarest?;
        Some(Self { before, rare: fold.both(*byte) })
    }

    /// Where the literal may begin in a text, first places first.
    pub fn places(self, text: &[u8]) -> impl Iterator<Item = usize> {
        let [a, b] = self.rare;
        let places = memchr::memchr2_iter(a, b, text);
        places.filter_map(move |at| at.checked_sub(self.before))
    }
}
