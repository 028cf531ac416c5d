//! The result of a scan: ordered, serializable facts that can be joined.
//!
//! In: records and judged hits, through [`CaseBuilder`], the
//! [`Collector`](crate::scan::Collector) of a scan. Out: a [`Case`] –
//! `case.json` – and its [`Hits`] – `hits.jsonl`.
//!
//! A case is a commutative monoid: scanning two folders at once gives the
//! same bytes as joining the cases of each. So every number stored is a sum,
//! a minimum, a maximum, a set or the top of a total order; whatever else is
//! shown is derived afterwards.
//!
//! | file | idea |
//! |---|---|
//! | `builder`, `part`, `book` | collect what a scan pushes |
//! | `address` | who sent a request |
//! | `host_map`, `site_config` | hosts and sites as others know them |
//! | `exhibit`, `host`, `client`, `finding`, `run` | rows that join |
//! | `tally` | the numbers in them |
//! | `feed`, `trail`, `sheet` | the events of correlations, few of many |
//! | `correlate`, `correlated` | which of them hold, as hits |
//! | `copies` | exhibits that are there twice |
//! | `overlaps`, `marks`, `compare` | and such of which only a part is |
//! | `ties` | one request in the logs of IIS and of URLScan |
//! | `twice` | reads again what one of these concerns |
//! | `draft` | rows under their keys while a case grows |
//! | `pool`, `rare`, `digest` | a million exhibits in little memory |
//! | `derive`, `feature`, `summary` | what follows once all is joined |
//! | `inventory` | the first look: another collector, nothing is judged |
//! | `hits`, `hit_line` | every hit as a line of JSON |

mod address;
mod book;
mod builder;
mod client;
mod clients;
mod compare;
mod copies;
mod correlate;
mod correlated;
mod derive;
mod digest;
mod draft;
mod exhibit;
mod feature;
mod feed;
mod finding;
mod hit_line;
mod hits;
mod host;
mod host_map;
mod inventory;
mod marks;
mod names;
mod overlaps;
mod part;
mod pool;
mod rare;
mod run;
mod sheet;
mod site_config;
mod summary;
mod tally;
#[cfg(test)]
mod tests;
mod ties;
mod trail;
mod twice;
mod unevaluated;

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use self::address::{Proxies, Sender};
pub use self::builder::{CaseBuilder, Options};
pub use self::client::{Client, ClientFinding};
pub use self::digest::Sha256;
pub use self::exhibit::{Copied, Exhibit, RejectedLine};
pub use self::feature::{Exposure, FeatureHost, HitFeature};
pub use self::finding::{EvidenceRef, Finding, Share};
pub use self::hits::{Hits, merge_hits};
pub use self::host::{Host, NameSource, Roles, UNKNOWN_HOST};
pub use self::host_map::HostMap;
pub(crate) use self::host_map::csv;
pub use self::inventory::{
    Day, Gap, INVENTORY_SCHEMA, Inventory, InventoryBuilder, InventoryExhibit,
    InventoryHost, InventoryLayout, InventoryPart, InventorySite,
    InventorySummary, Knowledge, LineCounts,
};
pub use self::part::CasePart;
pub use self::rare::{Empty, Rare};
pub use self::run::{Run, SignatureSet};
pub use self::sheet::Trail;
pub use self::site_config::{ConfiguredSite, SiteConfig};
pub use self::summary::Summary;
pub use self::tally::{Counts, IisVersion};
pub use self::unevaluated::Unevaluated;

use self::correlate::Correlated;
use self::draft::Draft;
use crate::error::{Error, Result};
use crate::warning::Warning;

/// The word in `schema` for this layout of `case.json`.
pub const SCHEMA: &str = "iisleuth-case/1";

/// The name of the file in a case folder.
pub const FILE_NAME: &str = "case.json";

/// Everything aggregated. Rows are sorted by their keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// [`SCHEMA`].
    pub schema: String,
    /// What made it.
    pub run: Run,
    /// Derived: the case in a few numbers.
    pub summary: Summary,
    /// By path. In boxes: they are moved from table to table, and a copy of
    /// a million takes as much memory again.
    #[allow(clippy::vec_box)]
    pub exhibits: Vec<Box<Exhibit>>,
    /// By name.
    pub hosts: Vec<Host>,
    /// Those with hits, by address.
    pub clients: Vec<Client>,
    /// Derived: by id.
    pub features: Vec<HitFeature>,
    /// By host and rule.
    pub findings: Vec<Finding>,
    /// What correlations are about, by rule: which of them hold is told
    /// again where cases are joined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub correlations: Vec<Trail>,
    /// Those that hold: derived, and told as findings and hits.
    #[serde(skip)]
    correlated: Vec<Correlated>,
    /// Rules that could not be judged on a host, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_evaluated: Vec<Unevaluated>,
    /// By kind, losses first, then by exhibit.
    pub warnings: Vec<Warning>,
}

impl Default for Case {
    /// The empty case, which joins with any.
    fn default() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            run: Run::default(),
            summary: Summary::default(),
            exhibits: Vec::new(),
            hosts: Vec::new(),
            clients: Vec::new(),
            features: Vec::new(),
            findings: Vec::new(),
            correlations: Vec::new(),
            correlated: Vec::new(),
            not_evaluated: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

impl Case {
    /// Joins two cases; in any order, with the same result. An error where
    /// both hold the same exhibit, or where they were made differently.
    pub fn merge(self, other: Self) -> Result<Self> {
        let run = self.run.clone().join(other.run.clone())?;
        let mut draft = Draft::from(self);
        draft.absorb(Draft::from(other))?;
        draft.warn_of_copies();
        Ok(draft.finish(run))
    }

    /// Joins many cases; cheaper than one by one.
    pub fn merge_all(cases: impl IntoIterator<Item = Self>) -> Result<Self> {
        let mut run = Run::default();
        let mut draft = Draft::default();
        for case in cases {
            run = run.join(case.run.clone())?;
            draft.absorb(Draft::from(case))?;
        }
        draft.warn_of_copies();
        Ok(draft.finish(run))
    }

    /// Reads a case: a `case.json`, or the folder that holds one.
    pub fn load(path: &Path) -> Result<Self> {
        let folder = path.is_dir().then(|| path.join(FILE_NAME));
        let path = folder.as_deref().unwrap_or(path);
        // Shown in Debug form: a path may hold control characters.
        let shown = path.to_string_lossy();
        let fault = |what: &str| Error::case(format!("{what} {shown:?}"));
        let file =
            File::open(path).map_err(|e| fault("cannot open").because(e))?;
        let case: Self = serde_json::from_reader(BufReader::new(file))
            .map_err(|e| fault("not a case file:").because(e))?;
        if case.schema != SCHEMA {
            let message = format!(
                "the schema of {shown:?} is {:?}; this version reads {SCHEMA}",
                case.schema
            );
            return Err(Error::case(message));
        }
        // What is derived is derived again: the file may have been edited.
        let run = case.run.clone();
        Ok(Draft::from(case).finish(run))
    }

    /// The bytes of `case.json`.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let mut json = Vec::new();
        self.write_json(&mut json)
            .map_err(|e| Error::output("cannot write the case").because(e))?;
        Ok(json)
    }

    /// Writes them piece by piece: with a million exhibits they are as many
    /// bytes as the case itself.
    pub fn write_json(&self, mut out: impl Write) -> std::io::Result<()> {
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")
    }

    /// How often a correlation holds, by outcome; also one that is there for
    /// others alone.
    pub fn held(&self, rule: &str) -> Counts {
        let mut counts = Counts::default();
        let hits = self.correlated.iter();
        hits.filter(|it| it.correlation.rule == rule)
            .for_each(|it| counts.count(it.outcome));
        counts
    }

    /// The lines of `hits.jsonl` that tell of correlations, in the order of
    /// the file.
    pub fn correlated_hits(&self) -> Hits {
        let least = self.run.least_level();
        let hits = self.correlated.iter();
        Hits::of_correlations(hits.filter(|it| it.is_told(least)).collect())
    }

    /// True where part of the evidence did not get into the case.
    pub fn is_incomplete(&self) -> bool {
        self.warnings.iter().any(|warning| warning.kind.is_loss())
    }
}
