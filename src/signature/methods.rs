//! The verbs that are anchors.
//!
//! In: anchors. Out: which rules a record's verb is a reason to evaluate.
//! Asked of every record, so what most of them have costs a few steps.

use std::ops::Range;

use crate::signature::anchor::{Anchor, Group};
use crate::signature::pattern::Fold;
use crate::signature::prefilter::Candidate;

/// Rules by verb.
#[derive(Debug)]
pub(super) struct Methods {
    /// One bit for each short verb: that of most records is not here.
    seen: u64,
    /// Verbs of at most eight bytes, folded, each with its rules.
    short: Vec<(u64, Vec<Candidate>)>,
    /// Longer ones.
    long: Vec<(Vec<u8>, Vec<Candidate>)>,
}

impl Methods {
    pub fn new(all: &[(Anchor, u32)]) -> Self {
        let mut methods =
            Self { seen: 0, short: Vec::new(), long: Vec::new() };
        for (anchor, rule) in all {
            if anchor.group != Group::Method {
                continue;
            }
            let own = Candidate::of(anchor, *rule);
            match short(&anchor.text) {
                Some(key) => {
                    methods.seen |= bit(key);
                    // A plus may be written for it.
                    if anchor.text.contains(&b' ') {
                        methods.seen = u64::MAX;
                    }
                    enter(&mut methods.short, key, own);
                }
                None => enter(&mut methods.long, anchor.text.clone(), own),
            }
        }
        methods
    }

    /// False where no rule asks for the verb that stands there in a line.
    /// That of most records is none, so this must not cost more than a few
    /// steps.
    #[inline]
    pub fn may_have(&self, line: &[u8], span: &Range<usize>) -> bool {
        let eight = line.get(span.start..).and_then(<[u8]>::first_chunk);
        let (Some(eight), length @ 0..=8) = (eight, span.len()) else {
            return true;
        };
        self.seen & bit(u64::from_le_bytes(*eight) & KEPT[length]) != 0
    }

    #[inline(never)]
    pub fn find(&self, method: &[u8], rules: &mut Vec<Candidate>) {
        let own = short(method);
        for (key, of) in &self.short {
            if own == Some(*key) {
                rules.extend_from_slice(of);
            }
        }
        if own.is_none() {
            for (name, of) in &self.long {
                if Fold::CaseAndPlus.equals(method, name) {
                    rules.extend_from_slice(of);
                }
            }
        }
    }
}

fn enter<K: PartialEq>(
    list: &mut Vec<(K, Vec<Candidate>)>,
    key: K,
    rule: Candidate,
) {
    match list.iter_mut().find(|(own, _)| *own == key) {
        Some((_, rules)) => rules.push(rule),
        None => list.push((key, vec![rule])),
    }
}

/// The bytes of a number that a text of so many bytes takes.
const KEPT: [u64; 9] = {
    let mut kept = [0; 9];
    let mut length = 1;
    while length <= 8 {
        kept[length] = u64::MAX >> (64 - 8 * length);
        length += 1;
    }
    kept
};

/// One of 64 bits, the same for both cases of a letter. (Knuth's
/// multiplicative hash.)
#[inline]
fn bit(key: u64) -> u64 {
    let key = key | 0x2020_2020_2020_2020;
    1 << (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58)
}

/// A text of at most eight bytes, folded, as one number. Texts of different
/// length differ, except in NUL bytes, of which no verb has any.
fn short(text: &[u8]) -> Option<u64> {
    let number = match *text {
        [] => 0,
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_le_bytes([a, b])),
        [a, b, c] => u64::from(u32::from_le_bytes([a, b, c, 0])),
        // Four bytes from each end, which may overlap: not byte by byte,
        // because this is asked of every record.
        [a, b, c, d, ..] if text.len() <= 8 => {
            let first = u64::from(u32::from_le_bytes([a, b, c, d]));
            let last = u32::from_le_bytes(*text.last_chunk()?);
            first | u64::from(last) << (8 * (text.len() - 4))
        }
        _ => return None,
    };
    Some(Fold::CaseAndPlus.apply_8(number.to_le_bytes()))
}
