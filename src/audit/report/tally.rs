//! [`Tally`]: counts by name, in bounded memory whoever chose the names.

use std::collections::BTreeMap;

/// Names that are told apart; a log of an attacker could hold millions.
const MOST: usize = 2_000;
/// What all further names are counted under.
const REST: &str = "all others";

/// A value for each name.
#[derive(Debug, Clone)]
pub(super) struct Tally<T>(BTreeMap<String, T>);

impl<T> Default for Tally<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Default> Tally<T> {
    /// The value of `name`, or of all names beyond those that fit.
    pub(super) fn of(&mut self, name: &str) -> &mut T {
        let known = self.0.contains_key(name) || self.0.len() < MOST;
        self.0.entry(if known { name } else { REST }.to_owned()).or_default()
    }

    /// By name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub(super) fn get(&self, name: &str) -> Option<&T> {
        self.0.get(name)
    }

    /// The highest by `rank` first, then by name.
    pub(super) fn ranked(&self, rank: impl Fn(&T) -> u64) -> Vec<(&str, &T)> {
        let mut all: Vec<_> = self.iter().collect();
        all.sort_by_key(|(_, value)| std::cmp::Reverse(rank(value)));
        all
    }
}
