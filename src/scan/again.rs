//! A second reading of some exhibits, without some of their records.
//!
//! In: the names of exhibits, and for each where the records begin that are
//! passed over. What a log shares with another is known only once both were
//! read; what counts there must not count here.

use std::collections::BTreeMap;

use crate::raw::Raw;

/// What is read again.
#[derive(Clone, Debug, Default)]
pub struct Again {
    exhibits: BTreeMap<Raw, Passed>,
}

/// The records of an exhibit that are passed over, by the byte that they
/// begin at.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    offsets: Vec<u64>,
}

impl Passed {
    /// Records that begin at these bytes.
    pub fn new(mut offsets: Vec<u64>) -> Self {
        offsets.sort_unstable();
        Self { offsets }
    }

    /// True where the record that begins there is passed over.
    pub(super) fn has(&self, offset: u64) -> bool {
        self.offsets.binary_search(&offset).is_ok()
    }
}

impl Again {
    /// Reads one more exhibit.
    pub fn read(&mut self, exhibit: Raw, passed: Passed) {
        self.exhibits.insert(exhibit, passed);
    }

    /// True where nothing is to be read.
    pub fn is_empty(&self) -> bool {
        self.exhibits.is_empty()
    }

    /// What is passed over in an exhibit that is read.
    pub(super) fn passed(&self, exhibit: &Raw) -> Option<&Passed> {
        self.exhibits.get(exhibit)
    }

    /// True where the exhibit is read, or one inside it.
    pub(super) fn is_opened(&self, exhibit: &Raw) -> bool {
        let inside = [exhibit.as_bytes(), b"!/"].concat();
        let mut later = self.exhibits.range(Raw::from(inside.as_slice())..);
        let is_inside =
            |name: &Raw| name.as_bytes().starts_with(inside.as_slice());
        self.exhibits.contains_key(exhibit)
            || later.next().is_some_and(|(name, _)| is_inside(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_opened_for_its_members() {
        let mut again = Again::default();
        let name = |text: &str| Raw::from(text.as_bytes());
        again.read(name("b.zip!/x.tar!/one.log"), Passed::new(vec![9, 3]));
        for opened in ["b.zip", "b.zip!/x.tar", "b.zip!/x.tar!/one.log"] {
            assert!(again.is_opened(&name(opened)), "{opened}");
        }
        for other in ["a.zip", "b", "b.zip!/x", "b.zip!/x.tar!/two.log"] {
            assert!(!again.is_opened(&name(other)), "{other}");
        }
        let passed = again.passed(&name("b.zip!/x.tar!/one.log")).unwrap();
        assert!(passed.has(3) && passed.has(9) && !passed.has(4));
    }
}
