//! `signatures check`: what is wrong and what is doubtful with rules.
//!
//! In: rules, embedded or from paths. Out: what a scan would refuse, with
//! exit code 2; what works but looks wrong, which fails the command only
//! where it is asked to; and a last line that sums up.

use super::{load_in_place, of_paths};
use crate::cli::args::CheckArgs;
use crate::cli::console::{print, safe, talk};
use crate::cli::exit::Exit;
use crate::error::Result;
use crate::signature::lint::{Severity, lint};
use crate::signature::{Rule, Signatures};

/// Runs the command.
pub fn run(words: &CheckArgs) -> Result<Exit> {
    let paths = words.paths.as_slice();
    let signatures = load_in_place(paths, words.sigma_strict)?;
    let rules: Vec<&Rule> = of_paths(&signatures, paths).collect();
    let lints = lint(paths, words.sigma_strict);
    for one in &lints {
        for line in one.render() {
            talk(safe(line));
        }
        talk("");
    }
    let count = |it| lints.iter().filter(|lint| lint.severity == it).count();
    let (errors, warnings) =
        (count(Severity::Error), count(Severity::Warning));
    print(|out| {
        for name in signatures.unanchored() {
            if rules.iter().any(|rule| rule.name == name) {
                let name = safe(name);
                writeln!(
                    out,
                    "slow: {name} holds no literal to look for first"
                )?;
            }
        }
        for title in signatures.skipped() {
            let title = safe(title);
            writeln!(out, "left out: \"{title}\" is for another log source")?;
        }
        if paths.is_empty() {
            for note in unnamed(&signatures) {
                writeln!(out, "note: {}", safe(note))?;
            }
        }
        let rules = rules.len();
        let found = match (errors, warnings) {
            (0, 0) => "no fault".to_owned(),
            _ => format!(
                "{}, {}",
                counted(errors, "error"),
                counted(warnings, "warning")
            ),
        };
        writeln!(out, "{rules} signatures checked, {found}")
    })?;
    let fails = errors > 0 || (words.deny_warnings && warnings > 0);
    Ok(if fails { Exit::Usage } else { Exit::Finished })
}

fn counted(number: usize, word: &str) -> String {
    match number {
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    }
}

/// Entries of the catalogues that no rule names.
fn unnamed(signatures: &Signatures) -> Vec<String> {
    let rules = signatures.rules();
    let feature = |id: &str| {
        rules.iter().any(|it| it.sleuth.feature.as_deref() == Some(id))
    };
    let advisory = |id: &str| {
        let names = |it: &Rule| it.sleuth.advisories.iter().any(|it| it == id);
        rules.iter().any(names)
    };
    let features = signatures.features().iter().map(|it| it.id.as_str());
    let features: Vec<&str> = features.filter(|id| !feature(id)).collect();
    let advisories = signatures.advisories().iter().map(|it| it.id.as_str());
    let advisories: Vec<&str> =
        advisories.filter(|id| !advisory(id)).collect();
    [(features, "feature"), (advisories, "advisor")]
        .into_iter()
        .filter(|(ids, _)| !ids.is_empty())
        .map(|(ids, what)| {
            let what = match (what, ids.len()) {
                ("feature", 1) => "feature",
                ("feature", _) => "features",
                (_, 1) => "advisory",
                _ => "advisories",
            };
            let count = ids.len();
            format!("no rule names {count} {what}: {}", ids.join(", "))
        })
        .collect()
}
