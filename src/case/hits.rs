//! All hits as `hits.jsonl`, and how such files are joined.
//!
//! In: the lines of each exhibit, in any order of exhibits; or finished
//! files. Out: lines sorted by exhibit, line number and rule.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io::{BufRead, Write};

use serde::Deserialize;

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

/// The next line of one file.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    key: Key,
    file: usize,
    text: Vec<u8>,
}

/// Joins files of hits, each sorted as [`Hits::write`] leaves it. Holds one
/// line of each at a time.
pub fn merge_hits<R: BufRead>(
    readers: impl IntoIterator<Item = R>,
    out: &mut impl Write,
) -> Result<()> {
    let mut readers: Vec<R> = readers.into_iter().collect();
    let mut heads = BinaryHeap::new();
    for (file, reader) in readers.iter_mut().enumerate() {
        heads.extend(next(reader, file)?.map(Reverse));
    }
    while let Some(Reverse(head)) = heads.pop() {
        out.write_all(&head.text)
            .map_err(|e| Error::output("cannot write hits").because(e))?;
        let Some(reader) = readers.get_mut(head.file) else { continue };
        if let Some(after) = next(reader, head.file)? {
            if after.key < head.key {
                let message = "the hits of a case are not in order";
                return Err(Error::case(message));
            }
            heads.push(Reverse(after));
        }
    }
    Ok(())
}

fn next(reader: &mut impl BufRead, file: usize) -> Result<Option<Head>> {
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
    let key = serde_json::from_slice(&text)
        .map_err(|e| Error::case("not a file of hits").because(e))?;
    Ok(Some(Head { key, file, text }))
}
