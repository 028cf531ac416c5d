//! What the user tells about logs that do not tell it themselves.
//!
//! In: options. Out: for each exhibit the terms it is read under, told from
//! its host, its name, and its first rows.

use std::sync::Arc;

use crate::evidence::PathIdentity;
use crate::raw::Raw;
use crate::scan::span::Span;
use crate::w3c::{Terms, Told, Zone};

/// How to read what logs leave open.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// What is told of all logs.
    pub told: Told,
    /// The zone by host, in any letter case; goes before the other.
    pub zones: Vec<(Raw, Zone)>,
    /// The time that is asked for.
    pub span: Option<Span>,
    /// The host of logs that name none.
    pub host: Option<Raw>,
}

impl Reading {
    /// The terms of an exhibit that begins with `head`.
    pub(super) fn terms(
        &self,
        identity: &PathIdentity,
        head: &[u8],
    ) -> Option<Arc<Terms>> {
        let terms = Terms::of(head, &self.told, identity.date);
        if self.zones.is_empty() {
            return terms;
        }
        // The log's own word for its server goes before its folder's.
        let own = terms.as_ref().and_then(|terms| terms.computer(head));
        let folder = identity.host.as_ref().or(self.host.as_ref());
        let zone = own
            .and_then(|name| self.zone_of(&name))
            .or_else(|| folder.and_then(|name| self.zone_of(name.as_bytes())));
        if zone.is_none() {
            return terms;
        }
        let told = Told { zone, ..self.told.clone() };
        Terms::of(head, &told, identity.date)
    }

    fn zone_of(&self, host: &[u8]) -> Option<Zone> {
        let is_it = |name: &Raw| name.as_bytes().eq_ignore_ascii_case(host);
        let found = self.zones.iter().find(|(name, _)| is_it(name));
        found.map(|(_, zone)| zone.clone())
    }
}
