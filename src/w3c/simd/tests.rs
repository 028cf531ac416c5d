//! The kernels against the plain definition, at every length, alignment
//! and page end.

use super::*;

/// What the kernels are to find, byte by byte.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    ends: Vec<u32>,
    lines: Vec<u32>,
    wrapped: Vec<u32>,
}

impl Sink<Marks> for Seen {
    fn block(&mut self, base: u32, mask: Marks, places: Places) {
        let mut room = [u32::MAX; BLOCK];
        let masks = [
            (mask.ends, &mut self.ends),
            (mask.lines, &mut self.lines),
            (mask.wrapped, &mut self.wrapped),
        ];
        for (mask, seen) in masks {
            let count = mask.count_ones() as usize;
            places.write(mask, base, &mut room);
            seen.extend_from_slice(&room[..count]);
            let dense = room[..count].to_vec();
            places.write_few(mask, base, &mut room);
            assert_eq!(room[..count], dense);
        }
    }
}

impl Sink<u64> for Vec<u32> {
    fn block(&mut self, base: u32, mask: u64, places: Places) {
        let mut room = [0; BLOCK];
        places.write_few(mask, base, &mut room);
        self.extend_from_slice(&room[..mask.count_ones() as usize]);
    }
}

fn plain(text: &[u8]) -> Seen {
    let where_is = |is: fn(u8) -> bool| {
        let places = text.iter().zip(0..);
        places.filter(|(byte, _)| is(**byte)).map(|(_, at)| at).collect()
    };
    Seen {
        ends: where_is(|byte| byte == b' ' || byte == b'\n'),
        lines: where_is(|byte| byte == b'\n'),
        wrapped: where_is(|byte| byte == b'%' || byte >= 0xC0),
    }
}

/// Text that has all that the kernels look for, and neighbours of it.
fn text(length: usize) -> Vec<u8> {
    const BYTES: &[u8] =
        b"ab \n%\x1f!\x09\x0b$&\xbf\xc0\xff\x80\x7f /cmd.exe /root.exe";
    let mut state = 7_usize;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005) + 1;
        BYTES[(state >> 33) % BYTES.len()]
    };
    (0..length).map(|_| next()).collect()
}

fn sieve() -> Sieve {
    let mut sieve = Sieve::default();
    for (set, gram) in
        [b"cmd.", b"root", b"/roo", b" \n%\xff"].iter().enumerate()
    {
        for (place, byte) in gram.iter().enumerate() {
            let both = [byte.to_ascii_uppercase(), *byte];
            sieve.add(set * 5, place, both.into_iter());
        }
    }
    sieve
}

/// True where the sieve must let a gram through.
fn is_gram(gram: &[u8]) -> bool {
    [&b"cmd."[..], b"root", b"/roo", b" \n%\xff"]
        .iter()
        .any(|own| own.eq_ignore_ascii_case(gram))
}

/// Every length up to some blocks, and every alignment: a text ends
/// where its slice does, and nothing behind it may matter.
#[test]
fn all_kernels_mark_the_same_at_every_length_and_alignment() {
    let whole = text(520);
    for isa in Isa::available() {
        for start in 0..66 {
            for length in (0..70).chain([127, 128, 129, 191, 300, 453]) {
                let own = &whole[start..start + length];
                assert_eq!(is_ascii(isa, own), own.is_ascii());
                let mut seen = Seen::default();
                marks(isa, own, &mut seen);
                assert_eq!(seen, plain(own), "{isa:?} {start} {length}");
            }
        }
    }
}

#[test]
fn every_byte_is_told_right_in_every_place() {
    for isa in Isa::available() {
        for byte in 0..=u8::MAX {
            for place in 0..BLOCK {
                let mut own = vec![b'a'; BLOCK];
                own[place] = byte;
                assert_eq!(is_ascii(isa, &own), byte < 0x80);
                let mut seen = Seen::default();
                marks(isa, &own, &mut seen);
                assert_eq!(seen, plain(&own), "{isa:?} {byte} {place}");
            }
        }
    }
}

#[test]
fn no_kernel_sifts_out_a_gram() {
    let (whole, sieve) = (text(520), sieve());
    for isa in Isa::available() {
        for start in 0..66 {
            for length in (0..140).chain([191, 300, 453]) {
                let own = &whole[start..start + length];
                let mut seen: Vec<u32> = Vec::new();
                sift(isa, &sieve, own, &mut seen);
                assert!(seen.is_sorted(), "{isa:?} {start} {length}");
                let mut ranged = Vec::new();
                sift_range(isa, &sieve, own, 0..length, |base, _, mask| {
                    let bits = (0..64).filter(|bit| mask >> bit & 1 == 1);
                    ranged.extend(bits.map(|bit| (base + bit) as u32));
                });
                assert_eq!(ranged, seen, "{isa:?} {start} {length}");
                for (at, gram) in own.windows(GRAM).enumerate() {
                    let there = seen.contains(&(at as u32));
                    assert!(
                        there || !is_gram(gram),
                        "{isa:?} {start} {length} {at}"
                    );
                }
            }
        }
    }
}

/// A page that nobody may touch follows the text: what reads past the
/// end of it dies.
#[cfg(unix)]
#[test]
fn nothing_is_read_past_the_end_of_a_page() {
    const PAGE: usize = 1 << 16;
    // SAFETY: fresh pages, of which the first ones are read and the
    // last ones are not; they stay mapped to the end of the process.
    let pages = unsafe {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let start = std::ptr::null_mut();
        let start = libc::mmap(start, 2 * PAGE, access, flags, -1, 0);
        assert_ne!(start, libc::MAP_FAILED);
        let last = start.byte_add(PAGE);
        assert_eq!(libc::mprotect(last, PAGE, libc::PROT_NONE), 0);
        std::slice::from_raw_parts(start.cast::<u8>(), PAGE)
    };
    for isa in Isa::available() {
        for length in 0..200 {
            let own = &pages[PAGE - length..];
            marks(isa, own, &mut Seen::default());
            sift(isa, &sieve(), own, &mut Vec::<u32>::new());
        }
    }
}

/// The wider kernels agree to the byte; the one that looks at halves
/// lets more through, never less.
#[test]
fn kernels_let_the_same_through_or_more() {
    let (text, sieve) = (text(64 * 64), sieve());
    let places = |isa| {
        let mut seen: Vec<u32> = Vec::new();
        sift(isa, &sieve, &text, &mut seen);
        seen
    };
    let plain = places(Isa::PORTABLE);
    for isa in Isa::available() {
        let own = places(isa);
        let inside = |at: &u32| *at as usize + GRAM <= text.len();
        assert!(
            plain.iter().filter(|at| inside(at)).all(|at| own.contains(at)),
            "{isa:?}"
        );
        if isa.as_str() == "avx512" {
            let of = |all: Vec<u32>| -> Vec<u32> {
                all.into_iter().filter(|at| inside(at)).collect()
            };
            assert_eq!(of(own), of(plain.clone()));
        }
    }
}
