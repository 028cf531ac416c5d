//! `explain LINE`, `explain FILE:LINE`: one line, and all there is to say of
//! it.
//!
//! In: a line that was typed, or where one stands. Out: a page for people,
//! or JSON. What has the form of a place but is none is a line: text that
//! ends in a colon and a number is no rarity.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Read as _};

use super::args::ExplainArgs;
use super::console::{Console, print, safe};
use super::exit::Exit;
use super::given::passwords;
use super::reading::{fields, read_codepages, read_so};
use super::signatures::load;
use crate::error::{Error, Result};
use crate::evidence::{Exhibit, Input};
use crate::limits;
use crate::raw::Raw;
use crate::scan::{LogLine, Reading, ScanOptions, Scanner, Sought};
use crate::signature::{Signatures, Source};
use crate::verdict::explanation::explain;
use crate::warning::Warning;

/// Rules that nearly match and are shown without `--all`.
const NEAR: usize = 5;

/// Runs the command.
pub fn run(words: &ExplainArgs, console: &Console) -> Result<Exit> {
    let source = Source {
        paths: words.rules.clone(),
        strict: words.sigma_strict,
        ..Source::default()
    };
    let signatures = load(&source)?;
    let mut reading = read_so(&words.reading, words.host.as_deref())?;
    read_codepages(&words.codepage, &mut reading)?;
    let line = find(words, reading, &signatures, console)?;
    let mut explanation = explain(&line, &signatures);
    if !words.all {
        explanation.keep_near(NEAR);
    }
    if words.format.is_some() {
        print(|out| {
            serde_json::to_writer_pretty(&mut *out, &explanation)?;
            writeln!(out)
        })?;
    } else {
        console.explanation(&explanation, words.all)?;
    }
    Ok(Exit::Finished)
}

/// The line that the words mean.
fn find(
    words: &ExplainArgs,
    reading: Reading,
    signatures: &Signatures,
    console: &Console,
) -> Result<LogLine> {
    let word = words.line.as_encoded_bytes();
    if word == b"-" {
        return typed(words, &standard_input()?, &reading);
    }
    if let Some((path, number)) = place(word) {
        if let Some((exhibit, name)) = exhibit(path)? {
            if words.software.is_some() {
                let what = "--software is for a line that is given itself";
                return Err(Error::usage(what));
            }
            let scanner = Scanner::new(signatures, ScanOptions::default())?
                .with_reading(reading)
                .with_passwords(passwords(&words.passwords)?);
            return line_of(&scanner, &exhibit, &name, number);
        }
        let path = safe(path);
        let words = format!("note: {path} is no file, so this is a line");
        console.note(words);
    } else if let Some((_, name)) = exhibit(word)? {
        let name = lossy(name.as_bytes());
        return Err(Error::usage(format!(
            "{name} is a file: say which line of it, such as {name}:1"
        )));
    }
    typed(words, word, &reading)
}

/// Path and number of `PATH:NUMBER`.
fn place(word: &[u8]) -> Option<(&[u8], u64)> {
    let colon = memchr::memrchr(b':', word)?;
    let (path, number) = (word.get(..colon)?, word.get(colon + 1..)?);
    let is_number = number.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(number).ok().filter(|_| is_number)?;
    (!path.is_empty()).then_some((path, number.parse().ok()?))
}

/// The file that a path names, and the name of the exhibit in it: the file
/// itself, or a member behind `!/`. None where there is no such file.
fn exhibit(path: &[u8]) -> Result<Option<(Exhibit, Raw)>> {
    let inside = memchr::memmem::find_iter(path, b"!/");
    for end in std::iter::once(path.len()).chain(inside) {
        let file = path.get(..end).unwrap_or(path);
        let mut exhibit = Exhibit {
            name: Raw::from(file),
            bytes: 0,
            explicit: true,
            input: Input::File,
        };
        let Ok(found) = fs::metadata(exhibit.path()) else { continue };
        if found.is_dir() && end == path.len() {
            let path = lossy(file);
            let what = format!("{path} is a folder: name a file in it");
            return Err(Error::usage(what));
        }
        if found.is_file() {
            exhibit.bytes = found.len();
            return Ok(Some((exhibit, Raw::from(path))));
        }
    }
    Ok(None)
}

/// For messages of errors, which are escaped when they are told.
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// A line of a file, or of a member of an archive.
fn line_of(
    scanner: &Scanner<'_>,
    exhibit: &Exhibit,
    name: &Raw,
    number: u64,
) -> Result<LogLine> {
    if number == 0 {
        return Err(Error::usage("lines are counted from 1"));
    }
    let shown = lossy(name.as_bytes());
    let unreadable = |warning: Warning| {
        let exhibit = lossy(warning.exhibit.as_bytes());
        Error::usage(format!("{exhibit}: {}", warning.detail))
    };
    let sought = scanner.line(exhibit, name, number).map_err(unreadable)?;
    match sought {
        Some(Sought::Found(line)) => Ok(*line),
        Some(Sought::Short(lines, warnings)) => {
            let have = match lines {
                0 => "no line".to_owned(),
                1 => "one line".to_owned(),
                lines => format!("{lines} lines"),
            };
            let mut what = format!("{shown} has {have}, so none is {number}");
            for warning in warnings {
                what.push_str("; ");
                what.push_str(&warning.detail);
            }
            Err(Error::usage(what))
        }
        Some(Sought::Archive(names)) => {
            let mut what = format!("{shown} is an archive: name a file in it");
            if let Some(first) = names.first() {
                what.push_str(", such as ");
                what.push_str(&lossy(first.as_bytes()));
            }
            Err(Error::usage(what))
        }
        None => {
            let archive = lossy(exhibit.name.as_bytes());
            let what = format!("{archive} holds no file named {shown}");
            Err(Error::usage(what))
        }
    }
}

/// A line that was typed, after what the options say of it.
fn typed(
    words: &ExplainArgs,
    text: &[u8],
    reading: &Reading,
) -> Result<LogLine> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let mut lines = text.rsplit(|byte| *byte == b'\n').skip(1);
    if lines.any(|line| !line.is_empty() && !line.starts_with(b"#")) {
        let what = "more than one line: only directives may stand before \
                    the line; for a line of a file say FILE:LINE";
        return Err(Error::usage(what));
    }
    let mut whole = Vec::new();
    if let Some(software) = &words.software {
        whole.extend_from_slice(b"#Software: ");
        whole.extend_from_slice(one_line("--software", software)?);
        whole.push(b'\n');
    }
    let mut reading = reading.clone();
    if let Some(names) = &words.reading.fields {
        // As a directive, so that a line that does not fit is told exactly.
        let names = fields(one_line("--fields", names).map(|_| names)?)?;
        whole.extend_from_slice(b"#Fields: ");
        whole.extend_from_slice(&names);
        whole.push(b'\n');
        reading.told.fields = None;
    }
    whole.extend_from_slice(text);
    Ok(LogLine::typed(&whole, &reading))
}

fn one_line<'t>(option: &str, text: &'t str) -> Result<&'t [u8]> {
    if text.contains('\n') {
        let what = format!("{option} takes one line");
        return Err(Error::usage(what));
    }
    Ok(text.as_bytes())
}

/// What stands on standard input, up to what is read of a line, and as much
/// before it.
fn standard_input() -> Result<Vec<u8>> {
    let most = 2 * limits::LINE_BYTES as u64;
    let mut text = Vec::new();
    let read = io::stdin().lock().take(most).read_to_end(&mut text);
    read.map_err(|cause| {
        Error::usage("cannot read standard input").because(cause)
    })?;
    if text.is_empty() {
        return Err(Error::usage("there is no line on standard input"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_ends_in_a_number() {
        for (word, found) in [
            ("ex.log:12", Some(("ex.log", 12))),
            ("C:\\logs\\ex.log:12", Some(("C:\\logs\\ex.log", 12))),
            ("a:b:3", Some(("a:b", 3))),
            ("C:\\logs\\ex.log", None),
            ("ex.log:", None),
            (":12", None),
            ("ex.log:+1", None),
            ("ex.log:99999999999999999999", None),
            ("", None),
        ] {
            let found =
                found.map(|(path, at): (&str, u64)| (path.as_bytes(), at));
            assert_eq!(place(word.as_bytes()), found, "{word}");
        }
    }
}
