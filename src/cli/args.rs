//! The words of the command line, as typed.
//!
//! In: the arguments of the process. Out: structs that hold words and
//! nothing more. Each command builds what it needs from them, so that
//! nothing below this folder sees the parser of arguments.

use std::ffi::OsString;
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
    /// Show times for people in this zone: Europe/Berlin. Files stay in UTC.
    #[arg(long, global = true, value_name = "ZONE")]
    pub display_timezone: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scan logs and report what was found.
    Scan(Box<ScanArgs>),
    /// List what is there before a scan: hosts, sites, formats, time, gaps.
    Inventory(Box<InventoryArgs>),
    /// Join cases into one, as if their evidence had been scanned at once.
    Merge(MergeArgs),
    /// Report on a case that was written with `scan -o`.
    Report(ReportArgs),
    /// Show how one log line is read, which rules match it, and why.
    Explain(Box<ExplainArgs>),
    /// List, show, check and test signatures.
    Signatures(SignatureArgs),
    /// List the features that signatures speak of, or show one in full.
    Features(FeatureArgs),
}

/// The words after `scan`.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools)] // independent switches
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
    /// What opens encrypted archives.
    #[command(flatten)]
    pub passwords: PasswordArgs,
    /// Hash each file.
    #[arg(
        long,
        value_name = "HASH",
        value_parser = ["sha256", "none"],
        default_value = "sha256"
    )]
    pub hash: String,
    /// How logs are read.
    #[command(flatten)]
    pub source: SourceArgs,
    /// The column in which proxies name the client: X-Forwarded-For. Needs
    /// --trust-proxy.
    #[arg(long, value_name = "NAME", requires = "trust_proxy")]
    pub client_field: Option<String>,
    /// The addresses of proxies whose word is taken: 10.0.0.0/8. May be
    /// repeated.
    #[arg(long, value_name = "CIDR", requires = "client_field")]
    pub trust_proxy: Vec<String>,
    /// The ANSI code page of logs, for all hosts or for one: windows-1252,
    /// WEB01=932. Bytes that are not UTF-8 are then also matched, and shown,
    /// as the text that they stand for. May be repeated.
    #[arg(long, value_name = "[HOST=]NAME")]
    pub codepage: Vec<String>,
    /// Leave out what was logged before: 2001-07-19, or with a time (UTC),
    /// 2001-07-19T13:00.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Leave out what was logged from then on; a day alone counts as a
    /// whole.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Count copies of a log as often as they are there.
    #[arg(long)]
    pub keep_duplicates: bool,
    /// The applicationHost.config of a host, for names and bindings of its
    /// sites; without HOST= that of all hosts. May be repeated.
    #[arg(long, value_name = "[HOST=]FILE")]
    pub app_host_config: Vec<OsString>,
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

/// The words after `inventory`.
#[derive(Debug, clap::Args)]
pub struct InventoryArgs {
    /// Files, folders (with all below them), patterns, or `-` for standard
    /// input, packed or not, as for `scan`.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Read every line, count and hash, and show tables in full. Without it
    /// large files are read at both ends only, where these tell enough and
    /// --no-mmap is not given.
    #[arg(long)]
    pub full: bool,
    /// Print this in place of the page.
    #[arg(long, value_name = "FORMAT", value_parser = ["json"])]
    pub format: Option<String>,
    /// Hash each file; without --full none is hashed unless asked for.
    #[arg(long, value_name = "HASH", value_parser = ["sha256", "none"])]
    pub hash: Option<String>,
    /// How logs are read.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// How logs are read, whatever is then looked for.
#[derive(Debug, clap::Args)]
pub struct SourceArgs {
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
    /// The host of logs that name none.
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// A table of hosts, sites and roles as you know them (CSV): its first
    /// line names columns, any of path, s-ip, s-computername, s-sitename
    /// (conditions) and host, site, role (what holds where they do).
    #[arg(long, value_name = "FILE")]
    pub host_map: Option<PathBuf>,
    /// How to read what logs leave open.
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// What logs do not tell themselves.
#[derive(Debug, Default, clap::Args)]
pub struct ReadingArgs {
    /// The time zone of logs in local time (IIS native, URLScan 1 and 2),
    /// for all hosts or for one: Europe/Berlin, WEB01=Asia/Tokyo. May
    /// be repeated.
    #[arg(long, value_name = "[HOST=]ZONE")]
    pub timezone: Vec<String>,
    /// Which comes first in a date that is all numbers: month or day.
    #[arg(long, value_name = "ORDER", value_parser = ["mdy", "dmy"])]
    pub date_order: Option<String>,
    /// The columns of files without a #Fields directive.
    #[arg(long, value_name = "NAMES")]
    pub fields: Option<String>,
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

/// The words after `explain`.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// A line of a log as `FILE:LINE`, packed or in an archive, as reports
    /// name it; or the line itself; or `-`, which reads it from standard
    /// input. Directives may stand before it.
    #[arg(value_name = "LINE")]
    pub line: OsString,
    /// The program that wrote a line that is given itself, as in #Software:
    /// tells the version of IIS.
    #[arg(long, value_name = "TEXT")]
    pub software: Option<String>,
    /// Show all rules that nearly match, and whatever else is left out.
    #[arg(long)]
    pub all: bool,
    /// Print this in place of the page.
    #[arg(long, value_name = "FORMAT", value_parser = ["json"])]
    pub format: Option<String>,
    /// Sigma rules to use as well: a file, or a folder. May be repeated.
    #[arg(long, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// Match the logged columns alone, as the letter of Sigma has it.
    #[arg(long)]
    pub sigma_strict: bool,
    /// The host of logs that name none: for options that name it.
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// The ANSI code page of logs, as for `scan`.
    #[arg(long, value_name = "[HOST=]NAME")]
    pub codepage: Vec<String>,
    /// What opens encrypted archives.
    #[command(flatten)]
    pub passwords: PasswordArgs,
    /// How to read what logs leave open.
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// What opens encrypted archives.
#[derive(Debug, clap::Args)]
pub struct PasswordArgs {
    /// Try this password on encrypted archives. May be repeated. Others on
    /// this machine may see it: --password-file hides it.
    #[arg(long, value_name = "PASSWORD")]
    pub password: Vec<String>,
    /// Try the passwords in this file, one a line.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
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
    /// List the signatures, or those of them that are asked for.
    List(Box<ListArgs>),
    /// Show one of them.
    Show {
        /// Its name, as in the list, or its id.
        name: String,
        /// Sigma rules beside those of the program. May be repeated.
        #[arg(long, value_name = "PATH")]
        rules: Vec<PathBuf>,
    },
    /// Say what is wrong or doubtful with rules, as `scan --rules` would
    /// take them.
    Check(CheckArgs),
    /// Run the tests that rules carry.
    Test {
        /// Rule files or folders; without any, those of the program.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Say which CVEs have rules, and which of a list of exploited faults
    /// have none.
    Coverage(CoverageArgs),
}

/// The words after `signatures list`.
#[derive(Debug, Default, clap::Args)]
pub struct ListArgs {
    /// Words that name or title hold, all of them.
    #[arg(value_name = "WORD")]
    pub words: Vec<String>,
    /// Those that name this feature.
    #[arg(long, value_name = "ID")]
    pub feature: Option<String>,
    /// Those whose tags or advisories name this CVE.
    #[arg(long, value_name = "CVE")]
    pub cve: Option<String>,
    /// Those of this level and above.
    #[arg(
        long,
        alias = "level",
        value_name = "LEVEL",
        value_parser = levels()
    )]
    pub min_level: Option<String>,
    /// Those of this stage of an attack.
    #[arg(
        long,
        value_name = "STAGE",
        value_parser = ["recon", "exploit", "post-exploit"]
    )]
    pub stage: Option<String>,
    /// Those with this tag: attack.t1190. May be repeated; all must be there.
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Sigma rules beside those of the program. May be repeated.
    #[arg(long, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// Print this in place of the table.
    #[arg(long, value_name = "FORMAT", value_parser = ["json"])]
    pub format: Option<String>,
}

/// The words after `signatures check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Rule files or folders; without any, those of the program.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// End with exit code 2 where there is a warning, too.
    #[arg(long)]
    pub deny_warnings: bool,
    /// Check them for a scan with --sigma-strict.
    #[arg(long)]
    pub sigma_strict: bool,
}

/// The words after `signatures coverage`.
#[derive(Debug, clap::Args)]
pub struct CoverageArgs {
    /// A list of exploited faults, CISA's catalogue as JSON or CSV: say
    /// which of those in products on IIS have no rule.
    #[arg(long, value_name = "FILE")]
    pub kev: Option<PathBuf>,
    /// Sigma rules beside those of the program. May be repeated.
    #[arg(long, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// Show also what was not looked at, one by one.
    #[arg(long)]
    pub full: bool,
    /// Print this in place of the tables.
    #[arg(long, value_name = "FORMAT", value_parser = ["json"])]
    pub format: Option<String>,
}

/// The words after `features`.
#[derive(Debug, clap::Args)]
pub struct FeatureArgs {
    /// Show this one in full.
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// Print this in place of the table or page.
    #[arg(long, value_name = "FORMAT", value_parser = ["json"])]
    pub format: Option<String>,
}

/// The words that name what this machine can do.
fn kernels() -> PossibleValuesParser {
    PossibleValuesParser::new(Isa::available().iter().map(|isa| isa.as_str()))
}

/// The words that name a level.
fn levels() -> PossibleValuesParser {
    PossibleValuesParser::new(Level::ALL.map(Level::as_str))
}
