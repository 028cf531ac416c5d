//! The same evidence gives the same bytes, however it is scanned: threads,
//! chunk sizes, access, line ends, compression, order of arguments, and
//! parts that are merged afterwards.
//!
//! In: the showcase, logs made here, the corpus where there is one. Out:
//! `case.json` and `hits.jsonl` of each way, compared.

use std::fs;
use std::path::{Path, PathBuf};

use iisleuth::case::{Case, Hits, merge_hits};
use iisleuth::evidence::Access;
use iisleuth::scan::{ScanOptions, Scanner};
use iisleuth::w3c::simd::Isa;
use serde_json::Value;

use crate::packers::PACKERS;
use crate::scanning::{Lcg, embedded, files, options, same, scan};
use crate::support::{Folder, corpus, root};

const LAYOUT: &str = "#Fields: date time c-ip cs-method cs-uri-stem \
     cs-uri-query sc-status sc-win32-status\n";
const SHORT: &str =
    "#Fields: time c-ip cs-method cs-uri-stem cs-uri-query sc-status\n";
const IIS5: &str = "#Software: Microsoft Internet Information Services 5.0\n";

/// Requests of ordinary visitors and of worms.
const REQUESTS: [(&str, &str, u16); 9] = [
    ("/default.htm", "-", 200),
    ("/scripts/root.exe", "/c+dir", 404),
    ("/images/logo.gif", "-", 304),
    ("/scripts/..%255c../winnt/system32/cmd.exe", "/c+dir+c:\\", 200),
    ("/orders/list.asp", "id=4711", 200),
    ("/default.ida", "NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN%u9090=a", 200),
    ("/msadc/..%c0%af../winnt/system32/cmd.exe", "/c+dir", 500),
    ("/_vti_bin/shtml.exe", "-", 403),
    ("/prices.asp", "x=1'+union+select+1,2--", 500),
];

/// A line of the layout in [`LAYOUT`].
fn long_line(n: usize) -> String {
    let (stem, query, status) = REQUESTS[n % REQUESTS.len()];
    let (minute, second, client) = (n / 60 % 60, n % 60, n % 7);
    format!(
        "2001-09-18 13:{minute:02}:{second:02} 192.0.2.{client} GET {stem} \
         {query} {status} 0\n"
    )
}

/// A line of the layout in [`SHORT`], `n` steps of 100 seconds after 22:00.
fn short_line(n: usize) -> String {
    let (stem, query, status) = REQUESTS[n % REQUESTS.len()];
    let at = 22 * 3600 + n * 100;
    let (h, m, s) = (at / 3600 % 24, at / 60 % 60, at % 60);
    let client = n % 5;
    format!(
        "{h:02}:{m:02}:{s:02} 198.51.100.{client} GET {stem} {query} {status}\n"
    )
}

fn long_lines(range: std::ops::Range<usize>) -> String {
    range.map(long_line).collect()
}

/// Logs that make the state of a log matter, by name.
fn made() -> Vec<(&'static str, Vec<u8>)> {
    let short: String = (0..60).map(short_line).collect();
    let later: String = (60..150).map(short_line).collect();
    let layouts = format!(
        "{IIS5}{LAYOUT}{}#Date: 2001-09-18 22:00:00\n{SHORT}{short}\
         #Software: Microsoft Internet Information Services 6.0\n\
         #Fields: date time s-ip cs-method cs-uri-stem\n\
         2001-09-19 01:00:00 10.0.0.9 GET /scripts/root.exe\n{}{LAYOUT}{}",
        long_lines(0..40),
        long_lines(40..44),
        long_lines(44..90)
    );
    let repeated = (0..30)
        .map(|n| [IIS5, LAYOUT, &long_lines(n * 4..n * 4 + 4)].concat())
        .collect::<Vec<_>>()
        .concat();
    let nuls = "\0".repeat(5000);
    let nul = format!(
        "{IIS5}{LAYOUT}{}{nuls}{IIS5}{LAYOUT}{}\0\0\0\n{nuls}{}",
        long_lines(0..40),
        long_lines(40..60),
        long_lines(60..90)
    );
    let midnight = format!(
        "{IIS5}#Date: 2001-12-31 22:00:00\n{SHORT}{short}\
         #Date: 2002-02-28 22:00:00\n{short}{later}"
    );
    let open = format!("{IIS5}{LAYOUT}{}", long_lines(0..81));
    let bom = format!("\u{feff}{IIS5}{LAYOUT}{}", long_lines(3..90));
    let bad = format!(
        "GET /scripts/root.exe before any layout\n\n{LAYOUT}{}\
         2001-09-18 13:00:00 192.0.2.1 GET /scripts/root.exe /c+dir\n \t\n\
         2001-09-18 13:00:00 192.0.2.1 GET /a/b c /default.ida 200 0 0 1\n{}",
        long_lines(0..50),
        long_lines(50..99)
    );
    vec![
        ("layouts", layouts.into_bytes()),
        ("repeated", repeated.into_bytes()),
        ("nuls", nul.into_bytes()),
        ("midnight", midnight.into_bytes()),
        ("no-final-newline", open.trim_end().as_bytes().to_vec()),
        ("bom", bom.into_bytes()),
        ("rejected", bad.into_bytes()),
    ]
}

fn crlf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in text {
        if *byte == b'\n' {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out
}

/// Writes the made logs below a new folder, each through `change`.
fn write(
    below: &Folder,
    folder: &str,
    end: &str,
    change: fn(&[u8]) -> Vec<u8>,
) -> PathBuf {
    for (name, text) in made() {
        let name = format!("{folder}/{name}/W3SVC1/ex010918.log{end}");
        below.write(&name, change(&text));
    }
    below.path().join(folder)
}

fn showcase(name: &str) -> PathBuf {
    root().join("testdata").join("showcase").join(name)
}

/// The files of one way to scan.
type Bytes = (Vec<u8>, Vec<u8>);

fn scanned(scanner: &Scanner<'_>, paths: &[PathBuf]) -> Bytes {
    let (case, hits) = scan(scanner, embedded(), paths);
    files(&case, &hits)
}

fn plain() -> Scanner<'static> {
    let options = options(1, 1 << 20, Access::Auto);
    Scanner::new(embedded(), options).unwrap()
}

/// What is scanned each way: names and paths.
fn table(folder: &Folder) -> Vec<(String, PathBuf)> {
    let lf = write(folder, "lf", "", <[u8]>::to_vec);
    let crlf = write(folder, "crlf", "", crlf);
    let packed = PACKERS.map(|(end, pack)| {
        (end, write(folder, end.trim_start_matches('.'), end, pack))
    });
    let mut table = Vec::new();
    for (name, _) in made() {
        table.push((format!("{name}, LF"), lf.join(name)));
        table.push((format!("{name}, CRLF"), crlf.join(name)));
        for (end, folder) in &packed {
            table.push((format!("{name}, {end}"), folder.join(name)));
        }
    }
    for name in ["FREIGHT-INTRA", "SP01", "EXCH01/HTTPERR"] {
        table.push((name.to_owned(), showcase(name)));
    }
    table
}

#[test]
fn threads_chunks_access_and_kernels_do_not_matter() {
    let folder = Folder::new("determinism");
    let table = table(&folder);
    let first: Vec<_> = table
        .iter()
        .map(|(_, path)| scanned(&plain(), std::slice::from_ref(path)))
        .collect();
    for (threads, chunk) in [1, 2, 8]
        .into_iter()
        .flat_map(|n| [64, 4096, 1 << 20].map(|bytes| (n, bytes)))
    {
        let ways = [Access::Auto, Access::Buffered];
        let ways = ways.into_iter().flat_map(|access| {
            Isa::available().into_iter().map(move |isa| (access, isa))
        });
        for (access, isa) in ways {
            let options =
                ScanOptions { isa, ..options(threads, chunk, access) };
            let scanner = Scanner::new(embedded(), options).unwrap();
            for ((name, path), first) in table.iter().zip(&first) {
                let found = scanned(&scanner, std::slice::from_ref(path));
                let way = format!(
                    "{name}: {threads} threads, chunks of {chunk}, {access:?}, \
                     {isa:?}"
                );
                same(&format!("case.json of {way}"), &first.0, &found.0);
                same(&format!("hits.jsonl of {way}"), &first.1, &found.1);
            }
        }
    }
}

/// Drops what line ends and compression must change.
fn neutral(value: &mut Value, keys: &[&str]) {
    match value {
        Value::Object(map) => {
            for key in keys {
                map.remove(*key);
            }
            for one in map.values_mut() {
                neutral(one, keys);
            }
        }
        Value::Array(list) => {
            for one in list {
                neutral(one, keys);
            }
        }
        _ => {}
    }
}

/// Both files without those keys, the folder's name made the same.
fn comparable(bytes: &Bytes, folder: &Path, keys: &[&str]) -> String {
    let text = |bytes: &[u8]| {
        String::from_utf8(bytes.to_vec())
            .expect("JSON is UTF-8")
            .replace(folder.to_str().unwrap(), "FOLDER")
            .replace(".log.gz", ".log")
            .replace(".log.bz2", ".log")
            .replace(".log.xz", ".log")
            .replace(".log.zst", ".log")
    };
    let mut case: Value = serde_json::from_str(&text(&bytes.0)).unwrap();
    neutral(&mut case, keys);
    let mut out = serde_json::to_string_pretty(&case).unwrap();
    for line in text(&bytes.1).lines() {
        let mut hit: Value = serde_json::from_str(line).unwrap();
        neutral(&mut hit, keys);
        out.push('\n');
        out.push_str(&hit.to_string());
    }
    out
}

#[test]
fn line_ends_and_compression_do_not_matter() {
    let folder = Folder::new("line-ends");
    let lf = write(&folder, "lf", "", <[u8]>::to_vec);
    let crlf = write(&folder, "crlf", "", crlf);
    let packed = PACKERS.map(|(end, pack)| {
        (end, write(&folder, end.trim_start_matches('.'), end, pack))
    });
    let scanner = plain();
    let mut hits = 0;
    for (name, _) in made() {
        let of = |below: &PathBuf, keys: &[&str]| {
            let path = below.join(name);
            let bytes = scanned(&scanner, std::slice::from_ref(&path));
            comparable(&bytes, below, keys)
        };
        let keys = ["bytes", "sha256", "offset"];
        let expected = of(&lf, &keys);
        hits += expected.matches("\"matched_on\"").count();
        let what = format!("{name}: LF and CRLF");
        same(&what, expected.as_bytes(), of(&crlf, &keys).as_bytes());
        // Offsets are of the content and so stay.
        let keys = ["bytes", "sha256", "content_sha256"];
        let expected = of(&lf, &keys);
        for (end, folder) in &packed {
            let what = format!("{name}: plain and {end}");
            same(&what, expected.as_bytes(), of(folder, &keys).as_bytes());
        }
    }
    assert!(hits > 100, "the made logs hold attacks, found {hits} hits");
}

/// The log files below a folder, sorted.
fn logs(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "log") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn shuffle<T>(list: &mut [T], random: &mut Lcg) {
    for at in (1..list.len()).rev() {
        list.swap(at, random.below(at + 1));
    }
}

#[test]
fn the_order_of_arguments_does_not_matter() {
    let mut paths = logs(&showcase("FREIGHT-INTRA"));
    paths.extend(logs(&showcase("EXCH01")));
    let scanner = plain();
    let first = scanned(&scanner, &paths);
    let mut random = Lcg::new(6);
    for round in 0..10 {
        shuffle(&mut paths, &mut random);
        let mut given = paths.clone();
        if round % 2 == 1 {
            // Named twice is read once.
            given.push(paths[0].clone());
        }
        let found = scanned(&scanner, &given);
        let what = format!("shuffle {round}");
        same(&format!("{what}: case.json"), &first.0, &found.0);
        same(&format!("{what}: hits.jsonl"), &first.1, &found.1);
    }
    let folders = ["EXCH01", "FREIGHT-INTRA"].map(showcase).into_iter().rev();
    let folders: Vec<_> = folders.collect();
    let found = scanned(&scanner, &folders);
    same("folders: case.json", &first.0, &found.0);
    same("folders: hits.jsonl", &first.1, &found.1);
}

/// Joins two scans the way `merge` does, through the bytes of their files.
fn merged(parts: &[(Case, Hits)]) -> Bytes {
    let files: Vec<_> = parts.iter().map(|(c, h)| files(c, h)).collect();
    let cases: Vec<Case> = files
        .iter()
        .map(|(case, _)| serde_json::from_slice(case).unwrap())
        .collect();
    let case = Case::merge_all(cases).expect("the cases join");
    let mut hits = Vec::new();
    let readers = files.iter().map(|(_, hits)| hits.as_slice());
    let derived = case.correlated_hits();
    merge_hits(readers, &derived, &mut hits).expect("the hits join");
    (case.to_json().unwrap(), hits)
}

/// Checks `merge(scan(A), scan(B)) == scan(A B)` in both orders.
fn merge_is_scan(name: &str, paths: &[PathBuf], rounds: usize, seed: u64) {
    let options = options(2, 1 << 20, Access::Auto);
    let scanner = Scanner::new(embedded(), options).unwrap();
    let whole = scanned(&scanner, paths);
    let mut random = Lcg::new(seed);
    for round in 0..rounds {
        let often = 2 + random.below(4);
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for path in paths {
            let part = if random.once_in(often) { &mut a } else { &mut b };
            part.push(path.clone());
        }
        let mut parts = [a, b].map(|part| scan(&scanner, embedded(), &part));
        if round % 2 == 1 {
            parts.reverse();
        }
        let found = merged(&parts);
        let what = format!("{name}, partition {round}");
        same(&format!("{what}: case.json"), &whole.0, &found.0);
        same(&format!("{what}: hits.jsonl"), &whole.1, &found.1);
    }
}

#[test]
fn merged_parts_of_the_showcase_are_its_scan() {
    merge_is_scan("showcase", &logs(&showcase("")), 50, 14);
}

#[test]
fn merged_parts_of_the_made_logs_are_their_scan() {
    let folder = Folder::new("merge");
    let below = write(&folder, "lf", "", <[u8]>::to_vec);
    merge_is_scan("made logs", &logs(&below), 20, 15);
}

#[test]
fn merged_parts_of_the_corpus_are_its_scan() {
    let Some(corpus) = corpus() else {
        println!("skipped: ../shared/corpus is not here");
        return;
    };
    for name in ["webknowit", "waikolai"] {
        let folder = corpus.join(name);
        if folder.is_dir() {
            merge_is_scan(name, &logs(&folder), 4, 16);
        } else {
            println!("skipped: ../shared/corpus/{name} is not here");
        }
    }
}
