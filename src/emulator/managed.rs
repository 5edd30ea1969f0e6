//! Secret types: what a managed one must say of itself, and the values it has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::Refusal;
use super::random;
use crate::clock::to_seconds;

/// `SecretType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretType {
    Generic,
    Rds,
    Redis,
    RamCredentials,
    Ecs,
    PolarDb,
}

impl SecretType {
    const ALL: [Self; 6] =
        [Self::Generic, Self::Rds, Self::Redis, Self::RamCredentials, Self::Ecs, Self::PolarDb];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Generic => "Generic",
            Self::Rds => "Rds",
            Self::Redis => "Redis",
            Self::RamCredentials => "RAMCredentials",
            Self::Ecs => "ECS",
            Self::PolarDb => "PolarDB",
        }
    }

    /// The type of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The type of that name in any case, as filters have it.
    pub(crate) fn named_like(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }

    pub(crate) fn is_managed(self) -> bool {
        self != Self::Generic
    }
}

const LONGEST_CONFIG: usize = 1024;
const MOST_CUSTOM: usize = 10;

/// Reads and completes the `ExtendedConfig` of a managed type.
pub(crate) fn config(kind: SecretType, text: Option<&str>) -> Result<Map<String, Value>, Refusal> {
    let mut config: Map<String, Value> = text
        .filter(|text| text.chars().count() <= LONGEST_CONFIG)
        .and_then(|text| serde_json::from_str(text).ok())
        .ok_or(Refusal::InvalidParameter)?;
    let is = |name: &str| config.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let has = |names: &[&str]| names.iter().all(|name| is(name).is_some());
    let sub = is("SecretSubType").unwrap_or_default();
    let valid = match kind {
        SecretType::Generic => true,
        SecretType::Rds => matches!(sub, "SingleUser" | "DoubleUsers") && has(&["DBInstanceId"]),
        SecretType::Redis => {
            let clone = is("AccountName").map(|name| format!("{name}_clone"));
            sub == "DoubleUsers"
                && has(&["AccountName", "AccountPrivilege", "InstanceId", "RegionId"])
                && is("CloneAccountName") == clone.as_deref()
        }
        SecretType::RamCredentials => sub == "RamUserAccessKey" && has(&["UserName"]),
        SecretType::Ecs => matches!(sub, "Password" | "SSHKey") && has(&["RegionId", "InstanceId"]),
        SecretType::PolarDb => {
            sub == "DoubleUsers"
                && has(&["RegionId", "DBClusterId", "AccountName"])
                && match is("DBType") {
                    Some("MySQL") => true,
                    Some("PostgreSQL") => {
                        !config.contains_key("DBName") && !config.contains_key("AccountPrivilege")
                    }
                    _ => false,
                }
        }
    };
    let custom = config.get("CustomData").map(custom_data);
    match (valid, custom) {
        (true, None) => {
            config.insert("CustomData".to_owned(), Value::Object(Map::new()));
            Ok(config)
        }
        (true, Some(true)) => Ok(config),
        _ => Err(Refusal::InvalidParameter),
    }
}

/// Whether a value may be the `CustomData` of a managed secret.
pub(crate) fn custom_data(value: &Value) -> bool {
    value.as_object().is_some_and(|pairs| pairs.len() <= MOST_CUSTOM)
}

/// Whether a config still fits after its `CustomData` was replaced.
pub(crate) fn fits(config: &str) -> bool {
    config.chars().count() <= LONGEST_CONFIG
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Accounts {
    accounts: Vec<Account>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Account {
    account_name: String,
    account_password: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AccessKeys {
    access_keys: Vec<AccessKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AccessKey {
    access_key_id: String,
    access_key_secret: String,
}

/// The first value of a managed secret, in the form `GetSecretValue` gives it.
pub(crate) fn first(
    kind: SecretType,
    config: &Map<String, Value>,
    data: &str,
    now: Timestamp,
) -> Result<String, Refusal> {
    let text = |name: &str| config.get(name).and_then(Value::as_str).unwrap_or_default();
    match kind {
        SecretType::Generic => Ok(data.to_owned()),
        SecretType::Redis | SecretType::PolarDb if data == "$Auto" => {
            Ok(account(text("AccountName"), &random::password()?))
        }
        SecretType::Rds | SecretType::Redis | SecretType::PolarDb => {
            let accounts: Accounts = parse(data)?;
            let most = if text("SecretSubType") == "SingleUser" { 1 } else { 2 };
            let filled =
                |one: &Account| !one.account_name.is_empty() && !one.account_password.is_empty();
            if accounts.accounts.len() > most || !accounts.accounts.iter().all(filled) {
                return Err(Refusal::InvalidParameter);
            }
            let first = accounts.accounts.first().ok_or(Refusal::InvalidParameter)?;
            Ok(account(&first.account_name, &first.account_password))
        }
        SecretType::RamCredentials => {
            let keys: AccessKeys = parse(data)?;
            let filled = |one: &AccessKey| {
                !one.access_key_id.is_empty() && !one.access_key_secret.is_empty()
            };
            if !keys.access_keys.iter().all(filled) {
                return Err(Refusal::InvalidParameter);
            }
            let first = keys.access_keys.first().ok_or(Refusal::InvalidParameter)?;
            Ok(access_key(&first.access_key_id, &first.access_key_secret, now))
        }
        SecretType::Ecs => {
            let login: Map<String, Value> = parse(data)?;
            let has =
                |name| login.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
            let complete = has("UserName")
                && match text("SecretSubType") {
                    "Password" => has("Password"),
                    _ => has("PublicKey") && has("PrivateKey"),
                };
            if complete { Ok(data.to_owned()) } else { Err(Refusal::InvalidParameter) }
        }
    }
}

/// The next value of a managed secret.
pub(crate) fn rotated(
    kind: SecretType,
    config: Option<&str>,
    value: &str,
    now: Timestamp,
) -> Result<String, Refusal> {
    let config: Map<String, Value> =
        serde_json::from_str(config.unwrap_or("{}")).map_err(|_| Refusal::Internal)?;
    let text = |name: &str| config.get(name).and_then(Value::as_str).unwrap_or_default();
    match kind {
        SecretType::Generic => Err(Refusal::WrongType),
        SecretType::Rds | SecretType::Redis | SecretType::PolarDb => {
            let used: Account = serde_json::from_str(value).map_err(|_| Refusal::Internal)?;
            let used = used.account_name;
            // Two accounts take turns, so that the one in use keeps its password.
            let name = match (text("SecretSubType"), used.strip_suffix("_clone")) {
                ("DoubleUsers", Some(original)) => original.to_owned(),
                ("DoubleUsers", None) => format!("{used}_clone"),
                _ => used,
            };
            Ok(account(&name, &random::password()?))
        }
        SecretType::RamCredentials => {
            let id = format!("LTAI5t{}", random::alphanumeric(18)?);
            Ok(access_key(&id, &random::alphanumeric(30)?, now))
        }
        SecretType::Ecs => {
            let mut login: Map<String, Value> =
                serde_json::from_str(value).map_err(|_| Refusal::Internal)?;
            if text("SecretSubType") == "Password" {
                login.insert("Password".to_owned(), random::password()?.into());
            } else {
                let (public, private) = ssh_key()?;
                login.insert("PublicKey".to_owned(), public.into());
                login.insert("PrivateKey".to_owned(), private.into());
            }
            Ok(Value::Object(login).to_string())
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(data: &'a str) -> Result<T, Refusal> {
    serde_json::from_str(data).map_err(|_| Refusal::InvalidParameter)
}

fn account(name: &str, password: &str) -> String {
    json!({"AccountName": name, "AccountPassword": password}).to_string()
}

fn access_key(id: &str, secret: &str, now: Timestamp) -> String {
    json!({
        "AccessKeyId": id,
        "AccessKeySecret": secret,
        "GenerateTimestamp": to_seconds(now),
    })
    .to_string()
}

/// An Ed25519 key pair: the public half as in `authorized_keys`, the private one as PEM.
fn ssh_key() -> Result<(String, String), Refusal> {
    let private = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new())?;
    let pair = Ed25519KeyPair::from_pkcs8(private.as_ref()).map_err(|_| Refusal::Internal)?;
    let mut blob = Vec::new();
    for part in [b"ssh-ed25519".as_slice(), pair.public_key().as_ref()] {
        let length = u32::try_from(part.len()).map_err(|_| Refusal::Internal)?;
        blob.extend_from_slice(&length.to_be_bytes());
        blob.extend_from_slice(part);
    }
    Ok((
        format!("ssh-ed25519 {}", STANDARD.encode(blob)),
        format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(private.as_ref())
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RDS: &str = r#"{"SecretSubType":"DoubleUsers","DBInstanceId":"rm-1"}"#;

    #[test]
    fn a_config_needs_its_keys() {
        assert!(config(SecretType::Rds, Some(RDS)).unwrap().contains_key("CustomData"));
        assert!(config(SecretType::Rds, Some("{}")).is_err());
        assert!(config(SecretType::Rds, None).is_err());
        assert!(config(SecretType::Ecs, Some(RDS)).is_err());
        let ram = r#"{"SecretSubType":"RamUserAccessKey","UserName":"u","CustomData":[]}"#;
        assert!(config(SecretType::RamCredentials, Some(ram)).is_err());
    }

    #[test]
    fn a_postgres_has_no_database_name() {
        let polar = |kind: &str, more: &str| {
            let text = format!(
                r#"{{"SecretSubType":"DoubleUsers","RegionId":"r","DBClusterId":"pc-1","AccountName":"u","DBType":"{kind}"{more}}}"#
            );
            config(SecretType::PolarDb, Some(&text)).is_ok()
        };
        assert!(polar("MySQL", r#","DBName":"d""#) && polar("PostgreSQL", ""));
        assert!(!polar("PostgreSQL", r#","DBName":"d""#) && !polar("Oracle", ""));
    }

    #[test]
    fn a_first_value_is_filled_and_of_its_sub_type() {
        let config = |sub: &str| Map::from_iter([("SecretSubType".to_owned(), sub.into())]);
        let fits =
            |kind, sub, data: &str| first(kind, &config(sub), data, Timestamp::UNIX_EPOCH).is_ok();
        let one = r#"{"AccountName":"u","AccountPassword":"p"}"#;
        let two = format!(r#"{{"Accounts":[{one},{one}]}}"#);
        assert!(fits(SecretType::Rds, "DoubleUsers", &two));
        assert!(!fits(SecretType::Rds, "SingleUser", &two));
        assert!(!fits(
            SecretType::Rds,
            "DoubleUsers",
            &format!(r#"{{"Accounts":[{one},{one},{one}]}}"#)
        ));
        let keys = |id: &str, secret: &str| {
            format!(r#"{{"AccessKeys":[{{"AccessKeyId":"{id}","AccessKeySecret":"{secret}"}}]}}"#)
        };
        assert!(fits(SecretType::RamCredentials, "RamUserAccessKey", &keys("i", "s")));
        for (id, secret) in [("", "s"), ("i", "")] {
            assert!(!fits(SecretType::RamCredentials, "RamUserAccessKey", &keys(id, secret)));
        }
        let login =
            |user: &str, word: &str| format!(r#"{{"UserName":"{user}","Password":"{word}"}}"#);
        assert!(fits(SecretType::Ecs, "Password", &login("u", "p")));
        for (user, word) in [("", "p"), ("u", "")] {
            assert!(!fits(SecretType::Ecs, "Password", &login(user, word)));
        }
    }

    #[test]
    fn two_accounts_take_turns() {
        let now = Timestamp::UNIX_EPOCH;
        let given = r#"{"Accounts":[{"AccountName":"u","AccountPassword":"p"}]}"#;
        let rds = config(SecretType::Rds, Some(RDS)).unwrap();
        let first = first(SecretType::Rds, &rds, given, now).unwrap();
        assert_eq!(first, r#"{"AccountName":"u","AccountPassword":"p"}"#);
        let second = rotated(SecretType::Rds, Some(RDS), &first, now).unwrap();
        assert!(second.contains("\"u_clone\"") && !second.contains("\"p\""));
        assert!(rotated(SecretType::Rds, Some(RDS), &second, now).unwrap().contains("\"u\""));
    }

    #[test]
    fn a_rotated_login_has_a_new_key() {
        let config = r#"{"SecretSubType":"SSHKey"}"#;
        let now = Timestamp::UNIX_EPOCH;
        let login = rotated(SecretType::Ecs, Some(config), r#"{"UserName":"root"}"#, now).unwrap();
        assert!(login.contains("root") && login.contains("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"));
    }
}
