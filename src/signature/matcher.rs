//! All rules compiled into one matcher: immutable and shared; the scratch
//! space that a thread needs stands in [`Scratch`].

use crate::signature::anchor::{
    Anchor, Group, anchors, of_groups, torn_anchors,
};
use crate::signature::evaluate::Resolved;
use crate::signature::facts::Facts;
use crate::signature::foreign::{self, Spot};
use crate::signature::methods::Methods;
use crate::signature::needs::{self, Needs};
use crate::signature::ordinary::Values;
use crate::signature::prefilter::{Candidate, Grams, Prefilter};
use crate::signature::request::{Desk, RequestFilter};
use crate::signature::rule::Rule;
use crate::signature::statuses::Statuses;
use crate::signature::torn::Torn;
use crate::signature::view::Sight;
use crate::w3c::decode::Decoded;
use crate::w3c::simd::Isa;
use crate::w3c::{CodePage, Field, Record};

/// The compiled rules.
#[derive(Debug)]
pub struct Matcher {
    resolved: Vec<Resolved>,
    request: RequestFilter,
    /// For all other columns, page by page.
    columns: Prefilter,
    /// A rule looks for keywords, which may stand anywhere in a line.
    has_keywords: bool,
    methods: Methods,
    statuses: Statuses,
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
    /// Where anchors may stand in the page that records come from, but for
    /// requests.
    page: Grams,
    /// For what is looked for in requests.
    request: Desk,
    /// Where a code page may make more of the page, and whether it may.
    high: Grams,
    has_high: bool,
    /// Where anchors may stand in one decoded form.
    form: Grams,
    candidates: Vec<Candidate>,
    /// The rules to evaluate.
    chosen: Vec<u32>,
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
            request: Desk::default(),
            high: Grams::default(),
            has_high: false,
            form: Grams::default(),
            candidates: Vec::new(),
            chosen: Vec::new(),
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

/// What is looked for page by page.
const IN_COLUMNS: [Group; 6] = [
    Group::Agent,
    Group::Referer,
    Group::Cookie,
    Group::User,
    Group::Host,
    Group::Line,
];

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
        Self {
            request: RequestFilter::new(&all),
            columns: Prefilter::new(
                of_groups(&all, &IN_COLUMNS),
                Values::Headers,
            ),
            has_keywords: of_groups(&all, &[Group::Line]).next().is_some(),
            methods: Methods::new(&all),
            statuses: Statuses::new(&all),
            resolved,
            always,
            torn,
            torn_always,
        }
    }

    /// What rules need of a log.
    pub fn needs(&self, rules: &[Rule]) -> Vec<Needs> {
        needs::of_all(rules, &self.resolved)
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
        let Scratch { isa, page: grams, request, high, sight, .. } = scratch;
        self.columns.read(*isa, page, 0, grams);
        self.request.turn_to(*isa, page, wrapped, request);
        scratch.has_high = false;
        if sight.foreign.page().is_some() {
            foreign::mark(*isa, page, wrapped, high);
            scratch.has_high = high.count() > 0;
            sight.foreign.look(false);
        }
    }

    /// Makes ready for one record alone.
    pub fn turn_to_line(&self, record: &Record<'_>, scratch: &mut Scratch) {
        let Scratch { isa, page: grams, request, high, .. } = scratch;
        let origin = record.origin();
        self.columns.read(*isa, record.line, origin, grams);
        RequestFilter::turn_to_line(request);
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
        let has_one_form = self.candidates(record, scratch);
        if !scratch.candidates.is_empty() {
            if record.wrapped {
                scratch.sight.look();
            } else {
                scratch.sight.look_plain();
            }
            let is_plain =
                has_one_form && !record.wrapped && !scratch.has_high;
            self.evaluate(rules, record, is_plain, scratch);
        }
    }

    /// Lists the rules that could match; true where the stem has but one
    /// form.
    #[inline]
    fn candidates(&self, record: &Record<'_>, scratch: &mut Scratch) -> bool {
        let Scratch { isa, page, candidates, request, .. } = scratch;
        if !self.always.is_empty() {
            let all =
                |rule: &u32| Candidate { rule: *rule, needs: Facts::ALL };
            candidates.extend(self.always.iter().map(all));
        }
        let (start, end) =
            (record.origin(), record.origin() + record.line.len());
        for place in page.between(start, end) {
            self.look(record, place, candidates);
        }
        let has_one_form =
            self.request.find(*isa, record, request, candidates);
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
        if scratch.has_high {
            let is_high = scratch.high.between(start, end).next().is_some();
            scratch.sight.foreign.look(is_high);
            if is_high {
                self.foreign(record, scratch);
            }
        }
        has_one_form
    }

    /// The candidates by a gram that stands in another column.
    #[inline(never)]
    fn look(
        &self,
        record: &Record<'_>,
        place: usize,
        found: &mut Vec<Candidate>,
    ) {
        let group = record.field_at(place).and_then(group_of);
        if group.is_none() && !self.has_keywords {
            return;
        }
        let wanted = |own| own == Group::Line || Some(own) == group;
        let at = place - record.origin();
        self.columns.look(record.line, at, wanted, found);
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
            if group == Some(Group::Request) {
                self.request.look_at(*isa, text, candidates);
            }
            self.columns.read(*isa, text, 0, grams);
            for at in grams.between(0, text.len()) {
                self.columns.look(text, at, wanted, candidates);
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
        let Scratch { candidates, chosen, has_high, .. } = scratch;
        chosen.clear();
        if !*has_high {
            let facts = Facts::first_of(record);
            candidates.retain(|one| one.needs.let_pass(facts));
            if candidates.is_empty() {
                return;
            }
            let facts = Facts::rest_of(record, is_plain);
            candidates.retain(|one| one.needs.let_pass(facts));
        }
        chosen.extend(candidates.iter().map(|one| one.rule));
        scratch.chosen.sort_unstable();
        scratch.chosen.dedup();
        for index in &scratch.chosen {
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
        let Scratch { decoded, foreign, candidates: found, chosen, .. } =
            scratch;
        let line = Torn { raw: line, decoded, foreign };
        found.clear();
        for text in line.texts() {
            self.torn.find_slowly(text, found);
        }
        chosen.clear();
        chosen.extend_from_slice(&self.torn_always);
        chosen.extend(found.iter().map(|one| one.rule));
        chosen.sort_unstable();
        chosen.dedup();
        for index in &scratch.chosen {
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
