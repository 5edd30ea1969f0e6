//! A value that its own call repeats in another argument is refused, and kept nowhere.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Emulator, Server, ServerOptions};

const VALUE: &str = "Zq7-plum-Quartz-8842";

/// The files below `folder` that hold the value.
fn holding(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path));
        } else if std::fs::read(&path)
            .is_ok_and(|bytes| bytes.windows(VALUE.len()).any(|window| window == VALUE.as_bytes()))
        {
            found.push(path.display().to_string());
        }
    }
    found
}

fn with(more: Value) -> Value {
    let mut arguments = json!({ "SecretName": "app/a", "VersionId": "v1", "SecretData": VALUE });
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    arguments
}

#[test]
fn an_inline_value_in_another_argument_is_refused_and_kept_nowhere() {
    let emulator = Emulator::start();
    let home = tempfile::TempDir::new().unwrap();
    let asks = home.path().join("asks.toml");
    std::fs::write(
        &asks,
        "version = 1\nextends = \"default\"\n[[rule]]\nid = \"ask\"\naction = [\"CreateSecret\", \"PutSecretValue\"]\nconfirm = \"person\"\nreason = \"A person looks.\"\n",
    )
    .unwrap();
    let options =
        ServerOptions::with_emulator(&emulator).arg("--policy").arg(asks.to_str().unwrap());
    let mut server = Server::start_in(home.path(), options);
    for tool in ["CreateSecret", "PutSecretValue"] {
        for more in [
            json!({ "Reason": format!("store {VALUE} for the app") }),
            json!({ "Reason": VALUE.to_uppercase() }),
            json!({ "VersionId": VALUE }),
            json!({ "SecretName": format!("app/{VALUE}") }),
        ] {
            let refused = server.call(tool, with(more.clone()));
            assert_eq!(refused["Error"]["Code"], "InvalidArgument", "{tool} {more}: {refused}");
            let field = more.as_object().unwrap().keys().next().unwrap();
            let message = refused["Error"]["Message"].as_str().unwrap();
            assert!(message.contains(&format!("`{field}`")), "{message}");
            assert!(message.contains("repeats the value"), "{message}");
        }
    }
    for more in [
        json!({ "Description": format!("is {VALUE}") }),
        json!({ "Tags": [{ "TagKey": "note", "TagValue": VALUE }] }),
        json!({ "Tags": [{ "TagKey": VALUE, "TagValue": "x" }] }),
        json!({ "SecretType": "Rds", "ExtendedConfig": { "SecretSubType": "SingleUser",
            "DBInstanceId": "rm-1", "CustomData": { "note": VALUE } } }),
        json!({ "SecretType": "Rds", "ExtendedConfig": { "SecretSubType": "SingleUser",
            "DBInstanceId": "rm-1", "CustomData": { VALUE: "x" } } }),
    ] {
        let refused = server.call("CreateSecret", with(more.clone()));
        assert_eq!(refused["Error"]["Code"], "InvalidArgument", "{more}: {refused}");
        assert!(!refused.to_string().contains(VALUE), "{refused}");
    }
    assert!(emulator.requests().is_empty());
    let asked = server.call("CreateSecret", with(json!({ "Reason": "for the app" })));
    assert_eq!(asked["Status"], "confirmation_required", "{asked}");
    drop(server);
    assert_eq!(holding(home.path()), Vec::<String>::new());
}

#[test]
fn a_value_from_a_source_is_not_compared_with_what_the_agent_wrote() {
    let mut server = Server::start(ServerOptions::embedded());
    std::fs::write(server.state().join("values/v"), VALUE).unwrap();
    let mut answers = Vec::new();
    for (name, reason) in [("app/a", VALUE), ("app/b", "Zq7-plum-Quartz-8843")] {
        let mut answer = server.call(
            "CreateSecret",
            json!({ "SecretName": name, "VersionId": "v1", "SecretDataSource": { "File": "v" },
                "Reason": reason, "Description": reason }),
        );
        assert_eq!(answer["Status"], "ok", "{answer}");
        answer["RequestId"].take();
        answers.push(answer.to_string().replace(name, "app/_"));
    }
    assert_eq!(answers[0], answers[1]);
}
