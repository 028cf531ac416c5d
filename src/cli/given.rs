//! What the examiner knows beside the evidence: files named by options.
//!
//! In: paths. Out: what they hold. They are asked for by name, so one that
//! cannot be read or is wrong is a fault of usage: a scan that goes on
//! without it would put findings on the wrong host.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::PasswordArgs;
use super::output::{show, show_safe};
use crate::case::{HostMap, SiteConfig};
use crate::error::{Error, Result};
use crate::evidence::Passwords;
use crate::limits;

/// The table of `--host-map`.
pub fn host_map(path: &Path) -> Result<Arc<HostMap>> {
    let bytes = read(path, limits::HOST_MAP_BYTES)?;
    HostMap::read(&show(path), &bytes).map(Arc::new)
}

/// The configurations of `--app-host-config`. A file whose name holds a `=`
/// is written with the host before it, or with `./`.
pub fn site_configs(words: &[OsString]) -> Result<Vec<SiteConfig>> {
    words.iter().map(|word| site_config(word)).collect()
}

fn site_config(word: &OsStr) -> Result<SiteConfig> {
    let (host, path) = match split(word) {
        Some((host, path)) => (Some(host), path),
        None => (None, PathBuf::from(word)),
    };
    let bytes = read(&path, limits::SITE_CONFIG_BYTES)?;
    SiteConfig::read(host.as_deref(), &show(&path), &bytes)
}

/// Host and file of `HOST=FILE`. A host's name holds no slash.
fn split(word: &OsStr) -> Option<(String, PathBuf)> {
    let text = word.to_str()?;
    let (host, path) = text.split_once('=')?;
    let is_host = !host.is_empty() && !host.contains(['/', '\\']);
    is_host.then(|| (host.to_owned(), PathBuf::from(path)))
}

/// Those that were typed, then those of the file.
pub fn passwords(words: &PasswordArgs) -> Result<Passwords> {
    let typed = words.password.iter().map(|word| word.clone().into_bytes());
    let mut all: Vec<Vec<u8>> = typed.collect();
    if let Some(path) = &words.password_file {
        let unreadable = || {
            let path = show_safe(path);
            Error::usage(format!("cannot read the passwords in {path}"))
        };
        let lines =
            std::fs::read(path).map_err(|it| unreadable().because(it))?;
        let lines = lines.split(|byte| *byte == b'\n');
        let lines = lines.map(|it| it.strip_suffix(b"\r").unwrap_or(it));
        all.extend(lines.filter(|it| !it.is_empty()).map(<[u8]>::to_vec));
    }
    Ok(all.into_iter().collect())
}

/// The bytes of a file, one more than `most` at the most.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|cause| {
            let message = format!("cannot read {}", show(path));
            Error::usage(message).because(cause)
        })?;
    Ok(bytes)
}
