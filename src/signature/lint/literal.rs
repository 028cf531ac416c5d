//! Values that a column can never hold.
//!
//! In: which texts a field means, and a value with its modifiers. Out: why
//! nothing that IIS writes matches it. Only what is certain counts: clients
//! choose most of a line, so of path, query and headers little is.
//!
//! Sources: "W3C Extended Log File Format (IIS)" for the columns and for `-`
//! and `+`; RFC 9110 for methods and for `Host`.

use crate::signature::diagnostic::quote;
use crate::signature::modifier::{Kind, Place, Plan};
use crate::signature::view::View;
use crate::w3c::Field;

/// A value that never matches.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dead {
    /// Characters of the value before the one that is to blame.
    pub offset: usize,
    /// Why.
    pub message: String,
    /// What to write.
    pub help: String,
}

impl Dead {
    fn new(offset: usize, message: impl Into<String>, help: &str) -> Self {
        Self { offset, message: message.into(), help: help.to_owned() }
    }
}

/// One character of a value.
#[derive(Clone, Copy, Debug)]
struct Sign {
    /// Characters of the value before it.
    at: usize,
    char: char,
    /// A wildcard, not the character itself.
    wild: bool,
}

/// Characters and wildcards, escapes undone as the matcher undoes them.
fn signs(text: &str) -> Vec<Sign> {
    let mut signs = Vec::new();
    let mut chars = text.chars().enumerate().peekable();
    while let Some((at, char)) = chars.next() {
        let escaped = char == '\\'
            && chars.peek().is_some_and(|it| "*?\\".contains(it.1));
        let next = chars.next_if(|_| escaped);
        let wild = next.is_none() && matches!(char, '*' | '?');
        let char = next.map_or(char, |(_, char)| char);
        signs.push(Sign { at, char, wild });
    }
    signs
}

/// True for a value of wildcards alone where a part of a text is asked for.
pub(super) fn is_bare(plan: &Plan, text: &str) -> bool {
    plan.place != Place::Whole
        && !text.is_empty()
        && signs(text).iter().all(|sign| sign.wild)
}

/// A test of a kind that the column never passes.
pub(super) fn misplaced(
    view: &View,
    plan: &Plan,
    name: &str,
) -> Option<(String, String)> {
    let text_only = match view {
        View::Stem => true,
        View::Field(field) => is_text(*field),
        _ => false,
    };
    match plan.kind {
        Kind::Compare(_) if text_only => {
            let what = format!("{} never holds a number", quote(name));
            Some((what, "compare a column such as `sc-bytes`".to_owned()))
        }
        Kind::Cidr if text_only || is_number_view(view) => {
            let is_address =
                matches!(view, View::Field(Field::CIp | Field::SIp));
            let is_address = is_address || *view == View::Field(Field::CsHost);
            (!is_address).then(|| {
                let what = format!("{} never holds an address", quote(name));
                (what, "ask for `c-ip` or `s-ip`".to_owned())
            })
        }
        _ => None,
    }
}

/// Columns that IIS fills with something that is no number.
fn is_text(field: Field) -> bool {
    matches!(
        field,
        Field::Date
            | Field::Time
            | Field::SIp
            | Field::CIp
            | Field::CsMethod
            | Field::CsVersion
            | Field::CsHost
    )
}

fn is_number(field: Field) -> bool {
    matches!(
        field,
        Field::SPort
            | Field::CPort
            | Field::ScStatus
            | Field::ScSubstatus
            | Field::ScWin32Status
            | Field::ScBytes
            | Field::CsBytes
            | Field::TimeTaken
            | Field::SSiteid
    )
}

fn is_number_view(view: &View) -> bool {
    matches!(view, View::Field(field) if is_number(*field))
}

/// Why no value of the column matches the text; `None` where one may.
pub(super) fn dead(
    view: &View,
    plan: &Plan,
    name: &str,
    text: &str,
    strict: bool,
) -> Option<Dead> {
    if *view == View::Line {
        return None;
    }
    if text == "-" && plan.place == Place::Whole {
        let what = "`-` stands for no value, and nothing equals that";
        let help = format!("write `{name}: null`");
        return Some(Dead::new(0, what, &help));
    }
    let signs = signs(text);
    let anchored = matches!(plan.place, Place::Whole | Place::Start);
    let first = signs.first().filter(|_| anchored);
    match view {
        View::Line => None,
        View::Stem => stem(&signs, first),
        View::Extension => extension(&signs),
        View::Request => query(first),
        View::Custom(_) => raw(&signs, strict),
        View::Field(Field::CsUriStem) => {
            stem(&signs, first).or_else(|| raw(&signs, strict))
        }
        View::Field(Field::CsUriQuery) => query(first)
            .or_else(|| path_in_query(&signs, first))
            .or_else(|| raw(&signs, strict)),
        View::Field(field) => {
            column(*field, plan, name, &signs).or_else(|| raw(&signs, strict))
        }
    }
}

/// What no column holds as it was logged.
fn raw(signs: &[Sign], strict: bool) -> Option<Dead> {
    let control = |it: &&Sign| it.char.is_control();
    if let Some(sign) = signs.iter().find(control) {
        let what = "a column never holds a control character";
        let help = "it ends at the blank, and the record at the line's end";
        return Some(Dead::new(sign.at, what, help));
    }
    let blank = signs.iter().find(|it| strict && it.char == ' ')?;
    let what = "a column never holds a blank: IIS writes `+`";
    let help = "without --sigma-strict both are the same";
    Some(Dead::new(blank.at, what, help))
}

/// A path: it begins with a slash and ends before the `?`.
fn stem(signs: &[Sign], first: Option<&Sign>) -> Option<Dead> {
    // What IIS writes for one that is too long to log.
    if signs.iter().map(|it| it.char).eq("...".chars()) {
        return None;
    }
    let mark = signs.iter().position(|it| it.char == '?');
    if let Some(mark) = mark
        && let Some((before, rest)) = signs.split_at_checked(mark)
        && let Some((sign, after)) = rest.split_first()
    {
        let name = before.last().is_some_and(|it| it.char.is_alphanumeric());
        let ends = after.iter().all(|it| it.wild);
        let asks = after.iter().any(|it| it.char == '=');
        // `\?` is meant: IIS logs `%3f` in a path so.
        if sign.wild && name && (ends || asks) {
            let what = "a path ends before its `?`";
            let help = "what follows is in `cs-uri-query`";
            return Some(Dead::new(sign.at, what, help));
        }
    }
    // `*` is the path of OPTIONS; a proxy is asked for a whole URL.
    let begins = |it: &Sign| {
        it.wild || matches!(it.char, '/' | '\\' | '*' | '%' | 'h' | 'H')
    };
    let first = first.filter(|it| !begins(it))?;
    let what = "a path begins with `/`";
    let help = "write the slash, or use `endswith` or `contains`";
    Some(Dead::new(first.at, what, help))
}

fn extension(signs: &[Sign]) -> Option<Dead> {
    let parts = |it: &&Sign| !it.wild && matches!(it.char, '.' | '/' | '?');
    let sign = signs.iter().find(parts)?;
    let what = "an extension is what follows the last dot of a path";
    Some(Dead::new(sign.at, what, "write it without the dot: `asp`"))
}

fn query(first: Option<&Sign>) -> Option<Dead> {
    let first = first.filter(|it| it.char == '?')?;
    let what = "a query is logged without its `?`";
    Some(Dead::new(first.at, what, "leave the `?` out"))
}

/// With `--sigma-strict` the field is the logged query alone.
fn path_in_query(signs: &[Sign], first: Option<&Sign>) -> Option<Dead> {
    let slash = signs.first().filter(|it| it.char == '/')?;
    let mut later = signs.iter().skip_while(|it| it.char != '.');
    let page = later.any(|it| it.char == '?');
    (first.is_some() || page).then(|| {
        let what = "the logged query does not hold the path";
        let help = "ask for it in `cs-uri-stem`, or leave --sigma-strict out";
        Dead::new(slash.at, what, help)
    })
}

/// Columns that IIS fills itself, or whose form HTTP.sys checks.
fn column(
    field: Field,
    plan: &Plan,
    name: &str,
    signs: &[Sign],
) -> Option<Dead> {
    let name = quote(name);
    let odd = |fits: &dyn Fn(char) -> bool| {
        signs.iter().find(|it| !it.wild && !fits(it.char))
    };
    let digit = |it: char| it.is_ascii_digit();
    if is_number(field) {
        if let Some(sign) = odd(&digit) {
            let what = format!("{name} holds digits alone");
            return Some(Dead::new(sign.at, what, "write a number"));
        }
        let whole = plan.place == Place::Whole
            && !signs.iter().any(|it| it.char == '*');
        let wrong = field == Field::ScStatus && whole && signs.len() != 3;
        return wrong.then(|| {
            let help = "the number after it is in `sc-substatus`";
            Dead::new(0, "a status has three digits", help)
        });
    }
    let (sign, what, help) = match field {
        Field::CIp | Field::SIp => (
            odd(&|it| it.is_ascii_hexdigit() || ".:%".contains(it)),
            "is an address",
            "for a network write `|cidr`",
        ),
        Field::Date => (
            odd(&|it| digit(it) || it == '-'),
            "is a day like `2001-07-19`",
            "days are ISO 8601",
        ),
        Field::Time => (
            odd(&|it| digit(it) || ":.".contains(it)),
            "is a time like `13:01:02`",
            "times are in UTC, of 24 hours",
        ),
        Field::CsMethod => (
            odd(&|it| {
                it.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(it)
            }),
            "is a token of letters and digits",
            "path and query are columns of their own",
        ),
        Field::CsVersion => (
            odd(&|it| {
                let upper = it.to_ascii_uppercase();
                let it = if plan.cased { it } else { upper };
                digit(it) || "HTTP/.?".contains(it)
            }),
            "is `HTTP/` and a number",
            "write it like `HTTP/1.1`",
        ),
        Field::CsHost => (
            odd(&|it| !"/?#@".contains(it)),
            "is a name or address, with a port perhaps",
            "path and query are columns of their own",
        ),
        _ => return None,
    };
    sign.map(|sign| Dead::new(sign.at, format!("{name} {what}"), help))
}
