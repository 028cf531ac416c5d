//! A case while it grows: the same rows under their keys.
//!
//! In: rows of chunks, exhibits or whole cases. Out: a [`Case`] with its
//! rows in order and everything derived filled in. Looking rows up by key
//! keeps joining ten thousand exhibits linear.

use std::collections::BTreeMap;

use crate::case::client::{Client, Place};
use crate::case::exhibit::Exhibit;
use crate::case::finding::Finding;
use crate::case::host::{Host, NameSource};
use crate::case::run::Run;
use crate::case::{Case, derive};
use crate::error::{Error, Result};
use crate::raw::Raw;
use crate::scan::Hit;
use crate::verdict::Verdict;
use crate::w3c::Field;
use crate::warning::{Kind, Warning};

/// A case while it grows.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub exhibits: BTreeMap<Raw, Exhibit>,
    pub hosts: BTreeMap<Raw, Host>,
    pub clients: BTreeMap<Raw, Client>,
    /// Names of features by id.
    pub features: BTreeMap<String, String>,
    /// By host, then by rule.
    pub findings: BTreeMap<Raw, BTreeMap<String, Finding>>,
    /// Counts by what makes warnings the same.
    pub warnings: BTreeMap<(Kind, Raw, String), u64>,
}

impl Draft {
    /// Counts a hit on a host.
    pub(super) fn hit(
        &mut self,
        host: &Raw,
        exhibit: &Raw,
        hit: &Hit<'_>,
        verdict: &Verdict,
    ) {
        if let Some(finding) = self.finding(host, hit) {
            finding.hit(exhibit, hit, verdict);
        }
        if let Some(feature) = hit.feature
            && !self.features.contains_key(&feature.id)
        {
            self.features.insert(feature.id.clone(), feature.name.clone());
        }
        let Some(record) = hit.record else { return };
        let Some(address) = record.get(Field::CIp) else { return };
        let place = Place {
            host,
            rule: &hit.rule.name,
            feature: hit.feature.map(|feature| feature.id.as_str()),
        };
        if !self.clients.contains_key(address) {
            let address = Raw::from(address);
            self.clients.insert(address.clone(), Client::new(address));
        }
        if let Some(client) = self.clients.get_mut(address) {
            let worm = hit.rule.sleuth.worm;
            client.hit(place, verdict.outcome, record.time, worm);
        }
    }

    /// The row of a hit, made where there is none. Always there; names are
    /// copied for a new one only.
    fn finding(&mut self, host: &Raw, hit: &Hit<'_>) -> Option<&mut Finding> {
        if !self.findings.contains_key(host) {
            self.findings.insert(host.clone(), BTreeMap::new());
        }
        let rules = self.findings.get_mut(host)?;
        let name = &hit.rule.name;
        if !rules.contains_key(name) {
            let finding = Finding::new(host.clone(), hit.rule);
            rules.insert(name.clone(), finding);
        }
        rules.get_mut(name)
    }

    /// Adds a warning; the same one twice is one with a count.
    pub(super) fn warn(&mut self, warning: Warning) {
        let key = (warning.kind, warning.exhibit, warning.detail);
        let count = self.warnings.entry(key).or_default();
        *count = count.saturating_add(warning.count);
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

    /// Makes sure that a host is listed.
    pub(super) fn mention(&mut self, name: &Raw, source: NameSource) {
        self.host(Host::new(name.clone(), source));
    }

    /// Adds all of another draft. Fails where both hold the same exhibit,
    /// for then its hits would count twice.
    pub(super) fn absorb(&mut self, other: Self) -> Result<()> {
        self.add_exhibits(other.exhibits)?;
        for host in other.hosts.into_values() {
            self.host(host);
        }
        for (address, client) in other.clients {
            match self.clients.get_mut(&address) {
                Some(own) => own.absorb(client),
                None => {
                    self.clients.insert(address, client);
                }
            }
        }
        for (id, name) in other.features {
            // The same signatures give the same name; were it not so, the
            // lesser name makes the order of joining indifferent.
            let own = self.features.entry(id).or_insert_with(|| name.clone());
            if name < *own {
                *own = name;
            }
        }
        for (host, rules) in other.findings {
            let own = self.findings.entry(host).or_default();
            for (rule, finding) in rules {
                match own.get_mut(&rule) {
                    Some(own) => own.absorb(finding),
                    None => {
                        own.insert(rule, finding);
                    }
                }
            }
        }
        for ((kind, exhibit, detail), count) in other.warnings {
            self.warn(Warning { kind, exhibit, detail, count });
        }
        Ok(())
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
        let findings = self.findings.into_values();
        let mut case = Case {
            run,
            exhibits: self.exhibits.into_values().collect(),
            hosts: self.hosts.into_values().collect(),
            clients: self.clients.into_values().collect(),
            findings: findings.flat_map(BTreeMap::into_values).collect(),
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
        let clients = case.clients.into_iter();
        draft.clients = clients.map(|row| (row.client.clone(), row)).collect();
        for row in case.findings {
            let rules = draft.findings.entry(row.host.clone()).or_default();
            rules.insert(row.rule.clone(), row);
        }
        for warning in case.warnings {
            draft.warn(warning);
        }
        draft
    }
}
