//! What exhibits tell of the same host, kept once.
//!
//! In: the hosts of an exhibit. Out: [`Seat`]s, which hold what differs from
//! exhibit to exhibit, and share the rest. What an exhibit adds to a case
//! waits until all is known, and a million of them name few hosts.

use std::collections::HashSet;
use std::sync::Arc;

use crate::case::host::Host;
use crate::raw::Raw;
use crate::w3c::Timestamp;

/// Hosts without what differs.
#[derive(Debug, Default)]
pub(super) struct Pool(HashSet<Arc<Host>>);

/// A host of an exhibit.
#[derive(Debug)]
pub(super) struct Seat {
    like: Arc<Host>,
    records: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Pool {
    /// The seat of a host.
    pub fn seat(&mut self, mut host: Host) -> Seat {
        let records = std::mem::take(&mut host.records);
        let (first, last) = (host.first.take(), host.last.take());
        let known = self.0.get(&host).cloned();
        let like = known.unwrap_or_else(|| {
            let like = Arc::new(host);
            self.0.insert(Arc::clone(&like));
            like
        });
        Seat { like, records, first, last }
    }
}

impl Seat {
    /// The host.
    pub fn host(self) -> Host {
        let Self { like, records, first, last } = self;
        Host { records, first, last, ..Host::clone(&like) }
    }

    /// The same name or site as one of its own, kept once.
    pub fn share(&self, name: &mut Option<Raw>) {
        let own = std::iter::once(&self.like.name).chain(&self.like.sites);
        if let Some(name) = name
            && let Some(own) = own.into_iter().find(|own| *own == name)
        {
            *name = own.clone();
        }
    }
}
