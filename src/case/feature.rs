//! Which features were hit, on which hosts, and how they answered.
//!
//! In: findings and clients of a whole case. Out: the rows of `features`.
//! Nothing here is stored on its own but the name: the rest is derived.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::case::client::Client;
use crate::case::finding::{Finding, Share};
use crate::case::tally::{Counts, join_spans};
use crate::raw::Raw;
use crate::signature::Outcome;
use crate::w3c::Timestamp;

/// How a feature stands on a host, as the answers to probes show.
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
#[serde(rename_all = "lowercase")]
pub enum Exposure {
    /// It answered at least once.
    Exposed,
    /// It is there, but a filter or a logon stood before it.
    Guarded,
    /// It is switched off.
    Disabled,
    /// It is not there.
    Absent,
    /// The log does not tell.
    #[default]
    Unknown,
}

impl Exposure {
    /// All, the most pressing first.
    pub const ALL: [Self; 5] = [
        Self::Exposed,
        Self::Guarded,
        Self::Disabled,
        Self::Absent,
        Self::Unknown,
    ];

    /// The word in files and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exposed => "exposed",
            Self::Guarded => "guarded",
            Self::Disabled => "disabled",
            Self::Absent => "absent",
            Self::Unknown => "unknown",
        }
    }

    /// What the outcomes of all probes of a feature say of it.
    pub fn from_outcomes(outcomes: &Counts) -> Self {
        let seen = |outcome| outcomes.of(outcome) > 0;
        if outcomes.worst().is_some_and(Outcome::is_exposed) {
            Self::Exposed
        } else if seen(Outcome::Denied) || seen(Outcome::Blocked) {
            Self::Guarded
        } else if seen(Outcome::Disabled) {
            Self::Disabled
        } else if seen(Outcome::Absent) {
            Self::Absent
        } else {
            Self::Unknown
        }
    }
}

/// A feature that was hit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HitFeature {
    /// Its id in the catalogue.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The hosts it was hit on, sorted by name.
    #[serde(default)]
    pub hosts: Vec<FeatureHost>,
    /// Ids of the advisories of the rules that hit it.
    #[serde(default)]
    pub advisories: BTreeSet<String>,
}

/// A feature on one host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureHost {
    /// The host.
    pub host: Raw,
    /// How the feature stands there.
    pub exposure: Exposure,
    /// Hits on it.
    pub hits: u64,
    /// Distinct clients.
    pub clients: u64,
    /// The earliest hit.
    pub first: Option<Timestamp>,
    /// The latest.
    pub last: Option<Timestamp>,
    /// The most serious outcome.
    pub worst: Option<Outcome>,
    /// Hits by outcome.
    pub outcomes: Counts,
}

impl FeatureHost {
    fn add(&mut self, share: &Share) {
        self.outcomes.absorb(&share.outcomes);
        let span = (share.first, share.last);
        join_spans(&mut self.first, &mut self.last, span);
    }

    fn derive(&mut self) {
        self.hits = self.outcomes.hits();
        self.worst = self.outcomes.worst();
        self.exposure = Exposure::from_outcomes(&self.outcomes);
    }
}

/// Distinct clients by feature and host.
fn clients(clients: &[Client]) -> BTreeMap<(&[u8], &Raw), u64> {
    let mut counts = BTreeMap::new();
    for client in clients {
        let places: BTreeSet<_> = client
            .findings
            .iter()
            .filter_map(|f| Some((f.feature.as_ref()?.as_bytes(), &f.host)))
            .collect();
        for place in places {
            *counts.entry(place).or_insert(0) += 1;
        }
    }
    counts
}

/// The rows of all features that findings show.
pub(super) fn derive(
    names: &BTreeMap<String, String>,
    findings: &[Finding],
    all_clients: &[Client],
) -> Vec<HitFeature> {
    let clients = clients(all_clients);
    let mut rows: BTreeMap<&str, HitFeature> = BTreeMap::new();
    let mut hosts: BTreeMap<(&str, &Raw), FeatureHost> = BTreeMap::new();
    for finding in findings {
        for share in &finding.features {
            let Some(id) = share.feature.as_deref() else { continue };
            let row = rows.entry(id).or_default();
            row.advisories.extend(finding.advisories.iter().cloned());
            hosts.entry((id, &finding.host)).or_default().add(share);
        }
    }
    for ((id, name), mut host) in hosts {
        host.host = name.clone();
        host.clients =
            clients.get(&(id.as_bytes(), name)).copied().unwrap_or(0);
        host.derive();
        if let Some(row) = rows.get_mut(id) {
            row.hosts.push(host);
        }
    }
    let sorted = rows.into_iter().map(|(id, row)| {
        let name = names.get(id).map_or(id, String::as_str).to_owned();
        HitFeature { id: id.to_owned(), name, ..row }
    });
    sorted.collect()
}
