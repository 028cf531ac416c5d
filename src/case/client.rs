//! One client that probed.
//!
//! Out: the row of `clients`. Clients without a hit are not
//! kept: a busy log has millions. The list of what each client did is what
//! lets distinct clients be counted after cases are joined.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::case::tally::Counts;
use crate::raw::Raw;
use crate::signature::Outcome;
use crate::w3c::Timestamp;

/// One client with at least one hit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its address as logged.
    pub client: Raw,
    /// Its hits.
    pub hits: u64,
    /// Its earliest hit.
    pub first: Option<Timestamp>,
    /// Its latest.
    pub last: Option<Timestamp>,
    /// Derived: the most serious outcome.
    pub worst: Option<Outcome>,
    /// One of its hits is a worm's: the client is an infected machine.
    pub worm: bool,
    /// What its row says but for correlations, where it has part in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<Alone>,
    /// What it did: sorted by host, rule and feature.
    pub findings: Vec<ClientFinding>,
}

/// The row of a client without what correlations add.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alone {
    /// Its hits.
    pub hits: u64,
    /// Its earliest hit.
    pub first: Option<Timestamp>,
    /// Its latest.
    pub last: Option<Timestamp>,
    /// One of them is a worm's.
    pub worm: bool,
}

/// Hits of one client with one rule on one feature of one host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientFinding {
    /// The host.
    pub host: Raw,
    /// The rule's name.
    pub rule: Raw,
    /// The feature's id, where one was hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<Raw>,
    /// Hits by outcome.
    pub outcomes: Counts,
}

impl ClientFinding {
    /// What rows are in the order of.
    pub(super) fn place(&self) -> (&Raw, &Raw, Option<&Raw>) {
        (&self.host, &self.rule, self.feature.as_ref())
    }
}

impl Client {
    /// Takes back what correlations, by the names of their rules, added;
    /// false where nothing is left.
    pub(super) fn forget(&mut self, derived: &BTreeSet<String>) -> bool {
        if let Some(alone) = self.alone.take() {
            (self.hits, self.worm) = (alone.hits, alone.worm);
            (self.first, self.last) = (alone.first, alone.last);
        }
        self.findings.retain(|it| {
            let rule = std::str::from_utf8(it.rule.as_bytes());
            !rule.is_ok_and(|rule| derived.contains(rule))
        });
        !self.findings.is_empty()
    }

    /// Fills in what follows from the findings.
    pub(super) fn derive(&mut self) {
        let worst = self.findings.iter().map(|f| f.outcomes.worst());
        self.worst = worst.max().flatten();
    }
}
