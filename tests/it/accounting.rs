//! Every line of every file is accounted for, whatever the bytes: damaged
//! logs, lines beyond the bound, layouts of 64 Ki columns.
//!
//! The files are the showcase's and a few made here, each damaged in one of
//! twelve ways by numbers from a fixed seed, so that a failure comes again.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use iisleuth::evidence::Access;
use iisleuth::limits;
use iisleuth::scan::ScanOptions;
use serde_json::Value;

use super::library::{
    Dice, Scan, number, scan_bytes, scan_logs, scan_path, text,
};
use super::support::{Folder, root, run};

const MUTATIONS: usize = 20_000;
const BATCH: usize = 1_000;
/// Bytes of the logs that are damaged.
const SMALL: usize = 1_000;

/// Lines as a text editor counts them: one that ends without a line feed
/// counts, an empty one after the last line feed does not.
fn editor_lines(bytes: &[u8]) -> u64 {
    let feeds = memchr::memchr_iter(b'\n', bytes).count();
    let open = bytes.last().is_some_and(|byte| *byte != b'\n');
    u64::try_from(feeds).unwrap() + u64::from(open)
}

/// `lines = records + directives + blank + rejected`, and lines and bytes
/// are those of the file.
fn adds_up(name: &str, row: &Value, bytes: &[u8]) {
    let decoded = row.get("encoding").map(|word| text_of(text(word), bytes));
    let bytes = decoded.as_deref().unwrap_or(bytes);
    let of = |key: &str| number(&row[key]);
    let sum = of("records") + of("directives") + of("blank") + of("rejected");
    assert_eq!(of("lines"), sum, "{name}: the sum of {row}");
    assert_eq!(of("lines"), editor_lines(bytes), "{name}: lines of {row}");
    let mut before = 0;
    for reject in row["rejects"].as_array().unwrap() {
        let line = number(&reject["line"]);
        assert!(line > before && line <= of("lines"), "{name}: {reject}");
        before = line;
        let at = usize::try_from(number(&reject["offset"])).unwrap();
        let lines = editor_lines(&bytes[..at]) + 1;
        assert_eq!(line, lines, "{name}: the offset in {reject}");
        assert!(
            at == 0 || bytes[at - 1] == b'\n',
            "{name}: {reject} is not at the start of a line"
        );
    }
}

/// What UTF-16 reads as: lines and offsets are those of the text.
fn text_of(encoding: &str, bytes: &[u8]) -> Vec<u8> {
    let unit = |pair: &[u8]| match encoding {
        "utf-16be" => u16::from_be_bytes([pair[0], pair[1]]),
        _ => u16::from_le_bytes([pair[0], pair[1]]),
    };
    let (pairs, odd) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(pair));
    let found = char::decode_utf16(units)
        .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    let text: String = found.collect();
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let end = if odd.is_empty() { "" } else { "\u{fffd}" };
    format!("{text}{end}").into_bytes()
}

fn logs_below(folder: &Path, found: &mut Vec<Vec<u8>>) {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            logs_below(&path, found);
        } else if path.extension().is_some_and(|it| it == "log") {
            found.push(fs::read(&path).unwrap());
        }
    }
}

/// Heads and late parts of the showcase's logs, and small logs of layouts
/// that it lacks.
fn seeds() -> Vec<Vec<u8>> {
    let mut logs = Vec::new();
    logs_below(&root().join("testdata/showcase"), &mut logs);
    assert!(logs.len() >= 20, "the showcase holds {} logs", logs.len());
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for log in logs {
        let head = log.split_inclusive(|byte| *byte == b'\n').take(4);
        let head: Vec<u8> = head.flatten().copied().collect();
        seeds.push(log[..SMALL.min(log.len())].to_vec());
        let late = &log[log.len() - SMALL.min(log.len())..];
        let start = late.iter().position(|byte| *byte == b'\n').unwrap();
        seeds.push([&head, &late[start + 1..]].concat());
    }
    for own in [
        "#Software: Microsoft Internet Information Server 4.0\r\n\
         #Version: 1.0\r\n#Date: 1999-11-02 23:58:00\r\n\
         #Fields: time c-ip cs-method cs-uri-stem sc-status\r\n\
         23:58:01 192.0.2.4 GET /scripts/..%c0%af../winnt/cmd.exe 404\r\n\
         23:59:59 192.0.2.4 GET /default.htm 200\r\n\
         00:00:01 192.0.2.4 GET /scripts/root.exe 200\r\n",
        "#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status\
         \n2020-02-02 10:00:00 192.0.2.4 GET /a.aspx - 200\n\
         #Fields: date time cs-uri-stem cs-uri-query c-ip cs-method\n\
         2020-02-02 10:00:01 /phpmyadmin/ - 192.0.2.4 GET\n\n\
         2020-02-02 10:00:02 /short\n",
        "#Software: Microsoft HTTP API 2.0\n#Version: 1.0\n\
         #Fields: date time c-ip c-port s-ip s-port cs-version cs-method \
         cs-uri sc-status s-siteid s-reason s-queuename\n\
         2016-01-01 00:00:01 192.0.2.4 99 192.0.2.9 80 HTTP/1.1 GET \
         /..%c0%af../winnt/system32/cmd.exe?/c+dir 400 - URL -\n",
    ] {
        seeds.push(own.as_bytes().to_vec());
    }
    seeds
}

const KINDS: usize = 12;

/// Damages a log in the way of that number.
fn damage(kind: usize, log: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let at = dice.below(log.len());
    let length = dice.below(60).min(log.len() - at);
    match kind {
        0 => {
            for _ in 0..=dice.below(8) {
                let at = dice.below(log.len());
                log[at] ^= 1 << dice.below(8);
            }
        }
        1 => drop(log.drain(at..at + length)),
        2 => {
            let piece = log[at..at + length].to_vec();
            log.splice(at..at, piece);
        }
        3 => {
            let from = dice.below(other.len());
            let end = (from + dice.below(400)).min(other.len());
            log.splice(at..at + length, other[from..end].iter().copied());
        }
        4 => swap_words(log, dice),
        5 => drop(log.splice(at..at, vec![0; dice.below(300)])),
        6 => {
            let at = if dice.below(2) == 0 { 0 } else { at };
            log.splice(at..at, *b"\xEF\xBB\xBF");
        }
        7 => *log = utf16(log, dice.below(2) == 0),
        8 => {
            let all = dice.below(2) == 0;
            for (place, byte) in log.iter_mut().enumerate() {
                if *byte == b'\n' && (all || place > at) {
                    *byte = b'\r';
                }
            }
        }
        9 => {
            let pieces = [&b"\xC0\xAF"[..], b"\xE0\x80\xAF", b"\xF8\x80\x80"];
            let piece = pieces[dice.below(3)];
            log.splice(at..at, piece.iter().copied());
        }
        10 => {
            let digits = vec![b'9'; dice.below(400)];
            log.splice(at..at, digits);
        }
        _ => repeat_fields(log, at),
    }
}

/// Swaps the first two words of a line.
fn swap_words(log: &mut Vec<u8>, dice: &mut Dice) {
    let mut lines: Vec<Vec<u8>> =
        log.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let line = dice.below(lines.len());
    let mut words: Vec<Vec<u8>> =
        lines[line].split(|byte| *byte == b' ').map(<[u8]>::to_vec).collect();
    let (a, b) = (dice.below(words.len()), dice.below(words.len()));
    words.swap(a, b);
    lines[line] = words.join(&b' ');
    *log = lines.join(&b'\n');
}

fn utf16(log: &[u8], little: bool) -> Vec<u8> {
    let mark: [u8; 2] = if little { [0xFF, 0xFE] } else { [0xFE, 0xFF] };
    let units = log.iter().map(|byte| u16::from(*byte));
    let bytes = units.flat_map(|unit| {
        if little { unit.to_le_bytes() } else { unit.to_be_bytes() }
    });
    mark.into_iter().chain(bytes).collect()
}

/// Puts the log's `#Fields` again before the line at a place.
fn repeat_fields(log: &mut Vec<u8>, at: usize) {
    let fields = log
        .split_inclusive(|byte| *byte == b'\n')
        .find(|line| line.starts_with(b"#Fields"));
    let Some(fields) = fields.map(<[u8]>::to_vec) else { return };
    let start = log[..at].iter().rposition(|byte| *byte == b'\n');
    let start = start.map_or(0, |feed| feed + 1);
    log.splice(start..start, fields);
}

fn options(access: Access, chunk_bytes: usize) -> ScanOptions {
    ScanOptions { threads: 2, access, chunk_bytes, ..ScanOptions::default() }
}

fn same(a: &Scan, b: &Scan, case: &str) {
    for key in ["exhibits", "findings", "hosts", "clients", "warnings"] {
        assert_eq!(a.case[key], b.case[key], "{case}: {key}");
    }
    assert_eq!(a.hits, b.hits, "{case}: hits");
}

fn no_fault(scan: &Scan, case: &str) {
    for warning in scan.case["warnings"].as_array().unwrap() {
        assert_ne!(text(&warning["kind"]), "internal", "{case}: {warning}");
    }
}

/// Logs below a folder, each damaged once or twice, sorted by path.
fn damaged(
    folder: &Path,
    seeds: &[Vec<u8>],
    dice: &mut Dice,
) -> Vec<(PathBuf, Vec<u8>)> {
    let mut logs = Vec::new();
    for index in 0..BATCH {
        let (kind, seed) = (index % KINDS, dice.below(seeds.len()));
        let mut log = seeds[seed].clone();
        let other = &seeds[dice.below(seeds.len())];
        damage(kind, &mut log, other, dice);
        if !log.is_empty() && dice.below(3) == 0 {
            let second = dice.below(KINDS);
            damage(second, &mut log, other, dice);
        }
        let name = format!("W3SVC{kind}/ex{index:05}-{seed}.log");
        logs.push((folder.join(name), log));
    }
    logs.sort();
    logs
}

/// Writes the logs and scans them as files, mapped and read.
fn scan_files(folder: &Folder, logs: &[(PathBuf, Vec<u8>)]) -> Scan {
    for (path, log) in logs {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, log).unwrap();
    }
    let mapped = scan_path(folder.path(), options(Access::Auto, 1 << 20));
    let read = scan_path(folder.path(), options(Access::Buffered, 251));
    same(&mapped, &read, "mapped and read");
    for (row, (path, log)) in mapped.exhibits().iter().zip(logs) {
        let bytes = number(&row["bytes"]);
        assert_eq!(bytes, log.len() as u64, "{}", path.display());
    }
    mapped
}

#[test]
fn damaged_logs_add_up() {
    let seeds = seeds();
    let mut dice = Dice::new(2001);
    let mut hits = 0;
    for batch in 0..MUTATIONS / BATCH {
        let folder = Folder::new("damaged");
        let logs = damaged(folder.path(), &seeds, &mut dice);
        let scan = if batch.is_multiple_of(5) {
            scan_files(&folder, &logs)
        } else {
            scan_logs(&logs, options(Access::Auto, 512 << (batch % 4)))
        };
        no_fault(&scan, &format!("batch {batch}"));
        assert_eq!(scan.exhibits().len(), BATCH, "batch {batch}");
        for (row, (path, log)) in scan.exhibits().iter().zip(&logs) {
            let name = format!("batch {batch}, {}", path.display());
            assert_eq!(text(&row["path"]), path.to_str().unwrap());
            adds_up(&name, row, log);
        }
        hits += scan.hits.len();
    }
    assert!(hits > 100, "damage hid nearly all: {hits} hits");
}

const HEAD: &str = "#Software: Microsoft Internet Information Services 10.0\n\
    #Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status\n";
const PROBE: &str = "2020-02-02 10:00:00 192.0.2.4 GET /phpmyadmin/ - 404\n";

/// A record whose line, without its end, is so long.
fn long_line(length: usize) -> String {
    let start = "2020-02-02 10:00:01 192.0.2.5 GET /phpmyadmin/ ";
    let end = " 404";
    let middle = "q".repeat(length - start.len() - end.len());
    format!("{start}{middle}{end}")
}

#[test]
fn lines_beyond_the_bound_are_cut_and_told() {
    let most = limits::LINE_BYTES;
    for (length, end, cut) in [
        (most, "\n", 0),
        (most, "\r\n", 0),
        (most, "", 0),
        (most + 1, "\n", 1),
        (most + 1, "\r\n", 1),
        (most + 1, "", 1),
        (2 * most + 77, "\n", 1),
    ] {
        let log = format!("{HEAD}{PROBE}{}{end}", long_line(length));
        let log = if end.is_empty() { log } else { log + PROBE + PROBE };
        long_case(&log, &format!("{length} bytes, end {end:?}"), cut);
    }
}

fn long_case(log: &str, case: &str, cut: u64) {
    let folder = Folder::new("long");
    let path = folder.write("W3SVC1/u_ex200202.log", log);
    let mapped = scan_path(&path, options(Access::Auto, 1 << 20));
    let row = &mapped.exhibits()[0];
    adds_up(case, row, log.as_bytes());
    assert_eq!(number(&row["directives"]), 2, "{case}");
    assert_eq!(number(&row["rejected"]), 0, "{case}: {row}");
    assert_eq!(number(&row["lines_cut"]), cut, "{case}");
    let warnings = mapped.warnings_of(&path);
    let limit = warnings.iter().filter(|it| it.starts_with("limit: "));
    assert_eq!(limit.count(), usize::from(cut > 0), "{case}: {warnings:?}");
    let probes = mapped.hits.iter().map(|hit| number(&hit["line"]));
    let lines: Vec<_> = (3..=editor_lines(log.as_bytes())).collect();
    assert_eq!(probes.collect::<Vec<_>>(), lines, "{case}: a line is lost");
    let read = scan_path(&path, options(Access::Buffered, 1 << 16));
    same(&mapped, &read, &format!("{case}, read"));
}

#[test]
fn a_cut_line_ends_with_the_code_of_a_loss() {
    let folder = Folder::new("long");
    let log = format!("{HEAD}{}\n{PROBE}", long_line(limits::LINE_BYTES * 2));
    let path = folder.write("u_ex200202.log", log);
    for option in ["--quiet", "--no-mmap"] {
        let run = run([OsStr::new("scan"), path.as_os_str(), option.as_ref()]);
        assert_eq!(run.code, Some(3), "{option}: {}", run.err());
    }
}

/// A log with that many columns and one line that has all of them.
fn wide(columns: usize) -> String {
    let mut log = String::from("#Fields: cs-method cs-uri-stem");
    let mut line = String::from("GET /phpmyadmin/");
    for column in 2..columns {
        write!(log, " x-{column}").unwrap();
        line.push_str(" v");
    }
    format!("{log}\n{line}\n{line} more\n{line}\n")
}

#[test]
fn wide_layouts_add_up() {
    for columns in [3, 1_000, limits::COLUMNS - 1] {
        let log = wide(columns);
        let scan = scan_bytes(Path::new("wide.log"), log.as_bytes());
        let row = &scan.exhibits()[0];
        let case = format!("{columns} columns");
        let counts = ["lines", "directives", "records", "rejected"]
            .map(|key| &row[key]);
        assert_eq!(counts.map(number), [4, 1, 2, 1], "{case}: {row}");
    }
    // Beyond the bound no line is lost in silence.
    for columns in [limits::COLUMNS, 100_000] {
        let folder = Folder::new("wide");
        let log = wide(columns);
        let path = folder.write("wide.log", &log);
        for access in [Access::Auto, Access::Buffered] {
            let scan = scan_path(&path, options(access, 4 << 10));
            let case = format!("{columns} columns, {access:?}");
            let row = &scan.exhibits()[0];
            adds_up(&case, row, log.as_bytes());
            let records = number(&row["records"]);
            let told = !scan.warnings_of(&path).is_empty();
            assert!(records == 2 || told, "{case}: {row}");
            let lines = scan.hits.iter().map(|hit| number(&hit["line"]));
            let lines: Vec<_> = lines.collect();
            for line in [2, 3, 4] {
                assert!(lines.contains(&line), "{case}: {lines:?}");
            }
        }
    }
}

#[test]
fn short_lines_add_up() {
    let lines = 100_000;
    for (fields, line, records) in [
        ("cs-method", "a\n", lines),
        ("cs-method cs-uri-stem", "a\n", 0),
        ("cs-method", "\n", 0),
    ] {
        let log = format!("#Fields: {fields}\n{}", line.repeat(lines));
        let folder = Folder::new("short");
        let path = folder.write("short.log", &log);
        let case = format!("{fields}, {line:?}");
        let scan = scan_path(&path, options(Access::Auto, 4 << 10));
        let row = &scan.exhibits()[0];
        adds_up(&case, row, log.as_bytes());
        assert_eq!(number(&row["lines"]), lines as u64 + 1, "{case}");
        assert_eq!(number(&row["records"]), records as u64, "{case}");
        let other = scan_path(&path, options(Access::Buffered, 64));
        same(&scan, &other, &case);
    }
}
