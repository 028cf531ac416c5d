//! Two readings of logs that may hold the same lines.
//!
//! In: the records of a second and third reading. Out: a number for each
//! line of the logs that may be copies, with its place; and which of these
//! lines others hold as well. A line is known by 128 bits that depend on two
//! keys of this run alone: whoever writes into a log cannot make a line pass
//! for another.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

use crate::raw::Raw;
use crate::scan::{Collector, Hit, Part, Setting, Tally};
use crate::signature::Rule;
use crate::w3c::Record;
use crate::warning::Warning;

/// What stands for a line.
pub(super) type Print = [u64; 2];

/// A line and where it begins; nothing stands for one of no time.
pub(super) type Line = (Option<Print>, u64);

/// The keys that lines are numbered with.
#[derive(Debug, Default)]
pub(super) struct Keys(RandomState, RandomState);

impl Keys {
    /// The number of a record. Lines of two days may look the same where
    /// the day stands above them. A record of no time is like no other.
    fn print(&self, record: &Record<'_>) -> Option<Print> {
        let line = (record.time?, record.line);
        Some([self.0.hash_one(line), self.1.hash_one(line)])
    }
}

/// The lines of each log in their order, with the places they begin at.
#[derive(Debug)]
pub(super) struct Prints<'k> {
    keys: &'k Keys,
    logs: Mutex<BTreeMap<Raw, Vec<Line>>>,
}

impl<'k> Prints<'k> {
    pub fn new(keys: &'k Keys) -> Self {
        Self { keys, logs: Mutex::default() }
    }

    /// All logs that were read.
    pub fn into_logs(self) -> BTreeMap<Raw, Vec<Line>> {
        self.logs.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lines of a chunk.
pub(super) struct PrintsPart<'k> {
    keys: &'k Keys,
    lines: Vec<Line>,
}

impl Part for PrintsPart<'_> {
    fn record(&mut self, record: &Record<'_>, offset: u64) {
        self.lines.push((self.keys.print(record), offset));
    }

    fn wants_words(&self, _rule: &Rule) -> bool {
        false
    }

    fn hit(&mut self, _hit: &Hit<'_>) {}

    fn append(&mut self, later: Self, _lines: u64) {
        self.lines.extend(later.lines);
    }
}

impl<'k> Collector for Prints<'k> {
    type Part = PrintsPart<'k>;

    fn part(&self, _setting: &Setting) -> PrintsPart<'k> {
        PrintsPart { keys: self.keys, lines: Vec::new() }
    }

    fn aside(&self, _warning: Warning) {}

    fn exhibit(&self, setting: &Setting, _: Tally, part: PrintsPart<'k>) {
        let mut logs =
            self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.insert(setting.name.clone(), part.lines);
    }
}

/// Which known lines each log holds, by their number among these, as often
/// as it holds them.
#[derive(Debug)]
pub(super) struct Meetings<'k> {
    keys: &'k Keys,
    /// In order.
    known: &'k [Print],
    logs: Mutex<BTreeMap<Raw, Vec<u32>>>,
}

impl<'k> Meetings<'k> {
    pub fn new(keys: &'k Keys, known: &'k [Print]) -> Self {
        Self { keys, known, logs: Mutex::default() }
    }

    /// All logs that were read.
    pub fn into_logs(self) -> BTreeMap<Raw, Vec<u32>> {
        self.logs.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What of a chunk is known.
pub(super) struct MeetingsPart<'k> {
    keys: &'k Keys,
    known: &'k [Print],
    met: Vec<u32>,
}

impl Part for MeetingsPart<'_> {
    fn record(&mut self, record: &Record<'_>, _offset: u64) {
        let print = self.keys.print(record);
        let found = print.and_then(|it| self.known.binary_search(&it).ok());
        self.met.extend(found.and_then(|it| u32::try_from(it).ok()));
    }

    fn wants_words(&self, _rule: &Rule) -> bool {
        false
    }

    fn hit(&mut self, _hit: &Hit<'_>) {}

    fn append(&mut self, later: Self, _lines: u64) {
        self.met.extend(later.met);
    }
}

impl<'k> Collector for Meetings<'k> {
    type Part = MeetingsPart<'k>;

    fn part(&self, _setting: &Setting) -> MeetingsPart<'k> {
        let (keys, known) = (self.keys, self.known);
        MeetingsPart { keys, known, met: Vec::new() }
    }

    fn aside(&self, _warning: Warning) {}

    fn exhibit(&self, setting: &Setting, _: Tally, part: MeetingsPart<'k>) {
        let mut logs =
            self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.insert(setting.name.clone(), part.met);
    }
}
