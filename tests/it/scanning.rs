//! What the tests of the scan share: the embedded signatures, a scan to the
//! bytes of its two files, and numbers that look random and are not.
//!
//! In: paths or bytes, and how to scan them. Out: `case.json`, `hits.jsonl`.

use std::path::PathBuf;
use std::sync::OnceLock;

use iisleuth::case::{Case, CaseBuilder, Hits, Options, Run, SignatureSet};
use iisleuth::evidence::{Access, discover};
use iisleuth::raw::Raw;
use iisleuth::scan::{ScanOptions, Scanner, Silent};
use iisleuth::signature::Signatures;

/// The signatures of the program, read once.
pub fn embedded() -> &'static Signatures {
    static SET: OnceLock<Signatures> = OnceLock::new();
    SET.get_or_init(|| Signatures::embedded().expect("the rules load"))
}

/// Options by what the tests vary.
pub fn options(
    threads: usize,
    chunk_bytes: usize,
    access: Access,
) -> ScanOptions {
    let default = ScanOptions::default();
    ScanOptions { threads, access, chunk_bytes, ..default }
}

/// An empty case of these signatures, that keeps every hit, also those of
/// copies: the tests give the same log more than once.
pub fn builder(signatures: &Signatures) -> CaseBuilder<'_> {
    let options = Options {
        keep_hits: true,
        keep_duplicates: true,
        ..Options::default()
    };
    let run = Run {
        version: "0".to_owned(),
        signatures: SignatureSet {
            count: signatures.rules().len() as u64,
            sha256: "0".to_owned(),
        },
        ..Run::default()
    };
    CaseBuilder::new(signatures.outcomes(), options, run)
}

/// What `scan` makes of these paths.
pub fn scan(
    scanner: &Scanner<'_>,
    signatures: &Signatures,
    paths: &[PathBuf],
) -> (Case, Hits) {
    let evidence = discover(paths).expect("the paths exist");
    let builder = builder(signatures);
    for warning in &evidence.warnings {
        builder.warn(warning.clone());
    }
    assert!(scanner.scan(&evidence, &builder, &Silent), "not interrupted");
    builder.finish()
}

/// What a scan makes of these bytes, as a file called `made.log`.
pub fn scan_bytes(
    scanner: &Scanner<'_>,
    signatures: &Signatures,
    bytes: &[u8],
) -> (Case, Hits) {
    let builder = builder(signatures);
    scanner.scan_bytes(&Raw::from("made.log"), bytes, &builder);
    builder.finish()
}

/// The bytes of `case.json` and of `hits.jsonl`.
pub fn files(case: &Case, hits: &Hits) -> (Vec<u8>, Vec<u8>) {
    let mut lines = Vec::new();
    hits.write(&mut lines).expect("memory takes it");
    (case.to_json().expect("a case is JSON"), lines)
}

/// Fails with the first line that differs.
pub fn same(name: &str, expected: &[u8], found: &[u8]) {
    if expected == found {
        return;
    }
    let expected = String::from_utf8_lossy(expected);
    let found = String::from_utf8_lossy(found);
    let pairs = expected.lines().zip(found.lines());
    let at = pairs.take_while(|(a, b)| a == b).count();
    let line = |text: &str| text.lines().nth(at).map(str::to_owned);
    panic!(
        "{name}: line {} differs\nexpected: {:?}\nfound:    {:?}",
        at + 1,
        line(&expected),
        line(&found)
    );
}

/// A linear congruential generator (Knuth's MMIX constants): the same
/// numbers on every machine.
#[derive(Clone, Debug)]
pub struct Lcg(u64);

impl Lcg {
    /// Begins a sequence.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66)
    }

    /// A number from 0 to `below` - 1.
    pub fn below(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let high = usize::try_from(self.0 >> 33).expect("31 bits fit");
        high % below.max(1)
    }

    /// True once in `often`.
    pub fn once_in(&mut self, often: usize) -> bool {
        self.below(often) == 0
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}
