//! One server that wrote logs.
//!
//! In: records, one chunk or one case at a time. Out: the row of `hosts`.
//! What is counted from hits is derived once everything is joined.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::case::tally::{Counts, IisVersion, join_spans};
use crate::raw::Raw;
use crate::signature::Outcome;
use crate::w3c::Timestamp;

/// Where the name of a host comes from, the surest first.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum NameSource {
    /// The record has `s-computername`.
    SComputername,
    /// A folder above the log.
    Path,
    /// The record has `s-ip`.
    SIp,
    /// The user said so.
    Option,
    /// Nothing tells.
    #[default]
    None,
}

impl NameSource {
    /// The word in files and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SComputername => "s-computername",
            Self::Path => "path",
            Self::SIp => "s-ip",
            Self::Option => "option",
            Self::None => "none",
        }
    }
}

/// The name of a host that nothing names.
pub const UNKNOWN_HOST: &str = "unknown";

/// One server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Its name.
    pub name: Raw,
    /// Where the name comes from.
    pub source: NameSource,
    /// Its IIS sites.
    pub sites: BTreeSet<Raw>,
    /// The versions of IIS that wrote its logs.
    pub iis: BTreeSet<IisVersion>,
    /// Its records.
    pub records: u64,
    /// Its earliest record.
    pub first: Option<Timestamp>,
    /// Its latest.
    pub last: Option<Timestamp>,
    /// Derived: hits on it.
    #[serde(default)]
    pub hits: u64,
    /// Derived: true where there is a hit.
    #[serde(default)]
    pub probed: bool,
    /// Derived: clients with a hit on it.
    #[serde(default)]
    pub clients: u64,
    /// Derived: the most serious outcome.
    #[serde(default)]
    pub worst: Option<Outcome>,
    /// Derived: hits by outcome.
    #[serde(default)]
    pub outcomes: Counts,
}

impl Host {
    /// A host without records.
    pub(super) fn new(name: Raw, source: NameSource) -> Self {
        Self { name, source, ..Self::default() }
    }

    /// Adds what another chunk, exhibit or case knows of the same host.
    pub(super) fn absorb(&mut self, other: Self) {
        self.source = self.source.min(other.source);
        self.sites.extend(other.sites);
        self.iis.extend(other.iis);
        self.records = self.records.saturating_add(other.records);
        let span = (other.first, other.last);
        join_spans(&mut self.first, &mut self.last, span);
    }
}
