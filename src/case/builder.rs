//! Builds a case from what a scan pushes.
//!
//! In: parts and tallies of exhibits, from any thread, in any order. Out: a
//! [`Case`] and its [`Hits`]. Each exhibit is finished on its own thread;
//! only joining it to the rest takes the lock.

use std::sync::{Arc, Mutex, PoisonError};

use crate::case::Case;
use crate::case::address::Proxies;
use crate::case::copies::{Share, settle};
use crate::case::draft::Draft;
use crate::case::hits::Hits;
use crate::case::host_map::HostMap;
use crate::case::part::CasePart;
use crate::case::pool::Pool;
use crate::case::run::Run;
use crate::case::site_config::SiteConfig;
use crate::case::twice;
use crate::evidence::Evidence;
use crate::raw::Raw;
use crate::scan::{Collector, Progress, Scanner, Setting, Tally};
use crate::signature::{Level, Needs, Outcomes};
use crate::warning::{Kind, Warning};

/// What of a scan gets into the case.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The host of logs that name none.
    pub host: Option<Raw>,
    /// The proxies that requests came by.
    pub proxies: Proxies,
    /// Hosts, sites and roles that the examiner knows.
    pub host_map: Option<Arc<HostMap>>,
    /// Sites as the configurations of hosts have them.
    pub site_configs: Vec<SiteConfig>,
    /// Hits of rules below this level are dropped.
    pub min_level: Level,
    /// Count copies of an exhibit as often as they are there.
    pub keep_duplicates: bool,
    /// Keep each hit as a line of `hits.jsonl`.
    pub keep_hits: bool,
}

/// Builds a case from what a scan pushes.
#[derive(Debug)]
pub struct CaseBuilder<'a> {
    outcomes: &'a Outcomes,
    options: Options,
    run: Run,
    growing: Mutex<Growing>,
}

/// A case that is not finished.
#[derive(Debug, Default)]
struct Growing {
    draft: Draft,
    hits: Hits,
    /// What waits until all is known, because it may be there twice.
    shares: Vec<Share>,
    /// What they have in common.
    pool: Pool,
}

impl Growing {
    fn wait(&mut self, mut share: Share) {
        share.wait(&mut self.pool);
        self.shares.push(share);
    }

    fn add(&mut self, share: Share) {
        let Share { row, seat, rest, .. } = share;
        let path = row.path.clone();
        if self.draft.exhibits.contains_key(&path) {
            let detail = "given twice; counted once";
            return self.draft.warn(Warning::new(Kind::Odd, path, detail));
        }
        self.draft.exhibits.insert(path.clone(), row);
        if let Some(seat) = seat {
            self.draft.host(seat.host());
        }
        if let Some(rest) = rest {
            // It holds no exhibit, so nothing can be there twice.
            let _ = self.draft.absorb(rest.draft);
            self.hits.insert(path, rest.lines);
        }
    }
}

impl<'a> CaseBuilder<'a> {
    /// An empty case. `outcomes` are the criteria hits are judged by.
    pub fn new(outcomes: &'a Outcomes, options: Options, run: Run) -> Self {
        let growing = Mutex::default();
        Self { outcomes, options, run, growing }
    }

    /// Tells on which hosts these rules cannot be judged, but for those
    /// below the level asked for.
    #[must_use]
    pub fn looking_for(self, rules: Vec<Needs>) -> Self {
        let least = self.options.min_level;
        let rules = rules.into_iter().filter(|rule| rule.level >= least);
        self.with(|growing| growing.draft.expect(rules));
        self
    }

    /// Adds a warning that belongs to no scanned exhibit.
    pub fn warn(&self, warning: Warning) {
        self.with(|growing| growing.draft.warn(warning));
    }

    /// The case and its hits. A case with a warning that it was interrupted
    /// is marked partial.
    pub fn finish(self) -> (Case, Hits) {
        let growing = self.growing.into_inner();
        let mut growing = growing.unwrap_or_else(PoisonError::into_inner);
        for share in settle(std::mem::take(&mut growing.shares)) {
            growing.add(share);
        }
        let Growing { mut draft, mut hits, .. } = growing;
        // Here, where all hosts are known; what is told is a set, so that
        // telling each part of a case tells the whole.
        for config in &self.options.site_configs {
            draft.hosts.values_mut().for_each(|host| config.tell(host));
        }
        let mut run = self.run;
        let mut kinds = draft.warnings.keys().map(|(kind, ..)| *kind);
        run.partial |= kinds.any(|kind| kind == Kind::Interrupted);
        let case = draft.finish(run);
        if self.options.keep_hits {
            hits.absorb(case.correlated_hits());
        }
        (case, hits)
    }

    /// Scans evidence into the case, and reads once more what stands in it
    /// twice. False where it was interrupted.
    pub fn scan(
        &self,
        scanner: &Scanner<'_>,
        evidence: &Evidence,
        progress: &dyn Progress,
    ) -> bool {
        if !scanner.scan(evidence, self, progress) {
            return false;
        }
        if self.options.keep_duplicates {
            return true;
        }
        let mut shares = Vec::new();
        self.with(|growing| shares = std::mem::take(&mut growing.shares));
        let mut shares = settle(shares);
        let is_whole =
            twice::settle(self, &mut shares, scanner, evidence, progress);
        self.with(|growing| growing.shares = shares);
        is_whole
    }

    fn with(&self, change: impl FnOnce(&mut Growing)) {
        // A panic elsewhere loses one exhibit, not the case.
        let mut growing =
            self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut growing);
    }
}

impl<'a> Collector for CaseBuilder<'a> {
    type Part = CasePart<'a>;

    fn part(&self, setting: &Setting) -> CasePart<'a> {
        CasePart::new(self.outcomes, &self.options, setting)
    }

    fn aside(&self, warning: Warning) {
        self.warn(warning);
    }

    fn exhibit(&self, setting: &Setting, tally: Tally, part: CasePart<'a>) {
        let waits = tally.records > 0 && !self.options.keep_duplicates;
        let share = part.finish(setting, tally);
        self.with(|growing| {
            if waits {
                growing.wait(share);
            } else {
                growing.add(share);
            }
        });
    }
}
