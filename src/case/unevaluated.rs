//! Rules that could not be judged on a host, because its logs lack a column
//! that they ask for: that they found nothing there proves nothing.
//!
//! In: what rules need, and the layouts of each host. Out: rows by rule.
//! What a rule needs is kept in the case: which hosts lack it is told again
//! once cases are joined.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::case::host::Host;
use crate::raw::Raw;
use crate::signature::Needs;

/// A rule that could not be judged on some hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unevaluated {
    /// The rule, and the columns it needs: one of each group.
    #[serde(flatten)]
    pub needs: Needs,
    /// Derived: what is missing on one of the hosts; words such as
    /// `cs-uri-stem or cs-uri`.
    pub missing: BTreeSet<String>,
    /// Derived: the hosts of whose logs none has all it needs.
    pub hosts: Vec<Raw>,
}

impl From<Needs> for Unevaluated {
    fn from(needs: Needs) -> Self {
        Self { needs, ..Self::default() }
    }
}

/// The columns of one layout.
type Layout = BTreeSet<Raw>;

/// Tells on which hosts each rule could not be judged; rules that could be
/// on all are left out. Many hosts share few layouts: each is asked once.
pub(super) fn derive(
    rows: Vec<Unevaluated>,
    hosts: &[Host],
) -> Vec<Unevaluated> {
    let layouts: BTreeSet<&Layout> =
        hosts.iter().flat_map(|host| &host.layouts).collect();
    let told = rows.into_iter().map(|row| {
        let lacking = layouts.iter().map(|it| (*it, lacking(&row.needs, it)));
        let lacking = lacking.collect();
        on(row.needs, hosts, &lacking)
    });
    told.filter(|row| !row.hosts.is_empty()).collect()
}

/// What of a rule's needs a layout lacks, in words.
fn lacking(needs: &Needs, layout: &Layout) -> Vec<String> {
    let has = |name: &str| layout.contains(&Raw::from(name));
    let words = needs.missing(has).map(|group| {
        let names: Vec<&str> = group.iter().map(String::as_str).collect();
        names.join(" or ")
    });
    words.collect()
}

fn on(
    needs: Needs,
    hosts: &[Host],
    lacking: &BTreeMap<&Layout, Vec<String>>,
) -> Unevaluated {
    let mut row = Unevaluated::from(needs);
    for host in hosts {
        let own = host.layouts.iter().filter_map(|it| lacking.get(it));
        let own: Vec<&Vec<String>> = own.collect();
        if own.is_empty() || own.iter().any(|words| words.is_empty()) {
            continue;
        }
        row.hosts.push(host.name.clone());
        row.missing.extend(own.into_iter().flatten().cloned());
    }
    row
}
