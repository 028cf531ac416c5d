//! `signatures list|show|check|test|coverage`: what the rules are, whether
//! they are right, and what they do not cover.
//!
//! In: the embedded rules, and a user's beside them where paths are given:
//! `check` says what `scan --rules` would say. Out: tables and texts; faults
//! with file, line, column and help.
//!
//! | file | command |
//! |---|---|
//! | `list`, `show`, `check`, `coverage` | those of the same name |
//! | `kev` | reads a list of exploited faults, for `coverage` |
//! | `text` | running text and words that the commands share |

mod check;
mod coverage;
mod kev;
mod list;
mod show;
mod text;

use std::path::PathBuf;

use super::args::SignatureCommand;
use super::console::{print, safe, talk};
use super::exit::Exit;
use super::trial;
use crate::error::{Error, Result};
use crate::signature::{Diagnostic, Rule, Signatures, Source};

pub use self::list::print_json;
pub use self::text::{did_you_mean, field, own_field, wrap};

/// Faults that are shown in full; more help nobody.
const SHOWN: usize = 20;

/// Runs the command.
pub fn run(command: &SignatureCommand) -> Result<Exit> {
    match command {
        SignatureCommand::List(words) => list::run(words),
        SignatureCommand::Show { name, rules } => show::run(name, rules),
        SignatureCommand::Check(words) => check::run(words),
        SignatureCommand::Test { paths } => test(paths),
        SignatureCommand::Coverage(words) => coverage::run(words),
    }
}

/// The signatures, or an error after every fault has been shown.
pub fn load(source: &Source) -> Result<Signatures> {
    Signatures::load(source).map_err(|faults| {
        for fault in faults.iter().take(SHOWN) {
            show_fault(fault);
        }
        let more = faults.len().saturating_sub(SHOWN);
        if more > 0 {
            talk(format_args!("… and {more} more faults"));
        }
        Error::signature(match faults.len() {
            1 => "one signature is faulty".to_owned(),
            many => format!("the signatures have {many} faults"),
        })
    })
}

fn show_fault(fault: &Diagnostic) {
    for line in fault.render() {
        talk(safe(line));
    }
    talk("");
}

/// Runs the tests that rules carry.
fn test(paths: &[PathBuf]) -> Result<Exit> {
    let signatures = load_in_place(paths, false)?;
    let trial = trial::run(&signatures, of_paths(&signatures, paths))?;
    print(|out| {
        for name in &trial.untested {
            writeln!(out, "no tests: {}", safe(name))?;
        }
        for failure in &trial.failures {
            let file = safe(failure.file.as_bytes());
            let message = safe(&failure.message);
            writeln!(out, "failed: {file}:{}: {message}", failure.at)?;
            writeln!(out, "        {}", safe(&failure.line))?;
        }
        let (lines, failed) = (trial.lines, trial.failures.len());
        writeln!(out, "{lines} lines tested, {failed} failed")
    })?;
    if trial.failures.is_empty() {
        return Ok(Exit::Finished);
    }
    Ok(Exit::Usage)
}

/// The signatures of the program with those of these paths.
fn load_with(paths: &[PathBuf], strict: bool) -> Result<Signatures> {
    let paths = paths.to_vec();
    load(&Source { paths, strict, ..Source::default() })
}

/// The same for who works on rules: those of the paths stand in place of the
/// embedded ones that they are copies of.
fn load_in_place(paths: &[PathBuf], strict: bool) -> Result<Signatures> {
    let paths = paths.to_vec();
    load(&Source { paths, strict, replaces: true, ..Source::default() })
}

/// The rules of these paths; all rules where there are none. Embedded files
/// have names of their own, which no path on disk is compared with.
fn of_paths<'s>(
    signatures: &'s Signatures,
    paths: &'s [PathBuf],
) -> impl Iterator<Item = &'s Rule> {
    let given = |rule: &&Rule| {
        let file = rule.file.as_bytes();
        paths.is_empty()
            || paths.iter().any(|path| {
                file.starts_with(path.as_os_str().as_encoded_bytes())
            })
    };
    signatures.rules().iter().filter(given)
}
