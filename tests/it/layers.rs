//! The source keeps to the way of the data: each folder knows only the
//! folders left of it.
//!
//! In: `src/**/*.rs`, with comments, literals and test modules blanked out.
//! Out: a failed test that names file, line and import. Documents drift; a
//! test does not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::root;

/// What everybody may use, besides what the table says.
const COMMON: [&str; 4] = ["error", "limits", "raw", "warning"];

/// Which folders and files may use which, beside [`COMMON`]. The order is
/// the way of the data; `main` is the program.
const TABLE: [(&str, &[&str]); 17] = [
    ("error", &[]),
    ("limits", &[]),
    ("raw", &[]),
    ("warning", &["raw"]),
    ("evidence", &[]),
    ("w3c", &[]),
    ("signature", &["w3c"]),
    ("scan", &["evidence", "w3c", "signature"]),
    ("verdict", &["w3c", "signature", "scan"]),
    ("case", &["evidence", "w3c", "signature", "scan", "verdict"]),
    ("analysis", UP_TO_CASE),
    ("remedy", UP_TO_ANALYSIS),
    ("report", UP_TO_REMEDY),
    ("cli", ALL),
    ("lib", &[]),
    ("main", &["cli"]),
    ("build", &[]),
];

const UP_TO_CASE: &[&str] =
    &["evidence", "w3c", "signature", "scan", "verdict", "case"];
const UP_TO_ANALYSIS: &[&str] =
    &["evidence", "w3c", "signature", "scan", "verdict", "case", "analysis"];
const UP_TO_REMEDY: &[&str] = &[
    "evidence",
    "w3c",
    "signature",
    "scan",
    "verdict",
    "case",
    "analysis",
    "remedy",
];
const ALL: &[&str] = &[
    "evidence",
    "w3c",
    "signature",
    "scan",
    "verdict",
    "case",
    "analysis",
    "remedy",
    "report",
];

/// The log language is a function of bytes.
const NOT_IN_W3C: [&str; 6] = [
    "std::fs",
    "std::io",
    "std::net",
    "std::path",
    "std::thread",
    "std::time",
];

/// Words that tell one platform from another.
const PLATFORM: [&str; 7] = [
    "target_os",
    "target_family",
    "target_arch",
    "target_env",
    "target_pointer_width",
    "cfg(unix",
    "cfg(windows",
];

/// Where the customer wants what: nothing else stands at the top.
const TOP: [&str; 12] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "signatures",
    "src",
    "testdata",
    "tests",
];

/// Lines of one source file. One that grows longer holds two ideas.
const LINES: usize = 600;

/// A source file.
struct Source {
    /// Its path under `src`, with `/` between its parts.
    name: String,
    /// Its text as found.
    text: String,
    /// Its text with comments, literals and test modules blanked out.
    code: String,
}

impl Source {
    /// The folder under `src`, or the file itself where it is in none.
    fn layer(&self) -> &str {
        match self.name.split_once('/') {
            Some((_, "embed/build.rs")) => "build",
            Some((folder, _)) => folder,
            None => self.name.trim_end_matches(".rs"),
        }
    }

    /// The modules it stands in, outermost first, itself included.
    fn modules(&self) -> usize {
        let parts = self.name.split('/').count();
        let own = self.name.ends_with("mod.rs");
        if own { parts - 1 } else { parts }
    }

    /// File and line of a byte of the code, for messages.
    fn place(&self, at: usize) -> String {
        let line = self.code[..at].matches('\n').count() + 1;
        format!("src/{}:{line}", self.name)
    }

    /// True for files that hold tests only.
    fn is_test(&self) -> bool {
        let mut parts = self.name.split('/');
        parts.any(|part| part == "tests" || part == "tests.rs")
    }
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut paths = Vec::new();
    list(&src, &mut paths);
    paths.sort();
    let read = |path: &PathBuf| {
        let parts = path.strip_prefix(&src).unwrap().iter();
        let parts: Vec<_> = parts.map(|it| it.to_str().unwrap()).collect();
        let text = fs::read_to_string(path).unwrap();
        let code = without_tests(&code_of(&text));
        Source { name: parts.join("/"), text, code }
    };
    let sources: Vec<_> = paths.iter().map(read).collect();
    assert!(!sources.is_empty(), "no source files");
    sources
}

fn list(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(&path, paths);
        } else if path.extension().is_some_and(|end| end == "rs") {
            paths.push(path);
        }
    }
}

/// The code of a file: bytes of comments and literals become blanks, so
/// that places stay the same.
fn code_of(text: &str) -> String {
    let mut code = text.as_bytes().to_vec();
    let mut at = 0;
    while at < code.len() {
        let end = at + literal(&text.as_bytes()[at..], word_before(&code, at));
        for byte in &mut code[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// True where the byte goes on a word, so that `r` is no raw string.
fn word_before(code: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|at| code[at]);
    before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The length of the comment or literal that begins here, or 0.
fn literal(text: &[u8], in_word: bool) -> usize {
    if text.starts_with(b"//") {
        return find(text, b"\n").unwrap_or(text.len());
    }
    if text.starts_with(b"/*") {
        return block_comment(text);
    }
    if text.starts_with(b"\"") {
        return quoted(text);
    }
    if text.starts_with(b"'") {
        return character(text);
    }
    if !in_word && matches!(text.first(), Some(b'r' | b'b' | b'c')) {
        return raw_string(text);
    }
    0
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn block_comment(text: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let step = match text.get(at..at + 2) {
            Some(b"/*") => 1,
            Some(b"*/") => -1,
            _ => 0,
        };
        depth += step;
        at += if step == 0 { 1 } else { 2 };
        if depth == 0 {
            break;
        }
    }
    at.min(text.len())
}

fn quoted(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// A character, or 0 for a lifetime.
fn character(text: &[u8]) -> usize {
    if text.get(1) == Some(&b'\\') {
        let end = text.iter().skip(3).position(|byte| *byte == b'\'');
        return end.map_or(0, |end| end + 4);
    }
    let end = text.iter().skip(2).take(4).position(|byte| *byte == b'\'');
    match end {
        Some(0) => 3,
        // One character of several bytes, not the lifetimes of `<'a, 'b>`.
        Some(end) if text[1] >= 0x80 => end + 3,
        _ => 0,
    }
}

/// `r"…"`, `r#"…"#` and their kin with `b` or `c`; 0 for anything else.
fn raw_string(text: &[u8]) -> usize {
    let letters =
        text.iter().take_while(|byte| matches!(byte, b'r' | b'b' | b'c'));
    let letters = letters.count();
    if letters > 2 || text[letters - 1] != b'r' {
        return 0;
    }
    let hashes =
        text[letters..].iter().take_while(|byte| **byte == b'#').count();
    let start = letters + hashes;
    if text.get(start) != Some(&b'"') {
        return 0;
    }
    let end = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
    find(&text[start + 1..], &end)
        .map_or(text.len(), |at| start + 1 + at + end.len())
}

/// Blanks out what stands under `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut code = code.as_bytes().to_vec();
    let mark = b"#[cfg(test)]";
    while let Some(start) = find(&code, mark) {
        let end = item_end(&code, start + mark.len());
        for byte in &mut code[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// The end of the item that begins here: its `;`, or its last brace.
fn item_end(code: &[u8], from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.iter().enumerate().skip(from) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return at + 1,
            b'}' => depth -= 1,
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Top-level modules of this package that the code names, with the places.
fn used(source: &Source) -> Vec<(usize, String)> {
    let mut starts = Vec::new();
    for word in ["crate::", "iisleuth::"] {
        for (at, _) in source.code.match_indices(word) {
            if !word_before(source.code.as_bytes(), at) {
                starts.push((at, at + word.len()));
            }
        }
    }
    let up = "super::".repeat(source.modules());
    if !up.is_empty() {
        let found = source.code.match_indices(&up);
        starts.extend(found.map(|(at, _)| (at, at + up.len())));
    }
    let mut used = Vec::new();
    for (at, start) in starts {
        let names = first_names(&source.code[start..]);
        used.extend(names.into_iter().map(|name| (at, name)));
    }
    used
}

/// The first segments of a path: `a::b` is `a`, `{a::b, c}` is `a` and `c`.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        let word = |c: &char| c.is_alphanumeric() || *c == '_';
        text.trim_start().chars().take_while(word).collect()
    };
    let Some(group) = path.trim_start().strip_prefix('{') else {
        return vec![name(path)];
    };
    let mut names = vec![name(group)];
    let mut depth = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(&group[at + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn folders_know_only_those_left_of_them() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let layer = source.layer();
        let row = TABLE.iter().find(|(name, _)| *name == layer);
        let Some((_, allowed)) = row else {
            faults.push(format!("src/{}: not in the table", source.name));
            continue;
        };
        for (at, name) in used(source) {
            let known = TABLE.iter().any(|(layer, _)| *layer == name);
            let base = COMMON.contains(&layer) || layer == "main";
            let fine = name == layer
                || allowed.contains(&name.as_str())
                || (!base && COMMON.contains(&name.as_str()));
            if known && !fine {
                let place = source.place(at);
                faults.push(format!("{place}: {layer} uses {name}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_log_language_touches_no_system() {
    for source in sources().iter().filter(|it| it.layer() == "w3c") {
        for word in NOT_IN_W3C {
            let at = source.code.find(word);
            assert!(
                source.is_test() || at.is_none(),
                "{}: {word}",
                source.place(at.unwrap_or(0))
            );
        }
    }
}

/// Where code may be unsafe, or for one platform or processor only.
const UNSAFE: [&str; 4] =
    ["evidence/map.rs", "w3c/simd.rs", "w3c/simd/tests.rs", "w3c/simd/x86.rs"];

#[test]
fn unsafe_code_stands_in_two_places() {
    for source in sources() {
        for (at, word) in source.code.match_indices("unsafe") {
            let after = source.code.as_bytes().get(at + word.len());
            let longer = after.is_some_and(|byte| {
                byte.is_ascii_alphanumeric() || *byte == b'_'
            });
            let whole = !longer && !word_before(source.code.as_bytes(), at);
            assert!(
                !whole || UNSAFE.contains(&source.name.as_str()),
                "{}: unsafe code",
                source.place(at)
            );
        }
    }
}

#[test]
fn code_for_one_platform_stands_with_the_evidence_or_the_kernels() {
    let elsewhere = |it: &&Source| {
        it.layer() != "evidence" && !UNSAFE.contains(&it.name.as_str())
    };
    for source in sources().iter().filter(elsewhere) {
        for word in PLATFORM {
            let at = source.code.find(word);
            assert!(at.is_none(), "{}: {word}", source.place(at.unwrap_or(0)));
        }
    }
}

#[test]
fn files_are_short_enough_to_read() {
    let long: Vec<_> = sources()
        .iter()
        .map(|source| (source.text.lines().count(), source.name.clone()))
        .filter(|(lines, _)| *lines > LINES)
        .collect();
    assert!(long.is_empty(), "more than {LINES} lines: {long:?}");
}

#[test]
fn nothing_else_stands_at_the_top() {
    let fine = |name: &String| {
        name.starts_with('.')
            || name == "target"
            || TOP.contains(&name.as_str())
    };
    let others: Vec<_> =
        top_entries().into_iter().filter(|name| !fine(name)).collect();
    assert!(others.is_empty(), "not agreed on: {others:?}");
}

/// What the repository holds at its top; what stands there where it is not
/// one, or is still empty.
fn top_entries() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root())
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    let tracked: Vec<_> = listed
        .split('\0')
        .filter_map(|path| path.split('/').next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    if !tracked.is_empty() {
        return tracked;
    }
    fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn the_reader_of_source_is_not_fooled() {
    let text = "// crate::a\nuse crate::{b::c, d};\n\
                let s = \"crate::e\"; let c = '\"'; let r = r#\"crate::f\"#;\n\
                fn g<'a>(x: &'a str) { crate::h::i(x) /* crate::j */ }\n\
                #[cfg(test)]\nmod tests { use crate::k; fn l() {} }\n\
                use super::super::m::n;";
    let code = without_tests(&code_of(text));
    let source =
        Source { name: "x/y.rs".to_owned(), text: text.to_owned(), code };
    let names: Vec<_> = used(&source).into_iter().map(|(_, n)| n).collect();
    assert_eq!(names, ["b", "d", "h", "m"]);
    assert_eq!(source.layer(), "x");
    assert_eq!(source.place(text.find("use crate").unwrap()), "src/x/y.rs:2");
}
