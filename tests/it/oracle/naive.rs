//! The naive twin: lines split at newlines, columns at blanks, and each
//! rule tried on each line in every form that the documents name.
//!
//! Written from `signatures/README.md` and the heads of `w3c` and
//! `signature::view`. Shares nothing with the program but the rules as
//! read, whose pattern parts and regular expressions are its input.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::net::IpAddr;

use encoding_rs::Encoding;
use iisleuth::signature::{
    Comparison, Expr, How, Network, Op, Part, Pattern, Rule, Signatures,
};

/// What became of each line, and which rule matched which.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Matches {
    pub lines: u64,
    pub records: u64,
    pub directives: u64,
    pub blank: u64,
    pub rejected: u64,
    pub hits: BTreeSet<(u64, String)>,
}

impl Matches {
    pub fn counts(&self) -> String {
        format!(
            "{} lines = {} records + {} directives + {} blank + {} rejected",
            self.lines,
            self.records,
            self.directives,
            self.blank,
            self.rejected
        )
    }
}

/// All rules, with the field names that they use.
pub struct Twin<'s> {
    rules: Vec<Twinned<'s>>,
    names: Vec<Option<String>>,
    strict: bool,
    /// Of bytes that are no UTF-8.
    codepage: Option<&'static Encoding>,
}

/// A rule, with its patterns lower-cased and its fields by number.
struct Twinned<'s> {
    rule: &'s Rule,
    patterns: Vec<Vec<Pattern>>,
    fields: Vec<usize>,
}

impl<'s> Twin<'s> {
    pub fn new(set: &'s Signatures, strict: bool) -> Self {
        let (rules, names) = (Vec::new(), Vec::new());
        let mut twin = Self { rules, names, strict, codepage: None };
        for rule in set.rules() {
            let tests = &rule.detection.tests;
            let fields =
                tests.iter().map(|test| twin.name(test.field.as_deref()));
            let fields = fields.collect();
            let patterns = tests.iter().map(|test| match &test.op {
                Op::Text { patterns, .. } => {
                    patterns.iter().map(|one| lowered(one, strict)).collect()
                }
                _ => Vec::new(),
            });
            let patterns = patterns.collect();
            twin.rules.push(Twinned { rule, patterns, fields });
        }
        twin
    }

    /// The same for logs in a code page.
    pub fn in_codepage(self, label: &str) -> Self {
        let codepage = Encoding::for_label(label.as_bytes());
        assert!(codepage.is_some(), "{label}");
        Self { codepage, ..self }
    }

    /// What a code page makes of a value, where it is needed.
    fn told(&self, text: &[u8]) -> Option<Vec<u8>> {
        let page = self.codepage?;
        let is_utf8 = std::str::from_utf8(text).is_ok();
        let told = || page.decode_without_bom_handling(text).0.into_owned();
        (!is_utf8).then(|| told().into_bytes())
    }

    /// The same for the words of a line.
    fn told_line(&self, line: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut rest = line;
        loop {
            let end = rest.iter().position(|byte| b" \t".contains(byte));
            let word = &rest[..end.unwrap_or(rest.len())];
            out.extend(self.told(word).unwrap_or_else(|| word.to_vec()));
            let Some(end) = end else { break };
            out.push(rest[end]);
            rest = &rest[end + 1..];
        }
        (out != line).then_some(out)
    }

    /// What it makes of a value and of every step of decoding it.
    fn told_steps(&self, text: &[u8]) -> Vec<Vec<u8>> {
        steps(text).iter().filter_map(|step| self.told(step)).collect()
    }

    fn name(&mut self, name: Option<&str>) -> usize {
        let known = self.names.iter().position(|one| one.as_deref() == name);
        known.unwrap_or_else(|| {
            self.names.push(name.map(str::to_owned));
            self.names.len() - 1
        })
    }

    /// Reads a whole log.
    pub fn read(&self, text: &[u8]) -> Matches {
        let mut found = Matches::default();
        let mut layout: Vec<Vec<u8>> = Vec::new();
        let mut is_iis = false;
        let mut lines: Vec<&[u8]> =
            text.split(|byte| *byte == b'\n').collect();
        if lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        for (line, number) in lines.into_iter().zip(1..) {
            found.lines += 1;
            let whole = line.strip_suffix(b"\r").unwrap_or(line);
            let line = without_lead(whole);
            if line.iter().all(|byte| b"\0 \t\r".contains(byte)) {
                found.blank += 1;
            } else if line.starts_with(b"#") {
                found.directives += 1;
                if let Some(names) = fields(line) {
                    layout = names;
                }
                is_iis = software(line).unwrap_or(is_iis);
            } else if let Some(row) = Row::new(line, &layout, is_iis) {
                found.records += 1;
                self.record(&row, number, &mut found.hits);
            } else {
                found.rejected += 1;
                self.rejected(whole, number, &mut found.hits);
            }
        }
        found
    }

    fn record(
        &self,
        row: &Row<'_>,
        number: u64,
        hits: &mut BTreeSet<(u64, String)>,
    ) {
        let sight = Sight {
            row,
            twin: self,
            forms: vec![OnceCell::new(); self.names.len()],
        };
        for one in self.loud() {
            if sight.holds(&one.rule.detection.expr, one) {
                hits.insert((number, one.rule.name.clone()));
            }
        }
    }

    /// Rules that are there for correlations alone are not told.
    fn loud(&self) -> impl Iterator<Item = &Twinned<'_>> {
        self.rules.iter().filter(|one| !one.rule.is_silent)
    }

    fn rejected(
        &self,
        line: &[u8],
        number: u64,
        hits: &mut BTreeSet<(u64, String)>,
    ) {
        let mut forms = vec![line.to_vec()];
        forms.extend(decoded(line));
        let told = steps(line);
        forms.extend(told.iter().filter_map(|step| self.told_line(step)));
        let forms: Vec<_> =
            forms.iter().map(|form| lower(form, self.strict)).collect();
        let seen = Rejected { twin: self, line, forms };
        for one in self.loud() {
            if seen.shows(&one.rule.detection.expr, one) == Some(true) {
                hits.insert((number, one.rule.name.clone()));
            }
        }
    }
}

/// Lower case, and `+` a blank in the IIS view.
fn lower(text: &[u8], strict: bool) -> Vec<u8> {
    let lower = text.to_ascii_lowercase();
    if strict {
        return lower;
    }
    lower.into_iter().map(|b| if b == b'+' { b' ' } else { b }).collect()
}

fn lowered(pattern: &Pattern, strict: bool) -> Pattern {
    let mut pattern = pattern.clone();
    for part in &mut pattern.parts {
        if let Part::Text(text) = part
            && !pattern.cased
        {
            *text = lower(text, strict);
        }
    }
    pattern
}

/// A byte order mark before a header, and NUL bytes that a crash left.
fn without_lead(line: &[u8]) -> &[u8] {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    let nuls = line.iter().take_while(|byte| **byte == 0).count();
    &line[nuls..]
}

/// The columns that the last `#Fields` of a directive line names.
fn fields(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut found = None;
    for directive in directives(line) {
        let Some(colon) = directive.iter().position(|b| *b == b':') else {
            continue;
        };
        let name = directive[1..colon].trim_ascii().to_ascii_lowercase();
        if name == b"fields" {
            let names = directive[colon + 1..]
                .split(u8::is_ascii_whitespace)
                .filter(|name| !name.is_empty())
                .map(<[u8]>::to_ascii_lowercase);
            found = Some(names.collect());
        }
    }
    found
}

/// Whether a line says that IIS or HTTP.sys wrote what follows.
fn software(line: &[u8]) -> Option<bool> {
    let mut found = None;
    for directive in directives(line) {
        let text = directive.to_ascii_lowercase();
        let Some(name) = text.strip_prefix(b"#software:") else { continue };
        let name = String::from_utf8_lossy(name.trim_ascii()).into_owned();
        let version = name.rsplit(' ').next().unwrap_or_default();
        let is_version = version
            .split_once('.')
            .unwrap_or((version, "0"))
            .0
            .parse::<u8>()
            .is_ok();
        found = Some(
            (name.contains("internet information ser") && is_version)
                || name.starts_with("microsoft http api")
                || name.starts_with("microsoft http server api"),
        );
    }
    found
}

/// A line cut before each known directive; but `#Fields:` and `#Remark:`
/// take what follows them.
fn directives(line: &[u8]) -> Vec<&[u8]> {
    const KNOWN: [&[u8]; 7] = [
        b"#fields:",
        b"#remark:",
        b"#software:",
        b"#version:",
        b"#date:",
        b"#start-date:",
        b"#end-date:",
    ];
    let lower = line.to_ascii_lowercase();
    let mut cuts = vec![0];
    for at in 1..lower.len() {
        let last = &lower[*cuts.last().unwrap()..];
        let takes_all = KNOWN[..2].iter().any(|name| last.starts_with(name));
        if !takes_all && KNOWN.iter().any(|name| lower[at..].starts_with(name))
        {
            cuts.push(at);
        }
    }
    let ends = cuts.iter().skip(1).copied().chain([line.len()]);
    cuts.iter().zip(ends).map(|(from, to)| &line[*from..to]).collect()
}

/// A line that fits its layout.
struct Row<'a> {
    line: &'a [u8],
    layout: &'a [Vec<u8>],
    columns: Vec<&'a [u8]>,
}

fn words(line: &[u8]) -> Vec<&[u8]> {
    line.split(|byte| b" \t".contains(byte))
        .filter(|word| !word.is_empty())
        .collect()
}

fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => value,
    }
}

/// Words, and texts in quotes: from a quote that begins a word to the next
/// one that is not doubled, where a word ends there too.
fn quoted(line: &[u8]) -> Vec<&[u8]> {
    let mut columns = Vec::new();
    let mut rest = line;
    loop {
        while let [b' ' | b'\t', more @ ..] = rest {
            rest = more;
        }
        if rest.is_empty() {
            return columns;
        }
        let mut end = 1;
        let mut text = None;
        while rest[0] == b'"' && end < rest.len() {
            match (rest[end], rest.get(end + 1)) {
                (b'"', Some(b'"')) => end += 2,
                (b'"', None | Some(b' ' | b'\t')) => {
                    text = Some(&rest[1..end]);
                    break;
                }
                (b'"', _) => break,
                _ => end += 1,
            }
        }
        let word = rest.iter().position(|byte| b" \t".contains(byte));
        let word = word.unwrap_or(rest.len());
        let (text, length) =
            text.map_or((&rest[..word], word), |text| (text, end + 1));
        columns.push(text);
        rest = &rest[length..];
    }
}

/// What a URL is made of.
type Target<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

impl<'a> Row<'a> {
    fn new(
        line: &'a [u8],
        layout: &'a [Vec<u8>],
        is_iis: bool,
    ) -> Option<Self> {
        let is_odd = line.contains(&b'"') || line.contains(&b'\t');
        let plain = || Self::plain(line, layout);
        let loose = || {
            let mut ways = vec![quoted(line), words(line)];
            if line.contains(&b'\t') {
                let tabs = line.split(|byte| *byte == b'\t').map(unquoted);
                ways.insert(0, tabs.collect());
            }
            let mut ways = ways.into_iter();
            let fits = |columns: &Vec<&[u8]>| columns.len() == layout.len();
            let columns = ways.find(fits).filter(|_| !layout.is_empty())?;
            Some(Self { line, layout, columns })
        };
        match (is_iis, is_odd) {
            (true, _) => plain(),
            (false, true) => loose().or_else(plain),
            (false, false) => plain().or_else(loose),
        }
    }

    fn plain(line: &'a [u8], layout: &'a [Vec<u8>]) -> Option<Self> {
        let mut columns: Vec<_> = line.split(|byte| *byte == b' ').collect();
        let padded = columns.last().is_some_and(|last| last.is_empty());
        if columns.len() == layout.len() + 1 && padded {
            columns.pop();
        }
        let fits = !layout.is_empty() && columns.len() == layout.len();
        fits.then_some(Self { line, layout, columns })
    }

    /// The value of the first column with one of these names.
    fn get(&self, names: &[&str]) -> Option<&'a [u8]> {
        let is = |own: &Vec<u8>| names.iter().any(|n| n.as_bytes() == own);
        let value = self.columns[self.layout.iter().position(is)?];
        (!matches!(value, b"-" | b"")).then_some(value)
    }

    fn has(&self, name: &str) -> bool {
        self.layout.iter().any(|own| own == name.as_bytes())
    }

    /// Path and query as logged.
    fn logged(&self) -> Target<'a> {
        if self.has("cs-uri-stem") {
            return (self.get(&["cs-uri-stem"]), self.get(&["cs-uri-query"]));
        }
        self.get(&["cs-uri"]).map_or((None, None), split)
    }

    /// Path and query as sent: URLScan logs another path and puts the URL
    /// into the query. True where it did.
    fn target(&self) -> (Target<'a>, bool) {
        let (stem, query) = self.logged();
        let refused = stem.is_some_and(|stem| {
            stem.eq_ignore_ascii_case(b"/<rejected-by-urlscan>")
        });
        if !refused {
            return ((stem, query), false);
        }
        let url = query.and_then(|query| query.strip_prefix(b"~"));
        match url.filter(|url| !url.is_empty()) {
            Some(url) => (split(url), true),
            None => ((stem, query), true),
        }
    }
}

fn split(url: &[u8]) -> Target<'_> {
    match url.iter().position(|byte| *byte == b'?') {
        Some(at) => {
            let query = &url[at + 1..];
            (Some(&url[..at]), Some(query).filter(|text| !text.is_empty()))
        }
        None => (Some(url), None),
    }
}

/// Which texts a field's name means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning<'n> {
    Line,
    Request,
    Stem,
    Extension,
    Columns(&'n [&'n str]),
}

/// The columns of the names that are not their own column's.
const OTHER_NAMES: [(&[&str], &[&str]); 12] = [
    (
        &["cs-user-agent", "c-useragent", "user-agent", "cs(user-agent)"],
        &["cs(user-agent)"],
    ),
    (
        &[
            "cs-referer",
            "cs-referrer",
            "referer",
            "cs(referer)",
            "cs(referrer)",
        ],
        &["cs(referer)", "cs(referrer)"],
    ),
    (&["cs-cookie", "cs(cookie)"], &["cs(cookie)"]),
    (&["r-dns", "host", "cs-host", "cs(host)"], &["cs-host", "cs(host)"]),
    (&["src_ip", "src-ip", "sourceip"], &["c-ip"]),
    (&["dst_ip", "dst-ip"], &["s-ip"]),
    (&["dst_port", "dst-port"], &["s-port"]),
    (&["c-win32-status"], &["sc-win32-status"]),
    (&["cs-method"], &["cs-method"]),
    (&["sc-status"], &["sc-status"]),
    (&["c-ip"], &["c-ip"]),
    (&["cs-username"], &["cs-username"]),
];

fn meaning<'n>(
    name: Option<&'n str>,
    strict: bool,
    own: &'n [&'n str],
) -> Meaning<'n> {
    match name {
        None => Meaning::Line,
        Some("cs-uri-query" | "c-uri-query") if strict => {
            Meaning::Columns(&["cs-uri-query"])
        }
        Some("cs-uri-stem" | "c-uri-stem") if strict => {
            Meaning::Columns(&["cs-uri-stem"])
        }
        Some("cs-uri-query" | "c-uri-query" | "c-uri" | "cs-uri") => {
            Meaning::Request
        }
        Some("cs-uri-stem" | "c-uri-stem") => Meaning::Stem,
        Some("c-uri-extension") => Meaning::Extension,
        Some(name) => OTHER_NAMES
            .iter()
            .find(|(names, _)| names.contains(&name))
            .map_or(Meaning::Columns(own), |(_, of)| Meaning::Columns(of)),
    }
}

/// The forms of one field: as they are, and in lower case.
type Forms = Vec<(Vec<u8>, Vec<u8>)>;

/// One record with the texts of each field, made when asked for.
struct Sight<'r> {
    row: &'r Row<'r>,
    twin: &'r Twin<'r>,
    forms: Vec<OnceCell<Forms>>,
}

impl Sight<'_> {
    fn holds(&self, expr: &Expr, one: &Twinned<'_>) -> bool {
        match expr {
            Expr::All(parts) => parts.iter().all(|it| self.holds(it, one)),
            Expr::Any(parts) => parts.iter().any(|it| self.holds(it, one)),
            Expr::Not(part) => !self.holds(part, one),
            Expr::Test(at) => self.test(*at, one),
        }
    }

    fn test(&self, at: usize, one: &Twinned<'_>) -> bool {
        let asked = &one.rule.detection.tests[at];
        let forms = self.forms(one.fields[at]);
        let text = |holds: &dyn Fn(&str) -> bool| {
            forms
                .iter()
                .any(|(raw, _)| std::str::from_utf8(raw).is_ok_and(holds))
        };
        match &asked.op {
            Op::Text { all, .. } => {
                let mut patterns = one.patterns[at].iter().map(|pattern| {
                    forms.iter().any(|(raw, lower)| {
                        let text = if pattern.cased { raw } else { lower };
                        glob(&pattern.parts, text)
                    })
                });
                if *all {
                    patterns.all(|it| it)
                } else {
                    patterns.any(|it| it)
                }
            }
            Op::Regex { regexes, all } => {
                let mut regexes = regexes.iter().map(|regex| {
                    forms.iter().any(|(raw, _)| regex.is_match(raw))
                });
                if *all { regexes.all(|it| it) } else { regexes.any(|it| it) }
            }
            Op::Cidr(networks) => {
                text(&|text| networks.iter().any(|net| within(text, net)))
            }
            Op::Compare(numbers) => {
                text(&|text| numbers.iter().any(|one| compares(text, one)))
            }
            Op::Exists(wanted) => {
                self.logged(asked.field.as_deref()).is_some() == *wanted
            }
            Op::Null => self.logged(asked.field.as_deref()).is_none(),
            Op::FieldRef { other, how } => {
                self.logged(Some(other)).is_some_and(|other| {
                    let other = lower(other, self.twin.strict);
                    forms.iter().any(|(_, text)| refers(*how, text, &other))
                })
            }
        }
    }

    fn forms(&self, field: usize) -> &Forms {
        self.forms[field].get_or_init(|| {
            let name = self.twin.names[field].as_deref();
            let low = |raw: Vec<u8>| {
                let lower = lower(&raw, self.twin.strict);
                (raw, lower)
            };
            self.texts(name).into_iter().map(low).collect()
        })
    }

    /// Every text that the field means.
    fn texts(&self, name: Option<&str>) -> Vec<Vec<u8>> {
        let own = [name.unwrap_or_default()];
        let ((stem, query), refused) = self.row.target();
        let mut stems: Vec<Vec<u8>> = Vec::new();
        if let Some(stem) = stem {
            stems.push(stem.to_vec());
            stems.extend(decoded(stem));
            stems.extend(short(stem));
            if refused {
                stems.extend(self.row.logged().0.map(<[u8]>::to_vec));
            }
            stems.extend(self.twin.told_steps(stem));
        }
        match meaning(name, self.twin.strict, &own) {
            Meaning::Stem => stems,
            Meaning::Extension => {
                stems.iter().filter_map(|stem| extension(stem)).collect()
            }
            Meaning::Request => {
                let mut texts = requests(stem, query);
                let query = query.unwrap_or_default();
                texts.extend(self.twin.told_steps(query));
                texts.extend(self.told_wholes());
                texts
            }
            Meaning::Line => {
                let method = self.row.get(&["cs-method"]).unwrap_or_default();
                let mut wholes = wholes(stem, query);
                wholes.extend(self.told_wholes());
                let mut texts = vec![self.row.line.to_vec()];
                texts.extend(self.twin.told_line(self.row.line));
                let wholes = wholes.into_iter();
                texts.extend(wholes.map(|it| [method, b" ", &it].concat()));
                texts
            }
            Meaning::Columns(names) => {
                let Some(value) = self.row.get(names) else { return vec![] };
                let told = self.twin.told(value);
                [value.to_vec()].into_iter().chain(told).collect()
            }
        }
    }

    /// The request at each step, where a code page makes a part of it.
    fn told_wholes(&self) -> Vec<Vec<u8>> {
        let (stem, query) = self.row.target().0;
        let stems = steps(stem.unwrap_or_default());
        let queries = steps(query.unwrap_or_default());
        let mut texts = Vec::new();
        for (own_stem, own_query) in stems.iter().zip(&queries) {
            let told = [own_stem, own_query].map(|it| self.twin.told(it));
            if told.iter().all(Option::is_none) {
                continue;
            }
            let [told_stem, told_query] = told;
            let mut text = told_stem.unwrap_or_else(|| own_stem.clone());
            if query.is_some() {
                text.push(b'?');
                text.extend(told_query.unwrap_or_else(|| own_query.clone()));
            }
            texts.push(text);
        }
        texts
    }

    /// The value as logged, to ask whether there is one.
    fn logged(&self, name: Option<&str>) -> Option<&[u8]> {
        let own = [name.unwrap_or_default()];
        let (stem, query) = self.row.target().0;
        match meaning(name, self.twin.strict, &own) {
            Meaning::Line => Some(self.row.line),
            Meaning::Request => query,
            Meaning::Stem | Meaning::Extension => stem,
            Meaning::Columns(names) => self.row.get(names),
        }
    }
}

/// The query and the request, each raw and after one, two, three rounds.
fn requests(stem: Option<&[u8]>, query: Option<&[u8]>) -> Vec<Vec<u8>> {
    let mut texts = wholes(stem, query);
    if let Some(query) = query {
        texts.push(query.to_vec());
        texts.extend(decoded(query));
    }
    texts
}

/// The request, raw and after one, two, three rounds. None where a line
/// names no URL.
fn wholes(stem: Option<&[u8]>, query: Option<&[u8]>) -> Vec<Vec<u8>> {
    if stem.is_none() && query.is_none() {
        return Vec::new();
    }
    let whole = stem.unwrap_or_default();
    let mut stem = whole.to_vec();
    let mut query = query.map(<[u8]>::to_vec);
    let (mut texts, mut queries) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        queries.push(query.clone());
        texts.push(match &query {
            Some(query) => [&stem[..], b"?", query].concat(),
            None => stem.clone(),
        });
        stem = round(&stem);
        query = query.map(|query| round(&query));
    }
    for stem in short(whole) {
        texts.extend(queries.iter().map(|query| match query {
            Some(query) => [&stem[..], b"?", query].concat(),
            None => stem.clone(),
        }));
    }
    texts
}

/// The last form of a stem without detours: without what is nothing, and
/// without climbs too; the stem itself where it has none.
fn short(stem: &[u8]) -> Vec<Vec<u8>> {
    let last = decoded(stem).pop().unwrap_or_else(|| stem.to_vec());
    if last.first() != Some(&b'/') {
        return vec![last];
    }
    let is_slash = |byte: &u8| matches!(byte, b'/' | b'\\');
    let names: Vec<&[u8]> = last.split(is_slash).skip(1).collect();
    let (end, folders) = names.split_last().unwrap();
    [false, true]
        .map(|climbs| {
            let all = settled(&names, climbs);
            let is_name = match *end {
                b"" | b"." => false,
                // Of no use where there is nothing to step out of.
                b".." => all.len() > settled(folders, climbs).len(),
                _ => true,
            };
            let mut short: Vec<u8> =
                all.iter().flat_map(|it| [b"/", *it].concat()).collect();
            if !is_name {
                short.push(b'/');
            }
            short
        })
        .to_vec()
}

/// Without `.`, and where asked without each folder that `..` leaves again.
fn settled<'n>(names: &[&'n [u8]], climbs: bool) -> Vec<&'n [u8]> {
    let mut names: Vec<&[u8]> = names.to_vec();
    names.retain(|name| !matches!(*name, b"" | b"."));
    let leaves = |pair: &[&[u8]]| pair[0] != b".." && pair[1] == b"..";
    while climbs && let Some(at) = names.windows(2).position(leaves) {
        names.drain(at..at + 2);
    }
    names
}

fn extension(stem: &[u8]) -> Option<Vec<u8>> {
    let name = stem.rsplit(|byte| *byte == b'/').next()?;
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    Some(name[dot + 1..].to_vec())
}

/// A pattern against a text: what a child would write.
fn glob(parts: &[Part], text: &[u8]) -> bool {
    match parts {
        [] => text.is_empty(),
        [Part::Any] => true,
        [Part::Any, rest @ ..] => {
            let by_character = rest[0] == Part::One;
            let mut text = text;
            loop {
                if glob(rest, text) {
                    return true;
                }
                if text.is_empty() {
                    return false;
                }
                let step = if by_character { character(text) } else { 1 };
                text = &text[step..];
            }
        }
        [Part::One, rest @ ..] => {
            !text.is_empty() && glob(rest, &text[character(text)..])
        }
        [Part::Text(part), rest @ ..] => {
            text.strip_prefix(&part[..]).is_some_and(|text| glob(rest, text))
        }
    }
}

/// The bytes of the first character; one of what is no UTF-8.
fn character(text: &[u8]) -> usize {
    let is_one = |count: &usize| {
        let text = text.get(..*count).map(std::str::from_utf8);
        matches!(text, Some(Ok(text)) if text.chars().count() == 1)
    };
    (1..=4).find(is_one).unwrap_or(1)
}

fn refers(how: How, text: &[u8], other: &[u8]) -> bool {
    match how {
        How::Equals => text == other,
        How::StartsWith => text.starts_with(other),
        How::EndsWith => text.ends_with(other),
        How::Contains => {
            (0..=text.len()).any(|at| text[at..].starts_with(other))
        }
    }
}

fn compares(text: &str, one: &Comparison) -> bool {
    let Ok(number) = text.parse::<f64>() else { return false };
    one.accept
        .iter()
        .flatten()
        .any(|ordering| number.partial_cmp(&one.number) == Some(*ordering))
}

/// The leading bits of an address, one letter each.
fn bits(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => format!("4{:032b}", u32::from(v4)),
        IpAddr::V6(v6) => format!("6{:0128b}", u128::from(v6)),
    }
}

fn within(text: &str, network: &Network) -> bool {
    let bare = text.split('%').next().unwrap_or_default();
    let Ok(address) = bare.parse::<IpAddr>() else { return false };
    let net = bits(network.address);
    let most = usize::from(network.prefix).min(net.len() - 1);
    bits(address).starts_with(&net[..=most])
}

/// A rejected line: the texts of rules, anywhere in it.
struct Rejected<'t> {
    twin: &'t Twin<'t>,
    line: &'t [u8],
    forms: Vec<Vec<u8>>,
}

impl Rejected<'_> {
    /// `None` where it cannot be told: of statuses, filters and the like.
    fn shows(&self, expr: &Expr, one: &Twinned<'_>) -> Option<bool> {
        let each = |part: &Expr| self.shows(part, one);
        match expr {
            Expr::All(parts) => {
                let seen: Vec<_> = parts.iter().map(each).collect();
                if seen.contains(&Some(false)) {
                    Some(false)
                } else {
                    seen.contains(&Some(true)).then_some(true)
                }
            }
            Expr::Any(parts) => {
                let seen: Vec<_> = parts.iter().map(each).collect();
                if seen.contains(&Some(true)) {
                    Some(true)
                } else {
                    (!seen.contains(&None)).then_some(false)
                }
            }
            Expr::Not(_) => None,
            Expr::Test(at) => self.text(*at, one),
        }
    }

    fn text(&self, at: usize, one: &Twinned<'_>) -> Option<bool> {
        let test = &one.rule.detection.tests[at];
        let Op::Text { all, .. } = &test.op else { return None };
        let strict = self.twin.strict;
        let chosen = match meaning(test.field.as_deref(), strict, &[]) {
            Meaning::Columns(["cs-method"]) => {
                // A verb proves nothing; one that is missing refutes.
                return self.has_word(&one.patterns[at]);
            }
            Meaning::Line | Meaning::Request | Meaning::Stem => true,
            Meaning::Extension => false,
            Meaning::Columns(names) => names.first().is_some_and(|name| {
                ["cs-uri-stem", "cs-uri-query"].contains(name)
                    || ["cs(user-agent)", "cs(referer)", "cs(cookie)"]
                        .contains(name)
            }),
        };
        if !chosen {
            return None;
        }
        let mut found = one.patterns[at].iter().map(|pattern| {
            let whole: usize = texts(pattern).map(<[u8]>::len).sum();
            // Fewer letters than four stand anywhere.
            whole >= 4 && self.holds(pattern)
        });
        Some(if *all { found.all(|it| it) } else { found.any(|it| it) })
    }

    /// `Some(false)` where no word of the line is one of these.
    fn has_word(&self, patterns: &[Pattern]) -> Option<bool> {
        let mut words = self.line.split(|byte| *byte == b' ');
        let found = words.any(|word| {
            let lower = lower(word, self.twin.strict);
            patterns.iter().any(|pattern| {
                let word = if pattern.cased { word } else { &lower };
                glob(&pattern.parts, word)
            })
        });
        (!found).then_some(false)
    }

    /// All texts in one form; a `?` parts columns, and what a column begins
    /// or ends with stands at a border.
    fn holds(&self, pattern: &Pattern) -> bool {
        let last = pattern.parts.len() - 1;
        let mut wanted: Vec<Vec<u8>> = Vec::new();
        for (at, part) in pattern.parts.iter().enumerate() {
            let Part::Text(text) = part else { continue };
            // Letter case is not asked for in a line that cannot be read.
            let mut text = lower(text, self.twin.strict);
            if at == 0 {
                text.insert(0, b'?');
            }
            if at == last {
                text.push(b'?');
            }
            wanted.push(text);
        }
        self.forms.iter().any(|form| {
            let form = [b" ", &form[..], b" "].concat();
            wanted.iter().all(|text| {
                let pieces: Vec<_> = text.split(|b| *b == b'?').collect();
                let last = pieces.len() - 1;
                pieces.iter().enumerate().all(|(at, piece)| {
                    piece.is_empty() || stands(&form, piece, at > 0, at < last)
                })
            })
        })
    }
}

/// Whether a piece stands in a line, at borders where it must.
fn stands(line: &[u8], piece: &[u8], before: bool, after: bool) -> bool {
    let border = |byte: u8| b" \t\"',?".contains(&byte);
    (1..line.len() - piece.len().min(line.len() - 1)).any(|at| {
        line[at..].starts_with(piece)
            && (!before || border(line[at - 1]))
            && (!after || border(line[at + piece.len()]))
    })
}

fn texts(pattern: &Pattern) -> impl Iterator<Item = &[u8]> {
    pattern.parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(&text[..]),
        _ => None,
    })
}

/// The text after each round that changes it, three at most.
fn decoded(text: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    let mut text = text.to_vec();
    for _ in 0..3 {
        let next = round(&text);
        if next == text {
            break;
        }
        forms.push(next.clone());
        text = next;
    }
    forms
}

/// The text, and after the escapes and after the overlong forms of each of
/// three rounds.
fn steps(text: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![text.to_vec()];
    for _ in 0..3 {
        all.push(unescape(all.last().unwrap()));
        all.push(shorten(all.last().unwrap()));
    }
    all
}

/// Escapes, then overlong forms.
fn round(text: &[u8]) -> Vec<u8> {
    shorten(&unescape(text))
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let hex = |at: usize, count: usize| -> Option<u32> {
        let digits = std::str::from_utf8(text.get(at..at + count)?).ok()?;
        let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        all.then(|| u32::from_str_radix(digits, 16).unwrap())
    };
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let unicode = matches!(text.get(at + 1), Some(b'u' | b'U'));
        if text[at] == b'%'
            && unicode
            && let Some(unit) = hex(at + 2, 4)
        {
            let letter = match unit {
                0xFF01..=0xFF5E => char::from_u32(unit - 0xFF01 + 0x21),
                0x2044 | 0x2215 => Some('/'),
                0x2216 => Some('\\'),
                _ => char::from_u32(unit),
            };
            let letter = letter.unwrap_or('\u{FFFD}').to_string();
            out.extend_from_slice(letter.as_bytes());
            at += 6;
        } else if text[at] == b'%'
            && let Some(byte) = hex(at + 1, 2)
        {
            out.push(u8::try_from(byte).unwrap());
            at += 3;
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}

/// Overlong UTF-8, and its bytes written as characters of their own.
fn shorten(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let byte = |n: usize| text.get(at + n).copied().unwrap_or(0x7F);
        let follows = |b: u8| (0x80..=0xBF).contains(&b);
        let loose = |b: u8| b < 0x40 || follows(b);
        // The lead's low bit and the last byte's low six make the letter.
        let zeros: Option<usize> = match byte(0) {
            0xE0 => Some(0),
            0xF0 => Some(1),
            0xF8 => Some(2),
            0xFC => Some(3),
            _ => None,
        };
        let (lead, last, used) = if let Some(zeros) = zeros
            && (1..=zeros).all(|n| byte(n) == 0x80)
            && matches!(byte(zeros + 1), 0x80 | 0x81)
            && follows(byte(zeros + 2))
        {
            (byte(zeros + 1), byte(zeros + 2), zeros + 3)
        } else if matches!(byte(0), 0xC0 | 0xC1) && loose(byte(1)) {
            (byte(0), byte(1), 2)
        } else if byte(0) == 0xC3 && matches!(byte(1), 0x80 | 0x81) {
            match (byte(2), byte(3)) {
                (0xC2, last) if follows(last) => (byte(1), last, 4),
                (0xC5, 0x93) => (byte(1), 0x9C, 4),
                (last, _) if last < 0x40 => (byte(1), last, 3),
                _ => (0, 0, 0),
            }
        } else {
            (0, 0, 0)
        };
        if used == 0 {
            out.push(text[at]);
            at += 1;
        } else {
            out.push((lead % 2) * 64 + last % 64);
            at += used;
        }
    }
    out
}
