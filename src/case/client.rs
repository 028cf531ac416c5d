//! One client that probed.
//!
//! In: its hits. Out: the row of `clients`. Clients without a hit are not
//! kept: a busy log has millions. The list of what each client did is what
//! lets distinct clients be counted after cases are joined.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::case::tally::{Counts, join_spans, widen};
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
    /// What it did: sorted by host, rule and feature.
    pub findings: Vec<ClientFinding>,
}

/// Hits of one client with one rule on one feature of one host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientFinding {
    /// The host.
    pub host: Raw,
    /// The rule's name.
    pub rule: String,
    /// The feature's id, where one was hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// Hits by outcome.
    pub outcomes: Counts,
}

/// The key of a [`ClientFinding`], borrowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub host: &'a Raw,
    pub rule: &'a str,
    pub feature: Option<&'a str>,
}

impl ClientFinding {
    fn order(&self, place: Place<'_>) -> Ordering {
        let own = (&self.host, self.rule.as_str(), self.feature.as_deref());
        own.cmp(&(place.host, place.rule, place.feature))
    }

    fn place(&self) -> Place<'_> {
        let feature = self.feature.as_deref();
        Place { host: &self.host, rule: &self.rule, feature }
    }
}

impl Client {
    /// A client without hits.
    pub(super) fn new(client: Raw) -> Self {
        Self { client, ..Self::default() }
    }

    /// Counts a hit.
    pub(super) fn hit(
        &mut self,
        place: Place<'_>,
        outcome: Outcome,
        time: Option<Timestamp>,
        worm: bool,
    ) {
        self.hits = self.hits.saturating_add(1);
        self.worm |= worm;
        widen(&mut self.first, &mut self.last, time);
        if let Some(finding) = self.at(place) {
            finding.outcomes.count(outcome);
        }
    }

    /// Adds what another chunk, exhibit or case knows of the same client.
    pub(super) fn absorb(&mut self, other: Self) {
        self.hits = self.hits.saturating_add(other.hits);
        self.worm |= other.worm;
        let span = (other.first, other.last);
        join_spans(&mut self.first, &mut self.last, span);
        for theirs in other.findings {
            let place = theirs.place();
            let found =
                self.findings.binary_search_by(|entry| entry.order(place));
            match found {
                // As it is: copying its names is what joining costs most.
                Err(at) => self.findings.insert(at, theirs),
                Ok(at) => {
                    if let Some(own) = self.findings.get_mut(at) {
                        own.outcomes.absorb(&theirs.outcomes);
                    }
                }
            }
        }
    }

    /// The entry of a place, made where there is none. Always there.
    fn at(&mut self, place: Place<'_>) -> Option<&mut ClientFinding> {
        let found = self.findings.binary_search_by(|entry| entry.order(place));
        let at = found.unwrap_or_else(|at| {
            let entry = ClientFinding {
                host: place.host.clone(),
                rule: place.rule.to_owned(),
                feature: place.feature.map(str::to_owned),
                outcomes: Counts::default(),
            };
            self.findings.insert(at, entry);
            at
        });
        self.findings.get_mut(at)
    }

    /// Fills in what follows from the findings.
    pub(super) fn derive(&mut self) {
        let worst = self.findings.iter().map(|f| f.outcomes.worst());
        self.worst = worst.max().flatten();
    }
}
