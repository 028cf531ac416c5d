//! bzip2, xz and Zstandard, whole and damaged.

use std::io::{self, Read, Write};

use bzip2::write::BzEncoder;
use lzma_rust2::{XzOptions, XzWriter};

use super::gzip::{decode, kinds, slow, stream, text};
use super::read;
use crate::warning::Kind;

/// A way to pack: its name, and what does it.
type Way = (&'static str, fn(&[u8]) -> Vec<u8>);

const WAYS: [Way; 3] = [("bzip2", bzip2), ("xz", xz), ("zstd", zstd)];

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let level = bzip2::Compression::fast();
    let mut packer = BzEncoder::new(Vec::new(), level);
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let options = XzOptions::with_preset(1);
    let mut packer = XzWriter::new(Vec::new(), options).unwrap();
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// With a checksum, as the command line tool writes it.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut packer = zstd::Encoder::new(Vec::new(), 3).unwrap();
    packer.include_checksum(true).unwrap();
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn streams_follow_each_other() {
    let (first, second) = (text(300), text(9_000));
    let whole = [first.as_slice(), &second, b"end"].concat();
    for (name, pack) in WAYS {
        let bytes =
            [pack(&first), pack(b""), pack(&second), pack(b"end"), vec![0; 8]]
                .concat();
        assert!(stream(&bytes).is_compressed(), "{name}");
        let (decoded, end) = decode(&bytes);
        assert!(decoded == whole, "{name}");
        assert_eq!(end.warnings, [], "{name}");
        let (decoded, end) = slow(&bytes, None);
        assert!(decoded == whole, "{name}, byte by byte");
        assert_eq!(end.warnings, [], "{name}");
    }
}

#[test]
fn a_cut_keeps_what_came_before() {
    let whole = text(150_000);
    for (name, pack) in WAYS {
        let bytes = pack(&whole);
        for part in 1..8 {
            let at = bytes.len() * part / 8;
            let (decoded, end) = decode(&bytes[..at]);
            assert!(whole.starts_with(&decoded), "{name} {part}");
            assert_eq!(kinds(&end), [Kind::Cut], "{name} {part}");
            let detail = &end.warnings[0].detail;
            let count = format!("ends early after {} decoded", decoded.len());
            assert!(detail.contains(&count), "{name} {detail}");
            let least = whole.len() * (part - 1) / 8;
            assert!(
                decoded.len() >= least,
                "{name} {part}: {}",
                decoded.len()
            );
        }
        assert_eq!(decode(&bytes).1.warnings, [], "{name}");
    }
}

#[test]
fn damage_keeps_what_came_before_whatever_the_buffer() {
    let whole = text(150_000);
    for (name, pack) in WAYS {
        let mut bytes = pack(&whole);
        let middle = bytes.len() / 2;
        for byte in &mut bytes[middle..middle + 64] {
            *byte ^= 0xff;
        }
        let (decoded, end) = decode(&bytes);
        assert_eq!(kinds(&end), [Kind::Cut], "{name}");
        let same = decoded.iter().zip(&whole).take_while(|(a, b)| a == b);
        assert!(same.count() > whole.len() / 4, "{name}");
        for size in [1, 100, 4096, 1 << 20] {
            let mut stream = stream(&bytes);
            let (mut buffer, mut all) = (vec![0; size], Vec::new());
            loop {
                let count = stream.read(&mut buffer).unwrap();
                if count == 0 {
                    break;
                }
                all.extend_from_slice(&buffer[..count]);
            }
            assert!(all == decoded, "{name}, buffers of {size}");
            assert_eq!(stream.finish(), end, "{name}");
        }
    }
}

#[test]
fn every_flipped_bit_is_survived() {
    let whole = text(40);
    for (name, pack) in WAYS {
        let bytes = pack(&whole);
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let (decoded, end) = decode(&bytes);
            let is_same = decoded == whole || decoded == bytes;
            assert!(is_same || !end.warnings.is_empty(), "{name}, bit {bit}");
        }
    }
}

#[test]
fn what_follows_the_last_stream() {
    for (name, pack) in WAYS {
        for tail in [&b"tail"[..], b"\0\0\0\0tail", b"\x1f\x8b\x08"] {
            let bytes = [pack(b"text\n").as_slice(), tail].concat();
            let (decoded, end) = decode(&bytes);
            assert_eq!(decoded, b"text\n", "{name}");
            assert_eq!(kinds(&end), [Kind::Cut], "{name}");
            let detail = &end.warnings[0].detail;
            let expected = format!("{name}: bytes that are no {name}");
            assert!(detail.starts_with(&expected), "{detail}");
        }
    }
}

#[test]
fn a_bomb_is_cut_and_a_fit_is_not() {
    for (name, pack) in WAYS {
        let bytes = [pack(&b"x".repeat(50_000)), pack(b"y")].concat();
        for (limit, length, expected) in [
            (49_999, 49_999, vec![Kind::Limit]),
            (50_000, 50_000, vec![Kind::Limit]),
            (50_001, 50_001, vec![]),
        ] {
            let (decoded, end) = read(stream(&bytes).with_limit(limit));
            let found = (decoded.len(), kinds(&end));
            assert_eq!(found, (length, expected), "{name}");
        }
    }
}

/// What a header asks for is not what it gets.
#[test]
fn headers_that_ask_for_gigabytes() {
    // A window of 2 GiB, and one byte as it is.
    let zstd = b"\x28\xB5\x2F\xFD\x00\xA8\x09\x00\x00x";
    // A dictionary of 4 GiB.
    let sum = |bytes: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum().to_le_bytes()
    };
    let (flags, block) = ([0, 1], [2, 0, 0x21, 1, 40, 0, 0, 0]);
    let mut xz = b"\xFD7zXZ\0".to_vec();
    for part in [&flags[..], &sum(&flags), &block, &sum(&block), &[1; 64]] {
        xz.extend_from_slice(part);
    }
    for bytes in [&zstd[..], &xz] {
        let (decoded, end) = decode(bytes);
        assert_eq!((decoded.len(), kinds(&end)), (0, vec![Kind::Cut]));
        let detail = &end.warnings[0].detail;
        assert!(detail.contains("needs "), "{detail}");
    }
}

#[test]
fn a_failing_medium_keeps_the_prefix() {
    let whole = text(60_000);
    for (name, pack) in WAYS {
        let bytes = pack(&whole);
        let part = &bytes[..bytes.len() / 2];
        let (decoded, end) = slow(part, Some(io::ErrorKind::Other));
        assert!(!decoded.is_empty(), "{name}");
        assert!(whole.starts_with(&decoded), "{name}");
        let found = (kinds(&end), end.sha256);
        assert_eq!(found, (vec![Kind::Lost], None), "{name}");
    }
}
