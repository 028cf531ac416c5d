//! Which rules a request is a reason to evaluate.
//!
//! In: a record. Out: the rules whose anchors its stem and its query hold,
//! in any form that decoding gives them. A stem is looked at once in a
//! while, for it comes again; a query each time, for what fewer rules ask.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::signature::anchor::{Anchor, Group, of_groups};
use crate::signature::memo::Memo;
use crate::signature::ordinary::Values;
use crate::signature::prefilter::{Candidate, Prefilter};
use crate::signature::seam::Seams;
use crate::w3c::decode::{Decoded, is_wrapped};
use crate::w3c::shorten::{may_shorten, resolve, tidy};
use crate::w3c::simd::Isa;
use crate::w3c::{Field, Record};

/// What a stem may hold, and what a query may.
const IN_STEMS: [Group; 3] = [Group::Line, Group::Request, Group::Stem];
const IN_QUERIES: [Group; 2] = [Group::Line, Group::Request];

/// Finds the anchors of requests.
#[derive(Debug)]
pub(super) struct RequestFilter {
    /// Tells filters apart.
    id: u64,
    /// What stems may hold: all of it.
    stems: Prefilter,
    /// What queries may hold too.
    queries: Prefilter,
    /// Rules that need a stem without a slash at its start.
    starts: Vec<Candidate>,
}

/// What one thread needs for it.
#[derive(Debug, Default)]
pub(super) struct Desk {
    memo: Memo,
    /// Where decoding may make an anchor of a query whole.
    seams: Seams,
    decoded: Decoded,
    short: Vec<u8>,
    found: Vec<Candidate>,
}

impl RequestFilter {
    pub fn new(anchors: &[(Anchor, u32)]) -> Self {
        static FILTERS: AtomicU64 = AtomicU64::new(1);
        let starts = of_groups(anchors, &[Group::Start]);
        let starts = starts.map(|(anchor, rule)| Candidate::of(anchor, rule));
        Self {
            id: FILTERS.fetch_add(1, Ordering::Relaxed),
            stems: Prefilter::new(
                of_groups(anchors, &IN_STEMS),
                Values::Requests,
            ),
            queries: Prefilter::new(
                of_groups(anchors, &IN_QUERIES),
                Values::Requests,
            ),
            starts: starts.collect(),
        }
    }

    /// Makes ready for the records of a page.
    pub fn turn_to(
        &self,
        isa: Isa,
        page: &[u8],
        wrapped: &[u32],
        desk: &mut Desk,
    ) {
        desk.seams.read(&self.queries, isa, page, wrapped);
    }

    /// Makes ready for one record alone.
    pub fn turn_to_line(desk: &mut Desk) {
        desk.seams.read_line();
    }

    /// Adds the candidates of a record; true where its stem has one form.
    #[inline]
    pub fn find(
        &self,
        isa: Isa,
        record: &Record<'_>,
        desk: &mut Desk,
        found: &mut Vec<Candidate>,
    ) -> bool {
        let stem = record.get(Field::CsUriStem);
        if !record.layout.has(Field::CsUriStem) || !begins_plainly(stem) {
            self.find_anywhere(isa, record, desk, found);
            return false;
        }
        let query = record.layout.column(Field::CsUriQuery);
        if let Some(span) = query.and_then(|column| record.span(column))
            && record.line.get(span.clone()) != Some(b"-")
        {
            self.find_in_query(isa, record, span, desk, found);
        }
        let Some(stem) = stem else { return true };
        match desk.memo.get(self.id, stem) {
            Some(known) => {
                if !known.found.is_empty() {
                    found.extend_from_slice(known.found);
                }
                !known.has_forms
            }
            None => self.find_in_stem(isa, stem, desk, found),
        }
    }

    #[inline(never)]
    fn find_in_query(
        &self,
        isa: Isa,
        record: &Record<'_>,
        span: Range<usize>,
        desk: &mut Desk,
        found: &mut Vec<Candidate>,
    ) {
        let text = record.line.get(..span.end).unwrap_or_default();
        let query = text.get(span.start..).unwrap_or_default();
        let mut has_gram = false;
        self.queries.each(isa, record.line, span.clone(), |at| {
            has_gram = true;
            self.queries.look(text, at, |_| true, found);
        });
        if record.wrapped {
            let at = record.origin();
            let is_open = desk.seams.is_open(at + span.start, at + span.end);
            if (has_gram || is_open) && is_wrapped(query) {
                desk.decoded.set(query);
                for (form, _) in desk.decoded.forms() {
                    look(&self.queries, isa, form, found);
                }
            }
        }
    }

    /// Looks at all forms of a stem.
    #[inline(never)]
    fn find_in_stem(
        &self,
        isa: Isa,
        stem: &[u8],
        desk: &mut Desk,
        found: &mut Vec<Candidate>,
    ) -> bool {
        let mut own = std::mem::take(&mut desk.found);
        own.clear();
        look(&self.stems, isa, stem, &mut own);
        let has_forms = is_wrapped(stem) || may_shorten(stem);
        if has_forms {
            self.unwrap(isa, stem, desk, &mut own);
        }
        own.sort_unstable();
        own.dedup();
        desk.memo.keep(self.id, stem, &own, has_forms);
        found.extend_from_slice(&own);
        desk.found = own;
        !has_forms
    }

    /// The candidates of a stem's decoded forms, and of those without
    /// detours.
    fn unwrap(
        &self,
        isa: Isa,
        stem: &[u8],
        desk: &mut Desk,
        found: &mut Vec<Candidate>,
    ) {
        let Desk { decoded, short, .. } = desk;
        decoded.set(stem);
        for (form, _) in decoded.forms() {
            look(&self.stems, isa, form, found);
        }
        let last = decoded.form(usize::MAX).unwrap_or(stem);
        for shorten in [tidy, resolve] {
            if shorten(last, short) {
                look(&self.stems, isa, short, found);
            }
        }
    }

    /// For the few records whose stem stands elsewhere, or begins oddly:
    /// what URLScan refused, and logs of HTTP.SYS.
    #[inline(never)]
    fn find_anywhere(
        &self,
        isa: Isa,
        record: &Record<'_>,
        desk: &mut Desk,
        found: &mut Vec<Candidate>,
    ) {
        for field in [Field::CsUriStem, Field::CsUriQuery, Field::CsUri] {
            if let Some(text) = record.get(field) {
                look(&self.stems, isa, text, found);
            }
        }
        let stem = record.get(Field::CsUriStem);
        if !begins_plainly(stem.or_else(|| record.get(Field::CsUri))) {
            found.extend_from_slice(&self.starts);
        }
        let target = record.target();
        for text in [target.stem, target.query].into_iter().flatten() {
            if is_wrapped(text) || may_shorten(text) {
                self.unwrap(isa, text, desk, found);
            }
        }
    }

    /// The candidates in a text that the request or a part of it stands for.
    pub fn look_at(&self, isa: Isa, text: &[u8], found: &mut Vec<Candidate>) {
        look(&self.stems, isa, text, found);
    }
}

fn look(
    filter: &Prefilter,
    isa: Isa,
    text: &[u8],
    found: &mut Vec<Candidate>,
) {
    filter.each(isa, text, 0..text.len(), |at| {
        filter.look(text, at, |_| true, found);
    });
}

/// True where no form of the stem begins without a slash. What stands in
/// place of a stem that URLScan refused begins with `/<`.
#[inline]
fn begins_plainly(stem: Option<&[u8]>) -> bool {
    match stem {
        None | Some([b'/']) => true,
        Some([b'/', second, ..]) => *second != b'<',
        Some(_) => false,
    }
}
