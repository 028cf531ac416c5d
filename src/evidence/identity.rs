//! Host, site and day as the path tells them: the fallback where the log
//! itself does not.
//!
//! In: the path as given, such as `WEB01/LogFiles/W3SVC1/ex010719.log`.
//! Out: a [`PathIdentity`]. IIS names the folder after the service and the
//! site; the host is the nearest folder above it that is not part of every
//! IIS installation, because people keep the logs of each host in a folder
//! named after it. The path is never canonicalized: where evidence lies on
//! this machine must not matter.

use std::ffi::OsStr;
use std::path::{Component, Path, Prefix};

use super::packing::unpacked_name;
use crate::raw::Raw;

/// What a path tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathIdentity {
    /// The folder that stands for the host.
    pub host: Option<Raw>,
    /// The site as IIS names it, in capitals: `W3SVC1`.
    pub site: Option<String>,
    /// Year, month, day of the file's name (`ex010719.log`). A weekly name
    /// (`exYYMMWW`) looks the same: its week reads as a day from 1 to 6. So
    /// what the log itself says goes first.
    pub date: Option<(i32, u8, u8)>,
}

/// Names of services before a site's number.
const SERVICES: [&str; 5] =
    ["W3SVC", "MSFTPSVC", "FTPSVC", "SMTPSVC", "NNTPSVC"];

/// Folders that hold all sites of a host in one log: HTTP.sys errors and
/// central logging. They tell the host, but no site.
const WHOLE_HOST: [&str; 2] = ["HTTPERR", "W3SVC"];

/// Names of folders that say nothing about the host.
const GENERIC: [&str; 22] = [
    "advancedlogs",
    "archive",
    "archives",
    "backup",
    "failedreqlogfiles",
    "httperr",
    "iis",
    "iislogs",
    "inetpub",
    "log",
    "logfiles",
    "logs",
    "old",
    "system32",
    "sysnative",
    "w3svc",
    "weblogs",
    "windows",
    "windows.old",
    "winnt",
    "wwwlogs",
    "wwwroot",
];

/// What the path as given tells.
pub(super) fn of(path: &Path) -> PathIdentity {
    let names = names(path);
    let anchor = names.iter().rposition(|name| {
        site(name).is_some()
            || WHOLE_HOST.iter().any(|word| name.eq_ignore_ascii_case(word))
    });
    let above = anchor.and_then(|at| names.get(..at)).unwrap_or_default();
    let host = above.iter().rev().find(|name| !is_generic(name));
    PathIdentity {
        host: host.map(|name| Raw::from_os(name)),
        site: anchor.and_then(|at| names.get(at)).and_then(|n| site(n)),
        date: path.file_name().and_then(date),
    }
}

/// The named components, from the top. `..` takes back what stands before
/// it; a Windows share counts as its server and its folder.
fn names(path: &Path) -> Vec<&OsStr> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name),
            Component::ParentDir => {
                names.pop();
            }
            Component::Prefix(prefix) => {
                if let Prefix::UNC(server, share)
                | Prefix::VerbatimUNC(server, share) = prefix.kind()
                {
                    names.extend([server, share]);
                }
            }
            Component::RootDir | Component::CurDir => {}
        }
    }
    names
}

fn site(name: &OsStr) -> Option<String> {
    let name = name.to_str()?.to_ascii_uppercase();
    let is_site = SERVICES.iter().any(|service| {
        name.strip_prefix(service).is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
        })
    });
    is_site.then_some(name)
}

fn is_generic(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let name = name.to_ascii_lowercase();
    GENERIC.contains(&name.as_str())
        || site(OsStr::new(&name)).is_some()
        || is_drive(&name)
        || is_date(&name)
}

/// A drive's letter, as shares and collectors write it.
fn is_drive(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|letter| letter.is_ascii_alphabetic())
        && matches!(letters.as_str(), "" | "$" | ":" | "%3a" | "_drive")
}

/// Digits in at most three groups: a year, a date, a number. Four groups are
/// an address, and that is a host.
fn is_date(name: &str) -> bool {
    let separator = |letter| matches!(letter, '-' | '_' | '.');
    let is_number = |group: &str| {
        !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit())
    };
    name.split(separator).all(is_number) && name.split(separator).count() <= 3
}

/// The day of `[u_](ex|nc|in)YYMMDD[HH][_x].log`, packed or not.
fn date(name: &OsStr) -> Option<(i32, u8, u8)> {
    let name = name.to_str()?.to_ascii_lowercase();
    let name = unpacked_name(&name).strip_suffix(".log")?;
    let name = name.strip_prefix("u_").unwrap_or(name);
    let digits = ["ex", "nc", "in"]
        .iter()
        .find_map(|format| name.strip_prefix(format))?;
    let digits = digits.strip_suffix("_x").unwrap_or(digits);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let pair = |at: usize| digits.get(at..at + 2)?.parse::<u8>().ok();
    let hour = match digits.len() {
        6 => 0,
        8 => pair(6)?,
        _ => return None,
    };
    let (year, month, day) = (i32::from(pair(0)?), pair(2)?, pair(4)?);
    let year = if year < 70 { 2000 + year } else { 1900 + year };
    let valid = hour < 24 && (1..=days(year, month)).contains(&day);
    valid.then_some((year, month, day))
}

/// Days of a month; none where there is no such month. Between 1970 and
/// 2069 every fourth year is a leap year.
fn days(year: i32, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 => 29,
        2 => 28,
        _ => 0,
    }
}
