//! The summary for a terminal: what was read, then the three questions –
//! which hosts were probed, which probes succeeded, which exposed features
//! were hit – then clients and rules.
//!
//! In: a finished case and the feature catalogue. Out: text, readable at 80
//! columns and without colour.

mod findings;
mod read;
mod table;

use std::io::{self, Write};

use crate::case::Case;
use crate::raw::Raw;
use crate::report::escape::{Untrusted, columns};
use crate::signature::{Feature, Outcome};
use crate::w3c::Timestamp;

/// How the summary is shown.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Use colour.
    pub colour: bool,
    /// Cut no table and no line of evidence.
    pub full: bool,
}

/// Columns of a line.
const WIDTH: usize = 80;

/// Writes the summary.
pub fn summary(
    out: &mut dyn Write,
    case: &Case,
    features: &[Feature],
    style: Style,
) -> io::Result<()> {
    let mut page = Page { out, style };
    read::section(&mut page, case)?;
    findings::hosts(&mut page, case)?;
    findings::successes(&mut page, case)?;
    findings::features(&mut page, case, features)?;
    findings::clients(&mut page, case)?;
    findings::rules(&mut page, case)
}

/// Where the summary goes.
struct Page<'o> {
    out: &'o mut dyn Write,
    style: Style,
}

impl Page<'_> {
    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// A heading, underlined so that it stands out without colour.
    fn heading(&mut self, text: &str) -> io::Result<()> {
        let rule = "-".repeat(columns(text));
        let (on, off) = self.colours("\x1b[1m");
        writeln!(self.out, "\n{on}{text}{off}\n{rule}")
    }

    fn colours(&self, on: &'static str) -> (&'static str, &'static str) {
        if self.style.colour { (on, "\x1b[0m") } else { ("", "") }
    }

    /// A table, cut after `most` rows unless all are wanted.
    fn table(
        &mut self,
        mut table: table::Table,
        rows: Vec<Vec<String>>,
        most: usize,
    ) -> io::Result<()> {
        let total = rows.len();
        let shown = if self.style.full { total } else { most.min(total) };
        for row in rows.into_iter().take(shown) {
            table.row(row);
        }
        for line in table.lines(WIDTH) {
            let line = self.tint(&line);
            self.line(&line)?;
        }
        if shown < total {
            let left = total - shown;
            self.line(&format!("  … {left} more (--full shows all)"))?;
        }
        Ok(())
    }

    /// Text wrapped at blanks, the first line after `first`, others after
    /// as many blanks.
    fn wrapped(&mut self, first: &str, text: &str) -> io::Result<()> {
        let indent = columns(first);
        let room = WIDTH.saturating_sub(indent).max(20);
        let mut lead = first.to_owned();
        let mut line = String::new();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            if !line.is_empty() && columns(&line) + 1 + columns(word) > room {
                self.line(&format!("{lead}{line}"))?;
                lead = " ".repeat(indent);
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(&format!("{lead}{line}"))
    }

    /// Colours the outcome words of a line of our own making.
    fn tint(&self, line: &str) -> String {
        if !self.style.colour {
            return line.to_owned();
        }
        let mut out = line.to_owned();
        for outcome in Outcome::ALL {
            let on = match outcome {
                Outcome::Compromised | Outcome::Succeeded => "\x1b[1;31m",
                Outcome::Crashed | Outcome::Reached => "\x1b[33m",
                _ => continue,
            };
            let word = format!(" {} ", outcome.as_str());
            let bright = format!(" {on}{}\x1b[0m ", outcome.as_str());
            out = out.replacen(&word, &bright, 1);
        }
        out
    }
}

fn safe(text: &Raw) -> String {
    Untrusted::from(text.as_bytes()).terminal()
}

fn safe_str(text: &str) -> String {
    Untrusted::from(text.as_bytes()).terminal()
}

/// `2001-07-19 13:01:02`, or `-`.
fn time(time: Option<Timestamp>) -> String {
    time.map_or_else(
        || "-".to_owned(),
        |time| time.to_string().replace('T', " ").replace('Z', ""),
    )
}

/// The day alone.
fn day(stamp: Option<Timestamp>) -> String {
    let text = time(stamp);
    text.split(' ').next().unwrap_or("-").to_owned()
}

/// `1 hit`, `2 hits`, with thousands apart.
fn count(number: u64, one: &str, many: &str) -> String {
    let word = if number == 1 { one } else { many };
    format!("{} {word}", thousands(number))
}

/// `1,234,567`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
