//! Lines of a terminal report: never wider than asked for.
//!
//! In: text that is already safe to show. Out: one string with headings,
//! wrapped paragraphs and tables, coloured where wanted. Widths are counted
//! before colour is added, so both forms break at the same places.

use super::cut::{cut, wrap};
use crate::report::escape::columns;

/// How a word is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Strong,
    Faint,
    Good,
    Odd,
    Bad,
}

impl Tone {
    /// The sequence that begins it; all end with [`RESET`].
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\x1b[1m",
            Self::Faint => "\x1b[2m",
            Self::Good => "\x1b[32m",
            Self::Odd => "\x1b[33m",
            Self::Bad => "\x1b[1;31m",
        }
    }
}

const RESET: &str = "\x1b[0m";

/// Least columns of a table's column before whole lines are cut instead.
const NARROWEST: usize = 4;

/// One cell of a table, or one piece of a line.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    text: String,
    tone: Tone,
    right: bool,
}

impl Cell {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain, right: false }
    }

    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { tone, ..Self::new(text) }
    }

    /// A number: stands to the right.
    pub fn number(text: impl Into<String>) -> Self {
        Self { right: true, ..Self::new(text) }
    }
}

/// A report while it is written.
#[derive(Debug)]
pub(super) struct Page {
    out: String,
    width: usize,
    color: bool,
}

impl Page {
    pub fn new(width: usize, color: bool) -> Self {
        Self { out: String::new(), width, color }
    }

    pub fn finish(self) -> String {
        self.out
    }

    /// Columns left after an indent.
    pub fn room(&self, indent: usize) -> usize {
        self.width.saturating_sub(indent)
    }

    /// A heading, with an empty line before it.
    pub fn heading(&mut self, text: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.pieces(0, &[Cell::toned(text, Tone::Strong)]);
    }

    /// One line of pieces, cut at the width.
    pub fn pieces(&mut self, indent: usize, pieces: &[Cell]) {
        let indent = indent.min(self.width);
        let mut line = " ".repeat(indent);
        let mut room = self.room(indent);
        for piece in pieces {
            let text = cut(&piece.text, room);
            room -= columns(&text).min(room);
            self.paint(&mut line, &text, piece.tone);
        }
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    /// One line that is not cut.
    pub fn whole(&mut self, indent: usize, text: &str) {
        self.out.push_str(&" ".repeat(indent));
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// A paragraph, broken between words; lines after the first stand
    /// `hang` columns further in. At most `lines` lines, the last one then
    /// ends with `…`.
    pub fn wrapped(
        &mut self,
        indent: usize,
        hang: usize,
        text: &str,
        lines: usize,
    ) {
        let first = self.room(indent);
        let rest = self.room(indent + hang);
        let broken = wrap(text, first, rest);
        let shown = broken.len().min(lines);
        for (number, line) in broken.iter().take(shown).enumerate() {
            let indent = if number == 0 { indent } else { indent + hang };
            let more = number + 1 == shown && broken.len() > shown;
            let line = if more {
                cut(&format!("{line} …"), self.room(indent))
            } else {
                line.clone()
            };
            self.pieces(indent, &[Cell::new(line)]);
        }
    }

    /// A table with a head. The widest columns give way where it is too
    /// wide.
    pub fn table(&mut self, indent: usize, head: &[&str], rows: &[Vec<Cell>]) {
        let widths = fit(natural(head, rows), self.room(indent));
        let head: Vec<Cell> = head
            .iter()
            .enumerate()
            .map(|(column, text)| Cell {
                text: (*text).to_owned(),
                tone: Tone::Faint,
                right: rows
                    .first()
                    .and_then(|row| row.get(column))
                    .is_some_and(|cell| cell.right),
            })
            .collect();
        for row in std::iter::once(&head).chain(rows) {
            let mut pieces = Vec::new();
            for (cell, width) in row.iter().zip(&widths) {
                let text = cut(&cell.text, *width);
                let pad = " ".repeat(width - columns(&text).min(*width));
                let (before, after) = if cell.right {
                    (pad, "  ".into())
                } else {
                    (String::new(), pad + "  ")
                };
                pieces.push(Cell::new(before));
                pieces.push(Cell::toned(text, cell.tone));
                pieces.push(Cell::new(after));
            }
            self.row(indent, &pieces);
        }
    }

    /// A line of pieces whose last blanks do not count.
    fn row(&mut self, indent: usize, pieces: &[Cell]) {
        let pieces = match pieces.split_last() {
            Some((_, rest)) => rest,
            None => pieces,
        };
        self.pieces(indent, pieces);
    }

    fn paint(&self, line: &mut String, text: &str, tone: Tone) {
        if self.color && tone != Tone::Plain && !text.is_empty() {
            line.push_str(tone.code());
            line.push_str(text);
            line.push_str(RESET);
        } else {
            line.push_str(text);
        }
    }
}

/// Columns that a table takes with nothing cut.
pub(super) fn table_width(head: &[&str], rows: &[Vec<Cell>]) -> usize {
    let widths = natural(head, rows);
    widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1)
}

fn natural(head: &[&str], rows: &[Vec<Cell>]) -> Vec<usize> {
    let mut widths: Vec<usize> = head.iter().map(|t| columns(t)).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(columns(&cell.text));
        }
    }
    widths
}

fn fit(mut widths: Vec<usize>, room: usize) -> Vec<usize> {
    let gaps = 2 * widths.len().saturating_sub(1);
    let mut over = (widths.iter().sum::<usize>() + gaps).saturating_sub(room);
    while over > 0 {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => break,
        }
        over -= 1;
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_keep_to_the_width() {
        for width in [0, 5, 20, 33, 80] {
            let mut page = Page::new(width, false);
            let row = vec![Cell::new("x".repeat(50)), Cell::number("12,345")];
            page.table(2, &["Name", "Hits"], &[row]);
            let text = page.finish();
            assert!(text.lines().all(|line| columns(line) <= width), "{text}");
        }
    }
}
