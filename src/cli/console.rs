//! The one door to standard output and standard error.
//!
//! In: results, messages and faults. Out: results on standard output, all
//! else on standard error. What comes from evidence, rules or paths passes
//! [`safe`] on its way, because whoever wrote it may want to write to the
//! reader's terminal.

use std::env;
use std::error::Error as _;
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal as _, Write};

use crate::case::{Case, Inventory};
use crate::error::{Error, Result};
use crate::report::escape::Untrusted;
use crate::report::{TerminalOptions, explanation, inventory, summary};
use crate::signature::Feature;
use crate::verdict::explanation::Explanation;
use crate::w3c::Zone;

/// Where results and talk go.
#[derive(Clone, Debug)]
pub struct Console {
    quiet: bool,
    colour: bool,
    /// The zone that people read times in; UTC where there is none.
    zone: Option<Zone>,
}

impl Console {
    /// The streams of this process. Colour is for a terminal that wants it.
    pub fn new(quiet: bool, no_colour: bool) -> Self {
        let unset = |name| env::var_os(name).is_none_or(|it| it.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|it| it == "dumb");
        let colour = !no_colour
            && unset("NO_COLOR")
            && !dumb
            && io::stdout().is_terminal();
        Self { quiet, colour, zone: None }
    }

    /// The same, with times shown in another zone.
    pub fn with_zone(self, zone: Option<Zone>) -> Self {
        Self { zone, ..self }
    }

    /// True where a progress bar would be seen and is wanted.
    pub fn shows_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// The summary of a case.
    pub fn summary(
        &self,
        case: &Case,
        features: &[Feature],
        full: bool,
    ) -> Result<()> {
        let options = TerminalOptions {
            full,
            color: self.colour,
            zone: self.zone.clone(),
            ..TerminalOptions::default()
        };
        let feature = |id: &str| features.iter().find(|one| one.id == id);
        let text = summary(case, &feature, options);
        print(|out| out.write_all(text.as_bytes()))
    }

    /// The page of an inventory.
    pub fn inventory(&self, found: &Inventory, full: bool) -> Result<()> {
        let options = TerminalOptions {
            full,
            color: self.colour,
            zone: self.zone.clone(),
            ..TerminalOptions::default()
        };
        let text = inventory(found, options);
        print(|out| out.write_all(text.as_bytes()))
    }

    /// All about one line.
    pub fn explanation(&self, found: &Explanation, all: bool) -> Result<()> {
        let options = TerminalOptions {
            full: all,
            color: self.colour,
            zone: self.zone.clone(),
            ..TerminalOptions::default()
        };
        let text = explanation(found, options);
        print(|out| out.write_all(text.as_bytes()))
    }

    /// Chatter: silent with `--quiet`.
    pub fn note(&self, text: impl Display) {
        if !self.quiet {
            talk(text);
        }
    }
}

/// Writes a result to standard output, all of it.
pub fn print(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out).and_then(|()| out.flush()).map_err(|cause| {
        Error::output("cannot write to standard output").because(cause)
    })
}

/// One line for people on standard error. There is nowhere left to say
/// that it could not be written.
pub fn talk(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Lines of text that is not trusted.
pub fn talk_lines(text: &str) {
    for line in text.lines() {
        talk(safe(line));
    }
}

/// A fault with its causes.
pub fn report_error(error: &Error) {
    let mut text = format!("error: {}", safe(error.to_string()));
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&safe(source.to_string()));
        cause = source.source();
    }
    talk(text);
}

/// The text with everything shown as an escape that a terminal would obey.
pub fn safe(text: impl AsRef<[u8]>) -> String {
    Untrusted::from(text.as_ref()).terminal()
}

/// The same where people copy it, a command or a pattern: with backslashes
/// as they are, so that what was escaped cannot be told from what was
/// written so. Only for text that a reader has refused controls in.
pub fn plain(text: impl AsRef<[u8]>) -> String {
    safe(text).replace(r"\\", r"\")
}
