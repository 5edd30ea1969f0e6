//! [`Accounts`]: which account each AccessKey belongs to, as answers of KMS told.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::credentials::Credential;

/// How many AccessKeys are remembered; beyond that all are learnt anew.
const MAX_KEYS: usize = 64;

/// An account belongs to the AccessKey that it was learnt with: the profile may name another key at
/// the next call.
#[derive(Debug, Default)]
pub(super) struct Accounts(Mutex<HashMap<String, String>>);

/// An answer named another account than the ones before, under the same AccessKey.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Disagrees;

impl Accounts {
    /// The account of `credential`, where it is known.
    pub(super) fn of(&self, credential: &Credential) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&credential.fingerprint()).cloned()
    }

    /// Notes the account that an answer to `credential` named.
    ///
    /// # Errors
    /// If it is another one than before. Both are forgotten then: which is right, nobody here knows.
    pub(super) fn learn(&self, credential: &Credential, account: &str) -> Result<(), Disagrees> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = credential.fingerprint();
        match known.get(&key) {
            Some(before) if before == account => Ok(()),
            Some(_) => {
                known.remove(&key);
                Err(Disagrees)
            }
            None => {
                if known.len() >= MAX_KEYS {
                    known.clear();
                }
                known.insert(key, account.to_owned());
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensitive::Sensitive;

    fn key(id: &str) -> Credential {
        Credential::new(Sensitive::new(id.into()), Sensitive::new("secret".into()), None, "test")
    }

    #[test]
    fn an_account_belongs_to_its_key_and_a_disagreement_is_forgotten() {
        let accounts = Accounts::default();
        let (one, two) = (key("LTAI1"), key("LTAI2"));
        accounts.learn(&one, "1").unwrap();
        assert_eq!((accounts.of(&one).as_deref(), accounts.of(&two)), (Some("1"), None));
        accounts.learn(&two, "2").unwrap();
        accounts.learn(&one, "1").unwrap();
        assert_eq!(accounts.learn(&one, "3"), Err(Disagrees));
        assert_eq!((accounts.of(&one), accounts.of(&two).as_deref()), (None, Some("2")));
        accounts.learn(&one, "3").unwrap();
        for other in 0..1000 {
            accounts.learn(&key(&other.to_string()), "4").unwrap();
        }
        assert!(accounts.0.lock().unwrap().len() <= MAX_KEYS);
    }
}
