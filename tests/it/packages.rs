//! Few packages, each once, all from the registry.
//!
//! In: `Cargo.lock` and `Cargo.toml`, read as plain text so that nothing
//! needs installing. Out: a failed test that names the package. Each package
//! of the program is code that somebody has to trust with evidence; those of
//! tests and benchmarks alone are counted apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::support::root;

/// Packages that the program is made of, this one and those for other
/// platforms included. A hundred are enough but for what nobody should write
/// anew: time zones, text encodings, and in archives Deflate64, PPMd and AES.
const MOST: usize = 105;

/// All in the lock file: more than half of those that tests add come with
/// the evaluator that rules are compared with, and half of these are for
/// other platforms.
const MOST_WITH_TESTS: usize = 175;

/// Packages that may be there in more than one version, with the reason.
const TWICE: [(&str, &str); 3] = [
    (
        "getrandom",
        "the evaluator that rules are compared with seeds its tables by two \
         of them, proptest by a third",
    ),
    ("r-efi", "of getrandom, on a platform that this does not run on"),
    ("syn", "macros of divan, which benchmarks use and the program does not"),
];

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Packages that would open a way to a network.
const NETWORK: [&str; 12] = [
    "async-std",
    "curl",
    "hyper",
    "mio",
    "native-tls",
    "openssl",
    "quinn",
    "reqwest",
    "rustls",
    "socket2",
    "tokio",
    "ureq",
];

#[derive(Debug, Default)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    /// Names of packages, with a version where there are several.
    needs: Vec<String>,
}

fn packages() -> Vec<Package> {
    let lock = fs::read_to_string(root().join("Cargo.lock"))
        .expect("Cargo.lock is part of the repository");
    let mut packages: Vec<Package> = Vec::new();
    for line in lock.lines() {
        if line == "[[package]]" {
            packages.push(Package::default());
        }
        let Some(package) = packages.last_mut() else { continue };
        if let Some(need) = line.strip_prefix(" \"") {
            package.needs.push(need.trim_end_matches("\",").to_owned());
        }
        let Some((key, value)) = line.split_once(" = ") else { continue };
        let value = value.trim_matches('"').to_owned();
        match key {
            "name" => package.name = value,
            "version" => package.version = value,
            "source" => package.source = Some(value),
            _ => {}
        }
    }
    assert!(packages.len() > 1, "Cargo.lock is not understood");
    packages
}

/// Names that `Cargo.toml` gives under headings such as `[dependencies]`.
fn named(is_wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut names = BTreeSet::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with('[') {
            inside = is_wanted(line);
        } else if let Some((name, _)) = line.split_once(" = ")
            && inside
        {
            names.insert(name.to_owned());
        }
    }
    names
}

/// What the program is built from: what it names, what that needs, and so
/// on. Features are not told apart here, so these are rather too many.
fn of_the_program(packages: &[Package]) -> BTreeSet<(&str, &str)> {
    let is_wanted = |line: &str| {
        line.ends_with("dependencies]") && line != "[dev-dependencies]"
    };
    let mut due: Vec<String> = named(is_wanted).into_iter().collect();
    let mut found = BTreeSet::new();
    while let Some(need) = due.pop() {
        let (name, version) = need.split_once(' ').unwrap_or((&need, ""));
        for package in packages {
            let fits = package.name == name
                && (version.is_empty() || package.version == version);
            if fits && found.insert((&*package.name, &*package.version)) {
                due.extend(package.needs.iter().cloned());
            }
        }
    }
    found
}

#[test]
fn there_are_few() {
    let packages = packages();
    let count = of_the_program(&packages).len() + 1;
    assert!(count > 50, "Cargo.toml is not understood");
    assert!(count <= MOST, "{count} packages; at most {MOST} are wanted");
    let count = packages.len();
    let most = MOST_WITH_TESTS;
    assert!(count <= most, "{count} with tests; at most {most} are wanted");
}

/// The evaluator that rules are compared with must never judge evidence.
#[test]
fn what_tests_compare_with_is_no_part_of_the_program() {
    let packages = packages();
    let known = |name: &str| packages.iter().any(|it| it.name == name);
    assert!(known("rsigma-eval") && known("proptest"));
    for (name, _) in of_the_program(&packages) {
        let foreign = name.starts_with("rsigma") || name == "proptest";
        assert!(!foreign, "{name} is part of the program");
    }
}

#[test]
fn each_is_there_once() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        versions.entry(package.name).or_default().insert(package.version);
    }
    let twice: Vec<_> = versions
        .iter()
        .filter(|(_, versions)| versions.len() > 1)
        .map(|(name, _)| name.as_str())
        .collect();
    let allowed: Vec<_> = TWICE.iter().map(|(name, _)| *name).collect();
    assert_eq!(twice, allowed, "left: found twice, right: allowed twice");
}

#[test]
fn all_are_from_the_registry() {
    for package in packages() {
        match package.source.as_deref() {
            None => assert_eq!(package.name, "iisleuth", "a path"),
            Some(source) => {
                assert_eq!(source, REGISTRY, "{}", package.name);
            }
        }
    }
}

#[test]
fn none_talks_to_a_network() {
    for package in packages() {
        assert!(
            !NETWORK.contains(&package.name.as_str()),
            "{} opens a way to a network",
            package.name
        );
    }
}
