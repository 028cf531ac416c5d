//! Few packages, each once, all from the registry.
//!
//! In: `Cargo.lock`, read as plain text so that nothing needs installing.
//! Out: a failed test that names the package. Each package is code that
//! somebody has to trust with evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::support::root;

/// Packages in the lock file, this one and those for other platforms
/// included. A hundred are enough for all but archives: Deflate64, PPMd, and
/// AES with the four that it needs, are more than anybody should write anew.
const MOST: usize = 102;

/// Packages that may be there in more than one version, with the reason.
const TWICE: [(&str, &str); 1] = [(
    "syn",
    "macros of divan, which benchmarks use and the program does not",
)];

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

#[test]
fn there_are_few() {
    let count = packages().len();
    assert!(count <= MOST, "{count} packages; at most {MOST} are wanted");
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
