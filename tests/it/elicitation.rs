//! Level `client`: a consent that the MCP client attests, in both protocol eras. Never a person.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Era, Server, ServerOptions};

/// Writing a version wants a consent through the client; reading into the conversation a person.
const POLICY: &str = r#"
version = 1
extends = "default"
[[rule]]
id = "consent"
action = ["PutSecretValue"]
confirm = "client"
reason = "A new version takes effect at once."
examples = [{ secret = "app/db", expect = "client" }]
"#;

fn server(era: Era, elicitation: &Value) -> (TempDir, Server) {
    let home = TempDir::new().unwrap();
    let policy = home.path().join("policy.toml");
    std::fs::write(&policy, POLICY).unwrap();
    let config = format!("policy = {:?}\nwait_seconds = 0\n", policy.display().to_string());
    let options = ServerOptions::embedded().era(era).config(&config);
    let capabilities =
        if elicitation.is_null() { json!({}) } else { json!({ "elicitation": elicitation }) };
    let mut server = Server::start_in(home.path(), options.capabilities(capabilities));
    let create =
        json!({ "SecretName": "app/db", "VersionId": "v1", "SecretData": "hunter2-hunter2" });
    assert_eq!(server.call("CreateSecret", create)["Outcome"], "created");
    (home, server)
}

fn put() -> Value {
    json!({ "SecretName": "app/db", "VersionId": "v2", "SecretData": "hunter3-hunter3" })
}

/// The code that the form asks to be typed.
fn code(form: &Value) -> String {
    let asked = form["requestedSchema"]["properties"]["confirm"]["description"].as_str().unwrap();
    assert_eq!(form["requestedSchema"]["required"], json!(["confirm"]), "{form}");
    assert!(form["requestedSchema"]["properties"]["confirm"].get("default").is_none(), "{form}");
    asked.split(' ').nth(1).unwrap().to_owned()
}

/// What a client may answer, made from the code that was asked for.
type Answer = fn(&str) -> Value;

/// Answers of clients and whether each is a consent.
const ANSWERS: [(&str, Answer, bool); 6] = [
    ("typed", |code| json!({ "action": "accept", "content": { "confirm": code } }), true),
    ("accepted empty", |_| json!({ "action": "accept", "content": {} }), false),
    ("accepted bare", |_| json!({ "action": "accept" }), false),
    (
        "accepted with a default",
        |_| json!({ "action": "accept", "content": { "confirm": "" } }),
        false,
    ),
    ("declined", |_| json!({ "action": "decline" }), false),
    ("cancelled", |_| json!({ "action": "cancel", "content": { "confirm": "x" } }), false),
];

fn judge(envelope: &Value, consent: bool, about: &str) {
    if consent {
        assert_eq!(envelope["Outcome"], "created", "{about}: {envelope}");
    } else {
        assert_eq!(envelope["Status"], "confirmation_required", "{about}: {envelope}");
        assert!(
            envelope["Notes"][0].as_str().unwrap().contains("no consent"),
            "{about}: {envelope}"
        );
    }
}

#[test]
fn an_older_client_is_asked_while_the_call_waits() {
    for era in [Era::V2025_06_18, Era::V2025_11_25] {
        for (about, answer, consent) in ANSWERS {
            let (_home, mut server) = server(era, &json!({}));
            let id =
                server.send("tools/call", json!({ "name": "PutSecretValue", "arguments": put() }));
            let asked = server.receive();
            assert_eq!(asked["method"], "elicitation/create", "{asked}");
            let result = answer(&code(&asked["params"]));
            let line = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
            server.send_raw(format!("{line}\n").as_bytes());
            let answered = server.receive();
            assert_eq!(answered["id"], json!(id), "{answered}");
            judge(&answered["result"]["structuredContent"], consent, about);
        }
    }
}

#[test]
fn a_newer_client_is_asked_by_an_input_required_result() {
    for (about, answer, consent) in ANSWERS {
        let (_home, mut server) = server(Era::V2026_07_28, &json!({ "form": {} }));
        let asked = server.call_whole("PutSecretValue", put());
        assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
        let form = &asked["result"]["inputRequests"]["confirm"]["params"];
        let response = answer(&code(form));
        let again = |arguments: Value| {
            json!({
                "name": "PutSecretValue",
                "arguments": arguments,
                "inputResponses": { "confirm": response },
                "requestState": asked["result"]["requestState"],
            })
        };
        // The state is bound to the arguments it was made for.
        let other =
            json!({ "SecretName": "app/db", "VersionId": "v3", "SecretData": "other-other" });
        let refused = server.request("tools/call", again(other));
        assert_eq!(refused["error"]["code"], -32602, "{about}: {refused}");
        let answered = server.request("tools/call", again(put()));
        judge(&answered["result"]["structuredContent"], consent, about);
        // A second time it is used up.
        if consent {
            let twice = server.request("tools/call", again(put()));
            assert_eq!(
                twice["result"]["structuredContent"]["Error"]["Code"], "ConfirmationUsed",
                "{twice}"
            );
        }
    }
}

#[test]
fn a_client_that_cannot_ask_leaves_it_to_the_person() {
    for era in Era::ALL {
        for declared in [Value::Null, json!({ "url": {} })] {
            let (_home, mut server) = server(era, &declared);
            let asked = server.call("PutSecretValue", put());
            assert_eq!(asked["Status"], "confirmation_required", "{asked}");
            let done = server.call_approved("PutSecretValue", put(), "y");
            assert_eq!(done["Outcome"], "created", "{era:?} {done}");
        }
    }
}

#[test]
fn a_clients_word_is_never_a_persons() {
    let read = json!({ "SecretName": "app/db", "Destination": "agent" });
    for era in Era::ALL {
        let (_home, mut server) = server(era, &json!({ "form": {} }));
        // Not even asked through the client: a person is needed.
        let asked = server.call("GetSecretValue", read.clone());
        assert_eq!(asked["Status"], "confirmation_required", "{era:?} {asked}");
        let mut again = read.clone();
        again["ConfirmationToken"] = asked["Confirmation"]["Token"].clone();
        assert_eq!(server.call("GetSecretValue", again)["Status"], "confirmation_required");
    }
}
