//! Outcome criteria as YAML: what a rule, a profile or the generic table
//! says about a request's status.
//!
//! In: a list of maps. Out: [`Criterion`]s. Rules and catalogues share this
//! reader because the verdict joins their criteria to one list.

use crate::signature::diagnostic::{Faults, Misread, quote, suggest};
use crate::signature::entries::{Entries, items};
use crate::signature::outcome::{Confidence, Criterion, Outcome, Range, When};
use crate::signature::yaml::Node;

const KEYS: [&str; 5] = ["when", "outcome", "confidence", "reason", "text"];

const WHEN_KEYS: [&str; 13] = [
    "status",
    "substatus",
    "win32",
    "bytes",
    "cs_bytes",
    "time_taken",
    "iis",
    "method",
    "reason",
    "stem",
    "query",
    "missing",
    "urlscan",
];

/// Columns that `missing` may name.
const COLUMNS: [&str; 4] = ["status", "substatus", "win32", "bytes"];

/// Reads a list of criteria. Faulty ones are left out, with faults.
pub(super) fn read(node: &Node, faults: &mut Faults<'_>) -> Vec<Criterion> {
    let list = items(node, "a list of outcomes", faults);
    list.iter().filter_map(|item| criterion(item, faults)).collect()
}

fn criterion(node: &Node, faults: &mut Faults<'_>) -> Option<Criterion> {
    let map = Entries::of(node, "an outcome", faults)?;
    map.known(&KEYS, faults);
    let when = match map.get("when") {
        None => Some(When::default()),
        Some(node) => when(node, faults),
    };
    for key in ["outcome", "confidence"] {
        if map.entry(key).is_none() {
            map.missing(key, faults);
        }
    }
    let outcome = outcome(map, faults);
    let words: Vec<_> =
        [Confidence::Possible, Confidence::Likely, Confidence::Certain]
            .map(Confidence::as_str)
            .into();
    let confidence =
        map.word("confidence", &words, Confidence::from_word, faults);
    let reason = map.required("reason", faults);
    if let (Some(reason), Some(node)) = (&reason, map.get("reason"))
        && !is_kebab(reason)
    {
        let what = format!("{} is not in kebab-case", quote(reason));
        faults.advise(node.at(), what, "write it like `program-ran`");
    }
    let text = map.required("text", faults);
    Some(Criterion {
        when: when?,
        outcome: outcome?,
        confidence: confidence?,
        reason: reason?,
        text: text?,
    })
}

/// The word under `outcome`, in criteria and in tests.
pub(super) fn outcome(
    map: Entries<'_>,
    faults: &mut Faults<'_>,
) -> Option<Outcome> {
    let words = Outcome::ALL.map(Outcome::as_str);
    map.word("outcome", &words, Outcome::from_word, faults)
}

/// Lower-case words and digits between single hyphens.
pub(super) fn is_kebab(text: &str) -> bool {
    text.split('-').all(|word| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        !word.is_empty() && word.chars().all(plain)
    })
}

fn when(node: &Node, faults: &mut Faults<'_>) -> Option<When> {
    let map = Entries::of(node, "`when`", faults)?;
    map.known(&WHEN_KEYS, faults);
    let mut numbers = |key: &str, read: Read| ranges(map, key, read, faults);
    let when = When {
        status: numbers("status", count),
        substatus: numbers("substatus", count),
        win32: numbers("win32", count),
        bytes: numbers("bytes", count),
        cs_bytes: numbers("cs_bytes", count),
        time_taken: numbers("time_taken", count),
        iis: numbers("iis", version),
        method: map.texts("method", faults),
        reason: map.texts("reason", faults),
        stem: map.texts("stem", faults),
        query: map.texts("query", faults),
        missing: missing(map, faults),
        urlscan: map.bool("urlscan", faults),
    };
    Some(when)
}

fn missing(map: Entries<'_>, faults: &mut Faults<'_>) -> Vec<String> {
    let mut columns = Vec::new();
    for node in map.nodes("missing", faults) {
        let text = node.text().unwrap_or_default();
        if COLUMNS.contains(&text) {
            columns.push(text.to_owned());
        } else {
            let what = format!("unknown column {}", quote(text));
            faults.advise(node.at(), what, suggest(text, &COLUMNS));
        }
    }
    columns
}

/// Makes the numbers that one written number stands for.
type Read = fn(&str) -> Option<Range>;

fn ranges(
    map: Entries<'_>,
    key: &str,
    read: Read,
    faults: &mut Faults<'_>,
) -> Vec<Range> {
    let mut ranges = Vec::new();
    for node in map.nodes(key, faults) {
        let text = node.text().unwrap_or_default();
        if let Some(range) = range(text.trim(), read) {
            ranges.push(range);
            continue;
        }
        let what = format!("{} is no number or range", quote(text));
        let fault = Misread::new(0, what)
            .help("known: 404, 400-499, '>=500', '>1000', '<=5', '<5'");
        faults.misread(node, fault);
    }
    ranges
}

/// `404`, `400-499`, `>=500`, `>1000`, `<=5`, `<5`.
fn range(text: &str, read: Read) -> Option<Range> {
    let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
    let number = |text: &str| read(text.trim());
    if let Some(text) = text.strip_prefix(">=") {
        return Some(Range { low: number(text)?.low, high });
    }
    if let Some(text) = text.strip_prefix("<=") {
        return Some(Range { low, high: number(text)?.high });
    }
    if let Some(text) = text.strip_prefix('>') {
        return Some(Range { low: above(number(text)?.high), high });
    }
    if let Some(text) = text.strip_prefix('<') {
        return Some(Range { low, high: below(number(text)?.low) });
    }
    if let Some((from, to)) = text.split_once('-') {
        let range = Range { low: number(from)?.low, high: number(to)?.high };
        return (range.low <= range.high).then_some(range);
    }
    number(text)
}

/// The next number: of a whole one the next whole one.
fn above(number: f64) -> f64 {
    if is_whole(number) { number + 1.0 } else { number.next_up() }
}

/// The number before.
fn below(number: f64) -> f64 {
    if is_whole(number) { number - 1.0 } else { number.next_down() }
}

fn is_whole(number: f64) -> bool {
    number.fract() == 0.0
}

/// A number stands for itself. Digits and a point only: no signs, no
/// exponents, no `inf`.
fn count(text: &str) -> Option<Range> {
    let plain = |c: char| c.is_ascii_digit() || c == '.';
    if !text.chars().all(plain) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(Range { low: number, high: number })
}

/// A version without a minor part stands for all of them: `<=5` holds for
/// IIS 5.1, and `7` for 7.5, as people mean it.
fn version(text: &str) -> Option<Range> {
    let Range { low, high } = count(text)?;
    if text.contains('.') {
        return Some(Range { low, high });
    }
    Some(Range { low, high: (high + 1.0).next_down() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::Raw;
    use crate::signature::yaml;

    fn read_text(text: &str) -> Result<Vec<Criterion>, Vec<String>> {
        let file = Raw::from("a.yml");
        let (mut faults, documents) =
            yaml::parse(&file, text.as_bytes().into());
        let list = read(&documents[0], &mut faults);
        faults.finish(list).map_err(|found| {
            let show = |d: &crate::signature::diagnostic::Diagnostic| {
                format!("{}:{} {}", d.line, d.column, d.message)
            };
            found.iter().map(show).collect()
        })
    }

    #[test]
    fn numbers() {
        let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
        let cases = [
            ("404", 404.0, 404.0),
            ("5.1", 5.1, 5.1),
            ("400-499", 400.0, 499.0),
            ("400 - 499", 400.0, 499.0),
            (">=500", 500.0, high),
            (">= 500", 500.0, high),
            (">1000", 1001.0, high),
            ("<=5", low, 5.0),
            ("<5", low, 4.0),
            (">0.5", 0.5_f64.next_up(), high),
        ];
        for (text, low, high) in cases {
            assert_eq!(
                range(text, count),
                Some(Range { low, high }),
                "{text}"
            );
        }
        for text in [
            "", "-", "x", "-5", "5-", "9-1", "1e3", "inf", "nan", ">", ">>1",
            "1-2-3", "=5", ".",
        ] {
            assert_eq!(range(text, count), None, "{text}");
        }
        let huge = "9".repeat(1000);
        assert_eq!(range(&huge, count), None);
    }

    #[test]
    fn versions() {
        let holds = |text: &str, number: f64| {
            range(text, version).unwrap().contains(number)
        };
        assert!(holds("<=5", 5.1) && !holds("<=5", 6.0));
        assert!(holds(">=6", 6.0) && !holds(">=6", 5.1));
        assert!(holds("7", 7.5) && !holds("7", 8.0));
        assert!(holds("5-6", 6.0) && !holds("5-6", 7.0));
        assert!(!holds("<6", 6.0) && holds("<6", 5.0));
        assert!(!holds(">5", 5.1) && holds(">5", 6.0));
        assert!(holds("5.1", 5.1) && !holds("5.1", 5.0));
    }

    #[test]
    fn a_whole_criterion() {
        let text = "
- when:
    status: [200, 502, '>=590']
    iis: '<=5'
    method: POST
    stem: ['/a', b]
    missing: [win32]
    urlscan: false
  outcome: succeeded
  confidence: certain
  reason: cgi-program-ran
  text: the program was started
- outcome: reached
  confidence: possible
  reason: other
  text: something else
";
        let list = read_text(text).unwrap();
        assert_eq!(list.len(), 2);
        let when = &list[0].when;
        assert_eq!(when.status.len(), 3);
        assert!(when.iis[0].contains(5.1));
        assert_eq!(when.method, ["POST"]);
        assert_eq!(when.stem, ["/a", "b"]);
        assert_eq!(when.missing, ["win32"]);
        assert_eq!(when.urlscan, Some(false));
        assert_eq!(list[0].outcome, Outcome::Succeeded);
        assert_eq!(list[0].confidence, Confidence::Certain);
        assert_eq!(list[1].when, When::default());
    }

    #[test]
    fn faults() {
        let text = "
- when:
    stauts: 200
    status: ['5xx', []]
    missing: bites
    urlscan: 1
  outcome: done
  confidence: sure
  reason: Not Kebab
  text: ''
- when: 3
- x
";
        let found = read_text(text).unwrap_err();
        let wanted = [
            "3:5 unknown key `stauts` in `when`",
            "4:15 `5xx` is no number or range",
            "4:21 `status` holds texts, not a list",
            "5:14 unknown column `bites`",
            "6:14 `urlscan` must be `true` or `false`",
            "7:12 `done` is no outcome",
            "8:15 `sure` is no confidence",
            "9:11 `Not Kebab` is not in kebab-case",
            "10:9 `text` is empty",
            "11:3 an outcome needs `outcome`",
            "11:3 an outcome needs `confidence`",
            "11:3 an outcome needs `reason`",
            "11:3 an outcome needs `text`",
            "11:9 `when` must be a map, not a number",
            "12:3 an outcome must be a map, not a text",
        ];
        assert_eq!(found, wanted);
    }
}
