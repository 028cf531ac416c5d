//! The three questions, and who asked and how.

use std::io;

use super::table::{Table, cut};
use super::{
    Page, WIDTH, count, day, safe, safe_str, thousands, time,
};
use crate::case::{Case, EvidenceRef, Exposure, Finding, HitFeature};
use crate::signature::{Feature, Outcome};

const HOSTS: usize = 20;
const ROWS: usize = 10;

/// Which hosts were probed?
pub(super) fn hosts(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    page.heading("Which hosts were probed?")?;
    let mut probed: Vec<_> =
        case.hosts.iter().filter(|host| host.probed).collect();
    if probed.is_empty() {
        page.line("  None: no rule matched a line.")?;
        return Ok(());
    }
    probed.sort_by(|a, b| b.worst.cmp(&a.worst).then(a.name.cmp(&b.name)));
    let rows = probed
        .iter()
        .map(|host| {
            let of = || case.findings.iter().filter(|f| f.host == host.name);
            let first = of().filter_map(|finding| finding.first).min();
            let last = of().filter_map(|finding| finding.last).max();
            vec![
                safe(&host.name),
                worst(host.worst).to_owned(),
                thousands(host.hits),
                thousands(host.clients),
                day(first),
                day(last),
            ]
        })
        .collect();
    let head = ["host", "worst", "hits", "clients", "first hit", "last hit"];
    page.table(Table::new(&head, 0, &[2, 3]), rows, HOSTS)?;
    let quiet: Vec<_> = case
        .hosts
        .iter()
        .filter(|host| !host.probed)
        .map(|host| safe(&host.name))
        .collect();
    if !quiet.is_empty() {
        let shown = if page.style.full { quiet.len() } else { HOSTS };
        let names: Vec<_> =
            quiet.iter().take(shown).map(String::as_str).collect();
        let mut text = format!("not probed: {}", names.join(", "));
        if quiet.len() > shown {
            let left = quiet.len() - shown;
            text.push_str(&format!(", … {left} more (--full shows all)"));
        }
        page.wrapped("  ", &text)?;
    }
    Ok(())
}

fn worst(outcome: Option<Outcome>) -> &'static str {
    outcome.map_or("-", Outcome::as_str)
}

/// Which probes succeeded?
pub(super) fn successes(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    page.heading("Which probes succeeded?")?;
    let mut found: Vec<_> = case
        .findings
        .iter()
        .filter(|finding| finding.worst.is_some_and(Outcome::is_success))
        .collect();
    found.sort_by(|a, b| {
        (b.worst, b.confidence, b.level)
            .cmp(&(a.worst, a.confidence, a.level))
            .then((a.first, &a.host, &a.rule).cmp(&(b.first, &b.host, &b.rule)))
    });
    if found.is_empty() {
        let open = case
            .findings
            .iter()
            .filter(|finding| {
                finding.worst.is_some_and(Outcome::is_exposed)
                    || finding.worst == Some(Outcome::Unknown)
            })
            .count();
        let text = match open {
            0 => "None that the logs can show.".to_owned(),
            _ => {
                let open = count(open as u64, "finding", "findings");
                format!(
                    "None that the logs can show. {open} reached a feature \
                     or cannot be told: see the next section."
                )
            }
        };
        return page.wrapped("  ", &text);
    }
    let total = found.len();
    let shown = if page.style.full { total } else { ROWS };
    for finding in found.into_iter().take(shown) {
        success(page, finding)?;
    }
    if total > shown {
        let left = total - shown;
        page.line(&format!("  … {left} more (--full shows all)"))?;
    }
    Ok(())
}

fn success(page: &mut Page<'_>, finding: &Finding) -> io::Result<()> {
    let sure = finding.confidence.map_or("", |it| it.as_str());
    let wins: u64 = finding
        .outcomes
        .iter()
        .filter(|(outcome, _)| outcome.is_success())
        .map(|(_, hits)| hits)
        .sum();
    let (on, off) = page.colours("\x1b[1;31m");
    let host = safe(&finding.host);
    let word = worst(finding.worst);
    let times = count(wins, "hit", "hits");
    page.line(&format!("  {host}: {on}{word}{off} ({sure}), {times}"))?;
    page.wrapped("    ", &safe_str(&finding.title))?;
    for evidence in finding
        .evidence
        .iter()
        .filter(|evidence| evidence.outcome.is_success())
        .take(if page.style.full { usize::MAX } else { 1 })
    {
        line(page, evidence)?;
    }
    Ok(())
}

/// A line of evidence with where it stands.
fn line(page: &mut Page<'_>, evidence: &EvidenceRef) -> io::Result<()> {
    let client = evidence
        .client
        .as_ref()
        .map_or_else(|| "-".to_owned(), safe);
    let when = time(evidence.time);
    let reason = evidence
        .reasons
        .first()
        .map_or_else(String::new, |reason| safe_str(&reason.text));
    page.wrapped("    ", &format!("{when} by {client}: {reason}"))?;
    let place = format!(
        "{}:{} (byte {})",
        safe(&evidence.exhibit),
        evidence.line,
        evidence.offset
    );
    page.line(&format!("    {place}"))?;
    let text = safe(&evidence.text);
    let text =
        if page.style.full { text } else { cut(&text, WIDTH - 6) };
    page.line(&format!("    | {text}"))
}

/// Which exposed features were hit?
pub(super) fn features(
    page: &mut Page<'_>,
    case: &Case,
    catalogue: &[Feature],
) -> io::Result<()> {
    page.heading("Which exposed features were hit?")?;
    let mut order: Vec<_> = case.features.iter().collect();
    order.sort_by_key(|feature| {
        let exposed = hosts_that(feature, Exposure::Exposed).len();
        (std::cmp::Reverse(exposed), feature.id.clone())
    });
    let (open, closed): (Vec<_>, Vec<_>) = order
        .into_iter()
        .partition(|one| !hosts_that(one, Exposure::Exposed).is_empty());
    if open.is_empty() {
        page.line("  None answered.")?;
    }
    let shown = if page.style.full { open.len() } else { ROWS };
    for feature in open.iter().take(shown) {
        let facts = catalogue.iter().find(|one| one.id == feature.id);
        exposed(page, case, feature, facts)?;
    }
    if open.len() > shown {
        let left = open.len() - shown;
        page.line(&format!("  … {left} more (--full shows all)"))?;
    }
    if !closed.is_empty() {
        let names: Vec<_> =
            closed.iter().map(|one| safe_str(&one.name)).collect();
        let text = format!("Hit but not exposed: {}.", names.join(", "));
        page.wrapped("  ", &text)?;
    }
    Ok(())
}

fn hosts_that(feature: &HitFeature, exposure: Exposure) -> Vec<String> {
    feature
        .hosts
        .iter()
        .filter(|host| host.exposure == exposure)
        .map(|host| safe(&host.host))
        .collect()
}

fn exposed(
    page: &mut Page<'_>,
    case: &Case,
    feature: &HitFeature,
    facts: Option<&Feature>,
) -> io::Result<()> {
    let (on, off) = page.colours("\x1b[1m");
    let name = safe_str(&feature.name);
    page.line(&format!("  {on}{name}{off}"))?;
    for exposure in Exposure::ALL {
        let hosts = hosts_that(feature, exposure);
        if !hosts.is_empty() {
            let word = format!("    {:<10}", exposure.as_str());
            page.wrapped(&word, &hosts.join(", "))?;
        }
    }
    if !feature.advisories.is_empty() {
        let ids: Vec<_> =
            feature.advisories.iter().map(|id| safe_str(id)).collect();
        page.wrapped("    advisory  ", &ids.join(", "))?;
    }
    let Some(facts) = facts else { return Ok(()) };
    let old = feature
        .hosts
        .iter()
        .filter(|host| host.exposure == Exposure::Exposed)
        .filter_map(|host| case.hosts.iter().find(|it| it.name == host.host))
        .flat_map(|host| host.iis.iter())
        .any(|version| version.major < 7);
    let (first, second) = (&facts.disable.iis4_6, &facts.disable.iis7);
    let step = if old { first.as_ref().or(second.as_ref()) } else {
        second.as_ref().or(first.as_ref())
    };
    if let Some(step) = step {
        page.wrapped("    disable   ", &safe_str(step))?;
    }
    Ok(())
}

/// Who asked most.
pub(super) fn clients(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    if case.clients.is_empty() {
        return Ok(());
    }
    page.heading("Top clients")?;
    let mut order: Vec<_> = case.clients.iter().collect();
    order.sort_by(|a, b| {
        (b.worst, b.hits).cmp(&(a.worst, a.hits)).then(a.client.cmp(&b.client))
    });
    let rows = order
        .iter()
        .map(|client| {
            let mut hosts: Vec<_> =
                client.findings.iter().map(|one| &one.host).collect();
            hosts.dedup();
            vec![
                safe(&client.client),
                worst(client.worst).to_owned(),
                thousands(client.hits),
                thousands(hosts.len() as u64),
                day(client.first),
                day(client.last),
                if client.worm { "worm" } else { "" }.to_owned(),
            ]
        })
        .collect();
    let head =
        ["client", "worst", "hits", "hosts", "first hit", "last hit", ""];
    page.table(Table::new(&head, 0, &[2, 3]), rows, ROWS)
}

/// Which rules matched.
pub(super) fn rules(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    if case.findings.is_empty() {
        return Ok(());
    }
    page.heading("Top rules")?;
    let mut rules: Vec<(&Finding, Option<Outcome>, u64, u64)> = Vec::new();
    let mut order: Vec<_> = case.findings.iter().collect();
    order.sort_by(|a, b| a.rule.cmp(&b.rule));
    for finding in order {
        let hits = finding.outcomes.hits();
        match rules.last_mut() {
            Some(last) if last.0.rule == finding.rule => {
                last.1 = last.1.max(finding.worst);
                last.2 += hits;
                last.3 += 1;
            }
            _ => rules.push((finding, finding.worst, hits, 1)),
        }
    }
    rules.sort_by(|a, b| {
        (b.0.level, b.1, b.2)
            .cmp(&(a.0.level, a.1, a.2))
            .then(a.0.rule.cmp(&b.0.rule))
    });
    let rows = rules
        .into_iter()
        .map(|(finding, outcome, hits, hosts)| {
            vec![
                safe_str(&finding.rule),
                finding.level.as_str().to_owned(),
                worst(outcome).to_owned(),
                thousands(hits),
                thousands(hosts),
            ]
        })
        .collect();
    let head = ["rule", "level", "worst", "hits", "hosts"];
    page.table(Table::new(&head, 0, &[3, 4]), rows, ROWS)
}
