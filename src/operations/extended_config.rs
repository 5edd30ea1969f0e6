//! [`ExtendedConfig`]: what a managed secret opens. Which keys belong to which type is in `managed`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::choices::choices;
use crate::operation::Invalid;

/// The longest configuration, in characters of JSON (facts/kms.md §1.1).
const CHARACTERS_MAX: usize = 1_024;
/// The most pairs of custom data (facts/kms.md §1.1).
const PAIRS_MAX: usize = 10;

/// Managed types only; SecretSubType decides which keys
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[schemars(inline, extend("examples" = [{ "SecretSubType": "SingleUser", "DBInstanceId": "rm-1" }]))]
pub(crate) struct ExtendedConfig {
    pub(crate) secret_sub_type: SubType,
    #[serde(rename = "DBInstanceId", skip_serializing_if = "Option::is_none")]
    db_instance_id: Option<Text>,
    #[serde(rename = "DBClusterId", skip_serializing_if = "Option::is_none")]
    db_cluster_id: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_id: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region_id: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_name: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clone_account_name: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_privilege: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_type: Option<AccountType>,
    #[serde(rename = "DBType", skip_serializing_if = "Option::is_none")]
    pub(crate) db_type: Option<DbType>,
    #[serde(rename = "DBName", skip_serializing_if = "Option::is_none")]
    db_name: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_data: Option<CustomData>,
}

/// 256 characters are ours; the whole may have 1,024.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, description = "")]
struct Text(#[schemars(length(min = 1, max = 256))] String);

choices! {
    enum SubType {
        SingleUser = "SingleUser",
        DoubleUsers = "DoubleUsers",
        RamUserAccessKey = "RamUserAccessKey",
        Password = "Password",
        SshKey = "SSHKey",
    }

    enum DbType {
        MySql = "MySQL",
        PostgreSql = "PostgreSQL",
    }

    enum AccountType {
        Normal = "Normal",
    }
}

impl ExtendedConfig {
    /// The keys that are given, as they are sent.
    pub(crate) fn given(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(given)) => given,
            Ok(_) | Err(_) => Map::new(),
        }
    }

    /// The second account is named after the first.
    pub(crate) fn clone_follows_account(&self) -> bool {
        match (&self.account_name, &self.clone_account_name) {
            (Some(account), Some(clone)) => clone.0.strip_suffix("_clone") == Some(&account.0),
            _ => false,
        }
    }

    /// What holds for every type.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        check_length("ExtendedConfig", self)?;
        if !self.region_id.iter().all(|region| is_region(&region.0)) {
            return Err(Invalid::new(
                "ExtendedConfig.RegionId",
                "a region id, such as cn-hangzhou",
            ));
        }
        Ok(())
    }
}

fn is_region(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn check_length(field: &str, content: &impl Serialize) -> Result<(), Invalid> {
    match serde_json::to_string(content) {
        Ok(json) if json.chars().count() <= CHARACTERS_MAX => Ok(()),
        Ok(_) | Err(_) => Err(Invalid::new(field, "at most 1,024 characters of JSON")),
    }
}

/// Pairs of one's own; the schema holds their number and that they are strings.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct CustomData(Map<String, Value>);

impl CustomData {
    /// As part of the configuration, it shares its limit.
    pub(crate) fn check(&self, field: &str) -> Result<(), Invalid> {
        check_length(field, self)
    }
}

impl JsonSchema for CustomData {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CustomData".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "maxProperties": PAIRS_MAX,
            "additionalProperties": { "type": "string", "maxLength": CHARACTERS_MAX } })
    }
}
