//! tar, packed or not: its files become members.
//!
//! In: a [`Stream`] whose first bytes are a tar's. Out: members by the queue
//! of [`super::members`], and at the end what is known of the archive.
//! Nothing is extracted: names are told, never followed.

use std::io::{Cursor, Read};

use super::archive::Faults;
use super::members::Members;
use super::stream::{Stream, StreamEnd};
use crate::warning::Kind;

/// A tar whose members are asked for.
#[derive(Debug)]
pub struct Tar {
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
    pub fn new(head: Vec<u8>, stream: Stream) -> Self {
        Self { head, stream }
    }

    /// Hands over the members.
    pub(super) fn walk(&mut self, to: &mut Members, faults: &mut Faults) {
        let head = Cursor::new(std::mem::take(&mut self.head));
        walk(head.chain(&mut self.stream), to, faults);
    }

    /// What is known of the archive, once nothing more is asked of it.
    pub(super) fn finish(self) -> StreamEnd {
        self.stream.finish()
    }
}

fn walk(archive: impl Read, to: &mut Members, faults: &mut Faults) {
    let mut archive = tar::Archive::new(archive);
    // Archives are joined end to end, and behind the last block stands the
    // checksum of what they are packed in: so read on to the very end.
    archive.set_ignore_zeros(true);
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => return faults.note(Kind::Cut, format!("tar: {error}")),
    };
    for (number, entry) in entries.enumerate() {
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
            faults.link();
            continue;
        }
        let name = entry.path_bytes().into_owned();
        let size = entry.size();
        if to.send(&name, Some(size), entry).is_err() {
            return;
        }
    }
}
