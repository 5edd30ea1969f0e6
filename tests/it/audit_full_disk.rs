//! A disk that is full and has room again, under a server that runs.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{BINARY, Emulator, Run, Server, ServerOptions};

/// A small disk of its own needs root and a namespace of mounts: the test runs itself in one.
#[test]
fn a_full_disk_sends_nothing_and_needs_no_restart() {
    if !rustix::process::getuid().is_root() {
        return;
    }
    let name = "audit_full_disk::in_a_namespace";
    let mut inner = Command::new("unshare");
    inner.arg("--mount").arg(std::env::current_exe().unwrap());
    let output = inner.args(["--ignored", "--exact", name]).run();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "needs the namespace that `a_full_disk_sends_nothing_and_needs_no_restart` makes"]
fn in_a_namespace() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("state");
    fs::create_dir(&state).unwrap();
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs"]).arg(&state);
    assert!(mount.status().unwrap().success());
    let emulator = Emulator::start();
    let mut server = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
    let create = |name: &str| json!({ "SecretName": name, "VersionId": "v1", "SecretData": "hunter2-hunter2" });
    assert_eq!(server.call("CreateSecret", create("a"))["Status"], "ok");
    let ballast = state.join("ballast");
    let mut file = File::create(&ballast).unwrap();
    while file.write_all(&[b'x'; 512]).is_ok() {}
    let mut calls = 0;
    // A page of the log's file may still have room.
    let refused = loop {
        let answer = server.call("DescribeSecret", json!({ "SecretName": "a" }));
        calls += 1;
        assert!(calls < 100, "{answer}");
        if answer["Status"] != "ok" {
            break answer;
        }
    };
    assert_eq!(refused["Error"]["Code"], "AuditUnavailable", "{refused}");
    let sent = emulator.requests().len();
    for number in 0..8 {
        let refused = server.call("CreateSecret", create(&format!("b{number}")));
        assert_eq!(refused["Error"]["Code"], "AuditUnavailable", "{refused}");
    }
    assert_eq!(emulator.requests().len(), sent, "nothing is sent");
    drop(file);
    fs::remove_file(&ballast).unwrap();
    let again = server.call("CreateSecret", create("c"));
    assert_eq!(again["Status"], "ok", "{again}");
    assert!(server.finish().0.success());
    let mut verify = Command::new(BINARY);
    verify.args(["audit", "verify", "--state-dir"]).arg(&state).env_clear();
    let output = verify.env("HOME", home.path()).run();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let name = fs::read_dir(state.join("audit")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(name).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let unsent = records
        .filter(|one| one["resource"]["name"].as_str().is_some_and(|name| name.starts_with('b')));
    assert_eq!(unsent.count(), 0, "what was not sent is not on record");
}
