//! Rules in the shapes of public ones fire on requests as IIS logs them.
//!
//! Public rules take `cs-uri-query` for all that the client asked for; IIS
//! logs path and query apart, and writes blanks as `+`. So most of them are
//! dead on its logs unless names are read as they were meant. Each row here
//! is a rule of our own in such a shape, a request that it means, and one
//! that it does not. The other evaluator shows that the rule is right: it
//! finds the request where a column holds all of it.

use iisleuth::signature::Scratch;
use rsigma_eval::evaluate_rule;
use rsigma_eval::event::JsonEvent;
use serde_json::{Value, json};

use super::events::{Request, event, read};
use super::{others, ours, rule};

/// What a client asked for.
struct Asked {
    method: &'static str,
    /// Path, `?`, query.
    target: &'static str,
    agent: &'static str,
    referer: &'static str,
}

const PLAIN: Asked = Asked {
    method: "GET",
    target: "/",
    agent: "Mozilla/5.0 (Windows NT 10.0)",
    referer: "https://www.example.com/",
};

impl Asked {
    /// As IIS logs it.
    fn logged(&self) -> Request {
        let (stem, query) =
            self.target.split_once('?').unwrap_or((self.target, "-"));
        let plus = |text: &str| text.replace(' ', "+");
        Request::new(&[
            ("date", "2026-11-24"),
            ("time", "10:00:00"),
            ("s-ip", "10.0.0.5"),
            ("cs-method", self.method),
            ("cs-uri-stem", &plus(stem)),
            ("cs-uri-query", &plus(query)),
            ("s-port", "443"),
            ("c-ip", "198.51.100.9"),
            ("cs(User-Agent)", &plus(self.agent)),
            ("cs(Referer)", &plus(self.referer)),
            ("sc-status", "200"),
            ("sc-bytes", "4711"),
        ])
    }

    /// As the authors of public rules think of it.
    fn whole(&self) -> Value {
        let mut event = event(&self.logged());
        event["cs-uri-query"] = json!(self.target);
        event["cs-user-agent"] = json!(self.agent);
        event
    }
}

struct Shape {
    what: &'static str,
    detection: &'static str,
    /// A request that the rule means.
    meant: Asked,
    /// One that it does not.
    other: Asked,
    /// The logged columns alone show it.
    is_plain: bool,
}

const SHAPES: [Shape; 14] = [
    Shape {
        what: "a path in the query's field",
        detection: "    s: {cs-uri-query|contains: '/parcel/admin.aspx'}
    condition: s\n",
        meant: Asked { target: "/old/parcel/Admin.aspx", ..PLAIN },
        other: Asked { target: "/parcel/index.aspx?a=admin.aspx", ..PLAIN },
        is_plain: false,
    },
    Shape {
        what: "a path and a query joined by a question mark",
        detection: "    s: {cs-uri-query|contains: '/view.aspx?id='}
    condition: s\n",
        meant: Asked { target: "/parcel/view.aspx?id=1", ..PLAIN },
        other: Asked { target: "/parcel/view.aspx?n=1&id=1", ..PLAIN },
        is_plain: false,
    },
    Shape {
        what: "a path and a query, all of them",
        detection: "    s:
        cs-uri-query|contains|all: ['/parcel/', 'cmd=', 'whoami']
    condition: s\n",
        meant: Asked { target: "/parcel/x.ashx?a=1&cmd=whoami", ..PLAIN },
        other: Asked { target: "/parcel/x.ashx?a=1&cmd=", ..PLAIN },
        is_plain: false,
    },
    Shape {
        what: "a path with a wildcard",
        detection: "    s: {cs-uri-query: '/parcel/*.ashx?*key=?*'}
    condition: s\n",
        meant: Asked { target: "/parcel/a/b.ashx?x&key=9", ..PLAIN },
        other: Asked { target: "/parcel/a/b.ashx?x&key=", ..PLAIN },
        is_plain: false,
    },
    Shape {
        what: "the end of a path in the query's field",
        detection: "    s: {cs-uri-query|endswith: ['/setup.aspx', '.bak']}
    condition: s\n",
        meant: Asked { target: "/parcel/web.config.bak", ..PLAIN },
        other: Asked { target: "/parcel/web.config.bak?x", ..PLAIN },
        is_plain: false,
    },
    Shape {
        what: "the start of a path in the query's field",
        detection: "    s: {cs-uri-query|startswith: '/parcel-api/v1/'}
    condition: s\n",
        meant: Asked { target: "/parcel-api/v1/users", ..PLAIN },
        other: Asked { target: "/x/parcel-api/v1/users", ..PLAIN },
        is_plain: false,
    },
    Shape {
        what: "an expression on a path",
        detection: "    s: {cs-uri-query|re: '/parcel/[a-z]{3}\\.aspx\\?k='}
    condition: s\n",
        meant: Asked { target: "/parcel/abc.aspx?k=1", ..PLAIN },
        other: Asked { target: "/parcel/abcd.aspx?k=1", ..PLAIN },
        is_plain: false,
    },
    Shape {
        what: "blanks in a user agent",
        detection: "    s: {cs-user-agent: ['Parcel Probe 1.0', ' pp/2 ']}
    condition: s\n",
        meant: Asked { agent: "Parcel Probe 1.0", ..PLAIN },
        other: Asked { agent: "Parcel Probe 1.01", ..PLAIN },
        is_plain: false,
    },
    Shape {
        what: "escapes in a value",
        detection: "    s:
        cs-uri-query|contains: ['/parcel/%2e%2e%5c', '%2f..%2fboot.ini']
    condition: s\n",
        meant: Asked { target: "/parcel/%2E%2E%5Cboot.ini", ..PLAIN },
        other: Asked { target: "/parcel/boot.ini", ..PLAIN },
        is_plain: false,
    },
    Shape {
        what: "a value that the request writes with escapes",
        detection: "    s: {cs-uri-query|contains: '/parcel/../../boot.ini'}
    condition: s\n",
        meant: Asked { target: "/parcel/../../boot.ini", ..PLAIN },
        other: Asked { target: "/parcel/boot.ini", ..PLAIN },
        is_plain: false,
    },
    Shape {
        what: "no referer",
        detection: "    s:
        cs-method: POST
        cs-uri-query|contains: '/parcel/token'
        cs-referer: null
    condition: s\n",
        meant: Asked {
            method: "POST",
            target: "/parcel/token?x=1",
            referer: "-",
            ..PLAIN
        },
        other: Asked { method: "POST", target: "/parcel/token?x=1", ..PLAIN },
        is_plain: false,
    },
    Shape {
        what: "what is left out",
        detection: "    sel_path: {cs-uri-query|contains: '/parcel/health'}
    sel_way: {cs-method: [GET, HEAD], sc-status: 200}
    filter_probe: {cs-uri-query|contains: '/health?probe='}
    filter_agent: {cs-user-agent|startswith: 'Parcel Monitor '}
    condition: all of sel_* and not 1 of filter_*\n",
        meant: Asked { target: "/parcel/health?p=1", ..PLAIN },
        other: Asked { target: "/parcel/health?probe=1", ..PLAIN },
        is_plain: false,
    },
    Shape {
        what: "keywords that must all be there",
        detection: "    s: {'|all': ['/parcel/run', 'arg=calc.exe']}
    filter: [Monitor]
    condition: s and not filter\n",
        meant: Asked { target: "/parcel/run.ashx?arg=calc.exe", ..PLAIN },
        other: Asked { target: "/parcel/run.ashx?arg=calc", ..PLAIN },
        // Each of them stands in a column of its own.
        is_plain: true,
    },
    Shape {
        what: "a query that is one",
        detection: "    s: {cs-uri-query|contains: ['${parcel:', 'x=%24%7b']}
    condition: s\n",
        meant: Asked { target: "/parcel/?q=${Parcel:env}", ..PLAIN },
        other: Asked { target: "/parcel/?q={parcel:env}", ..PLAIN },
        is_plain: true,
    },
];

#[test]
fn rules_in_the_shapes_of_public_ones_fire_on_split_requests() {
    let mut scratch = Scratch::default();
    for shape in &SHAPES {
        let Shape { what, detection, meant, other, is_plain } = shape;
        let file = rule("shape", detection);
        let [wide, strict] =
            [false, true].map(|strict| ours(&file, strict).unwrap());
        let twin = &others(&file)["shape"];
        let mut ask = |set: &iisleuth::signature::Signatures, it: &Asked| {
            let logged = it.logged();
            read(&logged, |it| set.matches(0, it, &mut scratch)).unwrap()
        };
        assert!(ask(&wide, meant), "{what}: does not fire");
        assert!(!ask(&wide, other), "{what}: fires on another request");
        assert_eq!(ask(&strict, meant), *is_plain, "{what}: strictly");
        assert!(!ask(&strict, other), "{what}: fires on another, strictly");
        // `|all` without contains is one of the differences that are known.
        let text = detection.replace("'|all'", "'|contains|all'");
        let right = others(&rule("shape", &text));
        let (Ok(_), Ok(right)) = (twin, &right["shape"]) else {
            panic!("{what}: the other refuses it");
        };
        let asks = |event: Value| {
            evaluate_rule(right, &JsonEvent::owned(event)).is_some()
        };
        assert!(asks(meant.whole()), "{what}: the other does not find it");
        assert!(!asks(other.whole()), "{what}: the other finds another");
        let logged = event(&meant.logged());
        assert_eq!(asks(logged), *is_plain, "{what}: the other, as logged");
    }
}
