//! How the bytes of an exhibit are packed, told by their start, and the one
//! face of all decoders.
//!
//! In: the first bytes of a file. Out: a [`Decoder`] that gives the bytes as
//! they were, and the faults it met. The decoders of other packages are
//! named in [`super::gzip`], [`super::packed`] and [`super::zip`] and nowhere
//! else.

use super::feed::Feed;
use super::gzip::{self, Faults, Gzip};
use super::packed::{Coder, Packed};

/// A way to pack one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

impl Packing {
    /// So many bytes tell.
    pub const BYTES: usize = 10;

    /// What the first bytes of a file tell; `None` where they are no
    /// packing's.
    pub fn of(start: &[u8]) -> Option<Self> {
        // A block of bzip2, or the end of an empty stream.
        const BLOCK: [u8; 6] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
        const EMPTY: [u8; 6] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];
        match start {
            [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
                if rest.starts_with(&BLOCK) || rest.starts_with(&EMPTY) =>
            {
                Some(Self::Bzip2)
            }
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            // A frame, or one to be skipped.
            [0x28, 0xB5, 0x2F, 0xFD, ..]
            | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Some(Self::Zstd),
            _ if start.starts_with(&gzip::MAGIC) => Some(Self::Gzip),
            _ => None,
        }
    }

    /// The word for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }
}

/// What packers put behind the name of a file.
const ENDINGS: [&str; 4] = [".gz", ".bz2", ".xz", ".zst"];

/// The name of a file without what a packer put behind it. The name is in
/// lower case; it only helps to tell what a log is called, never how it is
/// packed.
pub fn unpacked_name(name: &str) -> &str {
    let found = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
    found.unwrap_or(name)
}

/// Decodes a feed that stands at its first byte.
pub(super) enum Decoder {
    Gzip(Box<Gzip>),
    Packed(Box<Packed>),
}

impl Decoder {
    pub fn new(packing: Packing) -> Self {
        let packed = |coder| Self::Packed(Box::new(Packed::new(coder)));
        match packing {
            Packing::Gzip => Self::Gzip(Box::new(Gzip::new())),
            Packing::Bzip2 => packed(Coder::bzip2()),
            Packing::Xz => packed(Coder::xz()),
            Packing::Zstd => packed(Coder::zstd()),
        }
    }

    /// The word for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gzip(_) => Packing::Gzip.name(),
            Self::Packed(packed) => packed.name(),
        }
    }

    /// Bytes decoded so far.
    pub fn decoded(&self) -> u64 {
        match self {
            Self::Gzip(gzip) => gzip.decoded(),
            Self::Packed(packed) => packed.decoded(),
        }
    }

    /// Ends the decoding here.
    pub fn stop(&mut self) {
        match self {
            Self::Gzip(gzip) => gzip.stop(),
            Self::Packed(packed) => packed.stop(),
        }
    }

    /// Decodes into `into`, which has room; 0 only at the end.
    pub fn read(
        &mut self,
        feed: &mut Feed,
        into: &mut [u8],
        faults: &mut Faults,
    ) -> usize {
        match self {
            Self::Gzip(gzip) => gzip.read(feed, into, faults),
            Self::Packed(packed) => packed.read(feed, into, faults),
        }
    }
}
