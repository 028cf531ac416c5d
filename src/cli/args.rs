//! The words of the command line, as typed.
//!
//! In: the arguments of the process. Out: structs that hold words and
//! nothing more. Each command builds what it needs from them, so that
//! nothing below this folder sees the parser of arguments.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};

use crate::signature::Level;
use crate::w3c::simd::Isa;

/// Offline forensics for IIS logs.
///
/// Says which hosts were probed, which probes succeeded, and which exposed
/// features were hit. Reads evidence, never changes it, and never talks to a
/// network.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 80,
    after_help = "Exit codes: 0 finished; 1 something at or above --fail-on \
                  was found; 2 usage, configuration or a bad signature; \
                  3 finished, but part of the evidence could not be read; \
                  4 an output could not be written; 130 interrupted."
)]
pub struct Args {
    /// No progress and no chatter; results still come.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// No colour (so does the variable `NO_COLOR`).
    #[arg(long, global = true)]
    pub no_color: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scan logs and report what was found.
    Scan(Box<ScanArgs>),
    /// Join cases into one, as if their evidence had been scanned at once.
    Merge(MergeArgs),
    /// Report on a case that was written with `scan -o`.
    Report(ReportArgs),
    /// List, show, check and test signatures.
    Signatures(SignatureArgs),
    /// List the features that signatures speak of.
    Features,
}

/// The words after `scan`.
#[derive(Debug, clap::Args)]
pub struct ScanArgs {
    /// Files, folders (with all below them), patterns, or `-` for standard
    /// input. Files may be packed (gzip, bzip2, xz, zstd) or archives
    /// (tar, zip, 7z).
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Write the case into this folder: case.json and hits.jsonl.
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Print this in place of the summary: json is the case, jsonl is every
    /// hit, one a line. With -o both are written anyway.
    #[arg(long, value_name = "FORMAT", value_parser = ["json", "jsonl"])]
    pub format: Option<String>,
    /// Sigma rules to use as well: a file, or a folder. May be repeated.
    #[arg(long, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// Match the logged columns alone, as the letter of Sigma has it.
    #[arg(long)]
    pub sigma_strict: bool,
    /// Leave out what rules below this level find.
    #[arg(long, value_name = "LEVEL", value_parser = levels())]
    pub min_level: Option<String>,
    /// Threads; one a core where not given.
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=1024)
    )]
    pub threads: Option<u16>,
    /// Read files instead of mapping them: for logs that are being written.
    #[arg(long)]
    pub no_mmap: bool,
    /// Try this password on encrypted archives. May be repeated. Others on
    /// this machine may see it: --password-file hides it.
    #[arg(long, value_name = "PASSWORD")]
    pub password: Vec<String>,
    /// Try the passwords in this file, one a line.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Hash each file.
    #[arg(
        long,
        value_name = "HASH",
        value_parser = ["sha256", "none"],
        default_value = "sha256"
    )]
    pub hash: String,
    /// The host of logs that name none.
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// End with exit code 1 where a finding has this level or a higher one.
    #[arg(long, value_name = "LEVEL", value_parser = levels())]
    pub fail_on: Option<String>,
    /// Show tables in full.
    #[arg(long)]
    pub full: bool,
    /// Bytes of a chunk, for tests: results do not depend on it.
    #[arg(
        long,
        hide = true,
        value_name = "BYTES",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub chunk_size: Option<u32>,
    /// The kernels to use, for tests: results do not depend on it.
    #[arg(
        long,
        hide = true,
        value_name = "NAME",
        value_parser = kernels()
    )]
    pub kernels: Option<String>,
}

/// The words after `merge`.
#[derive(Debug, clap::Args)]
pub struct MergeArgs {
    /// Folders that `scan -o` or `merge -o` wrote.
    #[arg(required = true, value_name = "CASE")]
    pub cases: Vec<PathBuf>,
    /// Write the joined case into this folder.
    #[arg(long, short, required = true, value_name = "DIR")]
    pub output: PathBuf,
    /// Show tables in full.
    #[arg(long)]
    pub full: bool,
}

/// The words after `report`.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// A folder that `scan -o` or `merge -o` wrote, or its case.json.
    #[arg(value_name = "CASE")]
    pub case: PathBuf,
    /// Show tables in full.
    #[arg(long)]
    pub full: bool,
}

/// The words after `signatures`.
#[derive(Debug, clap::Args)]
pub struct SignatureArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: SignatureCommand,
}

/// What to do with signatures.
#[derive(Debug, Subcommand)]
pub enum SignatureCommand {
    /// List the signatures that come with the program.
    List,
    /// Show one of them.
    Show {
        /// Its name, as in the list.
        name: String,
    },
    /// Say what is wrong with rules, as `scan --rules` would take them.
    Check {
        /// Rule files or folders; without any, those of the program.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Run the tests that rules carry.
    Test {
        /// Rule files or folders; without any, those of the program.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}

/// The words that name what this machine can do.
fn kernels() -> PossibleValuesParser {
    PossibleValuesParser::new(Isa::available().iter().map(|isa| isa.as_str()))
}

/// The words that name a level.
fn levels() -> PossibleValuesParser {
    PossibleValuesParser::new(Level::ALL.map(Level::as_str))
}
