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
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::bytes::{Regex, RegexBuilder};

use crate::limits;
use crate::signature::condition::{all, any};
use crate::signature::diagnostic::{Faults, Misread, quote, suggest};
use crate::signature::rule::{
    Comparison, Expr, How, Network, Op, Part, Pattern, Test,
};
use crate::signature::yaml::{Node, Value};

/// Bytes of patterns that one file may grow to. Variants multiply what a
/// file says; the rules of a file hold some kilobytes.
const PATTERN_BYTES: usize = 16 << 20;

/// Dashes of one value that `windash` varies: five forms each.
const DASHES: usize = 4;

/// What `windash` writes for a dash: `-`, `/`, en dash, em dash, bar.
const DASH_FORMS: [char; 5] = ['-', '/', '–', '—', '―'];

/// Bytes of a field's name: each test of a list keeps a copy.
const FIELD_BYTES: usize = 256;

/// A compiled size that an ordinary regular expression stays below.
const SMALL_REGEX: usize = 256 << 10;

/// Regular expressions in one file, and those above [`SMALL_REGEX`]: each
/// may take [`limits::REGEX_BYTES`] and the time to fill them.
const REGEXES: usize = 1000;
const LARGE_REGEXES: usize = 8;

/// A modifier, by what it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Modifier {
    All,
    Neq,
    Place(Place),
    Cased,
    WinDash,
    Code(Code),
    Kind(Kind),
    Flag(char),
    /// Known to Sigma, not to this program.
    Refused(&'static str),
}

/// Where in the text a pattern stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Whole,
    Start,
    End,
    Within,
}

/// A way to write a value as other bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    Utf16Le,
    Utf16Be,
    Utf16,
    Base64,
    Base64Offset,
}

/// What a test asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Regex,
    Cidr,
    Compare([Option<Ordering>; 2]),
    Exists,
    FieldRef,
}

const LESS: Option<Ordering> = Some(Ordering::Less);
const SAME: Option<Ordering> = Some(Ordering::Equal);
const MORE: Option<Ordering> = Some(Ordering::Greater);

/// All modifiers; messages list those that are not refused.
const MODIFIERS: [(&str, Modifier); 35] = [
    ("contains", Modifier::Place(Place::Within)),
    ("startswith", Modifier::Place(Place::Start)),
    ("endswith", Modifier::Place(Place::End)),
    ("all", Modifier::All),
    ("re", Modifier::Kind(Kind::Regex)),
    ("i", Modifier::Flag('i')),
    ("m", Modifier::Flag('m')),
    ("s", Modifier::Flag('s')),
    ("ignorecase", Modifier::Flag('i')),
    ("multiline", Modifier::Flag('m')),
    ("dotall", Modifier::Flag('s')),
    ("cased", Modifier::Cased),
    ("exists", Modifier::Kind(Kind::Exists)),
    ("cidr", Modifier::Kind(Kind::Cidr)),
    ("lt", Modifier::Kind(Kind::Compare([LESS, None]))),
    ("lte", Modifier::Kind(Kind::Compare([LESS, SAME]))),
    ("gt", Modifier::Kind(Kind::Compare([MORE, None]))),
    ("gte", Modifier::Kind(Kind::Compare([MORE, SAME]))),
    ("neq", Modifier::Neq),
    ("base64", Modifier::Code(Code::Base64)),
    ("base64offset", Modifier::Code(Code::Base64Offset)),
    ("wide", Modifier::Code(Code::Utf16Le)),
    ("utf16le", Modifier::Code(Code::Utf16Le)),
    ("utf16be", Modifier::Code(Code::Utf16Be)),
    ("utf16", Modifier::Code(Code::Utf16)),
    ("windash", Modifier::WinDash),
    ("fieldref", Modifier::Kind(Kind::FieldRef)),
    ("expand", Modifier::Refused(EXPAND)),
    ("minute", Modifier::Refused(TIME)),
    ("hour", Modifier::Refused(TIME)),
    ("day", Modifier::Refused(TIME)),
    ("week", Modifier::Refused(TIME)),
    ("month", Modifier::Refused(TIME)),
    ("year", Modifier::Refused(TIME)),
    ("eq", Modifier::Refused("equality needs no modifier")),
];

const EXPAND: &str =
    "placeholders have no values here; write the values into the rule";
const TIME: &str = "parts of times are not compared; use the report's filter";

/// What the modifiers of one key ask for.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // each is one modifier
struct Plan {
    field: Option<String>,
    kind: Kind,
    place: Place,
    all: bool,
    neq: bool,
    cased: bool,
    windash: bool,
    flags: String,
    codes: Vec<Code>,
}

impl Plan {
    /// Keywords: anywhere in the line.
    fn keywords() -> Self {
        Self {
            field: None,
            kind: Kind::Text,
            place: Place::Within,
            all: false,
            neq: false,
            cased: false,
            windash: false,
            flags: String::new(),
            codes: Vec::new(),
        }
    }

    /// Reads a key. Faults of all modifiers are told, not only the first.
    fn read(key: &Node, faults: &mut Faults<'_>) -> Option<Self> {
        let mut plan = Self::keywords();
        let mut words = Vec::new();
        let mut offset = 0;
        let before = faults.count();
        for (n, word) in key.key().split('|').enumerate() {
            if n == 0 {
                if word.len() > FIELD_BYTES {
                    let what = "the name of the field is too long";
                    faults.add(key.at(), what);
                    return None;
                }
                let name = word.trim().to_lowercase();
                plan.field = Some(name).filter(|name| !name.is_empty());
            } else {
                match find(word, offset) {
                    Ok(modifier) => words.push((offset, word, modifier)),
                    Err(fault) => faults.misread(key, fault),
                }
            }
            offset += word.chars().count() + 1;
        }
        if plan.field.is_some() {
            plan.place = Place::Whole;
        }
        if let Err(fault) = plan.choose(&words) {
            faults.misread(key, fault);
        }
        for (n, (offset, word, modifier)) in words.iter().enumerate() {
            let before = words.get(..n).unwrap_or_default();
            if let Some(why) = plan.misfit(*modifier, before) {
                let message = format!("{} {why}", quote(word));
                faults.misread(key, Misread::new(*offset, message));
            }
            plan.apply(*modifier);
        }
        if plan.codes.contains(&Code::Base64Offset)
            && plan.place == Place::Whole
        {
            let what = "`base64offset` finds parts of a text only";
            faults.advise(key.at(), what, "add `|contains`");
        }
        (faults.count() == before).then_some(plan)
    }

    /// Sets the kind of test before the modifiers that must fit it.
    fn choose(&mut self, words: &[Word<'_>]) -> Result<(), Misread> {
        let mut chosen: Option<&str> = None;
        for (offset, word, modifier) in words {
            let Modifier::Kind(kind) = *modifier else { continue };
            let text = quote(word);
            if let Some(first) = chosen {
                let what = format!("{text} cannot go with {}", quote(first));
                return Err(Misread::new(*offset, what));
            }
            if self.field.is_none() && kind != Kind::Regex {
                let what = format!("{text} needs a field");
                return Err(Misread::new(*offset, what));
            }
            self.kind = kind;
            chosen = Some(word);
        }
        Ok(())
    }

    /// Why a modifier does not fit the kind or those before it.
    fn misfit(
        &self,
        modifier: Modifier,
        before: &[Word<'_>],
    ) -> Option<&'static str> {
        let text = self.kind == Kind::Text;
        let placed =
            before.iter().any(|word| matches!(word.2, Modifier::Place(_)));
        if before.iter().any(|word| word.2 == modifier) {
            return Some("stands twice");
        }
        match modifier {
            Modifier::All => (self.kind == Kind::Exists)
                .then_some("means nothing for `exists`"),
            Modifier::Neq => {
                matches!(self.kind, Kind::Exists | Kind::Compare(_)).then_some(
                    "means nothing here; turn the value or comparison round",
                )
            }
            Modifier::Place(_) if !text && self.kind != Kind::FieldRef => {
                Some("fits texts and `fieldref` only")
            }
            Modifier::Place(_) if placed => {
                Some("cannot go with the one before it; use a wildcard")
            }
            Modifier::Place(place)
                if self.field.is_none() && place != Place::Within =>
            {
                Some("needs a field: keywords are looked for anywhere")
            }
            Modifier::Cased | Modifier::WinDash | Modifier::Code(_)
                if !text =>
            {
                Some("fits texts only")
            }
            Modifier::Code(_) if placed => {
                Some("must stand before `contains` and its kin")
            }
            Modifier::WinDash if !self.codes.is_empty() => {
                Some("must stand before the encodings")
            }
            Modifier::Code(code) => self.misfit_code(code),
            Modifier::Flag(_)
                if !before
                    .iter()
                    .any(|word| word.2 == Modifier::Kind(Kind::Regex)) =>
            {
                Some("must follow `re`")
            }
            _ => None,
        }
    }

    fn misfit_code(&self, code: Code) -> Option<&'static str> {
        let based = !matches!(
            self.codes.last(),
            None | Some(Code::Utf16 | Code::Utf16Le | Code::Utf16Be)
        );
        let wide = !matches!(code, Code::Base64 | Code::Base64Offset);
        if based {
            return Some("must stand before base64, which comes last");
        }
        (wide && !self.codes.is_empty()).then_some("is a second encoding")
    }

    fn apply(&mut self, modifier: Modifier) {
        match modifier {
            Modifier::All => self.all = true,
            Modifier::Neq => self.neq = true,
            Modifier::Place(place) => self.place = place,
            Modifier::Cased => self.cased = true,
            Modifier::WinDash => self.windash = true,
            Modifier::Code(code) => self.codes.push(code),
            Modifier::Flag(flag) => self.flags.push(flag),
            Modifier::Kind(_) | Modifier::Refused(_) => {}
        }
    }
}

/// A modifier, its spelling and the characters before it.
type Word<'k> = (usize, &'k str, Modifier);

/// The modifier of a word.
fn find(word: &str, offset: usize) -> Result<Modifier, Misread> {
    let name = quote(word);
    match MODIFIERS.iter().find(|(known, _)| *known == word) {
        Some((_, Modifier::Refused(why))) => {
            let what = format!("the modifier {name} is not supported");
            Err(Misread::new(offset, what).help(*why))
        }
        Some((_, modifier)) => Ok(*modifier),
        None => {
            let usable = MODIFIERS
                .iter()
                .filter(|entry| !matches!(entry.1, Modifier::Refused(_)));
            let known: Vec<_> = usable.map(|(known, _)| *known).collect();
            let what = format!("unknown modifier {name}");
            Err(Misread::new(offset, what).help(suggest(word, &known)))
        }
    }
}

/// What the rules of one file may still cost.
#[derive(Debug)]
pub(super) struct Budget {
    pattern_bytes: usize,
    regexes: usize,
    large_regexes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            pattern_bytes: PATTERN_BYTES,
            regexes: REGEXES,
            large_regexes: LARGE_REGEXES,
        }
    }
}

impl Budget {
    fn pay(&mut self, bytes: usize) -> Result<(), Misread> {
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

/// The patterns of one value: several where a modifier makes variants.
fn patterns(
    plan: &Plan,
    text: &str,
    budget: &mut Budget,
) -> Result<Vec<Pattern>, Misread> {
    if text.is_empty() {
        let what = "an empty text is found everywhere";
        return Err(Misread::new(0, what));
    }
    let forms = if plan.windash {
        dashes(text, budget)?
    } else {
        vec![text.to_owned()]
    };
    let mut patterns = Vec::new();
    for form in forms {
        budget.pay(64 + form.len())?;
        let parts = parts(&form);
        let variants = if plan.codes.is_empty() {
            vec![parts]
        } else {
            encode(&parts, &plan.codes)?
        };
        for parts in variants {
            let parts = placed(parts, plan.place);
            patterns.push(Pattern { parts, cased: plan.cased });
        }
    }
    Ok(patterns)
}

/// A value's text, wildcards and escapes. A backslash counts as one only
/// before `*`, `?` and `\`.
fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut literal = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let wildcard = match char {
            '*' => Part::Any,
            '?' => Part::One,
            '\\' => {
                let escaped =
                    chars.next_if(|next| matches!(next, '*' | '?' | '\\'));
                push_char(&mut literal, escaped.unwrap_or('\\'));
                continue;
            }
            _ => {
                push_char(&mut literal, char);
                continue;
            }
        };
        if !literal.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut literal)));
        }
        if wildcard == Part::One || parts.last() != Some(&Part::Any) {
            parts.push(wildcard);
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    parts
}

fn push_char(bytes: &mut Vec<u8>, char: char) {
    bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
}

/// The parts with the wildcards that `contains` and its kin mean.
fn placed(mut parts: Vec<Part>, place: Place) -> Vec<Part> {
    let open_end = matches!(place, Place::Start | Place::Within);
    if open_end && parts.last() != Some(&Part::Any) {
        parts.push(Part::Any);
    }
    let open_start = matches!(place, Place::End | Place::Within);
    if open_start && parts.first() != Some(&Part::Any) {
        parts.insert(0, Part::Any);
    }
    parts
}

/// The value with each dash before an option in each of its forms.
fn dashes(text: &str, budget: &mut Budget) -> Result<Vec<String>, Misread> {
    let mut places = Vec::new();
    let mut before = None;
    let mut chars = text.char_indices().enumerate().peekable();
    let word = |c: char| c.is_alphanumeric() || c == '_';
    while let Some((n, (at, char))) = chars.next() {
        let after = chars.peek().map(|(_, (_, next))| *next);
        let starts = matches!(char, '-' | '/')
            && !before.is_some_and(word)
            && after.is_some_and(word);
        if starts {
            if places.len() == DASHES {
                let what = format!("more than {DASHES} dashes to vary");
                return Err(Misread::new(n, what)
                    .help("split the value, with `all` if need be"));
            }
            places.push(at);
        }
        before = Some(char);
    }
    let mut forms = vec![text.to_owned()];
    for at in places.into_iter().rev() {
        budget.pay(forms.len() * DASH_FORMS.len() * text.len())?;
        let (mut varied, old) = (Vec::new(), forms);
        for form in old {
            let head = form.get(..at).unwrap_or_default();
            let tail = form.get(at + 1..).unwrap_or_default();
            varied.extend(
                DASH_FORMS.iter().map(|dash| format!("{head}{dash}{tail}")),
            );
        }
        forms = varied;
    }
    Ok(forms)
}

/// The bytes of the value through the encodings, each variant one part.
fn encode(parts: &[Part], codes: &[Code]) -> Result<Vec<Vec<Part>>, Misread> {
    let [Part::Text(bytes)] = parts else {
        let what = "a value with wildcards cannot be encoded";
        return Err(Misread::new(0, what)
            .help("write `\\*` or `\\?` for the character itself"));
    };
    let mut bytes = bytes.clone();
    for code in codes {
        bytes = match code {
            Code::Utf16Le => utf16(&bytes, u16::to_le_bytes),
            Code::Utf16Be => utf16(&bytes, u16::to_be_bytes),
            Code::Utf16 => {
                let text = utf16(&bytes, u16::to_le_bytes);
                [&[0xff, 0xfe], text.as_slice()].concat()
            }
            Code::Base64 => STANDARD.encode(&bytes).into_bytes(),
            Code::Base64Offset => return offsets(&bytes),
        };
    }
    Ok(vec![vec![Part::Text(bytes)]])
}

/// UTF-8 as UTF-16 in the byte order of `order`.
fn utf16(bytes: &[u8], order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    text.encode_utf16().flat_map(order).collect()
}

/// The value as it stands in base64 after 0, 1 and 2 other bytes, without
/// the characters that its neighbours change.
fn offsets(bytes: &[u8]) -> Result<Vec<Vec<Part>>, Misread> {
    let mut variants = Vec::new();
    for (shift, head) in [(0, 0), (1, 2), (2, 3)] {
        let shifted = [vec![b' '; shift], bytes.to_vec()].concat();
        let code = STANDARD.encode(&shifted).into_bytes();
        let tail = match shifted.len() % 3 {
            0 => 0,
            1 => 3,
            _ => 2,
        };
        let end = code.len().saturating_sub(tail);
        match code.get(head..end) {
            Some(part) if !part.is_empty() => {
                variants.push(vec![Part::Text(part.to_vec())]);
            }
            _ => {
                let what = "the value is too short for `base64offset`";
                return Err(Misread::new(0, what));
            }
        }
    }
    Ok(variants)
}

/// A compiled expression. Bytes first: without Unicode tables it is smaller
/// and `.` passes any byte of a damaged line.
fn regex(
    text: &str,
    flags: &str,
    budget: &mut Budget,
) -> Result<Regex, Misread> {
    if text.is_empty() {
        let what = "an empty expression is found everywhere";
        return Err(Misread::new(0, what));
    }
    let rest = budget.regexes.checked_sub(1);
    let what = "too many regular expressions in one file";
    budget.regexes = rest.ok_or_else(|| Misread::new(0, what))?;
    budget.pay(text.len())?;
    let build = |unicode, size| {
        RegexBuilder::new(text)
            .unicode(unicode)
            .case_insensitive(flags.contains('i'))
            .multi_line(flags.contains('m'))
            .dot_matches_new_line(flags.contains('s'))
            .size_limit(size)
            .build()
    };
    let sized = |size| match build(false, size) {
        Err(regex::Error::Syntax(_)) => build(true, size),
        other => other,
    };
    let outcome = match sized(SMALL_REGEX) {
        Err(regex::Error::CompiledTooBig(_)) => {
            let rest = budget.large_regexes.checked_sub(1);
            let what = "too many large regular expressions in one file";
            budget.large_regexes =
                rest.ok_or_else(|| Misread::new(0, what))?;
            sized(limits::REGEX_BYTES)
        }
        other => other,
    };
    outcome.map_err(|error| match error {
        regex::Error::CompiledTooBig(size) => {
            let what = format!("compiled it is larger than {size} bytes");
            Misread::new(0, what).help("lower the repetition counts")
        }
        _ => syntax(text),
    })
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
    let wrong = || {
        let what = format!("{} is no network", quote(text));
        Misread::new(0, what).help("write it like `192.0.2.0/24`")
    };
    let (address, prefix) = match text.split_once('/') {
        None => (text, None),
        Some((address, prefix)) => (address, Some(prefix)),
    };
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let (bits, most) = match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    };
    let prefix = match prefix {
        None => most,
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().map_err(|_| wrong())?
        }
        Some(_) => return Err(wrong()),
    };
    if prefix > most {
        return Err(wrong());
    }
    let host = bits.checked_shl(u32::from(prefix)).unwrap_or(0);
    if host != 0 {
        let what = format!("{} has bits beyond its prefix", quote(text));
        return Err(Misread::new(0, what));
    }
    Ok(Network { address, prefix })
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
mod tests {
    use super::*;
    use crate::raw::Raw;
    use crate::signature::diagnostic::Diagnostic;
    use crate::signature::yaml;

    type Read = Result<(Expr, Vec<Test>), Vec<Diagnostic>>;

    fn read(text: &str) -> Read {
        let file = Raw::from("a.yml");
        let (mut faults, documents) = yaml::parse(&file, text.as_bytes());
        let mut budget = Budget::default();
        let mut tests = Tests::new(&mut faults, &mut budget);
        let mut exprs = Vec::new();
        for document in &documents {
            let Value::Map(entries) = &document.value else { continue };
            for (key, value) in entries {
                exprs.push(tests.entry(key, value));
            }
        }
        let list = tests.list;
        faults.finish((all(exprs), list))
    }

    fn ok(text: &str) -> (Expr, Vec<Test>) {
        read(text).unwrap()
    }

    /// The only test of a line.
    fn op(text: &str) -> Op {
        let (expr, mut tests) = ok(text);
        assert_eq!(expr, Expr::Test(0), "{text}");
        assert_eq!(tests.len(), 1, "{text}");
        tests.remove(0).op
    }

    /// Patterns in a readable form: `<any>` and `<one>` for wildcards.
    fn shown(op: &Op) -> Vec<String> {
        let Op::Text { patterns, .. } = op else { panic!("{op:?}") };
        let part = |part: &Part| match part {
            Part::Any => "<any>".to_owned(),
            Part::One => "<one>".to_owned(),
            Part::Text(bytes) => bytes.escape_ascii().to_string(),
        };
        let pattern = |p: &Pattern| p.parts.iter().map(part).collect();
        patterns.iter().map(pattern).collect()
    }

    fn fault(text: &str) -> (usize, usize, String) {
        let mut found = read(text).expect_err(text);
        let first = found.remove(0);
        (first.line, first.column, first.message)
    }

    fn t(text: &str) -> Part {
        Part::Text(text.as_bytes().to_vec())
    }

    #[test]
    fn escapes() {
        let cases: [(&str, Vec<Part>); 18] = [
            ("abc", vec![t("abc")]),
            ("a*c", vec![t("a"), Part::Any, t("c")]),
            ("a?c", vec![t("a"), Part::One, t("c")]),
            (r"a\*c", vec![t("a*c")]),
            (r"a\?c", vec![t("a?c")]),
            (r"a\\*", vec![t(r"a\"), Part::Any]),
            (r"a\\\*", vec![t(r"a\*")]),
            (r"a\b", vec![t(r"a\b")]),
            (r"a\\b", vec![t(r"a\b")]),
            (r"a\\\b", vec![t(r"a\\b")]),
            (r"a\\\\b", vec![t(r"a\\b")]),
            (r"a\", vec![t(r"a\")]),
            (r"\", vec![t(r"\")]),
            ("**", vec![Part::Any]),
            ("*a**b*", vec![Part::Any, t("a"), Part::Any, t("b"), Part::Any]),
            ("??", vec![Part::One, Part::One]),
            ("é*", vec![t("é"), Part::Any]),
            ("", vec![]),
        ];
        for (text, wanted) in cases {
            assert_eq!(parts(text), wanted, "{text}");
        }
    }

    #[test]
    fn places() {
        let cases = [
            ("cs-uri-stem: a", "a"),
            ("x|contains: a", "<any>a<any>"),
            ("x|startswith: a", "a<any>"),
            ("x|endswith: a", "<any>a"),
            ("x|contains: '*a*'", "<any>a<any>"),
            ("x|contains: 200", "<any>200<any>"),
            ("x: 007", "007"),
            ("x: 0x1f", "0x1f"),
            ("x: true", "true"),
            ("x: 5.10", "5.10"),
            ("x: 2001-07-19", "2001-07-19"),
            ("'|contains': a", "<any>a<any>"),
        ];
        for (text, wanted) in cases {
            assert_eq!(shown(&op(text)), [wanted], "{text}");
        }
    }

    #[test]
    fn lists_and_all() {
        let any = op("x: [a, 2, null_]");
        assert!(matches!(any, Op::Text { all: false, .. }));
        assert_eq!(shown(&any), ["a", "2", "null_"]);
        let all = op("x|contains|all: [a, b]");
        assert!(matches!(all, Op::Text { all: true, .. }));
        let one = op("x|contains|all: a");
        assert!(matches!(one, Op::Text { all: false, .. }));
        let (_, tests) = ok("'|all': [a, b]");
        assert_eq!(tests[0].field, None);
        assert!(matches!(tests[0].op, Op::Text { all: true, .. }));
        assert_eq!(shown(&tests[0].op), ["<any>a<any>", "<any>b<any>"]);
    }

    #[test]
    fn fields_are_lower_case() {
        assert_eq!(ok("CS-Uri-Query: a").1[0].field.as_deref(), {
            Some("cs-uri-query")
        });
    }

    #[test]
    fn nothing() {
        assert!(matches!(op("x: null"), Op::Null));
        assert!(matches!(op("x:"), Op::Null));
        assert!(matches!(op("x: ''"), Op::Null));
        let (expr, tests) = ok("x: ['', a]");
        assert_eq!(expr, any(vec![Expr::Test(0), Expr::Test(1)]));
        assert!(matches!(tests[0].op, Op::Null));
        let (expr, _) = ok("x|neq: null");
        assert_eq!(expr, Expr::Not(Box::new(Expr::Test(0))));
        assert_eq!(fault("x: [a, null]").1, 8);
        assert_eq!(fault("x|contains: null").1, 1);
        assert!(fault("x|contains: ''").2.contains("everywhere"));
        assert!(fault("'|all': ['']").2.contains("everywhere"));
    }

    #[test]
    fn regexes() {
        let matches = |text: &str, hay: &[u8]| {
            let Op::Regex { regexes, .. } = op(text) else { panic!() };
            regexes[0].is_match(hay)
        };
        assert!(matches("x|re: 'a\\d+b'", b"xa12b"));
        assert!(!matches("x|re: 'ab'", b"AB"));
        assert!(matches("x|re|i: 'ab'", b"AB"));
        assert!(matches("x|re|m: '^b'", b"a\nb"));
        assert!(matches("x|re|s: 'a.b'", b"a\nb"));
        assert!(!matches("x|re: 'a.b'", b"a\nb"));
        assert!(matches("x|re|i|s: 'a.B'", b"A\nb"));
        assert!(matches("x|re|ignorecase: 'a/B'", b"A/b"));
        assert!(matches("x|re: 'a.b'", b"a\xffb"));
        assert!(matches("x|re: '[é]'", "é".as_bytes()));
        let all = op("x|re|all: [a, b]");
        assert!(matches!(all, Op::Regex { all: true, .. }));
    }

    #[test]
    fn regex_faults() {
        let cases = [
            ("x|re: 'ab(?=c)'", 10, "look-around"),
            ("x|re: '(a)\\1'", 11, "backreferences"),
            ("x|re: 'a''b(c'", 12, "unclosed group"),
            ("x|re: 'a{2000}{2000}'", 8, "larger than"),
            ("x|re: ''", 8, "everywhere"),
            ("x|re: null", 1, "`null`"),
        ];
        for (text, column, message) in cases {
            let found = fault(text);
            assert!(found.2.contains(message), "{text}: {found:?}");
            assert_eq!(found.1, column, "{text}: {found:?}");
        }
    }

    #[test]
    fn networks() {
        let Op::Cidr(networks) =
            op("x|cidr: [10.0.0.0/8, '2001:db8::/32', 192.0.2.1]")
        else {
            panic!()
        };
        let prefixes: Vec<_> = networks.iter().map(|n| n.prefix).collect();
        assert_eq!(prefixes, [8, 32, 32]);
        let (expr, _) = ok("x|cidr|all: [10.0.0.0/8, 10.1.0.0/16]");
        assert_eq!(expr, all(vec![Expr::Test(0), Expr::Test(1)]));
        ok("x|cidr: 0.0.0.0/0");
        ok("x|cidr: '::/0'");
        for wrong in
            ["a", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/+8", "10.0.0.0/", "1"]
        {
            let found = fault(&format!("x|cidr: '{wrong}'"));
            assert_eq!(found.1, 10, "{found:?}");
        }
    }

    #[test]
    fn comparisons() {
        let accept = |text| {
            let Op::Compare(list) = op(text) else { panic!() };
            assert!((list[0].number - 5.0).abs() < 1e-9);
            list[0].accept
        };
        assert_eq!(accept("x|lt: 5"), [LESS, None]);
        assert_eq!(accept("x|lte: 5"), [LESS, SAME]);
        assert_eq!(accept("x|gt: 5.0"), [MORE, None]);
        assert_eq!(accept("x|gte: 5"), [MORE, SAME]);
        let (expr, tests) = ok("x|neq: [200, 404]");
        assert_eq!(expr, Expr::Not(Box::new(Expr::Test(0))));
        assert_eq!(shown(&tests[0].op), ["200", "404"]);
        assert_eq!(fault("x|lt: five").1, 7);
        assert_eq!(fault("x|lt: .nan").1, 7);
    }

    #[test]
    fn other_kinds() {
        assert!(matches!(op("x|exists: true"), Op::Exists(true)));
        assert!(matches!(op("x|exists: false"), Op::Exists(false)));
        let Op::FieldRef { other, how } = op("x|fieldref|endswith: Y") else {
            panic!()
        };
        assert_eq!((other.as_str(), how), ("y", How::EndsWith));
        assert!(matches!(
            op("x|fieldref: y"),
            Op::FieldRef { how: How::Equals, .. }
        ));
        let (expr, _) = ok("x|fieldref|neq: y");
        assert!(matches!(expr, Expr::Not(_)));
        let Op::Text { patterns, .. } = op("x|contains|cased: A") else {
            panic!()
        };
        assert!(patterns[0].cased);
    }

    #[test]
    fn encodings() {
        let cases: [(&str, &[&str]); 8] = [
            ("x|base64: foo", &["Zm9v"]),
            ("x|base64|contains: fo", &["<any>Zm8=<any>"]),
            ("x|wide: ab", &[r"a\x00b\x00"]),
            ("x|utf16le: a", &[r"a\x00"]),
            ("x|utf16be: a", &[r"\x00a"]),
            ("x|utf16: a", &[r"\xff\xfea\x00"]),
            ("x|wide|base64: fo", &["ZgBvAA=="]),
            (
                "x|base64offset|contains: foobar",
                &[
                    "<any>Zm9vYmFy<any>",
                    "<any>Zvb2Jhc<any>",
                    "<any>mb29iYX<any>",
                ],
            ),
        ];
        for (text, wanted) in cases {
            assert_eq!(shown(&op(text)), wanted, "{text}");
        }
        let (expr, tests) = ok("x|base64offset|contains|all: [foo, bar]");
        assert_eq!(expr, all(vec![Expr::Test(0), Expr::Test(1)]));
        assert!(matches!(tests[0].op, Op::Text { all: false, .. }));
    }

    #[test]
    fn offsets_hold_wherever_the_value_stands() {
        let value = b"Get-Item";
        let variants = offsets(value).unwrap();
        for before in 0..7 {
            for after in 0..4 {
                let text =
                    [vec![b'#'; before], value.to_vec(), vec![b'%'; after]];
                let code = STANDARD.encode(text.concat());
                let found = variants.iter().any(|parts| {
                    let Part::Text(part) = &parts[0] else { return false };
                    let part = std::str::from_utf8(part).unwrap();
                    code.contains(part)
                });
                assert!(found, "{before} {after}");
            }
        }
    }

    #[test]
    fn dashes_vary() {
        let wanted = ["-enc", "/enc", "–enc", "—enc", "―enc"];
        let wanted: Vec<_> = wanted
            .iter()
            .map(|text| text.as_bytes().escape_ascii().to_string())
            .collect();
        assert_eq!(shown(&op("x|windash: -enc")), wanted);
        let two = op("x|windash|contains: ' /a -b'");
        assert_eq!(shown(&two).len(), 25);
        assert_eq!(shown(&op("x|contains|windash: a-b")), ["<any>a-b<any>"]);
        let (_, tests) = ok("x|contains|all|windash: [' -a', ' -b']");
        assert_eq!(tests.len(), 2);
        let found = fault("x|windash: ' -a -b -c -d -e'");
        assert_eq!(found.1, 26, "{found:?}");
    }

    #[test]
    fn modifiers_that_do_not_fit() {
        let cases = [
            ("x|contain: a", 3, "unknown modifier `contain`"),
            ("x|: a", 3, "unknown modifier ``"),
            ("x|Contains: a", 3, "unknown modifier"),
            ("x|expand: '%a%'", 3, "`expand` is not supported"),
            ("x|hour: 3", 3, "`hour` is not supported"),
            ("x|re|contains: a", 6, "`contains` fits texts"),
            ("x|contains|re: a", 3, "`contains` fits texts"),
            ("x|contains|startswith: a", 12, "cannot go with"),
            ("x|contains|contains: a", 12, "stands twice"),
            ("x|contains|base64: a", 12, "must stand before `contains`"),
            ("x|base64|wide: a", 10, "must stand before base64"),
            ("x|wide|utf16be: a", 8, "second encoding"),
            ("x|base64|windash: a", 10, "before the encodings"),
            ("x|base64: 'a*'", 12, "wildcards cannot be encoded"),
            ("x|base64offset: abc", 1, "finds parts"),
            ("x|base64offset|contains: a", 26, "too short"),
            ("x|i: a", 3, "`i` must follow `re`"),
            ("x|i|re: a", 3, "`i` must follow `re`"),
            ("x|cidr|re: a", 8, "cannot go with `cidr`"),
            ("x|gte|lt: 5", 7, "cannot go with `gte`"),
            ("x|re|cased: a", 6, "fits texts only"),
            ("x|exists|all: true", 10, "means nothing"),
            ("x|exists: yes", 11, "`true` or `false`"),
            ("x|lt|neq: 5", 6, "means nothing"),
            ("'|cidr': 10.0.0.0/8", 3, "needs a field"),
            ("'|endswith': a", 3, "needs a field"),
            ("x: {y: z}", 4, "cannot be a map"),
            ("x: [[y]]", 5, "cannot be a list"),
            ("x: []", 4, "empty"),
        ];
        for (text, column, message) in cases {
            let found = fault(text);
            assert!(found.2.contains(message), "{text}: {found:?}");
            assert_eq!((found.0, found.1), (1, column), "{text}: {found:?}");
        }
        let help = read("x|contain: a").unwrap_err()[0].help.clone();
        assert_eq!(help.as_deref(), Some("did you mean `contains`?"));
    }

    #[test]
    fn growth_is_bounded() {
        let value = format!(" -a -b -c -d{}", "x".repeat(100_000));
        let found = fault(&format!("x|windash: '{value}'"));
        assert!(found.2.contains("too large"), "{found:?}");
        let line = |n| format!("f{n}|re: 'a{{20000}}'\n");
        let many = (0..20).map(line).collect::<Vec<_>>().concat();
        let found = fault(&many);
        assert!(found.2.contains("too many large"), "{found:?}");
        assert_eq!(found.0, LARGE_REGEXES + 1);
    }
}
