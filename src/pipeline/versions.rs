//! [`Versions`]: the versions of secrets that this process has seen where no value was.
//!
//! An answer with a value may name its version only if it is one of them: the agent wrote it, or
//! `ListSecretVersionIds` answered it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// How many are remembered, over all secrets. A secret has ten at most (facts/kms.md §6.5).
const MAX_VERSIONS: usize = 1024;

/// Name of the secret and version id, the newest last.
#[derive(Debug, Default)]
pub(crate) struct Versions(Mutex<VecDeque<(String, String)>>);

impl Versions {
    /// Remembers versions of the secret of that plain name.
    pub(super) fn note(&self, name: &str, versions: impl IntoIterator<Item = String>) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for version in versions {
            noted.retain(|(of, known)| of != name || *known != version);
            noted.push_back((name.to_owned(), version));
        }
        let over = noted.len().saturating_sub(MAX_VERSIONS);
        noted.drain(..over);
    }

    /// Those of one secret.
    pub(super) fn of(&self, name: &str) -> Vec<String> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.iter().filter(|(of, _)| of == name).map(|(_, version)| version.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_belong_to_their_secret_and_old_ones_are_forgotten() {
        let versions = Versions::default();
        versions.note("a", ["v1".into(), "v2".into(), "v1".into()]);
        versions.note("b", ["v3".into()]);
        assert_eq!(versions.of("a"), ["v2", "v1"]);
        versions.note("b", (0..MAX_VERSIONS).map(|n| n.to_string()));
        assert!(versions.of("a").is_empty());
        assert_eq!(versions.of("b").len(), MAX_VERSIONS);
    }
}
