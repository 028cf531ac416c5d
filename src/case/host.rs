//! One server that wrote logs.
//!
//! In: records, one chunk or one case at a time. Out: the row of `hosts`.
//! What is counted from hits is derived once everything is joined.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::case::site_config::ConfiguredSite;
use crate::case::tally::{Counts, IisVersion, join_spans};
use crate::limits;
use crate::raw::Raw;
use crate::signature::Outcome;
use crate::w3c::{Layout, Timestamp};

/// Where the name of a host comes from, the surest first.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum NameSource {
    /// The examiner's map says so.
    Map,
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
            Self::Map => "map",
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
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize,
)]
pub struct Host {
    /// Its name.
    pub name: Raw,
    /// Where the name comes from.
    pub source: NameSource,
    /// What it is for, in the examiner's words.
    #[serde(flatten)]
    pub roles: Roles,
    /// Its IIS sites.
    pub sites: BTreeSet<Raw>,
    /// Its sites as its configuration has them, also those without a log.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub configured_sites: BTreeSet<ConfiguredSite>,
    /// The versions of IIS that wrote its logs.
    pub iis: BTreeSet<IisVersion>,
    /// The columns of its logs, a set for each layout.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub layouts: BTreeSet<BTreeSet<Raw>>,
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

    /// Adds the columns of a record.
    pub(super) fn logs(&mut self, layout: &Layout) {
        let columns = layout.columns();
        let columns = columns.map(|name| Raw::from(name.as_slice()));
        self.layouts.insert(columns.collect());
        self.bound_layouts();
    }

    /// The first in their order: whichever come first, the same are kept.
    fn bound_layouts(&mut self) {
        while self.layouts.len() > limits::LAYOUTS {
            self.layouts.pop_last();
        }
    }

    /// Adds what another chunk, exhibit or case knows of the same host.
    pub(super) fn absorb(&mut self, other: Self) {
        self.source = self.source.min(other.source);
        self.roles.absorb(other.roles);
        self.sites.extend(other.sites);
        self.configured_sites.extend(other.configured_sites);
        self.iis.extend(other.iis);
        self.layouts.extend(other.layouts);
        self.bound_layouts();
        self.records = self.records.saturating_add(other.records);
        let span = (other.first, other.last);
        join_spans(&mut self.first, &mut self.last, span);
    }
}

/// What a host is for: a single word as `role`, more as `roles`; no key
/// where nobody said.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize,
)]
#[serde(from = "Words", into = "Words")]
pub struct Roles(BTreeSet<Raw>);

impl Roles {
    /// All words, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Raw> {
        self.0.iter()
    }

    /// True where nobody said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a word, unless it is there.
    pub(super) fn add(&mut self, role: &Raw) {
        if !self.0.contains(role) {
            self.0.insert(role.clone());
        }
    }

    fn absorb(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// Roles as they stand in a file.
#[derive(Clone, Serialize, Deserialize)]
struct Words {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<Raw>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    roles: BTreeSet<Raw>,
}

impl From<Words> for Roles {
    fn from(words: Words) -> Self {
        Self(words.role.into_iter().chain(words.roles).collect())
    }
}

impl From<Roles> for Words {
    fn from(roles: Roles) -> Self {
        let Roles(mut roles) = roles;
        let is_one = roles.len() == 1;
        let role = if is_one { roles.pop_first() } else { None };
        Self { role, roles }
    }
}
