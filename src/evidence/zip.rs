//! zip: its files become members.
//!
//! In: a file, or a zip inside another archive, which is read into memory.
//! Out: members in the order of the zip's directory, each checked against
//! its size and checksum. Nothing is extracted: names are told, never
//! followed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};

use bzip2::read::BzDecoder;
use flate2::Crc;
use flate2::read::DeflateDecoder;
use lzma_rust2::XzReader;
use rawzip::{
    CompressionMethod, RECOMMENDED_BUFFER_SIZE, ReaderAt, ZipArchive,
    ZipArchiveEntryWayfinder,
};

use super::archive::Faults;
use super::budget::Budget;
use super::exhibit::Seen;
use super::hash::Hashing;
use super::members::{ENCRYPTED, Members, Refusal, Unwanted};
use super::seekable::Seekable;
use super::stream::{Stream, StreamEnd};
use crate::limits::{self, DECODER_WINDOW_KIB, DECODER_WINDOW_LOG};
use crate::raw::Raw;
use crate::warning::Kind;

/// A zip whose members are asked for.
#[derive(Debug)]
pub struct Zip {
    name: Raw,
    from: Seekable,
}

/// One file of the directory.
struct Entry {
    name: Vec<u8>,
    size: u64,
    method: CompressionMethod,
    place: ZipArchiveEntryWayfinder,
    crc: u32,
    is_encrypted: bool,
}

impl Zip {
    /// True where a file that starts so is a zip: a member comes first, or
    /// the end of an empty one.
    pub fn is_start(head: &[u8]) -> bool {
        head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
    }

    /// The zip in an open file, which was seen so.
    pub(super) fn file(
        name: Raw,
        file: File,
        seen: Seen,
        hashing: Hashing,
    ) -> Self {
        Self { name, from: Seekable::File { file, seen, hashing } }
    }

    /// A zip that comes from front to back, of which `head` was read. It is
    /// read into memory, because its directory stands at its end; where it
    /// is too large for that, it has no members.
    pub fn stream(
        name: Raw,
        head: Vec<u8>,
        stream: Stream,
        budget: &Budget,
    ) -> Self {
        Self { name, from: Seekable::stream(head, stream, budget) }
    }

    /// Hands over the members.
    pub(super) fn walk(&mut self, to: &mut Members, faults: &mut Faults) {
        match &mut self.from {
            Seekable::File { file, .. } => walk_file(file, to, faults),
            Seekable::Memory { bytes, .. } => {
                walk_memory(bytes, to, faults);
            }
            Seekable::TooLarge { .. } => Seekable::too_large(faults, "zip"),
        }
    }

    /// What is known of the archive, once nothing more is asked of it.
    pub(super) fn finish(self) -> StreamEnd {
        self.from.finish(self.name)
    }
}

fn walk_memory(bytes: &[u8], to: &mut Members, faults: &mut Faults) {
    let end = bytes.len() as u64;
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let locator = rawzip::ZipLocator::new();
    match locator.locate_in_reader(Cursor::new(bytes), &mut buffer, end) {
        Ok(zip) => members_of(&zip, to, faults),
        Err((reader, error)) => {
            cut(faults, &error);
            salvage(reader, to);
        }
    }
}

fn walk_file(file: &mut File, to: &mut Members, faults: &mut Faults) {
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let found = file.try_clone().map_err(|error| error.to_string()).and_then(
        |other| {
            let found = ZipArchive::from_file(other, &mut buffer);
            found.map_err(|error| error.to_string())
        },
    );
    match found {
        Ok(zip) => members_of(&zip, to, faults),
        Err(error) => {
            cut(faults, &error);
            let _ = file.rewind();
            salvage(BufReader::new(file), to);
        }
    }
}

fn cut(faults: &mut Faults, error: &dyn std::fmt::Display) {
    let detail = format!(
        "zip: no directory at its end ({error}); its members are read as \
         they lie"
    );
    faults.note(Kind::Cut, detail);
}

/// The directory, as far as it can be read.
fn entries<R: ReaderAt>(
    zip: &ZipArchive<R>,
    faults: &mut Faults,
) -> Vec<Entry> {
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let mut records = zip.entries(&mut buffer);
    let mut list = Vec::new();
    loop {
        match records.next_entry() {
            Ok(None) => return list,
            Ok(Some(record)) if record.is_dir() => {}
            Ok(Some(record)) if record.mode().is_symlink() => faults.link(),
            Ok(Some(record)) => list.push(Entry {
                name: record.file_path().as_bytes().to_vec(),
                size: record.uncompressed_size_hint(),
                method: record.compression_method(),
                place: record.wayfinder(),
                crc: record.crc32(),
                is_encrypted: record.flags().is_encrypted(),
            }),
            Err(error) => {
                let count = list.len();
                let detail = format!("zip: after {count} entries: {error}");
                faults.note(Kind::Cut, detail);
                return list;
            }
        }
        if list.len() >= limits::MEMBERS {
            let most = limits::MEMBERS;
            let detail = format!("zip: entries after the first {most}");
            faults.note(Kind::Limit, detail);
            return list;
        }
    }
}

fn unknown(method: CompressionMethod) -> String {
    let method = method.as_u16();
    format!("packed in a way that is not read (method {method})")
}

fn refusal(why: impl Into<String>) -> Refusal {
    Refusal { kind: Kind::Unreadable, why: format!("zip: {}", why.into()) }
}

fn members_of<R: ReaderAt>(
    zip: &ZipArchive<R>,
    to: &mut Members,
    faults: &mut Faults,
) {
    for entry in entries(zip, faults) {
        let sent = match open(zip, &entry) {
            Ok(plain) => to.send(&entry.name, Some(entry.size), plain),
            Err(refusal) => to.refuse(&entry.name, refusal),
        };
        if sent.is_err() {
            return;
        }
    }
}

/// A member's bytes, checked.
fn open<'z, R: ReaderAt>(
    zip: &'z ZipArchive<R>,
    entry: &Entry,
) -> Result<impl Read + 'z, Refusal> {
    if entry.is_encrypted {
        return Err(refusal(ENCRYPTED));
    }
    let found = zip.get_entry(entry.place);
    let found = found.map_err(|error| refusal(error.to_string()))?;
    let packed = BufReader::new(found.reader());
    let plain = unpack(entry.method, packed);
    let plain = plain.ok_or_else(|| refusal(unknown(entry.method)))?;
    Ok(Checked { plain, crc: Crc::new(), claimed: entry.crc })
}

/// The header that stands before each member.
struct Local {
    name: Vec<u8>,
    method: CompressionMethod,
    is_encrypted: bool,
    crc: u32,
    /// Bytes packed and unpacked; none where they stand behind the member.
    sizes: Option<(u64, u64)>,
}

/// Hands over the members of a zip that lost its directory, one after the
/// other, as far as their own headers tell.
fn salvage(mut zip: impl BufRead, to: &mut Members) {
    while seek_member(&mut zip) {
        let Some(local) = local(&mut zip) else { return };
        if local.name.ends_with(b"/") {
            continue;
        }
        if salvage_one(&mut zip, &local, to).is_err() {
            return;
        }
    }
}

fn salvage_one(
    zip: &mut impl BufRead,
    local: &Local,
    to: &mut Members,
) -> Result<(), Unwanted> {
    let claimed = local.crc;
    match (local.sizes, local.method) {
        _ if local.is_encrypted => to.refuse(&local.name, refusal(ENCRYPTED)),
        (Some((packed, size)), method) => {
            match unpack(method, zip.take(packed)) {
                None => to.refuse(&local.name, refusal(unknown(method))),
                Some(plain) => {
                    let crc = Crc::new();
                    let plain = Checked { plain, crc, claimed };
                    to.send(&local.name, Some(size), plain)
                }
            }
        }
        // Deflate tells its end, and takes no byte beyond.
        (None, CompressionMethod::DEFLATE) => {
            let plain = flate2::bufread::DeflateDecoder::new(zip);
            to.send(&local.name, None, plain)
        }
        (None, _) => to.refuse(&local.name, refusal("its size is lost")),
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
    let (flags, method) = (two(2), two(4));
    let (packed, size) = (four(14), four(18));
    let mut name = vec![0; usize::from(two(22))];
    zip.read_exact(&mut name).ok()?;
    let mut extra = vec![0; usize::from(two(24))];
    zip.read_exact(&mut extra).ok()?;
    // Sizes follow the member, or stand in the extra field.
    let is_elsewhere = flags & 8 != 0 || packed == u32::MAX;
    Some(Local {
        name,
        method: CompressionMethod::new(method),
        is_encrypted: flags & 1 != 0,
        crc: four(10),
        sizes: (!is_elsewhere).then(|| (packed.into(), size.into())),
    })
}

/// Gives all bytes, and only then says that their sum is not what the
/// directory claims: rawzip's own reader keeps the last ones to itself.
struct Checked<R> {
    plain: R,
    crc: Crc,
    claimed: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.plain.read(into)?;
        self.crc.update(into.get(..count).unwrap_or_default());
        if count == 0 && self.crc.sum() != self.claimed {
            return Err(io::Error::other("zip: wrong checksum"));
        }
        Ok(count)
    }
}

/// A member's bytes as they were; `None` for ways to pack that nobody here
/// can undo.
fn unpack<'r>(
    method: CompressionMethod,
    packed: impl Read + 'r,
) -> Option<Box<dyn Read + 'r>> {
    Some(match method {
        CompressionMethod::STORE => Box::new(packed),
        CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(packed)),
        CompressionMethod::BZIP2 => Box::new(BzDecoder::new(packed)),
        CompressionMethod::XZ => {
            let most = DECODER_WINDOW_KIB;
            Box::new(XzReader::new_mem_limit(packed, false, most))
        }
        CompressionMethod::ZSTD | CompressionMethod::ZSTD_DEPRECATED => {
            Box::new(zstd(packed).ok()?)
        }
        _ => return None,
    })
}

fn zstd<'r>(packed: impl Read + 'r) -> io::Result<impl Read + 'r> {
    let mut decoder = zstd::Decoder::new(packed)?;
    decoder.window_log_max(DECODER_WINDOW_LOG)?;
    Ok(decoder)
}
