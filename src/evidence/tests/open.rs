//! How exhibits open, and files that change meanwhile.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use super::super::{Access, Content, Hashing, Mapping, hex, sha256};
use super::{Folder, buffered, one, read};
use crate::warning::Kind;

/// One test at a time maps: one takes all slots.
static MAPS: Mutex<()> = Mutex::new(());

/// Nothing where this platform does not map.
fn mapped(path: &Path) -> Option<Mapping> {
    match one(path).open(Access::Auto, Hashing::Sha256).unwrap() {
        Content::Mapped(mapping) => Some(mapping),
        Content::Whole(_) | Content::Zip(_) | Content::SevenZ(_) => {
            panic!("nobody asked for it")
        }
        Content::Stream(_) => {
            assert_ne!(std::env::consts::OS, "linux", "refused");
            None
        }
    }
}

/// Opened where files of at most 9 bytes count as small.
fn small(path: &Path) -> Content {
    let buffer = || vec![7; 3];
    let exhibit = one(path);
    exhibit.open_small(Access::Auto, Hashing::Sha256, 9, buffer).unwrap()
}

#[test]
fn a_small_file_is_read_at_once_and_watched() {
    let folder = Folder::new();
    let path = folder.file("a.log", b"123456789");
    let open = || match small(&path) {
        Content::Whole(whole) => whole,
        other => panic!("{other:?}"),
    };
    let whole = open();
    assert_eq!(whole.bytes(), b"123456789");
    let digest = whole.sha256();
    assert_eq!(digest, sha256(b"123456789"));
    let (end, buffer) = whole.finish(Some(digest));
    assert_eq!((end.raw_bytes, end.sha256), (9, Some(digest)));
    assert_eq!((end.warnings, buffer), (vec![], b"123456789".to_vec()));
    for length in [0, 5, 12] {
        let whole = open();
        resize(&path, length);
        // What was read is what the file held when it was opened.
        assert_eq!(whole.bytes(), b"123456789", "{length}");
        let (end, _) = whole.finish(Some(digest));
        assert_eq!(end.sha256, None, "{length}");
        assert_eq!(end.warnings[0].kind, Kind::Changed, "{length}");
        folder.file("a.log", b"123456789");
    }
}

#[test]
fn what_is_not_small_is_opened_as_ever() {
    let _one = MAPS.lock();
    let folder = Folder::new();
    let large = folder.file("a.log", b"1234567890");
    let gzip = folder.file("b.log.gz", b"\x1f\x8b\x08\x00");
    let empty = folder.file("c.log", b"");
    assert!(!matches!(small(&large), Content::Whole(_)));
    assert!(matches!(small(&gzip), Content::Stream(_)));
    assert!(matches!(small(&empty), Content::Stream(_)));
}

fn resize(path: &Path, length: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(length).unwrap();
}

fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte)).sum()
}

#[test]
fn the_digest_is_the_same_in_all_ways() {
    let _one = MAPS.lock();
    let folder = Folder::new();
    let abc =
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let path = folder.file("abc", b"abc");
    assert_eq!(hex(&sha256(b"abc")), abc);
    let (bytes, end) = buffered(&path);
    assert_eq!(bytes, b"abc");
    assert_eq!(end.warnings, []);
    assert_eq!(end.sha256.map(|digest| hex(&digest)).as_deref(), Some(abc));
    if let Some(mapping) = mapped(&path) {
        assert_eq!(mapping.bytes(), b"abc");
        assert_eq!(mapping.sha256(), Some(sha256(b"abc")));
        assert_eq!((mapping.lost(), mapping.check()), (None, None));
    }
    let stream = match one(&path).open(Access::Buffered, Hashing::None) {
        Ok(Content::Stream(stream)) => stream,
        other => panic!("{other:?}"),
    };
    assert!(!stream.is_compressed());
    assert_eq!(read(stream).1.sha256, None);
}

#[test]
fn gzip_and_empty_files_are_streams() {
    let folder = Folder::new();
    for bytes in [&b""[..], b"\x1f\x8b"] {
        let path = folder.file("not-named-gz.log", bytes);
        let content = one(&path).open(Access::Auto, Hashing::Sha256);
        let Ok(Content::Stream(stream)) = content else { panic!() };
        assert_eq!(stream.is_compressed(), !bytes.is_empty());
        let (decoded, end) = read(stream);
        assert!(decoded.is_empty());
        assert_eq!(end.sha256, Some(sha256(bytes)));
    }
}

#[test]
fn a_mapped_file_that_shrinks_is_survived() {
    let _one = MAPS.lock();
    let folder = Folder::new();
    let path = folder.file("x.log", &vec![1; 1 << 20]);
    let Some(mapping) = mapped(&path) else { return };
    assert_eq!(mapping.lost(), None);
    resize(&path, 64 << 10);
    assert_eq!(mapping.lost(), Some(65_536));
    assert_eq!(sum(mapping.bytes()), 64 << 10);
    assert_eq!(mapping.lost(), Some(65_536));
    let warning = mapping.check().unwrap();
    assert_eq!(warning.kind, Kind::Lost);
    assert!(warning.detail.contains("65536"), "{}", warning.detail);
    assert_eq!(mapping.sha256(), None);
    drop(mapping);
    // The handler stands, and the slot is free again.
    let path = folder.file("y.log", &vec![1; 1 << 20]);
    let mapping = mapped(&path).unwrap();
    resize(&path, 0);
    assert_eq!(sum(mapping.bytes()), 0);
    assert_eq!(mapping.lost(), Some(0));
}

#[test]
fn a_cut_inside_a_page_shows_in_the_check() {
    let _one = MAPS.lock();
    let folder = Folder::new();
    let path = folder.file("x.log", &vec![1; 10_000]);
    let Some(mapping) = mapped(&path) else { return };
    resize(&path, 9_000);
    assert_eq!(sum(mapping.bytes()), 9_000);
    assert_eq!(mapping.check().unwrap().kind, Kind::Lost);
    assert_eq!(mapping.lost(), Some(9_000));
}

#[test]
fn growth_and_change_are_told() {
    let _one = MAPS.lock();
    let folder = Folder::new();
    let path = folder.file("x.log", &vec![1; 10_000]);
    let exhibit = one(&path);
    let mapping = mapped(&path);
    let content = exhibit.open(Access::Buffered, Hashing::Sha256).unwrap();
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"more").unwrap();
    let Content::Stream(stream) = content else { panic!() };
    let (bytes, end) = read(stream);
    assert_eq!((bytes.len(), end.sha256), (10_004, None));
    let kinds: Vec<_> = end.warnings.iter().map(|w| w.kind).collect();
    assert_eq!(kinds, [Kind::Changed]);
    if let Some(mapping) = mapping {
        assert_eq!(mapping.bytes().len(), 10_000);
        assert_eq!(mapping.check().unwrap().kind, Kind::Changed);
        assert_eq!((mapping.lost(), mapping.sha256()), (None, None));
    }
}

#[test]
fn a_streamed_file_that_shrinks_is_told() {
    let folder = Folder::new();
    let path = folder.file("x.log", &vec![1; 3 << 20]);
    let content = one(&path).open(Access::Buffered, Hashing::Sha256);
    let Ok(Content::Stream(stream)) = content else { panic!() };
    resize(&path, 2 << 20);
    let (bytes, end) = read(stream);
    assert_eq!((bytes.len(), end.sha256), (2 << 20, None));
    let kinds: Vec<_> = end.warnings.iter().map(|w| w.kind).collect();
    assert_eq!(kinds, [Kind::Lost]);
}

#[test]
fn many_threads_and_many_cuts() {
    let _one = MAPS.lock();
    let folder = Folder::new();
    for round in 0..20_u64 {
        let path = folder.file("x.log", &vec![1; 1 << 20]);
        let Some(mapping) = mapped(&path) else { return };
        let length = (round * 52_391) % (1 << 20);
        std::thread::scope(|scope| {
            scope.spawn(|| resize(&path, length));
            for _ in 0..4 {
                scope.spawn(|| {
                    for chunk in mapping.bytes().chunks(16 << 10).rev() {
                        assert!(sum(chunk) <= 16 << 10);
                    }
                });
            }
        });
        let warning = mapping.check().unwrap();
        assert_eq!((warning.kind, mapping.lost()), (Kind::Lost, Some(length)));
        let whole = usize::try_from(length).unwrap();
        let kept = mapping.bytes().get(..whole).unwrap();
        assert_eq!(sum(kept), length);
    }
}

#[test]
fn without_a_slot_it_is_read_buffered() {
    let _one = MAPS.lock();
    let folder = Folder::new();
    let path = folder.file("x.log", b"x");
    let exhibit = one(&path);
    let open = || exhibit.open(Access::Auto, Hashing::None).unwrap();
    let contents: Vec<_> = (0..260).map(|_| open()).collect();
    let maps = contents.iter().filter(|c| matches!(c, Content::Mapped(_)));
    let expected = if cfg!(target_os = "linux") { 256 } else { 0 };
    assert!(maps.count() == expected || cfg!(windows));
    drop(contents);
    assert!(matches!(open(), Content::Mapped(_)) || expected == 0);
}

#[test]
fn what_vanishes_or_turns_is_told() {
    let folder = Folder::new();
    let path = folder.file("x.log", b"x");
    let exhibit = one(&path);
    fs::remove_file(&path).unwrap();
    let open = || exhibit.open(Access::Auto, Hashing::Sha256).unwrap_err();
    assert_eq!(open().kind, Kind::Unreadable);
    fs::create_dir(&path).unwrap();
    assert_eq!(open().kind, Kind::Unreadable);
    assert_eq!(open().exhibit, exhibit.name);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_file_that_becomes_a_pipe_does_not_block() {
        let folder = Folder::new();
        let path = folder.file("x.log", b"x");
        let exhibit = one(&path);
        fs::remove_file(&path).unwrap();
        Command::new("mkfifo").arg(&path).status().unwrap();
        let opened = exhibit.open(Access::Auto, Hashing::Sha256);
        assert_eq!(opened.unwrap_err().kind, Kind::Unreadable);
        // Nor does the open itself, should it turn right before.
        let file = super::super::super::map::open_read_only(&path).unwrap();
        assert!(!file.metadata().unwrap().is_file());
    }

    #[test]
    fn a_closed_file_is_told() {
        let folder = Folder::new();
        let path = folder.file("x.log", b"x");
        let exhibit = one(&path);
        let closed = fs::Permissions::from_mode(0o000);
        fs::set_permissions(&path, closed).unwrap();
        if fs::File::open(&path).is_err() {
            let opened = exhibit.open(Access::Auto, Hashing::Sha256);
            assert_eq!(opened.unwrap_err().kind, Kind::Unreadable);
        }
    }

    #[test]
    fn evidence_is_left_as_it_was() {
        let folder = Folder::new();
        let path = folder.file("x.log", b"x");
        let look = || {
            let it = fs::metadata(&path).unwrap();
            (it.mode(), it.mtime_nsec(), it.ctime_nsec(), it.atime_nsec())
        };
        let before = look();
        assert_eq!(buffered(&path).0, b"x");
        assert!(before == look() || cfg!(not(target_os = "linux")));
    }

    /// The test calls itself: the child installs the guard and is sent
    /// SIGBUS by another process. As without the guard, the first only
    /// takes the standard library's handler off, and the second ends it.
    #[test]
    fn a_signal_from_outside_still_ends() {
        const CHILD: &str = "IISLEUTH_TEST_SIGBUS";
        if std::env::var_os(CHILD).is_some() {
            let _one = MAPS.lock();
            let folder = Folder::new();
            let mapping = mapped(&folder.file("x.log", b"x"));
            drop((mapping, folder));
            let id = std::process::id().to_string();
            for _ in 0..2 {
                let _ = Command::new("kill").args(["-BUS", &id]).status();
                std::thread::sleep(std::time::Duration::from_millis(200));
            }
            return;
        }
        let name = "evidence::tests::open::unix::\
                    a_signal_from_outside_still_ends";
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(CHILD, "1")
            .output()
            .unwrap()
            .status;
        assert!(status.signal().is_some(), "{status}");
    }
}
