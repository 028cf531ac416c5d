//! Made heads of every dialect, and the real logs where they are at hand.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

#[track_caller]
fn check(head: &str, dialect: Dialect) {
    assert_eq!(detect(head.as_bytes()), dialect, "{head}");
}

const IIS: &str = "#Software: Microsoft Internet Information Services 8.5\r\n\
    #Version: 1.0\r\n#Date: 2015-10-18 20:59:28\r\n";

#[test]
fn web_logs() {
    let fields = "#Fields: date time cs-method cs-uri-stem sc-status\r\n";
    let row = "2015-10-18 20:59:28 GET / 200\r\n";
    check(IIS, Dialect::W3c);
    check(&format!("{IIS}{fields}"), Dialect::W3c);
    check(&format!("{IIS}{row}"), Dialect::W3c);
    check(&format!("\u{feff}{IIS}{fields}{row}"), Dialect::W3c);
    check(&format!("\0\0\0\0{IIS}{fields}{row}\0\0\0\0"), Dialect::W3c);
    check(&format!("{fields}{row}\0\0\0\0\n{IIS}{row}"), Dialect::W3c);
    check(&format!("# remark\r\n\r\n{fields}"), Dialect::W3c);
    check(row, Dialect::W3c);
    check("20:59:28 192.0.2.1 GET /a 200\n", Dialect::W3c);
    check("#Fields: s-computername\nWEB1\n", Dialect::W3c);
    check("#Version: 1.0\n#Fields: date time x-edge cs(Host)\n", Dialect::W3c);
}

#[test]
fn http_sys() {
    let software = "#Software: Microsoft HTTP API 2.0\r\n";
    check(software, Dialect::HttpErr);
    let fields = "#Fields: date time c-ip cs-uri s-reason s-queuename\r\n";
    check(fields, Dialect::HttpErr);
    check(&format!("{software}{fields}"), Dialect::HttpErr);
    // An application on HTTP.sys that logs requests.
    let fields = "#Fields: date time c-ip cs-method cs-uri-stem sc-status\n";
    check(
        &format!("#Software: Microsoft HTTP Server API 2.0\n{fields}"),
        Dialect::W3c,
    );
}

#[test]
fn other_services_of_iis() {
    let fields = "#Fields: date time c-ip cs-method cs-uri-stem sc-status\n";
    let on = "2001-07-19 13:01:02 192.0.2.1";
    for row in [
        "[1]USER anonymous 331",
        "[12]created /a.txt 226",
        "PASS - 230",
        "ControlChannelOpened - -",
    ] {
        check(&format!("{IIS}{fields}{on} {row}\n"), Dialect::Ftp);
    }
    check(
        "#Fields: date time c-ip cs-method sc-status x-session x-fullpath\n",
        Dialect::Ftp,
    );
    for row in ["EHLO - 250", "OutboundConnectionCommand - 0"] {
        check(&format!("{IIS}{fields}{on} {row}\n"), Dialect::Smtp);
    }
    check(&format!("{on} [1]USER anonymous 331\n"), Dialect::Ftp);
}

/// A client chooses method and path, not the status. Requests dressed up as
/// another service must not hide the log they stand in.
#[test]
fn a_client_cannot_hide_a_log() {
    let fields = "#Fields: date time c-ip cs-method cs-uri-stem sc-status\n";
    let on = "2001-07-19 13:01:02 192.0.2.1";
    for rows in [
        format!("{on} [1]USER /anonymous 404\n"),
        format!("{on} USER / 501\n{on} PASS / 501\n"),
        format!("{on} EHLO / 501\n"),
        format!("{on} MAIL /a 400\n"),
        format!("{on} OutboundConnectionCommand / 404\n"),
        format!("{on} GET /#Software:Firewall 200\n"),
        format!("{on} [1]USER / 331\n{on} GET / 200\n"),
    ] {
        check(&format!("{IIS}{fields}{rows}"), Dialect::W3c);
    }
}

#[test]
fn other_programs() {
    check(
        "#Software: Microsoft Exchange Server\n#Log-type: HttpProxy Logs\n\
         #Fields: DateTime,RequestId,UrlStem\n2021-03-02T01:02:03Z,a,/owa\n",
        Dialect::ExchangeProxy,
    );
    check("#Log-type: SMTP Receive Protocol Log\n", Dialect::Smtp);
    check(
        "#Fields: date time action protocol src-ip dst-ip\n",
        Dialect::Firewall,
    );
    check("#Software: Microsoft Windows Firewall\n", Dialect::Firewall);
    check("#Fields: date time event level\n", Dialect::OtherW3c);
    check("#Software: Some Tool\nrow\n", Dialect::OtherW3c);
    check(
        "[07-19-2001 - 13:00:00] Client at 192.0.2.1: URL contains '..'\n",
        Dialect::UrlScan,
    );
    check(
        "#Software: Microsoft UrlScan 3.1\n#Fields: Date Time c-ip \
         s-siteid cs-method cs-uri x-action x-reason x-context cs-data\n",
        Dialect::UrlScan,
    );
    check(
        "192.0.2.1 - - [19/Jul/2001:13:01:02 +0000] \"GET / HTTP/1.0\" 1\n",
        Dialect::Ncsa,
    );
    check(
        "192.0.2.1, -, 19.7.01, 7:55:20, W3SVC2, A, 10.0.0.2, 4, 1, 3, 200, \
         0, GET, /a.gif, -,\n",
        Dialect::IisNative,
    );
}

#[test]
fn no_logs() {
    check("", Dialect::Empty);
    check("\r\n \r\n", Dialect::Empty);
    check("hello\nworld\n", Dialect::Unknown);
    check("# A script\n# Date: today\necho 1\n", Dialect::Unknown);
    check("2024-01-01 10:00:00 started\nan error\n", Dialect::Unknown);
    check("{\"a\": \"2001-07-19 13:01:02 GET /\"}", Dialect::Unknown);
    check("PK\x03\x04\x14\0\0\0\x08\0zip", Dialect::Binary);
    check("\x01\x02\x03\x04", Dialect::Binary);
    check("#\0S\0o\0f\0t\0w\0a\0r\0e\0:\0 \0I\0I\0S\0 \08\0", Dialect::Utf16);
    assert_eq!(detect(b"\xFF\xFE#\0"), Dialect::Utf16);
}

/// Reserved space fills the head, or the head ends within a line.
#[test]
fn long_heads() {
    let nuls = vec![0; limits::SNIFF_BYTES + 9];
    assert_eq!(detect(&nuls), Dialect::W3c);
    let mut log = format!("{IIS}#Fields: cs-uri-stem\n").into_bytes();
    while log.len() < limits::SNIFF_BYTES {
        log.extend_from_slice(b"/some/path\n");
    }
    for end in limits::SNIFF_BYTES - 12..limits::SNIFF_BYTES {
        assert_eq!(detect(&log[..end]), Dialect::W3c);
    }
    let line = vec![b'a'; limits::SNIFF_BYTES * 2];
    assert_eq!(detect(&line), Dialect::Unknown);
}

#[test]
fn words_agree() {
    for dialect in [
        Dialect::W3c,
        Dialect::HttpErr,
        Dialect::Ncsa,
        Dialect::IisNative,
        Dialect::UrlScan,
        Dialect::ExchangeProxy,
        Dialect::Ftp,
        Dialect::Smtp,
        Dialect::Firewall,
        Dialect::OtherW3c,
        Dialect::Binary,
        Dialect::Utf16,
        Dialect::Unknown,
        Dialect::Empty,
    ] {
        let json = serde_json::to_string(&dialect).unwrap();
        assert_eq!(json, format!("\"{}\"", dialect.as_str()));
    }
}

/// What a real log is, where it is not W3C.
fn expected(path: &Path) -> Dialect {
    let folder = |name: &str| path.iter().any(|part| part == name);
    let name = path.file_name().unwrap().to_str().unwrap();
    match name {
        _ if folder("apache") => Dialect::Ncsa,
        _ if folder("FTPSVC1") || folder("FTPSVC2") => Dialect::Ftp,
        "ex010320.log" | "iis-example.log" | "iis-native-nonutf8.log" => {
            Dialect::IisNative
        }
        "page-apache_nimda_exam_excerpt.log" => Dialect::Ncsa,
        "pf040903.log" => Dialect::Firewall,
        "w3c-2.log" => Dialect::Ftp,
        _ => Dialect::W3c,
    }
}

#[test]
fn real_logs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let mut folders: Vec<PathBuf> = vec![root];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "log") {
                let bytes = fs::read(&path).unwrap();
                let end = bytes.len().min(limits::SNIFF_BYTES);
                let found = detect(&bytes[..end]);
                assert_eq!(found, expected(&path), "{}", path.display());
            }
        }
    }
}

#[test]
fn a_mark_alone_makes_no_utf16() {
    let log = format!("{IIS}#Fields: date time cs-method\r\n");
    for mark in [&b"\xFF\xFE"[..], b"\xFE\xFF"] {
        assert_ne!(detect(&[mark, log.as_bytes()].concat()), Dialect::Utf16);
    }
}
