//! The kernels that look at every byte of a log, for each kind of
//! processor, and all code that is for one kind only.
//!
//! In: text. Out: for each 64 bytes of it, bit masks: where columns and
//! lines end, where something is wrapped that decoding would change, and
//! where a literal of a rule may begin. What is done with a mask stands in
//! `index` and in `signature`, written once for all kernels.
//!
//! All kernels give the same masks; the tests run each that the machine
//! has against the plain definition. No kernel reads past the end of its
//! text: what is left of the last 64 bytes goes through a padded copy.

#![allow(unsafe_code)]
// Texts have fewer than 2^32 bytes; a block has 64.
#![allow(clippy::cast_possible_truncation)]

mod sets;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::ops::Range;
use std::sync::OnceLock;

pub use self::sets::{GRAM, SETS, Sieve};

/// Bytes that one mask covers.
pub const BLOCK: usize = 64;

/// What 64 bytes hold: one bit a byte, the first byte lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Blanks and newlines: each ends a column.
    pub ends: u64,
    /// Newlines.
    pub lines: u64,
    /// Percent signs, and bytes from C0 up: see `decode::is_wrapped`.
    pub wrapped: u64,
}

/// What the kernels may use. Only what the machine was found to have can be
/// had: that is what makes running them sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Kind);

/// A kind of processor that kernels are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
enum Kind {
    /// Any.
    Portable,
    /// x86-64 with AVX2 and BMI2: most since 2013.
    Avx2,
    /// x86-64 with AVX-512 BW, VBMI and VBMI2: servers since 2019.
    Avx512,
}

impl Isa {
    /// Any processor.
    pub const PORTABLE: Self = Self(Kind::Portable);

    /// The word for it in options.
    pub fn as_str(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            Kind::Avx2 => "avx2",
            Kind::Avx512 => "avx512",
        }
    }

    /// True where a sieve tells bytes apart, and not their halves.
    pub fn sees_bytes(self) -> bool {
        self.0 != Kind::Avx2
    }

    /// What this machine can do, slowest first.
    pub fn available() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), allow(unused_mut))]
        let mut all = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            let avx2 = has!("avx2")
                && has!("bmi1")
                && has!("bmi2")
                && has!("lzcnt")
                && has!("popcnt");
            if avx2 {
                all.push(Self(Kind::Avx2));
            }
            let avx512 = has!("avx512f")
                && has!("avx512bw")
                && has!("avx512vl")
                && has!("avx512vbmi")
                && has!("avx512vbmi2");
            if avx2 && avx512 {
                all.push(Self(Kind::Avx512));
            }
        }
        all
    }

    /// The fastest of them.
    pub fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        let best = || Self::available().pop().unwrap_or(Self::PORTABLE);
        *BEST.get_or_init(best)
    }
}

/// Takes the masks of a text, one after the other. A trait and not a
/// closure: its code is compiled into each kernel.
pub trait Sink<M> {
    /// The mask or masks of the 64 bytes from `base` on.
    fn block(&mut self, base: u32, mask: M, places: Places);
}

/// Writes out where the bits of a mask stand.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
pub struct Places(Kind);

/// Room for the places of one mask.
pub type Room = [u32; BLOCK];

impl Places {
    /// Writes `base` plus the number of each set bit, lowest first; what
    /// stands in the room behind them means nothing.
    #[inline(always)]
    pub fn write(self, mask: u64, base: u32, room: &mut Room) {
        #[cfg(target_arch = "x86_64")]
        if self.0 == Kind::Avx512 {
            // SAFETY: only `x86::marks_avx512` makes this value, and it
            // runs only where the features were detected.
            return unsafe { x86::places_avx512(mask, base, room) };
        }
        each_place::<8>(mask, base, room);
    }

    /// The same for masks that mostly have few bits.
    #[inline(always)]
    pub fn write_few(self, mask: u64, base: u32, room: &mut Room) {
        each_place::<4>(mask, base, room);
    }
}

/// Writes `N` places at a time, so that how many there are need not be
/// foretold.
#[inline(always)]
fn each_place<const N: usize>(mask: u64, base: u32, room: &mut Room) {
    let mut bits = mask;
    for some in room.chunks_exact_mut(N) {
        for place in some {
            *place = base + bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
        }
        if bits == 0 {
            return;
        }
    }
}

/// Tells a sink the marks of a text of at most 4 GiB, block by block. Bits
/// past the end of the text are not set.
pub fn marks(isa: Isa, text: &[u8], sink: &mut impl Sink<Marks>) {
    match isa.0 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: an `Isa` comes from detection.
        Kind::Avx2 => unsafe { x86::marks_avx2(text, sink) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Kind::Avx512 => unsafe { x86::marks_avx512(text, sink) },
        _ => marks_with(text, portable_marks, Places(isa.0), sink),
    }
}

/// True where a text holds no byte from 80 up.
pub fn is_ascii(isa: Isa, text: &[u8]) -> bool {
    match isa.0 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: an `Isa` comes from detection, which asks both for AVX2.
        Kind::Avx2 | Kind::Avx512 => unsafe { x86::is_ascii_avx2(text) },
        _ => text.is_ascii(),
    }
}

/// Tells a sink where grams of the sieve may begin in a text of at most
/// 4 GiB, block by block. A gram that is not whole in the text may be
/// marked or not.
pub fn sift(isa: Isa, sieve: &Sieve, text: &[u8], sink: &mut impl Sink<u64>) {
    // Blocks that a window fits to; two more at most, the last one cut.
    let whole = text.len().saturating_sub(GRAM) / BLOCK * BLOCK;
    sift_windows(isa, sieve, text, 0, sink);
    // What is left is short: how its places are written does not matter.
    let places = Places(Kind::Portable);
    sift_range(isa, sieve, text, whole..text.len(), |base, _, mask| {
        sink.block(base as u32, mask, places);
    });
}

/// Calls back with a place in a text, the bytes from it on, and a mask of
/// the first 64: where in the range grams of the sieve may begin. As with
/// [`sift`], a gram that is not whole in the text may be marked or not.
#[inline]
pub fn sift_range(
    isa: Isa,
    sieve: &Sieve,
    text: &[u8],
    range: Range<usize>,
    mut found: impl FnMut(usize, &Window, u64),
) {
    let mut at = range.start;
    while let Some(left @ 1..) = range.end.checked_sub(at) {
        let rest = text.get(at..).unwrap_or_default();
        let short;
        let window = if let Some(window) = rest.first_chunk() {
            window
        } else {
            short = padded(rest);
            &short
        };
        let inside = if left < BLOCK { (1 << left) - 1 } else { u64::MAX };
        found(at, window, sift_window(isa, sieve, window) & inside);
        at += BLOCK;
    }
}

#[inline(never)]
fn padded(rest: &[u8]) -> Window {
    let mut window = [0; BLOCK + GRAM];
    let length = rest.len().min(BLOCK + GRAM);
    let own = window.get_mut(..length).zip(rest.get(..length));
    if let Some((start, rest)) = own {
        start.copy_from_slice(rest);
    }
    window
}

#[inline]
fn sift_window(isa: Isa, sieve: &Sieve, window: &Window) -> u64 {
    match isa.0 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: an `Isa` comes from detection.
        Kind::Avx2 => unsafe { x86::sift_window_avx2(sieve, window) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Kind::Avx512 => unsafe { x86::sift_window_avx512(sieve, window) },
        _ => portable_sift(sieve, window),
    }
}

/// The blocks of a text that a whole window begins with. Nothing in here
/// makes a call: tables stay in registers.
fn sift_windows(
    isa: Isa,
    sieve: &Sieve,
    text: &[u8],
    base: u32,
    sink: &mut impl Sink<u64>,
) {
    match isa.0 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: an `Isa` comes from detection.
        Kind::Avx2 => unsafe { x86::sift_avx2(sieve, text, base, sink) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Kind::Avx512 => unsafe { x86::sift_avx512(sieve, text, base, sink) },
        _ => {
            let sift = |bytes: &Window| portable_sift(sieve, bytes);
            sift_with(text, base, sift, Places(isa.0), sink);
        }
    }
}

/// A block, and what follows it as far as a gram that begins in it goes.
pub type Window = [u8; BLOCK + GRAM];

#[inline(always)]
fn marks_with(
    text: &[u8],
    of: impl Fn(&[u8; BLOCK]) -> Marks,
    places: Places,
    sink: &mut impl Sink<Marks>,
) {
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let mut base = 0;
    for block in blocks {
        sink.block(base, of(block), places);
        base += BLOCK as u32;
    }
    if !rest.is_empty() {
        let mut block = [0; BLOCK];
        if let Some(start) = block.get_mut(..rest.len()) {
            start.copy_from_slice(rest);
        }
        sink.block(base, of(&block), places);
    }
}

#[inline(always)]
fn sift_with(
    text: &[u8],
    base: u32,
    of: impl Fn(&Window) -> u64,
    places: Places,
    sink: &mut impl Sink<u64>,
) {
    let mut rest = text;
    let mut base = base;
    while let Some(window) = rest.first_chunk() {
        sink.block(base, of(window), places);
        base += BLOCK as u32;
        rest = rest.get(BLOCK..).unwrap_or_default();
    }
}

/// Eight bytes at a time, in one number: the topmost bit of each byte
/// tells whether it is one of those looked for.
#[inline]
fn portable_marks(block: &[u8; BLOCK]) -> Marks {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let equal = |eight: u64, byte: u8| {
        let other = eight ^ (u64::from(byte) * ONES);
        // No byte of the sum reaches into the next.
        !(((other & !HIGH) + !HIGH) | other) & HIGH
    };
    // One multiplication gathers the eight bits in the topmost byte.
    let add = |mask: &mut u64, found: u64| {
        let bits = (found >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        *mask = (*mask << 8) | bits;
    };
    let mut marks = Marks::default();
    let (eights, _) = block.as_chunks::<8>();
    for eight in eights.iter().rev() {
        let eight = u64::from_le_bytes(*eight);
        let lines = equal(eight, b'\n');
        add(&mut marks.lines, lines);
        add(&mut marks.ends, lines | equal(eight, b' '));
        // From C0 on the two topmost bits are set.
        let high = eight & (eight << 1) & HIGH;
        add(&mut marks.wrapped, high | equal(eight, b'%'));
    }
    marks
}

#[inline]
fn portable_sift(sieve: &Sieve, window: &Window) -> u64 {
    let [first, second, third, fourth] = &sieve.all;
    let sets = |row: &[u16; 128], byte: u8| row[usize::from(byte & 127)];
    let mut mask = 0;
    for (at, gram) in window.windows(GRAM).take(BLOCK).enumerate() {
        let [a, b, c, d] = *gram else { continue };
        let passing = sets(first, a)
            & sets(second, b)
            & sets(third, c)
            & sets(fourth, d);
        mask |= u64::from(passing != 0) << at;
    }
    mask
}
