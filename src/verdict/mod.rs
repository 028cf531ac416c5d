//! One hit to one outcome, with its reason.
//!
//! In: a hit, and the criteria of `signatures/outcomes.yml`. Out: a
//! [`Verdict`]. What a status means is written in that file and in the
//! rules, not here: here is only the order in which criteria are asked. The
//! first that fits decides: the rule's own, then those of the profile of
//! the feature that was hit, then the generic ones.
//!
//! `trace` says how an outcome was reached, and `explanation` all that there
//! is to say of one line.

mod answer;
pub mod explanation;
#[cfg(test)]
mod tests;
pub mod trace;

use serde::{Deserialize, Serialize};

use crate::scan::Hit;
use crate::signature::{Confidence, Criterion, Outcome, Outcomes, When};
use crate::verdict::answer::Answer;

/// What became of a request, how sure that is, and why.
#[derive(Clone, Debug)]
pub struct Verdict<'a> {
    /// The outcome.
    pub outcome: Outcome,
    /// How sure it is.
    pub confidence: Confidence,
    why: Why<'a>,
}

/// What decided. Put into words only for the hits that are shown.
#[derive(Clone, Debug)]
enum Why<'a> {
    Rejected,
    /// No criterion fits this answer.
    Uncovered(Answer<'a>),
    Criterion(&'a Criterion, Answer<'a>),
}

/// Why an outcome was given.
#[derive(
    Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Debug,
)]
pub struct Reason {
    /// For programs, in kebab-case.
    pub code: String,
    /// For people, with the logged values at its end. Holds no text from
    /// the evidence.
    pub text: String,
}

impl Verdict<'_> {
    /// Why; at least one.
    pub fn reasons(&self) -> Vec<Reason> {
        let (code, text) = match &self.why {
            Why::Rejected => (
                "rejected-line",
                "the line does not fit its layout; the rule's text stands \
                 in it"
                    .to_owned(),
            ),
            Why::Uncovered(answer) => {
                let logged = answer.logged(&When::default());
                let text = format!("nothing covers this answer{logged}");
                ("no-criterion", text)
            }
            Why::Criterion(criterion, answer) => {
                let logged = answer.logged(&criterion.when);
                (criterion.reason.as_str(), criterion.text.clone() + &logged)
            }
        };
        vec![Reason { code: code.to_owned(), text }]
    }
}

/// Judges one hit.
///
/// A rejected line, and an answer that no criterion covers, are `unknown`.
pub fn judge<'a>(hit: &Hit<'a>, outcomes: &'a Outcomes) -> Verdict<'a> {
    let unknown = |why| Verdict {
        outcome: Outcome::Unknown,
        confidence: Confidence::Possible,
        why,
    };
    let Some(record) = hit.record else { return unknown(Why::Rejected) };
    let answer = Answer::of(record);
    let Some(criterion) = decisive(hit, &answer, outcomes) else {
        return unknown(Why::Uncovered(answer));
    };
    Verdict {
        outcome: criterion.outcome,
        confidence: criterion.confidence,
        why: Why::Criterion(criterion, answer),
    }
}

/// The criterion that decides.
///
/// Where URLScan or HTTP.sys gave the answer, the status is theirs: a 404
/// says nothing about a script mapping then. So criteria that name the
/// refuser are asked first, whoever wrote them, and for URLScan, which
/// always refuses, no others.
fn decisive<'a>(
    hit: &Hit<'a>,
    answer: &Answer<'_>,
    outcomes: &'a Outcomes,
) -> Option<&'a Criterion> {
    let profile = hit
        .feature
        .and_then(|feature| outcomes.profiles.get(&feature.profile))
        .map_or(&[][..], Vec::as_slice);
    let all = || {
        let own = hit.rule.sleuth.outcome.iter();
        own.chain(profile).chain(&outcomes.generic)
    };
    let fits = |one: &&Criterion| answer.fits(&one.when, hit);
    if answer.is_refusers() {
        let named = all().filter(|one| names_refuser(&one.when)).find(fits);
        if named.is_some() || answer.is_urlscan() {
            return named;
        }
    }
    all().find(fits)
}

fn names_refuser(when: &When) -> bool {
    when.urlscan == Some(true) || !when.reason.is_empty()
}
