//! Why a request counts for a feature: the rule names it, or the URL shows
//! it, and then by which key of the catalogue.
//!
//! In: the rule and the record. Out: the feature that the scan gives the hit,
//! with the keys that fit, and the other features that fit less narrowly.

use serde::Serialize;

use crate::signature::catalogue::Feature;
use crate::signature::pattern::Fold;
use crate::signature::reach::reaches;
use crate::signature::rule::Rule;
use crate::signature::set::Signatures;
use crate::w3c::{Field, Record};

/// A feature and why it is that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeatureTrace {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// How it answers.
    pub profile: String,
    /// The rule names it; else the URL shows it.
    pub own: bool,
    /// What in the URL does, as the catalogue has it: `extension ida`.
    pub keys: Vec<String>,
    /// Other features whose URL it is, and that ask for less.
    pub others: Vec<String>,
}

impl Signatures {
    /// Why a hit counts for its feature; `record` is none where the line was
    /// rejected. `stem` is the decoded one.
    pub fn trace_feature(
        &self,
        rule: &Rule,
        record: Option<&Record<'_>>,
        stem: &[u8],
    ) -> Option<FeatureTrace> {
        let own = self.own_feature(rule);
        let feature = match record.filter(|_| !rule.is_silent) {
            Some(record) => self.feature_of(rule, record, stem)?,
            None => own?,
        };
        let (mut keys, mut others) = (Vec::new(), Vec::new());
        if let Some(record) = record.filter(|_| own.is_none()) {
            let method = record.get(Field::CsMethod).unwrap_or_default();
            let query = record.target().query.unwrap_or_default();
            keys = keys_of(feature, method, stem, query);
            for other in self.features() {
                let fits = reaches(other, method, stem, query).is_some();
                if fits && other.id != feature.id {
                    others.push(other.id.clone());
                }
            }
        }
        Some(FeatureTrace {
            id: feature.id.clone(),
            name: feature.name.clone(),
            profile: feature.profile.clone(),
            own: own.is_some(),
            keys,
            others,
        })
    }
}

/// The keys of a feature that fit a request.
fn keys_of(
    feature: &Feature,
    method: &[u8],
    stem: &[u8],
    query: &[u8],
) -> Vec<String> {
    let fold = Fold::Case;
    let url = &feature.url;
    let mut found = Vec::new();
    let mut enter =
        |kind: &str, keys: &[String], fits: &dyn Fn(&[u8]) -> bool| {
            let fitting = keys.iter().filter(|key| fits(key.as_bytes()));
            found.extend(fitting.map(|key| format!("{kind} {key}")));
        };
    enter("method", &url.methods, &|key| fold.equals(method, key));
    enter("extension", &url.extensions, &|key| {
        let dotted = [b".", key].concat();
        let inside = [dotted.as_slice(), b"/"].concat();
        fold.ends_with(stem, &dotted) || fold.contains(stem, &inside)
    });
    enter("prefix", &url.prefixes, &|key| fold.starts_with(stem, key));
    enter("path contains", &url.contains, &|key| fold.contains(stem, key));
    enter("query contains", &url.query, &|key| fold.contains(query, key));
    found
}
