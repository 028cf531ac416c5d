//! Regular expressions of rules.
//!
//! In: an expression and its flags. Out: whether a text matches. Compiling
//! one takes longer than reading its rule, and most are never asked.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use crate::limits;

/// An expression, compiled when it is first asked.
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    ignores_case: bool,
    has_lines: bool,
    dot_takes_newlines: bool,
    compiled: OnceLock<Option<Regex>>,
}

impl Expression {
    /// An expression with the flags `i`, `m` and `s`.
    pub fn new(text: &str, flags: &str) -> Self {
        Self {
            text: text.to_owned(),
            ignores_case: flags.contains('i'),
            has_lines: flags.contains('m'),
            dot_takes_newlines: flags.contains('s'),
            compiled: OnceLock::new(),
        }
    }

    /// Compiles it now.
    ///
    /// # Errors
    /// What is wrong with it, or that it takes more than so many bytes.
    pub fn compile(&self, size: usize) -> Result<(), regex::Error> {
        let compiled = self.build(size)?;
        self.compiled.get_or_init(|| Some(compiled));
        Ok(())
    }

    /// Bytes first: without Unicode tables it is smaller and `.` passes any
    /// byte of a damaged line.
    fn build(&self, size: usize) -> Result<Regex, regex::Error> {
        let build = |unicode| {
            RegexBuilder::new(&self.text)
                .unicode(unicode)
                .case_insensitive(self.ignores_case)
                .multi_line(self.has_lines)
                .dot_matches_new_line(self.dot_takes_newlines)
                .size_limit(size)
                .build()
        };
        match build(false) {
            Err(regex::Error::Syntax(_)) => build(true),
            other => other,
        }
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is found in a text.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.compiled().is_some_and(|regex| regex.is_match(text))
    }

    /// Where it is first found in a text.
    pub fn find(&self, text: &[u8]) -> Option<usize> {
        Some(self.compiled()?.find(text)?.start())
    }

    fn compiled(&self) -> Option<&Regex> {
        let build = || self.build(limits::REGEX_BYTES).ok();
        self.compiled.get_or_init(build).as_ref()
    }
}
