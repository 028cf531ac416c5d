//! The decoders of a 7z, one behind the other.
//!
//! In: a block's coders and its packed bytes. Out: the bytes as they were,
//! or why they cannot be had. Each decoder says first how much memory it
//! takes, so that a crafted property cannot ask for four gigabytes.

use std::io::{self, BufReader, Read};

use bzip2::read::BzDecoder;
use deflate64::Deflate64Decoder;
use flate2::read::DeflateDecoder;
use lzma_rust2::filter::bcj::BcjReader;
use lzma_rust2::filter::delta::DeltaReader;
use lzma_rust2::{Lzma2Reader, LzmaReader};
use ppmd_rust::Ppmd7Decoder;

use super::super::budget::{Budget, Hold};
use super::super::decrypt::{Chained, Lock};
use super::super::members::Refusal;
use super::directory::Coder;
use crate::limits::{self, DECODER_WINDOW_LOG, LZMA_WINDOW};
use crate::warning::Kind;

/// A block's bytes as they were.
pub(super) struct Plain<'r> {
    reader: Box<dyn Read + 'r>,
    /// An error was told: nothing that comes behind it can be right.
    is_broken: bool,
    _hold: Hold,
}

/// Ways to pack, by the numbers of 7-Zip's `Methods.txt`.
mod method {
    pub const COPY: u64 = 0x00;
    pub const LZMA: u64 = 0x03_01_01;
    pub const LZMA2: u64 = 0x21;
    pub const PPMD: u64 = 0x03_04_01;
    pub const DEFLATE: u64 = 0x04_01_08;
    pub const DEFLATE64: u64 = 0x04_01_09;
    pub const BZIP2: u64 = 0x04_02_02;
    pub const ZSTD: u64 = 0x04_F7_11_01;
    pub const DELTA: u64 = 0x03;
    pub const X86: [u64; 2] = [0x04, 0x03_03_01_03];
    pub const PPC: [u64; 2] = [0x05, 0x03_03_02_05];
    pub const IA64: [u64; 2] = [0x06, 0x03_03_04_01];
    pub const ARM: [u64; 2] = [0x07, 0x03_03_05_01];
    pub const ARM_THUMB: [u64; 2] = [0x08, 0x03_03_07_01];
    pub const SPARC: [u64; 2] = [0x09, 0x03_03_08_05];
    pub const ARM64: u64 = 0x0A;
    pub const RISCV: u64 = 0x0B;
    pub const AES: u64 = 0x06_F1_07_01;
}

/// How a block's bytes are encrypted, if they are.
pub(super) fn lock(coders: &[Coder]) -> Option<Result<Lock, Refusal>> {
    let coder = coders.iter().find(|coder| coder.method == method::AES)?;
    let lock = Lock::read(&coder.props);
    Some(lock.filter(Lock::is_cheap).ok_or_else(|| Refusal {
        kind: Kind::Unreadable,
        why: "encrypted in a way that is not read".to_owned(),
    }))
}

/// Unpacks what a block's coders packed.
pub(super) fn open<'r>(
    coders: &[Coder],
    packed: impl Read + 'r,
    key: Option<[u8; 32]>,
    budget: &Budget,
) -> Result<Plain<'r>, Refusal> {
    let needs = coders.iter().map(memory).sum::<u64>();
    let Some(hold) = budget.hold(needs) else {
        let (needs, most) = (needs >> 20, limits::ARCHIVE_MEMORY >> 20);
        let why = format!("needs {needs} MiB to be decoded, of {most} MiB");
        return Err(Refusal { kind: Kind::Limit, why });
    };
    let mut reader: Box<dyn Read + 'r> = Box::new(packed);
    for coder in coders {
        let plain = decoder(coder, reader, key).map_err(|error| Refusal {
            kind: Kind::Cut,
            why: format!("its packed bytes are damaged: {error}"),
        })?;
        let Some(plain) = plain else { return Err(unknown(coder.method)) };
        reader = Box::new(plain.take(coder.size));
    }
    Ok(Plain { reader, is_broken: false, _hold: hold })
}

fn unknown(method: u64) -> Refusal {
    let why = format!("packed in a way that is not read (method {method:x})");
    Refusal { kind: Kind::Unreadable, why }
}

/// Four bytes of a coder's properties.
fn four(props: &[u8], at: usize) -> u32 {
    let bytes = props.get(at..).and_then(<[u8]>::first_chunk);
    bytes.copied().map_or(0, u32::from_le_bytes)
}

/// What LZMA needs to look back on: never more than there is, whatever the
/// packer made room for.
fn needed(coder: &Coder) -> u32 {
    const LEAST: u64 = 4096;
    let claimed = match (coder.method, coder.props.first()) {
        (method::LZMA, _) => u64::from(four(&coder.props, 1)),
        (_, Some(&bits @ 0..=39)) => {
            u64::from(2 | bits & 1) << (bits / 2 + 11)
        }
        _ => u64::from(u32::MAX),
    };
    let needed = claimed.min(coder.size.max(LEAST));
    u32::try_from(needed).unwrap_or(u32::MAX)
}

/// What it gets. Most of what a larger one was made for looks back no
/// further, so it is decoded as far as that holds.
fn dictionary(coder: &Coder) -> u32 {
    needed(coder).min(LZMA_WINDOW)
}

/// Says why what a decoder with less than it needs gives may end early.
struct Shallow<R> {
    plain: R,
    needed: u32,
}

impl<R: Read> Read for Shallow<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.plain.read(into).map_err(|error| {
            let (needed, most) = (self.needed >> 20, LZMA_WINDOW >> 20);
            io::Error::other(format!(
                "needs {needed} MiB to be decoded from here on, of {most} \
                 MiB; or damaged: {error}"
            ))
        })
    }
}

fn shallow<'r>(coder: &Coder, plain: impl Read + 'r) -> Box<dyn Read + 'r> {
    match needed(coder) {
        needed if needed > LZMA_WINDOW => Box::new(Shallow { plain, needed }),
        _ => Box::new(plain),
    }
}

/// Bytes that a decoder takes: what its property makes it take, the rest is
/// small.
fn memory(coder: &Coder) -> u64 {
    const SMALL: u64 = 1 << 20;
    const LZMA_LITERALS: u64 = 4 << 20;
    const BZIP2: u64 = 4 << 20;
    SMALL
        + match coder.method {
            method::LZMA => u64::from(dictionary(coder)) + LZMA_LITERALS,
            method::LZMA2 => dictionary(coder).into(),
            method::PPMD => four(&coder.props, 1).into(),
            method::BZIP2 => BZIP2,
            method::ZSTD => 1 << DECODER_WINDOW_LOG,
            _ => 0,
        }
}

/// What undoes one step; `None` where nobody here can.
fn decoder<'r>(
    coder: &Coder,
    packed: Box<dyn Read + 'r>,
    key: Option<[u8; 32]>,
) -> io::Result<Option<Box<dyn Read + 'r>>> {
    let first = coder.props.first().copied().unwrap_or(0);
    let start = four(&coder.props, 0) as usize;
    let plain: Box<dyn Read + 'r> = match coder.method {
        method::COPY => packed,
        method::LZMA => {
            let dictionary = dictionary(coder);
            let (size, none) = (coder.size, None);
            let plain = LzmaReader::new_with_props(
                packed, size, first, dictionary, none,
            )?;
            shallow(coder, plain)
        }
        method::LZMA2 => {
            let plain = Lzma2Reader::new(packed, dictionary(coder), None);
            shallow(coder, plain)
        }
        method::PPMD => {
            let (packed, memory) =
                (BufReader::new(packed), four(&coder.props, 1));
            let plain = Ppmd7Decoder::new(packed, first.into(), memory);
            Box::new(plain.map_err(io::Error::other)?)
        }
        method::DEFLATE => Box::new(DeflateDecoder::new(packed)),
        method::DEFLATE64 => Box::new(Deflate64Decoder::new(packed)),
        method::BZIP2 => Box::new(BzDecoder::new(packed)),
        method::ZSTD => {
            let mut plain = zstd::Decoder::new(packed)?;
            plain.window_log_max(DECODER_WINDOW_LOG)?;
            Box::new(plain)
        }
        method::DELTA => {
            Box::new(DeltaReader::new(packed, usize::from(first) + 1))
        }
        method::AES => match (Lock::read(&coder.props), key) {
            (Some(lock), Some(key)) => {
                Box::new(Chained::new(packed, &lock, key))
            }
            _ => return Ok(None),
        },
        _ => return Ok(branches(coder.method, packed, start)),
    };
    Ok(Some(plain))
}

/// What undoes the filter for the branches of a processor's programs.
fn branches<'r>(
    method: u64,
    packed: Box<dyn Read + 'r>,
    start: usize,
) -> Option<Box<dyn Read + 'r>> {
    Some(match method {
        method::ARM64 => Box::new(BcjReader::new_arm64(packed, start)),
        method::RISCV => Box::new(BcjReader::new_riscv(packed, start)),
        it if method::X86.contains(&it) => {
            Box::new(BcjReader::new_x86(packed, start))
        }
        it if method::PPC.contains(&it) => {
            Box::new(BcjReader::new_ppc(packed, start))
        }
        it if method::IA64.contains(&it) => {
            Box::new(BcjReader::new_ia64(packed, start))
        }
        it if method::ARM.contains(&it) => {
            Box::new(BcjReader::new_arm(packed, start))
        }
        it if method::ARM_THUMB.contains(&it) => {
            Box::new(BcjReader::new_arm_thumb(packed, start))
        }
        it if method::SPARC.contains(&it) => {
            Box::new(BcjReader::new_sparc(packed, start))
        }
        _ => return None,
    })
}

impl Read for Plain<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.is_broken {
            return Err(io::Error::other("behind damaged data"));
        }
        let read = self.reader.read(into);
        self.is_broken = read.is_err();
        read
    }
}
