//! Names of hosts, rules and features, each kept once.
//!
//! In: names. Out: numbers that stand for them while a case grows. Two
//! drafts number apart: joining them translates.

use indexmap::IndexSet;

use crate::raw::Raw;

/// The number of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name(u32);

impl Name {
    /// Counted from 0 in the order in which names were met.
    pub fn number(self) -> usize {
        self.0 as usize
    }
}

/// Names by number.
#[derive(Debug, Default)]
pub(super) struct Names(IndexSet<Raw>);

impl Names {
    /// The number of a name, which is entered where it is new.
    pub fn of(&mut self, name: &[u8]) -> Name {
        let number = match self.0.get_index_of(name) {
            Some(number) => number,
            None => self.0.insert_full(Raw::from(name)).0,
        };
        // Rules and features are few, and each host has a log.
        Name(u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// The number of a name that was met.
    pub fn find(&self, name: &[u8]) -> Option<Name> {
        let number = self.0.get_index_of(name)?;
        u32::try_from(number).ok().map(Name)
    }

    /// The name of a number.
    pub fn raw(&self, name: Name) -> Raw {
        self.0.get_index(name.number()).cloned().unwrap_or_default()
    }

    /// Gives back what there is too much room for.
    pub fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// Enters the names of another table; by its numbers, the numbers here.
    pub fn absorb(&mut self, other: &Self) -> Vec<Name> {
        other.0.iter().map(|name| self.of(name.as_bytes())).collect()
    }
}
