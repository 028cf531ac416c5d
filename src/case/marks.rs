//! What a log can be known by again: its first line in each hour.
//!
//! In: records. Out: numbers, of which two logs have some in common where
//! one holds a stretch of the other. They only say which logs to compare:
//! the lines decide.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::limits;
use crate::w3c::{Record, Timestamp};

const HOUR: i64 = 3_600_000_000;

/// The marks of a log, or of a part of it.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// The first hour, and the one met last.
    hours: Option<(i64, i64)>,
    marks: Vec<u64>,
}

impl Marks {
    /// Looks at a record.
    #[inline]
    pub fn record(&mut self, record: &Record<'_>) {
        // The same second as before, so the same hour.
        if record.repeats && self.hours.is_some() {
            return;
        }
        // What has no time may be anywhere.
        let Some(time) = record.time else { return };
        let hour = time.micros().div_euclid(HOUR);
        match &mut self.hours {
            Some((_, last)) if *last == hour => return,
            Some((_, last)) => *last = hour,
            hours => *hours = Some((hour, hour)),
        }
        self.mark(time, record.line);
    }

    #[cold]
    fn mark(&mut self, time: Timestamp, line: &[u8]) {
        if self.marks.len() < limits::MARKS {
            // Always with the same key.
            let mut hasher = DefaultHasher::new();
            (time, line).hash(&mut hasher);
            self.marks.push(hasher.finish());
        }
    }

    /// Adds those of the part that follows.
    pub fn append(&mut self, later: Self) {
        let Some((first, last)) = later.hours else { return };
        let goes_on = self.hours.is_some_and(|(_, own)| own == first);
        let own_first = self.hours.map_or(first, |(own, _)| own);
        self.hours = Some((own_first, last));
        let room = limits::MARKS.saturating_sub(self.marks.len());
        let new = later.marks.into_iter().skip(usize::from(goes_on));
        self.marks.extend(new.take(room));
    }

    /// All of them, each once.
    pub fn into_set(self) -> Box<[u64]> {
        let mut marks = self.marks;
        marks.sort_unstable();
        marks.dedup();
        marks.into()
    }
}
