//! Archives behind one face: what is one, and how it opens.
//!
//! In: a stream or a file that starts like an archive. Out: a queue of
//! members, and a [`Walk`] that fills it on a thread of its own.

use std::path::Path;
use std::sync::mpsc::Receiver;

use super::budget::Budget;
use super::members::{Member, Members, members};
use super::sevenz::SevenZ;
use super::stream::StreamEnd;
use super::tar::Tar;
use super::zip::Zip;
use crate::raw::Raw;
use crate::warning::{Kind, Warning};

/// A file of files.
#[derive(Debug)]
pub enum Archive {
    /// Read from front to back, packed or not.
    Tar(Tar),
    /// Has a directory at its end.
    Zip(Zip),
    /// The same, and its files may be packed as one.
    SevenZ(SevenZ),
}

impl Archive {
    /// The queue of its members, and what fills it. `name` and `path` are
    /// those of the archive; `budget` bounds what comes out.
    pub fn open(
        self,
        name: &Raw,
        path: &Path,
        budget: &Budget,
    ) -> (Walk, Receiver<Member>) {
        let (to, from) = members(name.clone(), path, budget.clone());
        let faults = Faults { name: name.clone(), ..Faults::default() };
        (Walk { archive: self, to, faults }, from)
    }

    /// What is known of it, once nothing more is asked of it.
    pub fn finish(self) -> StreamEnd {
        match self {
            Self::Tar(tar) => tar.finish(),
            Self::Zip(zip) => zip.finish(),
            Self::SevenZ(sevenz) => sevenz.finish(),
        }
    }
}

/// An archive that is being walked.
pub struct Walk {
    archive: Archive,
    to: Members,
    faults: Faults,
}

impl Walk {
    /// Hands over the members, until there are no more or nobody wants
    /// them. What was met goes with the rest.
    pub fn run(self) -> StreamEnd {
        let Self { mut archive, mut to, mut faults } = self;
        match &mut archive {
            Archive::Tar(tar) => tar.walk(&mut to, &mut faults),
            Archive::Zip(zip) => zip.walk(&mut to, &mut faults),
            Archive::SevenZ(sevenz) => sevenz.walk(&mut to, &mut faults),
        }
        to.finish(&mut faults);
        let mut end = archive.finish();
        end.warnings.extend(faults.finish());
        end
    }
}

/// What was met in an archive.
#[derive(Default)]
pub(super) struct Faults {
    name: Raw,
    warnings: Vec<Warning>,
    links: u64,
}

impl Faults {
    pub fn note(&mut self, kind: Kind, detail: impl Into<String>) {
        self.warnings.push(Warning::new(kind, self.name.clone(), detail));
    }

    /// A member that is no file.
    pub fn link(&mut self) {
        self.links += 1;
    }

    fn finish(mut self) -> Vec<Warning> {
        if self.links > 0 {
            let detail = "members that are no files, such as links".to_owned();
            let (exhibit, count) = (self.name, self.links);
            let kind = Kind::Odd;
            self.warnings.push(Warning { kind, exhibit, detail, count });
        }
        self.warnings
    }
}
