//! Passwords of archives, as given.
//!
//! In: the words of the user. Out: what decoders try, one after the other.
//! They are never shown: neither `Debug` nor a case holds them.

use std::fmt;
use std::sync::Arc;

/// The passwords that are tried on what is encrypted.
#[derive(Clone, Default)]
pub struct Passwords(Arc<[Vec<u8>]>);

impl Passwords {
    /// All of them, in the order in which they are tried.
    pub(super) fn all(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// What is said of something encrypted that none of them opens.
    pub(super) fn refusal(&self) -> &'static str {
        if self.0.is_empty() {
            "encrypted: give --password"
        } else {
            "encrypted: wrong password"
        }
    }
}

impl FromIterator<Vec<u8>> for Passwords {
    fn from_iter<I: IntoIterator<Item = Vec<u8>>>(words: I) -> Self {
        Self(words.into_iter().collect())
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Passwords({})", self.0.len())
    }
}
