//! What kind of log a file is, told from its first bytes.
//!
//! In: the first [`limits::SNIFF_BYTES`] of a file. Out: a [`Dialect`].
//! Directives say it best; without them the shape of the rows does. Two
//! mistakes are possible, and they do not weigh the same: text misread as
//! W3C costs time and a list of rejected lines, a web log taken for
//! something else hides an attack. So a layout with web columns is always
//! read, except where the rows prove FTP or SMTP with statuses that no web
//! server gives: nothing that a client sends can bring that about.

mod directives;
mod rows;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use self::directives::Directives;
use self::rows::Rows;
pub(super) use self::rows::has_own_form;
use crate::limits;
use crate::w3c::Parser;

/// A kind of log.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// W3C extended, with columns of a web server.
    W3c,
    /// The error log of HTTP.sys.
    #[serde(rename = "httperr")]
    HttpErr,
    /// NCSA common or combined.
    Ncsa,
    /// IIS native: one row of values between commas.
    IisNative,
    /// The log of URLScan, 2 or 3.
    #[serde(rename = "urlscan")]
    UrlScan,
    /// The HTTP proxy of Exchange.
    ExchangeProxy,
    /// The FTP service of IIS.
    Ftp,
    /// The SMTP service of IIS.
    Smtp,
    /// A Windows firewall.
    Firewall,
    /// Directives like W3C, columns of something other than a web server.
    OtherW3c,
    /// Not text.
    Binary,
    /// Text in UTF-16.
    Utf16,
    /// Text of a kind not known here.
    #[default]
    Unknown,
    /// No line with anything on it.
    Empty,
    /// A file of files: each of them is an exhibit.
    Archive,
}

impl Dialect {
    /// The word in `case.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::W3c => "w3c",
            Self::HttpErr => "httperr",
            Self::Ncsa => "ncsa",
            Self::IisNative => "iis-native",
            Self::UrlScan => "urlscan",
            Self::ExchangeProxy => "exchange-proxy",
            Self::Ftp => "ftp",
            Self::Smtp => "smtp",
            Self::Firewall => "firewall",
            Self::OtherW3c => "other-w3c",
            Self::Binary => "binary",
            Self::Utf16 => "utf16",
            Self::Unknown => "unknown",
            Self::Empty => "empty",
            Self::Archive => "archive",
        }
    }

    /// True for dialects whose lines become records.
    pub fn is_read(self) -> bool {
        matches!(
            self,
            Self::W3c
                | Self::HttpErr
                | Self::Ncsa
                | Self::IisNative
                | Self::UrlScan
                | Self::ExchangeProxy
        )
    }

    /// True for logs of other services: named, not judged. No web request
    /// stands in them, so leaving them out is no loss.
    pub fn is_judged_elsewhere(self) -> bool {
        matches!(
            self,
            Self::Ftp | Self::Smtp | Self::Firewall | Self::OtherW3c
        )
    }

    /// What it is, and what becomes of it, for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::W3c => "W3C extended log",
            Self::HttpErr => "HTTP.sys error log",
            Self::Ncsa => "NCSA log",
            Self::IisNative => "IIS native log",
            Self::UrlScan => "URLScan log",
            Self::ExchangeProxy => "HTTP proxy log of Exchange",
            Self::Ftp => "FTP log: named, not judged",
            Self::Smtp => "SMTP log: named, not judged",
            Self::Firewall => "firewall log: named, not judged",
            Self::OtherW3c => {
                "log of another program with W3C directives: not judged"
            }
            Self::Binary => "binary file: not a log",
            Self::Utf16 => "UTF-16 text",
            Self::Unknown => "not a log that iisleuth knows",
            Self::Empty => "empty file",
            Self::Archive => "archive: its files are exhibits of their own",
        }
    }
}

/// Tells the dialect from the first [`limits::SNIFF_BYTES`] of a file.
pub fn detect(head: &[u8]) -> Dialect {
    let is_whole = head.len() < limits::SNIFF_BYTES;
    let head = head.get(..limits::SNIFF_BYTES).unwrap_or(head);
    if is_utf16(head) {
        return Dialect::Utf16;
    }
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    if head.iter().all(|byte| *byte == 0 || byte.is_ascii_whitespace()) {
        // IIS reserves space with NUL bytes ahead of the lines, in steps as
        // long as this head: the first line may come right after it.
        let is_empty = is_whole && !head.contains(&0);
        return if is_empty { Dialect::Empty } else { Dialect::W3c };
    }
    let (directives, rows) = read(head, is_whole);
    directives
        .dialect(&rows)
        .or_else(|| rows.dialect())
        .unwrap_or_else(|| directives.without_rows(&rows, is_binary(head)))
}

/// Looks at every line. The last one of a part of a file may lack its end,
/// so it does not count unless it is all there is.
fn read(head: &[u8], is_whole: bool) -> (Directives, Rows) {
    let end = match memchr::memrchr(b'\n', head) {
        Some(at) if !is_whole => at,
        _ => head.len(),
    };
    let lines = head.get(..end).unwrap_or(head);
    let mut directives = Directives::default();
    let mut rows = Rows::default();
    let mut parser = Parser::default();
    for line in lines.split(|byte| *byte == b'\n') {
        let nuls = line.iter().take_while(|byte| **byte == 0).count();
        let line = line.get(nuls..).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.first() == Some(&b'#') {
            directives.add(line);
            parser.line(line, false);
        } else if !line.trim_ascii().is_empty() {
            rows.add(line, &mut parser);
        }
        // Nothing that follows could change the answer.
        if directives.is_web() && rows.has_http() {
            break;
        }
    }
    (directives, rows)
}

/// A NUL beside each letter, as Latin text has it; after a byte order mark
/// half of them will do. The mark alone proves nothing: two bytes put before
/// a log must not turn its lines into noise.
fn is_utf16(head: &[u8]) -> bool {
    const PAIRS: usize = 16;
    let (is_little, is_big) =
        (head.starts_with(b"\xFF\xFE"), head.starts_with(b"\xFE\xFF"));
    let is_marked = is_little || is_big;
    let text = if is_marked { head.get(2..) } else { Some(head) };
    let pairs = || text.unwrap_or_default().chunks_exact(2).take(PAIRS);
    let count = pairs().count();
    let little = pairs().filter(|it| matches!(it, [1..=255, 0])).count();
    let big = pairs().filter(|it| matches!(it, [0, 1..=255])).count();
    if is_marked {
        2 * if is_little { little } else { big } >= count
    } else {
        count == PAIRS && (little == count || big == count)
    }
}

/// NUL bytes within, or more than one control character in ten. Runs of NUL
/// at the ends are space that a log reserved.
fn is_binary(head: &[u8]) -> bool {
    let is_text = |byte: &u8| *byte != 0;
    let start = head.iter().position(is_text).unwrap_or(head.len());
    let end = head.iter().rposition(is_text).map_or(0, |at| at + 1);
    let text = head.get(start..end).unwrap_or_default();
    let controls = text
        .iter()
        .filter(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace())
        .count();
    text.contains(&0) || controls * 10 > text.len()
}
