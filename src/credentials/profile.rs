//! The profile of the `aliyun` CLI, `~/.aliyun/config.json` (facts/kms.md §5.2).

use std::fs;
use std::io::{ErrorKind, Read};

use serde::Deserialize;

use super::{Credential, CredentialError};
use crate::env::{Env, PROFILE, PROFILE_DISABLED};
use crate::sensitive::Sensitive;

/// The file's largest size in bytes; beyond it something else is wrong.
const CAP: u64 = 1024 * 1024;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    current: String,
    #[serde(default)]
    profiles: Vec<Profile>,
}

/// One profile; what it holds beside this is not read.
#[derive(Debug, Deserialize)]
pub(crate) struct Profile {
    #[serde(default)]
    name: String,
    #[serde(default)]
    mode: String,
    access_key_id: Option<Sensitive>,
    access_key_secret: Option<Sensitive>,
    sts_token: Option<Sensitive>,
    region_id: Option<String>,
}

impl Profile {
    /// The profile in force: `ALIBABA_CLOUD_PROFILE`, else the file's `current`.
    pub(crate) fn current(env: &Env) -> Result<Option<Self>, CredentialError> {
        if env.get(PROFILE_DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let Some(home) = env.home() else { return Ok(None) };
        let file = match fs::File::open(home.join(".aliyun/config.json")) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(_) => return Err(CredentialError::Profile("cannot be opened")),
        };
        let mut text = zeroize::Zeroizing::new(String::new());
        file.take(CAP)
            .read_to_string(&mut text)
            .map_err(|_| CredentialError::Profile("cannot be read"))?;
        let file: File = serde_json::from_str(&text).map_err(|_| {
            CredentialError::Profile("is not the JSON that `aliyun configure` writes")
        })?;
        let wanted = env.get(PROFILE).unwrap_or(&file.current);
        match file.profiles.into_iter().find(|profile| profile.name == wanted) {
            Some(profile) => Ok(Some(profile)),
            None if env.get(PROFILE).is_some() => Err(CredentialError::Profile(
                "has no profile of the name in `ALIBABA_CLOUD_PROFILE`",
            )),
            None => Ok(None),
        }
    }

    /// Its credential.
    pub(crate) fn credential(self) -> Result<Credential, CredentialError> {
        let filled = |value: Option<Sensitive>| value.filter(|value| !is_empty(value));
        let temporary = match self.mode.as_str() {
            "AK" | "" => false,
            "StsToken" => true,
            other => return Err(CredentialError::Mode(printable(other))),
        };
        match (filled(self.access_key_id), filled(self.access_key_secret), filled(self.sts_token)) {
            (None, None, _) => Err(CredentialError::None),
            (None, _, _) | (_, None, _) => {
                Err(CredentialError::Profile("has a profile with half an AccessKey"))
            }
            (Some(_), Some(_), None) if temporary => {
                Err(CredentialError::Profile("has a profile of mode StsToken without a token"))
            }
            (Some(id), Some(secret), token) => {
                let token = token.filter(|_| temporary);
                Ok(Credential::new(id, secret, token, "profile"))
            }
        }
    }

    /// Its region.
    pub(crate) fn region(self) -> Option<String> {
        self.region_id.filter(|region| !region.is_empty())
    }
}

fn is_empty(value: &Sensitive) -> bool {
    #[expect(clippy::disallowed_methods, reason = "only its length is looked at")]
    value.expose().is_empty()
}

fn printable(mode: &str) -> String {
    mode.chars().filter(char::is_ascii_alphanumeric).take(32).collect()
}
