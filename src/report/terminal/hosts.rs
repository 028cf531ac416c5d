//! Which hosts were probed?

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::page::{Cell, table_width};
use super::words::{self, Precision, number};
use super::{Sheet, raw};
use crate::case::{Case, Host};
use crate::raw::Raw;
use crate::w3c::Timestamp;

/// Hosts shown where lists are cut.
const HOSTS: usize = 20;

const HEAD: [&str; 6] =
    ["Host", "Worst outcome", "Hits", "Clients", "First hit", "Last hit"];

/// The head where the examiner said what hosts are for.
const HEAD_WITH_ROLES: [&str; 7] = [
    "Host",
    "Role",
    "Worst outcome",
    "Hits",
    "Clients",
    "First hit",
    "Last hit",
];

pub(super) fn show(sheet: &mut Sheet, case: &Case) {
    sheet.page.heading("Which hosts were probed?");
    let (mut probed, spared): (Vec<&Host>, Vec<&Host>) =
        case.hosts.iter().partition(|host| host.probed);
    if probed.is_empty() {
        sheet.line(2, "None.");
    } else {
        probed.sort_by_key(|host| {
            (Reverse(host.worst), Reverse(host.hits), &host.name)
        });
        let spans = spans(case);
        let shown = sheet.shown(probed.len(), HOSTS);
        let hosts = probed.get(..shown).unwrap_or_default();
        let mut rows = rows(sheet, hosts, &spans, Precision::Minute);
        let has_roles = hosts.iter().any(|host| !host.roles.is_empty());
        let head = if has_roles { &HEAD_WITH_ROLES[..] } else { &HEAD[..] };
        if table_width(head, &rows) > sheet.page.room(2) {
            rows = self::rows(sheet, hosts, &spans, Precision::Day);
        }
        sheet.page.table(2, head, &rows);
        sheet.left_out(2, probed.len(), HOSTS);
    }
    if !spared.is_empty() {
        not_probed(sheet, &spared);
    }
}

/// First and last hit.
type Span = (Option<Timestamp>, Option<Timestamp>);

/// The hits of each host in time.
fn spans(case: &Case) -> BTreeMap<&Raw, Span> {
    let mut spans: BTreeMap<&Raw, Span> = BTreeMap::new();
    for finding in &case.findings {
        let (first, last) = spans.entry(&finding.host).or_default();
        // `None` is less than any time, so it must not win the minimum.
        *first = [*first, finding.first].into_iter().flatten().min();
        *last = (*last).max(finding.last);
    }
    spans
}

fn rows(
    sheet: &Sheet,
    hosts: &[&Host],
    spans: &BTreeMap<&Raw, Span>,
    precision: Precision,
) -> Vec<Vec<Cell>> {
    let has_roles = hosts.iter().any(|host| !host.roles.is_empty());
    let row = |host: &&Host| {
        let (first, last) = spans.get(&host.name).copied().unwrap_or_default();
        let mut row = vec![Cell::new(raw(&host.name))];
        if has_roles {
            row.push(Cell::new(roles(host)));
        }
        row.extend([
            words::outcome(host.worst),
            Cell::number(number(host.hits)),
            Cell::number(number(host.clients)),
            Cell::new(sheet.time(first, precision)),
            Cell::new(sheet.time(last, precision)),
        ]);
        row
    };
    hosts.iter().map(row).collect()
}

/// What a host is for, as the examiner said.
fn roles(host: &Host) -> String {
    host.roles.iter().map(raw).collect::<Vec<_>>().join(", ")
}

/// Hosts without a hit, in one paragraph.
fn not_probed(sheet: &mut Sheet, hosts: &[&Host]) {
    let shown = sheet.shown(hosts.len(), HOSTS);
    let name = |host: &&Host| match roles(host) {
        roles if roles.is_empty() => raw(&host.name),
        roles => format!("{} ({roles})", raw(&host.name)),
    };
    let names: Vec<String> = hosts.iter().take(shown).map(name).collect();
    let line = format!("Not probed: {}", names.join(", "));
    sheet.paragraph(2, 2, &line);
    sheet.left_out(4, hosts.len(), HOSTS);
}
