//! The one door to files: outputs appear whole or not at all.
//!
//! In: the folder of `-o` and the bytes of each output. Out: files in that
//! folder. All are written under other names first and renamed at the end,
//! so a full disk or a kill leaves the older ones as they were. Nothing is
//! written into evidence.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::process;

use super::console::safe;
use crate::error::{Error, Result};
use crate::evidence::is_inside;
use crate::raw::Raw;

/// The name of the file of hits in a case folder.
pub const HITS: &str = "hits.jsonl";

/// A folder that gets outputs.
#[derive(Debug)]
pub struct OutputFolder {
    path: PathBuf,
    staged: Vec<Staged>,
}

/// A file that waits for its name. Removes itself where it does not get it.
#[derive(Debug)]
struct Staged {
    temporary: PathBuf,
    target: PathBuf,
    named: bool,
}

impl OutputFolder {
    /// Makes sure that the folder is there and that none of the outputs to
    /// come would land in `roots`, or replace one of them.
    pub fn open(
        path: &Path,
        names: &[&str],
        roots: &[PathBuf],
    ) -> Result<Self> {
        let targets = names.iter().map(|name| path.join(name));
        if is_inside(path, roots)
            || targets.into_iter().any(|target| is_inside(&target, roots))
        {
            let message = format!(
                "the output {} would land in what is read; \
                 choose a folder outside it",
                show(path)
            );
            return Err(Error::usage(message));
        }
        fs::create_dir_all(path).map_err(|cause| {
            let message = format!("cannot make the folder {}", show(path));
            Error::output(message).because(cause)
        })?;
        Ok(Self { path: path.to_owned(), staged: Vec::new() })
    }

    /// Writes an output under another name.
    pub fn stage(
        &mut self,
        name: &str,
        write: impl FnOnce(&Path, &mut BufWriter<File>) -> Result<()>,
    ) -> Result<()> {
        let target = self.path.join(name);
        let fault = |cause: io::Error| unwritten(&target, cause);
        let temporary = self.path.join(temporary_name(name));
        let file = create(&temporary).map_err(fault)?;
        self.staged.push(Staged {
            temporary,
            target: target.clone(),
            named: false,
        });
        let mut out = BufWriter::new(file);
        write(&target, &mut out)?;
        let file = out
            .into_inner()
            .map_err(|unfinished| fault(unfinished.into_error()))?;
        file.sync_all().map_err(fault)
    }

    /// Gives all staged outputs their names. Returns the paths.
    pub fn commit(mut self) -> Result<Vec<PathBuf>> {
        for staged in &mut self.staged {
            fs::rename(&staged.temporary, &staged.target)
                .map_err(|cause| unwritten(&staged.target, cause))?;
            staged.named = true;
        }
        Ok(self.staged.iter().map(|staged| staged.target.clone()).collect())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.named {
            // What fails here has been reported already.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Two runs into one folder must not share a temporary file.
fn temporary_name(name: &str) -> String {
    format!(".{name}.{}.tmp", process::id())
}

/// A new file. One that a killed run of the same number left behind goes.
fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => OpenOptions::new().write(true).create_new(true).open(path),
    }
}

/// The fault of an output that could not be written.
pub fn unwritten(path: &Path, cause: io::Error) -> Error {
    Error::output(format!("cannot write {}", show(path))).because(cause)
}

/// A path for a message that is escaped once more when it is shown: only
/// what is no text is lost.
pub fn show(path: &Path) -> String {
    String::from_utf8_lossy(Raw::from_path(path).as_bytes()).into_owned()
}

/// A path for people.
pub fn show_safe(path: &Path) -> String {
    safe(Raw::from_path(path).as_bytes())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let name = format!("iisleuth-output-{name}-{}", process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        path
    }

    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn outputs_appear_together() {
        let path = folder("together");
        let mut out = OutputFolder::open(&path, &["a", "b"], &[]).unwrap();
        for name in ["a", "b"] {
            out.stage(name, |path, file| {
                file.write_all(name.as_bytes())
                    .map_err(|cause| unwritten(path, cause))
            })
            .unwrap();
        }
        assert!(!path.join("a").exists());
        out.commit().unwrap();
        assert_eq!(names(&path), ["a", "b"]);
        assert_eq!(fs::read(path.join("b")).unwrap(), b"b");
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_fault_leaves_what_was_there() {
        let path = folder("fault");
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("a"), "old").unwrap();
        let mut out = OutputFolder::open(&path, &["a", "b"], &[]).unwrap();
        out.stage("a", |_, _| Ok(())).unwrap();
        out.stage("b", |_, _| Err(Error::output("disk full"))).unwrap_err();
        drop(out);
        assert_eq!(names(&path), ["a"]);
        assert_eq!(fs::read(path.join("a")).unwrap(), b"old");
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn nothing_lands_in_the_evidence() {
        let path = folder("inside");
        fs::create_dir_all(&path).unwrap();
        let root = fs::canonicalize(&path).unwrap();
        let inside = path.join("case");
        let refused = |path: &Path, root: PathBuf| {
            OutputFolder::open(path, &["case.json"], &[root]).unwrap_err()
        };
        assert!(refused(&inside, root.clone()).is_usage());
        assert!(!inside.exists());
        // A file that is evidence, with the name of an output.
        let file = root.join("case.json");
        fs::write(&file, "x").unwrap();
        assert!(refused(&path, file).is_usage());
        fs::remove_dir_all(path).unwrap();
    }
}
