//! What a record says about the answer, and whether a criterion's `when`
//! holds of it.
//!
//! In: a hit's record. Out: yes or no, and the values a person needs to
//! check it. The values are read once a hit, because some sixty criteria ask
//! for the same few columns.

use std::fmt::Write as _;

use crate::scan::Hit;
use crate::signature::{Range, When};
use crate::w3c::{Disguise, Field, Record};

/// The logged answer to one request. A value is `None` where the column is
/// absent, empty or no number: then no test of it holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer<'a> {
    status: Option<u64>,
    substatus: Option<u64>,
    win32: Option<u64>,
    bytes: Option<u64>,
    iis: Option<(u8, u8)>,
    reason: Option<&'a [u8]>,
    is_urlscan: bool,
    record: &'a Record<'a>,
}

impl<'a> Answer<'a> {
    pub fn of(record: &'a Record<'a>) -> Self {
        let disguise = record.target().disguise;
        Self {
            status: record.number(Field::ScStatus),
            substatus: record.number(Field::ScSubstatus),
            win32: record.number(Field::ScWin32Status),
            bytes: record.number(Field::ScBytes),
            iis: record.iis,
            reason: record.get(Field::SReason),
            is_urlscan: disguise == Some(Disguise::UrlScan),
            record,
        }
    }

    /// True where the status is that of URLScan, so that it tells nothing
    /// of the feature.
    pub fn is_urlscan(&self) -> bool {
        self.is_urlscan
    }

    /// True where the answer is not the feature's own: URLScan or HTTP.sys
    /// gave it.
    pub fn is_refusers(&self) -> bool {
        self.is_urlscan || self.reason.is_some()
    }

    /// True where all of `when` holds.
    pub fn fits(&self, when: &When, hit: &Hit<'_>) -> bool {
        let numbers = [
            (&when.status, self.status),
            (&when.substatus, self.substatus_or_zero()),
            (&when.win32, self.win32),
            (&when.bytes, self.bytes),
        ];
        let slow = |ranges: &[Range], field| {
            ranges.is_empty() || in_ranges(ranges, self.record.number(field))
        };
        numbers.into_iter().all(|(ranges, number)| {
            ranges.is_empty() || in_ranges(ranges, number)
        }) && slow(&when.cs_bytes, Field::CsBytes)
            && slow(&when.time_taken, Field::TimeTaken)
            && (when.iis.is_empty() || self.version_in(&when.iis))
            && is_word(&when.method, self.record.get(Field::CsMethod))
            && is_word(&when.reason, self.reason)
            && has_part(&when.stem, hit.decoded_stem)
            && has_part(&when.query, hit.decoded_query)
            && when.missing.iter().all(|column| self.misses(column))
            && when.urlscan.is_none_or(|wanted| wanted == self.is_urlscan)
    }

    /// IIS 4 and 5 have no substatus, so there the main status is all there
    /// is, which is what 0 means. On IIS 6 and later a log without the
    /// column hides the substatus, and on an unknown version it may: a test
    /// for 0 must not hold there.
    fn substatus_or_zero(&self) -> Option<u64> {
        let has_none = !self.record.layout.has(Field::ScSubstatus)
            && self.iis.is_some_and(|(major, _)| major <= 5);
        self.substatus.or(has_none.then_some(0))
    }

    /// 5.1 is (5, 1). Dividing once gives exactly the number that reading
    /// `5.1` gives; adding a tenth need not.
    fn version_in(&self, ranges: &[Range]) -> bool {
        self.iis.is_some_and(|(major, minor)| {
            let tenths = u16::from(major) * 10 + u16::from(minor);
            let version = f64::from(tenths) / 10.0;
            ranges.iter().any(|range| range.contains(version))
        })
    }

    /// True where the layout lacks the column or the line leaves it empty.
    fn misses(&self, column: &str) -> bool {
        let field = match column {
            "status" => Field::ScStatus,
            "substatus" => Field::ScSubstatus,
            "win32" => Field::ScWin32Status,
            "bytes" => Field::ScBytes,
            // The reader of criteria lets no other word through.
            _ => return false,
        };
        self.record.get(field).is_none()
    }

    /// The values as ` (logged: 404.7, win32 0)`, so that a person can check
    /// the reason; those beyond status and Win32 error only where `when`
    /// asked for them. Numbers and plain words only: evidence bytes do not
    /// belong into a reason.
    pub fn logged(&self, when: &When) -> String {
        let mut text = String::from(" (logged: ");
        match (self.status, self.substatus) {
            (Some(status), Some(substatus)) => {
                let _ = write!(text, "{status}.{substatus}");
            }
            (Some(status), None) => {
                let _ = write!(text, "{status}");
            }
            (None, _) => text.push_str("no status"),
        }
        if let Some(win32) = self.win32 {
            let _ = write!(text, ", win32 {win32}");
        }
        if let Some(bytes) = self.bytes.filter(|_| !when.bytes.is_empty()) {
            let _ = write!(text, ", {bytes} bytes");
        }
        if let Some(reason) = self.reason.and_then(plain_word) {
            let _ = write!(text, ", reason {reason}");
        }
        if let Some((major, minor)) = self.iis.filter(|_| !when.iis.is_empty())
        {
            let _ = write!(text, ", IIS {major}.{minor}");
        }
        text.push(')');
        text
    }
}

fn in_ranges(ranges: &[Range], number: Option<u64>) -> bool {
    number.is_some_and(|number| {
        ranges.iter().any(|range| range.contains(number as f64))
    })
}

fn is_word(words: &[String], text: Option<&[u8]>) -> bool {
    words.is_empty()
        || text.is_some_and(|text| {
            words.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(text))
        })
}

/// True where `text` contains one of the parts. An empty text is a value
/// that is missing and contains nothing.
fn has_part(parts: &[String], text: &[u8]) -> bool {
    parts.is_empty()
        || parts.iter().any(|part| contains(text, part.as_bytes()))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    match part.len() {
        0 => !text.is_empty(),
        length => text
            .windows(length)
            .any(|window| window.eq_ignore_ascii_case(part)),
    }
}

/// A reason of HTTP.sys, which names them itself; anything else was written
/// into the log by someone else.
fn plain_word(text: &[u8]) -> Option<&str> {
    let is_plain = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/')
    };
    let text = std::str::from_utf8(text).ok()?;
    (text.len() <= 40 && text.bytes().all(|byte| is_plain(&byte)))
        .then_some(text)
}
