//! A case for the terminal: what was read, then the three questions.
//!
//! In: a [`Case`] and the catalogue of features. Out: text of a given width
//! that reads the same without colour. Long lists are cut and say so; all
//! text from evidence and rules goes through [`Untrusted`].
//!
//! | file | idea |
//! |---|---|
//! | `page`, `cut`, `words` | lines and tables; numbers in words |
//! | `read` | what was read, and what could not be |
//! | `hosts` | which hosts were probed? |
//! | `successes` | which probes succeeded? |
//! | `features` | which exposed features were hit? |
//! | `clients`, `rules` | who probed, and with what |
//! | `inventory` | another page: what is there, without detection |
//! | `explanation` | another page: all there is to say of one line |

mod clients;
mod cut;
mod explanation;
mod features;
mod hosts;
mod inventory;
mod page;
mod read;
mod rules;
mod successes;
#[cfg(test)]
mod tests;
mod unevaluated;
mod words;

pub use self::explanation::explanation;
pub use self::inventory::inventory;

use self::page::{Cell, Page, Tone};
use self::words::{Precision, number};
use crate::case::Case;
use crate::raw::Raw;
use crate::report::Untrusted;
use crate::signature::Feature;
use crate::w3c::{Timestamp, Zone};

/// How a summary is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalOptions {
    /// Show all rows and whole evidence lines.
    pub full: bool,
    /// Use colour.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// The zone that times are shown in; UTC where there is none.
    pub zone: Option<Zone>,
}

impl Default for TerminalOptions {
    fn default() -> Self {
        Self { full: false, color: false, width: 80, zone: None }
    }
}

/// Finds a feature of the catalogue by its id.
pub type FeatureOf<'a> = &'a dyn Fn(&str) -> Option<&'a Feature>;

/// The summary of a case.
pub fn summary(
    case: &Case,
    feature: FeatureOf<'_>,
    options: TerminalOptions,
) -> String {
    let page = Page::new(options.width, options.color);
    let (full, zone) = (options.full, options.zone);
    let mut sheet = Sheet { page, full, zone };
    read::show(&mut sheet, case);
    hosts::show(&mut sheet, case);
    successes::show(&mut sheet, case);
    features::show(&mut sheet, case, feature);
    clients::show(&mut sheet, case);
    rules::show(&mut sheet, case);
    unevaluated::show(&mut sheet, case);
    sheet.page.finish()
}

/// A page that knows whether lists are cut.
#[derive(Debug)]
struct Sheet {
    page: Page,
    full: bool,
    zone: Option<Zone>,
}

impl Sheet {
    /// How many of `rows` are shown where lists are cut at `most`.
    fn shown(&self, rows: usize, most: usize) -> usize {
        if self.full { rows } else { rows.min(most) }
    }

    /// Says how many rows are left out.
    fn left_out(&mut self, indent: usize, rows: usize, most: usize) {
        let more = rows - self.shown(rows, most);
        if more > 0 {
            let more = number(u64::try_from(more).unwrap_or(u64::MAX));
            let text = format!("… {more} more (--full shows all)");
            self.page.pieces(indent, &[Cell::toned(text, Tone::Faint)]);
        }
    }

    /// A time as the user wants to read it.
    fn time(&self, time: Option<Timestamp>, precision: Precision) -> String {
        match time.zip(self.zone.as_ref()) {
            Some((time, zone)) => words::cut_time(&zone.show(time), precision),
            None => words::time(time, precision),
        }
    }

    /// One line of plain text.
    fn line(&mut self, indent: usize, text: &str) {
        self.page.pieces(indent, &[Cell::new(text)]);
    }

    /// A paragraph of any length.
    fn paragraph(&mut self, indent: usize, hang: usize, text: &str) {
        self.page.wrapped(indent, hang, text, usize::MAX);
    }
}

/// Evidence bytes for the terminal.
fn raw(text: &Raw) -> String {
    Untrusted::from(text).terminal()
}

/// Text of a rule or catalogue for the terminal.
fn text(text: &str) -> String {
    Untrusted::from(text).terminal()
}
