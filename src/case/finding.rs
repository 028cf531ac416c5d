//! All hits of one rule on one host, and the lines that show them best.
//!
//! In: judged hits. Out: the row of `findings`. The evidence kept is the top
//! of a total order – worst, then earliest, then path and line – so that
//! joined cases keep the same lines as one scan.

use std::cmp::{Ordering, Reverse};

use serde::{Deserialize, Serialize};

use crate::case::correlate::Correlated;
use crate::case::tally::{Counts, join_spans, widen};
use crate::limits;
use crate::raw::{Quote, Raw};
use crate::scan::Hit;
use crate::signature::{Confidence, Correlation, Level, Outcome, Rule, Stage};
use crate::verdict::{Reason, Verdict};
use crate::w3c::{Field, Record, Timestamp};

/// All hits of one rule on one host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The host.
    pub host: Raw,
    /// The rule's name.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// The rule's UUID.
    pub rule_id: Option<String>,
    /// The feature hit most often, where the rule or the URL tells one.
    pub feature: Option<String>,
    /// How grave.
    pub level: Level,
    /// Where the attacker stands.
    pub stage: Option<Stage>,
    /// Ids of advisories.
    pub advisories: Vec<String>,
    /// Hits by outcome.
    pub outcomes: Counts,
    /// The earliest hit.
    pub first: Option<Timestamp>,
    /// The latest.
    pub last: Option<Timestamp>,
    /// Derived: distinct clients.
    pub clients: u64,
    /// Derived: the most serious outcome.
    pub worst: Option<Outcome>,
    /// The surest confidence among the hits of the most serious outcome.
    pub confidence: Option<Confidence>,
    /// The hits by feature, sorted by its id.
    #[serde(default)]
    pub features: Vec<Share>,
    /// The best evidence, worst and earliest first.
    pub evidence: Vec<EvidenceRef>,
}

/// What of a finding falls on one feature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The feature's id; none where nothing tells.
    pub feature: Option<String>,
    /// The earliest hit.
    pub first: Option<Timestamp>,
    /// The latest.
    pub last: Option<Timestamp>,
    /// Hits by outcome.
    pub outcomes: Counts,
}

/// One line that shows a hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRef {
    /// The exhibit's path as given.
    pub exhibit: Raw,
    /// The line's number, from 1.
    pub line: u64,
    /// The byte it begins at.
    pub offset: u64,
    /// When it was logged.
    pub time: Option<Timestamp>,
    /// Who asked.
    pub client: Option<Raw>,
    /// What became of it.
    pub outcome: Outcome,
    /// How sure that is.
    pub confidence: Confidence,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Status, substatus and Win32 status: `404.2.1260`; `-` stands for one
    /// that was not logged.
    pub status: Option<String>,
    /// The line, cut to [`limits::EVIDENCE_LINE_BYTES`].
    pub text: Quote,
}

/// Where a line stands in the order of evidence; less is better.
type Rank<'a> =
    (Reverse<Outcome>, bool, Option<Timestamp>, &'a [u8], u64, u64);

impl EvidenceRef {
    fn rank(&self) -> Rank<'_> {
        (
            Reverse(self.outcome),
            self.time.is_none(),
            self.time,
            self.exhibit.as_bytes(),
            self.line,
            self.offset,
        )
    }

    fn new(
        exhibit: &Raw,
        hit: &Hit<'_>,
        verdict: &Verdict<'_>,
        client: Option<&[u8]>,
    ) -> Self {
        let record = hit.record;
        Self {
            exhibit: exhibit.clone(),
            line: hit.line,
            offset: hit.offset,
            time: record.and_then(|record| record.time),
            client: client.map(Raw::from),
            outcome: verdict.outcome,
            confidence: verdict.confidence,
            reasons: verdict.reasons(),
            status: record.and_then(status),
            text: quote(hit),
        }
    }
}

fn status(record: &Record<'_>) -> Option<String> {
    let fields = [Field::ScStatus, Field::ScSubstatus, Field::ScWin32Status];
    let words = fields.map(|field| {
        record.number(field).map_or_else(|| "-".into(), |n| n.to_string())
    });
    let logged = words.iter().rposition(|word| word != "-")?;
    words.get(..=logged).map(|words| words.join("."))
}

/// The part of a hit's line that is kept, as its code page has it.
pub(super) fn quote(hit: &Hit<'_>) -> Quote {
    let text = excerpt(hit.text);
    Quote::new(text, hit.codepage.and_then(|page| page.decode_line(text)))
}

/// The part of a line that is kept. UTF-8 is not cut inside a character.
fn excerpt(text: &[u8]) -> &[u8] {
    let Some(head) = text.get(..limits::EVIDENCE_LINE_BYTES) else {
        return text;
    };
    match std::str::from_utf8(head) {
        Err(error) if error.error_len().is_none() => {
            head.get(..error.valid_up_to()).unwrap_or(head)
        }
        _ => head,
    }
}

impl Share {
    fn order(&self, feature: Option<&str>) -> Ordering {
        self.feature.as_deref().cmp(&feature)
    }
}

impl Finding {
    /// A finding without hits.
    pub(super) fn new(host: Raw, rule: &Rule) -> Self {
        Self {
            host,
            rule: rule.name.clone(),
            title: rule.title.clone(),
            rule_id: rule.id.clone(),
            level: rule.level,
            stage: rule.sleuth.stage,
            advisories: rule.sleuth.advisories.clone(),
            ..Self::default()
        }
    }

    /// The finding of a correlation, without hits.
    pub(super) fn of_correlation(host: Raw, own: &Correlation) -> Self {
        Self {
            host,
            rule: own.rule.clone(),
            title: own.title.clone(),
            rule_id: own.rule_id.clone(),
            level: own.level,
            stage: own.stage,
            advisories: own.advisories.clone(),
            ..Self::default()
        }
    }

    /// Counts a correlation that holds.
    pub(super) fn correlated(&mut self, hit: &Correlated) {
        let span = (Some(hit.first), Some(hit.last));
        self.outweigh(Some(hit.outcome), Some(hit.confidence()));
        self.outcomes.count(hit.outcome);
        join_spans(&mut self.first, &mut self.last, span);
        if let Some(share) = self.share(hit.correlation.feature.as_deref()) {
            share.outcomes.count(hit.outcome);
            join_spans(&mut share.first, &mut share.last, span);
        }
        hit.evidence().into_iter().for_each(|it| self.keep(it));
    }

    /// Counts a hit, and keeps its line where it is among the best.
    pub(super) fn hit(
        &mut self,
        exhibit: &Raw,
        hit: &Hit<'_>,
        verdict: &Verdict<'_>,
        client: Option<&[u8]>,
    ) {
        let time = hit.record.and_then(|record| record.time);
        self.outweigh(Some(verdict.outcome), Some(verdict.confidence));
        self.outcomes.count(verdict.outcome);
        widen(&mut self.first, &mut self.last, time);
        if let Some(share) = self.share(hit.feature.map(|f| f.id.as_str())) {
            share.outcomes.count(verdict.outcome);
            widen(&mut share.first, &mut share.last, time);
        }
        let rank: Rank<'_> = (
            Reverse(verdict.outcome),
            time.is_none(),
            time,
            exhibit.as_bytes(),
            hit.line,
            hit.offset,
        );
        let full = self.evidence.len() >= limits::EVIDENCE_PER_FINDING;
        if !full || self.evidence.last().is_some_and(|e| rank < e.rank()) {
            self.keep(EvidenceRef::new(exhibit, hit, verdict, client));
        }
    }

    /// Adds what another chunk, exhibit or case knows of the same finding.
    pub(super) fn absorb(&mut self, other: Self) {
        self.outweigh(other.outcomes.worst(), other.confidence);
        self.outcomes.absorb(&other.outcomes);
        let span = (other.first, other.last);
        join_spans(&mut self.first, &mut self.last, span);
        for theirs in other.features {
            if let Some(own) = self.share(theirs.feature.as_deref()) {
                own.outcomes.absorb(&theirs.outcomes);
                let span = (theirs.first, theirs.last);
                join_spans(&mut own.first, &mut own.last, span);
            }
        }
        for evidence in other.evidence {
            self.keep(evidence);
        }
    }

    /// Moves the lines of its evidence down by `lines`.
    pub(super) fn shift(&mut self, lines: u64) {
        for evidence in &mut self.evidence {
            evidence.line = evidence.line.saturating_add(lines);
        }
    }

    /// The confidence goes with the worst outcome. Comes before the outcome
    /// is counted.
    fn outweigh(
        &mut self,
        outcome: Option<Outcome>,
        confidence: Option<Confidence>,
    ) {
        let own = (self.outcomes.worst(), self.confidence);
        self.confidence = own.max((outcome, confidence)).1;
    }

    fn keep(&mut self, evidence: EvidenceRef) {
        let rank = evidence.rank();
        let at = self.evidence.partition_point(|own| own.rank() < rank);
        if at < limits::EVIDENCE_PER_FINDING {
            self.evidence.insert(at, evidence);
            self.evidence.truncate(limits::EVIDENCE_PER_FINDING);
        }
    }

    /// Gives back what there is too much room for.
    pub(super) fn shrink(&mut self) {
        self.features.shrink_to_fit();
        self.evidence.shrink_to_fit();
        self.advisories.shrink_to_fit();
    }

    /// The share of a feature, made where there is none. Always there.
    fn share(&mut self, feature: Option<&str>) -> Option<&mut Share> {
        let found =
            self.features.binary_search_by(|share| share.order(feature));
        let at = found.unwrap_or_else(|at| {
            let feature = feature.map(str::to_owned);
            self.features.insert(at, Share { feature, ..Share::default() });
            at
        });
        self.features.get_mut(at)
    }

    /// Fills in what follows from the rest; `clients` have a hit of it.
    pub(super) fn derive(&mut self, clients: u64) {
        self.clients = clients;
        self.worst = self.outcomes.worst();
        let named = self.features.iter().filter(|s| s.feature.is_some());
        // Of equals the first id, so that the choice has one answer.
        let most = named
            .max_by_key(|s| (s.outcomes.hits(), Reverse(s.feature.as_ref())));
        self.feature = most.and_then(|share| share.feature.clone());
    }
}
