//! The bytes of one member of a zip, as they were.
//!
//! In: its packed bytes, and what a header says of them. Out: its own bytes
//! with their checksum, or why they cannot be had.

use std::io::{self, BufReader, Cursor, Read};

use bzip2::read::BzDecoder;
use deflate64::Deflate64Decoder;
use flate2::Crc;
use lzma_rust2::{LzmaReader, XzReader};
use rawzip::CompressionMethod;
use rawzip::zipcrypto::Decryptor;

use super::super::decrypt::WinZip;
use super::super::feed::{fill, room};
use super::super::inflate::Inflate;
use super::super::members::Refusal;
use super::super::password::Passwords;
use crate::limits::{DECODER_WINDOW_KIB, DECODER_WINDOW_LOG};
use crate::warning::Kind;

/// A member's bytes as they were.
pub(super) type Plain<'r> = Box<dyn Read + Send + 'r>;

/// What a header says of a member's bytes.
#[derive(Clone, Debug)]
pub(super) struct Packing {
    pub method: CompressionMethod,
    pub lock: Lock,
    pub crc: u32,
    /// Bytes as they lie there, and as they were.
    pub packed: u64,
    pub size: u64,
}

/// Packed bytes asked of the system at once.
const BUFFER: usize = 64 << 10;

impl Packing {
    /// True where its decoder keeps nothing of what it decoded to itself
    /// when it meets a fault.
    pub fn is_frank(&self) -> bool {
        let method = self.method;
        method == CompressionMethod::DEFLATE
            || method == CompressionMethod::STORE
    }

    /// True where bytes could be this member's, as far as so many of its
    /// packed ones tell: of all of them, the checksum tells.
    fn begins(&self, plain: impl Read, sample: usize) -> bool {
        const ENOUGH: u64 = 4 << 20;
        let is_whole = sample < SAMPLE && self.size <= ENOUGH;
        let most = if is_whole { self.size } else { SAMPLE as u64 };
        let mut bytes = Vec::new();
        let read = plain.take(most).read_to_end(&mut bytes);
        if !is_whole {
            return read.is_ok();
        }
        let mut crc = Crc::new();
        crc.update(&bytes);
        read.is_ok() && crc.sum() == self.crc
    }
}

/// How a member is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    None,
    /// The old way, with a byte that tells a wrong password.
    Crypto {
        check: u8,
    },
    /// AES; `has_crc` where the checksum stands as ever.
    WinZip {
        strength: u8,
        has_crc: bool,
    },
    /// In a way that nobody here knows.
    Strange,
}

impl Lock {
    /// What the flags, the extra fields and the check byte's sources say.
    /// The method is changed to that below the encryption.
    pub fn of<'e>(
        flags: u16,
        method: &mut CompressionMethod,
        extras: impl Iterator<Item = (u16, &'e [u8])>,
        crc: u32,
        time: u16,
    ) -> Self {
        const ENCRYPTED: u16 = 1;
        const SIZES_BEHIND: u16 = 8;
        const STRONG: u16 = 0x40;
        if flags & ENCRYPTED == 0 {
            return Self::None;
        }
        if flags & STRONG != 0 {
            return Self::Strange;
        }
        if *method != CompressionMethod::AES {
            let behind = flags & SIZES_BEHIND != 0;
            let [_, check] = time.to_le_bytes();
            let [.., high] = crc.to_le_bytes();
            return Self::Crypto { check: if behind { check } else { high } };
        }
        let mut extras = extras;
        match extras.find(|(id, _)| *id == 0x9901) {
            Some((_, [version, _, b'A', b'E', strength, low, high, ..])) => {
                *method =
                    CompressionMethod::new(u16::from_le_bytes([*low, *high]));
                Self::WinZip { strength: *strength, has_crc: *version != 2 }
            }
            _ => Self::Strange,
        }
    }
}

/// A refusal of something that cannot be read.
pub(super) fn refusal(why: impl Into<String>) -> Refusal {
    Refusal { kind: Kind::Unreadable, why: format!("zip: {}", why.into()) }
}

/// A member's bytes, decrypted, unpacked and checked. At most the packed
/// bytes that the header claims are read.
pub(super) fn open<'r>(
    packing: &Packing,
    from: impl Read + Send + 'r,
    passwords: &Passwords,
) -> Result<Plain<'r>, Refusal> {
    let from = from.take(packing.packed);
    let mut claimed = Some(packing.crc);
    let plain = match packing.lock {
        Lock::None => unpack(packing, from),
        Lock::Crypto { check } => {
            unpack(packing, crypto(packing, check, from, passwords)?)
        }
        Lock::WinZip { strength, has_crc } => {
            claimed = claimed.filter(|_| has_crc);
            unpack(packing, winzip(packing, strength, from, passwords)?)
        }
        Lock::Strange => {
            let why = "encrypted in a way that is not read";
            return Err(refusal(why));
        }
    };
    let is_locked = packing.lock != Lock::None;
    let plain = plain?;
    Ok(Box::new(Checked { plain, crc: Crc::new(), claimed, is_locked }))
}

/// So much of a member is looked at to tell whether a password fits.
const SAMPLE: usize = 64 << 10;

/// Decrypts the old way. The check byte lets one wrong password in 256 pass:
/// where several pass, the start of the member decides.
fn crypto<'r>(
    packing: &Packing,
    check: u8,
    mut from: impl Read + Send + 'r,
    passwords: &Passwords,
) -> Result<Plain<'r>, Refusal> {
    let mut sample = vec![0; SAMPLE];
    let (count, _) = fill(&mut from, &mut sample, usize::MAX);
    sample.truncate(count);
    let start = sample.as_slice();
    let fits = |word: &&[u8]| {
        let opened = Decryptor::new(start, word);
        opened.is_ok_and(|it| it.check_byte() == check)
    };
    let words: Vec<&[u8]> = passwords.all().filter(fits).collect();
    let unpacks = |word: &&&[u8]| {
        let opened = Decryptor::new(start, word).ok();
        let plain = opened.and_then(|it| unpack(packing, it).ok());
        plain.is_some_and(|plain| packing.begins(plain, start.len()))
    };
    let word = match words.as_slice() {
        [] | [_] => words.first(),
        several => several.iter().find(unpacks).or(words.first()),
    };
    let word = word.ok_or_else(|| refusal(passwords.refusal()))?.to_vec();
    let whole = Cursor::new(sample).chain(from);
    let plain = Decryptor::new(whole, &word);
    let plain = plain.map_err(|error| refusal(error.to_string()))?;
    Ok(Box::new(plain))
}

fn winzip<'r>(
    packing: &Packing,
    strength: u8,
    mut from: impl Read + Send + 'r,
    passwords: &Passwords,
) -> Result<Plain<'r>, Refusal> {
    let damaged = || refusal("damaged encryption header");
    let length = WinZip::<io::Empty>::start(strength).ok_or_else(damaged)?;
    let mut start = vec![0; length];
    from.read_exact(&mut start).map_err(|_| damaged())?;
    let left = packing.packed.saturating_sub(length as u64);
    let plain = WinZip::open(from, left, strength, &start, passwords.all());
    let plain = plain.ok_or_else(|| refusal(passwords.refusal()))?;
    Ok(Box::new(plain))
}

/// A member's bytes as they were.
fn unpack<'r>(
    packing: &Packing,
    packed: impl Read + Send + 'r,
) -> Result<Plain<'r>, Refusal> {
    let damaged = |error: io::Error| Refusal {
        kind: Kind::Cut,
        why: format!("zip: its packed bytes are damaged: {error}"),
    };
    Ok(match packing.method {
        CompressionMethod::STORE => Box::new(packed),
        CompressionMethod::DEFLATE => {
            let room = room(packing.packed, BUFFER);
            let packed = BufReader::with_capacity(room, packed);
            Box::new(Inflate::new(packed))
        }
        CompressionMethod::DEFLATE64 => {
            Box::new(Deflate64Decoder::new(packed))
        }
        CompressionMethod::BZIP2 => Box::new(BzDecoder::new(packed)),
        CompressionMethod::LZMA => {
            Box::new(lzma(packing, packed).map_err(damaged)?)
        }
        CompressionMethod::XZ => {
            let most = DECODER_WINDOW_KIB;
            Box::new(XzReader::new_mem_limit(packed, false, most))
        }
        CompressionMethod::ZSTD | CompressionMethod::ZSTD_DEPRECATED => {
            let mut plain = zstd::Decoder::new(packed).map_err(damaged)?;
            plain.window_log_max(DECODER_WINDOW_LOG).map_err(damaged)?;
            Box::new(plain)
        }
        method => {
            let method = method.as_u16();
            return Err(refusal(format!(
                "packed in a way that is not read (method {method})"
            )));
        }
    })
}

/// LZMA in a zip: two bytes of version, the length of the properties, the
/// five of them (APPNOTE 5.8.8).
fn lzma<R: Read>(
    packing: &Packing,
    packed: R,
) -> io::Result<LzmaReader<BufReader<R>>> {
    const LEAST: u64 = 4096;
    let mut packed = BufReader::new(packed);
    let mut start = [0; 9];
    packed.read_exact(&mut start)?;
    let [_, _, length, 0, first, dictionary @ ..] = start else {
        return Err(io::Error::other("unknown properties"));
    };
    if length != 5 {
        return Err(io::Error::other("unknown properties"));
    }
    // No more can be looked back on than there is.
    let claimed = u32::from_le_bytes(dictionary);
    let size = u32::try_from(packing.size.max(LEAST)).unwrap_or(u32::MAX);
    let dictionary = claimed.min(size);
    if dictionary >> 10 > DECODER_WINDOW_KIB {
        let mib = dictionary >> 20;
        let why = format!("needs {mib} MiB to be decoded");
        return Err(io::Error::other(why));
    }
    LzmaReader::new_with_props(packed, packing.size, first, dictionary, None)
}

/// Gives all bytes, and only then says that their sum is not what the
/// directory claims: rawzip's own reader keeps the last ones to itself.
struct Checked<R> {
    plain: R,
    crc: Crc,
    claimed: Option<u32>,
    is_locked: bool,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.plain.read(into)?;
        self.crc.update(into.get(..count).unwrap_or_default());
        let is_right = self.claimed.is_none_or(|it| it == self.crc.sum());
        if count > 0 || is_right {
            return Ok(count);
        }
        Err(io::Error::other(if self.is_locked {
            "zip: wrong checksum: damaged, or the password is wrong"
        } else {
            "zip: wrong checksum"
        }))
    }
}
