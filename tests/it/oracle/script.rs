//! The script: what is asked of a person, with success, confirmations and every kind of error.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{World, every_tool};
use crate::harness::{Emulator, Pty, Question, Server};

/// The default without limits of versions and keys, and a person for what is guarded, with a value
/// in the record.
pub(super) const POLICY: &str = "version = 1
extends = 'default'
drop = ['new-version', 'create-key']
[[rule]]
id = 'guarded'
action = ['PutSecretValue']
secret = ['guarded/*']
confirm = 'person'
reason = 'It is guarded.'
[[rule]]
id = 'forbidden'
action = ['PutSecretValue', 'GetSecretValue']
secret = ['forbidden/*']
deny = true
instead = 'Leave it.'
reason = 'It is forbidden.'
";

/// What KMS may answer: everything that could repeat a request.
fn upstream(world: &World) -> Vec<(&'static str, Value)> {
    let raw = |status: u16, kind: &str, body: &str| json!({ "raw": { "status": status, "content_type": kind, "body": body } });
    let json = "application/json";
    let error = |status: u16, code: &str, extra: Value| {
        let message = format!("{} {} {}", world.value, world.key, world.secret);
        json!({ "error": { "status": status, "code": code, "message": message, "extra": extra } })
    };
    vec![
        ("CreateSecret", json!("echo")),
        ("PutSecretValue", json!("echo")),
        ("CreateSecret", json!("cut_before")),
        ("CreateSecret", json!("cut_after")),
        ("CreateSecret", raw(502, "text/html", "<html>{authorization}<br>{body}<p>{query}</html>")),
        ("DescribeSecret", raw(403, "text/html", "<pre>{authorization}</pre>")),
        ("CreateSecret", raw(200, "text/html", "{authorization} {body}")),
        (
            "CreateSecret",
            raw(400, json, r#"{"Code":"{access_key_id}","Message":"{authorization}"}"#),
        ),
        (
            "CreateSecret",
            raw(400, json, r#"{"Code":"Bad","RequestId":"{access_key_id}","HostId":"{query}"}"#),
        ),
        (
            "CreateSecret",
            raw(
                200,
                json,
                r#"{"RequestId":"{access_key_id}","Arn":"{authorization}","SecretName":"{body}"}"#,
            ),
        ),
        (
            "DescribeSecret",
            raw(200, json, r#"{"Description":"{authorization}","SecretName":"{access_key_id}"}"#),
        ),
        ("CreateSecret", error(404, "InvalidAccessKeyId.NotFound", json!({}))),
        (
            "CreateSecret",
            error(
                403,
                "Forbidden.NoPermission",
                json!({ "AccessDeniedDetail": {
                "AuthAction": world.key, "NoPermissionType": world.secret, "PolicyType": world.value,
                "EncodedDiagnosticMessage": world.secret } }),
            ),
        ),
        ("CreateSecret", error(500, "InternalFailure", json!({ "Recommend": world.value }))),
        ("CreateSecret", json!({ "redirect": { "location": "http://127.0.0.1:9/elsewhere" } })),
        (
            "DescribeSecret",
            json!({ "override": { "Description": world.key, "OwingService": world.secret } }),
        ),
        (
            "PutSecretValue",
            json!({ "override": { "VersionId": world.value, "SecretName": world.value } }),
        ),
        ("RestoreSecret", json!({ "body_bytes": 300_000 })),
    ]
}

/// Calls that are refused before anything is sent.
fn invalid(world: &World) -> Vec<(&'static str, Value)> {
    let value = world.value;
    vec![
        ("NoSuchTool", json!({ "SecretData": value })),
        ("CreateSecret", json!({ "SecretName": "a b", "VersionId": "v1", "SecretData": value })),
        ("CreateSecret", json!({ "SecretName": "app/x", "SecretData": value })),
        (
            "CreateSecret",
            json!({ "SecretName": "app/x", "VersionId": "v1", "SecretData": value, "Other": value }),
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "app/x", "VersionId": "v1", "SecretData": [value] }),
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "app/x", "VersionId": "v1", "SecretData": value, "SecretDataType": value }),
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "app/x", "VersionId": "v1", "SecretDataSource": value }),
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "app/x", "VersionId": "v1", "SecretData": value, "SecretDataSource": { "File": "value" } }),
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "app/x", "VersionId": "v1", "SecretDataSource": { "File": "missing" } }),
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "app/x", "VersionId": "v1", "SecretDataSource": { "File": "../policy.toml" } }),
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "app/x", "VersionId": "v1", "SecretDataSource": { "Env": "ALIBABA_CLOUD_ACCESS_KEY_SECRET" } }),
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "app/x", "VersionId": "v1", "SecretDataSource": { "Env": "APP_NONE" } }),
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "app/x", "VersionId": "v1", "SecretData": value.repeat(2_000) }),
        ),
        (
            "PutSecretValue",
            json!({ "SecretName": "app/db", "VersionId": "v9", "SecretData": value, "VersionStages": value }),
        ),
        ("GetSecretValue", json!({ "SecretName": "app/db", "Destination": value })),
        ("GetSecretValue", json!({ "SecretName": "app/db", "DryRun": value })),
        ("DeleteSecret", json!({ "SecretName": "app/db", "ForceDeleteWithoutRecovery": value })),
        ("ListSecrets", json!({ "PageSize": value })),
        ("DescribeSecret", json!({ "SecretName": "app/db", "RegionId": "cn-hangzhou.evil.test" })),
    ]
}

/// The fault file: the token that is good, and a rule.
pub(super) fn faults(world: &World, emulator: &Emulator, rule: Option<(&str, Value)>) {
    let rules: Vec<Value> =
        rule.iter().map(|(action, effect)| json!({ "action": action, "effect": effect })).collect();
    let mut script = json!({ "rule": rules });
    if let Some(token) = world.token {
        script["security_tokens"] = json!([token]);
    }
    emulator.faults(&script.to_string());
}

/// Plays it all.
pub(super) fn play(
    world: &World,
    emulator: &Emulator,
    server: &mut Server,
    screens: &mut Vec<String>,
) {
    faults(world, emulator, None);
    server.request("tools/list", json!({}));
    for (tool, arguments) in [
        (
            "CreateSecret",
            json!({ "SecretName": "app/db", "VersionId": "v1", "SecretData": world.value, "Description": "d", "Tags": [{ "TagKey": "k", "TagValue": "v" }] }),
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "app/db", "VersionId": "v1", "SecretData": world.second }),
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "app/file", "VersionId": "v1", "SecretDataSource": { "File": "value" } }),
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "app/env", "VersionId": "v1", "SecretDataSource": { "Env": "APP_VALUE" } }),
        ),
        ("DescribeSecret", json!({ "SecretName": "app/db", "FetchTags": true })),
        ("ListSecrets", json!({ "FetchTags": true })),
        (
            "PutSecretValue",
            json!({ "SecretName": "app/db", "VersionId": "v2", "SecretData": world.second }),
        ),
        (
            "PutSecretValue",
            json!({ "SecretName": "app/db", "VersionId": "v2", "SecretData": world.second }),
        ),
        (
            "PutSecretValue",
            json!({ "SecretName": "app/db", "VersionId": "v2", "SecretData": world.value }),
        ),
        (
            "PutSecretValue",
            json!({ "SecretName": "app/none", "VersionId": "v2", "SecretData": world.value }),
        ),
        (
            "PutSecretValue",
            json!({ "SecretName": "forbidden/db", "VersionId": "v2", "SecretData": world.value }),
        ),
        ("GetSecretValue", json!({ "SecretName": "forbidden/db", "Destination": "agent" })),
        ("GetSecretValue", json!({ "SecretName": "app/none", "Destination": "agent" })),
        ("DeleteSecret", json!({ "SecretName": "app/none" })),
        ("DeleteSecret", json!({ "SecretName": "app/file" })),
        ("RestoreSecret", json!({ "SecretName": "app/file" })),
        ("RestoreSecret", json!({ "SecretName": "app/file" })),
        ("RestoreSecret", json!({ "SecretName": "app/none" })),
    ] {
        server.call(tool, arguments);
    }
    for (tool, arguments) in invalid(world) {
        server.call_whole(tool, arguments);
    }
    confirmations(server, screens);
    guarded(world, server, screens);
    for (n, (tool, effect)) in upstream(world).into_iter().enumerate() {
        faults(world, emulator, Some((tool, effect)));
        let mut arguments = json!({ "SecretName": format!("up/{n}") });
        if tool == "CreateSecret" || tool == "PutSecretValue" {
            arguments["SecretName"] =
                if tool == "CreateSecret" { format!("up/{n}") } else { "app/db".into() }.into();
            arguments["VersionId"] = format!("v{}", n + 10).into();
            arguments["SecretData"] = world.value.into();
        } else {
            arguments["SecretName"] = "app/db".into();
        }
        server.call(tool, arguments);
    }
    reads(world, emulator, server);
    every_tool::play(world, emulator, server, screens);
    faults(world, emulator, None);
    let forced = json!({ "SecretName": "app/env", "ForceDeleteWithoutRecovery": true });
    let question = Question::ask(server, "DeleteSecret", forced);
    screens.push(question.decide(server, &["app/env"]).text);
    assert_eq!(question.redeem(server)["Outcome"], "deleted");
}

/// Reads: masked, disclosed once, declined, expired, and with tokens nobody gave.
fn confirmations(server: &mut Server, screens: &mut Vec<String>) {
    let mask = Question::ask(server, "GetSecretValue", json!({ "SecretName": "app/file" }));
    assert_eq!(mask.redeem(server)["Result"]["SecretData"], "***");
    mask.redeem(server);
    let question = Question::disclosure(server, "app/file");
    question.redeem(server);
    server.call(
        "GetSecretValue",
        question.on(json!({ "SecretName": "app/env", "Destination": "agent" })),
    );
    screens.push(question.decide(server, &["y"]).text);
    assert_eq!(question.redeem(server)["Status"], "ok");
    question.redeem(server);
    let declined = Question::disclosure(server, "app/file");
    screens.push(Pty::approve(server.home(), &[&declined.code, "--deny"], &[]).text);
    declined.redeem(server);
    let late = Question::disclosure(server, "app/file");
    let store = Connection::open(server.state().join("store.sqlite")).unwrap();
    store.execute("UPDATE approvals SET expires_ms = 1 WHERE state = 'pending'", []).unwrap();
    late.redeem(server);
    let unknown =
        json!({ "SecretName": "app/file", "ConfirmationToken": format!("ct_{:x>43}", "") });
    server.call("GetSecretValue", unknown);
}

/// A write with a value that a person has to approve: the record holds an HMAC of it.
fn guarded(world: &World, server: &mut Server, screens: &mut Vec<String>) {
    server.create("guarded/db", world.value);
    let put = json!({ "SecretName": "guarded/db", "VersionId": "v2", "SecretData": world.second, "Reason": "r" });
    let question = Question::ask(server, "PutSecretValue", put.clone());
    let screen = question.decide(server, &["y"]);
    assert!(screen.text.contains("hidden value"), "{}", screen.text);
    screens.push(screen.text);
    let mut other = question.on(put);
    other["SecretData"] = world.value.into();
    assert_eq!(server.call("PutSecretValue", other)["Error"]["Code"], "ConfirmationMismatch");
    assert_eq!(question.redeem(server)["Status"], "ok");
}

/// Masked reads that KMS answers badly.
fn reads(world: &World, emulator: &Emulator, server: &mut Server) {
    let value = world.value;
    let raw = |body: Value| json!({ "raw": { "status": 200, "body": body.to_string() } });
    for effect in [
        json!("echo"),
        json!("lie_version"),
        json!({ "error": { "status": 404, "code": "Forbidden.ResourceNotFound", "message": value } }),
        // The value where it does not belong, and where no value is.
        raw(
            json!({ "SecretData": value, "SecretName": value, "RequestId": world.key, "VersionStages": { "VersionStage": [value] } }),
        ),
        raw(
            json!({ "SecretData": value, "VersionId": value, "CreateTime": value, "ExtendedConfig": value }),
        ),
        raw(json!({ "SecretData": [value] })),
        raw(json!({ "SecretData": null, "Code": value })),
    ] {
        faults(world, emulator, None);
        let question = Question::ask(server, "GetSecretValue", json!({ "SecretName": "app/file" }));
        faults(world, emulator, Some(("GetSecretValue", effect)));
        question.redeem(server);
    }
}
