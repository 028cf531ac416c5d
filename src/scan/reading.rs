//! What the user tells about logs that do not tell it themselves.
//!
//! In: options. Out: for each exhibit the terms it is read under, told from
//! its host, its name, and its first rows.

use std::sync::Arc;

use crate::evidence::PathIdentity;
use crate::raw::Raw;
use crate::scan::span::Span;
use crate::w3c::{CodePage, Terms, Told, Zone};

/// How to read what logs leave open.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// What is told of all logs.
    pub told: Told,
    /// The zone by host, in any letter case; goes before the other.
    pub zones: Vec<(Raw, Zone)>,
    /// The code page of bytes that are no UTF-8.
    pub codepage: Option<CodePage>,
    /// The code page by host; goes before the other.
    pub codepages: Vec<(Raw, CodePage)>,
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
        let known = terms.as_ref();
        let own = known.and_then(|terms| Terms::computer(Some(terms), head));
        let zone = self.of_host(&self.zones, own, identity).cloned();
        if zone.is_none() {
            return terms;
        }
        let told = Told { zone, ..self.told.clone() };
        Terms::of(head, &told, identity.date)
    }

    /// The code page of an exhibit that begins with `head` and is read under
    /// these terms.
    pub(super) fn codepage(
        &self,
        identity: &PathIdentity,
        head: &[u8],
        terms: Option<&Arc<Terms>>,
    ) -> Option<CodePage> {
        if self.codepages.is_empty() {
            return self.codepage;
        }
        let own = Terms::computer(terms, head);
        let found = self.of_host(&self.codepages, own, identity);
        found.copied().or(self.codepage)
    }

    /// What is told of the host of an exhibit. The log's own word for its
    /// server goes before its folder's.
    fn of_host<'t, T>(
        &self,
        told: &'t [(Raw, T)],
        own: Option<Vec<u8>>,
        identity: &PathIdentity,
    ) -> Option<&'t T> {
        let of = |host: &[u8]| {
            let is_it =
                |name: &Raw| name.as_bytes().eq_ignore_ascii_case(host);
            let found = told.iter().find(|(name, _)| is_it(name));
            found.map(|(_, told)| told)
        };
        let folder = identity.host.as_ref().or(self.host.as_ref());
        own.and_then(|name| of(&name))
            .or_else(|| folder.and_then(|name| of(name.as_bytes())))
    }
}
