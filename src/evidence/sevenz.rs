//! 7z: its files become members.
//!
//! In: a file, or a 7z inside another archive, which is read into memory.
//! Out: members in the order of the directory, each checked against its size
//! and checksum. Files packed as one come out of one decoder, one after the
//! other. Nothing is extracted: names are told, never followed.

mod coders;
mod directory;

use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};

use flate2::Crc;

use self::coders::{Plain, lock, open};
use self::directory::{Block, Directory, Entry, Header, What};
use super::archive::Faults;
use super::budget::Budget;
use super::decrypt::Lock;
use super::members::{Members, Refusal, Unwanted};
use super::password::Passwords;
use super::seekable::{Bytes, Seekable};
use crate::limits;
use crate::warning::Kind;

/// Bytes before the first packed one.
const SIGNATURE_HEADER: usize = 32;

/// A 7z whose members are asked for.
#[derive(Debug)]
pub struct SevenZ(pub Seekable);

/// Passwords, and the keys that were made of them: each takes a while.
struct Keys {
    passwords: Passwords,
    made: Vec<(Lock, usize, [u8; 32])>,
}

impl SevenZ {
    /// True where a file that starts so is a 7z.
    pub fn is_start(head: &[u8]) -> bool {
        head.starts_with(b"7z\xBC\xAF\x27\x1C")
    }

    /// Hands over the members.
    pub(super) fn walk(&mut self, to: &mut Members, faults: &mut Faults) {
        let passwords = self.0.passwords.clone();
        let keys = Keys { passwords, made: Vec::new() };
        match &mut self.0.from {
            Bytes::File { file, .. } => walk(file, keys, to, faults),
            Bytes::Memory { bytes, .. } => {
                walk(Cursor::new(bytes.as_slice()), keys, to, faults);
            }
            Bytes::TooLarge { .. } => Bytes::too_large(faults, "7z"),
        }
    }
}

fn walk(
    mut from: impl Read + Seek,
    mut keys: Keys,
    to: &mut Members,
    faults: &mut Faults,
) {
    let directory = match directory(&mut from, &mut keys, to.budget()) {
        Ok(directory) => directory,
        Err(Refusal { kind, why }) => {
            return faults.note(kind, format!("7z: {why}"));
        }
    };
    let _ = members(from, &directory, &mut keys, to, faults);
}

fn cut(why: &str) -> Refusal {
    Refusal { kind: Kind::Cut, why: format!("{why}; nothing of it was read") }
}

/// Reads the directory, which is mostly packed itself.
fn directory(
    from: &mut (impl Read + Seek),
    keys: &mut Keys,
    budget: &Budget,
) -> Result<Directory, Refusal> {
    // As often as 7-Zip packs it is once.
    const LAYERS: usize = 4;
    let mut bytes = header(from)?;
    for _ in 0..LAYERS {
        let damaged = || cut("its directory is damaged");
        let packed = match directory::read(&bytes).ok_or_else(damaged)? {
            Header::Plain(directory) => return Ok(directory),
            Header::Packed(packed) => packed,
        };
        let block = packed.blocks.first().ok_or_else(damaged)?;
        let coders = block.coders.as_deref().ok_or_else(damaged)?;
        let size = coders.last().map_or(0, |coder| coder.size);
        bytes = limited(size)?;
        let fits = |mut plain: Plain<'_>| {
            let mut bytes = limited(size).unwrap_or_default();
            let is_whole = plain.read_exact(&mut bytes).is_ok();
            is_whole && directory::read(&bytes).is_some()
        };
        let mut plain = unlock(from, &packed, block, fits, keys, budget)?;
        plain.read_exact(&mut bytes).map_err(|_| damaged())?;
        if block.crc.is_some_and(|crc| crc != sum(&bytes)) {
            return Err(damaged());
        }
    }
    Err(cut("its directory is packed again and again"))
}

/// A buffer for a directory of so many bytes.
fn limited(size: u64) -> Result<Vec<u8>, Refusal> {
    let most = limits::DIRECTORY_BYTES;
    if size > most {
        let why = format!("a directory of more than {} MiB", most >> 20);
        return Err(Refusal { kind: Kind::Limit, why });
    }
    Ok(vec![0; usize::try_from(size).unwrap_or(0)])
}

/// The bytes of the header, which the signature header points to.
fn header(from: &mut (impl Read + Seek)) -> Result<Vec<u8>, Refusal> {
    let mut start = [0; SIGNATURE_HEADER];
    let lost = |_: io::Error| cut("its directory is lost");
    from.rewind().map_err(lost)?;
    from.read_exact(&mut start).map_err(lost)?;
    let place = start.get(12..).unwrap_or_default();
    let number = |at: usize| {
        let bytes = place.get(at..).and_then(<[u8]>::first_chunk);
        bytes.copied().map_or(0, u64::from_le_bytes)
    };
    let crc = |at: usize| {
        let bytes = start.get(at..).and_then(<[u8]>::first_chunk);
        bytes.copied().map_or(0, u32::from_le_bytes)
    };
    if crc(8) != sum(place) {
        return Err(cut("its first bytes are damaged"));
    }
    let (offset, size) = (number(0), number(8));
    if size == 0 {
        return Err(cut("it has no directory: its packer did not finish"));
    }
    let end = from.seek(SeekFrom::End(0)).map_err(lost)?;
    let at = offset.checked_add(SIGNATURE_HEADER as u64);
    let at = at.filter(|at| at.checked_add(size).is_some_and(|it| it <= end));
    let at = at.ok_or_else(|| cut("its directory is lost"))?;
    let mut bytes = limited(size)?;
    from.seek(SeekFrom::Start(at)).map_err(lost)?;
    from.read_exact(&mut bytes).map_err(lost)?;
    if crc(28) != sum(&bytes) {
        return Err(cut("its directory is damaged"));
    }
    Ok(bytes)
}

fn sum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// A block's bytes as they were, also where they are encrypted: 7-Zip keeps
/// nothing to tell a wrong password by, so what comes out must show it.
fn unlock<'r>(
    from: &'r mut (impl Read + Seek),
    directory: &Directory,
    block: &Block,
    fits: impl Fn(Plain<'_>) -> bool,
    keys: &mut Keys,
    budget: &Budget,
) -> Result<Plain<'r>, Refusal> {
    let lock = block.coders.as_deref().and_then(lock).transpose()?;
    let Some(lock) = lock else {
        return unpack(from, directory, block, None, budget);
    };
    for number in 0..keys.passwords.all().count() {
        let key = keys.key(&lock, number);
        let plain = unpack(from, directory, block, Some(key), budget)?;
        if fits(plain) {
            return unpack(from, directory, block, Some(key), budget);
        }
    }
    let why = keys.passwords.refusal().to_owned();
    Err(Refusal { kind: Kind::Unreadable, why })
}

impl Keys {
    fn key(&mut self, lock: &Lock, number: usize) -> [u8; 32] {
        let made = self.made.iter().find(|it| it.0 == *lock && it.1 == number);
        if let Some((.., key)) = made {
            return *key;
        }
        let password = self.passwords.all().nth(number).unwrap_or_default();
        let key = lock.key(password);
        self.made.push((lock.clone(), number, key));
        key
    }
}

/// Whether bytes begin as the first file of their block should.
fn begins(mut plain: Plain<'_>, first: &Entry) -> bool {
    const ENOUGH: u64 = 1 << 20;
    let most = first.size.min(ENOUGH);
    let mut bytes = Vec::new();
    let read = plain.by_ref().take(most).read_to_end(&mut bytes);
    let is_whole = read.is_ok() && bytes.len() as u64 == most;
    let crc = first.crc.filter(|_| first.size <= ENOUGH);
    is_whole && crc.is_none_or(|crc| crc == sum(&bytes))
}

/// A block's bytes as they were.
fn unpack<'r>(
    from: &'r mut (impl Read + Seek),
    directory: &Directory,
    block: &Block,
    key: Option<[u8; 32]>,
    budget: &Budget,
) -> Result<Plain<'r>, Refusal> {
    let Some(coders) = &block.coders else {
        let why = "packed in a way that is not read".to_owned();
        return Err(Refusal { kind: Kind::Unreadable, why });
    };
    let lost = || Refusal {
        kind: Kind::Cut,
        why: "its packed bytes are lost".to_owned(),
    };
    let (at, size) = *directory.packs.get(block.pack).ok_or_else(lost)?;
    let at = at.checked_add(SIGNATURE_HEADER as u64).ok_or_else(lost)?;
    from.seek(SeekFrom::Start(at)).map_err(|_| lost())?;
    let packed = BufReader::new(from.take(size));
    open(coders, packed, key, budget)
}

/// Hands over the files, block after block.
fn members(
    mut from: impl Read + Seek,
    directory: &Directory,
    keys: &mut Keys,
    to: &mut Members,
    faults: &mut Faults,
) -> Result<(), Unwanted> {
    let budget = to.budget().clone();
    let mut files = directory.files.iter().peekable();
    while let Some(first) = files.peek() {
        let Some(number) = first.block else {
            if let Some(file) = files.next() {
                bare(file, to, faults)?;
            }
            continue;
        };
        let damaged = Block::default();
        let block = directory.blocks.get(number).unwrap_or(&damaged);
        let fits = |plain: Plain<'_>| begins(plain, first);
        let mut plain =
            unlock(&mut from, directory, block, fits, keys, &budget);
        // Names without bytes may stand between those of a block.
        while let Some(file) =
            files.next_if(|file| file.block.is_none_or(|it| it == number))
        {
            match &mut plain {
                _ if file.block.is_none() => bare(file, to, faults)?,
                Ok(plain) => send(file, plain, to, faults)?,
                Err(refusal) => to.refuse(&file.name, refusal.clone())?,
            }
        }
    }
    Ok(())
}

/// A name that has no bytes.
fn bare(
    file: &Entry,
    to: &mut Members,
    faults: &mut Faults,
) -> Result<(), Unwanted> {
    match file.what {
        What::Folder => Ok(()),
        What::Link => {
            faults.link();
            Ok(())
        }
        What::File => to.send(&file.name, Some(0), io::empty()),
    }
}

fn send(
    file: &Entry,
    plain: &mut Plain<'_>,
    to: &mut Members,
    faults: &mut Faults,
) -> Result<(), Unwanted> {
    let mut part = Part {
        plain: plain.take(file.size),
        crc: Crc::new(),
        claimed: file.crc,
    };
    if file.what == What::File {
        to.send(&file.name, Some(file.size), &mut part)?;
    } else {
        faults.link();
    }
    // The next file begins where this one ends, read or not.
    let mut rest = part.plain;
    let _ = io::copy(&mut rest, &mut io::sink());
    Ok(())
}

/// Gives all bytes of a file, and only then says that their sum is not what
/// the directory claims.
struct Part<R> {
    plain: io::Take<R>,
    crc: Crc,
    claimed: Option<u32>,
}

impl<R: Read> Read for Part<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.plain.read(into)?;
        self.crc.update(into.get(..count).unwrap_or_default());
        let is_end = self.plain.limit() == 0 && count == 0;
        if is_end && self.claimed.is_some_and(|it| it != self.crc.sum()) {
            return Err(io::Error::other("7z: wrong checksum"));
        }
        Ok(count)
    }
}
