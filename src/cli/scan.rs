//! `scan PATH…`: the main job, from paths to a case.
//!
//! In: the words after `scan`. Out: the summary, or the format asked for, on
//! standard output; with `-o` the files of the case. Files come first: a
//! reader who closes the pipe must not cost them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::args::ScanArgs;
use super::console::{Console, print, safe, talk};
use super::exit::Exit;
use super::given::{host_map, passwords, site_configs};
use super::output::{HITS, OutputFolder, show_safe, unwritten};
use super::progress::{Progress, find};
use super::reading::{how_to_read, read_codepages, reading, span};
use super::signatures::load;
use crate::case::{
    Case, CaseBuilder, FILE_NAME, Hits, Options, Proxies, Run, SignatureSet,
};
use crate::error::{Error, Result};
use crate::evidence::{Evidence, Hashing, hex};
use crate::raw::Raw;
use crate::scan::{Reading, ScanOptions, Scanner};
use crate::signature::{Level, Network, Signatures, Source};
use crate::w3c::simd::Isa;
use crate::warning::{Kind, Warning};

/// Runs the command.
pub fn run(words: &ScanArgs, console: &Console) -> Result<Exit> {
    let evidence = find(&words.paths, console.shows_progress())?;
    refuse_nothing(&evidence)?;
    let source = Source {
        paths: words.rules.clone(),
        strict: words.sigma_strict,
        ..Source::default()
    };
    let signatures = load(&source)?;
    say_slow(&signatures, words, console);
    let options = options(words)?;
    let names = [FILE_NAME, HITS];
    let folder = words
        .output
        .as_ref()
        .map(|path| OutputFolder::open(path, &names, &evidence.roots))
        .transpose()?;
    let (case, hits) = scan(words, options, &evidence, &signatures, console)?;
    if let Some(folder) = folder {
        for path in write(folder, &case, &hits)? {
            console.note(format_args!("wrote {}", show_safe(&path)));
        }
    }
    match words.format.as_deref() {
        Some("json") => {
            print(|out| case.write_json(out))?;
        }
        Some(_) => print(|mut out| hits.write(&mut out))?,
        None => {
            console.summary(&case, signatures.features(), words.full)?;
        }
    }
    let exit = exit(&case, words);
    // The process ends here: a million rows need not be given back first.
    std::mem::forget((case, hits, signatures));
    Ok(exit)
}

/// Nothing to scan is an error of usage, except where something is there
/// and cannot be read: that is a result.
pub fn refuse_nothing(evidence: &Evidence) -> Result<()> {
    let loss = evidence.warnings.iter().any(|warning| warning.kind.is_loss());
    if loss || !evidence.exhibits.is_empty() {
        return Ok(());
    }
    for warning in &evidence.warnings {
        let place = safe(warning.exhibit.as_bytes());
        let detail = safe(&warning.detail);
        talk(format_args!("warning: {place}: {detail}"));
    }
    Err(Error::usage("there is nothing to scan"))
}

/// A user's rule that no literal narrows down costs on every record.
fn say_slow(signatures: &Signatures, words: &ScanArgs, console: &Console) {
    if words.rules.is_empty() {
        return;
    }
    for name in signatures.unanchored() {
        let name = safe(name);
        console.note(format_args!(
            "note: the rule {name} holds no literal and slows the scan"
        ));
    }
    for title in signatures.skipped() {
        let title = safe(title);
        console.note(format_args!(
            "note: the rule \"{title}\" is for another log source; left out"
        ));
    }
}

fn options(words: &ScanArgs) -> Result<Options> {
    Ok(Options {
        host: words.source.host.as_deref().map(Raw::from),
        host_map: words
            .source
            .host_map
            .as_deref()
            .map(host_map)
            .transpose()?,
        site_configs: site_configs(&words.app_host_config)?,
        proxies: proxies(words)?,
        min_level: level(words.min_level.as_deref()).unwrap_or_default(),
        keep_duplicates: words.keep_duplicates,
        keep_hits: words.output.is_some()
            || words.format.as_deref() == Some("jsonl"),
    })
}

fn scan(
    words: &ScanArgs,
    options: Options,
    evidence: &Evidence,
    signatures: &Signatures,
    console: &Console,
) -> Result<(Case, Hits)> {
    let mut reading = reading(&words.source)?;
    read_codepages(&words.codepage, &mut reading)?;
    let run = describe(signatures, words, &reading, options.min_level);
    reading.span = span(words.from.as_deref(), words.to.as_deref())?;
    let scanner = Scanner::new(signatures, scan_options(words))?
        .with_reading(reading)
        .with_passwords(passwords(&words.passwords)?);
    let progress = Progress::new(console.shows_progress());
    let builder = CaseBuilder::new(signatures.outcomes(), options, run)
        .looking_for(signatures.needs());
    for warning in &evidence.warnings {
        builder.warn(warning.clone());
    }
    if !builder.scan(&scanner, evidence, &progress) {
        let detail = "interrupted: part of the evidence was not scanned";
        let whole = Raw::default();
        builder.warn(Warning::new(Kind::Interrupted, whole, detail));
    }
    Ok(builder.finish())
}

/// The proxies that the user trusts.
fn proxies(words: &ScanArgs) -> Result<Proxies> {
    let network = |text: &String| {
        Network::from_text(text).map_err(|what| {
            Error::usage(format!(
                "--trust-proxy: {text:?} {what}: write it like 192.0.2.0/24"
            ))
        })
    };
    let trusted = words.trust_proxy.iter().map(network);
    Ok(Proxies {
        field: words.client_field.clone().map(String::into_bytes),
        trusted: trusted.collect::<Result<_>>()?,
    })
}

fn scan_options(words: &ScanArgs) -> ScanOptions {
    let default = how_to_read(&words.source);
    ScanOptions {
        hashing: if words.hash == "none" {
            Hashing::None
        } else {
            Hashing::Sha256
        },
        chunk_bytes: words
            .chunk_size
            .and_then(|bytes| usize::try_from(bytes).ok())
            .unwrap_or(default.chunk_bytes),
        isa: Isa::available()
            .into_iter()
            .find(|isa| words.kernels.as_deref() == Some(isa.as_str()))
            .unwrap_or(default.isa),
        ..default
    }
}

/// What made the case. What the user knows of hosts is not among the
/// options: it shows in the rows, and cases of two hosts must join.
fn describe(
    signatures: &Signatures,
    words: &ScanArgs,
    reading: &Reading,
    least: Level,
) -> Run {
    let mut options = BTreeMap::from([
        ("min-level".to_owned(), Value::from(least.as_str())),
        ("sigma-strict".to_owned(), Value::from(words.sigma_strict)),
    ]);
    let times = [("from", &words.from), ("to", &words.to)];
    for (name, time) in times {
        let time = time.as_deref();
        options.extend(time.map(|it| (name.to_owned(), it.into())));
    }
    if !words.codepage.is_empty() {
        options.insert("codepage".to_owned(), codepages_used(reading).into());
    }
    if words.keep_duplicates {
        options.insert("keep-duplicates".to_owned(), true.into());
    }
    if let Some(field) = &words.client_field {
        let trusted = words.trust_proxy.clone();
        options.insert("client-field".to_owned(), field.clone().into());
        options.insert("trust-proxy".to_owned(), trusted.into());
    }
    let set = SignatureSet {
        count: signatures.rules().len() as u64,
        sha256: hex(signatures.sha256()),
    };
    Run {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        signatures: set,
        options,
        partial: false,
    }
}

/// The code pages by the names that they have in files, whatever they were
/// called: `windows-1252`, `web01=Shift_JIS`.
fn codepages_used(reading: &Reading) -> Vec<String> {
    let mut found: BTreeMap<String, &str> = BTreeMap::new();
    for (host, page) in &reading.codepages {
        let host = host.as_bytes().to_ascii_lowercase();
        let host = String::from_utf8_lossy(&host).into_owned();
        // Of a host told twice, the first counts.
        found.entry(host).or_insert_with(|| page.name());
    }
    let of_hosts = found.iter().map(|(host, page)| format!("{host}={page}"));
    let all = reading.codepage.map(|page| page.name().to_owned());
    all.into_iter().chain(of_hosts).collect()
}

fn write(
    mut folder: OutputFolder,
    case: &Case,
    hits: &Hits,
) -> Result<Vec<PathBuf>> {
    folder.stage(FILE_NAME, |path, out| {
        case.write_json(out).map_err(|cause| unwritten(path, cause))
    })?;
    folder.stage(HITS, |path, out| {
        hits.write(out).map_err(|cause| unwritten(path, cause))
    })?;
    folder.commit()
}

/// An interruption outranks a loss, and a loss a finding: a script must not
/// take half an answer for the whole one.
fn exit(case: &Case, words: &ScanArgs) -> Exit {
    let fail_on = level(words.fail_on.as_deref());
    let mut findings = case.findings.iter();
    if case.run.partial {
        Exit::Interrupted
    } else if case.is_incomplete() {
        Exit::Incomplete
    } else if fail_on.is_some_and(|on| findings.any(|it| it.level >= on)) {
        Exit::Found
    } else {
        Exit::Finished
    }
}

fn level(word: Option<&str>) -> Option<Level> {
    word.and_then(Level::from_word)
}
