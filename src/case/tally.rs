//! Numbers that add up: outcome counts, spans of time, IIS versions.
//!
//! In: single hits and records. Out: values of which any two can be joined,
//! in any order, with the same result. Whatever a case stores is built of
//! these, so that joined cases equal one scan of everything.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::signature::Outcome;
use crate::w3c::Timestamp;

/// Hits by outcome. In JSON an object of those that were seen.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize,
)]
#[serde(from = "BTreeMap<Outcome, u64>", into = "BTreeMap<Outcome, u64>")]
pub struct Counts([u64; Outcome::ALL.len()]);

impl Counts {
    /// Counts one hit.
    pub fn count(&mut self, outcome: Outcome) {
        self.add(outcome, 1);
    }

    /// Counts `hits` hits of one outcome.
    pub fn add(&mut self, outcome: Outcome, hits: u64) {
        let count = &mut self.0[outcome as usize];
        *count = count.saturating_add(hits);
    }

    /// Adds all counts of another.
    pub fn absorb(&mut self, other: &Self) {
        for (own, hits) in self.0.iter_mut().zip(other.0) {
            *own = own.saturating_add(hits);
        }
    }

    /// All hits.
    pub fn hits(&self) -> u64 {
        self.0.iter().fold(0, |sum, hits| sum.saturating_add(*hits))
    }

    /// Hits of one outcome.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.0[outcome as usize]
    }

    /// The most serious outcome that was seen.
    pub fn worst(&self) -> Option<Outcome> {
        self.iter().map(|(outcome, _)| outcome).last()
    }

    /// Outcomes seen with their counts, least serious first.
    pub fn iter(&self) -> impl Iterator<Item = (Outcome, u64)> + '_ {
        let all = Outcome::ALL.into_iter().zip(self.0);
        all.filter(|(_, hits)| *hits > 0)
    }
}

impl From<BTreeMap<Outcome, u64>> for Counts {
    fn from(map: BTreeMap<Outcome, u64>) -> Self {
        let mut counts = Self::default();
        for (outcome, hits) in map {
            counts.add(outcome, hits);
        }
        counts
    }
}

impl From<Counts> for BTreeMap<Outcome, u64> {
    fn from(counts: Counts) -> Self {
        counts.iter().collect()
    }
}

/// True for what is left out of a file.
#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
pub(super) fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Widens `first` to `last` so that it holds `time`.
#[inline]
pub(super) fn widen(
    first: &mut Option<Timestamp>,
    last: &mut Option<Timestamp>,
    time: Option<Timestamp>,
) {
    if time.is_some() {
        if first.is_none() || time < *first {
            *first = time;
        }
        // `None` is less than any time.
        *last = (*last).max(time);
    }
}

/// Joins two spans of time.
pub(super) fn join_spans(
    first: &mut Option<Timestamp>,
    last: &mut Option<Timestamp>,
    other: (Option<Timestamp>, Option<Timestamp>),
) {
    widen(first, last, other.0);
    widen(first, last, other.1);
}

/// A version of IIS: `5.0`.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct IisVersion {
    /// The number before the point.
    pub major: u8,
    /// The number after it.
    pub minor: u8,
}

impl fmt::Display for IisVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl From<IisVersion> for String {
    fn from(version: IisVersion) -> Self {
        version.to_string()
    }
}

impl TryFrom<String> for IisVersion {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.split_once('.').and_then(|(major, minor)| {
            Some((major.parse().ok()?, minor.parse().ok()?))
        });
        match parts {
            Some((major, minor)) => Ok(Self { major, minor }),
            None => Err(format!("not a version of IIS: {text:?}")),
        }
    }
}
