//! The profile of the `aliyun` CLI, `~/.aliyun/config.json`, chosen as the CLI chooses it
//! (aliyun-cli, `config/configuration.go`).

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde::Deserialize;

use super::defect::{Part, check};
use super::{Credential, CredentialError, Region, defect_of_name, printable};
use crate::env::{Env, PROFILE, PROFILE_DISABLED};
use crate::files::{Rules, read_owned};
use crate::sensitive::Sensitive;

/// The file's largest size in bytes; beyond it something else is wrong.
const MAX_BYTES: u64 = 1024 * 1024;
/// The profile in force when neither a variable nor the file names one.
const DEFAULT: &str = "default";
/// How many profiles an error names.
const MAX_NAMED: usize = 10;

#[derive(Deserialize)]
struct File {
    current: Option<String>,
    profiles: Option<Vec<Profile>>,
}

/// One profile; what it holds beside this is not read.
#[derive(Debug, Deserialize)]
pub(super) struct Profile {
    name: Option<String>,
    mode: Option<String>,
    access_key_id: Option<Sensitive>,
    access_key_secret: Option<Sensitive>,
    sts_token: Option<Sensitive>,
    region_id: Option<String>,
    /// What names the profile, in words.
    #[serde(skip)]
    named_by: String,
}

impl Profile {
    /// The profile in force: the one that the first of the variables names, else the file's
    /// `current`, else `default`. `None`: there is no file, or a variable says to leave it aside.
    pub(super) fn current(env: &Env) -> Result<Option<Self>, CredentialError> {
        let Some(path) = path(env) else { return Ok(None) };
        // Whoever can write the file chooses the account.
        let rules = Rules::settings(MAX_BYTES).following_links();
        let Some(bytes) = read_owned(&path, rules)? else { return Ok(None) };
        let json = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let file: File = serde_json::from_slice(json).map_err(|_| {
            CredentialError::Content("is not the JSON that `aliyun configure` writes")
        })?;
        let profiles = file.profiles.unwrap_or_default();
        let current = file.current.filter(|current| !current.is_empty());
        let place = match env.first(&PROFILE) {
            Some((variable, _)) => format!("`{variable}`"),
            None => "`current` of `~/.aliyun/config.json`".to_owned(),
        };
        let (wanted, named_by) = match (env.first(&PROFILE), current) {
            (Some((variable, name)), _) => (name.to_owned(), variables(env, variable)),
            (None, Some(current)) => (current, "its `current`".to_owned()),
            (None, None) if profiles.is_empty() => return Ok(None),
            (None, None) => (DEFAULT.to_owned(), "it names no `current`".to_owned()),
        };
        let there = list(&profiles);
        let is_wanted = |profile: &Self| profile.name.as_deref() == Some(wanted.as_str());
        if let Some(profile) = profiles.into_iter().find(is_wanted) {
            return Ok(Some(Self { named_by, ..profile }));
        }
        Err(match defect_of_name(&wanted) {
            Some(defect) => CredentialError::Defect { place, defect },
            None => CredentialError::NoProfile { wanted: printable(&wanted), named_by, there },
        })
    }

    /// Its credential.
    pub(super) fn credential(self) -> Result<Credential, CredentialError> {
        let name = printable(self.name.as_deref().unwrap_or_default());
        let lacks = |lacks| Err(CredentialError::Incomplete { name: name.clone(), lacks });
        let filled = |value: Option<Sensitive>| value.filter(|value| !is_empty(value));
        let temporary = match self.mode.as_deref() {
            Some("AK" | "") | None => false,
            Some("StsToken") => true,
            Some(other) => return Err(CredentialError::Mode(printable(other))),
        };
        let token = filled(self.sts_token).filter(|_| temporary);
        let (id, secret) = match (filled(self.access_key_id), filled(self.access_key_secret)) {
            (None, None) => return lacks("no AccessKey"),
            (None, _) | (_, None) => return lacks("half an AccessKey"),
            (Some(_), Some(_)) if temporary && token.is_none() => {
                return lacks("mode StsToken, but no token");
            }
            (Some(id), Some(secret)) => (id, secret),
        };
        let place = |member| format!("`{member}` of the profile `{name}`");
        check(Part::Id, &id, || place("access_key_id"))?;
        check(Part::Secret, &secret, || place("access_key_secret"))?;
        if let Some(token) = &token {
            check(Part::Token, token, || place("sts_token"))?;
        }
        Ok(Credential::new(id, secret, token, format!("profile `{name}` ({})", self.named_by)))
    }

    /// Its region.
    pub(super) fn region(&self) -> Option<Region> {
        let id = self.region_id.clone().filter(|region| !region.is_empty())?;
        let name = printable(self.name.as_deref().unwrap_or_default());
        let place = format!("`region_id` of the profile `{name}` in `~/.aliyun/config.json`");
        Some(Region { id, place })
    }
}

/// That others can read the file with the keys in it.
pub(super) fn is_readable_by_others(env: &Env) -> Option<String> {
    let path = path(env)?;
    let mode = std::fs::metadata(&path).ok()?.permissions().mode() & 0o777;
    (mode & 0o044 != 0).then(|| {
        format!("others can read `{}` (mode {mode:04o}); run `chmod go-rwx` on it", path.display())
    })
}

/// Where the file is, unless it is to be left aside.
fn path(env: &Env) -> Option<PathBuf> {
    let is_true = |name| env.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    file(env).filter(|_| !PROFILE_DISABLED.into_iter().any(is_true))
}

/// Where the file is, used or not.
pub(crate) fn file(env: &Env) -> Option<PathBuf> {
    Some(env.home()?.join(".aliyun/config.json"))
}

/// The variable that counts, and those that name another profile.
fn variables(env: &Env, counts: &'static str) -> String {
    let mut said = format!("named by `{counts}`");
    for other in PROFILE.into_iter().filter(|other| *other != counts) {
        if env.get(other).is_some_and(|name| env.get(counts) != Some(name)) {
            said.push_str(&format!("; `{other}` names another one, which is not used"));
        }
    }
    said
}

/// The names of profiles, for an error.
fn list(profiles: &[Profile]) -> String {
    let names: Vec<String> = profiles
        .iter()
        .filter_map(|profile| Some(format!("`{}`", printable(profile.name.as_deref()?))))
        .take(MAX_NAMED)
        .collect();
    match profiles.len().saturating_sub(names.len()) {
        _ if names.is_empty() => "it has none".into(),
        0 => format!("it has {}", names.join(", ")),
        more => format!("it has {} and {more} more", names.join(", ")),
    }
}

fn is_empty(value: &Sensitive) -> bool {
    #[expect(clippy::disallowed_methods, reason = "only its length is looked at")]
    value.expose().is_empty()
}
