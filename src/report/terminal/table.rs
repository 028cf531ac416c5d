//! Plain tables: columns as wide as their widest cell, one wide column cut
//! where a line would be too long.

use crate::report::escape::columns;

/// Rows of cells that are already escaped.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    /// The column that gives way.
    flexible: usize,
    /// Columns aligned to the right.
    numbers: &'static [usize],
}

impl Table {
    /// A table with its head.
    pub fn new(
        head: &[&str],
        flexible: usize,
        numbers: &'static [usize],
    ) -> Self {
        let head = head.iter().map(|cell| (*cell).to_owned()).collect();
        Self { rows: vec![head], flexible, numbers }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The lines, indented by two, at most `width` columns wide.
    pub fn lines(&self, width: usize) -> Vec<String> {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut widths: Vec<usize> = (0..count)
            .map(|column| {
                self.rows
                    .iter()
                    .filter_map(|row| row.get(column))
                    .map(|cell| columns(cell))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let total = 2 + widths.iter().map(|wide| wide + 2).sum::<usize>() - 2;
        if total > width
            && let Some(wide) = widths.get_mut(self.flexible)
        {
            *wide = wide.saturating_sub(total - width).max(8);
        }
        self.rows.iter().map(|row| self.line(row, &widths)).collect()
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (column, (cell, wide)) in row.iter().zip(widths).enumerate() {
            line.push_str("  ");
            let cell = cut(cell, *wide);
            let room = " ".repeat(wide.saturating_sub(columns(&cell)));
            if self.numbers.contains(&column) {
                line.push_str(&room);
                line.push_str(&cell);
            } else {
                line.push_str(&cell);
                line.push_str(&room);
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Cuts text that is already escaped.
pub(super) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    for char in text.chars() {
        let mut next = out.clone();
        next.push(char);
        if columns(&next) + 1 > width {
            break;
        }
        out = next;
    }
    out.push('…');
    out
}
