//! What ordinary logs hold: browsers of three decades, paths, queries and
//! referers of the kinds that fill them. Nothing of it is from a real log.
//!
//! In: `ordinary/`. Out: how common a text is. It steers what is looked for
//! first, so it touches speed and never results.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::signature::pattern::Fold;
use crate::w3c::simd::GRAM;

/// Values of one kind of columns, one a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// Stems and queries.
    Requests,
    /// User agents, referers, hosts, users.
    Headers,
}

impl Values {
    pub const fn text(self) -> &'static [u8] {
        match self {
            Self::Requests => include_bytes!("ordinary/requests.txt"),
            Self::Headers => include_bytes!("ordinary/headers.txt"),
        }
    }
}

/// Bytes of the first kind.
const REQUESTS: usize = Values::Requests.text().len();

/// All of them, folded.
static FOLDED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let all = [Values::Requests, Values::Headers];
    let bytes = all.into_iter().flat_map(Values::text);
    bytes.map(|byte| Fold::CaseAndPlus.apply(*byte)).collect()
});

/// The same as in a log, where a blank follows each.
static LOGGED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let blank = |byte: &u8| if *byte == b'\n' { b' ' } else { *byte };
    FOLDED.iter().map(blank).collect()
});

/// Those of one kind, as in a log.
pub(super) fn logged(values: Values) -> &'static [u8] {
    match values {
        Values::Requests => &LOGGED[..REQUESTS],
        Values::Headers => &LOGGED[REQUESTS..],
    }
}

/// How often each folded byte stands in them.
static BYTES: LazyLock<[usize; 256]> = LazyLock::new(|| bytes_of(&FOLDED));

/// How often it stands in requests.
static REQUEST_BYTES: LazyLock<[usize; 256]> =
    LazyLock::new(|| bytes_of(&FOLDED[..REQUESTS]));

fn bytes_of(text: &[u8]) -> [usize; 256] {
    let mut counts = [0; 256];
    for byte in text {
        counts[usize::from(*byte)] += 1;
    }
    counts
}

/// How often two folded bytes stand side by side in them.
static PAIRS: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let mut counts = vec![0_u16; 1 << 16];
    for (first, second) in FOLDED.iter().zip(FOLDED.iter().skip(1)) {
        let pair = usize::from(u16::from_le_bytes([*first, *second]));
        counts[pair] = counts[pair].saturating_add(1);
    }
    counts
});

/// How often four folded bytes stand side by side in them, as in a log.
static GRAMS: LazyLock<HashMap<[u8; GRAM], u32>> = LazyLock::new(|| {
    let mut counts = HashMap::with_capacity(FOLDED.len());
    let grams = LOGGED.windows(GRAM).filter_map(<[u8]>::first_chunk);
    for gram in grams {
        *counts.entry(*gram).or_default() += 1;
    }
    counts
});

/// How often a folded gram stands in ordinary values.
pub(super) fn count_gram(gram: &[u8]) -> u32 {
    let whole = gram.first_chunk().and_then(|gram| GRAMS.get(gram));
    whole.copied().unwrap_or(0)
}

/// How likely a folded text is, going by its pairs: tells apart texts that
/// ordinary values do not hold, but others of their kind may.
pub(super) fn likelihood(text: &[u8]) -> u64 {
    let pairs = text.iter().zip(text.iter().skip(1));
    pairs.fold(1, |product, (first, second)| {
        let pair = usize::from(u16::from_le_bytes([*first, *second]));
        product * (1 + u64::from(PAIRS[pair]))
    })
}

/// How often a folded text stands in ordinary values of a kind.
pub(super) fn count(values: Values, text: &[u8]) -> usize {
    let own = match values {
        Values::Requests => &FOLDED[..REQUESTS],
        Values::Headers => &FOLDED[REQUESTS..],
    };
    let is_new = |gram: &[u8]| count_gram(gram) == 0;
    if !text.contains(&b' ') && text.windows(GRAM).any(is_new) {
        return 0;
    }
    memchr::memmem::find_iter(own, text).count()
}

/// How often a folded pair of bytes does, in values of any kind.
pub(super) fn count_pair(pair: &[u8]) -> usize {
    let [first, second] = *pair else { return 0 };
    let pair = usize::from(u16::from_le_bytes([first, second]));
    usize::from(PAIRS[pair])
}

/// How often a folded byte does.
pub(super) fn count_byte(byte: u8) -> usize {
    BYTES[usize::from(byte)]
}

/// How often it does so in requests.
pub(super) fn count_byte_of_requests(byte: u8) -> usize {
    REQUEST_BYTES[usize::from(byte)]
}
