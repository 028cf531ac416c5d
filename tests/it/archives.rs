//! Evidence in archives is the same evidence.
//!
//! In: the showcase, packed in every way; archives that are damaged or lie.
//! Out: the case of each, compared with that of the plain folder, paths
//! apart.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use iisleuth::evidence::Access;
use iisleuth::scan::Scanner;
use serde_json::Value;
use walkdir::WalkDir;

use crate::packers::{Pack, SevenZ, bzip2, gzip, xz, zstd};
use crate::scanning::{embedded, files, options, same, scan};
use crate::support::{Folder, root, run};

fn add(archive: &mut tar::Builder<Vec<u8>>, name: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, bytes).unwrap();
}

/// The files below a folder, each with its name from there.
pub fn below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let walk = WalkDir::new(folder).sort_by_file_name();
    let files = walk.into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).unwrap();
            let parts: Vec<_> = name.iter().map(|p| p.to_str()).collect();
            let parts: Option<Vec<_>> = parts.into_iter().collect();
            let bytes = std::fs::read(entry.path()).unwrap();
            (parts.unwrap().join("/"), bytes)
        })
        .collect()
}

pub fn tar_of(folder: &Path) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in below(folder) {
        add(&mut archive, &name, &bytes);
    }
    archive.into_inner().unwrap()
}

/// A zip of these files, packed or stored.
pub fn zip(files: &[(String, Vec<u8>)], is_packed: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (name, content) in files {
        let method = if is_packed {
            rawzip::CompressionMethod::DEFLATE
        } else {
            rawzip::CompressionMethod::STORE
        };
        let (mut entry, config) =
            archive.new_file(name).compression_method(method).start().unwrap();
        let descriptor = if is_packed {
            let level = flate2::Compression::fast();
            let packer = flate2::write::DeflateEncoder::new(&mut entry, level);
            let mut writer = config.wrap(packer);
            writer.write_all(content).unwrap();
            let (packer, descriptor) = writer.finish().unwrap();
            packer.finish().unwrap();
            descriptor
        } else {
            let mut writer = config.wrap(&mut entry);
            writer.write_all(content).unwrap();
            writer.finish().unwrap().1
        };
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

/// A `.tgz` for each host, all in one tar.
fn nested(folder: &Path) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_str().unwrap();
            let inner = gzip(&tar_of(&path));
            add(&mut archive, &format!("{name}.tgz"), &inner);
        }
    }
    archive.into_inner().unwrap()
}

/// The case and the hits of a path, with the names that `rename` gives and
/// without the rows of archives.
fn found(scanner: &Scanner<'_>, path: &Path, from: &[(&str, &str)]) -> String {
    let (case, hits) = scan(scanner, embedded(), &[path.to_owned()]);
    let (case, hits) = files(&case, &hits);
    let rename = |bytes: Vec<u8>| {
        let mut text = String::from_utf8(bytes).unwrap();
        for (old, new) in from {
            text = text.replace(old, new);
        }
        text
    };
    let mut case: Value = serde_json::from_str(&rename(case)).unwrap();
    let exhibits = case["exhibits"].as_array_mut().unwrap();
    exhibits.retain(|row| row["dialect"] != "archive");
    exhibits.sort_by_key(|row| row["path"].to_string());
    let warnings = case["warnings"].as_array_mut().unwrap();
    warnings.retain(|row| row["detail"] != "not a log that iisleuth knows");
    let mut lines: Vec<String> =
        rename(hits).lines().map(str::to_owned).collect();
    // Stable: the hits of one exhibit stay in their order.
    lines.sort_by_key(|line| {
        let hit: Value = serde_json::from_str(line).unwrap();
        hit["exhibit"].to_string()
    });
    serde_json::to_string_pretty(&case).unwrap() + "\n" + &lines.join("\n")
}

fn scanner(threads: usize, chunk: usize) -> Scanner<'static> {
    Scanner::new(embedded(), options(threads, chunk, Access::Auto)).unwrap()
}

#[test]
fn packed_evidence_gives_the_same_case() {
    let folder = Folder::new("archives");
    let plain = root().join("testdata").join("showcase");
    let name = |path: &Path| path.to_str().unwrap().to_owned();
    let scanner = scanner(2, 1 << 20);
    let expected =
        found(&scanner, &plain, &[(&(name(&plain) + "/"), "SHOW/")]);
    assert!(expected.matches("\"matched_on\"").count() > 1_000);
    let whole = tar_of(&plain);
    let packers: [(&str, Pack); 5] = [
        ("a.tar", <[u8]>::to_vec),
        ("a.tar.gz", gzip),
        ("a.tar.bz2", bzip2),
        ("a.tar.xz", xz),
        // Told by content, not by name.
        ("old.log", zstd),
    ];
    for (file, pack) in packers {
        let path = folder.write(file, pack(&whole));
        let from = name(&path) + "!/";
        let got = found(&scanner, &path, &[(&from, "SHOW/")]);
        same(file, expected.as_bytes(), got.as_bytes());
    }
    for (file, is_packed) in [("a.zip", true), ("b.zip", false)] {
        let path = folder.write(file, zip(&below(&plain), is_packed));
        let from = name(&path) + "!/";
        let got = found(&scanner, &path, &[(&from, "SHOW/")]);
        same(file, expected.as_bytes(), got.as_bytes());
    }
    let sevenz = SevenZ::of(&below(&plain)).bytes();
    let path = folder.write("a.7z", &sevenz);
    let from = name(&path) + "!/";
    let got = found(&scanner, &path, &[(&from, "SHOW/")]);
    same("a.7z", expected.as_bytes(), got.as_bytes());
    let outer = zip(&[("in.7z".to_owned(), sevenz)], false);
    let path = folder.write("7z-in.zip", outer);
    let from = name(&path) + "!/in.7z!/";
    let got = found(&scanner, &path, &[(&from, "SHOW/")]);
    same("a 7z in a zip", expected.as_bytes(), got.as_bytes());
    let inner = zip(&below(&plain), true);
    let outer = zip(&[("in.zip".to_owned(), inner)], true);
    let path = folder.write("zip-in.zip", outer);
    let from = name(&path) + "!/in.zip!/";
    let got = found(&scanner, &path, &[(&from, "SHOW/")]);
    same("a zip in a zip", expected.as_bytes(), got.as_bytes());
    let path = folder.write("all.tar", nested(&plain));
    let from = name(&path) + "!/";
    let got = found(&scanner, &path, &[(&from, "SHOW/"), (".tgz!/", "/")]);
    same("nested", expected.as_bytes(), got.as_bytes());
}

#[test]
fn threads_and_chunks_do_not_matter() {
    let folder = Folder::new("archive-ways");
    let plain = root().join("testdata").join("showcase").join("SP01");
    let files = below(&plain);
    let mut bent = zip(&files, true);
    let middle = bent.len() / 2;
    bent[middle..middle + 9].fill(0xff);
    let solid = SevenZ::of(&files).bytes();
    for (name, bytes) in [
        ("SP01.tar.gz", gzip(&tar_of(&plain))),
        ("SP01.zip", zip(&files, true)),
        ("bent.zip", bent),
        ("SP01.7z", solid),
    ] {
        let path = folder.write(name, bytes);
        threads_and_chunks_do_not_matter_to(path);
    }
}

fn threads_and_chunks_do_not_matter_to(path: PathBuf) {
    let paths = [path];
    let of = |scanner: &Scanner<'_>| {
        let (case, hits) = scan(scanner, embedded(), &paths);
        files(&case, &hits)
    };
    let expected = of(&scanner(1, 1 << 20));
    for threads in [1, 2, 8] {
        for chunk in [64, 4096, 1 << 20] {
            let got = of(&scanner(threads, chunk));
            let way = format!("{threads} threads, chunks of {chunk}");
            same(&way, &expected.0, &got.0);
            same(&way, &expected.1, &got.1);
        }
    }
}

pub fn good_log() -> String {
    let line = "2001-07-19 13:01:02 192.0.2.7 GET /default.ida \
                NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN%u9090=a 200 0\n";
    let fields = "#Fields: date time c-ip cs-method cs-uri-stem \
                  cs-uri-query sc-status sc-win32-status\n";
    fields.to_owned() + &line.repeat(50)
}

/// The exit code, the summary of the case, and the warnings.
pub fn outcome(path: &Path) -> (Option<i32>, Value, Vec<String>) {
    let path = path.to_str().unwrap();
    let run =
        run(["scan", "-q", "--format", "json", "--keep-duplicates", path]);
    let case: Value = serde_json::from_str(&run.out()).unwrap();
    let warnings = case["warnings"].as_array().unwrap().iter();
    let warnings = warnings
        .map(|row| format!("{}: {}", row["kind"], row["detail"]))
        .collect();
    (run.code, case["summary"].clone(), warnings)
}

#[test]
fn archives_in_archives_have_a_bound() {
    let folder = Folder::new("archive-depth");
    // Larger than what waits in a queue: that one archive is left unread
    // must not cost what stands behind it.
    let mut inner = good_log().repeat(600).into_bytes();
    let mut name = "W3SVC1/ex010719.log".to_owned();
    for level in 0..10 {
        let mut archive = tar::Builder::new(Vec::new());
        add(&mut archive, &name, &inner);
        add(&mut archive, "beside.log", good_log().as_bytes());
        inner = archive.into_inner().unwrap();
        name = format!("{level}.tar");
    }
    let (code, summary, warnings) = outcome(&folder.write("x.tar", inner));
    assert_eq!(code, Some(3));
    // One beside each archive that was opened.
    assert_eq!(summary["hits"], 8 * 50);
    let limit = |it: &&String| it.contains("8 archives deep");
    assert_eq!(warnings.iter().filter(limit).count(), 1, "{warnings:?}");
}

#[test]
fn a_damaged_archive_costs_only_itself() {
    let folder = Folder::new("archive-damage");
    let mut archive = tar::Builder::new(Vec::new());
    add(&mut archive, "a/ex010719.log", good_log().as_bytes());
    add(&mut archive, "b/ex010719.log", good_log().as_bytes());
    let whole = archive.into_inner().unwrap();
    folder.write("good/ex010719.log", good_log());
    folder.write("cut.tar", &whole[..whole.len() - 3000]);
    let mut bent = gzip(&whole);
    let middle = bent.len() / 2;
    bent[middle] ^= 0xff;
    folder.write("bent.tgz", bent);
    let (code, summary, warnings) = outcome(folder.path());
    assert_eq!(code, Some(3), "{warnings:?}");
    let hits = summary["hits"].as_u64().unwrap();
    // All of the good one, and all but the end of the cut one.
    assert!((100..250).contains(&hits), "{hits} hits, {warnings:?}");
    for kind in ["cut", "lost"] {
        let is_told = warnings.iter().any(|it| it.contains(kind));
        assert!(is_told, "{kind}: {warnings:?}");
    }
}

/// Members with their sizes before them, no directory, and so many bytes
/// less at the end.
fn sized(files: &[(String, Vec<u8>)], less: usize) -> Vec<u8> {
    let mut zip = Vec::new();
    for (name, content) in files {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let size = u32::try_from(content.len()).unwrap().to_le_bytes();
        let length = u16::try_from(name.len()).unwrap().to_le_bytes();
        zip.extend_from_slice(b"PK\x03\x04\x0a\0\0\0\0\0\0\0\0\0");
        zip.extend_from_slice(&crc.sum().to_le_bytes());
        zip.extend_from_slice(&[size, size].concat());
        zip.extend_from_slice(&[length, [0; 2]].concat());
        zip.extend_from_slice(name.as_bytes());
        zip.extend_from_slice(content);
    }
    zip.truncate(zip.len() - less);
    zip
}

#[test]
fn zips_that_lie_or_are_cut() {
    let folder = Folder::new("zip-damage");
    let log = good_log().into_bytes();
    let files = [
        ("a\\W3SVC1\\ex010719.log".to_owned(), log.clone()),
        ("b/ex010719.log".to_owned(), log.clone()),
    ];
    let (whole, packed) = (zip(&files, false), zip(&files, true));
    let at = |needle: &[u8], bytes: &[u8]| {
        bytes.windows(needle.len()).rposition(|it| it == needle).unwrap()
    };
    // A byte of the first member: its checksum does not fit.
    let mut bent = whole.clone();
    bent[at(b"default.ida", &whole[..log.len()])] ^= 1;
    // The first entry of the directory says: encrypted; a way to pack that
    // nobody knows; more bytes than there are.
    let first = whole.windows(4).position(|it| it == b"PK\x01\x02").unwrap();
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = whole.clone();
        changed[first + at..first + at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let mut strange = sized(&files, 0);
    strange[8] = 98;
    let ways = [
        ("bent", bent, 100, "lost"),
        ("encrypted", with(8, &[9, 0]), 50, "encrypted"),
        ("method", with(10, &[98, 0]), 50, "method 98"),
        ("size", with(24, &[0xff, 0xff, 0xff, 0]), 100, "lost"),
        // Its sizes stood in the directory, because they were not known
        // when the headers were written.
        ("cut", whole[..whole.len() - 60].to_vec(), 0, "is lost"),
        ("cut-packed", packed[..packed.len() - 60].to_vec(), 100, "cut"),
        ("half", packed[..packed.len() / 2].to_vec(), 50, "lost"),
        ("sized", sized(&files, 0), 100, "no directory"),
        ("sized-half", sized(&files, 900), 50, "lost"),
        ("sized-method", strange, 50, "method 98"),
    ];
    for (name, bytes, hits, told) in ways {
        let (code, summary, warnings) =
            outcome(&folder.write(&format!("{name}.zip"), bytes));
        assert_eq!(code, Some(3), "{name}: {warnings:?}");
        assert!(
            summary["hits"].as_u64().unwrap() >= hits - hits / 50,
            "{name}: {summary} {warnings:?}"
        );
        let is_told = warnings.iter().any(|it| it.contains(told));
        assert!(is_told, "{name}: {warnings:?}");
    }
    let good = folder.write("good.zip", whole.clone());
    let (code, summary, _) = outcome(&good);
    assert_eq!((code, &summary["hits"]), (Some(0), &Value::from(100)));
    let good = good.to_str().unwrap();
    let run = run(["scan", "-q", "--format", "json", "--hash", "none", good]);
    let case: Value = serde_json::from_str(&run.out()).unwrap();
    assert_eq!(run.code, Some(0));
    for row in case["exhibits"].as_array().unwrap() {
        assert!(row["sha256"].is_null() && row["bytes"] != 0, "{row}");
    }
}

#[test]
fn an_archive_of_anything_is_survived() {
    let folder = Folder::new("archive-odd");
    let mut archive = tar::Builder::new(Vec::new());
    add(&mut archive, "empty", b"");
    add(&mut archive, "readme.txt", b"hello\n");
    add(&mut archive, "bytes.bin", &[0, 1, 2, 255].repeat(1000));
    add(&mut archive, "bomb.gz", &gzip(&[0; 16_000].repeat(500)));
    add(&mut archive, "x/ex010719.log", good_log().as_bytes());
    add(&mut archive, "x/ex010719.log", good_log().as_bytes());
    let path: PathBuf = folder.write("x.tar", archive.into_inner().unwrap());
    let (_, summary, warnings) = outcome(&path);
    // A name that stands twice is two exhibits.
    assert_eq!(summary["hits"], 100, "{warnings:?}");
}
