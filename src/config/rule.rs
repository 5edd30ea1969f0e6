//! [`Rule`]: what counts where root's file and the user's file both set a key.

use serde::Deserialize;

/// How two values of one key combine. A key that only one file sets has that value.
pub(super) struct Rule<T> {
    /// For the reference.
    pub(super) says: &'static str,
    /// From root's value and the user's to the one that counts.
    join: fn(T, T) -> T,
}

impl<T> Rule<T> {
    /// The value that counts.
    pub(super) fn join(&self, root: Option<T>, user: Option<T>) -> Option<T> {
        match (root, user) {
            (Some(root), Some(user)) => Some((self.join)(root, user)),
            (root, user) => root.or(user),
        }
    }
}

/// Of two numbers, where less is stricter.
pub(super) const SMALLER: Rule<u64> = Rule { says: "the smaller", join: u64::min };
/// Of two numbers, where more is stricter.
pub(super) const LARGER: Rule<u64> = Rule { says: "the larger", join: u64::max };
/// Of two switches, where `true` is stricter.
pub(super) const EITHER: Rule<bool> =
    Rule { says: "`true` if either is", join: |root, user| root || user };
/// Of two switches, where `false` is stricter.
pub(super) const BOTH: Rule<bool> =
    Rule { says: "`true` if both are", join: |root, user| root && user };
/// Of two policies: each call is judged by both.
pub(super) const JUDGED: Rule<Policies> =
    Rule { says: "both judge; the stricter verdict", join: Policies::and };

/// Of places, addresses, sources and destinations: no part of the user's value.
pub(super) const fn roots<T>() -> Rule<T> {
    Rule { says: "root's", join: |root, _| root }
}

/// The policies that judge each call; a file names one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(crate) struct Policies(Vec<String>);

impl Policies {
    fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Their names, root's first.
    pub(super) fn names(&self) -> &[String] {
        &self.0
    }

    /// The names, to be written out.
    pub(super) fn names_mut(&mut self) -> &mut [String] {
        &mut self.0
    }
}

impl From<String> for Policies {
    fn from(name: String) -> Self {
        Self(vec![name])
    }
}
