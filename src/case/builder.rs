//! Builds a case from what a scan pushes.
//!
//! In: parts and tallies of exhibits, from any thread, in any order. Out: a
//! [`Case`] and its [`Hits`]. Each exhibit is finished on its own thread;
//! only joining it to the rest takes the lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::case::Case;
use crate::case::address::Proxies;
use crate::case::copies::{Share, keeper_of_all, leave_out, logs, settle};
use crate::case::draft::Draft;
use crate::case::hits::Hits;
use crate::case::host_map::HostMap;
use crate::case::overlaps::{self, Overlap};
use crate::case::part::CasePart;
use crate::case::run::Run;
use crate::case::site_config::SiteConfig;
use crate::evidence::Evidence;
use crate::raw::Raw;
use crate::scan::{
    Again, Collector, Passed, Progress, Scanner, Setting, Tally,
};
use crate::signature::{Level, Outcomes};
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
}

impl Growing {
    fn add(&mut self, share: Share) {
        if self.draft.absorb(*share.draft).is_ok() {
            self.hits.insert(share.path, share.lines);
        } else {
            let detail = "given twice; counted once";
            self.draft.warn(Warning::new(Kind::Odd, share.path, detail));
        }
    }
}

impl<'a> CaseBuilder<'a> {
    /// An empty case. `outcomes` are the criteria hits are judged by.
    pub fn new(outcomes: &'a Outcomes, options: Options, run: Run) -> Self {
        let growing = Mutex::default();
        Self { outcomes, options, run, growing }
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
        let Growing { mut draft, hits, .. } = growing;
        // Here, where all hosts are known; what is told is a set, so that
        // telling each part of a case tells the whole.
        for config in &self.options.site_configs {
            draft.hosts.values_mut().for_each(|host| config.tell(host));
        }
        let mut run = self.run;
        let mut kinds = draft.warnings.keys().map(|(kind, ..)| *kind);
        run.partial |= kinds.any(|kind| kind == Kind::Interrupted);
        (draft.finish(run), hits)
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
        let rest = self.rest(&mut shares, scanner, evidence, progress);
        let is_whole = rest.is_some();
        if let Some((overlaps, again)) = rest {
            leave_out(&mut shares, overlaps, again);
        }
        self.with(|growing| growing.shares = shares);
        is_whole
    }

    /// What exhibits share, and those that hold more than that once again,
    /// without it.
    fn rest(
        &self,
        shares: &mut [Share],
        scanner: &Scanner<'_>,
        evidence: &Evidence,
        progress: &dyn Progress,
    ) -> Option<(Vec<Overlap>, BTreeMap<Raw, Share>)> {
        let overlaps =
            overlaps::find(&logs(shares), scanner, evidence, progress)?;
        for path in overlaps.skipped {
            let detail = "too long to be compared with a log that it seems \
                          to share lines with: they may count twice";
            self.warn(Warning::new(Kind::Copied, path, detail));
        }
        let mut found: BTreeMap<&Raw, &Overlap> =
            overlaps.found.iter().map(|it| (&it.path, it)).collect();
        for share in &*shares {
            if let Some(overlap) = found.get(&share.path)
                && keeper_of_all(share, overlap).is_some()
            {
                found.remove(&share.path);
            }
        }
        let mut again = Again::default();
        for (path, overlap) in found {
            again.read(path.clone(), Passed::new(overlap.offsets.clone()));
        }
        let second = Second { builder: self, shares: Mutex::default() };
        if !again.is_empty()
            && !scanner.scan_again(evidence, &again, &second, progress)
        {
            return None;
        }
        let read = second.shares.into_inner();
        let read = read.unwrap_or_else(PoisonError::into_inner);
        Some((overlaps.found, read))
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
                growing.shares.push(share);
            } else {
                growing.add(share);
            }
        });
    }
}

/// Takes what is read again.
struct Second<'b, 'a> {
    builder: &'b CaseBuilder<'a>,
    shares: Mutex<BTreeMap<Raw, Share>>,
}

impl<'a> Collector for Second<'_, 'a> {
    type Part = CasePart<'a>;

    fn part(&self, setting: &Setting) -> CasePart<'a> {
        self.builder.part(setting)
    }

    fn aside(&self, _warning: Warning) {}

    fn exhibit(&self, setting: &Setting, tally: Tally, part: CasePart<'a>) {
        let share = part.finish(setting, tally);
        let mut shares =
            self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.insert(share.path.clone(), share);
    }
}
