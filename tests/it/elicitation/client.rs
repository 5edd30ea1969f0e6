//! A client, scripted: what it declares, and what it does when it is asked.

use serde_json::{Value, json};

use crate::harness::{Era, Server};

/// What a client does with a question.
#[derive(Clone, Copy)]
pub(super) enum Does {
    /// Answers with this, made of the parameters it was asked with.
    Answers(fn(&Value) -> Value),
    /// Fails: a protocol error, or where only answers can be given, something that is none.
    Fails,
    /// Says nothing.
    Nothing,
}

/// Types the code that the form asks for.
pub(super) fn types(params: &Value) -> Value {
    json!({ "action": "accept", "content": { "confirm": code(params) } })
}

/// The code that a form asks to be typed: the one field, required and without a default.
pub(super) fn code(params: &Value) -> String {
    let schema = &params["requestedSchema"];
    assert_eq!(schema["required"], json!(["confirm"]), "{params}");
    let field = &schema["properties"]["confirm"];
    assert!(field.get("default").is_none(), "{params}");
    field["description"].as_str().unwrap().split(' ').nth(1).unwrap().to_owned()
}

/// How a call went: the parameters of the question that came, if one did, and the envelope.
pub(super) struct Went {
    pub(super) asked: Option<Value>,
    pub(super) envelope: Value,
}

/// Makes a call as a client of that era does, and answers what it is asked.
pub(super) fn call(
    server: &mut Server,
    era: Era,
    tool: &str,
    arguments: &Value,
    does: Does,
) -> Went {
    if era == Era::V2026_07_28 {
        modern(server, tool, arguments, does)
    } else {
        older(server, tool, arguments, does)
    }
}

fn older(server: &mut Server, tool: &str, arguments: &Value, does: Does) -> Went {
    let id = server.send("tools/call", json!({ "name": tool, "arguments": arguments }));
    let mut asked = None;
    loop {
        let message = server.receive();
        match message["method"].as_str() {
            None => {
                assert_eq!(message["id"], json!(id), "{message}");
                return Went { asked, envelope: message["result"]["structuredContent"].clone() };
            }
            Some("elicitation/create") => {
                let params = message["params"].clone();
                match does {
                    Does::Answers(answer) => server.respond(&message, "result", answer(&params)),
                    Does::Fails => {
                        let error = json!({ "code": -32603, "message": "no window" });
                        server.respond(&message, "error", error);
                    }
                    Does::Nothing => {}
                }
                assert!(asked.replace(params).is_none(), "asked once");
            }
            Some(method) => assert!(method.starts_with("notifications/"), "{message}"),
        }
    }
}

fn modern(server: &mut Server, tool: &str, arguments: &Value, does: Does) -> Went {
    let mut params = json!({ "name": tool, "arguments": arguments });
    let first = server.request("tools/call", params.clone());
    let result = &first["result"];
    if result["resultType"] != "input_required" {
        return Went { asked: None, envelope: result["structuredContent"].clone() };
    }
    let asked = result["inputRequests"]["confirm"]["params"].clone();
    let answer = match does {
        Does::Answers(answer) => answer(&asked),
        Does::Fails => json!({ "code": -32603, "message": "no window" }),
        Does::Nothing => return Went { asked: Some(asked), envelope: Value::Null },
    };
    params["inputResponses"] = json!({ "confirm": answer });
    params["requestState"] = result["requestState"].clone();
    let second = server.request("tools/call", params);
    assert_ne!(second["result"]["resultType"], "input_required", "asked once: {second}");
    Went { asked: Some(asked), envelope: second["result"]["structuredContent"].clone() }
}
