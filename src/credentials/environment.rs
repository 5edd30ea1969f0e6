//! The credential in the environment.

use super::defect::{Part, check};
use super::{Credential, CredentialError};
use crate::env::{Env, KEYS};

/// The pair of the first prefix that has any half of one; an error if the other half is missing.
/// A key is never put together from two prefixes.
pub(super) fn credential(env: &Env) -> Result<Option<Credential>, CredentialError> {
    let used = |(_, names): &(usize, &crate::env::KeyNames)| {
        env.get(names.id).is_some() || env.get(names.secret).is_some()
    };
    let Some((at, names)) = KEYS.iter().enumerate().find(used) else { return Ok(None) };
    let (id, secret) = match (env.secret(names.id), env.secret(names.secret)) {
        (Some(id), Some(secret)) => (id, secret),
        (None, _) => return Err(CredentialError::Half(names.secret, names.id)),
        (_, None) => return Err(CredentialError::Half(names.id, names.secret)),
    };
    let token = env.secret(names.token);
    check(Part::Id, &id, || format!("`{}`", names.id))?;
    check(Part::Secret, &secret, || format!("`{}`", names.secret))?;
    if let Some(token) = &token {
        check(Part::Token, token, || format!("`{}`", names.token))?;
    }
    let mut origin = format!("`{}`", names.id);
    for other in KEYS.iter().skip(at + 1) {
        if env.get(other.id).is_some_and(|id| env.get(names.id) != Some(id)) {
            origin.push_str(&format!("; `{}` holds another one, which is not used", other.id));
        }
    }
    Ok(Some(Credential::new(id, secret, token, origin)))
}
