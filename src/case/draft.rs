//! A case while it grows: the same rows under their keys.
//!
//! In: rows of chunks, exhibits or whole cases. Out: a [`Case`] with its
//! rows in order and everything derived filled in. Looking rows up by key
//! keeps joining ten thousand exhibits linear.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use indexmap::map::Entry;

use crate::case::address::Sender;
use crate::case::clients::{Clients, Deed};
use crate::case::copies::host_that_counts;
use crate::case::exhibit::Exhibit;
use crate::case::finding::Finding;
use crate::case::host::Host;
use crate::case::names::{Name, Names};
use crate::case::run::Run;
use crate::case::{Case, derive};
use crate::error::{Error, Result};
use crate::raw::Raw;
use crate::scan::Hit;
use crate::verdict::Verdict;
use crate::warning::{Kind, Warning};

/// A case while it grows.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub exhibits: BTreeMap<Raw, Exhibit>,
    pub hosts: BTreeMap<Raw, Host>,
    /// Names of features by id.
    pub features: BTreeMap<String, String>,
    /// Counts by what makes warnings the same.
    pub warnings: BTreeMap<(Kind, Raw, String), u64>,
    /// The names that findings and clients have as numbers.
    names: Names,
    clients: Clients,
    /// By host and rule.
    findings: IndexMap<(Name, Name), Finding>,
}

impl Draft {
    /// Counts a hit on a host.
    pub(super) fn hit(
        &mut self,
        host: &Raw,
        exhibit: &Raw,
        hit: &Hit<'_>,
        verdict: &Verdict<'_>,
        sender: Option<&Sender<'_>>,
    ) {
        let (name, rule) = (host.as_bytes(), hit.rule.name.as_bytes());
        let (name, rule) = (self.names.of(name), self.names.of(rule));
        let finding = self.findings.entry((name, rule));
        let finding =
            finding.or_insert_with(|| Finding::new(host.clone(), hit.rule));
        let address = sender.map(|sender| &*sender.client);
        finding.hit(exhibit, hit, verdict, address);
        if let Some(feature) = hit.feature
            && !self.features.contains_key(&feature.id)
        {
            self.features.insert(feature.id.clone(), feature.name.clone());
        }
        let Some(record) = hit.record else { return };
        let Some(address) = address else { return };
        let id = hit.feature.map(|feature| feature.id.as_bytes());
        let feature = id.map(|id| self.names.of(id));
        let deed = Deed { host: name, rule, feature };
        let (outcome, worm) = (verdict.outcome, hit.rule.sleuth.worm);
        self.clients.hit(address, deed, outcome, record.time, worm);
    }

    /// Moves the lines of all evidence down by `lines`.
    pub(super) fn shift(&mut self, lines: u64) {
        for finding in self.findings.values_mut() {
            finding.shift(lines);
        }
    }

    /// Gives the hits that have no host this one.
    pub(super) fn adopt(&mut self, row: &Host) {
        let Some(nobody) = self.names.find(b"") else { return };
        let is_theirs = |(host, _): &(Name, Name)| *host == nobody;
        if !self.findings.keys().any(is_theirs) {
            return;
        }
        self.host(row.clone());
        let host = &row.name;
        let name = self.names.of(host.as_bytes());
        let mut rest = std::mem::take(&mut self.findings);
        let adopted = rest.extract_if(.., |key, _| is_theirs(key));
        let adopted: Vec<_> = adopted.collect();
        self.findings = rest;
        for ((_, rule), mut finding) in adopted {
            finding.host = host.clone();
            self.add_finding((name, rule), finding);
        }
    }

    fn add_finding(&mut self, key: (Name, Name), finding: Finding) {
        match self.findings.entry(key) {
            Entry::Occupied(mut own) => own.get_mut().absorb(finding),
            Entry::Vacant(free) => {
                free.insert(finding);
            }
        }
    }

    /// Adds a warning; the same one twice is one with a count.
    pub(super) fn warn(&mut self, warning: Warning) {
        let key = (warning.kind, warning.exhibit, warning.detail);
        let count = self.warnings.entry(key).or_default();
        *count = count.saturating_add(warning.count);
    }

    /// Leaves nothing but the row of an exhibit, which is a copy of another,
    /// and what is to be said of it.
    pub(super) fn reduce_to_copy(&mut self, path: &Raw, original: &Raw) {
        if let Some(row) = self.exhibits.get_mut(path) {
            row.copy_of = Some(original.clone());
        }
        let exhibits = std::mem::take(&mut self.exhibits);
        let warnings = std::mem::take(&mut self.warnings);
        *self = Self { exhibits, warnings, ..Self::default() };
    }

    /// Warns of exhibits that count although another has the same content:
    /// those of cases that were made apart.
    pub(super) fn warn_of_copies(&mut self) {
        let mut kept: BTreeMap<(&str, Option<&Raw>), &Raw> = BTreeMap::new();
        let mut copies = Vec::new();
        let counted =
            |row: &&Exhibit| row.copy_of.is_none() && row.records > 0;
        for row in self.exhibits.values().filter(counted) {
            let Some(content) = row.content() else { continue };
            let content = (content, host_that_counts(row));
            match kept.get(&content) {
                Some(first) => {
                    copies.push((row.path.clone(), (*first).clone()));
                }
                None => {
                    kept.insert(content, &row.path);
                }
            }
        }
        for (copy, first) in copies {
            let first = String::from_utf8_lossy(first.as_bytes());
            let detail = format!(
                "has the same content as {first} and counts again: scan \
                 both at once to count it once"
            );
            let key = (Kind::Copied, copy, detail);
            self.warnings.entry(key).or_insert(1);
        }
    }

    /// Adds a host, or what is new about it.
    pub(super) fn host(&mut self, host: Host) {
        match self.hosts.get_mut(&host.name) {
            Some(own) => own.absorb(host),
            None => {
                self.hosts.insert(host.name.clone(), host);
            }
        }
    }

    /// Adds all of another draft. Fails where both hold the same exhibit,
    /// for then its hits would count twice.
    pub(super) fn absorb(&mut self, other: Self) -> Result<()> {
        self.add_exhibits(other.exhibits)?;
        for host in other.hosts.into_values() {
            self.host(host);
        }
        for (id, name) in other.features {
            // The same signatures give the same name; were it not so, the
            // lesser name makes the order of joining indifferent.
            let own = self.features.entry(id).or_insert_with(|| name.clone());
            if name < *own {
                *own = name;
            }
        }
        self.absorb_hits(other.names, other.clients, other.findings);
        for ((kind, exhibit, detail), count) in other.warnings {
            self.warn(Warning { kind, exhibit, detail, count });
        }
        Ok(())
    }

    fn absorb_hits(
        &mut self,
        names: Names,
        clients: Clients,
        findings: IndexMap<(Name, Name), Finding>,
    ) {
        if self.names.is_empty() {
            (self.names, self.clients, self.findings) =
                (names, clients, findings);
            return;
        }
        let names = self.names.absorb(&names);
        self.clients.absorb(clients, &names);
        let name = |old: Name| names.get(old.number()).copied();
        for ((host, rule), finding) in findings {
            // All names are there.
            if let Some(key) = name(host).zip(name(rule)) {
                self.add_finding(key, finding);
            }
        }
    }

    fn add_exhibits(&mut self, theirs: BTreeMap<Raw, Exhibit>) -> Result<()> {
        if let Some((path, exhibit)) =
            theirs.iter().find(|(path, _)| self.exhibits.contains_key(*path))
        {
            let own = self.exhibits.get(path);
            let same = own.is_some_and(|own| {
                own.bytes == exhibit.bytes && own.sha256 == exhibit.sha256
            });
            let how = if same { "" } else { " with different content" };
            // Debug form: a path may hold control characters.
            let path = String::from_utf8_lossy(path.as_bytes());
            let message = format!("exhibit {path:?} is in both cases{how}");
            return Err(Error::case(message));
        }
        self.exhibits.extend(theirs);
        Ok(())
    }

    /// The finished case.
    pub(super) fn finish(self, run: Run) -> Case {
        let warning = |((kind, exhibit, detail), count)| Warning {
            kind,
            exhibit,
            detail,
            count,
        };
        let mut findings: Vec<Finding> = self.findings.into_values().collect();
        findings.sort_by(|a, b| (&a.host, &a.rule).cmp(&(&b.host, &b.rule)));
        let mut case = Case {
            run,
            exhibits: self.exhibits.into_values().collect(),
            hosts: self.hosts.into_values().collect(),
            clients: self.clients.into_rows(&self.names),
            findings,
            warnings: self.warnings.into_iter().map(warning).collect(),
            ..Case::default()
        };
        derive::fill(&mut case, &self.features);
        case
    }
}

impl From<Case> for Draft {
    fn from(case: Case) -> Self {
        let mut draft = Self::default();
        let features = case.features.into_iter();
        draft.features = features.map(|row| (row.id, row.name)).collect();
        let exhibits = case.exhibits.into_iter();
        draft.exhibits = exhibits.map(|row| (row.path.clone(), row)).collect();
        let hosts = case.hosts.into_iter();
        draft.hosts = hosts.map(|row| (row.name.clone(), row)).collect();
        for client in case.clients {
            draft.clients.insert(client, &mut draft.names);
        }
        for row in case.findings {
            let host = draft.names.of(row.host.as_bytes());
            let rule = draft.names.of(row.rule.as_bytes());
            draft.findings.insert((host, rule), row);
        }
        for warning in case.warnings {
            draft.warn(warning);
        }
        draft
    }
}
