//! Which host and site each record belongs to.
//!
//! In: the records of one chunk. Out: the rows of its hosts. Nearly all
//! neighbours share their host, so the last one is kept at hand: a record of
//! the same host costs one comparison and no allocation.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::host::{Host, NameSource, UNKNOWN_HOST};
use crate::case::host_map::{Row, Rows, Server};
use crate::case::tally::{IisVersion, widen};
use crate::evidence::PathIdentity;
use crate::raw::{Raw, same};
use crate::w3c::{Field, Record};

/// What stands for a host or site where the record does not tell.
#[derive(Debug)]
pub(super) struct Fallback {
    pub identity: PathIdentity,
    /// The host that the user named.
    pub host: Option<Raw>,
    /// What the examiner's map says of the exhibit. It is no fallback but
    /// goes first, and that is why it is asked apart.
    pub rows: Option<Rows>,
}

impl Fallback {
    /// The host of a record without the map, and where its name comes from.
    #[inline]
    fn host_of<'a>(&'a self, record: &Record<'a>) -> (NameSource, &'a [u8]) {
        if let Some(name) = record.get(Field::SComputername) {
            return (NameSource::SComputername, name);
        }
        if self.identity.host.is_none()
            && let Some(address) = record.get(Field::SIp)
        {
            return (NameSource::SIp, address);
        }
        self.named()
    }

    /// The row of the map for what is no record.
    pub fn row(&self) -> Option<&Row> {
        let rows = self.rows.as_ref()?;
        rows.row(rows.decide(Server::default())?)
    }

    /// The host of what is no record.
    pub fn host(&self) -> (NameSource, &[u8]) {
        match self.row().and_then(|row| row.host.as_ref()) {
            Some(name) => (NameSource::Map, name.as_bytes()),
            None => self.named(),
        }
    }

    fn named(&self) -> (NameSource, &[u8]) {
        if let Some(name) = &self.identity.host {
            (NameSource::Path, name.as_bytes())
        } else if let Some(name) = &self.host {
            (NameSource::Option, name.as_bytes())
        } else {
            (NameSource::None, UNKNOWN_HOST.as_bytes())
        }
    }

    /// The site of what is no record.
    pub fn site(&self) -> Option<Raw> {
        let mapped = self.row().and_then(|row| row.site.clone());
        mapped.or_else(|| self.identity.site.as_deref().map(Raw::from))
    }
}

/// The site that a record names.
enum Site<'a> {
    /// `s-sitename`.
    Name(&'a [u8]),
    /// `s-siteid` of HTTPERR.
    Number(&'a [u8]),
}

impl<'a> Site<'a> {
    #[inline]
    fn of(record: &Record<'a>) -> Option<Self> {
        if let Some(name) = record.get(Field::SSitename) {
            return Some(Self::Name(name));
        }
        record.get(Field::SSiteid).map(Self::Number)
    }
}

/// What stands before a site's number.
const SITE: &[u8] = b"W3SVC";

fn numbered(number: &[u8]) -> Raw {
    let mut name = SITE.to_vec();
    name.extend_from_slice(number);
    Raw::from(name.as_slice())
}

/// One host of a chunk.
#[derive(Debug)]
struct Entry {
    host: Host,
    /// Sites by number, not yet named.
    numbers: BTreeSet<Raw>,
    /// A record named no site.
    unnamed: bool,
    iis: Option<(u8, u8)>,
    /// The layout of the record before.
    layout: Option<u64>,
}

impl Entry {
    fn add(&mut self, record: &Record<'_>, row: Option<&Row>) {
        let host = &mut self.host;
        host.records += 1;
        widen(&mut host.first, &mut host.last, record.time);
        if let Some(role) = row.and_then(|row| row.role.as_ref()) {
            host.roles.add(role);
        }
        match Site::of(record) {
            _ if row.is_some_and(|row| row.site.is_some()) => {
                let name = row.and_then(|row| row.site.as_ref());
                note(&mut host.sites, name.map_or(b"", Raw::as_bytes));
            }
            Some(Site::Name(name)) => note(&mut host.sites, name),
            Some(Site::Number(number)) => note(&mut self.numbers, number),
            None => self.unnamed = true,
        }
        let layout = Some(record.layout.mark());
        if self.layout != layout {
            self.layout = layout;
            host.logs(record.layout);
        }
        if self.iis != record.iis {
            self.iis = record.iis;
            let version = record.iis;
            host.iis.extend(
                version.map(|(major, minor)| IisVersion { major, minor }),
            );
        }
    }
}

fn note(set: &mut BTreeSet<Raw>, name: &[u8]) {
    if !set.contains(name) {
        set.insert(Raw::from(name));
    }
}

/// The hosts of a chunk.
#[derive(Debug, Default)]
pub(super) struct Book {
    entries: Vec<Entry>,
    index: BTreeMap<Raw, usize>,
    current: usize,
    /// What the map says of the record before.
    mapped: Mapped,
}

/// The row of a map for each server met, so that a long table costs
/// nothing where neighbours share their server.
#[derive(Debug, Default)]
struct Mapped {
    row: Option<usize>,
    known: BTreeMap<Vec<u8>, Option<usize>>,
    key: Vec<u8>,
}

impl Mapped {
    fn turn_to(&mut self, rows: &Rows, record: &Record<'_>) {
        if let Some(row) = rows.one() {
            self.row = Some(row);
            return;
        }
        let mut number = Vec::new();
        let site = match Site::of(record) {
            Some(Site::Number(of_it)) => {
                number.extend_from_slice(SITE);
                number.extend_from_slice(of_it);
                Some(number.as_slice())
            }
            Some(Site::Name(name)) => Some(name),
            None => None,
        };
        let address = record.get(Field::SIp);
        let computer = record.get(Field::SComputername);
        self.key.clear();
        for part in [address, computer, site] {
            self.key.extend_from_slice(part.unwrap_or_default());
            // No line holds one.
            self.key.push(b'\n');
        }
        if let Some(row) = self.known.get(&self.key) {
            self.row = *row;
            return;
        }
        self.row = rows.decide(Server { address, computer, site });
        self.known.insert(self.key.clone(), self.row);
    }
}

impl Book {
    /// Counts a record.
    #[inline]
    pub fn record(&mut self, fallback: &Fallback, record: &Record<'_>) {
        if record.repeats
            && let Some(entry) = self.entries.get_mut(self.current)
        {
            // Whatever else is counted was counted with the record before.
            entry.host.records += 1;
            return;
        }
        if let Some(rows) = &fallback.rows {
            self.mapped.turn_to(rows, record);
        }
        let row = self.row(fallback);
        let (source, name) = match row.and_then(|row| row.host.as_ref()) {
            Some(name) => (NameSource::Map, name.as_bytes()),
            None => fallback.host_of(record),
        };
        let same = self
            .entries
            .get(self.current)
            .is_some_and(|entry| same(entry.host.name.as_bytes(), name));
        if !same {
            self.turn_to(name, source);
        }
        if let Some(entry) = self.entries.get_mut(self.current) {
            entry.host.source = entry.host.source.min(source);
            entry.add(record, row);
        }
    }

    /// The row of the map for the record that was counted last.
    fn row<'f>(&self, fallback: &'f Fallback) -> Option<&'f Row> {
        fallback.rows.as_ref()?.row(self.mapped.row?)
    }

    /// The host of the record that was counted last.
    pub fn host(&self) -> &[u8] {
        let entry = self.entries.get(self.current);
        entry.map_or(b"", |entry| entry.host.name.as_bytes())
    }

    /// The site of a record that was counted last, as IIS names it.
    pub fn site(
        &self,
        fallback: &Fallback,
        record: &Record<'_>,
    ) -> Option<Raw> {
        let mapped = self.row(fallback).and_then(|row| row.site.clone());
        mapped.or_else(|| match Site::of(record) {
            Some(Site::Name(name)) => Some(Raw::from(name)),
            Some(Site::Number(number)) => Some(numbered(number)),
            None => fallback.identity.site.as_deref().map(Raw::from),
        })
    }

    fn turn_to(&mut self, name: &[u8], source: NameSource) {
        if let Some(at) = self.index.get(name) {
            self.current = *at;
            return;
        }
        self.current = self.entries.len();
        self.index.insert(Raw::from(name), self.current);
        self.entries.push(Entry {
            host: Host::new(Raw::from(name), source),
            numbers: BTreeSet::new(),
            unnamed: false,
            iis: None,
            layout: None,
        });
    }

    /// Adds the hosts of a later chunk.
    pub fn append(&mut self, later: Self) {
        for entry in later.entries {
            let name = entry.host.name.clone();
            self.turn_to(name.as_bytes(), entry.host.source);
            if let Some(own) = self.entries.get_mut(self.current) {
                own.host.absorb(entry.host);
                own.numbers.extend(entry.numbers);
                own.unnamed |= entry.unnamed;
            }
        }
    }

    /// The rows, with all sites by name.
    pub fn into_hosts(self, fallback: &Fallback) -> Vec<Host> {
        let rows = self.entries.into_iter().map(|entry| {
            let mut host = entry.host;
            host.sites
                .extend(entry.numbers.iter().map(|n| numbered(n.as_bytes())));
            if entry.unnamed {
                let site = fallback.identity.site.as_deref();
                host.sites.extend(site.map(Raw::from));
            }
            host
        });
        rows.collect()
    }
}
