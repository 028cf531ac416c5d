//! gzip, whole and damaged.

use std::io::{self, Read, Write};

use flate2::{Compression, GzBuilder, write::GzEncoder};

use super::super::{Hashing, Stream, StreamEnd, sha256};
use super::read;
use crate::warning::Kind;

fn member(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// Text that compresses, but not to nothing.
pub(super) fn text(lines: u32) -> Vec<u8> {
    let line = |n: u32| format!("/{} {n}\n", n.wrapping_mul(0x9e37_79b1));
    (0..lines).map(line).collect::<String>().into_bytes()
}

pub(super) fn stream(bytes: &[u8]) -> Stream {
    let reader = Box::new(io::Cursor::new(bytes.to_vec()));
    Stream::new("x.gz".into(), reader, Hashing::Sha256)
}

pub(super) fn decode(bytes: &[u8]) -> (Vec<u8>, StreamEnd) {
    let (decoded, end) = read(stream(bytes));
    assert_eq!(end.raw_bytes, bytes.len() as u64);
    assert_eq!(end.sha256, Some(sha256(bytes)));
    (decoded, end)
}

pub(super) fn kinds(end: &StreamEnd) -> Vec<Kind> {
    end.warnings.iter().map(|warning| warning.kind).collect()
}

/// A reader that gives one byte at a time, interrupted before each, and
/// fails at its end if it is told to.
struct Slow(Vec<u8>, usize, bool, Option<io::ErrorKind>);

impl Read for Slow {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.2 = !self.2;
        if self.2 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match (self.0.get(self.1), self.3) {
            (Some(byte), _) => {
                into[0] = *byte;
                self.1 += 1;
                Ok(1)
            }
            (None, Some(kind)) => Err(kind.into()),
            (None, None) => Ok(0),
        }
    }
}

pub(super) fn slow(
    bytes: &[u8],
    fault: Option<io::ErrorKind>,
) -> (Vec<u8>, StreamEnd) {
    let reader = Box::new(Slow(bytes.to_vec(), 0, false, fault));
    read(Stream::new("slow".into(), reader, Hashing::Sha256))
}

#[test]
fn members_follow_each_other() {
    let (first, second) = (text(300), text(9_000));
    let mut named = GzBuilder::new()
        .filename("ex010719.log")
        .comment("x")
        .extra(vec![1, 2, 3])
        .write(Vec::new(), Compression::best());
    named.write_all(&second).unwrap();
    let bytes =
        [member(&first), member(b""), named.finish().unwrap(), member(b"end")]
            .concat();
    let whole = [first, second, b"end".to_vec()].concat();
    let (decoded, end) = decode(&bytes);
    assert!(decoded == whole);
    assert_eq!(end.warnings, []);
    assert!(stream(&bytes).is_compressed());
    let (decoded, end) = slow(&bytes, None);
    assert!(decoded == whole);
    assert_eq!(end.sha256, Some(sha256(&bytes)));
    assert_eq!(end.warnings, []);
    let many = member(b"x").repeat(1_000);
    assert_eq!(decode(&many).0, b"x".repeat(1_000));
}

#[test]
fn empty_inputs() {
    for bytes in [&b""[..], b"\x1f", b"x"] {
        let (decoded, end) = decode(bytes);
        assert_eq!((decoded.as_slice(), end.warnings.len()), (bytes, 0));
    }
    let (decoded, end) = decode(&member(b""));
    assert_eq!((decoded.len(), end.warnings.len()), (0, 0));
}

#[test]
fn a_cut_keeps_the_prefix() {
    let whole = text(200);
    let bytes = [member(&whole), member(&whole)].concat();
    let seam = bytes.len() / 2;
    let mut longest = 0;
    for at in 2..bytes.len() {
        let (decoded, end) = decode(&bytes[..at]);
        assert!(whole.repeat(2).starts_with(&decoded), "{at}");
        assert!(decoded.len() >= longest, "{at}");
        longest = decoded.len();
        let expected = if at == seam { vec![] } else { vec![Kind::Cut] };
        assert_eq!(kinds(&end), expected, "{at}");
        if at >= seam {
            assert!(decoded.len() >= whole.len(), "{at}");
        }
    }
    assert_eq!(longest, 2 * whole.len());
}

#[test]
fn damage_keeps_the_prefix_whatever_the_buffer() {
    let whole = text(3_000);
    let mut bytes = member(&whole);
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + 64] {
        *byte ^= 0xff;
    }
    let (decoded, end) = decode(&bytes);
    assert_eq!(kinds(&end), [Kind::Cut]);
    let same = decoded.iter().zip(&whole).take_while(|(a, b)| a == b);
    assert!(same.count() > whole.len() / 4);
    for size in [1, 7, 100, 4096, 1 << 20] {
        let mut stream = stream(&bytes);
        let (mut buffer, mut all) = (vec![0; size], Vec::new());
        loop {
            match stream.read(&mut buffer).unwrap() {
                0 => break,
                count => all.extend_from_slice(&buffer[..count]),
            }
        }
        assert!(all == decoded, "{size}");
        assert_eq!(stream.finish(), end, "{size}");
    }
}

#[test]
fn every_flipped_bit_of_the_frame_is_survived() {
    let whole = text(50);
    let first = member(&whole);
    let bytes = [first.clone(), member(b"next")].concat();
    let both = [whole.as_slice(), b"next"].concat();
    let trailer = first.len() - 8;
    for at in (2..10).chain(trailer..first.len()) {
        for bit in 0..8 {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << bit;
            let (decoded, end) = decode(&bytes);
            assert!(both.starts_with(&decoded) || at < 10, "{at} {bit}");
            if at >= trailer {
                // The next member is found all the same.
                assert!(decoded == both, "{at} {bit}");
                assert_eq!(kinds(&end), [Kind::Cut], "{at} {bit}");
            }
        }
    }
}

#[test]
fn what_follows_the_last_member() {
    let good = member(b"good");
    for (tail, expected, decoded) in [
        (vec![0; 1], vec![Kind::Odd], "good"),
        (vec![0; 600_000], vec![Kind::Odd], "good"),
        (b"junk".to_vec(), vec![Kind::Cut], "good"),
        (b"\x1f".to_vec(), vec![Kind::Cut], "good"),
        (b"\x1f\x8b".to_vec(), vec![Kind::Cut], "good"),
        ([b"\0\0", &good[..]].concat(), vec![Kind::Odd], "goodgood"),
        (b"\0junk".to_vec(), vec![Kind::Cut, Kind::Odd], "good"),
    ] {
        let (bytes, end) = decode(&[&good[..], &tail].concat());
        assert_eq!(bytes, decoded.as_bytes());
        assert_eq!(kinds(&end), expected, "{} bytes", tail.len());
    }
}

#[test]
fn a_bomb_is_cut_and_a_fit_is_not() {
    let bytes = [member(&[b'x'; 1_000]), member(b"y")].concat();
    for (limit, length, expected) in
        [(999, 999, vec![Kind::Limit]), (1_000, 1_000, vec![Kind::Limit])]
    {
        let (decoded, end) = read(stream(&bytes).with_limit(limit));
        assert_eq!((decoded.len(), kinds(&end)), (length, expected));
        assert_eq!(end.sha256, Some(sha256(&bytes)));
    }
    let (decoded, end) = read(stream(&bytes).with_limit(1_001));
    assert_eq!((decoded.len(), kinds(&end)), (1_001, vec![]));
}

#[test]
fn a_failing_medium_keeps_the_prefix() {
    let fault = Some(io::ErrorKind::Other);
    let (decoded, end) = slow(b"plain text", fault);
    assert_eq!(decoded, b"plain text");
    assert_eq!((kinds(&end), end.sha256), (vec![Kind::Lost], None));
    let bytes = member(&text(50));
    let (decoded, end) = slow(&bytes[..bytes.len() / 2], fault);
    assert!(!decoded.is_empty());
    assert_eq!((kinds(&end), end.sha256), (vec![Kind::Lost], None));
}

#[test]
fn unread_bytes_are_hashed_too() {
    let bytes = text(100_000);
    let mut stream = stream(&bytes);
    let _ = stream.read(&mut [0; 10]).unwrap();
    let end = stream.finish();
    assert_eq!(end.sha256, Some(sha256(&bytes)));
    assert_eq!(end.raw_bytes, bytes.len() as u64);
}
