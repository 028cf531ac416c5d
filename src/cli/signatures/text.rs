//! Running text for terminals, and the words that these commands share.
//!
//! In: texts of rules and catalogues, not trusted. Out: lines of a width
//! that can be read, escaped; what may have been meant by a wrong name.

use std::io::{self, Write};

use crate::cli::console::{plain, safe};
use crate::signature::{Rule, Stage, near_names};

/// Columns of running text.
const WIDTH: usize = 79;

/// Columns of the words before values.
const MARGIN: usize = 13;

/// Running text as lines of at most [`WIDTH`] characters, where words allow.
pub fn wrap(text: &str) -> Vec<String> {
    wrap_to(text, WIDTH)
}

fn wrap_to(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line)
                if line.chars().count() + word.chars().count() < width =>
            {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A word and its value, wrapped beside it; nothing where there is none.
pub fn field(out: &mut dyn Write, word: &str, value: &str) -> io::Result<()> {
    beside(out, word, value, safe)
}

/// The same for a value that people copy, from the program's own files.
pub fn own_field(
    out: &mut dyn Write,
    word: &str,
    value: &str,
) -> io::Result<()> {
    beside(out, word, value, plain)
}

fn beside(
    out: &mut dyn Write,
    word: &str,
    value: &str,
    show: fn(String) -> String,
) -> io::Result<()> {
    let mut word = word;
    for line in wrap_to(value, WIDTH - MARGIN) {
        writeln!(out, "{word:<MARGIN$}{}", show(line))?;
        word = "";
    }
    Ok(())
}

/// Texts below a head, each wrapped, its later lines indented.
pub fn paragraphs(
    out: &mut dyn Write,
    head: &str,
    texts: &[String],
) -> io::Result<()> {
    if texts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{head}:")?;
    for text in texts {
        let mut indent = "  ";
        for line in wrap_to(text, WIDTH - 4) {
            writeln!(out, "{indent}{}", safe(line))?;
            indent = "    ";
        }
    }
    Ok(())
}

/// A head and lines below it; nothing where there are none.
pub fn section(
    out: &mut dyn Write,
    head: &str,
    lines: &[String],
) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{head}:")?;
    lines.iter().try_for_each(|line| writeln!(out, "  {}", safe(line)))
}

/// What a wrong name may have been meant for, else where all are.
pub fn did_you_mean<'n>(
    word: &str,
    names: impl IntoIterator<Item = &'n str>,
    all: &str,
) -> String {
    let near = near_names(word, names);
    match near.as_slice() {
        [] => format!("{all} shows all"),
        [one] => format!("did you mean {one}?"),
        many => format!("did you mean one of {}?", many.join(", ")),
    }
}

/// The word for where the attacker stands.
pub fn stage_word(rule: &Rule) -> &'static str {
    match rule.sleuth.stage {
        Some(Stage::Recon) => "recon",
        Some(Stage::Exploit) => "exploit",
        Some(Stage::PostExploit) => "post-exploit",
        None => "-",
    }
}

/// The CVE that a tag names: `cve.2021-34473`, or `cve.2021.34473` as older
/// rules have it.
pub fn cve_of_tag(tag: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let id = lower.strip_prefix("cve.").or(lower.strip_prefix("cve-"))?;
    let (year, number) = id.split_once(['-', '.'])?;
    let digits = |it: &str| {
        it.len() >= 4 && it.bytes().all(|byte| byte.is_ascii_digit())
    };
    (digits(year) && digits(number)).then(|| format!("CVE-{year}-{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_wraps_between_words() {
        let text = "word ".repeat(40);
        let lines = wrap(&text);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(lines.join(" "), text.trim_end());
        let long = "x".repeat(200);
        assert_eq!(wrap(&long), [long]);
    }

    #[test]
    fn values_stand_beside_their_words() {
        let mut out = Vec::new();
        field(&mut out, "none", " ").unwrap();
        field(&mut out, "word", &"value ".repeat(20)).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("word         value value"), "{text}");
        assert!(text.contains("\n             value"), "{text}");
    }

    #[test]
    fn tags_name_cves() {
        let cve = |tag| cve_of_tag(tag);
        assert_eq!(cve("cve.2021-34473").unwrap(), "CVE-2021-34473");
        assert_eq!(cve("CVE.2021.34473").unwrap(), "CVE-2021-34473");
        assert_eq!(cve("attack.t1190"), None);
        assert_eq!(cve("cve.2021-x"), None);
    }
}
