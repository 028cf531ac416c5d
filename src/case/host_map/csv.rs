//! Comma-separated values as RFC 4180 and Excel write them.
//!
//! In: a text. Out: lines of cells, each with the place it begins at. Strict
//! where a lenient reader would guess: a quote that is not closed swallows
//! the rest of a file, and the rows in it would silently not apply. Parsers
//! at hand guess, and none tells where a cell began.

use std::iter::Peekable;
use std::str::Chars;

/// One cell and where it begins; lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub text: String,
    pub line: usize,
    pub column: usize,
}

/// Where a text is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub line: usize,
    pub column: usize,
    pub detail: String,
}

impl Cell {
    /// A fault at this cell.
    pub fn fault(&self, detail: impl Into<String>) -> Fault {
        let (line, column) = (self.line, self.column);
        Fault { line, column, detail: detail.into() }
    }
}

/// Reads all lines that hold something. Excel writes semicolons where the
/// comma is the decimal point: the first line tells.
pub(crate) fn read(text: &str) -> Result<Vec<Vec<Cell>>, Fault> {
    let head = text.lines().next().unwrap_or_default();
    let is_semicolon = head.contains(';') && !head.contains(',');
    let separator = if is_semicolon { ';' } else { ',' };
    let rest = text.chars().peekable();
    let mut reader = Reader { rest, separator, line: 1, column: 1 };
    let mut lines = Vec::new();
    while reader.rest.peek().is_some() {
        let cells = reader.cells()?;
        if cells.iter().any(|cell| !cell.text.trim().is_empty()) {
            lines.push(cells);
        }
    }
    Ok(lines)
}

struct Reader<'t> {
    rest: Peekable<Chars<'t>>,
    separator: char,
    line: usize,
    column: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let letter = self.rest.next()?;
        if letter == '\n' {
            (self.line, self.column) = (self.line + 1, 1);
        } else {
            self.column += 1;
        }
        Some(letter)
    }

    /// The cells up to the end of the line.
    fn cells(&mut self) -> Result<Vec<Cell>, Fault> {
        let mut cells = Vec::new();
        loop {
            let (line, column) = (self.line, self.column);
            let mut cell = Cell { text: String::new(), line, column };
            if self.rest.peek() == Some(&'"') {
                self.quoted(&mut cell)?;
            } else {
                self.plain(&mut cell);
            }
            cells.push(cell);
            match self.next() {
                Some(letter) if letter == self.separator => {}
                Some('\r') if self.rest.peek() == Some(&'\n') => {
                    self.next();
                    return Ok(cells);
                }
                _ => return Ok(cells),
            }
        }
    }

    fn is_end(&mut self) -> bool {
        let separator = self.separator;
        let letter = self.rest.peek();
        letter.is_none_or(|it| matches!(it, '\r' | '\n') || *it == separator)
    }

    fn plain(&mut self, cell: &mut Cell) {
        while !self.is_end() {
            cell.text.extend(self.next());
        }
    }

    fn quoted(&mut self, cell: &mut Cell) -> Result<(), Fault> {
        self.next();
        loop {
            match self.next() {
                Some('"') if self.rest.peek() == Some(&'"') => {
                    cell.text.extend(self.next());
                }
                Some('"') if self.is_end() => return Ok(()),
                Some('"') => {
                    let detail = "text after a closing quote; write a quote \
                                  inside a cell as two";
                    let (line, column) = (self.line, self.column);
                    let detail = detail.to_owned();
                    return Err(Fault { line, column, detail });
                }
                Some(letter) => cell.text.push(letter),
                None => {
                    return Err(cell.fault("this quote is never closed"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<Vec<String>> {
        let lines = read(text).unwrap().into_iter();
        let texts = |line: Vec<Cell>| line.into_iter().map(|c| c.text);
        lines.map(|line| texts(line).collect()).collect()
    }

    #[test]
    fn quotes_and_line_ends_are_those_of_rfc_4180() {
        let text = "a,b\r\n\"x,\"\"y\"\"\nz\",\r\n\r\n,last";
        let lines = [["a", "b"], ["x,\"y\"\nz", ""], ["", "last"]];
        assert_eq!(texts(text), lines);
        assert_eq!(texts("a;b\n1,5;c\n"), [["a", "b"], ["1,5", "c"]]);
        assert!(texts("").is_empty());
    }

    #[test]
    fn faults_have_their_places() {
        let fault = read("a,b\nc,\"d").unwrap_err();
        assert_eq!((fault.line, fault.column), (2, 3));
        let fault = read("a\n\"é\"x\n").unwrap_err();
        assert_eq!((fault.line, fault.column), (2, 4));
    }
}
