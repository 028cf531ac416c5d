//! Patterns such as `logs/*/W3SVC*/ex01*.log`, for shells that do not expand
//! them (Windows) and for patterns in quotes.
//!
//! In: an argument that is no path. Out: the paths it matches, sorted. They
//! are then treated as if each had been named.
//!
//! One component after the other, as a shell does, so that only folders that
//! match are opened. `*`, `?`, `[a-z]` and `{a,b}` work within a component;
//! `**` is any number of folders. A component that exists as it is written
//! stands for itself. Else upper and lower case are one: IIS names come in
//! both, and Windows does not tell them apart.

use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use super::discover::is_missing;
use crate::error::Error;
use crate::limits::WALK_DEPTH;
use crate::raw::Raw;
use crate::warning::{Kind, Warning};

/// The paths that a pattern matches, at least one; None where the argument
/// is no pattern. Folders that cannot be read become warnings.
pub(super) fn expand(
    pattern: &Path,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Vec<PathBuf>>, Error> {
    if !is_pattern(pattern.as_os_str()) {
        return Ok(None);
    }
    let mut paths = vec![PathBuf::new()];
    for component in pattern.components() {
        let Component::Normal(name) = component else {
            for path in &mut paths {
                path.push(component);
            }
            continue;
        };
        let matcher = matcher(pattern, name)?;
        let mut next = Vec::new();
        for path in paths {
            let literal = path.join(name);
            if name == "**" {
                folders(&path, &mut next, warnings);
            } else if fs::symlink_metadata(&literal).is_ok() {
                next.push(literal);
            } else if let Some(matcher) = &matcher {
                children(&path, matcher, &mut next, warnings);
            }
        }
        next.sort();
        next.dedup();
        paths = next;
    }
    if paths.is_empty() {
        let text = format!("nothing matches: {}", pattern.display());
        return Err(Error::usage(text));
    }
    Ok(Some(paths))
}

fn is_pattern(name: &OsStr) -> bool {
    name.as_encoded_bytes().iter().any(|byte| b"*?[".contains(byte))
}

/// What tells the names that a component stands for. None for a plain name
/// that is not Unicode: that one stands for itself only.
fn matcher(
    pattern: &Path,
    name: &OsStr,
) -> Result<Option<GlobMatcher>, Error> {
    let wrong = || format!("not a pattern: {}", pattern.display());
    let glob = match (name.to_str(), is_pattern(name)) {
        (Some(text), true) => text.to_owned(),
        (Some(text), false) => globset::escape(text),
        (None, true) => return Err(Error::usage(wrong())),
        (None, false) => return Ok(None),
    };
    GlobBuilder::new(&glob)
        .case_insensitive(true)
        .build()
        .map(|glob| Some(glob.compile_matcher()))
        .map_err(|error| Error::usage(wrong()).because(error))
}

/// The entries of a folder whose names match.
fn children(
    folder: &Path,
    matcher: &GlobMatcher,
    found: &mut Vec<PathBuf>,
    warnings: &mut Vec<Warning>,
) {
    let here =
        if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut warn = |error: &std::io::Error| {
        // A file where the pattern wants a folder just does not match.
        if !is_missing(error) {
            let name = Raw::from_path(here);
            let detail = error.to_string();
            warnings.push(Warning::new(Kind::Unreadable, name, detail));
        }
    };
    let entries = match fs::read_dir(here) {
        Ok(entries) => entries,
        Err(error) => return warn(&error),
    };
    for entry in entries {
        match entry {
            Ok(entry) if matcher.is_match(entry.file_name()) => {
                found.push(folder.join(entry.file_name()));
            }
            Ok(_) => {}
            Err(error) => warn(&error),
        }
    }
}

/// A folder and all folders below it.
fn folders(
    folder: &Path,
    found: &mut Vec<PathBuf>,
    warnings: &mut Vec<Warning>,
) {
    let nameless = folder.as_os_str().is_empty();
    let root = if nameless { Path::new(".") } else { folder };
    for entry in WalkDir::new(root).max_depth(WALK_DEPTH) {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {
                let path = entry.path();
                let below = path.strip_prefix(".").unwrap_or(path);
                found.push(if nameless { below } else { path }.to_owned());
            }
            Ok(_) => {}
            Err(error) => {
                let name = Raw::from_path(error.path().unwrap_or(root));
                let detail = error.to_string();
                warnings.push(Warning::new(Kind::Unreadable, name, detail));
            }
        }
    }
}
