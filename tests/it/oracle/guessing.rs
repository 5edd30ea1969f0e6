//! The agent guesses: two worlds that differ in the values that are stored, and one script that
//! writes both into every argument of every tool. What comes out is the same.

use std::fs;

use serde_json::{Map, Value, json};

use super::{assert_same, read};
use crate::harness::{Server, ServerOptions};

/// What is stored, in one world or the other. Each is a name, a label and a tag as well.
const STORED: [&str; 2] = ["Summer-2024-x", "Winter-2024-y"];

/// What came out on stdout, and the audit log.
fn run(stored: &str) -> (String, String) {
    let config = "wait_seconds = 0\n[limits]\nquestions = 100\ncool_off_seconds = 0\n";
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(home.path(), ServerOptions::embedded().config(config));
    // What the person has: the agent may name the file, and never reads it.
    let values = server.state().join("values");
    fs::write(values.join("stored"), stored).unwrap();
    for (n, guess) in STORED.iter().enumerate() {
        fs::write(values.join(format!("guess-{n}")), guess).unwrap();
    }
    for name in ["app/db", "app/two"] {
        let create = json!({ "SecretName": name, "VersionId": "v1", "SecretDataSource": { "File": "stored" } });
        assert_eq!(server.call("CreateSecret", create)["Outcome"], "created");
    }
    let tools = server.request("tools/list", json!({}))["result"]["tools"].clone();
    for tool in tools.as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        let members = tool["inputSchema"]["properties"].as_object().unwrap();
        for (n, guess) in STORED.iter().enumerate() {
            for (member, schema) in members {
                let mut arguments = usual(name, n);
                arguments[member] = filled(schema, guess, guess);
                attempt(&mut server, name, arguments);
            }
            // Into all at once, and the guesses in turns.
            let mut arguments = usual(name, n);
            for (at, (member, schema)) in members.iter().enumerate() {
                if schema["type"] != "boolean" && schema["type"] != "integer" {
                    let (one, other) = (STORED[(n + at) % 2], STORED[(n + at + 1) % 2]);
                    arguments[member] = filled(schema, one, other);
                }
            }
            attempt(&mut server, name, arguments);
            if name == "CreateSecret" || name == "PutSecretValue" {
                by_value(&mut server, name, n, guess);
            }
        }
        for secret in ["app/db", "app/two", "app/file-0", "app/file-1"] {
            attempt(&mut server, "GetSecretValue", json!({ "SecretName": secret }));
        }
    }
    let audit = server.state().join("audit");
    let stdout = server.transcript.clone();
    let (status, stderr) = server.finish();
    assert!(status.success(), "{stderr}");
    let mut files = Vec::new();
    read(&audit, &mut files);
    let log: Vec<String> = files
        .into_iter()
        .flat_map(|(_, content)| {
            String::from_utf8(content).unwrap().lines().map(on_record).collect::<Vec<_>>()
        })
        .flatten()
        .collect();
    let log = log.join("\n");
    let hide = |text: &str| text.replace(home.path().to_str().unwrap(), "<home>");
    (hide(&stdout), hide(&format!("{stderr}\n{log}")))
}

/// A record without its place in the log. How many refusals are written, and how many only counted,
/// hangs on how fast they came.
fn on_record(line: &str) -> Option<String> {
    let mut record: Value = serde_json::from_str(line).unwrap();
    if ["denied", "suppressed", "checkpoint"].iter().any(|event| record["event"] == *event) {
        return None;
    }
    let members = record.as_object_mut().unwrap();
    members.retain(|name, _| !["seq", "intent"].contains(&name.as_str()));
    Some(record.to_string())
}

/// Guesses as values: of versions that exist and of new ones, inline and by file, and the stored one
/// next to them.
fn by_value(server: &mut Server, tool: &str, n: usize, guess: &str) {
    for (secret, version) in [("app/db", "v1"), ("app/two", "v1"), ("app/db", "w1")] {
        for value in [
            json!({ "SecretData": guess }),
            json!({ "SecretDataSource": { "File": format!("guess-{n}") } }),
            json!({ "SecretDataSource": { "File": "stored" } }),
        ] {
            let mut arguments = json!({ "SecretName": secret, "VersionId": version });
            arguments.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
            attempt(server, tool, arguments);
        }
    }
    // A file of the person as a version of a secret of the agent's own, and a guess upon it.
    let own = format!("app/file-{n}");
    for value in
        [json!({ "SecretDataSource": { "File": "stored" } }), json!({ "SecretData": guess })]
    {
        for (tool, version) in
            [("CreateSecret", "v1"), ("PutSecretValue", "v1"), ("PutSecretValue", "v2")]
        {
            let mut arguments = json!({ "SecretName": own, "VersionId": version });
            arguments.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
            attempt(server, tool, arguments);
        }
    }
    // The guess beside the value from the file.
    attempt(
        server,
        "CreateSecret",
        json!({ "SecretName": format!("beside/{guess}"), "VersionId": guess, "Description": guess,
            "Tags": [{ "TagKey": "k", "TagValue": guess }], "SecretDataSource": { "File": "stored" } }),
    );
}

/// Makes the call, and once more with its token if it asks for one.
fn attempt(server: &mut Server, tool: &str, arguments: Value) {
    let answer = server.call_whole(tool, arguments.clone());
    let token = &answer["result"]["structuredContent"]["Confirmation"]["Token"];
    if let Some(token) = token.as_str() {
        let mut again = arguments;
        again["ConfirmationToken"] = token.into();
        server.call_whole(tool, again);
    }
}

/// Arguments with which a call is complete.
fn usual(tool: &str, n: usize) -> Value {
    let mut arguments = match tool {
        "CreateSecret" => json!({ "VersionId": "v1", "SecretData": "another-value" }),
        "PutSecretValue" => json!({ "VersionId": format!("p{n}"), "SecretData": "another-value" }),
        "UpdateSecret" => json!({ "Description": "d" }),
        "UpdateSecretVersionStage" => json!({ "VersionStage": "blue", "MoveToVersion": "v1" }),
        "UpdateSecretRotationPolicy" => json!({ "EnableAutomaticRotation": false }),
        "RotateSecret" => json!({ "VersionId": "r1" }),
        _ => json!({}),
    };
    if !matches!(tool, "ListSecrets" | "ListKeys" | "ListKmsInstances" | "CreateKey") {
        let name = if tool == "CreateSecret" { format!("new/{n}") } else { "app/db".into() };
        arguments["SecretName"] = name.into();
    }
    arguments
}

/// The guesses wherever the schema of an argument has a text.
fn filled(schema: &Value, one: &str, other: &str) -> Value {
    match schema["type"].as_str() {
        Some("array") => json!([filled(&schema["items"], one, other)]),
        Some("object") => {
            let members = schema["properties"].as_object();
            let mut object: Map<String, Value> = members
                .into_iter()
                .flatten()
                .map(|(name, member)| (name.clone(), filled(member, other, one)))
                .collect();
            if object.is_empty() {
                object.insert(one.into(), other.into());
            }
            object.into()
        }
        _ => one.into(),
    }
}

#[test]
fn guesses_in_every_argument_of_every_tool_tell_nothing() {
    let [one, other] = STORED;
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| run(one));
        (run(other), first.join().unwrap())
    });
    assert_same("stdout", &second.0, &first.0);
    assert_same("stderr and the audit log", &second.1, &first.1);
}
