//! Level `client`: a form in which the match code is typed.

use serde_json::{Value, json};

use super::client::types;
use super::{put, server};
use crate::audit_bounded::assert_bounded;
use crate::harness::Era;

/// The first call of a newer client, and the parameters of one that answers its question.
fn asked(server: &mut crate::harness::Server) -> Value {
    let asked = server.call_whole("PutSecretValue", put());
    let result = &asked["result"];
    assert_eq!(result["resultType"], "input_required", "{asked}");
    let answer = types(&result["inputRequests"]["confirm"]["params"]);
    json!({
        "name": "PutSecretValue",
        "arguments": put(),
        "inputResponses": { "confirm": answer },
        "requestState": result["requestState"],
    })
}

#[test]
fn what_a_newer_client_brings_back_is_bound_to_its_call_and_works_once() {
    let mut server = server(Era::V2026_07_28, &json!({ "form": {} }));
    let answer = asked(&mut server);
    let mut other = answer.clone();
    other["arguments"]["VersionId"] = "v3".into();
    let refused = server.request("tools/call", other);
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    let mut forged = answer.clone();
    let state = answer["requestState"].as_str().unwrap();
    forged["requestState"] = format!("{}A{}", &state[..20], &state[21..]).into();
    let refused = server.request("tools/call", forged);
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    let done = server.request("tools/call", answer.clone());
    assert_eq!(done["result"]["structuredContent"]["Outcome"], "created", "{done}");
    let twice = server.request("tools/call", answer);
    let code = &twice["result"]["structuredContent"]["Error"]["Code"];
    assert_eq!(code, "ConfirmationUsed", "{twice}");
}

#[test]
fn an_answer_that_is_brought_back_without_end_is_counted() {
    for (action, expected) in [("decline", Value::Null), ("accept", json!("ConfirmationExpired"))] {
        let mut server = server(Era::V2026_07_28, &json!({ "form": {} }));
        let mut answer = asked(&mut server);
        if action == "accept" {
            // The first one is a consent, and the others come too late.
            server.request("tools/call", answer.clone());
        } else {
            answer["inputResponses"]["confirm"] = json!({ "action": action });
        }
        let times = 300;
        for _ in 0..times {
            server.request("tools/call", answer.clone());
        }
        assert_bounded(&server, "client_declined", &expected, times);
    }
}

#[test]
fn a_person_may_decide_while_the_form_is_open() {
    for (answer, expected) in [("y", "ok"), ("n", "denied")] {
        let mut server = super::server_with(
            crate::harness::ServerOptions::embedded(),
            &json!({}),
            "ask_seconds = 300\n",
        );
        let id = server.send("tools/call", json!({ "name": "PutSecretValue", "arguments": put() }));
        let form = server.receive();
        let code = super::client::code(&form["params"]);
        crate::harness::Pty::approve(server.home(), &[&code], &[answer]);
        // The client is told to close the dialog, and the call goes on.
        let (mut closed, mut envelope) = (Value::Null, Value::Null);
        while closed.is_null() || envelope.is_null() {
            let message = server.receive();
            if message["method"] == "notifications/cancelled" {
                closed = message["params"]["requestId"].clone();
            } else {
                assert_eq!(message["id"], json!(id), "{message}");
                envelope = message["result"]["structuredContent"].clone();
            }
        }
        assert_eq!(closed, form["id"]);
        assert_eq!(envelope["Status"], expected, "{envelope}");
        // Whatever the client says now comes too late.
        server.respond(&form, "result", types(&form["params"]));
        assert!(server.request("tools/list", json!({})).get("result").is_some());
        let by_client = |row: &Value| row["approval"]["method"] == "client";
        assert!(!server.audit().iter().any(by_client));
    }
}

/// Promise 5: a consent that is not on record spends nothing.
#[test]
fn a_consent_that_cannot_be_recorded_is_none() {
    let mut server = server(Era::V2026_07_28, &json!({ "form": {} }));
    let answer = asked(&mut server);
    for file in std::fs::read_dir(server.state().join("audit")).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let refused = server.request("tools/call", answer);
    let envelope = &refused["result"]["structuredContent"];
    assert_eq!(envelope["Error"]["Code"], "AuditUnavailable", "{refused}");
}
