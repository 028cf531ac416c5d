//! Looks for correlations in the events of a whole case.
//!
//! In: [`Sheets`]. Out: for each correlation and group the stretches of time
//! in which what it asks for holds, each as one [`Correlated`]. A window as
//! long as the time span slides over the events: it ends at one and reaches
//! back. Events of one second have no order; where one is wanted, that of
//! the rules is taken.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use crate::case::sheet::{Book, Event, Moment, Place, Sheets};
use crate::limits;
use crate::raw::Raw;
use crate::signature::{Correlation, Kind, Outcome};
use crate::w3c::Timestamp;

/// A stretch of time in which a correlation holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Correlated {
    pub correlation: Arc<Correlation>,
    /// The values that its events agree in.
    pub by: Vec<Raw>,
    pub first: Timestamp,
    /// When it held first.
    pub held: Timestamp,
    pub last: Timestamp,
    /// Its events.
    pub events: u64,
    pub outcome: Outcome,
    /// Their lines, up to [`limits::CITED`]; the last one ends it.
    pub lines: Vec<(Moment, Event)>,
    /// That line.
    pub end: Place,
}

/// All correlations that hold, by rule and then in the order of their end.
pub(super) fn correlate(sheets: &Sheets) -> Vec<Correlated> {
    let mut found: BTreeMap<String, Vec<Correlated>> = BTreeMap::new();
    for rule in order(sheets) {
        let Some(book) = sheets.books.get(&rule) else { continue };
        let groups = groups(book, &found);
        let mut own: Vec<Correlated> = groups
            .into_iter()
            .flat_map(|(by, events)| look(&book.correlation, &by, &events))
            .collect();
        own.sort_by(|a, b| {
            let order = |it: &Correlated| {
                (it.last, it.end.exhibit.clone(), it.end.line, it.by.clone())
            };
            order(a).cmp(&order(b))
        });
        found.insert(rule, own);
    }
    found.into_values().flatten().collect()
}

/// Rules so that each comes after the correlations that are its events.
fn order(sheets: &Sheets) -> Vec<String> {
    fn visit(
        name: &str,
        sheets: &Sheets,
        depth: usize,
        out: &mut Vec<String>,
    ) {
        let Some(book) = sheets.books.get(name) else { return };
        if depth == 0 || out.iter().any(|it| it == name) {
            return;
        }
        for event in &book.correlation.rules {
            visit(event, sheets, depth - 1, out);
        }
        out.push(name.to_owned());
    }
    let mut out = Vec::new();
    for name in sheets.books.keys() {
        // The depth bounds an edited file that goes in a circle.
        visit(name, sheets, sheets.books.len(), &mut out);
    }
    out
}

/// Events for which a correlation holds, by their places.
struct Held {
    places: Vec<usize>,
    /// The event with which it held first.
    at: usize,
}

type Events = Vec<(Moment, Event)>;

/// The events of each group in the order of time: those of lines, and the
/// correlations that hold.
fn groups(
    book: &Book,
    found: &BTreeMap<String, Vec<Correlated>>,
) -> BTreeMap<Vec<Raw>, Events> {
    let mut groups: BTreeMap<Vec<Raw>, Events> = BTreeMap::new();
    for (key, sheet) in &book.sheets {
        let events = sheet.events.iter().map(|(m, e)| (*m, e.clone()));
        let own = groups.entry(key.by.clone()).or_default();
        own.extend(events);
        if let Some((_, last)) = own.last_mut() {
            last.after = sheet.more;
        }
    }
    let own = &book.correlation;
    for (rule, step) in own.rules.iter().zip(0_u16..) {
        for inner in found.get(rule).into_iter().flatten() {
            let Some((by, value)) = told(own, rule, inner) else { continue };
            let (outcome, place) = (inner.outcome, inner.end.clone());
            let event = Event { count: 1, outcome, place, after: 0 };
            let group = groups.entry(by).or_default();
            // What follows may come while it goes on, or when it is over.
            for time in [inner.held, inner.last] {
                let moment = Moment { time, step, value };
                group.push((moment, event.clone()));
                if own.kind.counts() || inner.held == inner.last {
                    break;
                }
            }
        }
    }
    for events in groups.values_mut() {
        events.sort_by_key(|(moment, _)| *moment);
    }
    groups
}

/// What a correlation that is an event tells of the fields of another.
fn told(
    outer: &Correlation,
    rule: &str,
    inner: &Correlated,
) -> Option<(Vec<Raw>, Option<u64>)> {
    let value = |name: &String| {
        let field = outer.field_for(name, rule);
        let known = &inner.correlation.group_by;
        let place = known.iter().position(|it| it == field)?;
        inner.by.get(place).cloned()
    };
    let by: Option<Vec<Raw>> = outer.group_by.iter().map(value).collect();
    let counted = outer.field.as_ref().and_then(value);
    Some((by?, counted.map(|raw| super::trail::number(raw.as_bytes()))))
}

/// The stretches of one group in which the correlation holds.
fn look(
    correlation: &Arc<Correlation>,
    by: &[Raw],
    events: &Events,
) -> Vec<Correlated> {
    let span = i64::from(correlation.timespan) * 1_000_000;
    // Where it holds: the events, by their places, from and to.
    let holds: Vec<Held> = match correlation.kind {
        Kind::EventCount | Kind::ValueCount => {
            counted(correlation, events, span)
        }
        Kind::Temporal => together(correlation, events, span),
        Kind::TemporalOrdered => in_order(correlation, events, span),
    };
    let mut stretches: Vec<Held> = Vec::new();
    let time = |place: usize| events.get(place).map(|it| it.0.time.micros());
    for Held { places, at } in holds {
        // One that begins before the last one ended goes on with it.
        let goes_on = stretches.last().is_some_and(|last| {
            let end = last.places.last().copied().and_then(time);
            let start = places.first().copied().and_then(time);
            end.zip(start).is_some_and(|(end, start)| start <= end)
        });
        match stretches.last_mut() {
            Some(Held { places: last, .. }) if goes_on => {
                let end = last.last().copied().unwrap_or(0);
                if correlation.kind == Kind::TemporalOrdered {
                    last.extend(places);
                    last.sort_unstable();
                    last.dedup();
                } else {
                    last.extend(places.into_iter().filter(|it| *it > end));
                }
            }
            _ => stretches.push(Held { places, at }),
        }
    }
    let stretch = |held: &Held| hit(correlation, by, events, held);
    stretches.iter().filter_map(stretch).collect()
}

fn hit(
    correlation: &Arc<Correlation>,
    by: &[Raw],
    events: &Events,
    held: &Held,
) -> Option<Correlated> {
    let own = || held.places.iter().filter_map(|place| events.get(*place));
    let end = own().next_back()?;
    let worst = own().map(|(_, event)| event.outcome).max()?;
    let mut lines: Events = own().take(limits::CITED).cloned().collect();
    if lines.last() != Some(end)
        && let Some(last) = lines.last_mut()
    {
        *last = end.clone();
    }
    Some(Correlated {
        correlation: Arc::clone(correlation),
        by: by.to_vec(),
        first: own().map(|(moment, _)| moment.time).min()?,
        held: events.get(held.at)?.0.time,
        last: end.0.time,
        events: own().map(|(_, event)| event.count + event.after).sum(),
        outcome: correlation.outcome.unwrap_or(worst),
        lines,
        end: end.1.place.clone(),
    })
}

/// Windows of which the count, of events or of distinct values, fits; those
/// that overlap as one.
fn counted(
    correlation: &Correlation,
    events: &Events,
    span: i64,
) -> Vec<Held> {
    let by_value = correlation.kind == Kind::ValueCount;
    let mut holds: Vec<(usize, usize, usize)> = Vec::new();
    let mut values: HashMap<Option<u64>, usize> = HashMap::new();
    let (mut start, mut count) = (0, 0_u64);
    for (place, (moment, event)) in events.iter().enumerate() {
        let oldest = moment.time.micros() - span;
        while let Some((old, gone)) = events.get(start)
            && old.time.micros() < oldest
        {
            start += 1;
            if !by_value {
                count -= gone.count;
            } else if let Some(times) = values.get_mut(&old.value) {
                *times -= 1;
                if *times == 0 {
                    values.remove(&old.value);
                    count -= 1;
                }
            }
        }
        let before = count;
        if by_value {
            let times = values.entry(moment.value).or_default();
            *times += 1;
            count += u64::from(*times == 1);
        } else {
            count += event.count;
        }
        let first = count.min(before + 1);
        if correlation.bounds.hold_for_any(first, count) {
            match holds.last_mut() {
                Some((_, _, end)) if start <= *end => *end = place,
                _ => holds.push((start, place, place)),
            }
        }
    }
    let held = |(from, at, to)| Held { places: (from..=to).collect(), at };
    holds.into_iter().map(held).collect()
}

/// Windows in which enough of the rules are.
fn together(
    correlation: &Correlation,
    events: &Events,
    span: i64,
) -> Vec<Held> {
    let mut holds = Vec::new();
    let mut steps: BTreeMap<u16, VecDeque<usize>> = BTreeMap::new();
    let mut start = 0;
    for (place, (moment, _)) in events.iter().enumerate() {
        let oldest = moment.time.micros() - span;
        while let Some((old, _)) = events.get(start)
            && old.time.micros() < oldest
        {
            start += 1;
            if let Some(places) = steps.get_mut(&old.step) {
                places.pop_front();
                if places.is_empty() {
                    steps.remove(&old.step);
                }
            }
        }
        steps.entry(moment.step).or_default().push_back(place);
        let count = steps.len() as u64;
        if correlation.bounds.hold_for_any(count, count) {
            // Of each rule the last event: the shortest way there.
            let mut last: Vec<usize> =
                steps.values().filter_map(|it| it.back().copied()).collect();
            last.sort_unstable();
            holds.push(Held { places: last, at: place });
        }
    }
    holds
}

/// Chains of events, one of each rule in their order.
fn in_order(
    correlation: &Correlation,
    events: &Events,
    span: i64,
) -> Vec<Held> {
    let mut holds = Vec::new();
    // By step, the chain up to there that began last.
    let mut chains: Vec<Option<Vec<usize>>> =
        vec![None; correlation.rules.len()];
    let time = |place: usize| {
        events.get(place).map_or(i64::MIN, |it| it.0.time.micros())
    };
    for (place, (moment, _)) in events.iter().enumerate() {
        let step = usize::from(moment.step);
        let chain = match step.checked_sub(1) {
            None => Some(vec![place]),
            Some(before) => chains
                .get(before)
                .and_then(Option::as_ref)
                .filter(|it| {
                    let start = it.first().copied().map_or(i64::MIN, time);
                    moment.time.micros().saturating_sub(start) <= span
                })
                .map(|it| it.iter().copied().chain([place]).collect()),
        };
        let Some(chain) = chain else { continue };
        if step + 1 == chains.len() {
            holds.push(Held { places: chain.clone(), at: place });
        }
        if let Some(own) = chains.get_mut(step) {
            *own = Some(chain);
        }
    }
    holds
}
