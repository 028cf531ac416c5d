//! Which columns a log must have before a rule can be judged on it.
//!
//! In: a rule's condition. Out: groups of columns of each of which a log has
//! one, or the rule cannot match whatever the lines hold. What a rule
//! excludes needs no column.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::signature::correlation::{Correlation, Key};
use crate::signature::evaluate::Resolved;
use crate::signature::rule::{Detection, Expr, Level, Op, Rule};
use crate::signature::view::View;
use crate::w3c::Field;

/// Groups beyond which nothing is said: a rule may combine what it likes.
const GROUPS: usize = 64;

/// Columns by their names in small letters, one of which is enough.
type Group = BTreeSet<String>;

/// The columns that a rule needs: one of each group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// The rule's name.
    pub rule: String,
    /// How grave it is.
    pub level: Level,
    /// Its groups.
    pub needs: BTreeSet<Group>,
}

impl Needs {
    /// The groups that none of a log's columns is in.
    pub fn missing(
        &self,
        has: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = &Group> {
        let lacks = move |group: &&Group| !group.iter().any(|it| has(it));
        self.needs.iter().filter(lacks)
    }
}

/// What each rule needs that gives findings of its own, and needs any.
pub(super) fn of_all(rules: &[Rule], resolved: &[Resolved]) -> Vec<Needs> {
    let own: BTreeMap<&str, BTreeSet<Group>> = rules
        .iter()
        .zip(resolved)
        .filter(|(rule, _)| rule.correlation.is_none())
        .map(|(rule, views)| (rule.name.as_str(), of(&rule.detection, views)))
        .collect();
    let by_name: BTreeMap<&str, &Rule> =
        rules.iter().map(|rule| (rule.name.as_str(), rule)).collect();
    let told = rules.iter().filter(|rule| !rule.is_silent);
    let needs = told.map(|rule| Needs {
        rule: rule.name.clone(),
        level: rule.level,
        needs: match &rule.correlation {
            None => own.get(rule.name.as_str()).cloned().unwrap_or_default(),
            Some(it) => of_correlation(it, &own, &by_name),
        },
    });
    needs.filter(|it| !it.needs.is_empty()).collect()
}

/// What the events of a correlation need, and what tells them apart. No
/// rule is reached through itself: the reader refuses that.
fn of_correlation(
    correlation: &Correlation,
    own: &BTreeMap<&str, BTreeSet<Group>>,
    rules: &BTreeMap<&str, &Rule>,
) -> BTreeSet<Group> {
    let events = correlation.rules.iter().map(|name| {
        let inner = rules.get(name.as_str());
        match inner.and_then(|rule| rule.correlation.as_deref()) {
            Some(inner) => of_correlation(inner, own, rules),
            None => own.get(name.as_str()).cloned().unwrap_or_default(),
        }
    });
    let mut needs = if correlation.kind.counts() {
        events.reduce(either).unwrap_or_default()
    } else {
        events.fold(BTreeSet::new(), both)
    };
    let fields = correlation.group_by.iter().chain(&correlation.field);
    for name in fields {
        if !correlation.aliases.contains_key(name) {
            needs.extend(of_key(&Key::of(name, false)));
        }
    }
    needs
}

fn of(detection: &Detection, views: &Resolved) -> BTreeSet<Group> {
    of_part(&detection.expr, detection, views)
}

fn of_part(
    expr: &Expr,
    detection: &Detection,
    views: &Resolved,
) -> BTreeSet<Group> {
    let each = |part: &Expr| of_part(part, detection, views);
    match expr {
        Expr::All(parts) => parts.iter().map(each).fold(BTreeSet::new(), both),
        Expr::Any(parts) => {
            parts.iter().map(each).reduce(either).unwrap_or_default()
        }
        Expr::Not(_) => BTreeSet::new(),
        Expr::Test(index) => {
            let op = detection.tests.get(*index).map(|test| &test.op);
            match op {
                // A column that is not there has no value.
                None | Some(Op::Null | Op::Exists(false)) => BTreeSet::new(),
                Some(_) => {
                    let other = views.other(*index).and_then(group);
                    let own = group(views.view(*index));
                    own.into_iter().chain(other).collect()
                }
            }
        }
    }
}

/// The columns that records are told apart by; none where that is known
/// without a column.
fn of_key(key: &Key) -> Option<Group> {
    match key {
        Key::Host | Key::Site => None,
        Key::Client => group(&View::Field(Field::CIp)),
        Key::Target => group(&View::Request),
        Key::View(view) => group(view),
    }
}

/// The columns that a view is of; none where it is of whole lines.
fn group(view: &View) -> Option<Group> {
    let names = |fields: &[Field]| -> Group {
        fields.iter().map(|field| field.name().to_owned()).collect()
    };
    Some(match view {
        View::Line => return None,
        View::Request => {
            names(&[Field::CsUriStem, Field::CsUriQuery, Field::CsUri])
        }
        View::Stem | View::Extension => {
            names(&[Field::CsUriStem, Field::CsUri])
        }
        View::Field(field) => names(&[*field]),
        View::Custom(name) => Group::from([name.clone()]),
    })
}

fn both(mut a: BTreeSet<Group>, b: BTreeSet<Group>) -> BTreeSet<Group> {
    a.extend(b);
    bounded(&a)
}

/// One of each group of either side: of every pair of groups, one.
#[allow(clippy::needless_pass_by_value)] // it is folded with
fn either(a: BTreeSet<Group>, b: BTreeSet<Group>) -> BTreeSet<Group> {
    if a.len().saturating_mul(b.len()) > GROUPS * GROUPS {
        return BTreeSet::new();
    }
    let pairs = a.iter().flat_map(|one| b.iter().map(move |two| (one, two)));
    bounded(&pairs.map(|(one, two)| one | two).collect())
}

/// Without groups that ask for no more than a smaller one does.
fn bounded(groups: &BTreeSet<Group>) -> BTreeSet<Group> {
    let is_implied = |group: &Group| {
        groups.iter().any(|it| it != group && it.is_subset(group))
    };
    let kept = groups.iter().filter(|group| !is_implied(group)).cloned();
    let kept: BTreeSet<Group> = kept.collect();
    if kept.len() > GROUPS { BTreeSet::new() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::Raw;
    use crate::signature::Signatures;
    use crate::signature::reader::{Loaded, read_rules};

    fn needs(detection: &str) -> Vec<String> {
        let text = format!(
            "title: own\nlogsource:\n  category: webserver\n\
             level: high\ndetection:\n{detection}"
        );
        let file = Raw::from("own.yml");
        let mut loaded = read_rules(&file, text.as_bytes().into()).unwrap();
        let Some(Loaded::Rule(rule)) = loaded.pop() else { panic!("{text}") };
        let views = Resolved::new(&rule.detection, false);
        let groups = of(&rule.detection, &views).into_iter();
        groups
            .map(|group| group.into_iter().collect::<Vec<_>>().join("|"))
            .collect()
    }

    #[test]
    fn each_form_of_a_condition() {
        let all = "  a:\n    cs-method: POST\n    cs-cookie|contains: x\n  \
                   condition: a\n";
        assert_eq!(needs(all), ["cs(cookie)", "cs-method"]);
        let stem = "  a:\n    cs-uri-stem|endswith: .asp\n  condition: a\n";
        assert_eq!(needs(stem), ["cs-uri|cs-uri-stem"]);
        let either = "  a:\n    cs-method: POST\n    cs-cookie: x\n  \
                      b:\n    cs-method: POST\n    cs-host: y\n  \
                      condition: a or b\n";
        assert_eq!(needs(either), ["cs(cookie)|cs-host", "cs-method"]);
        let none = "  a:\n    cs-method: POST\n    cs-referer: null\n  \
                    b:\n    cs-cookie: x\n  condition: a and not b\n";
        assert_eq!(needs(none), ["cs-method"]);
        let custom = "  a:\n    X-Own-Column: y\n  condition: a\n";
        assert_eq!(needs(custom), ["x-own-column"]);
        let words = "  a:\n    - x\n    - y\n  condition: a\n";
        assert!(needs(words).is_empty());
        let another = "  a:\n    cs-host|fieldref: cs-referer\n  \
                       condition: a\n";
        assert_eq!(needs(another), ["cs(referer)", "cs-host"]);
    }

    #[test]
    fn what_the_rules_of_the_set_need() {
        let signatures = Signatures::embedded().unwrap();
        let needs = signatures.needs();
        assert!(needs.len() > 800);
        let asks = |name: &str| {
            let of = |it: &&Needs| it.missing(|own| own != name).count() > 0;
            needs.iter().filter(of).count()
        };
        assert!(asks("cs(cookie)") > 2, "{}", asks("cs(cookie)"));
        assert_eq!(asks("s-computername"), 0);
        assert!(asks("cs-uri-stem") < 20, "cs-uri does as well");
        let all = needs.iter().map(|it| it.missing(|_| false).count());
        assert!(all.clone().all(|count| count > 0 && count < 8));
    }
}
