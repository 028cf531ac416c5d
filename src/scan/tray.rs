//! An archive whose members any thread may take.
//!
//! In: the members, apart. Out: each once, to whoever asks; the last thread
//! to let go of the archive closes it.

use crate::evidence::{Apart, Budget, Member};
use crate::scan::collector::Setting;
use crate::scan::work::Origin;

/// An open archive.
pub(super) struct Tray {
    pub setting: Setting,
    pub origin: Origin,
    pub apart: Apart,
}

impl Tray {
    /// The next member.
    pub fn next(&self) -> Option<(Member, Budget)> {
        self.apart.next()
    }

    /// True where one more thread would find something to do.
    pub fn has_more(&self) -> bool {
        self.apart.has_more()
    }
}
