//! The catalogue of advisories: what was published about a fault, its fix,
//! and how long what has it was supported.
//!
//! In: the text of `advisories.yml`. Out: [`Notices`], or all faults with
//! their places. What the file knows of CISA's list of exploited faults is
//! as old as the file, so the day stands in it and is shown.

use serde::Serialize;

use crate::raw::Raw;
use crate::signature::catalogue::{entries, read_one};
use crate::signature::diagnostic::{Diagnostic, Faults, quote, suggest};
use crate::signature::entries::Entries;
use crate::signature::yaml::{Node, Text, Value};

/// All advisories, and what they refer to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Notices {
    /// The day of CISA's list that `kev` and `ransomware` were taken from.
    pub kev_as_of: String,
    /// How long products were supported.
    pub support: Vec<Support>,
    /// The advisories, in the order of the file.
    pub list: Vec<Advisory>,
}

/// How long a product was supported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Support {
    /// The product with its version: `IIS 5.0`.
    pub id: String,
    /// The system that it is a part of.
    pub system: Option<String>,
    /// The last day of its support.
    pub ends: String,
    /// What was to be had after that, or other days of other systems.
    pub note: Option<String>,
}

/// A bulletin or another published notice of a fault and its fix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Advisory {
    /// Bulletin id, else CVE id, else the vendor's.
    pub id: String,
    /// The title for people.
    pub title: String,
    /// The CVE ids.
    pub cves: Vec<String>,
    /// The day it was published, `2001-06-18`.
    pub date: Option<String>,
    /// What it is about.
    pub product: Option<String>,
    /// Ids in [`Notices::support`] of what has the fault.
    pub affects: Vec<String>,
    /// The fix.
    pub fix: Option<String>,
    /// Ids of later advisories that replace the fix.
    pub superseded_by: Vec<String>,
    /// How grave: a word as in Sigma's levels.
    pub severity: Option<String>,
    /// In CISA's list of exploited faults since this day; `true` where the
    /// day is not known.
    pub kev: Option<String>,
    /// Known to be used by extortionists, by the same list.
    pub ransomware: bool,
}

const ADVISORY_KEYS: [&str; 11] = [
    "id",
    "title",
    "cves",
    "date",
    "product",
    "affects",
    "fix",
    "superseded_by",
    "severity",
    "kev",
    "ransomware",
];

/// The words for how grave an advisory is.
const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// Reads `advisories.yml`.
pub fn read_advisories(
    file: &Raw,
    text: Text<'_>,
) -> Result<Notices, Vec<Diagnostic>> {
    read_one(file, text, |node, faults| {
        let mut notices = Notices::default();
        let Some(map) = Entries::of(node, "the file", faults) else {
            return notices;
        };
        map.known(&["kev_as_of", "support", "advisories"], faults);
        if map.entry("kev_as_of").is_none() {
            map.missing("kev_as_of", faults);
        }
        notices.kev_as_of = day(map, "kev_as_of", faults).unwrap_or_default();
        if let Some(node) = map.get("support") {
            notices.support = entries(node, support, faults);
        }
        match map.get("advisories") {
            None => map.missing("advisories", faults),
            Some(node) => {
                notices.list = entries(node, advisory, faults);
                references(node, &notices, faults);
            }
        }
        notices
    })
}

fn support(map: Entries<'_>, faults: &mut Faults<'_>) -> Option<Support> {
    map.known(&["id", "system", "ends", "note"], faults);
    let id = map.required("id", faults);
    if map.entry("ends").is_none() {
        map.missing("ends", faults);
    }
    Some(Support {
        system: map.optional("system", faults),
        ends: day(map, "ends", faults)?,
        note: map.optional("note", faults),
        id: id?,
    })
}

fn advisory(map: Entries<'_>, faults: &mut Faults<'_>) -> Option<Advisory> {
    map.known(&ADVISORY_KEYS, faults);
    let id = map.required("id", faults);
    let title = map.required("title", faults);
    let mut cves = Vec::new();
    for node in map.nodes("cves", faults) {
        let text = node.text().unwrap_or_default();
        if !is_cve(text) {
            let what = format!("{} is no CVE id", quote(text));
            faults.advise(node.at(), what, "write it like `CVE-2001-0500`");
        }
        cves.push(text.to_owned());
    }
    let kev = match map.get("kev").map(|node| &node.value) {
        None | Some(Value::Bool(false)) => None,
        Some(Value::Bool(true)) => Some("true".to_owned()),
        Some(_) => day(map, "kev", faults),
    };
    let ransomware = map.bool("ransomware", faults).unwrap_or(false);
    if let Some((key, _)) = map.entry("ransomware")
        && kev.is_none()
    {
        faults.add(key.at(), "`ransomware` is a word of CISA's list: `kev`");
    }
    let word =
        |word: &str| SEVERITIES.contains(&word).then(|| word.to_owned());
    Some(Advisory {
        cves,
        date: day(map, "date", faults),
        product: map.optional("product", faults),
        affects: map.texts("affects", faults),
        fix: map.optional("fix", faults),
        superseded_by: map.texts("superseded_by", faults),
        severity: map.word("severity", &SEVERITIES, word, faults),
        kev,
        ransomware,
        id: id?,
        title: title?,
    })
}

/// Ids that lead nowhere.
fn references(node: &Node, notices: &Notices, faults: &mut Faults<'_>) {
    let ids = |list: &[Support]| -> Vec<String> {
        list.iter().map(|it| it.id.clone()).collect()
    };
    let support = ids(&notices.support);
    let support: Vec<&str> = support.iter().map(String::as_str).collect();
    let own = notices.list.iter().map(|it| it.id.as_str());
    let own: std::collections::BTreeSet<&str> = own.collect();
    let Value::List(items) = &node.value else { return };
    for item in items {
        let Value::Map(entries) = &item.value else { continue };
        for (key, value) in entries {
            let texts = match &value.value {
                Value::List(items) => items.as_slice(),
                _ => std::slice::from_ref(value),
            };
            for text in texts {
                let id = text.text().unwrap_or_default();
                match key.key() {
                    "affects" if !support.contains(&id) => {
                        let what =
                            format!("{} is not in `support`", quote(id));
                        faults.advise(text.at(), what, suggest(id, &support));
                    }
                    "superseded_by" if !own.contains(id) => {
                        let what = format!("no advisory {}", quote(id));
                        faults.add(text.at(), what);
                    }
                    _ => {}
                }
            }
        }
    }
}

/// A day like `2001-06-18`.
fn day(
    map: Entries<'_>,
    key: &str,
    faults: &mut Faults<'_>,
) -> Option<String> {
    let text = map.text(key, faults)?;
    if !is_day(text) {
        let at = map.get(key).map_or(map.at(), Node::at);
        let what = format!("{} is no date", quote(text));
        faults.advise(at, what, "write it like `2001-06-18`");
    }
    Some(text.to_owned())
}

fn is_day(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let number = |text: &str, digits: usize| {
        let plain = text.len() == digits
            && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u32>().ok()).flatten()
    };
    number(year, 4).is_some()
        && matches!(number(month, 2), Some(1..=12))
        && matches!(number(day, 2), Some(1..=31))
}

pub(super) fn is_cve(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let year_and_number =
        text.strip_prefix("CVE-").and_then(|rest| rest.split_once('-'));
    year_and_number.is_some_and(|(year, number)| {
        year.len() == 4 && number.len() >= 4 && digits(year) && digits(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(found: &[Diagnostic]) -> Vec<String> {
        let show =
            |d: &Diagnostic| format!("{}:{} {}", d.line, d.column, d.message);
        found.iter().map(show).collect()
    }

    #[test]
    fn advisories() {
        let text = "
kev_as_of: 2026-08-07
support:
- {id: IIS 5.0, system: Windows 2000, ends: 2010-07-13, note: n}
advisories:
- id: MS01-033
  title: words
  cves: [CVE-2001-0500]
  date: 2001-06-18
  product: Index Server 2.0
  affects: [IIS 5.0]
  fix: MS01-033
  superseded_by: [a]
  severity: critical
  kev: 2021-11-03
  ransomware: true
- {id: a, title: b, kev: true}
- {id: c, title: d, kev: false}
";
        let file = Raw::from("advisories.yml");
        let all = read_advisories(&file, text.as_bytes().into()).unwrap();
        assert_eq!(all.kev_as_of, "2026-08-07");
        assert_eq!(all.support[0].ends, "2010-07-13");
        let list = &all.list;
        assert_eq!(list[0].cves, ["CVE-2001-0500"]);
        assert_eq!(list[0].date.as_deref(), Some("2001-06-18"));
        assert_eq!(list[0].kev.as_deref(), Some("2021-11-03"));
        assert!(list[0].ransomware && !list[1].ransomware);
        assert_eq!(list[0].affects, ["IIS 5.0"]);
        assert_eq!(list[1].kev.as_deref(), Some("true"));
        assert_eq!(list[2].kev, None);
    }

    #[test]
    fn faults_of_advisories() {
        let text = "
support:
- {id: IIS 5.0, ends: soon}
advisories:
- id: a
  title: b
  cves: [CVE-1, CVE-2001-05OO]
  date: 18.6.2001
  kev: 2021-13-03
  affects: [IIS 5]
- id: a
  titel: b
  superseded_by: z
  ransomware: true
  severity: grave
---
- id: z
";
        let file = Raw::from("advisories.yml");
        let found =
            read_advisories(&file, text.as_bytes().into()).unwrap_err();
        assert_eq!(
            lines(&found),
            [
                "2:1 the file needs `kev_as_of`",
                "3:23 `soon` is no date",
                "7:10 `CVE-1` is no CVE id",
                "7:17 `CVE-2001-05OO` is no CVE id",
                "8:9 `18.6.2001` is no date",
                "9:8 `2021-13-03` is no date",
                "10:13 `IIS 5` is not in `support`",
                "11:3 the entry needs `title`",
                "11:7 the id `a` stands twice",
                "12:3 unknown key `titel` in the entry",
                "13:18 no advisory `z`",
                "14:3 `ransomware` is a word of CISA's list: `kev`",
                "15:13 `grave` is no severity",
                "17:1 a catalogue is one YAML document",
            ]
        );
    }
}
