//! How an outcome was reached: which criteria were asked, in which order,
//! and on what each that was passed over failed.
//!
//! In: a hit and the criteria. Out: a [`Judgement`]. A criterion is asked
//! condition by condition, each as if it stood alone, so that what is said
//! of one is what [`judge`] itself would say; tests hold the two together.

use serde::Serialize;

use super::answer::Answer;
use super::{Reason, judge, names_refuser};
use crate::raw::Raw;
use crate::scan::Hit;
use crate::signature::{
    Confidence, Criterion, Outcome, Outcomes, Range, When,
};
use crate::w3c::{Field, Record};

/// An outcome and the way to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// The outcome.
    pub outcome: Outcome,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why.
    pub reasons: Vec<Reason>,
    /// URLScan or HTTP.sys gave the answer, so that criteria which name the
    /// refuser came first.
    pub refused: bool,
    /// The criteria in the order in which they were asked; the last one
    /// fitted, unless none did.
    pub asked: Vec<AskedCriterion>,
}

/// Whose a criterion is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// The rule's own.
    Rule,
    /// That of the profile of the feature.
    Profile(String),
    /// For every request.
    Generic,
}

/// A criterion that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskedCriterion {
    /// Whose it is.
    pub of: Owner,
    /// Its place among those, from 1.
    pub number: usize,
    /// The code of its reason.
    pub reason: String,
    /// The outcome that it gives.
    pub outcome: Outcome,
    /// How sure that would be.
    pub confidence: Confidence,
    /// It was asked because it names the refuser.
    pub names_refuser: bool,
    /// All its conditions hold.
    pub fits: bool,
    /// What it asks for; nothing where it always fits.
    pub when: Vec<Condition>,
}

/// One condition of a criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// The key.
    pub key: &'static str,
    /// What it asks for; one of them will do.
    pub wants: Vec<String>,
    /// What the line has there; none where it has nothing.
    pub logged: Option<Raw>,
    /// Whether it holds.
    pub holds: bool,
}

/// How the outcome of a hit is reached.
pub fn trace(hit: &Hit<'_>, outcomes: &Outcomes) -> Judgement {
    let verdict = judge(hit, outcomes);
    let (refused, asked) = match hit.record {
        None => (false, Vec::new()),
        Some(record) => {
            let answer = Answer::of(record);
            (answer.is_refusers(), asked(hit, &answer, record, outcomes))
        }
    };
    Judgement {
        outcome: verdict.outcome,
        confidence: verdict.confidence,
        reasons: verdict.reasons(),
        refused,
        asked,
    }
}

/// The criteria in the order that the head of this folder tells, up to the
/// one that fits.
fn asked(
    hit: &Hit<'_>,
    answer: &Answer<'_>,
    record: &Record<'_>,
    outcomes: &Outcomes,
) -> Vec<AskedCriterion> {
    let profile = hit.feature.map(|feature| feature.profile.as_str());
    let profiles = profile.and_then(|name| outcomes.profiles.get(name));
    let lists = [
        (Owner::Rule, hit.rule.sleuth.outcome.as_slice()),
        (
            Owner::Profile(profile.unwrap_or_default().to_owned()),
            profiles.map_or(&[][..], Vec::as_slice),
        ),
        (Owner::Generic, outcomes.generic.as_slice()),
    ];
    let mut asked = Vec::new();
    let rounds: &[bool] = match (answer.is_urlscan(), answer.is_refusers()) {
        (true, _) => &[true],
        (false, true) => &[true, false],
        (false, false) => &[false],
    };
    for only_refusers in rounds {
        for (owner, list) in &lists {
            for (criterion, number) in list.iter().zip(1..) {
                if *only_refusers && !names_refuser(&criterion.when) {
                    continue;
                }
                let when = conditions(criterion, hit, answer, record);
                let fits = when.iter().all(|one| one.holds);
                asked.push(AskedCriterion {
                    of: owner.clone(),
                    number,
                    reason: criterion.reason.clone(),
                    outcome: criterion.outcome,
                    confidence: criterion.confidence,
                    names_refuser: *only_refusers,
                    fits,
                    when,
                });
                if fits {
                    return asked;
                }
            }
        }
    }
    asked
}

fn conditions(
    criterion: &Criterion,
    hit: &Hit<'_>,
    answer: &Answer<'_>,
    record: &Record<'_>,
) -> Vec<Condition> {
    let split = apart(&criterion.when).into_iter();
    let one = |(key, when, wants): (&'static str, When, Vec<String>)| {
        let logged = logged(key, hit, answer, record);
        Condition { key, wants, logged, holds: answer.fits(&when, hit) }
    };
    split.map(one).collect()
}

/// The conditions of a criterion, each alone, with what it asks for.
fn apart(when: &When) -> Vec<(&'static str, When, Vec<String>)> {
    let none = When::default;
    let ranges = |list: &[Range]| list.iter().map(range).collect();
    let When { status, substatus, win32, bytes, cs_bytes, .. } = when.clone();
    let When { time_taken, iis, method, reason, .. } = when.clone();
    let When { stem, query, missing, urlscan, .. } = when.clone();
    let versions: Vec<_> = iis.iter().map(version).collect();
    let wants = urlscan.map(|wanted| wanted.to_string());
    let wants = wants.into_iter().collect::<Vec<_>>();
    let texts = |list: &[String]| list.to_vec();
    let numbers = [
        ("status", ranges(&status), When { status, ..none() }),
        ("substatus", ranges(&substatus), When { substatus, ..none() }),
        ("win32", ranges(&win32), When { win32, ..none() }),
        ("bytes", ranges(&bytes), When { bytes, ..none() }),
        ("cs_bytes", ranges(&cs_bytes), When { cs_bytes, ..none() }),
        ("time_taken", ranges(&time_taken), When { time_taken, ..none() }),
        ("iis", versions, When { iis, ..none() }),
        ("method", texts(&method), When { method, ..none() }),
        ("reason", texts(&reason), When { reason, ..none() }),
        ("stem", texts(&stem), When { stem, ..none() }),
        ("query", texts(&query), When { query, ..none() }),
        ("missing", texts(&missing), When { missing, ..none() }),
        ("urlscan", wants, When { urlscan, ..none() }),
    ];
    let asked = numbers.into_iter().filter(|(_, wants, _)| !wants.is_empty());
    asked.map(|(key, wants, when)| (key, when, wants)).collect()
}

/// `404`, `400-499`, `>=500`: as criteria are written.
fn range(range: &Range) -> String {
    let Range { low, high } = *range;
    if low == f64::NEG_INFINITY {
        format!("<={high}")
    } else if high == f64::INFINITY {
        format!(">={low}")
    } else if low.total_cmp(&high).is_eq() {
        low.to_string()
    } else {
        format!("{low}-{high}")
    }
}

/// The same for versions, of which `5` stands for 5 up to 5.9.
fn version(range: &Range) -> String {
    let whole = |high: f64| {
        let next = high.next_up();
        if next.fract() == 0.0 && high.fract() != 0.0 {
            next - 1.0
        } else {
            high
        }
    };
    self::range(&Range { low: range.low, high: whole(range.high) })
}

/// What the line has where a condition looks.
fn logged(
    key: &str,
    hit: &Hit<'_>,
    answer: &Answer<'_>,
    record: &Record<'_>,
) -> Option<Raw> {
    let field = match key {
        "status" => Field::ScStatus,
        "substatus" => Field::ScSubstatus,
        "win32" => Field::ScWin32Status,
        "bytes" => Field::ScBytes,
        "cs_bytes" => Field::CsBytes,
        "time_taken" => Field::TimeTaken,
        "method" => Field::CsMethod,
        "reason" => Field::SReason,
        "iis" => {
            let version = record.iis.map(|(a, b)| format!("{a}.{b}"));
            return version.map(Raw::from);
        }
        "stem" => return Some(Raw::from(hit.decoded_stem)),
        "query" => return Some(Raw::from(hit.decoded_query)),
        "urlscan" => return Some(Raw::from(answer.is_urlscan().to_string())),
        _ => return None,
    };
    record.get(field).map(Raw::from)
}
