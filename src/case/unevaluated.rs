//! Rules that could not be judged on a host, because its logs lack a column
//! that they ask for: that they found nothing there proves nothing.
//!
//! In: what rules need, and the layouts of each host. Out: rows by rule.
//! What a rule needs is kept in the case: which hosts lack it is told again
//! once cases are joined.

use std::collections::BTreeSet;

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

/// Tells on which hosts each rule could not be judged; rules that could be
/// on all are left out.
pub(super) fn derive(
    rows: Vec<Unevaluated>,
    hosts: &[Host],
) -> Vec<Unevaluated> {
    let told = rows.into_iter().map(|row| on(row.needs, hosts));
    told.filter(|row| !row.hosts.is_empty()).collect()
}

fn on(needs: Needs, hosts: &[Host]) -> Unevaluated {
    let mut row = Unevaluated::from(needs);
    for host in hosts {
        let mut missing = BTreeSet::new();
        let mut is_judged = host.layouts.is_empty();
        for columns in &host.layouts {
            let has = |name: &str| columns.contains(&Raw::from(name));
            let lacking = row.needs.missing(has);
            let words = lacking.map(|group| {
                group
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(" or ")
            });
            let words: Vec<String> = words.collect();
            is_judged |= words.is_empty();
            missing.extend(words);
        }
        if !is_judged {
            row.hosts.push(host.name.clone());
            row.missing.extend(missing);
        }
    }
    row
}
