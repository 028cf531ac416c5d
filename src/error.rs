//! The one error type of the library: what went wrong, and which kind of
//! fault it is, so that the command line can choose an exit code.
//!
//! Input faults of the evidence are not errors: they are
//! [`Warning`](crate::warning::Warning)s, and the scan goes on.

use std::fmt;

/// What kind of fault an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Usage,
    Signature,
    Output,
    Case,
}

/// An error with a message for people and a chain of causes.
///
/// ```
/// let error = iisleuth::error::Error::usage("no such path: x.log");
/// assert!(error.is_usage());
/// assert_eq!(error.to_string(), "no such path: x.log");
/// ```
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A result with the library's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The command or its options cannot be carried out as given.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// A signature, or a catalogue beside it, is wrong.
    pub fn signature(message: impl Into<String>) -> Self {
        Self::new(Kind::Signature, message)
    }

    /// An output could not be written.
    pub fn output(message: impl Into<String>) -> Self {
        Self::new(Kind::Output, message)
    }

    /// A case file cannot be read or does not fit.
    pub fn case(message: impl Into<String>) -> Self {
        Self::new(Kind::Case, message)
    }

    /// The same error with the fault that caused it.
    #[must_use]
    pub fn because(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// True for a fault in the command line.
    pub fn is_usage(&self) -> bool {
        self.kind == Kind::Usage
    }

    /// True for a fault in a signature or catalogue.
    pub fn is_signature(&self) -> bool {
        self.kind == Kind::Signature
    }

    /// True where an output could not be written.
    pub fn is_output(&self) -> bool {
        self.kind == Kind::Output
    }

    /// True where a case cannot be read or joined.
    pub fn is_case(&self) -> bool {
        self.kind == Kind::Case
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
