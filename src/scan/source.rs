//! The content of an exhibit as blocks of whole lines, one after the other.
//!
//! In: bytes that lie in memory, or a stream. Out: [`Block`]s. Any thread
//! takes the next one; scanning a block takes longer than cutting it off,
//! and of a compressed exhibit one thread decompresses the next block while
//! others scan those before it.

use std::io::Read;
use std::ops::Range;

use crate::evidence::Stream;
use crate::limits;
use crate::scan::utf16::Utf16;

/// Whole lines, the next in their exhibit.
#[derive(Debug)]
pub(super) struct Block {
    /// Counted from 0.
    pub number: u64,
    /// Where its first byte stands in the content.
    pub offset: u64,
    pub bytes: BlockBytes,
    /// Its last line goes on beyond it.
    pub cut: bool,
}

#[derive(Debug)]
pub(super) enum BlockBytes {
    /// A part of the bytes in memory.
    Part(Range<usize>),
    /// So many bytes of a buffer, read from a stream.
    Read(Vec<u8>, usize),
}

/// Where blocks come from.
#[derive(Debug)]
pub(super) struct Source {
    from: From,
    chunk_bytes: usize,
    number: u64,
    offset: u64,
}

#[derive(Debug)]
enum From {
    Memory {
        at: usize,
        /// Bytes that are left out, from line start to line start.
        gap: Range<usize>,
    },
    Read(Box<Reader>),
}

impl Source {
    /// Bytes in memory, cut after about `chunk_bytes` each.
    pub fn memory(chunk_bytes: usize) -> Self {
        Self::new(From::Memory { at: 0, gap: 0..0 }, chunk_bytes)
    }

    /// The same without these bytes, which begin and end at line starts.
    #[must_use]
    pub fn without(self, range: Range<usize>) -> Self {
        match self.from {
            From::Memory { at, .. } => {
                Self { from: From::Memory { at, gap: range }, ..self }
            }
            From::Read(_) => self,
        }
    }

    /// How many bytes are left out.
    pub fn left_out(&self) -> u64 {
        match &self.from {
            From::Memory { gap, .. } => gap.len() as u64,
            From::Read(_) => 0,
        }
    }

    /// A stream, of which `head` was read before: all that it gave, where
    /// that is less than [`limits::SNIFF_BYTES`].
    pub fn stream(stream: Stream, head: Vec<u8>, chunk_bytes: usize) -> Self {
        // A stream that gives less than it is asked for has ended.
        let done = head.len() < limits::SNIFF_BYTES;
        let reader = Reader::new(Input::Stream(stream), head, None);
        let reader = Reader { done, ..reader };
        Self::new(From::Read(Box::new(reader)), chunk_bytes)
    }

    /// UTF-16 in memory; `start` is how its text begins.
    pub fn utf16_memory(
        text: Utf16,
        start: Vec<u8>,
        chunk_bytes: usize,
    ) -> Self {
        let reader = Reader::new(Input::Memory(0), start, Some(text));
        Self::new(From::Read(Box::new(reader)), chunk_bytes)
    }

    /// UTF-16 from a stream, of which some was read before and is in `text`.
    pub fn utf16_stream(
        stream: Stream,
        text: Utf16,
        start: Vec<u8>,
        chunk_bytes: usize,
    ) -> Self {
        let reader = Reader::new(Input::Stream(stream), start, Some(text));
        Self::new(From::Read(Box::new(reader)), chunk_bytes)
    }

    /// True where text that should be UTF-16 was none.
    pub fn is_malformed(&self) -> bool {
        match &self.from {
            From::Memory { .. } => false,
            From::Read(reader) => {
                reader.text.as_ref().is_some_and(Utf16::is_malformed)
            }
        }
    }

    fn new(from: From, chunk_bytes: usize) -> Self {
        let chunk_bytes = chunk_bytes.max(1);
        Self { from, chunk_bytes, number: 0, offset: 0 }
    }

    /// True where the content is not the bytes as found.
    pub fn is_decoded(&self) -> bool {
        match &self.from {
            From::Memory { .. } => false,
            From::Read(reader) => {
                reader.text.is_some() || reader.input.is_compressed()
            }
        }
    }

    /// What is known of its start before a block is taken.
    pub fn head<'a>(&'a self, memory: &'a [u8]) -> &'a [u8] {
        let head = match &self.from {
            From::Memory { .. } => memory,
            From::Read(reader) if reader.text.is_some() => &reader.start,
            From::Read(reader) => &reader.rest,
        };
        head.get(..limits::SNIFF_BYTES).unwrap_or(head)
    }

    /// The next block. `memory` are the bytes in memory; `buffer` is used
    /// for what is read.
    pub fn next(
        &mut self,
        memory: &[u8],
        buffer: impl FnOnce() -> Vec<u8>,
    ) -> Option<Block> {
        let mut offset = self.offset;
        let (bytes, length, cut) = match &mut self.from {
            From::Memory { at, gap } => {
                if *at == gap.start && gap.start < gap.end {
                    *at = gap.end;
                    offset += gap.len() as u64;
                }
                let start = *at;
                let until =
                    if start < gap.start { gap.start } else { memory.len() };
                let part = memory.get(..until).unwrap_or(memory);
                *at = cut_off(part, start, self.chunk_bytes);
                (BlockBytes::Part(start..*at), *at - start, false)
            }
            From::Read(reader) => {
                let read = reader.next(memory, buffer(), self.chunk_bytes)?;
                offset += read.skipped;
                let bytes = BlockBytes::Read(read.buffer, read.length);
                (bytes, read.length, read.cut)
            }
        };
        if length == 0 {
            return None;
        }
        self.offset = offset + length as u64;
        let number = self.number;
        self.number += 1;
        Some(Block { number, offset, bytes, cut })
    }

    /// The stream, if it was one.
    pub fn into_stream(self) -> Option<Stream> {
        match self.from {
            From::Memory { .. } => None,
            From::Read(reader) => match reader.input {
                Input::Stream(stream) => Some(stream),
                Input::Memory(_) => None,
            },
        }
    }
}

/// The end of the first line that ends `chunk_bytes` or more after `start`.
pub(super) fn cut_off(
    bytes: &[u8],
    start: usize,
    chunk_bytes: usize,
) -> usize {
    let least = start.saturating_add(chunk_bytes.saturating_sub(1));
    bytes
        .get(least..)
        .and_then(|tail| memchr::memchr(b'\n', tail))
        .map_or(bytes.len(), |at| least + at + 1)
}

/// Where a reader reads from.
#[derive(Debug)]
enum Input {
    Stream(Stream),
    /// The bytes in memory, from this one on.
    Memory(usize),
}

impl Input {
    fn is_compressed(&self) -> bool {
        matches!(self, Self::Stream(stream) if stream.is_compressed())
    }

    fn read(&mut self, memory: &[u8], into: &mut [u8]) -> usize {
        match self {
            // `Stream` reports no error: damage ends it.
            Self::Stream(stream) => stream.read(into).unwrap_or(0),
            Self::Memory(at) => {
                let left = memory.get(*at..).unwrap_or_default();
                let count = left.len().min(into.len());
                if let (Some(to), Some(from)) =
                    (into.get_mut(..count), left.get(..count))
                {
                    to.copy_from_slice(from);
                }
                *at += count;
                count
            }
        }
    }
}

/// Reads whole lines from a stream, or from memory what is no UTF-8 there.
#[derive(Debug)]
struct Reader {
    input: Input,
    /// Decodes on the way.
    text: Option<Utf16>,
    /// How a text that is decoded begins.
    start: Vec<u8>,
    /// What was read after the last whole line.
    rest: Vec<u8>,
    /// The next bytes belong to a line that was too long.
    skips: bool,
    done: bool,
}

/// What was read for a block.
struct Filled {
    buffer: Vec<u8>,
    length: usize,
    cut: bool,
    /// Bytes of a line that was too long, left out before these.
    skipped: u64,
}

impl Reader {
    /// Of what is not decoded, `start` was read before.
    fn new(input: Input, start: Vec<u8>, text: Option<Utf16>) -> Self {
        let (start, rest) = match text {
            Some(_) => (start, Vec::new()),
            None => (Vec::new(), start),
        };
        Self { input, text, start, rest, skips: false, done: false }
    }

    fn next(
        &mut self,
        memory: &[u8],
        buffer: Vec<u8>,
        chunk_bytes: usize,
    ) -> Option<Filled> {
        let mut buffer = buffer;
        if let Some(length) = self.held_back(&mut buffer, chunk_bytes) {
            return Some(Filled { buffer, length, cut: false, skipped: 0 });
        }
        let mut filled = self.rest.len();
        // Where there is no more, no more room is needed either.
        let mut want =
            if self.done { filled } else { chunk_bytes.max(filled) };
        grow(&mut buffer, want);
        buffer.get_mut(..filled)?.copy_from_slice(&self.rest);
        self.rest.clear();
        let mut skipped = 0;
        loop {
            filled = self.fill(memory, &mut buffer, filled, want);
            if self.skips {
                let held = buffer.get(..filled).unwrap_or_default();
                let end = memchr::memchr(b'\n', held);
                let over = end.map_or(filled, |at| at + 1);
                skipped += over as u64;
                buffer.copy_within(over..filled, 0);
                filled -= over;
                self.skips = end.is_none();
                if self.skips && self.done {
                    return None;
                }
                continue;
            }
            let held = buffer.get(..filled).unwrap_or_default();
            let (length, cut) = match memchr::memrchr(b'\n', held) {
                _ if self.done => (filled, false),
                Some(at) => (at + 1, false),
                // One byte more than the bound may be a CR.
                None if filled <= limits::LINE_BYTES + 1 => {
                    want = want.saturating_mul(2);
                    grow(&mut buffer, want);
                    continue;
                }
                None => (filled, true),
            };
            self.skips = cut;
            let rest = buffer.get(length..filled).unwrap_or_default();
            self.rest.extend_from_slice(rest);
            return Some(Filled { buffer, length, cut, skipped });
        }
    }

    /// A block of what was read before, where that is long enough.
    fn held_back(
        &mut self,
        buffer: &mut Vec<u8>,
        chunk_bytes: usize,
    ) -> Option<usize> {
        let end = cut_off(&self.rest, 0, chunk_bytes);
        let block = self.rest.get(..end)?;
        if !block.ends_with(b"\n") {
            return None;
        }
        grow(buffer, end);
        buffer.get_mut(..end)?.copy_from_slice(block);
        self.rest.drain(..end);
        Some(end)
    }

    /// Reads until the buffer holds `want` bytes or nothing is left.
    fn fill(
        &mut self,
        memory: &[u8],
        buffer: &mut [u8],
        held: usize,
        want: usize,
    ) -> usize {
        let mut held = held;
        while held < want && !self.done {
            let space = buffer.get_mut(held..want).unwrap_or_default();
            let Self { input, text, .. } = self;
            let read = match text {
                Some(text) => text.read(space, |raw| input.read(memory, raw)),
                None => input.read(memory, space),
            };
            self.done = read == 0;
            held += read;
        }
        held
    }
}

fn grow(buffer: &mut Vec<u8>, length: usize) {
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
}
