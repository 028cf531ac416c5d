//! Fills in what follows from the rows of a case: distinct clients, worst
//! outcomes, features, the summary.
//!
//! Derived only after everything is joined: a count of distinct clients is
//! no sum.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::client::Client;
use crate::case::summary::Summary;
use crate::case::tally::Counts;
use crate::case::{Case, feature, unevaluated};
use crate::raw::Raw;

/// Fills in all derived values; `features` are names by id.
pub(super) fn fill(case: &mut Case, features: &BTreeMap<String, String>) {
    for client in &mut case.clients {
        client.derive();
    }
    let by_finding = distinct(&case.clients, |client| {
        let places = client.findings.iter();
        places.map(|f| (&f.host, f.rule.as_bytes())).collect()
    });
    for finding in &mut case.findings {
        let key = (&finding.host, finding.rule.as_bytes());
        let clients = by_finding.get(&key).copied().unwrap_or(0);
        finding.derive(clients);
    }
    fill_hosts(case);
    let rows = std::mem::take(&mut case.not_evaluated);
    case.not_evaluated = unevaluated::derive(rows, &case.hosts);
    case.features = feature::derive(features, &case.findings, &case.clients);
    case.summary = Summary::of(case);
}

fn fill_hosts(case: &mut Case) {
    let by_host = distinct(&case.clients, |client| {
        client.findings.iter().map(|f| &f.host).collect()
    });
    let mut outcomes: BTreeMap<&Raw, Counts> = BTreeMap::new();
    for finding in &case.findings {
        let counts = outcomes.entry(&finding.host).or_default();
        counts.absorb(&finding.outcomes);
    }
    for host in &mut case.hosts {
        host.outcomes = outcomes.remove(&host.name).unwrap_or_default();
        host.hits = host.outcomes.hits();
        host.probed = host.hits > 0;
        host.worst = host.outcomes.worst();
        host.clients = by_host.get(&host.name).copied().unwrap_or(0);
    }
}

/// How many clients have each key.
fn distinct<'c, K: Ord>(
    clients: &'c [Client],
    keys: impl Fn(&'c Client) -> BTreeSet<K>,
) -> BTreeMap<K, u64> {
    let mut counts = BTreeMap::new();
    for key in clients.iter().flat_map(keys) {
        *counts.entry(key).or_insert(0) += 1;
    }
    counts
}
