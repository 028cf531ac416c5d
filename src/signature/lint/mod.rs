//! What is doubtful in rules that can be used: searches that nothing asks
//! for, values that no log holds, tests that are missing.
//!
//! In: rule files that were read without a fault. Out: [`Lint`]s, each with
//! its place, how grave it is, and a code that tells its kind. The files are
//! read once more, as a rule that was read has no places and no names of
//! searches left; who only scans does not pay for that.
//!
//! | file | asks |
//! |---|---|
//! | `head` | are the keys there that people read, and the tests? |
//! | `search` | is each search used, and each value of use? |
//! | `literal` | can the column ever hold this value? |
//! | `shadow` | does another value of the list say the same? |

mod head;
mod literal;
mod search;
mod shadow;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::path::PathBuf;

use crate::raw::Raw;
use crate::signature::diagnostic::{Diagnostic, Faults, Position};
use crate::signature::documents::RuleFile;
use crate::signature::entries::Entries;
use crate::signature::reader::{Loaded, read_rules};
use crate::signature::set::{EMBEDDED, user_files};
use crate::signature::yaml::{self, Node, Text, Value};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// The rule works, but not as its author will have thought.
    Warning,
    /// The rule does not meet what is asked of it.
    Error,
}

impl Severity {
    /// The word in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// How grave.
    pub severity: Severity,
    /// Its kind, in kebab-case.
    pub code: &'static str,
    /// What and where.
    pub fault: Diagnostic,
}

impl Lint {
    /// The lines for people, not escaped yet.
    pub fn render(&self) -> Vec<String> {
        let word = format!("{}[{}]", self.severity.as_str(), self.code);
        self.fault.render_as(&word)
    }
}

/// Looks at the rules of these paths, or at those of the program where there
/// is none; more is asked of these. `strict` as in
/// [`Source`](crate::signature::Source).
pub fn lint(paths: &[PathBuf], strict: bool) -> Vec<Lint> {
    let mut files = Vec::new();
    for path in paths {
        // What cannot be read was a fault before.
        user_files(path, &mut files, &mut Vec::new());
    }
    if paths.is_empty() {
        for (name, bytes, events) in EMBEDDED {
            if name.matches('/').count() < 2 {
                // A catalogue: its reader has checked it.
                continue;
            }
            let (name, bytes) = (Raw::from(*name), Cow::Borrowed(*bytes));
            files.push(RuleFile { name, bytes, events });
        }
    }
    let ask = Ask { embedded: paths.is_empty(), strict };
    files.iter().flat_map(|file| lint_file(file, ask)).collect()
}

/// What is asked of rules.
#[derive(Clone, Copy, Debug)]
struct Ask {
    /// They are those of the program.
    embedded: bool,
    /// They are for `--sigma-strict`.
    strict: bool,
}

fn lint_file(file: &RuleFile, ask: Ask) -> Vec<Lint> {
    let text = Text { bytes: &file.bytes, events: file.events };
    let Ok(loaded) = read_rules(&file.name, text) else { return Vec::new() };
    let (faults, documents) = yaml::parse(&file.name, text);
    let mut sink = Sink { faults, kinds: Vec::new() };
    let rules = documents.iter().filter(|node| node.value != Value::Null);
    for (node, loaded) in rules.zip(&loaded) {
        if !matches!(loaded, Loaded::OtherLogsource { .. }) {
            lint_rule(node, ask, &mut sink);
        }
    }
    sink.finish()
}

fn lint_rule(node: &Node, ask: Ask, sink: &mut Sink<'_>) {
    let unread = Raw::from("");
    let mut faults = Faults::new(&unread, &[]);
    let Some(map) = Entries::of(node, "the rule", &mut faults) else { return };
    head::lint(map, ask, sink);
    if let Some(node) = map.get("detection") {
        search::lint(node, ask, sink);
    }
}

/// Where findings go: the list of faults knows how to find the source line.
struct Sink<'a> {
    faults: Faults<'a>,
    kinds: Vec<(Severity, &'static str)>,
}

impl Sink<'_> {
    /// A finding that leaves the rule usable.
    fn warn(
        &mut self,
        code: &'static str,
        at: Position,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add((Severity::Warning, code), at, message, help);
    }

    /// A finding.
    fn add(
        &mut self,
        kind: (Severity, &'static str),
        at: Position,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if !self.faults.is_full() {
            self.kinds.push(kind);
        }
        self.faults.advise(at, message, help);
    }

    /// All findings in the order of the file.
    fn finish(self) -> Vec<Lint> {
        let unlisted = self.faults.count() - self.kinds.len();
        let found = self.faults.into_found();
        let mut lints: Vec<Lint> = self
            .kinds
            .into_iter()
            .zip(found)
            .map(|((severity, code), fault)| Lint { severity, code, fault })
            .collect();
        lints.sort_by_key(|it| (it.fault.line, it.fault.column));
        if unlisted > 0
            && let Some(last) = lints.last()
        {
            let mut last = last.clone();
            last.code = "unlisted";
            last.fault.message =
                format!("{unlisted} more findings in this file");
            (last.fault.help, last.fault.source) = (None, None);
            lints.push(last);
        }
        lints
    }
}
