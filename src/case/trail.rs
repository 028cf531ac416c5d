//! The events of correlations in one exhibit, while it is read.
//!
//! In: hits of rules that correlations are about, in the order of lines.
//! Out: their [`Sheets`]. Ordinary traffic is full of what correlations
//! count: a page not found, a password mistyped. So of a correlation that
//! counts an event is kept only where at least an eighth of what is asked
//! for lies within its time span in the same log, in the order of lines;
//! near the start and the end of the log all are, for the log before or
//! after may hold the rest. What is kept depends on no cut between parts.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use indexmap::IndexMap;

use crate::case::sheet::{
    Event, Moment, Place, Sheet, SheetKey, Sheets, day, most,
};
use crate::case::tally::join_spans;
use crate::limits;
use crate::raw::Raw;
use crate::signature::{Correlation, Outcome};
use crate::w3c::Timestamp;

/// A number that stands for a value.
pub(super) fn number(value: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Part of what is asked for that must lie together in one log.
const SHARE: u64 = 8;

/// The events of one exhibit or of a part of it.
#[derive(Debug, Default)]
pub(super) struct Trails {
    /// By the rule's name and the values that are grouped by.
    trails: IndexMap<Box<[u8]>, Trail>,
    /// Events of groups for which there was no room, by rule.
    left_out: IndexMap<String, u64>,
}

/// One event, in the order of lines.
#[derive(Clone, Debug)]
pub(super) struct Met {
    pub moment: Moment,
    pub outcome: Outcome,
    /// Its exhibit is not filled in yet.
    pub place: Place,
}

/// The events of one group.
#[derive(Debug)]
struct Trail {
    correlation: Arc<Correlation>,
    by: Vec<Raw>,
    /// Those not decided, and as many beside them as are needed to decide.
    near: Vec<(Met, bool)>,
    /// Those that are kept, by day.
    kept: IndexMap<i64, Sheet>,
}

/// What of an exhibit is known once it is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Edges {
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

/// Events of a correlation that must lie together.
fn together(correlation: &Correlation) -> usize {
    if !correlation.kind.counts() {
        return 1;
    }
    let asked = correlation.bounds.least.div_ceil(SHARE).max(1);
    usize::try_from(asked).unwrap_or(1)
}

impl Trail {
    fn new(correlation: &Arc<Correlation>, by: Vec<Raw>) -> Self {
        Self {
            correlation: Arc::clone(correlation),
            by,
            near: Vec::new(),
            kept: IndexMap::new(),
        }
    }

    fn push(&mut self, met: Met) {
        let together = together(&self.correlation);
        if together == 1 {
            return self.keep(met);
        }
        self.near.push((met, false));
        if self.near.len() > 8 * together {
            self.decide(None);
        }
    }

    fn keep(&mut self, met: Met) {
        let Met { moment, outcome, place } = met;
        let event = Event { count: 1, outcome, place, after: 0 };
        let most = most(&self.correlation);
        let sheet = self.kept.entry(day(moment.time)).or_default();
        sheet.add(moment, event, most);
    }

    /// Decides about the events whose neighbours are all known, or, with the
    /// edges of the exhibit, about all; drops those that nobody needs.
    fn decide(&mut self, edges: Option<Edges>) {
        let span = i64::from(self.correlation.timespan) * 1_000_000;
        let beside = together(&self.correlation) - 1;
        let count = self.near.len();
        let times: Vec<i64> =
            self.near.iter().map(|(it, _)| it.moment.time.micros()).collect();
        let dense = dense(&times, beside + 1, span);
        let mut chosen = Vec::new();
        for (place, (met, decided)) in self.near.iter_mut().enumerate() {
            let is_inner = place >= beside && place + beside < count;
            if *decided || !(is_inner || edges.is_some()) {
                continue;
            }
            *decided = true;
            let time = met.moment.time.micros();
            if edges.is_some_and(|edges| edges.are_near(time, span))
                || dense.get(place) == Some(&true)
            {
                chosen.push(met.clone());
            }
        }
        for met in chosen {
            self.keep(met);
        }
        if edges.is_some() {
            self.near.clear();
        } else if count > 4 * beside {
            // What is between is decided, and no neighbour of the rest.
            self.near.drain(2 * beside..count - 2 * beside);
        }
    }

    fn shift(&mut self, lines: u64) {
        let near = self.near.iter_mut().map(|(met, _)| &mut met.place);
        let sheets = self.kept.values_mut();
        let kept = sheets.flat_map(|sheet| sheet.events.values_mut());
        for place in near.chain(kept.map(|event| &mut event.place)) {
            place.line = place.line.saturating_add(lines);
        }
    }

    /// Adds the events of the part that follows.
    fn append(&mut self, later: Self) {
        for (day, sheet) in later.kept {
            let most = most(&self.correlation);
            let own = self.kept.entry(day).or_default();
            own.absorb(sheet, most);
        }
        self.near.extend(later.near);
        self.decide(None);
    }
}

impl Edges {
    /// Widens them to the records of one more host.
    pub fn widen(
        &mut self,
        first: Option<Timestamp>,
        last: Option<Timestamp>,
    ) {
        join_spans(&mut self.first, &mut self.last, (first, last));
    }

    fn are_near(self, time: i64, span: i64) -> bool {
        let is_near = |edge: Option<Timestamp>| {
            edge.is_none_or(|it| (it.micros() - time).abs() <= span)
        };
        is_near(self.first) || is_near(self.last)
    }
}

/// Which of the times are among `together` that follow each other in the
/// order of lines and lie within the span. One pass: of each block the least
/// and the greatest are at the front of a queue.
fn dense(times: &[i64], together: usize, span: i64) -> Vec<bool> {
    let mut dense = vec![false; times.len()];
    let (mut least, mut most) = (VecDeque::new(), VecDeque::new());
    let mut told = 0;
    for (end, time) in times.iter().enumerate() {
        enter(&mut least, end, *time, |own| own > *time);
        enter(&mut most, end, *time, |own| own < *time);
        let Some(start) = (end + 1).checked_sub(together) else { continue };
        let front = |queue: &mut VecDeque<(usize, i64)>| {
            while queue.front().is_some_and(|(place, _)| *place < start) {
                queue.pop_front();
            }
            queue.front().map_or(0, |(_, time)| *time)
        };
        if front(&mut most) - front(&mut least) <= span {
            let block = dense.get_mut(start.max(told)..=end);
            block.unwrap_or_default().fill(true);
            told = end + 1;
        }
    }
    dense
}

/// Puts a time at the end of a queue, in place of those that it outdoes.
fn enter(
    queue: &mut VecDeque<(usize, i64)>,
    place: usize,
    time: i64,
    is_outdone: impl Fn(i64) -> bool,
) {
    while queue.back().is_some_and(|(_, own)| is_outdone(*own)) {
        queue.pop_back();
    }
    queue.push_back((place, time));
}

impl Trails {
    /// Adds an event; `key` is the rule's name and the values of `by` in one.
    pub fn push(
        &mut self,
        correlation: &Arc<Correlation>,
        key: &[u8],
        by: impl FnOnce() -> Vec<Raw>,
        met: Met,
    ) {
        if let Some(trail) = self.trails.get_mut(key) {
            return trail.push(met);
        }
        let mut trail = Trail::new(correlation, by());
        trail.push(met);
        self.trails.insert(key.into(), trail);
        if self.trails.len() > 2 * limits::GROUPS {
            self.bound();
        }
    }

    /// Moves the lines of all events down by `lines`.
    pub fn shift(&mut self, lines: u64) {
        self.trails.values_mut().for_each(|trail| trail.shift(lines));
    }

    /// Adds the events of the part that follows.
    pub fn append(&mut self, later: Self) {
        for (key, trail) in later.trails {
            match self.trails.get_mut(&key) {
                Some(own) => own.append(trail),
                None => {
                    self.trails.insert(key, trail);
                }
            }
        }
        for (rule, events) in later.left_out {
            *self.left_out.entry(rule).or_default() += events;
        }
        if self.trails.len() > 2 * limits::GROUPS {
            self.bound();
        }
    }

    /// Drops groups that there are too many of, by a hash of their keys: one
    /// that stays among all stayed among fewer.
    fn bound(&mut self) {
        if self.trails.len() <= limits::GROUPS {
            return;
        }
        let hash = |key: &[u8]| {
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            hasher.finish()
        };
        self.trails.sort_by_cached_key(|key, _| (hash(key), key.clone()));
        for (_, trail) in self.trails.drain(limits::GROUPS..) {
            let rule = trail.correlation.rule.clone();
            *self.left_out.entry(rule).or_default() += 1;
        }
    }

    /// The sheets of the exhibit, and groups dropped, by rule.
    pub fn finish(
        mut self,
        exhibit: &Raw,
        edges: Edges,
    ) -> (Sheets, IndexMap<String, u64>) {
        self.bound();
        let mut sheets = Sheets::default();
        for (_, mut trail) in self.trails {
            trail.decide(Some(edges));
            for (day, mut sheet) in trail.kept {
                sheet.settle();
                for event in sheet.events.values_mut() {
                    event.place.exhibit = exhibit.clone();
                }
                let key = SheetKey { by: trail.by.clone(), day };
                sheets.add(&trail.correlation, key, sheet);
            }
        }
        (sheets, self.left_out)
    }

    pub fn is_empty(&self) -> bool {
        self.trails.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Bounds;

    fn asking(least: u64) -> Arc<Correlation> {
        Arc::new(Correlation {
            rule: "made".to_owned(),
            rules: vec!["one".to_owned()],
            timespan: 10,
            bounds: Bounds::from(least),
            ..Correlation::default()
        })
    }

    fn met(second: i64, line: u64) -> Met {
        let time = Timestamp::from_micros(second * 1_000_000);
        Met {
            moment: Moment { time, step: 0, value: None },
            outcome: Outcome::Denied,
            place: Place {
                exhibit: Raw::default(),
                line,
                offset: 0,
                host: Raw::from("web"),
                client: None,
                text: None,
            },
        }
    }

    /// What is kept of events at these seconds, read in parts that end at
    /// these places.
    fn kept(seconds: &[i64], cuts: &[usize], least: u64) -> Sheets {
        let correlation = asking(least);
        let mut whole = Trails::default();
        let (mut start, mut lines) = (0, 0_u64);
        for end in cuts.iter().copied().chain([seconds.len()]) {
            let mut part = Trails::default();
            let own = seconds.get(start..end).unwrap_or_default();
            for (second, line) in own.iter().zip(1..) {
                part.push(&correlation, b"key", Vec::new, met(*second, line));
            }
            part.shift(lines);
            whole.append(part);
            lines += own.len() as u64;
            start = end.max(start);
        }
        let edge =
            |second: i64| Some(Timestamp::from_micros(second * 1_000_000));
        let edges = Edges { first: edge(-1000), last: edge(1_000_000) };
        whole.finish(&Raw::from("log"), edges).0
    }

    /// The same by looking at all events at once.
    fn plainly(seconds: &[i64], least: u64) -> Vec<u64> {
        let m = usize::try_from(least.div_ceil(8)).unwrap();
        let mut lines = Vec::new();
        for place in 0..seconds.len() {
            let dense = (0..seconds.len()).any(|start| {
                let Some(block) = seconds.get(start..start + m) else {
                    return false;
                };
                let spread =
                    block.iter().max().unwrap() - block.iter().min().unwrap();
                (start..start + m).contains(&place) && spread <= 10
            });
            if dense {
                lines.push(place as u64 + 1);
            }
        }
        lines
    }

    proptest::proptest! {
        #[test]
        fn cuts_do_not_matter(
            steps in proptest::collection::vec(0..9_i64, 0..120),
            mut cuts in proptest::collection::vec(0..120_usize, 0..5),
            least in 1..60_u64,
        ) {
            let seconds: Vec<i64> = steps
                .iter()
                .scan(0, |time, step| { *time += step; Some(*time) })
                .collect();
            for cut in &mut cuts {
                *cut = (*cut).min(seconds.len());
            }
            cuts.sort_unstable();
            let whole = kept(&seconds, &[], least);
            proptest::prop_assert_eq!(&kept(&seconds, &cuts, least), &whole);
            let sheets = whole.books.values().flat_map(|it| it.sheets.values());
            let events = sheets.flat_map(|sheet| sheet.events.values());
            let count: u64 = events.map(|event| event.count).sum();
            let expected = plainly(&seconds, least).len() as u64;
            proptest::prop_assert_eq!(count, expected);
        }
    }
}
