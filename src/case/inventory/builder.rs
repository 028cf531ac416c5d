//! Collects an inventory from what a scan pushes.
//!
//! In: parts and tallies of exhibits, from any thread, in any order. Out: an
//! [`Inventory`]. Nothing is joined before all is there, so that the order
//! in which threads are done cannot show.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexSet;

use crate::case::digest::Sha256;
use crate::case::host_map::HostMap;
use crate::case::inventory::{
    Columns, Entry, Inventory, InventoryPart, Server,
};
use crate::raw::Raw;
use crate::scan::{Collector, Setting, Tally};
use crate::warning::{Kind, Warning};

/// What the examiner knows of hosts.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// The host of logs that name none.
    pub host: Option<Raw>,
    /// Hosts, sites and roles.
    pub host_map: Option<Arc<HostMap>>,
}

/// Collects an inventory.
#[derive(Debug, Default)]
pub struct InventoryBuilder {
    knowledge: Knowledge,
    growing: Mutex<Growing>,
}

#[derive(Debug, Default)]
struct Growing {
    entries: Vec<Entry>,
    warnings: Vec<Warning>,
    /// In the order in which they were met.
    layouts: IndexSet<Columns>,
    servers: HashSet<Arc<Server>>,
}

impl Growing {
    /// Adds an exhibit. What others tell as well is kept once: a million of
    /// them name few servers and layouts.
    fn add(&mut self, mut entry: Entry, layouts: IndexSet<Columns>) {
        let places =
            layouts.into_iter().map(|it| self.layouts.insert_full(it).0);
        entry.row.layouts = places.collect();
        for found in &mut entry.hosts {
            match self.servers.get(&found.server) {
                Some(known) => found.server = Arc::clone(known),
                None => {
                    self.servers.insert(Arc::clone(&found.server));
                }
            }
        }
        let servers = || entry.hosts.iter().map(|found| &found.server);
        entry.row.hosts = in_order(servers().map(|it| &it.name));
        entry.row.sites = in_order(servers().flat_map(|it| &it.sites));
        // Into a list of its own: theirs has the room of the rows that it was
        // made of, and what follows would lie around it.
        let mut hosts = Vec::with_capacity(entry.hosts.len());
        hosts.append(&mut entry.hosts);
        entry.hosts = hosts;
        self.entries.push(entry);
    }
}

fn in_order<'r>(names: impl Iterator<Item = &'r Raw>) -> Vec<Raw> {
    let mut names: Vec<Raw> = names.cloned().collect();
    names.sort();
    names.dedup();
    names.shrink_to_fit();
    names
}

impl InventoryBuilder {
    /// An empty inventory.
    pub fn new(knowledge: Knowledge) -> Self {
        Self { knowledge, growing: Mutex::default() }
    }

    /// Adds a warning that belongs to no exhibit.
    pub fn warn(&self, warning: Warning) {
        self.with(|growing| growing.warnings.push(warning));
    }

    /// The inventory of all that was pushed.
    pub fn finish(self) -> Inventory {
        let growing = self.growing.into_inner();
        let growing = growing.unwrap_or_else(PoisonError::into_inner);
        let Growing { mut entries, mut warnings, layouts, .. } = growing;
        entries.sort_unstable_by(|a, b| a.key().cmp(&b.key()));
        entries.dedup_by(|again, first| {
            let is_same = again.row.path == first.row.path;
            if is_same {
                let path = first.row.path.clone();
                let detail = "given twice; counted once";
                warnings.push(Warning::new(Kind::Odd, path, detail));
            }
            is_same
        });
        for entry in &mut entries {
            warnings.append(&mut entry.warnings);
        }
        Inventory::of(entries, layouts, join(warnings))
    }

    fn with(&self, change: impl FnOnce(&mut Growing)) {
        // A panic elsewhere loses one exhibit, not the inventory.
        let growing = self.growing.lock();
        change(&mut growing.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Collector for InventoryBuilder {
    type Part = InventoryPart;

    fn part(&self, setting: &Setting) -> InventoryPart {
        InventoryPart::new(&self.knowledge, setting)
    }

    fn aside(&self, warning: Warning) {
        self.warn(warning);
    }

    fn exhibit(&self, setting: &Setting, tally: Tally, part: InventoryPart) {
        let (entry, layouts) = part.finish(setting, tally);
        self.with(|growing| growing.add(entry, layouts));
    }
}

/// The same warnings added up, in their order.
fn join(warnings: Vec<Warning>) -> Vec<Warning> {
    let mut joined: BTreeMap<(Kind, Raw, String), u64> = BTreeMap::new();
    for Warning { kind, exhibit, detail, count } in warnings {
        let sum = joined.entry((kind, exhibit, detail)).or_default();
        *sum = sum.saturating_add(count);
    }
    let warning = |((kind, exhibit, detail), count)| Warning {
        kind,
        exhibit,
        detail,
        count,
    };
    joined.into_iter().map(warning).collect()
}

impl Entry {
    /// Its place, also among those of the same path.
    fn key(&self) -> (&Raw, u64, Option<Sha256>, u64) {
        let row = &self.row;
        let lines = row.lines.unwrap_or_default().lines;
        (&row.path, row.bytes, row.sha256, lines)
    }
}
