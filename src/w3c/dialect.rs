//! What kind of log a file is, told from its first bytes.
//!
//! Directives say it best; without them the shape of the first rows does.
//! What cannot be told is [`Dialect::Unknown`], never W3C: nothing else may
//! be misread as W3C.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::w3c::directive::{Directive, split_directives};

/// A kind of log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// W3C extended, of IIS.
    W3c,
    /// The error log of HTTP.sys.
    #[serde(rename = "httperr")]
    HttpErr,
    /// NCSA common or combined.
    Ncsa,
    /// IIS native, comma separated.
    IisNative,
    /// `URLScan` 2 or 3.
    #[serde(rename = "urlscan")]
    UrlScan,
    /// Exchange `HttpProxy` and its kin.
    ExchangeProxy,
    /// The FTP service.
    Ftp,
    /// The SMTP service.
    Smtp,
    /// A firewall.
    Firewall,
    /// Directives as in W3C extended, but no web request in them.
    OtherW3c,
    /// UTF-16 text.
    Utf16,
    /// Not text.
    Binary,
    /// Text of no kind known here.
    Unknown,
    /// No bytes.
    Empty,
}

impl Dialect {
    /// The word in files.
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
            Self::Utf16 => "utf16",
            Self::Binary => "binary",
            Self::Unknown => "unknown",
            Self::Empty => "empty",
        }
    }

    /// True for dialects that become records.
    pub fn is_read(self) -> bool {
        matches!(self, Self::W3c | Self::HttpErr)
    }

    /// True for logs of other services: named, not judged.
    pub fn is_judged_elsewhere(self) -> bool {
        matches!(
            self,
            Self::Ftp | Self::Smtp | Self::Firewall | Self::OtherW3c
        )
    }

    /// What it is and what becomes of it, for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::W3c => "W3C extended log",
            Self::HttpErr => "HTTP.sys error log",
            Self::Ncsa => "NCSA log: recognized, not read yet",
            Self::IisNative => "IIS native log: recognized, not read yet",
            Self::UrlScan => "URLScan log: recognized, not read yet",
            Self::ExchangeProxy => {
                "Exchange proxy log: recognized, not read yet"
            }
            Self::Ftp => "FTP log: named, not judged",
            Self::Smtp => "SMTP log: named, not judged",
            Self::Firewall => "firewall log: named, not judged",
            Self::OtherW3c => {
                "log of another program with W3C directives: not judged"
            }
            Self::Utf16 => "UTF-16 text: not read yet",
            Self::Binary => "binary file: not a log",
            Self::Unknown => "not a log that iisleuth knows",
            Self::Empty => "empty file",
        }
    }
}

/// Tells the dialect from the first [`limits::SNIFF_BYTES`] of a file.
pub fn detect(head: &[u8]) -> Dialect {
    let head = head.get(..limits::SNIFF_BYTES).unwrap_or(head);
    if head.is_empty() {
        return Dialect::Empty;
    }
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        return Dialect::Utf16;
    }
    let mut seen = Seen::default();
    for line in head.split(|byte| *byte == b'\n') {
        let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        let nuls = line.iter().take_while(|byte| **byte == 0).count();
        let line = line.get(nuls..).unwrap_or_default().trim_ascii();
        if line.is_empty() {
            continue;
        }
        if line.starts_with(b"#") {
            seen.directive(line);
        } else if let Some(dialect) = seen.row(line) {
            return dialect;
        }
    }
    seen.without_rows(head)
}

/// What the lines so far say.
#[derive(Default)]
struct Seen {
    software: Vec<u8>,
    fields: Option<Vec<u8>>,
    exchange: bool,
    rows: usize,
}

fn has(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

impl Seen {
    fn directive(&mut self, line: &[u8]) {
        let lower = line.to_ascii_lowercase();
        self.exchange |= lower.starts_with(b"#log-type:");
        for directive in split_directives(&lower) {
            match directive {
                Directive::Software(text) => self.software = text.to_vec(),
                Directive::Fields(text) => self.fields = Some(text.to_vec()),
                _ => {}
            }
        }
    }

    /// The dialect, once a row decides it.
    fn row(&mut self, line: &[u8]) -> Option<Dialect> {
        self.rows += 1;
        if let Some(dialect) = self.by_directives() {
            let ftp = dialect == Dialect::W3c && is_ftp_row(line);
            return Some(if ftp { Dialect::Ftp } else { dialect });
        }
        let dialect = by_shape(line);
        // A few odd lines may come before the first that tells.
        (dialect != Dialect::Unknown || self.rows >= 20).then_some(dialect)
    }

    fn by_directives(&self) -> Option<Dialect> {
        let software = self.software.as_slice();
        if self.exchange || has(software, b"exchange server") {
            return Some(Dialect::ExchangeProxy);
        }
        if has(software, b"firewall") {
            return Some(Dialect::Firewall);
        }
        if has(software, b"smtp") {
            return Some(Dialect::Smtp);
        }
        if has(software, b"urlscan") {
            return Some(Dialect::UrlScan);
        }
        let Some(fields) = &self.fields else {
            return (has(software, b"http api")
                || has(software, b"http server api"))
            .then_some(Dialect::HttpErr);
        };
        let words: Vec<&[u8]> = fields
            .split(|byte| byte.is_ascii_whitespace() || *byte == b',')
            .collect();
        let any = |names: &[&str]| {
            names.iter().any(|name| words.contains(&name.as_bytes()))
        };
        let web = any(&[
            "cs-method",
            "cs-uri-stem",
            "cs-uri",
            "cs-uri-query",
            "sc-status",
            "c-ip",
            "cs(user-agent)",
        ]);
        Some(if any(&["x-action", "x-reason"]) {
            Dialect::UrlScan
        } else if any(&["s-reason"]) {
            Dialect::HttpErr
        } else if any(&["x-session", "x-fullpath"]) {
            Dialect::Ftp
        } else if any(&["src-ip", "tcpflags"]) {
            Dialect::Firewall
        } else if any(&["datetime", "clientrequestid"]) {
            Dialect::ExchangeProxy
        } else if web {
            Dialect::W3c
        } else {
            Dialect::OtherW3c
        })
    }

    /// All lines were directives or blank.
    fn without_rows(&self, head: &[u8]) -> Dialect {
        if let Some(dialect) = self.by_directives() {
            return dialect;
        }
        if self.rows == 0
            && (head.contains(&b'#') || !self.software.is_empty())
        {
            return Dialect::W3c;
        }
        if is_binary(head) { Dialect::Binary } else { Dialect::Unknown }
    }
}

/// `[12]USER`, `[1]created`: a session number before the verb.
fn is_ftp_row(line: &[u8]) -> bool {
    line.split(|byte| *byte == b' ').any(|word| {
        word.strip_prefix(b"[")
            .and_then(|word| {
                let end = word.iter().position(|byte| *byte == b']')?;
                Some((word.get(..end)?, word.get(end + 1..)?))
            })
            .is_some_and(|(number, verb)| {
                !number.is_empty()
                    && number.iter().all(u8::is_ascii_digit)
                    && verb.first().is_some_and(u8::is_ascii_alphabetic)
            })
    })
}

/// The dialect of a row that no directive came before.
fn by_shape(line: &[u8]) -> Dialect {
    if is_binary(line) {
        return Dialect::Binary;
    }
    let is_date = |at: usize| {
        line.get(at..at + 10).is_some_and(|text| shape(text, b"dddd-dd-dd"))
    };
    let words = line.split(|byte| *byte == b' ').count();
    if has(line, b" [") && has(line, b"] \"") {
        return Dialect::Ncsa;
    }
    let commas = memchr::memchr_iter(b',', line).count();
    if commas >= 13 && words <= commas + 2 {
        return Dialect::IisNative;
    }
    if line.first() == Some(&b'[')
        && line.get(1..11).is_some_and(|text| shape(text, b"dd-dd-dddd"))
    {
        return Dialect::UrlScan;
    }
    let is_time = line.get(..8).is_some_and(|text| shape(text, b"dd:dd:dd"));
    let dated = is_date(0)
        && line.get(10..20).is_some_and(|text| shape(text, b" dd:dd:dd "));
    if (is_time || dated) && words >= 4 && has_request(line) {
        return if is_ftp_row(line) { Dialect::Ftp } else { Dialect::W3c };
    }
    Dialect::Unknown
}

/// A column that begins with `/`, as stems do.
fn has_request(line: &[u8]) -> bool {
    line.split(|byte| *byte == b' ').any(|word| word.starts_with(b"/"))
}

/// `d` stands for a digit.
fn shape(text: &[u8], shape: &[u8]) -> bool {
    text.len() == shape.len()
        && text.iter().zip(shape).all(|(byte, want)| match want {
            b'd' => byte.is_ascii_digit(),
            _ => byte == want,
        })
}

/// Runs of NUL aside, more than one byte in ten is a control character.
fn is_binary(text: &[u8]) -> bool {
    let control =
        |byte: &&u8| matches!(**byte, 1..=8 | 11..=12 | 14..=31 | 127);
    let solid = text.iter().filter(|byte| **byte != 0).count();
    let nuls = text.len() - solid;
    let odd = text.iter().filter(control).count();
    odd * 10 > solid.max(1) || (nuls * 10 > text.len() && odd > 0)
}
