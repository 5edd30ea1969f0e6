//! The log as others use it: what lands in the file, what tampering looks like, what fails closed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::key::AuditKey;
use super::verify::{Expected, Report};
use super::*;
use crate::clock::Clock;

mod bounded;
mod checkpoints;
mod failing;
mod rotating;
mod tampering;
mod writing;

fn clock() -> Clock {
    Clock::from_fn(|| "2026-01-02T03:04:05.678Z".parse().unwrap())
}

/// The same key in each test.
fn key() -> AuditKey {
    AuditKey::of_seed(&[7; 32]).unwrap()
}

fn keeping() -> Keeping {
    Keeping::new(key())
}

/// The folder, as an auditor sees it who knows the key.
fn verify(folder: &Path) -> Report {
    let expected = Expected { keys: vec![key().public()], copy: None };
    super::verify(folder, &expected, &mut |_, _| ())
}

/// An open log in a folder of its own.
fn open() -> (TempDir, PathBuf, AuditLog) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("state/audit");
    let log = AuditLog::open(&folder, clock(), "i-1", Event::default(), keeping()).unwrap();
    let file = folder.join("20260102T030405Z-i-1.jsonl");
    (home, file, log)
}

fn event(call: &str) -> Event {
    Event {
        call: Some(call.into()),
        tool: Some("DeleteSecret".into()),
        action: Some("DeleteSecret".into()),
        risk: Some("destroy".into()),
        resource: Some(Resource { name: Some("prod/db".into()), ..Resource::default() }),
        ..Event::default()
    }
}

fn outcome(text: &str) -> Event {
    Event { outcome: Some(text.into()), ..Event::default() }
}

fn records(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn folder(file: &Path) -> &Path {
    file.parent().unwrap()
}

/// A stopped chain: start, intent, result, denied, checkpoint, stop.
async fn written() -> (TempDir, PathBuf) {
    let (home, file, log) = open();
    let trail = log.intent(event("c1"), Durability::Synced).await.unwrap();
    assert!(trail.close(outcome("deleted")).await.is_recorded());
    assert!(log.refuse(Kind::Denied, event("c2")).await.is_recorded());
    log.stop().await;
    (home, file)
}

/// How the only file of the folder is judged, with the exit code.
fn judge(file: &Path) -> (State, u8) {
    let mut report = verify(folder(file));
    assert_eq!(report.files.len(), 1);
    let code = report.exit_code();
    (report.files.remove(0).state, code)
}

fn flaw(file: &Path) -> (u64, Flaw) {
    match judge(file) {
        (State::Broken { line, flaw }, 1) => (line, flaw),
        other => panic!("{other:?}"),
    }
}

/// Rewrites the lines of `file`.
fn edit(file: &Path, change: impl FnOnce(&mut Vec<String>)) {
    let mut lines: Vec<String> =
        fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    change(&mut lines);
    fs::write(file, lines.join("\n") + "\n").unwrap();
}
