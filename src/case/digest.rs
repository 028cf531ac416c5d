//! A SHA-256 in a row: 32 bytes in memory, 64 digits where it is written.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::evidence::{Digest, hex};

/// A SHA-256, written in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub Digest);

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        read(&text).ok_or_else(|| D::Error::custom("not a SHA-256"))
    }
}

fn read(text: &str) -> Option<Sha256> {
    let mut digest = Digest::default();
    let digits = text.as_bytes().chunks_exact(2);
    if text.len() != 2 * digest.len() || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in digest.iter_mut().zip(digits) {
        let digits = std::str::from_utf8(digits).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(Sha256(digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::sha256;

    #[test]
    fn what_is_written_is_read() {
        let digest = Sha256(sha256(b"abc"));
        let json = serde_json::to_string(&digest).unwrap();
        assert!(json.starts_with("\"ba7816bf8f01cfea"), "{json}");
        assert_eq!(serde_json::from_str::<Sha256>(&json).unwrap(), digest);
        for wrong in ["\"\"", "\"ba\"", "7"] {
            assert!(serde_json::from_str::<Sha256>(wrong).is_err());
        }
        assert_eq!(read(&"é".repeat(32)), None);
    }
}
