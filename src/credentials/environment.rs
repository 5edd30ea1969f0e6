//! The credential in the environment.

use super::{Credential, CredentialError};
use crate::env::{ACCESS_KEY_ID, ACCESS_KEY_SECRET, Env, SECURITY_TOKEN};

/// The pair, if both halves are set; an error if one is.
pub(super) fn credential(env: &Env) -> Result<Option<Credential>, CredentialError> {
    match (env.secret(ACCESS_KEY_ID), env.secret(ACCESS_KEY_SECRET)) {
        (Some(id), Some(secret)) => {
            Ok(Some(Credential::new(id, secret, env.secret(SECURITY_TOKEN), "env")))
        }
        (Some(_), None) => Err(CredentialError::Half(ACCESS_KEY_ID, ACCESS_KEY_SECRET)),
        (None, Some(_)) => Err(CredentialError::Half(ACCESS_KEY_SECRET, ACCESS_KEY_ID)),
        (None, None) => Ok(None),
    }
}
