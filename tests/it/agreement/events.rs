//! Requests: as a line that the program reads, and as an event for the
//! other evaluator.
//!
//! In: the test lines of rules, and dice. Out: lines, the columns of which
//! come from others, are gone, or are written otherwise.

use iisleuth::signature::TestLine;
use iisleuth::w3c::{Line, Parser, Record};
use serde_json::{Map, Value};

use crate::library::Dice;

/// One request, column by column.
#[derive(Clone, Debug)]
pub struct Request {
    /// What the columns are called, and what stands in them.
    pub columns: Vec<(String, String)>,
    software: String,
}

impl Request {
    /// A request of these columns.
    pub fn new(columns: &[(&str, &str)]) -> Self {
        let own = |(name, text): &(&str, &str)| {
            ((*name).to_owned(), (*text).to_owned())
        };
        let columns = columns.iter().map(own).collect();
        let software = "Microsoft Internet Information Services 10.0";
        Self { columns, software: software.to_owned() }
    }

    /// The request of a rule's test. A line that does not fit its columns
    /// has none here.
    pub fn of(test: &TestLine) -> Self {
        let names: Vec<_> = test.fields.split_whitespace().collect();
        let texts: Vec<_> = test.line.split(' ').collect();
        assert_eq!(names.len(), texts.len(), "{}", test.line);
        let columns: Vec<_> = names.into_iter().zip(texts).collect();
        Self { software: test.software.clone(), ..Self::new(&columns) }
    }

    /// The directive that names the columns.
    pub fn fields(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|it| &*it.0).collect();
        format!("#Fields: {}", names.join(" "))
    }

    /// The line.
    pub fn line(&self) -> String {
        let texts: Vec<_> = self.columns.iter().map(|it| &*it.1).collect();
        texts.join(" ")
    }

    /// What stands in a column of this name.
    fn text(&self, name: &str) -> Option<&str> {
        let own = self.columns.iter().find(|it| it.0 == name);
        own.map(|it| it.1.as_str())
    }

    /// The request with some of its columns changed. `own` are those of the
    /// same rule, `pool` those of all.
    pub fn varied(
        &self,
        dice: &mut Dice,
        own: &[Self],
        pool: &[Self],
    ) -> Self {
        let mut request = self.clone();
        for _ in 0..=dice.below(3) {
            let at = dice.below(request.columns.len());
            let (name, text) = request.columns[at].clone();
            let other = |from: &[Self], dice: &mut Dice| {
                let from = &from[dice.below(from.len())];
                from.text(&name).map(str::to_owned)
            };
            let new = match dice.below(9) {
                0 | 1 => other(own, dice),
                2 => other(pool, dice),
                3 => Some("-".to_owned()),
                4 => Some(swapped(&text)),
                5 => Some(cut(&text, dice)),
                6 => other(pool, dice).map(|more| joined(&text, &more)),
                7 => other(pool, dice).map(|more| joined(&more, &text)),
                // Nobody escapes but the client.
                _ if name.starts_with("cs") => Some(escaped(&text, dice)),
                _ => None,
            };
            // No log has numbers with a zero before them, which one compares
            // as numbers and the other as text.
            let is_odd = |new: &String| {
                new.len() > 1
                    && new.starts_with('0')
                    && new.bytes().all(|byte| byte.is_ascii_digit())
            };
            let new = new.filter(|new| !new.is_empty() && !is_odd(new));
            if let Some(new) = new {
                request.columns[at].1 = new;
            }
        }
        request
    }
}

/// Small letters for capital ones, and the other way round.
pub fn swapped(text: &str) -> String {
    let swap = |c: char| {
        if c.is_ascii_lowercase() {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    };
    text.chars().map(swap).collect()
}

/// Both texts; `-` is none.
fn joined(text: &str, more: &str) -> String {
    let parts = [text, more];
    parts.iter().filter(|it| **it != "-").copied().collect()
}

/// The text without what stands before, or behind, a place.
fn cut(text: &str, dice: &mut Dice) -> String {
    let chars: Vec<_> = text.chars().collect();
    let at = dice.below(chars.len() + 1);
    let (head, tail) = chars.split_at(at);
    if dice.below(2) == 0 { head } else { tail }.iter().collect()
}

/// The text with one of its characters written as an escape.
fn escaped(text: &str, dice: &mut Dice) -> String {
    let chars: Vec<_> = text.chars().collect();
    let at = dice.below(chars.len() + 1);
    let mut out = String::new();
    for (place, c) in chars.into_iter().enumerate() {
        if place == at && c.is_ascii() {
            out.push_str(&format!("%{:02x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

/// What `ask` says of the record, where the line is one.
pub fn read<T>(
    request: &Request,
    ask: impl FnOnce(&Record<'_>) -> T,
) -> Option<T> {
    let mut parser = Parser::default();
    let software = format!("#Software: {}", request.software);
    parser.line(software.as_bytes(), false);
    parser.line(request.fields().as_bytes(), false);
    let line = request.line();
    match parser.line(line.as_bytes(), false) {
        Line::Record(record) => Some(ask(&record)),
        _ => None,
    }
}

/// What rules call a column: by its own name, in small letters, or
/// `cs-user-agent` for `cs(User-Agent)`.
pub fn names(column: &str) -> Vec<String> {
    let small = column.to_lowercase();
    let bare = small.replace('(', "-").replace(')', "");
    let mut names = vec![column.to_owned(), small, bare];
    names.dedup();
    names
}

/// The columns as an event; `-` is no value. Keywords are looked for in the
/// line as well, and in what the client asked for, as a log would show it
/// that keeps path and query together.
pub fn event(request: &Request) -> Value {
    let mut event = Map::new();
    for (column, text) in &request.columns {
        for name in names(column) {
            if text != "-" {
                event.entry(name).or_insert_with(|| text.clone().into());
            }
        }
    }
    let text = |name: &str| request.text(name).filter(|text| *text != "-");
    let stem = text("cs-uri-stem").unwrap_or_default();
    let method = text("cs-method").unwrap_or_default();
    let query = text("cs-uri-query").map(|it| format!("?{it}"));
    let asked = format!("{method} {stem}{}", query.unwrap_or_default());
    event.insert("(request)".to_owned(), asked.into());
    event.insert("(line)".to_owned(), request.line().into());
    Value::Object(event)
}
