//! The raw bytes of one exhibit, read once: buffered, counted and hashed.
//!
//! In: a file or any reader. Out: bytes for [`super::stream`] and
//! [`super::gzip`]. It never returns an error: a read that fails ends the
//! bytes and is remembered, so that what came before still counts.
//!
//! Why not `BufReader`: the seam between two gzip members needs a look at
//! two bytes even where a pipe gave one.

use std::fs::File;
use std::io::{ErrorKind, Read};

use super::hash::{Digest, Hasher, Hashing};

/// Bytes asked of the system at once.
const BUFFER: usize = 256 << 10;

/// The least room: all that anybody looks ahead.
const LEAST: usize = 4 << 10;

/// Room for so many bytes, but no more than `most`: a million members of an
/// archive may be small ones. One byte more, to see the end without growing.
pub(super) fn room(size: u64, most: usize) -> usize {
    let size = usize::try_from(size).unwrap_or(most);
    size.saturating_add(1).clamp(LEAST, most)
}

/// Where raw bytes come from.
pub(super) enum Source {
    File(File),
    Other(Box<dyn Read + Send>),
}

/// Reads until the buffer is full, the bytes end, or reading fails: how many
/// bytes were read, and the fault. At most `step` bytes are asked for at
/// once.
pub(super) fn fill(
    from: &mut impl Read,
    buffer: &mut [u8],
    step: usize,
) -> (usize, Option<std::io::Error>) {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..)
        && !rest.is_empty()
    {
        let step = rest.len().min(step);
        match from.read(rest.get_mut(..step).unwrap_or_default()) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (length, Some(error)),
        }
    }
    (length, None)
}

/// Raw bytes with a buffer, a count and a hash.
pub(super) struct Feed {
    source: Source,
    buffer: Box<[u8]>,
    /// What of `buffer` is read but not yet taken.
    at: usize,
    end: usize,
    hasher: Hasher,
    /// Bytes read from the source.
    bytes: u64,
    ended: bool,
    fault: Option<String>,
}

impl Feed {
    /// Over a source of so many bytes, where that is known.
    pub(super) fn new(
        source: Source,
        size: Option<u64>,
        hashing: Hashing,
    ) -> Self {
        let room = room(size.unwrap_or(u64::MAX), BUFFER);
        Self {
            source,
            buffer: vec![0; room].into(),
            at: 0,
            end: 0,
            hasher: Hasher::new(hashing),
            bytes: 0,
            ended: false,
            fault: None,
        }
    }

    /// Bytes read from the source so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes that were taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.bytes.saturating_sub((self.end - self.at) as u64)
    }

    /// The error that ended the bytes, if one did.
    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// The file behind the bytes, if one is.
    pub(super) fn file(&self) -> Option<&File> {
        match &self.source {
            Source::File(file) => Some(file),
            Source::Other(_) => None,
        }
    }

    /// What is buffered; where that is nothing, the next bytes. Empty only
    /// at the end.
    pub(super) fn fill(&mut self) -> &[u8] {
        self.peek(1)
    }

    /// At least `want` bytes without taking them, fewer only at the end.
    pub(super) fn peek(&mut self, want: usize) -> &[u8] {
        if self.at == self.end {
            (self.at, self.end) = (0, 0);
        } else if self.buffer.len() - self.at < want {
            self.buffer.copy_within(self.at..self.end, 0);
            (self.at, self.end) = (0, self.end - self.at);
        }
        while self.end - self.at < want && !self.ended {
            let mut buffer = std::mem::take(&mut self.buffer);
            if let Some(room) = buffer.get_mut(self.end..) {
                self.end += self.pull(room);
            }
            self.buffer = buffer;
        }
        self.buffer.get(self.at..self.end).unwrap_or_default()
    }

    /// Takes bytes that were looked at.
    pub(super) fn consume(&mut self, count: usize) {
        self.at = self.end.min(self.at + count);
    }

    /// The next byte.
    pub(super) fn byte(&mut self) -> Option<u8> {
        let byte = self.fill().first().copied();
        self.consume(1);
        byte
    }

    /// Passes zeros; how many they were.
    pub(super) fn skip_zeros(&mut self) -> u64 {
        let mut passed = 0;
        loop {
            let bytes = self.fill();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            if zeros == 0 {
                return passed;
            }
            passed += zeros as u64;
            self.consume(zeros);
        }
    }

    /// Copies bytes out; 0 only at the end or into no room. Past the buffer
    /// where that spares a copy.
    pub(super) fn read(&mut self, into: &mut [u8]) -> usize {
        if self.at == self.end && into.len() >= self.buffer.len() {
            return self.pull(into);
        }
        let bytes = self.fill();
        let count = bytes.len().min(into.len());
        if let (Some(from), Some(to)) =
            (bytes.get(..count), into.get_mut(..count))
        {
            to.copy_from_slice(from);
        }
        self.consume(count);
        count
    }

    /// Reads what is left, for the hash. Returns the digest, unless a read
    /// failed.
    pub(super) fn finish(mut self) -> Option<Digest> {
        self.drain();
        self.hasher.finish().filter(|_| self.fault.is_none())
    }

    /// Reads what is left and drops it.
    pub(super) fn drain(&mut self) {
        while !self.fill().is_empty() {
            self.at = self.end;
        }
    }

    /// Reads from the source once, whatever it takes.
    fn pull(&mut self, into: &mut [u8]) -> usize {
        if self.ended || into.is_empty() {
            return 0;
        }
        let count = loop {
            let result = match &mut self.source {
                Source::File(file) => file.read(into),
                Source::Other(reader) => reader.read(into),
            };
            match result {
                Ok(count) => break count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.fault = Some(error.to_string());
                    break 0;
                }
            }
        };
        let bytes = into.get(..count).unwrap_or_default();
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        self.ended = bytes.is_empty();
        bytes.len()
    }
}
