//! One test of a condition: what it asks for, and what it was given.
//!
//! In: the test, and the line. Out: each thing that it asks for (pattern,
//! expression, network, number), whether that holds, and if so, on which
//! form of the field; beside them the value that the line has.

use std::cmp::Ordering::{Equal, Greater, Less};

use serde::Serialize;

use super::{On, State, Tracer};
use crate::raw::Raw;
use crate::signature::anchor::LEAST;
use crate::signature::evaluate::{address, number};
use crate::signature::expression::Expression;
use crate::signature::ordinary::{self, Values};
use crate::signature::pattern::Fold;
use crate::signature::rule::{
    Comparison, How, Network, Op, Part, Pattern, Test,
};
use crate::signature::torn::{Torn, form_with};
use crate::signature::view::{View, join};
use crate::w3c::{Field, Record};

/// A test and what it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub struct Asked {
    /// The field as the rule spells it; none for keywords.
    pub field: Option<String>,
    /// What is asked, in words: `contains`, `ends with`.
    pub asks: &'static str,
    /// Letter case counts.
    pub cased: bool,
    /// All of it must hold, not one.
    pub all: bool,
    /// What is asked for.
    pub wants: Vec<Want>,
    /// It was asked of a line that is no record: of all of it.
    #[serde(skip)]
    pub of_line: bool,
    /// The log has a column for the field.
    pub logged: bool,
    /// The value as logged; of a URL, with its query.
    pub value: Option<Raw>,
    /// The same after all decoding, where that changes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoded: Option<Raw>,
}

/// One thing that a test asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Want {
    /// A text, a pattern, an expression, a network, a number.
    pub text: Raw,
    /// Whether it holds.
    pub held: bool,
    /// The field and form for which it does: `cs-uri-query (percent)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// That form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Raw>,
    /// Where the text begins in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<usize>,
    /// Bytes of it that ordinary logs do not hold.
    #[serde(skip)]
    pub(super) weight: usize,
}

/// What holds of a text, and where in it.
type Holds<'h> = &'h mut dyn FnMut(&[u8]) -> Option<usize>;

impl Tracer<'_> {
    /// A test on the line.
    pub(super) fn test(&self, at: usize, on: &mut On<'_>) -> (State, Asked) {
        let Some(test) = self.detection.tests.get(at) else {
            let op = Op::Exists(true);
            return (State::Failed, Asked::new(&Test { field: None, op }));
        };
        let mut asked = Asked::new(test);
        let state = match on {
            On::Record(..) => self.on_record(test, at, on, &mut asked),
            On::Torn(torn) => self.on_torn(test, at, torn, &mut asked),
        };
        (state, asked)
    }

    fn on_record(
        &self,
        test: &Test,
        at: usize,
        on: &mut On<'_>,
        asked: &mut Asked,
    ) -> State {
        let fold = self.resolved.fold();
        asked.look(self.resolved.view(at), &test.op, on);
        let raw = |view: Option<&View>| match (view, &*on) {
            (Some(view), On::Record(record, _)) => view.raw_value(record),
            _ => None,
        };
        let has_value = raw(Some(self.resolved.view(at))).is_some();
        let other = raw(self.resolved.other(at)).map(<[u8]>::to_vec);
        let mut seek = |holds: Holds<'_>| self.seek(test, at, on, holds);
        let found: Vec<Option<Found>> = match &test.op {
            Op::Text { patterns, .. } => {
                let of = |pattern: &Pattern| {
                    seek(&mut |text| {
                        let holds = pattern.matches(text, fold);
                        holds.then(|| place(pattern, text, fold))
                    })
                };
                patterns.iter().map(of).collect()
            }
            Op::Regex { regexes, .. } => {
                let of =
                    |regex: &Expression| seek(&mut |text| regex.find(text));
                regexes.iter().map(of).collect()
            }
            Op::Cidr(networks) => {
                let of = |network: &Network| {
                    seek(&mut |text| {
                        network.contains(address(text)?).then_some(0)
                    })
                };
                networks.iter().map(of).collect()
            }
            Op::Compare(comparisons) => {
                let of = |one: &Comparison| {
                    seek(&mut |text| one.holds(number(text)?).then_some(0))
                };
                comparisons.iter().map(of).collect()
            }
            Op::FieldRef { how, .. } => vec![seek(&mut |text| {
                how.holds(text, other.as_deref()?, fold).then_some(0)
            })],
            Op::Exists(_) | Op::Null => {
                let wanted = matches!(test.op, Op::Exists(true));
                asked.wants = vec![Want::bare(has_value == wanted)];
                return asked.decide();
            }
        };
        let weights = self.weights(test, at);
        let wants = texts_of(test).into_iter().zip(found).zip(weights);
        let want = |((text, found), weight)| Want::new(text, found, weight);
        asked.wants = wants.map(want).collect();
        asked.decide()
    }

    /// The form of the field for which something holds.
    fn seek(
        &self,
        test: &Test,
        at: usize,
        on: &mut On<'_>,
        holds: Holds<'_>,
    ) -> Option<Found> {
        let On::Record(record, sight) = on else { return None };
        let mut found = None;
        let form =
            sight.find(self.resolved.view(at), record, &mut |text| {
                found = holds(text).map(|at| (Raw::from(text), at));
                found.is_some()
            })?;
        let field = test.field.as_deref().unwrap_or("keyword");
        let (value, at) = found?;
        Some(Found { on: sight.describe(field, form), value, at })
    }

    /// A test on a line whose columns mean nothing: its texts are looked
    /// for anywhere, and what is no text cannot be told.
    fn on_torn(
        &self,
        test: &Test,
        at: usize,
        torn: &Torn<'_>,
        asked: &mut Asked,
    ) -> State {
        asked.of_line = true;
        let fold = self.resolved.fold();
        let texts = texts_of(test).into_iter();
        let Op::Text { patterns, .. } = &test.op else {
            asked.wants = texts.map(|it| Want::new(it, None, 0)).collect();
            return State::Untold;
        };
        if self.resolved.is_text(at) {
            let found = patterns.iter().map(|it| in_torn(it, torn, fold));
            let want = |(text, found)| Want::new(text, found, 0);
            asked.wants = texts.zip(found).map(want).collect();
            return asked.decide();
        }
        asked.wants = texts.map(|it| Want::new(it, None, 0)).collect();
        let is_method =
            *self.resolved.view(at) == View::Field(Field::CsMethod);
        let fits = |word| patterns.iter().any(|it| it.matches(word, fold));
        let mut words = torn.raw.split(|byte| *byte == b' ');
        if is_method && !words.any(fits) {
            State::Failed
        } else {
            State::Untold
        }
    }

    /// How rare each thing is that a test asks for.
    fn weights(&self, test: &Test, at: usize) -> Vec<usize> {
        match &test.op {
            Op::Text { patterns, .. } => {
                patterns.iter().map(|it| self.weight(at, it)).collect()
            }
            _ => vec![0; texts_of(test).len()],
        }
    }

    /// The bytes of a pattern that ordinary logs do not hold, where it is
    /// looked for in text that a client chose freely. What a client says of
    /// itself says less than what it asks for.
    fn weight(&self, at: usize, pattern: &Pattern) -> usize {
        const HEADER: usize = 4;
        if !self.resolved.is_text(at) {
            return 0;
        }
        let is_rare = |text: &&[u8]| {
            let fold = |byte: &u8| Fold::CaseAndPlus.apply(*byte);
            let folded: Vec<u8> = text.iter().map(fold).collect();
            let is_common = [Values::Requests, Values::Headers]
                .into_iter()
                .any(|values| ordinary::count(values, &folded) > 0);
            folded.len() >= LEAST && !is_common
        };
        let longest = pattern.texts().filter(is_rare).map(<[u8]>::len).max();
        let is_header = !matches!(
            self.resolved.view(at),
            View::Request
                | View::Stem
                | View::Field(Field::CsUriStem | Field::CsUriQuery)
        );
        longest.unwrap_or(0).div_ceil(if is_header { HEADER } else { 1 })
    }
}

/// What a test asks for, each in its order.
fn texts_of(test: &Test) -> Vec<Raw> {
    match &test.op {
        Op::Text { patterns, .. } => {
            let is_like = asks(&test.op) == LIKE;
            let of = |pattern: &Pattern| {
                if is_like {
                    return glob(pattern);
                }
                // The words tell the wildcards at its ends.
                let texts: Vec<&[u8]> = pattern.texts().collect();
                Raw::from(texts.concat().as_slice())
            };
            patterns.iter().map(of).collect()
        }
        Op::Regex { regexes, .. } => {
            regexes.iter().map(|it| Raw::from(it.as_str())).collect()
        }
        Op::Cidr(networks) => networks.iter().map(network_text).collect(),
        Op::Compare(list) => list.iter().map(comparison_text).collect(),
        Op::FieldRef { other, .. } => vec![Raw::from(other.as_str())],
        Op::Exists(_) | Op::Null => Vec::new(),
    }
}

/// Where something was found.
struct Found {
    on: String,
    value: Raw,
    at: usize,
}

/// Where the texts of a pattern stand in a rejected line.
fn in_torn(pattern: &Pattern, torn: &Torn<'_>, fold: Fold) -> Option<Found> {
    let round = form_with(pattern, torn, fold)?;
    let text = torn.texts().nth(round)?;
    let rounds = torn.decoded.len();
    let on = match round {
        0 => "line".to_owned(),
        round if round <= rounds => {
            format!("line ({})", torn.decoded.chain(round - 1))
        }
        _ => "line (in its code page)".to_owned(),
    };
    let at = place(pattern, text, fold);
    Some(Found { on, value: Raw::from(text), at })
}

/// Where the first text of a pattern stands, to show that part of a value.
fn place(pattern: &Pattern, text: &[u8], fold: Fold) -> usize {
    let first = pattern.texts().next().unwrap_or_default();
    let first = first.split(|byte| *byte == b'?').next().unwrap_or_default();
    let ends = text.len().saturating_sub(first.len());
    (0..=ends)
        .find(|at| {
            let rest = text.get(*at..).unwrap_or_default();
            fold.starts_with(rest, first)
        })
        .unwrap_or(0)
}

impl Want {
    fn new(text: Raw, found: Option<Found>, weight: usize) -> Self {
        let bare = Self { text, weight, ..Self::bare(found.is_some()) };
        match found {
            None => bare,
            Some(Found { on, value, at }) => {
                Self { on: Some(on), value: Some(value), at: Some(at), ..bare }
            }
        }
    }

    fn bare(held: bool) -> Self {
        let (on, value, at) = (None, None, None);
        Self { text: Raw::default(), held, on, value, at, weight: 0 }
    }
}

impl Asked {
    fn new(test: &Test) -> Self {
        let all = match &test.op {
            Op::Text { all, .. } | Op::Regex { all, .. } => *all,
            _ => false,
        };
        let cased = match &test.op {
            Op::Text { patterns, .. } => patterns.iter().any(|it| it.cased),
            _ => false,
        };
        Self {
            field: test.field.clone(),
            asks: asks(&test.op),
            cased,
            all,
            wants: Vec::new(),
            of_line: false,
            logged: true,
            value: None,
            decoded: None,
        }
    }

    fn decide(&self) -> State {
        let mut wants = self.wants.iter();
        State::of(if self.all {
            wants.all(|want| want.held)
        } else {
            wants.any(|want| want.held)
        })
    }

    /// Enters the value that the line has.
    fn look(&mut self, view: &View, op: &Op, on: &On<'_>) {
        let On::Record(record, sight) = on else { return };
        self.logged = is_logged(view, record);
        let target = record.target();
        let (stem, query) = (sight.stem(), sight.query());
        let (stem, query) = (stem.form(usize::MAX), query.form(usize::MAX));
        let asks_whether = matches!(op, Op::Exists(_) | Op::Null);
        let (raw, decoded) = match view {
            View::Request if !asks_whether => {
                let decoded = stem.or(query).map(|_| {
                    let query = target.query.map(|it| query.unwrap_or(it));
                    request(stem.or(target.stem), query)
                });
                let is_there = target.stem.or(target.query).is_some();
                let raw = request(target.stem, target.query);
                (is_there.then_some(raw), decoded)
            }
            View::Stem => {
                let decoded = stem.map(<[u8]>::to_vec);
                (target.stem.map(<[u8]>::to_vec), decoded)
            }
            _ => (view.raw_value(record).map(<[u8]>::to_vec), None),
        };
        self.value = raw.as_deref().map(Raw::from);
        self.decoded = decoded.as_deref().map(Raw::from);
    }
}

fn request(stem: Option<&[u8]>, query: Option<&[u8]>) -> Vec<u8> {
    let mut whole = Vec::new();
    join(&mut whole, b"", stem.unwrap_or_default(), query);
    whole
}

fn is_logged(view: &View, record: &Record<'_>) -> bool {
    let layout = record.layout;
    match view {
        View::Line => true,
        View::Request | View::Stem | View::Extension => {
            layout.has(Field::CsUriStem) || layout.has(Field::CsUri)
        }
        View::Field(field) => layout.has(*field),
        View::Custom(name) => layout.column_named(name.as_bytes()).is_some(),
    }
}

/// What is said of patterns with wildcards in them.
const LIKE: &str = "is like";

fn asks(op: &Op) -> &'static str {
    match op {
        Op::Text { patterns, .. } => {
            let mut words = patterns.iter().map(of_pattern);
            let first = words.next().unwrap_or(LIKE);
            if words.all(|word| word == first) { first } else { LIKE }
        }
        Op::Regex { .. } => "matches the expression",
        Op::Cidr(_) => "is an address in",
        Op::Compare(_) => "is a number",
        Op::Exists(true) => "has a value",
        Op::Exists(false) | Op::Null => "has no value",
        Op::FieldRef { how, .. } => match how {
            How::Equals => "equals the field",
            How::StartsWith => "starts with the field",
            How::EndsWith => "ends with the field",
            How::Contains => "contains the field",
        },
    }
}

fn of_pattern(pattern: &Pattern) -> &'static str {
    match pattern.parts.as_slice() {
        [Part::Text(_)] => "is",
        [Part::Text(_), Part::Any] => "starts with",
        [Part::Any, Part::Text(_)] => "ends with",
        [Part::Any, Part::Text(_), Part::Any] => "contains",
        _ => LIKE,
    }
}

/// A pattern as Sigma writes it.
fn glob(pattern: &Pattern) -> Raw {
    let mut text = Vec::new();
    for part in &pattern.parts {
        match part {
            Part::Any => text.push(b'*'),
            Part::One => text.push(b'?'),
            Part::Text(bytes) => {
                for byte in bytes {
                    if matches!(byte, b'*' | b'?') {
                        text.push(b'\\');
                    }
                    text.push(*byte);
                }
            }
        }
    }
    Raw::from(text.as_slice())
}

fn network_text(network: &Network) -> Raw {
    Raw::from(format!("{}/{}", network.address, network.prefix))
}

fn comparison_text(one: &Comparison) -> Raw {
    let accepts = |ordering| one.accept.contains(&Some(ordering));
    let sign = match (accepts(Less), accepts(Equal), accepts(Greater)) {
        (true, true, _) => "<=",
        (_, true, true) => ">=",
        (true, false, true) => "not",
        (true, false, false) => "<",
        (false, false, true) => ">",
        _ => "=",
    };
    Raw::from(format!("{sign} {}", one.number))
}
