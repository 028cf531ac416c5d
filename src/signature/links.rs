//! Ties rules together: correlations to the rules whose hits they are about,
//! filters to the rules that they narrow.
//!
//! In: all rules of a set, and what correlations and filters name. Out: the
//! same rules, each with the correlations that it feeds; or a fault where a
//! name leads nowhere or in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::raw::Raw;
use crate::signature::catalogue::Feature;
use crate::signature::correlation::{Correlation, Feed, Key};
use crate::signature::correlation_reader::Wanted;
use crate::signature::diagnostic::{Diagnostic, Position, nearest, quote};
use crate::signature::reader::Filter;
use crate::signature::rule::Rule;

/// What rules are tied by.
pub(super) struct Links<'s> {
    /// Correlations by the name of their rule.
    pub wanted: BTreeMap<String, Wanted>,
    /// Filters.
    pub filters: Vec<Filter>,
    /// What features are called.
    pub features: &'s [Feature],
    /// Fields mean logged columns and nothing more.
    pub strict: bool,
    /// Whether a file came with the program: its correlations do not silence
    /// the rules of others, nor others its rules.
    pub is_own: &'s dyn Fn(&Raw) -> bool,
    /// The text of a file.
    pub text: &'s dyn Fn(&Raw) -> Vec<u8>,
}

/// Where the names and ids of rules lead.
type Index = BTreeMap<String, usize>;

impl Links<'_> {
    /// Ties the rules, which are sorted by name.
    pub fn tie(mut self, rules: &mut [Rule], faults: &mut Vec<Diagnostic>) {
        let mut index = Index::new();
        for (rule, place) in rules.iter().zip(0..) {
            index.insert(rule.name.clone(), place);
            index.extend(rule.id.clone().map(|id| (id, place)));
        }
        let before = faults.len();
        self.narrow(rules, &index, faults);
        self.resolve(rules, &index, faults);
        if faults.len() > before {
            return;
        }
        let Some(order) = self.order(rules, faults) else { return };
        self.silence(rules, &index);
        self.feed(rules, &index, &order, faults);
    }

    /// Applies the filters.
    fn narrow(
        &self,
        rules: &mut [Rule],
        index: &Index,
        faults: &mut Vec<Diagnostic>,
    ) {
        for filter in &self.filters {
            let Some(named) = &filter.rules else {
                let lines = rules.iter_mut();
                lines
                    .filter(|rule| !self.wanted.contains_key(&rule.name))
                    .for_each(|it| it.detection.narrow(&filter.detection));
                continue;
            };
            for (name, at) in named {
                let Some(rule) = find(name, index, rules) else {
                    faults.push(self.unknown(&filter.file, name, *at, rules));
                    continue;
                };
                if self.wanted.contains_key(&rule.name) {
                    let what = format!("{} is a correlation", quote(name));
                    let help = "filter the rules that it is about";
                    let file = &filter.file;
                    faults.push(self.fault(file, *at, what, Some(help)));
                    continue;
                }
                let place = index.get(&rule.name).copied();
                if let Some(rule) = place.and_then(|it| rules.get_mut(it)) {
                    rule.detection.narrow(&filter.detection);
                }
            }
        }
    }

    /// Puts the names of rules in place of their ids.
    fn resolve(
        &mut self,
        rules: &[Rule],
        index: &Index,
        faults: &mut Vec<Diagnostic>,
    ) {
        let mut wanted = std::mem::take(&mut self.wanted);
        for (own, one) in &mut wanted {
            let Some(rule) = find(own, index, rules) else { continue };
            let Wanted { correlation, places, .. } = one;
            for (name, at) in correlation.rules.iter_mut().zip(places.iter()) {
                let Some(found) = find(name, index, rules) else {
                    faults.push(self.unknown(&rule.file, name, *at, rules));
                    continue;
                };
                for fields in correlation.aliases.values_mut() {
                    if let Some(field) = fields.remove(name.as_str()) {
                        fields.insert(found.name.clone(), field);
                    }
                }
                name.clone_from(&found.name);
            }
            let at = places.first().copied();
            let at = at.unwrap_or(Position { line: 1, column: 1 });
            for (alias, fields) in &correlation.aliases {
                let has = |rule: &&String| fields.contains_key(*rule);
                let named = correlation.rules.iter().filter(has).count();
                let what = match named.cmp(&correlation.rules.len()) {
                    std::cmp::Ordering::Less => "has no field for each rule",
                    _ if fields.len() > named => {
                        "has a field for a rule that the correlation does \
                         not name"
                    }
                    _ => continue,
                };
                let what = format!("the alias {} {what}", quote(alias));
                faults.push(self.fault(&rule.file, at, what, None));
            }
        }
        self.wanted = wanted;
    }

    /// Correlations in an order in which each comes before those that are
    /// its events; none where they go in a circle.
    fn order(
        &self,
        rules: &[Rule],
        faults: &mut Vec<Diagnostic>,
    ) -> Option<Vec<String>> {
        let mut done = BTreeSet::new();
        let mut order = Vec::new();
        for name in self.wanted.keys() {
            let mut path = Vec::new();
            if let Err(circle) =
                self.visit(name, &mut path, &mut done, &mut order)
            {
                let file = rules.iter().find(|rule| rule.name == *name);
                let file = file.map(|rule| rule.file.clone());
                let place = self.place_in_circle(&circle);
                let what = format!(
                    "correlations go in a circle: {}",
                    circle.join(" -> ")
                );
                let help = "a correlation cannot be an event of itself";
                let file = file.unwrap_or_default();
                faults.push(self.fault(&file, place, what, Some(help)));
                return None;
            }
        }
        order.reverse();
        Some(order)
    }

    /// The place where the first of a circle names the second.
    fn place_in_circle(&self, circle: &[String]) -> Position {
        let place = || {
            let [first, second, ..] = circle else { return None };
            let wanted = self.wanted.get(first)?;
            let step = wanted.correlation.step_of(second)?;
            wanted.places.get(usize::from(step)).copied()
        };
        place().unwrap_or(Position { line: 1, column: 1 })
    }

    /// Lists a correlation after those that are its events.
    fn visit(
        &self,
        name: &str,
        path: &mut Vec<String>,
        done: &mut BTreeSet<String>,
        order: &mut Vec<String>,
    ) -> Result<(), Vec<String>> {
        let Some(wanted) = self.wanted.get(name) else { return Ok(()) };
        if done.contains(name) {
            return Ok(());
        }
        path.push(name.to_owned());
        if let Some(start) = path.iter().position(|it| it == name)
            && start + 1 < path.len()
        {
            return Err(path.split_off(start));
        }
        for event in &wanted.correlation.rules {
            self.visit(event, path, done, order)?;
        }
        path.pop();
        done.insert(name.to_owned());
        order.push(name.to_owned());
        Ok(())
    }

    /// Tells each rule what its hits are events of.
    fn feed(
        &self,
        rules: &mut [Rule],
        index: &Index,
        order: &[String],
        faults: &mut Vec<Diagnostic>,
    ) {
        for name in order {
            let (Some(wanted), Some(place)) =
                (self.wanted.get(name), index.get(name))
            else {
                continue;
            };
            let Some(rule) = rules.get(*place) else { continue };
            self.check_events(rule, wanted, faults);
            let correlation = Arc::new(self.described(rule, wanted));
            if let Some(rule) = rules.get_mut(*place) {
                rule.correlation = Some(Arc::clone(&correlation));
            }
            for (event, step) in correlation.rules.iter().zip(0_u16..) {
                let key = |name: &String| {
                    Key::of(correlation.field_for(name, event), self.strict)
                };
                let feed = Feed {
                    correlation: Arc::clone(&correlation),
                    step,
                    keys: correlation.group_by.iter().map(key).collect(),
                    value: correlation.field.as_ref().map(key),
                };
                let rule = index.get(event).and_then(|it| rules.get_mut(*it));
                if let Some(rule) = rule {
                    rule.feeds.push(feed);
                }
            }
        }
    }

    /// What an inner correlation tells of itself is what it groups by.
    fn check_events(
        &self,
        rule: &Rule,
        wanted: &Wanted,
        faults: &mut Vec<Diagnostic>,
    ) {
        let own = &wanted.correlation;
        for (event, at) in own.rules.iter().zip(&wanted.places) {
            let Some(inner) = self.wanted.get(event) else { continue };
            let told = &inner.correlation.group_by;
            for name in own.group_by.iter().chain(&own.field) {
                let field = own.field_for(name, event);
                if told.iter().any(|it| it == field) {
                    continue;
                }
                let what = format!(
                    "the correlation {} does not tell {}",
                    quote(event),
                    quote(field)
                );
                let help = "it tells only what it groups by";
                faults.push(self.fault(&rule.file, *at, what, Some(help)));
            }
        }
    }

    /// The correlation with what its rule says of itself.
    fn described(&self, rule: &Rule, wanted: &Wanted) -> Correlation {
        let sleuth = &rule.sleuth;
        let id = sleuth.feature.as_deref();
        let feature =
            self.features.iter().find(|it| Some(it.id.as_str()) == id);
        Correlation {
            rule: rule.name.clone(),
            title: rule.title.clone(),
            rule_id: rule.id.clone(),
            level: rule.level,
            stage: sleuth.stage,
            feature: sleuth.feature.clone(),
            feature_name: feature.map(|it| it.name.clone()),
            advisories: sleuth.advisories.clone(),
            worm: sleuth.worm,
            is_silent: rule.is_silent,
            outer: rule
                .feeds
                .iter()
                .map(|it| it.correlation.clone())
                .collect(),
            ..wanted.correlation.clone()
        }
    }

    /// Rules that are there for correlations alone keep silent.
    fn silence(&self, rules: &mut [Rule], index: &Index) {
        let mut told = BTreeSet::new();
        let mut silent = BTreeSet::new();
        for (name, wanted) in &self.wanted {
            let Some(own) = find(name, index, rules) else { continue };
            let is_own = (self.is_own)(&own.file);
            let events = wanted.correlation.rules.iter();
            let same = events.filter(|event| {
                let rule = find(event, index, rules);
                rule.is_some_and(|it| (self.is_own)(&it.file) == is_own)
            });
            let list = if wanted.generate { &mut told } else { &mut silent };
            list.extend(same.cloned());
        }
        for rule in rules {
            rule.is_silent =
                silent.contains(&rule.name) && !told.contains(&rule.name);
        }
    }

    fn unknown(
        &self,
        file: &Raw,
        name: &str,
        at: Position,
        rules: &[Rule],
    ) -> Diagnostic {
        let names: Vec<&str> =
            rules.iter().map(|rule| rule.name.as_str()).collect();
        let help = nearest(name, &names)
            .map(|near| format!("did you mean `{near}`?"));
        let what = format!("no rule has the name or id {}", quote(name));
        self.fault(file, at, what, help.as_deref())
    }

    fn fault(
        &self,
        file: &Raw,
        at: Position,
        message: String,
        help: Option<&str>,
    ) -> Diagnostic {
        let text = (self.text)(file);
        let text = String::from_utf8_lossy(&text);
        let source = text.lines().nth(at.line.saturating_sub(1));
        Diagnostic {
            file: file.clone(),
            line: at.line,
            column: at.column,
            message,
            help: help.map(str::to_owned),
            source: source.map(str::to_owned),
        }
    }
}

fn find<'r>(name: &str, index: &Index, rules: &'r [Rule]) -> Option<&'r Rule> {
    index.get(name).and_then(|place| rules.get(*place))
}
