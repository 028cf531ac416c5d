//! ANSI code pages: what bytes that are no UTF-8 were meant to say.
//!
//! In: bytes as logged. Out: UTF-8. IIS wrote logs, and read URLs, in the
//! code page of the machine, which no log tells: the examiner does. Bytes
//! that are UTF-8 are left alone. Every code page here holds ASCII as it is,
//! and no byte that ends a column, nor `%`, is a part of a longer character;
//! so words and escapes can be told apart before or after, alike.

use encoding_rs::Encoding;

use crate::limits;
use crate::w3c::decode::{self, Steps};

/// The encodings to choose from, by Microsoft's number ("Code Page
/// Identifiers"). Left out are UTF-8 and UTF-16, which tell themselves, and
/// ISO-2022-JP, which is not ASCII where it looks like it.
static KNOWN: [(u16, &Encoding); 37] = [
    (866, encoding_rs::IBM866),
    (874, encoding_rs::WINDOWS_874),
    (932, encoding_rs::SHIFT_JIS),
    (936, encoding_rs::GBK),
    (949, encoding_rs::EUC_KR),
    (950, encoding_rs::BIG5),
    (1250, encoding_rs::WINDOWS_1250),
    (1251, encoding_rs::WINDOWS_1251),
    (1252, encoding_rs::WINDOWS_1252),
    (1253, encoding_rs::WINDOWS_1253),
    (1254, encoding_rs::WINDOWS_1254),
    (1255, encoding_rs::WINDOWS_1255),
    (1256, encoding_rs::WINDOWS_1256),
    (1257, encoding_rs::WINDOWS_1257),
    (1258, encoding_rs::WINDOWS_1258),
    (10000, encoding_rs::MACINTOSH),
    (10007, encoding_rs::X_MAC_CYRILLIC),
    (20866, encoding_rs::KOI8_R),
    (20932, encoding_rs::EUC_JP),
    (21866, encoding_rs::KOI8_U),
    (28592, encoding_rs::ISO_8859_2),
    (28593, encoding_rs::ISO_8859_3),
    (28594, encoding_rs::ISO_8859_4),
    (28595, encoding_rs::ISO_8859_5),
    (28596, encoding_rs::ISO_8859_6),
    (28597, encoding_rs::ISO_8859_7),
    (28598, encoding_rs::ISO_8859_8),
    (28600, encoding_rs::ISO_8859_10),
    (28603, encoding_rs::ISO_8859_13),
    (28604, encoding_rs::ISO_8859_14),
    (28605, encoding_rs::ISO_8859_15),
    (28606, encoding_rs::ISO_8859_16),
    (38598, encoding_rs::ISO_8859_8_I),
    (51932, encoding_rs::EUC_JP),
    (51936, encoding_rs::GBK),
    (51949, encoding_rs::EUC_KR),
    (54936, encoding_rs::GB18030),
];

/// What stands before the number in names such as `cp1252`.
const LEADS: [&str; 3] = ["windows-", "cp", "ms"];

/// A code page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodePage(&'static Encoding);

impl CodePage {
    /// The code page of a name or a number. `None` where there is none.
    ///
    /// ```
    /// use iisleuth::w3c::CodePage;
    /// let name = |text| CodePage::from_name(text).map(CodePage::name);
    /// assert_eq!(name("1252"), Some("windows-1252"));
    /// assert_eq!(name("cp936"), Some("GBK"));
    /// assert_eq!(name("shift_jis"), Some("Shift_JIS"));
    /// assert_eq!(name("437"), None);
    /// ```
    pub fn from_name(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let lead = LEADS.iter().find_map(|lead| text.strip_prefix(lead));
        let bare = lead.unwrap_or(&text);
        let found = if bare.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = bare.parse::<u16>().ok()?;
            KNOWN.iter().find(|(own, _)| *own == number)?.1
        } else {
            let label = Encoding::for_label(text.as_bytes())?;
            KNOWN.iter().find(|(_, own)| *own == label)?.1
        };
        Some(Self(found))
    }

    /// Its name in files: that of the Encoding Standard.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The numbers and names there are.
    pub fn known() -> impl Iterator<Item = (u16, &'static str)> {
        KNOWN.iter().map(|(number, encoding)| (*number, encoding.name()))
    }

    /// What a value says; `None` where it is UTF-8 and says it itself. What
    /// is no character of the code page either reads as U+FFFD.
    pub fn decode(self, text: &[u8]) -> Option<String> {
        match std::str::from_utf8(text) {
            Ok(_) => None,
            Err(_) => Some(self.read(text)),
        }
    }

    /// The same for a line, word by word: some columns of a line may be
    /// UTF-8 where others are not.
    pub fn decode_line(self, line: &[u8]) -> Option<String> {
        if std::str::from_utf8(line).is_ok() {
            return None;
        }
        let mut out = String::with_capacity(line.len() * 2);
        for word in line.split_inclusive(|byte| b" \t".contains(byte)) {
            let (word, end) = match word {
                [word @ .., b' '] => (word, " "),
                [word @ .., b'\t'] => (word, "\t"),
                word => (word, ""),
            };
            match std::str::from_utf8(word) {
                Ok(word) => out.push_str(word),
                Err(_) => out.push_str(&self.read(word)),
            }
            out.push_str(end);
        }
        Some(out)
    }

    /// The same for a line and for what decoding makes of it.
    pub fn decode_steps(self, line: &[u8], found: &mut Vec<String>) {
        found.clear();
        found.extend(self.decode_line(line));
        decode::each_step(line, |_, text, _| {
            found.extend(self.decode_line(text));
        });
    }

    fn read(self, text: &[u8]) -> String {
        self.0.decode_without_bom_handling(text).0.into_owned()
    }
}

/// Steps of decoding: none, then two a round.
pub const STEPS: usize = 1 + 2 * limits::DECODE_ROUNDS;

/// A text, and what each step of decoding makes of it, as a code page reads
/// them; keeps its memory from text to text.
#[derive(Debug, Default)]
pub struct Paged {
    steps: [Step; STEPS],
    len: usize,
}

#[derive(Debug, Default)]
struct Step {
    /// Which step it is; those that change nothing are left out.
    number: usize,
    /// What it undid.
    undone: Steps,
    text: Vec<u8>,
    /// The text was no UTF-8 and is what the code page makes of it.
    is_read: bool,
}

impl Paged {
    /// Reads a text in a code page.
    pub fn set(&mut self, page: CodePage, text: &[u8]) {
        self.len = 0;
        self.enter(page, 0, text, Steps::default());
        decode::each_step(text, |number, text, undone| {
            self.enter(page, number, text, undone);
        });
    }

    fn enter(
        &mut self,
        page: CodePage,
        number: usize,
        text: &[u8],
        undone: Steps,
    ) {
        let Some(step) = self.steps.get_mut(self.len) else { return };
        (step.number, step.undone) = (number, undone);
        let read = page.decode(text);
        step.is_read = read.is_some();
        step.text.clear();
        let read = read.as_ref().map_or(text, |read| read.as_bytes());
        step.text.extend_from_slice(read);
        self.len += 1;
    }

    /// The texts that the code page made, each with its step.
    pub fn read(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let steps = self.steps.iter().take(self.len);
        steps
            .filter(|step| step.is_read)
            .map(|step| (step.number, step.text.as_slice()))
    }

    /// True where the step changes the text.
    pub fn has(&self, number: usize) -> bool {
        self.steps.iter().take(self.len).any(|step| step.number == number)
    }

    /// The text after a step, and whether the code page made it.
    pub fn after(&self, number: usize) -> (&[u8], bool) {
        let steps = self.steps.iter().take(self.len);
        steps
            .take_while(|step| step.number <= number)
            .last()
            .map_or((b"", false), |step| (&step.text, step.is_read))
    }

    /// What the steps up to `number` undid, as `percent, overlong`.
    pub fn chain(&self, number: usize) -> String {
        let steps = self.steps.iter().take(self.len);
        let words: Vec<_> = steps
            .take_while(|step| step.number <= number)
            .flat_map(|step| step.undone.words())
            .collect();
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(name: &str) -> CodePage {
        CodePage::from_name(name).unwrap()
    }

    #[test]
    fn names_and_numbers() {
        for (text, name) in [
            ("windows-1252", "windows-1252"),
            ("CP1252", "windows-1252"),
            (" 932 ", "Shift_JIS"),
            ("windows-932", "Shift_JIS"),
            ("windows-31j", "Shift_JIS"),
            ("ms932", "Shift_JIS"),
            ("sjis", "Shift_JIS"),
            ("windows-936", "GBK"),
            ("gb2312", "GBK"),
            ("big5", "Big5"),
            ("949", "EUC-KR"),
            ("koi8-r", "KOI8-R"),
            ("iso-8859-2", "ISO-8859-2"),
            ("cp866", "IBM866"),
        ] {
            let found = CodePage::from_name(text).map(CodePage::name);
            assert_eq!(found, Some(name), "{text}");
        }
        for text in [
            "",
            "437",
            "cp850",
            "65001",
            "utf-8",
            "utf-16",
            "1200",
            "cp",
            "99999999",
            "iso-2022-jp",
            "hz-gb-2312",
            "x-user-defined",
            "x",
        ] {
            assert_eq!(CodePage::from_name(text), None, "{text}");
        }
        for (number, name) in CodePage::known() {
            assert_eq!(page(&number.to_string()).name(), name);
            assert_eq!(page(name).name(), name);
        }
    }

    /// What the head of this file says of all code pages.
    #[test]
    fn ascii_is_ascii_and_parts_columns() {
        for (number, _) in CodePage::known() {
            let page = page(&number.to_string());
            let all: Vec<u8> = (0..0x80).collect();
            assert_eq!(page.read(&all).as_bytes(), all, "{number}");
            for lead in 0x80..=u8::MAX {
                for end in *b" \t\n%" {
                    let text = page.read(&[lead, end]);
                    assert_eq!(text.as_bytes().last(), Some(&end));
                }
            }
        }
    }

    #[test]
    fn words_are_read_each_alone() {
        let line = "/gr\u{f6}\u{df}e \t".as_bytes();
        let line = [line, b"/gr\xf6\xdfe \xff"].concat();
        let found = page("1252").decode_line(&line);
        assert_eq!(found.unwrap(), "/größe \t/größe ÿ");
        assert_eq!(page("1252").decode_line("/größe x".as_bytes()), None);
        assert_eq!(page("932").decode(b"\x83\x5c/").unwrap(), "ソ/");
        assert_eq!(page("932").decode(b"/a\\b"), None);
    }

    #[test]
    fn steps_are_read_one_by_one() {
        let mut paged = Paged::default();
        let read = |paged: &Paged| -> Vec<(usize, String)> {
            let text = |text: &[u8]| String::from_utf8(text.into()).unwrap();
            paged.read().map(|(at, it)| (at, text(it))).collect()
        };
        paged.set(page("1252"), b"/%25FC/\xf6");
        let both = |at, text: &str| (at, text.to_owned());
        let found = [both(0, "/%25FC/ö"), both(1, "/%FC/ö"), both(3, "/ü/ö")];
        assert_eq!(read(&paged), found);
        assert_eq!(paged.chain(3), "percent, percent");
        // A character of the code page that looks overlong.
        paged.set(page("936"), b"/%c0%af");
        assert_eq!(read(&paged), [both(1, "/蜡")]);
        assert_eq!(paged.after(0), (&b"/%c0%af"[..], false));
        assert_eq!(paged.after(6), (&b"//"[..], false));
        paged.set(page("1252"), b"/%C3%BC");
        assert_eq!(paged.read().count(), 0);
    }
}
