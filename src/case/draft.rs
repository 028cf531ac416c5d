//! A case while it grows: the same rows under their keys.
//!
//! In: rows of chunks, exhibits or whole cases. Out: a [`Case`] with its
//! rows in order and everything derived filled in. Looking rows up by key
//! keeps joining ten thousand exhibits linear.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use indexmap::map::Entry;

use crate::case::address::Sender;
use crate::case::clients::{Clients, Deed};
use crate::case::copies::host_that_counts;
use crate::case::correlate::{Correlated, correlate};
use crate::case::digest::Sha256;
use crate::case::exhibit::Exhibit;
use crate::case::finding::Finding;
use crate::case::host::Host;
use crate::case::names::{Name, Names};
use crate::case::run::Run;
use crate::case::sheet::{Sheets, Trail};
use crate::case::trail::{Edges, Trails};
use crate::case::unevaluated::Unevaluated;
use crate::case::{Case, derive};
use crate::error::{Error, Result};
use crate::limits;
use crate::raw::Raw;
use crate::scan::Hit;
use crate::signature::{Level, Needs};
use crate::verdict::Verdict;
use crate::warning::{Kind, Warning};

/// A case while it grows.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// In boxes, as rows move while the table grows.
    pub exhibits: IndexMap<Raw, Box<Exhibit>>,
    pub hosts: IndexMap<Raw, Host>,
    /// Names of features by id.
    pub features: IndexMap<String, String>,
    /// Counts by what makes warnings the same.
    pub warnings: BTreeMap<(Kind, Raw, String), u64>,
    /// What hits add: most exhibits have none.
    judged: Option<Box<Judged>>,
    /// The events of correlations.
    sheets: Option<Box<Sheets>>,
    /// What rules need before they can be judged, by their names.
    needs: BTreeMap<String, Needs>,
}

/// What hits add.
#[derive(Debug, Default)]
struct Judged {
    /// The names that findings and clients have as numbers.
    names: Names,
    clients: Clients,
    /// By host and rule.
    findings: IndexMap<(Name, Name), Finding>,
}

impl Judged {
    fn add_finding(&mut self, key: (Name, Name), finding: Finding) {
        match self.findings.entry(key) {
            Entry::Occupied(mut own) => own.get_mut().absorb(finding),
            Entry::Vacant(free) => {
                free.insert(finding);
            }
        }
    }

    /// Counts a correlation that holds.
    fn correlated(&mut self, hit: &Correlated) {
        let (own, host) = (&hit.correlation, &hit.end.host);
        let names = &mut self.names;
        let (name, rule) = (host.as_bytes(), own.rule.as_bytes());
        let (name, rule) = (names.of(name), names.of(rule));
        let finding = self.findings.entry((name, rule));
        let new = || Finding::of_correlation(host.clone(), own);
        finding.or_insert_with(new).correlated(hit);
        let id = own.feature.as_ref().map(String::as_bytes);
        let feature = id.map(|id| self.names.of(id));
        let deed = Deed { host: name, rule, feature };
        for client in hit.clients() {
            let span = (Some(hit.first), Some(hit.last));
            let client = client.as_bytes();
            self.clients.correlated(client, deed, hit.outcome, span, own.worm);
        }
    }

    /// Adds all of another.
    fn absorb(&mut self, other: Self) {
        let names = self.names.absorb(&other.names);
        self.clients.absorb(other.clients, &names);
        let name = |old: Name| names.get(old.number()).copied();
        for ((host, rule), finding) in other.findings {
            // All names are there.
            if let Some(key) = name(host).zip(name(rule)) {
                self.add_finding(key, finding);
            }
        }
    }
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
        let judged = self.judged.get_or_insert_default();
        let names = &mut judged.names;
        let (name, rule) = (host.as_bytes(), hit.rule.name.as_bytes());
        let (name, rule) = (names.of(name), names.of(rule));
        let finding = judged.findings.entry((name, rule));
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
        let feature = id.map(|id| judged.names.of(id));
        let deed = Deed { host: name, rule, feature };
        let (outcome, worm) = (verdict.outcome, hit.rule.sleuth.worm);
        judged.clients.hit(address, deed, outcome, record.time, worm);
    }

    /// Adds the events of an exhibit.
    pub(super) fn take_events(
        &mut self,
        trails: Trails,
        exhibit: &Raw,
        edges: Edges,
    ) {
        if trails.is_empty() {
            return;
        }
        let (sheets, left_out) = trails.finish(exhibit, edges);
        for (rule, groups) in left_out {
            let detail = format!(
                "groups of events of the correlation {rule} beyond the \
                 first {} of a log are not looked at",
                limits::GROUPS
            );
            let warning = Warning::new(Kind::Odd, exhibit.clone(), detail);
            self.warn(Warning { count: groups, ..warning });
        }
        self.absorb_sheets(sheets);
    }

    fn absorb_sheets(&mut self, sheets: Sheets) {
        let dropped = self.sheets.get_or_insert_default().absorb(sheets);
        self.warn_of_dropped(dropped);
    }

    fn warn_of_dropped(&mut self, dropped: BTreeMap<String, u64>) {
        for (rule, count) in dropped {
            let detail = format!(
                "events of the correlation {rule} are not looked at: there \
                 are more than {} in all",
                limits::EVENTS
            );
            let warning = Warning::new(Kind::Odd, Raw::default(), detail);
            self.warn(Warning { count, ..warning });
        }
    }

    /// Moves the lines of all evidence down by `lines`.
    pub(super) fn shift(&mut self, lines: u64) {
        let judged = self.judged.as_deref_mut();
        let findings = judged.map(|judged| judged.findings.values_mut());
        findings.into_iter().flatten().for_each(|it| it.shift(lines));
    }

    /// Gives the hits that have no host this one.
    pub(super) fn adopt(&mut self, row: &Host) {
        let Some(judged) = &mut self.judged else { return };
        let Some(nobody) = judged.names.find(b"") else { return };
        let is_theirs = |(host, _): &(Name, Name)| *host == nobody;
        if !judged.findings.keys().any(is_theirs) {
            return;
        }
        let host = &row.name;
        let name = judged.names.of(host.as_bytes());
        let mut rest = std::mem::take(&mut judged.findings);
        let adopted = rest.extract_if(.., |key, _| is_theirs(key));
        let adopted: Vec<_> = adopted.collect();
        judged.findings = rest;
        for ((_, rule), mut finding) in adopted {
            finding.host = host.clone();
            judged.add_finding((name, rule), finding);
        }
        self.host(row.clone());
    }

    /// Adds a warning; the same one twice is one with a count.
    pub(super) fn warn(&mut self, warning: Warning) {
        let key = (warning.kind, warning.exhibit, warning.detail);
        let count = self.warnings.entry(key).or_default();
        *count = count.saturating_add(warning.count);
    }

    /// Leaves nothing but what is to be said, of what an exhibit adds that is
    /// a copy of another.
    pub(super) fn reduce_to_copy(&mut self) {
        let warnings = std::mem::take(&mut self.warnings);
        *self = Self { warnings, ..Self::default() };
    }

    /// Gives back what there is too much room for.
    pub(super) fn shrink(&mut self) {
        self.features.shrink_to_fit();
        let Some(judged) = &mut self.judged else { return };
        judged.names.shrink();
        judged.clients.shrink();
        judged.findings.shrink_to_fit();
        judged.findings.values_mut().for_each(Finding::shrink);
    }

    /// True where nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.exhibits.is_empty()
            && self.hosts.is_empty()
            && self.features.is_empty()
            && self.warnings.is_empty()
            && self.judged.is_none()
            && self.sheets.is_none()
    }

    /// Warns of exhibits that count although another has the same content:
    /// those of cases that were made apart.
    pub(super) fn warn_of_copies(&mut self) {
        let mut kept: BTreeMap<(&Sha256, Option<&Raw>), &Raw> =
            BTreeMap::new();
        let mut copies = Vec::new();
        let counted =
            |row: &&Exhibit| row.copy_of.is_none() && row.records > 0;
        let mut rows: Vec<&Exhibit> =
            self.exhibits.values().map(|row| &**row).collect();
        rows.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        for row in rows.into_iter().filter(counted) {
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

    /// The host, where there is one only; it is gone from here.
    pub(super) fn take_single_host(&mut self) -> Option<Host> {
        let is_single = self.hosts.len() == 1;
        is_single
            .then(|| std::mem::take(&mut self.hosts))?
            .into_values()
            .next()
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
        match (&mut self.judged, other.judged) {
            (Some(own), Some(theirs)) => own.absorb(*theirs),
            (None, theirs) => self.judged = theirs,
            (Some(_), None) => {}
        }
        if let Some(theirs) = other.sheets {
            self.absorb_sheets(*theirs);
        }
        self.needs.extend(other.needs);
        for ((kind, exhibit, detail), count) in other.warnings {
            self.warn(Warning { kind, exhibit, detail, count });
        }
        Ok(())
    }

    fn add_exhibits(
        &mut self,
        theirs: IndexMap<Raw, Box<Exhibit>>,
    ) -> Result<()> {
        let own = &self.exhibits;
        let twice = theirs.keys().filter(|path| own.contains_key(*path));
        if let Some(path) = twice.min() {
            let own = own.get(path).zip(theirs.get(path));
            let same = own.is_some_and(|(own, other)| {
                own.bytes == other.bytes && own.sha256 == other.sha256
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

    /// Tells which correlations hold, as hits; returns the events and them.
    fn correlate(&mut self, least: Level) -> (Vec<Trail>, Vec<Correlated>) {
        let Some(mut sheets) = self.sheets.take() else {
            return (Vec::new(), Vec::new());
        };
        let dropped = sheets.bound();
        self.warn_of_dropped(dropped);
        sheets.settle();
        let judged = self.judged.get_or_insert_default();
        let hits = correlate(&sheets);
        for hit in hits.iter().filter(|it| it.is_told(least)) {
            judged.correlated(hit);
            let own = &hit.correlation;
            if let Some((id, name)) =
                own.feature.as_ref().zip(own.feature_name.as_ref())
            {
                self.features.insert(id.clone(), name.clone());
            }
        }
        (sheets.rows(), hits)
    }

    /// Rules that hosts may lack columns for.
    pub(super) fn expect(&mut self, rules: impl Iterator<Item = Needs>) {
        self.needs.extend(rules.map(|it| (it.rule.clone(), it)));
    }

    /// The finished case.
    pub(super) fn finish(mut self, run: Run) -> Case {
        let (correlations, correlated) = self.correlate(run.least_level());
        let warning = |((kind, exhibit, detail), count)| Warning {
            kind,
            exhibit,
            detail,
            count,
        };
        let judged = *self.judged.unwrap_or_default();
        let findings = judged.findings.into_values();
        let mut findings: Vec<Finding> = findings.collect();
        findings.sort_by(|a, b| (&a.host, &a.rule).cmp(&(&b.host, &b.rule)));
        let (mut exhibits, mut hosts) = (self.exhibits, self.hosts);
        exhibits.sort_unstable_keys();
        hosts.sort_unstable_keys();
        let mut case = Case {
            run,
            exhibits: exhibits.into_values().collect(),
            hosts: hosts.into_values().collect(),
            clients: judged.clients.into_rows(&judged.names),
            findings,
            correlations,
            correlated,
            not_evaluated: self
                .needs
                .into_values()
                .map(Unevaluated::from)
                .collect(),
            warnings: self.warnings.into_iter().map(warning).collect(),
            ..Case::default()
        };
        let features = self.features.into_iter().collect();
        derive::fill(&mut case, &features);
        case
    }
}

impl From<Case> for Draft {
    fn from(case: Case) -> Self {
        let mut draft = Self::default();
        let features = case.features.into_iter();
        draft.features = features.map(|row| (row.id, row.name)).collect();
        for row in case.exhibits {
            draft.exhibits.insert(row.path.clone(), row);
        }
        for row in case.hosts {
            draft.hosts.insert(row.name.clone(), row);
        }
        let mut judged = Judged::default();
        // What correlations add is told again once all is joined.
        let rows = case.correlations.iter();
        let derived: BTreeSet<String> =
            rows.map(|row| row.correlation.rule.clone()).collect();
        for mut client in case.clients {
            if client.forget(&derived) {
                judged.clients.insert(client, &mut judged.names);
            }
        }
        for row in case.findings {
            if derived.contains(&row.rule) {
                continue;
            }
            let host = judged.names.of(row.host.as_bytes());
            let rule = judged.names.of(row.rule.as_bytes());
            judged.findings.insert((host, rule), row);
        }
        draft.judged = Some(Box::new(judged));
        if !case.correlations.is_empty() {
            let sheets = Sheets::from(case.correlations);
            draft.sheets = Some(Box::new(sheets));
        }
        draft.expect(case.not_evaluated.into_iter().map(|row| row.needs));
        for warning in case.warnings {
            draft.warn(warning);
        }
        draft
    }
}
