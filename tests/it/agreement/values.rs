//! Values of made rules, and the texts that they are compared with.
//!
//! In: the modifiers of a key and its values as YAML writes them. Out: what
//! a column may hold that matches, almost matches, or does not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::events::swapped;

/// Plain texts, wildcards, escapes, numbers, and what is not ASCII.
pub const TEXTS: [&str; 33] = [
    "'abc'",
    "'AbC'",
    "'a'",
    "'a-b'",
    "'-enc'",
    "'/enc'",
    "'x.-enc:/q'",
    "'a*c'",
    "'a?c'",
    "'*bc'",
    "'ab*'",
    "'?bc'",
    "'ab?'",
    "'*'",
    "'?'",
    "'**'",
    "'a*b*c'",
    "'?*?'",
    r"'a\*c'",
    r"'a\?c'",
    r"'a\\c'",
    r"'a\\*c'",
    r"'a\\\*c'",
    r"'a\bc'",
    r"'abc\'",
    r"'\\\\abc'",
    "'%41bc'",
    "'a+c'",
    "'ÄbC'",
    "'200'",
    "200",
    "1.5",
    "true",
];

/// What can be encoded.
pub const PLAIN: [&str; 6] =
    ["'abc'", "'abcd'", "'AbcdE'", "'-enc'", "'/etc/passwd'", r"'a\*bc'"];

pub const REGEXES: [&str; 14] = [
    "'a.c'",
    "'^ab'",
    "'bc$'",
    "'^abc$'",
    "'a+'",
    "'[0-9]{3}'",
    "'(abc|xyz)'",
    "'A.C'",
    r"'\d+\.\d'",
    r"'\bab'",
    "'^.$'",
    "'^.{2}$'",
    r"'a\\c'",
    "'ä'",
];

pub const NUMBERS: [&str; 5] = ["5", "200", "1.5", "-3", "0"];

pub const NETWORKS: [&str; 6] = [
    "'10.0.0.0/8'",
    "'192.0.2.128/25'",
    "'203.0.113.7/32'",
    "'0.0.0.0/0'",
    "'2001:db8::/32'",
    "'::/0'",
];

const ANY: [&str; 22] = [
    "-",
    "abc",
    "ABC",
    "xabcx",
    "a",
    "ab",
    "bc",
    "200",
    "0200",
    "200.0",
    "2e2",
    "1.5",
    "1.50",
    "true",
    "TRUE",
    "yes",
    "é",
    "É",
    "x.–enc:—q",
    "a-b",
    "a—b",
    "%61bc",
];

const NUMERIC: [&str; 16] = [
    "-", "5", "05", "5.0", "4.9", "5.1", "-3", "-3.5", "0", "-0", "abc",
    "1e2", "2e3", "inf", "0x5", "+5",
];

const ADDRESSES: [&str; 14] = [
    "-",
    "10.0.0.1",
    "10.255.255.255",
    "11.0.0.0",
    "192.0.2.127",
    "192.0.2.128",
    "203.0.113.7",
    "203.0.113.8",
    "2001:db8::1",
    "2001:DB8:0::1",
    "2001:db9::1",
    "::ffff:10.0.0.1",
    "fe80::1%eth0",
    "10.0.0.1:80",
];

/// A value as YAML reads it.
pub fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix('\'').and_then(|it| it.strip_suffix('\''));
    inner.unwrap_or(value)
}

/// True for a number that stands without quotes.
pub fn is_number(value: &str) -> bool {
    value.parse::<f64>().is_ok()
}

/// True where the value has a `*` or `?` that is a wildcard.
pub fn is_wild(value: &str) -> bool {
    filled(unquoted(value), "\u{1}").contains('\u{1}')
}

/// The value with its escapes undone and `fill` in place of each wildcard.
pub fn filled(value: &str, fill: &str) -> String {
    let mut out = String::new();
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(next @ ('*' | '?' | '\\'))) => {
                out.push(*next);
                chars.next();
            }
            ('*' | '?', _) => out.push_str(fill),
            _ => out.push(c),
        }
    }
    out
}

/// Texts for a column that a key with these modifiers and values looks at.
pub fn texts(chain: &[&str], values: &[&str]) -> Vec<String> {
    let has = |name: &str| chain.contains(&name);
    let fixed: &[&str] = if has("cidr") {
        &ADDRESSES
    } else if ["lt", "lte", "gt", "gte"].iter().any(|name| has(name)) {
        &NUMERIC
    } else {
        &ANY
    };
    let mut texts: Vec<_> = fixed.iter().map(|it| (*it).to_owned()).collect();
    let mut plain = Vec::new();
    for value in values {
        for fill in ["", "x", "xy", "é", "-", "/", "*"] {
            plain.push(filled(unquoted(value), fill));
        }
        plain.push(unquoted(value).to_owned());
    }
    if let [first, .., last] = values {
        let both = [first, last].map(|it| filled(unquoted(it), "x"));
        plain.push(both.concat());
    }
    unique(&mut plain);
    if has("windash") {
        for text in plain.clone() {
            for dash in ["-", "/", "–", "—", "―"] {
                plain.push(text.replacen(['-', '/'], dash, 1));
                plain.push(text.replace(['-', '/'], dash));
            }
        }
        unique(&mut plain);
    }
    if chain.iter().any(|it| it.starts_with("base64")) {
        plain = plain.iter().flat_map(|text| encoded(chain, text)).collect();
    } else if let Some(wide) = chain.iter().find(|it| is_wide(it)) {
        let coded = plain.iter().map(|text| utf16(wide, text));
        let coded: Vec<_> =
            coded.filter_map(|it| String::from_utf8(it).ok()).collect();
        plain.extend(coded);
    }
    unique(&mut plain);
    for text in plain {
        texts.push(format!("x{text}"));
        texts.push(format!("{text}x"));
        texts.push(format!("-{text}-"));
        texts.push(swapped(&text));
        texts.push(text.to_lowercase());
        texts.push(text.to_uppercase());
        texts.push(text.chars().skip(1).collect());
        texts.push(text);
    }
    texts.retain(|text| !text.is_empty() && !text.contains([' ', '\t']));
    unique(&mut texts);
    texts
}

fn unique(texts: &mut Vec<String>) {
    texts.sort();
    texts.dedup();
}

fn is_wide(name: &str) -> bool {
    name == "wide" || name.starts_with("utf16")
}

fn utf16(name: &str, text: &str) -> Vec<u8> {
    let units = text.encode_utf16();
    let bytes = match name {
        "utf16be" => units.flat_map(u16::to_be_bytes).collect(),
        _ => units.flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
    };
    if name == "utf16" { [vec![0xFF, 0xFE], bytes].concat() } else { bytes }
}

/// The text in UTF-16, where a modifier says so.
pub fn coded(chain: &[&str], text: &str) -> Vec<u8> {
    match chain.iter().find(|it| is_wide(it)) {
        Some(name) => utf16(name, text),
        None => text.as_bytes().to_vec(),
    }
}

/// What of the bytes is the same in base64 whatever stands around them, at
/// each of three places: as pySigma computes it.
pub fn offsets(bytes: &[u8]) -> Vec<String> {
    let (starts, ends) = ([0, 2, 3], [0, 3, 2]);
    let place = |at: usize| {
        let code = STANDARD.encode([vec![b' '; at], bytes.to_vec()].concat());
        let end = code.len() - ends[(bytes.len() + at) % 3];
        code[starts[at]..end].to_owned()
    };
    (0..3).map(place).collect()
}

/// A text as a value in double quotes, which has no wildcards.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\0' => out.push_str("\\0"),
            '*' | '?' => {
                out.push_str("\\\\");
                out.push(c);
            }
            '\\' => out.push_str("\\\\\\\\"),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The text in base64, alone and among others, at each of three places.
fn encoded(chain: &[&str], text: &str) -> Vec<String> {
    let bytes = coded(chain, text);
    let mut out = vec![text.to_owned()];
    for before in ["", "q", "qr", "qrs"] {
        for after in ["", "!", "!~", "\u{ff}"] {
            let all = [before.as_bytes(), &bytes, after.as_bytes()].concat();
            out.push(STANDARD.encode(all));
        }
    }
    out
}
