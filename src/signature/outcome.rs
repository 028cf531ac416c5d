//! Outcome criteria as data: the words, and the tests on a record's status
//! that lead to them. Rules, feature profiles and the generic table all use
//! this one form; the `verdict` folder applies it.

use serde::{Deserialize, Serialize};

/// What became of a request. The order is from least to most serious.
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
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A filter or HTTP.sys refused it before any feature ran.
    Blocked,
    /// The feature is known and switched off.
    Disabled,
    /// Nothing is there.
    Absent,
    /// There, but guarded.
    Denied,
    /// The log does not record what would be needed.
    Unknown,
    /// The feature answered; nothing shows an effect.
    Reached,
    /// The feature broke.
    Crashed,
    /// The rule's own success criteria hold.
    Succeeded,
    /// Later evidence shows use.
    Compromised,
}

impl Outcome {
    /// All outcomes, least serious first.
    pub const ALL: [Self; 9] = [
        Self::Blocked,
        Self::Disabled,
        Self::Absent,
        Self::Denied,
        Self::Unknown,
        Self::Reached,
        Self::Crashed,
        Self::Succeeded,
        Self::Compromised,
    ];

    /// The word in files and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Disabled => "disabled",
            Self::Absent => "absent",
            Self::Denied => "denied",
            Self::Unknown => "unknown",
            Self::Reached => "reached",
            Self::Crashed => "crashed",
            Self::Succeeded => "succeeded",
            Self::Compromised => "compromised",
        }
    }

    /// The outcome that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }

    /// True where the probe did what it was made for.
    pub fn is_success(self) -> bool {
        self >= Self::Succeeded
    }

    /// True where the feature answered, with or without success.
    pub fn is_exposed(self) -> bool {
        self >= Self::Reached
    }
}

/// How sure an outcome is.
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
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Other readings exist.
    Possible,
    /// The best reading.
    Likely,
    /// No other reading.
    Certain,
}

impl Confidence {
    /// All, least sure first.
    pub const ALL: [Self; 3] = [Self::Possible, Self::Likely, Self::Certain];

    /// The word in files and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }

    /// The confidence that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|confidence| confidence.as_str() == word)
    }
}

/// If `when` holds, then this outcome, for this reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Criterion {
    /// What must hold of the record.
    pub when: When,
    /// The outcome then.
    pub outcome: Outcome,
    /// How sure.
    pub confidence: Confidence,
    /// The reason's code, in kebab-case.
    pub reason: String,
    /// The reason for people.
    pub text: String,
}

/// What must hold of a record: every list that is not empty must hold one
/// entry that fits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct When {
    /// `sc-status`.
    pub status: Vec<Range>,
    /// `sc-substatus`.
    pub substatus: Vec<Range>,
    /// `sc-win32-status`.
    pub win32: Vec<Range>,
    /// `sc-bytes`.
    pub bytes: Vec<Range>,
    /// `cs-bytes`.
    pub cs_bytes: Vec<Range>,
    /// `time-taken`, milliseconds.
    pub time_taken: Vec<Range>,
    /// Version of IIS, major version as number (`5`, `5.1` is 5.1).
    pub iis: Vec<Range>,
    /// `cs-method`, ignoring case.
    pub method: Vec<String>,
    /// `s-reason` of HTTPERR, ignoring case.
    pub reason: Vec<String>,
    /// The decoded stem contains this, ignoring case.
    pub stem: Vec<String>,
    /// The decoded query contains this, ignoring case.
    pub query: Vec<String>,
    /// Columns that the layout must not have or the line leaves empty:
    /// `status`, `substatus`, `win32`, `bytes`. All of them.
    pub missing: Vec<String>,
    /// The line is a rejection by URLScan.
    pub urlscan: Option<bool>,
}

/// Numbers from `low` to `high`, both included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The least number.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

impl Range {
    /// True where the number lies in the range.
    pub fn contains(self, number: f64) -> bool {
        self.low <= number && number <= self.high
    }
}
