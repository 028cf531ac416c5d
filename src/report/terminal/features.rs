//! Which exposed features were hit, and what to do about each first?

use std::cmp::Reverse;

use super::page::{Cell, Tone};
use super::words;
use super::{FeatureOf, Sheet, raw, text};
use crate::case::{Case, Exposure, FeatureHost, HitFeature, Host};
use crate::signature::Feature;

/// Features shown where lists are cut.
const FEATURES: usize = 10;

/// Hosts named for one feature and exposure where lists are cut.
const HOSTS: usize = 10;

/// Lines of a measure where text is cut.
const MEASURE_LINES: usize = 3;

pub(super) fn show(sheet: &mut Sheet, case: &Case, feature: FeatureOf<'_>) {
    sheet.page.heading("Which exposed features were hit?");
    let mut rows: Vec<&HitFeature> = case.features.iter().collect();
    rows.sort_by_key(|row| (exposure(row), Reverse(hits(row)), &row.id));
    if !rows.iter().any(|row| exposure(row) == Exposure::Exposed) {
        let text = if rows.is_empty() {
            "None."
        } else {
            "None was seen exposed. These were asked for:"
        };
        sheet.line(2, text);
    }
    let shown = sheet.shown(rows.len(), FEATURES);
    for row in rows.iter().take(shown) {
        show_feature(sheet, case, row, feature(&row.id));
    }
    sheet.left_out(2, rows.len(), FEATURES);
}

/// The most pressing exposure on any host.
fn exposure(row: &HitFeature) -> Exposure {
    let all = row.hosts.iter().map(|host| host.exposure);
    all.min().unwrap_or_default()
}

fn hits(row: &HitFeature) -> u64 {
    row.hosts.iter().fold(0, |sum: u64, host| sum.saturating_add(host.hits))
}

fn show_feature(
    sheet: &mut Sheet,
    case: &Case,
    row: &HitFeature,
    feature: Option<&Feature>,
) {
    let exposed = exposure(row) == Exposure::Exposed;
    let tone = if exposed { Tone::Odd } else { Tone::Plain };
    sheet.page.pieces(2, &[Cell::toned(text(&row.name), tone)]);
    for exposure in Exposure::ALL {
        let mut hosts: Vec<&FeatureHost> =
            row.hosts.iter().filter(|h| h.exposure == exposure).collect();
        if !hosts.is_empty() {
            hosts.sort_by_key(|h| (Reverse(h.hits), &h.host));
            show_hosts(sheet, exposure, &hosts);
        }
    }
    if !row.advisories.is_empty() {
        let ids: Vec<String> =
            row.advisories.iter().map(|id| text(id)).collect();
        sheet.paragraph(4, 2, &format!("advisories: {}", ids.join(", ")));
    }
    if exposed && let Some(feature) = feature {
        for measure in measures(case, row, feature) {
            let most = if sheet.full { usize::MAX } else { MEASURE_LINES };
            sheet.page.wrapped(4, 2, &measure, most);
        }
    }
}

fn show_hosts(sheet: &mut Sheet, exposure: Exposure, all: &[&FeatureHost]) {
    let shown = sheet.shown(all.len(), HOSTS);
    let names: Vec<String> = all
        .iter()
        .take(shown)
        .map(|host| {
            format!("{} ({})", raw(&host.host), words::hits(host.hits))
        })
        .collect();
    let line = format!(
        "{} on {}: {}",
        exposure.as_str(),
        words::hosts(words::len(all)),
        names.join(", ")
    );
    sheet.paragraph(4, 2, &line);
    sheet.left_out(6, all.len(), HOSTS);
}

/// How to switch the feature off on the versions of IIS that expose it. A
/// host that does not tell its version needs both texts.
fn measures(case: &Case, row: &HitFeature, feature: &Feature) -> Vec<String> {
    let exposed = |host: &&Host| {
        row.hosts.iter().any(|own| {
            own.exposure == Exposure::Exposed && own.host == host.name
        })
    };
    let (mut classic, mut modern) = (false, false);
    for host in case.hosts.iter().filter(exposed) {
        // The newest version is what runs there now.
        let major = host.iis.last().map(|version| version.major);
        classic |= major.is_none_or(|major| major < 7);
        modern |= major.is_none_or(|major| major >= 7);
    }
    let mut measures = Vec::new();
    let texts = [
        (classic, "IIS 4 to 6", &feature.disable.iis4_6),
        (modern, "IIS 7 and later", &feature.disable.iis7),
    ];
    for (needed, versions, measure) in texts {
        if let (true, Some(measure)) = (needed, measure) {
            // Our own catalogue, not a stranger's text: shown as it is.
            measures.push(format!("disable ({versions}): {measure}"));
        }
    }
    measures
}
