//! The whole set: the embedded rules and catalogues, a user's rules beside
//! them, checked against each other and compiled.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};

use crate::limits;
use crate::raw::Raw;
use crate::signature::advisories::{Advisory, Notices, read_advisories};
use crate::signature::catalogue::{
    Feature, Outcomes, read_features, read_outcomes,
};
use crate::signature::diagnostic::Diagnostic;
use crate::signature::documents::{Documents, RuleFile};
use crate::signature::links::Links;
use crate::signature::matcher::{Matcher, Scratch};
use crate::signature::needs::Needs;
use crate::signature::products::{Vendor, read_products};
use crate::signature::reach::reaches;
use crate::signature::rule::Rule;
use crate::signature::yaml::Text;
use crate::w3c::{Field, Record};

/// The files under `signatures/`, as they were when this was built, each
/// with its YAML events.
pub(super) static EMBEDDED: &[(&str, &[u8], &[u8])] =
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Where rules come from.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// Leave the embedded rules out; the catalogues stay.
    pub without_embedded: bool,
    /// Rule files and folders of the user's.
    pub paths: Vec<PathBuf>,
    /// Match the logged columns alone (`--sigma-strict`).
    pub strict: bool,
    /// A rule of the user's stands in place of the embedded one with its
    /// name or id: for who works on one of them. Else that is a fault.
    pub replaces: bool,
}

/// Rules, catalogues and the compiled matcher.
#[derive(Debug)]
pub struct Signatures {
    rules: Vec<Rule>,
    features: Vec<Feature>,
    notices: Notices,
    outcomes: Outcomes,
    products: Vec<Vendor>,
    matcher: Matcher,
    sha256: [u8; 32],
    skipped: Vec<String>,
}

impl Signatures {
    /// The set that comes with the program.
    ///
    /// # Errors
    /// Every fault in every file, with its place.
    pub fn embedded() -> Result<Self, Vec<Diagnostic>> {
        Self::load(&Source::default())
    }

    /// The embedded set with a user's rules.
    ///
    /// # Errors
    /// Every fault in every file, with its place.
    pub fn load(source: &Source) -> Result<Self, Vec<Diagnostic>> {
        let mut files: Vec<RuleFile> = Vec::new();
        let mut faults = Vec::new();
        let mut catalogues = Catalogues::default();
        let mut digest = Sha256::new();
        for (name, bytes, events) in EMBEDDED {
            if catalogues.read(name, Text { bytes, events }, &mut faults) {
                digest.update(Sha256::digest(bytes));
                continue;
            }
            if !source.without_embedded {
                let (name, bytes) = (Raw::from(*name), Cow::Borrowed(*bytes));
                files.push(RuleFile { name, bytes, events });
            }
        }
        for path in &source.paths {
            user_files(path, &mut files, &mut faults);
        }
        for file in &files {
            digest.update(Sha256::digest(&file.bytes));
        }
        let Documents { mut rules, wanted, filters, skipped } =
            Documents::read(&files, source.replaces, &mut faults);
        check(&rules, &catalogues, &files, &mut faults);
        if faults.is_empty() {
            let text = |name: &Raw| {
                let file = files.iter().find(|file| file.name == *name);
                file.map_or_else(Vec::new, |file| file.bytes.to_vec())
            };
            let links = Links {
                wanted,
                filters,
                features: &catalogues.features,
                strict: source.strict,
                is_own: &is_embedded,
                text: &text,
            };
            links.tie(&mut rules, &mut faults);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            matcher: Matcher::new(&rules, source.strict),
            rules,
            features: catalogues.features,
            notices: catalogues.notices,
            products: catalogues.products,
            outcomes: catalogues.outcomes,
            sha256: digest.finalize().into(),
            skipped,
        })
    }

    /// All rules, by name.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of an index.
    pub fn rule(&self, index: u32) -> Option<&Rule> {
        self.rules.get(index as usize)
    }

    /// The rule of a name.
    pub fn rule_named(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.name == name)
    }

    /// The feature catalogue.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The feature of an id.
    pub fn feature(&self, id: &str) -> Option<&Feature> {
        self.features.iter().find(|feature| feature.id == id)
    }

    /// The catalogue of advisories.
    pub fn advisories(&self) -> &[Advisory] {
        &self.notices.list
    }

    /// The catalogue of advisories with what they refer to.
    pub fn notices(&self) -> &Notices {
        &self.notices
    }

    /// The products that live on IIS.
    pub fn products(&self) -> &[Vendor] {
        &self.products
    }

    /// The generic outcome criteria and the profiles.
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// SHA-256 over the catalogues and rule files in their order.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// The compiled rules.
    pub(super) fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// Titles of rules left out because they are for another log source.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The columns that rules need before they can be judged.
    pub fn needs(&self) -> Vec<Needs> {
        self.matcher.needs(&self.rules)
    }

    /// Names of rules that are evaluated on every record, because no
    /// literal tells where they cannot match.
    pub fn unanchored(&self) -> impl Iterator<Item = &str> {
        self.matcher
            .unanchored()
            .iter()
            .filter_map(|index| self.rule(*index))
            .map(|rule| rule.name.as_str())
    }

    /// Makes ready for the records of a page: a text of whole lines, and
    /// where something in it is wrapped.
    pub fn turn_to(
        &self,
        page: &[u8],
        wrapped: &[u32],
        scratch: &mut Scratch,
    ) {
        self.matcher.turn_to(page, wrapped, scratch);
    }

    /// Makes ready for a record whose line is no part of a page.
    pub fn turn_to_line(&self, record: &Record<'_>, scratch: &mut Scratch) {
        self.matcher.turn_to_line(record, scratch);
    }

    /// Finds the rules that match a record of the page turned to; they
    /// stand in `scratch.rules`. Records are asked about in their order.
    #[inline]
    pub fn find_on_page(&self, record: &Record<'_>, scratch: &mut Scratch) {
        self.matcher.find(&self.rules, record, scratch);
    }

    /// Finds the rules that match a record whose line was read alone; they
    /// stand in `scratch.rules`.
    pub fn find(&self, record: &Record<'_>, scratch: &mut Scratch) {
        self.matcher.turn_to_line(record, scratch);
        self.matcher.find(&self.rules, record, scratch);
    }

    /// Finds the rules whose texts stand in a rejected line.
    pub fn find_rejected(&self, line: &[u8], scratch: &mut Scratch) {
        self.matcher.find_rejected(&self.rules, line, scratch);
    }

    /// What a rule matched on, for the record just looked at.
    pub fn explain(
        &self,
        index: u32,
        record: &Record<'_>,
        scratch: &mut Scratch,
    ) -> Vec<String> {
        self.rule(index).map_or_else(Vec::new, |rule| {
            self.matcher.explain(rule, index, record, scratch)
        })
    }

    /// A rule evaluated without the prefilter, for the oracle of the tests.
    pub fn matches(
        &self,
        index: u32,
        record: &Record<'_>,
        scratch: &mut Scratch,
    ) -> bool {
        self.rule(index).is_some_and(|rule| {
            self.matcher.matches(rule, index, record, &mut scratch.sight)
        })
    }

    /// The feature that a rule names.
    pub fn own_feature(&self, rule: &Rule) -> Option<&Feature> {
        rule.sleuth.feature.as_deref().and_then(|id| self.feature(id))
    }

    /// The feature that a rule names, else the one whose URL was hit; of
    /// several the one that asks for most, then the first.
    pub fn feature_of(
        &self,
        rule: &Rule,
        record: &Record<'_>,
        stem: &[u8],
    ) -> Option<&Feature> {
        self.own_feature(rule).or_else(|| {
            let method = record.get(Field::CsMethod).unwrap_or_default();
            let query = record.target().query.unwrap_or_default();
            let fits = self.features.iter().filter_map(|feature| {
                Some((reaches(feature, method, stem, query)?, feature))
            });
            let mut best: Option<(usize, &Feature)> = None;
            for (bytes, feature) in fits {
                if best.is_none_or(|(most, _)| most < bytes) {
                    best = Some((bytes, feature));
                }
            }
            best.map(|(_, feature)| feature)
        })
    }
}

/// Whether a file came with the program.
fn is_embedded(file: &Raw) -> bool {
    static NAMES: LazyLock<HashSet<&[u8]>> = LazyLock::new(|| {
        EMBEDDED.iter().map(|(name, ..)| name.as_bytes()).collect()
    });
    NAMES.contains(file.as_bytes())
}

/// What rules refer to.
#[derive(Debug, Default)]
struct Catalogues {
    features: Vec<Feature>,
    notices: Notices,
    outcomes: Outcomes,
    products: Vec<Vendor>,
}

impl Catalogues {
    /// True where the file is a catalogue, which is then read.
    fn read(
        &mut self,
        name: &str,
        text: Text<'_>,
        faults: &mut Vec<Diagnostic>,
    ) -> bool {
        let file = Raw::from(name);
        let found = match name {
            "signatures/features.yml" => {
                read_features(&file, text).map(|it| self.features = it)
            }
            "signatures/advisories.yml" => {
                read_advisories(&file, text).map(|it| self.notices = it)
            }
            "signatures/products.yml" => {
                read_products(&file, text).map(|it| self.products = it)
            }
            "signatures/outcomes.yml" => {
                read_outcomes(&file, text).map(|it| self.outcomes = it)
            }
            _ => return false,
        };
        faults.extend(found.err().into_iter().flatten());
        true
    }
}

/// A fault of a whole file.
fn fault(file: &Raw, message: String, help: Option<&str>) -> Diagnostic {
    Diagnostic {
        file: file.clone(),
        line: 1,
        column: 1,
        message,
        help: help.map(str::to_owned),
        source: None,
    }
}

/// Names given twice, and references that lead nowhere.
fn check(
    rules: &[Rule],
    catalogues: &Catalogues,
    files: &[RuleFile],
    faults: &mut Vec<Diagnostic>,
) {
    if rules.len() > limits::RULES {
        let file = Raw::from("rules");
        let message = format!("more than {} rules", limits::RULES);
        faults.push(fault(&file, message, None));
    }
    let mut names: BTreeMap<&str, &Rule> = BTreeMap::new();
    let mut ids: BTreeMap<&str, &Rule> = BTreeMap::new();
    for rule in rules {
        let twins = [
            ("name", Some(rule.name.as_str()), &mut names),
            ("id", rule.id.as_deref(), &mut ids),
        ];
        for (what, key, seen) in twins {
            if let Some(key) = key
                && let Some(first) = seen.insert(key, rule)
            {
                let other = String::from_utf8_lossy(first.file.as_bytes());
                let message =
                    format!("{what} `{key}` is also that of {other}");
                let help = "give each rule its own name and id";
                let fault = fault(&rule.file, message, Some(help));
                faults.push(placed(fault, files, what, key));
            }
        }
    }
    let known = Known {
        features: catalogues.features.iter().map(|it| &*it.id).collect(),
        advisories: catalogues.notices.list.iter().map(|it| &*it.id).collect(),
        names: &names,
    };
    for rule in rules {
        let before = faults.len();
        references(rule, &known, faults);
        for fault in faults.iter_mut().skip(before) {
            let id = fault.message.split('`').nth(1).unwrap_or("").to_owned();
            *fault = placed(fault.clone(), files, "", &id);
        }
    }
}

/// The fault at the line of its file that gives `key` the value.
fn placed(
    mut fault: Diagnostic,
    files: &[RuleFile],
    key: &str,
    value: &str,
) -> Diagnostic {
    let file = files.iter().find(|file| file.name == fault.file);
    let text = file.map_or(&[][..], |file| &file.bytes);
    let text = String::from_utf8_lossy(text);
    let found = text.lines().zip(1..).find_map(|(line, number)| {
        let bare = line.to_ascii_lowercase();
        let at = bare.find(&value.to_ascii_lowercase())?;
        bare.starts_with(key).then_some((number, at, line))
    });
    if let Some((number, at, line)) = found {
        let before = line.get(..at).unwrap_or_default();
        fault.line = number;
        fault.column = before.chars().count() + 1;
        fault.source = Some(line.to_owned());
    }
    fault
}

/// What rules may refer to.
struct Known<'a> {
    features: HashSet<&'a str>,
    advisories: HashSet<&'a str>,
    names: &'a BTreeMap<&'a str, &'a Rule>,
}

fn references(rule: &Rule, known: &Known<'_>, faults: &mut Vec<Diagnostic>) {
    let sleuth = &rule.sleuth;
    let mut missing = Vec::new();
    if let Some(id) = &sleuth.feature
        && !known.features.contains(id.as_str())
    {
        missing.push(("feature", id));
    }
    for id in &sleuth.advisories {
        if !known.advisories.contains(id.as_str()) {
            missing.push(("advisory", id));
        }
    }
    for name in &sleuth.confirmed_by {
        if !known.names.contains_key(name.as_str()) {
            missing.push(("rule in confirmed_by", name));
        }
    }
    for (what, id) in missing {
        let message = format!("{what} `{id}` does not exist");
        faults.push(fault(&rule.file, message, None));
    }
}

/// Reads a user's rule file, or all `.yml` and `.yaml` files of a folder.
pub(super) fn user_files(
    path: &Path,
    files: &mut Vec<RuleFile>,
    faults: &mut Vec<Diagnostic>,
) {
    let walk = walkdir::WalkDir::new(path)
        .max_depth(limits::WALK_DEPTH)
        .sort_by_file_name();
    for entry in walk {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let at = error.path().unwrap_or(path);
                let message = format!("cannot be read: {error}");
                faults.push(fault(&Raw::from_path(at), message, None));
                continue;
            }
        };
        let is_rule = entry
            .path()
            .extension()
            .is_some_and(|end| end == "yml" || end == "yaml");
        if !entry.file_type().is_file() || (entry.depth() > 0 && !is_rule) {
            continue;
        }
        let name = Raw::from_path(entry.path());
        match bounded_read(entry.path()) {
            Ok(text) => {
                let bytes = Cow::Owned(text);
                files.push(RuleFile { name, bytes, events: &[] });
            }
            Err(error) => {
                let message = format!("cannot be read: {error}");
                faults.push(fault(&name, message, None));
            }
        }
    }
}

/// One byte more than the bound, so that the reader can refuse it.
fn bounded_read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    fs::File::open(path)?
        .take(limits::RULE_FILE_BYTES + 1)
        .read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::yaml::parse;

    /// What the build script wrote down is what the parser tells.
    #[test]
    fn compiled_events_are_those_of_the_files() {
        for (name, bytes, events) in EMBEDDED {
            let file = Raw::from(*name);
            let (_, compiled) = parse(&file, Text { bytes, events });
            let (_, parsed) = parse(&file, Text::from(*bytes));
            assert!(!parsed.is_empty() && !events.is_empty(), "{name}");
            // Values, places, spelling and style.
            assert_eq!(format!("{compiled:?}"), format!("{parsed:?}"));
        }
    }
}
