//! The members of an archive, each a stream of its own.
//!
//! In: an archive, read from front to back on a thread of its own. Out:
//! [`Member`]s in their order, whose bytes come through a bounded queue:
//! the archive is decompressed while its members are scanned, nothing is
//! extracted to disk, and no more than a few blocks wait in memory.

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::archive::Budget;
use super::hash::Hashing;
use super::identity::{self, PathIdentity};
use super::stream::Stream;
use crate::raw::Raw;

/// Bytes of one block in the queue.
const BLOCK: usize = 256 << 10;

/// Blocks that wait.
const WAITING: usize = 4;

/// One file in an archive.
#[derive(Debug)]
pub struct Member {
    /// `logs.tar!/WEB01/W3SVC1/u_ex010719.log`; `#2` stands behind the name
    /// that is met a second time.
    pub name: Raw,
    /// Where it would lie, had the archive been a folder: tells host and
    /// site. Nothing is there.
    pub path: PathBuf,
    bytes: Pipe,
}

impl Member {
    /// What its path tells about host, site and day.
    pub fn identity(&self) -> PathIdentity {
        identity::of(&self.path)
    }

    /// Its bytes, decompressed where they are packed.
    pub fn stream(self, hashing: Hashing) -> Stream {
        Stream::new(self.name, Box::new(self.bytes), hashing)
    }
}

/// Where members go.
pub(super) struct Members {
    archive: Raw,
    path: PathBuf,
    to: SyncSender<Member>,
    /// How often each name was met: an archive may hold a name twice, with
    /// other bytes.
    met: HashMap<Vec<u8>, u64>,
    budget: Budget,
    over_budget: bool,
}

/// Nobody wants the members any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unwanted;

/// A queue for the members of an archive.
pub(super) fn members(
    archive: Raw,
    path: &Path,
    budget: Budget,
) -> (Members, Receiver<Member>) {
    let (to, from) = sync_channel(0);
    let members = Members {
        archive,
        path: folder_like(path),
        to,
        met: HashMap::new(),
        budget,
        over_budget: false,
    };
    (members, from)
}

/// The path of the folder that an archive was made of, as far as its name
/// tells: people name archives after hosts.
fn folder_like(path: &Path) -> PathBuf {
    const ENDINGS: [&str; 10] = [
        ".gz", ".bz2", ".xz", ".zst", ".tar", ".tgz", ".tbz2", ".txz",
        ".tzst", ".zip",
    ];
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return path.to_owned();
    };
    let mut bare = name;
    while let Some(ending) = ENDINGS.iter().find(|ending| {
        let start = bare.len().checked_sub(ending.len());
        let end = start.and_then(|start| bare.get(start..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(ending))
    }) {
        bare = bare.get(..bare.len() - ending.len()).unwrap_or_default();
    }
    if bare.is_empty() { path.to_owned() } else { path.with_file_name(bare) }
}

impl Members {
    /// Hands over a member of `size` bytes, where that is known, and then
    /// its bytes. They end early where the archive does.
    pub fn send(
        &mut self,
        name: &[u8],
        size: Option<u64>,
        mut bytes: impl Read,
    ) -> Result<(), Unwanted> {
        let (to, from) = sync_channel(WAITING);
        let name = name.strip_prefix(b"./").unwrap_or(name);
        let mut whole = [self.archive.as_bytes(), b"!/", name].concat();
        let met = self.met.entry(name.to_owned()).or_default();
        *met += 1;
        if *met > 1 {
            whole.extend_from_slice(format!("#{met}").as_bytes());
        }
        // Old packers on Windows write backslashes.
        let inside = String::from_utf8_lossy(name).replace('\\', "/");
        let inside = inside.trim_start_matches('/');
        let member = Member {
            name: Raw::from(whole.as_slice()),
            path: self.path.join(inside),
            bytes: Pipe { from, block: Vec::new(), at: 0 },
        };
        self.to.send(member).map_err(|_| Unwanted)?;
        let mut left = size.unwrap_or(u64::MAX);
        while left > 0 {
            let room = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
            let mut block = vec![0; room];
            let count = match read_full(&mut bytes, &mut block) {
                Ok(count) => count,
                Err(error) => return send(&to, Err(error)),
            };
            if count == 0 && size.is_none() {
                return Ok(());
            }
            if count == 0 {
                let early = "the archive ends before the member does";
                return send(&to, Err(io::Error::other(early)));
            }
            block.truncate(count);
            left -= count as u64;
            if !self.budget.take(count as u64) {
                self.over_budget = true;
                let over = "more came out of the archive than may";
                send(&to, Err(io::Error::other(over)))?;
                return Err(Unwanted);
            }
            send(&to, Ok(block))?;
        }
        // Where there is a checksum, it is told at the end.
        match bytes.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => {
                let more = "the member is longer than the archive says";
                send(&to, Err(io::Error::other(more)))
            }
            Err(error) => send(&to, Err(error)),
        }
    }

    /// True where more came out of the archive than may.
    pub fn is_over_budget(&self) -> bool {
        self.over_budget
    }
}

type Block = io::Result<Vec<u8>>;

/// A member that nobody reads to its end is no reason to stop.
fn send(to: &SyncSender<Block>, block: Block) -> Result<(), Unwanted> {
    to.send(block).map_err(|_| Unwanted)
}

/// Bytes asked of a decoder at once: so many are lost at most where one
/// keeps to itself what it decoded before a fault.
const STEP: usize = 8 << 10;

/// Fills the buffer; less only at the end.
fn read_full(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..)
        && !rest.is_empty()
    {
        let step = rest.len().min(STEP);
        let Some(rest) = rest.get_mut(..step) else { break };
        match from.read(rest) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What came before counts; the fault comes again.
            Err(_) if length > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// The other end of a member.
#[derive(Debug)]
struct Pipe {
    from: Receiver<Block>,
    block: Vec<u8>,
    at: usize,
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() {
            match self.from.recv() {
                Ok(Ok(block)) => (self.block, self.at) = (block, 0),
                Ok(Err(error)) => return Err(error),
                Err(_) => return Ok(0),
            }
        }
        let ready = self.block.get(self.at..).unwrap_or_default();
        let count = ready.len().min(into.len());
        if let (Some(from), Some(to)) =
            (ready.get(..count), into.get_mut(..count))
        {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}
