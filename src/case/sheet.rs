//! The events of correlations, kept so that those of two cases can be
//! joined.
//!
//! In: hits of rules that correlations are about, of any exhibit or case, in
//! any order. Out: for each correlation, each group of events that agree in
//! what it groups by, and each day, its earliest events. Events of one second that
//! differ in nothing a correlation asks for are one with a count. Whatever
//! is dropped comes after what is kept in an order that joining does not
//! change.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::raw::{Quote, Raw};
use crate::signature::{Correlation, Outcome};
use crate::w3c::Timestamp;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Events of one step in a sheet whose lines are kept.
const LINES_KEPT: usize = 2;

/// What tells events apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    /// When.
    pub time: Timestamp,
    /// Which of the correlation's rules.
    pub step: u16,
    /// A number that stands for the value that is counted.
    pub value: Option<u64>,
}

/// Events that differ in nothing that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    /// How many.
    pub count: u64,
    /// The most serious outcome.
    pub outcome: Outcome,
    /// The earliest line of them, and what it tells.
    pub place: Place,
    /// Events of the same day that came later and are not kept.
    pub after: u64,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    pub exhibit: Raw,
    pub line: u64,
    pub offset: u64,
    pub host: Raw,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Raw>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Quote>,
}

impl Event {
    fn absorb(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.outcome = self.outcome.max(other.outcome);
        let order = |place: &Place| (place.exhibit.clone(), place.line);
        if order(&other.place) < order(&self.place) {
            self.place = other.place;
        }
    }
}

/// The events of one group on one day.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sheet {
    pub events: BTreeMap<Moment, Event>,
    /// Events that came after those kept.
    pub more: u64,
}

impl Sheet {
    /// Adds an event; keeps the first `most`.
    pub fn add(&mut self, moment: Moment, event: Event, most: usize) {
        match self.events.entry(moment) {
            Entry::Occupied(mut own) => own.get_mut().absorb(event),
            Entry::Vacant(free) => {
                free.insert(event);
            }
        }
        while self.events.len() > most {
            let Some((_, last)) = self.events.pop_last() else { return };
            self.more = self.more.saturating_add(last.count);
        }
    }

    /// Adds all of another.
    pub fn absorb(&mut self, other: Self, most: usize) {
        self.more = self.more.saturating_add(other.more);
        for (moment, event) in other.events {
            self.add(moment, event, most);
        }
    }

    /// Keeps the text of the first lines of each step alone.
    pub fn settle(&mut self) {
        let mut kept: BTreeMap<u16, usize> = BTreeMap::new();
        for (moment, event) in &mut self.events {
            let kept = kept.entry(moment.step).or_default();
            *kept += 1;
            if *kept > LINES_KEPT {
                event.place.text = None;
            }
        }
    }

    /// All events, also those that are not kept.
    fn total(&self) -> u64 {
        let kept = self.events.values().map(|event| event.count);
        kept.fold(self.more, u64::saturating_add)
    }
}

/// Whose sheet it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SheetKey {
    /// The values that its events agree in.
    pub by: Vec<Raw>,
    /// The day, from 1970.
    pub day: i64,
}

/// The day of a time.
pub(super) fn day(time: Timestamp) -> i64 {
    time.micros().div_euclid(DAY)
}

/// Events that a sheet keeps: twice as many as are asked for.
pub(super) fn most(correlation: &Correlation) -> usize {
    let asked = usize::try_from(correlation.bounds.least).unwrap_or(0);
    limits::EVENTS_PER_SHEET.max(asked.saturating_mul(2))
}

/// All events of one correlation.
#[derive(Debug, PartialEq)]
pub(super) struct Book {
    pub correlation: Arc<Correlation>,
    pub sheets: BTreeMap<SheetKey, Sheet>,
}

/// All events of all correlations, by rule.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sheets {
    pub books: BTreeMap<String, Book>,
    /// Events in all of them, kept up to date.
    events: usize,
}

impl Sheets {
    /// The book of a correlation. Those of which it may be an event are
    /// opened with it: they must be known where cases are joined.
    pub fn book(&mut self, correlation: &Arc<Correlation>) -> &mut Book {
        if !self.books.contains_key(&correlation.rule) {
            for outer in &correlation.outer {
                self.book(outer);
            }
        }
        self.books.entry(correlation.rule.clone()).or_insert_with(|| Book {
            correlation: Arc::clone(correlation),
            sheets: BTreeMap::new(),
        })
    }

    /// Adds the sheet of an exhibit.
    pub fn add(
        &mut self,
        correlation: &Arc<Correlation>,
        key: SheetKey,
        sheet: Sheet,
    ) {
        let most = most(correlation);
        let own = self.book(correlation).sheets.entry(key).or_default();
        let before = own.events.len();
        own.absorb(sheet, most);
        let after = own.events.len();
        self.events = (self.events + after).saturating_sub(before);
    }

    /// Adds all of another. Returns, by rule, the events that there was no
    /// room for.
    pub fn absorb(&mut self, other: Self) -> BTreeMap<String, u64> {
        for book in other.books.into_values() {
            // Also where it has no events of its own.
            self.book(&book.correlation);
            for (key, sheet) in book.sheets {
                self.add(&book.correlation, key, sheet);
            }
        }
        // Not each time: what is dropped is the same in the end.
        if self.events > 2 * limits::EVENTS {
            return self.bound();
        }
        BTreeMap::new()
    }

    /// Drops whole sheets until there are at most [`limits::EVENTS`] events.
    /// Which ones go is told by a hash of their keys: a sheet that stays
    /// here, when more are known, stayed there, when there were fewer.
    pub fn bound(&mut self) -> BTreeMap<String, u64> {
        let mut dropped = BTreeMap::new();
        if self.events <= limits::EVENTS {
            return dropped;
        }
        let mut order = Vec::new();
        for (rule, book) in &self.books {
            for (key, sheet) in &book.sheets {
                let mut hasher = DefaultHasher::new();
                (rule, key).hash(&mut hasher);
                let events = sheet.events.len();
                order.push((
                    hasher.finish(),
                    rule.clone(),
                    key.clone(),
                    events,
                ));
            }
        }
        order.sort_unstable();
        let mut kept = 0;
        for (_, rule, key, events) in order {
            kept += events;
            if kept <= limits::EVENTS {
                continue;
            }
            let book = self.books.get_mut(&rule);
            if let Some(sheet) = book.and_then(|it| it.sheets.remove(&key)) {
                self.events = self.events.saturating_sub(sheet.events.len());
                let of_rule: &mut u64 = dropped.entry(rule).or_default();
                *of_rule = of_rule.saturating_add(sheet.total());
            }
        }
        dropped
    }

    /// Keeps only the text of lines that may be shown.
    pub fn settle(&mut self) {
        for book in self.books.values_mut() {
            book.sheets.values_mut().for_each(Sheet::settle);
        }
    }
}

/// The events of one correlation as they stand in `case.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trail {
    /// What is asked of them.
    #[serde(flatten)]
    pub correlation: Correlation,
    /// By group and day.
    groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Group {
    by: Vec<Raw>,
    #[serde(default, skip_serializing_if = "super::tally::is_zero")]
    more: u64,
    events: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    time: Timestamp,
    step: u16,
    /// In hexadecimal: JSON's numbers do not hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    count: u64,
    outcome: Outcome,
    #[serde(flatten)]
    place: Place,
}

impl Sheets {
    /// The rows of `case.json`, by rule.
    pub fn rows(&self) -> Vec<Trail> {
        let books = self.books.values();
        let rows = books.map(|book| Trail {
            // Those of which it is an event have rows of their own.
            correlation: Correlation {
                outer: Vec::new(),
                ..(*book.correlation).clone()
            },
            groups: book.sheets.iter().map(group).collect(),
        });
        rows.collect()
    }
}

fn group((key, sheet): (&SheetKey, &Sheet)) -> Group {
    let events = sheet.events.iter().map(|(moment, event)| Row {
        time: moment.time,
        step: moment.step,
        value: moment.value.map(|value| format!("{value:016x}")),
        count: event.count,
        outcome: event.outcome,
        place: event.place.clone(),
    });
    Group { by: key.by.clone(), more: sheet.more, events: events.collect() }
}

impl From<Vec<Trail>> for Sheets {
    fn from(rows: Vec<Trail>) -> Self {
        let mut sheets = Self::default();
        for Trail { correlation, groups } in rows {
            let correlation = Arc::new(correlation);
            sheets.book(&correlation);
            for group in groups {
                // An edited file may hold a group without events.
                let Some(first) = group.events.first() else { continue };
                let day = day(first.time);
                let mut sheet = Sheet { more: group.more, ..Sheet::default() };
                for row in group.events {
                    let value = row.value.as_deref();
                    let moment = Moment {
                        time: row.time,
                        step: row.step,
                        value: value
                            .and_then(|it| u64::from_str_radix(it, 16).ok()),
                    };
                    let (count, outcome) = (row.count, row.outcome);
                    let place = row.place;
                    let event = Event { count, outcome, place, after: 0 };
                    sheet.events.insert(moment, event);
                }
                let key = SheetKey { by: group.by, day };
                sheets.add(&correlation, key, sheet);
            }
        }
        sheets
    }
}
