//! A call that needs more than it was asked about with: it is asked about anew, at once.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Emulator, Question, Server, ServerOptions};

/// Soft deletions need a token, and after one in an hour a person.
const POLICY: &str = r#"
version = 1
extends = "default"
drop = ["soft-delete"]
[[rule]]
id = "few-deletions"
action = ["DeleteSecret"]
risk = ["write"]
confirm = "token"
limit = { per_hour = 1, then = "person" }
reason = "Few are deleted."
"#;

fn assert_asked_anew(answer: &Value, before: &Question) -> Question {
    assert_eq!(answer["Status"], "confirmation_required", "{answer}");
    assert!(answer["Notes"].to_string().contains("More is asked for"), "{answer}");
    let text = |name: &str| answer["Confirmation"][name].as_str().unwrap().to_owned();
    let question = Question { token: text("Token"), code: text("MatchCode"), ..before.clone() };
    assert_ne!(question.token, before.token);
    question
}

/// A server under that policy with `app/a` and `app/b`, each deletion asked about, and the second
/// one made.
fn one_made(emulator: &Emulator, home: &TempDir) -> (Server, [Question; 2]) {
    let policy = home.path().join("policy.toml");
    fs::write(&policy, POLICY).unwrap();
    fs::set_permissions(&policy, Permissions::from_mode(0o600)).unwrap();
    let config = format!("wait_seconds = 1\npolicy = {:?}\n", policy.to_str().unwrap());
    let options = ServerOptions::with_emulator(emulator).config(&config);
    let mut server = Server::start_in(home.path(), options);
    let mut ask = |name: &str| {
        server.create(name, "hunter2-hunter2");
        Question::ask(&mut server, "DeleteSecret", json!({ "SecretName": name }))
    };
    let (first, second) = (ask("app/a"), ask("app/b"));
    assert_eq!(second.redeem(&mut server)["Outcome"], "scheduled");
    (server, [first, second])
}

#[test]
fn a_limit_that_was_reached_while_a_token_waited_asks_a_person() {
    let (emulator, home) = (Emulator::start(), TempDir::new().unwrap());
    let (mut server, [first, _]) = one_made(&emulator, &home);
    let asked = first.redeem(&mut server);
    let anew = assert_asked_anew(&asked, &first);
    assert_eq!(emulator.count("DeleteSecret"), 1);
    anew.approve(&server);
    assert_eq!(anew.redeem(&mut server)["Outcome"], "scheduled");
}

/// A client that lost the answer repeats the call: nobody is asked about what was done.
#[test]
fn a_token_that_was_used_brings_no_new_question() {
    let (emulator, home) = (Emulator::start(), TempDir::new().unwrap());
    let (mut server, [_, second]) = one_made(&emulator, &home);
    let again = second.redeem(&mut server);
    assert_eq!(again["Error"]["Code"], "ConfirmationUsed", "{again}");
}

#[test]
fn the_token_of_another_call_is_still_refused() {
    let (emulator, home) = (Emulator::start(), TempDir::new().unwrap());
    let (mut server, [first, _]) = one_made(&emulator, &home);
    server.create("app/c", "hunter2-hunter2");
    let other = server.call("DeleteSecret", first.on(json!({ "SecretName": "app/c" })));
    assert_eq!(other["Error"]["Code"], "ConfirmationMismatch", "{other}");
    assert_eq!(emulator.count("DeleteSecret"), 1);
}
