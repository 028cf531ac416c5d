//! A rule's condition on one record, exactly. Slow and plain: the matcher
//! asks it only about rules whose required literals were seen.

use std::net::IpAddr;

use crate::signature::expression::Expression;
use crate::signature::needle::Needles;
use crate::signature::pattern::Fold;
use crate::signature::rule::{
    Comparison, Detection, Expr, How, Network, Op, Part, Test,
};
use crate::signature::view::{Form, Sight, View};
use crate::w3c::{Field, Record};

/// A detection with its field names resolved.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The condition, what is cheap to tell first.
    pub(super) plan: Expr,
    /// The patterns of each test where any of them will do.
    needles: Vec<Option<Needles>>,
    views: Vec<View>,
    others: Vec<Option<View>>,
    pub(super) fold: Fold,
}

impl Resolved {
    /// Resolves the names for the IIS view, or for the plain columns.
    pub fn new(detection: &Detection, strict: bool) -> Self {
        let view = |test: &Test| View::of(test.field.as_deref(), strict);
        let other = |test: &Test| match &test.op {
            Op::FieldRef { other, .. } => Some(View::of(Some(other), strict)),
            _ => None,
        };
        let mut plan = detection.expr.clone();
        order(&mut plan, detection);
        let fold = if strict { Fold::Case } else { Fold::CaseAndPlus };
        let needles = |test: &Test| match &test.op {
            Op::Text { patterns, all: false } => {
                Some(Needles::new(patterns, fold))
            }
            _ => None,
        };
        Self {
            plan,
            needles: detection.tests.iter().map(needles).collect(),
            views: detection.tests.iter().map(view).collect(),
            others: detection.tests.iter().map(other).collect(),
            fold,
        }
    }

    /// The view of a test.
    pub fn view(&self, test: usize) -> &View {
        self.views.get(test).unwrap_or(&View::Line)
    }

    /// The view of the field that a test compares with.
    pub fn other(&self, test: usize) -> Option<&View> {
        self.others.get(test)?.as_ref()
    }

    /// How texts compare.
    pub fn fold(&self) -> Fold {
        self.fold
    }

    /// True where the rule matches the record that `sight` looked at.
    pub fn matches(
        &self,
        detection: &Detection,
        record: &Record<'_>,
        sight: &mut Sight,
    ) -> bool {
        self.holds(&self.plan, detection, record, sight)
    }

    fn holds(
        &self,
        expr: &Expr,
        detection: &Detection,
        record: &Record<'_>,
        sight: &mut Sight,
    ) -> bool {
        let mut each = |one| self.holds(one, detection, record, sight);
        match expr {
            Expr::All(parts) => parts.iter().all(each),
            Expr::Any(parts) => parts.iter().any(each),
            Expr::Not(part) => !each(part),
            Expr::Test(index) => self.passes(*index, detection, record, sight),
        }
    }

    /// Whether a test holds for some form of the field: [`Self::test`]
    /// without saying for which.
    fn passes(
        &self,
        index: usize,
        detection: &Detection,
        record: &Record<'_>,
        sight: &mut Sight,
    ) -> bool {
        let Some(Some(needles)) = self.needles.get(index) else {
            return self.test(index, detection, record, sight).is_some();
        };
        let view = self.view(index);
        sight
            .find(view, record, &mut |text| needles.any_matches(text))
            .is_some()
    }

    /// What the rule matched on, one entry a field and form, in the order
    /// of its tests. For rules that match.
    pub fn explain(
        &self,
        detection: &Detection,
        record: &Record<'_>,
        sight: &mut Sight,
    ) -> Vec<String> {
        let mut found = Vec::new();
        self.collect(&detection.expr, detection, record, sight, &mut found);
        found
    }

    fn collect(
        &self,
        expr: &Expr,
        detection: &Detection,
        record: &Record<'_>,
        sight: &mut Sight,
        found: &mut Vec<String>,
    ) {
        match expr {
            Expr::All(parts) | Expr::Any(parts) => {
                for part in parts {
                    if self.holds(part, detection, record, sight) {
                        self.collect(part, detection, record, sight, found);
                    }
                }
            }
            Expr::Not(_) => {}
            Expr::Test(index) => {
                let Some(test) = detection.tests.get(*index) else { return };
                let field = test.field.as_deref().unwrap_or("keyword");
                if let Some(form) = self.test(*index, detection, record, sight)
                {
                    let words = sight.describe(field, form);
                    if !found.contains(&words) {
                        found.push(words);
                    }
                }
            }
        }
    }

    /// The form of the field for which a test holds.
    fn test(
        &self,
        index: usize,
        detection: &Detection,
        record: &Record<'_>,
        sight: &mut Sight,
    ) -> Option<Form> {
        let test = detection.tests.get(index)?;
        let view = self.view(index);
        let fold = self.fold;
        match &test.op {
            Op::Text { patterns, all } => {
                let mut last = None;
                for pattern in patterns {
                    let form = sight.find(view, record, &mut |text| {
                        pattern.matches(text, fold)
                    });
                    if form.is_some() != *all {
                        return form;
                    }
                    last = last.or(form);
                }
                last
            }
            Op::Regex { regexes, all } => {
                let mut last = None;
                for regex in regexes {
                    let form = sight
                        .find(view, record, &mut |text| regex.is_match(text));
                    if form.is_some() != *all {
                        return form;
                    }
                    last = last.or(form);
                }
                last
            }
            Op::Cidr(networks) => sight.find(view, record, &mut |text| {
                address(text).is_some_and(|address| {
                    networks.iter().any(|network| network.contains(address))
                })
            }),
            Op::Compare(comparisons) => {
                sight.find(view, record, &mut |text| {
                    number(text).is_some_and(|number| {
                        comparisons.iter().any(|one| one.holds(number))
                    })
                })
            }
            Op::Exists(wanted) => {
                (has_value(view, record) == *wanted).then_some(Form::Raw)
            }
            Op::Null => (!has_value(view, record)).then_some(Form::Raw),
            Op::FieldRef { how, .. } => {
                let other = self.others.get(index)?.as_ref()?;
                let value = other.raw_value(record)?;
                sight.find(view, record, &mut |text| {
                    how.holds(text, value, fold)
                })
            }
        }
    }

    /// True where the test is on text that a client chose freely.
    pub fn is_text(&self, index: usize) -> bool {
        match self.view(index) {
            View::Line | View::Request | View::Stem => true,
            View::Field(field) => matches!(
                field,
                Field::CsUriStem
                    | Field::CsUriQuery
                    | Field::CsUserAgent
                    | Field::CsReferer
                    | Field::CsCookie
            ),
            View::Extension | View::Custom(_) => false,
        }
    }
}

/// Puts the parts of a condition in the order of what they cost, and
/// returns the cost of all. Nothing else depends on the order.
fn order(expr: &mut Expr, detection: &Detection) -> u32 {
    match expr {
        Expr::All(parts) | Expr::Any(parts) => {
            let own = std::mem::take(parts);
            let mut costs: Vec<_> = own
                .into_iter()
                .map(|mut part| (order(&mut part, detection), part))
                .collect();
            costs.sort_by_key(|(cost, _)| *cost);
            let all = costs.iter().map(|(cost, _)| cost).sum();
            parts.extend(costs.into_iter().map(|(_, part)| part));
            all
        }
        Expr::Not(part) => order(part, detection),
        Expr::Test(index) => detection.tests.get(*index).map_or(0, cost),
    }
}

fn cost(test: &Test) -> u32 {
    match &test.op {
        Op::Text { patterns, .. } => patterns
            .iter()
            .map(|pattern| match pattern.parts.as_slice() {
                [Part::Text(_)] => 1,
                [Part::Text(_), Part::Any] | [Part::Any, Part::Text(_)] => 2,
                [Part::Any, Part::Text(_), Part::Any] => 8,
                _ => 20,
            })
            .sum(),
        Op::Regex { regexes, .. } => {
            let each = |regex: &Expression| {
                u32::try_from(40 + regex.as_str().len()).unwrap_or(u32::MAX)
            };
            regexes.iter().map(each).fold(0, u32::saturating_add)
        }
        Op::Cidr(_) => 20,
        Op::Compare(_) | Op::FieldRef { .. } => 10,
        Op::Exists(_) | Op::Null => 1,
    }
}

fn has_value(view: &View, record: &Record<'_>) -> bool {
    view.raw_value(record).is_some()
}

pub(super) fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let bare = text.split_once('%').map_or(text, |(bare, _zone)| bare);
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

pub(super) fn number(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

impl Network {
    /// Reads `10.0.0.0/8`; an address alone is a network of one. Else what
    /// is wrong with it.
    pub fn from_text(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "is no network";
        let (address, prefix) = match text.split_once('/') {
            None => (text, None),
            Some((address, prefix)) => (address, Some(prefix)),
        };
        let address: IpAddr = address.parse().map_err(|_| WRONG)?;
        let (bits, most) = match address {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        };
        let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let prefix = match prefix {
            None => most,
            Some(text) if is_number(text) => {
                text.parse().map_err(|_| WRONG)?
            }
            Some(_) => return Err(WRONG),
        };
        if prefix > most {
            return Err(WRONG);
        }
        match bits.checked_shl(u32::from(prefix)).unwrap_or(0) {
            0 => Ok(Self { address, prefix }),
            _ => Err("has bits beyond its prefix"),
        }
    }

    /// True where the address lies in the network.
    pub fn contains(self, address: IpAddr) -> bool {
        let bits = |address| match address {
            IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, 32),
            IpAddr::V6(v6) => (u128::from(v6), 128),
        };
        let (own, family) = bits(self.address.to_canonical());
        let (other, other_family) = bits(address);
        let shift = 128 - u32::from(self.prefix.min(family));
        family == other_family
            && (own ^ other).checked_shr(shift).unwrap_or(0) == 0
    }
}

impl Comparison {
    pub(super) fn holds(self, number: f64) -> bool {
        number
            .partial_cmp(&self.number)
            .is_some_and(|ordering| self.accept.contains(&Some(ordering)))
    }
}

impl How {
    pub(super) fn holds(self, text: &[u8], other: &[u8], fold: Fold) -> bool {
        match self {
            Self::Equals => fold.equals(text, other),
            Self::StartsWith => fold.starts_with(text, other),
            Self::EndsWith => fold.ends_with(text, other),
            Self::Contains => fold.contains(text, other),
        }
    }
}
