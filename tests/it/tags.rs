//! Rules on tags and types, over stdio: they are read before the verdict, and what cannot be read
//! allows nothing.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Emulator, Server, ServerOptions};

/// The default, tightened by tag and loosened by tag and type.
const POLICY: &str = r#"
version = 1
extends = "default"
drop = ["write", "new-version", "soft-delete"]
[[rule]]
id = "create"
action = ["CreateSecret", "UpdateSecret"]
allow = true
reason = "To begin with."
[[rule]]
id = "development"
action = ["PutSecretValue", "DeleteSecret"]
tag = ["env=dev"]
type = ["Generic"]
allow = true
reason = "Development changes."
[[rule]]
id = "watched"
action = ["UpdateSecret"]
tag = ["watch=*"]
confirm = "person"
reason = "Somebody watches it."
[[rule]]
id = "locked"
tag = ["locked=yes"]
deny = true
instead = "Ask its owner."
reason = "It is locked."
"#;

/// What cannot be read: an answer that says nothing about being there.
const UNREADABLE: &str = r#"
[[rule]]
action = "DescribeSecret"
effect = { error = { status = 403, code = "Forbidden.NoPermission", message = "no" } }
"#;

struct Scene {
    emulator: Emulator,
    server: Server,
    _home: TempDir,
}

impl Scene {
    fn new() -> Self {
        let emulator = Emulator::start();
        let home = TempDir::new().unwrap();
        let policy = home.path().join("policy.toml");
        fs::write(&policy, POLICY).unwrap();
        fs::set_permissions(&policy, Permissions::from_mode(0o600)).unwrap();
        let config = format!("wait_seconds = 1\npolicy = {:?}\n", policy.to_str().unwrap());
        let options = ServerOptions::with_emulator(&emulator).config(&config);
        let server = Server::start_in(home.path(), options);
        let mut scene = Self { emulator, server, _home: home };
        for (name, tag) in [("dev", "env=dev"), ("prod", "env=prod"), ("seen", "watch=me")] {
            assert_eq!(scene.create(name, tag)["Outcome"], "created");
        }
        scene
    }

    fn create(&mut self, name: &str, tag: &str) -> Value {
        let (key, value) = tag.split_once('=').unwrap();
        self.server.call(
            "CreateSecret",
            json!({ "SecretName": name, "VersionId": "v1", "SecretData": "hunter2-hunter2",
                    "Tags": [{ "TagKey": key, "TagValue": value }] }),
        )
    }

    fn put(&mut self, name: &str, version: &str) -> Value {
        self.server.call(
            "PutSecretValue",
            json!({ "SecretName": name, "VersionId": version, "SecretData": "hunter3-hunter3" }),
        )
    }

    fn update(&mut self, name: &str) -> Value {
        self.server.call("UpdateSecret", json!({ "SecretName": name, "Description": "d" }))
    }
}

fn denied(answer: &Value, rule: &str) {
    assert_eq!(answer["Status"], "denied", "{answer}");
    assert!(answer.to_string().contains(rule), "{answer}");
}

#[test]
fn a_tag_allows_raises_and_denies() {
    let mut scene = Scene::new();
    assert_eq!(scene.put("dev", "v2")["Status"], "ok");
    denied(&scene.put("prod", "v2"), "default-deny");
    assert_eq!(scene.update("dev")["Status"], "ok");
    assert_eq!(scene.update("seen")["Status"], "confirmation_required");
    // The tags that a new secret is to have count as well, and nothing is read for it.
    let before = scene.emulator.count("DescribeSecret");
    denied(&scene.create("own", "locked=yes"), "It is locked");
    assert_eq!(scene.emulator.count("DescribeSecret"), before);
    assert_eq!(scene.emulator.count("CreateSecret"), 3);
    // A step of a call is judged by the tags that were read for the call.
    let gone = scene.server.call("DeleteSecret", json!({ "SecretName": "dev" }));
    assert_eq!(gone["Outcome"], "scheduled", "{gone}");
    // Nothing hangs on the tags of the account.
    assert_eq!(scene.server.call("ListSecrets", json!({}))["Status"], "ok");
}

#[test]
fn a_call_that_a_tag_raised_can_be_approved() {
    let mut scene = Scene::new();
    let arguments = json!({ "SecretName": "seen", "Description": "d" });
    let done = scene.server.call_approved("UpdateSecret", arguments, "y");
    assert_eq!(done["Outcome"], "updated", "{done}");
}

#[test]
fn unreadable_tags_deny_and_never_allow() {
    let mut scene = Scene::new();
    scene.emulator.faults(UNREADABLE);
    let before = scene.emulator.count("PutSecretValue");
    // The only rule that would allow it looks at the tags; so does one that would deny it.
    denied(&scene.put("dev", "v3"), "cannot be read");
    denied(&scene.update("dev"), "cannot be read");
    assert_eq!(scene.emulator.count("PutSecretValue"), before);
    scene.emulator.faults("");
    assert_eq!(scene.put("dev", "v3")["Status"], "ok");
}

#[test]
fn unreadable_tags_confirm_where_a_rule_confirms() {
    let emulator = Emulator::start();
    let home = TempDir::new().unwrap();
    let policy = home.path().join("policy.toml");
    let text = "version = 1\nextends = \"default\"\n[[rule]]\nid = \"watched\"\naction = [\"UpdateSecret\"]\ntag = [\"watch=*\"]\nconfirm = \"person\"\nreason = \"Somebody watches it.\"\n";
    fs::write(&policy, text).unwrap();
    fs::set_permissions(&policy, Permissions::from_mode(0o600)).unwrap();
    let config = format!("policy = {:?}\n", policy.to_str().unwrap());
    let options = ServerOptions::with_emulator(&emulator).config(&config);
    let mut server = Server::start_in(home.path(), options);
    server.call(
        "CreateSecret",
        json!({ "SecretName": "a", "VersionId": "v1", "SecretData": "hunter2-hunter2" }),
    );
    let update = json!({ "SecretName": "a", "Description": "d" });
    assert_eq!(server.call("UpdateSecret", update.clone())["Status"], "ok");
    emulator.faults(UNREADABLE);
    let asked = server.call("UpdateSecret", update);
    assert_eq!(asked["Status"], "confirmation_required", "{asked}");
    assert_eq!(emulator.count("UpdateSecret"), 1);
}

#[test]
fn a_verdict_does_not_tell_whether_there_is_such_a_secret() {
    let mut scene = Scene::new();
    // Made by somebody else: no rule lets us make it.
    scene.emulator.faults(
        "[[rule]]\naction = 'DescribeSecret'\neffect = { override = { Tags = { Tag = [{ TagKey = 'locked', TagValue = 'yes' }] } } }\n",
    );
    let there = scene.put("dev", "v9");
    denied(&there, "locked");
    scene.emulator.faults("");
    for name in ["nowhere", "nor/here"] {
        assert_eq!(scene.put(name, "v9"), there, "{name}");
        let gone = scene.server.call("DeleteSecret", json!({ "SecretName": name }));
        assert_eq!(gone, there, "{name}");
    }
    assert_eq!(scene.emulator.count("PutSecretValue"), 0);
    assert_eq!(scene.emulator.count("DeleteSecret"), 0);
}
