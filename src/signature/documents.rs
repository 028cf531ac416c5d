//! What the rule files hold, embedded ones and the user's.
//!
//! In: files. Out: rules, what correlations ask for, filters, or faults with
//! their places. What belongs together is seen later (`links`).

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use crate::raw::Raw;
use crate::signature::correlation_reader::Wanted;
use crate::signature::diagnostic::Diagnostic;
use crate::signature::reader::{Filter, Loaded, read_rules};
use crate::signature::rule::Rule;
use crate::signature::yaml::Text;

/// A file of rules.
pub(super) struct RuleFile {
    pub(super) name: Raw,
    pub(super) bytes: Cow<'static, [u8]>,
    /// See [`Text`].
    pub(super) events: &'static [u8],
}

/// What rule files hold.
#[derive(Default)]
pub(super) struct Documents {
    /// By name.
    pub rules: Vec<Rule>,
    /// What the correlations among them ask for, by name.
    pub wanted: BTreeMap<String, Wanted>,
    pub filters: Vec<Filter>,
    /// Titles of what is for other logs.
    pub skipped: Vec<String>,
}

impl Documents {
    /// The user's files first, so that their rules can `replace` others.
    pub fn read(
        files: &[RuleFile],
        replace: bool,
        faults: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut own = Self::default();
        let (theirs, embedded): (Vec<_>, Vec<_>) =
            files.iter().partition(|file| file.events.is_empty());
        own.read_all(&theirs, None, faults);
        let taken = replace.then(|| {
            let keys = own.rules.iter().flat_map(|rule| {
                std::iter::once(&rule.name).chain(&rule.id).cloned()
            });
            keys.collect::<HashSet<String>>()
        });
        own.read_all(&embedded, taken.as_ref(), faults);
        own.rules.sort_by(|a, b| a.name.cmp(&b.name));
        own
    }

    /// Reads all files; rules with one of the names or ids `taken` are left
    /// out.
    fn read_all(
        &mut self,
        files: &[&RuleFile],
        taken: Option<&HashSet<String>>,
        faults: &mut Vec<Diagnostic>,
    ) {
        let is_taken = |key: &String| taken.is_some_and(|it| it.contains(key));
        for file in files {
            let text = Text { bytes: &file.bytes, events: file.events };
            let loaded = match read_rules(&file.name, text) {
                Ok(loaded) => loaded,
                Err(found) => {
                    faults.extend(found);
                    continue;
                }
            };
            for one in loaded {
                let is_left_out = one.rule().is_some_and(|rule| {
                    is_taken(&rule.name) || rule.id.iter().any(is_taken)
                });
                if !is_left_out {
                    self.add(one);
                }
            }
        }
    }

    fn add(&mut self, loaded: Loaded) {
        match loaded {
            Loaded::Rule(rule) => self.rules.push(*rule),
            Loaded::Correlation(rule, wanted) => {
                self.wanted.insert(rule.name.clone(), *wanted);
                self.rules.push(*rule);
            }
            Loaded::Filter(filter) => self.filters.push(*filter),
            Loaded::OtherLogsource { title, .. } => self.skipped.push(title),
        }
    }
}
