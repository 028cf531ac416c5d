//! Where the columns and the lines of a text end, found in one pass.
//!
//! In: a text of whole and cut lines. Out: the places of all blanks and
//! newlines in one list, and for each line how many of them it takes. A
//! line's columns are counted by its newline, so no line can hide in
//! another, however many columns either has.

// A text has fewer than 2^32 bytes, so that places and counts fit into 32
// bits.
#![allow(clippy::cast_possible_truncation)]

use crate::w3c::simd::{BLOCK, Isa, Marks, Places, Sink, marks};

/// The columns and lines of one text; keeps its memory from text to text.
#[derive(Debug)]
pub struct Index {
    isa: Isa,
    found: Found,
    /// Where something wrapped stands.
    wrapped: Vec<u32>,
    cursor: Cursor,
}

/// One line of an [`Index`].
#[derive(Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// Where its first byte stands.
    pub start: u32,
    /// Where its columns end; the last one at its newline.
    pub ends: &'a mut [u32],
    /// The line holds a percent sign or a byte from C0 up: decoding could
    /// change it.
    pub wrapped: bool,
}

#[derive(Debug, Default)]
struct Found {
    /// Room for one place a byte and a block more; `count` are used.
    ends: Vec<u32>,
    count: usize,
    /// How many ends there are up to each newline, itself included. Room
    /// for one line a byte and one more; `lines_count` are used.
    lines: Vec<u32>,
    lines_count: usize,
    /// What is wrapped in each block. Masks and not places: nearly all are
    /// zero, and a call from a kernel costs it its registers.
    masks: Vec<u64>,
    masks_count: usize,
}

/// How far the lines of an index were taken.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    line: usize,
    start: u32,
    end: usize,
    wrapped: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self::new(Isa::best())
    }
}

impl Index {
    /// An empty index that will be made by these kernels.
    pub fn new(isa: Isa) -> Self {
        Self {
            isa,
            found: Found::default(),
            wrapped: Vec::new(),
            cursor: Cursor::default(),
        }
    }

    /// Reads a text of less than 4 GiB.
    pub fn read(&mut self, text: &[u8]) {
        let room = text.len() + 2 * BLOCK;
        if self.found.ends.len() < room {
            self.found.ends.resize(room, 0);
            self.found.lines.resize(room, 0);
            self.found.masks.resize(room.div_ceil(BLOCK), 0);
        }
        self.found.count = 0;
        self.found.lines_count = 0;
        self.found.masks_count = 0;
        marks(self.isa, text, &mut self.found);
        self.list_wrapped();
        self.cursor = Cursor::default();
    }

    fn list_wrapped(&mut self) {
        self.wrapped.clear();
        let masks = self.found.masks.get(..self.found.masks_count);
        for (block, mask) in masks.unwrap_or_default().iter().enumerate() {
            let mut mask = *mask;
            while mask != 0 {
                let place = block * BLOCK + mask.trailing_zeros() as usize;
                self.wrapped.push(place as u32);
                mask &= mask - 1;
            }
        }
    }

    /// How many lines end in the text.
    #[inline]
    pub fn lines(&self) -> usize {
        self.found.lines_count
    }

    /// Where something wrapped stands in the text, in order.
    pub fn wrapped(&self) -> &[u32] {
        &self.wrapped
    }

    /// The next line that ends in the text.
    #[inline]
    pub fn next_line(&mut self) -> Option<Row<'_>> {
        let Found { ends, lines, lines_count, .. } = &mut self.found;
        let lines = lines.get(..*lines_count).unwrap_or_default();
        let after = *lines.get(self.cursor.line)? as usize;
        let ends = ends.get_mut(self.cursor.end..after)?;
        let start = self.cursor.start;
        let newline = *ends.last()?;
        let before = |place: &u32| *place < newline;
        let mut rest = self.cursor.wrapped;
        while self.wrapped.get(rest).is_some_and(before) {
            rest += 1;
        }
        let is_wrapped = rest > self.cursor.wrapped;
        self.cursor = Cursor {
            line: self.cursor.line + 1,
            start: newline + 1,
            end: after,
            wrapped: rest,
        };
        Some(Row { start, ends, wrapped: is_wrapped })
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
        (ends, !self.wrapped.is_empty())
    }
}

impl Found {
    /// The other lines that end in a block: their newlines.
    fn more_lines(&mut self, ends: u64, newlines: u64) {
        let mut newlines = newlines;
        while newlines != 0 {
            let newline = newlines & newlines.wrapping_neg();
            let own = (ends & ((newline - 1) | newline)).count_ones();
            if let Some(slot) = self.lines.get_mut(self.lines_count) {
                *slot = self.count as u32 + own;
            }
            self.lines_count += 1;
            newlines &= newlines - 1;
        }
    }
}

impl Sink<Marks> for Found {
    #[inline(always)]
    fn block(&mut self, base: u32, mask: Marks, places: Places) {
        let Marks { ends, lines, wrapped } = mask;
        // The first line is entered whether it ends here or not, and counts
        // only where it does: whether it does cannot be foretold.
        let newline = lines & lines.wrapping_neg();
        let before = newline.wrapping_sub(1);
        if let Some(slot) = self.lines.get_mut(self.lines_count) {
            let own = (ends & (before | newline)).count_ones();
            *slot = self.count as u32 + own;
        }
        self.lines_count += usize::from(newline != 0);
        let lines = lines & lines.wrapping_sub(1);
        if lines != 0 {
            self.more_lines(ends, lines);
        }
        if let Some(slot) = self.masks.get_mut(self.masks_count) {
            *slot = wrapped;
        }
        self.masks_count += 1;
        let room = self.ends.get_mut(self.count..);
        if let Some(room) = room.and_then(<[u32]>::first_chunk_mut) {
            places.write(ends, base, room);
        }
        self.count += ends.count_ones() as usize;
    }
}
