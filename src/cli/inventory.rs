//! `inventory PATH…`: the first look, from paths to what is there.
//!
//! In: the words after `inventory`. Out: a page for people, or JSON, on
//! standard output. The scan is that of `scan` with no rules, so that the
//! two can never disagree about what a file is.

use super::args::InventoryArgs;
use super::console::{Console, print};
use super::exit::Exit;
use super::given::host_map;
use super::progress::{Progress, find};
use super::reading::{how_to_read, reading};
use super::scan::refuse_nothing;
use super::signatures::load;
use crate::case::{Inventory, InventoryBuilder, Knowledge};
use crate::error::Result;
use crate::evidence::{Evidence, Hashing};
use crate::raw::Raw;
use crate::scan::{Reach, ScanOptions, Scanner};
use crate::signature::Source;
use crate::warning::{Kind, Warning};

/// Runs the command.
pub fn run(words: &InventoryArgs, console: &Console) -> Result<Exit> {
    let evidence = find(&words.paths, console.shows_progress())?;
    refuse_nothing(&evidence)?;
    let inventory = look(words, &evidence, console)?;
    if words.format.is_some() {
        print(|out| inventory.write_json(out))?;
    } else {
        console.inventory(&inventory, words.full)?;
    }
    Ok(if inventory.summary.partial {
        Exit::Interrupted
    } else if inventory.is_incomplete() {
        Exit::Incomplete
    } else {
        Exit::Finished
    })
}

fn look(
    words: &InventoryArgs,
    evidence: &Evidence,
    console: &Console,
) -> Result<Inventory> {
    let none = Source { without_embedded: true, ..Source::default() };
    let signatures = load(&none)?;
    let source = &words.source;
    let knowledge = Knowledge {
        host: source.host.as_deref().map(Raw::from),
        host_map: source.host_map.as_deref().map(host_map).transpose()?,
    };
    let reading = reading(source)?;
    let scanner = Scanner::new(&signatures, options(words))?;
    let scanner = scanner.with_reading(reading);
    let builder = InventoryBuilder::new(knowledge);
    for warning in &evidence.warnings {
        builder.warn(warning.clone());
    }
    let progress = Progress::new(console.shows_progress());
    if !scanner.scan(evidence, &builder, &progress) {
        let detail = "interrupted: part of the evidence was not looked at";
        let whole = Raw::default();
        builder.warn(Warning::new(Kind::Interrupted, whole, detail));
    }
    Ok(builder.finish())
}

/// Quick where nothing else is asked for: no hashes, and of large files both
/// ends.
fn options(words: &InventoryArgs) -> ScanOptions {
    let hashes = match words.hash.as_deref() {
        Some(word) => word == "sha256",
        None => words.full,
    };
    ScanOptions {
        hashing: if hashes { Hashing::Sha256 } else { Hashing::None },
        reach: if words.full { Reach::Whole } else { Reach::Ends },
        ..how_to_read(&words.source)
    }
}
