//! The command line: arguments, progress, exit codes; one file a command.
//!
//! In: the words of the shell. Out: results on standard output, talk on
//! standard error, files only in the folder of `-o`, and one of the
//! documented exit codes. Nothing below this folder knows a terminal.
//!
//! | file | idea |
//! |---|---|
//! | `args` | the words, as typed |
//! | `scan`, `inventory`, `merge`, `report`, `explain`, `signatures`, `features` | the commands |
//! | `reading` | the options that say how to read logs |
//! | `given` | what the examiner knows about hosts, in files |
//! | `trial` | runs the tests that signatures carry |
//! | `console` | the one door to standard output and error |
//! | `output` | the one door to files |
//! | `progress` | progress bar and Ctrl-C |
//! | `exit` | exit codes |

mod args;
mod console;
mod exit;
mod explain;
mod features;
mod given;
mod inventory;
mod merge;
mod output;
mod progress;
mod reading;
mod report;
mod scan;
mod signatures;
mod trial;

use std::process::ExitCode;

use clap::Parser as _;

use self::args::{Args, Command};
use self::console::{Console, print, report_error, talk_lines};
use self::exit::Exit;
use crate::error::Result;

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    let exit = match Args::try_parse() {
        Ok(args) => run(&args),
        Err(refused) => refuse(&refused),
    };
    exit.into()
}

fn run(args: &Args) -> Exit {
    let console = Console::new(args.quiet, args.no_color);
    let name = args.display_timezone.as_deref();
    let zone = name.map(reading::zone).transpose();
    finish(zone.and_then(|zone| command(args, &console.with_zone(zone))))
}

/// The end of a run; a fault is told, unless it is none to the caller.
fn finish(result: Result<Exit>) -> Exit {
    result.unwrap_or_else(|error| {
        let exit = Exit::of(&error);
        if exit != Exit::Finished {
            report_error(&error);
        }
        exit
    })
}

fn command(args: &Args, console: &Console) -> Result<Exit> {
    match &args.command {
        Command::Scan(words) => scan::run(words, console),
        Command::Inventory(words) => inventory::run(words, console),
        Command::Merge(words) => merge::run(words, console),
        Command::Report(words) => report::run(words, console),
        Command::Explain(words) => explain::run(words, console),
        Command::Signatures(words) => signatures::run(&words.command),
        Command::Features(words) => features::run(words),
    }
}

/// Shows help, the version, or what is wrong with the arguments. They may
/// hold file names that a shell expanded from evidence, so they are escaped.
fn refuse(refused: &clap::Error) -> Exit {
    let text = refused.render().to_string();
    if refused.use_stderr() {
        talk_lines(&text);
        return Exit::Usage;
    }
    let printed = print(|out| out.write_all(text.as_bytes()));
    finish(printed.map(|()| Exit::Finished))
}
