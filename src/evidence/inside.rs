//! Tells whether an output would land in the evidence.
//!
//! In: a path that need not exist yet, and the canonical roots of the
//! evidence. Out: yes or no. Each component is resolved as the system would,
//! so neither `..` nor a symbolic link gets past.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// Symbolic links that lead to nothing yet, followed one after the other; as
/// many as Linux follows.
const LINKS: usize = 40;

/// True where `path`, once written, would be one of `roots` or lie under
/// one. `roots` are canonical, as in [`super::Evidence::roots`].
pub fn is_inside(path: &Path, roots: &[PathBuf]) -> bool {
    let path = resolve(path, LINKS);
    roots.iter().any(|root| path.starts_with(root))
}

/// The canonical form of a path whose end may not exist yet.
fn resolve(path: &Path, links: usize) -> PathBuf {
    let here = || fs::canonicalize(".").unwrap_or_default();
    let mut resolved =
        if path.is_absolute() { PathBuf::new() } else { here() };
    for component in path.components() {
        match component {
            // Canonical so far: the parent is the folder above.
            Component::ParentDir => {
                resolved.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) => resolved.push(component),
            Component::RootDir | Component::Normal(_) => {
                resolved.push(component);
                resolved = settle(resolved, links);
            }
        }
    }
    resolved
}

/// The canonical form of a path whose folder is canonical. A link that leads
/// to nothing yet would be written through, so it is followed by name.
fn settle(path: PathBuf, links: usize) -> PathBuf {
    if let Ok(canonical) = fs::canonicalize(&path) {
        return canonical;
    }
    match (fs::read_link(&path), path.parent()) {
        (Ok(target), Some(folder)) if links > 0 => {
            resolve(&folder.join(target), links - 1)
        }
        _ => path,
    }
}
