//! What is refused before anything is sent, and in which words.

use serde_json::{Value, json};

use super::{holds, verdict, with};

#[test]
fn secret_names() {
    for action in ["DescribeSecret", "GetSecretValue", "DeleteSecret", "RestoreSecret"] {
        for name in ["db", "a/b", "acs:kms:cn-hangzhou:1234567890123456:secret/a/b"] {
            assert_eq!(verdict(action, &json!({ "SecretName": name })), "fits");
        }
        for name in ["http://169.254.169.254/", "a b", "a\u{202e}b", "acs:kms:x/y:1:secret/a"] {
            let says = verdict(action, &json!({ "SecretName": name }));
            assert!(says.starts_with("`SecretName` must be 1 to 192 of"), "{says}");
            assert!(!says.contains(name), "{says}");
        }
        holds([
            (action, json!({}), "`SecretName` must be given"),
            (action, json!({ "SecretName": null }), "`SecretName` must be a string"),
            (action, json!({ "SecretName": "" }), "1 to 261 characters"),
            (action, json!({ "SecretName": "n".repeat(193) }), "1 to 192 of"),
            (action, json!({ "SecretName": "a", "Nmae": "b" }), "`Nmae` must be left out"),
        ]);
    }
}

#[test]
fn create_secret() {
    let base = json!({ "SecretName": "db", "VersionId": "v1", "SecretData": "x" });
    let set = |name, value| with(&base, name, value);
    let action = "CreateSecret";
    holds([
        (action, base.clone(), "fits"),
        (action, set("SecretName", json!("acs/db")), "not beginning with acs/"),
        (action, set("SecretName", json!("acs:kms:cn-hangzhou:1:secret/x")), "`SecretName` must"),
        (action, set("SecretName", json!("n".repeat(192))), "fits"),
        (action, set("SecretName", json!("n".repeat(193))), "1 to 192 characters"),
        (action, set("VersionId", json!("é".repeat(64))), "fits"),
        (action, set("VersionId", json!("v".repeat(65))), "`VersionId` must be 1 to 64"),
        (action, set("VersionId", json!("v\u{200b}1")), "1 to 64 visible characters"),
        (action, set("SecretData", json!("x".repeat(30_720))), "fits"),
        (action, set("SecretData", json!("x".repeat(30_721))), "`SecretData` must be"),
        (action, set("SecretData", json!("é".repeat(15_360))), "fits"),
        (action, set("SecretData", json!("é".repeat(15_361))), "1 to 30,720 bytes"),
        (action, set("SecretData", json!("")), "`SecretData` must be 1 to"),
        (action, set("SecretData", json!(5)), "`SecretData` must be a string"),
        (action, set("SecretDataSource", json!({ "Env": "A" })), "left out when `SecretData`"),
        (action, json!({ "SecretName": "db", "VersionId": "v1" }), "`SecretData` must be given"),
        (
            action,
            json!({ "SecretName": "db", "VersionId": "v1", "SecretDataSource": { "File": "/f" } }),
            "fits",
        ),
        (
            action,
            json!({ "SecretName": "db", "VersionId": "v1", "SecretDataSource": {} }),
            "exactly one of `Env` and `File`",
        ),
        (action, set("SecretDataType", json!("Text")), "one of `text`, `binary`"),
        (
            action,
            set("SecretType", json!("generic")),
            "`SecretType` must be one of `Generic`, `Rds`",
        ),
        (action, set("Description", json!("d".repeat(8192))), "fits"),
        (action, set("Description", json!("d".repeat(8193))), "0 to 8192 characters"),
        (action, set("DKMSInstanceId", json!("kst-hzz68c22f94iwd4k7v0jf")), "fits"),
        (action, set("DKMSInstanceId", json!("kms.example.com")), "`DKMSInstanceId` must be"),
        (action, set("EncryptionKeyId", json!("key-hzz62f1cb66fa42qo1234")), "fits"),
        (action, set("EncryptionKeyId", json!("a b")), "`EncryptionKeyId` must be"),
    ]);
}

#[test]
fn tags() {
    let base = json!({ "SecretName": "db", "VersionId": "v1", "SecretData": "x" });
    let action = "CreateSecret";
    let tag =
        |key: &str, value: &str| with(&base, "Tags", json!([{ "TagKey": key, "TagValue": value }]));
    holds([
        (action, tag("team", r"a/b\c_d-e.f+g=h:i@j"), "fits"),
        (action, tag("k", ""), "fits"),
        (action, tag("", "v"), "`Tags[0].TagKey` must be 1 to 128"),
        (action, tag(&"k".repeat(129), "v"), "`Tags[0].TagKey` must be 1 to 128"),
        (action, tag("k", &"v".repeat(129)), "`Tags[0].TagValue` must be 0 to 128"),
        (action, tag("a b", "v"), "`Tags[0].TagKey` must be"),
        (action, tag("k", "ключ"), "`Tags[0].TagValue` must be"),
        (action, tag("aliyun-x", "v"), "not beginning with aliyun or acs:"),
        (action, tag("acs:x", "v"), "not beginning with aliyun or acs:"),
        (
            action,
            with(&base, "Tags", json!(vec![json!({ "TagKey": "k", "TagValue": "v" }); 21])),
            "`Tags` must be an array of 0 to 20 items",
        ),
        (
            action,
            with(&base, "Tags", json!([{ "TagKey": "k" }])),
            "`Tags[0].TagValue` must be given",
        ),
        (
            action,
            with(&base, "Tags", json!(r#"[{"TagKey":"k","TagValue":"v"}]"#)),
            r#"JSON, not a string that holds JSON: for example [{"TagKey":"…","TagValue":"…"}]"#,
        ),
    ]);
}

#[test]
fn listing() {
    let action = "ListSecrets";
    let filter = |filter: Value| json!({ "Filters": filter });
    let values = |count| json!([{ "Key": "TagKey", "Values": vec!["v"; count] }]);
    holds([
        (action, json!({}), "fits"),
        (action, json!({ "PageNumber": 1, "PageSize": 100, "FetchTags": true }), "fits"),
        (action, json!({ "PageNumber": 0 }), "`PageNumber` must be an integer from 1 to"),
        (action, json!({ "PageNumber": 2_147_483_648_u64 }), "`PageNumber` must be an integer"),
        (action, json!({ "PageSize": 0 }), "`PageSize` must be an integer from 1 to 100"),
        (action, json!({ "PageSize": 101 }), "`PageSize` must be an integer from 1 to 100"),
        (action, json!({ "PageSize": -1 }), "`PageSize` must be an integer from 1 to 100"),
        (action, json!({ "PageSize": 1.0 }), "`PageSize` must be an integer"),
        (action, json!({ "PageSize": "10" }), "an integer, without quotes"),
        (action, json!({ "FetchTags": "true" }), "a boolean: true or false, without quotes"),
        (action, json!({ "FetchTags": "True" }), "a boolean: true or false, without quotes"),
        (action, json!({ "FetchTags": 1 }), "`FetchTags` must be a boolean"),
        (action, json!({ "FetchTags": null }), "`FetchTags` must be a boolean"),
        (action, filter(json!([])), "fits"),
        (action, filter(values(10)), "fits"),
        (action, filter(values(11)), "`Filters[0].Values` must be an array of 1 to 10 items"),
        (action, filter(values(0)), "`Filters[0].Values` must be an array of 1 to 10 items"),
        (
            action,
            filter(json!(vec![json!({ "Key": "TagKey", "Values": ["v"] }); 11])),
            "`Filters` must be an array of 0 to 10 items",
        ),
        (action, filter(json!([{ "Key": "Name", "Values": ["v"] }])), "one of `SecretName`"),
        (
            action,
            filter(json!(r#"[{"Key":"SecretName","Values":["a"]}]"#)),
            r#"for example [{"Key":"SecretName","Values":["…"]}]"#,
        ),
    ]);
}

#[test]
fn get_secret_value() {
    let action = "GetSecretValue";
    let set = |name, value| with(&json!({ "SecretName": "db" }), name, value);
    let to_file =
        |name: &str| json!({ "SecretName": "db", "Destination": "file", "FileName": name });
    holds([
        (action, set("VersionStage", json!("ACSPrevious")), "fits"),
        (action, set("VersionStage", json!("s\n")), "`VersionStage` must be 1 to 128 visible"),
        (action, set("VersionId", json!("v".repeat(65))), "`VersionId` must be 1 to 64"),
        (action, set("Destination", json!("mask")), "fits"),
        (action, set("Destination", json!("agent")), "fits"),
        (action, set("Destination", json!("file")), "`FileName` must be given"),
        (action, set("FileName", json!("a.txt")), "`FileName` must be left out unless"),
        (action, to_file("a.txt"), "fits"),
        (action, to_file(".hidden"), "a plain name"),
        (action, to_file("a/b"), "a plain name"),
        (action, set("Destination", json!("person")), "fits"),
        (action, set("Destination", json!("screen")), "one of `mask`, `person`, `file`, `agent`"),
        (action, set("DryRun", json!("true")), "`DryRun` must be a boolean"),
    ]);
}

#[test]
fn put_secret_value() {
    let action = "PutSecretValue";
    let base = json!({ "SecretName": "db", "VersionId": "v2", "SecretData": "x" });
    let set = |name, value| with(&base, name, value);
    holds([
        (action, set("VersionStages", json!(["ACSCurrent", "ACSNext"])), "fits"),
        (action, set("VersionStages", json!([])), "an array of 1 to 8 items"),
        (action, set("VersionStages", json!(vec!["s"; 9])), "an array of 1 to 8 items"),
        (action, set("VersionStages", json!(["ok", "\u{7}"])), "`VersionStages[1]` must be"),
        (action, set("VersionStages", json!(r#"["ACSCurrent"]"#)), r#"for example ["ACSCurrent"]"#),
        (action, set("SecretData", json!("é".repeat(15_361))), "1 to 30,720 bytes"),
        (action, set("SecretDataSource", json!({ "Env": "A", "File": "b" })), "left out when"),
    ]);
}

#[test]
fn delete_secret() {
    let action = "DeleteSecret";
    let delete = |force: Value, days: Value| json!({ "SecretName": "db", "ForceDeleteWithoutRecovery": force, "RecoveryWindowInDays": days });
    holds([
        (action, json!({ "SecretName": "db", "ForceDeleteWithoutRecovery": true }), "fits"),
        (action, json!({ "SecretName": "db", "RecoveryWindowInDays": 7 }), "fits"),
        (action, json!({ "SecretName": "db", "RecoveryWindowInDays": 30 }), "fits"),
        (action, json!({ "SecretName": "db", "RecoveryWindowInDays": 6 }), "from 7 to 30"),
        (action, json!({ "SecretName": "db", "RecoveryWindowInDays": 31 }), "from 7 to 30"),
        (action, delete(json!(false), json!(7)), "fits"),
        (action, delete(json!(true), json!(7)), "`RecoveryWindowInDays` must be left out when"),
        (action, delete(json!("true"), json!(7)), "a boolean: true or false, without quotes"),
    ]);
}

#[test]
fn update_secret() {
    let action = "UpdateSecret";
    let set = |name, value| with(&json!({ "SecretName": "db" }), name, value);
    let custom = "ExtendedConfig.CustomData";
    let pairs: serde_json::Map<_, _> = (0..11).map(|k| (k.to_string(), json!("v"))).collect();
    holds([
        (action, json!({ "SecretName": "db" }), "`Description` must be given, or `ExtendedConfig"),
        (action, set("Description", json!("")), "fits"),
        (action, set("Description", json!("d".repeat(8193))), "0 to 8192 characters"),
        (action, set(custom, json!({ "k": "v" })), "fits"),
        (action, set(custom, json!(pairs)), "`ExtendedConfig.CustomData` must be an object of at"),
        (action, set(custom, json!({ "k": "v".repeat(1024) })), "at most 1,024 characters"),
        (action, set(custom, json!({ "k": {} })), "`ExtendedConfig.CustomData.k` must be a string"),
        (action, set("ExtendedConfig", json!({})), "`ExtendedConfig` must be left out"),
    ]);
}

#[test]
fn update_secret_version_stage() {
    let action = "UpdateSecretVersionStage";
    let stage = |stage: &str| json!({ "SecretName": "db", "VersionStage": stage });
    let to = |base: &Value| with(base, "MoveToVersion", json!("v1"));
    let from = |base: &Value| with(base, "RemoveFromVersion", json!("v2"));
    holds([
        (action, json!({ "SecretName": "db" }), "`VersionStage` must be given"),
        (action, stage("mine"), "`MoveToVersion` must be given, or `RemoveFromVersion`"),
        (action, to(&stage("mine")), "fits"),
        (action, from(&stage("mine")), "fits"),
        (action, to(&from(&stage("mine"))), "fits"),
        (action, to(&stage("ACSCurrent")), "fits"),
        (action, to(&from(&stage("ACSPrevious"))), "fits"),
        (action, from(&stage("ACSCurrent")), "ACSCurrent and ACSPrevious can be moved"),
        (action, from(&stage("ACSPrevious")), "ACSCurrent and ACSPrevious can be moved"),
        (action, stage("ACSCurrent"), "ACSCurrent and ACSPrevious can be moved"),
        (action, with(&stage("mine"), "MoveToVersion", json!("")), "`MoveToVersion` must be 1"),
        (action, with(&stage("mine"), "RemoveFromVersion", json!("\u{7}")), "1 to 64 visible"),
    ]);
}

#[test]
fn rotation() {
    let action = "UpdateSecretRotationPolicy";
    let policy = |on: bool| json!({ "SecretName": "db", "EnableAutomaticRotation": on });
    let every = |on, interval: &str| with(&policy(on), "RotationInterval", json!(interval));
    holds([
        (action, json!({ "SecretName": "db" }), "`EnableAutomaticRotation` must be given"),
        (action, policy(false), "fits"),
        (action, policy(true), "`RotationInterval` must be given when"),
        (action, every(true, "6h"), "fits"),
        (action, every(true, "365d"), "fits"),
        (action, every(false, "7d"), "fits"),
        (action, every(true, "5h"), "from 6h to 365d"),
        (action, every(true, "1y"), "an integer with a unit d, h, m or s"),
        (action, every(true, "7"), "an integer with a unit d, h, m or s"),
        ("RotateSecret", json!({ "SecretName": "db" }), "`VersionId` must be given"),
        ("RotateSecret", json!({ "SecretName": "db", "VersionId": "v2" }), "fits"),
        ("RotateSecret", json!({ "SecretName": "db", "VersionId": "v".repeat(65) }), "1 to 64"),
    ]);
}

#[test]
fn secret_policies() {
    let name = json!({ "SecretName": "db" });
    holds([
        ("GetSecretPolicy", with(&name, "PolicyName", json!("default")), "fits"),
        ("GetSecretPolicy", with(&name, "PolicyName", json!("mine")), "one of `default`"),
        ("SetSecretPolicy", name.clone(), "`Policy` must be given"),
        ("SetSecretPolicy", with(&name, "Policy", json!({})), "`Policy.Version` must be given"),
        (
            "SetSecretPolicy",
            with(&name, "Policy", json!("{}")),
            r#"for example {"Version":"1","Statement":[{"Effect":"Allow","Principal":{"RAM":["#,
        ),
    ]);
}

#[test]
fn keys() {
    let action = "CreateKey";
    let set = |name, value| with(&json!({}), name, value);
    let rotated =
        |interval: &str| json!({ "EnableAutomaticRotation": true, "RotationInterval": interval });
    holds([
        (action, json!({}), "fits"),
        (action, set("KeySpec", json!("Aliyun_AES_256")), "fits"),
        (action, set("KeySpec", json!("AES/256")), "`KeySpec` must be of the characters"),
        (action, set("KeyUsage", json!("ENCRYPT/DECRYPT")), "fits"),
        (action, set("KeyUsage", json!("ENCRYPT")), "one of `ENCRYPT/DECRYPT`, `SIGN/VERIFY`"),
        (action, set("Origin", json!("Aliyun_kms")), "one of `Aliyun_KMS`, `EXTERNAL`"),
        (action, set("KeyStorageMechanism", json!("Hsm")), "one of `HsmInternal`, `HsmEncr"),
        (action, set("ProtectionLevel", json!("hsm")), "one of `SOFTWARE`, `HSM`"),
        (action, set("Description", json!("d".repeat(8193))), "0 to 8192 characters"),
        (action, set("DKMSInstanceId", json!("kst.example.com")), "`DKMSInstanceId` must be"),
        (action, set("Policy", json!({})), "`Policy.Version` must be given"),
        (action, set("Tags", json!([{ "TagKey": "acs:x", "TagValue": "" }])), "`Tags[0].TagKey`"),
        (action, set("EnableAutomaticRotation", json!(true)), "`RotationInterval` must be given"),
        (
            action,
            set(
                "Tags",
                json!([{ "TagKey": "k", "TagValue": "a" }, { "TagKey": "k", "TagValue": "a" }]),
            ),
            "`Tags[1].TagKey` must be another",
        ),
        (action, rotated("365d"), "fits"),
        (action, rotated("6d"), "from 7d to 365d"),
        ("ListKeys", json!({ "Filters": [{ "Key": "keyId", "Values": ["k"] }] }), "fits"),
        (
            "ListKeys",
            json!({ "Filters": [{ "Key": "KeyId", "Values": ["k"] }] }),
            "one of `KeyState`",
        ),
        ("ListKeys", json!({ "PageSize": 101 }), "from 1 to 100"),
        ("ListKmsInstances", json!({ "PageSize": 101 }), "from 1 to 100"),
        ("ListKmsInstances", json!({ "Filters": [] }), "`Filters` must be left out"),
        ("ListSecretVersionIds", json!({ "SecretName": "db", "PageSize": 0 }), "from 1 to 100"),
    ]);
}
