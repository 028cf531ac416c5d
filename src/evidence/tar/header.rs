//! The blocks of a tar that tell of a member: its header, the records of
//! POSIX that may stand before it, the map of one that has holes.
//!
//! In: bytes as they lie there. Out: what they say, or `None` where they are
//! no such thing. Layout as in POSIX (`pax`, ustar) and in GNU's `tar.h`.

/// Bytes of a block.
pub(super) const BLOCK: usize = 512;

/// A block.
pub(super) type Block = [u8; BLOCK];

/// What follows a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    /// A file with holes, as old GNU tars have it.
    Sparse,
    Folder,
    /// A name too long for the next header.
    Name,
    /// Records about the next member.
    Records,
    /// What is about no member, or only about where a link leads.
    Passed,
    /// A link, a pipe, a device.
    Other,
}

/// The header of a member.
pub(super) struct Header<'b>(&'b Block);

impl<'b> Header<'b> {
    /// A block as a header; `None` where its sum says that it is none.
    pub fn of(block: &'b Block) -> Option<Self> {
        let header = Self(block);
        let own = 148..156;
        let sum = block.iter().enumerate().map(|(at, byte)| {
            let byte = if own.contains(&at) { b' ' } else { *byte };
            u64::from(byte)
        });
        (number(header.field(148, 8)) == Some(sum.sum())).then_some(header)
    }

    fn field(&self, at: usize, length: usize) -> &'b [u8] {
        self.0.get(at..at + length).unwrap_or_default()
    }

    pub fn kind(&self) -> Kind {
        match self.field(156, 1) {
            // Before POSIX a folder was a file whose name said so.
            [0 | b'0'] if self.name().ends_with(b"/") => Kind::Folder,
            [0 | b'0' | b'7'] => Kind::File,
            b"S" => Kind::Sparse,
            b"5" => Kind::Folder,
            b"L" => Kind::Name,
            b"x" => Kind::Records,
            b"K" | b"g" => Kind::Passed,
            _ => Kind::Other,
        }
    }

    /// The name in the header itself.
    pub fn name(&self) -> Vec<u8> {
        let name = text(self.field(0, 100));
        // GNU keeps other things there, and says so.
        let has_prefix = self.field(257, 6) == b"ustar\0";
        match text(self.field(345, 155)) {
            prefix if has_prefix && !prefix.is_empty() => {
                [prefix, b"/", name].concat()
            }
            _ => name.to_vec(),
        }
    }

    /// Bytes that follow it.
    pub fn size(&self) -> Option<u64> {
        number(self.field(124, 12))
    }

    /// The first pieces of a file with holes, and whether a block with more
    /// of them follows.
    pub fn pieces(&self) -> Option<(Vec<Piece>, bool)> {
        Some((pieces(self.field(386, 96))?, self.0[482] != 0))
    }

    /// Bytes of such a file with its holes.
    pub fn whole(&self) -> Option<u64> {
        number(self.field(483, 12))
    }
}

/// A part of a file with holes: where it begins, and its length.
pub(super) type Piece = (u64, u64);

/// The pieces in a block that holds nothing else, and whether one more
/// follows.
pub(super) fn more_pieces(block: &Block) -> Option<(Vec<Piece>, bool)> {
    Some((pieces(block.get(..504)?)?, block[504] != 0))
}

fn pieces(bytes: &[u8]) -> Option<Vec<Piece>> {
    let used = bytes.chunks_exact(24).filter(|piece| piece[0] != 0);
    let piece = |piece: &[u8]| {
        let (at, length) = piece.split_at(12);
        Some((number(at)?, number(length)?))
    };
    used.map(piece).collect()
}

/// Bytes up to the first NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A number in octal digits, or where these are too few, as GNU has it, in
/// binary behind a byte that says so.
fn number(field: &[u8]) -> Option<u64> {
    if let Some((0x80, binary)) = field.split_first() {
        return binary.iter().try_fold(0_u64, |sum, byte| {
            Some(sum.checked_mul(256)? | u64::from(*byte))
        });
    }
    let digits = std::str::from_utf8(text(field)).ok()?.trim();
    if digits.is_empty() {
        Some(0)
    } else {
        u64::from_str_radix(digits, 8).ok()
    }
}

/// What the records before a member say of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    pub path: Option<Vec<u8>>,
    pub size: Option<u64>,
}

impl Records {
    /// Reads them; a later one goes before an earlier one.
    pub fn of(mut bytes: &[u8]) -> Self {
        let mut records = Self::default();
        while let Some((key, value, rest)) = record(bytes) {
            match key {
                b"path" => records.path = Some(value.to_vec()),
                b"size" => {
                    let text = std::str::from_utf8(value).ok();
                    records.size = text.and_then(|it| it.parse().ok());
                }
                _ => {}
            }
            bytes = rest;
        }
        records
    }
}

/// The first record, as `length key=value\n`, and what follows it.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let (digits, _) = bytes.split_at_checked(space)?;
    let length = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = memchr::memchr(b'=', record)?;
    let (key, value) = record.split_at_checked(equals)?;
    Some((key, value.get(1..)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"  644 \0"), Some(0o644));
        assert_eq!(number(b"\0\0\0\0"), Some(0));
        assert_eq!(number(b"77777777777\0"), Some((1 << 33) - 1));
        assert_eq!(number(b"\x80\0\0\x01\x02"), Some(258));
        for wrong in [&b"9"[..], b"0x1", b"\xff\xff", b"-1", b"\x80999999999"]
        {
            assert_eq!(number(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_last_record_holds() {
        let bytes = b"12 path=one\n5 a=\n14 path=a=b c\n12 size=123\n";
        let records = Records::of(bytes);
        assert_eq!(records.path.as_deref(), Some(&b"a=b c"[..]));
        assert_eq!(records.size, Some(123));
        for wrong in [&b""[..], b"5", b"0 a=b\n", b"99 a=b\n", b"-4 a=b\n"] {
            assert_eq!(Records::of(wrong), Records::default());
        }
    }
}
