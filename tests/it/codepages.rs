//! Bytes that are no UTF-8: matched as they are first, and with
//! `--codepage` also as the text that they stand for.
//!
//! In: made logs of servers in other countries, and rules with text that is
//! not ASCII. Out: hits, what they say they matched on, and how their bytes
//! are shown. That the scan and a naive twin agree `oracle` asks.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Folder, Run, bin, golden};

const FIELDS: &[u8] = b"#Software: Microsoft Internet Information Services \
    5.0\n#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query \
    cs(User-Agent) sc-status\n";

/// Path and query of a request.
type Request<'a> = (&'a [u8], &'a [u8]);

/// A log with these requests.
fn log(requests: &[Request<'_>]) -> Vec<u8> {
    let mut text = FIELDS.to_vec();
    for (stem, query) in requests {
        text.extend(b"2001-09-18 13:00:00 192.0.2.7 GET ");
        text.extend([stem, &b" "[..], query, b" - 200\n"].concat());
    }
    text
}

/// A rule that is called by what it looks for.
fn rule(name: &str, test: &str) -> String {
    format!(
        "title: Made\nname: made-{name}\nlogsource:\n  category: webserver\n\
         detection:\n  sel:\n    {test}\n  condition: sel\nlevel: high\n\
         iisleuth:\n  outcome:\n    - when: {{status: 200}}\n      outcome: \
         succeeded\n      confidence: certain\n      reason: made\n      \
         text: it was made so\n"
    )
}

/// A folder with rules.
fn rules(folder: &Folder) -> PathBuf {
    let all = [
        rule("german", "cs-uri-stem: '/größe.asp'"),
        rule("german-query", "cs-uri-query|contains: 'q=größe'"),
        rule("german-regex", "cs-uri-stem|re: '^/gr[öo]ße[.]asp$'"),
        rule("german-agent", "cs-user-agent|contains: 'Größe'"),
        rule("japanese", "cs-uri-stem|startswith: '/表示/'"),
        rule("chinese", "cs-uri-stem|endswith: '蜡.asp'"),
        rule("backslash", "cs-uri-stem|endswith: '\\cmd.exe'"),
        rule("bar", "cs-uri-query|contains: '|type+boot.ini'"),
    ];
    folder.write("rules/made.yml", all.join("---\n"));
    folder.path().join("rules")
}

fn scan(words: &[&str], rules: &Path, paths: &[&Path]) -> Run {
    let mut command = bin();
    command.args(["scan", "--rules"]).arg(rules).args(words).args(paths);
    Run::of(&mut command)
}

/// The hits of a log as one line each: line, rule, what it matched on.
fn hits(words: &[&str], rules: &Path, path: &Path) -> Vec<Value> {
    let words = [&["-q", "--format", "jsonl"], words].concat();
    let run = scan(&words, rules, &[path]);
    assert_eq!(run.code, Some(0), "{}", run.err());
    let hit = |line: &str| serde_json::from_str(line).unwrap();
    run.out().lines().map(hit).collect()
}

fn word<'v>(hit: &'v Value, key: &str) -> &'v str {
    hit[key].as_str().unwrap()
}

/// What each log holds, and in which code page.
const LOGS: [(&str, &[Request<'_>]); 4] = [
    (
        "windows-1252",
        &[
            (b"/gr\xf6\xdfe.asp", b"-"),
            (b"/gr%F6%DFe.asp", b"q=gr%F6%dfe"),
            (b"/gr%25f6%DFe.asp", b"q=gr\xf6\xdfe&%41"),
            ("/größe.asp".as_bytes(), b"-"),
            (b"/gr%c3%b6%c3%9fe.asp", b"-"),
            // Half in UTF-8: read in the code page as a whole.
            (b"/gr\xc3\xb6\xdfe.asp", b"-"),
        ],
    ),
    (
        "shift_jis",
        &[
            // The second byte of the first character is a backslash.
            (b"/\x95\x5c\x8e\xa6/a.asp", b"-"),
            (b"/%95%5c%8e%a6/a.asp", b"-"),
            (b"/%95\\%8e\xa6/a.asp", b"-"),
            // As bytes it is one, whatever the code page makes of it.
            (b"/scripts/\x83\x5ccmd.exe", b"-"),
            (b"/scripts/%83%5ccmd.exe", b"-"),
            (b"/a.asp", b"\x83\x7ctype+boot.ini"),
        ],
    ),
    (
        "gbk",
        &[
            (b"/\xc0\xaf.asp", b"-"),
            (b"/%c0%af.asp", b"-"),
            (b"/\x81\x5ccmd.exe", b"\x81\x7ctype+boot.ini"),
        ],
    ),
    ("gb18030", &[(b"/\x81\x30\x81\x30/scripts\x81\x5ccmd.exe", b"-")]),
];

#[test]
fn each_form_hits_and_says_how() {
    let folder = Folder::new("codepages");
    let rules = rules(&folder);
    let mut all = String::new();
    for (label, requests) in LOGS {
        let path = folder.write(&format!("{label}.log"), log(requests));
        let plain = hits(&[], &rules, &path);
        let told = hits(&["--codepage", label], &rules, &path);
        let key =
            |hit: &Value| (hit["line"].as_u64(), word(hit, "rule").to_owned());
        let keys: Vec<_> = told.iter().map(key).collect();
        for hit in &plain {
            assert!(keys.contains(&key(hit)), "{label} loses {hit}");
        }
        let _ = writeln!(all, "# {label}");
        let is_ours = |hit: &&Value| word(hit, "rule").starts_with("made");
        for hit in told.iter().filter(is_ours) {
            let sign = plain.iter().any(|it| key(it) == key(hit));
            let _ = writeln!(
                all,
                "{}{} {} on {}\n  {} {}",
                if sign { " " } else { "+" },
                hit["line"],
                word(hit, "rule"),
                hit["matched_on"],
                hit["uri_stem"],
                hit.get("uri_query").unwrap_or(&Value::Null)
            );
        }
    }
    golden("golden/codepages.txt", all.as_bytes());
}

/// IIS 4 and 5 logged what was left after one decode, in the code page or
/// in UTF-8; each form is the same attack.
const CLIMBS: [&[u8]; 14] = [
    b"..\xc0\xaf..",
    b"..\xc1\x9c..",
    b"..\xc1\x1c..",
    b"..\xc0\x2f..",
    b"..%c0%af..",
    b"..%C1%9C..",
    b"..%c0%2f..",
    b"..\xc0%af..",
    b"..%c0\xaf..",
    "..À¯..".as_bytes(),
    "..Áœ..".as_bytes(),
    b"..%c3%80%c2%af..",
    b"..\xe0\x80\xaf..",
    b"..%e0%80%af..",
];

#[test]
fn climbs_of_iis_4_and_5_hit_in_every_form() {
    let folder = Folder::new("climbs");
    let rules = rules(&folder);
    let stems: Vec<Vec<u8>> = CLIMBS
        .iter()
        .map(|climb| {
            let end = b"/winnt/system32/cmd.exe";
            [b"/scripts/", *climb, end].concat()
        })
        .collect();
    let requests: Vec<Request<'_>> =
        stems.iter().map(|stem| (&stem[..], &b"/c+ver"[..])).collect();
    let path = folder.write("ex010918.log", log(&requests));
    for words in [
        &[][..],
        &["--codepage", "1252"],
        &["--codepage", "932"],
        &["--codepage", "936"],
        &["--codepage", "big5"],
        &["--codepage", "1251"],
    ] {
        let found = hits(words, &rules, &path);
        let found = found
            .iter()
            .filter(|hit| word(hit, "rule") == "unicode-traversal");
        let lines: Vec<_> = found.map(|hit| hit["line"].as_u64()).collect();
        let expected: Vec<_> = (3..).take(CLIMBS.len()).map(Some).collect();
        assert_eq!(lines, expected, "{words:?}");
    }
}

/// Logs of the same requests by two hosts, in folders of their own.
fn two_hosts(folder: &Folder) -> [PathBuf; 2] {
    let german = log(&[(b"/gr\xf6\xdfe.asp", b"-"), (b"/a.htm", b"-")]);
    let japanese =
        log(&[(b"/\x95\x5c\x8e\xa6/a.asp", b"-"), (b"/b.htm", b"-")]);
    [
        folder.write("logs/BERLIN/W3SVC1/ex010918.log", german),
        folder.write("logs/TOKYO/W3SVC1/ex010918.log", japanese),
    ]
}

const OF_HOSTS: [&str; 4] =
    ["--codepage", "1252", "--codepage", "Tokyo=shift_jis"];

#[test]
fn a_code_page_goes_to_its_host_and_shows() {
    let folder = Folder::new("codepage-hosts");
    let rules = rules(&folder);
    two_hosts(&folder);
    let logs = folder.path().join("logs");
    let run = scan(&OF_HOSTS, &rules, &[&logs]);
    assert_eq!(run.code, Some(0), "{}", run.err());
    assert!(run.out().contains(" /größe.asp "), "{}", run.out());
    assert!(run.out().contains(" /表示/a.asp "), "{}", run.out());
    let words = [&["--format", "json"], &OF_HOSTS[..]].concat();
    let run = scan(&words, &rules, &[&logs]);
    let case: Value = serde_json::from_slice(&run.stdout).unwrap();
    let options = &case["run"]["options"]["codepage"];
    let pages = serde_json::json!(["windows-1252", "tokyo=Shift_JIS"]);
    assert_eq!(options, &pages);
    assert_eq!(case["exhibits"][0]["codepage"], "windows-1252");
    assert_eq!(case["exhibits"][1]["codepage"], "Shift_JIS");
    // Without the option nothing of it is there.
    let run = scan(&["--format", "json"], &rules, &[&logs]);
    let case: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(case["run"]["options"].get("codepage"), None);
    assert_eq!(case["exhibits"][0].get("codepage"), None);
}

/// What a code page makes of bytes may be controls and marks of direction.
#[test]
fn text_of_a_code_page_steers_no_terminal() {
    let folder = Folder::new("codepage-hostile");
    let rules = rules(&folder);
    let path = folder.write("a.log", log(&[(b"/\xfe\x9b\\cmd.exe", b"-")]));
    for (page, shown) in
        [("1256", "/\\u{200f}›\\\\cmd.exe"), ("28592", "/ţ\\u{9b}\\\\cmd.exe")]
    {
        let run = scan(&["--codepage", page], &rules, &[&path]);
        assert!(run.out().contains(shown), "{}", run.out());
        assert!(!run.out().contains(['\u{200f}', '\u{9b}']));
    }
}

/// A server that its log names goes before the folder.
#[test]
fn the_log_tells_its_host() {
    let folder = Folder::new("codepage-computer");
    let rules = rules(&folder);
    let text = b"#Fields: s-computername cs-method cs-uri-stem sc-status\n\
        TOKYO GET /\x95\x5c\x8e\xa6/a.asp 200\n";
    let path = folder.write("logs/BERLIN/W3SVC1/ex010918.log", text);
    let named = hits(&["--codepage", "tokyo=932"], &rules, &path);
    assert_eq!(word(&named[0], "rule"), "made-japanese");
    let both = ["--codepage", "berlin=932", "--codepage", "Tokyo=1252"];
    let other = hits(&both, &rules, &path);
    assert!(other.is_empty(), "{other:?}");
}

#[test]
fn cases_join_to_the_same_bytes() {
    let folder = Folder::new("codepage-merge");
    let rules = rules(&folder);
    let [german, japanese] = two_hosts(&folder);
    let logs = folder.path().join("logs");
    let case = |name: &str, words: &[&str], path: &Path| {
        let out = folder.path().join(name);
        let output = ["-q", "-o", out.to_str().unwrap()];
        let run = scan(&[&output, words].concat(), &rules, &[path]);
        assert_eq!(run.code, Some(0), "{}", run.err());
        out
    };
    let whole = case("whole", &OF_HOSTS, &logs);
    let parts = [("b", &german), ("t", &japanese)];
    let parts = parts.map(|(name, path)| case(name, &OF_HOSTS, path));
    let joined = folder.path().join("joined");
    let merge = |cases: &[&PathBuf]| {
        let mut command = bin();
        command.arg("merge").args(cases).arg("-o").arg(&joined);
        Run::of(&mut command)
    };
    let run = merge(&parts.each_ref());
    assert_eq!(run.code, Some(0), "{}", run.err());
    for name in ["case.json", "hits.jsonl"] {
        let read = |folder: &Path| std::fs::read(folder.join(name)).unwrap();
        assert!(read(&joined) == read(&whole), "{name} differs");
    }
    let shown = |folder: &Path| {
        Run::of(bin().arg("report").arg(folder).arg("-q")).out()
    };
    assert!(shown(&joined).contains(" /表示/a.asp "));
    // Numbers from another way of reading do not add up.
    let other = case("other", &["--codepage", "1252"], &german);
    std::fs::remove_dir_all(&joined).unwrap();
    let run = merge(&[&other, &parts[1]]);
    assert_ne!(run.code, Some(0));
    assert!(run.err().contains("different options"), "{}", run.err());
}

#[test]
fn other_lines_stay_as_they_are() {
    let words = ["scan", "testdata/showcase", "-q", "--format", "jsonl"];
    let plain = Run::of(bin().args(words));
    let told = Run::of(bin().args(words).args(["--codepage", "932"]));
    let (plain, told) = (plain.out(), told.out());
    assert!(plain.lines().count() > 100);
    assert_eq!(plain.lines().count(), told.lines().count());
    for (plain, told) in plain.lines().zip(told.lines()) {
        // Some stems of the worms are no UTF-8.
        assert!(plain == told || plain.contains("base64"), "{told}");
    }
}

/// Escapes in a log that is UTF-16 itself, and in a line that is no record.
#[test]
fn other_ways_into_a_line() {
    let folder = Folder::new("codepage-ways");
    let rules = rules(&folder);
    let text = "#Fields: cs-uri-stem sc-status\n/gr%F6%DFe.asp 200\n";
    let wide: Vec<u8> = std::iter::once(0xFEFF)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let path = folder.write("wide.log", wide);
    let found = hits(&["--codepage", "1252"], &rules, &path);
    assert_eq!(word(&found[0], "rule"), "made-german");
    let matched = serde_json::json!(["cs-uri-stem (percent, windows-1252)"]);
    assert_eq!(found[0]["matched_on"], matched);
    assert_eq!(found[0]["uri_stem"], "/gr%F6%DFe.asp");
    for torn in [&b"/gr\xf6\xdfe.asp 200 1 2\n"[..], b"/gr%F6\xdfe.asp\n"] {
        let text = [b"#Fields: cs-uri-stem sc-status\n", torn].concat();
        let path = folder.write("torn.log", text);
        assert!(hits(&[], &rules, &path).is_empty());
        let found = hits(&["--codepage", "1252"], &rules, &path);
        assert_eq!(found[0]["matched_on"][0], "rejected line");
        let shown = word(&found[0]["text"], "text");
        assert!(shown.contains("ße.asp"), "{shown}");
    }
    let agent = b"#Fields: cs-uri-stem cs(User-Agent) sc-status\n\
        / Gr\xf6\xdfe/1.0 200\n";
    let path = folder.write("agent.log", agent);
    let found = hits(&["--codepage", "cp1252"], &rules, &path);
    assert_eq!(word(&found[0], "rule"), "made-german-agent");
    let shown =
        serde_json::json!({"text": "Größe/1.0", "base64": "R3L232UvMS4w"});
    assert_eq!(found[0]["user_agent"], shown);
}

#[test]
fn what_is_no_code_page_is_refused_with_those_that_are() {
    for name in ["437", "cp850", "WEB01=nonsense", "utf-8", "65001", ""] {
        let words = ["scan", "testdata/showcase", "--codepage", name];
        let run = Run::of(bin().args(words));
        assert_eq!(run.code, Some(2), "{name}");
        for known in ["1252 (windows-1252)", "932 (Shift_JIS)", "UTF-8"] {
            assert!(run.err().contains(known), "{}", run.err());
        }
    }
}
