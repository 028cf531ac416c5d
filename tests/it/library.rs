//! Scans in this process, for tests that look into a scan or change files
//! while it runs.
//!
//! In: bytes or evidence. Out: the case and the hits, as JSON.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use iisleuth::case::{CaseBuilder, Options, Run};
use iisleuth::evidence::{Evidence, discover};
use iisleuth::raw::Raw;
use iisleuth::scan::{Progress, ScanOptions, Scanner, Silent};
use iisleuth::signature::Signatures;
use serde_json::Value;

/// The signatures of the program.
pub fn signatures() -> &'static Signatures {
    static SET: OnceLock<Signatures> = OnceLock::new();
    SET.get_or_init(|| match Signatures::embedded() {
        Ok(set) => set,
        Err(faults) => panic!("{} faults in signatures/", faults.len()),
    })
}

/// What a scan gave.
#[derive(Debug)]
pub struct Scan {
    /// `case.json`.
    pub case: Value,
    /// The lines of `hits.jsonl`.
    pub hits: Vec<Value>,
}

impl Scan {
    fn finish(builder: CaseBuilder<'_>) -> Self {
        let (case, hits) = builder.finish();
        let case = serde_json::from_slice(&case.to_json().unwrap()).unwrap();
        let mut lines = Vec::new();
        hits.write(&mut lines).unwrap();
        let hits = lines
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        Self { case, hits }
    }

    /// The rows of `exhibits`.
    pub fn exhibits(&self) -> &[Value] {
        self.case["exhibits"].as_array().unwrap()
    }

    /// The warnings about an exhibit, as `kind: detail`.
    pub fn warnings_of(&self, path: &Path) -> Vec<String> {
        let name = serde_json::to_value(Raw::from_path(path)).unwrap();
        let rows = self.case["warnings"].as_array().unwrap().iter();
        rows.filter(|row| row["exhibit"] == name)
            .map(|row| format!("{}: {}", text(&row["kind"]), row["detail"]))
            .collect()
    }

    /// The exhibit of a path.
    pub fn exhibit(&self, path: &Path) -> Option<&Value> {
        let name = serde_json::to_value(Raw::from_path(path)).unwrap();
        self.exhibits().iter().find(|row| row["path"] == name)
    }

    /// The hits in an exhibit.
    pub fn hits_of(&self, path: &Path) -> Vec<&Value> {
        let name = serde_json::to_value(Raw::from_path(path)).unwrap();
        self.hits.iter().filter(|hit| hit["exhibit"] == name).collect()
    }
}

/// A string of JSON.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// A number of JSON.
pub fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("no number: {value}"))
}

fn builder(set: &Signatures) -> CaseBuilder<'_> {
    let options = Options { keep_hits: true, ..Options::default() };
    CaseBuilder::new(set.outcomes(), options, Run::default())
}

/// Scans evidence while `progress` watches.
pub fn scan(
    evidence: &Evidence,
    options: ScanOptions,
    progress: &dyn Progress,
) -> Scan {
    let scanner = Scanner::new(signatures(), options).unwrap();
    let builder = builder(signatures());
    for warning in &evidence.warnings {
        builder.warn(warning.clone());
    }
    assert!(scanner.scan(evidence, &builder, progress), "interrupted");
    Scan::finish(builder)
}

/// Scans a file or folder.
pub fn scan_path(path: &Path, options: ScanOptions) -> Scan {
    let evidence = discover(&[path.to_owned()]).unwrap();
    scan(&evidence, options, &Silent)
}

/// Scans bytes that stand for a file of that path.
pub fn scan_bytes(path: &Path, bytes: &[u8]) -> Scan {
    scan_bytes_with(signatures(), path, bytes)
}

/// Scans bytes with signatures of one's own.
pub fn scan_bytes_with(set: &Signatures, path: &Path, bytes: &[u8]) -> Scan {
    let options = ScanOptions { threads: 1, ..ScanOptions::default() };
    let scanner = Scanner::new(set, options).unwrap();
    let builder = builder(set);
    scanner.scan_bytes(&Raw::from_path(path), bytes, &builder);
    Scan::finish(builder)
}

/// Scans many logs that lie in memory, each as an exhibit of that path.
pub fn scan_logs(logs: &[(PathBuf, Vec<u8>)], options: ScanOptions) -> Scan {
    let scanner = Scanner::new(signatures(), options).unwrap();
    let builder = builder(signatures());
    for (path, bytes) in logs {
        scanner.scan_bytes(&Raw::from_path(path), bytes, &builder);
    }
    Scan::finish(builder)
}

/// Numbers that look random and are the same in every run.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that begin at a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number (splitmix64).
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap();
        usize::try_from(self.roll() % end).unwrap()
    }
}
