//! A second reading of some exhibits, without some of their records.
//!
//! In: the names of exhibits, and for each where the records begin that are
//! passed over, or were refused. What a log shares with another, or another
//! says of it, is known only once both were read.

use std::collections::BTreeMap;

use crate::raw::Raw;

/// What is read again.
#[derive(Clone, Debug, Default)]
pub struct Again {
    exhibits: BTreeMap<Raw, Known>,
}

/// What is known of an exhibit: the records that are passed over, and those
/// that were refused, by the byte that they begin at.
#[derive(Clone, Debug, Default)]
pub struct Known {
    passed: Vec<u64>,
    refused: Vec<u64>,
}

impl Known {
    /// Records that begin at these bytes count elsewhere, and URLScan
    /// refused those that begin at the others.
    pub fn new(mut passed: Vec<u64>, mut refused: Vec<u64>) -> Self {
        passed.sort_unstable();
        refused.sort_unstable();
        Self { passed, refused }
    }

    /// True where the record that begins there is passed over.
    pub(super) fn is_passed(&self, offset: u64) -> bool {
        self.passed.binary_search(&offset).is_ok()
    }

    /// True where it was refused.
    pub(super) fn is_refused(&self, offset: u64) -> bool {
        self.refused.binary_search(&offset).is_ok()
    }
}

impl Again {
    /// Reads one more exhibit.
    pub fn read(&mut self, exhibit: Raw, known: Known) {
        self.exhibits.insert(exhibit, known);
    }

    /// True where nothing is to be read.
    pub fn is_empty(&self) -> bool {
        self.exhibits.is_empty()
    }

    /// What is known of an exhibit that is read.
    pub(super) fn known(&self, exhibit: &Raw) -> Option<&Known> {
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
        again.read(
            name("b.zip!/x.tar!/one.log"),
            Known::new(vec![9, 3], vec![5]),
        );
        for opened in ["b.zip", "b.zip!/x.tar", "b.zip!/x.tar!/one.log"] {
            assert!(again.is_opened(&name(opened)), "{opened}");
        }
        for other in ["a.zip", "b", "b.zip!/x", "b.zip!/x.tar!/two.log"] {
            assert!(!again.is_opened(&name(other)), "{other}");
        }
        let known = again.known(&name("b.zip!/x.tar!/one.log")).unwrap();
        assert!(known.is_passed(3) && known.is_passed(9));
        assert!(!known.is_passed(5) && known.is_refused(5));
    }
}
