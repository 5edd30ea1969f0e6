//! The nonces seen of late: a signed request is good once.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Nonces, each kept until the request that bore it would be too old anyway.
#[derive(Debug, Default)]
pub(crate) struct Nonces(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    nonces: HashSet<String>,
    /// Nearly in order of expiry: one kept a little longer than it need be does no harm.
    expiries: VecDeque<(i64, String)>,
}

impl Nonces {
    /// Whether `nonce` is new at `now`; if so, it is kept until `until`.
    pub(crate) fn first_use(&self, nonce: String, now: i64, until: i64) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((_, old)) = seen.expiries.pop_front_if(|(expiry, _)| *expiry < now) {
            seen.nonces.remove(&old);
        }
        if !seen.nonces.insert(nonce.clone()) {
            return false;
        }
        seen.expiries.push_back((until, nonce));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_new_again_after_its_time() {
        let nonces = Nonces::default();
        assert!(nonces.first_use("a".into(), 0, 10));
        assert!(!nonces.first_use("a".into(), 10, 20));
        assert!(nonces.first_use("a".into(), 11, 21));
    }
}
