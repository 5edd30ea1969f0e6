//! The managed types: what their configuration and their first value look like (facts/kms.md §1.1).

use super::choices::Choice;
use super::extended_config::{DbType, ExtendedConfig, SubType};
use super::secret_data::SecretDataType;
use super::secret_type::SecretType;
use crate::operation::Invalid;

/// What belongs into the configuration of a type, beside `CustomData`.
struct Form {
    sub_types: &'static [SubType],
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

impl Form {
    /// `None` for Generic.
    const fn of(secret_type: SecretType) -> Option<Self> {
        Some(match secret_type {
            SecretType::Generic => return None,
            SecretType::Rds => Self {
                sub_types: &[SubType::SingleUser, SubType::DoubleUsers],
                required: &["SecretSubType", "DBInstanceId"],
                optional: &[],
            },
            SecretType::Redis => Self {
                sub_types: &[SubType::DoubleUsers],
                required: &[
                    "SecretSubType",
                    "AccountName",
                    "CloneAccountName",
                    "AccountPrivilege",
                    "InstanceId",
                    "RegionId",
                ],
                optional: &[],
            },
            SecretType::RamCredentials => Self {
                sub_types: &[SubType::RamUserAccessKey],
                required: &["SecretSubType", "UserName"],
                optional: &[],
            },
            SecretType::Ecs => Self {
                sub_types: &[SubType::Password, SubType::SshKey],
                required: &["SecretSubType", "RegionId", "InstanceId"],
                optional: &[],
            },
            SecretType::PolarDb => Self {
                sub_types: &[SubType::DoubleUsers],
                required: &["SecretSubType", "RegionId", "DBClusterId", "DBType", "AccountName"],
                optional: &["CloneAccountName", "AccountType", "AccountPrivilege", "DBName"],
            },
        })
    }
}

/// Type, configuration, kind of data and rotation go together.
pub(crate) fn check(
    secret_type: SecretType,
    config: Option<&ExtendedConfig>,
    data_type: Option<SecretDataType>,
    rotated: bool,
) -> Result<(), Invalid> {
    let Some(form) = Form::of(secret_type) else { return check_generic(config, rotated) };
    let name = secret_type.name();
    if data_type == Some(SecretDataType::Binary) {
        return Err(Invalid::new("SecretDataType", format!("text for {name}")));
    }
    let Some(config) = config else {
        return Err(Invalid::new(
            "ExtendedConfig",
            format!("given for {name}, with {}", form.required.join(", ")),
        ));
    };
    config.check()?;
    check_keys(name, &form, config)?;
    check_values(secret_type, config)
}

/// KMS cannot change the value of a Generic secret, only whoever owns what it opens can.
fn check_generic(config: Option<&ExtendedConfig>, rotated: bool) -> Result<(), Invalid> {
    if rotated {
        return Err(Invalid::new(
            "EnableAutomaticRotation",
            "false or left out for a Generic secret: KMS rotates managed types only. Store each new value with PutSecretValue",
        ));
    }
    if config.is_some() {
        return Err(Invalid::new("ExtendedConfig", "left out for a Generic secret"));
    }
    Ok(())
}

fn check_keys(name: &str, form: &Form, config: &ExtendedConfig) -> Result<(), Invalid> {
    if !form.sub_types.contains(&config.secret_sub_type) {
        let known: Vec<&str> = form.sub_types.iter().map(|sub_type| sub_type.name()).collect();
        return Err(Invalid::new(
            "ExtendedConfig.SecretSubType",
            format!("{} for {name}", known.join(" or ")),
        ));
    }
    let given = config.given();
    if let Some(missing) = form.required.iter().find(|key| !given.contains_key(**key)) {
        return Err(Invalid::new(
            format!("ExtendedConfig.{missing}"),
            format!("given for {name}, which needs {}", form.required.join(", ")),
        ));
    }
    let known = |key: &str| {
        key == "CustomData" || form.required.contains(&key) || form.optional.contains(&key)
    };
    if let Some(extra) = given.keys().find(|key| !known(key)) {
        return Err(Invalid::new(
            format!("ExtendedConfig.{extra}"),
            format!(
                "left out for {name}, which knows {}",
                [form.required, form.optional].concat().join(", ")
            ),
        ));
    }
    Ok(())
}

fn check_values(secret_type: SecretType, config: &ExtendedConfig) -> Result<(), Invalid> {
    if secret_type == SecretType::Redis && !config.clone_follows_account() {
        return Err(Invalid::new(
            "ExtendedConfig.CloneAccountName",
            "`AccountName` with `_clone` at its end",
        ));
    }
    if config.db_type == Some(DbType::PostgreSql) {
        let given = config.given();
        if let Some(key) =
            ["AccountPrivilege", "DBName"].iter().find(|key| given.contains_key(**key))
        {
            return Err(Invalid::new(format!("ExtendedConfig.{key}"), "left out for PostgreSQL"));
        }
    }
    Ok(())
}
