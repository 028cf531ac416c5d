//! Where the columns and the lines of a text end, found in one pass.
//!
//! In: a text of whole and cut lines. Out: the places of all blanks and
//! newlines in one list, and for each line how many of them it takes. A
//! line's columns are counted by its newline, so no line can hide in
//! another, however many columns either has.

// A text has fewer than 2^32 bytes, so that places and counts fit into 32
// bits.
#![allow(clippy::cast_possible_truncation)]
// Branches that cannot be foretold cost more than what they would spare.
#![allow(clippy::needless_bitwise_bool)]

use std::ops::Range;

use crate::w3c::simd::{BLOCK, Isa, Marks, Places, Sink, marks};

/// The columns and lines of one text; keeps its memory from text to text.
#[derive(Debug)]
pub struct Index {
    isa: Isa,
    found: Found,
}

/// One line of an [`Index`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// How many ends there are up to the line's newline, itself included.
    pub ends: u32,
    /// The line holds a percent sign or a byte from C0 up: decoding could
    /// change it.
    pub wrapped: bool,
}

#[derive(Debug, Default)]
struct Found {
    /// Room for one place a byte and a block more; `count` are used.
    ends: Vec<u32>,
    count: usize,
    /// Room for one line a byte and one more; `lines_count` are used.
    lines: Vec<Mark>,
    lines_count: usize,
    /// Something wrapped stands after the last newline.
    wrapped: bool,
}

impl Default for Index {
    fn default() -> Self {
        Self::new(Isa::best())
    }
}

impl Index {
    /// An empty index that will be made by these kernels.
    pub fn new(isa: Isa) -> Self {
        Self { isa, found: Found::default() }
    }

    /// Reads a text of less than 4 GiB.
    pub fn read(&mut self, text: &[u8]) {
        let room = text.len() + 2 * BLOCK;
        if self.found.ends.len() < room {
            self.found.ends.resize(room, 0);
        }
        self.found.count = 0;
        self.found.lines_count = 0;
        if self.found.lines.len() < room {
            self.found.lines.resize(room, Mark::default());
        }
        self.found.wrapped = false;
        marks(self.isa, text, &mut self.found);
    }

    /// How many lines end in the text.
    #[inline]
    pub fn lines(&self) -> usize {
        self.found.lines_count
    }

    /// A line, from 0.
    #[inline]
    pub fn line(&self, line: usize) -> Option<Mark> {
        self.found.lines.get(line).copied()
    }

    /// The places of some ends. The last one of a line is its newline's.
    #[inline]
    pub fn ends(&mut self, range: Range<u32>) -> &mut [u32] {
        let range = range.start as usize..range.end as usize;
        self.found.ends.get_mut(range).unwrap_or_default()
    }

    /// Reads one line, given without its newline: the places where its
    /// columns end, the last one at its own end, and whether it is wrapped.
    pub fn line_alone(&mut self, line: &[u8]) -> (&[u32], bool) {
        self.read(line);
        let count = self.found.count;
        if let Some(end) = self.found.ends.get_mut(count) {
            *end = line.len() as u32;
        }
        let ends = self.found.ends.get(..=count).unwrap_or_default();
        (ends, self.found.wrapped)
    }
}

impl Found {
    /// The other lines that end in a block: their newlines, and what is
    /// wrapped after the first.
    fn more_lines(&mut self, ends: u64, newlines: u64, wrapped: u64) {
        let (mut newlines, mut wrapped) = (newlines, wrapped);
        while newlines != 0 {
            let newline = newlines & newlines.wrapping_neg();
            let before = newline - 1;
            let own = (ends & (before | newline)).count_ones();
            if let Some(slot) = self.lines.get_mut(self.lines_count) {
                *slot = Mark {
                    ends: self.count as u32 + own,
                    wrapped: wrapped & before != 0,
                };
            }
            self.lines_count += 1;
            wrapped &= !before;
            newlines &= newlines - 1;
        }
        self.wrapped = wrapped != 0;
    }
}

impl Sink<Marks> for Found {
    #[inline(always)]
    fn block(&mut self, base: u32, mask: Marks, places: Places) {
        let Marks { ends, mut lines, mut wrapped } = mask;
        // The first line is entered whether it ends here or not, and counts
        // only where it does: whether it does cannot be foretold.
        let newline = lines & lines.wrapping_neg();
        let before = newline.wrapping_sub(1);
        let entry = Mark {
            ends: self.count as u32 + (ends & (before | newline)).count_ones(),
            wrapped: self.wrapped | (wrapped & before != 0),
        };
        if let Some(slot) = self.lines.get_mut(self.lines_count) {
            *slot = entry;
        }
        let is_line = newline != 0;
        self.lines_count += usize::from(is_line);
        let after = if is_line { !before } else { u64::MAX };
        self.wrapped = (self.wrapped & !is_line) | (wrapped & after != 0);
        lines &= lines.wrapping_sub(1);
        if lines != 0 {
            wrapped &= after;
            self.more_lines(ends, lines, wrapped);
        }
        let room = self.ends.get_mut(self.count..);
        if let Some(room) = room.and_then(<[u32]>::first_chunk_mut) {
            places.write(ends, base, room);
        }
        self.count += ends.count_ones() as usize;
    }
}
