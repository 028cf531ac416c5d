//! Exit codes: what the program tells a script.

use std::error::Error as _;
use std::io;
use std::process::ExitCode;

use crate::error::Error;

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It finished; also where the reader of its output went away.
    Finished,
    /// It finished, and found something at or above `--fail-on`.
    Found,
    /// Usage, configuration, or a bad signature.
    Usage,
    /// It finished, but part of the evidence could not be read.
    Incomplete,
    /// An output could not be written.
    Unwritten,
    /// It was interrupted; what was found until then was given.
    Interrupted,
}

impl Exit {
    /// The number for the shell.
    pub fn code(self) -> u8 {
        match self {
            Self::Finished => 0,
            Self::Found => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::Unwritten => 4,
            Self::Interrupted => 130,
        }
    }

    /// The end that an error makes. `head` and its kin close the pipe when
    /// they have seen enough: that is no fault.
    pub fn of(error: &Error) -> Self {
        if is_closed_pipe(error) {
            Self::Finished
        } else if error.is_output() {
            Self::Unwritten
        } else {
            Self::Usage
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

fn is_closed_pipe(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(source) = cause {
        let io = source.downcast_ref::<io::Error>();
        if io.is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = source.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_documented_codes() {
        let code = |error: &Error| Exit::of(error).code();
        assert_eq!(code(&Error::usage("x")), 2);
        assert_eq!(code(&Error::signature("x")), 2);
        assert_eq!(code(&Error::case("x")), 2);
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(code(&Error::output("x").because(full)), 4);
        let pipe = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(code(&Error::output("x").because(pipe)), 0);
    }
}
