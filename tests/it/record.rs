//! What was approved is the record, whole: whatever differs between the yes and the call refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Emulator, Pty, Question, Server, ServerOptions};

const VALUE: &str = "hunter2-hunter2";
const ASK_OFTEN: &str = "wait_seconds = 0\n[limits]\npending = 20\nquestions = 100\n";

/// Where the leaves of a JSON value are.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, inner)| leaves(inner, &format!("{at}/{name}"), found));
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, inner) in items.iter().enumerate() {
                leaves(inner, &format!("{at}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            found.push(at.to_owned());
        }
    }
}

/// The same kind of value, and another one.
fn other(leaf: &Value, at: &str) -> Value {
    match leaf {
        Value::Bool(flag) => Value::Bool(!flag),
        Value::Null => "x".into(),
        Value::Array(_) if at.ends_with("arguments") => json!([["VersionId", "v0"]]),
        Value::Array(_) => json!(["x"]),
        Value::String(text) => format!("{text}x").into(),
        Value::Number(_) | Value::Object(_) => panic!("{leaf} at {at}"),
    }
}

fn audited(state: &Path, code: &str) -> usize {
    let mut found = 0;
    for file in fs::read_dir(state.join("audit")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        found += records.filter(|one| one["event"] == "denied" && one["code"] == code).count();
    }
    found
}

/// Whoever writes the store shows the person another record, with the digest that belongs to it:
/// the yes is over that one, and the server knows which one it asked.
#[test]
fn a_yes_over_a_record_that_differs_in_any_field_refuses() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator).config(ASK_OFTEN));
    server.create("app/db", VALUE);
    let arguments = json!({ "SecretName": "app/db", "Destination": "agent",
        "VersionStage": "ACSCurrent", "Reason": "because" });
    let mut all = Vec::new();
    let (mut number, mut skipped) = (0, 0);
    loop {
        let question = Question::ask(&mut server, "GetSecretValue", arguments.clone());
        let hash = Sha256::digest(question.token.as_bytes()).to_vec();
        let store = Connection::open(server.state().join("store.sqlite")).unwrap();
        store.busy_timeout(crate::harness::PATIENCE).unwrap();
        let bytes: Vec<u8> = store
            .query_row("SELECT record FROM approvals WHERE token_hash = ?1", [&hash], |row| {
                row.get(0)
            })
            .unwrap();
        let mut record: Value = serde_json::from_slice(&bytes).unwrap();
        if all.is_empty() {
            leaves(&record, "", &mut all);
            assert!(all.len() >= 25, "{all:?}");
        }
        let Some(at) = all.get(number) else { break };
        let leaf = record.pointer_mut(at).unwrap();
        *leaf = other(leaf, at);
        let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        let columns = [text("match_code"), text("level"), text("instance")];
        let forged = serde_json::to_vec(&record).unwrap();
        let digest = Sha256::digest([b"kms-mcp/approval/v1\0", forged.as_slice()].concat());
        store
            .execute(
                "UPDATE approvals SET record = ?1, digest = ?2, match_code = ?4, level = ?5,
                   instance = ?6 WHERE token_hash = ?3",
                params![forged, digest.as_slice(), hash, columns[0], columns[1], columns[2]],
            )
            .unwrap();
        let typed = if at == "/type_the_name" { "app/db" } else { "y" };
        let screen = if at == "/require_factor" {
            // Nobody sets one.
            let state = server.state();
            let approve = ["approve", &question.token, "--state-dir", state.to_str().unwrap()];
            let turns = [("Approve? ", typed), ("New PIN", "\u{4}")];
            Pty::converse(server.home(), &approve, &turns)
        } else {
            Pty::approve(server.home(), &[&question.token], &[typed])
        };
        // No column fits a time that is none; and where a record asks for a PIN, one is set first.
        let not_signed = ["/asked_at", "/expires_at", "/require_factor"].contains(&at.as_str());
        assert_eq!(screen.text.contains("Approved."), !not_signed, "{at}: {}", screen.text);
        if not_signed {
            let says = if at == "/require_factor" { "New PIN" } else { "another program changed" };
            assert!(screen.text.contains(says), "{at}: {}", screen.text);
            number += 1;
            skipped += 1;
            store.execute("DELETE FROM approvals WHERE token_hash = ?1", [&hash]).unwrap();
            continue;
        }
        let refused = question.redeem(&mut server);
        assert_eq!(refused["Status"], "denied", "{at}: {refused}");
        assert_eq!(refused["Error"]["Code"], "ConfirmationMismatch", "{at}: {refused}");
        number += 1;
        assert_eq!(audited(&server.state(), "ConfirmationMismatch"), number - skipped, "{at}");
    }
    assert_eq!(emulator.count("GetSecretValue"), 0);
}

fn policy(home: &Path, confirm: &str) {
    let path = home.join("policy.toml");
    let text = format!(
        "version = 1\nextends = \"default\"\ndrop = [\"reveal\"]\n[[rule]]\nid = \"mine\"\n\
         action = [\"GetSecretValue\"]\ndestination = [\"agent\"]\n{confirm}\nreason = \"x\"\n"
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_looser_policy_swapped_in_frees_no_question_that_was_asked() {
    let emulator = Emulator::start();
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let config = format!("wait_seconds = 0\npolicy = '{}'\n", home.join("policy.toml").display());
    let start = || Server::start_in(home, ServerOptions::with_emulator(&emulator).config(&config));
    policy(home, "confirm = \"person\"");
    let mut strict = start();
    strict.create("app/db", VALUE);
    let waits = Question::disclosure(&mut strict, "app/db");
    let other = json!({ "SecretName": "app/db", "Destination": "agent", "Reason": "another" });
    let approved = Question::ask(&mut strict, "GetSecretValue", other);
    approved.approve(&strict);
    policy(home, "confirm = \"token\"");
    // What runs goes by the policy it began with.
    assert_eq!(waits.redeem(&mut strict)["Status"], "confirmation_required");
    // Another process goes by the looser one, and yet cannot use the token of the first.
    let mut loose = start();
    for question in [&waits, &approved] {
        let asked = question.redeem(&mut loose);
        assert_eq!(asked["Status"], "confirmation_required", "{asked}");
        assert_ne!(asked["Confirmation"]["Token"], question.token.as_str());
    }
    assert_eq!(emulator.count("GetSecretValue"), 0);
    // The swap is on record: the two processes name different policies.
    drop((strict, loose));
    let mut digests = Vec::new();
    for file in fs::read_dir(home.join("state/audit")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let start: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        digests.extend(start["policy_digest"].as_str().map(str::to_owned));
    }
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 2, "{digests:?}");
}

#[test]
fn other_credentials_after_the_yes_refuse() {
    let emulator = Emulator::start();
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let profile = |id: &str, secret: &str| {
        let file = json!({ "current": "default", "profiles": [{ "name": "default", "mode": "AK",
            "access_key_id": id, "access_key_secret": secret, "region_id": "cn-hangzhou" }] });
        fs::create_dir_all(home.join(".aliyun")).unwrap();
        fs::write(home.join(".aliyun/config.json"), file.to_string()).unwrap();
    };
    profile(&emulator.access_key_id, &emulator.access_key_secret);
    let mut options = ServerOptions::with_emulator(&emulator);
    options.environment.retain(|(name, _)| !name.contains("ACCESS_KEY"));
    let mut server = Server::start_in(home, options);
    server.create("app/db", VALUE);
    let question = Question::ask(&mut server, "GetSecretValue", json!({ "SecretName": "app/db" }));
    profile("LTAI5tSomebodyElsesKey00", &emulator.access_key_secret);
    let refused = question.redeem(&mut server);
    assert_eq!(refused["Error"]["Code"], "ConfirmationMismatch", "{refused}");
    let message = refused["Error"]["Message"].as_str().unwrap();
    assert!(message.contains("credentials"), "{message}");
    assert_eq!(audited(&server.state(), "ConfirmationMismatch"), 1);
    profile(&emulator.access_key_id, &emulator.access_key_secret);
    assert_eq!(question.redeem(&mut server)["Status"], "ok");
    assert_eq!(emulator.count("GetSecretValue"), 1);
}
