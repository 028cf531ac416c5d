//! A zip that lost its directory, read as its members lie.
//!
//! In: its bytes from front to back. Out: the members whose own headers can
//! be read.

use std::io::BufRead;

use rawzip::CompressionMethod;
use rawzip::extra_fields::ExtraFields;

use super::super::inflate::Inflate;
use super::super::members::{Members, Unwanted};
use super::super::password::Passwords;
use super::unpack::{Lock, Packing, open, refusal};

/// The header that stands before each member.
struct Local {
    name: Vec<u8>,
    packing: Packing,
    /// False where its sizes stand behind it.
    has_sizes: bool,
}

/// Hands over the members, one after the other, as far as their own headers
/// tell.
pub(super) fn salvage(
    mut zip: impl BufRead + Send,
    passwords: &Passwords,
    to: &mut Members,
) {
    while seek_member(&mut zip) {
        let Some(local) = local(&mut zip) else { return };
        if local.name.ends_with(b"/") {
            continue;
        }
        if member(&mut zip, &local, passwords, to).is_err() {
            return;
        }
    }
}

fn member(
    zip: &mut (impl BufRead + Send),
    local: &Local,
    passwords: &Passwords,
    to: &mut Members,
) -> Result<(), Unwanted> {
    let (name, packing) = (&local.name, &local.packing);
    if local.has_sizes {
        return match open(packing, zip, passwords) {
            Ok(plain) => to.send(name, Some(packing.size), plain),
            Err(refusal) => to.refuse(name, refusal),
        };
    }
    match (packing.method, packing.lock) {
        // Deflate tells its end, and takes no byte beyond.
        (CompressionMethod::DEFLATE, Lock::None) => {
            let plain = Inflate::new(zip);
            to.send(name, None, plain)
        }
        _ => to.refuse(name, refusal("its size is lost")),
    }
}

/// Goes on to behind the next signature of a member; false at the end.
fn seek_member(zip: &mut impl BufRead) -> bool {
    const SIGNATURE: [u8; 4] = *b"PK\x03\x04";
    let mut met = 0;
    loop {
        let Ok(bytes) = zip.fill_buf() else { return false };
        let Some(byte) = bytes.first().copied() else { return false };
        // Bytes before a `P` are passed at once.
        let passed = if met == 0 {
            memchr::memchr(b'P', bytes).unwrap_or(bytes.len())
        } else {
            0
        };
        if passed > 0 {
            zip.consume(passed);
            continue;
        }
        zip.consume(1);
        met = match SIGNATURE.get(met) {
            Some(wanted) if *wanted == byte => met + 1,
            _ => usize::from(byte == b'P'),
        };
        if met == SIGNATURE.len() {
            return true;
        }
    }
}

/// Reads the header behind its signature; `None` where it ends early.
fn local(zip: &mut impl BufRead) -> Option<Local> {
    let mut fixed = [0; 26];
    zip.read_exact(&mut fixed).ok()?;
    let two = |at: usize| {
        let bytes = fixed.get(at..at + 2).and_then(<[u8]>::first_chunk);
        bytes.copied().map_or(0, u16::from_le_bytes)
    };
    let four = |at: usize| u32::from(two(at)) | u32::from(two(at + 2)) << 16;
    let (flags, mut method) = (two(2), CompressionMethod::new(two(4)));
    let (crc, packed, size) = (four(10), four(14), four(18));
    let mut name = vec![0; usize::from(two(22))];
    zip.read_exact(&mut name).ok()?;
    let mut extra = vec![0; usize::from(two(24))];
    zip.read_exact(&mut extra).ok()?;
    let extras =
        ExtraFields::new(&extra).map(|(id, bytes)| (id.as_u16(), bytes));
    let lock = Lock::of(flags, &mut method, extras, crc, two(6));
    let (packed, size) = (packed.into(), size.into());
    Some(Local {
        name,
        packing: Packing { method, lock, crc, packed, size },
        // Else they follow the member, or stand in the extra field.
        has_sizes: flags & 8 == 0 && packed != u64::from(u32::MAX),
    })
}
