//! Bytes as found: text from evidence, file names and rules, which may be
//! anything, kept exactly.
//!
//! There is no `Display`: such text reaches people only through the doors of
//! [`crate::report::escape`]. In JSON it is a string where the bytes are
//! UTF-8, else `{"text": lossy, "base64": exact}`, so nothing is lost. A
//! [`Quote`] has beside them what their code page makes of them.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Owned bytes as found. Copies share them: names of hosts and rules stand
/// in a million rows.
///
/// ```
/// use iisleuth::raw::Raw;
/// let json = serde_json::to_string(&Raw::from(&b"/caf\xe9"[..])).unwrap();
/// assert_eq!(json, r#"{"text":"/caf�","base64":"L2NhZuk="}"#);
/// let back: Raw = serde_json::from_str(&json).unwrap();
/// assert_eq!(back.as_bytes(), b"/caf\xe9");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Raw(Arc<[u8]>);

impl Raw {
    /// The bytes, exactly.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name of a file or folder, as the platform encodes it.
    pub fn from_path(path: &Path) -> Self {
        Self::from_os(path.as_os_str())
    }

    /// A platform string.
    pub fn from_os(text: &OsStr) -> Self {
        Self(text.as_encoded_bytes().into())
    }

    /// True where there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&[u8]> for Raw {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<&str> for Raw {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl From<String> for Raw {
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}

impl std::borrow::Borrow<[u8]> for Raw {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

/// Whether two texts are the same: for what is asked of every record, about
/// some ten to sixty bytes, in blocks from both ends that overlap. Cheaper
/// than the call that a comparison of slices makes.
#[inline]
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    fn ends<const N: usize>(a: &[u8], b: &[u8]) -> bool {
        let starts = a.first_chunk::<N>() == b.first_chunk();
        starts & (a.last_chunk::<N>() == b.last_chunk())
    }
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        0..8 => a.iter().zip(b).all(|(a, b)| a == b),
        8..=16 => ends::<8>(a, b),
        17..=32 => ends::<16>(a, b),
        33..=64 => ends::<32>(a, b),
        _ => a == b,
    }
}

/// Writes borrowed bytes in the JSON form of [`Raw`].
#[derive(Clone, Copy, Debug)]
pub struct RawRef<'a>(pub &'a [u8]);

impl Serialize for RawRef<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        QuoteRef { bytes: self.0, text: None }.serialize(out)
    }
}

/// Writes borrowed bytes in the JSON form of [`Quote`].
#[derive(Clone, Debug)]
pub struct QuoteRef<'a> {
    /// The bytes, exactly.
    pub bytes: &'a [u8],
    /// What they say, where they are no UTF-8 and that is known.
    pub text: Option<Cow<'a, str>>,
}

impl Serialize for QuoteRef<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        if let Ok(text) = std::str::from_utf8(self.bytes) {
            return out.serialize_str(text);
        }
        let lossy = || String::from_utf8_lossy(self.bytes);
        let text = self.text.as_deref().map_or_else(lossy, Cow::Borrowed);
        let mut map = out.serialize_map(Some(2))?;
        map.serialize_entry("text", &text)?;
        map.serialize_entry("base64", &STANDARD.encode(self.bytes))?;
        map.end()
    }
}

/// Bytes as found, with what they say where they are no UTF-8 and their code
/// page is known.
///
/// ```
/// use iisleuth::raw::Quote;
/// let quote = Quote::new(b"/caf\xe9", Some("/café".to_owned()));
/// let json = serde_json::to_string(&quote).unwrap();
/// assert_eq!(json, r#"{"text":"/café","base64":"L2NhZuk="}"#);
/// assert_eq!(serde_json::from_str::<Quote>(&json).unwrap(), quote);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    raw: Raw,
    text: Option<Arc<str>>,
}

impl Quote {
    /// The bytes, and what they say. Of bytes that are UTF-8 it is forgotten,
    /// as is what anybody would make of them.
    pub fn new(bytes: &[u8], text: Option<String>) -> Self {
        let raw = Raw::from(bytes);
        let says_more = |text: &String| {
            std::str::from_utf8(bytes).is_err()
                && *text != String::from_utf8_lossy(bytes)
        };
        Self { raw, text: text.filter(says_more).map(Arc::from) }
    }

    /// The bytes, exactly.
    pub fn raw(&self) -> &Raw {
        &self.raw
    }

    /// What people are shown: what the bytes say, else the bytes.
    pub fn shown(&self) -> &[u8] {
        let text = self.text.as_deref().map(str::as_bytes);
        text.unwrap_or(self.raw.as_bytes())
    }
}

impl Serialize for Quote {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let text = self.text.as_deref().map(Cow::Borrowed);
        QuoteRef { bytes: self.raw.as_bytes(), text }.serialize(out)
    }
}

impl<'de> Deserialize<'de> for Quote {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        match Form::deserialize(input)? {
            Form::Text(text) => Ok(Self { raw: text.into(), text: None }),
            Form::Exact { text, base64 } => STANDARD
                .decode(base64)
                .map(|bytes| Self::new(&bytes, text))
                .map_err(D::Error::custom),
        }
    }
}

/// The JSON form of bytes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Text(String),
    Exact {
        #[serde(default)]
        text: Option<String>,
        base64: String,
    },
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        RawRef(&self.0).serialize(out)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        match Form::deserialize(input)? {
            Form::Text(text) => Ok(Self::from(text)),
            Form::Exact { base64, .. } => STANDARD
                .decode(base64)
                .map(|bytes| Self(bytes.into()))
                .map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_says_more_or_nothing() {
        let lossy = "{\"text\":\"\u{fffd}\",\"base64\":\"/A==\"}";
        let read = "{\"text\":\"\u{fc}\",\"base64\":\"/A==\"}";
        for (bytes, text, shown, json) in [
            (&b"a"[..], Some("b"), &b"a"[..], "\"a\""),
            (b"\xfc", Some("\u{fc}"), "\u{fc}".as_bytes(), read),
            (b"\xfc", Some("\u{fffd}"), b"\xfc", lossy),
            (b"\xfc", None, b"\xfc", lossy),
        ] {
            let quote = Quote::new(bytes, text.map(str::to_owned));
            assert_eq!(quote.raw().as_bytes(), bytes);
            assert_eq!(quote.shown(), shown);
            assert_eq!(serde_json::to_string(&quote).unwrap(), json);
            let back: Quote = serde_json::from_str(json).unwrap();
            assert_eq!(back, quote);
        }
    }

    #[test]
    fn same_is_what_slices_tell() {
        for length in 0..80 {
            let text: Vec<u8> = (0..length).collect();
            assert!(same(&text, &text.clone()));
            for at in 0..text.len() {
                let mut other = text.clone();
                other[at] ^= 0x80;
                assert!(!same(&text, &other), "byte {at} of {length}");
            }
            assert!(!same(&text, &[text.as_slice(), b"x"].concat()));
        }
    }
}
