//! The clients of a case while it grows.
//!
//! In: hits, and the clients of other chunks, exhibits and cases. Out: the
//! rows of `clients`, in order. A log may have a million clients with hits,
//! each of them in many chunks, so what a client did is kept as numbers of
//! names, and found by hashing.

use indexmap::IndexMap;
use indexmap::map::Entry;

use crate::case::client::{Alone, Client, ClientFinding};
use crate::case::names::{Name, Names};
use crate::case::tally::{Counts, join_spans, widen};
use crate::raw::Raw;
use crate::signature::Outcome;
use crate::w3c::Timestamp;

/// The clients of a case while it grows.
#[derive(Debug, Default)]
pub(super) struct Clients {
    rows: IndexMap<Raw, Row>,
    /// Hits of a client, by its number in `rows` and what it did.
    deeds: IndexMap<(usize, Deed), Counts>,
}

/// What is known of a client but for what it did.
#[derive(Debug, Default)]
struct Row {
    hits: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    worm: bool,
    /// The same before correlations were counted.
    alone: Option<Alone>,
}

/// One rule on one feature of one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Deed {
    pub host: Name,
    pub rule: Name,
    pub feature: Option<Name>,
}

impl Row {
    fn absorb(&mut self, other: &Self) {
        self.hits = self.hits.saturating_add(other.hits);
        self.worm |= other.worm;
        let span = (other.first, other.last);
        join_spans(&mut self.first, &mut self.last, span);
    }
}

impl Clients {
    /// Counts a hit of the client with this address.
    pub fn hit(
        &mut self,
        address: &[u8],
        deed: Deed,
        outcome: Outcome,
        time: Option<Timestamp>,
        worm: bool,
    ) {
        let number = match self.rows.get_index_of(address) {
            Some(number) => number,
            None => {
                self.rows.insert_full(Raw::from(address), Row::default()).0
            }
        };
        if let Some((_, row)) = self.rows.get_index_mut(number) {
            row.hits = row.hits.saturating_add(1);
            row.worm |= worm;
            widen(&mut row.first, &mut row.last, time);
        }
        self.deeds.entry((number, deed)).or_default().count(outcome);
    }

    /// Counts a correlation that a client has part in. Comes after all hits.
    pub fn correlated(
        &mut self,
        address: &[u8],
        deed: Deed,
        outcome: Outcome,
        (first, last): (Option<Timestamp>, Option<Timestamp>),
        worm: bool,
    ) {
        if let Some(row) = self.rows.get_mut(address) {
            let Row { hits, first, last, worm, .. } = *row;
            let alone = Alone { hits, first, last, worm };
            row.alone.get_or_insert(alone);
        } else {
            let alone = Some(Alone::default());
            let row = Row { alone, ..Row::default() };
            self.rows.insert(Raw::from(address), row);
        }
        self.hit(address, deed, outcome, first, worm);
        if let Some(row) = self.rows.get_mut(address) {
            widen(&mut row.first, &mut row.last, last);
        }
    }

    /// Adds the clients of another chunk, exhibit or case, whose names are
    /// these here.
    pub fn absorb(&mut self, other: Self, names: &[Name]) {
        let rows = other.rows.into_iter();
        let numbers: Vec<usize> =
            rows.map(|(address, row)| self.add(address, &row)).collect();
        let name = |old: Name| names.get(old.number()).copied();
        for ((number, deed), counts) in other.deeds {
            // All of them are there.
            let (Some(number), Some(host), Some(rule)) =
                (numbers.get(number), name(deed.host), name(deed.rule))
            else {
                continue;
            };
            let feature = deed.feature.and_then(name);
            self.count((*number, Deed { host, rule, feature }), counts);
        }
    }

    /// Adds the client of a finished case.
    pub fn insert(&mut self, client: Client, names: &mut Names) {
        let row = Row {
            hits: client.hits,
            first: client.first,
            last: client.last,
            worm: client.worm,
            alone: None,
        };
        let number = self.add(client.client, &row);
        for finding in client.findings {
            let deed = Deed {
                host: names.of(finding.host.as_bytes()),
                rule: names.of(finding.rule.as_bytes()),
                feature: finding.feature.map(|id| names.of(id.as_bytes())),
            };
            self.count((number, deed), finding.outcomes);
        }
    }

    fn add(&mut self, address: Raw, row: &Row) -> usize {
        let entry = self.rows.entry(address);
        let number = entry.index();
        entry.or_default().absorb(row);
        number
    }

    fn count(&mut self, key: (usize, Deed), counts: Counts) {
        match self.deeds.entry(key) {
            Entry::Occupied(mut own) => own.get_mut().absorb(&counts),
            Entry::Vacant(free) => {
                free.insert(counts);
            }
        }
    }

    /// Gives back what there is too much room for.
    pub fn shrink(&mut self) {
        self.rows.shrink_to_fit();
        self.deeds.shrink_to_fit();
    }

    /// The rows, by address; what each did by host, rule and feature.
    pub fn into_rows(self, names: &Names) -> Vec<Client> {
        let rows = self.rows.into_iter();
        let mut clients: Vec<Client> = rows
            .map(|(client, row)| Client {
                client,
                hits: row.hits,
                first: row.first,
                last: row.last,
                worm: row.worm,
                alone: row.alone,
                ..Client::default()
            })
            .collect();
        // Most clients did one thing, and lists grow by four.
        let mut counts = vec![0_usize; clients.len()];
        for (number, _) in self.deeds.keys() {
            if let Some(count) = counts.get_mut(*number) {
                *count += 1;
            }
        }
        for (client, count) in clients.iter_mut().zip(counts) {
            client.findings.reserve_exact(count);
        }
        for ((number, deed), outcomes) in self.deeds {
            if let Some(client) = clients.get_mut(number) {
                client.findings.push(ClientFinding {
                    host: names.raw(deed.host),
                    rule: names.raw(deed.rule),
                    feature: deed.feature.map(|id| names.raw(id)),
                    outcomes,
                });
            }
        }
        for client in &mut clients {
            client.findings.sort_unstable_by(|a, b| a.place().cmp(&b.place()));
        }
        clients.sort_unstable_by(|a, b| a.client.cmp(&b.client));
        clients
    }
}
