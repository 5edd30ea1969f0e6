//! A question as long as it lives: the same for the same call, known to the server whatever the
//! store says, and gone from the store when it is over.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Emulator, Pty, Question, Server, ServerOptions, until};

const VALUE: &str = "hunter2-hunter2";

fn store(server: &Server) -> Connection {
    let store = Connection::open(server.state().join("store.sqlite")).unwrap();
    store.busy_timeout(crate::harness::PATIENCE).unwrap();
    store
}

fn token_hash(question: &Question) -> Vec<u8> {
    Sha256::digest(question.token.as_bytes()).to_vec()
}

fn disclosure(name: &str, reason: &str) -> Value {
    json!({ "SecretName": name, "Destination": "agent", "Reason": reason })
}

fn notes(envelope: &Value) -> String {
    envelope["Notes"].to_string()
}

#[test]
fn the_same_call_is_one_question() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    for name in ["app/db", "app/one", "app/two"] {
        server.create(name, VALUE);
    }
    let first = Question::ask(&mut server, "GetSecretValue", disclosure("app/db", "deploy"));
    for reason in [json!("deploy"), Value::Null, json!("deploy")] {
        let mut again = json!({ "SecretName": "app/db", "Destination": "agent" });
        if !reason.is_null() {
            again["Reason"] = reason;
        }
        let asked = server.call("GetSecretValue", again);
        assert_eq!(asked["Status"], "confirmation_required", "{asked}");
        assert_eq!(asked["Confirmation"]["Token"], first.token.as_str(), "{asked}");
        assert_eq!(asked["Confirmation"]["MatchCode"], first.code.as_str(), "{asked}");
        assert!(notes(&asked).contains("asked about before"), "{asked}");
    }
    // It counts once: two more have room.
    Question::disclosure(&mut server, "app/one");
    let other = Question::ask(&mut server, "GetSecretValue", disclosure("app/db", "for fun"));
    assert_ne!(other.token, first.token, "the person is told another reason");
    let full =
        server.call("GetSecretValue", json!({ "SecretName": "app/two", "Destination": "agent" }));
    assert_eq!(full["Error"]["Code"], "TooManyPending", "{full}");
    first.approve(&server);
    assert_eq!(first.redeem(&mut server)["Result"]["SecretData"], VALUE);
    // Used, it is another question.
    let later = Question::ask(&mut server, "GetSecretValue", disclosure("app/db", "deploy"));
    assert_ne!((later.token, later.code), (first.token, first.code));
}

#[test]
fn the_same_call_at_the_same_time_is_one_question() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    for arguments in [
        json!({ "SecretName": "app/db" }),
        json!({ "SecretName": "app/db", "Destination": "agent" }),
    ] {
        for _ in 0..20 {
            server.send("tools/call", json!({ "name": "GetSecretValue", "arguments": arguments }));
        }
        let mut tokens: Vec<String> = (0..20)
            .map(|_| {
                server.receive()["result"]["structuredContent"]["Confirmation"]["Token"].to_string()
            })
            .collect();
        tokens.sort();
        tokens.dedup();
        assert_eq!(tokens.len(), 1, "{arguments}");
    }
}

/// What changed since is another question: the witness is part of what is asked.
#[test]
fn a_secret_that_changed_is_asked_about_anew() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    let before = Question::disclosure(&mut server, "app/db");
    let put = json!({ "SecretName": "app/db", "VersionId": "v2", "SecretData": "other-other" });
    assert_eq!(server.call("PutSecretValue", put)["Status"], "ok");
    let after = Question::disclosure(&mut server, "app/db");
    assert_ne!(after.token, before.token);
}

#[test]
fn another_server_has_questions_of_its_own() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let mut one = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
    let mut other = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
    one.create("app/db", VALUE);
    let first = Question::disclosure(&mut one, "app/db");
    let second = Question::disclosure(&mut other, "app/db");
    assert_ne!(first.token, second.token);
    assert_ne!(first.code, second.code);
}

#[test]
fn a_token_that_needs_nobody_stands_in_no_store() {
    let mut server = Server::start(ServerOptions::embedded());
    let masked = |n: u32| json!({ "SecretName": format!("app/{n}") });
    let first = Question::ask(&mut server, "GetSecretValue", masked(0));
    assert_eq!(Question::ask(&mut server, "GetSecretValue", masked(0)).token, first.token);
    // More than are remembered: the first one is answered with a new one, and nobody is locked out.
    for n in 1..600 {
        Question::ask(&mut server, "GetSecretValue", masked(n));
    }
    let rows = store(&server).query_row("SELECT count(*) FROM approvals", [], |row| row.get(0));
    assert_eq!(rows, Ok(0));
    let again = first.redeem(&mut server);
    assert_eq!(again["Status"], "confirmation_required", "{again}");
    assert_ne!(again["Confirmation"]["Token"], first.token.as_str());
}

#[test]
fn a_row_that_is_not_the_questions_approves_nothing() {
    let emulator = Emulator::start();
    let mut server = Server::start(
        ServerOptions::with_emulator(&emulator).config("wait_seconds = 1\n[limits]\npending = 9\n"),
    );
    server.create("app/db", VALUE);
    server.create("app/other", VALUE);
    for (column, value) in [("match_code", "10-KIWI"), ("level", "token"), ("instance", "another")]
    {
        let question = Question::disclosure(&mut server, "app/db");
        question.approve(&server);
        let changed = store(&server).execute(
            &format!("UPDATE approvals SET {column} = ?1 WHERE token_hash = ?2"),
            params![value, token_hash(&question)],
        );
        assert_eq!(changed, Ok(1));
        let refused = question.redeem(&mut server);
        assert_eq!(refused["Error"]["Code"], "ConfirmationMismatch", "{column}: {refused}");
    }
    // The codes of two questions, swapped before the person is asked.
    let (one, two) = (
        Question::disclosure(&mut server, "app/db"),
        Question::disclosure(&mut server, "app/other"),
    );
    for (question, code) in [(&one, &two.code), (&two, &one.code)] {
        let swap = "UPDATE approvals SET match_code = ?1 WHERE token_hash = ?2";
        store(&server).execute(swap, params![code, token_hash(question)]).unwrap();
    }
    Pty::approve(server.home(), &[&two.code], &["y"]);
    for question in [&one, &two] {
        let refused = question.redeem(&mut server);
        assert_ne!(refused["Status"], "ok", "{refused}");
    }
    assert_eq!(emulator.count("GetSecretValue"), 0);
}

/// Whether a file of the store holds `text`.
fn held(state: &Path, text: &str) -> bool {
    fs::read_dir(state).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        let ours = path.file_name().unwrap().to_str().unwrap().starts_with("store.sqlite");
        // SQLite removes its log when the last one closes.
        ours && fs::read(path)
            .is_ok_and(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    })
}

#[test]
fn what_the_agent_said_leaves_the_store_with_the_question() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
    let state = server.state();
    for (name, typed) in [("app/yes", "y"), ("app/no", "n")] {
        server.create(name, VALUE);
        let reason = format!("Zq7-plum-of-{name}");
        // Long enough to need pages of its own.
        let padded = format!("{reason} {}", "and so on ".repeat(15));
        let question = Question::ask(&mut server, "GetSecretValue", disclosure(name, &padded));
        assert!(held(&state, &reason), "the person has to see it");
        question.decide(&server, &[typed]);
        until("the reason to leave", || (!held(&state, &reason)).then_some(()));
    }
    // Nobody decides: it leaves with the server that asked.
    server.create("app/left", VALUE);
    let question =
        Question::ask(&mut server, "GetSecretValue", disclosure("app/left", "Zq7-plum-left"));
    assert!(held(&state, "Zq7-plum-left"));
    let (ended, _) = server.finish();
    assert!(ended.success());
    assert!(!held(&state, "Zq7-plum-left"));
    let mut server = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
    let asked = question.redeem(&mut server);
    assert_eq!(asked["Status"], "confirmation_required", "{asked}");
    assert!(notes(&asked).contains("restarted"), "{asked}");
    // The server is killed: the next one takes out what is too old.
    let reason = "Zq7-plum-killed";
    Question::ask(&mut server, "GetSecretValue", disclosure("app/left", reason));
    let age = "UPDATE approvals SET expires_ms = expires_ms - 600000";
    store(&server).execute(age, []).unwrap();
    server.kill();
    let server = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
    assert!(!held(&server.state(), reason));
}

fn page_request(address: &str, line: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

fn answer_of(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A program of the same user locks the database. Nobody waits for it but those who need it.
#[test]
fn a_locked_store_stops_only_who_needs_it() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    let asked =
        server.call("GetSecretValue", json!({ "SecretName": "app/db", "Destination": "agent" }));
    let page = asked["Confirmation"]["ApproveAt"].as_str().unwrap().to_owned();
    let (address, path) = page.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let form = page_request(address, &format!("GET /{path}"), "");
    let seal = answer_of(form).split_once("name=\"seal\" value=\"").unwrap().1.to_owned();
    let form = format!("seal={}&answer=approve", &seal[..64]);
    let lock = store(&server);
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let decisions: Vec<TcpStream> =
        (0..8).map(|_| page_request(address, &format!("POST /{path}"), &form)).collect();
    // These need the store, and wait for it.
    let waits = json!({ "SecretName": "app/db", "Destination": "agent", "Reason": "again" });
    let waiting: Vec<u64> = (0..8)
        .map(|_| server.send("tools/call", json!({ "name": "GetSecretValue", "arguments": waits })))
        .collect();
    // This one does not: it is answered first.
    let free = server.send("tools/call", json!({ "name": "ListSecrets", "arguments": {} }));
    let first = server.receive();
    assert_eq!(first["id"], json!(free), "{first}");
    assert_eq!(first["result"]["structuredContent"]["Status"], "ok", "{first}");
    for _ in waiting {
        let answer = server.receive();
        let envelope = &answer["result"]["structuredContent"];
        assert_eq!(envelope["Error"]["Code"], "StateUnavailable", "{answer}");
        assert!(envelope["Error"]["Message"].as_str().unwrap().contains("locked"), "{answer}");
    }
    for stream in decisions {
        let answer = answer_of(stream);
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    }
    // What could not be decided is not on record as if it were.
    let count = |event: &str| server.audit().iter().filter(|row| row["event"] == event).count();
    assert!(count("approved") > 0);
    assert_eq!(count("approved"), count("aborted"));
    drop(lock);
    assert_eq!(server.call("GetSecretValue", waits)["Status"], "confirmation_required");
}
