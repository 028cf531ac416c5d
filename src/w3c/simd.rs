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
    let rest = text.get(whole..).unwrap_or_default();
    let mut padded = [0; 2 * BLOCK + GRAM];
    if let Some(start) = padded.get_mut(..rest.len()) {
        start.copy_from_slice(rest);
    }
    let length = rest.len().div_ceil(BLOCK) * BLOCK + GRAM;
    let padded = padded.get(..length).unwrap_or_default();
    sift_windows(isa, sieve, padded, whole as u32, sink);
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
type Window = [u8; BLOCK + GRAM];

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

#[cfg(target_arch = "x86_64")]
mod x86 {
    // A kernel reads best without forty names before it.
    #[allow(clippy::wildcard_imports)]
    use std::arch::x86_64::*;

    use super::sets::Eight;
    use super::{
        BLOCK, GRAM, Kind, Marks, Places, Room, SETS, Sieve, Sink, Window,
        marks_with, sift_with,
    };

    #[target_feature(enable = "avx2")]
    pub(super) fn is_ascii_avx2(text: &[u8]) -> bool {
        // No early end: so the compiler takes many bytes at once.
        text.iter().fold(0, |all, byte| all | byte) < 0x80
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn marks_avx2(text: &[u8], sink: &mut impl Sink<Marks>) {
        let of = |block: &[u8; BLOCK]| {
            let (halves, _) = block.as_chunks::<32>();
            let mut marks = Marks::default();
            for half in halves.iter().rev() {
                let bytes = load_256(half);
                let equal = |byte: u8| {
                    _mm256_cmpeq_epi8(
                        bytes,
                        _mm256_set1_epi8(byte.cast_signed()),
                    )
                };
                let lines = equal(b'\n');
                let ends = _mm256_or_si256(lines, equal(b' '));
                // As signed numbers, C0 to FF are -64 to -1.
                let high = _mm256_and_si256(
                    _mm256_cmpgt_epi8(bytes, _mm256_set1_epi8(-65)),
                    bytes,
                );
                let wrapped = _mm256_or_si256(high, equal(b'%'));
                let add = |mask: &mut u64, found| {
                    let bits = _mm256_movemask_epi8(found).cast_unsigned();
                    *mask = (*mask << 32) | u64::from(bits);
                };
                add(&mut marks.lines, lines);
                add(&mut marks.ends, ends);
                add(&mut marks.wrapped, wrapped);
            }
            marks
        };
        marks_with(text, of, Places(Kind::Avx2), sink);
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    #[target_feature(
        enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2"
    )]
    pub(super) fn marks_avx512(text: &[u8], sink: &mut impl Sink<Marks>) {
        let of = |block: &[u8; BLOCK]| {
            let bytes = load_512(block);
            let equal = |byte: u8| {
                let byte = _mm512_set1_epi8(byte.cast_signed());
                _mm512_cmpeq_epi8_mask(bytes, byte)
            };
            let lines = equal(b'\n');
            let least = _mm512_set1_epi8(0xC0_u8.cast_signed());
            let high = _mm512_cmpge_epu8_mask(bytes, least);
            Marks {
                ends: lines | equal(b' '),
                lines,
                wrapped: high | equal(b'%'),
            }
        };
        marks_with(text, of, Places(Kind::Avx512), sink);
    }

    /// The numbers from 0 to 63.
    static NUMBERS: [u8; BLOCK] = {
        let mut numbers = [0; BLOCK];
        let mut n = 0;
        while n < BLOCK {
            numbers[n] = n as u8;
            n += 1;
        }
        numbers
    };

    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    #[target_feature(
        enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2"
    )]
    pub(super) fn places_avx512(mask: u64, base: u32, room: &mut Room) {
        let numbers = load_512(&NUMBERS);
        let mut places = _mm512_maskz_compress_epi8(mask, numbers);
        let base = _mm512_set1_epi32(base.cast_signed());
        let mut left = mask.count_ones();
        let (parts, _) = room.as_chunks_mut::<16>();
        for part in parts {
            let first = _mm512_castsi512_si128(places);
            let wide = _mm512_add_epi32(_mm512_cvtepu8_epi32(first), base);
            // SAFETY: `part` is 64 bytes long.
            unsafe { _mm512_storeu_si512(part.as_mut_ptr().cast(), wide) };
            if left <= 16 {
                return;
            }
            left -= 16;
            places = _mm512_alignr_epi32::<4>(places, places);
        }
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn sift_avx2(
        sieve: &Sieve,
        text: &[u8],
        base: u32,
        sink: &mut impl Sink<u64>,
    ) {
        let mut low = [[_mm256_setzero_si256(); GRAM]; SETS / 8];
        let mut high = low;
        for (n, eight) in sieve.eights.iter().enumerate() {
            for k in 0..GRAM {
                let wide = |half| _mm256_broadcastsi128_si256(load_128(half));
                low[n][k] = wide(&eight.low[k]);
                high[n][k] = wide(&eight.high[k]);
            }
        }
        let nibble = _mm256_set1_epi8(15);
        let half = |window: &Window, from: usize| {
            let mut sets = [_mm256_set1_epi8(-1); 2];
            for k in 0..GRAM {
                let bytes =
                    window.get(from + k..).and_then(<[u8]>::first_chunk);
                let Some(bytes) = bytes else { return 0 };
                let bytes = load_256(bytes);
                let lower = _mm256_and_si256(bytes, nibble);
                let upper =
                    _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble);
                for (n, sets) in sets.iter_mut().enumerate() {
                    let found = _mm256_and_si256(
                        _mm256_shuffle_epi8(low[n][k], lower),
                        _mm256_shuffle_epi8(high[n][k], upper),
                    );
                    *sets = _mm256_and_si256(*sets, found);
                }
            }
            let sets = _mm256_or_si256(sets[0], sets[1]);
            let none = _mm256_cmpeq_epi8(sets, _mm256_setzero_si256());
            !_mm256_movemask_epi8(none).cast_unsigned()
        };
        let of = |window: &Window| {
            let (lower, upper) = (half(window, 0), half(window, 32));
            u64::from(lower) | (u64::from(upper) << 32)
        };
        sift_with(text, base, of, Places(Kind::Avx2), sink);
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    #[target_feature(
        enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2"
    )]
    pub(super) fn sift_avx512(
        sieve: &Sieve,
        text: &[u8],
        base: u32,
        sink: &mut impl Sink<u64>,
    ) {
        let [first, second] = &sieve.eights;
        let (first, second) = (tables_512(first), tables_512(second));
        let of = move |window: &Window| {
            let bytes: [__m512i; GRAM] = [
                from_512::<0>(window),
                from_512::<1>(window),
                from_512::<2>(window),
                from_512::<3>(window),
            ];
            let sets = _mm512_or_si512(
                passing_512(first, bytes),
                passing_512(second, bytes),
            );
            _mm512_test_epi8_mask(sets, sets)
        };
        sift_with(text, base, of, Places(Kind::Avx512), sink);
    }

    /// Two registers are a table of 128 bytes; four tables are eight sets.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn tables_512(eight: &Eight) -> [[__m512i; 2]; GRAM] {
        eight.bytes.map(|row| {
            let (halves, _) = row.as_chunks::<BLOCK>();
            match halves {
                [low, high] => [load_512(low), load_512(high)],
                _ => [_mm512_setzero_si512(); 2],
            }
        })
    }

    /// The sets that pass, by the four bytes from each place on.
    #[allow(clippy::large_types_passed_by_value)] // they are registers
    #[inline]
    #[target_feature(enable = "avx512f,avx512vbmi")]
    fn passing_512(
        tables: [[__m512i; 2]; GRAM],
        bytes: [__m512i; GRAM],
    ) -> __m512i {
        let [a, b, c, d] = tables;
        let [at_0, at_1, at_2, at_3] = bytes;
        let look = |[low, high]: [__m512i; 2], bytes| {
            _mm512_permutex2var_epi8(low, bytes, high)
        };
        // 0x80: all three.
        let three = _mm512_ternarylogic_epi64::<0x80>(
            look(a, at_0),
            look(b, at_1),
            look(c, at_2),
        );
        _mm512_and_si512(three, look(d, at_3))
    }

    /// The 64 bytes of a window from a place on.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn from_512<const K: usize>(window: &Window) -> __m512i {
        const { assert!(K + BLOCK <= BLOCK + GRAM) };
        // SAFETY: the window is long enough, as just asserted.
        unsafe { _mm512_loadu_si512(window.as_ptr().add(K).cast()) }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn load_128(bytes: &[u8; 16]) -> __m128i {
        // SAFETY: the array is as long as the load, which needs no alignment.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load_256(bytes: &[u8; 32]) -> __m256i {
        // SAFETY: as above.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load_512(bytes: &[u8; BLOCK]) -> __m512i {
        // SAFETY: as above.
        unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
    }
}
