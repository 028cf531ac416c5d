//! All rules compiled into one matcher: immutable and shared; the scratch
//! space that a thread needs stands in [`Scratch`].

use std::ops::Range;

use crate::signature::anchor::{Anchor, Group, anchors, torn_anchors};
use crate::signature::evaluate::Resolved;
use crate::signature::foreign::{self, Spot};
use crate::signature::guard::Guard;
use crate::signature::pattern::Fold;
use crate::signature::prefilter::{Grams, Prefilter};
use crate::signature::rule::Rule;
use crate::signature::seam::Seams;
use crate::signature::statuses::Statuses;
use crate::signature::torn::Torn;
use crate::signature::view::Sight;
use crate::w3c::decode::{Decoded, Wrapping, is_wrapped, unwrap};
use crate::w3c::shorten::may_shorten;
use crate::w3c::simd::Isa;
use crate::w3c::{CodePage, Field, Record};

/// The compiled rules.
#[derive(Debug)]
pub struct Matcher {
    resolved: Vec<Resolved>,
    guards: Vec<Guard>,
    prefilter: Prefilter,
    /// A rule looks for keywords, which may stand anywhere in a line.
    has_keywords: bool,
    methods: Methods,
    statuses: Statuses,
    /// Rules that need a stem without a slash at its start.
    starts: Vec<u32>,
    always: Vec<u32>,
    /// For rejected lines, where columns mean nothing.
    torn: Prefilter,
    torn_always: Vec<u32>,
}

/// What one thread needs to match records.
#[derive(Debug)]
pub struct Scratch {
    /// The decoded forms of the record looked at last.
    pub sight: Sight,
    /// The rules that matched it, in their order.
    pub rules: Vec<u32>,
    isa: Isa,
    /// Where anchors may stand in the page that records come from.
    page: Grams,
    /// Where decoding may make an anchor whole.
    seams: Seams,
    /// Where a code page may make more of the page, and whether it may.
    high: Grams,
    has_high: bool,
    /// Where anchors may stand in one decoded form.
    form: Grams,
    candidates: Vec<u32>,
    decoded: Decoded,
    /// What a code page makes of a line that is no record.
    foreign: Vec<String>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new(Isa::best())
    }
}

impl Scratch {
    /// Space for a thread that uses these kernels.
    pub fn new(isa: Isa) -> Self {
        Self {
            sight: Sight::default(),
            rules: Vec::new(),
            isa,
            page: Grams::default(),
            seams: Seams::default(),
            high: Grams::default(),
            has_high: false,
            form: Grams::default(),
            candidates: Vec::new(),
            decoded: Decoded::default(),
            foreign: Vec::new(),
        }
    }

    /// The records that follow are of a log in this code page.
    pub fn read_as(&mut self, page: Option<CodePage>) {
        self.sight.foreign.read_as(page);
    }
}

/// The group of anchors that are looked for in a column.
fn group_of(field: Field) -> Option<Group> {
    Some(match field {
        Field::CsUriStem | Field::CsUriQuery | Field::CsUri => Group::Request,
        Field::CsUserAgent => Group::Agent,
        Field::CsReferer => Group::Referer,
        Field::CsCookie => Group::Cookie,
        Field::CsUsername => Group::User,
        Field::CsHost => Group::Host,
        _ => return None,
    })
}

impl Matcher {
    /// Compiles the rules; `strict` switches the IIS view off.
    pub fn new(rules: &[Rule], strict: bool) -> Self {
        let resolved: Vec<_> = rules
            .iter()
            .map(|rule| Resolved::new(&rule.detection, strict))
            .collect();
        let mut all: Vec<(Anchor, u32)> = Vec::new();
        let mut always = Vec::new();
        for ((rule, views), index) in rules.iter().zip(&resolved).zip(0_u32..)
        {
            if rule.correlation.is_some() {
                continue;
            }
            match anchors(&rule.detection, views) {
                Some(found) => {
                    all.extend(found.into_iter().map(|one| (one, index)));
                }
                None => always.push(index),
            }
        }
        let (torn, torn_always) = torn(rules, &resolved);
        let guards = rules.iter().zip(&resolved);
        let guards =
            guards.map(|(rule, views)| Guard::new(&rule.detection, views));
        let is_keyword =
            |(anchor, _): &(Anchor, u32)| anchor.group == Group::Line;
        Self {
            prefilter: Prefilter::new(
                all.iter().map(|(anchor, rule)| (anchor, *rule)),
            ),
            has_keywords: all.iter().any(is_keyword),
            methods: Methods::new(&all),
            statuses: Statuses::new(&all),
            starts: all
                .iter()
                .filter(|(anchor, _)| anchor.group == Group::Start)
                .map(|(_, rule)| *rule)
                .collect(),
            guards: guards.collect(),
            resolved,
            always,
            torn,
            torn_always,
        }
    }

    /// Rules without a literal that a matching record must hold: they are
    /// evaluated on every record.
    pub fn unanchored(&self) -> &[u32] {
        &self.always
    }

    /// A rule with its field names resolved.
    pub fn resolved(&self, index: u32) -> Option<&Resolved> {
        self.resolved.get(index as usize)
    }

    /// Makes ready for the records of a page: a text of whole lines, and
    /// where something in it is wrapped.
    pub fn turn_to(
        &self,
        page: &[u8],
        wrapped: &[u32],
        scratch: &mut Scratch,
    ) {
        let Scratch { isa, page: grams, seams, high, sight, .. } = scratch;
        self.prefilter.read(*isa, page, 0, grams);
        seams.read(&self.prefilter, *isa, page, wrapped);
        scratch.has_high = false;
        if sight.foreign.page().is_some() {
            foreign::mark(*isa, page, wrapped, high);
            scratch.has_high = high.count() > 0;
            sight.foreign.look(false);
        }
    }

    /// Makes ready for one record alone.
    pub fn turn_to_line(&self, record: &Record<'_>, scratch: &mut Scratch) {
        let Scratch { isa, page: grams, seams, high, .. } = scratch;
        let origin = record.origin();
        self.prefilter.read(*isa, record.line, origin, grams);
        seams.read_line(origin);
        high.clear(origin);
        high.push(0);
        scratch.has_high = scratch.sight.foreign.page().is_some();
    }

    /// Finds the rules that match a record of the page turned to; they
    /// stand in `scratch.rules`. Records are asked about in their order.
    #[inline]
    pub fn find(
        &self,
        rules: &[Rule],
        record: &Record<'_>,
        scratch: &mut Scratch,
    ) {
        scratch.rules.clear();
        scratch.candidates.clear();
        let is_decoded = self.candidates(record, scratch);
        if !scratch.candidates.is_empty() {
            match (is_decoded, record.wrapped) {
                (true, _) => {}
                (false, true) => scratch.sight.look(),
                (false, false) => scratch.sight.look_plain(),
            }
            let is_plain = !is_decoded && !record.wrapped && !scratch.has_high;
            self.evaluate(rules, record, is_plain, scratch);
        }
    }

    /// Lists the rules that could match; true where the record was looked at
    /// in full for that.
    #[inline]
    fn candidates(&self, record: &Record<'_>, scratch: &mut Scratch) -> bool {
        let Scratch { page, candidates, seams, .. } = scratch;
        if !self.always.is_empty() {
            candidates.extend_from_slice(&self.always);
        }
        let (start, end) =
            (record.origin(), record.origin() + record.line.len());
        let mut has_gram = false;
        for place in page.between(start, end) {
            self.look(record, place, candidates);
            has_gram = true;
        }
        let stem = record.get(Field::CsUriStem);
        let stem = stem.or_else(|| record.get(Field::CsUri));
        let is_odd = !begins_plainly(stem);
        if is_odd {
            candidates.extend_from_slice(&self.starts);
        }
        let method = record.layout.column(Field::CsMethod);
        if let Some(span) = method.and_then(|column| record.span(column))
            && self.methods.may_have(record.line, &span)
            && let Some(method) = record.line.get(span)
        {
            self.methods.find(method, candidates);
        }
        if !self.statuses.is_empty()
            && let Some(status) = record.get(Field::ScStatus)
        {
            self.statuses.find(status, candidates);
        }
        let mut is_decoded = record.wrapped
            && (has_gram || seams.between(start, end).next().is_some());
        if is_decoded {
            self.unwrapped(record, scratch);
        }
        if is_odd || stem.is_some_and(|it| has_detour(it, record.wrapped)) {
            self.shortened(record, is_decoded, scratch);
            is_decoded = true;
        }
        if scratch.has_high {
            let is_high = scratch.high.between(start, end).next().is_some();
            scratch.sight.foreign.look(is_high);
            if is_high {
                self.foreign(record, scratch);
            }
        }
        is_decoded
    }

    /// The candidates by a gram that stands in the record.
    #[inline(never)]
    fn look(&self, record: &Record<'_>, place: usize, found: &mut Vec<u32>) {
        let group = record.field_at(place).and_then(group_of);
        if group.is_none() && !self.has_keywords {
            return;
        }
        let wanted = |own| own == Group::Line || Some(own) == group;
        let at = place - record.origin();
        self.prefilter.look(record.line, at, wanted, found);
    }

    /// The candidates in the decoded forms of a request.
    #[inline(never)]
    fn unwrapped(&self, record: &Record<'_>, scratch: &mut Scratch) {
        scratch.sight.look();
        scratch.sight.decode(&record.target());
        let Scratch { sight, form: grams, candidates, isa, .. } = scratch;
        let wanted = |own| matches!(own, Group::Line | Group::Request);
        let decoded = [sight.stem(), sight.query()];
        for (form, _) in decoded.into_iter().flat_map(Decoded::forms) {
            self.prefilter.read(*isa, form, 0, grams);
            for at in grams.between(0, form.len()) {
                self.prefilter.look(form, at, wanted, candidates);
            }
        }
    }

    /// The candidates in the path without its detours.
    #[inline(never)]
    fn shortened(
        &self,
        record: &Record<'_>,
        is_decoded: bool,
        scratch: &mut Scratch,
    ) {
        let Scratch { sight, form: grams, candidates, isa, .. } = scratch;
        if !is_decoded {
            if record.wrapped {
                sight.look();
            } else {
                sight.look_plain();
            }
            sight.decode(&record.target());
        }
        let wanted = |own| matches!(own, Group::Line | Group::Request);
        for path in sight.short() {
            self.prefilter.read(*isa, path, 0, grams);
            for at in grams.between(0, path.len()) {
                self.prefilter.look(path, at, wanted, candidates);
            }
        }
    }

    /// The candidates in what a code page makes of the record.
    #[inline(never)]
    fn foreign(&self, record: &Record<'_>, scratch: &mut Scratch) {
        let Scratch { sight, form: grams, candidates, isa, .. } = scratch;
        sight.foreign.texts(record, self.has_keywords, &mut |spot, text| {
            let field = match spot {
                Spot::Column(field) => field,
                Spot::Target | Spot::Line => None,
            };
            let group = match spot {
                Spot::Target => Some(Group::Request),
                Spot::Column(_) => field.and_then(group_of),
                Spot::Line => None,
            };
            let wanted = |own| own == Group::Line || Some(own) == group;
            self.prefilter.read(*isa, text, 0, grams);
            for at in grams.between(0, text.len()) {
                self.prefilter.look(text, at, wanted, candidates);
            }
            if field == Some(Field::CsMethod) {
                self.methods.find(text, candidates);
            }
        });
    }

    #[inline(never)]
    fn evaluate(
        &self,
        rules: &[Rule],
        record: &Record<'_>,
        is_plain: bool,
        scratch: &mut Scratch,
    ) {
        if is_plain {
            let guards = &self.guards;
            scratch.candidates.retain(|index| {
                let guard = guards.get(*index as usize);
                guard.is_none_or(|guard| guard.lets_pass(record))
            });
        }
        scratch.candidates.sort_unstable();
        scratch.candidates.dedup();
        for index in &scratch.candidates {
            let at = *index as usize;
            if let (Some(rule), Some(views)) =
                (rules.get(at), self.resolved.get(at))
                && views.matches(&rule.detection, record, &mut scratch.sight)
            {
                scratch.rules.push(*index);
            }
        }
        if !scratch.rules.is_empty() {
            scratch.sight.decode(&record.target());
        }
    }

    /// Finds the rules whose texts stand in a rejected line.
    pub fn find_rejected(
        &self,
        rules: &[Rule],
        line: &[u8],
        scratch: &mut Scratch,
    ) {
        scratch.rules.clear();
        scratch.decoded.set(line);
        scratch.sight.foreign.read_line(line, &mut scratch.foreign);
        let Scratch { decoded, foreign, candidates: found, .. } = scratch;
        let line = Torn { raw: line, decoded, foreign };
        found.clear();
        found.extend_from_slice(&self.torn_always);
        for text in line.texts() {
            self.torn.find_slowly(text, found);
        }
        found.sort_unstable();
        found.dedup();
        for index in &scratch.candidates {
            let at = *index as usize;
            if let (Some(rule), Some(views)) =
                (rules.get(at), self.resolved.get(at))
                && views.matches_rejected(&rule.detection, &line)
            {
                scratch.rules.push(*index);
            }
        }
    }

    /// What a rule matched on, for a record just looked at.
    pub fn explain(
        &self,
        rule: &Rule,
        index: u32,
        record: &Record<'_>,
        scratch: &mut Scratch,
    ) -> Vec<String> {
        self.resolved.get(index as usize).map_or_else(Vec::new, |views| {
            views.explain(&rule.detection, record, &mut scratch.sight)
        })
    }

    /// A rule evaluated without the prefilter: what the oracle of the tests
    /// compares with.
    pub fn matches(
        &self,
        rule: &Rule,
        index: u32,
        record: &Record<'_>,
        sight: &mut Sight,
    ) -> bool {
        sight.look();
        sight.foreign.look(true);
        sight.decode(&record.target());
        self.resolved
            .get(index as usize)
            .is_some_and(|it| it.matches(&rule.detection, record, sight))
    }
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

/// True where a form of the stem could be shortened, which also shows in
/// what its escapes stand for.
#[inline]
fn has_detour(stem: &[u8], wrapped: bool) -> bool {
    may_shorten(stem) || (wrapped && is_wrapped(stem) && may_hide_detour(stem))
}

#[inline(never)]
fn may_hide_detour(stem: &[u8]) -> bool {
    let is_part = |at: usize| match stem.get(at..).map(unwrap) {
        Some(Wrapping::Byte(byte)) => matches!(byte, b'/' | b'\\' | b'.'),
        Some(Wrapping::Deep) => true,
        Some(Wrapping::None) | None => false,
    };
    let places = stem.iter().enumerate();
    places.filter(|(_, byte)| is_wrapped(&[**byte])).any(|(at, _)| is_part(at))
}

/// The filter for rejected lines, and the rules it cannot speak for.
fn torn(rules: &[Rule], resolved: &[Resolved]) -> (Prefilter, Vec<u32>) {
    let mut all = Vec::new();
    let mut always = Vec::new();
    for ((rule, views), index) in rules.iter().zip(resolved).zip(0_u32..) {
        match torn_anchors(&rule.detection, views) {
            Some(found) => {
                all.extend(found.into_iter().map(|one| (one, index)));
            }
            None => always.push(index),
        }
    }
    let anchors = all.iter().map(|(anchor, rule)| (anchor, *rule));
    (Prefilter::slow(anchors), always)
}

/// The verbs that are anchors.
#[derive(Debug)]
struct Methods {
    /// One bit for each short verb: that of most records is not here.
    seen: u64,
    /// Verbs of at most eight bytes, folded, each with its rules.
    short: Vec<(u64, Vec<u32>)>,
    /// Longer ones.
    long: Vec<(Vec<u8>, Vec<u32>)>,
}

impl Methods {
    fn new(all: &[(Anchor, u32)]) -> Self {
        let mut methods =
            Self { seen: 0, short: Vec::new(), long: Vec::new() };
        for (anchor, rule) in all {
            if anchor.group != Group::Method {
                continue;
            }
            match short(&anchor.text) {
                Some(key) => {
                    methods.seen |= bit(key);
                    // A plus may be written for it.
                    if anchor.text.contains(&b' ') {
                        methods.seen = u64::MAX;
                    }
                    enter(&mut methods.short, key, *rule);
                }
                None => enter(&mut methods.long, anchor.text.clone(), *rule),
            }
        }
        methods
    }

    /// False where no rule asks for the verb that stands there in a line.
    /// That of most records is none, so this must not cost more than a few
    /// steps.
    #[inline]
    fn may_have(&self, line: &[u8], span: &Range<usize>) -> bool {
        let eight = line.get(span.start..).and_then(<[u8]>::first_chunk);
        let (Some(eight), length @ 0..=8) = (eight, span.len()) else {
            return true;
        };
        self.seen & bit(u64::from_le_bytes(*eight) & KEPT[length]) != 0
    }

    #[inline(never)]
    fn find(&self, method: &[u8], rules: &mut Vec<u32>) {
        let own = short(method);
        for (key, of) in &self.short {
            if own == Some(*key) {
                rules.extend_from_slice(of);
            }
        }
        if own.is_none() {
            for (name, of) in &self.long {
                if Fold::CaseAndPlus.equals(method, name) {
                    rules.extend_from_slice(of);
                }
            }
        }
    }
}

fn enter<K: PartialEq>(list: &mut Vec<(K, Vec<u32>)>, key: K, rule: u32) {
    match list.iter_mut().find(|(own, _)| *own == key) {
        Some((_, rules)) => rules.push(rule),
        None => list.push((key, vec![rule])),
    }
}

/// The bytes of a number that a text of so many bytes takes.
const KEPT: [u64; 9] = {
    let mut kept = [0; 9];
    let mut length = 1;
    while length <= 8 {
        kept[length] = u64::MAX >> (64 - 8 * length);
        length += 1;
    }
    kept
};

/// One of 64 bits, the same for both cases of a letter. (Knuth's
/// multiplicative hash.)
#[inline]
fn bit(key: u64) -> u64 {
    let key = key | 0x2020_2020_2020_2020;
    1 << (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58)
}

/// A text of at most eight bytes, folded, as one number. Texts of different
/// length differ, except in NUL bytes, of which no verb has any.
fn short(text: &[u8]) -> Option<u64> {
    let number = match *text {
        [] => 0,
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_le_bytes([a, b])),
        [a, b, c] => u64::from(u32::from_le_bytes([a, b, c, 0])),
        // Four bytes from each end, which may overlap: not byte by byte,
        // because this is asked of every record.
        [a, b, c, d, ..] if text.len() <= 8 => {
            let first = u64::from(u32::from_le_bytes([a, b, c, d]));
            let last = u32::from_le_bytes(*text.last_chunk()?);
            first | u64::from(last) << (8 * (text.len() - 4))
        }
        _ => return None,
    };
    Some(Fold::CaseAndPlus.apply_8(number.to_le_bytes()))
}
