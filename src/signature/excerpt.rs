//! The text of a rule's detection, as it stands in its file.
//!
//! In: where the rules came from, and one of them. Out: the lines below
//! `detection:`. The rule itself knows only what its tests came to, and a
//! reader wants to see what the author wrote.

use std::borrow::Cow;

use crate::signature::documents::RuleFile;
use crate::signature::rule::Rule;
use crate::signature::set::{EMBEDDED, Source, user_files};
use crate::signature::yaml::{self, Node, Text};

/// The lines below `detection:`; none where the file is gone or changed.
pub fn detection_of(source: &Source, rule: &Rule) -> Option<Vec<String>> {
    let mut files = Vec::new();
    for (name, bytes, events) in EMBEDDED {
        if name.as_bytes() == rule.file.as_bytes() {
            let (name, bytes) = (rule.file.clone(), Cow::Borrowed(*bytes));
            files.push(RuleFile { name, bytes, events });
        }
    }
    for path in &source.paths {
        user_files(path, &mut files, &mut Vec::new());
    }
    let file = files.iter().find(|file| file.name == rule.file)?;
    let text = Text { bytes: &file.bytes, events: file.events };
    let (_, documents) = yaml::parse(&file.name, text);
    let node = documents.iter().find(|node| is_of(node, rule))?;
    lines(node, &String::from_utf8_lossy(&file.bytes))
}

/// Whether the document is that of the rule: names are unique, and a rule
/// without one has a title.
fn is_of(node: &Node, rule: &Rule) -> bool {
    let text = |key| entry(node, key).and_then(|(_, value)| value.text());
    match text("name") {
        Some(name) => name.trim() == rule.name,
        None => text("title").is_some_and(|it| it.trim() == rule.title),
    }
}

fn entry<'n>(node: &'n Node, key: &str) -> Option<(&'n Node, &'n Node)> {
    let yaml::Value::Map(entries) = &node.value else { return None };
    let found = entries.iter().find(|(it, _)| it.key() == key);
    found.map(|(key, value)| (key, value))
}

/// The lines from the one after the key to the one before the next key.
fn lines(node: &Node, text: &str) -> Option<Vec<String>> {
    let (start, _) = entry(node, "detection")?;
    let yaml::Value::Map(entries) = &node.value else { return None };
    let next = entries.iter().map(|(key, _)| key.line);
    let end = next.filter(|line| *line > start.line).min();
    let end = end.unwrap_or(usize::MAX);
    let below = text.lines().zip(1..).skip(start.line);
    let mut lines: Vec<String> = below
        .take_while(|(line, number)| *number < end && !is_marker(line))
        .map(|(line, _)| line.trim_end().to_owned())
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    Some(lines)
}

/// What parts two documents.
fn is_marker(line: &str) -> bool {
    line.starts_with("---") || line.starts_with("...")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Signatures;

    #[test]
    fn the_lines_are_those_of_the_file() {
        let set = Signatures::embedded().unwrap();
        let rule = set.rule_named("code-red").unwrap();
        let lines = detection_of(&Source::default(), rule).unwrap();
        assert!(lines.iter().any(|line| line.contains("condition:")));
        assert!(lines.iter().all(|line| line.starts_with("  ")));
        assert!(!lines.iter().any(|line| line.contains("level:")));
    }
}
