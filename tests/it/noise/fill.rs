//! Texts with slots, and what goes into them.
//!
//! In: `{word}`, or `{enc:word}` for a word that is encoded as a browser or
//! a program does. Out: bytes. A slot that nobody knows is text: free text
//! has braces too.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::library::Dice;

/// A text with slots.
pub struct Text(Vec<Piece>);

enum Piece {
    Plain(String),
    Slot(Code, String),
}

/// How the content of a slot is written.
#[derive(Clone, Copy)]
enum Code {
    /// As it is.
    Plain,
    /// `encodeURIComponent`.
    Enc,
    /// The same with small digits.
    Low,
    /// Twice, as in a return address within another.
    Double,
    /// A form: blanks are pluses.
    Plus,
    /// As a program pastes it into a query: letters and blanks only.
    Form,
    /// Letters as they are, blanks as the log has them.
    Uni,
    /// The escapes of windows-1252.
    Page,
}

/// Slots that are made and not listed.
const MADE: [&str; 15] = [
    "n", "id", "hex8", "hex32", "guid", "b64", "b64url", "b64enc", "b64long",
    "jwt", "iso", "vs", "sess", "state", "ip",
];

/// What slots are filled with.
pub struct Lists(BTreeMap<String, Vec<Text>>);

impl Lists {
    pub fn new(text: &str) -> Self {
        let mut raw: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        let mut name = String::new();
        for line in text.lines().filter(|it| !it.is_empty()) {
            let head = line.strip_prefix('[');
            let head = head.and_then(|it| it.strip_suffix(']'));
            match head {
                Some(head) if !head.contains(' ') => name = head.to_owned(),
                // What stands before the first list is about the file.
                _ if name.is_empty() => {}
                _ => raw.entry(name.clone()).or_default().push(line),
            }
        }
        let is_known =
            |name: &str| raw.contains_key(name) || MADE.contains(&name);
        let lists = raw.iter().map(|(name, lines)| {
            let texts = lines.iter().map(|it| Text::new(it, &is_known));
            (name.clone(), texts.collect())
        });
        Self(lists.collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name) || MADE.contains(&name)
    }

    /// Fails where there is no such list.
    pub fn expect(&self, name: &str) {
        assert!(self.has(name), "no list {name}");
    }

    /// Something of this kind.
    pub fn fill(&self, name: &str, dice: &mut Dice) -> Vec<u8> {
        match self.0.get(name) {
            Some(list) => list[dice.below(list.len())].fill(self, dice),
            None => make(name, dice).into_bytes(),
        }
    }
}

impl Text {
    /// A text all of whose slots must be known.
    pub fn known(text: &str, lists: &Lists) -> Self {
        let own = Self::new(text, &|name| lists.has(name));
        for piece in &own.0 {
            if let Piece::Plain(plain) = piece {
                let is_slot = slot(plain, &|_| true).is_some();
                assert!(!is_slot, "an unknown slot in {text}");
            }
        }
        own
    }

    fn new(text: &str, is_known: &dyn Fn(&str) -> bool) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((at, end, code, name)) = slot(rest, is_known) {
            if at > 0 {
                pieces.push(Piece::Plain(rest[..at].to_owned()));
            }
            pieces.push(Piece::Slot(code, name.to_owned()));
            rest = &rest[end..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Plain(rest.to_owned()));
        }
        Self(pieces)
    }

    pub fn fill(&self, lists: &Lists, dice: &mut Dice) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Plain(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Slot(code, name) => {
                    out.extend(code.write(&lists.fill(name, dice)));
                }
            }
        }
        out
    }
}

/// The first known slot: where it begins and ends, and what it asks for.
fn slot<'t>(
    text: &'t str,
    is_known: &dyn Fn(&str) -> bool,
) -> Option<(usize, usize, Code, &'t str)> {
    for (at, _) in text.match_indices('{') {
        let inside = &text[at + 1..];
        let end = inside.find('}')?;
        let inside = &inside[..end];
        let is_name = |it: &str| {
            !it.is_empty()
                && it
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let (code, name) = match inside.split_once(':') {
            Some((code, name)) => (Code::of(code), name),
            None => (Some(Code::Plain), inside),
        };
        if let Some(code) = code
            && is_name(name)
            && is_known(name)
        {
            return Some((at, at + end + 2, code, name));
        }
    }
    None
}

impl Code {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "enc" => Self::Enc,
            "low" => Self::Low,
            "dbl" => Self::Double,
            "plus" => Self::Plus,
            "form" => Self::Form,
            "uni" => Self::Uni,
            "cp" => Self::Page,
            _ => return None,
        })
    }

    fn write(self, text: &[u8]) -> Vec<u8> {
        let is_kept = |byte: u8| {
            byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte)
        };
        match self {
            Self::Plain => text.to_vec(),
            Self::Enc => escape(text, is_kept),
            Self::Low => escape(text, is_kept).to_ascii_lowercase(),
            Self::Double => escape(&escape(text, is_kept), is_kept),
            Self::Plus => {
                let text = escape(text, |byte| byte == b' ' || is_kept(byte));
                blanks(&text)
            }
            Self::Form => escape(text, |byte| (b'!'..=b'~').contains(&byte)),
            Self::Uni => {
                let is_ok = |byte: u8| byte >= b' ' && byte != b'?';
                blanks(&escape(text, is_ok))
            }
            Self::Page => {
                let text = String::from_utf8_lossy(text);
                let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(&text);
                escape(&bytes, is_kept)
            }
        }
    }
}

fn escape(text: &[u8], is_kept: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in text {
        if is_kept(*byte) {
            out.push(*byte);
        } else {
            out.extend(format!("%{byte:02X}").into_bytes());
        }
    }
    out
}

fn blanks(text: &[u8]) -> Vec<u8> {
    text.iter().map(|it| if *it == b' ' { b'+' } else { *it }).collect()
}

fn bytes(length: usize, dice: &mut Dice) -> Vec<u8> {
    let mut out = Vec::new();
    while out.len() < length {
        out.extend(dice.roll().to_le_bytes());
    }
    out.truncate(length);
    out
}

/// Slots that are made.
fn make(name: &str, dice: &mut Dice) -> String {
    match name {
        "n" => (1 + dice.below(99)).to_string(),
        "id" => dice.below(1_000_000).to_string(),
        "hex8" => format!("{:08x}", dice.roll() >> 32),
        "hex32" => format!("{:016x}{:016x}", dice.roll(), dice.roll()),
        "guid" => {
            let all = format!("{:016x}{:016x}", dice.roll(), dice.roll());
            let cut = [&all[..8], &all[8..12], &all[12..16], &all[16..20]];
            format!("{}-{}", cut.join("-"), &all[20..])
        }
        "b64" => {
            let length = 12 + dice.below(30);
            STANDARD.encode(bytes(length, dice))
        }
        "b64url" | "state" => {
            let length = 30 + dice.below(90);
            URL_SAFE_NO_PAD.encode(bytes(length, dice))
        }
        "b64long" => {
            let length = 200 + dice.below(900);
            STANDARD.encode(bytes(length, dice))
        }
        "b64enc" => {
            let length = 60 + dice.below(600);
            let text = STANDARD.encode(bytes(length, dice));
            String::from_utf8(Code::Enc.write(text.as_bytes())).unwrap()
        }
        "vs" => {
            let length = 60 + dice.below(300);
            let text = STANDARD.encode(bytes(length, dice));
            let text = format!("/wEPDwUK{text}");
            String::from_utf8(Code::Enc.write(text.as_bytes())).unwrap()
        }
        "jwt" => {
            let length = 150 + dice.below(400);
            let body = URL_SAFE_NO_PAD.encode(bytes(length, dice));
            let sign = URL_SAFE_NO_PAD.encode(bytes(64, dice));
            format!("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJ{body}.{sign}")
        }
        "iso" => format!(
            "2023-{:02}-{:02}T{:02}:{:02}:{:02}.000Z",
            1 + dice.below(12),
            1 + dice.below(28),
            dice.below(24),
            dice.below(60),
            dice.below(60)
        ),
        "sess" => {
            let letters = b"abcdefghijklmnopqrstuvwxyz012345";
            (0..24).map(|_| char::from(letters[dice.below(32)])).collect()
        }
        "ip" => format!("10.{}.{}.9", dice.below(256), dice.below(256)),
        _ => unreachable!("{name} is listed in MADE"),
    }
}
