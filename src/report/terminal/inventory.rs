//! The first look at evidence for people: totals, hosts and sites, days
//! without a log, layouts, and what cannot be read or judged.
//!
//! In: an [`Inventory`]. Out: text of a given width; all that comes from
//! evidence is escaped.

use std::fmt::Write as _;

use indexmap::IndexMap;

use super::page::{Cell, Page, Tone};
use super::words::{self, Precision, counted, number, size};
use super::{Sheet, TerminalOptions, raw, read};
use crate::case::{
    Gap, Inventory, InventoryExhibit, InventoryHost, InventoryLayout,
    InventorySite, InventorySummary,
};

/// Rows of the table of sites where lists are cut.
const SITES: usize = 40;

/// Gaps of one site where lists are cut.
const GAPS: usize = 6;

/// Layouts where lists are cut.
const LAYOUTS: usize = 10;

/// Hosts and sites named in one line where lists are cut.
const NAMES: usize = 6;

/// The page of an inventory.
pub fn inventory(inventory: &Inventory, options: TerminalOptions) -> String {
    let page = Page::new(options.width, options.color);
    let (full, zone) = (options.full, options.zone);
    let mut sheet = Sheet { page, full, zone };
    totals(&mut sheet, inventory);
    sites(&mut sheet, inventory);
    gaps(&mut sheet, inventory);
    layouts(&mut sheet, inventory);
    if !inventory.warnings.is_empty() {
        sheet.page.heading("What to know before the scan");
        read::warnings(&mut sheet, &inventory.warnings);
    }
    if full {
        exhibits(&mut sheet, inventory);
    }
    sheet.page.finish()
}

fn totals(sheet: &mut Sheet, inventory: &Inventory) {
    let sum = &inventory.summary;
    sheet.page.heading("What is there");
    if sum.partial {
        let text = "Interrupted: evidence is missing from this page.";
        sheet.page.pieces(2, &[Cell::toned(text, Tone::Bad)]);
    }
    let files = counted(sum.exhibits, "file", "files");
    let hosts = words::hosts(sum.hosts);
    sheet.paragraph(2, 2, &format!("{files}, {}, {hosts}", size(sum.bytes)));
    if sum.first.is_some() {
        let first = sheet.time(sum.first, Precision::Full);
        let last = sheet.time(sum.last, Precision::Full);
        let clock = if sheet.zone.is_some() { "" } else { " UTC" };
        sheet.paragraph(2, 2, &format!("{first} to {last}{clock}"));
    }
    let kinds: Vec<String> = sum
        .dialects
        .iter()
        .map(|(word, files)| format!("{} {word}", number(*files)))
        .collect();
    sheet.paragraph(2, 2, &format!("by format: {}", kinds.join(", ")));
    lines(sheet, sum);
}

fn lines(sheet: &mut Sheet, sum: &InventorySummary) {
    if let (Some(lines), Some(records)) = (sum.lines, sum.records) {
        let lines = counted(lines, "line", "lines");
        let records = counted(records, "record", "records");
        sheet.paragraph(2, 2, &format!("{lines}, of which {records}"));
    } else {
        let files = counted(
            sum.exhibits_not_counted,
            "large file was read at both ends",
            "large files were read at both ends",
        );
        let text = format!(
            "lines were not counted: {files} only; --full reads, counts \
             and hashes everything"
        );
        sheet.paragraph(2, 2, &text);
    }
}

fn columns(layout: &InventoryLayout) -> u64 {
    u64::try_from(layout.columns).unwrap_or(u64::MAX)
}

const HEAD: [&str; 7] =
    ["Host", "Site", "Format", "Files", "Size", "First", "Last"];

/// All sites with their hosts, in order.
fn all_sites(
    inventory: &Inventory,
) -> impl Iterator<Item = (&InventoryHost, &InventorySite)> {
    let hosts = inventory.hosts.iter();
    hosts.flat_map(|host| host.sites.iter().map(move |site| (host, site)))
}

fn sites(sheet: &mut Sheet, inventory: &Inventory) {
    sheet.page.heading("Hosts and sites");
    let mut rows = Vec::new();
    let mut before = None;
    for (host, site) in all_sites(inventory) {
        // A name that stands above is not said again.
        let name = match before.replace(&host.name) {
            Some(before) if *before == host.name => String::new(),
            _ => raw(&host.name),
        };
        rows.push(vec![
            Cell::new(name),
            Cell::new(site_name(site)),
            Cell::new(formats(site)),
            Cell::number(number(site.exhibits)),
            Cell::number(size(site.bytes)),
            Cell::new(sheet.time(site.first, Precision::Day)),
            Cell::new(sheet.time(site.last, Precision::Day)),
        ]);
    }
    if rows.is_empty() {
        sheet.line(2, "None: no file is the log of a server.");
        return;
    }
    let shown = sheet.shown(rows.len(), SITES);
    let all = rows.len();
    rows.truncate(shown);
    sheet.page.table(2, &HEAD, &rows);
    sheet.left_out(2, all, SITES);
}

fn site_name(site: &InventorySite) -> String {
    site.site.as_ref().map_or_else(|| "-".to_owned(), raw)
}

fn gaps(sheet: &mut Sheet, inventory: &Inventory) {
    sheet.page.heading("Days without a log (UTC)");
    let with_gaps: Vec<_> = all_sites(inventory)
        .filter(|(_, site)| !site.gaps.is_empty())
        .collect();
    if with_gaps.is_empty() {
        sheet.line(2, "None between the first and the last day of a site.");
        return;
    }
    // Sites of one evidence mostly lack the same days.
    let mut groups: IndexMap<&[Gap], Vec<String>> = IndexMap::new();
    for (host, site) in with_gaps {
        groups.entry(&site.gaps).or_default().push(place(host, site));
    }
    let all = groups.len();
    let shown = sheet.shown(all, SITES);
    for (gaps, places) in groups.iter().take(shown) {
        let places = named(sheet, places);
        let days = gaps.iter().fold(0, |sum: u64, gap| sum + gap.days);
        let days = counted(days, "day", "days");
        sheet.paragraph(2, 2, &format!("{days}: {places}"));
        let shown = sheet.shown(gaps.len(), GAPS);
        let ranges: Vec<_> = gaps.iter().take(shown).map(range).collect();
        sheet.paragraph(4, 0, &ranges.join(", "));
        sheet.left_out(4, gaps.len(), GAPS);
    }
    sheet.left_out(2, all, SITES);
}

/// A site with its host; where it has no name, its formats.
fn place(host: &InventoryHost, site: &InventorySite) -> String {
    let what = match &site.site {
        Some(name) => raw(name),
        None => formats(site),
    };
    format!("{} {what}", raw(&host.name))
}

fn formats(site: &InventorySite) -> String {
    let words: Vec<_> = site.dialects.iter().copied().collect();
    words.join(", ")
}

/// The first of some names, and how many more there are.
fn named(sheet: &Sheet, names: &[String]) -> String {
    let shown = sheet.shown(names.len(), NAMES);
    let mut text = names.get(..shown).unwrap_or_default().join(", ");
    if names.len() > shown {
        // Writing to a string cannot fail.
        let _ = write!(text, " and {} more", names.len() - shown);
    }
    text
}

fn range(gap: &Gap) -> String {
    if gap.first == gap.last {
        gap.first.clone()
    } else {
        format!("{} to {}", gap.first, gap.last)
    }
}

fn layouts(sheet: &mut Sheet, inventory: &Inventory) {
    if inventory.layouts.is_empty() {
        return;
    }
    sheet.page.heading("Layouts");
    let shown = sheet.shown(inventory.layouts.len(), LAYOUTS);
    for layout in inventory.layouts.iter().take(shown) {
        let head = layout_head(sheet, layout);
        sheet.paragraph(2, 4, &head);
        sheet.paragraph(5, 0, &raw(&layout.fields));
        if !layout.lacks.is_empty() {
            let lacks = layout.lacks.join(", ");
            sheet.paragraph(5, 0, &format!("(does not tell: {lacks})"));
        }
    }
    sheet.left_out(2, inventory.layouts.len(), LAYOUTS);
}

fn layout_head(sheet: &Sheet, layout: &InventoryLayout) -> String {
    let files = counted(layout.exhibits, "file", "files");
    let hosts: Vec<_> = layout.hosts.iter().map(raw).collect();
    let told = if layout.inferred { " (told from the rows)" } else { "" };
    format!(
        "{}. {}, {files}{told}: {}",
        layout.number,
        counted(columns(layout), "column", "columns"),
        named(sheet, &hosts)
    )
}

fn exhibits(sheet: &mut Sheet, inventory: &Inventory) {
    sheet.page.heading("Files");
    for exhibit in &inventory.exhibits {
        let text = describe(sheet, exhibit);
        sheet.page.whole(2, &raw(&exhibit.path));
        sheet.paragraph(4, 2, &text);
        if let Some(hash) = &exhibit.sha256 {
            sheet.page.whole(4, &hash.to_string());
        }
    }
}

fn describe(sheet: &Sheet, exhibit: &InventoryExhibit) -> String {
    let mut words = vec![exhibit.dialect.to_owned(), size(exhibit.bytes)];
    words.push(match exhibit.lines {
        Some(lines) => counted(lines.lines, "line", "lines"),
        None => "lines not counted".to_owned(),
    });
    if exhibit.first.is_some() {
        let first = sheet.time(exhibit.first, Precision::Full);
        let last = sheet.time(exhibit.last, Precision::Full);
        let clock = if sheet.zone.is_some() { "" } else { " UTC" };
        words.push(format!("{first} to {last}{clock}"));
    }
    let numbers = exhibit.layouts.iter().map(ToString::to_string);
    let numbers: Vec<_> = numbers.collect();
    if !numbers.is_empty() {
        words.push(format!("layout {}", numbers.join(", ")));
    }
    words.join(", ")
}
