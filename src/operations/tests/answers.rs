//! What the agent sees of the official samples (facts/kms.md §1).

use serde_json::{Value, json};

use super::{Visit, catalogue, probe};
use crate::operation::{Operation, Params, Sent, schema};

fn view(action: &str, answer: Value) -> Value {
    (probe(action).view)(answer, &sent()).0
}

/// A call about version `v2` of `db`, after `v1` was listed.
fn sent() -> Sent {
    let mut sent = Sent::new(&Params::new().query("VersionId", "v2"));
    sent.name = "db".into();
    sent.region = "cn-hangzhou".into();
    sent.versions.push("v1".into());
    sent
}

/// The same, without what is not shown.
fn without(mut answer: Value, hidden: &[&str]) -> Value {
    answer.as_object_mut().unwrap().retain(|name, _| !hidden.contains(&name.as_str()));
    answer
}

#[test]
fn samples_are_shown_in_kms_names_without_the_request_id() {
    let cases = [
        (
            "CreateSecret",
            json!({ "Arn": "acs:kms:cn-hangzhou:1117600963841234:secret/db", "RequestId": "r",
                "SecretName": "db", "SecretType": "Generic", "VersionId": "v1" }),
        ),
        (
            "DescribeSecret",
            json!({ "RequestId": "r", "Arn": "acs:kms:cn-hangzhou:1:secret/db", "SecretName": "db",
                "SecretType": "Rds", "Description": "", "EncryptionKeyId": "key-1",
                "CreateTime": "2024-01-02T03:04:05Z", "UpdateTime": "2024-01-02T03:04:05Z",
                "DKMSInstanceId": "kst-1", "PlannedDeleteTime": "2024-04-15T07:02:14Z",
                "AutomaticRotation": "Enabled", "RotationInterval": "604800s",
                "LastRotationDate": "2024-01-02T03:04:05Z", "NextRotationDate": "2024-01-09T03:04:05Z",
                "ExtendedConfig": "{\"SecretSubType\":\"SingleUser\"}", "OwingService": "rds",
                "Tags": { "Tag": [{ "TagKey": "k", "TagValue": "v" }] } }),
        ),
        (
            "ListSecrets",
            json!({ "RequestId": "r", "PageNumber": 1, "PageSize": 10, "TotalCount": 1,
                "SecretList": { "Secret": [{ "SecretName": "db", "SecretType": "Generic",
                    "CreateTime": "2024-01-02T03:04:05Z", "UpdateTime": "2024-01-02T03:04:05Z",
                    "PlannedDeleteTime": "2024-04-15T07:02:14Z",
                    "Tags": { "Tag": [{ "TagKey": "k", "TagValue": "v" }] } }] } }),
        ),
        (
            "PutSecretValue",
            json!({ "RequestId": "r", "SecretName": "db", "VersionId": "v2",
                "VersionStages": { "VersionStage": ["ACSCurrent"] } }),
        ),
        (
            "DeleteSecret",
            json!({ "RequestId": "r", "SecretName": "db",
                "PlannedDeleteTime": "2020-01-22T04:28:22.006884739Z" }),
        ),
        ("RestoreSecret", json!({ "RequestId": "r", "SecretName": "db" })),
        ("UpdateSecret", json!({ "RequestId": "r", "SecretName": "db" })),
        ("UpdateSecretVersionStage", json!({ "RequestId": "r", "SecretName": "db" })),
        ("UpdateSecretRotationPolicy", json!({ "RequestId": "r", "SecretName": "db" })),
        (
            "RotateSecret",
            json!({ "RequestId": "r", "Arn": "acs:kms:cn-hangzhou:1:secret/db", "SecretName": "db",
                "VersionId": "v2" }),
        ),
        ("SetSecretPolicy", json!({ "RequestId": "r" })),
        (
            "GetSecretPolicy",
            json!({ "RequestId": "r", "Policy": r#"{"Version":"1","Statement": [{"Sid":"kms default secret policy"}] }"# }),
        ),
        (
            "ListSecretVersionIds",
            json!({ "RequestId": "r", "SecretName": "db", "PageNumber": 1, "PageSize": 20,
                "TotalCount": 1, "VersionIds": { "VersionId": [{ "VersionId": "v1",
                    "CreateTime": "2024-01-02T03:04:05Z",
                    "VersionStages": { "VersionStage": ["ACSCurrent"] } }] } }),
        ),
        (
            "ListKmsInstances",
            json!({ "RequestId": "r", "PageNumber": 1, "PageSize": 20, "TotalCount": 1,
                "KmsInstances": { "KmsInstance": [{ "KmsInstanceId": "kst-1",
                    "KmsInstanceArn": "acs:kms:cn-hangzhou:1:keystore/kst-1" }] } }),
        ),
        (
            "ListKeys",
            json!({ "RequestId": "r", "PageNumber": 1, "PageSize": 10, "TotalCount": 1,
                "Keys": { "Key": [{ "KeyId": "key-1", "KeyArn": "acs:kms:cn-hangzhou:1:key/key-1" }] } }),
        ),
        (
            "CreateKey",
            json!({ "RequestId": "r", "KeyMetadata": { "KeyId": "key-1",
                "Arn": "acs:kms:cn-hangzhou:1:key/key-1", "KeySpec": "Aliyun_AES_256",
                "KeyState": "Enabled", "KeyUsage": "ENCRYPT/DECRYPT", "Origin": "Aliyun_KMS",
                "Creator": "1", "CreationDate": "2024-01-02T03:04:05Z", "Description": "",
                "ProtectionLevel": "SOFTWARE", "PrimaryKeyVersion": "pv-1", "DKMSInstanceId": "kst-1",
                "AutomaticRotation": "Disabled", "LastRotationDate": "2024-01-02T03:04:05Z",
                "DeleteDate": "", "MaterialExpireTime": "" } }),
        ),
    ];
    for (action, answer) in cases {
        assert_eq!(view(action, answer.clone()), without(answer, &["RequestId"]), "{action}");
        assert!(
            view(action, json!({})).is_object(),
            "{action}: an empty answer is still an answer"
        );
    }
}

#[test]
fn the_value_is_taken_out_and_masked() {
    let answer = json!({ "RequestId": "r", "SecretName": "db", "SecretType": "Generic",
        "SecretData": "hunter2", "SecretDataType": "text", "VersionId": "v1",
        "VersionStages": { "VersionStage": ["ACSCurrent"] }, "CreateTime": "2024-01-02T03:04:05Z" });
    let (shown, value) = (probe("GetSecretValue").view)(answer.clone(), &sent());
    assert_eq!(value.as_deref(), Some("hunter2"));
    let mut expected = without(answer, &["RequestId"]);
    expected["SecretData"] = json!("***");
    assert_eq!(shown, expected);
    let (shown, value) = (probe("GetSecretValue").view)(json!({}), &sent());
    assert_eq!((shown, value), (json!({ "SecretData": "***" }), None));
}

/// The schema of what each action that carries a value shows.
struct Carriers;

impl Visit for Carriers {
    type Entry = (&'static str, Value);
    fn visit<O: Operation>(&mut self) -> Self::Entry {
        (O::SPEC.action, schema::output_schema::<O::View>())
    }
}

/// A text wherever the schema has one.
fn filled(schema: &Value, text: &str) -> Value {
    match schema["type"].as_str() {
        Some("object") => {
            let members = schema["properties"].as_object().unwrap();
            members.iter().map(|(name, member)| (name.clone(), filled(member, text))).collect()
        }
        Some("array") => json!([filled(&schema["items"], text)]),
        _ => text.into(),
    }
}

#[test]
fn an_answer_that_carries_a_value_shows_no_text_that_the_call_did_not_know() {
    let carriers = ["CreateSecret", "PutSecretValue", "GetSecretValue"];
    let schemas = catalogue(&mut Carriers);
    for (action, schema) in schemas.into_iter().filter(|(action, _)| carriers.contains(action)) {
        for text in ["Zk7-quiet-lantern-41", "12345678", "v3", "acs:kms:cn-hangzhou:1:secret/Zk7"] {
            let mut answer = filled(&schema, text);
            answer["ExtendedConfig"] = json!({ "CustomData": { "note": text } });
            let shown = view(action, answer).to_string();
            assert!(!shown.contains(text), "{action}: {shown}");
        }
    }
}

#[test]
fn members_that_are_enumerations_pass_with_a_known_word_only() {
    let answer = json!({ "SecretType": "Zk7", "AutomaticRotation": "Zk7", "RotationInterval": "7 Zk7",
        "CreateTime": "Zk7", "NextRotationDate": 7 });
    let shown = view("DescribeSecret", answer);
    assert_eq!(
        shown,
        json!({ "SecretType": "unknown", "CreateTime": "unknown", "AutomaticRotation": "unknown",
            "RotationInterval": "unknown", "NextRotationDate": "" })
    );
    let key = json!({ "KeyMetadata": { "KeySpec": "Zk7", "KeyState": "Zk7", "KeyUsage": "Zk7",
        "Origin": "Zk7", "ProtectionLevel": "Zk7" } });
    assert!(!view("CreateKey", key).to_string().contains("Zk7"));
    assert_eq!(view("DescribeSecret", json!({ "SecretType": "RDS" }))["SecretType"], "Rds");
}

#[test]
fn odd_answers_are_still_read() {
    assert_eq!(
        view(
            "ListSecrets",
            json!({ "PageNumber": "1", "TotalCount": 3, "New": {}, "SecretList": null })
        ),
        json!({ "PageNumber": 1, "TotalCount": 3 })
    );
    assert_eq!(
        view(
            "DescribeSecret",
            json!({ "SecretName": 5, "AutomaticRotation": true, "Tags": {}, "ExtendedConfig": { "a": 1 } })
        ),
        json!({ "SecretName": "5", "AutomaticRotation": "unknown", "Tags": {}, "ExtendedConfig": r#"{"a":1}"# })
    );
}

#[test]
fn json_is_not_cut_as_other_text_is() {
    let long = format!(r#"{{"Sid":"{}"}}"#, "s".repeat(5_000));
    let shown = view("GetSecretPolicy", json!({ "Policy": long }));
    assert_eq!(shown, json!({ "Policy": long }));
}

#[test]
fn text_of_others_is_cleaned() {
    let answer = json!({ "Description": "a\u{202e}b LTAI5tAbCdEfGhIjKlMnOp", "Tags": { "Tag": [
        { "TagKey": "k\u{0}", "TagValue": "v\n" }] } });
    assert_eq!(
        view("DescribeSecret", answer),
        json!({ "Description": "ab [AccessKey removed]", "Tags": { "Tag": [
            { "TagKey": "k", "TagValue": "v " }] } })
    );
}
