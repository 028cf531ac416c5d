//! What few rows have: nothing in memory but a word where it is not there.
//!
//! In: a list, a set or a map. Out: the same, to be read as ever. An exhibit
//! has half a dozen of them, which are empty for nearly all of a million.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A collection that is mostly empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Rare<T>(Option<Box<T>>);

/// What is read where there is nothing.
pub trait Empty: Default + 'static {
    /// The empty one.
    const EMPTY: &'static Self;

    /// True where nothing is in it.
    fn has_nothing(&self) -> bool;
}

impl<T: 'static> Empty for Vec<T> {
    const EMPTY: &'static Self = &Self::new();

    fn has_nothing(&self) -> bool {
        self.is_empty()
    }
}

impl<T: 'static> Empty for BTreeSet<T> {
    const EMPTY: &'static Self = &Self::new();

    fn has_nothing(&self) -> bool {
        self.is_empty()
    }
}

impl<K: 'static, V: 'static> Empty for BTreeMap<K, V> {
    const EMPTY: &'static Self = &Self::new();

    fn has_nothing(&self) -> bool {
        self.is_empty()
    }
}

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Empty> From<T> for Rare<T> {
    fn from(all: T) -> Self {
        Self((!all.has_nothing()).then(|| Box::new(all)))
    }
}

impl<T: Empty + FromIterator<I>, I> FromIterator<I> for Rare<T> {
    fn from_iter<A: IntoIterator<Item = I>>(items: A) -> Self {
        Self::from(T::from_iter(items))
    }
}

impl<T: Empty> Deref for Rare<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::EMPTY)
    }
}

impl<T: Empty + fmt::Debug> fmt::Debug for Rare<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Empty + Serialize> Serialize for Rare<T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(out)
    }
}

impl<'de, T: Empty + Deserialize<'de>> Deserialize<'de> for Rare<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        T::deserialize(input).map(Self::from)
    }
}

impl<T: Empty> Rare<T> {
    /// True where nothing is in it, as serde asks.
    pub fn is_nothing(&self) -> bool {
        self.0.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_takes_a_word() {
        let none: Rare<Vec<u64>> = Vec::new().into();
        assert_eq!(size_of_val(&none), size_of::<usize>());
        assert!(none.is_nothing() && none.is_empty());
        let some: Rare<BTreeSet<u64>> = [2, 1].into_iter().collect();
        let read: Vec<u64> = some.iter().copied().collect();
        assert_eq!(read, [1, 2]);
        let json = serde_json::to_string(&(none, some.clone())).unwrap();
        assert_eq!(json, "[[],[1,2]]");
        let read: Rare<BTreeSet<u64>> = serde_json::from_str("[1,2]").unwrap();
        assert_eq!(read, some);
    }
}
