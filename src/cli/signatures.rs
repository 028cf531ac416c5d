//! `signatures list|show|check|test`: what the rules are, and whether they
//! are right.
//!
//! In: the embedded rules, and a user's beside them where paths are given:
//! `check` says what `scan --rules` would say. Out: tables and texts; faults
//! with file, line, column and help.

use std::io::{self, Write};
use std::path::PathBuf;

use super::console::{print, safe, talk};
use super::exit::Exit;
use super::trial;
use crate::error::{Error, Result};
use crate::signature::{Diagnostic, Rule, Signatures, Source, Stage};

/// Faults that are shown in full; more help nobody.
const SHOWN: usize = 20;

/// Columns of running text.
const WIDTH: usize = 79;

/// The signatures, or an error after every fault has been shown.
pub fn load(source: &Source) -> Result<Signatures> {
    Signatures::load(source).map_err(|faults| {
        for fault in faults.iter().take(SHOWN) {
            show_fault(fault);
        }
        let more = faults.len().saturating_sub(SHOWN);
        if more > 0 {
            talk(format_args!("… and {more} more faults"));
        }
        Error::signature(match faults.len() {
            1 => "one signature is faulty".to_owned(),
            many => format!("the signatures have {many} faults"),
        })
    })
}

fn show_fault(fault: &Diagnostic) {
    for line in fault.render() {
        talk(safe(line));
    }
    talk("");
}

/// Lists the signatures.
pub fn list() -> Result<Exit> {
    let signatures = load(&Source::default())?;
    print(|out| {
        let heads = ["name", "level", "stage"];
        let [name, level, stage] = heads;
        writeln!(out, "{name:<36} {level:<13} {stage:<12} title")?;
        for rule in signatures.rules() {
            let name = safe(&rule.name);
            let level = rule.level.as_str();
            let stage = stage_word(rule);
            let title = safe(&rule.title);
            writeln!(out, "{name:<36} {level:<13} {stage:<12} {title}")?;
        }
        writeln!(out, "\n{} signatures", signatures.rules().len())
    })?;
    Ok(Exit::Finished)
}

/// Shows one signature.
pub fn show(name: &str) -> Result<Exit> {
    let signatures = load(&Source::default())?;
    let Some(rule) = signatures.rule_named(name) else {
        let message = format!(
            "no signature has the name {name}; \
             `iisleuth signatures list` shows all"
        );
        return Err(Error::usage(message));
    };
    print(|out| write_rule(out, &signatures, rule))?;
    Ok(Exit::Finished)
}

fn write_rule(
    out: &mut dyn Write,
    signatures: &Signatures,
    rule: &Rule,
) -> io::Result<()> {
    let mut row = |word: &str, value: &str| {
        if value.is_empty() {
            return Ok(());
        }
        writeln!(out, "{word:<12} {}", safe(value))
    };
    row("name", &rule.name)?;
    row("title", &rule.title)?;
    row("id", rule.id.as_deref().unwrap_or_default())?;
    row("status", rule.status.as_deref().unwrap_or_default())?;
    row("level", rule.level.as_str())?;
    row("stage", stage_word(rule))?;
    if let Some(feature) = signatures.own_feature(rule) {
        row("feature", &format!("{} ({})", feature.id, feature.name))?;
    }
    if rule.sleuth.worm {
        row("worm", "yes: the client is itself an infected machine")?;
    }
    row("advisories", &rule.sleuth.advisories.join(", "))?;
    row("confirmed by", &rule.sleuth.confirmed_by.join(", "))?;
    row("tags", &rule.tags.join(", "))?;
    row("file", &String::from_utf8_lossy(rule.file.as_bytes()))?;
    writeln!(out)?;
    for line in wrap(&rule.description) {
        writeln!(out, "{}", safe(line))?;
    }
    section(out, "False positives", &rule.false_positives)?;
    section(out, "References", &rule.references)
}

fn section(
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

/// Running text as lines of at most [`WIDTH`] characters, where words allow.
fn wrap(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line)
                if line.chars().count() + word.chars().count() < WIDTH =>
            {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Says what is wrong with rules.
pub fn check(paths: &[PathBuf]) -> Result<Exit> {
    let signatures = load_with(paths)?;
    let rules = of_paths(&signatures, paths).count();
    print(|out| {
        for name in signatures.unanchored() {
            let name = safe(name);
            writeln!(out, "slow: {name} holds no literal to look for first")?;
        }
        for title in signatures.skipped() {
            let title = safe(title);
            writeln!(out, "left out: \"{title}\" is for another log source")?;
        }
        writeln!(out, "{rules} signatures checked, no fault")
    })?;
    Ok(Exit::Finished)
}

/// Runs the tests that rules carry.
pub fn test(paths: &[PathBuf]) -> Result<Exit> {
    let signatures = load_with(paths)?;
    let trial = trial::run(&signatures, of_paths(&signatures, paths))?;
    print(|out| {
        for name in &trial.untested {
            writeln!(out, "no tests: {}", safe(name))?;
        }
        for failure in &trial.failures {
            let file = safe(failure.file.as_bytes());
            let message = safe(&failure.message);
            writeln!(out, "failed: {file}:{}: {message}", failure.at)?;
            writeln!(out, "        {}", safe(&failure.line))?;
        }
        let (lines, failed) = (trial.lines, trial.failures.len());
        writeln!(out, "{lines} lines tested, {failed} failed")
    })?;
    if trial.failures.is_empty() {
        return Ok(Exit::Finished);
    }
    Ok(Exit::Usage)
}

fn load_with(paths: &[PathBuf]) -> Result<Signatures> {
    let source = Source { paths: paths.to_vec(), ..Source::default() };
    load(&source)
}

/// The rules of these paths; all rules where there are none. Embedded files
/// have names of their own, which no path on disk is compared with.
fn of_paths<'s>(
    signatures: &'s Signatures,
    paths: &'s [PathBuf],
) -> impl Iterator<Item = &'s Rule> {
    let given = |rule: &&Rule| {
        let file = rule.file.as_bytes();
        paths.is_empty()
            || paths.iter().any(|path| {
                file.starts_with(path.as_os_str().as_encoded_bytes())
            })
    };
    signatures.rules().iter().filter(given)
}

fn stage_word(rule: &Rule) -> &'static str {
    match rule.sleuth.stage {
        Some(Stage::Recon) => "recon",
        Some(Stage::Exploit) => "exploit",
        Some(Stage::PostExploit) => "post-exploit",
        None => "-",
    }
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
}
