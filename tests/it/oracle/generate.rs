//! Logs and rules made at random, from the words of attacks.

use iisleuth::signature::Signatures;
use proptest::prelude::*;

use crate::scanning::Lcg;

/// A layout with the lines of rules' tests that are written in it.
struct Known {
    fields: String,
    software: String,
    lines: Vec<String>,
}

/// What the rules' own test lines are made of.
pub struct Pool {
    layouts: Vec<Known>,
    words: Vec<Vec<u8>>,
}

/// Directives as they should be and as they should not.
const DIRECTIVES: [&str; 15] = [
    "#Version: 1.0",
    "#Date: 2001-07-19 00:00:00",
    "#Remark: see #Fields: date time",
    "#Software: IIS  #Version: 1.0  #Fields: cs-method cs-uri-stem",
    "#FIELDS:cs-uri-query cs-uri-stem",
    "# fields : date time cs-uri",
    "#Fields: ",
    "#Fields date time",
    "#",
    "# a comment: /scripts/root.exe",
    "#Fields: cs-uri cs-uri cs(User-Agent) x-custom",
    "#Fields: time\tcs-uri-stem  cs-uri-query   ",
    "#Date: x #Fields: cs-uri-stem #Date: y",
    "#Foo#Fields: cs-uri-stem cs(Referer)",
    "# Fields : a #Software: b",
];

const BLANKS: [&str; 6] = ["", " ", "\t ", "\0\0\0", "\0 \0", "\r"];

/// What may stand before a line that is not its own.
const LEADS: [&[u8]; 5] =
    [b"\xEF\xBB\xBF", b"\0\0", b"\0\xEF\xBB\xBF", b" ", b"\xEF\xBB"];

impl Pool {
    pub fn new(set: &Signatures) -> Self {
        let mut layouts: Vec<Known> = Vec::new();
        let mut words: Vec<Vec<u8>> =
            vec![b"-".to_vec(), b"GET".to_vec(), b"/".to_vec()];
        for rule in set.rules() {
            let tests = &rule.sleuth.tests;
            for test in tests.matching.iter().chain(&tests.other) {
                let line = test.line.clone();
                words.extend(
                    line.split(' ').map(|word| word.as_bytes().to_vec()),
                );
                let known = layouts.iter_mut().find(|known| {
                    known.fields == test.fields
                        && known.software == test.software
                });
                match known {
                    Some(known) => known.lines.push(line),
                    None => layouts.push(Known {
                        fields: test.fields.clone(),
                        software: test.software.clone(),
                        lines: vec![line],
                    }),
                }
            }
        }
        words.sort();
        words.dedup();
        Self { layouts, words }
    }

    /// A log with some layouts and about `lines` lines.
    pub fn log(&self, random: &mut Lcg, lines: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let crlf = random.once_in(2);
        let mut known = random.pick(&self.layouts);
        let mut push = |random: &mut Lcg, line: &[u8]| {
            out.extend_from_slice(line);
            let end: &[u8] = match random.below(40) {
                0 => b"\r\r\n",
                n if (n == 1) != crlf => b"\r\n",
                _ => b"\n",
            };
            out.extend_from_slice(end);
        };
        // Rows that nothing came before are told by their shape, of which
        // the twin knows nothing: `dialects` looks at those.
        let header = if random.once_in(9) {
            "#Fields: cs-own".to_owned()
        } else {
            Self::header(known, random)
        };
        push(random, header.as_bytes());
        for _ in 0..lines {
            match random.below(30) {
                0 => {
                    known = random.pick(&self.layouts);
                    let header = Self::header(known, random);
                    push(random, header.as_bytes());
                }
                1 => {
                    let line = *random.pick(&DIRECTIVES);
                    push(random, line.as_bytes());
                }
                2 => {
                    let line = *random.pick(&BLANKS);
                    push(random, line.as_bytes());
                }
                3 => {
                    let lead = *random.pick(&LEADS);
                    let line = self.line(known, random);
                    push(random, &[lead, &line].concat());
                }
                _ => {
                    let line = self.line(known, random);
                    push(random, &line);
                }
            }
        }
        if random.once_in(3) {
            while matches!(out.last(), Some(b'\r' | b'\n')) {
                out.pop();
            }
        }
        out
    }

    fn header(known: &Known, random: &mut Lcg) -> String {
        let bom = if random.once_in(9) { "\u{feff}" } else { "" };
        let software = &known.software;
        let fields = &known.fields;
        if random.once_in(5) {
            return format!("{bom}#Fields: {fields}");
        }
        format!("{bom}#Software: {software}\n#Fields: {fields}")
    }

    /// A line of a rule's tests, most often changed.
    fn line(&self, known: &Known, random: &mut Lcg) -> Vec<u8> {
        let line = random.pick(&known.lines).as_bytes();
        if random.once_in(4) {
            return line.to_vec();
        }
        let mut columns: Vec<Vec<u8>> =
            line.split(|byte| *byte == b' ').map(<[u8]>::to_vec).collect();
        for _ in 0..=random.below(3) {
            let at = random.below(columns.len());
            match random.below(24) {
                0 => {
                    columns.remove(at);
                }
                1 => columns.insert(at, random.pick(&self.words).clone()),
                2 => columns.push(Vec::new()),
                3 => columns[at].clear(),
                4 => columns[at] = b"-".to_vec(),
                5..=8 => columns[at].clone_from(random.pick(&self.words)),
                9 => {
                    let more = random.pick(&self.words).clone();
                    columns[at].extend(more);
                }
                _ => {
                    let column = random.below(columns.len());
                    columns[column] = disguise(&columns[column], random);
                }
            }
            if columns.is_empty() {
                columns.push(b"-".to_vec());
            }
        }
        if random.once_in(60) {
            let at = random.below(columns.len());
            columns[at].extend(vec![b'N'; 3000]);
        }
        columns.join(&b' ')
    }
}

/// Writes some letters of a text another way, and damages some.
fn disguise(text: &[u8], random: &mut Lcg) -> Vec<u8> {
    let often = [2, 5, 20][random.below(3)];
    let kind = random.below(10);
    let mut out = Vec::new();
    for byte in text {
        if kind == 9 && *byte == b'/' {
            let ways = ["//", "/./", "/x/../", "\\", "/%2e/", "%2F/", "/"];
            out.extend_from_slice(random.pick(&ways).as_bytes());
            continue;
        }
        if !random.once_in(often) {
            out.push(*byte);
            continue;
        }
        let hex = match kind {
            0 => format!("%{byte:02x}"),
            1 => format!("%25{byte:02X}"),
            2 => format!("%2525{byte:02X}"),
            3 => format!("%u{:04x}", *byte),
            4 => format!("%uff{:02x}", byte.wrapping_sub(0x20)),
            5 => format!("%c{:x}%{:02x}", byte / 64 % 2, 0x80 + byte % 64),
            6 => {
                out.extend([0xC0 + byte / 64 % 2, byte % 64 + 0x80]);
                continue;
            }
            7 => {
                // Whatever comes; a blank would be a new column.
                let odd = u8::try_from(random.below(256)).unwrap();
                let parts = matches!(odd, b' ' | b'\n');
                out.push(if parts { b'%' } else { odd });
                continue;
            }
            _ => {
                out.push(if byte.is_ascii_uppercase() {
                    byte.to_ascii_lowercase()
                } else {
                    byte.to_ascii_uppercase()
                });
                continue;
            }
        };
        out.extend_from_slice(hex.as_bytes());
    }
    out
}

/// Layouts for random rules.
pub const LAYOUTS: [&str; 5] = [
    "cs-method cs-uri-stem cs-uri-query cs(User-Agent) cs(Referer) sc-status",
    "cs-uri-stem sc-status cs-method cs-uri-query c-ip X-Forwarded-For",
    "cs-method cs-uri cs-host sc-status cs(Cookie) cs-username",
    "cs-uri-query cs-method cs-host cs(Host) x-custom cs-uri-stem",
    "sc-status cs(Referrer) cs-uri-stem cs-uri-stem cs-uri-query s-reason",
];

/// What fields are filled with, and rules ask for.
fn text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "/scripts",
        "/root.exe",
        "..",
        "/./",
        "/x/../",
        "/",
        "\\",
        "cmd",
        "exe",
        ".exe",
        "+",
        "?",
        "a",
        "A",
        "admin",
        "ADMIN",
        "%41dmin",
        "%2e",
        "%252e",
        "%c0%af",
        "%u0061dm",
        "é",
        "größe",
        "表",
        "ソ",
        "\u{212a}",
        "k",
        "K",
        "GET",
        "POST",
        "/<Rejected-By-UrlScan>",
        "~",
        "~/root.exe?cmd",
        "=",
        "&",
        "-",
        "200",
        "404",
        "192.0.2.7",
        "::1%4",
        "10",
        "dir+c:",
        "/a/b.asp",
    ]);
    prop::collection::vec(word, 1..5).prop_map(|words| words.concat())
}

fn column() -> impl Strategy<Value = String> {
    let plain = prop::sample::select(vec![
        "-",
        "GET",
        "POST",
        "SEARCH",
        "200",
        "404",
        "192.0.2.7",
        "fe80::1%2",
        "1e2",
        "A+B",
        "/root.exe",
        "cmd+dir",
        "/<Rejected-By-UrlScan>",
        "~/root.exe?cmd",
    ])
    .prop_map(str::to_owned);
    prop_oneof![1 => plain, 2 => text()]
}

/// One line with six columns; rarely more or fewer.
pub fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => prop::collection::vec(column(), 6),
        1 => prop::collection::vec(column(), 3..9),
    ]
    .prop_map(|columns| columns.join(" "))
}

pub fn log_of(layout: usize, lines: &[String]) -> Vec<u8> {
    let fields = LAYOUTS[layout];
    format!("#Fields: {fields}\n{}", lines.join("\n")).into_bytes()
}

/// A line of six columns, each with bytes behind it that nobody chose.
pub fn foreign_line() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let odd = prop_oneof![
        4 => Just(Vec::new()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop::collection::vec((column(), odd), 6)
}

/// Lines in a code page: of some words each character is written as an
/// escape, and some have bytes behind them that nobody chose.
pub fn foreign_log(
    layout: usize,
    lines: &[Vec<(String, Vec<u8>)>],
    label: &str,
) -> Vec<u8> {
    let page = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
    let fields = LAYOUTS[layout];
    let mut out = format!("#Fields: {fields}\n").into_bytes();
    for line in lines {
        let columns = line.iter().map(|(text, odd)| {
            let (bytes, ..) = page.encode(text);
            let mut column = bytes.into_owned();
            // The length decides, so that a failure can be told again.
            if text.len() % 3 == 0 {
                let escape = |byte: &u8| match byte {
                    0x80.. => format!("%{byte:02x}").into_bytes(),
                    byte => vec![*byte],
                };
                column = column.iter().flat_map(escape).collect();
            }
            let parts = |byte: &&u8| !b" \t\r\n\"".contains(*byte);
            column.extend(odd.iter().filter(parts));
            column
        });
        out.extend(columns.collect::<Vec<_>>().join(&b' '));
        out.push(b'\n');
    }
    out
}

const FIELDS: [&str; 17] = [
    "cs-uri-query",
    "cs-uri-stem",
    "c-uri",
    "c-uri-extension",
    "cs-method",
    "cs-user-agent",
    "cs-referer",
    "cs-cookie",
    "cs-host",
    "cs-username",
    "sc-status",
    "c-ip",
    "x-custom",
    "X-Forwarded-For",
    "s-reason",
    "cs-uri-query",
    "cs-uri-stem",
];

/// A value without wildcards.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('?', "\\?"))
}

/// A value in single quotes, with wildcards and escapes here and there.
fn value() -> impl Strategy<Value = String> {
    let wild =
        prop::sample::select(vec!["", "", "", "*", "?", "\\*", "\\?", "\\\\"]);
    let wild = (wild.clone(), text(), wild.clone(), text(), wild)
        .prop_map(|(a, b, c, d, e)| format!("'{a}{b}{c}{d}{e}'"));
    prop_oneof![wild, text().prop_map(|text| quoted(&text))]
}

fn regex() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "root",
        "\\.exe",
        "[aA]dmin",
        "[aé]dmin",
        "(?i)kkk",
        "(?i:admin)",
        "\\.\\.",
        "(cmd|dir)",
        "/+",
        "a?dmin",
        "^/",
        "$",
        "scripts.*",
        "\\?",
        "[+ ]",
        "(?i)k",
        "\\x41dmin",
        "(GET|POST) /",
        "a{2}",
        "[0-9]{3}",
        "é",
    ]);
    prop::collection::vec(part, 1..4)
        .prop_map(|parts| format!("'{}'", parts.concat()))
}

fn list(
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = String> {
    prop::collection::vec(value, 1..4)
        .prop_map(|values| format!("[{}]", values.join(", ")))
}

/// One `field|modifiers: value`.
fn entry() -> impl Strategy<Value = String> {
    let field = || prop::sample::select(FIELDS.to_vec());
    let place = prop::sample::select(vec![
        "",
        "|contains",
        "|startswith",
        "|endswith",
        "|contains|all",
        "|contains|cased",
        "|cased",
        "|neq",
        "|wide|contains",
        "|base64|contains",
    ]);
    let flags = prop::sample::select(vec!["", "|i", "|s", "|m", "|i|s"]);
    let fixed = prop::sample::select(vec![
        "sc-status|gte: 400",
        "sc-status|lt: 300",
        "cs-uri-query|windash|contains: [' -a', '/root']",
        "sc-status: 200",
        "c-ip|cidr: 192.0.2.0/24",
        "x-custom|cidr: 'fe80::/10'",
        "cs-uri-query: null",
        "cs-uri-stem|exists: true",
        "cs-referer|exists: false",
        "cs-uri-query: '*'",
        "cs-uri-stem|fieldref: cs-uri-query",
        "cs-uri-query|fieldref|contains: cs-host",
        "cs-method: [GET, 'A+B', search]",
    ])
    .prop_map(str::to_owned);
    let plain = text().prop_map(|text| quoted(&text));
    prop_oneof![
        6 => (field(), place, list(value()), list(plain)).prop_map(
            |(field, place, value, plain)| {
                let coded = place.contains("wide") || place.contains("64");
                let value = if coded { plain } else { value };
                format!("{field}{place}: {value}")
            }
        ),
        2 => (field(), flags, list(regex())).prop_map(
            |(field, flags, value)| format!("{field}|re{flags}: {value}")
        ),
        2 => fixed,
    ]
}

/// The value of `detection:`, three searches and a condition.
pub fn detection() -> impl Strategy<Value = String> {
    let search = prop_oneof![
        4 => prop::collection::vec(entry(), 1..3).prop_map(|entries| {
            let lines = entries.iter().map(|one| format!("    - {one}\n"));
            lines.collect::<Vec<_>>().concat()
        }),
        4 => entry().prop_map(|entry| format!("    {entry}\n")),
        1 => prop::collection::vec(text(), 1..3).prop_map(|texts| {
            let quoted = texts.iter().map(|text| quoted(text));
            let lines = quoted.map(|one| format!("    - {one}\n"));
            lines.collect::<Vec<_>>().concat()
        }),
    ];
    let condition = prop::sample::select(vec![
        "sel_a",
        "sel_a and sel_b",
        "sel_a or sel_b",
        "sel_a and not sel_b",
        "not sel_a",
        "1 of sel_*",
        "all of sel_*",
        "sel_c and not 1 of sel_a*",
        "(sel_a or sel_b) and not (sel_c and sel_b)",
        "1 of them and not sel_b",
    ]);
    (search.clone(), search.clone(), search, condition).prop_map(
        |(a, b, c, condition)| {
            format!(
                "  sel_a:\n{a}  sel_b:\n{b}  sel_c:\n{c}  condition: \
                 {condition}\n"
            )
        },
    )
}

/// A whole rule around it.
pub fn rule(n: usize, detection: &str) -> String {
    format!(
        "title: Made {n}\nname: made-{n}\nlogsource:\n  category: webserver\n\
         detection:\n{detection}level: low\n"
    )
}
