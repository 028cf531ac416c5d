//! Typed looks into YAML maps: the right kind of value, or a fault with its
//! place. All readers of this folder share them, so that the same mistake
//! gets the same words everywhere.

use crate::signature::diagnostic::{Faults, Position, quote, suggest};
use crate::signature::yaml::{Entry, Node, Value};

/// A map and what to call it in messages.
#[derive(Clone, Copy)]
pub(super) struct Entries<'n> {
    list: &'n [Entry],
    at: Position,
    what: &'static str,
}

impl<'n> Entries<'n> {
    /// The node as a map.
    pub fn of(
        node: &'n Node,
        what: &'static str,
        faults: &mut Faults<'_>,
    ) -> Option<Self> {
        if let Value::Map(entries) = &node.value {
            return Some(Self { list: entries, at: node.at(), what });
        }
        let message = format!("{what} must be a map, not {}", node.kind());
        faults.add(node.at(), message);
        None
    }

    /// All entries, in the order of the file.
    pub fn iter(self) -> std::slice::Iter<'n, Entry> {
        self.list.iter()
    }

    /// What it is called in messages.
    pub fn what(self) -> &'static str {
        self.what
    }

    /// Where the map starts.
    pub fn at(self) -> Position {
        self.at
    }

    /// The entry of a key.
    pub fn entry(self, key: &str) -> Option<&'n Entry> {
        self.list.iter().find(|entry| entry.0.key() == key)
    }

    /// The value of a key.
    pub fn get(self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.1)
    }

    /// A fault for each key that is not among the known ones.
    pub fn known(self, known: &[&str], faults: &mut Faults<'_>) {
        for (key, _) in self.list {
            let word = key.key();
            if known.contains(&word) {
                continue;
            }
            if faults.is_full() {
                faults.skip();
                return;
            }
            let name = quote(word);
            let message = format!("unknown key {name} in {}", self.what);
            faults.advise(key.at(), message, suggest(word, known));
        }
    }

    /// A fault because a key is missing.
    pub fn missing(self, key: &str, faults: &mut Faults<'_>) {
        faults.add(self.at, format!("{} needs `{key}`", self.what));
    }

    /// The text of a key that may be missing.
    pub fn text(self, key: &str, faults: &mut Faults<'_>) -> Option<&'n str> {
        let (key, node) = self.entry(key)?;
        match node.text() {
            Some(text) if !text.trim().is_empty() => Some(text.trim()),
            _ => {
                let name = quote(key.key());
                let kind = node.kind();
                let message = match node.value {
                    Value::Text(_) => format!("{name} is empty"),
                    _ => format!("{name} must be a text, not {kind}"),
                };
                faults.add(place(key, node), message);
                None
            }
        }
    }

    /// The text of a key, owned; a fault where it is missing.
    pub fn required(
        self,
        key: &str,
        faults: &mut Faults<'_>,
    ) -> Option<String> {
        if self.entry(key).is_none() {
            self.missing(key, faults);
        }
        self.text(key, faults).map(str::to_owned)
    }

    /// The text of a key that may be missing, owned.
    pub fn optional(
        self,
        key: &str,
        faults: &mut Faults<'_>,
    ) -> Option<String> {
        self.text(key, faults).map(str::to_owned)
    }

    /// The texts of a key: a list, one text, or missing.
    pub fn texts(self, key: &str, faults: &mut Faults<'_>) -> Vec<String> {
        let nodes = self.nodes(key, faults);
        nodes.into_iter().filter_map(Node::text).map(str::to_owned).collect()
    }

    /// The scalars of a key: a list, one scalar, or missing. An empty text
    /// is a fault, as each of these lists is searched for its texts.
    pub fn nodes(self, key: &str, faults: &mut Faults<'_>) -> Vec<&'n Node> {
        let Some((key, node)) = self.entry(key) else { return Vec::new() };
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let name = quote(key.key());
        if items.is_empty() {
            faults.add(node.at(), format!("the list {name} is empty"));
        }
        let mut nodes = Vec::new();
        for item in items {
            match item.text() {
                Some(text) if !text.is_empty() => nodes.push(item),
                Some(_) => {
                    faults.add(item.at(), format!("empty text in {name}"));
                }
                None => {
                    let kind = item.kind();
                    let message = format!("{name} holds texts, not {kind}");
                    faults.add(place(key, item), message);
                }
            }
        }
        nodes
    }

    /// The truth value of a key that may be missing.
    pub fn bool(self, key: &str, faults: &mut Faults<'_>) -> Option<bool> {
        let (key, node) = self.entry(key)?;
        if let Value::Bool(truth) = node.value {
            return Some(truth);
        }
        let name = quote(key.key());
        let message = format!("{name} must be `true` or `false`");
        faults.add(place(key, node), message);
        None
    }

    /// The value of a key that must be one of some words.
    pub fn word<T>(
        self,
        key: &str,
        known: &[&str],
        read: impl Fn(&str) -> Option<T>,
        faults: &mut Faults<'_>,
    ) -> Option<T> {
        let text = self.text(key, faults)?;
        let word = read(text);
        if word.is_none() {
            let at = self.get(key).map_or(self.at, Node::at);
            let message = format!("{} is no {key}", quote(text));
            faults.advise(at, message, suggest(text, known));
        }
        word
    }
}

/// The items of a list.
pub(super) fn items<'n>(
    node: &'n Node,
    what: &str,
    faults: &mut Faults<'_>,
) -> &'n [Node] {
    if let Value::List(items) = &node.value {
        return items;
    }
    let message = format!("{what} must be a list, not {}", node.kind());
    faults.add(node.at(), message);
    &[]
}

/// Where to point: an empty value stands nowhere, so at its key.
fn place(key: &Node, value: &Node) -> Position {
    match value.value {
        Value::Null => key.at(),
        _ => value.at(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::Raw;
    use crate::signature::yaml;

    #[test]
    fn says_what_is_wrong_and_where() {
        let file = Raw::from("a.yml");
        let text = "a: 1\nb:\nc: [x, '', [y]]\nd: []\ne: maybe\nf: zwei\n";
        let (mut faults, documents) =
            yaml::parse(&file, text.as_bytes().into());
        let faults_ = &mut faults;
        let map = Entries::of(&documents[0], "the map", faults_).unwrap();
        assert_eq!(map.text("a", faults_), Some("1"));
        assert_eq!(map.text("none", faults_), None);
        assert_eq!(map.text("b", faults_), None);
        assert_eq!(map.texts("c", faults_), ["x"]);
        assert!(map.texts("d", faults_).is_empty());
        assert_eq!(map.bool("e", faults_), None);
        let two = |word: &str| (word == "two").then_some(2);
        assert_eq!(map.word("f", &["two"], two, faults_), None);
        map.known(&["a", "b", "c", "d", "e", "g"], faults_);
        assert_eq!(map.required("h", faults_), None);
        items(map.get("a").unwrap(), "`a`", faults_);
        let found = faults.finish(()).unwrap_err();
        let found: Vec<_> = found
            .iter()
            .map(|d| format!("{}:{} {}", d.line, d.column, d.message))
            .collect();
        assert_eq!(
            found,
            [
                "1:1 the map needs `h`",
                "1:4 `a` must be a list, not a number",
                "2:1 `b` must be a text, not nothing",
                "3:8 empty text in `c`",
                "3:12 `c` holds texts, not a list",
                "4:4 the list `d` is empty",
                "5:4 `e` must be `true` or `false`",
                "6:1 unknown key `f` in the map",
                "6:4 `zwei` is no f",
            ]
        );
    }
}
