//! zip: its files become members.
//!
//! In: a file, or a zip inside another archive, which is read into memory.
//! Out: members, each checked against its size and checksum: of a file all
//! apart, so that several threads can read them at once, else in the order
//! of the directory. Nothing is extracted: names are told, never followed.

mod directory;
mod salvage;
mod unpack;

use std::io::{BufReader, Read};
use std::sync::Arc;

use rawzip::{FileReader, RECOMMENDED_BUFFER_SIZE, RangeReader, ZipLocator};

pub(super) use self::directory::Entry;
use self::directory::entries;
use self::salvage::salvage;
use self::unpack::{open, refusal};
use super::archive::Faults;
use super::members::{Members, Refusal};
use super::password::Passwords;
use super::seekable::{Bytes, Seekable};
use crate::warning::Kind;

/// A zip whose members are asked for.
#[derive(Debug)]
pub struct Zip(pub Seekable);

/// The bytes of a zip, which many threads read at once.
pub(super) type Place = Arc<dyn rawzip::ReaderAt + Send + Sync>;

/// The entries of a directory, and where their bytes are.
pub(super) struct Listing {
    pub entries: Vec<Entry>,
    place: Place,
    passwords: Passwords,
}

impl Zip {
    /// True where a file that starts so is a zip: a member comes first, or
    /// the end of an empty one.
    pub fn is_start(head: &[u8]) -> bool {
        head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
    }

    /// The members of a zip that lies in a file and has a directory.
    pub(super) fn apart(&self, faults: &mut Faults) -> Option<Listing> {
        let Bytes::File { file, seen, .. } = &self.0.from else {
            return None;
        };
        let place = FileReader::from(file.try_clone().ok()?);
        self.list(Arc::new(place), seen.bytes, faults).ok()
    }

    /// Hands over the members.
    pub(super) fn walk(&mut self, to: &mut Members, faults: &mut Faults) {
        let (place, end): (Place, u64) = match &mut self.0.from {
            Bytes::TooLarge { .. } => {
                return Bytes::too_large(faults, "zip");
            }
            Bytes::File { file, seen, .. } => match file.try_clone() {
                Ok(file) => (Arc::new(FileReader::from(file)), seen.bytes),
                Err(error) => return cut(faults, &error.to_string()),
            },
            Bytes::Memory { bytes, .. } => {
                let bytes = std::mem::take(bytes);
                let end = bytes.len() as u64;
                (Arc::new(bytes), end)
            }
        };
        match self.list(Arc::clone(&place), end, faults) {
            Ok(listing) => listing.walk(to),
            Err(error) => {
                cut(faults, &error);
                let whole = RangeReader::new(place, 0..end);
                salvage(BufReader::new(whole), &self.0.passwords, to);
            }
        }
    }

    fn list(
        &self,
        place: Place,
        end: u64,
        faults: &mut Faults,
    ) -> Result<Listing, String> {
        let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
        let zip = ZipLocator::new().locate_in_reader(place, &mut buffer, end);
        let zip = zip.map_err(|(_, error)| error.to_string())?;
        let entries = entries(&zip, end, faults);
        let place = Arc::clone(zip.get_ref());
        Ok(Listing { entries, place, passwords: self.0.passwords.clone() })
    }
}

impl Listing {
    fn walk(self, to: &mut Members) {
        for entry in &self.entries {
            let sent = match self.open(entry) {
                Ok(plain) => {
                    to.send(&entry.name, Some(entry.packing.size), plain)
                }
                Err(refusal) => to.refuse(&entry.name, refusal),
            };
            if sent.is_err() {
                return;
            }
        }
    }

    /// A member's bytes, checked.
    pub fn open(
        &self,
        entry: &Entry,
    ) -> Result<Box<dyn Read + Send>, Refusal> {
        let range = entry.place.clone();
        let range = range.ok_or_else(|| refusal("its bytes are lost"))?;
        let packed = RangeReader::new(Arc::clone(&self.place), range);
        open(&entry.packing, packed, &self.passwords)
    }
}

fn cut(faults: &mut Faults, error: &str) {
    let detail = format!(
        "zip: no directory at its end ({error}); its members are read as \
         they lie"
    );
    faults.note(Kind::Cut, detail);
}
