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

use std::collections::HashMap;
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
        found: Vec::new(),
        takes_stdin: false,
        count: 0,
        warnings: Vec::new(),
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
    found: Vec<Found>,
    takes_stdin: bool,
    /// Files that were found.
    count: u64,
    warnings: Vec<Warning>,
    /// Told how many there are.
    watch: &'w mut dyn FnMut(u64),
}

/// What was found behind one path that was named.
struct Found {
    root: PathBuf,
    canonical: PathBuf,
    exhibits: Vec<Exhibit>,
}

impl Found {
    /// Nothing below a folder is followed, so what it is called under the
    /// canonical root is canonical too.
    fn canonical(&self, exhibit: &Exhibit) -> PathBuf {
        match exhibit.path().strip_prefix(&self.root) {
            Ok(below) if below != Path::new("") => self.canonical.join(below),
            _ => self.canonical.clone(),
        }
    }
}

impl Search<'_> {
    fn argument(&mut self, path: &Path) -> Result<(), Error> {
        if path.as_os_str() == "-" {
            self.takes_stdin = true;
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
                let exhibits = self.folder(path);
                let root = path.to_owned();
                self.found.push(Found { root, canonical, exhibits });
            }
            Ok((metadata, canonical)) if metadata.is_file() => {
                let found = exhibit(path, metadata.len(), true, Input::File);
                let (root, exhibits) = (path.to_owned(), vec![found]);
                self.found.push(Found { root, canonical, exhibits });
                self.tell();
            }
            Ok(_) => {
                let detail = format!("{NOT_REGULAR}; `-` reads a stream");
                self.warn(Kind::Unreadable, path, detail);
            }
        }
    }

    /// All below a folder. In the order of the disk: to sort a folder takes
    /// all of its names at once, and in the end all are sorted.
    fn folder(&mut self, root: &Path) -> Vec<Exhibit> {
        let (mut nothing, mut exhibits) = (true, Vec::new());
        let walk =
            WalkDir::new(root).follow_links(false).max_depth(WALK_DEPTH);
        for entry in walk {
            match entry {
                Ok(entry) => nothing &= !self.entry(&entry, &mut exhibits),
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
        exhibits
    }

    /// True where the entry is a file.
    fn entry(&mut self, entry: &DirEntry, to: &mut Vec<Exhibit>) -> bool {
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
                let bytes = metadata.len();
                to.push(exhibit(path, bytes, false, Input::File));
                self.tell();
            }
            Err(error) => {
                self.warn(Kind::Unreadable, path, error.to_string());
            }
        }
        true
    }

    /// One more was found.
    fn tell(&mut self) {
        self.count += 1;
        (self.watch)(self.count);
    }

    fn warn(&mut self, kind: Kind, path: &Path, detail: impl Into<String>) {
        self.warnings.push(Warning::new(kind, Raw::from_path(path), detail));
    }

    fn finish(self) -> Evidence {
        let Self { mut found, takes_stdin, mut warnings, .. } = self;
        found.sort_by(|a, b| a.canonical.cmp(&b.canonical));
        let is_below = |two: &[Found]| match two {
            [a, b] => b.canonical.starts_with(&a.canonical),
            _ => false,
        };
        let mut roots: Vec<_> =
            found.iter().map(|it| it.canonical.clone()).collect();
        let mut exhibits = if found.windows(2).any(is_below) {
            once_each(found)
        } else {
            found.into_iter().flat_map(|it| it.exhibits).collect()
        };
        if takes_stdin {
            exhibits.push(exhibit(Path::new("-"), 0, true, Input::Stdin));
        }
        exhibits.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        // Folders that overlap are searched twice and warn twice.
        warnings.sort();
        warnings.dedup();
        roots.dedup();
        Evidence { exhibits, warnings, roots }
    }
}

/// Each file once, where some may be reached on two ways. Of two names of
/// one file the first in order stays.
fn once_each(found: Vec<Found>) -> Vec<Exhibit> {
    let mut places = HashMap::new();
    let mut exhibits: Vec<Exhibit> = Vec::new();
    for mut one in found {
        for exhibit in std::mem::take(&mut one.exhibits) {
            // As one string: paths compare part by part, which is slow.
            let canonical = one.canonical(&exhibit).into_os_string();
            let place = *places.entry(canonical).or_insert(exhibits.len());
            let Some(own) = exhibits.get_mut(place) else {
                exhibits.push(exhibit);
                continue;
            };
            let is_named = own.explicit || exhibit.explicit;
            if exhibit.name < own.name {
                *own = exhibit;
            }
            own.explicit = is_named;
        }
    }
    exhibits
}

fn exhibit(path: &Path, bytes: u64, explicit: bool, input: Input) -> Exhibit {
    let name = Raw::from_path(path);
    Exhibit { name, bytes, explicit, input }
}

fn odd(kind: FileType) -> &'static str {
    if kind.is_symlink() { "symbolic link, not followed" } else { NOT_REGULAR }
}
