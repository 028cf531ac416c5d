//! The condition of a rule as a tree with marks.
//!
//! In: the trace of a rule. Out: a line for each part, further in for what
//! stands under it. What does not bear on the answer is left out: the
//! alternatives that fail beside one that holds, the inside of a filter that
//! does not hold. `--all` shows it.

use super::super::cut::{cut, lines, wrap};
use super::super::page::{Cell, Tone};
use super::super::{Sheet, raw, text};
use crate::raw::Raw;
use crate::report::escape::columns;
use crate::signature::{Asked, Node, Parts, RuleTrace, State, Want};

/// Alternatives of a test that are named.
const NAMED: usize = 3;

/// Bytes shown before what was found in a long value.
const BEFORE: usize = 16;

/// The condition as written, and as a tree.
pub(super) fn condition(sheet: &mut Sheet, why: &RuleTrace) {
    for condition in &why.condition {
        sheet.paragraph(4, 2, &format!("condition: {}", text(condition)));
    }
    node(sheet, 4, &why.tree, "");
}

/// What failed of a rule that nearly matches.
pub(super) fn failed(sheet: &mut Sheet, part: &Node) {
    node(sheet, 4, part, "");
}

/// A test that holds, in one line.
pub(super) fn held(sheet: &mut Sheet, part: &Node) {
    let Parts::Test(asked) = &part.parts else { return };
    let held = asked.wants.iter().filter(|want| want.held);
    let held: Vec<_> = held.filter(|it| !it.text.is_empty()).collect();
    let most = if asked.all { held.len() } else { 1 };
    let named = held.iter().take(most).map(|want| quoted(&want.text));
    let named: Vec<_> = named.collect();
    let words = format!("{} {}", asks(asked), named.join(" and "));
    marked(sheet, 4, part.state, words.trim_end());
}

/// The field of a test and what is asked of it.
fn asks(asked: &Asked) -> String {
    let field = asked.field.as_deref().map(text);
    let field = field.unwrap_or_else(|| "the line".to_owned());
    let cased = if asked.cased { " (letter case counts)" } else { "" };
    format!("{field} {}{cased}", asked.asks)
}

/// A part and what stands under it. `before` are the words before it.
fn node(sheet: &mut Sheet, indent: usize, part: &Node, before: &str) {
    let name = part.search.as_deref().map(text).unwrap_or_default();
    let colon = |words: &str| {
        if name.is_empty() {
            format!("{before}{words}")
        } else {
            format!("{before}{name}: {words}")
        }
    };
    match &part.parts {
        Parts::All(parts) => {
            marked(sheet, indent, part.state, &colon("all of"));
            nodes(sheet, indent + 2, parts, false);
        }
        Parts::Any(parts) => {
            marked(sheet, indent, part.state, &colon("one of"));
            let holds = part.state == State::Held;
            nodes(sheet, indent + 2, parts, holds);
        }
        Parts::Not(inner) => not(sheet, indent, part.state, inner, before),
        Parts::Test(asked) => test(sheet, indent, part.state, asked, &colon),
    }
}

fn nodes(sheet: &mut Sheet, indent: usize, parts: &[Node], only_held: bool) {
    let mut left_out = 0;
    for part in parts {
        if only_held && part.state != State::Held && !sheet.full {
            left_out += 1;
        } else {
            node(sheet, indent, part, "");
        }
    }
    if left_out > 0 {
        let words = match left_out {
            1 => "one other does not hold".to_owned(),
            _ => format!("{left_out} others do not hold"),
        };
        sheet.page.pieces(indent, &[Cell::toned(words, Tone::Faint)]);
    }
}

/// A filter, whose inside is shown where it holds; or the `neq` of a test.
fn not(
    sheet: &mut Sheet,
    indent: usize,
    state: State,
    inner: &Node,
    before: &str,
) {
    let mut names = Vec::new();
    searches(inner, &mut names);
    let (words, says) = match (names.as_slice(), &inner.parts) {
        ([], _) => (String::new(), ""),
        ([name], _) => (format!(" {name}"), "which does not hold"),
        (names, Parts::Any(_)) => {
            (format!(" one of {}", names.join(", ")), "none of which holds")
        }
        (names, _) => {
            (format!(" all of {}", names.join(", ")), "not all hold")
        }
    };
    let shows = state == State::Failed || names.is_empty() || sheet.full;
    let says = match state {
        State::Untold => " (cannot be told of a rejected line)".to_owned(),
        State::Held if !names.is_empty() => format!(" ({says})"),
        _ => String::new(),
    };
    marked(sheet, indent, state, &format!("{before}not{words}{says}"));
    if shows && names.len() == 1 {
        inside(sheet, indent + 2, inner);
    } else if shows {
        match &inner.parts {
            Parts::Any(parts) => {
                nodes(sheet, indent + 2, parts, state == State::Failed);
            }
            Parts::All(parts) => nodes(sheet, indent + 2, parts, false),
            Parts::Not(_) | Parts::Test(_) => {
                node(sheet, indent + 2, inner, "");
            }
        }
    }
}

/// The names of the searches that a part consists of.
fn searches(part: &Node, names: &mut Vec<String>) {
    if let Some(name) = &part.search {
        return names.push(text(name));
    }
    match &part.parts {
        Parts::All(parts) | Parts::Any(parts) => {
            for part in parts {
                searches(part, names);
            }
        }
        Parts::Not(part) => searches(part, names),
        Parts::Test(_) => {}
    }
}

/// What stands under a `not`, whose name was said.
fn inside(sheet: &mut Sheet, indent: usize, inner: &Node) {
    match &inner.parts {
        Parts::All(parts) => nodes(sheet, indent, parts, false),
        Parts::Any(parts) => {
            nodes(sheet, indent, parts, inner.state == State::Held);
        }
        Parts::Not(_) | Parts::Test(_) => {
            let bare = Node { search: None, ..inner.clone() };
            node(sheet, indent, &bare, "");
        }
    }
}

/// Words with a mark before them.
fn marked(sheet: &mut Sheet, indent: usize, state: State, words: &str) {
    const HANG: usize = 4;
    let (mark, tone) = mark(state);
    let room = sheet.page.room(indent + HANG);
    let lines = wrap(words, room + 2, room);
    for (at, line) in lines.iter().enumerate() {
        let pieces = if at == 0 {
            [Cell::toned(mark, tone), Cell::new(format!(" {line}"))]
        } else {
            [Cell::new(" ".repeat(HANG)), Cell::new(line)]
        };
        sheet.page.pieces(indent, &pieces);
    }
}

pub(super) fn mark(state: State) -> (&'static str, Tone) {
    match state {
        State::Held => ("✓", Tone::Good),
        State::Failed => ("✗", Tone::Bad),
        State::Untold => ("?", Tone::Faint),
    }
}

fn test(
    sheet: &mut Sheet,
    indent: usize,
    state: State,
    asked: &Asked,
    colon: &dyn Fn(&str) -> String,
) {
    let asks = asks(asked);
    let held: Vec<_> = asked.wants.iter().filter(|it| it.held).collect();
    if asked.all && asked.wants.len() > 1 {
        marked(sheet, indent, state, &colon(&format!("{asks} all of")));
        for want in &asked.wants {
            let own = if want.held { State::Held } else { State::Failed };
            marked(sheet, indent + 2, own, &quoted(&want.text));
            found(sheet, indent + 6, want);
        }
    } else if let Some(first) = held.first() {
        let others = match held.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let words = if first.text.is_empty() {
            asks
        } else {
            format!("{asks} {}{others}", quoted(&first.text))
        };
        marked(sheet, indent, state, &colon(&words));
        found(sheet, indent + 4, first);
    } else {
        let words = format!("{asks} {}", wanted(&asked.wants));
        marked(sheet, indent, state, &colon(words.trim_end()));
    }
    match state {
        State::Failed => value(sheet, indent + 4, asked),
        State::Untold => {
            sheet.line(indent + 4, "cannot be told of a rejected line");
        }
        State::Held => {}
    }
}

fn quoted(text: &Raw) -> String {
    format!("'{}'", raw(text))
}

/// What a test asks for, in few words.
fn wanted(wants: &[Want]) -> String {
    let named = wants.iter().filter(|want| !want.text.is_empty());
    let named: Vec<_> =
        named.take(NAMED).map(|want| quoted(&want.text)).collect();
    let more = wants.len().saturating_sub(NAMED);
    let list = named.join(" or ");
    if more > 0 { format!("{list} or {more} others") } else { list }
}

/// On what a test held, and the part of it that did.
fn found(sheet: &mut Sheet, indent: usize, want: &Want) {
    let (Some(on), Some(value)) = (&want.on, &want.value) else { return };
    let on = format!("{}: ", text(on));
    let room = sheet.page.room(indent + columns(&on));
    let shown = excerpt(value, want.at.unwrap_or(0), room);
    let pieces = [Cell::toned(on, Tone::Faint), Cell::new(shown)];
    sheet.page.pieces(indent, &pieces);
}

/// A value, from a little before a place on where it is long.
fn excerpt(value: &Raw, at: usize, room: usize) -> String {
    let shown = raw(value);
    if columns(&shown) <= room {
        return shown;
    }
    let mut from = at.saturating_sub(BEFORE);
    let bytes = value.as_bytes();
    // Not within a character.
    while bytes.get(from).is_some_and(|it| (0x80..0xC0).contains(it)) {
        from += 1;
    }
    if from == 0 {
        return cut(&shown, room);
    }
    let rest = Raw::from(bytes.get(from..).unwrap_or_default());
    cut(&format!("…{}", raw(&rest)), room)
}

/// What a test that failed was given.
fn value(sheet: &mut Sheet, indent: usize, asked: &Asked) {
    if asked.of_line {
        return sheet.line(indent, "that is nowhere in the line");
    }
    let words = if asked.logged {
        match &asked.value {
            None => "the line has no value there".to_owned(),
            Some(value) => format!("the value is {}", quoted(value)),
        }
    } else {
        "the log has no such column".to_owned()
    };
    said(sheet, indent, &words);
    if let Some(decoded) = &asked.decoded {
        said(sheet, indent, &format!("decoded, {}", quoted(decoded)));
    }
}

/// What may be long: the line and its columns are shown whole above.
fn said(sheet: &mut Sheet, indent: usize, words: &str) {
    if sheet.full {
        for line in lines(words, sheet.page.room(indent)) {
            sheet.page.whole(indent, &line);
        }
    } else {
        sheet.line(indent, words);
    }
}
