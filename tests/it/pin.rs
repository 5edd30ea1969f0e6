//! The PIN, through the real program: set on a terminal, asked for by `approve`, and believed by a
//! server instead of what stands in the store.

mod file;
mod first;
mod moved;
mod store;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rusqlite::{Connection, params};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{BINARY, Pty, Server, ServerOptions, output};

const PIN: &str = "four horses";
const WRONG: &str = "five horses";
const VALUE: &str = "hunter2-hunter2";

/// A server with one secret; `pinned`: a PIN was set before.
fn server(pinned: bool) -> Server {
    let mut server = Server::start(ServerOptions::embedded());
    if pinned {
        set(&server);
    }
    let secret = json!({ "SecretName": "app/db", "VersionId": "v1", "SecretData": VALUE });
    assert_eq!(server.call("CreateSecret", secret)["Outcome"], "created");
    server
}

/// A person runs a subcommand for that server.
fn person(server: &Server, arguments: &[&str], turns: &[(&str, &str)]) -> Pty {
    let state = server.state();
    let state = ["--state-dir", state.to_str().unwrap()];
    Pty::converse(server.home(), &[arguments, &state].concat(), turns)
}

fn set(server: &Server) {
    let screen = person(server, &["pin", "set"], &[("New PIN", PIN), ("again: ", PIN)]);
    assert!(screen.status.success(), "{}", screen.text);
}

fn approve(server: &Server, asked: &Value, pin: &str) -> Pty {
    let code = asked["Confirmation"]["MatchCode"].as_str().unwrap();
    person(server, &["approve", code], &[("[y/N]", "y"), ("PIN: ", pin)])
}

/// `approve ARGUMENTS` with `input` on stdin and no terminal anywhere.
fn piped(server: &Server, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(BINARY)
        .arg("approve")
        .args(arguments)
        .arg("--state-dir")
        .arg(server.state())
        .env_clear()
        .env("HOME", server.home())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever needs no input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    output(child)
}

fn reveal() -> Value {
    json!({ "SecretName": "app/db", "Destination": "agent" })
}

fn ask(server: &mut Server, tool: &str, arguments: &Value) -> Value {
    let asked = server.call(tool, arguments.clone());
    assert_eq!(asked["Status"], "confirmation_required", "{asked}");
    asked
}

/// The same call again, with the token.
fn redeem(server: &mut Server, tool: &str, arguments: &Value, asked: &Value) -> Value {
    let mut again = arguments.clone();
    again["ConfirmationToken"] = asked["Confirmation"]["Token"].clone();
    server.call(tool, again)
}

fn refused(answer: &Value, code: &str) {
    assert_eq!(answer["Error"]["Code"], code, "{answer}");
    assert_eq!(answer["Status"], "denied", "{answer}");
    assert!(!answer.to_string().contains(VALUE));
}

/// Every audit record of that event, of all processes.
fn audited(state: &Path, event: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(state.join("audit")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        found.extend(records.filter(|record| record["event"] == event));
    }
    found
}

fn store(server: &Server) -> Connection {
    Connection::open(server.state().join("store.sqlite")).unwrap()
}

fn token_hash(asked: &Value) -> [u8; 32] {
    Sha256::digest(asked["Confirmation"]["Token"].as_str().unwrap()).into()
}

/// Writes a decision as a program of the same user can: it knows all of the format but the PIN.
fn forge(server: &Server, asked: &Value, state: &str, sign: impl Fn(&[u8]) -> Option<Vec<u8>>) {
    let store = store(server);
    let hash = token_hash(asked);
    let digest: [u8; 32] = store
        .query_row("SELECT digest FROM approvals WHERE token_hash = ?1", [hash], |row| row.get(0))
        .unwrap();
    #[expect(clippy::disallowed_methods, reason = "a forger has only the machine's clock")]
    let now = jiff::Timestamp::now().as_millisecond();
    let mut statement = b"kms-mcp/decision/v1\0".to_vec();
    statement.push(u8::from(state == "approved"));
    statement.extend(digest);
    statement.extend(hash);
    statement.extend(now.to_be_bytes());
    statement.extend(b"terminal\0the person");
    let changed = store
        .execute(
            "UPDATE approvals SET state = ?1, method = 'terminal', who = 'the person',
               decided_ms = ?2, expires_ms = ?2 + 180000, signature = ?3 WHERE token_hash = ?4",
            params![state, now, sign(&statement), hash],
        )
        .unwrap();
    assert_eq!(changed, 1);
}

fn unsigned(_: &[u8]) -> Option<Vec<u8>> {
    None
}

#[test]
fn approving_takes_the_pin_and_the_right_one_works() {
    let mut server = server(true);
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    let screen = approve(&server, &asked, PIN);
    assert!(screen.status.success(), "{}", screen.text);
    assert!(!screen.text.contains("none is set"), "{}", screen.text);
    let answer = redeem(&mut server, "GetSecretValue", &reveal(), &asked);
    assert_eq!(answer["Result"]["SecretData"], VALUE, "{answer}");
    let signed = |event| {
        let records = audited(&server.state(), event);
        let record = records.iter().find(|record| record["approval"]["signature"].is_string());
        record.unwrap_or_else(|| panic!("{records:?}"))["approval"]["signature"].clone()
    };
    assert_eq!(signed("approved"), signed("intent"));
    let denied = ask(&mut server, "GetSecretValue", &reveal());
    let code = denied["Confirmation"]["MatchCode"].as_str().unwrap();
    let screen = person(&server, &["approve", code], &[("[y/N]", "n"), ("PIN: ", PIN)]);
    assert!(screen.text.contains("Denied."), "{}", screen.text);
    let answer = redeem(&mut server, "GetSecretValue", &reveal(), &denied);
    refused(&answer, "ConfirmationDeclined");
}

#[test]
fn the_pin_is_shown_and_kept_nowhere() {
    let mut server = server(false);
    let turns = [("New PIN", PIN), ("again: ", PIN)];
    let mut shown = person(&server, &["pin", "set"], &turns).text;
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    shown.push_str(&approve(&server, &asked, PIN).text);
    assert!(shown.contains("Approved."), "{shown}");
    assert!(!shown.contains(PIN), "{shown}");
    let mut folders = vec![server.state()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(PIN.len()).any(|part| part == PIN.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}

#[test]
fn a_wrong_pin_decides_nothing_and_the_fifth_locks_across_restarts() {
    let mut server = server(true);
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    for left in ["left: 4", "left: 3", "left: 2", "left: 1", "locked for 10 minutes"] {
        let screen = approve(&server, &asked, WRONG);
        assert!(!screen.status.success());
        assert!(screen.text.contains(left), "{left}: {}", screen.text);
    }
    // Each of these was a process of its own; the right PIN does not help any more, anywhere.
    for arguments in [vec!["pin", "change"], vec!["pin", "remove"]] {
        let screen = person(&server, &arguments, &[("PIN: ", PIN)]);
        assert!(screen.text.contains("the PIN is locked"), "{}", screen.text);
        assert!(!screen.status.success());
    }
    let screen = approve(&server, &asked, PIN);
    assert!(screen.text.contains("the PIN is locked"), "{}", screen.text);
    let answer = redeem(&mut server, "GetSecretValue", &reveal(), &asked);
    assert_eq!(answer["Status"], "confirmation_required", "{answer}");
    let codes = |event| {
        let records = audited(&server.state(), event);
        records.iter().map(|record| record["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let failed = codes("factor_failed");
    assert_eq!(failed.iter().filter(|code| *code == "PinWrong").count(), 5);
    assert_eq!(failed.iter().filter(|code| *code == "PinLocked").count(), 3);
    assert_eq!(codes("lockout"), ["PinLocked"]);
    // Ten minutes later.
    store(&server).execute("UPDATE happened SET at_ms = at_ms - 600001", []).unwrap();
    let screen = approve(&server, &asked, PIN);
    assert!(screen.status.success(), "{}", screen.text);
}

#[test]
fn level_pin_asks_for_a_pin_to_be_set() {
    let mut server = Server::start(
        ServerOptions::embedded().config("wait_seconds = 1\npolicy = \"hardened\"\n"),
    );
    let gone = json!({ "SecretName": "app/db", "ForceDeleteWithoutRecovery": true });
    let file = server.state().join("values/db");
    std::fs::write(&file, VALUE).unwrap();
    let created = server.call(
        "CreateSecret",
        json!({ "SecretName": "app/db", "VersionId": "v1", "SecretDataSource": { "File": file } }),
    );
    assert_eq!(created["Outcome"], "created", "{created}");
    let answer = server.call("DeleteSecret", gone.clone());
    refused(&answer, "PinRequired");
    let next = answer["Error"]["Next"].as_str().unwrap();
    let command = format!("{BINARY} pin set --state-dir {}", server.state().display());
    assert!(next.contains(&command), "{next}");
    set(&server);
    let asked = ask(&mut server, "DeleteSecret", &gone);
    let code = asked["Confirmation"]["MatchCode"].as_str().unwrap();
    let turns = [("Type the name", "app/db"), ("PIN: ", PIN)];
    let screen = person(&server, &["approve", code], &turns);
    assert!(screen.status.success(), "{}", screen.text);
    let answer = redeem(&mut server, "DeleteSecret", &gone, &asked);
    assert_eq!(answer["Outcome"], "deleted", "{answer}");
}

#[test]
fn a_pin_through_a_pipe_stands_in_for_the_terminal() {
    let mut server = server(true);
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    let token = asked["Confirmation"]["Token"].as_str().unwrap();
    let said = piped(&server, &[token, "--pin-stdin"], &format!("{WRONG}\n"));
    assert!(!said.status.success());
    let said = piped(&server, &[token], &format!("{PIN}\n"));
    assert!(!said.status.success(), "a pipe alone is no terminal");
    let said = piped(&server, &["--pin-stdin"], &format!("{PIN}\n"));
    assert!(!said.status.success(), "which one must be said");
    let said = piped(&server, &[token, "--pin-stdin"], "");
    assert!(!said.status.success(), "no line is no PIN");
    // Nobody sees here which record it is: a code that somebody moved to another is not enough.
    let code = asked["Confirmation"]["MatchCode"].as_str().unwrap();
    for which in [vec![code], vec![token, code]] {
        let said = piped(&server, &[which, vec!["--pin-stdin"]].concat(), &format!("{PIN}\n"));
        assert!(String::from_utf8_lossy(&said.stderr).contains("takes the token"), "{said:?}");
    }
    let said = piped(&server, &[token, "--pin-stdin"], &format!("{PIN}\n"));
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let answer = redeem(&mut server, "GetSecretValue", &reveal(), &asked);
    assert_eq!(answer["Result"]["SecretData"], VALUE, "{answer}");
}

#[test]
fn a_pin_through_a_pipe_names_what_it_destroys() {
    let mut server = server(true);
    let gone = json!({ "SecretName": "app/db", "ForceDeleteWithoutRecovery": true });
    let asked = ask(&mut server, "DeleteSecret", &gone);
    let token = asked["Confirmation"]["Token"].as_str().unwrap();
    for input in [format!("{PIN}\n"), format!("{PIN}\napp/other\n")] {
        let said = piped(&server, &[token, "--pin-stdin"], &input);
        assert!(!said.status.success());
        let answer = redeem(&mut server, "DeleteSecret", &gone, &asked);
        assert_eq!(answer["Status"], "confirmation_required", "{answer}");
    }
    let said = piped(&server, &[token, "--pin-stdin"], &format!("{PIN}\napp/db\n"));
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let answer = redeem(&mut server, "DeleteSecret", &gone, &asked);
    assert_eq!(answer["Outcome"], "deleted", "{answer}");
}

#[test]
fn without_a_pin_a_pipe_is_refused_and_a_terminal_says_what_is_missing() {
    let mut server = server(false);
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    let code = asked["Confirmation"]["MatchCode"].as_str().unwrap();
    let token = asked["Confirmation"]["Token"].as_str().unwrap();
    let said = piped(&server, &[token, "--pin-stdin"], "anything at all\n");
    assert!(!said.status.success());
    let command = format!("{BINARY} pin set --state-dir {}", server.state().display());
    assert!(String::from_utf8_lossy(&said.stderr).contains(&format!("`{command}`")));
    let said = piped(&server, &[code], "y\n");
    assert!(!said.status.success(), "a pipe is no person");
    let screen = person(&server, &["approve", code], &[("[y/N]", "y")]);
    assert!(screen.text.contains("any program of yours could approve this"), "{}", screen.text);
    let offer = format!("`{command}` sets one");
    assert!(screen.text.contains(&offer), "{}", screen.text);
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    let code = asked["Confirmation"]["MatchCode"].as_str().unwrap();
    let screen = person(&server, &["approve", code], &[("[y/N]", "y")]);
    assert!(!screen.text.contains(&offer), "once is enough");
}

#[test]
fn a_pin_is_changed_and_removed_by_whoever_knows_it() {
    let mut server = server(true);
    let again = person(&server, &["pin", "set"], &[]);
    assert!(again.text.contains("a PIN is set already"), "{}", again.text);
    let other = "seven brown cows";
    let turns = |old, new, same| [("PIN: ", old), ("New PIN", new), ("again: ", same)];
    let failures = [
        (turns(WRONG, other, other), "wrong PIN"),
        (turns(PIN, other, WRONG), "two different PINs"),
        (turns(PIN, "1234567", "1234567"), "at least 8 characters"),
        (turns(PIN, "12345678", "12345678"), "too easy"),
        (turns("\u{3}", other, other), "given up"),
    ];
    for (turns, why) in failures {
        let screen = person(&server, &["pin", "change"], &turns);
        assert!(!screen.status.success());
        assert!(screen.text.contains(why), "{why}: {}", screen.text);
    }
    let screen = person(&server, &["pin", "change"], &turns(PIN, other, other));
    assert!(screen.status.success(), "{}", screen.text);
    refused(&server.call("GetSecretValue", reveal()), "PinChanged");
    let mut restarted = Server::start_in(server.home(), ServerOptions::embedded());
    let asked = ask(&mut restarted, "GetSecretValue", &reveal());
    assert!(!approve(&restarted, &asked, PIN).status.success());
    assert!(approve(&restarted, &asked, other).status.success());
    let answer = redeem(&mut restarted, "GetSecretValue", &reveal(), &asked);
    assert_eq!(answer["Result"]["SecretData"], VALUE, "{answer}");
    let screen = person(&server, &["pin", "remove"], &[("PIN: ", other)]);
    assert!(screen.status.success(), "{}", screen.text);
    assert!(!server.state().join("pin.json").exists());
    assert!(!piped(&server, &["pin"], "").status.success());
}
