//! [`SecretName`] and [`NewSecretName`]. The doc comments of the types are what the agent reads.

use schemars::JsonSchema;
use serde::Deserialize;

use super::secret_type::SecretType;
use crate::operation::{Invalid, Resource};

/// The longest name, in characters (facts/kms.md §1.1).
const NAME_MAX: usize = 192;
/// The longest region id, in characters; ours, today's longest has 16.
const REGION_MAX: usize = 32;
/// The longest account id, in digits; ours, today's have 16.
const ACCOUNT_MAX: usize = 20;
/// The longest ARN, in characters.
const ARN_MAX: usize = "acs:kms:::secret/".len() + REGION_MAX + ACCOUNT_MAX + NAME_MAX;

/// The name of RAMCredentials, which KMS replaces.
const AUTO: &str = "$Auto";

/// Name or ARN
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(crate) struct SecretName(#[schemars(length(min = 1, max = ARN_MAX))] String);

impl SecretName {
    /// As given.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// A name, or the ARN of a secret. A URL or a host with a port is neither: `:` is not in the
    /// alphabet.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        if self.name().is_some_and(is_name) {
            return Ok(());
        }
        Err(Invalid::new(
            "SecretName",
            "1 to 192 of the characters A-Z a-z 0-9 _/+=.-@, or acs:kms:<region>:<account>:secret/<name>",
        ))
    }

    fn name(&self) -> Option<&str> {
        let Some(rest) = self.0.strip_prefix("acs:kms:") else { return Some(&self.0) };
        let (region, rest) = rest.split_once(':')?;
        let (account, rest) = rest.split_once(':')?;
        let region_fits = !region.is_empty()
            && region.len() <= REGION_MAX
            && region
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let account_fits = !account.is_empty()
            && account.len() <= ACCOUNT_MAX
            && account.bytes().all(|byte| byte.is_ascii_digit());
        (region_fits && account_fits).then_some(rest)?.strip_prefix("secret/")
    }
}

impl From<SecretName> for String {
    fn from(name: SecretName) -> Self {
        name.0
    }
}

/// $Auto for RAMCredentials, acs/ecs/… for ECS
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(crate) struct NewSecretName(#[schemars(length(min = 1, max = NAME_MAX))] String);

impl NewSecretName {
    /// A name, no ARN, in the form of its type (facts/kms.md §1.1). Of `PolarDB` nothing is
    /// written; it is held to what the other databases are.
    pub(crate) fn check(&self, secret_type: SecretType) -> Result<(), Invalid> {
        let (fits, allowed) = match secret_type {
            SecretType::Generic | SecretType::Rds | SecretType::Redis | SecretType::PolarDb => (
                is_name(&self.0) && !self.0.starts_with("acs/"),
                "1 to 192 of the characters A-Z a-z 0-9 _/+=.-@, not beginning with acs/",
            ),
            SecretType::Ecs => (
                is_name(&self.0)
                    && self.0.strip_prefix("acs/ecs/").is_some_and(|rest| !rest.is_empty()),
                "acs/ecs/ and more of the characters A-Z a-z 0-9 _/+=.-@, at most 192",
            ),
            SecretType::RamCredentials => {
                (self.0 == AUTO, "$Auto for RAMCredentials: KMS names it acs/ram/user/<user>")
            }
        };
        if fits { Ok(()) } else { Err(Invalid::new("SecretName", allowed)) }
    }

    /// What is named: the names that KMS makes up are all under one prefix.
    pub(crate) fn resource(&self) -> Resource {
        Resource::secret(if self.0 == AUTO { "acs/ram/user/*" } else { &self.0 })
    }
}

impl From<NewSecretName> for String {
    fn from(name: NewSecretName) -> Self {
        name.0
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= NAME_MAX
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_/+=.-@".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_names_and_arns_only() {
        let longest = "n".repeat(192);
        let arn = format!("acs:kms:cn-hangzhou:1234567890123456:secret/{longest}");
        for good in ["db", "a/b_c+d=e.f-g@h", "acs/ram/user/x", &longest, &arn] {
            assert!(SecretName(good.into()).check().is_ok(), "{good}");
        }
        let too_long = "n".repeat(193);
        for bad in [
            "",
            "http://169.254.169.254/",
            "host:80",
            "name with space",
            "naïve",
            "a\nb",
            "a\u{202e}b",
            "$Auto",
            "acs:kms:cn-hangzhou:1234:key/x",
            "acs:kms:cn-hangzhou:1234:secret/",
            "acs:kms:evil.com/:1234:secret/x",
            "acs:kms:cn-hangzhou:*:secret/x",
            "acs:kms::1234:secret/x",
            "acs:kms:cn-hangzhou:1234:secret/a:b",
            "acs:ram::1234:user/x",
            &too_long,
        ] {
            let invalid = SecretName(bad.into()).check().unwrap_err();
            assert_eq!(invalid.field, "SecretName");
            assert!(bad.is_empty() || !invalid.allowed.contains(bad));
        }
    }

    #[test]
    fn new_names_have_the_form_of_their_type() {
        let all = [
            "db",
            "acsx/db",
            "acs/db",
            "acs/ecs/",
            "acs/ecs/i-1",
            "acs/ram/user/x",
            "$Auto",
            "a b",
            "acs:kms:cn-hangzhou:1234:secret/x",
        ];
        let cases: [(_, &[&str]); 6] = [
            (SecretType::Generic, &["db", "acsx/db"]),
            (SecretType::Rds, &["db", "acsx/db"]),
            (SecretType::Redis, &["db", "acsx/db"]),
            (SecretType::PolarDb, &["db", "acsx/db"]),
            (SecretType::Ecs, &["acs/ecs/i-1"]),
            (SecretType::RamCredentials, &["$Auto"]),
        ];
        for (secret_type, good) in cases {
            for name in all {
                let fits = NewSecretName(name.into()).check(secret_type).is_ok();
                assert_eq!(fits, good.contains(&name), "{secret_type:?} {name}");
            }
        }
    }
}
