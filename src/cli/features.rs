//! `features`: the catalogue of features, and how many rules speak of each.

use super::console::{print, safe};
use super::exit::Exit;
use super::signatures::load;
use crate::error::Result;
use crate::signature::{Feature, Signatures, Source};

/// Runs the command.
pub fn run() -> Result<Exit> {
    let signatures = load(&Source::default())?;
    print(|out| {
        writeln!(out, "{:<30} {:>5}  name", "feature", "rules")?;
        for feature in signatures.features() {
            let id = safe(&feature.id);
            let name = safe(&feature.name);
            let rules = rules(&signatures, feature);
            writeln!(out, "{id:<30} {rules:>5}  {name}")?;
        }
        Ok(())
    })?;
    Ok(Exit::Finished)
}

fn rules(signatures: &Signatures, feature: &Feature) -> usize {
    let named = |id: &String| *id == feature.id;
    let rules = signatures.rules().iter();
    rules.filter(|it| it.sleuth.feature.as_ref().is_some_and(named)).count()
}
