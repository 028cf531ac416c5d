//! One test of a condition: what it asks for, and what it was given.
//!
//! In: the test, and the line. Out: each thing that it asks for (pattern,
//! expression, network, number), whether that holds, and if so, on which
//! form of the field; beside them the value that the line has.

use serde::Serialize;

use super::{On, State, Tracer};
use crate::raw::Raw;
use crate::signature::anchor::LEAST;
use crate::signature::evaluate::{Torn, address, in_line, number, raw_value};
use crate::signature::ordinary;
use crate::signature::pattern::Fold;
use crate::signature::rule::{
    Comparison, How, Network, Op, Part, Pattern, Test,
};
use crate::signature::view::{View, join};
use crate::w3c::{Field, Record};

/// A test and what it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
        asked.look(self.resolved.view(at), on);
        let raw = |view: Option<&View>| match (view, &*on) {
            (Some(view), On::Record(record, _)) => raw_value(view, record),
            _ => None,
        };
        let has_value = raw(Some(self.resolved.view(at))).is_some();
        let other_value = raw(self.resolved.other(at)).map(<[u8]>::to_vec);
        let mut wants = Vec::new();
        let mut enter = |text: Raw, weight: usize, holds: Holds<'_>| {
            let found = self.seek(test, at, on, holds);
            wants.push(Want::new(text, found, weight));
        };
        match &test.op {
            Op::Text { patterns, .. } => {
                for pattern in patterns {
                    let text = asked.text_of(pattern);
                    let weight = self.weight(at, pattern);
                    enter(text, weight, &mut |text| {
                        let holds = pattern.matches(text, fold);
                        holds.then(|| place(pattern, text, fold))
                    });
                }
            }
            Op::Regex { regexes, .. } => {
                for regex in regexes {
                    enter(Raw::from(regex.as_str()), 0, &mut |text| {
                        regex.find(text).map(|found| found.start())
                    });
                }
            }
            Op::Cidr(networks) => {
                for network in networks {
                    enter(network_text(*network), 0, &mut |text| {
                        let own = address(text)?;
                        network.contains(own).then_some(0)
                    });
                }
            }
            Op::Compare(comparisons) => {
                for one in comparisons {
                    enter(comparison_text(*one), 0, &mut |text| {
                        one.holds(number(text)?).then_some(0)
                    });
                }
            }
            Op::Exists(_) | Op::Null => {
                let wanted = matches!(test.op, Op::Exists(true));
                wants.push(Want::bare(has_value == wanted));
            }
            Op::FieldRef { other, how } => {
                let value = other_value.as_deref();
                let name = Raw::from(other.as_str());
                enter(name, 0, &mut |text| {
                    how.holds(text, value?, fold).then_some(0)
                });
            }
        }
        asked.wants = wants;
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
        let Op::Text { patterns, .. } = &test.op else {
            return State::Untold;
        };
        let fold = self.resolved.fold();
        let is_method =
            *self.resolved.view(at) == View::Field(Field::CsMethod);
        if is_method {
            let mut words = torn.raw.split(|byte| *byte == b' ');
            let fits = words
                .any(|word| patterns.iter().any(|it| it.matches(word, fold)));
            return if fits { State::Untold } else { State::Failed };
        }
        if !self.resolved.is_text(at) {
            return State::Untold;
        }
        for pattern in patterns {
            let found = in_torn(pattern, torn, fold);
            let text = asked.text_of(pattern);
            asked.wants.push(Want::new(text, found, 0));
        }
        asked.decide()
    }

    /// The bytes of a pattern that ordinary logs do not hold, where it is
    /// looked for in text that a client chose freely.
    fn weight(&self, at: usize, pattern: &Pattern) -> usize {
        if !self.resolved.is_text(at) {
            return 0;
        }
        let is_rare = |text: &&[u8]| {
            let fold = |byte: &u8| Fold::CaseAndPlus.apply(*byte);
            let text: Vec<u8> = text.iter().map(fold).collect();
            text.len() >= LEAST && ordinary::count(&text) == 0
        };
        pattern.texts().filter(is_rare).map(<[u8]>::len).max().unwrap_or(0)
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
    let whole: usize = pattern.texts().map(<[u8]>::len).sum();
    if whole < LEAST {
        return None;
    }
    let rounds = torn.decoded.len();
    let holds =
        |text: &[u8]| pattern.texts().all(|it| in_line(text, it, fold));
    let (round, text) =
        torn.texts().enumerate().find(|(_, text)| holds(text))?;
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
            Some(Found { on, value, at }) => Self {
                on: Some(on),
                value: Some(value),
                at: Some(at),
                ..bare
            },
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
            logged: true,
            value: None,
            decoded: None,
        }
    }

    /// A pattern as text: without the wildcards that the words tell.
    fn text_of(&self, pattern: &Pattern) -> Raw {
        if self.asks == LIKE {
            return glob(pattern);
        }
        let texts: Vec<&[u8]> = pattern.texts().collect();
        Raw::from(texts.concat().as_slice())
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
    fn look(&mut self, view: &View, on: &mut On<'_>) {
        let On::Record(record, sight) = on else { return };
        self.logged = is_logged(view, record);
        let raw = match view {
            View::Request => {
                let target = record.target();
                let mut whole = Vec::new();
                let stem = target.stem.unwrap_or_default();
                join(&mut whole, b"", stem, target.query);
                let is_there = target.stem.or(target.query).is_some();
                is_there.then_some(whole)
            }
            _ => raw_value(view, record).map(<[u8]>::to_vec),
        };
        let mut last = None;
        let _ = sight.find(view, record, &mut |text| {
            last = Some(text.to_vec());
            false
        });
        // An extension is a part of its stem.
        let shows_forms = !matches!(view, View::Extension | View::Line);
        let decoded = last.filter(|last| shows_forms && raw != Some(last.clone()));
        self.value = raw.as_deref().map(Raw::from);
        self.decoded = decoded.as_deref().map(Raw::from);
    }
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

fn network_text(network: Network) -> Raw {
    Raw::from(format!("{}/{}", network.address, network.prefix))
}

fn comparison_text(one: Comparison) -> Raw {
    let accepts = |ordering| one.accept.contains(&Some(ordering));
    use std::cmp::Ordering::{Equal, Greater, Less};
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
