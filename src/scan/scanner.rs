//! All exhibits, in parallel: opens each, tells its dialect, scans it, and
//! hands the whole over.

use std::io;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use crate::error::Result;
use crate::evidence::{
    Access, Archive, Budget, Content, Evidence, Exhibit, Hashing, Input,
    Member, Passwords, PathIdentity, StreamEnd,
};
use crate::limits;
use crate::raw::Raw;
use crate::scan::Silent;
use crate::scan::again::Again;
use crate::scan::board::{Board, Task};
use crate::scan::chunk::Desk;
use crate::scan::collector::{Collector, Setting, Tally};
use crate::scan::ends::Reach;
use crate::scan::note::{aside, note};
use crate::scan::open::{Holding, Opened, head, hold};
use crate::scan::progress::Progress;
use crate::scan::reading::Reading;
use crate::scan::source::Source;
use crate::scan::span::tail;
use crate::scan::tray::Tray;
use crate::scan::work::{Held, Origin, Outcome, Shared, Work};
use crate::signature::Signatures;
use crate::w3c::Terms;
use crate::w3c::dialect::detect;
use crate::w3c::simd::Isa;
use crate::warning::{Kind, Warning};

/// How to scan. None of it changes what is found, but for the reach.
#[derive(Clone, Copy, Debug)]
pub struct ScanOptions {
    /// Threads; 0 is one a core.
    pub threads: usize,
    /// Mapped or buffered.
    pub access: Access,
    /// SHA-256 of each exhibit, or none.
    pub hashing: Hashing,
    /// Bytes of a chunk.
    pub chunk_bytes: usize,
    /// The kernels to use.
    pub isa: Isa,
    /// Every line, or both ends: this alone changes what is found.
    pub reach: Reach,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            threads: 0,
            access: Access::Auto,
            hashing: Hashing::Sha256,
            chunk_bytes: 1 << 20,
            isa: Isa::best(),
            reach: Reach::Whole,
        }
    }
}

/// Scans evidence with one set of signatures.
#[derive(Debug)]
pub struct Scanner<'s> {
    signatures: &'s Signatures,
    options: ScanOptions,
    threads: usize,
    reading: Reading,
    passwords: Passwords,
}

impl<'s> Scanner<'s> {
    /// A scanner with threads of its own.
    pub fn new(
        signatures: &'s Signatures,
        options: ScanOptions,
    ) -> Result<Self> {
        let threads = match options.threads {
            0 => thread::available_parallelism().map_or(1, NonZeroUsize::get),
            threads => threads,
        };
        let (reading, passwords) = Default::default();
        Ok(Self { signatures, options, threads, reading, passwords })
    }

    /// The same, with other signatures.
    #[must_use]
    pub fn with_signatures<'o>(
        &self,
        signatures: &'o Signatures,
    ) -> Scanner<'o> {
        let Self { options, threads, .. } = *self;
        let (reading, passwords) =
            (self.reading.clone(), self.passwords.clone());
        Scanner { signatures, options, threads, reading, passwords }
    }

    /// The same, with what the user tells about the logs.
    #[must_use]
    pub fn with_reading(self, reading: Reading) -> Self {
        Self { reading, ..self }
    }

    /// The same, with passwords for archives that are encrypted.
    #[must_use]
    pub fn with_passwords(self, passwords: Passwords) -> Self {
        Self { passwords, ..self }
    }

    /// Scans every exhibit into the collector. Returns false where it was
    /// interrupted: what was found until then has been handed over.
    pub fn scan<C: Collector>(
        &self,
        evidence: &Evidence,
        collector: &C,
        progress: &dyn Progress,
    ) -> bool {
        let all = evidence.exhibits.iter().collect();
        self.scan_all(all, self.shared(collector, progress))
    }

    /// Scans some exhibits once more, as [`Scanner::scan`] does, without the
    /// records that are passed over. Of the others nothing is handed over.
    pub fn scan_again<C: Collector>(
        &self,
        evidence: &Evidence,
        again: &Again,
        collector: &C,
        progress: &dyn Progress,
    ) -> bool {
        let shared = self.shared(collector, progress);
        let shared = Shared { again: Some(again), ..shared };
        let some = evidence.exhibits.iter();
        let some = some.filter(|one| shared.is_opened(&one.name));
        self.scan_all(some.collect(), shared)
    }

    /// How files are opened.
    pub(super) fn access(&self) -> Access {
        self.options.access
    }

    /// Bytes of a block.
    pub(super) fn chunk_bytes(&self) -> usize {
        self.options.chunk_bytes
    }

    /// What opens encrypted archives.
    pub(super) fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    fn scan_all<'a, C: Collector>(
        &self,
        mut exhibits: Vec<&'a Exhibit>,
        shared: Shared<'a, C>,
    ) -> bool {
        let progress = shared.progress;
        progress.begin(exhibits.iter().map(|one| one.bytes).sum());
        // Largest first, so that no thread is left with a long one.
        exhibits.sort_by_key(|exhibit| exhibit.bytes);
        self.run(&Board::new(exhibits), shared);
        progress.end();
        !progress.is_interrupted()
    }

    /// Scans bytes that are at hand as one exhibit of that name.
    pub fn scan_bytes<C: Collector>(
        &self,
        name: &Raw,
        bytes: &[u8],
        collector: &C,
    ) {
        let mut setting = Setting {
            dialect: detect(head(bytes)),
            ..Setting::unopened(name.clone(), PathIdentity::default())
        };
        let shared = self.shared(collector, &Silent);
        let source = Source::memory(shared.chunk_bytes);
        let held = Held::Bytes(bytes);
        let terms = shared.terms(&mut setting, &held, &source);
        let work = Work::new(shared, setting, held, source, terms);
        self.run(&Board::of(work), shared);
    }

    pub(super) fn shared<'a, C>(
        &'a self,
        collector: &'a C,
        progress: &'a dyn Progress,
    ) -> Shared<'a, C> {
        let chunk_bytes = self.options.chunk_bytes;
        let signatures = self.signatures;
        Shared {
            signatures,
            collector,
            progress,
            chunk_bytes,
            reading: &self.reading,
            reach: self.options.reach,
            again: None,
        }
    }

    /// Does what is on the board, with all threads.
    fn run<'a, C: Collector>(
        &self,
        board: &Board<'a, C>,
        shared: Shared<'a, C>,
    ) {
        let options = self.options;
        let small = if board.is_crowded() { limits::SMALL_FILE } else { 0 };
        let passwords = &self.passwords;
        let worker = move || {
            Worker { options, small, board, shared, passwords }.run();
        };
        thread::scope(|scope| {
            for _ in 1..self.threads {
                let builder = thread::Builder::new();
                // Where the system gives no more, fewer do the work.
                if builder.spawn_scoped(scope, worker).is_err() {
                    break;
                }
            }
            worker();
        });
    }
}

/// One thread of a scan.
struct Worker<'b, 'a, C: Collector> {
    options: ScanOptions,
    /// Files of so many bytes are read, not mapped.
    small: u64,
    board: &'b Board<'a, C>,
    shared: Shared<'a, C>,
    passwords: &'b Passwords,
}

impl<'a, C: Collector> Worker<'_, 'a, C> {
    fn run(&self) {
        let mut desk = Desk::new(self.options.isa);
        let interrupted = || self.shared.progress.is_interrupted();
        while let Some(task) = self.board.next(&interrupted) {
            match task {
                Task::Help(work) => self.work(work, true, &mut desk),
                Task::Open(exhibit) => self.exhibit(exhibit, &mut desk),
                Task::Take(tray) => self.tray(tray, &mut desk),
            }
        }
    }

    /// Works on an open exhibit, and closes it where nobody else is at it.
    fn work(&self, work: Arc<Work<'a, C>>, helps: bool, desk: &mut Desk) {
        work.run(desk, helps);
        if let Some(work) = self.board.leave(work) {
            let _closed = Closed(self.board);
            let outcome = work.finish(desk);
            self.close(outcome, desk);
        }
    }

    fn exhibit(&self, exhibit: &'a Exhibit, desk: &mut Desk) {
        let setting =
            Setting::unopened(exhibit.name.clone(), exhibit.identity());
        let origin =
            if exhibit.explicit { Origin::Named } else { Origin::Found };
        let (access, hashing) = (self.options.access, self.options.hashing);
        let buffer = || std::mem::take(&mut desk.file);
        match exhibit.open_small(access, hashing, self.small, buffer) {
            Err(warning) => {
                let _closed = Closed(self.board);
                let tally = Tally {
                    bytes: exhibit.bytes,
                    warnings: vec![warning],
                    ..Tally::default()
                };
                self.without_lines(origin, &setting, tally);
            }
            Ok(content) => {
                let budget = match exhibit.input {
                    Input::File => Budget::of(exhibit.bytes),
                    Input::Stdin => Budget::unbounded(),
                };
                let opened = Opened { setting, origin, depth: 0, budget };
                self.content(opened, content, &exhibit.path(), desk);
            }
        }
    }

    /// Works on open content. `path` tells the host of an archive's members.
    fn content(
        &self,
        opened: Opened,
        content: Content,
        path: &Path,
        desk: &mut Desk,
    ) {
        let mut opened = opened;
        let chunk_bytes = self.options.chunk_bytes;
        match hold(content, chunk_bytes, &mut opened) {
            Holding::Lines(_, source)
                if !self.shared.is_read(&opened.setting.name) =>
            {
                let _closed = Closed(self.board);
                drop(source);
            }
            Holding::Lines(held, source) => {
                let Opened { mut setting, origin, .. } = opened;
                let terms = self.shared.terms(&mut setting, &held, &source);
                if self.is_outside(&setting, &held, &source, terms.as_ref()) {
                    let _closed = Closed(self.board);
                    return self.leave(origin, &setting, &held, source);
                }
                let hash = self.options.hashing == Hashing::Sha256;
                let work =
                    Work::new(self.shared, setting, held, source, terms);
                self.work(self.board.show(work.of(origin, hash)), false, desk);
            }
            Holding::Archive(archive) => {
                let archive = archive.unlock(self.passwords);
                let name = &opened.setting.name;
                match archive.apart(name, path, &opened.budget) {
                    Ok(apart) => {
                        let Opened { setting, origin, .. } = opened;
                        let tray = Tray { setting, origin, apart };
                        let tray = Arc::new(tray);
                        self.board.put_up(&tray);
                        self.tray(tray, desk);
                    }
                    Err(archive) => {
                        let _closed = Closed(self.board);
                        self.archive(opened, *archive, path, desk);
                    }
                }
            }
        }
    }

    /// True where a log lies outside the time that is asked for.
    fn is_outside(
        &self,
        setting: &Setting,
        held: &Held<'_>,
        source: &Source,
        terms: Option<&Arc<Terms>>,
    ) -> bool {
        let is_read = setting.dialect.is_read();
        let Some(span) = self.shared.reading.span.filter(|_| is_read) else {
            return false;
        };
        let bytes = held.bytes();
        let is_plain = setting.encoding.is_none() && !bytes.is_empty();
        let tail = is_plain.then(|| tail(bytes));
        let start = source.head(bytes);
        span.leaves(start, tail, terms, setting.identity.date)
    }

    /// Lists a log without reading it.
    fn leave(
        &self,
        origin: Origin,
        setting: &Setting,
        held: &Held<'_>,
        source: Source,
    ) {
        let bytes = held.bytes().len() as u64;
        let mut tally = Tally { bytes, unread: true, ..Tally::default() };
        if let Some(stream) = source.into_stream() {
            tally.end(stream.finish());
        }
        self.shared.progress.advance(bytes);
        self.without_lines(origin, setting, tally);
    }

    /// Works on the members of an archive, one after the other, while a
    /// thread of its own decompresses them and others help.
    fn archive(
        &self,
        opened: Opened,
        archive: Archive,
        path: &Path,
        desk: &mut Desk,
    ) {
        let Opened { setting, origin, depth, budget } = opened;
        let mut tally = Tally::default();
        let warn = |kind, detail: String| {
            Warning::new(kind, setting.name.clone(), detail)
        };
        if depth >= limits::ARCHIVE_DEPTH {
            let detail = format!("not opened: {depth} archives deep");
            tally.warnings.push(warn(Kind::Limit, detail));
            tally.end(archive.finish());
            return self.without_lines(origin, &setting, tally);
        }
        let (walk, members) = archive.open(&setting.name, path, &budget);
        let end = thread::scope(|scope| {
            let walker = thread::Builder::new();
            let walker = walker.spawn_scoped(scope, move || walk.run())?;
            for member in members {
                if self.shared.progress.is_interrupted() {
                    break;
                }
                self.member(member, depth + 1, &budget, desk);
            }
            Ok(walker.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        let end = end.map_err(|error: io::Error| {
            warn(Kind::Unreadable, format!("no thread to unpack it: {error}"))
        });
        match end {
            Ok(end) => tally.end(end),
            Err(warning) => tally.warnings.push(warning),
        }
        self.without_lines(origin, &setting, tally);
    }

    /// Works on members of an archive that others work on as well, and
    /// closes it where nobody else is at it.
    fn tray(&self, tray: Arc<Tray>, desk: &mut Desk) {
        while !self.shared.progress.is_interrupted()
            && let Some((member, budget)) = tray.next()
        {
            self.member(member, 1, &budget, desk);
        }
        if let Some(tray) = self.board.take_down(tray) {
            let _closed = Closed(self.board);
            let mut tally = Tally::default();
            tally.end(tray.apart.finish());
            self.without_lines(tray.origin, &tray.setting, tally);
        }
    }

    fn member(
        &self,
        member: Member,
        depth: usize,
        budget: &Budget,
        desk: &mut Desk,
    ) {
        if !self.shared.is_opened(&member.name) {
            return;
        }
        self.board.opened();
        let setting =
            Setting::unopened(member.name.clone(), member.identity());
        let path = member.path.clone();
        let (origin, budget) = (Origin::Found, budget.clone());
        match member.stream(self.options.hashing, &budget) {
            Ok(stream) => {
                let opened = Opened { setting, origin, depth, budget };
                self.content(opened, Content::Stream(stream), &path, desk);
            }
            Err(warning) => {
                let _closed = Closed(self.board);
                let warnings = vec![warning];
                let tally = Tally { warnings, ..Tally::default() };
                self.without_lines(origin, &setting, tally);
            }
        }
    }

    /// What the whole of an exhibit shows.
    fn close(&self, outcome: Outcome<'a, C::Part>, desk: &mut Desk) {
        let Outcome { origin, setting, mut tally, part, .. } = outcome;
        let is_decoded = outcome.source.is_decoded();
        if outcome.source.is_malformed() {
            let detail = "not UTF-16 throughout: what is none reads as \
                          U+FFFD";
            let warning =
                Warning::new(Kind::Odd, setting.name.clone(), detail);
            tally.warnings.push(warning);
        }
        match (outcome.held, outcome.source.into_stream()) {
            (Held::Mapped(mapping), _) => {
                tally.bytes = mapping.bytes().len() as u64;
                let change = mapping.check();
                tally.sha256 = outcome.digest.filter(|_| change.is_none());
                tally.warnings.extend(change);
            }
            (Held::Whole(whole), _) => {
                let (end, buffer) = whole.finish(outcome.digest);
                desk.file = buffer;
                tally.end(end);
            }
            (_, Some(stream)) => tally.end(stream.finish()),
            (Held::Bytes(_) | Held::Stream, None) => {}
        }
        // Where the scan ends early, so may this exhibit: it must not stand
        // for a copy that was read whole.
        let is_whole = !tally.warnings.iter().any(|it| it.kind.is_loss())
            && !self.shared.progress.is_interrupted();
        let content = if is_decoded { outcome.content } else { tally.sha256 };
        tally.content = content.filter(|_| is_whole);
        self.hand_over(origin, &setting, tally, part);
    }

    /// Hands over an exhibit of which no line was read.
    fn without_lines(&self, origin: Origin, setting: &Setting, tally: Tally) {
        let part = self.shared.collector.part(setting);
        self.hand_over(origin, setting, tally, part);
    }

    fn hand_over(
        &self,
        origin: Origin,
        setting: &Setting,
        tally: Tally,
        part: C::Part,
    ) {
        if !self.shared.is_read(&setting.name) {
            return;
        }
        let collector = self.shared.collector;
        if origin == Origin::Bytes {
            return collector.exhibit(setting, tally, part);
        }
        if let Some(warning) = aside(&tally, setting, origin) {
            return collector.aside(warning);
        }
        collector.exhibit(setting, note(tally, setting), part);
    }
}

impl Tally {
    /// Adds what is known once the bytes of an exhibit were read.
    fn end(&mut self, end: StreamEnd) {
        (self.bytes, self.sha256) = (end.raw_bytes, end.sha256);
        self.warnings.extend(end.warnings);
    }
}

/// Says that an exhibit is closed, also where closing it failed.
struct Closed<'b, 'a, C: Collector>(&'b Board<'a, C>);

impl<C: Collector> Drop for Closed<'_, '_, C> {
    fn drop(&mut self) {
        self.0.closed();
    }
}
