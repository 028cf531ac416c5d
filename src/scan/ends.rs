//! How much of a large log is read: all of it, or both ends.
//!
//! In: a mapped file and what is known before its first line. Out: the part
//! in the middle that may be left out. A log is written from its first
//! record to its last, so both ends tell what it covers; where they do not
//! tell it clearly, nothing is left out.

use std::ops::Range;

use crate::limits;
use crate::scan::source::cut_off;
use crate::w3c::{
    Field, Line, Parser, Record, State, TimeNote, Timestamp, bounded,
};

/// How much of each exhibit is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Every line.
    #[default]
    Whole,
    /// Of a large mapped file its first and last lines, where these tell
    /// what it covers. What comes as a stream is read as a whole.
    Ends,
}

/// The bytes that may be left out; they begin and end at line starts. `None`
/// where the whole must be read.
pub(super) fn gap(
    bytes: &[u8],
    state: &State,
    is_read: bool,
) -> Option<Range<usize>> {
    if bytes.len() <= limits::ENDS_FILE_BYTES {
        return None;
    }
    let start = cut_off(bytes, 0, limits::END_BYTES);
    let least = bytes.len().saturating_sub(limits::END_BYTES);
    let line = memchr::memchr(b'\n', bytes.get(least..)?)?;
    let end = least + line + 1;
    if start >= end {
        return None;
    }
    // Of what is not read lines are only counted.
    let is_clear = !is_read || {
        let mut look = Look::new(state);
        let early = look.read(bytes.get(..start)?);
        let late = look.read(bytes.get(end..)?);
        look.is_clear && early.is_some() && late >= early
    };
    is_clear.then_some(start..end)
}

/// Both ends of a log, as far as they were read.
struct Look {
    parser: Parser,
    /// The server and site of all records so far.
    origin: Option<Vec<u8>>,
    is_clear: bool,
}

impl Look {
    fn new(state: &State) -> Self {
        let parser = Parser::new(state.clone());
        Self { parser, origin: None, is_clear: true }
    }

    /// Reads one end; its latest record.
    fn read(&mut self, text: &[u8]) -> Option<Timestamp> {
        let mut latest = None;
        for line in text.split(|byte| *byte == b'\n') {
            let (line, long) =
                bounded(line.strip_suffix(b"\r").unwrap_or(line));
            match self.parser.line(line, long) {
                Line::Blank | Line::Directive => {}
                // Their number is asked for.
                Line::Rejected(_) => self.is_clear = false,
                Line::Record(record) => {
                    // A day that is not on the line hangs on those before.
                    self.is_clear &= record.time.is_some()
                        && record.time_note != TimeNote::Derived
                        && is_of_one(&mut self.origin, &record);
                    latest = latest.max(record.time);
                }
            }
            if !self.is_clear {
                return None;
            }
        }
        latest
    }
}

/// True where the record is of the server and site of those before it: a log
/// of many may hold others in the middle.
fn is_of_one(origin: &mut Option<Vec<u8>>, record: &Record<'_>) -> bool {
    if record.repeats {
        return true;
    }
    let fields =
        [Field::SComputername, Field::SSitename, Field::SSiteid, Field::SIp];
    let mut own = Vec::new();
    for field in fields {
        own.extend_from_slice(record.get(field).unwrap_or_default());
        // No line holds one.
        own.push(b'\n');
    }
    own == *origin.get_or_insert_with(|| own.clone())
}
