//! Every tool, answered as it should be and in every hostile way.

use serde_json::{Value, json};

use super::World;
use super::script::faults;
use crate::harness::{Emulator, Pty, Question, Server};

/// A policy that hands a secret of the account to itself.
fn policy(account: &str) -> Value {
    json!({ "Version": "1", "Statement": [{ "Effect": "Allow", "Action": ["kms:*"], "Resource": ["*"],
        "Principal": { "RAM": [format!("acs:ram::{account}:*")] } }] })
}

/// What an `Rds` secret holds.
fn accounts(password: &str) -> String {
    json!({ "Accounts": [{ "AccountName": "app", "AccountPassword": password }] }).to_string()
}

/// One call a tool, of those that nobody has to be asked about.
fn calls(world: &World) -> Vec<(&'static str, Value)> {
    let db = |more: Value| {
        let mut arguments = json!({ "SecretName": "app/db" });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arguments
    };
    vec![
        ("DescribeSecret", db(json!({ "FetchTags": true }))),
        ("ListSecrets", json!({ "Filters": [{ "Key": "SecretName", "Values": ["app/db"] }] })),
        ("ListSecretVersionIds", db(json!({ "IncludeDeprecated": true }))),
        ("PutSecretValue", db(json!({ "VersionId": "e1", "SecretData": world.second }))),
        ("UpdateSecret", db(json!({ "Description": "another" }))),
        ("UpdateSecretVersionStage", db(json!({ "VersionStage": "blue", "MoveToVersion": "v1" }))),
        ("UpdateSecretRotationPolicy", db(json!({ "EnableAutomaticRotation": false }))),
        ("RotateSecret", db(json!({ "VersionId": "r1" }))),
        ("GetSecretPolicy", json!({ "SecretName": "in/kms" })),
        ("ListKmsInstances", json!({})),
        ("ListKeys", json!({})),
        ("CreateKey", json!({ "Description": "d" })),
        ("DeleteSecret", db(json!({}))),
        ("RestoreSecret", db(json!({}))),
        (
            "CreateSecret",
            json!({ "SecretName": "app/new", "VersionId": "v1", "SecretData": world.value }),
        ),
    ]
}

/// Everything KMS, or somebody on the way, could answer to anything. A value stands only where the
/// call carried it: one that only KMS knows looks like any other text.
fn hostile(world: &World) -> Vec<Value> {
    let all = format!("{} {} {}", world.value, world.key, world.secret);
    let said = "{authorization} {body} {query} {access_key_id}";
    vec![
        json!("echo"),
        json!({ "raw": { "status": 403, "content_type": "text/html", "body": said } }),
        json!({ "raw": { "status": 200, "body": json!({ "RequestId": "{access_key_id}", "Arn": "{authorization}",
            "SecretName": "{body}", "KeyMetadata": { "KeyId": "{access_key_id}", "Arn": "{query}" } }).to_string() } }),
        json!({ "error": { "status": 400, "code": "InvalidParameter", "message": all,
            "extra": { "Recommend": all, "HostId": all } } }),
        json!({ "error": { "status": 403, "code": world.key, "message": all } }),
        json!({ "override": { "SecretName": world.value, "Arn": world.key, "VersionId": world.second,
            "RequestId": world.secret, "Description": world.key, "Policy": world.secret } }),
    ]
}

/// Plays them.
pub(super) fn play(
    world: &World,
    emulator: &Emulator,
    server: &mut Server,
    screens: &mut Vec<String>,
) {
    faults(world, emulator, None);
    let instances = server.call("ListKmsInstances", json!({}));
    let instance = instances["Result"]["KmsInstances"]["KmsInstance"][0]["KmsInstanceId"].clone();
    for (name, kind) in [("in/kms", "Generic"), ("in/rds", "Rds")] {
        let mut secret = json!({ "SecretName": name, "VersionId": "v1", "SecretType": kind, "AutoKey": true,
            "SecretData": world.value });
        if kind == "Rds" {
            secret["SecretData"] = accounts(world.value).into();
            secret["DKMSInstanceId"] = instance.clone();
            secret["ExtendedConfig"] =
                json!({ "SecretSubType": "SingleUser", "DBInstanceId": "rm-1" });
            secret["EnableAutomaticRotation"] = true.into();
            secret["RotationInterval"] = "7d".into();
        }
        let created = server.call("CreateSecret", secret);
        assert_eq!(created["Outcome"], "created", "{created}");
    }
    server.call("RotateSecret", json!({ "SecretName": "in/rds", "VersionId": "r1" }));
    server.call(
        "PutSecretValue",
        json!({ "SecretName": "in/rds", "VersionId": "v2", "SecretData": world.value }),
    );
    let masked = Question::ask(server, "GetSecretValue", json!({ "SecretName": "in/rds" }));
    assert_eq!(masked.redeem(server)["Result"]["SecretData"], "***");
    let set = json!({ "SecretName": "in/kms", "Policy": policy(&emulator.account_id) });
    let question = Question::ask(server, "SetSecretPolicy", set);
    screens.push(Pty::approve(server.home(), &[&question.code], &["in/kms"]).text);
    question.redeem(server);
    for (tool, arguments) in calls(world) {
        server.call(tool, arguments.clone());
        for effect in hostile(world) {
            faults(world, emulator, Some((tool, effect)));
            server.call(tool, arguments.clone());
        }
        faults(world, emulator, None);
    }
}
