//! `CreateSecret` beyond Generic: managed types, rotation and a policy.

use serde_json::{Map, Value, json};

use super::{holds, probe, verdict, with};
use crate::operation::{Resource, Risk};

const ACTION: &str = "CreateSecret";
const ACCOUNTS: &str = r#"{"Accounts":[{"AccountName":"u","AccountPassword":"hunter2"}]}"#;
const KEYS: &str = r#"{"AccessKeys":[{"AccessKeyId":"a","AccessKeySecret":"hunter2"}]}"#;
const PASSWORD: &str = r#"{"UserName":"u","Password":"hunter2"}"#;
const SSH: &str = r#"{"UserName":"u","PublicKey":"p","PrivateKey":"hunter2"}"#;

fn create(name: &str, secret_type: &str, data: &str, config: &Value) -> Value {
    json!({ "SecretName": name, "VersionId": "v1", "SecretType": secret_type, "SecretData": data,
        "ExtendedConfig": config })
}

/// One of each type and subtype, complete and with nothing optional.
fn complete() -> Vec<Value> {
    let rds = |sub| json!({ "SecretSubType": sub, "DBInstanceId": "rm-1" });
    let ecs = |sub| json!({ "SecretSubType": sub, "RegionId": "cn-hangzhou", "InstanceId": "i-1" });
    vec![
        create("db", "Rds", ACCOUNTS, &rds("SingleUser")),
        create("db", "Rds", ACCOUNTS, &rds("DoubleUsers")),
        create(
            "cache",
            "Redis",
            "$Auto",
            &json!({ "SecretSubType": "DoubleUsers", "AccountName": "u", "CloneAccountName": "u_clone",
                "AccountPrivilege": "RoleReadOnly", "InstanceId": "r-1", "RegionId": "cn-hangzhou" }),
        ),
        create(
            "$Auto",
            "RAMCredentials",
            KEYS,
            &json!({ "SecretSubType": "RamUserAccessKey", "UserName": "u" }),
        ),
        create("acs/ecs/i-1", "ECS", PASSWORD, &ecs("Password")),
        create("acs/ecs/i-1", "ECS", SSH, &ecs("SSHKey")),
        create(
            "polar",
            "PolarDB",
            "$Auto",
            &json!({ "SecretSubType": "DoubleUsers", "RegionId": "cn-hangzhou", "DBClusterId": "pc-1",
                "DBType": "PostgreSQL", "AccountName": "u" }),
        ),
    ]
}

fn configure(base: &Value, key: &str, value: Value) -> Value {
    with(base, "ExtendedConfig", with(&base["ExtendedConfig"], key, value))
}

#[test]
fn each_type_has_its_keys_and_misses_each_of_them() {
    for arguments in complete() {
        assert_eq!(verdict(ACTION, &arguments), "fits", "{arguments}");
        let config = arguments["ExtendedConfig"].as_object().unwrap();
        for key in config.keys() {
            let rest: Map<String, Value> = config
                .iter()
                .filter(|(name, _)| *name != key)
                .map(|(n, v)| (n.clone(), v.clone()))
                .collect();
            let says = verdict(ACTION, &with(&arguments, "ExtendedConfig", Value::Object(rest)));
            assert!(says.starts_with(&format!("`ExtendedConfig.{key}` must be given")), "{says}");
        }
        let says = verdict(ACTION, &with(&arguments, "SecretDataType", json!("binary")));
        assert!(says.starts_with("`SecretDataType` must be text for"), "{says}");
        assert_eq!(verdict(ACTION, &with(&arguments, "SecretDataType", json!("text"))), "fits");
        let says = verdict(ACTION, &with(&arguments, "SecretData", json!("hunter2")));
        assert!(says.starts_with("`SecretData` must be") && !says.contains("hunter2"), "{says}");
        let mut bare = arguments.clone();
        bare.as_object_mut().unwrap().shift_remove("ExtendedConfig");
        let says = verdict(ACTION, &bare);
        assert!(says.starts_with("`ExtendedConfig` must be given for"), "{says}");
        let rotated = with(&arguments, "EnableAutomaticRotation", json!(true));
        assert_eq!(verdict(ACTION, &with(&rotated, "RotationInterval", json!("7d"))), "fits");
    }
}

#[test]
fn what_does_not_fit_the_type_is_named() {
    let all = complete();
    let [rds, _, redis, ram, ecs, _, polar] = all.as_slice() else { panic!("seven") };
    let mysql = configure(polar, "DBType", json!("MySQL"));
    holds([
        (
            ACTION,
            configure(rds, "SecretSubType", json!("DualUser")),
            "one of `SingleUser`, `DoubleUsers`",
        ),
        (
            ACTION,
            configure(rds, "SecretSubType", json!("SSHKey")),
            "SingleUser or DoubleUsers for Rds",
        ),
        (
            ACTION,
            configure(rds, "UserName", json!("u")),
            "`ExtendedConfig.UserName` must be left out for Rds",
        ),
        (ACTION, configure(rds, "Nope", json!("u")), "`ExtendedConfig.Nope` must be left out"),
        (ACTION, configure(rds, "DBInstanceId", json!("")), "1 to 256 characters"),
        (ACTION, configure(redis, "CloneAccountName", json!("v")), "`AccountName` with `_clone`"),
        (
            ACTION,
            configure(ecs, "RegionId", json!("evil.com/")),
            "`ExtendedConfig.RegionId` must be a region",
        ),
        (ACTION, with(ecs, "SecretName", json!("i-1")), "`SecretName` must be acs/ecs/"),
        (ACTION, with(ram, "SecretName", json!("acs/ram/user/u")), "`SecretName` must be $Auto"),
        (ACTION, with(rds, "SecretName", json!("$Auto")), "`SecretName` must be 1 to 192"),
        (ACTION, configure(polar, "DBName", json!("d")), "left out for PostgreSQL"),
        (ACTION, configure(&mysql, "DBName", json!("d")), "fits"),
        (ACTION, configure(&mysql, "AccountType", json!("Super")), "one of `Normal`"),
        (
            ACTION,
            with(rds, "ExtendedConfig", json!(r#"{"SecretSubType":"SingleUser"}"#)),
            r#"JSON, not a string that holds JSON: for example {"SecretSubType":"SingleUser","DBInstanceId":"rm-1""#,
        ),
    ]);
}

#[test]
fn custom_data_and_length() {
    let all = complete();
    let pairs = |count: usize, value: &str| -> Value {
        (0..count).map(|index| (format!("k{index}"), json!(value))).collect::<Map<_, _>>().into()
    };
    let custom = |value| configure(&all[0], "CustomData", value);
    holds([
        (ACTION, custom(pairs(10, "v")), "fits"),
        (ACTION, custom(json!({})), "fits"),
        (
            ACTION,
            custom(pairs(11, "v")),
            "`ExtendedConfig.CustomData` must be an object of at most 10",
        ),
        (ACTION, custom(json!({ "k": 1 })), "`ExtendedConfig.CustomData.k` must be a string"),
        (ACTION, custom(pairs(10, &"v".repeat(100))), "`ExtendedConfig` must be at most 1,024"),
    ]);
}

#[test]
fn a_generic_secret_is_not_rotated_and_is_told_the_way_out() {
    let base = json!({ "SecretName": "db", "VersionId": "v1", "SecretData": "x" });
    let rotated = with(&base, "EnableAutomaticRotation", json!(true));
    holds([
        (ACTION, with(&rotated, "RotationInterval", json!("7d")), "PutSecretValue"),
        (ACTION, rotated, "`EnableAutomaticRotation` must be false or left out for a Generic"),
        (ACTION, with(&base, "EnableAutomaticRotation", json!(false)), "fits"),
        (
            ACTION,
            with(&base, "RotationInterval", json!("7d")),
            "`EnableAutomaticRotation` must be given",
        ),
        (
            ACTION,
            with(&base, "ExtendedConfig", json!({ "SecretSubType": "SingleUser" })),
            "`ExtendedConfig` must be left out for a Generic",
        ),
    ]);
    let managed = with(&complete()[0], "EnableAutomaticRotation", json!(true));
    holds([
        (ACTION, managed.clone(), "`RotationInterval` must be given when"),
        (ACTION, with(&managed, "RotationInterval", json!("5h")), "from 6h to 365d"),
        (ACTION, with(&managed, "RotationInterval", json!("366d")), "from 6h to 365d"),
    ]);
}

#[test]
fn a_managed_secret_on_the_wire() {
    let all = complete();
    let mut arguments = with(&all[3], "EnableAutomaticRotation", json!(true));
    arguments = with(&arguments, "RotationInterval", json!("7d"));
    let said = (probe(ACTION).says)(&arguments);
    assert_eq!(
        said.wire,
        [
            "Q SecretName=$Auto",
            "Q VersionId=v1",
            &format!("B SecretData={KEYS}"),
            "Q SecretType=RAMCredentials",
            r#"Q ExtendedConfig={"SecretSubType":"RamUserAccessKey","UserName":"u"}"#,
            "Q EnableAutomaticRotation=true",
            "Q RotationInterval=7d",
        ]
    );
    assert_eq!(said.resource, Resource::secret("acs/ram/user/*"));
    assert_eq!(said.secret_type.as_deref(), Some("RAMCredentials"));
    assert_eq!(said.risk, Risk::Write);
}

#[test]
fn any_policy_counts_as_handing_values_to_others() {
    let policy = json!({ "Version": "1", "Statement": [{ "Effect": "Allow", "Principal":
        { "RAM": ["acs:ram::1234567890123456:*"] }, "Action": ["kms:*"], "Resource": ["*"] }] });
    let base = json!({ "SecretName": "db", "VersionId": "v1", "SecretData": "x" });
    let shared = with(&base, "Policy", policy.clone());
    let arguments = with(&shared, "DKMSInstanceId", json!("kst-1"));
    let said = (probe(ACTION).says)(&arguments);
    assert_eq!(said.risk, Risk::Destroy);
    assert_eq!(said.wire.last().unwrap(), &format!("Q Policy={policy}"));
    holds([
        (ACTION, with(&shared, "AutoKey", json!(true)), "fits"),
        (ACTION, with(&shared, "AutoKey", json!(false)), "only secrets of a KMS instance"),
        (ACTION, shared, "`DKMSInstanceId` must be given"),
        (
            ACTION,
            with(&base, "Policy", json!("{}")),
            r#"for example {"Version":"1","Statement":[{"#,
        ),
        (
            ACTION,
            with(&base, "Policy", json!({ "Version": "1" })),
            "`Policy.Statement` must be given",
        ),
    ]);
}
