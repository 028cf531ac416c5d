//! The seam to whoever watches: the scan knows no terminal.

/// Told how far a scan is; asked whether to go on.
pub trait Progress: Sync {
    /// The scan begins; so many bytes lie ahead, as far as sizes tell.
    fn begin(&self, bytes: u64);

    /// So many more bytes are done.
    fn advance(&self, bytes: u64);

    /// The scan is over.
    fn end(&self);

    /// True where someone asked for the scan to stop.
    fn is_interrupted(&self) -> bool {
        false
    }
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
    fn end(&self) {}
}
