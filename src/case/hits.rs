//! All hits as `hits.jsonl`, and how such files are joined.
//!
//! In: the lines of each exhibit, in any order of exhibits; or finished
//! files. Out: lines sorted by exhibit, line number and rule.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io::{BufRead, Cursor, Write};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::case::correlate::Correlated;
use crate::case::hit_line::{HitLine, json};
use crate::error::{Error, Result};
use crate::raw::Raw;

/// All kept hits of a scan, as JSON lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    by_exhibit: BTreeMap<Raw, Vec<u8>>,
}

impl Hits {
    /// The lines of one exhibit, in their order.
    pub(super) fn insert(&mut self, exhibit: Raw, lines: Vec<u8>) {
        if !lines.is_empty() {
            self.by_exhibit.insert(exhibit, lines);
        }
    }

    /// The lines that tell of correlations.
    pub(super) fn of_correlations(mut hits: Vec<&Correlated>) -> Self {
        hits.sort_by_key(|hit| (hit.end.line, &hit.correlation.rule));
        let mut own = Self::default();
        for hit in hits {
            let exhibit = &hit.end.exhibit;
            let out = own.by_exhibit.entry(exhibit.clone()).or_default();
            // Its host is among what the line holds already.
            HitLine::of_correlation(hit).write(out, &json(exhibit), b"");
        }
        own
    }

    /// Adds lines that tell of correlations, each at its place.
    pub(super) fn absorb(&mut self, other: Self) {
        for (exhibit, theirs) in other.by_exhibit {
            let own = self.by_exhibit.entry(exhibit).or_default();
            let mut lines: Vec<(Key, &[u8])> = Vec::new();
            for line in own.split_inclusive(|byte| *byte == b'\n') {
                lines.extend(keyed(line));
            }
            for line in theirs.split_inclusive(|byte| *byte == b'\n') {
                lines.extend(keyed(line));
            }
            // The sort is stable: of equals the first found comes first.
            lines.sort_by(|a, b| a.0.cmp(&b.0));
            *own = lines
                .into_iter()
                .flat_map(|(_, text)| text)
                .copied()
                .collect();
        }
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.by_exhibit.is_empty()
    }

    /// Writes all lines, sorted by exhibit, line number and rule.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        self.by_exhibit.values().try_for_each(|lines| out.write_all(lines))
    }
}

/// Where a hit stands in the order of the file.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Key {
    exhibit: Raw,
    line: u64,
    rule: String,
}

/// What of a line is asked where files are joined.
#[derive(Deserialize)]
struct Row {
    exhibit: Raw,
    line: u64,
    rule: String,
    /// It tells of a correlation.
    correlation: Option<IgnoredAny>,
}

fn keyed(line: &[u8]) -> Option<(Key, &[u8])> {
    // All of them were written here.
    serde_json::from_slice(line).ok().map(|key| (key, line))
}

/// The next line of one file.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    key: Key,
    file: usize,
    text: Vec<u8>,
}

/// Joins files of hits, each sorted as [`Hits::write`] leaves it. Holds one
/// line of each at a time. What tells of correlations is left out: `derived`
/// has those of the joined case.
pub fn merge_hits<'r, R: BufRead + 'r>(
    readers: impl IntoIterator<Item = R>,
    derived: &'r Hits,
    out: &mut impl Write,
) -> Result<()> {
    let mut readers: Vec<Box<dyn BufRead + 'r>> = readers
        .into_iter()
        .map(|it| Box::new(it) as Box<dyn BufRead + 'r>)
        .collect();
    let cases = readers.len();
    let lines: Vec<&[u8]> =
        derived.by_exhibit.values().map(Vec::as_slice).collect();
    readers.push(Box::new(Cursor::new(lines.concat())));
    let mut heads = BinaryHeap::new();
    for (file, reader) in readers.iter_mut().enumerate() {
        heads.extend(next(reader, file, file < cases)?.map(Reverse));
    }
    while let Some(Reverse(head)) = heads.pop() {
        out.write_all(&head.text)
            .map_err(|e| Error::output("cannot write hits").because(e))?;
        let Some(reader) = readers.get_mut(head.file) else { continue };
        if let Some(after) = next(reader, head.file, head.file < cases)? {
            if after.key < head.key {
                let message = "the hits of a case are not in order";
                return Err(Error::case(message));
            }
            heads.push(Reverse(after));
        }
    }
    Ok(())
}

/// The next line; with `own`, that tells of no correlation.
fn next(
    reader: &mut dyn BufRead,
    file: usize,
    own: bool,
) -> Result<Option<Head>> {
    loop {
        let mut text = Vec::new();
        reader
            .read_until(b'\n', &mut text)
            .map_err(|e| Error::case("cannot read hits").because(e))?;
        if text.is_empty() {
            return Ok(None);
        }
        if text.last() != Some(&b'\n') {
            text.push(b'\n');
        }
        let fault = |e| Error::case("not a file of hits").because(e);
        let row: Row = serde_json::from_slice(&text).map_err(fault)?;
        let Row { exhibit, line, rule, correlation } = row;
        if !own || correlation.is_none() {
            let key = Key { exhibit, line, rule };
            return Ok(Some(Head { key, file, text }));
        }
    }
}
