//! What clients write for an argument that they leave out is left out, for every tool.

use serde_json::{Map, Value, json};

use crate::harness::{Emulator, Server, ServerOptions};

/// The required arguments of a tool, so that only the optional one can be refused.
fn base(schema: &Value) -> Map<String, Value> {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut base: Map<String, Value> = required
        .map(|name| {
            let value = match name {
                "EnableAutomaticRotation" => json!(false),
                "Policy" => json!({ "Version": "1", "Statement": [{ "Effect": "Allow",
                    "Principal": { "RAM": ["acs:ram::1234:root"] },
                    "Action": ["kms:*"], "Resource": ["*"] }] }),
                _ => json!("app-db"),
            };
            (name.to_owned(), value)
        })
        .collect();
    let properties = schema["properties"].as_object().unwrap();
    if properties.contains_key("SecretData") {
        base.insert("SecretDataSource".into(), json!({ "File": "no-such-file" }));
    }
    if properties.contains_key("RemoveFromVersion") {
        base.insert("MoveToVersion".into(), "v1".into());
    }
    if properties.contains_key("ExtendedConfig.CustomData") {
        base.insert("Description".into(), "new".into());
    }
    base
}

/// What a client may write in place of nothing.
fn nothings(schema: &Value) -> Vec<Value> {
    let mut nothings = vec![Value::Null];
    match schema["type"].as_str().unwrap() {
        "string" => nothings.push("".into()),
        "array" => nothings.push(json!([])),
        _ => {}
    }
    nothings
}

#[test]
fn null_and_empty_are_as_good_as_nothing_for_every_optional_argument() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    let listed = server.request("tools/list", json!({}))["result"]["tools"].clone();
    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for tool in listed.as_array().unwrap() {
        let (name, schema) = (tool["name"].as_str().unwrap(), &tool["inputSchema"]);
        let base = base(schema);
        let mut all = base.clone();
        for (property, rules) in schema["properties"].as_object().unwrap() {
            if base.contains_key(property) {
                continue;
            }
            for nothing in nothings(rules) {
                if property == "SecretData" && nothing == "" {
                    continue; // an empty value is a mistake that is named
                }
                let mut arguments = base.clone();
                arguments.insert(property.clone(), nothing.clone());
                all.insert(property.clone(), nothing.clone());
                looked_at += 1;
                let said = answer(&mut server, name, &arguments);
                if said != answer(&mut server, name, &base) {
                    wrong.push(format!("{name} {property} {nothing}: {said}"));
                }
            }
        }
        if answer(&mut server, name, &all) != answer(&mut server, name, &base) {
            wrong.push(format!("{name} {all:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {looked_at}\n{}", wrong.len(), wrong.join("\n"));
    assert!(looked_at > 100, "{looked_at}");
}

/// What is refused of the arguments; else a call may be made or asked about, as limits have it.
fn answer(server: &mut Server, name: &str, arguments: &Map<String, Value>) -> String {
    let error = server.call(name, Value::Object(arguments.clone()))["Error"].take();
    if error["Code"] == "InvalidArgument" { error["Message"].to_string() } else { String::new() }
}

#[test]
fn a_nested_argument_may_be_left_out_so_too() {
    let mut server = Server::start(ServerOptions::embedded());
    let values = server.state().join("values");
    std::fs::write(values.join("db"), "correct-horse-battery").unwrap();
    for nothing in [Value::Null, "".into()] {
        let name = format!("app/{}", if nothing.is_null() { "null" } else { "empty" });
        let made = server.call(
            "CreateSecret",
            json!({ "SecretName": name, "VersionId": "v1", "SecretData": null,
                "SecretDataSource": { "Env": nothing, "File": "db" } }),
        );
        assert_eq!(made["Status"], "ok", "{made}");
    }
}

#[test]
fn what_is_required_or_means_something_is_not_left_out() {
    let mut server = Server::start(ServerOptions::embedded());
    for arguments in [
        json!({ "SecretName": null }),
        json!({ "SecretName": "" }),
        json!({ "SecretName": "app/db", "VersionId": "v1", "SecretData": "" }),
        json!({ "SecretName": "app/db", "VersionId": "v1", "SecretData": null }),
    ] {
        let refused = server.call("CreateSecret", arguments);
        assert_eq!(refused["Error"]["Code"], "InvalidArgument", "{refused}");
    }
    let create = json!({ "SecretName": "app/db", "VersionId": "v1", "SecretData": "correct-horse",
        "Description": "first" });
    assert_eq!(server.call("CreateSecret", create)["Status"], "ok");
    let clear = json!({ "SecretName": "app/db", "Description": "" });
    assert_eq!(server.call("UpdateSecret", clear)["Status"], "ok");
    let seen = server.call("DescribeSecret", json!({ "SecretName": "app/db" }));
    assert_ne!(seen["Result"]["Description"], "first", "{seen}");
}

#[test]
fn what_clients_add_to_every_call_is_passed_over_and_a_slip_is_not() {
    let mut server = Server::start(ServerOptions::embedded());
    let added = json!({ "toolCallId": "call_1", "sessionId": "x", "action": "sendMessage",
        "chatInput": "hello", "_meta": { "progressToken": 1 } });
    assert_eq!(server.call("ListSecrets", added)["Status"], "ok");
    for slip in ["forceDeleteWithoutRecovery", "RecoveryWindowDays", "meta", "Action"] {
        let refused = server.call("DeleteSecret", json!({ "SecretName": "a", slip: null }));
        assert_eq!(refused["Error"]["Code"], "InvalidArgument", "{slip}: {refused}");
    }
}
