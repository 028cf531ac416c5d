//! The forms that a row can have, one file each, behind one type.
//!
//! In: a line, and how many columns its layout has. Out: where each column
//! stands in it, or that the line does not have the form. No byte is moved
//! or changed: a record of any dialect is its line and a list of places, so
//! that every signature works on all of them and every statement can be
//! proved on the bytes as found.
//!
//! | file | form |
//! |---|---|
//! | here | W3C as IIS writes it: single blanks; the index finds them |
//! | `loose` | W3C by other writers: tabs, runs of blanks, quotes |
//! | `native` | IIS native: fifteen values between commas |
//! | `ncsa` | NCSA common and combined |
//! | `urlscan` | URLScan 1 and 2 |
//! | `csv` | Exchange: RFC 4180 |

mod csv;
mod loose;
mod native;
mod ncsa;
mod urlscan;

pub(super) use self::csv::names as csv_names;
pub(super) use self::urlscan::Sentence;

use crate::w3c::Reject;

/// How the rows of a layout are cut into columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Single blanks; tabs, runs of blanks and quotes where they are needed
    /// to make the columns fit.
    #[default]
    Blanks,
    /// IIS native.
    Native,
    /// NCSA common or combined, also Apache's.
    Ncsa,
    /// URLScan 1 and 2: a sentence.
    UrlScan,
    /// Values between commas, in quotes where needed.
    Csv,
}

/// Where the columns of one line stand in it, in their order.
#[derive(Debug, Default)]
pub(super) struct Spans {
    pub starts: Vec<u32>,
    pub ends: Vec<u32>,
}

impl Spans {
    fn clear(&mut self) {
        self.starts.clear();
        self.ends.clear();
    }

    /// Adds a column. A line is shorter than 4 GiB.
    #[allow(clippy::cast_possible_truncation)]
    fn push(&mut self, start: usize, end: usize) {
        self.starts.push(start as u32);
        self.ends.push(end as u32);
    }

    /// The columns that single blanks make of a line.
    pub fn take_ends(&mut self, ends: &[u32], wanted: usize, origin: u32) {
        self.clear();
        let ends = ends.get(..wanted).unwrap_or(ends);
        let starts = ends.iter().map(|end| end.saturating_add(1));
        self.ends.extend_from_slice(ends);
        self.starts.push(origin);
        self.starts.extend(starts.take(ends.len().saturating_sub(1)));
    }

    /// Empties a column.
    pub fn empty(&mut self, column: usize) {
        if let (Some(start), Some(end)) =
            (self.starts.get(column), self.ends.get_mut(column))
        {
            *end = *start;
        }
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    /// Counts all places from where the line begins.
    fn shift(&mut self, origin: u32) {
        let all = self.starts.iter_mut().chain(&mut self.ends);
        for place in all {
            *place = place.saturating_add(origin);
        }
    }
}

impl Form {
    /// Cuts a line that begins at `origin` into `wanted` columns. `is_cut`
    /// says that it goes on beyond what is given, so that columns may lack.
    pub(super) fn cut(
        self,
        line: &[u8],
        wanted: usize,
        is_cut: bool,
        origin: u32,
        spans: &mut Spans,
    ) -> Result<(), Reject> {
        spans.clear();
        match self {
            Self::Blanks => loose::cut(line, wanted, spans)?,
            Self::Native => native::cut(line, spans).ok_or(Reject::Form)?,
            Self::Ncsa => ncsa::cut(line, spans).ok_or(Reject::Form)?,
            Self::UrlScan => urlscan::cut(line, spans).ok_or(Reject::Form)?,
            Self::Csv => csv::cut(line, spans),
        }
        if spans.len() > wanted {
            return Err(Reject::TooMany);
        }
        if spans.len() < wanted && !is_cut {
            return Err(Reject::TooFew);
        }
        spans.shift(origin);
        Ok(())
    }

    /// The names of the columns of a form that needs no `#Fields`.
    pub(super) fn names(self) -> Option<&'static str> {
        match self {
            Self::Blanks | Self::Csv => None,
            Self::Native => Some(native::NAMES),
            Self::Ncsa => Some(ncsa::NAMES),
            Self::UrlScan => Some(urlscan::NAMES),
        }
    }

    /// True where times of this form are those of the server's clock, unless
    /// the line tells the zone.
    pub(super) fn is_local(self) -> bool {
        matches!(self, Self::Native | Self::UrlScan)
    }
}

/// True where the text starts as the pattern says: `d` stands for a digit,
/// `a` for a letter.
pub(super) fn fits(text: &[u8], pattern: &[u8]) -> bool {
    text.len() >= pattern.len()
        && text.iter().zip(pattern).all(|(byte, want)| match want {
            b'd' => byte.is_ascii_digit(),
            b'a' => byte.is_ascii_alphabetic(),
            _ => byte == want,
        })
}

/// Where `part` begins in `text` from `from` on.
fn find(text: &[u8], from: usize, part: &[u8]) -> Option<usize> {
    let rest = text.get(from..)?;
    Some(from + memchr::memmem::find(rest, part)?)
}

/// The place of the first byte at or after `from` that is no blank.
fn skip_blanks(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
    from + blanks
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}
