//! The IIS view: which texts of a record a rule's field means.
//!
//! Public Sigma rules take `cs-uri-query` for the whole request target,
//! while IIS logs path and query apart. So a test on it is tried on the raw
//! query, on the request (stem, `?`, query) and on the decoded forms of
//! both, until one holds. [`Sight`] holds those forms for one record. Where
//! the log has a code page, what it makes of them comes last.

use crate::signature::foreign::Foreign;
use crate::w3c::decode::Decoded;
use crate::w3c::shorten::{resolve, tidy};
use crate::w3c::{Disguise, Field, Record, Target};

/// Which texts a rule's field name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// The raw line and the request line (keywords).
    Line,
    /// Query and request, raw and decoded.
    Request,
    /// The stem, raw and decoded.
    Stem,
    /// What follows the last dot of the stem, raw and decoded.
    Extension,
    /// One logged field.
    Field(Field),
    /// A custom column, by its name in lower case.
    Custom(String),
}

impl View {
    /// The view that a rule's field name means. With `strict`, names mean
    /// the logged column and nothing more.
    pub fn of(name: Option<&str>, strict: bool) -> Self {
        let Some(name) = name else { return Self::Line };
        let field = match name {
            "cs-uri-query" | "c-uri-query" if strict => Field::CsUriQuery,
            "cs-uri-stem" | "c-uri-stem" if strict => Field::CsUriStem,
            "cs-uri-query" | "c-uri-query" | "c-uri" | "cs-uri" => {
                return Self::Request;
            }
            "cs-uri-stem" | "c-uri-stem" => return Self::Stem,
            "c-uri-extension" => return Self::Extension,
            "cs-user-agent" | "c-useragent" | "user-agent" => {
                Field::CsUserAgent
            }
            "cs-referer" | "cs-referrer" | "referer" => Field::CsReferer,
            "cs-cookie" => Field::CsCookie,
            "r-dns" | "host" => Field::CsHost,
            "src_ip" | "src-ip" | "sourceip" => Field::CIp,
            "dst_ip" | "dst-ip" => Field::SIp,
            "dst_port" | "dst-port" => Field::SPort,
            "c-win32-status" => Field::ScWin32Status,
            _ => match Field::from_name(name.as_bytes()) {
                Some(field) => field,
                None => return Self::Custom(name.to_owned()),
            },
        };
        Self::Field(field)
    }

    /// The value as logged; of a request, its query.
    pub fn raw_value<'a>(&self, record: &Record<'a>) -> Option<&'a [u8]> {
        match self {
            Self::Line => Some(record.line),
            Self::Request => record.target().query,
            Self::Stem | Self::Extension => record.target().stem,
            Self::Field(field) => record.get(*field),
            Self::Custom(name) => record.get_named(name.as_bytes()),
        }
    }
}

/// Which form of a text a test held for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As logged.
    Raw,
    /// Stem and query joined.
    Request,
    /// Decoded, after this round (from 0).
    Decoded(usize),
    /// The request decoded, after this round.
    DecodedRequest(usize),
    /// Decoded as far as it goes, the path shortened.
    Short,
    /// The request with such a path.
    ShortRequest,
    /// What the line shows where the original stands in its query.
    Logged,
    /// Read in the code page, after this step of decoding.
    Read(usize),
    /// The request, read in the code page after this step.
    ReadRequest(usize),
}

/// The texts of one record, decoded once for all rules, and not before a
/// rule asks for them.
#[derive(Debug, Default)]
pub struct Sight {
    stem: Decoded,
    query: Decoded,
    /// Not decoded yet.
    stem_due: bool,
    query_due: bool,
    /// The path tidied, and resolved.
    short: [Vec<u8>; 2],
    has_short: [bool; 2],
    short_due: bool,
    joined: Vec<u8>,
    /// What a code page makes of them.
    pub(super) foreign: Foreign,
}

impl Sight {
    /// Looks at a record in which something may be wrapped.
    #[inline]
    pub fn look(&mut self) {
        (self.stem_due, self.query_due) = (true, true);
        self.short_due = true;
    }

    /// Looks at a record in which nothing is wrapped.
    #[inline]
    pub fn look_plain(&mut self) {
        (self.stem_due, self.query_due) = (false, false);
        self.short_due = true;
        self.stem.clear();
        self.query.clear();
    }

    /// Decodes what was not decoded yet; `target` is that of the record.
    #[inline]
    pub fn decode(&mut self, target: &Target<'_>) {
        self.decode_stem(target);
        if std::mem::take(&mut self.query_due) {
            self.query.set(target.query.unwrap_or_default());
        }
    }

    #[inline]
    fn decode_stem(&mut self, target: &Target<'_>) {
        if std::mem::take(&mut self.stem_due) {
            self.stem.set(target.stem.unwrap_or_default());
        }
        if std::mem::take(&mut self.short_due) {
            let stem = self.stem.form(usize::MAX).or(target.stem);
            let stem = stem.unwrap_or_default();
            let [tidied, resolved] = &mut self.short;
            let is_tidied = tidy(stem, tidied);
            let stem = if is_tidied { tidied.as_slice() } else { stem };
            self.has_short = [is_tidied, resolve(stem, resolved)];
        }
    }

    /// The decoded forms of the stem, once it is decoded.
    pub fn stem(&self) -> &Decoded {
        &self.stem
    }

    /// The last form of the stem without its detours, once it is decoded
    /// and where it has any: tidied, and resolved.
    pub fn short(&self) -> impl Iterator<Item = &[u8]> {
        let forms = self.short.iter().zip(self.has_short);
        forms.filter(|(_, is)| *is).map(|(form, _)| form.as_slice())
    }

    /// The decoded forms of the query, once it is decoded.
    pub fn query(&self) -> &Decoded {
        &self.query
    }

    /// True where `holds` is true of one form of the view; which one.
    /// The record must be the one looked at.
    pub fn find(
        &mut self,
        view: &View,
        record: &Record<'_>,
        holds: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Option<Form> {
        let mut joined = std::mem::take(&mut self.joined);
        let found = match view {
            View::Field(field) => record
                .get(*field)
                .is_some_and(&mut *holds)
                .then_some(Form::Raw),
            View::Custom(name) => record
                .get_named(name.as_bytes())
                .is_some_and(&mut *holds)
                .then_some(Form::Raw),
            View::Stem => self.find_stem(record, holds),
            View::Extension => self.find_stem(record, &mut |stem| {
                extension(stem).is_some_and(&mut *holds)
            }),
            View::Request => {
                self.find_request(record, b"", &mut joined, holds)
            }
            View::Line => {
                if holds(record.line) {
                    Some(Form::Raw)
                } else {
                    self.find_request_line(record, &mut joined, holds)
                }
            }
        };
        self.joined = joined;
        if found.is_none() && self.foreign.is_here() {
            return self.foreign.find(view, record, holds);
        }
        found
    }

    fn find_stem(
        &mut self,
        record: &Record<'_>,
        holds: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Option<Form> {
        let target = record.target();
        if holds(target.stem?) {
            return Some(Form::Raw);
        }
        self.decode_stem(&target);
        for (round, (form, _)) in self.stem.forms().enumerate() {
            if holds(form) {
                return Some(Form::Decoded(round));
            }
        }
        if self.short().any(&mut *holds) {
            return Some(Form::Short);
        }
        if target.disguise == Some(Disguise::UrlScan)
            && record.logged_target().stem.is_some_and(holds)
        {
            return Some(Form::Logged);
        }
        None
    }

    fn find_request(
        &mut self,
        record: &Record<'_>,
        lead: &[u8],
        joined: &mut Vec<u8>,
        holds: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Option<Form> {
        let target = record.target();
        if target.stem.is_none() && target.query.is_none() {
            return None;
        }
        let query = target.query.unwrap_or_default();
        if lead.is_empty() && target.query.is_some() && holds(query) {
            return Some(Form::Raw);
        }
        let stem = target.stem.unwrap_or_default();
        join(joined, lead, stem, target.query);
        if holds(joined) {
            return Some(Form::Request);
        }
        self.decode(&target);
        for round in 0..self.stem.len().max(self.query.len()) {
            let stem = self.stem.form(round).unwrap_or(stem);
            let query = target
                .query
                .map(|query| self.query.form(round).unwrap_or(query));
            if lead.is_empty() && query.is_some_and(&mut *holds) {
                return Some(Form::Decoded(round));
            }
            join(joined, lead, stem, query);
            if holds(joined) {
                return Some(Form::DecodedRequest(round));
            }
        }
        for stem in self.short() {
            let decoded = self.query.forms().map(|(form, _)| Some(form));
            for query in std::iter::once(target.query).chain(decoded) {
                join(joined, lead, stem, query);
                if holds(joined) {
                    return Some(Form::ShortRequest);
                }
            }
        }
        None
    }

    fn find_request_line(
        &mut self,
        record: &Record<'_>,
        joined: &mut Vec<u8>,
        holds: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Option<Form> {
        let mut lead =
            record.get(Field::CsMethod).unwrap_or_default().to_vec();
        lead.push(b' ');
        self.find_request(record, &lead, joined, holds)
    }

    /// The form in words: `cs-uri-query (request; percent, overlong)`.
    pub fn describe(&self, field: &str, form: Form) -> String {
        let chain = |round| {
            let stem = self.stem.chain(round);
            let query = self.query.chain(round);
            if stem.len() >= query.len() { stem } else { query }
        };
        match form {
            Form::Raw => field.to_owned(),
            Form::Request => format!("{field} (request)"),
            Form::Decoded(round) => format!("{field} ({})", chain(round)),
            Form::DecodedRequest(round) => {
                format!("{field} (request; {})", chain(round))
            }
            Form::Short => format!("{field} ({})", self.detour()),
            Form::ShortRequest => {
                format!("{field} (request; {})", self.detour())
            }
            Form::Logged => format!("{field} (as logged)"),
            Form::Read(step) => {
                format!("{field} ({})", self.foreign.describe(step))
            }
            Form::ReadRequest(step) => {
                format!("{field} (request; {})", self.foreign.describe(step))
            }
        }
    }

    /// What was undone to shorten the path: `percent, shortened`.
    fn detour(&self) -> String {
        match self.stem.chain(usize::MAX - 1) {
            chain if chain.is_empty() => "shortened".to_owned(),
            chain => format!("{chain}, shortened"),
        }
    }
}

/// What follows the last dot of the last path segment.
pub(super) fn extension(stem: &[u8]) -> Option<&[u8]> {
    let slash = memchr::memrchr(b'/', stem).map_or(0, |at| at + 1);
    let name = stem.get(slash..)?;
    name.get(memchr::memrchr(b'.', name)? + 1..)
}

pub(super) fn join(
    out: &mut Vec<u8>,
    lead: &[u8],
    stem: &[u8],
    query: Option<&[u8]>,
) {
    out.clear();
    out.extend_from_slice(lead);
    out.extend_from_slice(stem);
    if let Some(query) = query {
        out.push(b'?');
        out.extend_from_slice(query);
    }
}
