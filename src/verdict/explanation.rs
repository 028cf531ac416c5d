//! All that is to be said of one line: how it was read, what its escapes
//! stand for, which rules match it or nearly do, and how each outcome was
//! reached.
//!
//! In: a [`LogLine`] and the signatures. Out: an [`Explanation`], which the
//! reports show and JSON has as it is. What is found is what a scan finds:
//! the same parser, matcher and judge are asked, and the traces beside them
//! only say why.

mod reading;

use std::cmp::Reverse;

use serde::Serialize;

pub use self::reading::{
    Chain, Column, Columns, Directed, Named, Read, Rejection, Step, What,
};
use super::trace::{Judgement, trace};
use crate::raw::Raw;
use crate::scan::{Hit, LogLine};
use crate::signature::{
    FeatureTrace, Level, Near, Node, Rule, RuleTrace, Scratch, Signatures,
    Stage,
};
use crate::w3c::{Line, Parser, Record};

/// Everything about one line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Where it stands; nothing where it was typed.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// The line.
    pub text: Raw,
    /// How it was read.
    pub read: Read,
    /// What stem and query stand for.
    pub decoding: Vec<Chain>,
    /// The rules that match.
    pub matches: Vec<Matched>,
    /// How many nearly do.
    pub near_count: usize,
    /// Those that nearly do, the nearest first.
    pub near: Vec<NearMiss>,
}

impl Explanation {
    /// Keeps so many of the rules that nearly match.
    pub fn keep_near(&mut self, most: usize) {
        self.near.truncate(most);
    }
}

/// Where a line stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The exhibit.
    pub exhibit: Raw,
    /// From 1.
    pub line: u64,
    /// Of its first byte in the content.
    pub offset: u64,
}

/// What a rule says of itself, by the names of `hits.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleName {
    /// Its name.
    pub rule: String,
    /// Its UUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    /// Its title.
    pub title: String,
    /// How grave it is.
    pub level: Level,
    /// Where the attacker stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// It is there for correlations alone: a scan does not tell its hits.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
}

/// A rule that matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Matched {
    /// The rule.
    #[serde(flatten)]
    pub name: RuleName,
    /// What it matched on, as in `hits.jsonl`.
    pub matched_on: Vec<String>,
    /// Why.
    pub why: RuleTrace,
    /// The feature that it hit.
    pub feature: Option<FeatureTrace>,
    /// What became of it.
    pub judgement: Judgement,
}

/// A rule that nearly matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NearMiss {
    /// The rule.
    #[serde(flatten)]
    pub name: RuleName,
    /// A filter holds, or a test fails.
    pub filtered: bool,
    /// What stands in the way.
    pub failed: Node,
    /// The tests that hold on the way to it; they stand in `why` as well.
    #[serde(skip)]
    pub held: Vec<Node>,
    /// The whole condition.
    pub why: RuleTrace,
}

impl RuleName {
    fn of(rule: &Rule) -> Self {
        Self {
            rule: rule.name.clone(),
            rule_id: rule.id.clone(),
            title: rule.title.clone(),
            level: rule.level,
            stage: rule.sleuth.stage,
            silent: rule.is_silent,
        }
    }
}

/// Explains one line.
pub fn explain(line: &LogLine, signatures: &Signatures) -> Explanation {
    let mut parser = Parser::new(line.state.clone());
    let read_as = parser.line(&line.text, line.cut);
    let mut explanation = Explanation {
        place: line.place.as_ref().map(|place| Place {
            exhibit: place.exhibit.clone(),
            line: place.line,
            offset: place.offset,
        }),
        text: Raw::from(line.text.as_slice()),
        read: reading::read(line, &read_as),
        decoding: Vec::new(),
        matches: Vec::new(),
        near_count: 0,
        near: Vec::new(),
    };
    let mut scratch = Scratch::default();
    scratch.read_as(line.codepage);
    let asker = Asker { line, signatures };
    match (&explanation.read.what, &read_as) {
        (What::Record, Line::Record(record)) => {
            explanation.decoding =
                reading::decoding(line, record, signatures.joins_plus());
            explanation.matches = asker.matches(record, &mut scratch);
            explanation.near = asker.near(record, &mut scratch);
            explanation.near_count = explanation.near.len();
        }
        (What::Rejected, _) => {
            explanation.matches = asker.rejected(&mut scratch);
        }
        _ => {}
    }
    explanation
}

/// Asks all rules about one line.
struct Asker<'a> {
    line: &'a LogLine,
    signatures: &'a Signatures,
}

impl Asker<'_> {
    /// The rules that a scan finds in a record, as it does.
    fn matches(
        &self,
        record: &Record<'_>,
        scratch: &mut Scratch,
    ) -> Vec<Matched> {
        self.signatures.find(record, scratch);
        let found = std::mem::take(&mut scratch.rules);
        let matched = found.into_iter().filter_map(|index| {
            let rule = self.signatures.rule(index)?;
            let words = self.signatures.explain(index, record, scratch);
            let why = self.signatures.trace(index, record, scratch)?;
            let target = record.target();
            let sight = &scratch.sight;
            let stem = sight.stem().form(usize::MAX).or(target.stem);
            let query = sight.query().form(usize::MAX).or(target.query);
            let hit = Hit {
                record: Some(record),
                feature: if rule.is_silent {
                    self.signatures.own_feature(rule)
                } else {
                    let stem = stem.unwrap_or_default();
                    self.signatures.feature_of(rule, record, stem)
                },
                matched_on: &words,
                decoded_stem: stem.unwrap_or_default(),
                decoded_query: query.unwrap_or_default(),
                ..self.hit(rule)
            };
            Some(self.matched(&hit, why))
        });
        matched.collect()
    }

    /// The rules whose texts stand in a line that is no record.
    fn rejected(&self, scratch: &mut Scratch) -> Vec<Matched> {
        let text = self.line.text.as_slice();
        self.signatures.find_rejected(text, scratch);
        let found = std::mem::take(&mut scratch.rules);
        let matched = found.into_iter().filter_map(|index| {
            let rule = self.signatures.rule(index)?;
            let why = self.signatures.trace_rejected(index, text, scratch)?;
            let words = ["rejected line".to_owned()];
            let hit = Hit {
                feature: self.signatures.own_feature(rule),
                matched_on: &words,
                ..self.hit(rule)
            };
            Some(self.matched(&hit, why))
        });
        matched.collect()
    }

    /// A hit of which nothing but rule and line is known.
    fn hit<'h>(&'h self, rule: &'h Rule) -> Hit<'h> {
        Hit {
            rule,
            feature: None,
            record: None,
            text: &self.line.text,
            codepage: self.line.codepage,
            line: self.line.place.as_ref().map_or(1, |place| place.line),
            offset: self.line.place.as_ref().map_or(0, |place| place.offset),
            matched_on: &[],
            decoded_stem: b"",
            decoded_query: b"",
        }
    }

    fn matched(&self, hit: &Hit<'_>, why: RuleTrace) -> Matched {
        let feature = self.signatures.trace_feature(
            hit.rule,
            hit.record,
            hit.decoded_stem,
        );
        Matched {
            name: RuleName::of(hit.rule),
            matched_on: hit.matched_on.to_vec(),
            why,
            feature,
            judgement: trace(hit, self.signatures.outcomes()),
        }
    }

    /// The rules that nearly match: those that a filter alone holds back
    /// first, then those of which most is there.
    fn near(
        &self,
        record: &Record<'_>,
        scratch: &mut Scratch,
    ) -> Vec<NearMiss> {
        let mut found = Vec::new();
        for (rule, index) in self.signatures.rules().iter().zip(0..) {
            let why = self.signatures.trace(index, record, scratch);
            let Some(why) = why else { continue };
            let Some(near) = why.near() else { continue };
            let Near { filtered, failed, held, weight } = near;
            let name = RuleName::of(rule);
            let near = NearMiss { name, filtered, failed, held, why };
            found.push((near, weight));
        }
        // Rules come by name, and the sort keeps that.
        found.sort_by_key(|(near, weight)| {
            (Reverse(near.filtered), Reverse(*weight))
        });
        found.into_iter().map(|(near, _)| near).collect()
    }
}
