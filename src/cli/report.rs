//! `report CASE`: the summary of a case that was written earlier.

use super::args::ReportArgs;
use super::console::Console;
use super::exit::Exit;
use super::signatures::load;
use crate::case::Case;
use crate::error::Result;
use crate::signature::Source;

/// Runs the command.
pub fn run(words: &ReportArgs, console: &Console) -> Result<Exit> {
    let case = Case::load(&words.case)?;
    let signatures = load(&Source::default())?;
    console.summary(&case, signatures.features(), words.full)?;
    Ok(Exit::Finished)
}
