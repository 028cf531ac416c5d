//! Which feature a request reaches.
//!
//! In: a feature's URL, and a request. Out: how narrowly it fits.

use crate::signature::catalogue::Feature;
use crate::signature::pattern::Fold;

/// How narrowly a feature's URL fits a request, by the bytes of what it asks
/// for; none where the request does not reach it.
pub(super) fn reaches(
    feature: &Feature,
    method: &[u8],
    stem: &[u8],
    query: &[u8],
) -> Option<usize> {
    let fold = Fold::Case;
    let url = &feature.url;
    if url.methods.iter().any(|it| fold.equals(method, it.as_bytes())) {
        // Whatever the URL, the verb is what is asked for.
        return Some(usize::MAX);
    }
    let has_extension = |end: &&String| {
        let dotted = format!(".{end}");
        fold.ends_with(stem, dotted.as_bytes())
            || fold.contains(stem, format!("{dotted}/").as_bytes())
    };
    let starts = |it: &&String| fold.starts_with(stem, it.as_bytes());
    let has = |it: &&String| fold.contains(stem, it.as_bytes());
    let asks = |it: &&String| fold.contains(query, it.as_bytes());
    let extensions = url.extensions.iter().filter(has_extension);
    let prefixes = url.prefixes.iter().filter(starts);
    let by_stem = extensions
        .chain(prefixes)
        .chain(url.contains.iter().filter(has))
        .map(String::len)
        .max();
    let by_query = url.query.iter().filter(asks).map(String::len).max();
    let asks_stem = !url.extensions.is_empty()
        || !url.prefixes.is_empty()
        || !url.contains.is_empty();
    match (asks_stem, url.query.is_empty()) {
        (true, true) => by_stem,
        (true, false) => Some(by_stem? + by_query?),
        (false, false) => by_query,
        (false, true) => None,
    }
}
