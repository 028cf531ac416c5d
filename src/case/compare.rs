//! What stands for a line where logs are compared, and how it is taken.
//!
//! In: the records of another reading. Out: whatever is asked for of each,
//! by log. A line is known by 128 bits that depend on two keys of this run
//! alone: whoever writes into a log cannot make a line pass for another.

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

/// The keys that lines are numbered with.
#[derive(Debug, Default)]
pub(super) struct Keys(RandomState, RandomState);

impl Keys {
    /// The number of a record. Lines of two days may look the same where
    /// the day stands above them. A record of no time is like no other.
    pub fn print(&self, record: &Record<'_>) -> Option<Print> {
        let line = (record.time?, record.line);
        Some([self.0.hash_one(line), self.1.hash_one(line)])
    }
}

/// Takes something of each record, by log and in the order of records.
pub(super) struct Taking<'t, T, F> {
    take: &'t F,
    logs: Mutex<BTreeMap<Raw, Vec<T>>>,
}

impl<'t, T, F> Taking<'t, T, F> {
    /// `take` is given a record and the place it begins at.
    pub fn new(take: &'t F) -> Self {
        Self { take, logs: Mutex::default() }
    }

    /// What was taken of all logs that were read.
    pub fn into_logs(self) -> BTreeMap<Raw, Vec<T>> {
        self.logs.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was taken of a chunk.
pub(super) struct Taken<'t, T, F> {
    take: &'t F,
    all: Vec<T>,
}

impl<T, F> Part for Taken<'_, T, F>
where
    T: Send,
    F: Fn(&Record<'_>, u64) -> Option<T> + Sync,
{
    fn record(&mut self, record: &Record<'_>, offset: u64) {
        self.all.extend((self.take)(record, offset));
    }

    fn wants_words(&self, _rule: &Rule) -> bool {
        false
    }

    fn hit(&mut self, _hit: &Hit<'_>) {}

    fn append(&mut self, later: Self, _lines: u64) {
        self.all.extend(later.all);
    }
}

impl<'t, T, F> Collector for Taking<'t, T, F>
where
    T: Send,
    F: Fn(&Record<'_>, u64) -> Option<T> + Sync,
{
    type Part = Taken<'t, T, F>;

    fn part(&self, _setting: &Setting) -> Taken<'t, T, F> {
        Taken { take: self.take, all: Vec::new() }
    }

    fn aside(&self, _warning: Warning) {}

    fn exhibit(&self, setting: &Setting, _: Tally, part: Taken<'t, T, F>) {
        let mut logs =
            self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.insert(setting.name.clone(), part.all);
    }
}
