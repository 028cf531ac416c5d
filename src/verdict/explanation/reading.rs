//! How a line was read: as what, under which columns, and what its stem and
//! query say once their escapes are undone.
//!
//! In: a line and what the parser made of it. Out: the same in words that
//! can be shown.

use serde::Serialize;

use crate::raw::Raw;
use crate::scan::LogLine;
use crate::w3c::decode::{Steps, each_step, is_wrapped};
use crate::w3c::{
    Dialect, Disguise, Form, Layout, Line, Record, Reject, TimeNote, Timestamp,
};

/// How a line was read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Read {
    /// The kind of log.
    pub dialect: Dialect,
    /// As what.
    pub what: What,
    /// How the log's text is encoded, where it had to be decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<&'static str>,
    /// How bytes that are no UTF-8 are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codepage: Option<&'static str>,
    /// The version of IIS in force, from `#Software`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iis: Option<String>,
    /// The columns in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<Columns>,
    /// Each column with its value; of a record.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// When it was logged, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// Why that is not sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_note: Option<&'static str>,
    /// What the directive did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directive: Option<Directed>,
    /// Why it is no record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected: Option<Rejection>,
    /// The line is longer than what was read of it.
    pub cut: bool,
    /// URLScan refused it: the stem is what the client sent, not what the
    /// line shows in its place.
    pub urlscan: bool,
}

/// As what a line was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A logged request.
    Record,
    /// It begins with `#`, or says something of the log.
    Directive,
    /// Nothing is on it.
    Blank,
    /// It does not fit.
    Rejected,
    /// The log is not one that is judged.
    NotRead,
}

/// The columns in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Columns {
    /// Their names.
    pub names: Vec<Raw>,
    /// What named them.
    pub by: Named,
    /// The line of that `#Fields` directive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

/// What named the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Named {
    /// A directive.
    Fields,
    /// The user.
    Told,
    /// The rows, and the columns that a verdict hangs on are known.
    RowsLikely,
    /// The rows, and some of those are not.
    RowsPossible,
    /// The form: it has these and no others.
    Form,
}

/// A column of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: Raw,
    /// Its text, `-` included; none where the line was cut before it.
    pub value: Option<Raw>,
}

/// What a directive did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Directed {
    /// Names the columns of the lines that follow.
    Fields,
    /// Anything else.
    Other,
}

/// Why a line is no record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// The code, as in `case.json`.
    pub reason: &'static str,
    /// For people.
    pub text: &'static str,
    /// Pieces between single blanks.
    pub columns: usize,
    /// Columns that it should have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<usize>,
}

/// What a part of the request stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// `stem` or `query`.
    pub part: &'static str,
    /// As sent.
    pub text: Raw,
    /// What each step made of it.
    pub steps: Vec<Step>,
    /// After the last step there is something left to undo, which is not.
    pub more: bool,
}

/// One step of decoding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The round, from 1; 0 for what is no round of escapes.
    pub round: usize,
    /// What was undone: `percent`, `unicode`, `overlong`, `plus`, or the
    /// name of a code page.
    pub undone: Vec<&'static str>,
    /// The text after it.
    pub text: Raw,
}

/// How a line was read.
pub(super) fn read(line: &LogLine, read_as: &Line<'_>) -> Read {
    // A typed line is too little to tell the kind of log for sure.
    let is_judged = line.place.is_none() || line.dialect.is_read();
    let what = match read_as {
        _ if !is_judged => What::NotRead,
        Line::Blank => What::Blank,
        Line::Directive => What::Directive,
        Line::Record(_) => What::Record,
        Line::Rejected(_) => What::Rejected,
    };
    // Of a directive alone, and the like, the kind of log cannot be told.
    let is_told = line.place.is_some() || line.dialect.is_read();
    let dialect = if is_told { line.dialect } else { Dialect::Unknown };
    let iis = line.state.iis.map(|(major, minor)| format!("{major}.{minor}"));
    let bare = Read {
        dialect,
        what,
        encoding: line.encoding,
        codepage: line.codepage.map(crate::w3c::CodePage::name),
        iis,
        layout: in_force(line),
        columns: Vec::new(),
        time: None,
        time_note: None,
        directive: None,
        rejected: None,
        cut: line.cut,
        urlscan: false,
    };
    match read_as {
        _ if !is_judged => Read { layout: None, ..bare },
        Line::Record(record) => of_record(line, record, bare),
        Line::Rejected(reject) => {
            let rejected = rejection(line, *reject, bare.layout.as_ref());
            Read { rejected: Some(rejected), ..bare }
        }
        Line::Directive => {
            let has = |name| memchr::memmem::find(&line.text, name).is_some();
            // Exchange writes the names without a directive.
            let names = has(b"#Fields:") || !has(b"#") && has(b",");
            let directive =
                if names { Directed::Fields } else { Directed::Other };
            Read { directive: Some(directive), ..bare }
        }
        Line::Blank => bare,
    }
}

fn of_record(line: &LogLine, record: &Record<'_>, bare: Read) -> Read {
    let names = record.layout.names();
    let columns = names.enumerate().map(|(at, name)| Column {
        name: Raw::from(name),
        value: record.column(at).map(Raw::from),
    });
    let note = match record.time_note {
        TimeNote::Derived => Some(
            "the day, or the time of day, is not on the line: told from \
             lines before it or the file's name",
        ),
        note => note.describe(),
    };
    let disguise = record.target().disguise;
    Read {
        // A line alone tells its form better than its kind of log.
        dialect: if line.dialect.is_read() {
            line.dialect
        } else {
            dialect_of(record.layout)
        },
        columns: columns.collect(),
        layout: Some(Columns {
            names: record.layout.names().map(Raw::from).collect(),
            by: named(line, record.layout),
            line: line.fields_line.filter(|_| line.state.layout.is_some()),
        }),
        time: record.time,
        time_note: note,
        urlscan: disguise == Some(Disguise::UrlScan),
        ..bare
    }
}

fn dialect_of(layout: &Layout) -> Dialect {
    match layout.form() {
        Form::Blanks => Dialect::W3c,
        Form::Native => Dialect::IisNative,
        Form::Ncsa => Dialect::Ncsa,
        Form::UrlScan => Dialect::UrlScan,
        Form::Csv => Dialect::ExchangeProxy,
    }
}

/// The columns that a directive put in force.
fn in_force(line: &LogLine) -> Option<Columns> {
    let layout = line.state.layout.as_ref()?;
    Some(Columns {
        names: layout.names().map(Raw::from).collect(),
        by: Named::Fields,
        line: line.fields_line,
    })
}

fn named(line: &LogLine, layout: &Layout) -> Named {
    if line.state.layout.is_some() {
        Named::Fields
    } else if layout.is_inferred() && layout.is_telling() {
        Named::RowsLikely
    } else if layout.is_inferred() {
        Named::RowsPossible
    } else if matches!(layout.form(), Form::Blanks | Form::Csv) {
        Named::Told
    } else {
        Named::Form
    }
}

fn rejection(
    line: &LogLine,
    reject: Reject,
    layout: Option<&Columns>,
) -> Rejection {
    let pieces = line.text.split(|byte| *byte == b' ');
    let text = match (reject, &line.place) {
        (Reject::Form, None) => "no #Fields directive names its columns",
        (reject, _) => reject.text(),
    };
    Rejection {
        reason: reject.as_str(),
        text,
        columns: pieces.count(),
        wanted: layout.map(|layout| layout.names.len()),
    }
}

/// What stem and query stand for.
pub(super) fn decoding(
    line: &LogLine,
    record: &Record<'_>,
    joins_plus: bool,
) -> Vec<Chain> {
    let target = record.target();
    let parts = [("stem", target.stem), ("query", target.query)];
    let parts = parts.into_iter().filter_map(|(part, text)| {
        text.map(|text| chain(part, text, line, joins_plus))
    });
    parts.collect()
}

/// The steps that change a text, and no others.
fn chain(
    part: &'static str,
    text: &[u8],
    line: &LogLine,
    joins_plus: bool,
) -> Chain {
    let mut steps = Vec::new();
    let mut last = text.to_vec();
    let read = |steps: &mut Vec<Step>, text: &[u8]| {
        if let Some(page) = line.codepage
            && let Some(read) = page.decode(text)
        {
            let text = Raw::from(read.as_bytes());
            steps.push(Step { round: 0, undone: vec![page.name()], text });
        }
    };
    read(&mut steps, text);
    each_step(text, |number, after, undone: Steps| {
        last = after.to_vec();
        let undone = undone.words().collect();
        let round = number.div_ceil(2);
        steps.push(Step { round, undone, text: Raw::from(after) });
        read(&mut steps, after);
    });
    if joins_plus && last.contains(&b'+') {
        let plain: Vec<u8> = last
            .iter()
            .map(|byte| if *byte == b'+' { b' ' } else { *byte })
            .collect();
        let text = Raw::from(plain.as_slice());
        steps.push(Step { round: 0, undone: vec!["plus"], text });
    }
    let mut more = false;
    if is_wrapped(&last) {
        each_step(&last, |_, _, _| more = true);
    }
    Chain { part, text: Raw::from(text), steps, more }
}
