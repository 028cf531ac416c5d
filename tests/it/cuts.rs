//! Each cut is safe: what is found does not depend on where a file is cut
//! into chunks, nor on where one wave of chunks ends and the next begins.
//!
//! In: a file of 20 KiB whose lines depend on those before them: five
//! layouts, one of them without a date, others that change in mid-file.
//! Out: the case of every cut, compared with that of one chunk.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use iisleuth::case::{Case, Hits};
use iisleuth::evidence::{Access, Evidence, discover};
use iisleuth::scan::{ScanOptions, Scanner, Silent};
use iisleuth::signature::{Signatures, Source};

use crate::scanning::{builder, files, options, same, scan_bytes};
use crate::support::{Folder, root};

const BYTES: usize = 20 << 10;

/// Adds lines while they fit under `end`.
fn fill(out: &mut String, end: usize, line: impl Fn(usize) -> String) {
    for n in 0.. {
        let line = line(n);
        if out.len() + line.len() >= end {
            return;
        }
        out.push_str(&line);
    }
}

/// A few signatures: a rejected line is searched for the texts of all, and
/// this file is read 25,000 times.
fn few() -> &'static Signatures {
    static SET: OnceLock<Signatures> = OnceLock::new();
    SET.get_or_init(|| {
        let path = |name| root().join("signatures").join(name);
        let paths = [
            "worm/root-exe-backdoor.yml",
            "traversal/double-decode-traversal.yml",
            "traversal/cmd-exe-request.yml",
            "injection/shellshock.yml",
        ];
        let paths = paths.map(path).to_vec();
        let source =
            Source { paths, without_embedded: true, ..Source::default() };
        Signatures::load(&source).expect("the rules load")
    })
}

/// Two in sixteen requests are attacks.
fn request(n: usize) -> (&'static str, &'static str) {
    match n % 16 {
        1 => ("/scripts/root.exe", "/c+dir"),
        9 => ("/a/..%255c..%255c../winnt/system32/cmd.exe", "/c+dir"),
        2 | 3 => ("/catalogue/list.asp", "page=2"),
        _ => ("/index.htm", "-"),
    }
}

/// The directives before a layout's lines.
fn header(out: &mut String, software: &str, fields: &str) {
    out.push_str("#Software: Microsoft ");
    out.push_str(software);
    out.push_str("\r\n#Version: 1.0\r\n#Fields: ");
    out.push_str(fields);
    out.push('\n');
}

/// The first half: a plain layout and one without a date.
fn first_half(out: &mut String) {
    out.push_str("\u{feff}GET /scripts/root.exe?/c+dir with no layout yet\n");
    header(
        out,
        "Internet Information Services 5.0",
        "date time c-ip cs-method cs-uri-stem cs-uri-query sc-status",
    );
    fill(out, 4500, |n| {
        let (stem, query) = request(n);
        format!(
            "2001-09-18 13:01:{:02} 192.0.2.7 GET {stem} {query} 200\n",
            n % 60
        )
    });
    out.push_str("2001-09-18 14:00:00 192.0.2.8 GET /scripts/root.exe\n");
    out.push_str("\0\0\0\0\0\0\n\n");
    header(
        out,
        "Internet Information Server 4.0",
        "time c-ip cs-method cs-uri-stem cs-uri-query sc-status sc-bytes",
    );
    out.push_str("#Date: 2001-12-30 21:30:00\n");
    fill(out, 10_000, |n| {
        let (stem, query) = request(n);
        // Over midnight twice, with a straggler after the first.
        let at = 77_400 + n * 1_300;
        let at = if n == 8 { 86_398 } else { at % 86_400 };
        let (h, m, s) = (at / 3600, at / 60 % 60, at % 60);
        format!(
            "{h:02}:{m:02}:{s:02} 198.51.100.3 GET {stem} {query} 502 91\r\n"
        )
    });
}

/// The second half: HTTP.sys errors, a modern layout that changes, and the
/// first layout again.
fn second_half(out: &mut String) {
    header(
        out,
        "HTTP API 2.0",
        "date time c-ip c-port s-ip s-port cs-version cs-method cs-uri \
         sc-status s-siteid s-reason s-queuename",
    );
    fill(out, 13_000, |n| {
        let (stem, query) = request(n);
        format!(
            "2021-08-16 02:00:{:02} 203.0.113.4 4242 10.0.0.4 80 HTTP/1.1 GET \
             {stem}?{query} 400 1 URL -\r\n",
            n % 60
        )
    });
    header(
        out,
        "Internet Information Services 10.0",
        "date time s-ip cs-method cs-uri-stem cs-uri-query cs(User-Agent) \
         sc-status",
    );
    fill(out, 16_000, |n| {
        let (stem, query) = request(n);
        let agent = if n % 5 == 0 { "()+{+:;};+id" } else { "Mozilla/5.0" };
        format!(
            "2021-08-17 02:00:{:02} 10.0.0.4 GET {stem} {query} {agent} 404\n",
            n % 60
        )
    });
    out.push_str("#Fields: date time X-Forwarded-For cs-uri-stem sc-status\n");
    fill(out, 18_000, |n| {
        let stem = request(n).0;
        format!("2021-08-17 03:00:{:02} 192.0.2.44 {stem} 200\n", n % 60)
    });
    out.push_str("2021-08-17 03:00:00 a line too many /scripts/root.exe x\n");
    out.push_str("#Fields: date time c-ip cs-uri-stem cs-uri-query\n#\n");
    fill(out, BYTES - 100, |n| {
        let (stem, query) = request(n);
        format!("2021-08-18 03:00:{:02} 192.0.2.9 {stem} {query}\n", n % 60)
    });
    out.push_str("2021-08-19 00:00:00 192.0.2.9 /scripts/root.exe ");
    while out.len() < BYTES {
        out.push('z');
    }
}

fn file() -> Vec<u8> {
    let mut out = String::new();
    first_half(&mut out);
    second_half(&mut out);
    assert_eq!(out.len(), BYTES);
    out.into_bytes()
}

/// Runs `check` for each number from 1, shared among two threads.
fn each(most: usize, check: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(1);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n > most {
                        return;
                    }
                    check(n);
                }
            });
        }
    });
}

fn equal(name: &str, expected: &(Case, Hits), found: &(Case, Hits)) {
    if expected == found {
        return;
    }
    let (expected, found) =
        (files(&expected.0, &expected.1), files(&found.0, &found.1));
    same(&format!("{name}: case.json"), &expected.0, &found.0);
    same(&format!("{name}: hits.jsonl"), &expected.1, &found.1);
    panic!("{name}: differs in what is not written");
}

fn chunks_of(bytes: usize, access: Access) -> ScanOptions {
    options(1, bytes, access)
}

/// The accounting by hand, so that one chunk is not wrong itself.
fn sound(case: &Case, text: &[u8]) {
    let row = &case.exhibits[0];
    let lines = text.split(|byte| *byte == b'\n').count() as u64;
    assert_eq!(row.lines, lines, "lines");
    let whole = row.records + row.directives + row.blank + row.rejected;
    assert_eq!(whole, row.lines, "the lines add up");
    assert_eq!((row.rejected, row.blank), (3, 2), "rejected and blank");
    let midnight = row.times_derived;
    assert!(midnight > 60, "{midnight} lines without a date");
    assert!(case.findings.len() >= 3, "the file holds attacks");
}

#[test]
fn every_byte_as_the_size_of_a_chunk() {
    let text = file();
    let set = few();
    let of = |bytes| {
        let options = chunks_of(bytes, Access::Auto);
        let scanner = Scanner::new(set, options).unwrap();
        scan_bytes(&scanner, set, &text)
    };
    let whole = of(1 << 20);
    sound(&whole.0, &text);
    each(BYTES, |bytes| {
        equal(&format!("chunks of {bytes} bytes"), &whole, &of(bytes));
    });
}

fn buffered(
    evidence: &Evidence,
    set: &Signatures,
    bytes: usize,
) -> (Case, Hits) {
    let options = chunks_of(bytes, Access::Buffered);
    let scanner = Scanner::new(set, options).unwrap();
    let builder = builder(set);
    assert!(scanner.scan(evidence, &builder, &Silent));
    builder.finish()
}

/// Read through a buffer, a wave ends at the last line of the buffer: four
/// chunks with one thread. No line here has fewer than four bytes but blank
/// ones, so every line's end is the end of a wave once.
#[test]
fn every_line_end_as_the_end_of_a_wave() {
    let folder = Folder::new("cuts");
    let path = folder.write("HOST/W3SVC1/made.log", file());
    let evidence = discover(&[path]).unwrap();
    let set = few();
    let whole = buffered(&evidence, set, 1 << 20);
    each(BYTES / 4, |bytes| {
        let found = buffered(&evidence, set, bytes);
        equal(&format!("waves of {} bytes", bytes * 4), &whole, &found);
    });
}
