//! Archives behind one face: what is one, and how it opens.
//!
//! In: a stream or a file that starts like an archive. Out: a queue of
//! members, and a [`Walk`] that fills it on a thread of its own.

use std::path::Path;
use std::sync::mpsc::Receiver;

use super::apart::Apart;
use super::budget::Budget;
use super::members::{Member, Members, Naming, members};
use super::password::Passwords;
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
    /// The same, with passwords for what is encrypted in it.
    #[must_use]
    pub fn unlock(mut self, passwords: &Passwords) -> Self {
        match &mut self {
            Self::Tar(_) => {}
            Self::Zip(zip) => zip.0.unlock(passwords),
            Self::SevenZ(sevenz) => sevenz.0.unlock(passwords),
        }
        self
    }

    /// Its members all apart, where any of them can be read before any
    /// other; else the archive again.
    pub fn apart(
        self,
        name: &Raw,
        path: &Path,
        budget: &Budget,
    ) -> Result<Apart, Box<Self>> {
        let mut faults = Faults::of(name);
        let listing = match &self {
            Self::Zip(zip) => zip.apart(&mut faults),
            Self::Tar(_) | Self::SevenZ(_) => None,
        };
        match listing {
            None => Err(Box::new(self)),
            Some(listing) => {
                let naming = Naming::new(name.clone(), path);
                Ok(Apart::new(self, listing, naming, budget, faults))
            }
        }
    }

    /// The queue of its members, and what fills it. `name` and `path` are
    /// those of the archive; `budget` bounds what comes out.
    pub fn open(
        self,
        name: &Raw,
        path: &Path,
        budget: &Budget,
    ) -> (Walk, Receiver<Member>) {
        let (to, from) = members(name.clone(), path, budget.clone());
        let faults = Faults::of(name);
        (Walk { archive: self, to, faults }, from)
    }

    /// What is known of it, once nothing more is asked of it.
    pub fn finish(self) -> StreamEnd {
        match self {
            Self::Tar(tar) => tar.finish(),
            Self::Zip(zip) => zip.0.finish(),
            Self::SevenZ(sevenz) => sevenz.0.finish(),
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
    fn of(name: &Raw) -> Self {
        Self { name: name.clone(), ..Self::default() }
    }

    pub fn note(&mut self, kind: Kind, detail: impl Into<String>) {
        self.warnings.push(Warning::new(kind, self.name.clone(), detail));
    }

    /// What was met so many times.
    pub fn count(&mut self, kind: Kind, detail: &str, count: u64) {
        let (exhibit, detail) = (self.name.clone(), detail.to_owned());
        self.warnings.push(Warning { kind, exhibit, detail, count });
    }

    /// A member that is no file.
    pub fn link(&mut self) {
        self.links += 1;
    }

    pub fn finish(mut self) -> Vec<Warning> {
        if self.links > 0 {
            let detail = "members that are no files, such as links";
            self.count(Kind::Odd, detail, self.links);
        }
        self.warnings
    }
}
