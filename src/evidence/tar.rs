//! tar, packed or not: its files become members.
//!
//! In: a [`Stream`] whose first bytes are a tar's. Out: members by the queue
//! of [`super::members`], and at the end what is known of the archive.
//! Nothing is extracted: names are told, never followed.

use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::mpsc::Receiver;

use super::members::{Member, Members, members};
use super::stream::{Stream, StreamEnd};
use crate::limits;
use crate::raw::Raw;
use crate::warning::{Kind, Warning};

/// A tar whose members are asked for.
#[derive(Debug)]
pub struct Tar {
    name: Raw,
    /// What was read of the stream to tell what it is.
    head: Vec<u8>,
    stream: Stream,
}

/// Bytes of a tar's block, and of the header of a member.
const BLOCK: usize = 512;

impl Tar {
    /// True where a file that starts so is a tar: its first block is the
    /// header of a member, with the right sum.
    pub fn is_start(head: &[u8]) -> bool {
        let Some(block) = head.first_chunk::<BLOCK>() else { return false };
        let sum_field = 148..156;
        let sum: u64 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| {
                let own = if sum_field.contains(&at) { b' ' } else { *byte };
                u64::from(own)
            })
            .sum();
        let digits = block.get(sum_field).unwrap_or_default();
        let digits = String::from_utf8_lossy(digits);
        let digits = digits.trim_matches([' ', '\0']);
        block[0] != 0 && u64::from_str_radix(digits, 8) == Ok(sum)
    }

    /// A tar of which `head` was read already.
    pub fn new(name: Raw, head: Vec<u8>, stream: Stream) -> Self {
        Self { name, head, stream }
    }

    /// The queue of its members, and what fills it: [`Walk::run`], on a
    /// thread of its own.
    pub fn open(self, path: &Path) -> (Walk, Receiver<Member>) {
        let (to, from) = members(self.name.clone(), path);
        (Walk { tar: self, to }, from)
    }
}

/// A tar that is being walked.
pub struct Walk {
    tar: Tar,
    to: Members,
}

impl Walk {
    /// Hands over the members, until there are no more or nobody wants
    /// them. What was met goes with the rest.
    pub fn run(self) -> StreamEnd {
        let Self { tar: Tar { name, head, mut stream }, mut to } = self;
        let whole = Cursor::new(head).chain(&mut stream);
        let mut faults = Faults { name, warnings: Vec::new(), links: 0 };
        walk(whole, &mut to, &mut faults);
        let mut end = stream.finish();
        end.warnings.extend(faults.finish());
        end
    }
}

struct Faults {
    name: Raw,
    warnings: Vec<Warning>,
    links: u64,
}

impl Faults {
    fn note(&mut self, kind: Kind, detail: impl Into<String>) {
        self.warnings.push(Warning::new(kind, self.name.clone(), detail));
    }

    fn finish(mut self) -> Vec<Warning> {
        if self.links > 0 {
            let detail = "members that are no files, such as links";
            self.note(Kind::Odd, detail);
            if let Some(last) = self.warnings.last_mut() {
                last.count = self.links;
            }
        }
        self.warnings
    }
}

fn walk(archive: impl Read, to: &mut Members, faults: &mut Faults) {
    let mut archive = tar::Archive::new(archive);
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => return faults.note(Kind::Cut, format!("tar: {error}")),
    };
    for (number, entry) in entries.enumerate() {
        if number >= limits::MEMBERS {
            let most = limits::MEMBERS;
            let detail = format!("tar: entries after the first {most}");
            return faults.note(Kind::Limit, detail);
        }
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let detail = format!("tar: after {number} entries: {error}");
                return faults.note(Kind::Cut, detail);
            }
        };
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            continue;
        }
        if !(kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) {
            faults.links += 1;
            continue;
        }
        let name = entry.path_bytes().into_owned();
        let size = entry.size();
        if to.send(&name, size, entry).is_err() {
            return;
        }
    }
}
