//! The forms of a record that a code page makes: where bytes are no UTF-8,
//! what they were meant to say.
//!
//! In: a record, and the code page of its log. Out: more forms for the view,
//! tried after all others, so that bytes are matched as they are first. And
//! which lines of a page can have such forms at all: those that hold what is
//! no UTF-8, or an escape that may become so.

use crate::signature::prefilter::Grams;
use crate::signature::view::{Form, View, extension, join};
use crate::w3c::decode::{Wrapping, unwrap};
use crate::w3c::simd::{Isa, is_ascii};
use crate::w3c::{CodePage, Field, Paged, Record, STEPS, Target};

/// The forms of one record, made once for all rules, and not before they
/// are asked for. Without a code page there are none.
#[derive(Debug, Default)]
pub struct Foreign {
    page: Option<CodePage>,
    /// The record looked at may have such forms.
    is_here: bool,
    /// They are not made yet.
    is_due: bool,
    stem: Paged,
    query: Paged,
    joined: Vec<u8>,
}

/// Where a text stands in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// Stem or query, after some step of decoding.
    Target,
    /// A column.
    Column(Option<Field>),
    /// The whole line.
    Line,
}

impl Foreign {
    /// Reads the records that follow in this code page.
    pub fn read_as(&mut self, page: Option<CodePage>) {
        (self.page, self.is_here) = (page, false);
    }

    /// The code page that records are read in.
    #[inline]
    pub fn page(&self) -> Option<CodePage> {
        self.page
    }

    /// Looks at a record, in which there may be bytes that are no UTF-8.
    #[inline]
    pub fn look(&mut self, is_here: bool) {
        self.is_here = is_here && self.page.is_some();
        self.is_due = self.is_here;
    }

    /// True where the record looked at may have forms of its own here.
    #[inline]
    pub fn is_here(&self) -> bool {
        self.is_here
    }

    /// True where `holds` is true of one of these forms of the view.
    pub fn find(
        &mut self,
        view: &View,
        record: &Record<'_>,
        holds: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Option<Form> {
        let page = self.page.filter(|_| self.is_here)?;
        let mut value = |text: Option<&[u8]>| {
            let text = page.decode(text?)?;
            holds(text.as_bytes()).then_some(Form::Read(0))
        };
        match view {
            View::Field(field) => value(record.get(*field)),
            View::Custom(name) => value(record.get_named(name.as_bytes())),
            View::Stem => self.find_stem(record, holds),
            View::Extension => self.find_stem(record, &mut |stem| {
                extension(stem).is_some_and(&mut *holds)
            }),
            View::Request => self.find_request(record, b"", holds),
            View::Line => {
                let line = page.decode_line(record.line);
                if line.is_some_and(|line| holds(line.as_bytes())) {
                    return Some(Form::Read(0));
                }
                let method = record.get(Field::CsMethod).unwrap_or_default();
                let lead = [method, b" "].concat();
                self.find_request(record, &lead, holds)
            }
        }
    }

    fn find_stem(
        &mut self,
        record: &Record<'_>,
        holds: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Option<Form> {
        self.make(&record.target());
        let mut forms = self.stem.read();
        forms.find(|(_, text)| holds(text)).map(|(step, _)| Form::Read(step))
    }

    /// The request at each step at which the code page made a part of it.
    fn find_request(
        &mut self,
        record: &Record<'_>,
        lead: &[u8],
        holds: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Option<Form> {
        let target = record.target();
        self.make(&target);
        if lead.is_empty()
            && let Some((step, _)) =
                self.query.read().find(|(_, text)| holds(text))
        {
            return Some(Form::Read(step));
        }
        let Self { stem, query, joined, .. } = self;
        for step in (0..STEPS).filter(|at| stem.has(*at) || query.has(*at)) {
            let (stem, is_read) = stem.after(step);
            let (query, is_read_too) = query.after(step);
            if !is_read && !is_read_too {
                continue;
            }
            join(joined, lead, stem, target.query.map(|_| query));
            if holds(joined) {
                return Some(Form::ReadRequest(step));
            }
        }
        None
    }

    fn make(&mut self, target: &Target<'_>) {
        if let Some(page) = self.page.filter(|_| self.is_due) {
            self.stem.set(page, target.stem.unwrap_or_default());
            self.query.set(page, target.query.unwrap_or_default());
            self.is_due = false;
        }
    }

    /// Calls `each` with every text of the record that the code page makes:
    /// all that forms consist of. `with_line` are those of the line, each
    /// piece between blanks at least.
    pub fn texts(
        &mut self,
        record: &Record<'_>,
        with_line: bool,
        each: &mut dyn FnMut(Spot, &[u8]),
    ) {
        let Some(page) = self.page.filter(|_| self.is_here) else { return };
        let target = record.target();
        self.make(&target);
        for (_, text) in self.stem.read().chain(self.query.read()) {
            each(Spot::Target, text);
        }
        if record.line.is_ascii() {
            return;
        }
        let is_whole = with_line && !record.is_plain();
        if is_whole && let Some(line) = page.decode_line(record.line) {
            each(Spot::Line, line.as_bytes());
        }
        for column in 0..record.layout.len() {
            let text = record.column(column).unwrap_or_default();
            if text.is_ascii() {
                continue;
            }
            let field = record.layout.field(column);
            let is_target = match field {
                Some(Field::CsUriStem) => target.stem == Some(text),
                Some(Field::CsUriQuery) => target.query == Some(text),
                _ => false,
            };
            if !is_target && let Some(text) = page.decode(text) {
                each(Spot::Column(field), text.as_bytes());
            }
            // Words of a line end at a tab, and columns may not.
            let is_split = with_line && text.contains(&b'\t');
            if is_split && let Some(text) = page.decode_line(text) {
                each(Spot::Line, text.as_bytes());
            }
        }
    }

    /// What the code page makes of a line that is no record.
    pub fn read_line(&self, line: &[u8], found: &mut Vec<String>) {
        found.clear();
        if let Some(page) = self.page {
            page.decode_steps(line, found);
        }
    }

    /// The form in words: `percent, windows-1252`.
    pub fn describe(&self, step: usize) -> String {
        let chains = [self.query.chain(step), self.stem.chain(step)];
        let [chain, other] = chains;
        let chain = if other.len() >= chain.len() { other } else { chain };
        let page = self.page.map_or("", CodePage::name);
        if chain.is_empty() {
            return page.to_owned();
        }
        format!("{chain}, {page}")
    }
}

/// Marks the lines of a page that may have forms here, each at one place at
/// least. `wrapped` is where something in the page is wrapped. What is UTF-8
/// as it stands, or once its escapes are undone, is passed over: logs of
/// today are full of it.
pub(super) fn mark(isa: Isa, page: &[u8], wrapped: &[u32], marks: &mut Grams) {
    marks.clear(0);
    mark_escapes(page, wrapped, marks);
    let escapes = marks.count();
    if !is_ascii(isa, page) {
        mark_bytes(page, marks);
        if escapes > 0 && marks.count() > escapes {
            marks.sort();
        }
    }
}

fn mark_escapes(page: &[u8], wrapped: &[u32], marks: &mut Grams) {
    // The end of the character that was read last.
    let mut end = 0;
    for place in wrapped {
        let at = *place as usize;
        let text = page.get(at..).unwrap_or_default();
        match unwrap(text) {
            _ if at < end => {}
            Wrapping::Byte(0..0x80) | Wrapping::None => {}
            Wrapping::Byte(lead) => match escaped_utf8(lead, text) {
                Some(length) => end = at + length,
                None => marks.push(*place),
            },
            // May become anything.
            Wrapping::Deep => marks.push(*place),
        }
    }
}

/// The length of the escapes that a text begins with, where they are those
/// of one character in UTF-8.
fn escaped_utf8(lead: u8, text: &[u8]) -> Option<usize> {
    const ESCAPE: usize = 3;
    let length = match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let mut bytes = [lead, 0, 0, 0];
    let places = (ESCAPE..).step_by(ESCAPE);
    for (byte, at) in bytes.iter_mut().take(length).skip(1).zip(places) {
        let escape = text.get(at..).filter(|it| it.first() == Some(&b'%'))?;
        let Wrapping::Byte(own) = unwrap(escape) else { return None };
        *byte = own;
    }
    let is_utf8 = std::str::from_utf8(bytes.get(..length)?).is_ok();
    is_utf8.then_some(ESCAPE * length)
}

/// Marks the first byte of each line that is no UTF-8.
fn mark_bytes(page: &[u8], marks: &mut Grams) {
    let mut at = 0;
    while let Err(error) =
        std::str::from_utf8(page.get(at..).unwrap_or_default())
    {
        let odd = at + error.valid_up_to();
        // Places are those of a page, whose length fits.
        #[allow(clippy::cast_possible_truncation)]
        marks.push(odd as u32);
        let rest = page.get(odd..).unwrap_or_default();
        let Some(end) = memchr::memchr(b'\n', rest) else { break };
        at = odd + end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::w3c::decode::is_wrapped;

    proptest::proptest! {
        /// A line in which a code page makes any difference is marked.
        #[test]
        fn misses_no_line(
            lines in proptest::collection::vec(
                proptest::collection::vec(
                    proptest::sample::select(vec![
                        &b"a"[..], b"%", b"%25", b"2", b"5", b"%32", b"%f",
                        b"c", b"%FC", b"%uFC00", b"%41", b"\x83\x5c", b"\xfc",
                        b"\xc3\xbc", b"\xc0", b"\xaf", b"\x80", b" ",
                        b"%C3%BC", b"%e2%82%AC", b"%C3", b"%82", b"\xe2",
                        b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                    ]),
                    0..8,
                ),
                1..8,
            ),
        ) {
            let lines: Vec<Vec<u8>> =
                lines.iter().map(|line| line.concat()).collect();
            let page = lines.join(&b'\n');
            let wrapped: Vec<u32> = (0_u32..)
                .zip(&page)
                .filter(|(_, byte)| is_wrapped(&[**byte]))
                .map(|(at, _)| at)
                .collect();
            let mut marks = Grams::default();
            mark(Isa::best(), &page, &wrapped, &mut marks);
            let mut start = 0;
            let code_page = CodePage::from_name("932").unwrap();
            for line in &lines {
                let end = start + line.len();
                let is_marked = marks.between(start, end).next().is_some();
                let mut found = Vec::new();
                code_page.decode_steps(line, &mut found);
                assert!(is_marked || found.is_empty());
                start = end + 1;
            }
        }
    }
}
