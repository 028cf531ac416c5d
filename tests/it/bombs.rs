//! Archives made to do harm, or that came to it: each costs bounded time and
//! memory, says so, and spoils nothing beside it.
//!
//! In: a good log beside one archive of each kind, made here. Out: exit code
//! 3, a warning that names the archive, the good log's row and hits as they
//! are without the archive, at most 30 seconds, and at most 256 MiB.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use iisleuth::evidence::{Access, Content, Hashing, discover};
use serde_json::Value;

use crate::archives::good_log;
use crate::packers::{
    SevenZ, ZipMember, bzip2, encrypted, gzip, xz, zip_end, zip_of, zstd,
};
use crate::support::{Folder, bin};

const SECONDS: u64 = 30;
const MOST_KIB: u64 = 256 << 10;

/// What a run left, and the most memory that it was seen to have.
struct Cost {
    code: Option<i32>,
    case: Value,
    took: Duration,
    peak_kib: Option<u64>,
}

/// The most memory of a process so far; known on Linux alone.
pub fn peak(process: u32) -> Option<u64> {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(path).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn scan(folder: &Path) -> Cost {
    let words = ["scan", "-q", "--format", "json", "--keep-duplicates"];
    let begin = Instant::now();
    let mut child = bin()
        .args(words)
        .arg(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        out.read_to_end(&mut text).unwrap();
        text
    });
    let mut peak_kib = None;
    let code = loop {
        peak_kib = peak(child.id()).max(peak_kib);
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if begin.elapsed() > Duration::from_secs(2 * SECONDS) {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let text = reader.join().unwrap();
    let case = serde_json::from_slice(&text).unwrap_or_default();
    Cost { code, case, took: begin.elapsed(), peak_kib }
}

/// Zeros, packed; so many MiB of them.
fn bomb(mib: usize, pack: &dyn Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    pack(&vec![0; mib << 20])
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.as_gnu_mut().unwrap().name[..name.len()]
            .copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

/// A tar whose first header says another size.
fn tar_that_claims(size: &[u8; 12]) -> Vec<u8> {
    let log = good_log();
    let mut bytes = tar(&[("a.log", log.as_bytes())]);
    bytes[124..136].copy_from_slice(size);
    let header = &mut bytes[..512];
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    bytes
}

/// A zip in which bytes of the only entry of the directory are others.
fn zip_with(at: usize, with: &[u8]) -> Vec<u8> {
    let log = good_log().into_bytes();
    let mut bytes = zip_of(&[ZipMember::deflated("a.log", &log)]);
    let entry = bytes.windows(4).rposition(|it| it == b"PK\x01\x02").unwrap();
    bytes[entry + at..entry + at + with.len()].copy_from_slice(with);
    bytes
}

fn gzip_within_gzip(depth: usize) -> Vec<u8> {
    let mut bytes = tar(&[("a.log", good_log().as_bytes())]);
    for _ in 0..depth {
        bytes = tar(&[("in.tgz", &gzip(&bytes))]);
    }
    bytes
}

/// Every entry is the same bytes: each is small, together they are huge.
fn overlapping(count: u16) -> Vec<u8> {
    let zeros = vec![0; 16 << 20];
    let member = ZipMember::deflated("a.log", &zeros);
    let local = member.local();
    let mut bytes = local.clone();
    let place = u32::try_from(bytes.len()).unwrap();
    for _ in 0..count {
        bytes.extend_from_slice(&member.entry(0));
    }
    let length = u32::try_from(bytes.len()).unwrap() - place;
    bytes.extend_from_slice(&zip_end(count, length, place));
    bytes
}

/// A million entries, all of the same bytes.
fn crowd() -> Vec<u8> {
    let log = "#Fields: date time c-ip cs-method cs-uri-stem sc-status\n\
               2001-07-19 13:01:02 192.0.2.7 GET /a.htm 200\n";
    let mut member = ZipMember::deflated("W3SVC1/000000.log", log.as_bytes());
    let mut bytes = member.local();
    let place = bytes.len();
    for number in 0..1_000_000 {
        member.name = format!("W3SVC1/{number:06}.log").into_bytes();
        bytes.extend_from_slice(&member.entry(0));
    }
    let length = u32::try_from(bytes.len() - place).unwrap();
    let place = u32::try_from(place).unwrap();
    bytes.extend_from_slice(&zip_end(1, length, place));
    bytes
}

/// With a checksum, without which a bent byte goes unseen.
fn checked_zstd(bytes: &[u8]) -> Vec<u8> {
    let mut packer = ::zstd::Encoder::new(Vec::new(), 3).unwrap();
    packer.include_checksum(true).unwrap();
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

type Way = (String, Vec<u8>);

/// Every way to pack, cut in three places and with a byte bent.
fn damaged() -> Vec<Way> {
    // Noise, so that the packed bytes are many enough to be cut anywhere.
    let mut noise = String::new();
    let mut state = 1_u64;
    for _ in 0..2_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        noise.push_str(&format!(
            "2001-07-19 13:01:02 192.0.2.1 GET /{state:x} - 200\n"
        ));
    }
    let log = format!("{}{noise}", good_log()).into_bytes();
    let named = [("W3SVC1/ex010719.log".to_owned(), log.clone())];
    let packed = [
        ("log.gz", gzip(&log)),
        ("log.bz2", bzip2(&log)),
        ("log.xz", xz(&log)),
        ("log.zst", checked_zstd(&log)),
        ("log.tgz", gzip(&tar(&[("a.log", &log)]))),
        ("log.zip", zip_of(&[ZipMember::deflated("a.log", &log)])),
        ("log.7z", SevenZ::of(&named).bytes()),
    ];
    let mut ways = Vec::new();
    for (name, bytes) in packed {
        for quarter in 1..4 {
            let cut = bytes[..bytes.len() * quarter / 4].to_vec();
            ways.push((format!("cut{quarter}-{name}"), cut));
        }
        let mut bent = bytes.clone();
        bent[bytes.len() / 2] ^= 0x55;
        ways.push((format!("bent-{name}"), bent));
    }
    ways
}

/// A file of files whose parts are packed again and again: a gigabyte is
/// made in no time.
fn often(
    times: usize,
    part: &[u8],
    pack: &dyn Fn(&[u8]) -> Vec<u8>,
) -> Vec<u8> {
    pack(part).repeat(times)
}

/// A tar in which `kind` of header stands before a log, with so many MiB.
fn tar_with_header(kind: u8, mib: usize) -> Vec<u8> {
    let log = good_log();
    let mut header = tar::Header::new_gnu();
    header.set_path("x").unwrap();
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_size((mib << 20) as u64);
    header.set_cksum();
    let part = [header.as_bytes().as_slice(), &vec![b'a'; mib << 20]].concat();
    let log = tar(&[("behind.log", log.as_bytes())]);
    gzip(&[part, log].concat())
}

/// A tar with a file whose map of holes does not end.
fn tar_of_holes() -> Vec<u8> {
    let mut bytes = tar(&[("a.log", b"")])[..512].to_vec();
    bytes[156] = b'S';
    bytes[482] = 1;
    bytes[148..156].fill(b' ');
    let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
    bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let piece = b"00000000000\x0000000000000\x00";
    let block = [piece.repeat(21), vec![1; 8]].concat();
    gzip(&[bytes, block.repeat(1 << 20)].concat())
}

/// A 7z that asks for a dictionary of 4 GiB, and could fill 300 MiB.
fn large_dictionary() -> Vec<u8> {
    let zeros = vec![0; 300 << 20];
    let mut archive = SevenZ::of(&[("a.log".to_owned(), zeros)]);
    archive.coders = vec![0x21, 0x21, 1, 40];
    archive.bytes()
}

/// Bombs that no line ends in, or of nothing but line ends.
fn endless() -> Vec<Way> {
    let (blank, letters) = (vec![b'\n'; 64 << 20], vec![b'A'; 64 << 20]);
    let ways = [
        ("blank.zst", often(64, &blank, &zstd)),
        ("blank.bz2", often(64, &blank, &bzip2)),
        ("letters.xz", often(64, &letters, &xz)),
        ("letters.zst", often(4096, &letters, &zstd)),
    ];
    ways.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

fn hostile() -> Vec<Way> {
    let log = good_log().into_bytes();
    let member = || ZipMember::deflated("a.log", &log);
    let mut giant_7z =
        SevenZ::of(&[("a.log".to_owned(), log.clone())]).bytes();
    giant_7z[20..28].copy_from_slice(&u64::MAX.to_le_bytes());
    let whole = zip_of(&[member()]);
    let mut beyond = whole.clone();
    let end = beyond.len();
    beyond[end - 6..end - 2].copy_from_slice(&u32::MAX.to_le_bytes());
    let evil = format!("{}\u{1b}[2J.log", "../".repeat(20));
    let mut bomb_in_tar = Vec::new();
    let zeros = gzip(&vec![0; 64 << 20]);
    for _ in 0..20 {
        bomb_in_tar.push(("w.log.gz", zeros.as_slice()));
    }
    let ways: Vec<(&str, Vec<u8>)> = vec![
        ("bomb.gz", bomb(1024, &gzip)),
        ("bomb.bz2", bomb(256, &bzip2)),
        ("bomb.xz", bomb(256, &xz)),
        ("bomb.zst", bomb(1024, &zstd)),
        (
            "bomb.zip",
            bomb(1024, &|it| zip_of(&[ZipMember::deflated("z.log", it)])),
        ),
        ("bombs.tar", tar(&bomb_in_tar)),
        ("deep.tar", gzip_within_gzip(12)),
        ("overlap.zip", overlapping(2_000)),
        ("crowd.zip", crowd()),
        ("encrypted.zip", zip_of(&[encrypted(member(), b"secret")])),
        ("strange.zip", zip_with(10, &[97, 0])),
        ("long.zip", zip_with(24, &u32::MAX.to_le_bytes())),
        ("short.zip", zip_with(24, &[1, 0, 0, 0])),
        ("astray.zip", zip_with(42, &[0xff, 0xff, 0xff, 0x7f])),
        ("sum.zip", zip_with(16, &[1, 2, 3, 4])),
        ("beyond.zip", beyond),
        ("giant.7z", giant_7z),
        ("dictionary.7z", large_dictionary()),
        ("name.tgz", tar_with_header(b'L', 512)),
        ("records.tgz", tar_with_header(b'x', 512)),
        ("holes.tgz", tar_of_holes()),
        ("huge.tar", tar_that_claims(b"77777777777\0")),
        ("binary-size.tar", tar_that_claims(&[0xff; 12])),
        ("names.tar", {
            let mut bytes = tar(&[(&evil, &log), ("/etc/x.log", &log)]);
            bytes.truncate(bytes.len() - 1600);
            bytes
        }),
    ];
    ways.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

/// The row of the good log and the number of its hits.
fn good(case: &Value, folder: &Path) -> (Value, Value) {
    let path = folder.join("good/W3SVC1/ex010719.log");
    let path = path.to_str().unwrap();
    let mut row = case["exhibits"].as_array().unwrap().iter();
    let row = row.find(|row| row["path"] == path).cloned();
    let row = row.unwrap_or_default();
    let mut finding = case["findings"].as_array().unwrap().iter();
    let finding = finding.find(|it| it["host"] == "good");
    let told = finding.map_or(Value::Null, |it| it["outcomes"].clone());
    (row, told)
}

#[test]
fn forty_archives_that_mean_no_good() {
    let folder = Folder::new("bombs");
    folder.write("good/W3SVC1/ex010719.log", good_log());
    let alone = scan(folder.path());
    assert_eq!(alone.code, Some(0));
    let expected = good(&alone.case, folder.path());
    assert_eq!(expected.1["reached"], 50);
    let ways = [damaged(), hostile(), endless()].concat();
    assert!(ways.len() >= 40, "{}", ways.len());
    let mut faults = Vec::new();
    let mut table = String::new();
    for (name, bytes) in ways {
        let path = folder.write(&format!("bad/{name}"), bytes);
        let cost = scan(folder.path());
        std::fs::remove_file(&path).unwrap();
        let start = path.to_str().unwrap();
        let none = Vec::new();
        let warnings = cost.case["warnings"].as_array().unwrap_or(&none);
        let is_told = warnings.iter().any(|warning| {
            let exhibit = &warning["exhibit"];
            let text = exhibit.as_str().or(exhibit["text"].as_str());
            text.is_some_and(|text| text.starts_with(start))
        });
        table.push_str(&format!(
            "{name}: {:?}, {} KiB, {} warnings\n",
            cost.took,
            cost.peak_kib.unwrap_or(0),
            warnings.len(),
        ));
        let mut check = |holds: bool, what: &str| {
            if !holds {
                faults.push(format!("{name}: {what}"));
            }
        };
        check(cost.code == Some(3), &format!("exit {:?}", cost.code));
        check(is_told, "no warning");
        check(cost.took < Duration::from_secs(SECONDS), "too long");
        check(cost.peak_kib.is_none_or(|it| it <= MOST_KIB), "memory");
        if cost.code.is_some() && cost.case.is_object() {
            let same = good(&cost.case, folder.path()) == expected;
            check(same, "the good log reads differently");
        }
    }
    // Seen with --nocapture.
    let _ = std::io::stderr().write_all(table.as_bytes());
    assert!(faults.is_empty(), "{}\n{table}", faults.join("\n"));
}

/// A log of one request, over and over, a few a second. It is a long one, so
/// that a gigabyte is read in no time.
fn dull_log(mib: usize) -> Vec<u8> {
    let query = "key=value&".repeat(60);
    let mut log = good_log().into_bytes();
    for second in 0.. {
        if log.len() >= mib << 20 {
            return log;
        }
        let (hour, minute) = (second / 3600 % 24, second / 60 % 60);
        let line = format!(
            "2001-07-19 {hour:02}:{minute:02}:{:02} 192.0.2.1 GET \
             /alive.htm?{query} - 200\n",
            second % 60
        );
        log.extend(line.as_bytes());
    }
    log
}

fn lines(case: &Value) -> u64 {
    let rows = case["exhibits"].as_array().unwrap().iter();
    rows.map(|row| row["lines"].as_u64().unwrap()).sum()
}

#[test]
fn an_honest_log_is_read_whole_however_small_it_packs() {
    let folder = Folder::new("dull");
    let part = dull_log(64);
    let packed = zstd(&part);
    let ratio = part.len() / packed.len();
    assert!((200..900).contains(&ratio), "{ratio}");
    // More than may come out whatever the packed bytes are worth. Its lines
    // are not scanned here: that takes a minute without optimization.
    let times = 20;
    let path = folder.write("a.log.zst", packed.repeat(times));
    let exhibits = discover(&[path]).unwrap().exhibits;
    let content = exhibits[0].open(Access::Buffered, Hashing::None);
    let Ok(Content::Stream(mut stream)) = content else {
        panic!("not opened as a stream")
    };
    let (mut buffer, mut found) = (vec![0; 1 << 20], 0);
    loop {
        let count = stream.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        found += count;
    }
    assert_eq!(found, part.len() * times);
    assert_eq!(stream.finish().warnings, []);
}

#[test]
fn packed_members_share_what_may_come_out() {
    let folder = Folder::new("shared");
    let query = "key=value&".repeat(60);
    let line = format!("2001-07-19 13:01:02 192.0.2.1 GET /{query} - 200\n");
    let part = line.repeat((64 << 20) / line.len()).into_bytes();
    let member = often(8, &part, &zstd);
    let members: Vec<_> =
        (0..8).map(|_| ("w.log.zst", member.as_slice())).collect();
    folder.write("a.tar", tar(&members));
    let cost = scan(folder.path());
    assert_eq!(cost.code, Some(3));
    // A gigabyte, and a line for each member that was cut.
    let most = (1 << 30) / line.len() as u64 + 8;
    let found = lines(&cost.case);
    assert!((most / 2..=most).contains(&found), "{found} of {most}");
}
