//! All rules compiled into one matcher: immutable and shared; the scratch
//! space that a thread needs stands in [`Scratch`].

use crate::signature::anchor::{Anchor, Group, anchors, torn_anchors};
use crate::signature::evaluate::Resolved;
use crate::signature::pattern::Fold;
use crate::signature::prefilter::Prefilter;
use crate::signature::rule::Rule;
use crate::signature::view::Sight;
use crate::w3c::decode::Decoded;
use crate::w3c::{Field, Record};

/// The compiled rules.
#[derive(Debug)]
pub struct Matcher {
    resolved: Vec<Resolved>,
    request: Prefilter,
    headers: Vec<(Field, Prefilter)>,
    line: Prefilter,
    methods: Vec<(Vec<u8>, Vec<u32>)>,
    always: Vec<u32>,
    /// For rejected lines, where columns mean nothing.
    torn: Prefilter,
    torn_always: Vec<u32>,
}

/// What one thread needs to match records.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The decoded forms of the record looked at last.
    pub sight: Sight,
    /// The rules that matched it, in their order.
    pub rules: Vec<u32>,
    candidates: Vec<u32>,
    decoded: Decoded,
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
            match anchors(&rule.detection, views) {
                Some(found) => {
                    all.extend(found.into_iter().map(|one| (one, index)));
                }
                None => always.push(index),
            }
        }
        let (torn, torn_always) = torn(rules, &resolved);
        let filter = |group| {
            Prefilter::new(group, all.iter().map(|(one, rule)| (one, *rule)))
        };
        let headers = [
            (Field::CsUserAgent, Group::Agent),
            (Field::CsReferer, Group::Referer),
            (Field::CsCookie, Group::Cookie),
            (Field::CsUsername, Group::User),
            (Field::CsHost, Group::Host),
        ];
        Self {
            request: filter(Group::Request),
            headers: headers
                .into_iter()
                .map(|(field, group)| (field, filter(group)))
                .filter(|(_, filter)| !filter.is_empty())
                .collect(),
            line: filter(Group::Line),
            methods: methods(&all),
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

    /// Finds the rules that match a record; they stand in `scratch.rules`.
    #[inline]
    pub fn find(
        &self,
        rules: &[Rule],
        record: &Record<'_>,
        scratch: &mut Scratch,
    ) {
        scratch.rules.clear();
        scratch.candidates.clear();
        self.candidates(record, scratch);
        if !scratch.candidates.is_empty() {
            self.evaluate(rules, record, scratch);
        }
    }

    #[inline]
    fn candidates(&self, record: &Record<'_>, scratch: &mut Scratch) {
        let found = &mut scratch.candidates;
        found.extend_from_slice(&self.always);
        let target = scratch.sight.look(record);
        for text in [target.stem, target.query].into_iter().flatten() {
            self.request.find(text, found);
        }
        let decoded = [scratch.sight.stem(), scratch.sight.query()];
        for (form, _) in decoded.into_iter().flat_map(Decoded::forms) {
            self.request.find(form, found);
            if !self.line.is_empty() {
                self.line.find(form, found);
            }
        }
        if target.disguise.is_some()
            && let Some(stem) = record.logged_target().stem
        {
            self.request.find(stem, found);
        }
        for (field, filter) in &self.headers {
            if let Some(text) = record.get(*field) {
                filter.find(text, found);
            }
        }
        if !self.line.is_empty() {
            self.line.find(record.line, found);
        }
        if let Some(method) = record.get(Field::CsMethod) {
            for (name, rules) in &self.methods {
                if Fold::CaseAndPlus.equals(method, name) {
                    found.extend_from_slice(rules);
                }
            }
        }
    }

    #[cold]
    fn evaluate(
        &self,
        rules: &[Rule],
        record: &Record<'_>,
        scratch: &mut Scratch,
    ) {
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
        let found = &mut scratch.candidates;
        found.clear();
        found.extend_from_slice(&self.torn_always);
        self.torn.find(line, found);
        for (form, _) in scratch.decoded.forms() {
            self.torn.find(form, found);
        }
        found.sort_unstable();
        found.dedup();
        for index in &scratch.candidates {
            let at = *index as usize;
            let decoded = &scratch.decoded;
            if let (Some(rule), Some(views)) =
                (rules.get(at), self.resolved.get(at))
                && views.matches_rejected(&rule.detection, line, decoded)
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
        sight.look(record);
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
    (Prefilter::new(Group::Line, anchors), always)
}

/// The rules of each method that is an anchor.
fn methods(all: &[(Anchor, u32)]) -> Vec<(Vec<u8>, Vec<u32>)> {
    let mut methods: Vec<(Vec<u8>, Vec<u32>)> = Vec::new();
    for (anchor, rule) in all {
        if anchor.group != Group::Method {
            continue;
        }
        let known = methods.iter_mut().find(|(name, _)| *name == anchor.text);
        match known {
            Some((_, rules)) => rules.push(*rule),
            None => methods.push((anchor.text.clone(), vec![*rule])),
        }
    }
    methods
}
