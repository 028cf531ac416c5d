//! Where an archive lies whose directory does not stand at its start.
//!
//! In: an open file, or bytes that come from front to back (standard input,
//! another archive), which are read into memory because nobody can seek in
//! them. Out: what the archive is read from, and at the end what is known of
//! its bytes.

use std::fs::File;
use std::io::{Read, Seek};

use super::archive::Faults;
use super::budget::{Budget, Hold};
use super::exhibit::Seen;
use super::feed::Source;
use super::hash::Hashing;
use super::password::Passwords;
use super::stream::{Stream, StreamEnd};
use crate::limits;
use crate::raw::Raw;
use crate::warning::{Kind, Warning};

/// An archive that is sought in, and the passwords for what is encrypted in
/// it.
#[derive(Debug)]
pub struct Seekable {
    name: Raw,
    pub(super) from: Bytes,
    pub(super) passwords: Passwords,
}

/// What such an archive is read from.
#[derive(Debug)]
pub(super) enum Bytes {
    File { file: File, seen: Seen, hashing: Hashing },
    Memory { bytes: Vec<u8>, stream: Stream, _hold: Hold },
    TooLarge { stream: Stream },
}

impl Seekable {
    /// The archive in an open file, which was seen so.
    pub(super) fn file(
        name: Raw,
        file: File,
        seen: Seen,
        hashing: Hashing,
    ) -> Self {
        let from = Bytes::File { file, seen, hashing };
        Self { name, from, passwords: Passwords::default() }
    }

    /// An archive that comes from front to back, of which `head` was read.
    /// It is read into memory, because its directory stands at its end;
    /// where it is too large for that, it has no members.
    pub fn stream(
        name: Raw,
        head: Vec<u8>,
        stream: Stream,
        budget: &Budget,
    ) -> Self {
        let from = Bytes::stream(head, stream, budget);
        Self { name, from, passwords: Passwords::default() }
    }

    /// Tries these on what is encrypted.
    pub(super) fn unlock(&mut self, passwords: &Passwords) {
        self.passwords = passwords.clone();
    }

    /// What is known of the archive, once nothing more is asked of it.
    pub(super) fn finish(self) -> StreamEnd {
        self.from.finish(self.name)
    }
}

impl Bytes {
    /// Bytes of which `head` was read; held whole, where they are few enough.
    fn stream(head: Vec<u8>, mut stream: Stream, budget: &Budget) -> Self {
        let mut bytes = head;
        let most = limits::HELD_ARCHIVE.min(budget.memory_left());
        // `Stream` reports no error: damage ends it and is told at its end.
        let _ = (&mut stream).take(most).read_to_end(&mut bytes);
        match budget.hold(bytes.len() as u64) {
            Some(hold) if (bytes.len() as u64) < most => {
                Self::Memory { bytes, stream, _hold: hold }
            }
            _ => Self::TooLarge { stream },
        }
    }

    /// Says that the archive was not opened.
    pub fn too_large(faults: &mut Faults, format: &str) {
        let mib = limits::HELD_ARCHIVE >> 20;
        let detail = format!(
            "not opened: a {format} of more than {mib} MiB inside an archive \
             or a stream"
        );
        faults.note(Kind::Limit, detail);
    }

    fn finish(self, name: Raw) -> StreamEnd {
        match self {
            Self::Memory { stream, .. } | Self::TooLarge { stream } => {
                stream.finish()
            }
            Self::File { file, seen, hashing: Hashing::None } => {
                let change = seen.compare(Seen::now(&file), seen.bytes);
                let warning =
                    change.map(|(kind, text)| Warning::new(kind, name, text));
                StreamEnd {
                    raw_bytes: seen.bytes,
                    sha256: None,
                    warnings: warning.into_iter().collect(),
                }
            }
            Self::File { mut file, seen, hashing } => {
                // Hashed as it lies there, from its start.
                let _ = file.rewind();
                let source = Source::File(file);
                Stream::over(name, source, Some(seen), hashing).finish()
            }
        }
    }
}
