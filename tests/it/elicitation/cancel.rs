//! A call that the client gives up: nothing more is sent, the log says so, and a token is kept.

use serde_json::{Value, json};

use super::{put, read, server_with};
use crate::harness::{Emulator, Era, Gate, Pty, Question, Server, ServerOptions, until};

/// On an emulator, with time to wait for a person.
fn server(emulator: &Emulator, era: Era) -> Server {
    let options = ServerOptions::with_emulator(emulator).era(era);
    server_with(options, &Value::Null, "wait_seconds = 300\n")
}

fn send(server: &mut Server, tool: &str, arguments: Value) -> u64 {
    server.send("tools/call", json!({ "name": tool, "arguments": arguments }))
}

fn cancel(server: &mut Server, id: u64) {
    server.notify("notifications/cancelled", json!({ "requestId": id, "reason": "not wanted" }));
}

/// Waits until the log says that the call of `tool` was cancelled.
fn cancelled(server: &Server, tool: &str) {
    let ended = server.audited(|row| row["event"] == "aborted" && row["tool"] == tool);
    assert_eq!(ended["outcome"], "cancelled", "{ended}");
    assert_eq!(ended["code"], "Cancelled", "{ended}");
    assert!(ended.get("intent").is_none(), "{ended}");
}

/// The call is never answered: the next reply is that to another request.
fn unanswered(server: &mut Server) {
    let next = server.send("tools/list", json!({}));
    assert_eq!(server.receive()["id"], json!(next));
}

#[test]
fn while_it_waits_for_a_person() {
    for era in Era::ALL {
        let emulator = Emulator::start();
        let mut server = server(&emulator, era);
        let question = Question::ask(&mut server, "GetSecretValue", read());
        let described = emulator.count("DescribeSecret");
        let id = send(&mut server, "GetSecretValue", question.with_token());
        cancel(&mut server, id);
        cancelled(&server, "GetSecretValue");
        unanswered(&mut server);
        assert_eq!(emulator.count("DescribeSecret"), described, "{era:?}");
        // The token is as good as before.
        question.approve(&server);
        assert_eq!(question.redeem(&mut server)["Status"], "ok", "{era:?}");
        assert_eq!(emulator.count("GetSecretValue"), 1);
    }
}

#[test]
fn while_it_reads_what_was_approved() {
    for era in Era::ALL {
        let emulator = Emulator::start();
        let mut server = server(&emulator, era);
        let question = Question::ask(&mut server, "GetSecretValue", read());
        question.approve(&server);
        let described = emulator.count("DescribeSecret");
        emulator.faults(r#"rule = [{ action = "DescribeSecret", effect = "hang" }]"#);
        let id = send(&mut server, "GetSecretValue", question.with_token());
        until("the reading", || (emulator.count("DescribeSecret") > described).then_some(()));
        cancel(&mut server, id);
        cancelled(&server, "GetSecretValue");
        let step = server.audited(|row| row["event"] == "result" && row["outcome"] == "cancelled");
        assert_eq!(step["tool"], "DescribeSecret", "{step}");
        emulator.faults("");
        unanswered(&mut server);
        assert_eq!(emulator.count("GetSecretValue"), 0, "{era:?}");
        assert_eq!(question.redeem(&mut server)["Status"], "ok", "{era:?}");
        assert_eq!(emulator.count("GetSecretValue"), 1);
    }
}

#[test]
fn before_a_person_is_asked() {
    let emulator = Emulator::start();
    let mut server = server(&emulator, Era::V2025_11_25);
    emulator.faults(r#"rule = [{ action = "ListSecretVersionIds", effect = "hang" }]"#);
    let id = send(&mut server, "GetSecretValue", read());
    until("the reading", || (emulator.count("ListSecretVersionIds") > 0).then_some(()));
    cancel(&mut server, id);
    cancelled(&server, "GetSecretValue");
    let waits = Pty::approve(server.home(), &[], &[]);
    assert!(waits.text.contains("Nothing waits"), "{}", waits.text);
}

/// A secret whose key the program chooses.
fn auto_key() -> Value {
    json!({ "SecretName": "app/new", "VersionId": "v1", "SecretData": super::VALUE, "AutoKey": true })
}

#[test]
fn between_the_steps_of_a_workflow() {
    for action in ["ListKmsInstances", "ListKeys"] {
        let emulator = Emulator::start();
        let mut server = server(&emulator, Era::V2025_11_25);
        emulator.faults(&format!(r#"rule = [{{ action = "{action}", effect = "hang" }}]"#));
        let id = send(&mut server, "CreateSecret", auto_key());
        until("the step", || (emulator.count(action) > 0).then_some(()));
        cancel(&mut server, id);
        cancelled(&server, "CreateSecret");
        assert_eq!(emulator.count("CreateKey"), 0, "{action}");
        assert_eq!(emulator.count("CreateSecret"), 1, "{action}: that of app/db");
    }
}

/// A step that changes something is waited for: its outcome is on record, and nothing follows it.
#[test]
fn after_a_step_that_made_something() {
    let emulator = Emulator::start();
    let gate = Gate::before(&emulator, "CreateKey");
    // Of the keys that there are, none will do.
    emulator.faults(
        r#"rule = [{ action = "ListKeys", effect = { override = { Keys = { Key = [] } } } }]"#,
    );
    let options = ServerOptions::with_emulator(&emulator).at(&gate.url);
    let mut server = server_with(options, &Value::Null, "wait_seconds = 300\n");
    let id = send(&mut server, "CreateSecret", auto_key());
    gate.wait();
    cancel(&mut server, id);
    unanswered(&mut server);
    gate.open();
    cancelled(&server, "CreateSecret");
    let made = server.audited(|row| row["event"] == "result" && row["tool"] == "CreateKey");
    assert_eq!(made["outcome"], "ok", "{made}");
    assert_eq!(emulator.count("CreateSecret"), 1, "that of app/db");
}

#[test]
fn after_it_was_sent_its_outcome_is_recorded() {
    for (tool, arguments, outcome) in [
        ("GetSecretValue", read(), "ok"),
        ("UpdateSecret", json!({ "SecretName": "app/db", "Description": "new" }), "updated"),
    ] {
        let emulator = Emulator::start();
        let gate = Gate::before(&emulator, tool);
        let options = ServerOptions::with_emulator(&emulator).at(&gate.url);
        let mut server = server_with(options, &Value::Null, "wait_seconds = 300\n");
        let mut arguments = arguments;
        if tool == "GetSecretValue" {
            let question = Question::ask(&mut server, tool, arguments);
            question.approve(&server);
            arguments = question.with_token();
        }
        let id = send(&mut server, tool, arguments);
        gate.wait();
        cancel(&mut server, id);
        unanswered(&mut server);
        gate.open();
        let ended = server.audited(|row| row["event"] == "result" && row["tool"] == tool);
        assert_eq!(ended["outcome"], outcome, "{ended}");
        assert!(ended["intent"].is_u64(), "{ended}");
        unanswered(&mut server);
        assert!(!server.transcript.contains(super::VALUE), "never sent");
    }
}

#[test]
fn a_request_that_failed_is_not_sent_again() {
    let emulator = Emulator::start();
    let mut server = server(&emulator, Era::V2025_11_25);
    emulator.faults(
        r#"rule = [{ action = "UpdateSecret", effect = { error = { status = 429, code = "Rejected.Throttling", message = "x", retry_after_ms = 5000 } } }]"#,
    );
    let update = json!({ "SecretName": "app/db", "Description": "new" });
    let id = send(&mut server, "UpdateSecret", update);
    until("the request", || (emulator.count("UpdateSecret") > 0).then_some(()));
    cancel(&mut server, id);
    let ended = server.audited(|row| row["event"] == "result" && row["tool"] == "UpdateSecret");
    // On record is what KMS said to the one that was sent.
    assert_eq!(ended["outcome"], "failed", "{ended}");
    assert_eq!(ended["upstream"]["attempts"], 1, "{ended}");
    assert_eq!(emulator.count("UpdateSecret"), 1);
}

#[test]
fn while_the_client_asks_its_user() {
    for (elicitation, tool, arguments) in [
        (json!({ "form": {} }), "PutSecretValue", put()),
        (json!({ "url": {} }), "GetSecretValue", read()),
    ] {
        let mut server = server_with(ServerOptions::embedded(), &elicitation, "");
        let id = send(&mut server, tool, arguments);
        let asked = server.receive();
        assert_eq!(asked["method"], "elicitation/create", "{asked}");
        cancel(&mut server, id);
        // The dialog is closed, and nobody need decide any more.
        let closed = server.receive();
        assert_eq!(closed["method"], "notifications/cancelled", "{closed}");
        assert_eq!(closed["params"]["requestId"], asked["id"], "{closed}");
        let ended = server.audited(|row| row["event"] == "aborted");
        assert_eq!((&ended["outcome"], &ended["tool"]), (&json!("cancelled"), &json!(tool)));
        let waits = Pty::approve(server.home(), &[], &[]);
        assert!(waits.text.contains("Nothing waits"), "{}", waits.text);
        unanswered(&mut server);
    }
}
