//! Signals, sent to real processes: a server and an emulator end in order.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::harness::{BINARY, Emulator, Gate, Question, Run, Server, ServerOptions, until};

const SIGNALS: [Signal; 3] = [Signal::TERM, Signal::INT, Signal::HUP];

/// The exit code of `audit verify`, and what it says.
fn verify(home: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(BINARY);
    command.args(["audit", "verify", "--state-dir"]).arg(home.join("state")).env_clear();
    let output = command.env("HOME", home).run();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// Waits for a server that was sent a signal: it ended in order, and its log is proved to the end.
fn ended_in_order(server: Server) -> Vec<Value> {
    let home = server.home().to_owned();
    let state = server.state();
    let (status, stderr) = server.ended();
    assert_eq!(status.code(), Some(0), "{status}: {stderr}");
    let (code, report) = verify(&home);
    assert_eq!(code, Some(0), "{report}");
    let mut files: Vec<_> =
        fs::read_dir(state.join("audit")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let text = fs::read_to_string(&files[0]).unwrap();
    let records: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last: Vec<&Value> = records.iter().rev().take(2).map(|one| &one["event"]).collect();
    assert_eq!(last, ["stop", "checkpoint"]);
    records
}

/// The `outcome` and event of what closed the intent of `tool`.
fn closed<'a>(records: &'a [Value], tool: &str) -> &'a Value {
    let of = |event: &str| records.iter().find(|one| one["event"] == event && one["tool"] == tool);
    let intent = of("intent").expect("an intent");
    let closes = |one: &&Value| one["intent"] == intent["seq"];
    records.iter().find(closes).expect("the intent is closed before `stop`")
}

#[test]
fn each_signal_ends_a_server_in_order() {
    for signal in SIGNALS {
        let home = tempfile::tempdir().unwrap();
        let mut server = Server::start_in(home.path(), ServerOptions::embedded());
        server.create("app/db", "hunter2-hunter2");
        server.signal(signal);
        ended_in_order(server);
        let mut again = Server::start_in(home.path(), ServerOptions::embedded());
        assert_eq!(again.call("ListSecrets", json!({}))["Result"]["TotalCount"], 1, "{signal:?}");
    }
}

#[test]
fn a_server_without_a_session_ends_in_order() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::spawn_in(home.path(), ServerOptions::embedded());
    until("a log", || fs::read_dir(server.state().join("audit")).ok()?.next()).unwrap();
    server.signal(Signal::TERM);
    let (status, stderr) = server.ended();
    assert_eq!((status.code(), verify(home.path()).0), (Some(0), Some(0)), "{stderr}");
}

/// The first process of a namespace has no default action for any signal. To make one needs root.
#[test]
fn as_process_1_too() {
    if !rustix::process::getuid().is_root() {
        return;
    }
    for signal in SIGNALS {
        let home = tempfile::tempdir().unwrap();
        let options = ServerOptions::embedded().through(&["unshare", "--pid", "--fork"]);
        let mut server = Server::start_in(home.path(), options);
        server.call("ListSecrets", json!({}));
        let pid = server.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let inner = Pid::from_raw(children.trim().parse().unwrap()).unwrap();
        kill_process(inner, signal).unwrap();
        ended_in_order(server);
    }
}

#[test]
fn a_call_that_hangs_at_kms_holds_nothing_up() {
    for (tool, event) in [("DescribeSecret", "result"), ("DeleteSecret", "aborted")] {
        let emulator = Emulator::start();
        let gate = Gate::before(&emulator, tool);
        let home = tempfile::tempdir().unwrap();
        let options = ServerOptions::with_emulator(&emulator).at(&gate.url);
        let mut server = Server::start_in(home.path(), options);
        server.create("app/db", "hunter2-hunter2");
        let call = json!({ "name": tool, "arguments": { "SecretName": "app/db" } });
        server.send("tools/call", call);
        gate.wait();
        server.signal(Signal::TERM);
        let records = ended_in_order(server);
        // A reading is given up by itself; of a write nobody knows what came of it.
        assert_eq!(closed(&records, tool)["event"], event, "{tool}");
    }
}

/// A server with a deletion that KMS has made, whose answer waits at the gate; and its request id.
fn deleting(emulator: &Emulator, home: &Path) -> (Server, Gate, u64) {
    let gate = Gate::before(emulator, "DeleteSecret");
    let options = ServerOptions::with_emulator(emulator).at(&gate.url);
    let mut server = Server::start_in(home, options);
    server.create("app/db", "hunter2-hunter2");
    let call = json!({ "name": "DeleteSecret", "arguments": { "SecretName": "app/db" } });
    let id = server.send("tools/call", call);
    gate.wait();
    (server, gate, id)
}

/// Another program of the user may keep the store for itself as long as it likes.
#[test]
fn a_store_that_is_locked_leaves_no_log_unsigned() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let (server, _gate, _) = deleting(&emulator, home.path());
    let store = rusqlite::Connection::open(server.state().join("store.sqlite")).unwrap();
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    server.signal(Signal::TERM);
    ended_in_order(server);
}

#[test]
fn a_call_that_ends_in_a_moment_is_answered() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let (mut server, gate, id) = deleting(&emulator, home.path());
    server.signal(Signal::TERM);
    gate.open();
    let answer = server.receive();
    assert_eq!((&answer["id"], &answer["result"]["isError"]), (&json!(id), &json!(false)));
    let records = ended_in_order(server);
    assert_eq!(closed(&records, "DeleteSecret")["event"], "result");
}

#[test]
fn a_person_who_is_waited_for_holds_nothing_up() {
    let home = tempfile::tempdir().unwrap();
    let mut options = ServerOptions::embedded();
    options.config = Some("wait_seconds = 50\n".into());
    let mut server = Server::start_in(home.path(), options);
    server.create("app/db", "hunter2-hunter2");
    let question = Question::disclosure(&mut server, "app/db");
    let call = json!({ "name": "GetSecretValue", "arguments": question.with_token() });
    server.send("tools/call", call);
    // Answered while that call waits.
    server.request("ping", json!({}));
    server.signal(Signal::INT);
    let records = ended_in_order(server);
    assert!(records.iter().any(|one| one["event"] == "aborted" && one["outcome"] == "cancelled"));
}

/// A server whose second place takes nothing and does not say so: the end cannot be in order.
fn stuck(home: &Path) -> (Server, UnixDatagram) {
    let path = home.join("journal");
    let journal = UnixDatagram::bind(&path).unwrap();
    let config = format!("[audit.checkpoints]\njournald = '{}'\n", path.display());
    let options = ServerOptions::embedded().config(&config);
    let mut server = Server::start_in(home, options);
    server.call("ListSecrets", json!({}));
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    filler.connect(&path).unwrap();
    while filler.send(b"x").is_ok() {}
    (server, journal)
}

#[test]
fn a_server_that_cannot_end_in_order_ends_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    let (server, _journal) = stuck(home.path());
    server.signal(Signal::TERM);
    assert_eq!(server.ended().0.code(), Some(128 + 15));
}

#[test]
fn a_second_signal_ends_a_server_at_once() {
    let home = tempfile::tempdir().unwrap();
    let (server, _journal) = stuck(home.path());
    server.signal(Signal::TERM);
    server.signal(Signal::INT);
    assert_eq!(server.ended().0.code(), Some(128 + 2));
}

#[test]
fn each_signal_ends_an_emulator() {
    for signal in SIGNALS {
        let data = tempfile::tempdir().unwrap();
        let mut child = Command::new(BINARY)
            .args(["emulator", "--listen", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .env_clear()
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        let status = until("the end", || child.try_wait().unwrap());
        assert_eq!(status.code(), Some(0), "{signal:?}");
    }
}
