//! One open exhibit, on which any number of threads work.
//!
//! In: its content. Out: calls on the collector. A thread takes the next
//! block, scans it, and hands it to the [`Joint`]; one that finds another
//! thread at work hashes the file first, if nobody does. Memory is bounded:
//! nobody runs more than a few blocks ahead of what is joined.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::evidence::{Digest, Mapping, Whole};
use crate::raw::Raw;
use crate::scan::again::Again;
use crate::scan::bell::Bell;
use crate::scan::chunk::{Chunk, Desk, Lines, Looks};
use crate::scan::collector::{Collector, Setting, Tally};
use crate::scan::ends::{self, Reach};
use crate::scan::joint::{Joint, Scanned, fault};
use crate::scan::progress::Progress;
use crate::scan::reading::Reading;
use crate::scan::source::{Block, BlockBytes, Source, cut_off};
use crate::signature::Signatures;
use crate::w3c::{State, Terms};
use crate::warning::{Kind, Warning};

/// Blocks that may be scanned ahead of the last one joined. As many threads
/// as that can work on one exhibit without waiting.
const AHEAD: u64 = 64;

/// What all exhibits of a scan share.
pub(super) struct Shared<'s, C> {
    pub signatures: &'s Signatures,
    pub collector: &'s C,
    pub progress: &'s dyn Progress,
    pub chunk_bytes: usize,
    pub reading: &'s Reading,
    pub reach: Reach,
    /// Where this is not the first reading.
    pub again: Option<&'s Again>,
}

impl<C> Shared<'_, C> {
    /// True where the lines of an exhibit are to be read.
    pub fn is_read(&self, exhibit: &Raw) -> bool {
        self.again.is_none_or(|again| again.known(exhibit).is_some())
    }

    /// True where its members may be.
    pub fn is_opened(&self, exhibit: &Raw) -> bool {
        self.again.is_none_or(|again| again.is_opened(exhibit))
    }

    /// The terms that an exhibit is read under; enters its code page.
    pub fn terms(
        &self,
        setting: &mut Setting,
        held: &Held<'_>,
        source: &Source,
    ) -> Option<Arc<Terms>> {
        if !setting.dialect.is_read() {
            return None;
        }
        let start = source.head(held.bytes());
        let terms = self.reading.terms(&setting.identity, start);
        setting.codepage =
            self.reading.codepage(&setting.identity, start, terms.as_ref());
        terms
    }
}

impl<C> Clone for Shared<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Shared<'_, C> {}

/// Where an exhibit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Bytes that were at hand.
    Bytes,
    /// A path that was named.
    Named,
    /// A folder, or an archive.
    Found,
}

/// What an exhibit is read from.
pub(super) enum Held<'s> {
    Mapped(Box<Mapping>),
    Whole(Box<Whole>),
    Bytes(&'s [u8]),
    /// The stream is in the source.
    Stream,
}

impl Held<'_> {
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Mapped(mapping) => mapping.bytes(),
            Self::Whole(whole) => whole.bytes(),
            Self::Bytes(bytes) => bytes,
            Self::Stream => &[],
        }
    }

    /// From where on bytes vanished, if they did.
    fn lost(&self) -> Option<u64> {
        match self {
            Self::Mapped(mapping) => mapping.lost(),
            Self::Whole(_) | Self::Bytes(_) | Self::Stream => None,
        }
    }
}

/// An open exhibit.
pub(super) struct Work<'s, C: Collector> {
    setting: Setting,
    origin: Origin,
    shared: Shared<'s, C>,
    held: Held<'s>,
    source: Mutex<Source>,
    /// No block is left to be taken.
    exhausted: AtomicBool,
    joint: Mutex<Joint<C::Part>>,
    joined: Bell,
    /// Buffers of blocks that are done.
    spare: Mutex<Vec<Vec<u8>>>,
    /// The bytes in memory are hashed.
    hashes: bool,
    /// They are to be hashed, and nobody does yet.
    to_hash: AtomicBool,
    digest: Mutex<Option<Digest>>,
}

/// What is left when all is done.
pub(super) struct Outcome<'s, P> {
    pub origin: Origin,
    pub setting: Setting,
    pub tally: Tally,
    pub part: P,
    pub held: Held<'s>,
    pub source: Source,
    pub digest: Option<Digest>,
    /// Of the content, where that is nowhere as a whole.
    pub content: Option<Digest>,
}

/// A panic elsewhere costs one block, not the run.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'s, C: Collector> Work<'s, C> {
    /// Work on content that is no file.
    pub fn new(
        shared: Shared<'s, C>,
        setting: Setting,
        held: Held<'s>,
        source: Source,
        terms: Option<Arc<Terms>>,
    ) -> Self {
        let is_read = setting.dialect.is_read();
        let state = setting.state(terms);
        let mut source = source;
        if let (Reach::Ends, Held::Mapped(mapping)) = (shared.reach, &held)
            && setting.encoding.is_none()
            && let Some(gap) = ends::gap(mapping.bytes(), &state, is_read)
        {
            shared.progress.advance(gap.len() as u64);
            source = source.without(gap);
        }
        let part = shared.collector.part(&setting);
        Self {
            shared,
            held,
            source: Mutex::new(source),
            exhausted: AtomicBool::new(false),
            joint: Mutex::new(Joint::new(setting.name.clone(), state, part)),
            joined: Bell::default(),
            spare: Mutex::default(),
            hashes: false,
            to_hash: AtomicBool::new(false),
            digest: Mutex::default(),
            setting,
            origin: Origin::Bytes,
        }
    }

    /// The content is that of a file; if it is in memory, `hash` it.
    #[must_use]
    pub fn of(self, origin: Origin, hash: bool) -> Self {
        let is_file = matches!(self.held, Held::Mapped(_) | Held::Whole(_));
        let hashes = hash && is_file;
        let to_hash = AtomicBool::new(hashes);
        if hash && lock(&self.source).is_decoded() {
            lock(&self.joint).content.begin();
        }
        Self { origin, hashes, to_hash, ..self }
    }

    /// True where one more thread would find something to do.
    pub fn has_more(&self) -> bool {
        !self.exhausted.load(Ordering::SeqCst)
            || self.to_hash.load(Ordering::SeqCst)
    }

    /// Works until nothing is left to be taken. The thread that opened the
    /// exhibit hashes last, one that comes to help hashes first: hashing
    /// cannot be shared, so it must begin early.
    pub fn run(&self, desk: &mut Desk, helps: bool) {
        if helps {
            self.hash();
        }
        while self.block(desk) {}
        self.hash();
    }

    fn hash(&self) {
        if !self.to_hash.swap(false, Ordering::SeqCst) {
            return;
        }
        let digest = match &self.held {
            Held::Mapped(mapping) => mapping.sha256(),
            Held::Whole(whole) => Some(whole.sha256()),
            Held::Bytes(_) | Held::Stream => None,
        };
        *lock(&self.digest) = digest;
    }

    /// Takes the next block and scans it; false where there is none.
    fn block(&self, desk: &mut Desk) -> bool {
        let mut source = lock(&self.source);
        if self.shared.progress.is_interrupted() {
            self.exhausted.store(true, Ordering::SeqCst);
        }
        if self.exhausted.load(Ordering::SeqCst) {
            return false;
        }
        let buffer = || lock(&self.spare).pop().unwrap_or_default();
        let Some(block) = source.next(self.held.bytes(), buffer) else {
            self.exhausted.store(true, Ordering::SeqCst);
            return false;
        };
        let (assumed, is_known) = self.state_before(block.number);
        // Where lines hang on those before them, nobody may run ahead.
        let turn = if is_known {
            drop(source);
            None
        } else {
            Some(source)
        };
        let chunk = self.scan(&block, assumed.clone(), desk);
        self.put(Scanned { block, assumed, chunk }, desk);
        drop(turn);
        true
    }

    /// The state of the log before a block, as far as it is known, and
    /// whether later blocks may be scanned before this one is joined.
    fn state_before(&self, number: u64) -> (State, bool) {
        let mut joint = lock(&self.joint);
        loop {
            let is_known = number > 0 && !joint.state.is_sequential();
            let may_run_ahead = is_known && joint.done > 0;
            if number == joint.done
                || (may_run_ahead && number <= joint.done + AHEAD)
            {
                return (joint.state.clone(), is_known);
            }
            joint = self.joined.wait(joint);
        }
    }

    /// Scans a block. A fault of the program costs the block, not the run.
    fn scan(
        &self,
        block: &Block,
        state: State,
        desk: &mut Desk,
    ) -> Result<Chunk<C::Part>, Warning> {
        let lines = self.lines(block);
        let part = self.shared.collector.part(&self.setting);
        let span = self.shared.reading.span.as_ref();
        let known =
            self.shared.again.and_then(|it| it.known(&self.setting.name));
        let codepage = self.setting.codepage;
        let signatures = self.shared.signatures;
        let looks = Looks { signatures, span, known, codepage };
        let work = AssertUnwindSafe(|| {
            if self.setting.dialect.is_read() {
                Chunk::scan(lines, state, part, looks, desk)
            } else {
                Chunk::count(lines, state, part)
            }
        });
        let chunk = catch_unwind(work)
            .map_err(|_panic| fault(self.setting.name.clone(), block));
        self.shared.progress.advance(lines.bytes.len() as u64);
        chunk
    }

    fn lines<'b>(&'b self, block: &'b Block) -> Lines<'b> {
        let bytes = match &block.bytes {
            BlockBytes::Part(range) => self.held.bytes().get(range.clone()),
            BlockBytes::Read(buffer, length) => buffer.get(..*length),
        };
        let (offset, cut) = (block.offset, block.cut);
        Lines { bytes: bytes.unwrap_or_default(), offset, cut }
    }

    /// Joins a scanned block, and what waited for it.
    fn put(&self, scanned: Scanned<C::Part>, desk: &mut Desk) {
        let mut joint = lock(&self.joint);
        joint.put(scanned);
        let mut end = 0;
        while let Some(next) = joint.next() {
            end =
                next.block.offset + self.lines(&next.block).bytes.len() as u64;
            let gone = self.held.lost().is_some_and(|from| from < end);
            let block = if gone || joint.broken.is_some() {
                joint.drop_block(&next.block);
                next.block
            } else {
                let bytes = self.lines(&next.block).bytes;
                joint.content.add(next.block.offset, bytes);
                self.join(&mut joint, next, desk)
            };
            if let BlockBytes::Read(buffer, _) = block.bytes {
                lock(&self.spare).push(buffer);
            }
            self.joined.ring();
        }
        drop(joint);
        // Who hashes reads all pages once more, mostly behind the scan.
        if let Held::Mapped(mapping) = &self.held
            && !self.hashes
        {
            mapping.release(end);
        }
    }

    fn join(
        &self,
        joint: &mut Joint<C::Part>,
        scanned: Scanned<C::Part>,
        desk: &mut Desk,
    ) -> Block {
        let again = |block: &Block, state, desk: &mut Desk| {
            self.scan(block, state, desk)
        };
        let lines = |block: &Block| {
            let bytes = self.lines(block).bytes;
            memchr::memchr_iter(b'\n', bytes).count() as u64
        };
        joint.join(scanned, desk, again, lines)
    }

    /// What is left of an exhibit of which bytes vanished: those before are
    /// as found, unless yet more vanishes.
    fn mend(&self, desk: &mut Desk) {
        loop {
            let broken = lock(&self.joint).broken.take();
            let Some(start) = broken else { return };
            let from = self.held.lost().unwrap_or(start);
            let end = usize::try_from(from).unwrap_or(usize::MAX);
            let mut at = usize::try_from(start).unwrap_or(usize::MAX);
            let bytes = self.held.bytes();
            let kept = bytes.get(..end).unwrap_or(bytes);
            let whole = memchr::memrchr(b'\n', kept).map_or(0, |at| at + 1);
            let kept = kept.get(..whole).unwrap_or_default();
            while at < kept.len() {
                let end = cut_off(kept, at, self.shared.chunk_bytes);
                let (number, state) = {
                    let joint = lock(&self.joint);
                    (joint.done, joint.state.clone())
                };
                let block = Block {
                    number,
                    offset: at as u64,
                    bytes: BlockBytes::Part(at..end),
                    cut: false,
                };
                let chunk = self.scan(&block, state.clone(), desk);
                self.put(Scanned { block, assumed: state, chunk }, desk);
                at = end;
            }
        }
    }

    /// Everything, once nobody works on it any more.
    pub fn finish(self, desk: &mut Desk) -> Outcome<'s, C::Part> {
        self.mend(desk);
        let joint = self.joint.into_inner();
        let mut joint = joint.unwrap_or_else(PoisonError::into_inner);
        if joint.tally.inferred > 0
            && let Some(terms) = &joint.state.terms
        {
            let name = &self.setting.name;
            let warn =
                |detail| Warning::new(Kind::Assumed, name.clone(), detail);
            joint.tally.warnings.extend(terms.inferred().map(warn));
        }
        let source = self.source.into_inner();
        let source = source.unwrap_or_else(PoisonError::into_inner);
        joint.tally.left_out = source.left_out();
        let digest = self.digest.into_inner();
        Outcome {
            origin: self.origin,
            setting: self.setting,
            tally: joint.tally,
            part: joint.part,
            content: joint.content.finish(),
            held: self.held,
            source,
            digest: digest.unwrap_or_else(PoisonError::into_inner),
        }
    }
}
