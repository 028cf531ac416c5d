//! What the user tells about logs that do not tell it themselves.
//!
//! In: options. Out: for each exhibit the terms it is read under, told from
//! its host, its name, and its first rows.

use std::sync::Arc;

use crate::evidence::PathIdentity;
use crate::raw::Raw;
use crate::scan::span::Span;
use crate::w3c::{DateOrder, Terms, Told, Zone};

/// How to read what logs leave open.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The zone of local times.
    pub zone: Option<Zone>,
    /// The zone by host, in any letter case; goes before the other.
    pub zones: Vec<(Raw, Zone)>,
    /// Which of day and month comes first.
    pub date_order: Option<DateOrder>,
    /// The columns of rows that no `#Fields` came before.
    pub fields: Option<Vec<u8>>,
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
        let mut told = Told {
            zone: self.zone.clone(),
            date_order: self.date_order,
            fields: self.fields.clone(),
        };
        if !self.zones.is_empty() {
            let host = identity.host.clone().or_else(|| self.host.clone());
            let zone = host.and_then(|host| self.zone_of(host.as_bytes()));
            told.zone = zone.or(told.zone);
            let terms = Terms::of(head, &told, identity.date);
            return match terms.as_ref().and_then(|it| it.computer(head)) {
                Some(name) => {
                    told.zone = self.zone_of(&name).or(told.zone);
                    Terms::of(head, &told, identity.date)
                }
                None => terms,
            };
        }
        Terms::of(head, &told, identity.date)
    }

    fn zone_of(&self, host: &[u8]) -> Option<Zone> {
        let is_it = |name: &Raw| name.as_bytes().eq_ignore_ascii_case(host);
        let found = self.zones.iter().find(|(name, _)| is_it(name));
        found.map(|(_, zone)| zone.clone())
    }
}
