//! What the examiner knows beside the evidence: files named by options.
//!
//! In: paths. Out: what they hold. They are asked for by name, so one that
//! cannot be read or is wrong is a fault of usage: a scan that goes on
//! without it would put findings on the wrong host.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use super::output::show;
use crate::case::HostMap;
use crate::error::{Error, Result};
use crate::limits;

/// The table of `--host-map`.
pub fn host_map(path: &Path) -> Result<Arc<HostMap>> {
    let bytes = read(path, limits::HOST_MAP_BYTES)?;
    HostMap::read(&show(path), &bytes).map(Arc::new)
}

/// The bytes of a file, one more than `most` at the most.
fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|cause| {
            let message = format!("cannot read {}", show(path));
            Error::usage(message).because(cause)
        })?;
    Ok(bytes)
}
