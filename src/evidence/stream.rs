//! One exhibit read from front to back, decompressed where it is packed.
//!
//! In: a file that is not mapped, standard input, or any reader. Out: its
//! bytes by [`Read`], then a [`StreamEnd`]: raw size, digest, warnings.
//!
//! [`Read`] returns no error here: damage ends the bytes, and
//! [`Stream::finish`] tells of it. So the scan has one way through and
//! keeps what came before the damage.

use std::io::{self, Read};

use super::budget::{Budget, Yield};
use super::exhibit::Seen;
use super::feed::{Feed, Source};
use super::gzip::Faults;
use super::hash::{Digest, Hashing};
use super::packing::{Decoder, Packing};
use crate::limits::{DECOMPRESSED_BYTES, DECOMPRESSED_STEP};
use crate::raw::Raw;
use crate::warning::{Kind, Warning};

/// An exhibit that is read once, front to back. How it is packed is told by
/// its first bytes, not by the file's name.
pub struct Stream {
    name: Raw,
    feed: Box<Feed>,
    decoder: Option<Decoder>,
    /// The file as it was when it was opened.
    seen: Option<Seen>,
    /// Decoded bytes after which a packed exhibit is cut.
    limit: u64,
    /// Cuts it where they are too many for the packed ones.
    worth: Yield,
    /// What may come out of it and others, in an archive.
    budget: Option<Budget>,
    faults: Faults,
}

/// What is known once a stream was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEnd {
    /// Bytes of the file as it lies there, not decompressed.
    pub raw_bytes: u64,
    /// SHA-256 over those bytes. None where it was not asked for, where a
    /// read failed, or where the file changed meanwhile.
    pub sha256: Option<Digest>,
    /// What went wrong while it was read.
    pub warnings: Vec<Warning>,
}

impl Stream {
    /// A stream over any reader; `name` is the exhibit that warnings cite.
    /// Waits for the first few bytes.
    pub fn new(
        name: Raw,
        reader: Box<dyn Read + Send>,
        hashing: Hashing,
    ) -> Self {
        let feed = Feed::new(Source::Other(reader), None, hashing);
        Self::fed(name, feed, None)
    }

    /// The same over a member of an archive, of so many bytes where that is
    /// known: what is decoded is taken from what may come out of that.
    pub(super) fn member(
        name: Raw,
        reader: Box<dyn Read + Send>,
        size: Option<u64>,
        hashing: Hashing,
        budget: &Budget,
    ) -> Self {
        let feed = Feed::new(Source::Other(reader), size, hashing);
        let budget = Some(budget.clone());
        Self { budget, ..Self::fed(name, feed, None) }
    }

    /// A stream over a source, which was seen so if it is a file.
    pub(super) fn over(
        name: Raw,
        source: Source,
        seen: Option<Seen>,
        hashing: Hashing,
    ) -> Self {
        let size = seen.map(|seen| seen.bytes);
        Self::fed(name, Feed::new(source, size, hashing), seen)
    }

    fn fed(name: Raw, feed: Feed, seen: Option<Seen>) -> Self {
        let mut feed = Box::new(feed);
        let packing = Packing::of(feed.peek(Packing::BYTES));
        Self {
            name,
            feed,
            decoder: packing.map(Decoder::new),
            seen,
            limit: DECOMPRESSED_BYTES,
            worth: Yield::new(),
            budget: None,
            faults: Faults::default(),
        }
    }

    /// The same stream with another bound on decoded bytes.
    #[cfg(test)]
    pub(super) fn with_limit(mut self, limit: u64) -> Self {
        self.limit = limit;
        self
    }

    /// True where the bytes are decompressed on the way.
    pub fn is_compressed(&self) -> bool {
        self.decoder.is_some()
    }

    /// Reads what is left of the raw file, so that the digest covers all of
    /// it, and says what was met.
    pub fn finish(mut self) -> StreamEnd {
        self.feed.drain();
        let raw_bytes = self.feed.bytes();
        if let Some(error) = self.feed.fault() {
            let detail = format!("unreadable from byte {raw_bytes}: {error}");
            self.faults.note(Kind::Lost, detail);
        }
        let mut stable = true;
        if let (Some(seen), Some(file)) = (self.seen, self.feed.file())
            && let Some((kind, detail)) =
                seen.compare(Seen::now(file), raw_bytes)
        {
            stable = false;
            self.faults.note(kind, detail);
        }
        let mut warnings: Vec<Warning> = self
            .faults
            .into_inner()
            .into_iter()
            .map(|(kind, detail, count)| Warning {
                kind,
                exhibit: self.name.clone(),
                detail,
                count,
            })
            .collect();
        warnings.sort();
        let sha256 = self.feed.finish().filter(|_| stable);
        StreamEnd { raw_bytes, sha256, warnings }
    }

    /// Decodes, but not past the bound. At the bound one more byte is tried:
    /// an exhibit that ends right there was read whole.
    fn decode(&mut self, decoder: &mut Decoder, into: &mut [u8]) -> usize {
        let before = decoder.decoded();
        let left = self.left(before);
        if left == 0 {
            let more =
                decoder.read(&mut self.feed, &mut [0], &mut self.faults);
            decoder.stop();
            if more > 0 {
                let name = decoder.name();
                let detail =
                    format!("{name}: cut after {before} decoded bytes");
                self.faults.note(Kind::Limit, detail);
            }
            return 0;
        }
        let step = DECOMPRESSED_STEP - before % DECOMPRESSED_STEP;
        let room = usize::try_from(left.min(step)).unwrap_or(usize::MAX);
        let room = room.min(into.len());
        let into = into.get_mut(..room).unwrap_or_default();
        let count = decoder.read(&mut self.feed, into, &mut self.faults);
        if let Some(budget) = &self.budget {
            budget.unpack(count);
        }
        if count as u64 == step && !self.worth.step(self.feed.taken()) {
            self.limit = decoder.decoded();
        }
        count
    }

    /// Bytes that may still be decoded.
    fn left(&self, decoded: u64) -> u64 {
        let left = self.limit.saturating_sub(decoded);
        let budget = self.budget.as_ref();
        left.min(budget.map_or(u64::MAX, Budget::unpacked_left))
    }
}

impl Read for Stream {
    /// Never an error; 0 at the end, at damage and at a bound.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let Some(mut decoder) = self.decoder.take() else {
            return Ok(self.feed.read(into));
        };
        let count = self.decode(&mut decoder, into);
        self.decoder = Some(decoder);
        Ok(count)
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("name", &self.name)
            .field("compressed", &self.is_compressed())
            .field("raw_bytes", &self.feed.bytes())
            .finish_non_exhaustive()
    }
}
