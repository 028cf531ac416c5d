//! Logs in UTF-16, as Windows tools save them, read as UTF-8.
//!
//! In: the bytes of a log. Out: the same text in UTF-8, by which signatures
//! know it. Lines and offsets are those of the text, as for a log that is
//! packed; the digest stays that of the bytes as found.

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_16BE, UTF_16LE};

/// Bytes decoded at a time.
const STEP: usize = 64 << 10;

/// Turns UTF-16 into UTF-8.
pub(super) struct Utf16 {
    decoder: Decoder,
    encoding: &'static Encoding,
    /// Not decoded yet.
    raw: Vec<u8>,
    /// Decoded and not taken yet, from `taken` on.
    text: Vec<u8>,
    taken: usize,
    ended: bool,
    malformed: bool,
}

impl Utf16 {
    /// Reads a text that begins so, from its start.
    pub fn new(start: &[u8]) -> Self {
        Self::after(encoding(start), Vec::new())
    }

    /// Reads a text of which this was read before.
    pub fn of_read(raw: Vec<u8>) -> Self {
        Self::after(encoding(&raw), raw)
    }

    fn after(encoding: &'static Encoding, raw: Vec<u8>) -> Self {
        Self {
            decoder: encoding.new_decoder_with_bom_removal(),
            encoding,
            raw,
            text: Vec::new(),
            taken: 0,
            ended: false,
            malformed: false,
        }
    }

    /// Its name in files.
    pub fn name(start: &[u8]) -> &'static str {
        if encoding(start) == UTF_16BE { "utf-16be" } else { "utf-16le" }
    }

    /// The start of a text in UTF-8, to tell its dialect by.
    pub fn head(start: &[u8]) -> Vec<u8> {
        encoding(start).decode(start).0.into_owned().into_bytes()
    }

    /// True where some of the text was no UTF-16; it reads as U+FFFD.
    pub fn is_malformed(&self) -> bool {
        self.malformed
    }

    /// Fills `into`; 0 at the end. `more` gives the bytes that follow.
    pub fn read(
        &mut self,
        into: &mut [u8],
        mut more: impl FnMut(&mut [u8]) -> usize,
    ) -> usize {
        while self.taken == self.text.len() {
            if self.ended {
                return 0;
            }
            self.decode(&mut more);
        }
        let left = self.text.get(self.taken..).unwrap_or_default();
        let count = left.len().min(into.len());
        for (to, from) in into.iter_mut().zip(left) {
            *to = *from;
        }
        self.taken += count;
        count
    }

    /// Decodes the next bytes.
    fn decode(&mut self, more: &mut impl FnMut(&mut [u8]) -> usize) {
        let mut is_last = false;
        if self.raw.is_empty() {
            self.raw.resize(STEP, 0);
            let count = more(&mut self.raw);
            self.raw.truncate(count);
            is_last = count == 0;
        }
        // Two bytes become three at most.
        self.text.resize(self.raw.len() * 3 + 16, 0);
        let (result, read, written, malformed) =
            self.decoder.decode_to_utf8(&self.raw, &mut self.text, is_last);
        self.raw.drain(..read);
        self.text.truncate(written);
        self.taken = 0;
        self.malformed |= malformed;
        self.ended = is_last && result == CoderResult::InputEmpty;
    }
}

impl std::fmt::Debug for Utf16 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Utf16")
            .field("encoding", &self.encoding.name())
            .finish_non_exhaustive()
    }
}

/// By the byte order mark, else by the byte of a Latin letter that is zero.
fn encoding(start: &[u8]) -> &'static Encoding {
    match start {
        [0xFE, 0xFF, ..] | [0, 1..=255, ..] => UTF_16BE,
        _ => UTF_16LE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_cut_gives_the_same_text() {
        let text = "#Fields: c-ip\r\n192.0.2.1 /\u{e4}\u{1f600}\r\n".repeat(9);
        for (is_big, mark) in
            [(false, true), (true, true), (false, false), (true, false)]
        {
            let mark = if mark { "\u{feff}" } else { "" };
            let whole = format!("{mark}{text}");
            let bytes: Vec<u8> = whole
                .encode_utf16()
                .flat_map(|unit| {
                    if is_big {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect();
            for step in [1, 2, 3, 7, 64, 10_000] {
                let head = bytes.len().min(5);
                let mut reader = Utf16::of_read(bytes[..head].to_vec());
                let mut rest = &bytes[head..];
                let mut found = Vec::new();
                let mut into = vec![0; step];
                loop {
                    let count = reader.read(&mut into, |space| {
                        let count = rest.len().min(space.len()).min(step);
                        space[..count].copy_from_slice(&rest[..count]);
                        rest = &rest[count..];
                        count
                    });
                    if count == 0 {
                        break;
                    }
                    found.extend_from_slice(&into[..count]);
                }
                assert_eq!(String::from_utf8(found).unwrap(), text);
                assert!(!reader.is_malformed());
            }
        }
    }
}
