//! Undoes the wrappings that attacks use: percent escapes, `%u` escapes and
//! overlong UTF-8, layer by layer, at most [`limits::DECODE_ROUNDS`] rounds.
//!
//! IIS 4 and 5 decoded twice (MS01-026) and took overlong forms for the
//! plain character (MS00-078), and their logs show what was left after one
//! decode. So the text of a log must be decoded further to be compared. No
//! round makes the text longer.

use crate::limits;

/// What one round of decoding undid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps(u8);

impl Steps {
    /// Escapes such as `%41`.
    pub const PERCENT: Self = Self(1);
    /// Escapes such as `%u0041`.
    pub const UNICODE: Self = Self(2);
    /// Overlong UTF-8, such as the bytes C0 AF for `/`.
    pub const OVERLONG: Self = Self(4);

    /// True where nothing was undone.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    fn add(&mut self, step: Self) {
        self.0 |= step.0;
    }

    /// The words for what was undone, in the order it was.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        [
            (Self::PERCENT, "percent"),
            (Self::UNICODE, "unicode"),
            (Self::OVERLONG, "overlong"),
        ]
        .into_iter()
        .filter(move |(step, _)| self.0 & step.0 != 0)
        .map(|(_, word)| word)
    }
}

/// True where decoding could change the text. Cheap: plain text has neither
/// a percent sign nor a byte that begins an overlong form.
#[inline]
pub fn is_wrapped(text: &[u8]) -> bool {
    // No early end: so the compiler takes many bytes at once.
    text.iter().fold(0, |found, byte| {
        found | u8::from(*byte == b'%') | u8::from(*byte >= 0xC0)
    }) != 0
}

/// What is wrapped at one place of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    /// Nothing that decoding undoes.
    None,
    /// One escape of three bytes, which stands for this byte. Undoing it
    /// leaves nothing that further decoding would undo.
    Byte(u8),
    /// Anything else: only [`Decoded`] tells.
    Deep,
}

/// What is wrapped at the start of a text, whose first byte is a percent
/// sign or C0 or more.
#[inline]
pub fn unwrap(text: &[u8]) -> Wrapping {
    match text {
        [b'%', a, b, rest @ ..] => match hex_byte(*a, *b) {
            None | Some(b'%') => Wrapping::Deep,
            Some(byte) if may_fold(byte, rest) => Wrapping::Deep,
            Some(byte) => Wrapping::Byte(byte),
        },
        [lead, rest @ ..] if *lead != b'%' && !may_fold(*lead, rest) => {
            Wrapping::None
        }
        _ => Wrapping::Deep,
    }
}

/// False where a byte begins no overlong form, going by the next character,
/// which may be an escape: see [`overlong`].
#[inline]
fn may_fold(lead: u8, rest: &[u8]) -> bool {
    if lead < 0xC0 {
        return false;
    }
    let second = match rest {
        [b'%', a, b, ..] => hex_byte(*a, *b),
        [] | [b'%', ..] => None,
        [byte, ..] => Some(*byte),
    };
    match lead {
        0xC0 | 0xC1 | 0xF8 | 0xFC => true,
        0xC3 | 0xE0 => second.is_none_or(|byte| matches!(byte, 0x80 | 0x81)),
        0xF0 => second.is_none_or(|byte| byte == 0x80),
        _ => false,
    }
}

/// The decoded forms of one text, one a round, with scratch space to reuse.
#[derive(Debug, Default)]
pub struct Decoded {
    rounds: [Vec<u8>; limits::DECODE_ROUNDS],
    steps: [Steps; limits::DECODE_ROUNDS],
    len: usize,
    spare: Vec<u8>,
}

impl Decoded {
    /// Decodes `text` until a round changes nothing.
    ///
    /// ```
    /// let mut decoded = iisleuth::w3c::decode::Decoded::default();
    /// decoded.set(b"/..%255c../x");
    /// assert_eq!(decoded.forms().last().unwrap().0, b"/..\\../x");
    /// assert_eq!(decoded.forms().count(), 2);
    /// ```
    pub fn set(&mut self, text: &[u8]) {
        self.clear();
        for round in 0..limits::DECODE_ROUNDS {
            let (done, open) = self.rounds.split_at_mut(round);
            let Some(out) = open.first_mut() else { return };
            let input = done.last().map_or(text, |last| last.as_slice());
            if !is_wrapped(input) {
                return;
            }
            let steps = decode_once(input, &mut self.spare, out);
            if steps.is_none() {
                return;
            }
            if let Some(slot) = self.steps.get_mut(round) {
                *slot = steps;
            }
            self.len = round + 1;
        }
    }

    /// Forgets the forms, as for a text that is plain.
    #[inline]
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// The forms, least decoded first, each with what its round undid.
    pub fn forms(&self) -> impl Iterator<Item = (&[u8], Steps)> {
        self.rounds
            .iter()
            .zip(self.steps)
            .take(self.len)
            .map(|(text, steps)| (text.as_slice(), steps))
    }

    /// The form after round `round` (from 0), or the last one before it.
    pub fn form(&self, round: usize) -> Option<&[u8]> {
        let last = self.len.checked_sub(1)?;
        self.rounds.get(round.min(last)).map(Vec::as_slice)
    }

    /// How many rounds changed something.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True where the text is plain.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What the rounds up to `round` undid, as `percent, percent, overlong`.
    pub fn chain(&self, round: usize) -> String {
        let words: Vec<_> = self
            .steps
            .iter()
            .take(self.len.min(round + 1))
            .flat_map(|steps| steps.words())
            .collect();
        words.join(", ")
    }
}

/// One round: escapes first, then overlong forms. `out` means nothing
/// where nothing was undone.
fn decode_once(input: &[u8], spare: &mut Vec<u8>, out: &mut Vec<u8>) -> Steps {
    let mut steps = Steps::default();
    out.clear();
    unescape(input, out, &mut steps);
    let text = if steps.is_none() { input } else { out.as_slice() };
    if text.iter().fold(0, |most, byte| most.max(*byte)) >= 0xC0 {
        spare.clear();
        if unfold(text, spare) {
            steps.add(Steps::OVERLONG);
            std::mem::swap(spare, out);
        }
    }
    steps
}

/// Calls `each` with what each step of decoding makes of a text: the escapes
/// of round `n`, from 0, are step 2n + 1 and its overlong forms the next.
/// Steps that change nothing are left out.
pub fn each_step(text: &[u8], mut each: impl FnMut(usize, &[u8], Steps)) {
    if !is_wrapped(text) {
        return;
    }
    let mut text = text.to_vec();
    let mut out = Vec::new();
    for round in 0..limits::DECODE_ROUNDS {
        let mut steps = Steps::default();
        out.clear();
        unescape(&text, &mut out, &mut steps);
        if !steps.is_none() {
            std::mem::swap(&mut text, &mut out);
            each(2 * round + 1, &text, steps);
        }
        out.clear();
        if unfold(&text, &mut out) {
            std::mem::swap(&mut text, &mut out);
            each(2 * round + 2, &text, Steps::OVERLONG);
        } else if steps.is_none() {
            return;
        }
    }
}

/// Undoes `%XX` and `%uXXXX`. Nothing is written where there is none.
fn unescape(input: &[u8], out: &mut Vec<u8>, steps: &mut Steps) {
    let mut rest = input;
    // What is to be copied before the next escape.
    let mut plain = input;
    while let Some(at) = memchr::memchr(b'%', rest) {
        let escape = rest.get(at..).unwrap_or_default();
        let found = match escape {
            [_, b'u' | b'U', a, b, c, d, tail @ ..] => {
                let unit = hex_byte(*a, *b).zip(hex_byte(*c, *d));
                unit.map(|(high, low)| {
                    let unit = u16::from_be_bytes([high, low]);
                    (Escape::Unicode(unit), tail)
                })
            }
            [_, a, b, tail @ ..] => {
                hex_byte(*a, *b).map(|byte| (Escape::Byte(byte), tail))
            }
            _ => None,
        };
        let Some((escape, tail)) = found else {
            rest = rest.get(at + 1..).unwrap_or_default();
            continue;
        };
        let before = plain.len() - rest.len() + at;
        out.extend_from_slice(plain.get(..before).unwrap_or_default());
        match escape {
            Escape::Unicode(unit) => {
                push_unicode(unit, out);
                steps.add(Steps::UNICODE);
            }
            Escape::Byte(byte) => {
                out.push(byte);
                steps.add(Steps::PERCENT);
            }
        }
        (rest, plain) = (tail, tail);
    }
    if !steps.is_none() {
        out.extend_from_slice(plain);
    }
}

/// What an escape stands for.
enum Escape {
    Byte(u8),
    Unicode(u16),
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let (high, low) = (hex_digit(high), hex_digit(low));
    // Neither is more than 15 where both are digits.
    (high | low < 16).then_some(high << 4 | low)
}

/// The value of a hexadecimal digit; 255 for any other byte.
fn hex_digit(byte: u8) -> u8 {
    static VALUES: [u8; 256] = {
        let mut values = [u8::MAX; 256];
        let mut value = 0;
        while value < 16 {
            let digit = b"0123456789abcdef"[value as usize];
            values[digit as usize] = value;
            values[digit.to_ascii_uppercase() as usize] = value;
            value += 1;
        }
        values
    };
    VALUES[usize::from(byte)]
}

/// A UTF-16 unit as IIS reads it: the code page's best fit for the
/// full-width forms and the look-alikes of slashes, else the character.
fn push_unicode(unit: u16, out: &mut Vec<u8>) {
    let unit = match unit {
        0xFF01..=0xFF5E => unit - 0xFEE0,
        0x2215 | 0x2044 => u16::from(b'/'),
        0x2216 => u16::from(b'\\'),
        _ => unit,
    };
    let character =
        char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER);
    let mut buffer = [0; 4];
    out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
}

/// Undoes overlong UTF-8, and the same forms where HTTP.sys wrote each byte
/// as a Latin character (`À¯` for C0 AF). Nothing is written, and the answer
/// is false, where there is none.
fn unfold(input: &[u8], out: &mut Vec<u8>) -> bool {
    let mut at = 0;
    // Up to where the input is written.
    let mut done = 0;
    while let Some(byte) = input.get(at) {
        let rest = input.get(at..).unwrap_or_default();
        let found = if *byte < 0xC0 { None } else { overlong(rest) };
        let Some((byte, used)) = found else {
            at += 1;
            continue;
        };
        out.extend_from_slice(input.get(done..at).unwrap_or_default());
        out.push(byte);
        at += used;
        done = at;
    }
    if done > 0 {
        out.extend_from_slice(input.get(done..).unwrap_or_default());
    }
    done > 0
}

/// The character that an overlong form at the start stands for, and how
/// many bytes the form takes. IIS took the low six bits of the last byte
/// without asking whether it continues a sequence (C1 1C is `\`).
fn overlong(text: &[u8]) -> Option<(u8, usize)> {
    let tail = |byte: u8| matches!(byte, 0x00..=0x3F | 0x80..=0xBF);
    let two = |lead: u8, last: u8| ((lead & 1) << 6) | (last & 0x3F);
    let found = match *text {
        [lead @ 0xC0..=0xC1, last, ..] if tail(last) => (two(lead, last), 2),
        [0xE0, mid @ 0x80..=0x81, last @ 0x80..=0xBF, ..]
        | [0xF0, 0x80, mid @ 0x80..=0x81, last @ 0x80..=0xBF, ..]
        | [0xF8, 0x80, 0x80, mid @ 0x80..=0x81, last @ 0x80..=0xBF, ..]
        | [
            0xFC,
            0x80,
            0x80,
            0x80,
            mid @ 0x80..=0x81,
            last @ 0x80..=0xBF,
            ..,
        ] => {
            let length = match text.first() {
                Some(0xE0) => 3,
                Some(0xF0) => 4,
                Some(0xF8) => 5,
                _ => 6,
            };
            (two(mid, last), length)
        }
        // As characters: À or Á, then the second byte's character.
        [0xC3, lead @ 0x80..=0x81, 0xC2, last @ 0x80..=0xBF, ..] => {
            (two(lead, last), 4)
        }
        // œ is byte 9C in code page 1252.
        [0xC3, lead @ 0x80..=0x81, 0xC5, 0x93, ..] => (two(lead, 0x9C), 4),
        [0xC3, lead @ 0x80..=0x81, last @ 0x00..=0x3F, ..] => {
            (two(lead, last), 3)
        }
        _ => return None,
    };
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(text: &[u8]) -> (Vec<u8>, String) {
        let mut decoded = Decoded::default();
        decoded.set(text);
        let form = decoded.form(9).unwrap_or(text).to_vec();
        (form, decoded.chain(9))
    }

    /// A text in which each place is nothing or one byte is decoded in one
    /// round, to what the places say.
    #[test]
    fn a_wrapping_of_one_byte_needs_one_round() {
        let pieces: Vec<Vec<u8>> = (0..=255)
            .map(|byte| format!("%{byte:02x}").into_bytes())
            .chain((0..=255).map(|byte| vec![byte]))
            .collect();
        let mut decoded = Decoded::default();
        for first in &pieces {
            for second in &pieces {
                let text = [first.as_slice(), second, b"."].concat();
                let Some(plain) = by_places(&text) else { continue };
                decoded.set(&text);
                assert!(decoded.len() <= 1, "{}", text.escape_ascii());
                assert_eq!(decoded.form(0).unwrap_or(&text), plain);
            }
        }
    }

    fn by_places(text: &[u8]) -> Option<Vec<u8>> {
        let mut plain = Vec::new();
        let mut at = 0;
        while let Some(byte) = text.get(at) {
            let wrapping = if is_wrapped(&[*byte]) {
                unwrap(&text[at..])
            } else {
                Wrapping::None
            };
            match wrapping {
                Wrapping::None => (plain.push(*byte), at += 1).1,
                Wrapping::Byte(byte) => (plain.push(byte), at += 3).1,
                Wrapping::Deep => return None,
            }
        }
        Some(plain)
    }

    #[test]
    fn the_wrappings_of_the_worms() {
        for (text, plain, chain) in [
            (&b"/..%5c.."[..], &b"/..\\.."[..], "percent"),
            (b"/..%255c..", b"/..\\..", "percent, percent"),
            (b"/..%%35%63..", b"/..\\..", "percent, percent"),
            (b"/..%%35c..", b"/..\\..", "percent, percent"),
            (b"/..%25%35%63..", b"/..\\..", "percent, percent"),
            (b"/..%c0%af..", b"/../..", "percent, overlong"),
            (b"/..\xc0\xaf..", b"/../..", "overlong"),
            (b"/..\xc1\x1c..", b"/..\\..", "overlong"),
            (b"/..\xc0/..", b"/../..", "overlong"),
            (b"/..\xc1\x9c..", b"/..\\..", "overlong"),
            ("/..À¯..".as_bytes(), b"/../..", "overlong"),
            ("/..Áœ..".as_bytes(), b"/..\\..", "overlong"),
            (b"/..%e0%80%af..", b"/../..", "percent, overlong"),
            (b"/..%f0%80%80%af..", b"/../..", "percent, overlong"),
            (b"/%u0041%uFF0f", b"/A/", "unicode"),
            (b"100%", b"100%", ""),
            (b"%zz%4", b"%zz%4", ""),
            ("/café".as_bytes(), "/café".as_bytes(), ""),
        ] {
            let (form, steps) = last(text);
            assert_eq!(form, plain, "{}", String::from_utf8_lossy(text));
            assert_eq!(steps, chain, "{}", String::from_utf8_lossy(text));
        }
    }

    proptest::proptest! {
        /// The last step of each round is the round's form.
        #[test]
        fn steps_lead_to_the_forms(text in "([%c0afu2][5f3]?|%c0|%af|À¯)*") {
            let mut decoded = Decoded::default();
            decoded.set(text.as_bytes());
            let mut rounds: Vec<Vec<u8>> = Vec::new();
            each_step(text.as_bytes(), |step, text, steps| {
                assert!(!steps.is_none());
                rounds.resize(step.div_ceil(2), Vec::new());
                *rounds.last_mut().unwrap() = text.to_vec();
            });
            let forms: Vec<_> = decoded.forms().map(|it| it.0).collect();
            assert_eq!(rounds, forms);
        }

        #[test]
        fn never_longer_and_the_plain_stays(text: Vec<u8>) {
            let mut decoded = Decoded::default();
            decoded.set(&text);
            let mut length = text.len();
            for (form, steps) in decoded.forms() {
                assert!(form.len() <= length && !steps.is_none());
                length = form.len();
            }
            if !is_wrapped(&text) {
                assert!(decoded.is_empty());
            }
        }
    }
}
