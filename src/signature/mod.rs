//! Signatures: Sigma rules with the catalogues of features, advisories and
//! outcome criteria, read, checked, and compiled into one matcher.
//!
//! In: YAML, embedded in the program and from the user. Out:
//! [`Signatures`], immutable and shared by all threads.

pub mod advisories;
mod anchor;
pub mod catalogue;
mod condition;
mod correlation;
mod correlation_reader;
mod criteria;
mod diagnostic;
mod documents;
mod entries;
mod evaluate;
mod excerpt;
pub mod expression;
mod facts;
mod fields;
mod foreign;
mod lead;
mod links;
pub mod lint;
mod matcher;
mod memo;
mod methods;
mod modifier;
mod near;
mod needle;
mod needs;
mod ordinary;
pub mod outcome;
mod pattern;
mod prefilter;
pub mod products;
mod reach;
mod reader;
mod request;
pub mod rule;
mod seam;
mod set;
mod short;
mod sieve;
mod statuses;
mod torn;
mod trace;
mod value;
mod variant;
mod view;
mod yaml;

pub use advisories::{Advisory, Notices, Support};
pub use catalogue::{Feature, Outcomes};
pub use correlation::{Bounds, Correlation, Feed, Key, Kind, Surroundings};
pub use correlation_reader::Story;
pub use diagnostic::Diagnostic;
pub use excerpt::detection_of;
pub use matcher::Scratch;
pub use near::near_names;
pub use needs::Needs;
pub use outcome::{Confidence, Criterion, Outcome, Range, When};
pub use rule::{
    Comparison, Detection, Expr, How, Level, Network, Op, Part, Pattern, Rule,
    Sleuth, Stage, Test, TestLine, Tests,
};
pub use set::{Signatures, Source};
pub use trace::{
    Asked, FeatureTrace, Near, Node, Parts, RuleTrace, State, Want,
};
pub use view::Sight;
