//! SHA-256 of evidence: at once over mapped bytes, or piecewise while a
//! stream is read.
//!
//! In: raw file bytes, before any decoding. Out: a [`Digest`], the same that
//! `sha256sum` prints. Evidence is named by it, so it must be of what was
//! scanned: who hashes withholds it where bytes were lost.

use sha2::{Digest as _, Sha256};

/// A SHA-256.
pub type Digest = [u8; 32];

/// Whether evidence is hashed (`--hash`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hashing {
    /// SHA-256 of each exhibit.
    #[default]
    Sha256,
    /// No digest; for speed.
    None,
}

/// The SHA-256 of some bytes.
///
/// ```
/// use iisleuth::evidence::{hex, sha256};
/// assert!(hex(&sha256(b"abc")).starts_with("ba7816bf8f01cfea"));
/// ```
pub fn sha256(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble| char::from_digit(u32::from(nibble), 16);
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(digit)
        .collect()
}

/// A hash in the making, or none where none was asked for.
#[derive(Debug)]
pub struct Hasher(Option<Sha256>);

impl Hasher {
    /// The hash of nothing yet.
    pub fn new(hashing: Hashing) -> Self {
        Self((hashing == Hashing::Sha256).then(Sha256::new))
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        if let Some(hash) = &mut self.0 {
            hash.update(bytes);
        }
    }

    /// The hash of all of them.
    pub fn finish(self) -> Option<Digest> {
        self.0.map(|hash| hash.finalize().into())
    }
}
