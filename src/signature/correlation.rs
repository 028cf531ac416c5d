//! Correlations: what several lines show together where one proves nothing.
//!
//! In: nothing. Out: the types that `correlation_reader` fills, that rules
//! point to ([`Feed`]), and that a case keeps, since the lines of a
//! correlation may come from cases that are joined later.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::signature::outcome::{Confidence, Outcome};
use crate::signature::rule::{Level, Stage};
use crate::signature::view::View;
use crate::w3c::{Field, Record};

/// What is asked of the events within the time span.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the words are Sigma's own
pub enum Kind {
    #[default]
    EventCount,
    ValueCount,
    Temporal,
    TemporalOrdered,
}

impl Kind {
    /// All kinds that are supported.
    pub const ALL: [Self; 4] = [
        Self::EventCount,
        Self::ValueCount,
        Self::Temporal,
        Self::TemporalOrdered,
    ];

    /// The word in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EventCount => "event_count",
            Self::ValueCount => "value_count",
            Self::Temporal => "temporal",
            Self::TemporalOrdered => "temporal_ordered",
        }
    }

    /// The kind that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// True where it counts, and few events mean nothing.
    pub fn counts(self) -> bool {
        matches!(self, Self::EventCount | Self::ValueCount)
    }
}

/// The counts for which a condition holds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize,
)]
pub struct Bounds {
    /// The least.
    pub least: u64,
    /// The greatest.
    pub most: u64,
    /// One between them for which it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not: Option<u64>,
}

impl Bounds {
    /// `least` or more.
    pub fn from(least: u64) -> Self {
        Self { least, most: u64::MAX, not: None }
    }

    /// True where the condition holds for one of the counts from `first` to
    /// `last`: events of one second come one after the other.
    pub fn hold_for_any(&self, first: u64, last: u64) -> bool {
        let (first, last) = (first.max(self.least), last.min(self.most));
        let only_refused = first == last && self.not == Some(first);
        first <= last && !only_refused
    }
}

/// One correlation, with what of its rule a finding tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// The rule's name.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// Its UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    /// How grave.
    pub level: Level,
    /// Where the attacker stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// The feature's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// The feature's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_name: Option<String>,
    /// Ids of advisories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advisories: Vec<String>,
    /// The client is itself an infected machine.
    #[serde(default)]
    pub worm: bool,
    /// What is asked.
    pub kind: Kind,
    /// The names of the rules whose hits are the events, in their order.
    pub rules: Vec<String>,
    /// The fields, or aliases, in which events must agree.
    pub group_by: Vec<String>,
    /// The field whose values are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// By alias and rule: the field that it means.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<String, BTreeMap<String, String>>,
    /// Seconds within which the events must lie.
    pub timespan: u32,
    /// The counts that are asked for.
    pub bounds: Bounds,
    /// What came of it, where the rule says so; else the most serious
    /// outcome of its lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// How sure that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// It is there for other correlations alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_silent: bool,
    /// The correlations of which this one is an event.
    #[serde(skip)]
    pub outer: Vec<Arc<Self>>,
}

impl Correlation {
    /// The field that a name means for one of the rules.
    pub fn field_for<'s>(&'s self, name: &'s str, rule: &str) -> &'s str {
        let alias = self.aliases.get(name).and_then(|by| by.get(rule));
        alias.map_or(name, String::as_str)
    }

    /// The place of a rule among those that are events.
    pub fn step_of(&self, rule: &str) -> Option<u16> {
        let place = self.rules.iter().position(|name| name == rule)?;
        u16::try_from(place).ok()
    }
}

/// That the hits of a rule are events of a correlation.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The correlation.
    pub correlation: Arc<Correlation>,
    /// Which of its rules this is.
    pub step: u16,
    /// What events are told apart by, one for each of its `group-by`.
    pub keys: Vec<Key>,
    /// What it counts the values of.
    pub value: Option<Key>,
}

/// What a field of a record means where records are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// The server that wrote the log, also where no column names it.
    Host,
    /// Its site.
    Site,
    /// Who sent the request.
    Client,
    /// Path, `?`, query.
    Target,
    /// A column.
    View(View),
}

/// What of a record only its log tells.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The server that wrote it.
    pub host: &'a [u8],
    /// Its site.
    pub site: Option<&'a [u8]>,
    /// Who sent the request.
    pub client: Option<&'a [u8]>,
}

impl Key {
    /// What a field's name means; with `strict` the logged column and nothing
    /// more.
    pub fn of(name: &str, strict: bool) -> Self {
        match (name, View::of(Some(name), strict)) {
            ("s-computername" | "computername", _) => Self::Host,
            ("s-sitename", _) => Self::Site,
            (_, View::Field(Field::CIp)) => Self::Client,
            (_, View::Request) => Self::Target,
            (_, view) => Self::View(view),
        }
    }

    /// Appends the value, in lower case; false where there is none.
    pub fn append(
        &self,
        record: &Record<'_>,
        known: Surroundings<'_>,
        out: &mut Vec<u8>,
    ) -> bool {
        let from = out.len();
        let value = match self {
            // A host keeps its spelling: its name leads to its row.
            Self::Host => {
                out.extend_from_slice(known.host);
                return true;
            }
            Self::Site => known.site,
            Self::Client => known.client,
            Self::Target => record.target().stem,
            Self::View(view) => view.raw_value(record),
        };
        let Some(value) = value else { return false };
        out.extend_from_slice(value);
        if let (Self::Target, Some(query)) = (self, record.target().query) {
            out.push(b'?');
            out.extend_from_slice(query);
        }
        if let Some(new) = out.get_mut(from..) {
            new.make_ascii_lowercase();
        }
        true
    }
}
