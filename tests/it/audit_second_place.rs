//! The second place of checkpoints, taken away while a server runs.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::harness::{Emulator, Server, ServerOptions};

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// A server on `emulator` whose checkpoints are copied to `copy`.
fn server(home: &Path, emulator: &Emulator, copy: &Path) -> Server {
    let config = format!("[audit.checkpoints]\nfile = '{}'\n", copy.display());
    Server::start_in(home, ServerOptions::with_emulator(emulator).config(&config))
}

#[test]
fn a_second_place_that_is_not_the_one_that_was_opened_stops_the_very_next_call() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 7] = [
        ("removed", |copy| fs::remove_file(copy).unwrap()),
        ("renamed", |copy| fs::rename(copy, copy.with_extension("1")).unwrap()),
        ("renamed, and a new one in its place", |copy| {
            fs::rename(copy, copy.with_extension("1")).unwrap();
            File::create(copy).unwrap();
        }),
        ("another one that reads the same", |copy| {
            fs::copy(copy, copy.with_extension("1")).unwrap();
            fs::rename(copy.with_extension("1"), copy).unwrap();
        }),
        ("cut", |copy| File::options().write(true).open(copy).unwrap().set_len(3).unwrap()),
        ("a pipe that nobody reads", |copy| {
            fs::remove_file(copy).unwrap();
            fifo(copy);
        }),
        ("a link to it", |copy| {
            fs::rename(copy, copy.with_extension("1")).unwrap();
            symlink(copy.with_extension("1"), copy).unwrap();
        }),
    ];
    for (what, change) in changes {
        let emulator = Emulator::start();
        let home = tempfile::tempdir().unwrap();
        let copy = home.path().join("copy");
        // Of another server: it is copied to the same place.
        fs::write(&copy, "{\"event\":\"checkpoint\"}\n").unwrap();
        let mut server = server(home.path(), &emulator, &copy);
        assert_eq!(server.call("ListSecrets", json!({}))["Status"], "ok", "{what}");
        change(&copy);
        let sent = emulator.requests().len();
        for _ in 0..2 {
            let refused = server.call("ListSecrets", json!({}));
            assert_eq!(refused["Error"]["Code"], "AuditUnavailable", "{what}: {refused}");
        }
        assert_eq!(emulator.requests().len(), sent, "{what}: nothing is sent");
        let (_, stderr) = server.finish();
        assert!(stderr.contains("was removed, replaced or cut while in use"), "{what}: {stderr}");
    }
}

#[test]
fn other_servers_may_append_to_the_same_second_place() {
    let emulator = Emulator::start();
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let copy = one.path().join("copy");
    let mut first = server(one.path(), &emulator, &copy);
    let mut second = server(other.path(), &emulator, &copy);
    for _ in 0..40 {
        assert_eq!(first.call("ListSecrets", json!({}))["Status"], "ok");
        assert_eq!(second.call("ListSecrets", json!({}))["Status"], "ok");
    }
    assert!(first.finish().0.success() && second.finish().0.success());
    let events = fs::read_to_string(&copy).unwrap();
    assert_eq!(events.matches("\"event\":\"stop\"").count(), 2, "{events}");
}

#[test]
fn a_pipe_that_is_full_ends_the_log_and_hangs_no_call() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let pipe = home.path().join("pipe");
    fifo(&pipe);
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let mut end = OpenOptions::new();
    let mut end = end.read(true).write(true).custom_flags(nonblocking).open(&pipe).unwrap();
    let mut server = server(home.path(), &emulator, &pipe);
    let full = loop {
        if let Err(error) = end.write(b"x") {
            break error.kind();
        }
    };
    assert_eq!(full, ErrorKind::WouldBlock);
    let refused = (0..100)
        .map(|_| server.call("ListSecrets", json!({})))
        .find(|answer| answer["Status"] != "ok")
        .expect("a call is refused");
    assert_eq!(refused["Error"]["Code"], "AuditUnavailable", "{refused}");
    assert!(server.finish().0.success());
}

#[test]
fn a_link_is_no_second_place() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let copy = home.path().join("copy");
    File::create(home.path().join("target")).unwrap();
    symlink(home.path().join("target"), &copy).unwrap();
    let config = format!("[audit.checkpoints]\nfile = '{}'\n", copy.display());
    let options = ServerOptions::with_emulator(&emulator).config(&config);
    let (status, stderr) = Server::spawn_in(home.path(), options).finish();
    assert!(!status.success() && stderr.contains("could not copy"), "{stderr}");
}
