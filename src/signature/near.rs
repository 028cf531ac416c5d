//! Names near to one that is not known: what the writer may have meant.
//!
//! In: the word and the names there are. Out: the nearest few. Names of
//! rules and features are long and made of words, so one that is a part of
//! another is as near as one with a slip.

use crate::signature::diagnostic::distance;

/// Names that are suggested at most.
const SUGGESTED: usize = 5;

/// Characters of a word that are compared.
const COMPARED: usize = 64;

/// The names nearest to a word, the nearest first; none where none is near.
pub fn near_names<'n>(
    word: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Vec<&'n str> {
    let lower = word.trim().to_lowercase();
    let letters: Vec<char> = lower.chars().take(COMPARED).collect();
    if letters.is_empty() {
        return Vec::new();
    }
    let slips = (letters.len() / 4).clamp(1, 4);
    let mut near: Vec<(usize, usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            let other = name.to_lowercase();
            let away = distance(&letters, &other);
            let part = letters.len() > 2
                && (other.contains(&lower) || lower.contains(&other));
            let rank = match (away <= slips, part) {
                (true, _) => 0,
                (false, true) => 1,
                (false, false) => return None,
            };
            Some((rank, away, name))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    // Beside a small slip a larger one is noise.
    if let Some((0, least, _)) = near.first().copied() {
        near.retain(|(_, away, _)| *away == least);
    }
    near.truncate(SUGGESTED);
    near.into_iter().map(|(_, _, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 6] = [
        "code-red",
        "code-red-two",
        "nimda-root-exe",
        "nimda-cmd-exe",
        "isapi-htr",
        "CVE-2001-0500",
    ];

    #[test]
    fn slips_come_before_parts_and_the_rest_not_at_all() {
        let near = |word| near_names(word, NAMES);
        assert_eq!(near("code-rad"), ["code-red"]);
        assert_eq!(near("code-red-twi"), ["code-red-two"]);
        assert_eq!(near("nimda"), ["nimda-cmd-exe", "nimda-root-exe"]);
        assert_eq!(near("isapi-htr-request"), ["isapi-htr"]);
        assert_eq!(near("cve-2001-0501"), ["CVE-2001-0500"]);
        assert_eq!(near("proxyshell"), [""; 0]);
        assert_eq!(near(""), [""; 0]);
    }
}
