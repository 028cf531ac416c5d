//! The one way of hostile text into reports.
//!
//! In: bytes from evidence, file names and rules, wrapped in [`Untrusted`].
//! Out: text that is safe behind one door: so far the terminal. The wrapper
//! has no `Display`, `Deref` or `Serialize`, so a forgotten door does not
//! compile.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

use crate::raw::Raw;

/// Text that somebody else chose.
///
/// ```
/// use iisleuth::report::Untrusted;
/// let text = Untrusted::from("a\u{1b}[2Jb");
/// assert_eq!(text.terminal(), "a\\x1b[2Jb");
/// ```
///
/// It cannot be printed as it is:
///
/// ```compile_fail,E0277
/// println!("{}", iisleuth::report::Untrusted::from("x"));
/// ```
#[derive(Clone, Copy)]
pub struct Untrusted<'a>(&'a [u8]);

impl<'a> From<&'a [u8]> for Untrusted<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a> From<&'a str> for Untrusted<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.as_bytes())
    }
}

impl<'a> From<&'a String> for Untrusted<'a> {
    fn from(text: &'a String) -> Self {
        Self(text.as_bytes())
    }
}

impl<'a> From<&'a Raw> for Untrusted<'a> {
    fn from(raw: &'a Raw) -> Self {
        Self(raw.as_bytes())
    }
}

impl Untrusted<'_> {
    /// For a terminal: printable text stays; a backslash is doubled; any
    /// other character is `\u{…}`, a control or a byte that is not UTF-8 is
    /// `\xHH`. The bytes can be read back from it.
    pub fn terminal(&self) -> String {
        let mut out = String::with_capacity(self.0.len());
        self.units(|unit| {
            out.push_str(unit);
            true
        });
        out
    }

    /// Like [`Self::terminal`], at most `width` columns wide, with `…` where
    /// it was cut. Never cut inside an escape.
    pub fn terminal_cut(&self, width: usize) -> String {
        let mut out = String::new();
        let mut used = 0;
        // What still fits when the mark of the cut is to stand after it.
        let mut keep = 0;
        let mut whole = true;
        self.units(|unit| {
            used += columns(unit);
            whole = used <= width;
            if whole {
                out.push_str(unit);
                if used < width {
                    keep = out.len();
                }
            }
            whole
        });
        if !whole {
            out.truncate(keep);
            if width > 0 {
                out.push('…');
            }
        }
        out
    }

    /// Calls `take` with each character as shown, until it says stop.
    fn units(&self, mut take: impl FnMut(&str) -> bool) {
        let mut unit = String::new();
        for chunk in self.0.utf8_chunks() {
            for letter in chunk.valid().chars() {
                unit.clear();
                show(letter, &mut unit);
                if !take(&unit) {
                    return;
                }
            }
            for byte in chunk.invalid() {
                unit.clear();
                // Writing to a string cannot fail.
                let _ = write!(unit, "\\x{byte:02x}");
                if !take(&unit) {
                    return;
                }
            }
        }
    }
}

/// Columns that shown text takes on a terminal.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(|letter| letter.width().unwrap_or(0)).sum()
}

fn show(letter: char, out: &mut String) {
    let _ = match letter {
        '\\' => out.write_str("\\\\"),
        ' '..='~' => out.write_char(letter),
        '\0'..='\u{7f}' => write!(out, "\\x{:02x}", u32::from(letter)),
        _ if is_printable(letter) => out.write_char(letter),
        _ => write!(out, "\\u{{{:x}}}", u32::from(letter)),
    };
}

/// True where a character takes a place of its own and changes nothing else.
/// The standard library's table leaves out controls, formats (bidi, zero
/// width), separators, private and unassigned characters; combining marks
/// have no width of their own.
fn is_printable(letter: char) -> bool {
    letter.escape_debug().len() == 1
        && letter.width().is_some_and(|width| width > 0)
        && !is_invisible(letter)
}

/// Named apart, so that no table of another version can let them through.
fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{80}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads back what the terminal shows.
    fn unescape(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            out.extend_from_slice(&rest.as_bytes()[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('\\') {
                out.push(b'\\');
                rest = after;
            } else if let Some(hex) = rest.strip_prefix('x') {
                out.push(u8::from_str_radix(&hex[..2], 16).unwrap());
                rest = &hex[2..];
            } else {
                let code = rest.strip_prefix("u{").unwrap();
                let (code, after) = code.split_once('}').unwrap();
                let code = u32::from_str_radix(code, 16).unwrap();
                let letter = char::from_u32(code).unwrap();
                out.extend_from_slice(letter.to_string().as_bytes());
                rest = after;
            }
        }
        out.extend_from_slice(rest.as_bytes());
        out
    }

    fn check(bytes: &[u8]) {
        let shown = Untrusted::from(bytes).terminal();
        assert_eq!(unescape(&shown), bytes, "{shown}");
        for letter in shown.chars() {
            assert!(!letter.is_control() && !is_invisible(letter));
            assert!(letter.width().unwrap() > 0, "{letter:?}");
        }
        for width in [0, 1, 2, 7, 40] {
            let cut = Untrusted::from(bytes).terminal_cut(width);
            assert!(columns(&cut) <= width);
            assert_eq!(
                cut == shown,
                columns(&shown) <= width || width == 0 && shown.is_empty()
            );
        }
    }

    #[test]
    fn each_character_comes_back() {
        for letter in '\0'..=char::MAX {
            let shown =
                Untrusted::from(letter.to_string().as_str()).terminal();
            assert_eq!(unescape(&shown), letter.to_string().as_bytes());
        }
        for byte in 0..=u8::MAX {
            check(&[byte]);
            check(&[b'a', byte, b'\\', byte]);
        }
    }

    #[test]
    fn what_hides_is_shown() {
        for (text, shown) in [
            ("a\\b", "a\\\\b"),
            ("\t\n\r\0\u{7f}", "\\x09\\x0a\\x0d\\x00\\x7f"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{202e}exe.gpj", "\\u{202e}exe.gpj"),
            ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
            ("\u{2028}\u{a0}", "\\u{2028}\\u{a0}"),
            ("/café/日本", "/café/日本"),
            ("e\u{301}", "e\\u{301}"),
        ] {
            assert_eq!(Untrusted::from(text).terminal(), shown);
        }
        assert_eq!(Untrusted::from(&b"/caf\xe9"[..]).terminal(), "/caf\\xe9");
    }

    #[test]
    fn a_cut_keeps_characters_and_escapes_whole() {
        let cut = |text, width| Untrusted::from(text).terminal_cut(width);
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 5), "abcd…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("a\u{1b}b", 4), "a…");
        assert_eq!(cut("ab", 1), "…");
        assert_eq!(cut("ab", 0), "");
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes: Vec<u8>) {
            check(&bytes);
        }

        #[test]
        fn any_text_comes_back(text: String) {
            check(text.as_bytes());
        }
    }
}
