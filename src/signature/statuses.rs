//! The statuses that are anchors: of rules that ask for nothing rarer.
//!
//! In: anchors. Out: which rules a record's status is a reason to evaluate.
//! Asked of every record, so what most of them have costs one look at a
//! bitmap.

use crate::signature::anchor::{Anchor, Group};
use crate::signature::prefilter::Candidate;

/// Rules by status.
#[derive(Debug, Default)]
pub(super) struct Statuses {
    /// One bit for each status from 0 to 1023.
    seen: [u64; 16],
    /// Statuses, each with its rules.
    rules: Vec<(u16, Vec<Candidate>)>,
}

impl Statuses {
    pub fn new(anchors: &[(Anchor, u32)]) -> Self {
        let mut own = Self::default();
        for (anchor, rule) in anchors {
            if anchor.group != Group::Status {
                continue;
            }
            let Some(number) = number(&anchor.text) else { continue };
            if let Some(bits) = own.seen.get_mut(usize::from(number / 64)) {
                *bits |= 1 << (number % 64);
            }
            let one = Candidate::of(anchor, *rule);
            match own.rules.iter_mut().find(|(it, _)| *it == number) {
                Some((_, rules)) => rules.push(one),
                None => own.rules.push((number, vec![one])),
            }
        }
        own
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Adds the rules that ask for a status.
    #[inline]
    pub fn find(&self, status: &[u8], found: &mut Vec<Candidate>) {
        let Some(number) = number(status) else { return };
        let bits = self.seen.get(usize::from(number / 64));
        if bits.is_some_and(|bits| bits & (1 << (number % 64)) != 0) {
            let of = self.rules.iter().find(|(it, _)| *it == number);
            found.extend(of.into_iter().flat_map(|(_, rules)| rules));
        }
    }
}

/// The number of three digits.
#[inline]
fn number(text: &[u8]) -> Option<u16> {
    let [a, b, c] = *text else { return None };
    let digit = |byte: u8| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then_some(u16::from(digit))
    };
    Some(digit(a)? * 100 + digit(b)? * 10 + digit(c)?)
}
