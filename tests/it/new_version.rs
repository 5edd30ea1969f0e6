//! New versions of a secret: no answer tells whether a guess is a value that is there, and no
//! version is lost without a yes.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Emulator, Question, Server, ServerOptions};

const VALUE: &str = "hunter2-hunter2";
const GUESS: &str = "hunter3-hunter3";

fn put(name: &str, version: &str, value: &str) -> Value {
    json!({ "SecretName": name, "VersionId": version, "SecretData": value })
}

fn from_file(name: &str, version: &str, file: &str) -> Value {
    json!({ "SecretName": name, "VersionId": version, "SecretDataSource": { "File": file } })
}

/// The policy in force in the server's `config.toml`.
fn under(policy: &str, emulator: &Emulator) -> ServerOptions {
    ServerOptions::with_emulator(emulator)
        .config(&format!("wait_seconds = 1\npolicy = \"{policy}\"\n"))
}

/// A secret of ten versions, v1 to v10, made past the limit of versions.
fn full(emulator: &Emulator, name: &str) {
    let mut server = Server::start(ServerOptions::with_emulator(emulator));
    server.create(name, VALUE);
    for n in 2..=10 {
        let arguments = put(name, &format!("v{n}"), VALUE);
        if n <= 6 {
            assert_eq!(server.call("PutSecretValue", arguments)["Status"], "ok");
        } else {
            let done = server.call_approved("PutSecretValue", arguments, "y");
            assert_eq!(done["Status"], "ok", "{done}");
        }
    }
}

#[test]
fn a_version_that_exists_is_refused_whatever_it_holds() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(home.path(), under("default", &emulator));
    server.create("app/db", VALUE);
    server.kill();
    let mut answers = Vec::new();
    for policy in ["default", "ci", "hardened"] {
        let mut server = Server::start_in(home.path(), under(policy, &emulator));
        fs::write(server.state().join("values/right"), VALUE).unwrap();
        fs::write(server.state().join("values/wrong"), GUESS).unwrap();
        let mut guesses = vec![
            from_file("app/db", "v1", "right"),
            from_file("app/db", "v1", "wrong"),
            // The value is not even read.
            from_file("app/db", "v1", "not-there"),
            from_file("app/db", "V1", "right"),
        ];
        if policy != "hardened" {
            guesses.extend([put("app/db", "v1", VALUE), put("app/db", "v1", GUESS)]);
            let mut labelled = put("app/db", "v1", VALUE);
            labelled["VersionStages"] = json!(["Blue"]);
            guesses.push(labelled);
        }
        for guess in guesses {
            answers.push(server.call("PutSecretValue", guess));
        }
    }
    assert_eq!(answers[0]["Status"], "error");
    assert_eq!(answers[0]["Error"]["Code"], "VersionExists");
    assert_eq!(answers[0]["Error"]["Changed"], "no");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    assert_eq!(emulator.count("PutSecretValue"), 0);
}

#[test]
fn one_new_version_at_a_time_over_all_processes() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let start = || Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
    let mut servers = [start(), start()];
    for round in 0..12 {
        let name = format!("app/{round}");
        servers[0].create(&name, VALUE);
        // The same value: KMS would answer each of them with success.
        let call = json!({ "name": "PutSecretValue", "arguments": put(&name, "v2", GUESS) });
        for server in &mut servers {
            server.send("tools/call", call.clone());
            server.send("tools/call", call.clone());
        }
        let mut outcomes = Vec::new();
        for server in &mut servers {
            for _ in 0..2 {
                let answer = server.receive()["result"]["structuredContent"].clone();
                let code = answer["Error"]["Code"].as_str();
                outcomes
                    .push(code.unwrap_or_else(|| answer["Status"].as_str().unwrap()).to_owned());
            }
        }
        outcomes.sort_unstable();
        assert_eq!(outcomes, ["VersionExists", "VersionExists", "VersionExists", "ok"], "{name}");
    }
    assert_eq!(emulator.count("PutSecretValue"), 12);
}

#[test]
fn collisions_that_kms_reports_are_few() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    server.create("app/other", VALUE);
    emulator.faults(
        "[[rule]]\naction = 'ListSecretVersionIds'\neffect = { override = { TotalCount = 0, VersionIds = { VersionId = [] } } }\n",
    );
    for _ in 0..5 {
        let answer = server.call("PutSecretValue", put("app/db", "v1", GUESS));
        assert_eq!(answer["Error"]["Code"], "VersionExists", "{answer}");
    }
    let answer = server.call("PutSecretValue", put("app/db", "v1", VALUE));
    assert_eq!(answer["Status"], "denied", "{answer}");
    assert_eq!(answer["Error"]["Code"], "TooManyCollisions", "{answer}");
    assert_eq!(emulator.count("PutSecretValue"), 5);
    let answer = server.call("PutSecretValue", put("app/other", "v1", GUESS));
    assert_eq!(answer["Error"]["Code"], "VersionExists", "{answer}");
}

#[test]
fn the_version_that_goes_is_named_and_a_person_asked() {
    let emulator = Emulator::start();
    full(&emulator, "app/db");
    let eleventh = put("app/db", "v11", GUESS);
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    let question = Question::ask(&mut server, "PutSecretValue", eleventh);
    let screen = question.decide(&server, &["y"]).text;
    for row in ["risk: destroy", "LOST FOR GOOD", "Lost for good", "\"v1\"", "v9 (ACSPrevious)"] {
        assert!(screen.contains(row), "{row}: {screen}");
    }
    let done = question.redeem(&mut server);
    assert_eq!(done["Outcome"], "created", "{done}");
    assert!(done["Notes"][0].as_str().unwrap().contains("drops version v1"), "{done}");
    let list = json!({ "SecretName": "app/db", "IncludeDeprecated": true });
    let listed = server.call("ListSecretVersionIds", list);
    assert_eq!(listed["Result"]["VersionIds"]["VersionId"][0]["VersionId"], "v2", "{listed}");
}

#[test]
fn another_version_in_the_meantime_is_another_question() {
    let emulator = Emulator::start();
    full(&emulator, "app/db");
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    let first = Question::ask(&mut server, "PutSecretValue", put("app/db", "v11", GUESS));
    let second = Question::ask(&mut server, "PutSecretValue", put("app/db", "v12", GUESS));
    first.approve(&server);
    second.approve(&server);
    assert_eq!(first.redeem(&mut server)["Status"], "ok");
    let refused = second.redeem(&mut server);
    assert_eq!(refused["Error"]["Code"], "ConfirmationChanged", "{refused}");
    assert_eq!(refused["Error"]["Changed"], "no");
}

#[test]
fn a_full_secret_is_kept_under_every_policy() {
    let emulator = Emulator::start();
    full(&emulator, "app/db");
    let before = emulator.count("PutSecretValue");
    for (policy, code) in [("ci", "DeniedByPolicy"), ("hardened", "PinRequired")] {
        let home = tempfile::tempdir().unwrap();
        let mut server = Server::start_in(home.path(), under(policy, &emulator));
        fs::write(server.state().join("values/v"), GUESS).unwrap();
        let refused = server.call("PutSecretValue", from_file("app/db", "v11", "v"));
        assert_eq!(refused["Error"]["Code"], code, "{policy}: {refused}");
    }
    assert_eq!(emulator.count("PutSecretValue"), before);
}

#[test]
fn rotating_a_full_secret_is_asked_about_as_well() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
    let created = server.call(
        "CreateSecret",
        json!({ "SecretName": "app/rds", "VersionId": "v1", "SecretType": "Rds",
            "SecretData": r#"{"Accounts":[{"AccountName":"app","AccountPassword":"correct-horse"}]}"#,
            "ExtendedConfig": { "SecretSubType": "SingleUser", "DBInstanceId": "rm-1" } }),
    );
    assert_eq!(created["Outcome"], "created", "{created}");
    let rotate = |n: u32| json!({ "SecretName": "app/rds", "VersionId": format!("r{n}") });
    for n in 2..=6 {
        assert_eq!(server.call("RotateSecret", rotate(n))["Outcome"], "rotated");
    }
    for n in 7..=10 {
        assert_eq!(server.call_approved("RotateSecret", rotate(n), "y")["Outcome"], "rotated");
    }
    for (tool, arguments) in [
        ("RotateSecret", rotate(11)),
        (
            "UpdateSecretRotationPolicy",
            json!({ "SecretName": "app/rds", "EnableAutomaticRotation": true, "RotationInterval": "7d" }),
        ),
    ] {
        let question = Question::ask(&mut server, tool, arguments);
        let screen = question.decide(&server, &["n"]).text;
        assert!(screen.contains("risk: destroy") && screen.contains("\"v1\""), "{screen}");
    }
    let off = json!({ "SecretName": "app/rds", "EnableAutomaticRotation": false });
    assert_eq!(server.call("UpdateSecretRotationPolicy", off)["Outcome"], "updated");
}

#[test]
fn five_versions_an_hour_and_then_a_person_for_each_secret() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    server.create("app/other", VALUE);
    for n in 2..=6 {
        let done = server.call("PutSecretValue", put("app/db", &format!("v{n}"), VALUE));
        assert_eq!(done["Status"], "ok", "{done}");
    }
    Question::ask(&mut server, "PutSecretValue", put("app/db", "v7", VALUE));
    let other = server.call("PutSecretValue", put("app/other", "v2", VALUE));
    assert_eq!(other["Status"], "ok", "{other}");
}

#[test]
fn five_keys_an_hour_and_then_a_person() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    for _ in 0..5 {
        assert_eq!(server.call("CreateKey", json!({}))["Outcome"], "created");
    }
    Question::ask(&mut server, "CreateKey", json!({}));
    let secret =
        json!({ "SecretName": "app/db", "VersionId": "v1", "SecretData": VALUE, "AutoKey": true });
    let refused = server.call("CreateSecret", secret);
    assert_eq!(refused["Status"], "denied", "{refused}");
    assert!(refused["Error"]["Message"].as_str().unwrap().contains("CreateKey"), "{refused}");
    assert_eq!(emulator.count("CreateKey"), 5);
}
