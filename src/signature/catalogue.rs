//! The catalogues beside the rules: features, and the outcomes that profiles
//! share.
//!
//! In: the text of `features.yml` and `outcomes.yml`. Out:
//! typed entries in the order of the file, or all faults with their places.
//! Keys are checked as strictly as in rules: a misspelt `fix:` would be a
//! remedy that no report shows.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::raw::Raw;
use crate::signature::criteria;
use crate::signature::diagnostic::{
    Diagnostic, Faults, Position, quote, suggest,
};
use crate::signature::entries::{Entries, items};
use crate::signature::outcome::Criterion;
use crate::signature::yaml::{self, Node, Text};

/// The ways in which features answer; `outcomes.yml` says what they mean.
pub const PROFILES: [&str; 9] = [
    "isapi", "cgi", "file", "aspnet", "dav", "query", "shell", "api", "header",
];

/// A part of IIS or of a product on it that can be exposed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Feature {
    /// The id that rules name.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// The file or module that answers.
    pub component: Option<String>,
    /// What it is and what it was for.
    pub description: String,
    /// How a request shows that it reaches the feature.
    pub url: UrlShape,
    /// How it answers: one of [`PROFILES`].
    pub profile: String,
    /// Versions that have it.
    pub present: Option<String>,
    /// Versions that have it switched on by default.
    pub default_on: Option<String>,
    /// How to switch it off.
    pub disable: Disable,
    /// How to refuse its requests.
    pub filter: Filter,
    /// Who needs it.
    pub needed_by: Option<String>,
}

/// How a request shows that it reaches a feature. All ignore case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UrlShape {
    /// The stem has one of these extensions, path information after it or
    /// not. Without a dot.
    pub extensions: Vec<String>,
    /// The stem starts with one of these.
    pub prefixes: Vec<String>,
    /// The stem contains one of these.
    pub contains: Vec<String>,
    /// The method is one of these.
    pub methods: Vec<String>,
    /// The decoded query contains one of these; with one of the keys on
    /// stems both must hold.
    pub query: Vec<String>,
}

/// How to switch a feature off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Disable {
    /// On IIS 4 to 6.
    pub iis4_6: Option<String>,
    /// On IIS 7 and later.
    pub iis7: Option<String>,
}

/// How to refuse a feature's requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// Lines for `urlscan.ini`.
    pub urlscan: Option<String>,
    /// Elements for request filtering.
    pub request_filtering: Option<String>,
}

/// What the answers of a feature mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcomes {
    /// For every request, after the profile's.
    pub generic: Vec<Criterion>,
    /// By profile.
    pub profiles: BTreeMap<String, Vec<Criterion>>,
}

const FEATURE_KEYS: [&str; 11] = [
    "id",
    "name",
    "component",
    "description",
    "url",
    "profile",
    "present",
    "default_on",
    "disable",
    "filter",
    "needed_by",
];

const URL_KEYS: [&str; 5] =
    ["extensions", "prefixes", "contains", "methods", "query"];

/// Reads `features.yml`.
pub fn read_features(
    file: &Raw,
    text: Text<'_>,
) -> Result<Vec<Feature>, Vec<Diagnostic>> {
    read_list(file, text, feature)
}

/// Reads `outcomes.yml`.
pub fn read_outcomes(
    file: &Raw,
    text: Text<'_>,
) -> Result<Outcomes, Vec<Diagnostic>> {
    read_one(file, text, |node, faults| {
        let mut outcomes = Outcomes::default();
        let Some(map) = Entries::of(node, "the file", faults) else {
            return outcomes;
        };
        map.known(&["generic", "profiles"], faults);
        match map.get("generic") {
            None => map.missing("generic", faults),
            Some(node) => outcomes.generic = criteria::read(node, faults),
        }
        let Some(node) = map.get("profiles") else { return outcomes };
        let Some(map) = Entries::of(node, "`profiles`", faults) else {
            return outcomes;
        };
        map.known(&PROFILES, faults);
        for (key, node) in map.iter() {
            let list = criteria::read(node, faults);
            outcomes.profiles.insert(key.key().to_owned(), list);
        }
        outcomes
    })
}

/// Reads a file of one document.
pub(super) fn read_one<T: Default>(
    file: &Raw,
    text: Text<'_>,
    read: impl FnOnce(&Node, &mut Faults<'_>) -> T,
) -> Result<T, Vec<Diagnostic>> {
    let (mut faults, documents) = yaml::parse(file, text);
    let value = match documents.first() {
        Some(first) => read(first, &mut faults),
        None => T::default(),
    };
    if documents.is_empty() && faults.count() == 0 {
        let at = Position { line: 1, column: 1 };
        faults.add(at, "the file is empty");
    }
    if let Some(second) = documents.get(1) {
        faults.add(second.at(), "a catalogue is one YAML document");
    }
    faults.finish(value)
}

/// Reads a list of entries whose ids are unique.
pub(super) fn read_list<T>(
    file: &Raw,
    text: Text<'_>,
    read: fn(Entries<'_>, &mut Faults<'_>) -> Option<T>,
) -> Result<Vec<T>, Vec<Diagnostic>> {
    read_one(file, text, |node, faults| entries(node, read, faults))
}

/// The entries of a list; an id that stands twice is a fault.
pub(super) fn entries<T>(
    node: &Node,
    read: fn(Entries<'_>, &mut Faults<'_>) -> Option<T>,
    faults: &mut Faults<'_>,
) -> Vec<T> {
    let mut seen = HashMap::new();
    let mut list = Vec::new();
    for item in items(node, "the catalogue", faults) {
        let Some(map) = Entries::of(item, "the entry", faults) else {
            continue;
        };
        list.extend(read(map, faults));
        let Some(id) = map.get("id") else { continue };
        if let Some(line) = seen.insert(id.key(), id.line) {
            let what = format!("the id {} stands twice", quote(id.key()));
            let help = format!("the first one is in line {line}");
            faults.advise(id.at(), what, help);
        }
    }
    list
}

fn feature(map: Entries<'_>, faults: &mut Faults<'_>) -> Option<Feature> {
    map.known(&FEATURE_KEYS, faults);
    let id = map.required("id", faults);
    if let (Some(id), Some(node)) = (&id, map.get("id"))
        && !criteria::is_kebab(id)
    {
        let what = format!("{} is not in kebab-case", quote(id));
        faults.add(node.at(), what);
    }
    let name = map.required("name", faults);
    let description = map.required("description", faults);
    let profile = map.required("profile", faults);
    if let (Some(word), Some(node)) = (&profile, map.get("profile"))
        && !PROFILES.contains(&word.as_str())
    {
        let what = format!("unknown profile {}", quote(word));
        faults.advise(node.at(), what, suggest(word, &PROFILES));
    }
    Some(Feature {
        component: map.optional("component", faults),
        url: part(map, "url", &URL_KEYS, faults, url).unwrap_or_default(),
        present: map.optional("present", faults),
        default_on: map.optional("default_on", faults),
        disable: part(map, "disable", &["iis4_6", "iis7"], faults, disable)
            .unwrap_or_default(),
        filter: part(
            map,
            "filter",
            &["urlscan", "request_filtering"],
            faults,
            filter,
        )
        .unwrap_or_default(),
        needed_by: map.optional("needed_by", faults),
        id: id?,
        name: name?,
        description: description?,
        profile: profile?,
    })
}

/// A map inside an entry; `None` where it is missing or faulty.
fn part<T>(
    map: Entries<'_>,
    key: &'static str,
    known: &[&str],
    faults: &mut Faults<'_>,
    read: fn(Entries<'_>, &mut Faults<'_>) -> T,
) -> Option<T> {
    let inner = Entries::of(map.get(key)?, key, faults)?;
    inner.known(known, faults);
    Some(read(inner, faults))
}

fn url(map: Entries<'_>, faults: &mut Faults<'_>) -> UrlShape {
    let mut extensions = Vec::new();
    for node in map.nodes("extensions", faults) {
        let text = node.text().unwrap_or_default();
        if text.starts_with('.') {
            let what = "extensions are written without the dot";
            faults.add(node.at(), what);
        }
        extensions.push(text.to_owned());
    }
    UrlShape {
        extensions,
        prefixes: map.texts("prefixes", faults),
        contains: map.texts("contains", faults),
        methods: map.texts("methods", faults),
        query: map.texts("query", faults),
    }
}

fn disable(map: Entries<'_>, faults: &mut Faults<'_>) -> Disable {
    Disable {
        iis4_6: map.optional("iis4_6", faults),
        iis7: map.optional("iis7", faults),
    }
}

fn filter(map: Entries<'_>, faults: &mut Faults<'_>) -> Filter {
    Filter {
        urlscan: map.optional("urlscan", faults),
        request_filtering: map.optional("request_filtering", faults),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(found: &[Diagnostic]) -> Vec<String> {
        let show =
            |d: &Diagnostic| format!("{}:{} {}", d.line, d.column, d.message);
        found.iter().map(show).collect()
    }

    const FEATURES: &str = "
- id: index-server-ida
  name: Index Server
  component: idq.dll
  description: >-
    What it is.
  url:
    extensions: [ida]
    prefixes: ['/iishelp/']
    contains: ['cmd.exe']
    methods: [PROPFIND]
    query: ['type=rau']
  profile: isapi
  present: IIS 4 to 6
  default_on: never
  disable:
    iis4_6: Remove the mapping
    iis7: not installed
  filter:
    urlscan: '[DenyExtensions] .ida'
    request_filtering: '<add/>'
  needed_by: nobody
- {id: b, name: B, description: c, profile: cgi}
";

    #[test]
    fn features() {
        let file = Raw::from("features.yml");
        let list = read_features(&file, FEATURES.as_bytes().into()).unwrap();
        assert_eq!(list.len(), 2);
        let first = &list[0];
        assert_eq!(first.id, "index-server-ida");
        assert_eq!(first.description, "What it is.");
        assert_eq!(first.url.extensions, ["ida"]);
        assert_eq!(first.url.query, ["type=rau"]);
        assert_eq!(first.disable.iis7.as_deref(), Some("not installed"));
        let scan = first.filter.urlscan.as_deref();
        assert_eq!(scan, Some("[DenyExtensions] .ida"));
        assert_eq!(list[1].url, UrlShape::default());
        assert!(serde_json::to_string(&list).unwrap().contains("idq.dll"));
    }

    #[test]
    fn faults_of_features() {
        let text = "
- id: Not Kebab
  name: a
  description: b
  profile: isapy
  url: {extensions: ['.ida', ''], path: x}
  disable: {iis5: x}
- id: x
  fix: y
- id: x
  name: a
  description: b
  profile: cgi
- 3
";
        let file = Raw::from("features.yml");
        let found = read_features(&file, text.as_bytes().into()).unwrap_err();
        assert_eq!(
            lines(&found),
            [
                "2:7 `Not Kebab` is not in kebab-case",
                "5:12 unknown profile `isapy`",
                "6:22 extensions are written without the dot",
                "6:30 empty text in `extensions`",
                "6:35 unknown key `path` in url",
                "7:13 unknown key `iis5` in disable",
                "8:3 the entry needs `name`",
                "8:3 the entry needs `description`",
                "8:3 the entry needs `profile`",
                "9:3 unknown key `fix` in the entry",
                "10:7 the id `x` stands twice",
                "14:3 the entry must be a map, not a number",
            ]
        );
    }

    #[test]
    fn outcomes() {
        let criterion = "{when: {status: 404}, outcome: absent, confidence: \
                         likely, reason: not-found, text: nothing there}";
        let text = format!(
            "generic:\n  - {criterion}\nprofiles:\n  isapi:\n    - {criterion}\n"
        );
        let file = Raw::from("outcomes.yml");
        let outcomes = read_outcomes(&file, text.as_bytes().into()).unwrap();
        assert_eq!(outcomes.generic.len(), 1);
        assert_eq!(outcomes.profiles["isapi"], outcomes.generic);
        let text = "generik: []\nprofiles:\n  isap: []\n";
        let found = read_outcomes(&file, text.as_bytes().into()).unwrap_err();
        assert_eq!(
            lines(&found),
            [
                "1:1 unknown key `generik` in the file",
                "1:1 the file needs `generic`",
                "3:3 unknown key `isap` in `profiles`",
            ]
        );
    }

    #[test]
    fn an_empty_catalogue_is_an_empty_list() {
        let file = Raw::from("a.yml");
        assert_eq!(read_features(&file, b"[]"[..].into()), Ok(Vec::new()));
        let found =
            read_features(&file, b"# nothing\n"[..].into()).unwrap_err();
        assert_eq!(lines(&found), ["1:1 the file is empty"]);
        assert!(read_features(&file, b"a: b"[..].into()).is_err());
    }
}
