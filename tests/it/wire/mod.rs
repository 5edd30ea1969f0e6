//! The wire cases of `tests/cases/wire/<Action>/`: scripts run through the real server against a
//! real emulator, in each protocol version. A new case is a new file; `case.rs` says its format.

pub(crate) mod case;
pub(crate) mod matching;
mod rules;
pub(crate) mod run;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::harness::{Era, Server, ServerOptions};
use case::Case;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/wire"))
}

/// The case files, as `<Action>/<case>.json`.
fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .flat_map(|action| fs::read_dir(action.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path().strip_prefix(folder()).unwrap().to_owned())
        .collect();
    files.sort();
    files
}

/// Every case in one version, on two threads: most of a case is waiting for `fsync`.
fn run_all(era: Era) {
    let files = files();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failures = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(file) =
                    files.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    let wrong = match Case::read(&folder().join(file)) {
                        Ok(case) => run::run(&case, era, "acs3"),
                        Err(why) => vec![why],
                    };
                    failures
                        .lock()
                        .unwrap()
                        .extend(wrong.into_iter().map(|why| format!("{}: {why}", file.display())));
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} differences\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_case_holds_in_2025_06_18() {
    run_all(Era::V2025_06_18);
}

#[test]
fn every_case_holds_in_2025_11_25() {
    run_all(Era::V2025_11_25);
}

#[test]
fn every_case_holds_in_2026_07_28() {
    run_all(Era::V2026_07_28);
}

#[test]
fn every_tool_has_cases() {
    let mut server = Server::start(ServerOptions::embedded());
    let answer = server.request("tools/list", json!({}));
    let tools: BTreeSet<String> = answer["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect();
    let folders: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|action| action.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(tools, folders, "a folder of cases for each tool, and for nothing else");
    for action in &folders {
        let cases = files().iter().filter(|file| file.starts_with(action)).count();
        assert!(cases > 0, "{action} has no cases");
    }
}

#[test]
fn a_case_file_with_an_unknown_key_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("case.json");
    for (text, says) in [
        (r#"{"about":"x","steps":[],"stepps":1}"#, "stepps"),
        (r#"{"about":"x","steps":[{"expect":{},"sent":[],"sned":[]}]}"#, "sned"),
        (r#"{"about":"x","steps":[]}"#, "no steps"),
        (r#"{"steps":[{"tool":"T","expect":{},"sent":[]}]}"#, "about"),
        (r#"{"about":"x","steps":[{"tool":"T","expect":{"Statuss":"ok"},"sent":[]}]}"#, "Statuss"),
        (r#"{"about":"x","steps":[{"expect":{"Status":"ok"},"sent":[]}]}"#, "`tool` or `again`"),
    ] {
        fs::write(&path, text).unwrap();
        let why = Case::read(&path).unwrap_err();
        assert!(why.contains(says), "{why}");
    }
}
