//! The directory of a zip, as far as it can be read.
//!
//! In: an archive whose end was found. Out: its files, each with the place
//! of its bytes; what speaks against the directory becomes a warning. The
//! directory is believed, because it is what people saw who opened the zip.

use std::ops::Range;

use rawzip::{RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipFileHeaderRecord};

use super::super::archive::Faults;
use super::Place;
use super::unpack::{Lock, Packing};
use crate::limits;
use crate::warning::Kind;

/// One file of the directory.
pub(in super::super) struct Entry {
    pub name: Vec<u8>,
    pub(super) packing: Packing,
    /// Its packed bytes; none where the directory points to nothing.
    pub(super) place: Option<Range<u64>>,
}

impl Entry {
    /// Bytes that it unpacks to, as it says.
    pub fn size(&self) -> u64 {
        self.packing.size
    }

    /// Bytes as they lie there.
    pub fn packed(&self) -> u64 {
        let place = self.place.as_ref();
        place.map_or(0, |place| place.end.saturating_sub(place.start))
    }

    /// See [`Packing::is_frank`].
    pub fn is_frank(&self) -> bool {
        self.packing.is_frank()
    }
}

/// What is odd about the entries of a directory.
struct Oddities {
    /// Room for a member's own name and extra fields.
    room: Vec<u8>,
    /// Whose own header says otherwise.
    differ: u64,
}

impl Oddities {
    fn new() -> Self {
        let room = vec![0; 2 * usize::from(u16::MAX)];
        Self { room, differ: 0 }
    }
}

/// Reads the directory of a zip of `end` bytes.
pub(super) fn entries(
    zip: &ZipArchive<Place>,
    end: u64,
    faults: &mut Faults,
) -> Vec<Entry> {
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let mut records = zip.entries(&mut buffer);
    let (mut list, mut odd) = (Vec::new(), Oddities::new());
    loop {
        match records.next_entry() {
            Ok(None) => break,
            Ok(Some(record)) if record.is_dir() => {}
            Ok(Some(record)) if record.mode().is_symlink() => faults.link(),
            Ok(Some(record)) => {
                list.push(entry(zip, &record, end, &mut odd));
            }
            Err(error) => {
                let count = list.len();
                let detail = format!("zip: after {count} entries: {error}");
                faults.note(Kind::Cut, detail);
                break;
            }
        }
        if list.len() >= limits::MEMBERS {
            let most = limits::MEMBERS;
            let detail = format!("zip: entries after the first {most}");
            faults.note(Kind::Limit, detail);
            break;
        }
    }
    let claimed = zip.entries_hint();
    tell(&list, &odd, claimed, faults);
    list
}

fn entry(
    zip: &ZipArchive<Place>,
    record: &ZipFileHeaderRecord<'_>,
    end: u64,
    odd: &mut Oddities,
) -> Entry {
    let name = record.file_path().as_bytes().to_vec();
    let mut method = record.compression_method();
    let extras = record.extra_fields();
    let lock = Lock::of(
        record.flags().bits(),
        &mut method,
        extras.map(|(id, bytes)| (id.as_u16(), bytes)),
        record.crc32(),
        record.last_modified_dos().packed_time(),
    );
    let found = zip.get_entry(record.wayfinder()).ok();
    if let Some(found) = &found {
        let differs = found.local_header(&mut odd.room).is_ok_and(|local| {
            local.file_path().as_bytes() != name
                || local.compression_method() != record.compression_method()
        });
        odd.differ += u64::from(differs);
    }
    let place = found.map(|found| found.compressed_data_range());
    Entry {
        name,
        packing: Packing {
            method,
            lock,
            crc: record.crc32(),
            packed: record.compressed_size_hint(),
            size: record.uncompressed_size_hint(),
        },
        place: place.map(|(from, to)| from..to).filter(|it| it.start <= end),
    }
}

/// Tells what speaks against the directory.
fn tell(list: &[Entry], odd: &Oddities, claimed: u64, faults: &mut Faults) {
    if odd.differ > 0 {
        let detail = "zip: members whose own headers say otherwise than its \
                      directory, which was believed";
        faults.count(Kind::Cut, detail, odd.differ);
    }
    let shared = overlaps(list);
    if shared > 0 {
        let detail = "zip: members that share packed bytes with others";
        faults.count(Kind::Cut, detail, shared);
    }
    let found = list.len() as u64;
    if claimed < found {
        let detail =
            format!("zip: its end tells of {claimed} members, not {found}");
        faults.note(Kind::Cut, detail);
    }
}

/// How many members begin before another one ends: no packer writes such.
fn overlaps(list: &[Entry]) -> u64 {
    let mut places: Vec<_> = list
        .iter()
        .filter_map(|entry| entry.place.clone())
        .map(|place| (place.start, place.end))
        .filter(|(start, end)| start < end)
        .collect();
    places.sort_unstable();
    let (mut reached, mut count) = (0, 0);
    for (start, end) in places {
        count += u64::from(start < reached);
        reached = reached.max(end);
    }
    count
}
