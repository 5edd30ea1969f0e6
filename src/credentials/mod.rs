//! Where the AccessKey comes from: the environment, then the profile of the `aliyun` CLI.
//!
//! The order is that of the official SDKs (credentials-go, `DefaultCredentialProvider`). The chain
//! is asked anew for each call, so that `aliyun configure` takes effect without a restart.

mod defect;
mod environment;
mod profile;

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use crate::env::Env;
use crate::files::FileError;
use crate::hex;
use crate::sensitive::Sensitive;

pub(crate) use defect::{Defect, defect_of_name};
use profile::Profile;
pub(crate) use profile::file as profiles_file;

/// An AccessKey, with the token that a temporary one needs.
pub(crate) struct Credential {
    id: Sensitive,
    secret: Sensitive,
    token: Option<Sensitive>,
    /// Where it was read, in words, and what was passed over for it.
    origin: String,
}

impl Credential {
    /// Takes the parts over.
    pub(crate) fn new(
        id: Sensitive,
        secret: Sensitive,
        token: Option<Sensitive>,
        origin: impl Into<String>,
    ) -> Self {
        Self { id, secret, token, origin: origin.into() }
    }

    /// For the `Credential=` part of the signature.
    pub(crate) fn id(&self) -> &Sensitive {
        &self.id
    }

    /// The signing key.
    pub(crate) fn secret(&self) -> &Sensitive {
        &self.secret
    }

    /// The STS token.
    pub(crate) fn token(&self) -> Option<&Sensitive> {
        self.token.as_ref()
    }

    /// Where it was read: the variable or the profile, and those that hold another one.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Names the key in records and the audit log without showing it: the first 12 hex digits of
    /// SHA-256 of the AccessKey id.
    pub(crate) fn fingerprint(&self) -> String {
        #[expect(clippy::disallowed_methods, reason = "into a hash")]
        let digest = Sha256::digest(self.id.expose().as_bytes());
        hex::encode(digest.get(..6).unwrap_or_default())
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential from {}", self.origin)
    }
}

/// Why there is no credential. No variant holds a part of one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialError {
    /// No provider has one.
    #[error("no credentials were found")]
    None,
    /// One half of a pair is missing.
    #[error("`{0}` is set, `{1}` is not")]
    Half(&'static str, &'static str),
    /// A part cannot be one; nothing was sent with it.
    #[error("{place} {defect}")]
    Defect {
        /// The variable, or the member of the profile.
        place: String,
        /// What is wrong.
        defect: Defect,
    },
    /// The file of profiles cannot be read, or others can write it.
    #[error(transparent)]
    File(#[from] FileError),
    /// It holds something else.
    #[error("`~/.aliyun/config.json` {0}")]
    Content(&'static str),
    /// There is no profile of the wanted name.
    #[error("`~/.aliyun/config.json` has no profile `{wanted}` ({named_by}); {there}")]
    NoProfile {
        /// The name, made printable.
        wanted: String,
        /// What names it.
        named_by: String,
        /// Those that are there.
        there: String,
    },
    /// The profile lacks a part.
    #[error("the profile `{name}` of `~/.aliyun/config.json` has {lacks}")]
    Incomplete {
        /// Its name, made printable.
        name: String,
        /// What it lacks.
        lacks: &'static str,
    },
    /// The reading did not come to its end.
    #[error("the credentials could not be read")]
    Unread,
    /// The profile is of a kind that is not supported.
    #[error("the profile's mode `{0}` is not supported yet; modes AK and StsToken are")]
    Mode(String),
}

/// What one reading of the chain gave.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) credential: Arc<Credential>,
    /// The region of the profile, if it names one.
    pub(crate) region: Option<Region>,
}

/// A region that somebody configured.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    pub(crate) id: String,
    /// Where it was read: the flag, the variable, the member of a file.
    pub(crate) place: String,
}

/// Gives the credential of each call.
#[derive(Debug, Clone)]
pub(crate) enum Credentials {
    /// Always this one: the embedded KMS's own.
    Fixed(Arc<Credential>),
    /// The chain.
    Chain(Arc<Env>),
}

impl Credentials {
    /// The credential to sign with now, and the region beside it if one is wanted. The profile is
    /// read where no other call waits for a slow disk, and only if something of it is used.
    pub(crate) async fn resolve(&self, wants_region: bool) -> Result<Resolved, CredentialError> {
        match self {
            Self::Fixed(credential) => {
                Ok(Resolved { credential: Arc::clone(credential), region: None })
            }
            Self::Chain(env) => {
                if !wants_region && let Some(credential) = environment::credential(env)? {
                    return Ok(Resolved { credential: Arc::new(credential), region: None });
                }
                let env = Arc::clone(env);
                let read = spawn_blocking(move || from_chain(&env)).await;
                read.unwrap_or(Err(CredentialError::Unread))
            }
        }
    }

    /// What a person should know about them when the server starts, one line each.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let Self::Chain(env) = self else { return Vec::new() };
        let mut remarks: Vec<String> = match from_chain(env) {
            Ok(resolved) => vec![format!("AccessKey: {}", resolved.credential.origin())],
            Err(error) => vec![format!("no AccessKey: {error}")],
        };
        remarks.extend(profile::is_readable_by_others(env));
        remarks
    }
}

/// Reads the chain.
fn from_chain(env: &Env) -> Result<Resolved, CredentialError> {
    if let Some(credential) = environment::credential(env)? {
        // The key is complete: a profile that cannot be used has only no region.
        let profile = Profile::current(env).ok().flatten();
        let region = profile.and_then(|profile| profile.region());
        return Ok(Resolved { credential: Arc::new(credential), region });
    }
    let profile = Profile::current(env)?.ok_or(CredentialError::None)?;
    let region = profile.region();
    Ok(Resolved { credential: Arc::new(profile.credential()?), region })
}

/// A name from a file or variable, safe to show: letters, digits, `-`, `_` and `.`, at most 32.
fn printable(name: &str) -> String {
    let shown = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '?' };
    name.chars().take(32).map(shown).collect()
}
