//! What is to be said of an exhibit that was read, or was not.
//!
//! In: its tally and dialect. Out: warnings in words that tell the reader
//! what it means for the result.

use crate::evidence::unpacked_name;
use crate::limits;
use crate::raw::Raw;
use crate::scan::collector::{Setting, Tally};
use crate::scan::work::Origin;
use crate::w3c::Dialect;
use crate::warning::{Kind, Warning};

/// A file that a folder walk met, that is no log and not named like one.
pub(super) fn aside(
    tally: &Tally,
    setting: &Setting,
    origin: Origin,
) -> Option<Warning> {
    let is_log =
        !matches!(setting.dialect, Dialect::Unknown | Dialect::Binary);
    let is_read = is_log || !tally.warnings.is_empty();
    if is_read || origin == Origin::Named || is_named_log(&setting.name) {
        return None;
    }
    let name = setting.name.clone();
    Some(Warning::new(Kind::Odd, name, "not a log that iisleuth knows"))
}

/// Says what kind of exhibit was not read, and which lines were rejected.
pub(super) fn note(mut tally: Tally, setting: &Setting) -> Tally {
    let dialect = setting.dialect;
    let kind = match dialect {
        Dialect::Empty | Dialect::Archive => None,
        _ if dialect.is_read() => None,
        _ if !tally.warnings.is_empty() && tally.lines == 0 => None,
        _ if dialect.is_judged_elsewhere() => Some(Kind::NotJudged),
        Dialect::Unknown | Dialect::Binary => Some(Kind::NotALog),
        _ => Some(Kind::NotRead),
    };
    if let Some(kind) = kind {
        let name = setting.name.clone();
        let warning = Warning::new(kind, name, dialect.describe());
        tally.warnings.push(warning);
    }
    if dialect.is_read() && tally.lines > 0 && tally.lines == tally.blank {
        // A crash leaves the space that was reserved, and not the lines.
        let name = setting.name.clone();
        let detail = "nothing but blank lines or NUL bytes: no log is left";
        tally.warnings.push(Warning::new(Kind::NotALog, name, detail));
    }
    if dialect.is_read() && tally.rejected > 0 {
        for (reason, count) in &tally.reject_counts {
            tally.warnings.push(Warning {
                kind: Kind::Rejected,
                exhibit: setting.name.clone(),
                detail: reason.text().to_owned(),
                count: *count,
            });
        }
    }
    for (note, count) in &tally.time_notes {
        let Some(detail) = note.describe() else { continue };
        tally.warnings.push(Warning {
            kind: Kind::Assumed,
            exhibit: setting.name.clone(),
            detail: detail.to_owned(),
            count: *count,
        });
    }
    if tally.cut > 0 {
        tally.warnings.push(Warning {
            kind: Kind::Limit,
            exhibit: setting.name.clone(),
            detail: format!(
                "lines longer than {} bytes: the rest was not read",
                limits::LINE_BYTES
            ),
            count: tally.cut,
        });
    }
    tally
}

fn is_named_log(name: &Raw) -> bool {
    let name = name.as_bytes().to_ascii_lowercase();
    unpacked_name(&String::from_utf8_lossy(&name))
        .strip_suffix(".log")
        .is_some()
}
