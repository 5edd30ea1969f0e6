//! What the first value of a managed secret looks like (facts/kms.md §1.1).
//!
//! Nothing of the value is kept, and no error of the parser is: it would quote the value.

use std::fmt;

use serde::{Deserialize, Deserializer};

use super::choices::Choice;
use super::extended_config::SubType;
use super::secret_type::SecretType;
use crate::operation::Invalid;
use crate::sensitive::Sensitive;

/// KMS makes the value itself.
const AUTO: &str = "$Auto";

/// The forms of a first value.
#[derive(Clone, Copy)]
enum Form {
    /// Any text.
    Free,
    /// The accounts of a database, at most so many.
    Accounts {
        most: usize,
    },
    /// `$Auto`, or in older documents the accounts.
    AutoOrAccounts,
    /// All AccessKeys of the RAM user.
    AccessKeys,
    Password,
    SshKey,
}

impl Form {
    const fn of(secret_type: SecretType, sub_type: Option<SubType>) -> Self {
        match (secret_type, sub_type) {
            (SecretType::Generic, _) => Self::Free,
            (SecretType::Rds, Some(SubType::SingleUser)) => Self::Accounts { most: 1 },
            (SecretType::Rds, _) => Self::Accounts { most: 2 },
            (SecretType::Redis | SecretType::PolarDb, _) => Self::AutoOrAccounts,
            (SecretType::RamCredentials, _) => Self::AccessKeys,
            (SecretType::Ecs, Some(SubType::SshKey)) => Self::SshKey,
            (SecretType::Ecs, _) => Self::Password,
        }
    }

    fn fits(self, value: &str) -> bool {
        match self {
            Self::Free => true,
            Self::Accounts { most } => reads::<Accounts>(value)
                .is_some_and(|read| (1..=most).contains(&read.accounts.len())),
            Self::AutoOrAccounts => value == AUTO || Self::Accounts { most: 2 }.fits(value),
            Self::AccessKeys => {
                reads::<AccessKeys>(value).is_some_and(|read| !read.access_keys.is_empty())
            }
            Self::Password => reads::<Password>(value).is_some(),
            Self::SshKey => reads::<SshKey>(value).is_some(),
        }
    }

    const fn allowed(self) -> &'static str {
        match self {
            Self::Free => "text",
            Self::Accounts { most: 1 } => {
                r#"text that holds JSON {"Accounts":[{"AccountName":"…","AccountPassword":"…"}]} with one account"#
            }
            Self::Accounts { .. } => {
                r#"text that holds JSON {"Accounts":[{"AccountName":"…","AccountPassword":"…"}]} with one or two accounts"#
            }
            Self::AutoOrAccounts => {
                r#"$Auto, or text that holds JSON {"Accounts":[{"AccountName":"…","AccountPassword":"…"}]}"#
            }
            Self::AccessKeys => {
                r#"text that holds JSON {"AccessKeys":[{"AccessKeyId":"…","AccessKeySecret":"…"}]} with all AccessKeys of the user"#
            }
            Self::Password => r#"text that holds JSON {"UserName":"…","Password":"…"}"#,
            Self::SshKey => {
                r#"text that holds JSON {"UserName":"…","PublicKey":"…","PrivateKey":"…"}"#
            }
        }
    }
}

/// A value, once it is there, has the form of its type and subtype.
pub(crate) fn check(
    secret_type: SecretType,
    sub_type: Option<SubType>,
    data: Option<&Sensitive>,
) -> Result<(), Invalid> {
    let form = Form::of(secret_type, sub_type);
    #[expect(clippy::disallowed_methods, reason = "its form is looked at and nothing kept")]
    if data.is_none_or(|value| form.fits(value.expose())) {
        return Ok(());
    }
    Err(Invalid::new("SecretData", format!("{} for {}", form.allowed(), secret_type.name())))
}

fn reads<'de, T: Deserialize<'de>>(value: &'de str) -> Option<T> {
    serde_json::from_str(value).ok()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Accounts {
    accounts: Vec<Account>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    #[serde(rename = "AccountName")]
    _name: Filled,
    #[serde(rename = "AccountPassword")]
    _password: Filled,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AccessKeys {
    access_keys: Vec<AccessKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessKey {
    #[serde(rename = "AccessKeyId")]
    _id: Filled,
    #[serde(rename = "AccessKeySecret")]
    _secret: Filled,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Password {
    #[serde(rename = "UserName")]
    _user: Filled,
    #[serde(rename = "Password")]
    _password: Filled,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SshKey {
    #[serde(rename = "UserName")]
    _user: Filled,
    #[serde(rename = "PublicKey")]
    _public: Filled,
    #[serde(rename = "PrivateKey")]
    _private: Filled,
}

/// A string that is not empty, looked at in place.
struct Filled;

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;
        impl serde::de::Visitor<'_> for Look {
            type Value = Filled;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Filled, E> {
                if text.is_empty() { Err(E::custom("empty")) } else { Ok(Filled) }
            }
        }
        deserializer.deserialize_str(Look)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(secret_type: SecretType, sub_type: SubType, value: &str) -> String {
        check(secret_type, Some(sub_type), Some(&Sensitive::new(value.into())))
            .map_or_else(|invalid| invalid.to_string(), |()| "fits".into())
    }

    #[test]
    fn every_type_has_its_form() {
        let one = r#"{"Accounts":[{"AccountName":"u","AccountPassword":"hunter2"}]}"#;
        let two = r#"{"Accounts":[{"AccountName":"u","AccountPassword":"hunter2"},{"AccountName":"v","AccountPassword":"hunter2"}]}"#;
        let keys = r#"{"AccessKeys":[{"AccessKeyId":"a","AccessKeySecret":"hunter2"}]}"#;
        let password = r#"{"UserName":"u","Password":"hunter2"}"#;
        let ssh = r#"{"UserName":"u","PublicKey":"p","PrivateKey":"hunter2"}"#;
        let all = [one, two, keys, password, ssh, "$Auto", "hunter2"];
        let cases: [(_, _, &[&str]); 8] = [
            (SecretType::Generic, SubType::SingleUser, &all),
            (SecretType::Rds, SubType::SingleUser, &[one]),
            (SecretType::Rds, SubType::DoubleUsers, &[one, two]),
            (SecretType::Redis, SubType::DoubleUsers, &["$Auto", one, two]),
            (SecretType::PolarDb, SubType::DoubleUsers, &["$Auto", one, two]),
            (SecretType::RamCredentials, SubType::RamUserAccessKey, &[keys]),
            (SecretType::Ecs, SubType::Password, &[password]),
            (SecretType::Ecs, SubType::SshKey, &[ssh]),
        ];
        for (secret_type, sub_type, good) in cases {
            for value in all {
                let said = said(secret_type, sub_type, value);
                assert_eq!(said == "fits", good.contains(&value), "{secret_type:?} {value} {said}");
                assert!(!said.contains("hunter2"), "{said}");
            }
        }
    }

    #[test]
    fn no_error_quotes_the_value() {
        for value in [
            r#"{"UserName":"u","Password":""}"#,
            r#"{"UserName":"u","Password":5}"#,
            r#"{"UserName":"u","Password":"p","hunter2":1}"#,
            r#"{"UserName":"u","Password":"p","Password":"hunter2"}"#,
            r#"{"UserName":"hunter2"}"#,
            "hunter2",
            "[]",
        ] {
            assert_eq!(
                said(SecretType::Ecs, SubType::Password, value),
                r#"`SecretData` must be text that holds JSON {"UserName":"…","Password":"…"} for ECS"#
            );
        }
        for value in [r#"{"Accounts":[]}"#, r#"{"AccessKeys":[]}"#, r#"{"Accounts":{}}"#] {
            assert_ne!(said(SecretType::Rds, SubType::SingleUser, value), "fits");
            assert_ne!(said(SecretType::RamCredentials, SubType::RamUserAccessKey, value), "fits");
        }
    }
}
