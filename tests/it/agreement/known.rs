//! Where the two differ, why, and who is right.
//!
//! In: one comparison of one value with one text. Out: the row that explains
//! a difference. Right is what version 2.1 of the specification says; where
//! it says nothing, pySigma, the reference implementation, is named.

use super::values::{
    coded, filled, is_number, is_wild, offsets, quoted, unquoted,
};

/// One comparison.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    /// The modifiers of the key.
    pub chain: &'a [&'static str],
    /// Its values, as YAML writes them.
    pub values: &'a [&'static str],
    /// What the column holds.
    pub text: &'a str,
    /// The values stand without a field.
    pub is_keyword: bool,
}

impl Point<'_> {
    fn has(&self, name: &str) -> bool {
        self.chain.contains(&name)
    }

    fn any(&self, is: impl Fn(&str) -> bool) -> bool {
        self.values.iter().any(|value| is(value))
    }

    /// The modifiers but these.
    fn without(&self, names: &[&str]) -> Vec<&'static str> {
        let kept = self.chain.iter().filter(|it| !names.contains(it));
        kept.copied().collect()
    }

    fn is_encoded(&self) -> bool {
        self.has("base64") || self.has("base64offset")
    }
}

/// Who does what the specification says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    Ours,
    Theirs,
    /// It leaves that open.
    Open,
}

/// Modifiers and values that say the same as others.
pub type Said = (Vec<&'static str>, Vec<String>);

/// One kind of difference.
pub struct Row {
    /// What it is about.
    pub what: &'static str,
    pub right: Right,
    pub why: &'static str,
    /// What we say where they differ; `None` where it may be either.
    pub ours: Option<bool>,
    pub applies: fn(&Point<'_>) -> bool,
    /// The same said so that the other does not err: then it must agree.
    pub said: Option<fn(&Point<'_>) -> Option<Said>>,
    /// Key, value and text that show it, and what we say of them.
    pub shown: (&'static str, &'static str, &'static str, bool),
}

/// Every difference in matching there is.
pub const ROWS: [Row; 17] = [
    Row {
        what: "wildcards under startswith and endswith",
        right: Right::Ours,
        why: "the other anchors such a value at the end that should be open, \
              and leaves the other end open",
        ours: None,
        applies: |it| {
            let placed = it.has("startswith") || it.has("endswith");
            placed && !it.has("windash") && it.any(is_wild)
        },
        said: Some(open_ended),
        shown: ("x-note|startswith", "'a*c'", "axcx", true),
    },
    Row {
        what: "the last character of base64offset",
        right: Right::Ours,
        why: "the other keeps a character that depends on what follows the \
              value, so it finds the value only at the end of a text",
        ours: None,
        applies: |it| it.has("base64offset") && !it.has("windash"),
        said: Some(each_offset),
        shown: ("x-note|base64offset|contains", "'abcd'", "YWJjZGVm", true),
    },
    Row {
        what: "UTF-16 without base64",
        right: Right::Ours,
        why: "the other looks for the value as it is",
        ours: None,
        applies: |it| {
            let wide = ["wide", "utf16le", "utf16be", "utf16"];
            wide.iter().any(|name| it.has(name)) && !it.is_encoded()
        },
        said: Some(in_utf16),
        shown: ("x-note|wide|contains", "'abc'", "abc", false),
    },
    Row {
        what: "which dashes windash varies",
        right: Right::Open,
        why: "as in pySigma it is a dash or slash that begins a word, so \
              that `a-b` stays; the other varies each dash and no slash",
        ours: None,
        applies: |it| {
            let varied = |value: &str| value.contains(['-', '/']);
            it.has("windash") && !it.is_encoded() && it.any(varied)
        },
        said: None,
        shown: ("x-note|windash", "'/enc'", "-enc", true),
    },
    Row {
        what: "wildcards under windash",
        right: Right::Ours,
        why: "the other looks for the asterisk or question mark itself",
        ours: None,
        applies: |it| it.has("windash") && it.any(is_wild),
        said: Some(without_dashes),
        shown: ("x-note|windash", "'a*c'", "axc", true),
    },
    Row {
        what: "windash before an encoding",
        right: Right::Ours,
        why: "modifiers apply in their order; the other leaves windash out",
        ours: None,
        applies: |it| it.has("windash") && it.is_encoded(),
        said: Some(each_dash),
        shown: ("x-note|windash|base64", "'-enc'", "L2VuYw==", true),
    },
    Row {
        what: "the case of letters that are not ASCII",
        right: Right::Theirs,
        why: "logs are bytes in encodings that nobody states, so only the \
              letters that all of them share are folded",
        ours: None,
        applies: |it| {
            let beyond = it.has("fieldref") || it.any(|it| !it.is_ascii());
            !it.has("re") && !it.text.is_ascii() && beyond
        },
        said: None,
        shown: ("x-note|contains", "'ÄbC'", "äbc", false),
    },
    Row {
        what: "regular expressions on what is not ASCII",
        right: Right::Open,
        why: "PCRE without its UTF mode compares bytes too; a damaged line \
              is matched all the same",
        ours: None,
        applies: |it| it.has("re") && !it.text.is_ascii(),
        said: None,
        shown: ("x-note|re", "'^.$'", "é", false),
    },
    Row {
        what: "neq on a column without a value",
        right: Right::Open,
        why: "as in pySigma neq is `not`, and what is not there is different; \
              the other wants a value",
        ours: Some(true),
        applies: |it| it.has("neq") && it.text == "-",
        said: None,
        shown: ("x-note|neq", "'abc'", "-", true),
    },
    Row {
        what: "numbers that are spelled otherwise",
        right: Right::Open,
        why: "columns are texts, and a number compares as it is written; \
              the other compares what the texts amount to",
        ours: None,
        applies: |it| {
            let same = |value: &str| {
                is_number(value)
                    && it.text != value
                    && it.text.parse::<f64>().ok() == value.parse().ok()
            };
            !it.is_keyword && it.any(same)
        },
        said: None,
        shown: ("x-note", "200", "0200", false),
    },
    Row {
        what: "truth in a column",
        right: Right::Open,
        why: "as above: `true` compares as it is written; the other takes \
              `1` and `yes` for it, and no text under contains and its kin",
        ours: None,
        applies: |it| it.any(|value| value == "true"),
        said: None,
        shown: ("x-note", "true", "yes", false),
    },
    Row {
        what: "numbers among keywords",
        right: Right::Ours,
        why: "the specification shows numbers as keywords; the other never \
              finds them",
        ours: None,
        applies: |it| it.is_keyword && it.any(is_number),
        said: Some(as_texts),
        shown: ("", "[200]", "200", true),
    },
    Row {
        what: "keywords that must all be there",
        right: Right::Ours,
        why: "keywords are looked for within; the other wants a whole column \
              or line where the key is `|all` without contains",
        ours: Some(true),
        applies: |it| {
            let is_whole = !it.has("contains") && !it.has("re");
            it.is_keyword && it.has("all") && is_whole
        },
        said: Some(within),
        shown: ("|all", "[ab, bc]", "abc", true),
    },
    Row {
        what: "keywords in what the request writes with escapes",
        right: Right::Open,
        why: "keywords are about the request as well, and it is looked at \
              decoded even where names mean columns alone",
        ours: Some(true),
        applies: |it| it.is_keyword && it.text.contains('%'),
        said: None,
        shown: ("", "[abc]", "%61bc", true),
    },
    Row {
        what: "anchored expressions among keywords",
        right: Right::Open,
        why: "their text is the line or the request here, each column there",
        ours: None,
        applies: |it| {
            let anchored = |value: &str| value.contains(['^', '$']);
            it.is_keyword && it.has("re") && it.any(anchored)
        },
        said: None,
        shown: ("|re", "'^abc$'", "abc", false),
    },
    Row {
        what: "the empty text",
        right: Right::Open,
        why: "a W3C log writes the empty text and no value alike, as `-`; \
              the other is given no value",
        ours: Some(true),
        applies: |it| it.text == "-" && it.any(|it| unquoted(it).is_empty()),
        said: None,
        shown: ("x-note", "''", "-", true),
    },
    Row {
        what: "addresses with a zone, or of IPv4 within IPv6",
        right: Right::Open,
        why: "IIS logs them so; the network is that of the address",
        ours: None,
        applies: |it| {
            it.has("cidr")
                && (it.text.contains('%') || it.text.contains("::f"))
        },
        said: None,
        shown: ("x-note|cidr", "'10.0.0.0/8'", "::ffff:10.0.0.1", true),
    },
];

fn open_ended(it: &Point<'_>) -> Option<Said> {
    let value = |value: &&str| {
        let text = unquoted(value);
        let slashes = text.len() - text.trim_end_matches('\\').len();
        if it.has("endswith") {
            format!("'*{text}'")
        } else if slashes % 2 == 1 {
            format!(r"'{text}\*'")
        } else {
            format!("'{text}*'")
        }
    };
    let chain = it.without(&["startswith", "endswith"]);
    Some((chain, it.values.iter().map(value).collect()))
}

fn each_offset(it: &Point<'_>) -> Option<Said> {
    if it.has("all") {
        return None;
    }
    let codes = ["wide", "utf16le", "utf16be", "utf16", "base64offset"];
    let values = it.values.iter().flat_map(|value| {
        offsets(&coded(it.chain, &filled(unquoted(value), "")))
    });
    Some((it.without(&codes), values.map(|it| quoted(&it)).collect()))
}

fn in_utf16(it: &Point<'_>) -> Option<Said> {
    let codes = ["wide", "utf16le", "utf16be", "utf16"];
    let value = |value: &&str| {
        let bytes = coded(it.chain, &filled(unquoted(value), ""));
        String::from_utf8(bytes).ok().map(|text| quoted(&text))
    };
    let values: Option<Vec<_>> = it.values.iter().map(value).collect();
    Some((it.without(&codes), values?))
}

fn without_dashes(it: &Point<'_>) -> Option<Said> {
    if it.any(|value| value.contains(['-', '/'])) {
        return None;
    }
    let chain = it.without(&["windash"]);
    if it.has("startswith") || it.has("endswith") {
        return open_ended(&Point { chain: &chain, ..*it });
    }
    let values = it.values.iter().map(|it| (*it).to_owned());
    Some((chain, values.collect()))
}

fn each_dash(it: &Point<'_>) -> Option<Said> {
    if it.has("all") {
        return None;
    }
    let values = it.values.iter().flat_map(|value| {
        let text = unquoted(value);
        let forms = match text.strip_prefix(['-', '/']) {
            Some(rest) => {
                let dashes = ["-", "/", "–", "—", "―"];
                dashes.map(|dash| format!("'{dash}{rest}'")).to_vec()
            }
            None => vec![format!("'{text}'")],
        };
        forms.into_iter()
    });
    Some((it.without(&["windash"]), values.collect()))
}

fn within(it: &Point<'_>) -> Option<Said> {
    let values = it.values.iter().map(|it| (*it).to_owned());
    let chain = it.without(&["contains"]);
    Some(([vec!["contains"], chain].concat(), values.collect()))
}

fn as_texts(it: &Point<'_>) -> Option<Said> {
    let values = it.values.iter().map(|it| format!("'{}'", unquoted(it)));
    let (chain, _) = within(it)?;
    Some((chain, values.collect()))
}

/// Rules of the program that the other refuses.
pub const REFUSED: [(&str, &str); 3] = [
    (
        "webdav-unicode-bypass",
        "its expression is of bytes that are no UTF-8; the other has texts",
    ),
    ("welchia-webdav", "as above"),
    ("php-cgi-soft-hyphen", "as above"),
];

/// The row that explains a difference; `ours` is what we say.
pub fn explains(point: &Point<'_>, ours: bool) -> Option<usize> {
    ROWS.iter().position(|row| {
        row.ours.is_none_or(|it| it == ours) && (row.applies)(point)
    })
}

/// The row that says of a comparison how the other errs in it, and what to
/// ask it instead.
pub fn errs(point: &Point<'_>) -> Option<usize> {
    ROWS.iter().position(|row| row.said.is_some() && (row.applies)(point))
}

/// A rule that one of the two refuses, as the lines of its detection.
pub struct Refusal {
    pub detection: &'static str,
    pub ours: bool,
    pub theirs: bool,
    pub why: &'static str,
}

/// Rules of which the two do not agree whether they are any; and, so that
/// the list means something, some that both refuse. True is taken.
pub const REFUSALS: [Refusal; 26] = [
    Refusal {
        detection: "x|contains: ''",
        ours: false,
        theirs: true,
        why: "it is found everywhere, which nobody means",
    },
    Refusal {
        detection: "x|re: ''",
        ours: false,
        theirs: true,
        why: "as above",
    },
    Refusal {
        detection: "x|base64offset: 'abcd'",
        ours: false,
        theirs: true,
        why: "the specification wants contains behind it",
    },
    Refusal {
        detection: "x|base64offset|contains: 'a'",
        ours: false,
        theirs: true,
        why: "at one offset nothing of it is left to look for",
    },
    Refusal {
        detection: "x|base64|contains: 'a*c'",
        ours: false,
        theirs: true,
        why: "a wildcard has no encoding; the other encodes the asterisk",
    },
    Refusal {
        detection: "x|cidr: '10.1.2.3/8'",
        ours: false,
        theirs: true,
        why: "bits beyond the prefix are a slip; pySigma refuses them too",
    },
    Refusal {
        detection: "x|cidr: '10.1.2.3'",
        ours: true,
        theirs: false,
        why: "an address is a network of one, as in pySigma",
    },
    Refusal {
        detection: "x|lt: '5'",
        ours: false,
        theirs: true,
        why: "the specification wants a number; pySigma refuses texts too",
    },
    Refusal {
        detection: "x|lt|neq: 5",
        ours: false,
        theirs: true,
        why: "gte says it",
    },
    Refusal {
        detection: "x|exists: maybe",
        ours: false,
        theirs: true,
        why: "the other takes it for true",
    },
    Refusal {
        detection: "x: [null, a]",
        ours: false,
        theirs: true,
        why: "the specification gives null a search of its own",
    },
    Refusal {
        detection: "x|contains|all: a",
        ours: true,
        theirs: false,
        why: "public rules have it; it changes nothing",
    },
    Refusal {
        detection: "x|fieldref|cased: y",
        ours: false,
        theirs: true,
        why: "the specification lists cased for values alone",
    },
    Refusal {
        detection: "x|windash: '-a -b -c -d -e'",
        ours: false,
        theirs: true,
        why: "3125 forms of one value; public rules vary one or two dashes",
    },
    Refusal {
        detection: "x|hour: 5",
        ours: false,
        theirs: true,
        why: "parts of times are not compared, and it says so",
    },
    Refusal {
        detection: "x|expand: '%name%'",
        ours: false,
        theirs: true,
        why: "placeholders come from a pipeline, of which there is none; the \
              other takes them for fields",
    },
    Refusal {
        detection: "x|re|contains: a",
        ours: false,
        theirs: false,
        why: "both",
    },
    Refusal {
        detection: "x|contains|startswith: a",
        ours: false,
        theirs: false,
        why: "both",
    },
    Refusal {
        detection: "x|contains|i: a",
        ours: false,
        theirs: false,
        why: "both",
    },
    Refusal {
        detection: "x|contians: a",
        ours: false,
        theirs: false,
        why: "both",
    },
    Refusal {
        detection: "x|re: 'a(?=b)'",
        ours: false,
        theirs: false,
        why: "both: no look-around",
    },
    Refusal {
        detection: "x|re: 'a('",
        ours: false,
        theirs: false,
        why: "both",
    },
    Refusal {
        detection: "x|cidr: 'abc'",
        ours: false,
        theirs: false,
        why: "both",
    },
    Refusal {
        detection: "x|base64|base64offset|contains: abcd",
        ours: false,
        theirs: false,
        why: "both",
    },
    Refusal {
        detection: "x|contains|fieldref: y",
        ours: true,
        theirs: false,
        why: "the order means the same to us; pySigma refuses it",
    },
    Refusal {
        detection: "x: {a: b}",
        ours: false,
        theirs: true,
        why: "a value is no map; the other takes its dump for a text",
    },
];

/// The same for conditions over the searches `a`, `b` and `_c`.
pub const CONDITIONS: [Refusal; 9] = [
    Refusal {
        detection: "a AND b",
        ours: true,
        theirs: false,
        why: "as in pySigma the words of a condition ignore case",
    },
    Refusal {
        detection: "1 OF them",
        ours: true,
        theirs: false,
        why: "as above",
    },
    Refusal {
        detection: "2 of them",
        ours: false,
        theirs: true,
        why: "the specification knows 1, any and all",
    },
    Refusal {
        detection: "1 of x*",
        ours: false,
        theirs: true,
        why: "it names no search: the other never matches, or always",
    },
    Refusal {
        detection: "a | count() > 5",
        ours: false,
        theirs: false,
        why: "both: aggregations are gone",
    },
    Refusal { detection: "a and", ours: false, theirs: false, why: "both" },
    Refusal { detection: "a b", ours: false, theirs: false, why: "both" },
    Refusal { detection: "(a or b", ours: false, theirs: false, why: "both" },
    Refusal {
        detection: "a or d",
        ours: false,
        theirs: false,
        why: "both: no search has that name",
    },
];
