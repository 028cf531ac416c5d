//! The first look at evidence, without detection: what is there, whose it
//! is, which time it covers, and what cannot be read.
//!
//! In: the records of a scan without rules, through [`InventoryBuilder`].
//! Out: an [`Inventory`], ordered, the same for any number of threads.
//!
//! | file | idea |
//! |---|---|
//! | `builder` | collects what a scan pushes |
//! | `part` | what the lines of one exhibit show |
//! | `site` | exhibits by host, site and kind of log; days without any |

mod builder;
mod part;
mod site;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;

use indexmap::IndexSet;
use serde::Serialize;

pub use self::builder::{InventoryBuilder, Knowledge};
pub use self::part::InventoryPart;
pub use self::site::{Day, Gap, InventoryHost, InventorySite};

use crate::case::digest::Sha256;
use crate::case::host::NameSource;
use crate::case::rare::Rare;
use crate::error::{Error, Result};
use crate::raw::Raw;
use crate::w3c::{Dialect, Timestamp};
use crate::warning::{Kind, Warning};

/// The word in `schema` for this layout of the inventory.
pub const INVENTORY_SCHEMA: &str = "iisleuth-inventory/1";

/// What is there. Rows are sorted by their keys.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inventory {
    /// [`INVENTORY_SCHEMA`].
    pub schema: &'static str,
    /// The whole in a few numbers.
    pub summary: InventorySummary,
    /// By path. In boxes: they are moved, and a copy of a million takes as
    /// much memory again.
    #[allow(clippy::vec_box)]
    pub exhibits: Vec<Box<InventoryExhibit>>,
    /// By name.
    pub hosts: Vec<InventoryHost>,
    /// The most frequent first; numbered from 1.
    pub layouts: Vec<InventoryLayout>,
    /// By kind, losses first, then by exhibit.
    pub warnings: Vec<Warning>,
}

/// An inventory in a few numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InventorySummary {
    /// It was interrupted: evidence is missing here.
    pub partial: bool,
    /// Files; of an archive those in it.
    pub exhibits: u64,
    /// Bytes as found; of an archive those of its files.
    pub bytes: u64,
    /// Hosts that wrote them.
    pub hosts: u64,
    /// Files by kind of log.
    pub dialects: BTreeMap<&'static str, u64>,
    /// The earliest record.
    pub first: Option<Timestamp>,
    /// The latest.
    pub last: Option<Timestamp>,
    /// All lines were counted.
    pub counted: bool,
    /// Files of which only both ends were read.
    pub exhibits_not_counted: u64,
    /// All lines, where all were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<u64>,
    /// Lines that are records, where all were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// Days without a log between the first and the last of a site, added
    /// up over all sites.
    pub days_without_log: u64,
    /// Files of which something could not be read.
    pub exhibits_with_loss: u64,
}

/// One exhibit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InventoryExhibit {
    /// Its path as given.
    pub path: Raw,
    /// Its size as found.
    pub bytes: u64,
    /// SHA-256 in hexadecimal; none where not asked for or not readable
    /// whole.
    pub sha256: Option<Sha256>,
    /// What kind of log it is.
    pub dialect: &'static str,
    /// How its text is encoded, where it had to be decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<&'static str>,
    /// The servers that wrote it, in order.
    pub hosts: Vec<Raw>,
    /// Its IIS sites, in order.
    pub sites: Vec<Raw>,
    /// Time of its earliest record, UTC.
    pub first: Option<Timestamp>,
    /// Time of its latest.
    pub last: Option<Timestamp>,
    /// The day that its name tells.
    pub named_day: Option<Day>,
    /// All of its lines were counted; else both ends were read.
    pub counted: bool,
    /// Its lines, where they were counted.
    #[serde(flatten)]
    pub lines: Option<LineCounts>,
    /// The layouts of its records, by number.
    pub layouts: Vec<usize>,
    /// The columns were told from the rows: no `#Fields` came before them.
    pub layout_inferred: bool,
    /// Why times are known less surely, by code.
    pub time_notes: Rare<BTreeSet<&'static str>>,
}

/// The lines of an exhibit: `lines = records + directives + blank +
/// rejected`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LineCounts {
    /// All of them.
    pub lines: u64,
    /// Those that are records.
    pub records: u64,
    /// Those that begin with `#`.
    pub directives: u64,
    /// Those with nothing on them.
    pub blank: u64,
    /// Those that do not fit their layout.
    pub rejected: u64,
}

/// Columns as a directive names them, or as rows have them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InventoryLayout {
    /// What other rows call it.
    pub number: usize,
    /// The names of the columns, one blank apart.
    pub fields: Raw,
    /// How many columns there are.
    pub columns: usize,
    /// What a verdict may hang on and these columns do not tell.
    pub lacks: Vec<&'static str>,
    /// Told from the rows, by no directive.
    pub inferred: bool,
    /// Files with it.
    pub exhibits: u64,
    /// The hosts of those files.
    pub hosts: BTreeSet<Raw>,
}

/// What makes layouts the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Columns {
    /// One blank apart.
    names: Raw,
    count: usize,
    /// What no column tells.
    lacks: Vec<&'static str>,
    inferred: bool,
}

/// One exhibit, as it waits for the others. Its layouts are numbered in the
/// order in which they were met.
#[derive(Debug)]
struct Entry {
    row: Box<InventoryExhibit>,
    dialect: Dialect,
    /// Its servers, each with what its records tell.
    hosts: Vec<Found>,
    warnings: Vec<Warning>,
}

/// What an exhibit tells of one server.
#[derive(Debug)]
struct Found {
    server: Arc<Server>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// A server, as many exhibits tell of it: kept once.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Server {
    name: Raw,
    source: NameSource,
    roles: BTreeSet<Raw>,
    sites: BTreeSet<Raw>,
}

impl Inventory {
    /// Its JSON form.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let mut json = Vec::new();
        self.write_json(&mut json).map_err(|e| {
            Error::output("cannot write the inventory").because(e)
        })?;
        Ok(json)
    }

    /// Writes it piece by piece.
    pub fn write_json(&self, mut out: impl Write) -> std::io::Result<()> {
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")
    }

    /// True where part of the evidence could not be read.
    pub fn is_incomplete(&self) -> bool {
        self.warnings.iter().any(|warning| warning.kind.is_loss())
    }

    fn of(
        mut entries: Vec<Entry>,
        layouts: IndexSet<Columns>,
        warnings: Vec<Warning>,
    ) -> Self {
        let layouts = number_layouts(&mut entries, layouts);
        let hosts = site::hosts(&entries);
        let mut inventory = Self {
            schema: INVENTORY_SCHEMA,
            summary: InventorySummary::default(),
            exhibits: entries.into_iter().map(|entry| entry.row).collect(),
            hosts,
            layouts,
            warnings,
        };
        inventory.summary = inventory.sum();
        inventory
    }

    fn sum(&self) -> InventorySummary {
        // What an archive holds are exhibits, and counts there.
        let archive = Dialect::Archive.as_str();
        let is_log = |it: &&InventoryExhibit| it.dialect != archive;
        let rows = || self.exhibits.iter().map(|row| &**row);
        let logs = || rows().filter(is_log);
        let mut sum = InventorySummary {
            hosts: count(self.hosts.iter()),
            exhibits: count(logs()),
            exhibits_not_counted: count(logs().filter(|it| !it.counted)),
            ..InventorySummary::default()
        };
        let mut lines = LineCounts::default();
        for exhibit in logs() {
            sum.bytes = sum.bytes.saturating_add(exhibit.bytes);
            *sum.dialects.entry(exhibit.dialect).or_default() += 1;
            sum.first = [sum.first, exhibit.first].into_iter().flatten().min();
            sum.last = sum.last.max(exhibit.last);
            let own = exhibit.lines.unwrap_or_default();
            lines.lines = lines.lines.saturating_add(own.lines);
            lines.records = lines.records.saturating_add(own.records);
        }
        sum.counted = sum.exhibits_not_counted == 0;
        sum.lines = sum.counted.then_some(lines.lines);
        sum.records = sum.counted.then_some(lines.records);
        let sites = self.hosts.iter().flat_map(|host| &host.sites);
        let days = sites.map(InventorySite::days_without_log);
        sum.days_without_log = days.fold(0, u64::saturating_add);
        let losses = self.warnings.iter().filter(|it| it.kind.is_loss());
        let lossy: BTreeSet<_> = losses.map(|it| &it.exhibit).collect();
        sum.exhibits_with_loss = count(lossy.iter());
        let mut kinds = self.warnings.iter().map(|it| it.kind);
        sum.partial = kinds.any(|kind| kind == Kind::Interrupted);
        sum
    }
}

/// The layouts of all exhibits in their order, and their numbers in the rows,
/// which had those of the order in which they were met.
fn number_layouts(
    entries: &mut [Entry],
    layouts: IndexSet<Columns>,
) -> Vec<InventoryLayout> {
    let mut used = vec![(0_u64, BTreeSet::new()); layouts.len()];
    for row in entries.iter().map(|entry| &entry.row) {
        for place in &row.layouts {
            let Some((files, hosts)) = used.get_mut(*place) else { continue };
            *files += 1;
            for host in &row.hosts {
                if !hosts.contains(host) {
                    hosts.insert(host.clone());
                }
            }
        }
    }
    let mut numbers = vec![0; layouts.len()];
    let mut users: Vec<_> = layouts.into_iter().zip(used).zip(0..).collect();
    // An exhibit that was given twice is gone again.
    users.retain(|((_, (files, _)), _)| *files > 0);
    users.sort_by(|((a, (a_files, _)), _), ((b, (b_files, _)), _)| {
        b_files.cmp(a_files).then_with(|| a.cmp(b))
    });
    let rows = users.into_iter().zip(1..);
    let rows = rows.map(|(((own, (exhibits, hosts)), place), number)| {
        if let Some(known) = numbers.get_mut::<usize>(place) {
            *known = number;
        }
        InventoryLayout {
            number,
            fields: own.names,
            columns: own.count,
            lacks: own.lacks,
            inferred: own.inferred,
            exhibits,
            hosts,
        }
    });
    let rows: Vec<_> = rows.collect();
    for entry in entries {
        for own in &mut entry.row.layouts {
            *own = numbers.get(*own).copied().unwrap_or_default();
        }
        entry.row.layouts.sort_unstable();
    }
    rows
}

fn count<T>(rows: impl Iterator<Item = T>) -> u64 {
    rows.fold(0, |sum, _| sum + 1)
}
