//! Directive lines: `#Name: value`, also several on one line, as
//! some IIS 4 logs have them.

use nom::bytes::complete::{take_while, take_while1};
use nom::character::complete::{char, space0};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser as _};

/// What a directive says that the reading of later lines depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directive<'a> {
    /// The columns from here on.
    Fields(&'a [u8]),
    /// The program that wrote the log.
    Software(&'a [u8]),
    /// When the log, or this part of it, was begun.
    Date(&'a [u8]),
    /// Anything else, comments too.
    Other,
}

/// The names that start a directive in the middle of a line.
const NAMES: [&[u8]; 7] = [
    b"#Software:",
    b"#Version:",
    b"#Date:",
    b"#Fields:",
    b"#Start-Date:",
    b"#End-Date:",
    b"#Remark:",
];

/// The directives on one line that begins with `#`.
pub fn split_directives(line: &[u8]) -> impl Iterator<Item = Directive<'_>> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = next_directive(text);
        let (one, more) = match end {
            Some(at) => (text.get(..at)?, text.get(at..)),
            None => (text, None),
        };
        rest = more;
        Some(read(one))
    })
}

/// Where the next known directive begins, after the first byte. `#Fields`
/// and `#Remark` take the rest of their line: a column may be named so.
fn next_directive(text: &[u8]) -> Option<usize> {
    if starts_with(text, b"#Fields:") || starts_with(text, b"#Remark:") {
        return None;
    }
    memchr::memchr_iter(b'#', text).skip(1).find(|&at| {
        let rest = text.get(at..).unwrap_or_default();
        NAMES.iter().any(|name| starts_with(rest, name))
    })
}

fn starts_with(text: &[u8], prefix: &[u8]) -> bool {
    text.get(..prefix.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

/// One directive.
fn read(text: &[u8]) -> Directive<'_> {
    let Ok((value, name)) = name(text) else {
        return Directive::Other;
    };
    let value = value.trim_ascii();
    if name.eq_ignore_ascii_case(b"Fields") {
        Directive::Fields(value)
    } else if name.eq_ignore_ascii_case(b"Software") {
        Directive::Software(value)
    } else if name.eq_ignore_ascii_case(b"Date")
        || name.eq_ignore_ascii_case(b"Start-Date")
    {
        Directive::Date(value)
    } else {
        Directive::Other
    }
}

/// `#`, blanks, a name, blanks, `:`.
fn name(text: &[u8]) -> IResult<&[u8], &[u8]> {
    let name =
        take_while1(|byte: u8| byte.is_ascii_alphanumeric() || byte == b'-');
    let blanks = take_while(|byte: u8| byte == b' ' || byte == b'\t');
    preceded((char('#'), space0), terminated(name, (blanks, char(':'))))
        .parse(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_on_one_line() {
        let line =
            b"#Software: IIS 4.0  #Version: 1.0  #Date: 2002-12-12 19:12:42";
        let all: Vec<_> = split_directives(line).collect();
        assert_eq!(
            all,
            [
                Directive::Software(b"IIS 4.0"),
                Directive::Other,
                Directive::Date(b"2002-12-12 19:12:42"),
            ]
        );
    }

    #[test]
    fn odd_spelling() {
        for (line, expected) in [
            (&b"#FIELDS:date"[..], Directive::Fields(b"date")),
            (b"# fields : a b\t", Directive::Fields(b"a b")),
            (b"#Fields: a #Date: b", Directive::Fields(b"a #Date: b")),
            (b"# Bad IP 1", Directive::Other),
            (b"#", Directive::Other),
            (b"#Foo: Bar", Directive::Other),
        ] {
            let all: Vec<_> = split_directives(line).collect();
            assert_eq!(all, [expected], "{}", String::from_utf8_lossy(line));
        }
    }
}
