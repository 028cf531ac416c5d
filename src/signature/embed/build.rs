//! Build script: lists the files under `signatures/`, so that adding a rule
//! is adding one file, and writes down their YAML events, so that the
//! program need not parse them at each start. Reads this package, writes
//! files in `OUT_DIR`.
//!
//! An event is one byte for its kind, its line and column, and for a scalar
//! its length and text. Numbers have seven bits a byte, the lowest first.
//! `src/signature/yaml/compiled.rs` reads it back.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use saphyr_parser::{Event, Parser, ScalarStyle};

fn main() -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let folder = root.join("signatures");
    println!("cargo::rerun-if-changed=signatures");
    println!("cargo::rerun-if-changed=src/signature/embed/build.rs");
    let mut files = Vec::new();
    list(&folder, &mut files)?;
    files.sort();
    let out = PathBuf::from(variable("OUT_DIR")?);
    let mut code = String::from("&[\n");
    for (number, file) in files.iter().enumerate() {
        let name: Vec<_> = file
            .strip_prefix(&root)
            .unwrap_or(file)
            .iter()
            .map(|part| part.to_string_lossy())
            .collect();
        let name = name.join("/");
        let path = file.to_string_lossy();
        // Where something is wrong, the program says so when it parses it.
        let text = fs::read_to_string(file).unwrap_or_default();
        let written = out.join(format!("{number}.events"));
        fs::write(&written, events(&text).unwrap_or_default())?;
        let written = written.to_string_lossy();
        let _ = writeln!(
            code,
            "    ({name:?}, include_bytes!({path:?}), \
             include_bytes!({written:?})),"
        );
    }
    code.push_str("]\n");
    fs::write(out.join("embedded.rs"), code)
}

/// The events of a file; `None` where it has a fault, or something that
/// signatures must not have.
fn events(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.ok()?;
        let (kind, text) = match event {
            Event::Scalar(text, style, 0, None) => {
                let kind = match style {
                    ScalarStyle::Plain => b'p',
                    ScalarStyle::SingleQuoted => b's',
                    ScalarStyle::DoubleQuoted => b'd',
                    ScalarStyle::Literal => b'l',
                    ScalarStyle::Folded => b'f',
                };
                (kind, Some(text))
            }
            Event::SequenceStart(0, None) => (b'[', None),
            Event::MappingStart(0, None) => (b'{', None),
            Event::SequenceEnd => (b']', None),
            Event::MappingEnd => (b'}', None),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => continue,
            _ => return None,
        };
        out.push(kind);
        number(&mut out, span.start.line());
        number(&mut out, span.start.col() + 1);
        if let Some(text) = text {
            number(&mut out, text.len());
            out.extend_from_slice(text.as_bytes());
        }
    }
    Some(out)
}

fn number(out: &mut Vec<u8>, number: usize) {
    let mut rest = number;
    while rest > 127 {
        out.push(low_byte(rest & 127) | 128);
        rest >>= 7;
    }
    out.push(low_byte(rest));
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name)
        .map_err(|error| io::Error::other(format!("{name}: {error}")))
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "yml") {
            files.push(path);
        }
    }
    Ok(())
}

fn low_byte(number: usize) -> u8 {
    u8::try_from(number & 255).unwrap_or(0)
}
