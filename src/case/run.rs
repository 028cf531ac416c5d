//! What made a case: the program's version, the signatures, and the options
//! that change results.
//!
//! Cases can be joined only where these agree: numbers from other signatures
//! do not add up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::signature::Level;

/// What made a case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The version of the program.
    pub version: String,
    /// The signatures that were used.
    pub signatures: SignatureSet,
    /// The options that change results, by their names.
    pub options: BTreeMap<String, serde_json::Value>,
    /// The scan was interrupted: evidence is missing.
    pub partial: bool,
}

/// A set of signatures, told by its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureSet {
    /// How many rules.
    pub count: u64,
    /// SHA-256 over all rules and catalogues, in hexadecimal.
    pub sha256: String,
}

impl Run {
    /// The run of joined cases. The default run joins with any.
    pub(super) fn join(self, other: Self) -> Result<Self> {
        let partial = self.partial || other.partial;
        let differs = if self.is_none() || other.is_none() {
            None
        } else if self.version != other.version {
            Some("versions of iisleuth")
        } else if self.signatures != other.signatures {
            Some("signatures")
        } else if self.options != other.options {
            Some("options")
        } else {
            None
        };
        if let Some(what) = differs {
            let message = format!(
                "the cases were made with different {what}; \
                 scan their evidence again to join them"
            );
            return Err(Error::case(message));
        }
        let run = if self.is_none() { other } else { self };
        Ok(Self { partial, ..run })
    }

    /// The least level that findings tell of.
    pub(super) fn least_level(&self) -> Level {
        let word = self.options.get("min-level");
        let word = word.and_then(serde_json::Value::as_str);
        word.and_then(Level::from_word).unwrap_or_default()
    }

    fn is_none(&self) -> bool {
        *self == Self { partial: self.partial, ..Self::default() }
    }
}
