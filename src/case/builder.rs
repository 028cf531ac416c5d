//! Builds a case from what a scan pushes.
//!
//! In: parts and tallies of exhibits, from any thread, in any order. Out: a
//! [`Case`] and its [`Hits`]. Each exhibit is finished on its own thread;
//! only joining it to the rest takes the lock.

use std::sync::{Arc, Mutex, PoisonError};

use crate::case::Case;
use crate::case::draft::Draft;
use crate::case::hits::Hits;
use crate::case::host_map::HostMap;
use crate::case::part::CasePart;
use crate::case::run::Run;
use crate::case::site_config::SiteConfig;
use crate::raw::Raw;
use crate::scan::{Collector, Setting, Tally};
use crate::signature::{Level, Outcomes};
use crate::warning::{Kind, Warning};

/// What of a scan gets into the case.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The host of logs that name none.
    pub host: Option<Raw>,
    /// Hosts, sites and roles that the examiner knows.
    pub host_map: Option<Arc<HostMap>>,
    /// Sites as the configurations of hosts have them.
    pub site_configs: Vec<SiteConfig>,
    /// Hits of rules below this level are dropped.
    pub min_level: Level,
    /// Keep each hit as a line of `hits.jsonl`.
    pub keep_hits: bool,
}

/// Builds a case from what a scan pushes.
#[derive(Debug)]
pub struct CaseBuilder<'a> {
    outcomes: &'a Outcomes,
    options: Options,
    run: Run,
    growing: Mutex<(Draft, Hits)>,
}

impl<'a> CaseBuilder<'a> {
    /// An empty case. `outcomes` are the criteria hits are judged by.
    pub fn new(outcomes: &'a Outcomes, options: Options, run: Run) -> Self {
        let growing = Mutex::default();
        Self { outcomes, options, run, growing }
    }

    /// Adds a warning that belongs to no scanned exhibit.
    pub fn warn(&self, warning: Warning) {
        self.with(|(draft, _)| draft.warn(warning));
    }

    /// The case and its hits. A case with a warning that it was interrupted
    /// is marked partial.
    pub fn finish(self) -> (Case, Hits) {
        let growing = self.growing.into_inner();
        let (mut draft, hits) =
            growing.unwrap_or_else(PoisonError::into_inner);
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

    fn with(&self, change: impl FnOnce(&mut (Draft, Hits))) {
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
        let (rows, lines) = part.finish(setting, tally);
        self.with(|(draft, hits)| {
            let exhibit = setting.name.clone();
            if draft.absorb(rows).is_ok() {
                hits.insert(exhibit, lines);
            } else {
                let detail = "given twice; counted once";
                draft.warn(Warning::new(Kind::Odd, exhibit, detail));
            }
        });
    }
}
