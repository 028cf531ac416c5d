//! What the rows of a file look like: the shapes of logs without directives,
//! and the services that log with the columns of a web server.
//!
//! In: rows. Out: counts, and the dialect they prove.

use crate::w3c::form::fits;
use crate::w3c::{Dialect, Field, Line, Parser, Record};

/// What a row looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A date or time, then columns with a verb or a path among them.
    W3c,
    /// The same with a session number before the command: `[12]USER`.
    Ftp,
    Ncsa,
    IisNative,
    UrlScan,
    /// Anything else.
    None,
}

/// Rows by what they look like.
#[derive(Debug, Default)]
pub(super) struct Rows {
    all: usize,
    w3c: usize,
    ftp_shaped: usize,
    ncsa: usize,
    native: usize,
    urlscan: usize,
    /// Rows with a verb of HTTP, in any column.
    http: usize,
    /// Records with a command and a reply of FTP.
    ftp: usize,
    /// Records with a command and a reply of SMTP.
    smtp: usize,
}

impl Rows {
    pub fn add(&mut self, row: &[u8], parser: &mut Parser) {
        self.all += 1;
        match shape(row) {
            Shape::W3c => self.w3c += 1,
            Shape::Ftp => self.ftp_shaped += 1,
            Shape::Ncsa => self.ncsa += 1,
            Shape::IisNative => self.native += 1,
            Shape::UrlScan => self.urlscan += 1,
            Shape::None => {}
        }
        self.http += usize::from(columns(row).any(is_http_verb));
        if let Line::Record(record) = parser.line(row, false) {
            self.ftp += usize::from(is_ftp(&record));
            self.smtp += usize::from(is_smtp(&record));
        }
    }

    /// True where a row has a verb of HTTP.
    pub fn has_http(&self) -> bool {
        self.http > 0
    }

    pub fn is_empty(&self) -> bool {
        self.all == 0
    }

    /// The service that wrote rows under a layout of web columns, where it
    /// was not the web server. One HTTP verb in any row speaks against it.
    pub fn service(&self) -> Option<Dialect> {
        match (self.http, self.ftp, self.smtp) {
            (0, 1.., _) => Some(Dialect::Ftp),
            (0, 0, 1..) => Some(Dialect::Smtp),
            _ => None,
        }
    }

    /// The dialect of rows that no layout came before. A quarter is enough
    /// for W3C, as its rows are searched and those of other kinds are not;
    /// the odd dated line of some other log is not enough.
    pub fn dialect(&self) -> Option<Dialect> {
        if self.w3c > 0 && self.w3c * 4 >= self.all {
            return Some(Dialect::W3c);
        }
        let shapes = [
            (self.ncsa, Dialect::Ncsa),
            (self.native, Dialect::IisNative),
            (self.urlscan, Dialect::UrlScan),
            (self.ftp_shaped, Dialect::Ftp),
        ];
        shapes
            .into_iter()
            .filter(|(count, _)| *count > 0 && count * 4 >= self.all)
            .max_by_key(|(count, _)| *count)
            .map(|(_, dialect)| dialect)
    }
}

fn columns(row: &[u8]) -> impl Iterator<Item = &[u8]> {
    row.split(|byte| matches!(byte, b' ' | b'\t'))
        .filter(|column| !column.is_empty())
}

fn is_http_verb(word: &[u8]) -> bool {
    const VERBS: [&[u8]; 18] = [
        b"GET",
        b"HEAD",
        b"POST",
        b"PUT",
        b"DELETE",
        b"OPTIONS",
        b"TRACE",
        b"CONNECT",
        b"PATCH",
        b"PROPFIND",
        b"PROPPATCH",
        b"MKCOL",
        b"COPY",
        b"MOVE",
        b"LOCK",
        b"UNLOCK",
        b"SEARCH",
        b"DEBUG",
    ];
    VERBS.contains(&word)
}

/// A command of FTP with a reply code that HTTP does not have. IIS 4 to 6
/// write a session number before the command, IIS 7 and later do not.
fn is_ftp(record: &Record<'_>) -> bool {
    const VERBS: [&[u8]; 14] = [
        b"USER", b"PASS", b"CWD", b"CDUP", b"LIST", b"NLST", b"RETR", b"STOR",
        b"DELE", b"MKD", b"RMD", b"PORT", b"PASV", b"TYPE",
    ];
    let Some(method) = record.get(Field::CsMethod) else { return false };
    let status = record.number(Field::ScStatus);
    let is_channel = method.ends_with(b"ChannelOpened")
        || method.ends_with(b"ChannelClosed");
    if is_channel {
        return matches!(status, None | Some(0));
    }
    let is_command = is_session(method) || VERBS.contains(&method);
    let replies = [221, 226, 227, 230, 250, 257, 331, 332, 350, 530, 550];
    is_command && status.is_some_and(|status| replies.contains(&status))
}

/// A command of SMTP with a reply code that HTTP does not have, or the log
/// of an outgoing connection.
fn is_smtp(record: &Record<'_>) -> bool {
    const VERBS: [&[u8]; 7] =
        [b"HELO", b"EHLO", b"MAIL", b"RCPT", b"DATA", b"BDAT", b"RSET"];
    let Some(method) = record.get(Field::CsMethod) else { return false };
    let status = record.number(Field::ScStatus);
    if method.starts_with(b"OutboundConnection") {
        return matches!(status, None | Some(0));
    }
    let replies = [220, 221, 235, 240, 250, 251, 252, 334, 354];
    VERBS.contains(&method)
        && status.is_some_and(|status| replies.contains(&status))
}

/// `[12]USER`, `[1]created`.
fn is_session(word: &[u8]) -> bool {
    let Some(rest) = word.strip_prefix(b"[") else { return false };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0
        && rest.get(digits) == Some(&b']')
        && rest.get(digits + 1).is_some_and(u8::is_ascii_alphabetic)
}

/// The shape of a row.
pub(super) fn shape(row: &[u8]) -> Shape {
    if is_urlscan(row) {
        Shape::UrlScan
    } else if is_dated(row) {
        match () {
            () if columns(row).any(is_http_verb) => Shape::W3c,
            () if columns(row).any(is_session) => Shape::Ftp,
            () if columns(row).any(|word| word.starts_with(b"/")) => {
                Shape::W3c
            }
            () => Shape::None,
        }
    } else if is_ncsa(row) {
        Shape::Ncsa
    } else if is_native(row) {
        Shape::IisNative
    } else {
        Shape::None
    }
}

/// True for a row of a log whose columns are always the same.
pub(in crate::w3c) fn has_own_form(row: &[u8]) -> bool {
    matches!(shape(row), Shape::Ncsa | Shape::IisNative | Shape::UrlScan)
}

/// `2001-07-19 ` or `13:01:02 ` at the start.
fn is_dated(row: &[u8]) -> bool {
    let Some(first) = columns(row).next() else { return false };
    crate::w3c::parse_date(first).is_some()
        || crate::w3c::parse_time(first).is_some()
}

/// `[07-19-2001 - 13:00:00]` at the start.
fn is_urlscan(row: &[u8]) -> bool {
    fits(row, b"[dd-dd-dddd - dd:dd:dd]")
}

/// `[19/Jul/2001:13:01:02`, and the quoted request after it.
fn is_ncsa(row: &[u8]) -> bool {
    memchr::memchr_iter(b'[', row).any(|at| {
        let rest = row.get(at..).unwrap_or_default();
        fits(rest, b"[dd/aaa/dddd:dd:dd:dd") && rest.contains(&b'"')
    })
}

/// Fifteen values between commas; the third is a date in any country's
/// form, the fourth a time.
fn is_native(row: &[u8]) -> bool {
    let mut values = row.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let has_digit = |text: &[u8]| text.iter().any(u8::is_ascii_digit);
    let date = values.nth(2).unwrap_or_default();
    let time = values.next().unwrap_or_default();
    let is_time =
        time.first().is_some_and(u8::is_ascii_digit) && time.contains(&b':');
    has_digit(date) && is_time && values.count() >= 11
}
