//! Joins what the blocks of an exhibit give, in their order.
//!
//! In: scanned blocks, from any thread, in any order. Out: one tally and one
//! part, the same as if line after line had been read. Each block was read
//! under the state of the log that was known when it was taken; where an
//! earlier block turned out to change it, the block is scanned again here.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::evidence::{Digest, Hasher, Hashing};
use crate::raw::Raw;
use crate::scan::chunk::{Chunk, Desk};
use crate::scan::collector::{Part, Tally};
use crate::scan::source::Block;
use crate::w3c::State;
use crate::warning::{Kind, Warning};

/// A block and what it gave.
pub(super) struct Scanned<P> {
    pub block: Block,
    /// What the state was taken to be before it.
    pub assumed: State,
    /// Or why it could not be scanned.
    pub chunk: Result<Chunk<P>, Warning>,
}

/// Joined so far.
pub(super) struct Joint<P> {
    pub state: State,
    pub tally: Tally,
    pub part: P,
    /// How many blocks are joined or dropped.
    pub done: u64,
    /// Where the first block begins that holds bytes which vanished.
    pub broken: Option<u64>,
    /// The digest of a content that is nowhere as a whole.
    pub content: Content,
    exhibit: Raw,
    waiting: BTreeMap<u64, Scanned<P>>,
}

/// What is said of a block that a fault of the program cost.
pub(super) fn fault(exhibit: Raw, block: &Block) -> Warning {
    let detail = format!(
        "a fault in iisleuth: the block from byte {} on was not scanned",
        block.offset
    );
    Warning::new(Kind::Internal, exhibit, detail)
}

/// The digest of what was joined.
#[derive(Default)]
pub(super) struct Content {
    hasher: Option<Hasher>,
    bytes: u64,
    /// Something was left out.
    torn: bool,
}

impl Content {
    /// Hashes from now on.
    pub fn begin(&mut self) {
        self.hasher = Some(Hasher::new(Hashing::Sha256));
    }

    /// Adds a block.
    pub fn add(&mut self, offset: u64, bytes: &[u8]) {
        let Some(hasher) = &mut self.hasher else { return };
        self.torn |= offset != self.bytes;
        hasher.update(bytes);
        self.bytes = offset + bytes.len() as u64;
    }

    /// The digest, where nothing was left out.
    pub fn finish(self) -> Option<Digest> {
        self.hasher.filter(|_| !self.torn)?.finish()
    }
}

impl<P: Part> Joint<P> {
    pub fn new(exhibit: Raw, state: State, part: P) -> Self {
        Self {
            exhibit,
            state,
            tally: Tally::default(),
            part,
            done: 0,
            broken: None,
            content: Content::default(),
            waiting: BTreeMap::new(),
        }
    }

    /// Takes a scanned block.
    pub fn put(&mut self, scanned: Scanned<P>) {
        self.waiting.insert(scanned.block.number, scanned);
    }

    /// The next block in order, where it is there.
    pub fn next(&mut self) -> Option<Scanned<P>> {
        self.waiting.remove(&self.done)
    }

    /// Joins the next block. `again` scans it under another state; `lines`
    /// counts those of a block that could not be scanned.
    pub fn join(
        &mut self,
        scanned: Scanned<P>,
        desk: &mut Desk,
        again: impl Fn(&Block, State, &mut Desk) -> Result<Chunk<P>, Warning>,
        lines: impl Fn(&Block) -> u64,
    ) -> Block {
        let Scanned { block, assumed, chunk } = scanned;
        let agrees = match &chunk {
            Ok(chunk) => chunk.parser.agrees(&assumed, &self.state),
            Err(_) => true,
        };
        let chunk = if agrees {
            chunk
        } else {
            again(&block, self.state.clone(), desk)
        };
        match chunk {
            Ok(chunk) => {
                self.state = chunk.parser.state_from(&self.state);
                let (part, before) = (&mut self.part, self.tally.lines);
                let append =
                    AssertUnwindSafe(|| part.append(chunk.part, before));
                if catch_unwind(append).is_err() {
                    let warning = fault(self.exhibit.clone(), &block);
                    self.tally.warnings.push(warning);
                }
                self.tally.append(chunk.tally);
            }
            Err(warning) => {
                let count = lines(&block);
                self.tally.warnings.push(warning);
                self.tally.lines += count;
                self.tally.rejected += count;
            }
        }
        self.done += 1;
        block
    }

    /// Leaves the next block out: bytes of it vanished, or of one before.
    pub fn drop_block(&mut self, block: &Block) {
        self.broken.get_or_insert(block.offset);
        self.done += 1;
    }
}
