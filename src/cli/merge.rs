//! `merge CASE… -o DIR`: joins cases, so that evidence scanned in parts,
//! on several days or machines, gives what one scan would have given.
//!
//! In: folders of cases. Out: one more such folder, and its summary.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::args::MergeArgs;
use super::console::Console;
use super::exit::Exit;
use super::output::{HITS, OutputFolder, show, show_safe, unwritten};
use super::signatures::load;
use crate::case::{Case, FILE_NAME, merge_hits};
use crate::error::{Error, Result};
use crate::signature::Source;

/// Runs the command.
pub fn run(words: &MergeArgs, console: &Console) -> Result<Exit> {
    let folders = folders(&words.cases)?;
    let mut folder =
        OutputFolder::open(&words.output, &[FILE_NAME, HITS], &folders)?;
    let cases: Vec<_> =
        folders.iter().map(|path| Case::load(path)).collect::<Result<_>>()?;
    let case = Case::merge_all(cases)?;
    folder.stage(FILE_NAME, |path, out| {
        case.write_json(out).map_err(|cause| unwritten(path, cause))
    })?;
    let hits: Vec<_> =
        folders.iter().map(|path| open_hits(path)).collect::<Result<_>>()?;
    let derived = case.correlated_hits();
    folder.stage(HITS, |_, out| merge_hits(hits, &derived, out))?;
    for path in folder.commit()? {
        console.note(format_args!("wrote {}", show_safe(&path)));
    }
    let signatures = load(&Source::default())?;
    console.summary(&case, signatures.features(), words.full)?;
    Ok(Exit::Finished)
}

/// The canonical folder of each case; a case may be named by its file.
fn folders(cases: &[PathBuf]) -> Result<Vec<PathBuf>> {
    cases
        .iter()
        .map(|path| {
            let folder = match path.file_name() {
                Some(name) if name == FILE_NAME => parent(path),
                _ => path.clone(),
            };
            canonical(path, &folder)
        })
        .collect()
}

/// The folder a file is in; of a bare name that is the current one.
fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn canonical(path: &Path, folder: &Path) -> Result<PathBuf> {
    fs::canonicalize(folder).map_err(|cause| {
        Error::usage(format!("cannot read the case {}", show(path)))
            .because(cause)
    })
}

fn open_hits(folder: &Path) -> Result<BufReader<File>> {
    let path = folder.join(HITS);
    File::open(&path).map(BufReader::new).map_err(|cause| {
        Error::case(format!("cannot read {}", show(&path))).because(cause)
    })
}
