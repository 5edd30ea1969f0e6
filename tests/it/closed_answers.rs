//! A KMS that writes the value into every member of its answers: nothing of it reaches the agent or
//! the audit log, and nothing tells that a value is a word of the answer.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Canaries, Emulator, Question, Server, ServerOptions, normal};

const VALUE: &str = "Zk7quietlantern41";

/// What KMS may answer with `value` wherever a text can stand.
fn hostile(value: &str) -> Vec<Value> {
    let raw =
        |status: u16, body: Value| json!({ "raw": { "status": status, "body": body.to_string() } });
    let id = "0A1B2C3D-1111-4222-8333-444455556666";
    let mut everywhere = json!({ "SecretData": value, "RequestId": id });
    for member in [
        "SecretName",
        "VersionId",
        "SecretType",
        "SecretDataType",
        "CreateTime",
        "AutomaticRotation",
        "RotationInterval",
        "NextRotationDate",
        "LastRotationDate",
        "ExtendedConfig",
        "DKMSInstanceId",
        "Arn",
    ] {
        everywhere[member] = value.into();
    }
    everywhere["VersionStages"] = json!({ "VersionStage": [value, "ACSCurrent"] });
    let mut in_parts = everywhere.clone();
    in_parts["Arn"] = format!("acs:kms:cn-hangzhou:1234567890123456:secret/{value}").into();
    in_parts["ExtendedConfig"] = json!({ "CustomData": { "note": value } }).to_string().into();
    in_parts["SecretName"] = format!("app/{value}").into();
    in_parts["RequestId"] = value.into();
    let denied = |code: &str| {
        json!({ "Code": code, "RequestId": value, "Message": value, "HostId": value,
            "AccessDeniedDetail": { "AuthAction": format!("kms:{value}"), "NoPermissionType": value,
                "PolicyType": value, "AuthPrincipalDisplayName": value } })
    };
    let mut contradiction = everywhere.clone();
    contradiction["Code"] = value.into();
    vec![
        raw(200, everywhere),
        raw(200, in_parts),
        raw(200, contradiction),
        raw(403, denied(value)),
        raw(403, denied("NoPermission")),
        raw(400, denied(&format!("Throttling.{value}"))),
        raw(400, json!({ "code": value, "requestId": value, "message": value })),
    ]
}

#[test]
fn nothing_of_a_value_passes_in_an_answer_that_carries_it() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    fs::write(server.state().join("values/v"), VALUE).unwrap();
    let source = json!({ "File": "v" });
    let db = json!({ "SecretName": "app/db", "VersionId": "v1", "SecretDataSource": source });
    assert_eq!(server.call("CreateSecret", db)["Outcome"], "created");
    for (n, effect) in hostile(VALUE).into_iter().enumerate() {
        let rule = json!({ "rule": [
            { "action": "GetSecretValue", "effect": effect },
            { "action": "CreateSecret", "effect": effect },
            { "action": "PutSecretValue", "effect": effect },
        ] });
        let question =
            Question::ask(&mut server, "GetSecretValue", json!({ "SecretName": "app/db" }));
        emulator.faults(&rule.to_string());
        let masked = question.redeem(&mut server);
        assert_eq!(masked["Status"] == "ok", n < 2, "{masked}");
        let mut arguments = json!({ "SecretName": format!("app/{n}"), "VersionId": format!("v{n}"),
            "SecretDataSource": source });
        server.call("CreateSecret", arguments.clone());
        arguments["SecretName"] = "app/db".into();
        server.call("PutSecretValue", arguments);
        emulator.faults("{}");
    }
    let (transcript, audit) = (server.transcript.clone(), audit_of(&server));
    let (_, stderr) = server.finish();
    let canaries = Canaries::new(&[("the value", VALUE)]);
    canaries.assert_absent("stdout", transcript.as_bytes());
    canaries.assert_absent("stderr", stderr.as_bytes());
    canaries.assert_absent("the audit log", audit.as_bytes());
}

fn audit_of(server: &Server) -> String {
    let files = fs::read_dir(server.state().join("audit")).unwrap();
    files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn a_value_that_is_a_word_of_the_answer_leaves_the_answer_as_it_is() {
    let mut server = Server::start(ServerOptions::embedded());
    let today = server.call("ListSecrets", json!({}));
    assert_eq!(today["Status"], "ok");
    let mut shapes = Vec::new();
    for (n, word) in [
        "Zk7quietlantern41",
        "SecretData",
        "SecretDataType",
        "VersionStages",
        "ACSCurrent",
        "confirmation_required",
        "structuredContent",
        "SecretData is masked.",
        "2026-11-2",
        "Generic1",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("word/{n:02}");
        fs::write(server.state().join("values/v"), word).unwrap();
        let create =
            json!({ "SecretName": name, "VersionId": "v1", "SecretDataSource": { "File": "v" } });
        let created = server.call("CreateSecret", create);
        let masked = Question::ask(&mut server, "GetSecretValue", json!({ "SecretName": name }));
        let read = masked.redeem(&mut server);
        assert_eq!(read["Result"]["SecretData"], "***", "{read}");
        shapes.push(normal(&format!("{created} {read}")).replace(&name, "NAME"));
    }
    for shape in &shapes {
        assert_eq!(shape, &shapes[0]);
    }
}
