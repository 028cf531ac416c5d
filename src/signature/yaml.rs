//! YAML as a small tree in which each node knows its place.
//!
//! In: the bytes of a file. Out: one [`Node`] a document, or faults. Serde
//! would lose three things a Sigma rule needs: positions for messages, the
//! spelling of plain scalars (`007` compares as its text), and refusal of
//! what makes YAML dangerous or ambiguous. Refused are anchors, aliases and
//! tags, keys that stand twice, deep nesting, huge collections, control
//! characters, and text that is not UTF-8.

mod compiled;

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

use self::compiled::Events;
pub use self::compiled::Text;

use crate::limits;
use crate::raw::Raw;
use crate::signature::diagnostic::{Faults, Misread, Position, quote};

/// One node and where it starts.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub value: Value,
    pub line: usize,
    pub column: usize,
    /// The text of a plain scalar that is not text.
    spelling: Option<String>,
    /// How a scalar is written; lists and maps have none.
    style: Option<ScalarStyle>,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value.
pub(super) type Entry = (Node, Node);

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Node {
    /// Where it starts.
    pub fn at(&self) -> Position {
        Position { line: self.line, column: self.column }
    }

    /// The text of a scalar as written; `None` for null, lists and maps.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                self.spelling.as_deref()
            }
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The text of a key; the reader takes only scalars.
    pub fn key(&self) -> &str {
        self.text().or(self.spelling.as_deref()).unwrap_or_default()
    }

    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a truth value",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// A reason to stop reading.
struct Stop {
    at: Position,
    message: String,
    help: Option<&'static str>,
}

impl Stop {
    fn new(at: Position, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), help: None }
    }
}

/// Reads all documents of a file. The documents are empty where reading had
/// to stop; the faults say why.
pub(super) fn parse<'a>(
    file: &'a Raw,
    text: Text<'a>,
) -> (Faults<'a>, Vec<Node>) {
    let bytes = text.bytes;
    let bound = usize::try_from(limits::RULE_FILE_BYTES).unwrap_or(usize::MAX);
    if bytes.len() > bound {
        let mut faults = Faults::new(file, &[]);
        let at = Position { line: 1, column: 1 };
        faults.add(at, format!("the file is larger than {bound} bytes"));
        return (faults, Vec::new());
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut faults = Faults::new(file, bytes);
    let documents = match read(&mut faults, text.events) {
        Ok(documents) => documents,
        Err(stop) => {
            let help = stop.help.map(str::to_owned);
            faults.push(stop.at, stop.message, help);
            Vec::new()
        }
    };
    (faults, documents)
}

fn read(faults: &mut Faults<'_>, events: &[u8]) -> Result<Vec<Node>, Stop> {
    let text = faults.text();
    let mut tree = Tree { faults, open: Vec::new(), documents: Vec::new() };
    if !events.is_empty() {
        for (event, at) in Events::new(events) {
            tree.event(event, at)?;
        }
        return Ok(tree.documents);
    }
    let text = printable(text)?;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let mark = error.marker();
            let column = mark.col() + 1;
            let at = Position { line: mark.line(), column };
            Stop::new(at, format!("YAML: {}", error.info()))
        })?;
        let column = span.start.col() + 1;
        tree.event(event, Position { line: span.start.line(), column })?;
    }
    Ok(tree.documents)
}

/// The text, where it is UTF-8 without control characters.
fn printable(bytes: &[u8]) -> Result<&str, Stop> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let at = end_of(&String::from_utf8_lossy(valid));
        Stop::new(at, "the file is not UTF-8")
    })?;
    let bad = text.char_indices().find(|(_, char)| {
        char.is_control() && !matches!(char, '\t' | '\n' | '\r')
    });
    match bad {
        None => Ok(text),
        Some((at, char)) => {
            let code = u32::from(char);
            let message = format!("control character U+{code:04X}");
            let place = end_of(text.get(..at).unwrap_or_default());
            let mut stop = Stop::new(place, message);
            stop.help = Some("in a value write it as \"\\xNN\"");
            Err(stop)
        }
    }
}

/// The place right after the text.
fn end_of(text: &str) -> Position {
    let breaks = text.replace("\r\n", "\n").replace('\r', "\n");
    let line = breaks.matches('\n').count() + 1;
    let last = breaks.rsplit('\n').next().unwrap_or_default();
    Position { line, column: last.chars().count() + 1 }
}

/// A list or map that is not closed yet.
struct Open {
    at: Position,
    inside: Inside,
}

enum Inside {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<Node>, seen: Seen },
}

/// Keys of one map and their lines.
type Seen = HashMap<String, usize>;

/// Builds nodes from events without recursion: depth is checked here.
struct Tree<'f, 'a> {
    faults: &'f mut Faults<'a>,
    open: Vec<Open>,
    documents: Vec<Node>,
}

impl Tree<'_, '_> {
    fn event(&mut self, event: Event<'_>, at: Position) -> Result<(), Stop> {
        match event {
            Event::Alias(_) => Err(anchored(at)),
            Event::Scalar(text, style, anchor, tag) => {
                plain_node(at, anchor, tag.is_some())?;
                self.add(scalar(text, style, at))
            }
            Event::SequenceStart(anchor, tag) => {
                plain_node(at, anchor, tag.is_some())?;
                self.start(at, Inside::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                plain_node(at, anchor, tag.is_some())?;
                let (entries, key, seen) = (Vec::new(), None, Seen::new());
                self.start(at, Inside::Map { entries, key, seen })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn start(&mut self, at: Position, inside: Inside) -> Result<(), Stop> {
        if self.open.len() >= limits::YAML_NESTING {
            let bound = limits::YAML_NESTING;
            let message = format!("nested more than {bound} deep");
            return Err(Stop::new(at, message));
        }
        let outer = self.open.last().map(|open| &open.inside);
        if matches!(outer, Some(Inside::Map { key: None, .. })) {
            return Err(Stop::new(at, "a list or map cannot be a key"));
        }
        self.open.push(Open { at, inside });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Stop> {
        let Some(Open { at, inside }) = self.open.pop() else {
            return Ok(());
        };
        let value = match inside {
            Inside::List(items) => Value::List(items),
            Inside::Map { entries, .. } => Value::Map(entries),
        };
        let Position { line, column } = at;
        let (spelling, style) = (None, None);
        self.add(Node { value, line, column, spelling, style })
    }

    fn add(&mut self, node: Node) -> Result<(), Stop> {
        let at = node.at();
        let count = match self.open.last_mut().map(|open| &mut open.inside) {
            None => {
                self.documents.push(node);
                self.documents.len()
            }
            Some(Inside::List(items)) => {
                items.push(node);
                items.len()
            }
            Some(Inside::Map { entries, key, seen }) => {
                match key.take() {
                    Some(key) => entries.push((key, node)),
                    None => *key = Some(new_key(self.faults, seen, node)?),
                }
                entries.len()
            }
        };
        if count > limits::YAML_ITEMS {
            let bound = limits::YAML_ITEMS;
            let message = format!("more than {bound} items in one place");
            return Err(Stop::new(at, message));
        }
        Ok(())
    }
}

/// Checks a key and marks it as seen.
fn new_key(
    faults: &mut Faults<'_>,
    seen: &mut Seen,
    node: Node,
) -> Result<Node, Stop> {
    let key = node.key().to_owned();
    if key.is_empty() && node.style == Some(ScalarStyle::Plain) {
        return Err(Stop::new(node.at(), "a key is missing before `:`"));
    }
    let quoted = quote(&key);
    if let Some(first) = seen.insert(key, node.line) {
        let message = format!("the key {quoted} stands twice");
        let help = format!("the first one is in line {first}");
        faults.advise(node.at(), message, help);
    }
    Ok(node)
}

/// Refuses what YAML can hang on a node.
fn plain_node(at: Position, anchor: usize, tag: bool) -> Result<(), Stop> {
    if anchor != 0 {
        return Err(anchored(at));
    }
    if tag {
        return Err(Stop::new(at, "YAML tags (`!…`) are not allowed"));
    }
    Ok(())
}

fn anchored(at: Position) -> Stop {
    let message = "YAML anchors and aliases (`&…`, `*…`) are not allowed";
    let help = Some("quote a value that begins with `&` or `*`");
    Stop { help, ..Stop::new(at, message) }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle, at: Position) -> Node {
    let Position { line, column } = at;
    let (value, spelling) = match style {
        ScalarStyle::Plain => match resolve(&text) {
            None => (Value::Text(text.into_owned()), None),
            Some(value) => (value, Some(text.into_owned())),
        },
        _ => (Value::Text(text.into_owned()), None),
    };
    Node { value, line, column, spelling, style: Some(style) }
}

/// What a plain scalar means in YAML's core schema; `None` for text.
fn resolve(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" => return Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Value::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return Some(Value::Float(f64::NAN)),
        _ => {}
    }
    let based = |prefix, base| {
        let digits = text.strip_prefix(prefix)?;
        let number = digits.chars().all(|char| char.is_digit(base));
        number.then(|| i64::from_str_radix(digits, base).ok()).flatten()
    };
    if let Some(number) = based("0x", 16).or_else(|| based("0o", 8)) {
        return Some(Value::Int(number));
    }
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(bare, ".inf" | ".Inf" | ".INF") {
        let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
        return Some(Value::Float(sign * f64::INFINITY));
    }
    if !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit()) {
        let whole = text.parse().map(Value::Int).ok();
        return whole.or_else(|| text.parse().map(Value::Float).ok());
    }
    let first = bare.strip_prefix('.').unwrap_or(bare);
    let digit = first.starts_with(|char: char| char.is_ascii_digit());
    digit.then(|| text.parse().map(Value::Float).ok()).flatten()
}

impl Faults<'_> {
    /// Adds a fault found inside a scalar.
    pub fn misread(&mut self, node: &Node, fault: Misread) {
        if self.is_full() {
            self.skip();
            return;
        }
        let at = self.inside(node, fault.offset);
        self.push(at, fault.message, fault.help);
    }

    /// Where the character `offset` of a scalar's value stands in the file.
    ///
    /// Folding and indentation change blanks only, so the characters that
    /// are not blank are counted in value and file alike.
    pub fn inside(&self, node: &Node, offset: usize) -> Position {
        let value = node.text().or(node.spelling.as_deref());
        let value = value.unwrap_or_default();
        let solid = value.chars().take(offset);
        let wanted = solid.filter(|char| !char.is_whitespace()).count();
        let rest = self.rest_from(node.line).unwrap_or_default();
        let Ok(rest) = std::str::from_utf8(rest) else { return node.at() };
        let cut = rest.char_indices().nth(node.column.saturating_sub(1));
        let start = cut.map_or(rest.len(), |(at, _)| at);
        let text = rest.get(start..).unwrap_or_default();
        let mut walk = Walk { text, at: node.at(), style: node.style };
        walk.open();
        let mut passed = 0;
        while let Some(blank) = walk.peek_blank() {
            if !blank && passed == wanted {
                return walk.at;
            }
            passed += usize::from(!blank);
            walk.step();
        }
        node.at()
    }
}

/// Walks the source of a scalar, one character of its value at a time.
struct Walk<'t> {
    text: &'t str,
    at: Position,
    style: Option<ScalarStyle>,
}

impl Walk<'_> {
    /// Passes the opening quote. Blocks start at their text, after the
    /// header.
    fn open(&mut self) {
        if matches!(
            self.style,
            Some(ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted)
        ) {
            self.pass();
        }
    }

    /// Whether the next character is a blank; `None` at the end.
    fn peek_blank(&self) -> Option<bool> {
        let mut chars = self.text.chars();
        let first = chars.next()?;
        if first == '\\' && self.style == Some(ScalarStyle::DoubleQuoted) {
            let next = chars.next()?;
            let blank = matches!(
                next,
                ' ' | 't' | 'n' | 'r' | '_' | 'N' | '\t' | '\n' | '\r'
            );
            return Some(blank);
        }
        Some(first.is_whitespace())
    }

    /// Passes one character of the value.
    fn step(&mut self) {
        let first = self.pass();
        match (self.style, first) {
            (Some(ScalarStyle::SingleQuoted), Some('\'')) => {
                self.pass();
            }
            (Some(ScalarStyle::DoubleQuoted), Some('\\')) => {
                let more = match self.pass() {
                    Some('x') => 2,
                    Some('u') => 4,
                    Some('U') => 8,
                    _ => 0,
                };
                for _ in 0..more {
                    self.pass();
                }
            }
            _ => {}
        }
    }

    /// Passes one character of the file.
    fn pass(&mut self) -> Option<char> {
        let mut chars = self.text.chars();
        let char = chars.next()?;
        self.text = chars.as_str();
        let half = char == '\r' && self.text.starts_with('\n');
        if matches!(char, '\n' | '\r') && !half {
            self.at = Position { line: self.at.line + 1, column: 1 };
        } else {
            self.at.column += 1;
        }
        Some(char)
    }
}

#[cfg(test)]
mod tests;
