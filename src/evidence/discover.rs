//! Finds the exhibits: arguments and folders become a sorted list.
//!
//! In: the paths of the command line: files, folders, patterns, `-`. Out:
//! [`Evidence`]. A path that names nothing is an error, before anything is
//! scanned; all else that is wrong is a warning, and the rest goes on.
//!
//! The list does not depend on the order of the arguments, and a file that
//! is reached twice stands in it once. Symbolic links are followed where
//! they were named, never inside a folder: they could lead in circles, or
//! out of the evidence.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::exhibit::{Exhibit, Input, NOT_REGULAR};
use super::glob;
use crate::error::Error;
use crate::limits::WALK_DEPTH;
use crate::raw::Raw;
use crate::warning::{Kind, Warning};

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Sorted by the bytes of their names, each file once.
    pub exhibits: Vec<Exhibit>,
    /// What could not be listed or looked odd, sorted.
    pub warnings: Vec<Warning>,
    /// The canonical paths of the folders and files that were given: no
    /// output may land there (see [`super::is_inside`]).
    pub roots: Vec<PathBuf>,
}

/// Finds the exhibits behind the paths given.
///
/// A folder is searched with all below it. `-` is standard input, once. A
/// path that does not exist and holds one of `*?[` is a pattern. Fails as
/// usage where a path does not exist or a pattern matches nothing.
pub fn discover(paths: &[PathBuf]) -> Result<Evidence, Error> {
    discover_watched(paths, &mut |_| {})
}

/// The same, telling `watch` how many files are found so far: a walk over a
/// million files on a slow disk takes minutes.
pub fn discover_watched(
    paths: &[PathBuf],
    watch: &mut dyn FnMut(u64),
) -> Result<Evidence, Error> {
    let mut search = Search {
        found: BTreeMap::new(),
        warnings: Vec::new(),
        roots: Vec::new(),
        watch,
    };
    for path in paths {
        search.argument(path)?;
    }
    Ok(search.finish())
}

/// True where the error says that there is no such path, not that it cannot
/// be looked at. Windows calls `*` in a name invalid.
pub(super) fn is_missing(error: &io::Error) -> bool {
    use io::ErrorKind::{
        InvalidFilename, InvalidInput, NotADirectory, NotFound,
    };
    matches!(
        error.kind(),
        NotFound | NotADirectory | InvalidFilename | InvalidInput
    )
}

struct Search<'w> {
    /// By canonical path; standard input by the empty path.
    found: BTreeMap<OsString, Exhibit>,
    warnings: Vec<Warning>,
    roots: Vec<PathBuf>,
    /// Told how many there are.
    watch: &'w mut dyn FnMut(u64),
}

impl Search<'_> {
    fn argument(&mut self, path: &Path) -> Result<(), Error> {
        if path.as_os_str() == "-" {
            let stdin = exhibit(path, 0, true, Input::Stdin);
            self.found.insert(OsString::new(), stdin);
            return Ok(());
        }
        let missing = || format!("no such file or folder: {}", path.display());
        match fs::metadata(path) {
            Err(error) if is_missing(&error) => {
                if fs::symlink_metadata(path).is_ok() {
                    let text = "symbolic link that leads nowhere";
                    let text = format!("{text}: {}", path.display());
                    return Err(Error::usage(text));
                }
                let Some(matched) = glob::expand(path, &mut self.warnings)?
                else {
                    return Err(Error::usage(missing()).because(error));
                };
                for path in matched {
                    self.named(&path);
                }
            }
            _ => self.named(path),
        }
        Ok(())
    }

    /// A path that was named and exists, or existed just now.
    fn named(&mut self, path: &Path) {
        let looked = fs::metadata(path)
            .and_then(|metadata| Ok((metadata, fs::canonicalize(path)?)));
        match looked {
            Err(error) => {
                self.warn(Kind::Unreadable, path, error.to_string());
            }
            Ok((metadata, canonical)) if metadata.is_dir() => {
                self.roots.push(canonical.clone());
                self.folder(path, &canonical);
            }
            Ok((metadata, canonical)) if metadata.is_file() => {
                self.roots.push(canonical.clone());
                let found = exhibit(path, metadata.len(), true, Input::File);
                self.add(canonical, found);
            }
            Ok(_) => {
                let detail = format!("{NOT_REGULAR}; `-` reads a stream");
                self.warn(Kind::Unreadable, path, detail);
            }
        }
    }

    /// All below a folder. Nothing there is followed, so what it is called
    /// under the canonical root is canonical too.
    fn folder(&mut self, root: &Path, canonical: &Path) {
        let mut nothing = true;
        let walk = WalkDir::new(root)
            .follow_links(false)
            .sort_by_file_name()
            .max_depth(WALK_DEPTH);
        for entry in walk {
            match entry {
                Ok(entry) => nothing &= !self.entry(&entry, root, canonical),
                Err(error) => {
                    nothing = false;
                    let path = error.path().unwrap_or(root).to_owned();
                    let detail = error.io_error().map_or_else(
                        || error.to_string(),
                        io::Error::to_string,
                    );
                    self.warn(Kind::Unreadable, &path, detail);
                }
            }
        }
        if nothing {
            self.warn(Kind::Odd, root, "no files in this folder");
        }
    }

    /// True where the entry is a file.
    fn entry(
        &mut self,
        entry: &DirEntry,
        root: &Path,
        canonical: &Path,
    ) -> bool {
        let path = entry.path();
        let kind = entry.file_type();
        if kind.is_dir() || entry.depth() == 0 {
            if entry.depth() == WALK_DEPTH {
                let detail =
                    format!("not searched: {WALK_DEPTH} folders deep");
                self.warn(Kind::Limit, path, detail);
            }
            let log = path.extension().is_some_and(|it| it == "log");
            if log && entry.depth() > 0 {
                self.warn(Kind::Odd, path, "a folder, named like a log");
            }
            return false;
        }
        if !kind.is_file() {
            self.warn(Kind::Odd, path, odd(kind));
            return false;
        }
        match entry.metadata() {
            Ok(metadata) => {
                let below = path.strip_prefix(root).unwrap_or(path);
                let found = exhibit(path, metadata.len(), false, Input::File);
                self.add(canonical.join(below), found);
            }
            Err(error) => {
                self.warn(Kind::Unreadable, path, error.to_string());
            }
        }
        true
    }

    /// Of two names of one file the first in order stays.
    fn add(&mut self, canonical: PathBuf, mut found: Exhibit) {
        // As one string: paths compare part by part, which is slow.
        let canonical = canonical.into_os_string();
        if let Some(other) = self.found.get(&canonical) {
            found.explicit |= other.explicit;
            if other.name < found.name {
                found.path.clone_from(&other.path);
                found.name = other.name.clone();
            }
        }
        self.found.insert(canonical, found);
        (self.watch)(u64::try_from(self.found.len()).unwrap_or(u64::MAX));
    }

    fn warn(&mut self, kind: Kind, path: &Path, detail: impl Into<String>) {
        self.warnings.push(Warning::new(kind, Raw::from_path(path), detail));
    }

    fn finish(self) -> Evidence {
        let Self { found, mut warnings, mut roots, .. } = self;
        let mut exhibits: Vec<_> = found.into_values().collect();
        exhibits.sort_by(|a, b| a.name.cmp(&b.name));
        // Folders that overlap are searched twice and warn twice.
        warnings.sort();
        warnings.dedup();
        roots.sort();
        roots.dedup();
        Evidence { exhibits, warnings, roots }
    }
}

fn exhibit(path: &Path, bytes: u64, explicit: bool, input: Input) -> Exhibit {
    let name = Raw::from_path(path);
    Exhibit { path: path.to_owned(), name, bytes, explicit, input }
}

fn odd(kind: FileType) -> &'static str {
    if kind.is_symlink() { "symbolic link, not followed" } else { NOT_REGULAR }
}
