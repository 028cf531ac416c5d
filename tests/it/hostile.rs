//! Hostile text: whatever a client, a file name or a rule says, every line
//! stays a record, no byte that a terminal obeys comes out, and JSON gives
//! the exact bytes back.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::Path;

use iisleuth::raw::Raw;
use serde_json::Value;

use super::library::{number, scan_bytes};
use super::support::{Folder, Run, root, run};

#[test]
fn the_lines_of_appendix_a_are_records() {
    let path = root().join("testdata/golden/hostile/appendix-a.log");
    let run = run([
        "scan".as_ref(),
        path.as_os_str(),
        "--format".as_ref(),
        "json".as_ref(),
    ]);
    assert_eq!(run.code, Some(0), "{}", run.err());
    let case: Value = serde_json::from_slice(&run.stdout).unwrap();
    let row = &case["exhibits"][0];
    let counts = ["lines", "directives", "records", "blank", "rejected"]
        .map(|key| number(&row[key]));
    assert_eq!(counts, [28, 1, 27, 0, 0], "{row}");
    assert_eq!(case["warnings"], serde_json::json!([]));
    // Two of them ask Log4j to load a class.
    let rules = case["findings"].as_array().unwrap().iter();
    let rules: Vec<_> = rules.map(|one| one["rule"].as_str()).collect();
    assert!(rules.contains(&Some("log4shell")), "{rules:?}");
}

/// All 22 fields that IIS logs, with a value each.
const FIELDS: [(&str, &str); 22] = [
    ("date", "2021-12-13"),
    ("time", "00:00:21"),
    ("s-sitename", "W3SVC1"),
    ("s-computername", "WEB1"),
    ("s-ip", "10.0.0.1"),
    ("cs-method", "GET"),
    ("cs-uri-stem", "/a.aspx"),
    ("cs-uri-query", "id=1"),
    ("s-port", "80"),
    ("cs-username", "-"),
    ("c-ip", "192.0.2.1"),
    ("cs-version", "HTTP/1.1"),
    ("cs(User-Agent)", "Mozilla/5.0"),
    ("cs(Cookie)", "-"),
    ("cs(Referer)", "-"),
    ("cs-host", "www.example.com"),
    ("sc-status", "200"),
    ("sc-substatus", "0"),
    ("sc-win32-status", "0"),
    ("sc-bytes", "512"),
    ("cs-bytes", "128"),
    ("time-taken", "15"),
];

fn header() -> String {
    let names = FIELDS.map(|(name, _)| name).join(" ");
    format!(
        "#Software: Microsoft Internet Information Services 10.0\n\
         #Fields: {names}\n"
    )
}

/// A line in which some fields have values of their own.
fn line(own: &[(&str, &[u8])]) -> Vec<u8> {
    let mut values = Vec::new();
    for (name, value) in FIELDS {
        let own = own.iter().find(|(field, _)| *field == name);
        values.push(own.map_or(value.as_bytes(), |(_, value)| value));
    }
    let mut line = values.join(&b' ');
    line.push(b'\n');
    line
}

#[test]
fn no_byte_in_any_field_rejects_a_line() {
    let bytes: Vec<u8> = (0x21..=0x7e).chain(0x80..=0xff).collect();
    assert_eq!(bytes.len(), 222);
    let mut log = header().into_bytes();
    let mut lines = 0;
    for (name, value) in FIELDS {
        for byte in &bytes {
            let inside = [value.as_bytes(), &[*byte], value.as_bytes()];
            log.extend(line(&[(name, &inside.concat())]));
            // A date that is a number sign makes the line a directive.
            if (name, *byte) != ("date", b'#') {
                log.extend(line(&[(name, &[*byte])]));
                lines += 1;
            }
            lines += 1;
        }
    }
    let scan = scan_bytes(Path::new("bytes.log"), &log);
    let row = &scan.exhibits()[0];
    assert_eq!(number(&row["rejected"]), 0, "{row}");
    assert_eq!(number(&row["records"]), lines, "{row}");
}

/// 65 control characters; those of C1 as a byte and in UTF-8.
fn controls() -> Vec<Vec<u8>> {
    let c0 = (0..=0x1f).chain([0x7f]).map(|byte| vec![byte]);
    let bytes = (0x80..=0x9f).map(|byte| vec![byte]);
    let utf8 = ('\u{80}'..='\u{9f}').map(|it| it.to_string().into_bytes());
    let all: Vec<_> = c0.chain(bytes).chain(utf8).collect();
    assert_eq!(all.len(), 65 + 32);
    all
}

/// What makes a terminal do something.
const ESCAPES: [&str; 40] = [
    "\x1b[2J",
    "\x1b[H",
    "\x1b[3J",
    "\x1b[1A",
    "\x1b[2K",
    "\x1b[31m",
    "\x1b[0m",
    "\x1b[8m",
    "\x1b[38;5;196m",
    "\x1b[38;2;1;2;3m",
    "\x1b[?25l",
    "\x1b[?1049h",
    "\x1b[?2004h",
    "\x1b[?1000h",
    "\x1b[6n",
    "\x1b[c",
    "\x1b[>c",
    "\x1b[5i",
    "\x1b[4i",
    "\x1b[20t",
    "\x1b[21t",
    "\x1b[200~rm\r\x1b[201~",
    "\x1b[201~",
    "\x1b]0;title\x07",
    "\x1b]0;title\x1b\\",
    "\x1b]2;title\x07",
    "\x1b]8;;http://a.example/\x07x\x1b]8;;\x07",
    "\x1b]8;id=1;file:///etc/passwd\x1b\\y\x1b]8;;\x1b\\",
    "\x1b]52;c;cm0gLXJmIH4=\x07",
    "\x1b]52;p;?\x1b\\",
    "\x1b]4;1;rgb:00/00/00\x07",
    "\x1b]1337;File=inline=1:AAAA\x07",
    "\x1b]777;notify;a;b\x07",
    "\x1bP+q544e\x1b\\",
    "\x1bP$q\"p\x1b\\",
    "\x1b^private\x1b\\",
    "\x1b_application\x1b\\",
    "\x1bc",
    "\u{9b}2J",
    "\u{9d}0;title\u{9c}",
];

/// Characters that turn text around or hide.
const HIDDEN: [char; 22] = [
    '\u{61c}',
    '\u{200b}',
    '\u{200c}',
    '\u{200d}',
    '\u{200e}',
    '\u{200f}',
    '\u{2028}',
    '\u{2029}',
    '\u{202a}',
    '\u{202b}',
    '\u{202c}',
    '\u{202d}',
    '\u{202e}',
    '\u{2060}',
    '\u{2066}',
    '\u{2067}',
    '\u{2068}',
    '\u{2069}',
    '\u{180e}',
    '\u{ad}',
    '\u{feff}',
    '\u{e0041}',
];

fn payloads() -> Vec<Vec<u8>> {
    let mut all = controls();
    all.extend(ESCAPES.map(|text| text.as_bytes().to_vec()));
    all.extend(HIDDEN.map(|it| it.to_string().into_bytes()));
    all
}

/// As part of a file name.
fn for_names(payload: &[u8]) -> Option<Vec<u8>> {
    if payload.contains(&0) {
        return None;
    }
    let plain = |byte: &u8| if *byte == b'/' { b'_' } else { *byte };
    Some(payload.iter().map(plain).collect())
}

/// What came out may be shown on a terminal.
fn is_safe(case: &str, run: &Run) {
    for (name, bytes) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => panic!("{case}, {name}: {error}"),
        };
        for (number, line) in text.split('\n').enumerate() {
            let bad =
                line.chars().find(|it| it.is_control() || HIDDEN.contains(it));
            assert_eq!(bad, None, "{case}, {name} {}: {line:?}", number + 1);
        }
    }
}

/// The hostile text is there, and shown as escapes.
fn shows_escapes(case: &str, run: &Run) {
    let all = run.out() + &run.err();
    for shown in ["\\x1b[2J", "\\u{202e}", "\\x07", "\\u{9b}"] {
        assert!(all.contains(shown), "{case}: no {shown}");
    }
}

/// Fields that the sender of a request, or of a log, chooses.
const PLACES: [&str; 10] = [
    "cs-uri-stem",
    "cs-uri-query",
    "cs(User-Agent)",
    "cs(Referer)",
    "cs-username",
    "cs-host",
    "s-computername",
    "s-sitename",
    "c-ip",
    "cs-method",
];

/// Each payload in each place, on lines that rules match.
fn hostile_log(payloads: &[Vec<u8>]) -> Vec<u8> {
    let mut log = header().into_bytes();
    for payload in payloads {
        for place in PLACES {
            let value = match place {
                "cs-uri-stem" => [b"/x", &payload[..], b"/root.exe"].concat(),
                "cs-uri-query" => [b"/c+", &payload[..], b"+dir"].concat(),
                _ => [b"a", &payload[..], b"z"].concat(),
            };
            let stem = ("cs-uri-stem", &b"/scripts/root.exe"[..]);
            let query = ("cs-uri-query", &b"/c+type"[..]);
            log.extend(line(&[(place, &value), stem, query]));
        }
    }
    log
}

#[test]
fn no_log_reaches_the_terminal_raw() {
    let folder = Folder::new("hostile");
    let payloads = payloads();
    folder.write("W3SVC1/u_ex211213.log", hostile_log(&payloads));
    let case = folder.path().with_extension("case");
    let logs = folder.path().as_os_str();
    let case_name = case.as_os_str();
    let word = OsStr::new;
    for args in [
        vec![word("scan"), logs],
        vec![word("scan"), logs, word("--full")],
        vec![word("scan"), logs, word("--quiet"), word("--no-color")],
        vec![word("scan"), logs, word("-o"), case_name],
        vec![word("report"), case_name],
        vec![word("report"), case_name, word("--full")],
    ] {
        let run = run(&args);
        let name = format!("{args:?}");
        assert_eq!(run.code, Some(0), "{name}: {}", run.err());
        is_safe(&name, &run);
        if args.contains(&word("--full")) {
            shows_escapes(&name, &run);
        }
    }
    std::fs::remove_dir_all(&case).unwrap();
}

#[test]
fn json_gives_the_exact_bytes() {
    let folder = Folder::new("hostile-json");
    // A line feed ends a line, so it is in no field.
    let mut payloads = payloads();
    payloads.retain(|payload| !payload.contains(&b'\n'));
    payloads.extend((0x80..=0xff).map(|byte| vec![byte, b'\\', b'"']));
    let log = hostile_log(&payloads);
    let path = folder.write("W3SVC1/u_ex211213.log", &log);
    let json = |format: &str| {
        let run = run([
            "scan".as_ref(),
            path.as_os_str(),
            "--format".as_ref(),
            format.as_ref(),
        ]);
        assert_eq!(run.code, Some(0), "{format}: {}", run.err());
        run.stdout
    };
    let case: Value = serde_json::from_slice(&json("json")).unwrap();
    let row = &case["exhibits"][0];
    let lines = (payloads.len() * PLACES.len()) as u64;
    assert_eq!(number(&row["records"]), lines, "{row}");
    let keys = [
        ("uri_stem", "cs-uri-stem"),
        ("uri_query", "cs-uri-query"),
        ("user_agent", "cs(User-Agent)"),
        ("client", "c-ip"),
        ("method", "cs-method"),
        ("host", "s-computername"),
        ("site", "s-sitename"),
    ];
    let lines: Vec<&[u8]> = log.split(|byte| *byte == b'\n').collect();
    let mut seen = vec![false; lines.len()];
    let hits = json("jsonl");
    for text in hits.split(|byte| *byte == b'\n').filter(|it| !it.is_empty()) {
        let hit: Value = serde_json::from_slice(text).unwrap();
        let at = usize::try_from(number(&hit["line"])).unwrap() - 1;
        seen[at] = true;
        let values: Vec<_> = lines[at].split(|it| *it == b' ').collect();
        for (key, field) in keys {
            let column =
                FIELDS.iter().position(|(name, _)| *name == field).unwrap();
            let raw: Raw = serde_json::from_value(hit[key].clone())
                .unwrap_or_else(|e| panic!("{key} of {hit}: {e}"));
            assert_eq!(raw.as_bytes(), values[column], "{key} of {hit}");
        }
    }
    let missed = seen.iter().skip(2).filter(|seen| !**seen).count();
    // After the last line feed stands nothing.
    assert_eq!(missed, 1, "lines of which no hit tells");
}

/// Names of files and folders, in results, warnings and errors.
#[cfg(unix)]
#[test]
fn no_name_reaches_the_terminal_raw() {
    use std::os::unix::ffi::OsStringExt as _;
    let folder = Folder::new("hostile-names");
    let mut names = Vec::new();
    for (index, payload) in payloads().iter().enumerate() {
        let Some(payload) = for_names(payload) else { continue };
        let name = [b"h", &payload[..], index.to_string().as_bytes()].concat();
        let name = OsString::from_vec(name);
        let site = Path::new(&name).join("W3SVC1");
        let good = [
            header().into_bytes(),
            line(&[("cs-uri-stem", b"/scripts/root.exe")]),
        ]
        .concat();
        let put = |path: &Path, bytes: &[u8]| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, bytes).unwrap();
        };
        let mut file = name.clone();
        file.push(".log");
        put(&site.join(&file), &good);
        // Its warning names it.
        put(&Path::new("bad").join(&file), b"\x01\x02\x03 not a log");
        names.push(name);
    }
    let case = folder.path().with_extension("case");
    let (logs, case_name) = (folder.path().as_os_str(), case.as_os_str());
    let word = OsStr::new;
    for args in [
        vec![word("scan"), logs, word("--full")],
        vec![word("scan"), logs, word("-o"), case_name],
        vec![word("report"), case_name, word("--full")],
    ] {
        let run = run(&args);
        assert!(matches!(run.code, Some(0 | 3)), "{args:?}: {}", run.err());
        is_safe(&format!("{args:?}"), &run);
        if args.contains(&word("--full")) {
            shows_escapes(&format!("{args:?}"), &run);
        }
    }
    std::fs::remove_dir_all(&case).unwrap();
    names_as_arguments(&names);
}

/// Names that are nowhere, in error messages of every command.
#[cfg(unix)]
fn names_as_arguments(names: &[OsString]) {
    let joined = names.join(OsStr::new("+"));
    let case = Path::new("/nowhere").join(&joined).into_os_string();
    let word = OsStr::new;
    for (args, code) in [
        (vec![word("scan"), &case], 2),
        (vec![word("scan"), word("src"), word("--rules"), &case], 2),
        (vec![word("scan"), word("src"), word("--format"), &joined], 2),
        (vec![word("scan"), word("src"), word("--min-level"), &joined], 2),
        (vec![word("scan"), word("src"), word("--threads"), &joined], 2),
        (vec![word("report"), &case], 2),
        (vec![word("merge"), &case, word("-o"), &case], 2),
        (vec![word("signatures"), word("show"), &joined], 2),
        (vec![word("signatures"), word("check"), &case], 2),
        (vec![word("signatures"), word("test"), &case], 2),
        (vec![word("signatures"), &joined], 2),
        (vec![&joined], 2),
    ] {
        let run = run(&args);
        let name = format!("{args:?}");
        assert_eq!(run.code, Some(code), "{name}: {}", run.err());
        assert!(!run.stderr.is_empty(), "{name}: no message");
        is_safe(&name, &run);
    }
}

/// A payload as part of a YAML text in double quotes.
fn yaml(payload: &[u8]) -> String {
    let mut text = String::new();
    for letter in String::from_utf8_lossy(payload).chars() {
        write!(text, "\\U{:08x}", u32::from(letter)).unwrap();
    }
    text
}

/// A rule that says the same everywhere; `quoted` is YAML.
fn rule(index: usize, quoted: &str) -> String {
    format!(
        "title: \"title {quoted} end\"\n\
         id: 5f0e2c7a-3a51-4d7b-9a55-{index:012}\n\
         name: hostile-{index}\n\
         description: \"description {quoted} end\"\n\
         references: [\"https://example.com/{quoted}\"]\n\
         tags: [\"attack.{quoted}\"]\n\
         falsepositives: [\"some {quoted} end\"]\n\
         logsource: {{category: webserver}}\n\
         detection:\n  selection:\n    cs-uri-stem|contains: '/shop/'\n  \
         condition: selection\n\
         level: high\n"
    )
}

#[test]
fn no_rule_reaches_the_terminal_raw() {
    let folder = Folder::new("hostile-rules");
    for (index, payload) in payloads().iter().enumerate() {
        let name = format!("rules/{index:03}.yml");
        folder.write(&name, rule(index, &yaml(payload)));
        // Another log source, so that its title is told.
        let other = rule(index, &yaml(payload))
            .replace("category: webserver", "category: dns")
            .replace("name: hostile", "name: other")
            .replace("5f0e2c7a", "6f0e2c7a");
        folder.write(&format!("rules/other-{index:03}.yml"), other);
    }
    let log = [header().into_bytes(), line(&[("cs-uri-stem", b"/shop/a")])];
    let log = folder.write("logs/u_ex211213.log", log.concat());
    let rules = folder.path().join("rules");
    let (log, rules) = (log.as_os_str(), rules.as_os_str());
    let word = OsStr::new;
    for args in [
        vec![word("signatures"), word("check"), rules],
        vec![word("signatures"), word("test"), rules],
        vec![word("scan"), log, word("--rules"), rules],
        vec![word("scan"), log, word("--rules"), rules, word("--full")],
    ] {
        let run = run(&args);
        assert_eq!(run.code, Some(0), "{args:?}: {}", run.err());
        is_safe(&format!("{args:?}"), &run);
        // A test of rules says nothing where all pass.
        if !args.contains(&word("test")) {
            shows_escapes(&format!("{args:?}"), &run);
        }
    }
}

/// Rules that are wrong with a payload in one place each.
fn broken_rules(index: usize, payload: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let text = rule(index, "x");
    let places = [
        ("name", "name: hos"),
        ("key", "detect"),
        ("value", "level: hi"),
        ("modifier", "cs-uri-stem|con"),
        ("condition", "condition: selec"),
        ("source", "category: web"),
        ("id", "id: 5f0e"),
    ];
    let mut rules: Vec<_> = places
        .into_iter()
        .map(|(place, after)| {
            let at = text.find(after).unwrap() + after.len();
            let (before, after) = text.as_bytes().split_at(at);
            (place, [before, payload, after].concat())
        })
        .collect();
    let quoted = rule(index, "x")
        .replace("level: high", &format!("level: \"{}\"", yaml(payload)))
        .replace(
            "condition: selection",
            &format!("condition: \"a {} b\"", yaml(payload)),
        );
    rules.push(("quoted", quoted.into_bytes()));
    rules
}

/// The message shows the line that is wrong. A run shows a few faults only,
/// so each payload has its own.
#[test]
fn no_broken_rule_reaches_the_terminal_raw() {
    let mut all = String::new();
    for (index, payload) in payloads().iter().enumerate() {
        let folder = Folder::new("hostile-broken");
        for (place, rule) in broken_rules(index, payload) {
            folder.write(&format!("{place}.yml"), rule);
        }
        let rules = folder.path().as_os_str();
        let word = OsStr::new;
        let args = match index % 3 {
            0 => vec![word("signatures"), word("check"), rules],
            1 => vec![word("signatures"), word("test"), rules],
            _ => vec![word("scan"), word("src"), word("--rules"), rules],
        };
        let run = run(&args);
        let case = format!("{payload:02x?}, {args:?}");
        assert_eq!(run.code, Some(2), "{case}: {}", run.out());
        is_safe(&case, &run);
        let err = run.err();
        assert!(!err.contains("more faults"), "{case}: {err}");
        assert!(err.contains("quoted.yml"), "{case}: {err}");
        all.push_str(&err);
    }
    for shown in ["\\x1b[2J", "\\u{202e}", "\\x07", "\\u{9b}"] {
        assert!(all.contains(shown), "no {shown}");
    }
}
