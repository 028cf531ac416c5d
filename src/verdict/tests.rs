//! Answers that real servers gave, and what each must be judged as, with
//! the criteria that come with the program.

use std::fmt::Write as _;

use super::*;
use crate::signature::{Criterion, Feature, Rule, Signatures};
use crate::w3c::{Line, Parser};

mod table;

/// A line and what is known of it; the profile `-` is none.
struct Case<'a> {
    software: &'a str,
    fields: &'a str,
    line: &'a str,
    profile: &'a str,
    own: Vec<Criterion>,
}

const IIS5: &str = "Microsoft Internet Information Services 5.0";
const IIS6: &str = "Microsoft Internet Information Services 6.0";
const LINE: &str = "date time c-ip cs-method cs-uri-stem cs-uri-query";
const HTTPERR: &str = "date time c-ip c-port s-ip s-port cs-version \
    cs-method cs-uri sc-status s-siteid s-reason s-queuename";

fn signatures() -> Signatures {
    Signatures::embedded().unwrap_or_else(|faults| {
        panic!("{:?}", faults.first().map(|one| &one.message))
    })
}

/// A rule that says nothing of outcomes.
fn bare_rule(set: &Signatures) -> Rule {
    let mut rule = set.rules().first().unwrap().clone();
    rule.sleuth = crate::signature::Sleuth::default();
    rule
}

/// What a verdict says, apart from the hit it was given on.
#[derive(Debug)]
struct Said {
    outcome: Outcome,
    confidence: Confidence,
    reasons: Vec<Reason>,
}

impl From<Verdict<'_>> for Said {
    fn from(verdict: Verdict<'_>) -> Self {
        let Verdict { outcome, confidence, .. } = verdict;
        Self { outcome, confidence, reasons: verdict.reasons() }
    }
}

fn verdict(set: &Signatures, case: &Case<'_>) -> Said {
    let mut rule = bare_rule(set);
    rule.sleuth.outcome.clone_from(&case.own);
    let profile = case.profile.to_owned();
    let feature = Feature { profile, ..Feature::default() };
    let mut parser = Parser::default();
    let software = format!("#Software: {}", case.software);
    parser.line(software.as_bytes(), false);
    let fields = format!("#Fields: {}", case.fields);
    parser.line(fields.as_bytes(), false);
    let Line::Record(record) = parser.line(case.line.as_bytes(), false) else {
        panic!("no record: {}", case.line);
    };
    let target = record.target();
    let hit = Hit {
        rule: &rule,
        feature: Some(&feature).filter(|one| one.profile != "-"),
        record: Some(&record),
        text: case.line.as_bytes(),
        codepage: None,
        line: 1,
        offset: 0,
        matched_on: &[],
        decoded_stem: target.stem.unwrap_or_default(),
        decoded_query: target.query.unwrap_or_default(),
    };
    let said = Said::from(judge(&hit, set.outcomes()));
    same_way(&said, &trace::trace(&hit, set.outcomes()));
    said
}

/// The way that is told leads to the verdict.
fn same_way(said: &Said, way: &trace::Judgement) {
    assert_eq!(said.outcome, way.outcome);
    assert_eq!(said.confidence, way.confidence);
    assert_eq!(said.reasons, way.reasons);
    let (last, passed) = way.asked.split_last().unwrap();
    assert!(passed.iter().all(|one| !one.fits), "{passed:?}");
    if last.fits {
        assert_eq!(last.reason, said.reasons[0].code);
        assert_eq!(last.outcome, said.outcome);
    } else {
        assert_eq!("no-criterion", said.reasons[0].code);
    }
}

/// Judges `request` (method, stem, query) with `answer` (`404.2 1260`, or
/// `404 2` without a substatus; the size may follow).
fn answer(
    set: &Signatures,
    profile: &str,
    iis: &str,
    request: &str,
    answer: &str,
) -> Said {
    let mut fields = format!("{LINE} sc-status");
    let mut words = answer.split(' ');
    let status = words.next().unwrap_or_default();
    if status.contains('.') {
        fields += " sc-substatus";
    }
    let mut line = format!("2001-07-19 13:01:02 192.0.2.1 {request}");
    let _ = write!(line, " {}", status.replace('.', " "));
    for name in ["sc-win32-status", "sc-bytes"] {
        let Some(word) = words.next() else { break };
        let _ = write!(fields, " {name}");
        let _ = write!(line, " {word}");
    }
    let name = match iis {
        "4.0" => "Microsoft Internet Information Server",
        _ => "Microsoft Internet Information Services",
    };
    let software = match iis {
        "-" => "unknown".to_owned(),
        _ => format!("{name} {iis}"),
    };
    let case = Case {
        software: &software,
        fields: &fields,
        line: &line,
        profile,
        own: Vec::new(),
    };
    verdict(set, &case)
}

#[test]
fn what_http_sys_refused() {
    let set = signatures();
    for (status, reason, outcome) in [
        ("400", "BadRequest", Outcome::Blocked),
        ("400", "URL", Outcome::Blocked),
        ("400", "Hostname", Outcome::Blocked),
        ("403", "Forbidden", Outcome::Blocked),
        ("414", "URL_Length", Outcome::Blocked),
        ("-", "Request_Cancelled", Outcome::Blocked),
        ("503", "QueueFull", Outcome::Blocked),
        ("503", "N/A", Outcome::Blocked),
        ("501", "N/I", Outcome::Disabled),
        ("503", "Disabled", Outcome::Disabled),
        ("503", "AppShutdown", Outcome::Disabled),
        ("503", "AppOffline", Outcome::Crashed),
        ("-", "Connection_Abandoned_By_AppPool", Outcome::Crashed),
        ("-", "connection_abandoned_by_reqqueue", Outcome::Crashed),
        ("-", "Connection_Dropped", Outcome::Unknown),
        ("-", "Timer_EntityBody", Outcome::Unknown),
        ("404", "NotHeardOfYet", Outcome::Absent),
    ] {
        let line = format!(
            "2021-03-02 01:02:03 192.0.2.1 5000 10.0.0.5 80 HTTP/1.1 GET \
             /x.ida?a {status} 1 {reason} Pool"
        );
        let case = Case {
            software: "Microsoft HTTP API 2.0",
            fields: HTTPERR,
            line: &line,
            profile: "isapi",
            own: Vec::new(),
        };
        let got = verdict(&set, &case);
        assert_eq!(got.outcome, outcome, "{line} {got:?}");
        assert!(got.reasons[0].text.contains(reason), "{got:?}");
    }
}

/// URLScan's 404 says nothing of a mapping, whatever a rule makes of 404.
#[test]
fn the_refuser_goes_first() {
    let set = signatures();
    let own = vec![Criterion {
        when: When {
            status: vec![crate::signature::Range { low: 404.0, high: 404.0 }],
            ..When::default()
        },
        outcome: Outcome::Succeeded,
        confidence: Confidence::Certain,
        reason: "own".to_owned(),
        text: "own".to_owned(),
    }];
    for (stem, outcome) in [
        ("/<Rejected-By-UrlScan> ~/a.ida?N", Outcome::Blocked),
        ("/a.ida N", Outcome::Succeeded),
        // The mode that only logs: nothing was refused.
        ("/~* ~/a.ida?N", Outcome::Succeeded),
    ] {
        let line = format!("2001-07-19 13:01:02 192.0.2.1 GET {stem} 404 2");
        let case = Case {
            software: IIS5,
            fields: &format!("{LINE} sc-status sc-win32-status"),
            line: &line,
            profile: "isapi",
            own: own.clone(),
        };
        assert_eq!(verdict(&set, &case).outcome, outcome, "{line}");
    }
}

#[test]
fn a_reason_can_be_checked() {
    let set = signatures();
    for (profile, iis, given, code, end) in [
        (
            "isapi",
            "6.0",
            "404.2 1260",
            "extension-prohibited",
            "(logged: 404.2, win32 1260)",
        ),
        (
            "isapi",
            "5.0",
            "404 2",
            "mapping-removed",
            "(logged: 404, win32 2, IIS 5.0)",
        ),
        (
            "cgi",
            "5.0",
            "200 0 930",
            "program-output",
            "(logged: 200, win32 0, 930 bytes, IIS 5.0)",
        ),
        ("-", "5.0", "406", "no-criterion", "(logged: 406)"),
        ("-", "5.0", "-", "no-status", "(logged: no status)"),
    ] {
        let got = answer(&set, profile, iis, "GET /x.ida -", given);
        let reason = &got.reasons[0];
        assert_eq!(reason.code, code);
        assert!(reason.text.ends_with(end), "{reason:?}");
    }
}

/// What stands in a reason column that HTTP.sys did not write stays out.
#[test]
fn a_reason_holds_no_evidence() {
    let set = signatures();
    let line = "2021-03-02 01:02:03 192.0.2.1 5000 10.0.0.5 80 HTTP/1.1 GET \
        / 200 1 <script> Pool";
    let case = Case {
        software: IIS6,
        fields: HTTPERR,
        line,
        profile: "-",
        own: Vec::new(),
    };
    let got = verdict(&set, &case);
    assert!(got.reasons[0].text.ends_with("(logged: 200)"), "{got:?}");
}

#[test]
fn a_rejected_line_is_unknown() {
    let set = signatures();
    let hit = Hit {
        rule: &bare_rule(&set),
        feature: None,
        record: None,
        text: b"GET /default.ida",
        codepage: None,
        line: 1,
        offset: 0,
        matched_on: &[],
        decoded_stem: b"",
        decoded_query: b"",
    };
    let got = judge(&hit, set.outcomes());
    assert_eq!(got.outcome, Outcome::Unknown);
    assert_eq!(got.reasons()[0].code, "rejected-line");
}

/// Without the column a test for substatus 0 holds on IIS 5, where there
/// is none, and not on IIS 6, where it was not logged.
#[test]
fn no_substatus_is_not_zero() {
    let set = signatures();
    let zero = crate::signature::Range { low: 0.0, high: 0.0 };
    for (software, holds) in [(IIS5, true), (IIS6, false), ("x", false)] {
        let own = vec![Criterion {
            when: When { substatus: vec![zero], ..When::default() },
            outcome: Outcome::Compromised,
            confidence: Confidence::Certain,
            reason: "zero".to_owned(),
            text: "zero".to_owned(),
        }];
        let case = Case {
            software,
            fields: &format!("{LINE} sc-status"),
            line: "2001-07-19 13:01:02 192.0.2.1 GET / - 200",
            profile: "-",
            own,
        };
        let got = verdict(&set, &case).outcome == Outcome::Compromised;
        assert_eq!(got, holds, "{software}");
    }
}
