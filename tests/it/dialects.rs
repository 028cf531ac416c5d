//! Every dialect: made logs that tell one story each in its own form, what
//! is read of them, and that writing a record back gives its line.
//!
//! In: `testdata/dialects`, the same requests as each writer would have
//! logged them, and rows made at random. Out: golden lists of every record,
//! the same hits from every dialect, and lines equal byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use iisleuth::w3c::dialect::detect;
use iisleuth::w3c::{
    DateOrder, Field, Line, Parser, Record, State, Terms, Told, Zone,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::packers::gzip;
use crate::support::{Folder, golden, root, run};

/// The files, by their names with `/` between parts.
fn files() -> BTreeMap<String, PathBuf> {
    let folder = root().join("testdata/dialects");
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            for file in fs::read_dir(entry.path()).unwrap() {
                let file = file.unwrap();
                let own = file.file_name().into_string().unwrap();
                files.insert(format!("{name}/{own}"), file.path());
            }
        }
    }
    files
}

fn berlin() -> Told {
    Told { zone: Zone::from_name("Europe/Berlin"), ..Told::default() }
}

/// A parser that knows what the first rows show.
fn parser(text: &[u8], told: &Told) -> Parser {
    let terms = Terms::of(text, told, None);
    Parser::new(State { terms, ..State::default() })
}

/// A user's name is what a client says it is.
#[test]
fn a_name_like_a_path_does_not_turn_a_log_into_another() {
    let rows: String = (10..40)
        .map(|second| {
            format!(
                "192.0.2.1 AAA /x [19/Jul/2001:13:01:{second} -0400] \
                 \"GET /scripts/root.exe?/c+dir\" 404 612\n"
            )
        })
        .collect();
    let mut parser = parser(rows.as_bytes(), &Told::default());
    for row in rows.lines() {
        let Line::Record(record) = parser.line(row.as_bytes(), false) else {
            panic!("{row}")
        };
        assert!(!record.layout.is_inferred());
        assert_eq!(record.get(Field::CsUsername), Some(&b"/x"[..]));
        let stem = record.target().stem;
        assert_eq!(stem, Some(&b"/scripts/root.exe"[..]));
    }
}

/// What a line is, in words.
fn describe(line: &Line<'_>) -> String {
    let record = match line {
        Line::Record(record) => record,
        Line::Blank => return "blank".to_owned(),
        Line::Directive => return "directive".to_owned(),
        Line::Rejected(reason) => return reason.as_str().to_owned(),
    };
    let mut text = record.time.map_or("no time".into(), |it| it.to_string());
    let _ = write!(text, " {:?}", record.time_note);
    if record.refused {
        text.push_str(" refused");
    }
    for (column, name) in record.layout.names().enumerate() {
        let value = record.column(column).unwrap();
        let (name, value) = (name.escape_ascii(), value.escape_ascii());
        let _ = write!(text, "\n    {name} = {value}");
    }
    text
}

#[test]
fn what_is_read_of_each() {
    let mut all = String::new();
    for (name, path) in files() {
        let text = fs::read(path).unwrap();
        let dialect = detect(&text).as_str();
        let _ = writeln!(all, "== {name}: {dialect}");
        let mut parser = parser(&text, &berlin());
        for (line, number) in text.split(|byte| *byte == b'\n').zip(1..) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let told = describe(&parser.line(line, false));
            let _ = writeln!(all, "{number}: {told}");
        }
    }
    golden("golden/dialects.txt", all.as_bytes());
}

/// Client, rule, and time to the second.
type Told3 = (String, String, String);

#[test]
fn every_dialect_gives_the_same_hits() {
    let args =
        ["scan", "testdata/dialects", "--timezone", "Europe/Berlin", "-q"];
    // Some differ in what stands above the rows alone.
    let more = ["--format", "jsonl", "--keep-duplicates"];
    let run = run(args.into_iter().chain(more));
    assert_eq!(run.code, Some(0), "{}", run.err());
    let mut by_file: BTreeMap<String, BTreeSet<Told3>> = BTreeMap::new();
    let mut outcomes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in run.out().lines() {
        let hit: Value = serde_json::from_str(line).unwrap();
        let word = |key: &str| hit[key].as_str().unwrap().to_owned();
        let file = word("exhibit").replace('\\', "/");
        if word("rule") == "urlscan-rejected" {
            assert!(file.contains("urlscan/"), "{line}");
            assert!(!file.contains("logg"), "{line}");
            continue;
        }
        let time = word("time")[..19].to_owned();
        let told = (word("client"), word("rule"), time);
        by_file.entry(file.clone()).or_default().insert(told);
        outcomes.entry(file).or_default().insert(word("outcome"));
    }
    let story = &by_file["testdata/dialects/w3c/ex010719.log"];
    assert_eq!(story.len(), 4, "{story:?}");
    assert_eq!(by_file.len(), files().len());
    for (file, told) in &by_file {
        assert_eq!(told, story, "{file}");
    }
    for (file, words) in outcomes {
        if !file.contains("/urlscan/") {
            continue;
        }
        // What was only logged was let through, and no log says how far.
        let expected =
            if file.contains("logg") { "unknown" } else { "blocked" };
        assert_eq!(words, BTreeSet::from([expected.to_owned()]), "{file}");
    }
}

#[test]
fn times_of_no_zone_are_said_to_be_so() {
    let run = run([
        "scan",
        "testdata/dialects/native/in010719.log",
        "-q",
        "--format",
        "json",
    ]);
    assert_eq!(run.code, Some(0));
    let case: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(case["exhibits"][0]["time_notes"]["zone-unknown"], 6);
    let warning = &case["warnings"][0];
    assert_eq!(warning["kind"], "assumed");
    assert!(warning["detail"].as_str().unwrap().contains("--timezone"));
}

#[test]
fn a_zone_goes_to_its_host() {
    let first = |zones: &[&str]| {
        let mut args =
            vec!["scan", "testdata/dialects/native/in010719.log", "-q"];
        args.extend(["--format", "json"]);
        args.extend(zones.iter().flat_map(|zone| ["--timezone", zone]));
        let case: Value = serde_json::from_slice(&run(args).stdout).unwrap();
        case["exhibits"][0]["first"].as_str().unwrap().to_owned()
    };
    assert_eq!(first(&["Europe/Berlin"]), "2001-07-19T13:01:02Z");
    assert_eq!(first(&["web01=Asia/Tokyo"]), "2001-07-19T06:01:02Z");
    let both = ["WEB01=-0500", "UTC"];
    assert_eq!(first(&both), "2001-07-19T20:01:02Z");
    assert_eq!(first(&["WEB02=-0500", "UTC"]), "2001-07-19T15:01:02Z");
}

#[test]
fn words_that_say_nothing_are_refused() {
    for (option, word, hint) in [
        ("--timezone", "Berlin", "Europe/Berlin"),
        ("--timezone", "WEB01=+25:00", "IANA"),
        ("--fields", " ", "names no column"),
    ] {
        let run = run(["scan", "testdata/dialects", option, word]);
        assert_eq!(run.code, Some(2), "{option} {word}");
        assert!(run.err().contains(hint), "{}", run.err());
    }
}

#[test]
fn day_and_month_by_option_by_row_or_by_name() {
    let row = "192.0.2.1, -, 02/03/01, 7:55:20, W3SVC1, WEB01, 192.0.2.2, \
               15, 300, 1000, 200, 0, GET, /a.htm, -,";
    let time = |day, order, rows: &str| {
        let told = Told { date_order: order, ..Told::default() };
        let terms = Terms::of(rows.as_bytes(), &told, day);
        let mut parser = Parser::new(State { terms, ..State::default() });
        let line = rows.lines().next().unwrap().as_bytes();
        let Line::Record(record) = parser.line(line, false) else { panic!() };
        (record.time.unwrap().to_string(), format!("{:?}", record.time_note))
    };
    let march = "2001-03-02T07:55:20Z";
    let february = "2001-02-03T07:55:20Z";
    let day_first = Some(DateOrder::DayFirst);
    assert_eq!(
        time(None, day_first, row),
        (march.into(), "ZoneUnknown".into())
    );
    assert_eq!(time(Some((2001, 3, 2)), None, row).0, march);
    assert_eq!(time(Some((2001, 2, 3)), None, row).0, february);
    let told = format!("{row}\n{}\n", row.replace("02/03/01", "28/03/01"));
    assert_eq!(time(None, None, &told).0, march);
    let told = format!("{row}\n{}\n", row.replace("02/03/01", "02/28/01"));
    assert_eq!(time(None, None, &told).0, february);
    // Nobody tells: months first, and said to be a guess.
    assert_eq!(time(None, None, row).0, february);
}

#[test]
fn columns_are_told_from_rows_as_the_header_would() {
    // Headers of IIS 4 to 10 with rows as they write them.
    let cases = [
        (
            "time c-ip cs-method cs-uri-stem sc-status",
            "11:25:12 192.0.2.1 GET /a.asp 200",
        ),
        (
            "date time c-ip cs-username s-ip s-port cs-method cs-uri-stem cs-uri-query sc-status cs(User-Agent)",
            "2001-07-19 11:25:12 192.0.2.1 - 192.0.2.9 80 GET /a.asp a=1 200 Mozilla/4.0",
        ),
        (
            "date time s-sitename s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status",
            "2004-07-19 11:25:12 W3SVC1 192.0.2.9 GET /a.asp - 80 - 192.0.2.1 Mozilla/4.0 404 0 2",
        ),
        (
            "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
            "2019-07-19 11:25:12 ::1 POST /a.aspx a=1 443 - 2001:db8::1 Mozilla/5.0 http://example.com/ 200 0 0 15",
        ),
    ];
    for (names, row) in cases {
        let terms = Terms::of(row.as_bytes(), &Told::default(), None).unwrap();
        let terms = Some(Arc::clone(&terms));
        let mut parser = Parser::new(State { terms, ..State::default() });
        let Line::Record(record) = parser.line(row.as_bytes(), false) else {
            panic!("{row}")
        };
        let found: Vec<_> =
            record.layout.names().map(String::from_utf8_lossy).collect();
        assert_eq!(found.join(" "), names);
        assert!(record.layout.is_inferred());
    }
}

#[test]
fn rows_before_a_header_are_read_as_those_behind_it() {
    let text = b"2001-07-19 11:25:12 192.0.2.1 GET /a x\n\
        #Fields: date time c-ip cs-method cs-uri-stem own\n\
        2001-07-19 11:25:13 192.0.2.1 GET /b y\n";
    let mut parser = parser(text, &Told::default());
    let first = text.split(|byte| *byte == b'\n').next().unwrap();
    let Line::Record(record) = parser.line(first, false) else { panic!() };
    assert_eq!(record.get_named(b"own"), Some(&b"x"[..]));
    assert!(record.layout.is_inferred());
}

/// A value that a writer would leave as it is.
fn plain() -> impl Strategy<Value = String> {
    "[!-+\\--~\u{e4}]{1,12}".prop_map(|text| text.replace('"', "_"))
}

fn number() -> impl Strategy<Value = String> {
    (0_u32..100_000).prop_map(|number| number.to_string())
}

/// What is read of a line alone, column by column.
fn columns(parser: &mut Parser, line: &str) -> Vec<String> {
    let Line::Record(record) = parser.line(line.as_bytes(), false) else {
        panic!("no record: {line:?}")
    };
    own_columns(&record)
}

fn own_columns(record: &Record<'_>) -> Vec<String> {
    let count = record.layout.len();
    let value = |column| {
        let text = record.column(column).unwrap();
        String::from_utf8(text.to_vec()).unwrap()
    };
    (0..count).map(value).collect()
}

fn fields(software: &str, names: &str) -> Parser {
    let mut parser = Parser::default();
    parser.line(format!("#Software: {software}").as_bytes(), false);
    parser.line(format!("#Fields: {names}").as_bytes(), false);
    parser
}

const STAMP: [&str; 2] = ["2001-07-19", "13:01:02"];

proptest! {
    #[test]
    fn w3c_back_and_forth(values in prop::collection::vec(plain(), 3)) {
        let iis = "Microsoft Internet Information Services 6.0";
        let mut parser = fields(iis, "date time a b c");
        let all = [&STAMP.map(str::to_owned)[..], &values].concat();
        let line = all.join(" ");
        let read = columns(&mut parser, &line);
        prop_assert_eq!(&read, &all);
        prop_assert_eq!(read.join(" "), line);
    }

    #[test]
    fn other_writers_back_and_forth(
        values in prop::collection::vec((plain(), any::<bool>()), 3),
        blank in "( x ?)?",
        tab in any::<bool>(),
        run in 1_usize..4,
    ) {
        let mut parser = fields("IIS Advanced Logging Module", "date time a b c");
        let separator = if tab { "\t".into() } else { " ".repeat(run) };
        let write = |columns: &[String]| {
            let quoted = columns.iter().enumerate().map(|(at, text)| {
                match at.checked_sub(2).map(|at| values[at].1) {
                    Some(true) => format!("\"{text}\""),
                    _ => text.clone(),
                }
            });
            quoted.collect::<Vec<_>>().join(&separator)
        };
        let own = values.iter().map(|(text, quoted)| {
            if *quoted { format!("{text}{blank}") } else { text.clone() }
        });
        let mut all = STAMP.map(str::to_owned).to_vec();
        all.extend(own);
        let line = write(&all);
        let read = columns(&mut parser, &line);
        prop_assert_eq!(&read, &all);
        prop_assert_eq!(write(&read), line);
    }

    #[test]
    fn native_back_and_forth(
        user in plain(), numbers in prop::collection::vec(number(), 5),
        url in "/[!-~]{0,20}", query in "[!-+\\--~]{1,20}", wide in any::<bool>(),
    ) {
        // Without blanks a comma in the URL cannot be told from one behind.
        let url = if wide { url } else { url.replace(',', "_") };
        let mut all = vec!["192.0.2.1".to_owned(), user, "07/19/01".into()];
        all.extend(["7:55:20", "W3SVC1", "WEB01", "192.0.2.2"].map(str::to_owned));
        all.extend(numbers);
        all.extend(["GET".to_owned(), url, query]);
        let write = |columns: &[String]| {
            columns.join(if wide { ", " } else { "," }) + ","
        };
        let line = write(&all);
        let read = columns(&mut parser(line.as_bytes(), &Told::default()), &line);
        prop_assert_eq!(&read, &all);
        prop_assert_eq!(write(&read), line);
    }

    #[test]
    fn ncsa_back_and_forth(
        ident in plain(), user in "[!-Z\\]-~]{1,8}( [!-Z\\]-~]{1,5})?",
        url in "/[!#-~]{0,20}( [!#-~]{1,5})?",
        version in prop::option::of("HTTP/[01]\\.[0-9]"),
        status in 100..600_u32, bytes in number(),
        headers in prop::option::of(("[ !#-\\[\\]-~]{0,12}", "[ !#-\\[\\]-~]{0,12}")),
    ) {
        let version = version.unwrap_or_default();
        // Without a version a blank ends nothing.
        prop_assume!(!url.ends_with('\\'));
        let url = url.trim_end().to_owned();
        let mut all = vec![String::new(), "192.0.2.1".into(), ident, user];
        all.extend(["19/Jul/2001", "13:01:02", "-0400", "GET"].map(str::to_owned));
        all.extend([url, version, status.to_string(), bytes]);
        let is_combined = headers.is_some();
        let (referer, agent) = headers.unwrap_or_default();
        all.extend([referer, agent, String::new()]);
        let write = |c: &[String]| {
            let version = if c[9].is_empty() { String::new() } else { format!(" {}", c[9]) };
            let tail = if is_combined { format!(" \"{}\" \"{}\"", c[12], c[13]) } else { String::new() };
            format!(
                "{} {} {} [{}:{} {}] \"{} {}{version}\" {} {}{tail}{}",
                c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[10], c[11], c[14],
            )
        };
        let line = write(&all);
        let read = columns(&mut parser(line.as_bytes(), &Told::default()), &line);
        prop_assert_eq!(&read, &all);
        prop_assert_eq!(write(&read), line);
    }

    #[test]
    fn exchange_back_and_forth(
        values in prop::collection::vec(("[ -~]{0,10}", any::<bool>()), 3),
    ) {
        let mut parser = fields("Microsoft Exchange Server", "DateTime,UrlStem,UserAgent,GenericInfo");
        let values: Vec<_> = values
            .into_iter()
            .map(|(text, quoted)| {
                let quoted = quoted || text.contains([',', '"']);
                (if quoted { text.replace('"', "\"\"") } else { text }, quoted)
            })
            .collect();
        let write = |columns: &[String]| {
            let mut line = format!("{}T{}Z", columns[0], columns[1]);
            for (text, (_, quoted)) in columns[2..].iter().zip(&values) {
                let quote = if *quoted { "\"" } else { "" };
                let _ = write!(line, ",{quote}{text}{quote}");
            }
            line
        };
        let mut all = STAMP.map(str::to_owned).to_vec();
        all.extend(values.iter().map(|(text, _)| text.clone()));
        let line = write(&all);
        let read = columns(&mut parser, &line);
        prop_assert_eq!(&read, &all);
        prop_assert_eq!(write(&read), line);
    }

    #[test]
    fn urlscan_back_and_forth(
        reason in "[ -&(-~]{0,20}", verb in "[a-z]{1,9}", site in number(),
        url in "/[!-&(-~]{0,30}",
    ) {
        let mut all = vec!["07-19-2001".to_owned(), "13:01:02".into(), "192.0.2.1".into()];
        all.extend([format!("{reason}, which is disallowed. "), verb, site, url]);
        let write = |c: &[String]| format!(
            "[{} - {}] Client at {}: {}Request will be {}.  Site Instance='{}', Raw URL='{}'",
            c[0], c[1], c[2], c[3], c[4], c[5], c[6],
        );
        let line = write(&all);
        let read = columns(&mut parser(line.as_bytes(), &Told::default()), &line);
        prop_assert_eq!(&read, &all);
        prop_assert_eq!(write(&read), line);
    }

    /// Whatever a line holds, its columns stand in it in their order and
    /// apart, and the record is the line.
    #[test]
    fn columns_never_overlap(line in "[ -~\t\u{e4}]{0,80}", lead in 0_usize..6) {
        let leads = [
            "", "[07-19-2001 - 13:01:02] Client at 192.0.2.1: ",
            "192.0.2.1, -, 07/19/01, 7:55:20, W3SVC1, WEB01, 192.0.2.2, 1, 2, 3, 200, 0, GET, ",
            "192.0.2.1 - - [19/Jul/2001:13:01:02 -0400] \"",
            "192.0.2.1 - - [19/Jul/2001:13:01:02 -0400] \"GET / HTTP/1.0\" 200 ",
            "2001-07-19 13:01:02 ",
        ];
        let line = format!("{}{line}", leads[lead]);
        let told = Told { fields: Some(b"date time a b c".to_vec()), ..Told::default() };
        for told in [told, Told::default()] {
            let mut parser = parser(line.as_bytes(), &told);
            let Line::Record(record) = parser.line(line.as_bytes(), false) else { continue };
            prop_assert_eq!(record.line, line.as_bytes());
            let mut end = 0;
            for column in 0..record.layout.len() {
                let span = record.span(column).unwrap();
                prop_assert!(end <= span.start && span.start <= span.end && span.end <= line.len());
                end = span.end;
            }
            let _ = record.get(Field::CIp);
        }
    }
}

#[test]
fn utf16_is_read_as_the_same_text() {
    let folder = Folder::new("utf16");
    let hits = |path: &Path, more: &[&str]| {
        let mut args = vec!["scan", "-q", "--format", "jsonl"];
        args.extend(more);
        args.push(path.to_str().unwrap());
        let run = run(args);
        assert_eq!(run.code, Some(0), "{}", run.err());
        let name = path.to_str().unwrap();
        assert!(run.out().contains(name), "no hits in {name}");
        run.out().replace(name, "x")
    };
    for name in ["w3c/ex010719.log", "ncsa/combined.log"] {
        let plain = root().join("testdata/dialects").join(name);
        let text = fs::read_to_string(&plain).unwrap();
        let expected = hits(&plain, &[]);
        let units = |mark: &str| -> Vec<u16> {
            format!("{mark}{text}").encode_utf16().collect()
        };
        let little = |mark| {
            units(mark).into_iter().flat_map(u16::to_le_bytes).collect()
        };
        let big = |mark| {
            units(mark).into_iter().flat_map(u16::to_be_bytes).collect()
        };
        let ways: [(&str, Vec<u8>); 4] = [
            ("le", little("\u{feff}")),
            ("be", big("\u{feff}")),
            ("le-bare", little("")),
            ("be-bare", big("")),
        ];
        for (way, bytes) in ways {
            let log = folder.write(&format!("{way}.log"), &bytes);
            assert!(hits(&log, &[]) == expected, "{name} {way}");
            for chunk in ["1", "77", "4096"] {
                let small = ["--chunk-size", chunk, "--no-mmap"];
                assert!(hits(&log, &small) == expected, "{name} {way}");
            }
            let packed = folder.write(&format!("{way}.log.gz"), gzip(&bytes));
            assert!(hits(&packed, &[]) == expected, "{name} {way} packed");
        }
    }
}
