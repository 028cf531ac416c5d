//! The sets of grams that the kernels sift by, as tables.
//!
//! In: bytes for each place of each set. Out: the same sets in the forms
//! that the kernels look them up in.

/// Bytes of a literal that a [`Sieve`] looks at.
pub const GRAM: usize = 4;

/// Sets of grams in a [`Sieve`].
pub const SETS: usize = 16;

/// Sixteen sets of grams. Byte `i` of a text may be the
/// first of a gram of a set where each of the four bytes from `i` on is
/// among the set's bytes for that place. So a set holds more grams than it
/// was made for, never less. (After "Teddy", Hyperscan's literal matcher.)
///
/// The same sets stand here twice. `bytes` holds them for a byte without
/// its topmost bit. `low` and `high` hold them for the halves of a byte,
/// where a byte is let through if both halves are: that needs no wide
/// look-up and lets through a little more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sieve {
    pub(super) eights: [Eight; SETS / 8],
    /// All sets at once, for kernels that look up one byte at a time.
    pub(super) all: [[u16; 128]; GRAM],
}

impl Default for Sieve {
    /// Lets nothing through.
    fn default() -> Self {
        Self {
            eights: std::array::from_fn(|_| Eight::default()),
            all: [[0; 128]; GRAM],
        }
    }
}

/// Eight sets of a [`Sieve`], a bit each.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(align(64))] // a load is of one line of the cache
pub(super) struct Eight {
    pub bytes: [[u8; 128]; GRAM],
    pub low: [[u8; 16]; GRAM],
    pub high: [[u8; 16]; GRAM],
}

impl Default for Eight {
    /// Lets nothing through.
    fn default() -> Self {
        Self {
            bytes: [[0; 128]; GRAM],
            low: [[0; 16]; GRAM],
            high: [[0; 16]; GRAM],
        }
    }
}

impl Sieve {
    /// Adds bytes to a place, from 0, of a set, from 0.
    pub fn add(
        &mut self,
        set: usize,
        place: usize,
        bytes: impl Iterator<Item = u8>,
    ) {
        let Some(eight) = self.eights.get_mut(set / 8) else { return };
        let tables = eight.bytes.get_mut(place).zip(eight.low.get_mut(place));
        let Some(((all, low), high)) = tables.zip(eight.high.get_mut(place))
        else {
            return;
        };
        let bit = 1 << (set % 8);
        let Some(row) = self.all.get_mut(place) else { return };
        for byte in bytes {
            row[usize::from(byte & 127)] |= 1 << set;
            all[usize::from(byte & 127)] |= bit;
            low[usize::from(byte & 15)] |= bit;
            high[usize::from(byte >> 4)] |= bit;
        }
    }
}
