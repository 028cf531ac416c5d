//! `report CASE`: the summary of a case that was written earlier.

use super::args::ReportArgs;
use super::console::Console;
use super::exit::Exit;
use crate::case::Case;
use super::signatures::load;
use crate::signature::Source;
use crate::error::Result;

/// Runs the command.
pub fn run(words: &ReportArgs, console: &Console) -> Result<Exit> {
    let case = Case::load(&words.case)?;
    let signatures = load(&Source::default())?;
    console.summary(&case, signatures.features(), words.full)?;
    Ok(Exit::Finished)
}
