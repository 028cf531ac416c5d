//! All exhibits, in parallel: opens each, tells its dialect, scans it, and
//! hands the whole over.

use std::io::Read as _;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::evidence::{
    Access, Content, Evidence, Exhibit, Hashing, Mapping, Stream,
};
use crate::limits;
use crate::scan::collector::{Collector, Setting, Tally};
use crate::scan::exhibit::{ExhibitScan, Shared};
use crate::scan::progress::Progress;
use crate::signature::Signatures;
use crate::w3c::Dialect;
use crate::w3c::dialect::detect;
use crate::warning::{Kind, Warning};

/// How to scan. None of it changes what is found.
#[derive(Clone, Copy, Debug)]
pub struct ScanOptions {
    /// Threads; 0 is one a core.
    pub threads: usize,
    /// Mapped or buffered.
    pub access: Access,
    /// SHA-256 of each exhibit, or none.
    pub hashing: Hashing,
    /// Bytes of a chunk.
    pub chunk_bytes: usize,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            threads: 0,
            access: Access::Auto,
            hashing: Hashing::Sha256,
            chunk_bytes: 1 << 20,
        }
    }
}

/// Scans evidence with one set of signatures.
#[derive(Debug)]
pub struct Scanner<'s> {
    signatures: &'s Signatures,
    options: ScanOptions,
    pool: rayon::ThreadPool,
}

impl<'s> Scanner<'s> {
    /// A scanner with threads of its own.
    pub fn new(
        signatures: &'s Signatures,
        options: ScanOptions,
    ) -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(options.threads)
            .build()
            .map_err(|cause| {
                Error::usage("cannot start the threads asked for")
                    .because(cause)
            })?;
        Ok(Self { signatures, options, pool })
    }

    /// Scans every exhibit into the collector. Returns false where it was
    /// interrupted: what was found until then has been handed over.
    pub fn scan<C: Collector>(
        &self,
        evidence: &Evidence,
        collector: &C,
        progress: &dyn Progress,
    ) -> bool {
        let bytes = evidence.exhibits.iter().map(|one| one.bytes).sum();
        progress.begin(bytes);
        // Largest first, so that no thread is left with a long one.
        let mut order: Vec<_> = evidence.exhibits.iter().collect();
        order.sort_by_key(|exhibit| std::cmp::Reverse(exhibit.bytes));
        self.pool.install(|| {
            order.par_iter().for_each(|exhibit| {
                if !progress.is_interrupted() {
                    self.exhibit(exhibit, collector, progress);
                }
            });
        });
        progress.end();
        !progress.is_interrupted()
    }

    fn exhibit<C: Collector>(
        &self,
        exhibit: &Exhibit,
        collector: &C,
        progress: &dyn Progress,
    ) {
        let mut setting = Setting {
            name: exhibit.name.clone(),
            identity: exhibit.identity(),
            dialect: Dialect::Unknown,
        };
        let content = exhibit.open(self.options.access, self.options.hashing);
        let (tally, part) = match content {
            Ok(Content::Mapped(mapping)) => {
                setting.dialect = detect(head(mapping.bytes()));
                self.mapped(&mapping, &setting, collector, progress)
            }
            Ok(Content::Stream(mut stream)) => {
                let head = first_bytes(&mut stream);
                setting.dialect = detect(&head);
                self.streamed(stream, &head, &setting, collector, progress)
            }
            Err(warning) => {
                let tally = Tally {
                    bytes: exhibit.bytes,
                    warnings: vec![warning],
                    ..Tally::default()
                };
                (tally, collector.part(&setting))
            }
        };
        if let Some(warning) = aside(&tally, &setting, exhibit) {
            collector.aside(warning);
            return;
        }
        let tally = note(tally, &setting);
        collector.exhibit(&setting, tally, part);
    }

    fn mapped<C: Collector>(
        &self,
        mapping: &Mapping,
        setting: &Setting,
        collector: &C,
        progress: &dyn Progress,
    ) -> (Tally, C::Part) {
        let hash = || match self.options.hashing {
            Hashing::Sha256 => mapping.sha256(),
            Hashing::None => None,
        };
        let scan = || {
            let mut scan = self.begin(setting, collector, progress);
            if setting.dialect.is_read() {
                scan.bytes(mapping.bytes(), &|| mapping.lost());
            } else {
                scan.count(mapping.bytes(), false);
            }
            scan.finish()
        };
        let ((mut tally, part), sha256) = rayon::join(scan, hash);
        tally.bytes = mapping.bytes().len() as u64;
        let change = mapping.check();
        tally.sha256 = sha256.filter(|_| change.is_none());
        tally.warnings.extend(change);
        (tally, part)
    }

    fn streamed<C: Collector>(
        &self,
        mut stream: Stream,
        head: &[u8],
        setting: &Setting,
        collector: &C,
        progress: &dyn Progress,
    ) -> (Tally, C::Part) {
        let mut scan = self.begin(setting, collector, progress);
        let mut content = head.chain(&mut stream);
        if setting.dialect.is_read() {
            scan.stream(&mut content);
        } else {
            let mut buffer = vec![0; 1 << 16];
            let mut open = false;
            while let Ok(read @ 1..) = content.read(&mut buffer) {
                let piece = buffer.get(..read).unwrap_or_default();
                open = scan.count(piece, open);
            }
        }
        let (mut tally, part) = scan.finish();
        let end = stream.finish();
        tally.bytes = end.raw_bytes;
        tally.sha256 = end.sha256;
        tally.warnings.extend(end.warnings);
        (tally, part)
    }

    fn begin<'a, C: Collector>(
        &'a self,
        setting: &'a Setting,
        collector: &'a C,
        progress: &'a dyn Progress,
    ) -> ExhibitScan<'a, C> {
        let wave = self.pool.current_num_threads() * 4;
        let signatures = self.signatures;
        let shared = Shared { signatures, collector, progress, setting };
        ExhibitScan::new(shared, self.options.chunk_bytes, wave)
    }
}

/// The start of a stream, to tell its dialect by.
fn first_bytes(stream: &mut Stream) -> Vec<u8> {
    let mut head = Vec::new();
    let most = limits::SNIFF_BYTES as u64;
    // `Stream` reports no error: damage ends it and is told at its end.
    let _ = stream.take(most).read_to_end(&mut head);
    head
}

fn head(bytes: &[u8]) -> &[u8] {
    bytes.get(..limits::SNIFF_BYTES).unwrap_or(bytes)
}

/// A file that a folder walk met, that is no log and not named like one.
fn aside(
    tally: &Tally,
    setting: &Setting,
    exhibit: &Exhibit,
) -> Option<Warning> {
    let is_log =
        !matches!(setting.dialect, Dialect::Unknown | Dialect::Binary);
    let named = exhibit.explicit || is_named_log(exhibit);
    if is_log || named || !tally.warnings.is_empty() {
        return None;
    }
    let name = setting.name.clone();
    Some(Warning::new(Kind::Odd, name, "not a log that iisleuth knows"))
}

/// Says what kind of exhibit was not read, and which lines were rejected.
fn note(mut tally: Tally, setting: &Setting) -> Tally {
    let dialect = setting.dialect;
    let kind = match dialect {
        Dialect::Empty | Dialect::W3c | Dialect::HttpErr => None,
        _ if !tally.warnings.is_empty() && tally.lines == 0 => None,
        _ if dialect.is_judged_elsewhere() => Some(Kind::NotJudged),
        Dialect::Unknown | Dialect::Binary => Some(Kind::NotALog),
        _ => Some(Kind::NotRead),
    };
    if let Some(kind) = kind {
        let name = setting.name.clone();
        let warning = Warning::new(kind, name, dialect.describe());
        tally.warnings.push(warning);
    }
    if dialect.is_read() && tally.rejected > 0 {
        for (reason, count) in &tally.reject_counts {
            tally.warnings.push(Warning {
                kind: Kind::Rejected,
                exhibit: setting.name.clone(),
                detail: reason.text().to_owned(),
                count: *count,
            });
        }
    }
    if tally.cut > 0 {
        tally.warnings.push(Warning {
            kind: Kind::Limit,
            exhibit: setting.name.clone(),
            detail: format!(
                "lines longer than {} bytes: the rest was not read",
                limits::LINE_BYTES
            ),
            count: tally.cut,
        });
    }
    tally
}

fn is_named_log(exhibit: &Exhibit) -> bool {
    let name = exhibit.name.as_bytes().to_ascii_lowercase();
    name.ends_with(b".log") || name.ends_with(b".log.gz")
}

impl Scanner<'_> {
    /// Scans bytes that are at hand as one exhibit of that name.
    pub fn scan_bytes<C: Collector>(
        &self,
        name: &crate::raw::Raw,
        bytes: &[u8],
        collector: &C,
    ) {
        let setting = Setting {
            name: name.clone(),
            identity: crate::evidence::PathIdentity::default(),
            dialect: detect(head(bytes)),
        };
        let (tally, part) = self.pool.install(|| {
            let silent = crate::scan::Silent;
            let mut scan = self.begin(&setting, collector, &silent);
            scan.bytes(bytes, &|| None);
            scan.finish()
        });
        collector.exhibit(&setting, tally, part);
    }
}
