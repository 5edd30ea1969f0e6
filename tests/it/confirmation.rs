//! A confirmation works once, for exactly what was approved, in time and in this process.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{Emulator, Pty, Question, Server, ServerOptions};

const VALUE: &str = "hunter2-hunter2";

fn code(envelope: &Value) -> &str {
    envelope["Error"]["Code"].as_str().unwrap_or_else(|| panic!("{envelope}"))
}

fn disclosed(envelope: &Value) -> bool {
    envelope["Result"]["SecretData"] == VALUE
}

/// Moves the state folder's past by so many milliseconds.
fn age(server: &Server, milliseconds: i64) {
    let store = Connection::open(server.state().join("store.sqlite")).unwrap();
    store.busy_timeout(crate::harness::PATIENCE).unwrap();
    let aged = [
        "UPDATE approvals SET expires_ms = expires_ms - ?1",
        "UPDATE happened SET at_ms = at_ms - ?1",
    ];
    for update in aged {
        store.execute(update, [milliseconds]).unwrap();
    }
}

#[test]
fn of_a_thousand_redemptions_at_once_one_is_sent() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    let question = Question::disclosure(&mut server, "app/db");
    question.approve(&server);
    let call = json!({ "name": question.tool, "arguments": question.with_token() });
    for _ in 0..1_000 {
        server.send("tools/call", call.clone());
    }
    let mut given = 0;
    for _ in 0..1_000 {
        let answer = server.receive();
        let envelope = &answer["result"]["structuredContent"];
        if disclosed(envelope) {
            given += 1;
        } else {
            assert_eq!(code(envelope), "ConfirmationUsed", "{envelope}");
        }
    }
    assert_eq!((given, emulator.count("GetSecretValue")), (1, 1));
}

#[test]
fn a_token_is_for_one_call_and_trying_another_does_not_spend_it() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    server.create("app/other", VALUE);
    let question = Question::disclosure(&mut server, "app/db");
    question.approve(&server);
    let agent = |name: &str| json!({ "SecretName": name, "Destination": "agent" });
    let with = |name: &str, value: Value| {
        let mut arguments = agent("app/db");
        arguments[name] = value;
        arguments
    };
    let others = [
        ("GetSecretValue", agent("app/other"), "ConfirmationMismatch"),
        ("GetSecretValue", json!({ "SecretName": "app/db" }), "ConfirmationMismatch"),
        ("GetSecretValue", with("Destination", "mask".into()), "ConfirmationMismatch"),
        ("GetSecretValue", with("VersionId", "v1".into()), "ConfirmationMismatch"),
        ("GetSecretValue", with("VersionStage", "ACSCurrent".into()), "ConfirmationMismatch"),
        ("GetSecretValue", with("DryRun", true.into()), "ConfirmationMismatch"),
        ("GetSecretValue", with("Reason", "another".into()), "ConfirmationMismatch"),
        ("GetSecretValue", with("RegionId", "cn-beijing".into()), "InvalidArgument"),
        (
            "DeleteSecret",
            json!({ "SecretName": "app/db", "ForceDeleteWithoutRecovery": true }),
            "ConfirmationMismatch",
        ),
    ];
    for (tool, arguments, expected) in others {
        let refused = server.call(tool, question.on(arguments.clone()));
        assert_eq!(code(&refused), expected, "{tool} {arguments}");
        assert_eq!(refused["Error"]["Changed"], "no", "{tool} {arguments}");
    }
    assert_eq!((emulator.count("GetSecretValue"), emulator.count("DeleteSecret")), (0, 0));
    assert!(disclosed(&question.redeem(&mut server)));
    assert_eq!(code(&question.redeem(&mut server)), "ConfirmationUsed");
    assert_eq!(emulator.count("GetSecretValue"), 1);
}

#[test]
fn the_region_is_part_of_what_was_approved() {
    // Two regions have a KMS only where no endpoint is set; nothing is reached from here, as the
    // mask wants a token before anything is sent.
    let options = ServerOptions::embedded();
    let options =
        ServerOptions { arguments: vec!["--region".into(), "cn-hangzhou".into()], ..options }
            .env("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI5tNotARealKeyAtAll00")
            .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "not-a-real-secret-at-all-000000");
    let mut server = Server::start(options);
    let question = Question::ask(&mut server, "GetSecretValue", json!({ "SecretName": "app/db" }));
    let elsewhere = question.on(json!({ "SecretName": "app/db", "RegionId": "cn-beijing" }));
    let refused = server.call("GetSecretValue", elsewhere);
    assert_eq!(code(&refused), "ConfirmationMismatch");
    assert!(refused["Error"]["Message"].as_str().unwrap().contains("region"), "{refused}");
}

#[test]
fn the_fifth_unknown_token_locks_unknown_tokens_of_that_server_and_no_others() {
    let emulator = Emulator::start();
    let options = || ServerOptions::with_emulator(&emulator);
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(home.path(), options());
    let mut other = Server::start_in(home.path(), options());
    server.create("app/db", VALUE);
    let question = Question::disclosure(&mut server, "app/db");
    question.approve(&server);
    let guess = |n: u32| {
        let token = format!("ct_{n:0>43}");
        json!({ "SecretName": "app/db", "Destination": "agent", "ConfirmationToken": token })
    };
    for n in 1..=4 {
        assert_eq!(code(&server.call("GetSecretValue", guess(n))), "ConfirmationUnknown");
    }
    for n in 5..=6 {
        assert_eq!(code(&server.call("GetSecretValue", guess(n))), "ConfirmationLocked");
    }
    assert_eq!(code(&other.call("GetSecretValue", guess(7))), "ConfirmationUnknown");
    assert_eq!(emulator.count("GetSecretValue"), 0);
    // The right one works all the same, and questions are asked.
    assert!(disclosed(&question.redeem(&mut server)));
    Question::disclosure(&mut server, "app/db");
    let lockouts = server.audit().iter().filter(|record| record["event"] == "lockout").count();
    assert_eq!(lockouts, 1);
}

#[test]
fn after_a_restart_the_old_token_is_answered_with_a_new_one() {
    let emulator = Emulator::start();
    for approved in [false, true] {
        let home = tempfile::tempdir().unwrap();
        let mut server = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
        let name = format!("app/{approved}");
        server.create(&name, VALUE);
        let question = Question::disclosure(&mut server, &name);
        if approved {
            question.approve(&server);
        }
        server.kill();
        let mut server = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
        let asked = question.redeem(&mut server);
        assert_eq!(asked["Status"], "confirmation_required", "{asked}");
        assert_ne!(asked["Confirmation"]["Token"], question.token.as_str());
        let notes = asked["Notes"].to_string();
        assert!(notes.contains("restarted"), "{notes}");
    }
    assert_eq!(emulator.count("GetSecretValue"), 0);
}

#[test]
fn another_process_cannot_use_the_token() {
    let emulator = Emulator::start();
    let options = || ServerOptions::with_emulator(&emulator);
    let home = tempfile::tempdir().unwrap();
    let mut first = Server::start_in(home.path(), options());
    let mut second = Server::start_in(home.path(), options());
    first.create("app/db", VALUE);
    let question = Question::disclosure(&mut first, "app/db");
    question.approve(&first);
    let asked = question.redeem(&mut second);
    assert_eq!(asked["Status"], "confirmation_required", "{asked}");
    assert_ne!(asked["Confirmation"]["Token"], question.token.as_str());
    assert_eq!(emulator.count("GetSecretValue"), 0);
    assert!(disclosed(&question.redeem(&mut first)));
    assert_eq!(code(&question.redeem(&mut second)), "ConfirmationUsed");
}

#[test]
fn a_token_is_too_late_after_ten_minutes_pending_or_three_approved() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    let pending = Question::disclosure(&mut server, "app/db");
    age(&server, 540_000);
    assert_eq!(pending.redeem(&mut server)["Status"], "confirmation_required");
    age(&server, 60_000);
    assert_eq!(code(&pending.redeem(&mut server)), "ConfirmationExpired");
    let late = pending.decide(&server, &["y"]);
    assert!(!late.status.success() && late.text.contains("nothing waits"), "{}", late.text);
    let approved = Question::disclosure(&mut server, "app/db");
    approved.approve(&server);
    age(&server, 180_000);
    assert_eq!(code(&approved.redeem(&mut server)), "ConfirmationExpired");
    assert_eq!(emulator.count("GetSecretValue"), 0);
}

#[test]
fn a_no_is_told_and_final() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    for (arguments, lines) in [(vec!["--deny"], vec![]), (vec![], vec!["n"]), (vec![], vec![""])] {
        let name = format!("app/{}", arguments.len() + 2 * lines.join("").len());
        server.create(&name, VALUE);
        let question = Question::disclosure(&mut server, &name);
        let mut all = vec![question.code.as_str()];
        all.extend(arguments);
        let screen = crate::harness::Pty::approve(server.home(), &all, &lines);
        assert!(screen.text.contains("Denied."), "{}", screen.text);
        assert_eq!(code(&question.redeem(&mut server)), "ConfirmationDeclined");
        let changed_mind = question.decide(&server, &["y"]);
        assert!(!changed_mind.status.success(), "{}", changed_mind.text);
        assert_eq!(code(&question.redeem(&mut server)), "ConfirmationDeclined");
    }
    assert_eq!(emulator.count("GetSecretValue"), 0);
}

#[test]
fn a_repeated_call_waits_for_the_decision() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(
        home.path(),
        ServerOptions::with_emulator(&emulator).config("wait_seconds = 0\n"),
    );
    server.create("app/db", VALUE);
    let question = Question::disclosure(&mut server, "app/db");
    let again = question.redeem(&mut server);
    assert_eq!(again["Status"], "confirmation_required");
    assert_eq!(again["Confirmation"]["Token"], question.token.as_str());
    assert_eq!(again["Confirmation"]["MatchCode"], question.code.as_str());
    drop(server);
    // Five minutes to wait: more than this test has, so the answer came with the decision.
    let options = ServerOptions::with_emulator(&emulator).config("wait_seconds = 300\n");
    let mut server = Server::start_in(home.path(), options);
    for (line, expected) in [("y", "ok"), ("n", "denied")] {
        let question = Question::disclosure(&mut server, "app/db");
        let call = json!({ "name": question.tool, "arguments": question.with_token() });
        let id = server.send("tools/call", call);
        assert_eq!(server.call("ListSecrets", json!({}))["Status"], "ok");
        question.decide(&server, &[line]);
        let answer = server.receive();
        assert_eq!(answer["id"], json!(id), "{answer}");
        assert_eq!(answer["result"]["structuredContent"]["Status"], expected, "{answer}");
    }
}

#[test]
fn the_eleventh_soft_delete_in_an_hour_asks_a_person() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    let soft = json!({ "SecretName": "app/db" });
    for n in 1..=10 {
        assert_eq!(server.call("DeleteSecret", soft.clone())["Outcome"], "scheduled", "{n}");
        server.call("RestoreSecret", soft.clone());
    }
    let question = Question::ask(&mut server, "DeleteSecret", soft.clone());
    question.approve(&server);
    // P21: a yes to the soft one is no yes to the forced one.
    let forced = json!({ "SecretName": "app/db", "ForceDeleteWithoutRecovery": true });
    let refused = server.call("DeleteSecret", question.on(forced));
    assert_eq!(code(&refused), "ConfirmationMismatch");
    assert_eq!(emulator.count("DeleteSecret"), 10);
    assert_eq!(question.redeem(&mut server)["Outcome"], "scheduled");
    server.call("RestoreSecret", soft.clone());
    age(&server, 3_600_000);
    assert_eq!(server.call("DeleteSecret", soft)["Outcome"], "scheduled");
}

#[test]
fn of_many_soft_deletes_at_once_ten_need_nobody() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    for n in 0..40 {
        server.create(&format!("app/{n}"), VALUE);
    }
    for n in 0..40 {
        let call =
            json!({ "name": "DeleteSecret", "arguments": { "SecretName": format!("app/{n}") } });
        server.send("tools/call", call);
    }
    let (mut scheduled, mut asked) = (0, 0);
    for _ in 0..40 {
        let answer = server.receive();
        let envelope = &answer["result"]["structuredContent"];
        if envelope["Outcome"] == "scheduled" {
            scheduled += 1;
        } else if envelope["Status"] == "confirmation_required" {
            asked += 1;
            assert!(envelope["Confirmation"]["ApproveWith"].is_string(), "{envelope}");
        } else {
            assert_eq!(code(envelope), "TooManyPending", "{envelope}");
        }
    }
    assert_eq!((scheduled, asked, emulator.count("DeleteSecret")), (10, 3, 10));
}

#[test]
fn no_key_is_created_on_the_token_of_another_question() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    let question = Question::disclosure(&mut server, "app/db");
    question.approve(&server);
    let policy = json!({ "Version": "1", "Statement": [{
        "Effect": "Allow", "Principal": { "RAM": ["acs:ram::1234567890123456:*"] },
        "Action": ["kms:*"], "Resource": ["*"] }] });
    let create = json!({ "SecretName": "app/new", "VersionId": "v1", "SecretData": VALUE,
        "AutoKey": true, "Policy": policy });
    let refused = server.call("CreateSecret", question.on(create.clone()));
    assert_eq!(code(&refused), "ConfirmationMismatch", "{refused}");
    assert_eq!(emulator.count("CreateKey"), 0);
    let asked = Question::ask(&mut server, "CreateSecret", create);
    asked.approve(&server);
    assert_eq!(asked.redeem(&mut server)["Outcome"], "created");
    assert_eq!(emulator.count("CreateKey"), 1);
}

/// What a person is asked about `AutoKey` names the instance and the key, and holds as long as they
/// would still be taken.
#[test]
fn the_person_sees_the_key_that_is_chosen() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    let policy = json!({ "Version": "1", "Statement": [{
        "Effect": "Allow", "Principal": { "RAM": ["acs:ram::1234567890123456:*"] },
        "Action": ["kms:*"], "Resource": ["*"] }] });
    let create = |name: &str| json!({ "SecretName": name, "VersionId": "v1", "SecretData": VALUE, "AutoKey": true, "Policy": policy });
    let asks = |server: &mut Server, name: &str| {
        let asked = server.call("CreateSecret", create(name));
        let asked = asked["Confirmation"].clone();
        let code = asked["MatchCode"].as_str().unwrap().to_owned();
        let screen = Pty::approve(server.home(), &[&code], &["y"]);
        assert!(screen.status.success(), "{}", screen.text);
        let mut again = create(name);
        again["ConfirmationToken"] = asked["Token"].clone();
        (asked["Equivalent"]["Cli"].as_str().unwrap().to_owned(), screen.text, again)
    };

    let (equivalent, screen, again) = asks(&mut server, "app/first");
    assert!(screen.contains("a new key will be created"), "{screen}");
    assert!(
        screen.contains("kst-") && equivalent.contains("--DKMSInstanceId kst-"),
        "{equivalent}"
    );
    assert!(!equivalent.contains("--EncryptionKeyId"), "{equivalent}");
    assert_eq!(emulator.count("CreateKey"), 0, "nobody has agreed yet");
    assert_eq!(server.call("CreateSecret", again)["Outcome"], "created");

    let (equivalent, screen, again) = asks(&mut server, "app/second");
    assert!(screen.contains("key-hzz") && !screen.contains("a new key"), "{screen}");
    assert!(equivalent.contains("--EncryptionKeyId key-hzz"), "{equivalent}");
    let other = r#"{ Keys = { Key = [{ KeyId = "key-another" }] } }"#;
    emulator.faults(&format!(
        r#"rule = [{{ action = "ListKeys", effect = {{ override = {other} }} }}]"#
    ));
    let refused = server.call("CreateSecret", again.clone());
    assert_eq!(code(&refused), "ConfirmationMismatch", "{refused}");
    emulator.faults(
        r#"rule = [{ action = "ListKeys", effect = { override = { Keys = { Key = [] } } } }]"#,
    );
    let refused = server.call("CreateSecret", again.clone());
    assert_eq!(code(&refused), "ConfirmationMismatch", "{refused}");
    assert_eq!(emulator.count("CreateKey"), 1, "that of the first");
    emulator.faults("");
    assert_eq!(server.call("CreateSecret", again)["Outcome"], "created");
}

/// Whoever writes the store can bring a row back to life; the server remembers what it spent.
#[test]
fn a_spent_row_brought_back_to_life_is_spent_still() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    let question = Question::disclosure(&mut server, "app/db");
    question.approve(&server);
    assert!(disclosed(&question.redeem(&mut server)));
    let store = Connection::open(server.state().join("store.sqlite")).unwrap();
    store.busy_timeout(crate::harness::PATIENCE).unwrap();
    let revive = "UPDATE approvals SET state = 'approved' WHERE state = 'spent'";
    assert_eq!(store.execute(revive, []).unwrap(), 1);
    assert_eq!(code(&question.redeem(&mut server)), "ConfirmationUsed");
    assert_eq!(emulator.count("GetSecretValue"), 1);
}
