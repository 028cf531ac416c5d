//! A Sigma rule as read: what it says of itself, and its detection as one
//! boolean expression over tests.
//!
//! In: nothing. Out: the types that the reader fills, the matcher compiles
//! and the verdict consults. Names of searches and the condition's grammar
//! are gone by here: `1 of sel*` is an [`Expr::Any`].

use std::cmp::Ordering;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::raw::Raw;
use crate::signature::correlation::{Correlation, Feed};
use crate::signature::correlation_reader::Story;
use crate::signature::expression::Expression;
use crate::signature::outcome::Criterion;

/// How grave a rule's finding is, as Sigma spells it.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the words are Sigma's own
pub enum Level {
    #[default]
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

impl Level {
    /// All levels, least grave first.
    pub const ALL: [Self; 5] = [
        Self::Informational,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The word in rules, options and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The level that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }
}

/// Where an attacker stands when the request is made.
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
pub enum Stage {
    /// Looking for something to attack.
    Recon,
    /// Attacking it.
    Exploit,
    /// Using what an earlier attack left.
    PostExploit,
}

impl Stage {
    /// The stage that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "recon" => Some(Self::Recon),
            "exploit" => Some(Self::Exploit),
            "post-exploit" => Some(Self::PostExploit),
            _ => None,
        }
    }
}

/// One Sigma rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The id for people: `name:`, else the file's stem.
    pub name: String,
    /// The UUID, where the rule has one.
    pub id: Option<String>,
    /// The title.
    pub title: String,
    /// `stable`, `test`, `experimental`, `deprecated`, `unsupported`.
    pub status: Option<String>,
    /// How grave.
    pub level: Level,
    /// What the rule finds, for people.
    pub description: String,
    /// Pages that tell more.
    pub references: Vec<String>,
    /// ATT&CK, CVE and other tags.
    pub tags: Vec<String>,
    /// Ordinary causes of the same trace.
    pub false_positives: Vec<String>,
    /// What it detects; that of a correlation never matches a line.
    pub detection: Detection,
    /// What it asks of the hits of other rules, where it is a correlation.
    pub correlation: Option<Arc<Correlation>>,
    /// The correlations that its hits are events of.
    pub feeds: Vec<Feed>,
    /// It is there for correlations alone: its own hits are not told.
    pub is_silent: bool,
    /// The `iisleuth:` block, empty where a rule has none.
    pub sleuth: Sleuth,
    /// The file it came from, as given.
    pub file: Raw,
}

/// What Sigma has no word for: the `iisleuth:` block.
#[derive(Clone, Debug, Default)]
pub struct Sleuth {
    /// Id in the feature catalogue.
    pub feature: Option<String>,
    /// Where the attacker stands.
    pub stage: Option<Stage>,
    /// The client is itself an infected machine.
    pub worm: bool,
    /// Ids in the catalogue of advisories.
    pub advisories: Vec<String>,
    /// Rules whose later success turns this one into `compromised`.
    pub confirmed_by: Vec<String>,
    /// Criteria that come before the feature's profile.
    pub outcome: Vec<Criterion>,
    /// Lines that the rule must and must not match.
    pub tests: Tests,
}

/// The tests that a rule carries.
#[derive(Clone, Debug, Default)]
pub struct Tests {
    /// Lines that must match.
    pub matching: Vec<TestLine>,
    /// Lines that must not.
    pub other: Vec<TestLine>,
    /// Small logs that a correlation must or must not find something in.
    pub stories: Vec<Story>,
}

/// One whole log line with what is needed to read it.
#[derive(Clone, Debug)]
pub struct TestLine {
    /// The line.
    pub line: String,
    /// The field names of its layout.
    pub fields: String,
    /// The text of `#Software`.
    pub software: String,
    /// The outcome word expected, for matching lines.
    pub outcome: Option<String>,
    /// Line of the rule file (1-based) for messages.
    pub at: usize,
}

/// The tests of a rule and the expression over them.
#[derive(Clone, Debug)]
pub struct Detection {
    /// All tests; [`Expr::Test`] holds an index into them.
    pub tests: Vec<Test>,
    /// The condition with its searches filled in.
    pub expr: Expr,
    /// The searches by name, in the order of the file: for people who ask
    /// why a rule matched.
    pub searches: Vec<(String, Expr)>,
    /// The conditions as written, of which one must hold.
    pub conditions: Vec<String>,
}

impl Detection {
    /// What matches nothing.
    pub fn never() -> Self {
        Self {
            tests: Vec::new(),
            expr: Expr::Any(Vec::new()),
            searches: Vec::new(),
            conditions: Vec::new(),
        }
    }

    /// Narrows it: the other must hold as well.
    pub fn narrow(&mut self, other: &Self) {
        let own = std::mem::replace(&mut self.expr, Expr::All(Vec::new()));
        let by = self.tests.len();
        let moved = other.expr.moved(by);
        self.expr = Expr::All(vec![own, moved]);
        let searches = other.searches.iter();
        self.searches
            .extend(searches.map(|(name, it)| (name.clone(), it.moved(by))));
        self.tests.extend(other.tests.iter().cloned());
    }
}

/// A boolean expression over tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// True where all parts are (also where there is none).
    All(Vec<Self>),
    /// True where one part is.
    Any(Vec<Self>),
    /// True where the part is not.
    Not(Box<Self>),
    /// An index into [`Detection::tests`].
    Test(usize),
}

impl Expr {
    /// The same over tests that stand `by` places further on.
    fn moved(&self, by: usize) -> Self {
        let each = |parts: &[Self]| -> Vec<Self> {
            parts.iter().map(|part| part.moved(by)).collect()
        };
        match self {
            Self::All(parts) => Self::All(each(parts)),
            Self::Any(parts) => Self::Any(each(parts)),
            Self::Not(part) => Self::Not(Box::new(part.moved(by))),
            Self::Test(index) => Self::Test(index + by),
        }
    }
}

/// One test of one field.
#[derive(Clone, Debug)]
pub struct Test {
    /// The field as the rule spells it, in lower case; `None` for keywords.
    pub field: Option<String>,
    /// What must hold.
    pub op: Op,
}

/// What a test asks.
#[derive(Clone, Debug)]
pub enum Op {
    /// The text matches one pattern (or, with `all`, every one).
    Text {
        /// The patterns.
        patterns: Vec<Pattern>,
        /// Every pattern must match.
        all: bool,
    },
    /// The text holds a match of one (or every) regular expression.
    Regex {
        /// The expressions, unanchored.
        regexes: Vec<Expression>,
        /// Every expression must match.
        all: bool,
    },
    /// The text is an address in one of the networks.
    Cidr(Vec<Network>),
    /// The text is a number for which one comparison holds.
    Compare(Vec<Comparison>),
    /// The field has (or has no) value; `-` is none.
    Exists(bool),
    /// The field has no value.
    Null,
    /// The text compares with that of another field.
    FieldRef {
        /// The other field as the rule spells it, in lower case.
        other: String,
        /// How they compare.
        how: How,
    },
}

/// How two fields compare, ignoring case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the words are Sigma's own
pub enum How {
    Equals,
    StartsWith,
    EndsWith,
    Contains,
}

/// A number and how the text's number must stand to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Accepted orderings of (text, number).
    pub accept: [Option<Ordering>; 2],
    /// The number.
    pub number: f64,
}

/// An address block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its first address.
    pub address: IpAddr,
    /// Leading bits that count.
    pub prefix: u8,
}

/// A text pattern: literal text, `?` and `*`.
///
/// `contains` and its kin are patterns with [`Part::Any`] at their ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// The parts; two [`Part::Any`] or two texts never stand side by side.
    pub parts: Vec<Part>,
    /// Letter case counts.
    pub cased: bool,
}

/// One part of a [`Pattern`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// These bytes.
    Text(Vec<u8>),
    /// Any one character; of what is no UTF-8, any one byte.
    One,
    /// Any run of bytes, also none.
    Any,
}
