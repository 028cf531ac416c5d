//! The options that say how to read what logs leave open.
//!
//! In: words such as `WEB01=Europe/Berlin`. Out: a [`Reading`], or an error
//! of usage that says which word is wrong and what to write instead.

use super::args::{ReadingArgs, SourceArgs};
use crate::error::{Error, Result};
use crate::evidence::Access;
use crate::raw::Raw;
use crate::scan::{Reading, ScanOptions, Span};
use crate::w3c::{
    CodePage, DateOrder, Layout, Timestamp, Told, Zone, parse_date, parse_time,
};

/// What the options say.
pub fn reading(source: &SourceArgs) -> Result<Reading> {
    read_so(&source.reading, source.host.as_deref())
}

/// The same, of the words themselves.
pub fn read_so(words: &ReadingArgs, host: Option<&str>) -> Result<Reading> {
    let told = Told {
        zone: None,
        date_order: words.date_order.as_deref().and_then(DateOrder::from_word),
        fields: words.fields.as_deref().map(fields).transpose()?,
    };
    let host = host.map(Raw::from);
    let mut reading = Reading { told, host, ..Reading::default() };
    (reading.told.zone, reading.zones) = by_host(&words.timezone, zone)?;
    Ok(reading)
}

/// What is told of all hosts by `NAME`, and of single ones by `HOST=NAME`.
#[allow(clippy::type_complexity)] // a value, and a list by host
fn by_host<T>(
    words: &[String],
    read: impl Fn(&str) -> Result<T>,
) -> Result<(Option<T>, Vec<(Raw, T)>)> {
    let (mut all, mut single) = (None, Vec::new());
    for word in words {
        match word.split_once('=') {
            None => all = Some(read(word)?),
            Some((host, name)) => {
                single.push((Raw::from(host.trim()), read(name)?));
            }
        }
    }
    Ok((all, single))
}

/// How many threads read, and how they open files.
pub fn how_to_read(source: &SourceArgs) -> ScanOptions {
    let default = ScanOptions::default();
    let access = if source.no_mmap { Access::Buffered } else { Access::Auto };
    let threads = source.threads.map_or(default.threads, usize::from);
    ScanOptions { threads, access, ..default }
}

/// A zone by its name.
pub fn zone(name: &str) -> Result<Zone> {
    Zone::from_name(name.trim()).ok_or_else(|| {
        Error::usage(format!(
            "no time zone has the name {name:?}: write one as the IANA \
             does, such as Europe/Berlin, or an offset such as +02:00"
        ))
    })
}

/// Enters the code page of all hosts, and those of single ones.
pub fn read_codepages(words: &[String], reading: &mut Reading) -> Result<()> {
    (reading.codepage, reading.codepages) = by_host(words, codepage)?;
    Ok(())
}

/// A code page by its name or number.
fn codepage(name: &str) -> Result<CodePage> {
    CodePage::from_name(name).ok_or_else(|| {
        let known = CodePage::known();
        let known = known.map(|(number, name)| format!("{number} ({name})"));
        let known: Vec<_> = known.collect();
        Error::usage(format!(
            "no code page is known as {name:?}; UTF-8 and UTF-16 need none; \
             there are {}",
            known.join(", ")
        ))
    })
}

/// The time between two words.
pub fn span(from: Option<&str>, to: Option<&str>) -> Result<Option<Span>> {
    if from.is_none() && to.is_none() {
        return Ok(None);
    }
    let from = from.map(|text| moment(text, false)).transpose()?;
    let to = to.map(|text| moment(text, true)).transpose()?;
    if from.zip(to).is_some_and(|(from, to)| to <= from) {
        return Err(Error::usage("--to is not after --from"));
    }
    Ok(Some(Span { from, to }))
}

/// A day, or a moment; the end of a day is the start of the next.
fn moment(text: &str, is_end: bool) -> Result<Timestamp> {
    let bare = text.trim().trim_end_matches('Z');
    let (date, time) = match bare.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (bare, None),
    };
    let date = parse_date(date.as_bytes());
    let time = time.map(|time| parse_time(time.as_bytes()));
    match (date, time) {
        (Some(date), None) if is_end => Ok(Timestamp::new(date.next(), 0)),
        (Some(date), None) => Ok(Timestamp::new(date, 0)),
        (Some(date), Some(Some(time))) => Ok(Timestamp::new(date, time)),
        _ => Err(Error::usage(format!(
            "{text:?} is no time: write it like 2001-07-19 or \
             2001-07-19T13:00:00Z (UTC)"
        ))),
    }
}

/// The names of columns, with or without the directive before them.
pub fn fields(text: &str) -> Result<Vec<u8>> {
    let text = text.trim();
    let bare = text.strip_prefix("#Fields:").unwrap_or(text);
    let layout = Layout::from_fields(bare.as_bytes());
    layout.map(|_| bare.as_bytes().to_vec()).ok_or_else(|| {
        Error::usage(
            "--fields names no column: write them as a #Fields directive \
             does, such as \"date time c-ip cs-method cs-uri-stem sc-status\"",
        )
    })
}
