//! What was approved must still be there when it is acted on.

use serde_json::{Value, json};

use crate::harness::{Emulator, Question, Server, ServerOptions};

const VALUE: &str = "hunter2-hunter2";

/// What somebody does to `app/db` between the yes and the call.
type Change = fn(&mut Server, &Emulator);

fn new_version(server: &mut Server, _: &Emulator) {
    let arguments =
        json!({ "SecretName": "app/db", "VersionId": "v2", "SecretData": "other-other" });
    assert_eq!(server.call("PutSecretValue", arguments)["Status"], "ok");
}

fn recreated(server: &mut Server, emulator: &Emulator) {
    let forced = json!({ "SecretName": "app/db", "ForceDeleteWithoutRecovery": true });
    assert_eq!(server.call_approved("DeleteSecret", forced, "app/db")["Outcome"], "deleted");
    // CreateTime counts in seconds.
    emulator.faults("clock_offset_seconds = 60\n");
    server.create("app/db", VALUE);
}

fn scheduled(server: &mut Server, _: &Emulator) {
    let soft = json!({ "SecretName": "app/db" });
    assert_eq!(server.call("DeleteSecret", soft)["Outcome"], "scheduled");
}

fn described(member: &str, toml: &str) -> String {
    format!(
        "[[rule]]\naction = 'DescribeSecret'\neffect = {{ override = {{ {member} = {toml} }} }}\n"
    )
}

fn tagged(_: &mut Server, emulator: &Emulator) {
    emulator.faults(&described("Tags", "{ Tag = [{ TagKey = 'env', TagValue = 'prod' }] }"));
}

fn updated(_: &mut Server, emulator: &Emulator) {
    emulator.faults(&described("UpdateTime", "'2001-01-01T00:00:00Z'"));
}

fn retyped(_: &mut Server, emulator: &Emulator) {
    emulator.faults(&described("SecretType", "'Rds'"));
}

#[test]
fn a_change_between_yes_and_call_refuses_it() {
    let disclosure =
        ("GetSecretValue", json!({ "SecretName": "app/db", "Destination": "agent" }), "y");
    let forced = (
        "DeleteSecret",
        json!({ "SecretName": "app/db", "ForceDeleteWithoutRecovery": true }),
        "app/db",
    );
    let cases: [(&str, &(&str, Value, &str), Change); 10] = [
        ("read, new version", &disclosure, new_version),
        ("read, recreated", &disclosure, recreated),
        ("read, scheduled", &disclosure, scheduled),
        ("read, updated", &disclosure, updated),
        ("read, other type", &disclosure, retyped),
        ("delete, new version", &forced, new_version),
        ("delete, recreated", &forced, recreated),
        ("delete, scheduled", &forced, scheduled),
        ("delete, tagged", &forced, tagged),
        ("delete, updated", &forced, updated),
    ];
    for (case, (tool, arguments, line), change) in cases {
        let emulator = Emulator::start();
        let mut server = Server::start(ServerOptions::with_emulator(&emulator));
        server.create("app/db", VALUE);
        let question = Question::ask(&mut server, tool, arguments.clone());
        assert!(question.decide(&server, &[line]).text.contains("Approved."), "{case}");
        change(&mut server, &emulator);
        let before = emulator.count(tool);
        let refused = question.redeem(&mut server);
        assert_eq!(refused["Error"]["Code"], "ConfirmationChanged", "{case}: {refused}");
        assert_eq!(refused["Error"]["Changed"], "no", "{case}");
        assert_eq!(emulator.count(tool), before, "{case}: nothing is sent");
    }
}

#[test]
fn the_version_that_was_approved_is_the_one_asked_for() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    let question = Question::disclosure(&mut server, "app/db");
    question.approve(&server);
    assert_eq!(question.redeem(&mut server)["Result"]["VersionId"], "v1");
    let sent = emulator.requests();
    let read = sent.iter().find(|request| request["action"] == "GetSecretValue").unwrap();
    let names: Vec<&str> =
        read["query"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(names.contains(&"VersionId"), "{names:?}");
}

#[test]
fn an_answer_of_another_version_is_dropped() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    let question = Question::disclosure(&mut server, "app/db");
    question.approve(&server);
    emulator.faults("[[rule]]\naction = 'GetSecretValue'\neffect = 'lie_version'\n");
    let dropped = question.redeem(&mut server);
    assert_eq!(dropped["Error"]["Code"], "ConfirmationChanged", "{dropped}");
    assert!(!server.transcript.contains(VALUE));
}
