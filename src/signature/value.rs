//! One line of a search, `field|modifier: value`, as an expression.
//!
//! In: the key and the value as YAML nodes. Out: [`Test`]s and the
//! expression over them. Two rules of Sigma govern all of it: values are
//! texts (a number compares as it is spelled), and a modifier that does not
//! fit is an error, since a rule that is silently weakened finds nothing.
//!
//! `null` and `''` both ask for a field without a value: a W3C log writes
//! both as `-`.

use std::cmp::Ordering;

use crate::limits;
use crate::signature::condition::{all, any};
use crate::signature::diagnostic::{Faults, Misread, quote};
use crate::signature::expression::Expression;
use crate::signature::modifier::{Kind, Place, Plan};
use crate::signature::rule::{Comparison, Expr, How, Network, Op, Test};
use crate::signature::variant::patterns;
use crate::signature::yaml::{Node, Value};

/// Bytes of patterns that one file may grow to. Variants multiply what a
/// file says; the rules of a file hold some kilobytes.
const PATTERN_BYTES: usize = 16 << 20;

/// A compiled size that an ordinary regular expression stays below.
const SMALL_REGEX: usize = 256 << 10;

/// Regular expressions in one file, and those above [`SMALL_REGEX`]: each
/// may take [`limits::REGEX_BYTES`] and the time to fill them.
const REGEXES: usize = 1000;
const LARGE_REGEXES: usize = 8;

/// What the rules of one file may still cost.
#[derive(Debug)]
pub(super) struct Budget {
    pattern_bytes: usize,
    regexes: usize,
    large_regexes: usize,
    /// The file comes with the program, whose tests have read it.
    pub(super) is_sound: bool,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            pattern_bytes: PATTERN_BYTES,
            regexes: REGEXES,
            large_regexes: LARGE_REGEXES,
            is_sound: false,
        }
    }
}

impl Budget {
    pub(super) fn pay(&mut self, bytes: usize) -> Result<(), Misread> {
        let what = "the patterns of this file grow too large";
        let rest = self.pattern_bytes.checked_sub(bytes);
        self.pattern_bytes = rest.ok_or_else(|| Misread::new(0, what))?;
        Ok(())
    }
}

/// Makes the tests of one rule.
pub(super) struct Tests<'f, 'a> {
    /// Where faults go.
    pub faults: &'f mut Faults<'a>,
    budget: &'f mut Budget,
    /// The tests so far.
    pub list: Vec<Test>,
}

impl<'f, 'a> Tests<'f, 'a> {
    pub fn new(faults: &'f mut Faults<'a>, budget: &'f mut Budget) -> Self {
        Self { faults, budget, list: Vec::new() }
    }

    /// The expression of `key: value`. After a fault it is empty; the rule
    /// is refused anyway.
    pub fn entry(&mut self, key: &Node, value: &Node) -> Expr {
        if self.faults.is_full() {
            self.faults.skip();
            return Expr::All(Vec::new());
        }
        let Some(plan) = Plan::read(key, self.faults) else {
            return Expr::All(Vec::new());
        };
        let nodes = match &value.value {
            Value::List(items) if items.is_empty() => {
                self.faults.add(value.at(), "the list of values is empty");
                return Expr::All(Vec::new());
            }
            Value::List(items) => items.iter().collect(),
            _ => vec![value],
        };
        let listed = matches!(value.value, Value::List(_));
        self.tests(&plan, &nodes, if listed { value } else { key })
    }

    /// The expression of a list of keywords.
    pub fn keywords(&mut self, items: &[&Node]) -> Expr {
        match items.first() {
            None => Expr::All(Vec::new()),
            Some(first) => self.tests(&Plan::keywords(), items, first),
        }
    }

    fn tests(&mut self, plan: &Plan, nodes: &[&Node], at: &Node) -> Expr {
        let mut list = matches!(at.value, Value::List(_));
        list |= plan.field.is_none();
        let nodes: Vec<_> = nodes
            .iter()
            .copied()
            .filter(|node| self.scalar(plan, node, list, at))
            .collect();
        let expr = match plan.kind {
            Kind::Text => self.texts(plan, &nodes),
            Kind::Regex => self.regexes(plan, &nodes),
            Kind::Exists => self.exists(plan, &nodes),
            Kind::Cidr => {
                let op = |items| Op::Cidr(items);
                self.simple(plan, &nodes, network, op)
            }
            Kind::Compare(accept) => {
                let read = |node: &Node| comparison(node, accept);
                self.simple(plan, &nodes, read, Op::Compare)
            }
            Kind::FieldRef => self.field_refs(plan, &nodes),
        };
        if plan.neq { Expr::Not(Box::new(expr)) } else { expr }
    }

    /// Whether the node can be a value; a fault where not.
    fn scalar(
        &mut self,
        plan: &Plan,
        node: &Node,
        list: bool,
        key: &Node,
    ) -> bool {
        let modified = plan.kind != Kind::Text
            || plan.place != Place::Whole
            || plan.all
            || plan.cased
            || plan.windash
            || !plan.codes.is_empty();
        match &node.value {
            Value::Null if list => {
                let what = "`null` may not stand in a list";
                self.faults.advise(
                    node.at(),
                    what,
                    "give it a search of its own: `field: null`",
                );
                false
            }
            Value::Null if modified => {
                let what = "`null` takes no modifier but `neq`";
                self.faults.add(key.at(), what);
                false
            }
            Value::List(_) | Value::Map(_) => {
                let what = format!("a value cannot be {}", node.kind());
                self.faults.add(node.at(), what);
                false
            }
            _ => true,
        }
    }

    fn test(&mut self, plan: &Plan, op: Op) -> Expr {
        self.list.push(Test { field: plan.field.clone(), op });
        Expr::Test(self.list.len() - 1)
    }

    fn texts(&mut self, plan: &Plan, nodes: &[&Node]) -> Expr {
        let mut parts = Vec::new();
        let mut groups = Vec::new();
        for node in nodes {
            let text = node.text().unwrap_or_default();
            if text.is_empty() && plan.place == Place::Whole {
                parts.push(self.test(plan, Op::Null));
                continue;
            }
            match patterns(plan, text, self.budget) {
                Ok(group) => groups.push(group),
                Err(fault) => self.faults.misread(node, fault),
            }
        }
        let varied = groups.iter().any(|group| group.len() > 1);
        if plan.all && varied {
            for patterns in groups {
                let op = Op::Text { patterns, all: false };
                parts.push(self.test(plan, op));
            }
        } else if !groups.is_empty() {
            let patterns: Vec<_> = groups.into_iter().flatten().collect();
            let all = plan.all && patterns.len() > 1;
            parts.push(self.test(plan, Op::Text { patterns, all }));
        }
        if plan.all { all(parts) } else { any(parts) }
    }

    fn regexes(&mut self, plan: &Plan, nodes: &[&Node]) -> Expr {
        let mut regexes = Vec::new();
        for node in nodes {
            let text = node.text().unwrap_or_default();
            match regex(text, &plan.flags, self.budget) {
                Ok(regex) => regexes.push(regex),
                Err(fault) => self.faults.misread(node, fault),
            }
        }
        let all = plan.all && regexes.len() > 1;
        self.test(plan, Op::Regex { regexes, all })
    }

    fn exists(&mut self, plan: &Plan, nodes: &[&Node]) -> Expr {
        if let [node] = nodes
            && let Value::Bool(truth) = node.value
        {
            return self.test(plan, Op::Exists(truth));
        }
        if let Some(node) = nodes.first() {
            let what = "`exists` takes one `true` or `false`";
            self.faults.add(node.at(), what);
        }
        Expr::All(Vec::new())
    }

    fn field_refs(&mut self, plan: &Plan, nodes: &[&Node]) -> Expr {
        let how = match plan.place {
            Place::Whole => How::Equals,
            Place::Start => How::StartsWith,
            Place::End => How::EndsWith,
            Place::Within => How::Contains,
        };
        let mut parts = Vec::new();
        for node in nodes {
            let other = node.text().unwrap_or_default().trim().to_lowercase();
            if other.is_empty() {
                self.faults.add(node.at(), "`fieldref` names a field");
                continue;
            }
            parts.push(self.test(plan, Op::FieldRef { other, how }));
        }
        if plan.all { all(parts) } else { any(parts) }
    }

    /// Tests whose list form means "one of"; with `all` one test a value.
    fn simple<T>(
        &mut self,
        plan: &Plan,
        nodes: &[&Node],
        read: impl Fn(&Node) -> Result<T, Misread>,
        op: impl Fn(Vec<T>) -> Op,
    ) -> Expr {
        let mut items = Vec::new();
        for node in nodes {
            match read(node) {
                Ok(item) => items.push(item),
                Err(fault) => self.faults.misread(node, fault),
            }
        }
        if !plan.all {
            return self.test(plan, op(items));
        }
        let one = |item| self.test(plan, op(vec![item]));
        all(items.into_iter().map(one).collect())
    }
}

/// An expression. One that comes with the program is known to be sound, and
/// is compiled when it is first needed.
fn regex(
    text: &str,
    flags: &str,
    budget: &mut Budget,
) -> Result<Expression, Misread> {
    if text.is_empty() {
        let what = "an empty expression is found everywhere";
        return Err(Misread::new(0, what));
    }
    let rest = budget.regexes.checked_sub(1);
    let what = "too many regular expressions in one file";
    budget.regexes = rest.ok_or_else(|| Misread::new(0, what))?;
    budget.pay(text.len())?;
    let expression = Expression::new(text, flags);
    if budget.is_sound {
        return Ok(expression);
    }
    let outcome = match expression.compile(SMALL_REGEX) {
        Err(regex::Error::CompiledTooBig(_)) => {
            let rest = budget.large_regexes.checked_sub(1);
            let what = "too many large regular expressions in one file";
            budget.large_regexes =
                rest.ok_or_else(|| Misread::new(0, what))?;
            expression.compile(limits::REGEX_BYTES)
        }
        other => other,
    };
    match outcome {
        Ok(()) => Ok(expression),
        Err(regex::Error::CompiledTooBig(size)) => {
            let what = format!("compiled it is larger than {size} bytes");
            let fault = Misread::new(0, what);
            Err(fault.help("lower the repetition counts"))
        }
        Err(_) => Err(syntax(text)),
    }
}

/// What is wrong in an expression, with its column.
fn syntax(text: &str) -> Misread {
    use regex_syntax::ast::ErrorKind;
    let (kind, help, start) = match regex_syntax::parse(text) {
        Err(regex_syntax::Error::Parse(error)) => {
            let help = match error.kind() {
                ErrorKind::UnsupportedLookAround => {
                    Some("say it in the condition: `selection and not filter`")
                }
                ErrorKind::UnsupportedBackreference => {
                    Some("write the repeated text out")
                }
                _ => None,
            };
            (error.kind().to_string(), help, error.span().start.offset)
        }
        Err(regex_syntax::Error::Translate(error)) => {
            (error.kind().to_string(), None, error.span().start.offset)
        }
        _ => ("it cannot be compiled".to_owned(), None, 0),
    };
    let offset = text.get(..start).map_or(0, |head| head.chars().count());
    let mut fault =
        Misread::new(offset, format!("regular expression: {kind}"));
    fault.help = help.map(str::to_owned);
    fault
}

/// A network like `10.0.0.0/8`; an address alone is a network of one.
fn network(node: &Node) -> Result<Network, Misread> {
    let text = node.text().unwrap_or_default();
    Network::from_text(text).map_err(|what| {
        let fault = Misread::new(0, format!("{} {what}", quote(text)));
        fault.help("write it like `192.0.2.0/24`")
    })
}

fn comparison(
    node: &Node,
    accept: [Option<Ordering>; 2],
) -> Result<Comparison, Misread> {
    let number = match node.value {
        Value::Int(number) => number as f64,
        Value::Float(number) if number.is_finite() => number,
        _ => {
            let text = node.text().map_or("this value".into(), quote);
            let what = format!("{text} is no number to compare with");
            return Err(Misread::new(0, what));
        }
    };
    Ok(Comparison { accept, number })
}

#[cfg(test)]
mod tests;
