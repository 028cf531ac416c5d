//! Who probed?

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::page::{Cell, Tone};
use super::words::{self, Precision, number};
use super::{Sheet, raw};
use crate::case::{Case, Client};
use crate::raw::Raw;

/// Clients shown where lists are cut.
const CLIENTS: usize = 10;

const HEAD: [&str; 6] =
    ["Client", "Worst outcome", "Hits", "Hosts", "First hit", "Worm"];

pub(super) fn show(sheet: &mut Sheet, case: &Case) {
    if case.clients.is_empty() {
        return;
    }
    sheet.page.heading("Who probed?");
    let mut clients: Vec<&Client> = case.clients.iter().collect();
    clients.sort_by_key(|client| {
        (Reverse(client.worst), Reverse(client.hits), &client.client)
    });
    let shown = sheet.shown(clients.len(), CLIENTS);
    let rows: Vec<_> =
        clients.iter().take(shown).map(|client| row(sheet, client)).collect();
    sheet.page.table(2, &HEAD, &rows);
    sheet.left_out(2, clients.len(), CLIENTS);
}

fn row(sheet: &Sheet, client: &Client) -> Vec<Cell> {
    let hosts: BTreeSet<&Raw> =
        client.findings.iter().map(|finding| &finding.host).collect();
    let hosts = u64::try_from(hosts.len()).unwrap_or(u64::MAX);
    let worm = if client.worm { "worm" } else { "" };
    vec![
        Cell::new(raw(&client.client)),
        words::outcome(client.worst),
        Cell::number(number(client.hits)),
        Cell::number(number(hosts)),
        Cell::new(sheet.time(client.first, Precision::Minute)),
        Cell::toned(worm, Tone::Odd),
    ]
}
