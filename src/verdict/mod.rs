//! One hit to one outcome, with its reason.
//!
//! In: a hit, and the criteria of `signatures/outcomes.yml`. Out: a
//! [`Verdict`]. What a status means is written in that file and in the
//! rules, not here: here is only the order in which criteria are asked. The
//! first that fits decides: the rule's own, then those of the profile of
//! the feature that was hit, then the generic ones.

mod answer;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::scan::Hit;
use crate::signature::{Confidence, Criterion, Outcome, Outcomes, When};
use crate::verdict::answer::Answer;

/// What became of a request, how sure that is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why; at least one.
    pub reasons: Vec<Reason>,
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

/// Judges one hit.
///
/// A rejected line, and an answer that no criterion covers, are `unknown`.
pub fn judge(hit: &Hit<'_>, outcomes: &Outcomes) -> Verdict {
    let Some(record) = hit.record else {
        return unknown(
            "rejected-line",
            "the line does not fit its layout; the rule's text stands in it"
                .to_owned(),
        );
    };
    let answer = Answer::of(record);
    let Some(criterion) = decisive(hit, &answer, outcomes) else {
        let logged = answer.logged(&When::default());
        return unknown(
            "no-criterion",
            format!("nothing covers this answer{logged}"),
        );
    };
    let text = criterion.text.clone() + &answer.logged(&criterion.when);
    Verdict {
        outcome: criterion.outcome,
        confidence: criterion.confidence,
        reasons: vec![Reason { code: criterion.reason.clone(), text }],
    }
}

fn unknown(code: &str, text: String) -> Verdict {
    Verdict {
        outcome: Outcome::Unknown,
        confidence: Confidence::Possible,
        reasons: vec![Reason { code: code.to_owned(), text }],
    }
}

/// The criterion that decides.
///
/// Where URLScan or HTTP.sys gave the answer, the status is theirs: a 404
/// says nothing about a script mapping then. So criteria that name the
/// refuser are asked first, whoever wrote them, and for URLScan, which
/// always refuses, no others.
fn decisive<'a>(
    hit: &'a Hit<'_>,
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
