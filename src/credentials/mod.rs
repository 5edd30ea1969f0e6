//! Where the AccessKey comes from: the environment, then the profile of the `aliyun` CLI.
//!
//! The order is that of the official SDKs (facts/kms.md §5.1). The chain is asked anew for each
//! call, so that `aliyun configure` takes effect without a restart.

mod environment;
mod profile;

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::env::Env;
use crate::hex;
use crate::sensitive::Sensitive;

pub(crate) use profile::Profile;

/// An AccessKey, with the token that a temporary one needs.
pub(crate) struct Credential {
    id: Sensitive,
    secret: Sensitive,
    token: Option<Sensitive>,
    /// Which provider gave it, for the log.
    pub(crate) provider: &'static str,
}

impl Credential {
    /// Takes the parts over.
    pub(crate) fn new(
        id: Sensitive,
        secret: Sensitive,
        token: Option<Sensitive>,
        provider: &'static str,
    ) -> Self {
        Self { id, secret, token, provider }
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
        write!(f, "Credential from {}", self.provider)
    }
}

/// Why there is no credential. No variant holds anything that was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CredentialError {
    /// No provider has one.
    #[error("no credentials were found")]
    None,
    /// One half of a pair is missing.
    #[error("`{0}` is set, `{1}` is not")]
    Half(&'static str, &'static str),
    /// The profile cannot be read.
    #[error("`~/.aliyun/config.json` {0}")]
    Profile(&'static str),
    /// The profile is of a kind that is not supported.
    #[error("the profile's mode `{0}` is not supported yet; modes AK and StsToken are")]
    Mode(String),
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
    /// The credential to sign with now.
    pub(crate) fn get(&self) -> Result<Arc<Credential>, CredentialError> {
        match self {
            Self::Fixed(credential) => Ok(Arc::clone(credential)),
            Self::Chain(env) => match environment::credential(env)? {
                Some(credential) => Ok(Arc::new(credential)),
                None => match Profile::current(env)? {
                    Some(profile) => profile.credential().map(Arc::new),
                    None => Err(CredentialError::None),
                },
            },
        }
    }

    /// The region the profile names, if the chain reaches it.
    pub(crate) fn region(&self) -> Option<String> {
        match self {
            Self::Fixed(_) => None,
            Self::Chain(env) => Profile::current(env).ok().flatten()?.region(),
        }
    }
}
