//! What the lines of one exhibit show without being judged.
//!
//! In: the records of one chunk. Out: hosts, sites, times and layouts of the
//! exhibit, once all parts are appended in their order.

use std::collections::BTreeSet;

use indexmap::IndexSet;

use crate::case::book::{Book, Fallback};
use crate::case::digest::Sha256;
use crate::case::host::{Host, NameSource};
use crate::case::inventory::{
    Columns, Day, Entry, Found, InventoryExhibit, Knowledge, LineCounts,
    Server,
};
use crate::limits;
use crate::raw::Raw;
use crate::scan::{Hit, Part, Setting, Tally};
use crate::signature::Rule;
use crate::w3c::{Date, Dialect, Field, Form, Layout, Record};
use crate::warning::{Kind, Warning};

/// What one chunk adds.
#[derive(Debug)]
pub struct InventoryPart {
    fallback: Fallback,
    book: Book,
    /// In the order in which they were met.
    layouts: IndexSet<Columns>,
    /// Where the layout of the record before stands among them.
    current: usize,
    /// There were more layouts than are listed.
    has_more: bool,
}

impl InventoryPart {
    pub(super) fn new(knowledge: &Knowledge, setting: &Setting) -> Self {
        let map = knowledge.host_map.as_ref();
        Self {
            fallback: Fallback {
                identity: setting.identity.clone(),
                host: knowledge.host.clone(),
                rows: map.and_then(|map| map.of(&setting.name)),
            },
            book: Book::default(),
            layouts: IndexSet::new(),
            current: 0,
            has_more: false,
        }
    }

    fn layout(&mut self, layout: &Layout) {
        let before = self.layouts.get_index(self.current);
        if before.is_some_and(|columns| columns.are_of(layout)) {
            return;
        }
        self.list(Columns::of(layout));
    }

    /// Adds a layout, unless it is there or there are too many.
    fn list(&mut self, columns: Columns) {
        if let Some(at) = self.layouts.get_index_of(&columns) {
            self.current = at;
        } else if self.layouts.len() < limits::LISTED_LAYOUTS {
            self.current = self.layouts.insert_full(columns).0;
        } else {
            self.has_more = true;
        }
    }

    /// The row of the exhibit, and its layouts.
    pub(super) fn finish(
        self,
        setting: &Setting,
        tally: Tally,
    ) -> (Entry, IndexSet<Columns>) {
        let hosts = self.book.into_hosts(&self.fallback);
        let mut hosts: Vec<_> = hosts.into_iter().map(Found::from).collect();
        if hosts.is_empty() && is_of_a_host(setting.dialect) {
            hosts.extend(host_of_rest(&self.fallback));
        }
        let mut row = Box::new(row(setting, &tally));
        row.layout_inferred = tally.inferred > 0;
        for host in &hosts {
            row.first = [row.first, host.first].into_iter().flatten().min();
            row.last = row.last.max(host.last);
        }
        let date = setting.identity.date;
        row.named_day = date
            .and_then(|(year, month, day)| Date::new(year, month, day))
            .map(Day::of);
        let mut warnings = tally.warnings;
        if tally.left_out > 0 {
            // Of what was not read nobody knows how often it happened.
            for warning in &mut warnings {
                warning.count = 1;
            }
        }
        if self.has_more {
            let most = limits::LISTED_LAYOUTS;
            let detail =
                format!("layouts after the first {most} are left out");
            let path = setting.name.clone();
            warnings.push(Warning::new(Kind::Odd, path, detail));
        }
        let dialect = setting.dialect;
        (Entry { row, dialect, hosts, warnings }, self.layouts)
    }
}

impl Part for InventoryPart {
    #[inline]
    fn record(&mut self, record: &Record<'_>, _offset: u64) {
        self.book.record(&self.fallback, record);
        // A new `#Fields` breaks the repetition.
        if !record.repeats {
            self.layout(record.layout);
        }
    }

    fn wants_words(&self, _rule: &Rule) -> bool {
        false
    }

    fn hit(&mut self, _hit: &Hit<'_>) {}

    fn append(&mut self, later: Self, _lines: u64) {
        self.book.append(later.book);
        for columns in later.layouts {
            self.list(columns);
        }
        self.has_more |= later.has_more;
    }
}

impl Columns {
    fn of(layout: &Layout) -> Self {
        let names: Vec<_> = layout.names().collect();
        Self {
            count: names.len(),
            names: Raw::from(names.join(&b' ').as_slice()),
            lacks: lacks(layout).collect(),
            inferred: layout.is_inferred(),
        }
    }

    /// True where it is this layout; without an allocation, because rows
    /// that are not those of IIS all ask.
    fn are_of(&self, layout: &Layout) -> bool {
        let mut rest = self.names.as_bytes();
        for name in layout.names() {
            let Some(after) = rest.strip_prefix(name) else { return false };
            rest = match after.split_first() {
                None => after,
                Some((b' ', next)) => next,
                Some(_) => return false,
            };
        }
        rest.is_empty()
            && self.count == layout.len()
            && self.inferred == layout.is_inferred()
    }
}

/// What a verdict may hang on and no column tells.
fn lacks(layout: &Layout) -> impl Iterator<Item = &'static str> {
    let has = |field| layout.has(field);
    let url = has(Field::CsUri);
    // Rows of the other forms have their day always.
    let day = layout.form() != Form::Blanks || has(Field::Date);
    let told = [
        ("date", day),
        ("c-ip", has(Field::CIp)),
        ("cs-method", has(Field::CsMethod)),
        ("cs-uri-stem", url || has(Field::CsUriStem)),
        ("cs-uri-query", url || has(Field::CsUriQuery)),
        ("sc-status", has(Field::ScStatus)),
    ];
    told.into_iter().filter(|(_, is_told)| !is_told).map(|(name, _)| name)
}

impl From<Host> for Found {
    fn from(host: Host) -> Self {
        let server = Server {
            roles: host.roles.iter().cloned().collect(),
            name: host.name,
            source: host.source,
            sites: host.sites,
        };
        let (server, first, last) = (server.into(), host.first, host.last);
        Self { server, first, last }
    }
}

/// True for what a server wrote, whether it is read or not.
fn is_of_a_host(dialect: Dialect) -> bool {
    !matches!(dialect, Dialect::Archive | Dialect::Binary | Dialect::Unknown)
}

/// The server of an exhibit without records, where something tells it.
fn host_of_rest(fallback: &Fallback) -> Option<Found> {
    let (source, name) = fallback.host();
    let role = fallback.row().and_then(|row| row.role.clone());
    (source != NameSource::None).then(|| {
        let server = Server {
            name: Raw::from(name),
            source,
            roles: role.into_iter().collect(),
            sites: fallback.site().into_iter().collect(),
        };
        Found { server: server.into(), first: None, last: None }
    })
}

/// What the tally tells of an exhibit; the rest follows from its records.
fn row(setting: &Setting, tally: &Tally) -> InventoryExhibit {
    let counted = tally.left_out == 0;
    let notes = tally.time_notes.keys().filter_map(|note| note.as_str());
    let mut time_notes: BTreeSet<_> = notes.collect();
    if tally.derived > 0 {
        time_notes.insert("derived");
    }
    InventoryExhibit {
        path: setting.name.clone(),
        bytes: tally.bytes,
        sha256: tally.sha256.map(Sha256),
        dialect: setting.dialect.as_str(),
        encoding: setting.encoding,
        hosts: Vec::new(),
        sites: Vec::new(),
        first: None,
        last: None,
        named_day: None,
        counted,
        lines: counted.then_some(LineCounts {
            lines: tally.lines,
            records: tally.records,
            directives: tally.directives,
            blank: tally.blank,
            rejected: tally.rejected,
        }),
        layouts: Vec::new(),
        layout_inferred: false,
        time_notes: time_notes.into(),
    }
}
