//! One exhibit: cut into chunks at line starts, scanned in parallel, joined
//! in order.
//!
//! A wave is a few chunks a thread. All chunks of a wave start from the
//! state before it; where a chunk turns out to begin under another layout
//! it is scanned again. So memory stays bounded, and the result is that of
//! reading line after line.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

use crate::limits;
use crate::scan::chunk::{Chunk, Lines};
use crate::scan::collector::{Collector, Part, Setting, Tally};
use crate::scan::progress::Progress;
use crate::signature::{Scratch, Signatures};
use crate::w3c::State;
use crate::warning::{Kind, Warning};

/// What the chunks of an exhibit share.
pub(super) struct Shared<'s, C> {
    pub signatures: &'s Signatures,
    pub collector: &'s C,
    pub progress: &'s dyn Progress,
    pub setting: &'s Setting,
}

/// Scans the content of one exhibit.
pub(super) struct ExhibitScan<'s, C: Collector> {
    shared: Shared<'s, C>,
    chunk_bytes: usize,
    wave: usize,
    state: State,
    tally: Tally,
    part: C::Part,
}

impl<'s, C: Collector> ExhibitScan<'s, C> {
    /// Begins with chunks of so many bytes, and so many of them a wave.
    pub fn new(
        shared: Shared<'s, C>,
        chunk_bytes: usize,
        wave: usize,
    ) -> Self {
        let date = shared.setting.identity.date;
        let day = date.and_then(|(year, month, day)| {
            crate::w3c::Date::new(year, month, day)
        });
        Self {
            chunk_bytes: chunk_bytes.max(1),
            wave: wave.max(1),
            state: State { day, ..State::default() },
            tally: Tally::default(),
            part: shared.collector.part(shared.setting),
            shared,
        }
    }

    /// What was found.
    pub fn finish(self) -> (Tally, C::Part) {
        (self.tally, self.part)
    }

    /// Scans bytes that lie in memory as a whole. `lost` tells where pages
    /// vanished, if any did: lines from there on do not count.
    pub fn bytes(&mut self, bytes: &[u8], lost: &dyn Fn() -> Option<u64>) {
        let mut start = 0;
        while start < bytes.len() && !self.shared.progress.is_interrupted() {
            let rest = bytes.get(start..).unwrap_or_default();
            let known = self.state.layout.is_some();
            let most = if known { self.wave } else { 1 };
            let chunks = cut(rest, start as u64, self.chunk_bytes, most);
            let length: usize = chunks.iter().map(|one| one.bytes.len()).sum();
            if !self.wave(&chunks, lost) {
                self.until(bytes, start, lost);
                return;
            }
            start += length.max(1);
        }
    }

    /// What is left of a wave in which pages vanished: the bytes before are
    /// as found, unless yet more vanishes.
    fn until(
        &mut self,
        bytes: &[u8],
        start: usize,
        lost: &dyn Fn() -> Option<u64>,
    ) {
        while let Some(from) = lost() {
            let end = usize::try_from(from).unwrap_or(usize::MAX);
            let rest = bytes.get(start..end.max(start)).unwrap_or_default();
            let whole = memchr::memrchr(b'\n', rest).map_or(0, |at| at + 1);
            let rest = rest.get(..whole).unwrap_or_default();
            let chunks = cut(rest, start as u64, self.chunk_bytes, usize::MAX);
            if self.wave(&chunks, &|| lost().filter(|now| *now < from)) {
                return;
            }
        }
    }

    /// Scans a stream through one buffer of whole lines.
    pub fn stream(&mut self, stream: &mut dyn Read) {
        let room = self.chunk_bytes.saturating_mul(self.wave);
        let mut buffer = vec![0; room.clamp(1, 64 << 20)];
        let mut filled = 0;
        let mut offset = 0_u64;
        while !self.shared.progress.is_interrupted() {
            let space = buffer.get_mut(filled..).unwrap_or_default();
            let read = stream.read(space).unwrap_or(0);
            filled += read;
            if read != 0 && filled < buffer.len() {
                continue;
            }
            let held = buffer.get(..filled).unwrap_or_default();
            let whole = match memchr::memrchr(b'\n', held) {
                _ if read == 0 => filled,
                Some(at) => at + 1,
                // One byte more than the bound may be a CR.
                None if filled <= limits::LINE_BYTES + 1 => {
                    buffer.resize(buffer.len().saturating_mul(2), 0);
                    continue;
                }
                None => {
                    self.wave(
                        &[Lines { bytes: held, offset, cut: true }],
                        &|| None,
                    );
                    offset += filled as u64;
                    filled = skip_line(stream, &mut buffer, &mut offset);
                    continue;
                }
            };
            let lines = held.get(..whole).unwrap_or_default();
            let chunks = cut(lines, offset, self.chunk_bytes, usize::MAX);
            self.wave(&chunks, &|| None);
            offset += whole as u64;
            buffer.copy_within(whole..filled, 0);
            filled -= whole;
            if read == 0 {
                return;
            }
        }
    }

    /// Scans chunks that follow each other and joins what they give. Where
    /// pages vanished meanwhile nothing is joined, and the answer is false.
    fn wave(
        &mut self,
        chunks: &[Lines<'_>],
        lost: &dyn Fn() -> Option<u64>,
    ) -> bool {
        let assumed = self.state.clone();
        let shared = &self.shared;
        let scan = |lines: &Lines<'_>| shared.chunk(*lines, assumed.clone());
        // Without a layout nothing can be assumed.
        let known = assumed.layout.is_some() && !assumed.is_sequential();
        let ahead = chunks.len() > 1 && known;
        let scanned: Vec<_> = if ahead {
            chunks.par_iter().map(|lines| Some(scan(lines))).collect()
        } else {
            chunks.iter().map(|_| None).collect()
        };
        let mut state = assumed.clone();
        let mut settled = Vec::with_capacity(chunks.len());
        for (chunk, lines) in scanned.into_iter().zip(chunks) {
            let fits = chunk.filter(|chunk| match chunk {
                Ok(chunk) => chunk.parser.agrees(&assumed, &state),
                Err(_) => true,
            });
            let chunk =
                fits.unwrap_or_else(|| shared.chunk(*lines, state.clone()));
            if let Ok(chunk) = &chunk {
                state = chunk.parser.state_from(&state);
            }
            settled.push(chunk);
        }
        if lost().is_some() {
            return false;
        }
        self.state = state;
        for (chunk, lines) in settled.into_iter().zip(chunks) {
            self.join(chunk, *lines);
        }
        true
    }

    fn join(
        &mut self,
        chunk: Result<Chunk<C::Part>, Warning>,
        lines: Lines<'_>,
    ) {
        match chunk {
            Ok(chunk) => {
                self.part.append(chunk.part, self.tally.lines);
                self.tally.append(chunk.tally);
            }
            Err(warning) => {
                self.tally.warnings.push(warning);
                let count = memchr::memchr_iter(b'\n', lines.bytes).count();
                self.tally.lines += count as u64;
                self.tally.rejected += count as u64;
            }
        }
    }
}

impl<C: Collector> Shared<'_, C> {
    /// Scans one chunk. A fault of the program costs the chunk, not the run.
    fn chunk(
        &self,
        lines: Lines<'_>,
        state: State,
    ) -> Result<Chunk<C::Part>, Warning> {
        let part = self.collector.part(self.setting);
        let work = AssertUnwindSafe(|| {
            let mut scratch = Scratch::default();
            Chunk::scan(lines, state, part, self.signatures, &mut scratch)
        });
        let chunk = catch_unwind(work).map_err(|_panic| {
            let end = lines.offset + lines.bytes.len() as u64;
            Warning::new(
                Kind::Internal,
                self.setting.name.clone(),
                format!(
                    "a fault in iisleuth: bytes {} to {end} were not scanned",
                    lines.offset
                ),
            )
        });
        self.progress.advance(lines.bytes.len() as u64);
        chunk
    }
}

/// Reads over the rest of a line that is too long. What follows it stands
/// at the start of the buffer; returns how much that is.
fn skip_line(
    stream: &mut dyn Read,
    buffer: &mut [u8],
    offset: &mut u64,
) -> usize {
    loop {
        let read = stream.read(buffer).unwrap_or(0);
        let held = buffer.get(..read).unwrap_or_default();
        match memchr::memchr(b'\n', held) {
            Some(at) => {
                *offset += at as u64 + 1;
                buffer.copy_within(at + 1..read, 0);
                return read - at - 1;
            }
            None if read == 0 => return 0,
            None => *offset += read as u64,
        }
    }
}

/// Cuts bytes into at most `most` chunks of whole lines.
fn cut(
    bytes: &[u8],
    offset: u64,
    chunk_bytes: usize,
    most: usize,
) -> Vec<Lines<'_>> {
    let mut chunks = Vec::new();
    let mut rest = bytes;
    let mut offset = offset;
    while !rest.is_empty() && chunks.len() < most {
        let tail = rest.get(chunk_bytes.saturating_sub(1)..);
        let end = tail
            .and_then(|tail| memchr::memchr(b'\n', tail))
            .map_or(rest.len(), |at| chunk_bytes.saturating_sub(1) + at + 1);
        let (bytes, later) = rest.split_at(end.min(rest.len()));
        chunks.push(Lines { bytes, offset, cut: false });
        offset += bytes.len() as u64;
        rest = later;
    }
    chunks
}

/// Lines of a dialect that is not read: counted, so that the accounting
/// adds up, and nothing more.
impl<C: Collector> ExhibitScan<'_, C> {
    /// Counts the lines of the next piece; `open` says that it goes on in a
    /// line begun before. Returns whether it ends within a line.
    pub fn count(&mut self, bytes: &[u8], open: bool) -> bool {
        self.shared.progress.advance(bytes.len() as u64);
        let mut open = open;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !open {
                self.tally.lines += 1;
                match piece.trim_ascii().first() {
                    None => self.tally.blank += 1,
                    Some(b'#') if piece.first() == Some(&b'#') => {
                        self.tally.directives += 1;
                    }
                    Some(_) => self.tally.rejected += 1,
                }
            }
            open = !piece.ends_with(b"\n");
        }
        open
    }
}
