//! The way to the approval page: opened by the client, decided by a person.

use serde_json::{Value, json};

use super::client::{Does, call};
use super::{read, server, server_with};
use crate::harness::{Era, Pty, Server, ServerOptions, decide_at};

const ERAS: [Era; 2] = [Era::V2025_11_25, Era::V2026_07_28];
const PIN: &str = "four horses";

/// Makes a call as a client that opens pages, up to where it waits for the person: the id of the
/// request that will be answered, and what was asked.
fn opened(server: &mut Server, era: Era, arguments: &Value) -> (u64, Value) {
    let mut params = json!({ "name": "GetSecretValue", "arguments": arguments });
    if era == Era::V2026_07_28 {
        let asked = server.request("tools/call", params.clone());
        let asked = &asked["result"];
        params["requestState"] = asked["requestState"].clone();
        params["inputResponses"] = json!({ "confirm": { "action": "accept" } });
        let asked = asked["inputRequests"]["confirm"]["params"].clone();
        return (server.send("tools/call", params), asked);
    }
    let id = server.send("tools/call", params);
    let asked = server.receive();
    assert_eq!(asked["method"], "elicitation/create", "{asked}");
    server.respond(&asked, "result", json!({ "action": "accept" }));
    (id, asked["params"].clone())
}

/// All that comes until the reply, and the reply's envelope.
fn finished(server: &mut Server, id: u64) -> (Vec<Value>, Value) {
    let mut before = Vec::new();
    loop {
        let message = server.receive();
        if message["id"] == json!(id) && message.get("result").is_some() {
            return (before, message["result"]["structuredContent"].clone());
        }
        before.push(message);
    }
}

/// The dialogs that the client is told are over, among what came, or what comes next.
fn completed(server: &mut Server, mut came: Vec<Value>) -> Vec<Value> {
    if came.is_empty() {
        came.push(server.receive());
    }
    came.retain(|message| message["method"] == "notifications/elicitation/complete");
    came.into_iter().map(|message| message["params"]["elicitationId"].clone()).collect()
}

#[test]
fn the_person_decides_on_the_page_and_the_call_goes_on() {
    for era in ERAS {
        let options = ServerOptions::embedded().era(era);
        let mut server = server_with(options, &json!({ "url": {} }), "wait_seconds = 300\n");
        for (answer, expected) in [("approve", "ok"), ("deny", "denied")] {
            let (id, asked) = opened(&mut server, era, &read());
            let address = asked["url"].as_str().unwrap();
            assert_eq!(asked["mode"], "url", "{asked}");
            assert!(address.starts_with("http://127.0.0.1:"), "{asked}");
            let name = asked["elicitationId"].as_str().unwrap();
            assert_eq!(name.is_empty(), era == Era::V2026_07_28, "{asked}");
            let seen = decide_at(address, &format!("answer={answer}"));
            assert!(seen.starts_with("HTTP/1.1 200"), "{seen}");
            let (came, envelope) = finished(&mut server, id);
            assert_eq!(envelope["Status"], expected, "{era:?} {envelope}");
            if era == Era::V2025_11_25 {
                assert_eq!(completed(&mut server, came), [json!(name)]);
            } else {
                assert!(came.is_empty(), "{came:?}");
            }
        }
        let methods: Vec<Value> = server
            .audit()
            .into_iter()
            .filter(|row| row["event"] == "approved" || row["event"] == "client_declined")
            .map(|row| row["approval"]["method"].clone())
            .collect();
        assert_eq!(methods, ["page"], "{era:?}");
    }
}

#[test]
fn a_question_is_brought_to_the_client_once_and_its_page_stays() {
    for era in ERAS {
        let mut server = server(era, &json!({ "url": {} }));
        let (id, asked) = opened(&mut server, era, &read());
        let (_, envelope) = finished(&mut server, id);
        assert_eq!(envelope["Status"], "confirmation_required", "{envelope}");
        assert_eq!(envelope["Confirmation"]["ApproveAt"], asked["url"]);
        assert!(envelope["Confirmation"]["ApproveWith"].is_string());
        let mut again = read();
        again["ConfirmationToken"] = envelope["Confirmation"]["Token"].clone();
        let does = Does::Answers(|asked| panic!("asked again: {asked}"));
        let still = call(&mut server, era, "GetSecretValue", &again, does).envelope;
        assert_eq!(still["Status"], "confirmation_required", "{still}");
        decide_at(asked["url"].as_str().unwrap(), "answer=approve");
        let id = server.send("tools/call", json!({ "name": "GetSecretValue", "arguments": again }));
        let (came, done) = finished(&mut server, id);
        assert_eq!(done["Status"], "ok", "{era:?} {done}");
        if era == Era::V2025_11_25 {
            assert_eq!(completed(&mut server, came), [asked["elicitationId"].clone()]);
        }
    }
}

#[test]
fn with_a_pin_the_page_wants_it_whatever_the_client_says() {
    for era in ERAS {
        let options = ServerOptions::embedded().era(era);
        let mut server = server_with(options, &json!({ "url": {} }), "wait_seconds = 300\n");
        let state = server.state();
        let arguments = ["pin", "set", "--state-dir", state.to_str().unwrap()];
        let screen =
            Pty::converse(server.home(), &arguments, &[("New PIN", PIN), ("again: ", PIN)]);
        assert!(screen.status.success(), "{}", screen.text);
        let (id, asked) = opened(&mut server, era, &read());
        let address = asked["url"].as_str().unwrap();
        for wrong in ["answer=approve", "answer=approve&pin=", "answer=approve&pin=four+cows"] {
            let seen = decide_at(address, wrong);
            assert!(seen.contains("Nothing was decided"), "{wrong}: {seen}");
        }
        decide_at(address, "answer=approve&pin=four+horses");
        assert_eq!(finished(&mut server, id).1["Status"], "ok");
        let approved = server.audited(|row| row["event"] == "approved");
        assert!(approved["approval"]["signature"].is_string(), "{approved}");
    }
}

#[test]
fn who_has_decided_elsewhere_need_not_open_the_page() {
    let options = ServerOptions::embedded();
    let mut server = server_with(options, &json!({ "url": {} }), "ask_seconds = 300\n");
    let id = server.send("tools/call", json!({ "name": "GetSecretValue", "arguments": read() }));
    let asked = server.receive();
    decide_at(asked["params"]["url"].as_str().unwrap(), "answer=approve");
    let (mut came, envelope) = finished(&mut server, id);
    assert_eq!(envelope["Status"], "ok", "{envelope}");
    while came.len() < 2 {
        came.push(server.receive());
    }
    let closed = |message: &Value| message["params"]["requestId"] == asked["id"];
    assert!(came.iter().any(closed), "{came:?}");
}

#[test]
fn what_wants_no_person_leads_to_no_page() {
    for era in ERAS {
        let mut server = server(era, &json!({ "url": {} }));
        let does = Does::Answers(|asked| panic!("asked: {asked}"));
        let masked = json!({ "SecretName": "app/db" });
        let went = call(&mut server, era, "GetSecretValue", &masked, does);
        assert_eq!(went.envelope["Status"], "confirmation_required", "{}", went.envelope);
    }
}
