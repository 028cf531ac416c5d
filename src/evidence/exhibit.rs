//! One item of evidence, and how it opens.
//!
//! In: an [`Exhibit`] that [`super::discover()`] found. Out: its
//! [`Content`], or the [`Warning`] why there is none. Files are opened
//! read-only and without blocking, and looked at again once open: between
//! walk and open a file can become a pipe.

use std::borrow::Cow;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek};
use std::path::Path;
use std::time::SystemTime;

use super::feed::Source;
use super::hash::Hashing;
use super::identity::{self, PathIdentity};
use super::map::{self, Mapping};
use super::packing::Packing;
use super::seekable::Seekable;
use super::sevenz::SevenZ;
use super::stream::Stream;
use super::tar::Tar;
use super::whole::Whole;
use super::zip::Zip;
use crate::raw::Raw;
use crate::warning::{Kind, Warning};

/// What is said of anything that is neither file nor folder.
pub(super) const NOT_REGULAR: &str = "not a regular file";

/// What an exhibit is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A regular file.
    File,
    /// Standard input.
    Stdin,
}

/// How a file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Mapped where that is safe and pays, else buffered.
    #[default]
    Auto,
    /// Never mapped (`--no-mmap`): for logs that are being written.
    Buffered,
}

/// One item of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhibit {
    /// The path as given, or the given folder's joined with what the walk
    /// found under it. `-` for standard input.
    pub name: Raw,
    /// Size in bytes when it was found; 0 for standard input. The size that
    /// was scanned is the content's.
    pub bytes: u64,
    /// True where it was named itself, not found in a folder.
    pub explicit: bool,
    /// What it is read from.
    pub input: Input,
}

/// An open exhibit.
#[derive(Debug)]
pub enum Content {
    /// All bytes at once.
    Mapped(Mapping),
    /// All bytes at once, of a small file.
    Whole(Whole),
    /// Bytes from front to back.
    Stream(Stream),
    /// A directory, and files by their places.
    Zip(Zip),
    /// The same.
    SevenZ(SevenZ),
}

impl Exhibit {
    /// Where it lies. Not kept beside its name: of a million files, both
    /// are much memory.
    pub fn path(&self) -> Cow<'_, Path> {
        map::path_of(&self.name)
    }

    /// Opens the exhibit read-only. A warning says why it cannot be read.
    pub fn open(
        &self,
        access: Access,
        hashing: Hashing,
    ) -> Result<Content, Warning> {
        self.open_small(access, hashing, 0, Vec::new)
    }

    /// The same, except that a file of at most `small` bytes is read at
    /// once into `buffer`, where it would be mapped.
    pub fn open_small(
        &self,
        access: Access,
        hashing: Hashing,
        small: u64,
        buffer: impl FnOnce() -> Vec<u8>,
    ) -> Result<Content, Warning> {
        let name = self.name.clone();
        if self.input == Input::Stdin {
            let input = Box::new(io::stdin());
            return Ok(Content::Stream(Stream::new(name, input, hashing)));
        }
        let unreadable = |error: io::Error| {
            Warning::new(Kind::Unreadable, name.clone(), error.to_string())
        };
        let (mut file, seen) = self.file().map_err(unreadable)?;
        if access == Access::Auto && (1..=small).contains(&seen.bytes) {
            let whole = Whole::new(name.clone(), file, seen, buffer());
            if !is_packed(whole.bytes()) {
                return Ok(Content::Whole(whole));
            }
            file = whole.into_file().map_err(unreadable)?;
        }
        let start = start(&mut file).map_err(unreadable)?;
        if Zip::is_start(&start) {
            return Ok(Content::Zip(Zip(Seekable::file(
                name, file, seen, hashing,
            ))));
        }
        if SevenZ::is_start(&start) {
            let sevenz = SevenZ(Seekable::file(name, file, seen, hashing));
            return Ok(Content::SevenZ(sevenz));
        }
        if access == Access::Auto && seen.bytes > 0 && !is_packed(&start) {
            match Mapping::new(file, &self.path(), name.clone(), seen) {
                Ok(mapping) => return Ok(Content::Mapped(mapping)),
                Err(refused) => file = refused,
            }
        }
        let source = Source::File(file);
        let stream = Stream::over(name, source, Some(seen), hashing);
        Ok(Content::Stream(stream))
    }

    /// What the path as given tells about host, site and day.
    pub fn identity(&self) -> PathIdentity {
        identity::of(&self.path())
    }

    /// The open file, and how it looked then. Looked at before it is opened,
    /// because opening a device can already do harm.
    fn file(&self) -> io::Result<(File, Seen)> {
        let path = self.path();
        regular(&fs::metadata(&path)?)?;
        let file = map::open_read_only(&path)?;
        let metadata = file.metadata()?;
        regular(&metadata)?;
        Ok((file, Seen::new(&metadata)))
    }
}

/// Bytes that tell whether a file is packed.
const START: usize = 512;

/// True where a file that starts so is not the lines of a log as it lies.
fn is_packed(start: &[u8]) -> bool {
    Packing::of(start).is_some()
        || Tar::is_start(start)
        || Zip::is_start(start)
        || SevenZ::is_start(start)
}

/// The first bytes; the file stands at its start again.
fn start(file: &mut File) -> io::Result<Vec<u8>> {
    let mut first = Vec::with_capacity(START);
    let mut start = Read::take(&mut *file, START as u64);
    // A file that cannot be read is found out when it is.
    let _ = start.read_to_end(&mut first);
    file.rewind()?;
    Ok(first)
}

fn regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(io::Error::other(NOT_REGULAR))
}

/// How a file looked when it was opened, to tell whether it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) bytes: u64,
    modified: Option<SystemTime>,
}

impl Seen {
    pub(super) fn new(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok();
        Self { bytes: metadata.len(), modified }
    }

    /// How the file behind the same handle looks now.
    pub(super) fn now(file: &File) -> io::Result<Self> {
        file.metadata().map(|metadata| Self::new(&metadata))
    }

    /// What happened to a file that looks so now, and of which `read` bytes
    /// could be read.
    pub(super) fn compare(
        self,
        now: io::Result<Self>,
        read: u64,
    ) -> Option<(Kind, String)> {
        let before = self.bytes;
        if read < before {
            let detail =
                format!("lost from byte {read} on, of {before} when opened");
            return Some((Kind::Lost, detail));
        }
        let detail = match now {
            Ok(now) if now == self => return None,
            Ok(now) if now.bytes == before => {
                "modified while it was read".to_owned()
            }
            Ok(now) => {
                let now = now.bytes;
                format!("{before} bytes when opened, {now} when read")
            }
            Err(error) => format!("cannot be looked at again: {error}"),
        };
        Some((Kind::Changed, detail))
    }
}
