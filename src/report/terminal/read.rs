//! What was read, and what was not.

use std::collections::BTreeMap;
use std::io;

use super::{Page, count, safe, safe_str, thousands, time};
use crate::case::Case;
use crate::warning::{Kind, Warning};

/// Warnings of one kind that are shown one by one.
const SHOWN: usize = 5;

pub(super) fn section(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    let sum = &case.summary;
    page.line("iisleuth: what the logs show")?;
    page.heading("What was read")?;
    let exhibits = count(sum.exhibits, "exhibit", "exhibits");
    let hosts = count(sum.hosts, "host", "hosts");
    let bytes = size(sum.bytes);
    page.line(&format!("  {exhibits} of {hosts}, {bytes}"))?;
    if sum.first.is_some() {
        let (first, last) = (time(sum.first), time(sum.last));
        page.line(&format!("  from {first} to {last} (UTC)"))?;
    }
    let lines = count(sum.lines, "line", "lines");
    let parts = [
        count(sum.records, "record", "records"),
        count(sum.directives, "directive", "directives"),
        format!("{} blank", thousands(sum.blank)),
        format!("{} rejected", thousands(sum.rejected)),
    ];
    page.wrapped("  ", &format!("{lines} = {}", parts.join(" + ")))?;
    let partial = case.run.partial;
    if partial {
        page.line("  INTERRUPTED: this is what was found until then.")?;
    }
    warnings(page, case)
}

fn warnings(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    let mut kinds: BTreeMap<Kind, Vec<&Warning>> = BTreeMap::new();
    for warning in &case.warnings {
        kinds.entry(warning.kind).or_default().push(warning);
    }
    for (kind, list) in kinds {
        let loss = if kind.is_loss() { "WARNING" } else { "note" };
        let total = list.iter().map(|one| one.count).sum();
        let files = list.len() as u64;
        let of = match kind {
            Kind::Rejected => {
                let lines = count(total, "line", "lines");
                format!("{lines} rejected (still searched)")
            }
            _ => format!("{}, {}", title(kind), count(files, "time", "times")),
        };
        page.line(&format!("  {loss}: {of}"))?;
        let shown = if page.style.full { list.len() } else { SHOWN };
        for warning in list.iter().take(shown) {
            let place = safe(&warning.exhibit);
            let detail = safe_str(&warning.detail);
            let times = match warning.count {
                1 => String::new(),
                more => format!(" ({}×)", thousands(more)),
            };
            page.wrapped("    ", &format!("{place}: {detail}{times}"))?;
        }
        if list.len() > shown {
            let left = list.len() - shown;
            page.line(&format!("    … {left} more (--full shows all)"))?;
        }
    }
    Ok(())
}

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Unreadable => "could not be read",
        Kind::Lost => "lost while it was read",
        Kind::Changed => "changed while it was read",
        Kind::Cut => "damaged: what came before the damage counts",
        Kind::NotRead => "a web log of a format not read yet",
        Kind::NotALog => "not a log",
        Kind::Internal => "a fault in iisleuth",
        Kind::Limit => "a limit was reached",
        Kind::Interrupted => "interrupted",
        Kind::NotJudged => "log of another service, not judged",
        Kind::Rejected => "rejected",
        Kind::Odd => "left aside",
    }
}

/// `1.2 GiB`.
fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["bytes", "KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            return match unit {
                "bytes" => format!("{bytes} bytes"),
                _ => format!("{value:.1} {unit}"),
            };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}
