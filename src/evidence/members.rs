//! The members of an archive, each a stream of its own.
//!
//! In: an archive, read from front to back on a thread of its own. Out:
//! [`Member`]s in their order, whose bytes come through a bounded queue:
//! the archive is decompressed while its members are scanned, nothing is
//! extracted to disk, and no more than a few blocks wait in memory.

use std::collections::HashMap;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::archive::Faults;
use super::budget::Budget;
use super::feed::{fill, room};
use super::hash::Hashing;
use super::identity::{self, PathIdentity};
use super::packing::unpacked_name;
use super::stream::Stream;
use crate::limits;
use crate::raw::Raw;
use crate::warning::{Kind, Warning};

/// Bytes of one block in the queue.
const BLOCK: usize = 256 << 10;

/// Blocks that wait.
const WAITING: usize = 4;

/// Why a member cannot be read.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub kind: Kind,
    pub why: String,
}

/// One file in an archive.
pub struct Member {
    /// `logs.tar!/WEB01/W3SVC1/u_ex010719.log`; `#2` stands behind the name
    /// that is met a second time.
    pub name: Raw,
    /// Where it would lie, had the archive been a folder: tells host and
    /// site. Nothing is there.
    pub path: PathBuf,
    /// How many bytes it has, where that is known.
    size: Option<u64>,
    bytes: Bytes,
}

/// A member's bytes, or why there are none.
type Bytes = Result<Box<dyn Read + Send>, Refusal>;

impl Member {
    pub(super) fn new(
        name: Raw,
        path: PathBuf,
        size: Option<u64>,
        bytes: Bytes,
    ) -> Self {
        Self { name, path, size, bytes }
    }

    /// What its path tells about host, site and day.
    pub fn identity(&self) -> PathIdentity {
        identity::of(&self.path)
    }

    /// Its bytes, decompressed where they are packed, as far as `budget`
    /// reaches; or why there are none.
    pub fn stream(
        self,
        hashing: Hashing,
        budget: &Budget,
    ) -> Result<Stream, Warning> {
        match self.bytes {
            Ok(bytes) => {
                let (name, size) = (self.name, self.size);
                Ok(Stream::member(name, bytes, size, hashing, budget))
            }
            Err(Refusal { kind, why }) => {
                Err(Warning::new(kind, self.name, why))
            }
        }
    }
}

/// The names of the members of an archive.
pub(super) struct Naming {
    archive: Raw,
    path: PathBuf,
    /// How often each name was met: an archive may hold a name twice, with
    /// other bytes.
    met: HashMap<Vec<u8>, u64>,
}

impl Naming {
    pub fn new(archive: Raw, path: &Path) -> Self {
        Self { archive, path: folder_like(path), met: HashMap::new() }
    }

    /// The name of the next member as an exhibit; `None` where there were
    /// too many.
    pub fn name(&mut self, name: &[u8], budget: &Budget) -> Option<Raw> {
        let name = bare(name);
        let mut whole = [self.archive.as_bytes(), b"!/", name].concat();
        if !budget.take_member(whole.len()) {
            return None;
        }
        let met = self.met.entry(name.to_owned()).or_default();
        *met += 1;
        if *met > 1 {
            whole.extend_from_slice(format!("#{met}").as_bytes());
        }
        Some(Raw::from(whole.as_slice()))
    }

    /// Where a member would lie, had the archive been a folder.
    pub fn path(&self, name: &[u8]) -> PathBuf {
        // Old packers on Windows write backslashes.
        let inside = String::from_utf8_lossy(bare(name)).replace('\\', "/");
        self.path.join(inside.trim_start_matches('/'))
    }

    /// Says that there were too many.
    pub fn too_many(faults: &mut Faults) {
        let most = limits::MEMBERS;
        let mib = limits::MEMBER_NAMES >> 20;
        let detail = format!(
            "more than {most} members, or {mib} MiB of their names; the rest \
             was not read"
        );
        faults.note(Kind::Limit, detail);
    }
}

fn bare(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"./").unwrap_or(name)
}

/// Where members go.
pub(super) struct Members {
    naming: Naming,
    to: SyncSender<Member>,
    budget: Budget,
    over_budget: bool,
    too_many: bool,
}

/// Nobody wants the members any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unwanted;

/// Nobody reads a member to its end.
struct Unread;

/// A queue for the members of an archive.
pub(super) fn members(
    archive: Raw,
    path: &Path,
    budget: Budget,
) -> (Members, Receiver<Member>) {
    let (to, from) = sync_channel(0);
    let naming = Naming::new(archive, path);
    let (over_budget, too_many) = (false, false);
    let members = Members { naming, to, budget, over_budget, too_many };
    (members, from)
}

/// The path of the folder that an archive was made of, as far as its name
/// tells: people name archives after hosts.
fn folder_like(path: &Path) -> PathBuf {
    const ENDINGS: [&str; 7] =
        [".tar", ".tgz", ".tbz2", ".txz", ".tzst", ".zip", ".7z"];
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return path.to_owned();
    };
    let lower = name.to_ascii_lowercase();
    let mut bare = lower.as_str();
    loop {
        let next = unpacked_name(bare);
        let shorter = ENDINGS.iter().find_map(|it| next.strip_suffix(it));
        let next = shorter.unwrap_or(next);
        if next.len() == bare.len() {
            break;
        }
        bare = next;
    }
    let bare = name.get(..bare.len()).unwrap_or_default();
    if bare.is_empty() { path.to_owned() } else { path.with_file_name(bare) }
}

impl Members {
    /// Hands over a member of `size` bytes, where that is known, and then
    /// its bytes. They end early where the archive does.
    pub fn send(
        &mut self,
        name: &[u8],
        size: Option<u64>,
        bytes: impl Read,
    ) -> Result<(), Unwanted> {
        let (to, from) = sync_channel(WAITING);
        let pipe = Pipe { from, block: Cursor::default() };
        self.hand_over(name, size, Ok(Box::new(pipe)))?;
        // Where nobody reads this one to its end, others may be wanted.
        let mut bytes = Sized { bytes, left: size };
        if let Ok(Some(fault)) = self.pump(&mut bytes, &to) {
            let _ = to.send(Err(fault));
        }
        if self.over_budget { Err(Unwanted) } else { Ok(()) }
    }

    /// Hands over a member that cannot be read: it is an exhibit too.
    pub fn refuse(
        &mut self,
        name: &[u8],
        refusal: Refusal,
    ) -> Result<(), Unwanted> {
        self.hand_over(name, None, Err(refusal))
    }

    fn hand_over(
        &mut self,
        name: &[u8],
        size: Option<u64>,
        bytes: Bytes,
    ) -> Result<(), Unwanted> {
        let path = self.naming.path(name);
        let Some(name) = self.naming.name(name, &self.budget) else {
            self.too_many = true;
            return Err(Unwanted);
        };
        let member = Member::new(name, path, size, bytes);
        self.to.send(member).map_err(|_| Unwanted)
    }

    /// What may still come out of the archive.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Hands over the bytes of a member; what ended them early.
    fn pump(
        &mut self,
        bytes: &mut Sized<impl Read>,
        to: &SyncSender<Block>,
    ) -> Result<Option<io::Error>, Unread> {
        loop {
            // No more than there is: a million members may be small ones.
            let left = bytes.left.unwrap_or(u64::MAX);
            let room = usize::try_from(left).unwrap_or(BLOCK).clamp(1, BLOCK);
            let mut block = vec![0; room];
            let (count, fault) = fill(bytes, &mut block, STEP);
            if !self.budget.take(count as u64) {
                self.over_budget = true;
                return Ok(Some(broken(
                    "more came out of the archive than may",
                )));
            }
            block.truncate(count);
            if count > 0 {
                to.send(Ok(block)).map_err(|_| Unread)?;
            }
            if fault.is_some() || count == 0 {
                return Ok(fault);
            }
        }
    }

    /// Says where more came out of the archive than may.
    pub fn finish(self, faults: &mut Faults) {
        if self.over_budget {
            let detail = "more came out of it than an honest archive holds; \
                          the rest was not read";
            faults.note(Kind::Limit, detail);
        }
        if self.too_many {
            Naming::too_many(faults);
        }
    }
}

type Block = io::Result<Vec<u8>>;

fn broken(what: &'static str) -> io::Error {
    io::Error::other(what)
}

/// Bytes asked of a decoder at once: so many are lost at most where one
/// keeps to itself what it decoded before a fault.
pub(super) const STEP: usize = 8 << 10;

/// Bytes that are as many as the archive says, or end in an error.
pub(super) struct Sized<R> {
    bytes: R,
    /// `None` where nobody knows.
    left: Option<u64>,
}

impl<R: Read> Sized<R> {
    pub fn new(bytes: R, size: u64) -> Self {
        Self { bytes, left: Some(size) }
    }
}

impl<R: Read> Read for Sized<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.left else { return self.bytes.read(into) };
        if left == 0 && !into.is_empty() {
            // Where there is a checksum, it is told at the end.
            return match self.bytes.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(broken("the member is longer than the archive says")),
            };
        }
        let room = usize::try_from(left).unwrap_or(usize::MAX);
        let room = room.min(into.len());
        let into = into.get_mut(..room).unwrap_or_default();
        let count = self.bytes.read(into)?;
        if count == 0 && !into.is_empty() {
            return Err(broken("the archive ends before the member does"));
        }
        self.left = Some(left - count as u64);
        Ok(count)
    }
}

/// Bytes that wait for the reader.
const ROOM: usize = 128 << 10;

/// Asks for the same bytes at once whatever the reader asks for, so that a
/// fault costs the same bytes for any reader.
pub(super) struct Steady<R> {
    bytes: R,
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
    fault: Option<io::Error>,
    step: usize,
}

impl<R: Read> Steady<R> {
    /// Asks for `step` bytes at once, of `size` in all.
    pub fn new(bytes: R, size: u64, step: usize) -> Self {
        let buffer = vec![0; room(size, ROOM)].into();
        Self { bytes, buffer, at: 0, end: 0, fault: None, step }
    }
}

impl<R: Read> Read for Steady<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.end {
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            (self.end, self.fault) =
                fill(&mut self.bytes, &mut self.buffer, self.step);
            self.at = 0;
            if self.end == 0
                && let Some(fault) = self.fault.take()
            {
                return Err(fault);
            }
        }
        let mut ready = self.buffer.get(self.at..self.end).unwrap_or_default();
        let count = ready.read(into)?;
        self.at += count;
        Ok(count)
    }
}

/// The other end of a member.
#[derive(Debug)]
struct Pipe {
    from: Receiver<Block>,
    block: Cursor<Vec<u8>>,
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.block.read(into)?;
            if count > 0 || into.is_empty() {
                return Ok(count);
            }
            match self.from.recv() {
                Ok(block) => self.block = Cursor::new(block?),
                Err(_) => return Ok(0),
            }
        }
    }
}
