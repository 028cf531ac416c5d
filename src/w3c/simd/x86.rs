//! The kernels for x86-64: AVX2, and AVX-512.
//!
//! In: text. Out: masks, as [`super`] has them. All of it may run only on
//! processors that were found to have what a function is compiled for.

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
                _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed()))
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
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
        Marks { ends: lines | equal(b' '), lines, wrapped: high | equal(b'%') }
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
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
    let tables = sieve.eights.each_ref().map(|eight| tables_256(eight));
    let of = |window: &Window| passing_256(&tables, window);
    sift_with(text, base, of, Places(Kind::Avx2), sink);
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn sift_window_avx2(sieve: &Sieve, window: &Window) -> u64 {
    let tables = sieve.eights.each_ref().map(|eight| tables_256(eight));
    passing_256(&tables, window)
}

/// Two tables of halves for each place are eight sets.
#[inline]
#[target_feature(enable = "avx2")]
fn tables_256(eight: &Eight) -> [[__m256i; 2]; GRAM] {
    let wide = |half: &[u8; 16]| _mm256_broadcastsi128_si256(load_128(half));
    std::array::from_fn(|k| [wide(&eight.low[k]), wide(&eight.high[k])])
}

/// Where a text of any set may begin in a window.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn passing_256(
    tables: &[[[__m256i; 2]; GRAM]; SETS / 8],
    window: &Window,
) -> u64 {
    let nibble = _mm256_set1_epi8(15);
    let half = |from: usize| {
        let mut sets = [_mm256_set1_epi8(-1); SETS / 8];
        for k in 0..GRAM {
            let bytes = window.get(from + k..).and_then(<[u8]>::first_chunk);
            let Some(bytes) = bytes else { return 0 };
            let bytes = load_256(bytes);
            let lower = _mm256_and_si256(bytes, nibble);
            let upper =
                _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble);
            for (sets, tables) in sets.iter_mut().zip(tables) {
                let [low, high] = tables[k];
                let found = _mm256_and_si256(
                    _mm256_shuffle_epi8(low, lower),
                    _mm256_shuffle_epi8(high, upper),
                );
                *sets = _mm256_and_si256(*sets, found);
            }
        }
        let zero = _mm256_setzero_si256();
        let or = |all, sets| _mm256_or_si256(all, sets);
        let any = sets.into_iter().fold(zero, or);
        let none = _mm256_cmpeq_epi8(any, zero);
        !_mm256_movemask_epi8(none).cast_unsigned()
    };
    u64::from(half(0)) | (u64::from(half(32)) << 32)
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
pub(super) fn sift_window_avx512(sieve: &Sieve, window: &Window) -> u64 {
    let tables = sieve.eights.each_ref().map(|eight| tables_512(eight));
    passing_512(tables, window)
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
pub(super) fn sift_avx512(
    sieve: &Sieve,
    text: &[u8],
    base: u32,
    sink: &mut impl Sink<u64>,
) {
    let tables = sieve.eights.each_ref().map(|eight| tables_512(eight));
    let of = move |window: &Window| passing_512(tables, window);
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

/// Where a text of any set may begin in a window.
#[allow(clippy::large_types_passed_by_value)] // they are registers
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn passing_512(
    tables: [[[__m512i; 2]; GRAM]; SETS / 8],
    window: &Window,
) -> u64 {
    let bytes = [
        from_512::<0>(window),
        from_512::<1>(window),
        from_512::<2>(window),
        from_512::<3>(window),
    ];
    let look = |[low, high]: [__m512i; 2], bytes| {
        _mm512_permutex2var_epi8(low, bytes, high)
    };
    let mut any = _mm512_setzero_si512();
    for [a, b, c, d] in tables {
        let [at_0, at_1, at_2, at_3] = bytes;
        // 0x80: all three.
        let three = _mm512_ternarylogic_epi64::<0x80>(
            look(a, at_0),
            look(b, at_1),
            look(c, at_2),
        );
        let sets = _mm512_and_si512(three, look(d, at_3));
        any = _mm512_or_si512(any, sets);
    }
    _mm512_test_epi8_mask(any, any)
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
