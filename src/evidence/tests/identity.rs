//! Paths and what they tell.

use std::path::Path;

use super::super::identity::of;

#[test]
fn hosts_and_sites() {
    let none = "";
    for (path, host, site) in [
        ("WEB01/LogFiles/W3SVC1/ex010719.log", "WEB01", "W3SVC1"),
        ("WEB01/W3SVC1/ex010719.log", "WEB01", "W3SVC1"),
        ("W3SVC1/ex010719.log", none, "W3SVC1"),
        ("./W3SVC1/ex010719.log", none, "W3SVC1"),
        ("../W3SVC1/ex010719.log", none, "W3SVC1"),
        ("WEB01/../W3SVC1/ex.log", none, "W3SVC1"),
        ("WEB01/../WEB02/W3SVC1/ex.log", "WEB02", "W3SVC1"),
        ("case/WEB01/C/inetpub/logs/LogFiles/W3SVC2/x", "WEB01", "W3SVC2"),
        ("WEB01/c$/WINNT/system32/LogFiles/w3svc10/x", "WEB01", "W3SVC10"),
        ("WEB01/C%3A/inetpub/logs/LogFiles/W3SVC1/x", "WEB01", "W3SVC1"),
        ("WEB01/C_drive/Windows/W3SVC1/x", "WEB01", "W3SVC1"),
        ("//WEB01/d$/IISLogs/W3SVC1/x", "WEB01", "W3SVC1"),
        ("WEB01/2001/2001-07/W3SVC1/x.log", "WEB01", "W3SVC1"),
        ("WEB01/W3SVC1/2001/ex010719.log", "WEB01", "W3SVC1"),
        ("WEB01/20010719/archive/W3SVC1/x.log", "WEB01", "W3SVC1"),
        ("10.0.0.5/W3SVC1/x.log", "10.0.0.5", "W3SVC1"),
        ("/W3SVC1/x.log", none, "W3SVC1"),
        ("WEB01/MSFTPSVC1/ex010719.log", "WEB01", "MSFTPSVC1"),
        ("WEB01/FTPSVC2/u_ex100719.log", "WEB01", "FTPSVC2"),
        ("WEB01/SmtpSvc1/ex010719.log", "WEB01", "SMTPSVC1"),
        ("WEB01/NntpSvc1/ex010719.log", "WEB01", "NNTPSVC1"),
        ("WEB01/LogFiles/HTTPERR/httperr1.log", "WEB01", none),
        ("WEB01/LogFiles/W3SVC/u_ex100719.log", "WEB01", none),
        ("WEB01/W3SVC1/W3SVC2/x.log", "WEB01", "W3SVC2"),
        ("WEB01/logs/ex010719.log", none, none),
        ("WEB01/W3SVCx/ex010719.log", none, none),
        ("-", none, none),
    ] {
        let found = of(Path::new(path));
        let there = found.host.unwrap_or_default();
        assert_eq!(there.as_bytes(), host.as_bytes(), "{path}");
        assert_eq!(found.site.as_deref().unwrap_or(none), site, "{path}");
    }
}

#[cfg(windows)]
#[test]
fn shares() {
    let found = of(Path::new(r"\\WEB01\c$\inetpub\logs\W3SVC1\x.log"));
    assert_eq!(found.host, Some("WEB01".into()));
}

#[test]
fn days_of_names() {
    for (name, day) in [
        ("ex010719.log", Some((2001, 7, 19))),
        ("EX010719.LOG", Some((2001, 7, 19))),
        ("u_ex210305.log", Some((2021, 3, 5))),
        ("u_ex210305_x.log", Some((2021, 3, 5))),
        ("u_ex21030514_x.log.gz", Some((2021, 3, 5))),
        ("ex01071923.log", Some((2001, 7, 19))),
        ("nc991231.log", Some((1999, 12, 31))),
        ("in700101.log", Some((1970, 1, 1))),
        ("ex690101.log", Some((2069, 1, 1))),
        ("ex000229.log.gz", Some((2000, 2, 29))),
        ("ex010229.log", None),
        ("ex01071924.log", None),
        ("ex0107.log", None),
        ("ex011301.log", None),
        ("ex010700.log", None),
        ("extend1.log", None),
        ("ncsa1.log", None),
        ("inetsv1.log", None),
        ("httperr1.log", None),
        ("ex010719.txt", None),
        ("ex01071\u{e9}.log", None),
        ("ex010719", None),
    ] {
        assert_eq!(of(Path::new(name)).date, day, "{name}");
    }
}
