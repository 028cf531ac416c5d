//! A small file, read at once into memory.
//!
//! In: an open file and a buffer to use. Out: its bytes as they were when it
//! was opened, and at the end what happened to the file meanwhile. For ten
//! thousand small files this is cheaper than mapping each: no address space
//! is taken and given back, which all threads of a process would wait for.

use std::fs::File;
use std::io::{self, Seek as _};

use super::exhibit::Seen;
use super::feed::fill;
use super::hash::{Digest, sha256};
use super::stream::StreamEnd;
use crate::raw::Raw;
use crate::warning::{Kind, Warning};

/// A file in memory, not mapped.
#[derive(Debug)]
pub struct Whole {
    name: Raw,
    file: File,
    seen: Seen,
    bytes: Vec<u8>,
    fault: Option<String>,
}

impl Whole {
    /// Reads the file, but not past the size it had when it was opened.
    pub(super) fn new(
        name: Raw,
        file: File,
        seen: Seen,
        buffer: Vec<u8>,
    ) -> Self {
        let mut bytes = buffer;
        // Small files are far from the bounds of an address.
        bytes.resize(usize::try_from(seen.bytes).unwrap_or(0), 0);
        let (length, fault) = fill(&mut &file, &mut bytes, usize::MAX);
        bytes.truncate(length);
        let fault = fault.map(|error| error.to_string());
        Self { name, file, seen, bytes, fault }
    }

    /// The file, to be read from its start by other means.
    pub(super) fn into_file(self) -> io::Result<File> {
        let mut file = self.file;
        file.rewind()?;
        Ok(file)
    }

    /// The bytes that could be read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the bytes.
    pub fn sha256(&self) -> Digest {
        sha256(&self.bytes)
    }

    /// What was met, and the buffer. The digest is withheld where the file
    /// changed or could not be read.
    pub fn finish(self, digest: Option<Digest>) -> (StreamEnd, Vec<u8>) {
        let Self { name, file, seen, bytes, fault } = self;
        let raw_bytes = bytes.len() as u64;
        let found = match fault {
            Some(error) => {
                let detail =
                    format!("unreadable from byte {raw_bytes}: {error}");
                Some((Kind::Lost, detail))
            }
            None => seen.compare(Seen::now(&file), raw_bytes),
        };
        let warning =
            found.map(|(kind, detail)| Warning::new(kind, name, detail));
        let sha256 = digest.filter(|_| warning.is_none());
        let warnings = warning.into_iter().collect();
        (StreamEnd { raw_bytes, sha256, warnings }, bytes)
    }
}
