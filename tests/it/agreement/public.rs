//! Rules of others, unchanged: do they load, and do they fire on requests
//! that IIS logged?
//!
//! In: a folder of Sigma rules for web servers, which are not part of this
//! package; `IISLEUTH_SIGMA_RULES` names it:
//!
//! ```text
//! IISLEUTH_SIGMA_RULES=DIR cargo test --test it public_rules -- \
//!     --ignored --nocapture
//! ```
//!
//! Out: of each rule, requests made from its own values; whether the other
//! evaluator finds them with path and query in one column, and who finds
//! them as IIS logs them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use iisleuth::signature::{Expr, Op, Part, Pattern, Rule, Scratch};
use iisleuth::signature::{Signatures, Source};
use rsigma_eval::event::JsonEvent;
use rsigma_eval::{CompiledRule, evaluate_rule};
use serde_json::{Value, json};

use super::events::{Request, event, read};
use super::others;

/// Requests made of one rule, at most.
const REQUESTS: usize = 3;

/// A text that a field must hold; at its start, its end, or anywhere.
#[derive(Clone, Debug)]
struct Piece {
    text: String,
    starts: bool,
    ends: bool,
}

/// What fields must hold; `None` for those that must have no value.
type Wishes = Vec<(String, Option<Piece>)>;

fn piece(pattern: &Pattern) -> Piece {
    let text = |part: &Part| match part {
        Part::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        // Authors of rules mean the one in a URL.
        Part::One => "?".to_owned(),
        Part::Any => String::new(),
    };
    Piece {
        text: pattern.parts.iter().map(text).collect(),
        starts: pattern.parts.first() != Some(&Part::Any),
        ends: pattern.parts.last() != Some(&Part::Any),
    }
}

/// Ways to make the expression true, where what it negates stays false.
fn ways(rule: &Rule, expr: &Expr) -> Vec<Wishes> {
    match expr {
        Expr::All(parts) => {
            let own: Vec<_> = parts.iter().map(|it| ways(rule, it)).collect();
            if own.iter().any(Vec::is_empty) {
                return Vec::new();
            }
            let most = own.iter().map(Vec::len).max().unwrap_or(0);
            let way = |n: usize| {
                own.iter().flat_map(|it| it[n % it.len()].clone()).collect()
            };
            (0..most.min(REQUESTS)).map(way).collect()
        }
        Expr::Any(parts) => {
            let own: Vec<_> = parts.iter().map(|it| ways(rule, it)).collect();
            let most = own.iter().map(Vec::len).max().unwrap_or(0);
            let nth = |n| own.iter().filter_map(move |it| it.get(n).cloned());
            (0..most).flat_map(nth).collect()
        }
        Expr::Not(_) => vec![Vec::new()],
        Expr::Test(index) => {
            let test = &rule.detection.tests[*index];
            let field = test.field.clone().unwrap_or_default();
            let wish = |it: Option<Piece>| (field.clone(), it);
            match &test.op {
                Op::Text { patterns, all: true } => {
                    let all = patterns.iter().map(|it| wish(Some(piece(it))));
                    vec![all.collect()]
                }
                Op::Text { patterns, .. } => {
                    let each = |it: &Pattern| vec![wish(Some(piece(it)))];
                    patterns.iter().map(each).collect()
                }
                Op::Regex { regexes, .. } => {
                    // Only those that ask for length.
                    let text = "a".repeat(200);
                    let long =
                        regexes.iter().all(|it| it.is_match(text.as_bytes()));
                    let piece = Piece { text, starts: true, ends: true };
                    long.then(|| vec![wish(Some(piece))]).into_iter().collect()
                }
                Op::Null | Op::Exists(false) => vec![vec![wish(None)]],
                _ => Vec::new(),
            }
        }
    }
}

/// A text that holds all pieces, those of a path first.
fn joined(pieces: &[Piece], is_target: bool) -> String {
    let mut sorted = pieces.to_vec();
    let is_path = |it: &Piece| it.text.starts_with('/');
    sorted.sort_by_key(|it| (!it.starts, it.ends, is_target && !is_path(it)));
    let mut out = String::new();
    for piece in sorted {
        let text = &piece.text;
        if !is_target || out.is_empty() || text.starts_with(['/', '?', '&']) {
        } else if out.contains('?') {
            out.push('&');
        } else {
            out.push('?');
        }
        out.push_str(text);
    }
    out
}

/// One request, as one column has it all, and as IIS logs it.
fn request(wishes: &Wishes) -> (Value, Request) {
    let mut fields: BTreeMap<&str, Vec<Piece>> = BTreeMap::new();
    let mut empty = Vec::new();
    for (field, piece) in wishes {
        match piece {
            Some(piece) => {
                fields.entry(field).or_default().push(piece.clone());
            }
            None => empty.push(field.as_str()),
        }
    }
    let text = |name: &str, default: &str| match fields.get(name) {
        _ if empty.contains(&name) => "-".to_owned(),
        Some(pieces) => joined(pieces, false),
        None => default.to_owned(),
    };
    let mut target = Vec::new();
    for name in ["cs-uri-query", "c-uri", "cs-uri", "c-uri-query", ""] {
        target.extend(fields.get(name).cloned().unwrap_or_default());
    }
    let mut target = joined(&target, true);
    if target.ends_with('?') {
        // IIS shows no question mark that nothing follows.
        target.push_str("x=1");
    }
    let own_stem = text("cs-uri-stem", "");
    // A rule that asks for both takes them for what they are.
    let own_query = target.clone();
    if !own_stem.is_empty() {
        target = format!("{own_stem}?{target}");
    } else if !target.starts_with('/') {
        let mark = if target.starts_with('?') { "" } else { "?" };
        target = format!("/x{mark}{target}");
    }
    let (stem, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = if query.is_empty() { "-" } else { query };
    let plus = |text: &str| text.replace(' ', "+");
    let agent = text("cs-user-agent", "Mozilla/5.0");
    let columns = [
        ("cs-method", text("cs-method", "GET")),
        ("cs-uri-stem", plus(stem)),
        ("cs-uri-query", plus(query)),
        ("cs-username", plus(&text("cs-username", "-"))),
        ("c-ip", "198.51.100.9".to_owned()),
        ("cs(User-Agent)", plus(&agent)),
        ("cs(Referer)", plus(&text("cs-referer", "https://www.example.com/"))),
        ("cs(Cookie)", plus(&text("cs-cookie", "-"))),
        ("cs-host", text("cs-host", "www.example.com")),
        ("sc-status", text("sc-status", "200")),
    ];
    let columns = columns.iter().map(|it| (it.0, it.1.as_str()));
    let logged = Request::new(&columns.collect::<Vec<_>>());
    let mut whole = event(&logged);
    let has_stem = !own_stem.is_empty();
    whole["cs-uri-query"] = json!(if has_stem { &own_query } else { &target });
    whole["(target)"] = json!(format!("GET {target} {agent}"));
    for (field, pieces) in &fields {
        if !["", "cs-uri-query", "cs-uri-stem"].contains(field) {
            whole[*field] = json!(joined(pieces, false));
        }
    }
    (whole, logged)
}

/// For how many requests each of four finds the rule.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    made: usize,
    whole: usize,
    ours: usize,
    strict: usize,
    theirs: usize,
}

fn look(
    sets: &[Signatures; 2],
    index: u32,
    other: &CompiledRule,
    scratch: &mut Scratch,
) -> Found {
    let rule = sets[0].rule(index).unwrap();
    let mut found = Found::default();
    let asks = |event: Value| {
        evaluate_rule(other, &JsonEvent::owned(event)).is_some()
    };
    for wishes in ways(rule, &rule.detection.expr) {
        let (whole, logged) = request(&wishes);
        let [ours, strict] = [0, 1].map(|set| {
            read(&logged, |it| sets[set].matches(index, it, scratch))
                .unwrap_or_default()
        });
        found.made += 1;
        if !asks(whole) {
            continue;
        }
        found.whole += 1;
        found.ours += usize::from(ours);
        found.strict += usize::from(strict);
        found.theirs += usize::from(asks(event(&logged)));
    }
    found
}

/// True where a rule asks for a header that IIS does not log.
fn is_foreign(rule: &Rule) -> bool {
    let is_foreign = |field: &str| field == "cs-content-type";
    let mut fields = rule.detection.tests.iter().map(|it| &it.field);
    fields.any(|field| field.as_deref().is_some_and(is_foreign))
}

#[test]
#[ignore = "wants a folder of public rules"]
fn public_rules_load_and_fire_on_split_requests() {
    let folder = std::env::var_os("IISLEUTH_SIGMA_RULES")
        .expect("IISLEUTH_SIGMA_RULES names a folder");
    let sets = [false, true].map(|strict| {
        let paths = vec![PathBuf::from(&folder)];
        let source = Source {
            without_embedded: true,
            paths,
            strict,
            ..Source::default()
        };
        match Signatures::load(&source) {
            Ok(set) => set,
            Err(faults) => panic!("{faults:#?}"),
        }
    });
    assert!(sets[0].skipped().is_empty(), "{:?}", sets[0].skipped());
    let mut scratch = Scratch::default();
    let (mut loaded, mut foreign, mut counts) = (0, 0, [0; 5]);
    let mut missed = Vec::new();
    for (rule, index) in sets[0].rules().iter().zip(0_u32..) {
        let path = String::from_utf8_lossy(rule.file.as_bytes());
        let text = std::fs::read_to_string(&*path).unwrap();
        // The other has a flaw here that is listed with the differences.
        let twins = others(&text.replace("'|all'", "'|contains|all'"));
        let twin = twins.values().next().unwrap().as_ref().unwrap();
        let found = look(&sets, index, twin, &mut scratch);
        let Found { made, whole, ours, strict, theirs } = found;
        loaded += 1;
        let has = [made, whole, ours, strict, theirs];
        for (count, own) in counts.iter_mut().zip(has) {
            *count += usize::from(own > 0);
        }
        if whole == 0 || ours < whole {
            missed.push(format!("{}: {found:?}", rule.name));
        }
        foreign += usize::from(whole > 0 && ours == 0 && is_foreign(rule));
    }
    let [made, whole, ours, strict, theirs] = counts;
    println!(
        "{loaded} rules loaded\n\
         {made} with requests made from their values\n\
         {whole} that the other finds with all in one column; of these\n\
         {ours} that we find as IIS logs them\n\
         {foreign} that ask for a column that IIS cannot log\n\
         {strict} that we find so strictly\n\
         {theirs} that the other finds as IIS logs them\n{}",
        missed.join("\n")
    );
    assert!(loaded > 0 && ours + foreign == whole, "{ours} of {whole}");
}
