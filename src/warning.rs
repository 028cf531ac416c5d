//! What could not be read or looked wrong: never fatal, counted, mergeable,
//! shown in every report.

use serde::{Deserialize, Serialize};

use crate::raw::Raw;

/// What a warning is about. The order is the order in reports: losses first.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A file or folder could not be opened or read.
    Unreadable,
    /// A file was truncated or a page of it could not be read while it was
    /// scanned; what came before counts.
    Lost,
    /// A file changed while it was scanned.
    Changed,
    /// Compressed data ended early or is damaged; what came before counts.
    Cut,
    /// A web log of a format that this version does not read.
    NotRead,
    /// The file is no log that the program knows.
    NotALog,
    /// A fault in the program itself: the chunk it happened in is lost.
    Internal,
    /// A bound of [`crate::limits`] was reached.
    Limit,
    /// The scan was interrupted.
    Interrupted,
    /// A log of another service (FTP, SMTP, firewall): named, not judged.
    NotJudged,
    /// Lines that do not fit their layout; each was searched all the same.
    Rejected,
    /// The log does not tell something that its reading depends on, and
    /// nobody else did: what was assumed.
    Assumed,
    /// An exhibit counts although it is a copy of another: the cases that
    /// hold them were made apart.
    Copied,
    /// Something looked odd and did not matter.
    Odd,
}

impl Kind {
    /// True where part of the evidence did not get into the results, so that
    /// the run ends with exit code 3.
    pub fn is_loss(self) -> bool {
        matches!(
            self,
            Self::Unreadable
                | Self::Lost
                | Self::Changed
                | Self::Cut
                | Self::NotRead
                | Self::NotALog
                | Self::Internal
                | Self::Limit
        )
    }
}

/// One warning: about which exhibit, what, and how often.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Warning {
    /// What it is about.
    pub kind: Kind,
    /// The exhibit or path as given.
    pub exhibit: Raw,
    /// What happened, for people. May quote evidence: escape it.
    pub detail: String,
    /// How often it happened.
    pub count: u64,
}

impl Warning {
    /// A warning that happened once.
    pub fn new(kind: Kind, exhibit: Raw, detail: impl Into<String>) -> Self {
        Self { kind, exhibit, detail: detail.into(), count: 1 }
    }
}
