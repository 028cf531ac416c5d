//! One logged request, borrowed from its line.

use std::ops::Range;

use crate::w3c::{Field, Form, Layout, TimeNote, Timestamp};

/// One logged request. `-` and empty columns read as `None`.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools)] // four independent facts
pub struct Record<'a> {
    /// The line without its line end.
    pub line: &'a [u8],
    /// The columns in force.
    pub layout: &'a Layout,
    /// When it was logged, UTC.
    pub time: Option<Timestamp>,
    /// How surely that is known.
    pub time_note: TimeNote,
    /// The version of IIS that wrote it, major and minor, from `#Software`.
    pub iis: Option<(u8, u8)>,
    /// The line was longer than [`crate::limits::LINE_BYTES`]; later columns
    /// are missing.
    pub cut: bool,
    /// Decoding could change something in the line: it holds a percent
    /// sign or a byte from C0 up.
    pub wrapped: bool,
    /// The log is that of URLScan, which refused the request.
    pub refused: bool,
    /// When, on which host and for which site it was written is told by the
    /// same bytes as in the record before it. False where that is not known.
    pub repeats: bool,
    /// Where the columns end, and the line begins, in the text that the
    /// line was found in.
    pub(super) ends: &'a [u32],
    /// Where they begin; empty where each begins one byte after the end of
    /// the one before.
    pub(super) starts: &'a [u32],
    pub(super) origin: u32,
}

/// What a request asked for: path and query as sent, apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The path.
    pub stem: Option<&'a [u8]>,
    /// What follows the `?`.
    pub query: Option<&'a [u8]>,
    /// The line shows another URL, the original stands in its query.
    pub disguise: Option<Disguise>,
}

/// Why a line's stem is not what the client asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disguise {
    /// URLScan refused it: IIS logged `/<Rejected-By-UrlScan>` with the
    /// original after a tilde, or the log is that of URLScan itself.
    UrlScan,
}

const REJECTED: &[u8] = b"/<Rejected-By-UrlScan>";

impl<'a> Record<'a> {
    /// Where the line begins in the text that it was found in: 0 for a line
    /// that was read alone.
    #[inline]
    pub fn origin(&self) -> usize {
        self.origin as usize
    }

    /// True where the columns are what stands between the line's blanks, up
    /// to its end.
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.starts.is_empty() && !self.cut
    }

    /// Where column `column` stands in the line.
    #[inline]
    pub fn span(&self, column: usize) -> Option<Range<usize>> {
        if self.starts.is_empty() {
            return span(self.ends, self.origin, column);
        }
        let place = |places: &[u32]| {
            let place = places.get(column)?.checked_sub(self.origin)?;
            Some(place as usize)
        };
        Some(place(self.starts)?..place(self.ends)?)
    }

    /// The text of a column, `-` included.
    #[inline]
    pub fn column(&self, column: usize) -> Option<&'a [u8]> {
        self.line.get(self.span(column)?)
    }

    /// The value of a field.
    #[inline]
    pub fn get(&self, field: Field) -> Option<&'a [u8]> {
        self.layout.column(field).and_then(|column| self.value(column))
    }

    /// The field whose column holds a byte of the text that the line was
    /// found in.
    pub fn field_at(&self, place: usize) -> Option<Field> {
        let before = |end: &u32| (*end as usize) < place;
        self.layout
            .field(self.ends.iter().take_while(|end| before(end)).count())
    }

    /// The value of a custom field, by its column name.
    pub fn get_named(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.layout.column_named(name).and_then(|column| self.value(column))
    }

    #[inline]
    fn value(&self, column: usize) -> Option<&'a [u8]> {
        self.column(column).filter(is_value)
    }

    /// A field that holds a whole number.
    pub fn number(&self, field: Field) -> Option<u64> {
        std::str::from_utf8(self.get(field)?).ok()?.parse().ok()
    }

    /// What was asked for. HTTPERR's one `cs-uri` is split at the `?`; a
    /// rejection by URLScan gives back the original URL.
    #[inline]
    pub fn target(&self) -> Target<'a> {
        let mut logged = self.logged_target();
        if self.refused {
            logged.disguise = Some(Disguise::UrlScan);
            logged
        } else if logged.stem.is_some_and(|stem| stem.starts_with(b"/<")) {
            undisguise(logged)
        } else {
            logged
        }
    }

    /// Path and query as the line has them.
    #[inline]
    pub fn logged_target(&self) -> Target<'a> {
        if self.layout.has(Field::CsUriStem) {
            let stem = self.get(Field::CsUriStem);
            let mut query = self.get(Field::CsUriQuery);
            if self.layout.form() == Form::Csv {
                // Exchange logs the `?` with the query.
                query = query.map(|it| it.strip_prefix(b"?").unwrap_or(it));
                query = query.filter(|query| !query.is_empty());
            }
            return Target { stem, query, disguise: None };
        }
        split_target(self.get(Field::CsUri))
    }
}

/// Where a column stands in a line that begins at `origin`, given where its
/// columns end.
#[inline]
pub(super) fn span(
    ends: &[u32],
    origin: u32,
    column: usize,
) -> Option<Range<usize>> {
    let end = *ends.get(column)?;
    let start = match column.checked_sub(1) {
        None => origin,
        Some(before) => *ends.get(before)? + 1,
    };
    let start = start.checked_sub(origin)? as usize;
    Some(start..end.checked_sub(origin)? as usize)
}

/// False for what the log writes where there is nothing to write.
#[inline]
pub(super) fn is_value(text: &&[u8]) -> bool {
    !matches!(*text, b"" | b"-")
}

/// Splits a URL at its first `?`.
fn split_target(url: Option<&[u8]>) -> Target<'_> {
    let mut target = Target { stem: url, query: None, disguise: None };
    if let Some(url) = url
        && let Some(at) = memchr::memchr(b'?', url)
    {
        target.stem = url.get(..at);
        target.query = url.get(at + 1..).filter(|query| !query.is_empty());
    }
    target
}

/// The original of a URL that URLScan refused.
fn undisguise(logged: Target<'_>) -> Target<'_> {
    let is_rejection =
        logged.stem.is_some_and(|stem| stem.eq_ignore_ascii_case(REJECTED));
    if !is_rejection {
        return logged;
    }
    let original = logged
        .query
        .and_then(|query| query.strip_prefix(b"~"))
        .filter(|url| !url.is_empty());
    let mut target = match original {
        Some(url) => split_target(Some(url)),
        None => logged,
    };
    target.disguise = Some(Disguise::UrlScan);
    target
}
