//! The patterns that one value stands for: wildcards and escapes read, and
//! the variants that encodings and dashes make of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::signature::diagnostic::Misread;
use crate::signature::modifier::{Code, Place, Plan};
use crate::signature::rule::{Part, Pattern};
use crate::signature::value::Budget;

/// Dashes of one value that `windash` varies: five forms each.
const DASHES: usize = 4;

/// What `windash` writes for a dash: `-`, `/`, en dash, em dash, bar.
const DASH_FORMS: [char; 5] = ['-', '/', '–', '—', '―'];

/// The patterns of one value: several where a modifier makes variants.
pub(super) fn patterns(
    plan: &Plan,
    text: &str,
    budget: &mut Budget,
) -> Result<Vec<Pattern>, Misread> {
    if text.is_empty() {
        let what = "an empty text is found everywhere";
        return Err(Misread::new(0, what));
    }
    let forms = if plan.windash {
        dashes(text, budget)?
    } else {
        vec![text.to_owned()]
    };
    let mut patterns = Vec::new();
    for form in forms {
        budget.pay(64 + form.len())?;
        let parts = parts(&form);
        let variants = if plan.codes.is_empty() {
            vec![parts]
        } else {
            encode(&parts, &plan.codes)?
        };
        for parts in variants {
            let parts = placed(parts, plan.place);
            patterns.push(Pattern { parts, cased: plan.cased });
        }
    }
    Ok(patterns)
}

/// A value's text, wildcards and escapes. A backslash counts as one only
/// before `*`, `?` and `\`.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut literal = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let wildcard = match char {
            '*' => Part::Any,
            '?' => Part::One,
            '\\' => {
                let escaped =
                    chars.next_if(|next| matches!(next, '*' | '?' | '\\'));
                push_char(&mut literal, escaped.unwrap_or('\\'));
                continue;
            }
            _ => {
                push_char(&mut literal, char);
                continue;
            }
        };
        if !literal.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut literal)));
        }
        if wildcard == Part::One || parts.last() != Some(&Part::Any) {
            parts.push(wildcard);
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    parts
}

pub(super) fn push_char(bytes: &mut Vec<u8>, char: char) {
    bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
}

/// The parts with the wildcards that `contains` and its kin mean.
pub(super) fn placed(mut parts: Vec<Part>, place: Place) -> Vec<Part> {
    let open_end = matches!(place, Place::Start | Place::Within);
    if open_end && parts.last() != Some(&Part::Any) {
        parts.push(Part::Any);
    }
    let open_start = matches!(place, Place::End | Place::Within);
    if open_start && parts.first() != Some(&Part::Any) {
        parts.insert(0, Part::Any);
    }
    parts
}

/// The value with each dash before an option in each of its forms.
pub(super) fn dashes(
    text: &str,
    budget: &mut Budget,
) -> Result<Vec<String>, Misread> {
    let mut places = Vec::new();
    let mut before = None;
    let mut chars = text.char_indices().enumerate().peekable();
    let word = |c: char| c.is_alphanumeric() || c == '_';
    while let Some((n, (at, char))) = chars.next() {
        let after = chars.peek().map(|(_, (_, next))| *next);
        let starts = matches!(char, '-' | '/')
            && !before.is_some_and(word)
            && after.is_some_and(word);
        if starts {
            if places.len() == DASHES {
                let what = format!("more than {DASHES} dashes to vary");
                return Err(Misread::new(n, what)
                    .help("split the value, with `all` if need be"));
            }
            places.push(at);
        }
        before = Some(char);
    }
    let mut forms = vec![text.to_owned()];
    for at in places.into_iter().rev() {
        budget.pay(forms.len() * DASH_FORMS.len() * text.len())?;
        let (mut varied, old) = (Vec::new(), forms);
        for form in old {
            let head = form.get(..at).unwrap_or_default();
            let tail = form.get(at + 1..).unwrap_or_default();
            varied.extend(
                DASH_FORMS.iter().map(|dash| format!("{head}{dash}{tail}")),
            );
        }
        forms = varied;
    }
    Ok(forms)
}

/// The bytes of the value through the encodings, each variant one part.
pub(super) fn encode(
    parts: &[Part],
    codes: &[Code],
) -> Result<Vec<Vec<Part>>, Misread> {
    let [Part::Text(bytes)] = parts else {
        let what = "a value with wildcards cannot be encoded";
        return Err(Misread::new(0, what)
            .help("write `\\*` or `\\?` for the character itself"));
    };
    let mut bytes = bytes.clone();
    for code in codes {
        bytes = match code {
            Code::Utf16Le => utf16(&bytes, u16::to_le_bytes),
            Code::Utf16Be => utf16(&bytes, u16::to_be_bytes),
            Code::Utf16 => {
                let text = utf16(&bytes, u16::to_le_bytes);
                [&[0xff, 0xfe], text.as_slice()].concat()
            }
            Code::Base64 => STANDARD.encode(&bytes).into_bytes(),
            Code::Base64Offset => return offsets(&bytes),
        };
    }
    Ok(vec![vec![Part::Text(bytes)]])
}

/// UTF-8 as UTF-16 in the byte order of `order`.
pub(super) fn utf16(bytes: &[u8], order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    text.encode_utf16().flat_map(order).collect()
}

/// The value as it stands in base64 after 0, 1 and 2 other bytes, without
/// the characters that its neighbours change.
pub(super) fn offsets(bytes: &[u8]) -> Result<Vec<Vec<Part>>, Misread> {
    let mut variants = Vec::new();
    for (shift, head) in [(0, 0), (1, 2), (2, 3)] {
        let shifted = [vec![b' '; shift], bytes.to_vec()].concat();
        let code = STANDARD.encode(&shifted).into_bytes();
        let tail = match shifted.len() % 3 {
            0 => 0,
            1 => 3,
            _ => 2,
        };
        let end = code.len().saturating_sub(tail);
        match code.get(head..end) {
            Some(part) if !part.is_empty() => {
                variants.push(vec![Part::Text(part.to_vec())]);
            }
            _ => {
                let what = "the value is too short for `base64offset`";
                return Err(Misread::new(0, what));
            }
        }
    }
    Ok(variants)
}
