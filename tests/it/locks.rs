//! Archives that are encrypted, or packed in a way that is rare.
//!
//! In: archives that other packers made, and our own. Out: the hits of the
//! log in them with the right password, and a row with the reason without.

use std::path::Path;

use serde_json::Value;

use crate::archives::{good_log, outcome};
use crate::packed_samples::{
    AES_7Z, AES_7Z_HIDDEN, AES_ZIP, LZMA_ZIP, PPMD_7Z, sample,
};
use crate::packers::{ZipMember, bzip2, deflate, encrypted, xz, zip_of, zstd};
use crate::support::{Folder, run};

/// The case that `scan` prints, and the exit code.
fn scan(path: &Path, words: &[&str]) -> (Option<i32>, Value) {
    let mut all = vec!["scan", "-q", "--keep-duplicates", "--format", "json"];
    all.extend(words);
    all.push(path.to_str().unwrap());
    let run = run(all);
    assert!(!run.stdout.is_empty(), "{}", run.err());
    (run.code, serde_json::from_str(&run.out()).unwrap())
}

/// A zip of two good logs, encrypted with two passwords in the old way.
fn two_locks() -> Vec<u8> {
    let log = good_log();
    let one = ZipMember::deflated("one/ex010719.log", log.as_bytes());
    let two = ZipMember::stored("two/ex010719.log", log.as_bytes());
    zip_of(&[encrypted(one, b"first"), encrypted(two, b"second")])
}

#[test]
fn a_password_opens_what_is_encrypted() {
    let folder = Folder::new("locks");
    let samples = [
        ("aes.zip", sample(AES_ZIP)),
        ("aes.7z", sample(AES_7Z)),
        ("hidden.7z", sample(AES_7Z_HIDDEN)),
    ];
    for (name, bytes) in samples {
        let path = folder.write(name, bytes);
        let words = ["--password", "wrong", "--password", "secret"];
        let (code, case) = scan(&path, &words);
        assert_eq!(code, Some(0), "{name}: {}", case["warnings"]);
        assert_eq!(case["summary"]["hits"], 50, "{name}");
        for (words, why) in [
            (&[][..], "encrypted: give --password"),
            (&["--password", "wrong"], "encrypted: wrong password"),
        ] {
            let (code, case) = scan(&path, words);
            assert_eq!(code, Some(3), "{name}");
            let told = case["warnings"][0]["detail"].as_str().unwrap();
            assert!(told.ends_with(why), "{name}: {told}");
            assert!(!case.to_string().contains("wrong\""), "{name}");
        }
    }
}

#[test]
fn an_encrypted_member_has_a_row_of_its_own() {
    let folder = Folder::new("lock-rows");
    let path = folder.write("two.zip", two_locks());
    let words = folder.write("words", "second\r\nno\n");
    let words = ["--password-file", words.to_str().unwrap()];
    let (code, case) = scan(&path, &words);
    assert_eq!((code, &case["summary"]["hits"]), (Some(3), &50.into()));
    let name = path.to_str().unwrap().to_owned() + "!/one/ex010719.log";
    let row = &case["warnings"][0];
    assert_eq!(row["exhibit"], Value::from(name.as_str()));
    assert_eq!(row["detail"], "zip: encrypted: wrong password");
    let mut rows = case["exhibits"].as_array().unwrap().iter();
    let row = rows.find(|row| row["path"] == name.as_str());
    assert!(row.unwrap()["sha256"].is_null(), "{row:?}");
    // The same where the directory is lost.
    let zip = two_locks();
    let path = folder.write("cut.zip", &zip[..zip.len() - 30]);
    let (code, case) = scan(&path, &words);
    assert_eq!((code, &case["summary"]["hits"]), (Some(3), &50.into()));
}

#[test]
fn one_of_many_passwords_is_found() {
    let folder = Folder::new("lock-many");
    let path = folder.write("two.zip", two_locks());
    // About eight of these have the right check byte by chance.
    let mut words: Vec<String> = (0..2_000).map(|it| it.to_string()).collect();
    words.extend(["first".to_owned(), "second".to_owned()]);
    let words = folder.write("words", words.join("\n"));
    let words = ["--password-file", words.to_str().unwrap()];
    let (code, case) = scan(&path, &words);
    assert_eq!(code, Some(0), "{}", case["warnings"]);
    assert_eq!(case["summary"]["hits"], 100);
}

#[test]
fn a_password_file_must_be_there() {
    let run = run(["scan", "--password-file", "/nowhere/x", "testdata"]);
    assert_eq!(run.code, Some(2), "{}", run.err());
}

#[test]
fn rare_ways_to_pack_are_read() {
    let folder = Folder::new("methods");
    let log = good_log().into_bytes();
    let with = |method, packed| {
        zip_of(&[ZipMember::new("ex010719.log", method, &log, packed)])
    };
    let ways = [
        ("lzma.zip", sample(LZMA_ZIP)),
        ("ppmd.7z", sample(PPMD_7Z)),
        ("deflate.zip", with(8, deflate(&log))),
        ("deflate64.zip", with(9, stored_blocks(&log))),
        ("bzip2.zip", with(12, bzip2(&log))),
        ("zstd.zip", with(93, zstd(&log))),
        ("xz.zip", with(95, xz(&log))),
    ];
    for (name, bytes) in ways {
        let (code, summary, warnings) = outcome(&folder.write(name, bytes));
        assert_eq!(code, Some(0), "{name}: {warnings:?}");
        assert_eq!(summary["hits"], 50, "{name}: {warnings:?}");
    }
}

/// Deflate without any matches, which is Deflate64 as well.
fn stored_blocks(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let level = flate2::Compression::none();
    let mut out = flate2::write::DeflateEncoder::new(Vec::new(), level);
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}
