//! The condition of a Sigma rule: `selection and not 1 of filter*`.
//!
//! In: the text and the rule's searches as expressions. Out: one expression
//! with the searches filled in, or a fault with its column. Words are cut
//! with nom; the grammar above them is small enough to stand here whole:
//!
//! ```text
//! or   = and ("or" and)*
//! and  = not ("and" not)*
//! not  = "not"* atom
//! atom = "(" or ")" | ("1" | "any" | "all") "of" ("them" | pattern) | name
//! ```
//!
//! Keywords ignore case, names do not. Depth is counted, and filling in is
//! paid from a budget: a name may stand often and its search be large.

use std::collections::HashMap;

use nom::branch::alt;
use nom::bytes::complete::{take_while, take_while1};
use nom::character::complete::char;
use nom::combinator::{map, value};
use nom::sequence::preceded;
use nom::{IResult, Parser as _};

use crate::limits;
use crate::signature::diagnostic::{Misread, nearest, quote};
use crate::signature::rule::Expr;

/// Expression nodes and name comparisons that the conditions of one rule may
/// cost. The largest public rules need a few hundred.
pub(super) const BUDGET: usize = 1 << 18;

/// The searches of one rule under their names, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Searches {
    list: Vec<Search>,
    index: HashMap<String, usize>,
}

#[derive(Debug)]
struct Search {
    name: String,
    expr: Expr,
    /// Nodes of the expression.
    size: usize,
}

impl Searches {
    /// Adds a search. Names are keys of a YAML map and so stand once.
    pub fn add(&mut self, name: &str, expr: Expr) {
        self.index.insert(name.to_owned(), self.list.len());
        let (name, size) = (name.to_owned(), size(&expr));
        self.list.push(Search { name, expr, size });
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Names and expressions, in the order of the file.
    pub fn into_list(self) -> Vec<(String, Expr)> {
        self.list.into_iter().map(|it| (it.name, it.expr)).collect()
    }

    fn names(&self) -> Vec<&str> {
        self.list.iter().map(|search| search.name.as_str()).collect()
    }
}

fn size(expr: &Expr) -> usize {
    1 + match expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().map(size).sum(),
        Expr::Not(part) => size(part),
        Expr::Test(_) => 0,
    }
}

/// Reads one condition. `budget` shrinks by what it costs.
pub(super) fn parse(
    text: &str,
    searches: &Searches,
    budget: &mut usize,
) -> Result<Expr, Misread> {
    let tokens = tokens(text);
    let mut parser =
        Parser { text, tokens, next: 0, depth: 0, searches, budget };
    parser.condition().map_err(|fault| {
        let before = text.get(..fault.offset).unwrap_or(text);
        Misread { offset: before.chars().count(), ..fault }
    })
}

/// A word or sign of the condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    Open,
    Close,
    Pipe,
    Word(&'t str),
}

impl<'t> Token<'t> {
    fn text(self) -> &'t str {
        match self {
            Self::Open => "(",
            Self::Close => ")",
            Self::Pipe => "|",
            Self::Word(word) => word,
        }
    }

    fn is(self, keyword: &str) -> bool {
        self.text().eq_ignore_ascii_case(keyword)
    }
}

fn token(input: &str) -> IResult<&str, Token<'_>> {
    let in_word = |c: char| !c.is_whitespace() && !"()|".contains(c);
    let sign = alt((
        value(Token::Open, char('(')),
        value(Token::Close, char(')')),
        value(Token::Pipe, char('|')),
    ));
    let word = map(take_while1(in_word), Token::Word);
    preceded(take_while(char::is_whitespace), alt((sign, word))).parse(input)
}

/// The tokens and the bytes before each.
fn tokens(text: &str) -> Vec<(usize, Token<'_>)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Ok((after, token)) = token(rest) {
        let end = text.len() - after.len();
        found.push((end - token.text().len(), token));
        rest = after;
    }
    found
}

/// Offsets are bytes here; [`parse`] makes them characters.
struct Parser<'t, 'b> {
    text: &'t str,
    tokens: Vec<(usize, Token<'t>)>,
    next: usize,
    depth: usize,
    searches: &'t Searches,
    budget: &'b mut usize,
}

impl<'t> Parser<'t, '_> {
    fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.next).map(|(_, token)| *token)
    }

    /// Bytes before the next token.
    fn offset(&self) -> usize {
        let token = self.tokens.get(self.next);
        token.map_or(self.text.trim_end().len(), |(offset, _)| *offset)
    }

    /// Passes the keyword, if it is next.
    fn take(&mut self, keyword: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is(keyword));
        self.next += usize::from(found);
        found
    }

    fn condition(&mut self) -> Result<Expr, Misread> {
        if self.tokens.is_empty() {
            return Err(Misread::new(0, "the condition is empty"));
        }
        let expr = self.or()?;
        match self.peek() {
            None => Ok(expr),
            Some(token) => Err(self.left_over(token)),
        }
    }

    fn left_over(&self, token: Token<'_>) -> Misread {
        let name = quote(token.text());
        match token {
            Token::Pipe => {
                let what = "aggregations (`| count() …`) are not supported";
                Misread::new(self.offset(), what)
                    .help("Sigma dropped them; remove the part after `|`")
            }
            Token::Close => {
                let what = "this `)` closes nothing";
                Misread::new(self.offset(), what)
            }
            Token::Open | Token::Word(_) => {
                let what = format!("expected `and` or `or` before {name}");
                Misread::new(self.offset(), what)
            }
        }
    }

    fn or(&mut self) -> Result<Expr, Misread> {
        let mut parts = vec![self.and()?];
        while self.take("or") {
            parts.push(self.and()?);
        }
        Ok(any(parts))
    }

    fn and(&mut self) -> Result<Expr, Misread> {
        let mut parts = vec![self.not()?];
        while self.take("and") {
            parts.push(self.not()?);
        }
        Ok(all(parts))
    }

    /// Two `not` cancel, so any number of them costs no depth.
    fn not(&mut self) -> Result<Expr, Misread> {
        let mut negated = false;
        while self.take("not") {
            negated = !negated;
        }
        let expr = self.atom()?;
        Ok(if negated { Expr::Not(Box::new(expr)) } else { expr })
    }

    fn atom(&mut self) -> Result<Expr, Misread> {
        let offset = self.offset();
        let Some(token) = self.peek() else {
            let what = "the condition ends where a search should follow";
            return Err(Misread::new(offset, what));
        };
        self.next += 1;
        match token {
            Token::Open => self.group(offset),
            Token::Word(word) => {
                if self.peek().is_some_and(|token| token.is("of")) {
                    return self.quantified(offset, word);
                }
                self.named(offset, word)
            }
            Token::Pipe => {
                self.next -= 1;
                Err(self.left_over(token))
            }
            Token::Close => {
                let what = "expected the name of a search before `)`";
                Err(Misread::new(offset, what))
            }
        }
    }

    /// What follows an opening parenthesis.
    fn group(&mut self, offset: usize) -> Result<Expr, Misread> {
        if self.depth >= limits::CONDITION_NESTING {
            let bound = limits::CONDITION_NESTING;
            let what = format!("parentheses nested more than {bound} deep");
            return Err(Misread::new(offset, what));
        }
        self.depth += 1;
        let expr = self.or()?;
        self.depth -= 1;
        match self.peek() {
            Some(Token::Close) => {
                self.next += 1;
                Ok(expr)
            }
            None => Err(Misread::new(offset, "this `(` is never closed")),
            Some(token) => Err(self.left_over(token)),
        }
    }

    fn named(&mut self, offset: usize, name: &str) -> Result<Expr, Misread> {
        let Some(index) = self.searches.index.get(name) else {
            return Err(unknown(offset, name, self.searches));
        };
        self.fill_in(offset, *index)
    }

    /// A copy of a search, paid for.
    fn fill_in(
        &mut self,
        offset: usize,
        index: usize,
    ) -> Result<Expr, Misread> {
        let Some(search) = self.searches.list.get(index) else {
            return Ok(Expr::All(Vec::new()));
        };
        self.pay(offset, search.size)?;
        Ok(search.expr.clone())
    }

    fn pay(&mut self, offset: usize, cost: usize) -> Result<(), Misread> {
        let what = "the condition is too large with its searches filled in";
        let rest = self.budget.checked_sub(cost);
        *self.budget = rest.ok_or_else(|| Misread::new(offset, what))?;
        Ok(())
    }

    /// `1 of …`; `of` is next.
    fn quantified(
        &mut self,
        offset: usize,
        quantity: &str,
    ) -> Result<Expr, Misread> {
        let every = quantity.eq_ignore_ascii_case("all");
        if !every && !quantity.eq_ignore_ascii_case("any") && quantity != "1" {
            let what = format!("{} before `of`", quote(quantity));
            return Err(Misread::new(offset, what)
                .help("known: `1 of`, `any of`, `all of`"));
        }
        self.next += 1;
        let offset = self.offset();
        let Some(Token::Word(pattern)) = self.peek() else {
            let what = "expected `them` or a pattern after `of`";
            return Err(Misread::new(offset, what));
        };
        self.next += 1;
        self.pay(offset, self.searches.list.len())?;
        let mut parts = Vec::new();
        for index in chosen(pattern, self.searches) {
            parts.push(self.fill_in(offset, index)?);
        }
        if parts.is_empty() {
            let what = format!("{} matches no search", quote(pattern));
            return Err(Misread::new(offset, what).help(known(self.searches)));
        }
        Ok(if every { all(parts) } else { any(parts) })
    }
}

/// The searches that a pattern or `them` names. Names that begin with `_`
/// are left out unless the pattern itself begins so.
fn chosen(pattern: &str, searches: &Searches) -> Vec<usize> {
    let them = pattern.eq_ignore_ascii_case("them");
    let pattern = if them { "*" } else { pattern };
    let hidden = pattern.starts_with('_');
    let fits = |(index, search): (usize, &Search)| {
        let shown = hidden || !search.name.starts_with('_');
        (shown && glob(pattern, &search.name)).then_some(index)
    };
    searches.list.iter().enumerate().filter_map(fits).collect()
}

/// Whether the whole name fits the pattern. Taking the first place for each
/// piece is enough, so this never goes back.
pub(super) fn glob(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(head) else { return false };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in middle.split('*') {
        let Some(at) = name.find(piece) else { return false };
        name = name.get(at + piece.len()..).unwrap_or_default();
    }
    name.ends_with(tail)
}

fn unknown(offset: usize, name: &str, searches: &Searches) -> Misread {
    let what = match name.to_ascii_lowercase().as_str() {
        "and" | "or" | "of" => {
            format!("expected the name of a search before {}", quote(name))
        }
        _ => format!("no search has the name {}", quote(name)),
    };
    let help = match nearest(name, &searches.names()) {
        Some(near) => format!("did you mean {}?", quote(near)),
        None if name.contains('*') => {
            format!("a pattern needs a quantity: `1 of {name}`")
        }
        None => known(searches),
    };
    Misread::new(offset, what).help(help)
}

/// The help that lists the searches, as far as it stays readable.
fn known(searches: &Searches) -> String {
    let mut names = searches.names();
    let more = if names.len() > 10 { ", …" } else { "" };
    names.truncate(10);
    let names: Vec<_> = names.into_iter().map(quote).collect();
    format!("the searches are {}{more}", names.join(", "))
}

/// All parts, without a wrapper around a single one.
pub(super) fn all(mut parts: Vec<Expr>) -> Expr {
    match (parts.len(), parts.pop()) {
        (1, Some(part)) => part,
        (_, last) => {
            parts.extend(last);
            Expr::All(parts)
        }
    }
}

/// One of the parts, without a wrapper around a single one.
pub(super) fn any(mut parts: Vec<Expr>) -> Expr {
    match (parts.len(), parts.pop()) {
        (1, Some(part)) => part,
        (_, last) => {
            parts.extend(last);
            Expr::Any(parts)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn searches(names: &[&str]) -> Searches {
        let mut searches = Searches::default();
        for (test, name) in names.iter().enumerate() {
            searches.add(name, Expr::Test(test));
        }
        searches
    }

    fn read(text: &str) -> Result<Expr, Misread> {
        let names = ["a", "b", "c", "sel_x", "sel_y", "x_sel", "_hidden"];
        parse(text, &searches(&names), &mut BUDGET.clone())
    }

    fn t(test: usize) -> Expr {
        Expr::Test(test)
    }

    fn not(expr: Expr) -> Expr {
        Expr::Not(Box::new(expr))
    }

    #[test]
    fn precedence() {
        let cases = [
            ("a", t(0)),
            ("((a))", t(0)),
            ("a or b and c", any(vec![t(0), all(vec![t(1), t(2)])])),
            ("(a or b)and c", all(vec![any(vec![t(0), t(1)]), t(2)])),
            ("not a and b", all(vec![not(t(0)), t(1)])),
            ("NOT (a AND b)", not(all(vec![t(0), t(1)]))),
            ("not not a", t(0)),
            ("a and not not not b", all(vec![t(0), not(t(1))])),
            ("a\nand\tb Or c", any(vec![all(vec![t(0), t(1)]), t(2)])),
            ("_hidden", t(6)),
        ];
        for (text, wanted) in cases {
            assert_eq!(read(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn quantities() {
        let them: Vec<_> = (0..6).map(t).collect();
        let cases = [
            ("1 of them", any(them.clone())),
            ("ANY OF THEM", any(them.clone())),
            ("all of them", all(them)),
            ("1 of sel*", any(vec![t(3), t(4)])),
            ("all of sel_*", all(vec![t(3), t(4)])),
            ("1 of *sel", t(5)),
            ("1 of *_*", any(vec![t(3), t(4), t(5)])),
            ("1 of s*l*y", t(4)),
            ("1 of a", t(0)),
            ("1 of _*", t(6)),
            ("a and not 1 of sel*", {
                all(vec![t(0), not(any(vec![t(3), t(4)]))])
            }),
        ];
        for (text, wanted) in cases {
            assert_eq!(read(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn a_quantity_word_can_be_a_name() {
        let searches = searches(&["all", "any"]);
        let read = |text| parse(text, &searches, &mut BUDGET.clone());
        assert_eq!(read("all and any"), Ok(all(vec![t(0), t(1)])));
        assert_eq!(read("1 of a*"), Ok(any(vec![t(0), t(1)])));
    }

    #[test]
    fn faults_have_columns() {
        let cases = [
            ("", 0, "empty"),
            ("  ", 0, "empty"),
            ("a and", 5, "ends where a search"),
            ("a b", 2, "expected `and` or `or` before `b`"),
            ("a and )", 6, "before `)`"),
            ("a)", 1, "closes nothing"),
            ("a and (b or c", 6, "never closed"),
            ("(a b)", 3, "expected `and` or `or`"),
            ("a or selx", 5, "no search has the name `selx`"),
            ("é or a", 0, "no search has the name `é`"),
            ("(a or é) and d", 6, "no search has the name `é`"),
            ("a or and b", 5, "before `and`"),
            ("1 of none*", 5, "`none*` matches no search"),
            ("1 of (a)", 5, "expected `them`"),
            ("1 of", 4, "expected `them`"),
            ("2 of them", 0, "`2` before `of`"),
            ("a | count() > 5", 2, "aggregations"),
            ("a and | count()", 6, "aggregations"),
            ("sel*", 0, "no search has the name `sel*`"),
            ("A", 0, "no search has the name `A`"),
        ];
        for (text, offset, message) in cases {
            let fault = read(text).unwrap_err();
            assert!(fault.message.contains(message), "{text}: {fault:?}");
            assert_eq!(fault.offset, offset, "{text}: {fault:?}");
        }
        let help = read("selx").unwrap_err().help;
        assert_eq!(help.as_deref(), Some("did you mean `sel_x`?"));
    }

    #[test]
    fn depth_is_counted() {
        let nested = |n: usize| "(".repeat(n) + "a" + &")".repeat(n);
        assert_eq!(read(&nested(limits::CONDITION_NESTING)), Ok(t(0)));
        let fault = read(&nested(10_000)).unwrap_err();
        assert_eq!(fault.offset, limits::CONDITION_NESTING);
        assert!(read(&"(".repeat(1 << 20)).is_err());
        assert_eq!(read(&("not ".repeat(200_000) + "a")), Ok(t(0)));
    }

    #[test]
    fn size_is_paid_for() {
        let start = Instant::now();
        let mut many = Searches::default();
        for n in 0..1000 {
            many.add(&format!("s{n}"), Expr::All(vec![t(0); 10]));
        }
        let text = vec!["1 of s*"; 100_000].join(" or ");
        let mut budget = BUDGET;
        let fault = parse(&text, &many, &mut budget).unwrap_err();
        assert!(fault.message.contains("too large"));
        let text = vec!["a"; 200_000].join(" or ");
        assert!(read(&text).is_ok());
        assert!(start.elapsed() < Duration::from_secs(1));
    }

    #[test]
    fn globs() {
        for (pattern, name) in
            [("*", ""), ("a*", "a"), ("a*b*c", "a1b2c"), ("**", "x")]
        {
            assert!(glob(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("a*a", "a"), ("a", "ab"), ("*b*c", "cb"), ("ab*bc", "abc")]
        {
            assert!(!glob(pattern, name), "{pattern} {name}");
        }
    }
}
