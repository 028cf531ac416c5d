//! All there is to say of one line, on a page.
//!
//! In: an [`Explanation`]. Out: the line, how it was read, what its escapes
//! stand for, the rules that match it with the outcome of each, and those
//! that nearly do. Marks say what holds: `✓`, `✗`, and `?` for what the line
//! cannot tell. Values are shown whole, broken where a line is full.

mod judged;
mod tree;

use super::cut::lines;
use super::page::{Cell, Page, Tone};
use super::words::{Precision, counted, len, number};
use super::{Sheet, TerminalOptions, raw, text};
use crate::report::escape::columns as width_of;
use crate::signature::Stage;
use crate::verdict::explanation::{
    Chain, Columns, Directed, Explanation, Matched, Named, NearMiss, Read,
    RuleName, Step, What,
};
use crate::w3c::Dialect;

/// Columns that the names of a table take at most.
const NAME: usize = 20;

/// The page of one line.
pub fn explanation(found: &Explanation, options: TerminalOptions) -> String {
    let page = Page::new(options.width, options.color);
    let (full, zone) = (options.full, options.zone);
    let mut sheet = Sheet { page, full, zone };
    line(&mut sheet, found);
    read(&mut sheet, found);
    if found.read.what == What::Record {
        decoding(&mut sheet, &found.decoding);
    }
    if matches!(found.read.what, What::Record | What::Rejected) {
        matches(&mut sheet, found);
    }
    if found.read.what == What::Record {
        near(&mut sheet, found);
    }
    sheet.page.finish()
}

fn line(sheet: &mut Sheet, found: &Explanation) {
    match &found.place {
        Some(place) => {
            let (exhibit, line) = (raw(&place.exhibit), place.line);
            let offset = number(place.offset);
            sheet.page.heading(&format!("Line {line}, byte {offset}"));
            value(sheet, 2, &exhibit);
            sheet.page.whole(0, "");
        }
        None => sheet.page.heading("The line"),
    }
    value(sheet, 2, &raw(&found.text));
}

/// Shown text, as many lines as it takes.
fn value(sheet: &mut Sheet, indent: usize, shown: &str) {
    for line in lines(shown, sheet.page.room(indent)) {
        sheet.page.whole(indent, &line);
    }
}

/// A value with a name to its left; a long name has a line of its own.
fn named(
    sheet: &mut Sheet,
    indent: usize,
    name: &str,
    width: usize,
    shown: &str,
) {
    let room = sheet.page.room(indent + width + 2);
    let mut name = name;
    if width_of(name) > width {
        value(sheet, indent, name);
        name = "";
    }
    let shown = if shown.is_empty() { "-" } else { shown };
    for line in lines(shown, room) {
        let pad = (width + 2).saturating_sub(width_of(name));
        let pieces = [
            Cell::toned(name, Tone::Faint),
            Cell::new(" ".repeat(pad) + &line),
        ];
        sheet.page.pieces(indent, &pieces);
        name = "";
    }
}

fn read(sheet: &mut Sheet, found: &Explanation) {
    sheet.page.heading("How it was read");
    let read = &found.read;
    if found.place.is_some() || read.dialect != Dialect::Unknown {
        sheet.paragraph(2, 2, &kind(read));
    }
    if let Some(layout) = &read.layout {
        sheet.paragraph(2, 2, &columns(layout, read.what));
    }
    sheet.paragraph(2, 2, &what(read));
    if read.what == What::Record {
        let time = sheet.time(read.time, Precision::Full);
        let zone = if sheet.zone.is_some() { "" } else { " UTC" };
        match read.time {
            Some(_) => {
                sheet.paragraph(2, 2, &format!("Logged at {time}{zone}."));
            }
            None => sheet.paragraph(2, 2, "The time cannot be told."),
        }
        if let Some(note) = read.time_note {
            sheet.paragraph(4, 0, note);
        }
        table(sheet, read);
    } else if read.what == What::Rejected {
        names(sheet, read);
    }
}

fn kind(read: &Read) -> String {
    let version = read.iis.as_ref();
    let all = [
        Some(read.dialect.describe().to_owned()),
        version.map(|it| format!("written by IIS {it}")),
        read.encoding.map(|it| format!("text in {it}")),
        read.codepage
            .map(|it| format!("bytes that are no UTF-8 also read as {it}")),
    ];
    let said: Vec<_> = all.into_iter().flatten().collect();
    said.join(", ") + "."
}

fn columns(layout: &Columns, what: What) -> String {
    let count = counted(len(&layout.names), "column", "columns");
    let likely = match layout.by {
        Named::Fields => {
            let line = layout.line.map(|line| format!(" in line {line}"));
            let line = line.unwrap_or_default();
            return format!("{count}, named by the #Fields directive{line}.");
        }
        Named::Told => return format!("{count}, named by --fields."),
        Named::Form => return format!("{count}, which this form always has."),
        Named::RowsLikely => "likely",
        Named::RowsPossible => "possible",
    };
    let from = if what == What::Record { "what stands in it" } else { "rows" };
    format!(
        "{count}. No #Fields directive is in force: their names are guessed \
         from {from} ({likely}); say --fields where you know better."
    )
}

fn what(read: &Read) -> String {
    let words = match read.what {
        What::Record if read.urlscan => {
            "A record of a request that URLScan refused. Rules are matched \
             on the URL that the client sent."
        }
        What::Record => "A record: one logged request.",
        What::Directive => match read.directive {
            Some(Directed::Fields) => {
                "A directive: it names the columns of the lines that follow."
            }
            _ => {
                "A directive: it says something of the log and is no request."
            }
        },
        What::Blank => "A blank line: nothing is on it.",
        What::NotRead => {
            "Logs of this kind are not judged, so its lines are not looked at."
        }
        What::Rejected => return rejected(read),
    };
    let cut = " It is longer than what is read of a line; the rest was not \
               looked at.";
    format!("{words}{}", if read.cut { cut } else { "" })
}

fn rejected(read: &Read) -> String {
    let Some(rejected) = &read.rejected else { return String::new() };
    let has = counted(rejected.columns as u64, "column", "columns");
    let fault = rejected.text;
    let count = match rejected.wanted {
        Some(wanted) => format!("Blanks part it into {has}, not {wanted}."),
        None => format!(
            "Blanks part it into {has}. They cannot be guessed, and it has \
             none of the forms that need no such directive; say --fields \
             where you know them."
        ),
    };
    format!(
        "Rejected: {fault}. {count} No column of it counts; the texts of \
         rules are looked for all the same."
    )
}

/// Each column with its value.
fn table(sheet: &mut Sheet, read: &Read) {
    sheet.page.whole(0, "");
    let names = read.columns.iter().map(|one| raw(&one.name));
    let names: Vec<_> = names.collect();
    let widths = names.iter().map(|name| width_of(name));
    let width = widths.max().unwrap_or(0).min(NAME);
    for (column, name) in read.columns.iter().zip(&names) {
        let shown = match &column.value {
            Some(text) => raw(text),
            None => "(cut off)".to_owned(),
        };
        named(sheet, 2, name, width, &shown);
    }
}

/// The names of the columns that a rejected line should have.
fn names(sheet: &mut Sheet, read: &Read) {
    let Some(layout) = &read.layout else { return };
    let names: Vec<_> = layout.names.iter().map(raw).collect();
    sheet.paragraph(4, 0, &names.join(" "));
}

fn decoding(sheet: &mut Sheet, chains: &[Chain]) {
    let is_plain = |chain: &&Chain| chain.steps.is_empty();
    let (plain, wrapped): (Vec<_>, Vec<_>) = chains.iter().partition(is_plain);
    sheet.page.heading("What its escapes stand for");
    if wrapped.is_empty() {
        let parts: Vec<_> = plain.iter().map(|it| it.part).collect();
        let which = if parts.is_empty() {
            "The line has neither stem nor query.".to_owned()
        } else {
            format!("Nothing is escaped in {}.", parts.join(" or "))
        };
        return sheet.paragraph(2, 2, &which);
    }
    for chain in wrapped {
        let mut rows = vec![(chain.part.to_owned(), raw(&chain.text))];
        rows.extend(
            chain.steps.iter().map(|step| (words_of(step), raw(&step.text))),
        );
        let widths = rows.iter().map(|(name, _)| width_of(name));
        let width = widths.max().unwrap_or(0);
        for (name, shown) in &rows {
            named(sheet, 2, name, width, shown);
        }
        if chain.more {
            sheet.paragraph(
                2,
                2,
                "There are further layers, which are not undone.",
            );
        }
    }
}

/// What a step undid.
fn words_of(step: &Step) -> String {
    let words = step.undone.iter().map(|word| match (*word, step.round) {
        ("percent", 0 | 1) => "percent".to_owned(),
        ("percent", 2) => "double percent".to_owned(),
        ("percent", _) => "triple percent".to_owned(),
        ("unicode", _) => "%u".to_owned(),
        ("overlong", _) => "overlong UTF-8".to_owned(),
        ("plus", _) => "+ for a blank".to_owned(),
        (page, _) => format!("as {page}"),
    });
    let words: Vec<_> = words.collect();
    format!("  {}", words.join(", "))
}

fn matches(sheet: &mut Sheet, found: &Explanation) {
    let count = match found.matches.len() {
        0 => "No rule matches".to_owned(),
        1 => "One rule matches".to_owned(),
        count => format!("{count} rules match"),
    };
    sheet.page.heading(&count);
    for one in &found.matches {
        matched(sheet, one);
    }
}

/// The name of a rule, and what it says of itself.
fn heading(sheet: &mut Sheet, name: &RuleName) {
    sheet.page.whole(0, "");
    let stage = name.stage.map(|stage| match stage {
        Stage::Recon => ", recon",
        Stage::Exploit => ", exploit",
        Stage::PostExploit => ", post-exploit",
    });
    let level = name.level.as_str();
    let pieces = [
        Cell::toned(text(&name.rule), Tone::Strong),
        Cell::toned(
            format!("  {level}{}", stage.unwrap_or_default()),
            Tone::Faint,
        ),
    ];
    sheet.page.pieces(2, &pieces);
    sheet.paragraph(2, 0, &text(&name.title));
    if name.silent {
        let words = "It is there for correlations; a scan does not tell its \
                     own hits.";
        sheet.paragraph(4, 0, words);
    }
}

fn matched(sheet: &mut Sheet, one: &Matched) {
    heading(sheet, &one.name);
    tree::condition(sheet, &one.why);
    judged::feature(sheet, one.feature.as_ref());
    judged::outcome(sheet, &one.judgement);
}

fn near(sheet: &mut Sheet, found: &Explanation) {
    let count = match found.near_count {
        0 => return,
        1 => "One rule nearly matches".to_owned(),
        count => format!("{count} rules nearly match"),
    };
    sheet.page.heading(&count);
    for one in &found.near {
        near_miss(sheet, one);
    }
    let more = found.near_count - found.near.len().min(found.near_count);
    if more > 0 {
        let words = format!("… {} more (--all shows them)", len_of(more));
        sheet.page.whole(0, "");
        sheet.page.pieces(2, &[Cell::toned(words, Tone::Faint)]);
    }
}

fn len_of(count: usize) -> String {
    number(u64::try_from(count).unwrap_or(u64::MAX))
}

fn near_miss(sheet: &mut Sheet, one: &NearMiss) {
    heading(sheet, &one.name);
    let why = if one.filtered {
        "all that it looks for is there, but its filter holds:"
    } else {
        "all but one thing is there:"
    };
    sheet.line(4, why);
    if sheet.full {
        return tree::condition(sheet, &one.why);
    }
    for held in &one.held {
        tree::held(sheet, held);
    }
    tree::failed(sheet, &one.failed);
}
