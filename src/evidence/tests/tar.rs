//! tar, whole and damaged: what its members are.

use std::io::Read;
use std::path::Path;

use tar::{Builder, EntryType, Header};

use super::super::{
    Archive, Budget, Hashing, Member, Stream, StreamEnd, Tar, sha256,
};
use super::gzip::{kinds, text};
use crate::limits;
use crate::warning::Kind;

fn header(name: &[u8], size: u64, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    let field = &mut header.as_old_mut().name;
    field[..name.len()].copy_from_slice(name);
    header.set_size(size);
    header.set_entry_type(kind);
    header.set_cksum();
    header
}

fn pack(members: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (name, bytes) in members {
        let header = header(name, bytes.len() as u64, EntryType::Regular);
        archive.append(&header, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

/// Name and bytes of each member, and what was met.
type Found = (Vec<(Vec<u8>, Vec<u8>)>, StreamEnd);

fn walk(bytes: &[u8], path: &str) -> Found {
    walk_within(bytes, path, &Budget::of(bytes.len() as u64))
}

/// What members say, where they can be read.
fn members_or_refusals(bytes: &[u8]) -> (Vec<String>, StreamEnd) {
    let (mut told, budget) = (Vec::new(), Budget::unbounded());
    let end = each(bytes, "x.tar", &budget, |member| {
        told.push(match member.stream(Hashing::None, &budget) {
            Ok(stream) => String::from_utf8(super::read(stream).0).unwrap(),
            Err(_) => "refused".to_owned(),
        });
    });
    (told, end)
}

fn walk_within(bytes: &[u8], path: &str, budget: &Budget) -> Found {
    let mut members = Vec::new();
    let end = each(bytes, path, budget, |member| {
        let name = member.name.as_bytes().to_vec();
        let stream = member.stream(Hashing::None, budget).unwrap();
        members.push((name, super::read(stream).0));
    });
    (members, end)
}

/// Hands over each member; returns what was met.
fn each(
    bytes: &[u8],
    path: &str,
    budget: &Budget,
    take: impl FnMut(Member),
) -> StreamEnd {
    let reader = Box::new(std::io::Cursor::new(bytes.to_vec()));
    let mut stream = Stream::new(path.into(), reader, Hashing::Sha256);
    let mut head = Vec::new();
    stream.by_ref().take(1000).read_to_end(&mut head).unwrap();
    assert!(Tar::is_start(&head));
    let tar = Archive::Tar(Tar::new(head, stream));
    let (walk, members) = tar.open(&path.into(), Path::new(path), budget);
    std::thread::scope(|scope| {
        let walker = scope.spawn(|| walk.run());
        members.into_iter().for_each(take);
        walker.join().unwrap()
    })
}

#[test]
fn members_have_names_bytes_and_an_order() {
    let long = text(60_000);
    let bytes = pack(&[
        (b"./W3SVC1/ex010719.log", b"one\n"),
        (b"b.log", &long),
        (b"empty.log", b""),
        (b"b.log", b"again\n"),
        (b"../../up.log", b"up\n"),
        (b"/etc/x.log", b"abs\n"),
        (b"caf\xe9.log", b"ansi\n"),
    ]);
    let (members, end) = walk(&bytes, "old.tar");
    let expected: [(&[u8], &[u8]); 7] = [
        (b"old.tar!/W3SVC1/ex010719.log", b"one\n"),
        (b"old.tar!/b.log", &long),
        (b"old.tar!/empty.log", b""),
        (b"old.tar!/b.log#2", b"again\n"),
        (b"old.tar!/../../up.log", b"up\n"),
        (b"old.tar!//etc/x.log", b"abs\n"),
        (b"old.tar!/caf\xe9.log", b"ansi\n"),
    ];
    let found = members
        .iter()
        .map(|(name, bytes)| (name.as_slice(), bytes.as_slice()));
    assert!(found.eq(expected));
    assert_eq!(end.warnings, []);
    assert_eq!(end.raw_bytes, bytes.len() as u64);
    assert_eq!(end.sha256, Some(sha256(&bytes)));
}

#[test]
fn a_cut_keeps_what_came_before() {
    let long = text(2_000);
    let names: [&[u8]; 3] = [b"a.log", b"b.log", b"c.log"];
    let bytes = pack(&names.map(|name| (name, long.as_slice())));
    let whole = long.repeat(3);
    let mut longest = 0;
    for at in (512..bytes.len()).step_by(777) {
        let (members, end) = walk(&bytes[..at], "x.tar");
        let got: Vec<u8> =
            members.into_iter().flat_map(|(_, bytes)| bytes).collect();
        assert!(whole.starts_with(&got), "{at}");
        assert!(got.len() >= longest, "{at}");
        longest = got.len();
        // Blocks of zeros may be missing at the end; nothing else.
        let is_whole = got.len() == whole.len();
        assert!(is_whole || kinds(&end) == [Kind::Cut], "{at} {end:?}");
    }
    assert_eq!(longest, whole.len());
}

#[test]
fn what_is_no_file_is_counted() {
    let mut archive = Builder::new(Vec::new());
    for (name, kind) in [
        (&b"dir/"[..], EntryType::Directory),
        (b"link", EntryType::Symlink),
        (b"hard", EntryType::Link),
        (b"pipe", EntryType::Fifo),
        (b"disk", EntryType::Block),
    ] {
        let mut header = header(name, 0, kind);
        header.set_link_name("/etc/passwd").unwrap();
        header.set_cksum();
        archive.append(&header, &b""[..]).unwrap();
    }
    let log = header(b"x.log", 2, EntryType::Regular);
    archive.append(&log, &b"x\n"[..]).unwrap();
    let (members, end) = walk(&archive.into_inner().unwrap(), "x.tar");
    assert_eq!(members, [(b"x.tar!/x.log".to_vec(), b"x\n".to_vec())]);
    assert_eq!(kinds(&end), [Kind::Odd]);
    assert_eq!(end.warnings[0].count, 4);
}

#[test]
fn sizes_that_lie() {
    for size in [u64::MAX >> 1, 1 << 40, 5_000] {
        let mut bytes =
            header(b"a.log", size, EntryType::Regular).as_bytes().to_vec();
        bytes.extend_from_slice(&text(20));
        let (members, end) = walk(&bytes, "x.tar");
        let [(_, got)] = members.as_slice() else { panic!("{members:?}") };
        assert!(got.starts_with(&text(20)));
        assert_eq!(kinds(&end), [Kind::Cut]);
    }
}

#[test]
fn no_more_comes_out_than_may() {
    let bytes = pack(&[(b"a.log", b"one\n"), (b"b.log", b"two\n")]);
    assert!(Budget::unbounded().take(1 << 60));
    for (budget, count) in [(3, 0), (4, 1), (7, 1), (8, 2)] {
        let budget = Budget::exactly(budget);
        let (members, end) = walk_within(&bytes, "x.tar", &budget);
        let whole = members.iter().filter(|(_, bytes)| bytes.len() == 4);
        assert_eq!(whole.count(), count);
        let expected = if count == 2 { vec![] } else { vec![Kind::Limit] };
        assert_eq!(kinds(&end), expected);
    }
}

#[test]
fn every_flipped_bit_is_survived() {
    let bytes = pack(&[(b"a.log", b"one\n"), (b"b.log", b"two\n")]);
    for bit in 512 * 8..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let (members, _) = walk(&bytes, "x.tar");
        assert!(!members.is_empty(), "bit {bit}");
    }
}

/// What stands before a member, and what it is of.
fn before(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let kind = EntryType::new(kind);
    let mut out = header(b"before", bytes.len() as u64, kind);
    out.set_cksum();
    let padding = bytes.len().next_multiple_of(512) - bytes.len();
    [out.as_bytes(), bytes, &vec![0; padding]].concat()
}

fn named(found: &[(Vec<u8>, Vec<u8>)]) -> Vec<(String, &[u8])> {
    let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    found.iter().map(|(name, bytes)| (text(name), bytes.as_slice())).collect()
}

#[test]
fn what_stands_before_a_member() {
    let long = b"deep/".repeat(100);
    let record = b"16 path=pax.log\n10 size=4\n";
    let bytes = [
        before(b'L', &[&long[..], b"\0"].concat()),
        pack(&[(b"short", b"one\n")]),
        before(b'g', b"13 path=global\n"),
        before(b'x', record),
        before(b'K', b"a link"),
        // Its own size is another.
        header(b"short", 1, EntryType::Regular).as_bytes().to_vec(),
        [b"two\n".as_slice(), &[0; 508]].concat(),
        pack(&[(b"plain.log", b"six\n")]),
    ];
    let (members, end) = walk(&bytes.concat(), "x.tar");
    let deep = format!("x.tar!/{}", "deep/".repeat(100));
    let expected = [
        (deep, &b"one\n"[..]),
        ("x.tar!/pax.log".to_owned(), b"two\n"),
        ("x.tar!/plain.log".to_owned(), b"six\n"),
    ];
    assert_eq!(named(&members), expected);
    assert_eq!(end.warnings, []);
}

#[test]
fn what_is_too_long_is_passed() {
    let most = usize::try_from(limits::TAR_HEADERS).unwrap();
    let long = vec![b'a'; most + 1];
    let bytes = [
        before(b'L', &long),
        pack(&[(b"a.log", b"one\n")]),
        before(b'x', &long),
        pack(&[(b"b.log", b"two\n")]),
    ];
    let (members, end) = walk(&bytes.concat(), "x.tar");
    let expected = [
        ("x.tar!/a.log".to_owned(), &b"one\n"[..]),
        ("x.tar!/b.log".to_owned(), b"two\n"),
    ];
    assert_eq!(named(&members), expected);
    assert_eq!(kinds(&end), [Kind::Limit]);
    assert_eq!(end.warnings[0].count, 2);
    // It need not be there.
    let cut = header(b"x", u64::MAX >> 1, EntryType::new(b'L'));
    let bytes = [pack(&[(b"a.log", b"one\n")]), cut.as_bytes().to_vec()];
    let (members, end) = walk(&bytes.concat(), "x.tar");
    assert_eq!(members.len(), 1);
    assert_eq!(kinds(&end), [Kind::Cut, Kind::Limit]);
}

/// A file with holes: pieces of a block each, the first after a hole.
fn holed(pieces: u64, name: &[u8]) -> Vec<u8> {
    let mut first = header(name, pieces * 512, EntryType::GNUSparse);
    let octal = |number: u64| format!("{number:011o}\0").into_bytes();
    let piece = |at: u64| [octal(at * 1024 + 512), octal(512)].concat();
    let mut rest = (0..pieces).map(piece);
    let gnu = first.as_mut_bytes();
    gnu[483..495].copy_from_slice(&octal(pieces * 1024));
    for (at, piece) in (386..482).step_by(24).zip(rest.by_ref()) {
        gnu[at..at + 24].copy_from_slice(&piece);
    }
    let rest: Vec<_> = rest.collect();
    gnu[482] = u8::from(!rest.is_empty());
    first.set_cksum();
    let mut out = first.as_bytes().to_vec();
    let mut blocks = rest.chunks(21).peekable();
    while let Some(block) = blocks.next() {
        let mut bytes = block.concat();
        bytes.resize(512, 0);
        bytes[504] = u8::from(blocks.peek().is_some());
        out.extend(bytes);
    }
    for at in 0..pieces {
        out.extend([b'a' + u8::try_from(at % 26).unwrap(); 512]);
    }
    out
}

#[test]
fn files_with_holes() {
    for pieces in [1, 4, 5, 25, 26, 300] {
        let bytes = [holed(pieces, b"a.log"), pack(&[(b"b.log", b"one\n")])];
        let (members, end) = walk(&bytes.concat(), "x.tar");
        assert_eq!(end.warnings, [], "{pieces}");
        let whole = (0..pieces).flat_map(|at| {
            let letter = b'a' + u8::try_from(at % 26).unwrap();
            [[0; 512], [letter; 512]].concat()
        });
        assert!(members[0].1 == whole.collect::<Vec<_>>(), "{pieces}");
        assert_eq!(members[1].1, b"one\n");
    }
    // A map that lies, and one without an end in sight.
    let mut lie = holed(4, b"a.log");
    lie[386..397].copy_from_slice(b"00000004000");
    let mut lie = Header::from_byte_slice(&lie[..512]).clone();
    lie.set_cksum();
    let lie = [lie.as_bytes(), &holed(4, b"a.log")[512..]].concat();
    for bytes in [lie, holed(50_000, b"a.log")] {
        let (members, _) = members_or_refusals(
            &[bytes, pack(&[(b"b.log", b"one\n")])].concat(),
        );
        assert_eq!(members, ["refused", "one\n"]);
    }
}

#[test]
fn logs_are_no_tars() {
    assert!(!Tar::is_start(&[0; 512]));
    assert!(!Tar::is_start(&text(100)));
    assert!(!Tar::is_start(b"#Software: Microsoft"));
    // Without the magic that later formats have.
    let mut old = Header::new_old();
    old.set_path("x.log").unwrap();
    old.set_size(0);
    old.set_cksum();
    assert!(Tar::is_start(old.as_bytes()));
}
