//! What one chunk of an exhibit adds to a case.
//!
//! In: the records and hits of the chunk. Out: rows, once all parts of the
//! exhibit are appended in their order. Line numbers count from the chunk's
//! first line until then.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use crate::case::address::{Proxies, Sender};
use crate::case::book::{Book, Fallback};
use crate::case::copies::{Rest, Share};
use crate::case::draft::Draft;
use crate::case::exhibit::Exhibit;
use crate::case::feed::Feeder;
use crate::case::hit_line::{HitLine, json};
use crate::case::host::{Host, NameSource};
use crate::case::marks::Marks;
use crate::case::ties::Traces;
use crate::case::trail::Edges;
use crate::limits;
use crate::raw::Raw;
use crate::scan::{Hit, Part, Setting, Tally};
use crate::signature::{Level, Outcome, Outcomes, Rule, Surroundings};
use crate::verdict;
use crate::w3c::Record;
use crate::warning::{Kind, Warning};

/// What one chunk adds to a case.
#[derive(Debug)]
pub struct CasePart<'a> {
    outcomes: &'a Outcomes,
    min_level: Level,
    keep_hits: bool,
    proxies: Proxies,
    exhibit: Raw,
    fallback: Fallback,
    book: Book,
    marks: Marks,
    traces: Traces,
    /// The events of correlations.
    feeder: Feeder,
    /// The host of the hit before: mostly that of the next.
    host: LastHost,
    /// Rows of hits. Those of rejected lines stand under the empty host.
    draft: Draft,
    /// Hits by rule.
    by_rule: IndexMap<String, Kept>,
}

/// A name that is copied only where it changes.
#[derive(Debug, Default)]
struct LastHost(Raw);

impl LastHost {
    fn set(&mut self, name: &[u8]) {
        if self.0.as_bytes() != name {
            self.0 = Raw::from(name);
        }
    }

    fn get(&self) -> &Raw {
        &self.0
    }
}

/// The hits of one rule.
#[derive(Debug, Default)]
struct Kept {
    /// All of them.
    hits: u64,
    /// The first ones.
    lines: Vec<HitLine>,
}

impl Kept {
    fn has_room(&self) -> bool {
        let kept = u64::try_from(self.lines.len()).unwrap_or(u64::MAX);
        kept < limits::HITS_PER_RULE_AND_EXHIBIT
    }
}

impl<'a> CasePart<'a> {
    pub(super) fn new(
        outcomes: &'a Outcomes,
        options: &super::Options,
        setting: &Setting,
    ) -> Self {
        Self {
            outcomes,
            min_level: options.min_level,
            keep_hits: options.keep_hits,
            proxies: options.proxies.clone(),
            exhibit: setting.name.clone(),
            fallback: Fallback {
                identity: setting.identity.clone(),
                host: options.host.clone(),
                rows: options
                    .host_map
                    .as_ref()
                    .and_then(|map| map.of(&setting.name)),
            },
            book: Book::default(),
            marks: Marks::default(),
            traces: Traces::default(),
            feeder: Feeder::default(),
            host: LastHost::default(),
            draft: Draft::default(),
            by_rule: IndexMap::new(),
        }
    }

    fn keep(
        &mut self,
        hit: &Hit<'_>,
        verdict: &verdict::Verdict<'_>,
        sender: Option<&Sender<'_>>,
    ) {
        let name = &hit.rule.name;
        let number = match self.by_rule.get_index_of(name) {
            Some(number) => number,
            None => self.by_rule.insert_full(name.clone(), Kept::default()).0,
        };
        let Some((_, kept)) = self.by_rule.get_index_mut(number) else {
            return;
        };
        kept.hits = kept.hits.saturating_add(1);
        if self.keep_hits && kept.has_room() {
            let host = hit.record.map(|_| self.book.host());
            let site = match hit.record {
                Some(record) => self.book.site(&self.fallback, record),
                None => self.fallback.site(),
            };
            let site = site.as_ref();
            let line = HitLine::new(hit, verdict, host, site, sender);
            kept.lines.push(line);
        }
    }

    /// Tells correlations of a hit.
    fn feed(
        &mut self,
        hit: &Hit<'_>,
        outcome: Outcome,
        sender: Option<&Sender<'_>>,
    ) {
        let Some(record) = hit.record else { return };
        let site = self.book.site(&self.fallback, record);
        let known = Surroundings {
            host: self.book.host(),
            site: site.as_ref().map(Raw::as_bytes),
            client: sender.map(|it| &*it.client),
        };
        self.feeder.hit(hit, outcome, known, self.min_level);
    }

    /// What the exhibit adds to the case.
    pub(super) fn finish(self, setting: &Setting, tally: Tally) -> Share {
        let has_content = tally.content.is_some() && tally.records > 0;
        let mut draft = self.draft;
        let hosts = self.book.into_hosts(&self.fallback);
        let rest = host_of_rest(&hosts, &self.fallback);
        draft.adopt(&rest);
        let mut edges = Edges::default();
        for host in &hosts {
            edges.widen(host.first, host.last);
        }
        draft.take_events(self.feeder.trails, &setting.name, edges);
        let mut row = Exhibit::new(setting, &tally);
        describe(&mut row, &hosts, &self.fallback);
        for host in hosts {
            draft.host(host);
        }
        for (rule, kept) in &self.by_rule {
            draft.warn_of_limit(&row.path, rule, kept.hits);
        }
        for warning in tally.warnings {
            draft.warn(warning);
        }
        let lines = write(&self.by_rule, &row.path, &rest.name);
        let rest = Rest { draft, lines, traces: self.traces };
        Share {
            row: Box::new(row),
            has_content,
            seat: None,
            rest: Some(Box::new(rest)),
            marks: self.marks.into_set(),
        }
    }
}

impl Part for CasePart<'_> {
    #[inline]
    fn record(&mut self, record: &Record<'_>, _offset: u64) {
        self.book.record(&self.fallback, record);
        self.marks.record(record);
    }

    fn wants_words(&self, rule: &Rule) -> bool {
        self.keep_hits
            && !rule.is_silent
            && rule.level >= self.min_level
            && self.by_rule.get(&rule.name).is_none_or(Kept::has_room)
    }

    fn hit(&mut self, hit: &Hit<'_>) {
        let is_told = !hit.rule.is_silent && hit.rule.level >= self.min_level;
        if !is_told && hit.rule.feeds.is_empty() {
            return;
        }
        let verdict = verdict::judge(hit, self.outcomes);
        // A hit comes after its record, so the book is open at its host.
        let host = hit.record.map(|_| self.book.host());
        self.host.set(host.unwrap_or_default());
        let sender = hit.record.and_then(|it| self.proxies.sender(it));
        if !hit.rule.feeds.is_empty() {
            self.feed(hit, verdict.outcome, sender.as_ref());
        }
        if !is_told {
            return;
        }
        let (host, exhibit) = (self.host.get(), &self.exhibit);
        self.draft.hit(host, exhibit, hit, &verdict, sender.as_ref());
        self.keep(hit, &verdict, sender.as_ref());
        self.traces.hit(hit);
    }

    fn append(&mut self, mut later: Self, lines: u64) {
        self.book.append(later.book);
        self.marks.append(later.marks);
        self.traces.append(later.traces, lines);
        later.draft.shift(lines);
        later.feeder.trails.shift(lines);
        self.feeder.trails.append(later.feeder.trails);
        // A part holds no exhibit yet, so nothing can be there twice.
        let _ = self.draft.absorb(later.draft);
        for (rule, theirs) in later.by_rule {
            let own = self.by_rule.entry(rule).or_default();
            own.hits = own.hits.saturating_add(theirs.hits);
            for mut line in theirs.lines {
                if !own.has_room() {
                    break;
                }
                line.line = line.line.saturating_add(lines);
                own.lines.push(line);
            }
        }
    }
}

/// The host of an exhibit's rejected lines: that of its records, where they
/// have one only, so that a broken line does not make up a host.
fn host_of_rest(hosts: &[Host], fallback: &Fallback) -> Host {
    if let [host] = hosts {
        return Host::new(host.name.clone(), host.source);
    }
    let (source, name) = fallback.host();
    let mut host = Host::new(Raw::from(name), source);
    if let Some(role) = fallback.row().and_then(|row| row.role.as_ref()) {
        host.roles.add(role);
    }
    host
}

/// Fills in hosts, sites and times of an exhibit.
fn describe(row: &mut Exhibit, hosts: &[Host], fallback: &Fallback) {
    let mut names = BTreeSet::new();
    let mut sites = BTreeSet::new();
    for host in hosts {
        names.insert(host.name.clone());
        sites.extend(host.sites.iter().cloned());
        row.widen(host.first, host.last);
    }
    let (source, name) = fallback.host();
    if names.is_empty() && source != NameSource::None {
        names.insert(Raw::from(name));
    }
    if hosts.is_empty() {
        sites.extend(fallback.site());
    }
    row.written_by(names, sites);
}

/// All kept hits in the order of lines, then of rules.
fn write(
    rules: &IndexMap<String, Kept>,
    exhibit: &Raw,
    host: &Raw,
) -> Vec<u8> {
    let mut lines: Vec<(u64, &str, &HitLine)> = Vec::new();
    for (rule, kept) in rules {
        let own = kept.lines.iter();
        lines.extend(own.map(|line| (line.line, rule.as_str(), line)));
    }
    lines.sort_by_key(|(line, rule, _)| (*line, *rule));
    let (exhibit, host) = (json(exhibit), json(host));
    let mut out = Vec::new();
    for (_, _, line) in lines {
        line.write(&mut out, &exhibit, &host);
    }
    out
}

impl Draft {
    fn warn_of_limit(&mut self, exhibit: &Raw, rule: &str, hits: u64) {
        let limit = limits::HITS_PER_RULE_AND_EXHIBIT;
        let Some(more) = hits.checked_sub(limit).filter(|more| *more > 0)
        else {
            return;
        };
        let detail = format!(
            "hits of rule {rule} after the first {limit} are counted, \
             not listed"
        );
        let exhibit = exhibit.clone();
        let kind = Kind::Odd;
        self.warn(Warning { kind, exhibit, detail, count: more });
    }
}
