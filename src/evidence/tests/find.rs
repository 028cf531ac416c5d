//! What is found under which arguments.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Input, discover, is_inside};
use super::{Folder, one};
use crate::warning::Kind;

/// Names below the test's folder, and warnings with their kinds.
fn found(
    folder: &Folder,
    paths: &[&str],
) -> (Vec<String>, Vec<(Kind, String)>) {
    let paths: Vec<_> = paths.iter().map(|name| folder.path(name)).collect();
    let found = discover(&paths).unwrap();
    let below = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let root = folder.0.to_string_lossy();
        let text = text.strip_prefix(&*root).unwrap_or(&text);
        text.trim_start_matches('/').replace('\\', "/")
    };
    let names = found.exhibits.iter().map(|e| below(e.name.as_bytes()));
    let warnings = found
        .warnings
        .iter()
        .map(|warning| (warning.kind, below(warning.exhibit.as_bytes())));
    (names.collect(), warnings.collect())
}

#[test]
fn folders_files_and_order() {
    let folder = Folder::new();
    for name in ["b/2.log", "a/3.log", "b/1.log", "c.log"] {
        folder.file(name, name.as_bytes());
    }
    let all = ["a/3.log", "b/1.log", "b/2.log", "c.log"];
    assert_eq!(found(&folder, &[""]), (all.map(String::from).into(), vec![]));
    let there = found(&folder, &["c.log", "b", "a"]).0;
    assert_eq!(there, all);
    assert_eq!(there, found(&folder, &["a", "b", "c.log"]).0);
    let evidence = discover(&[folder.path("b"), folder.path("c.log")]);
    let evidence = evidence.unwrap();
    let explicit: Vec<_> =
        evidence.exhibits.iter().map(|e| (e.explicit, e.bytes)).collect();
    assert_eq!(explicit, [(false, 7), (false, 7), (true, 5)]);
    let b = fs::canonicalize(folder.path("b")).unwrap();
    assert!(evidence.roots.contains(&b));
    assert_eq!(evidence.roots.len(), 2);
}

#[test]
fn a_file_reached_twice_counts_once() {
    let folder = Folder::new();
    folder.file("a/x.log", b"x");
    let same = ["a/x.log", "a", "", "./a/../a/x.log"];
    for paths in [&same[..], &["a", "a/x.log"], &["a/x.log", "a/x.log"]] {
        let mut paths = paths.to_vec();
        let (names, warnings) = found(&folder, &paths);
        assert_eq!((names.len(), warnings.len()), (1, 0));
        paths.reverse();
        assert_eq!(found(&folder, &paths).0, names);
    }
    let paths = [folder.path("a"), folder.path("a/x.log")];
    let exhibits = discover(&paths).unwrap().exhibits;
    assert!(exhibits.iter().all(|exhibit| exhibit.explicit));
}

#[test]
fn what_does_not_exist_is_a_usage_error() {
    let folder = Folder::new();
    folder.file("x.log", b"x");
    for name in ["y.log", "x.log/y", "z*.log", "*/x.log", "[x.log", "y\0"] {
        let paths = [folder.path("x.log"), folder.path(name)];
        let error = discover(&paths).unwrap_err();
        assert!(error.is_usage(), "{name}");
        let name = folder.path(name);
        let shown = name.display().to_string();
        assert!(error.to_string().contains(&shown), "{error}");
    }
}

#[test]
fn patterns() {
    let folder = Folder::new();
    for name in [
        "WEB01/W3SVC1/ex010718.log",
        "WEB01/W3SVC1/EX010719.LOG",
        "WEB01/W3SVC2/ex010719.log",
        "WEB02/deep/W3SVC1/ex010719.log",
        "odd[1]/ex010719.log",
        "notes.txt",
    ] {
        folder.file(name, name.as_bytes());
    }
    for (pattern, count) in [
        ("WEB01/W3SVC1/*.log", 2),
        ("WEB*/W3SVC?/ex010719.log", 2),
        ("WEB01/W3SVC[2-9]", 1),
        ("*/W3SVC*/ex*.{log,gz}", 3),
        ("**/W3SVC1/ex010719.log", 2),
        ("web01/w3svc2/*", 1),
        ("WEB0?", 4),
        ("odd[1]/ex*", 1),
        ("*", 6),
        ("**", 6),
    ] {
        let (names, warnings) = found(&folder, &[pattern]);
        assert_eq!((names.len(), warnings), (count, vec![]), "{pattern}");
    }
    let here = Path::new("Cargo.tom?").to_owned();
    let found = discover(&[here]).unwrap().exhibits;
    let path = found.first().map(|exhibit| exhibit.path().into_owned());
    assert_eq!(path, Some(PathBuf::from("Cargo.toml")));
    assert!(found.iter().all(|exhibit| exhibit.explicit));
}

#[test]
fn standard_input_counts_once() {
    let dash = PathBuf::from("-");
    let evidence = discover(&[dash.clone(), dash]).unwrap();
    let inputs: Vec<_> = evidence.exhibits.iter().map(|e| e.input).collect();
    assert_eq!(inputs, [Input::Stdin]);
    assert!(evidence.roots.is_empty());
}

#[test]
fn an_empty_folder_is_odd() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("empty/deeper")).unwrap();
    let (names, warnings) = found(&folder, &["empty"]);
    assert!(names.is_empty());
    assert_eq!(warnings, [(Kind::Odd, "empty".to_owned())]);
}

#[test]
fn a_folder_too_deep_is_told() {
    let folder = Folder::new();
    let deep = "d/".repeat(crate::limits::WALK_DEPTH);
    folder.file(format!("{deep}x.log"), b"x");
    let (names, warnings) = found(&folder, &[""]);
    assert!(names.is_empty());
    let kinds: Vec<_> = warnings.iter().map(|warning| warning.0).collect();
    assert_eq!(kinds, [Kind::Limit, Kind::Odd]);
}

#[test]
fn outputs_inside_the_evidence() {
    let folder = Folder::new();
    let file = folder.file("logs/x.log", b"x");
    fs::create_dir_all(folder.path("out")).unwrap();
    let logs = folder.path("logs");
    let roots = discover(&[logs]).unwrap().roots;
    for inside in ["logs", "logs/new/case", "out/../logs/y", "no/../logs/y"] {
        assert!(is_inside(&folder.path(inside), &roots), "{inside}");
    }
    for outside in ["logs2", "out", "logs/../out/new", "logs-x/y", ""] {
        assert!(!is_inside(&folder.path(outside), &roots), "{outside}");
    }
    let roots = discover(std::slice::from_ref(&file)).unwrap().roots;
    assert!(is_inside(&file, &roots));
    assert!(!is_inside(&folder.path("logs/case"), &roots));
    let here = [fs::canonicalize(".").unwrap()];
    assert!(is_inside(Path::new("new/case"), &here));
    assert!(is_inside(Path::new(""), &here));
    assert!(!is_inside(Path::new("../new"), &here));
    assert_eq!(one(&file).path(), file);
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    #[test]
    fn pipes_sockets_and_links_never_block() {
        let folder = Folder::new();
        let file = folder.file("logs/x.log", b"x");
        let pipe = folder.path("logs/pipe");
        Command::new("mkfifo").arg(&pipe).status().unwrap();
        let _socket = UnixListener::bind(folder.path("logs/socket"));
        symlink(".", folder.path("logs/loop")).unwrap();
        symlink("nowhere", folder.path("logs/dangling")).unwrap();
        symlink(&file, folder.path("link.log")).unwrap();
        symlink(folder.path("logs"), folder.path("link")).unwrap();
        let (names, warnings) = found(&folder, &["logs"]);
        assert_eq!(names, ["logs/x.log"]);
        let odd = ["dangling", "loop", "pipe", "socket"];
        let odd = odd.map(|name| (Kind::Odd, format!("logs/{name}")));
        assert_eq!(warnings, odd);
        assert_eq!(found(&folder, &["link"]).0, ["link/x.log"]);
        assert_eq!(found(&folder, &["link.log"]).0, ["link.log"]);
        let both = found(&folder, &["logs/x.log", "link.log"]).0;
        assert_eq!(both, ["link.log"]);
        let (names, warnings) = found(&folder, &["logs/pipe"]);
        assert!(names.is_empty());
        assert_eq!(warnings, [(Kind::Unreadable, "logs/pipe".to_owned())]);
        let dangling = discover(&[folder.path("logs/dangling")]);
        assert!(dangling.unwrap_err().is_usage());
    }

    #[test]
    fn devices_are_refused() {
        let found = discover(&[PathBuf::from("/dev/zero")]).unwrap();
        assert!(found.exhibits.is_empty());
        let kinds: Vec<_> = found.warnings.iter().map(|w| w.kind).collect();
        assert_eq!(kinds, [Kind::Unreadable]);
    }

    #[test]
    fn an_unreadable_folder_is_told() {
        let folder = Folder::new();
        folder.file("logs/x.log", b"x");
        folder.file("logs/closed/y.log", b"y");
        let closed = folder.path("logs/closed");
        let mode = |mode| {
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(&closed, mode).unwrap();
        };
        mode(0);
        let root = fs::read_dir(&closed).is_ok();
        let (names, warnings) = found(&folder, &["logs"]);
        mode(0o700);
        if !root {
            assert_eq!(names, ["logs/x.log"]);
            let closed = (Kind::Unreadable, "logs/closed".to_owned());
            assert_eq!(warnings, [closed]);
        }
    }

    #[test]
    fn names_that_are_not_unicode() {
        let folder = Folder::new();
        let name = OsStr::from_bytes(b"caf\xe9/W3SVC1/ex.log");
        let path = folder.file(name, b"x");
        for given in [path.clone(), folder.0.clone(), folder.path("*/*/e*")] {
            let exhibit = one(&given);
            assert_eq!(exhibit.path(), path);
            assert!(exhibit.name.as_bytes().ends_with(name.as_bytes()));
            let host = exhibit.identity().host.unwrap();
            assert_eq!(host.as_bytes(), b"caf\xe9");
        }
    }

    #[test]
    fn links_into_the_evidence() {
        let folder = Folder::new();
        folder.file("logs/x.log", b"x");
        let link =
            |to: &str, name| symlink(folder.path(to), folder.path(name));
        link("logs", "link").unwrap();
        link("logs/new", "dangling").unwrap();
        link("circle", "circle").unwrap();
        let roots = discover(&[folder.path("logs")]).unwrap().roots;
        for inside in ["link/case", "dangling", "dangling/y", "new/../link"] {
            assert!(is_inside(&folder.path(inside), &roots), "{inside}");
        }
        assert!(!is_inside(&folder.path("link/../out"), &roots));
        assert!(!is_inside(&folder.path("circle/out"), &roots));
    }
}
