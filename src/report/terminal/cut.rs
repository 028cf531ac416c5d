//! Shown text cut and broken to a width.
//!
//! In: text that went through its door. Out: pieces of it that fit; an
//! escape such as `\x1b` is never cut in two, so that it still reads back.

use crate::report::escape::columns;

/// The first unit of shown text: a character, or one escape as a whole.
fn unit(shown: &str) -> &str {
    let length = match shown.strip_prefix('\\') {
        Some(rest) if rest.starts_with('\\') => 2,
        Some(rest) if rest.starts_with('x') => 4,
        Some(rest) if rest.starts_with("u{") => {
            shown.find('}').map_or(1, |end| end + 1)
        }
        _ => shown.chars().next().map_or(0, char::len_utf8),
    };
    shown.get(..length).unwrap_or(shown)
}

/// Cuts shown text at `width` columns, never inside an escape; `…` stands
/// where it was cut.
pub(super) fn cut(shown: &str, width: usize) -> String {
    if columns(shown) <= width {
        return shown.to_owned();
    }
    let head = fitting(shown, width.saturating_sub(1));
    if width == 0 { String::new() } else { format!("{head}…") }
}

/// The longest start of shown text that fits.
fn fitting(shown: &str, width: usize) -> &str {
    let mut end = 0;
    let mut used = 0;
    while let Some(rest) = shown.get(end..).filter(|rest| !rest.is_empty()) {
        let unit = unit(rest);
        used += columns(unit);
        if used > width {
            break;
        }
        end += unit.len();
    }
    shown.get(..end).unwrap_or_default()
}

/// Breaks shown text wherever a line is full: no blank of it is lost.
pub(super) fn lines(shown: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = shown;
    while !rest.is_empty() {
        let head = match fitting(rest, width) {
            "" => unit(rest),
            head => head,
        };
        lines.push(head.to_owned());
        rest = rest.get(head.len()..).unwrap_or_default();
    }
    lines
}

/// Breaks text between words; a word that is too long is broken itself.
pub(super) fn wrap(text: &str, first: usize, rest: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for mut word in text.split_whitespace() {
        loop {
            let room = if lines.is_empty() { first } else { rest }.max(1);
            let gap = usize::from(!line.is_empty());
            if columns(&line) + gap + columns(word) <= room {
                line.push_str(if gap == 1 { " " } else { "" });
                line.push_str(word);
                break;
            }
            if line.is_empty() {
                let head = match fitting(word, room) {
                    "" => unit(word),
                    head => head,
                };
                lines.push(head.to_owned());
                word = word.get(head.len()..).unwrap_or_default();
            } else {
                lines.push(std::mem::take(&mut line));
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_wrap_and_long_ones_break() {
        assert_eq!(wrap("ab cd ef", 5, 2), ["ab cd", "ef"]);
        assert_eq!(wrap("abcdefg h", 3, 4), ["abc", "defg", "h"]);
        assert_eq!(wrap("a\\x1bb", 3, 3), ["a", "\\x1b", "b"]);
        assert!(wrap(" ", 3, 3).is_empty());
        assert_eq!(lines("a  b\\x1bc", 4), ["a  b", "\\x1b", "c"]);
        assert_eq!(lines("\\x1b", 1), ["\\x1b"]);
    }
}
