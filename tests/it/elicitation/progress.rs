//! Progress, while a call waits for a person, for clients that asked to hear of it.

use serde_json::{Value, json};

use super::{read, server_with};
use crate::harness::{Era, Question, Server, ServerOptions};

const CONFIG: &str = "wait_seconds = 300\nprogress_seconds = 1\n";

fn waiting(era: Era) -> (Server, Question) {
    let options = ServerOptions::embedded().era(era);
    let mut server = server_with(options, &Value::Null, CONFIG);
    let question = Question::ask(&mut server, "GetSecretValue", read());
    (server, question)
}

fn repeat(server: &mut Server, question: &Question, meta: Value) -> u64 {
    let arguments = question.with_token();
    let params = json!({ "name": "GetSecretValue", "arguments": arguments, "_meta": meta });
    server.send("tools/call", params)
}

#[test]
fn who_asked_for_it_hears_of_a_call_that_waits_and_nothing_after_the_reply() {
    for era in Era::ALL {
        for token in [json!("p-1"), json!(7)] {
            let (mut server, question) = waiting(era);
            let id = repeat(&mut server, &question, json!({ "progressToken": token }));
            for number in 1..=2 {
                let told = server.receive();
                assert_eq!(told["method"], "notifications/progress", "{told}");
                let message = format!("waiting for approval {}", question.code);
                let params =
                    json!({ "progressToken": token, "progress": number, "message": message });
                assert_eq!(told["params"]["progress"].as_f64(), Some(f64::from(number)));
                let mut seen = told["params"].clone();
                seen["progress"] = number.into();
                assert_eq!(seen, params);
            }
            question.approve(&server);
            let reply = loop {
                let message = server.receive();
                if message["method"] != "notifications/progress" {
                    break message;
                }
            };
            assert_eq!(reply["id"], json!(id), "{reply}");
            assert_eq!(reply["result"]["structuredContent"]["Status"], "ok", "{reply}");
            let next = server.send("tools/list", json!({}));
            assert_eq!(server.receive()["id"], json!(next), "no progress after the reply");
        }
    }
}

#[test]
fn who_did_not_ask_and_whose_call_does_not_wait_hears_nothing() {
    for era in Era::ALL {
        let (mut server, question) = waiting(era);
        let id = repeat(&mut server, &question, json!({}));
        question.approve(&server);
        let reply = server.receive();
        assert_eq!(reply["id"], json!(id), "{reply}");
        let decided = Question::ask(&mut server, "GetSecretValue", read());
        decided.approve(&server);
        let id = repeat(&mut server, &decided, json!({ "progressToken": "p-1" }));
        let reply = server.receive();
        assert_eq!(reply["id"], json!(id), "{reply}");
    }
}

#[test]
fn the_number_rises_from_the_dialog_on() {
    let mut server = server_with(ServerOptions::embedded(), &json!({ "url": {} }), CONFIG);
    let params = json!({
        "name": "GetSecretValue", "arguments": read(), "_meta": { "progressToken": "p-1" },
    });
    let id = server.send("tools/call", params);
    let (mut asked, mut numbers) = (Value::Null, Vec::new());
    while numbers.len() < 3 {
        let message = server.receive();
        if message["method"] == "elicitation/create" {
            asked = message;
        } else {
            numbers.push(message["params"]["progress"].as_f64().unwrap());
        }
        if numbers.len() == 1 && !asked.is_null() {
            server.respond(&asked, "result", json!({ "action": "accept" }));
        }
    }
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    crate::harness::decide_at(asked["params"]["url"].as_str().unwrap(), "answer=approve");
    while server.receive()["id"] != json!(id) {}
}
