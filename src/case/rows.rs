//! Rows under their names while a case grows.
//!
//! In: rows, in any order. Out: the same by name, and in the end in order.
//! The draft of one exhibit holds one row, that of a case a million: of the
//! first there may be as many as rows of the second, so neither may take
//! more memory than its rows do. A map ordered at all times takes eleven.

use std::collections::HashMap;

use crate::raw::Raw;

/// So many are found quicker by looking at each.
const FEW: usize = 8;

/// Rows under their names.
#[derive(Debug)]
pub(super) struct Rows<V> {
    rows: Vec<(Raw, Box<V>)>,
    /// Where each is; none where they are few.
    #[allow(clippy::box_collection)] // most have none
    places: Option<Box<HashMap<Raw, u32>>>,
}

impl<V> Default for Rows<V> {
    fn default() -> Self {
        Self { rows: Vec::new(), places: None }
    }
}

impl<V> Rows<V> {
    fn place(&self, name: &Raw) -> Option<usize> {
        match &self.places {
            Some(places) => places.get(name).map(|place| *place as usize),
            None => self.rows.iter().position(|(own, _)| own == name),
        }
    }

    /// The row of that name.
    pub fn get(&self, name: &Raw) -> Option<&V> {
        let (_, row) = self.rows.get(self.place(name)?)?;
        Some(row)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, name: &Raw) -> Option<&mut V> {
        let place = self.place(name)?;
        let (_, row) = self.rows.get_mut(place)?;
        Some(row)
    }

    /// Enters a row, in the place of one of the same name.
    pub fn insert(&mut self, name: Raw, row: V) {
        self.enter(name, Box::new(row));
    }

    /// The same, in its box.
    pub fn enter(&mut self, name: Raw, row: Box<V>) {
        let known = self.place(&name);
        if let Some((_, own)) =
            known.and_then(|place| self.rows.get_mut(place))
        {
            *own = row;
            return;
        }
        if self.rows.is_empty() {
            self.rows.reserve_exact(1);
        }
        if let (Some(places), Ok(place)) =
            (&mut self.places, u32::try_from(self.rows.len()))
        {
            places.insert(name.clone(), place);
        }
        self.rows.push((name, row));
        if self.places.is_none() && self.rows.len() > FEW {
            let names = self.rows.iter().map(|(name, _)| name.clone());
            self.places = Some(Box::new(names.zip(0..).collect()));
        }
    }

    /// Enters all rows of another table.
    pub fn extend(&mut self, others: Self) {
        for (name, row) in others.rows {
            self.enter(name, row);
        }
    }

    /// All names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &Raw> {
        self.rows.iter().map(|(name, _)| name)
    }

    /// All rows, in no order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.rows.iter_mut().map(|(_, row)| &mut **row)
    }

    /// All rows, by name.
    pub fn in_order(&self) -> impl Iterator<Item = &V> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        rows.into_iter().map(|(_, row)| &**row)
    }

    /// The same, out of the table, in their boxes.
    pub fn into_ordered(self) -> impl Iterator<Item = Box<V>> {
        let mut rows = self.rows;
        drop(self.places);
        rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        rows.into_iter().map(|(_, row)| row)
    }

    /// All rows, in no order.
    pub fn into_rows(self) -> impl Iterator<Item = V> {
        self.rows.into_iter().map(|(_, row)| *row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_are_found() {
        let name = |number: u32| Raw::from(format!("{number:03}"));
        for count in [0, 1, 8, 9, 100] {
            let mut rows = Rows::default();
            for number in (0..count).rev() {
                rows.insert(name(number), number);
                rows.insert(name(number), number + 1);
            }
            let mut whole = Rows::default();
            whole.insert(name(0), 1);
            whole.extend(rows);
            for number in 0..count {
                assert_eq!(whole.get(&name(number)), Some(&(number + 1)));
            }
            assert_eq!(whole.get(&name(count.max(1))), None);
            let expected: Vec<_> = (1..=count.max(1)).collect();
            assert!(whole.in_order().eq(&expected));
            assert!(whole.into_ordered().map(|it| *it).eq(expected));
        }
    }
}
