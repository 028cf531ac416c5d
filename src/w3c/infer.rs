//! The columns of rows that no `#Fields` came before, told from what stands
//! in them.
//!
//! In: rows. Out: a layout for each number of columns that they have. The
//! services of IIS write their columns in an order that differs between
//! versions but follows rules: the method stands before the URL, the status
//! after it, the server's address next to the method in IIS 6 and later.
//! Where a rule does not tell, the column keeps a number for a name, so that
//! nothing is read as what it may not be.

use core::net::IpAddr;
use std::collections::BTreeMap;

use crate::w3c::{Field, Layout, parse_date, parse_time};

/// Layouts for these rows, the most frequent first. `next` is the layout
/// that comes after them, which may have been theirs as well.
pub(super) fn infer(rows: &[&[u8]], next: Option<&Layout>) -> Vec<Layout> {
    let mut by_count: BTreeMap<usize, Vec<Vec<&[u8]>>> = BTreeMap::new();
    for row in rows {
        let columns: Vec<_> = row.split(|byte| *byte == b' ').collect();
        by_count.entry(columns.len()).or_default().push(columns);
    }
    let mut groups: Vec<_> = by_count.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    groups.iter().filter_map(|group| layout(group, next)).collect()
}

fn layout(rows: &[Vec<&[u8]>], next: Option<&Layout>) -> Option<Layout> {
    let kinds = kinds(rows);
    if let Some(next) = next.filter(|next| is_of(&kinds, next)) {
        let names: Vec<_> = next.names().collect();
        return Layout::from_fields(&names.join(&b' ')).map(Layout::inferred);
    }
    let names = names(&kinds)?.join(" ");
    Layout::from_fields(names.as_bytes()).map(Layout::inferred)
}

/// True where columns of these kinds can be those of the layout, and two of
/// them are so for certain.
fn is_of(kinds: &[Kind], layout: &Layout) -> bool {
    let expected = |column| match layout.field(column)? {
        Field::Date => Some(Kind::Date),
        Field::Time => Some(Kind::Time),
        Field::CIp | Field::SIp => Some(Kind::Address),
        Field::CsMethod => Some(Kind::Verb),
        Field::CsUriStem | Field::CsUri => Some(Kind::Path),
        Field::ScStatus => Some(Kind::Status),
        _ => None,
    };
    let told = kinds.iter().enumerate().filter_map(|(column, kind)| {
        let is_there = *kind != Kind::Nothing;
        expected(column).filter(|_| is_there).map(|it| it == *kind)
    });
    let told: Vec<bool> = told.collect();
    kinds.len() == layout.len() && told.len() > 1 && told.iter().all(|it| *it)
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Date,
    Time,
    Address,
    Verb,
    /// `W3SVC1`.
    Site,
    /// `HTTP/1.1`.
    Version,
    Path,
    /// 100 to 599 in each row.
    Status,
    Number,
    /// Nothing but `-`.
    Nothing,
    /// A name and a version, as user agents begin.
    Agent,
    Url,
    Text,
}

type Test = fn(&[u8]) -> bool;

fn kinds(rows: &[Vec<&[u8]>]) -> Vec<Kind> {
    let count = rows.first().map_or(0, Vec::len);
    (0..count)
        .map(|column| kind(rows.iter().filter_map(|row| row.get(column))))
        .collect()
}

fn kind<'a>(values: impl Iterator<Item = &'a &'a [u8]>) -> Kind {
    let values: Vec<&[u8]> =
        values.copied().filter(|text| !matches!(*text, b"-" | b"")).collect();
    if values.is_empty() {
        return Kind::Nothing;
    }
    let tests: [(Test, Kind); 11] = [
        (|text| parse_date(text).is_some(), Kind::Date),
        (|text| parse_time(text).is_some(), Kind::Time),
        (is_address, Kind::Address),
        (is_site, Kind::Site),
        (is_version, Kind::Version),
        (is_status, Kind::Status),
        (is_number, Kind::Number),
        (is_verb, Kind::Verb),
        (|text| text.starts_with(b"/"), Kind::Path),
        (is_url, Kind::Url),
        (is_agent, Kind::Agent),
    ];
    // A row in ten may be anything: it is what attackers send.
    let odd = values.len() / 10;
    let holds =
        |test: &Test| values.iter().filter(|text| !test(text)).count() <= odd;
    tests
        .iter()
        .find(|(test, _)| holds(test))
        .map_or(Kind::Text, |(_, kind)| *kind)
}

fn is_address(text: &[u8]) -> bool {
    let bare = text.split(|byte| *byte == b'%').next().unwrap_or_default();
    let text = std::str::from_utf8(bare).unwrap_or_default();
    // Reports blank out the server: `X.X.X.X`.
    let is_blanked = text.len() == 7
        && text.split('.').all(|part| matches!(part, "X" | "x"));
    text.parse::<IpAddr>().is_ok() || is_blanked
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

fn is_status(text: &[u8]) -> bool {
    is_number(text) && text.len() == 3 && matches!(text[0], b'1'..=b'5')
}

fn is_verb(text: &[u8]) -> bool {
    (3..=16).contains(&text.len())
        && text.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
}

fn is_site(text: &[u8]) -> bool {
    text.strip_prefix(b"W3SVC").is_some_and(is_number)
}

fn is_version(text: &[u8]) -> bool {
    text.starts_with(b"HTTP/")
}

fn is_url(text: &[u8]) -> bool {
    text.starts_with(b"http://") || text.starts_with(b"https://")
}

/// `Mozilla/4.0+(…`: a letter first, a slash and a digit after some letters.
fn is_agent(text: &[u8]) -> bool {
    let slash = text.iter().position(|byte| *byte == b'/').unwrap_or(0);
    text.first().is_some_and(u8::is_ascii_alphabetic)
        && text.get(slash + 1).is_some_and(u8::is_ascii_digit)
}

/// The names of the columns; `None` where they are not those of a web log.
fn names(kinds: &[Kind]) -> Option<Vec<String>> {
    let mut names: Vec<Option<&str>> = vec![None; kinds.len()];
    let find = |wanted: Kind, from: usize| {
        let rest = kinds.get(from..).unwrap_or_default();
        rest.iter().position(|kind| *kind == wanted).map(|at| from + at)
    };
    let verb = find(Kind::Verb, 0)?;
    if kinds.get(verb + 1) != Some(&Kind::Path) {
        return None;
    }
    let mut set = |at: usize, name| {
        if let Some(slot) = names.get_mut(at) {
            *slot = slot.or(Some(name));
        }
    };
    for (kind, name) in [
        (Kind::Date, "date"),
        (Kind::Time, "time"),
        (Kind::Site, "s-sitename"),
        (Kind::Version, "cs-version"),
        (Kind::Agent, "cs(User-Agent)"),
        (Kind::Url, "cs(Referer)"),
    ] {
        if let Some(at) = find(kind, 0) {
            set(at, name);
        }
    }
    set(verb, "cs-method");
    let computer = [Kind::Site, Kind::Text, Kind::Address];
    if let Some(at) = kinds.windows(3).position(|three| three == computer) {
        set(at + 1, "s-computername");
    }
    if is_http_sys(kinds, verb) {
        http_sys(kinds, verb, &mut set);
    } else {
        web(kinds, verb, &mut set)?;
    }
    let number = |(at, name): (usize, Option<&str>)| {
        name.map_or_else(|| format!("column-{}", at + 1), str::to_owned)
    };
    Some(names.into_iter().enumerate().map(number).collect())
}

/// Two addresses with a port each, then the version, then the method.
fn is_http_sys(kinds: &[Kind], verb: usize) -> bool {
    let is_number = |kind: &Kind| matches!(kind, Kind::Number | Kind::Status);
    verb == 7
        && kinds.get(6) == Some(&Kind::Version)
        && kinds.get(2) == Some(&Kind::Address)
        && kinds.get(3).is_some_and(is_number)
}

/// HTTPERR: from the end the queue, the reason, the site, the status; newer
/// builds add the transport.
fn http_sys<'n>(
    kinds: &[Kind],
    verb: usize,
    set: &mut impl FnMut(usize, &'n str),
) {
    let lead = ["c-ip", "c-port", "s-ip", "s-port"];
    for (at, name) in (2..).zip(lead) {
        set(at, name);
    }
    set(verb + 1, "cs-uri");
    let after = verb + 2;
    let rest = kinds.get(after..).unwrap_or_default();
    // One stream column or two may stand before the status.
    let status = rest.iter().position(|kind| *kind == Kind::Status);
    let status = after + status.unwrap_or(0);
    let tail = ["sc-status", "s-siteid", "s-reason", "s-queuename"];
    for (at, name) in (status..).zip(tail) {
        set(at, name);
    }
}

/// A log of requests: `None` where no status follows the URL.
fn web<'n>(
    kinds: &[Kind],
    verb: usize,
    set: &mut impl FnMut(usize, &'n str),
) -> Option<()> {
    set(verb + 1, "cs-uri-stem");
    let rest = kinds.get(verb + 2..).unwrap_or_default();
    // The method, as IIS 6 and later have it: server, method, URL, query,
    // port, user, client.
    let is_later =
        matches!(rest, [_, Kind::Number | Kind::Status, _, Kind::Address, ..]);
    let status = if is_later {
        set(verb + 2, "cs-uri-query");
        set(verb + 3, "s-port");
        set(verb + 4, "cs-username");
        set(verb + 5, "c-ip");
        if verb > 0 && kinds.get(verb - 1) == Some(&Kind::Address) {
            set(verb - 1, "s-ip");
        }
        let status = kinds
            .get(verb + 6..)?
            .iter()
            .position(|kind| is_status_kind(*kind));
        let status = verb + 6 + status?;
        headers(verb + 6..status, set);
        status
    } else {
        let status = rest.iter().position(|kind| is_status_kind(*kind))?;
        if status == 1 {
            set(verb + 2, "cs-uri-query");
        }
        clients(kinds, verb, set);
        verb + 2 + status
    };
    set(status, "sc-status");
    let numbers = kinds.get(status + 1..).unwrap_or_default();
    let numbers = numbers
        .iter()
        .take_while(|kind| matches!(kind, Kind::Number | Kind::Status))
        .count();
    for (at, name) in (status + 1..).zip(tail(is_later, numbers)) {
        set(at, name);
    }
    Some(())
}

/// The names of so many numbers behind the status.
fn tail(is_later: bool, numbers: usize) -> &'static [&'static str] {
    match (is_later, numbers) {
        (true, 3) => &["sc-substatus", "sc-win32-status", "time-taken"],
        (true, 5..) => &[
            "sc-substatus",
            "sc-win32-status",
            "sc-bytes",
            "cs-bytes",
            "time-taken",
        ],
        (true, 2..) => &["sc-substatus", "sc-win32-status"],
        (false, 4..) => {
            &["sc-win32-status", "sc-bytes", "cs-bytes", "time-taken"]
        }
        _ => &[],
    }
}

/// What stands between client and status: the user agent, and the referer
/// where there is one column more.
fn headers<'n>(
    columns: std::ops::Range<usize>,
    set: &mut impl FnMut(usize, &'n str),
) {
    let names: &[&str] = match columns.len() {
        1 => &["cs(User-Agent)"],
        2 => &["cs(User-Agent)", "cs(Referer)"],
        _ => &[],
    };
    for (at, name) in columns.zip(names) {
        set(at, name);
    }
}

fn is_status_kind(kind: Kind) -> bool {
    kind == Kind::Status
}

/// IIS 4 and 5: the client comes first, the server next to the method.
fn clients<'n>(
    kinds: &[Kind],
    verb: usize,
    set: &mut impl FnMut(usize, &'n str),
) {
    let before = kinds.get(..verb).unwrap_or_default();
    let is_address = |(_, kind): &(usize, &Kind)| **kind == Kind::Address;
    let mut addresses = before.iter().enumerate().filter(is_address);
    let kind = |at: usize| before.get(at);
    if let Some((at, _)) = addresses.next() {
        set(at, "c-ip");
        let is_name = matches!(kind(at + 1), Some(Kind::Nothing | Kind::Text));
        let is_server =
            matches!(kind(at + 2), Some(Kind::Address | Kind::Site));
        if is_name && is_server {
            set(at + 1, "cs-username");
        }
    }
    if let Some((at, _)) = addresses.next() {
        set(at, "s-ip");
        if matches!(kind(at + 1), Some(Kind::Number | Kind::Status)) {
            set(at + 1, "s-port");
        }
    }
}
