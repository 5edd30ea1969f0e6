//! What is sent, and what follows from the arguments.

use serde_json::{Value, json};

use super::super::catalogue;
use super::{Probes, Says, probe};
use crate::operation::{Destination, Outcome, Resource, ResourceKind, Retry, Risk, Witness};

fn says(action: &str, arguments: &Value) -> Says {
    (probe(action).says)(arguments)
}

fn policy() -> Value {
    json!({ "Version": "1", "Statement": [{ "Effect": "Allow", "Principal":
        { "RAM": ["acs:ram::1234567890123456:*"] }, "Action": ["kms:*"], "Resource": ["*"] }] })
}

fn sends(cases: &[(&str, Value, &[&str])]) {
    for (action, arguments, wire) in cases {
        assert_eq!(&says(action, arguments).wire, wire, "{action}");
    }
}

#[test]
fn every_parameter_of_the_main_job_has_its_place() {
    sends(&[
        (
            "CreateSecret",
            json!({ "SecretName": "db", "VersionId": "v1", "SecretData": "s3cret", "SecretDataType": "binary",
                "EncryptionKeyId": "key-1", "Description": "d", "Tags": [{ "TagKey": "k", "TagValue": "v" }],
                "SecretType": "Generic", "DKMSInstanceId": "kst-1" }),
            &[
                "Q SecretName=db",
                "Q VersionId=v1",
                "B SecretData=s3cret",
                "Q SecretDataType=binary",
                "Q EncryptionKeyId=key-1",
                "Q Description=d",
                r#"Q Tags=[{"TagKey":"k","TagValue":"v"}]"#,
                "Q SecretType=Generic",
                "Q DKMSInstanceId=kst-1",
            ],
        ),
        (
            "DescribeSecret",
            json!({ "SecretName": "db", "FetchTags": true }),
            &["Q SecretName=db", "Q FetchTags=true"],
        ),
        (
            "ListSecrets",
            json!({ "PageNumber": 2, "PageSize": 5, "FetchTags": false,
                "Filters": [{ "Key": "DKMSInstanceId", "Values": ["kst-1", "kst-2"] }] }),
            &[
                "Q PageNumber=2",
                "Q PageSize=5",
                "Q FetchTags=false",
                r#"Q Filters=[{"Key":"DKMSInstanceId","Values":["kst-1","kst-2"]}]"#,
            ],
        ),
        ("ListSecrets", json!({}), &[]),
        (
            "GetSecretValue",
            json!({ "SecretName": "db", "VersionStage": "ACSPrevious", "VersionId": "v1",
                "FetchExtendedConfig": true, "DryRun": true, "Destination": "agent" }),
            &[
                "Q SecretName=db",
                "Q VersionStage=ACSPrevious",
                "Q VersionId=v1",
                "Q FetchExtendedConfig=true",
                "Q DryRun=true",
            ],
        ),
        (
            "PutSecretValue",
            json!({ "SecretName": "db", "VersionId": "v2", "SecretData": "s3cret",
                "SecretDataType": "text", "VersionStages": ["ACSCurrent", "ACSNext"] }),
            &[
                "Q SecretName=db",
                "Q VersionId=v2",
                "B SecretData=s3cret",
                "Q SecretDataType=text",
                r#"Q VersionStages=["ACSCurrent","ACSNext"]"#,
            ],
        ),
        (
            "DeleteSecret",
            json!({ "SecretName": "db", "ForceDeleteWithoutRecovery": false, "RecoveryWindowInDays": 7 }),
            &["Q SecretName=db", "Q ForceDeleteWithoutRecovery=false", "Q RecoveryWindowInDays=7"],
        ),
        (
            "DeleteSecret",
            json!({ "SecretName": "db", "ForceDeleteWithoutRecovery": true }),
            &["Q SecretName=db", "Q ForceDeleteWithoutRecovery=true"],
        ),
        ("RestoreSecret", json!({ "SecretName": "db" }), &["Q SecretName=db"]),
    ]);
}

#[test]
fn every_parameter_of_the_others_has_its_place() {
    sends(&[
        (
            "UpdateSecret",
            json!({ "SecretName": "db", "Description": "d", "ExtendedConfig.CustomData": { "b": "1", "a": "2" } }),
            &[
                "Q SecretName=db",
                "Q Description=d",
                r#"Q ExtendedConfig.CustomData={"b":"1","a":"2"}"#,
            ],
        ),
        (
            "ListSecretVersionIds",
            json!({ "SecretName": "db", "IncludeDeprecated": true, "PageNumber": 1, "PageSize": 20 }),
            &["Q SecretName=db", "Q IncludeDeprecated=true", "Q PageNumber=1", "Q PageSize=20"],
        ),
        (
            "UpdateSecretVersionStage",
            json!({ "SecretName": "db", "VersionStage": "ACSCurrent", "MoveToVersion": "v1", "RemoveFromVersion": "v2" }),
            &[
                "Q SecretName=db",
                "Q VersionStage=ACSCurrent",
                "Q MoveToVersion=v1",
                "Q RemoveFromVersion=v2",
            ],
        ),
        (
            "UpdateSecretRotationPolicy",
            json!({ "SecretName": "db", "EnableAutomaticRotation": true, "RotationInterval": "7d" }),
            &["Q SecretName=db", "Q EnableAutomaticRotation=true", "Q RotationInterval=7d"],
        ),
        (
            "UpdateSecretRotationPolicy",
            json!({ "SecretName": "db", "EnableAutomaticRotation": false }),
            &["Q SecretName=db", "Q EnableAutomaticRotation=false"],
        ),
        (
            "RotateSecret",
            json!({ "SecretName": "acs:kms:cn-hangzhou:1234567890123456:secret/db", "VersionId": "v2" }),
            &["Q SecretName=acs:kms:cn-hangzhou:1234567890123456:secret/db", "Q VersionId=v2"],
        ),
        (
            "SetSecretPolicy",
            json!({ "SecretName": "db", "Policy": policy(), "PolicyName": "default" }),
            &["Q SecretName=db", &format!("Q Policy={}", policy()), "Q PolicyName=default"],
        ),
        (
            "GetSecretPolicy",
            json!({ "SecretName": "db", "PolicyName": "default" }),
            &["Q SecretName=db", "Q PolicyName=default"],
        ),
        (
            "ListKmsInstances",
            json!({ "PageNumber": 1, "PageSize": 20 }),
            &["Q PageNumber=1", "Q PageSize=20"],
        ),
        (
            "ListKeys",
            json!({ "PageNumber": 1, "PageSize": 10, "Filters": [{ "Key": "keyId", "Values": ["k"] }] }),
            &["Q PageNumber=1", "Q PageSize=10", r#"Q Filters=[{"Key":"keyId","Values":["k"]}]"#],
        ),
        (
            "CreateKey",
            json!({ "DKMSInstanceId": "kst-1", "Description": "d", "EnableAutomaticRotation": true,
                "RotationInterval": "365d", "KeySpec": "Aliyun_AES_256", "KeyUsage": "ENCRYPT/DECRYPT",
                "KeyStorageMechanism": "HsmEncryptedDatabase", "Origin": "EXTERNAL", "ProtectionLevel": "HSM",
                "Policy": policy(), "Tags": [{ "TagKey": "k", "TagValue": "v" }] }),
            &[
                "Q DKMSInstanceId=kst-1",
                "Q Description=d",
                "Q EnableAutomaticRotation=true",
                "Q RotationInterval=365d",
                "Q KeySpec=Aliyun_AES_256",
                "Q KeyUsage=ENCRYPT/DECRYPT",
                "Q KeyStorageMechanism=HsmEncryptedDatabase",
                "Q Origin=EXTERNAL",
                "Q ProtectionLevel=HSM",
                &format!("Q Policy={}", policy()),
                r#"Q Tags=[{"TagKey":"k","TagValue":"v"}]"#,
            ],
        ),
    ]);
}

#[test]
fn risks_and_outcomes() {
    let create = json!({ "SecretName": "db", "VersionId": "v1", "SecretData": "x" });
    let name = json!({ "SecretName": "db" });
    let force = json!({ "SecretName": "db", "ForceDeleteWithoutRecovery": true });
    let update = json!({ "SecretName": "db", "Description": "d" });
    let stage = json!({ "SecretName": "db", "VersionStage": "s", "MoveToVersion": "v1" });
    let rotation = json!({ "SecretName": "db", "EnableAutomaticRotation": false });
    let rotate = json!({ "SecretName": "db", "VersionId": "v2" });
    let set_policy = json!({ "SecretName": "db", "Policy": policy() });
    let cases = [
        ("CreateSecret", &create, Risk::Write, Some(Outcome::Created)),
        ("PutSecretValue", &create, Risk::Write, Some(Outcome::Created)),
        ("DescribeSecret", &name, Risk::Inspect, None),
        ("GetSecretValue", &name, Risk::Reveal, None),
        ("DeleteSecret", &name, Risk::Write, Some(Outcome::Scheduled)),
        ("DeleteSecret", &force, Risk::Destroy, Some(Outcome::Deleted)),
        ("RestoreSecret", &name, Risk::Write, Some(Outcome::Restored)),
        ("ListSecretVersionIds", &name, Risk::Inspect, None),
        ("GetSecretPolicy", &name, Risk::Inspect, None),
        ("UpdateSecret", &update, Risk::Write, Some(Outcome::Updated)),
        ("UpdateSecretVersionStage", &stage, Risk::Write, Some(Outcome::Updated)),
        ("UpdateSecretRotationPolicy", &rotation, Risk::Write, Some(Outcome::Updated)),
        ("RotateSecret", &rotate, Risk::Write, Some(Outcome::Rotated)),
        ("SetSecretPolicy", &set_policy, Risk::Destroy, Some(Outcome::Updated)),
    ];
    for (action, arguments, risk, outcome) in cases {
        let said = says(action, arguments);
        assert_eq!((said.risk, said.outcome), (risk, outcome), "{action}");
        assert_eq!(said.resource, Resource::secret("db"), "{action}");
        assert!(said.risk <= probe(action).risks, "{action}");
    }
    let account = Resource { kind: ResourceKind::Account, name: String::new() };
    for action in ["ListSecrets", "ListKeys", "ListKmsInstances"] {
        let said = says(action, &json!({}));
        assert_eq!(
            (said.risk, said.outcome, said.resource),
            (Risk::Inspect, None, account.clone())
        );
    }
    let key = Resource { kind: ResourceKind::Key, name: String::new() };
    let said = says("CreateKey", &json!({}));
    assert_eq!(
        (said.risk, said.outcome, said.resource),
        (Risk::Write, Some(Outcome::Created), key)
    );
    assert_eq!(says("CreateKey", &json!({ "Policy": policy() })).risk, Risk::Destroy);
    assert_eq!(says("CreateSecret", &create).secret_type.as_deref(), Some("Generic"));
    assert_eq!(says("PutSecretValue", &create).secret_type, None);
}

#[test]
fn what_an_approver_is_shown_was_read() {
    let witness = |action, arguments: Value| says(action, &arguments).witness;
    assert_eq!(witness("DeleteSecret", json!({ "SecretName": "db" })), Witness::Secret);
    let set_policy = json!({ "SecretName": "db", "Policy": policy() });
    assert_eq!(witness("SetSecretPolicy", set_policy), Witness::SecretOfInstance);
    assert_eq!(
        witness("DeleteSecret", json!({ "SecretName": "db", "ForceDeleteWithoutRecovery": true })),
        Witness::SecretWithVersions
    );
    assert_eq!(
        witness("GetSecretValue", json!({ "SecretName": "db" })),
        Witness::Version { version_id: None, stage: "ACSCurrent".into() }
    );
    assert_eq!(
        witness(
            "GetSecretValue",
            json!({ "SecretName": "db", "VersionId": "v1", "VersionStage": "s" })
        ),
        Witness::Version { version_id: Some("v1".into()), stage: "s".into() }
    );
}

#[test]
fn only_one_action_has_a_destination() {
    let read = |to: &str| says("GetSecretValue", &json!({ "SecretName": "db", "Destination": to }));
    assert_eq!(read("mask").destination, Some(Destination::Mask));
    assert_eq!(read("agent").destination, Some(Destination::Agent));
    let name = json!({ "SecretName": "db" });
    assert_eq!(says("GetSecretValue", &name).destination, Some(Destination::Mask));
    assert_eq!(says("DescribeSecret", &name).destination, None);
}

#[test]
fn two_codes_settle_and_no_others() {
    let codes = [
        "Forbidden.ResourceNotFound",
        "Forbidden.NoPermission",
        "Forbidden.KeyNotFound",
        "InvalidAccessKeyId.NotFound",
        "Rejected.ResourceExist",
        "Rejected.ResourceInDeleteWindow",
        "Rejected.ResourceInUse",
    ];
    for probe in catalogue(&mut Probes) {
        for code in codes {
            let expected = match (probe.action, code) {
                ("DeleteSecret", "Forbidden.ResourceNotFound") => Some(Outcome::AlreadyAbsent),
                ("RestoreSecret", "Rejected.ResourceInUse") => Some(Outcome::AlreadyActive),
                _ => None,
            };
            assert_eq!((probe.settles)(code), expected, "{} {code}", probe.action);
        }
    }
}

#[test]
fn a_write_is_repeated_only_where_it_is_harmless() {
    for probe in catalogue(&mut Probes) {
        let once = ["CreateSecret", "PutSecretValue", "CreateKey", "UpdateSecretVersionStage"];
        let expected =
            if once.contains(&probe.action) { Retry::NotActed } else { Retry::Idempotent };
        assert_eq!(probe.retry, expected, "{}", probe.action);
    }
}
