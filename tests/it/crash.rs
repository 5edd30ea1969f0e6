//! kill -9 at any moment: what was acknowledged is kept, and the audit log still verifies.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{BINARY, Emulator, Run, Server, ServerOptions};

const WRITES: usize = 200;

fn write(server: &mut Server, name: &str) -> u64 {
    let arguments =
        json!({ "SecretName": name, "VersionId": "v1", "SecretData": format!("value of {name}") });
    server.send("tools/call", json!({ "name": "CreateSecret", "arguments": arguments }))
}

/// The name that an answer acknowledges.
fn acknowledged(answer: &Value) -> Option<String> {
    let envelope = &answer["result"]["structuredContent"];
    (envelope["Status"] == "ok")
        .then(|| envelope["Result"]["SecretName"].as_str().unwrap().to_owned())
}

/// Every name that is there.
fn listed(server: &mut Server) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for page in 1.. {
        let list = server.call("ListSecrets", json!({ "PageNumber": page, "PageSize": 100 }));
        let secrets = list["Result"]["SecretList"]["Secret"]
            .as_array()
            .unwrap_or_else(|| panic!("{list}"))
            .clone();
        if secrets.is_empty() {
            break;
        }
        names
            .extend(secrets.iter().map(|secret| secret["SecretName"].as_str().unwrap().to_owned()));
    }
    names
}

/// Verifies the log and gives the names whose creation is on record.
fn audited(state: &Path) -> BTreeSet<String> {
    let audit = state.join("audit");
    let verified = Command::new(BINARY).args(["audit", "verify"]).arg(&audit).env_clear().run();
    let report = String::from_utf8(verified.stdout).unwrap();
    // What was killed could not sign its end.
    assert_eq!(verified.status.code(), Some(2), "{report}");
    let (mut created, mut unknown) = (BTreeSet::new(), 0);
    for entry in fs::read_dir(audit).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let mut open = BTreeSet::new();
        // A line that was cut is no record.
        for record in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            match record["event"].as_str().unwrap() {
                "intent" => assert!(open.insert(record["seq"].as_u64().unwrap())),
                "result" => {
                    open.remove(&record["intent"].as_u64().unwrap_or_default());
                    if record["outcome"] == "created" {
                        created.insert(record["resource"]["name"].as_str().unwrap().to_owned());
                    }
                }
                _ => {}
            }
        }
        unknown += open.len();
    }
    assert!(report.contains(&format!("unknown outcomes {unknown}\n")), "{unknown}: {report}");
    created
}

fn assert_kept(kept: &BTreeSet<String>, acknowledged: &BTreeSet<String>, sent: usize) {
    let lost: Vec<&String> = acknowledged.difference(kept).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(kept.len() <= sent, "nothing is there that was not sent");
}

#[test]
fn a_killed_server_loses_no_acknowledged_write() {
    let home = tempfile::tempdir().unwrap();
    let (mut done, mut sent, mut round) = (BTreeSet::new(), 0, 0);
    while done.len() < WRITES {
        let mut server = Server::start_in(home.path(), ServerOptions::embedded());
        // So many are answered before the end, and so many are on their way.
        let (answers, under_way) = (1 + round * 5 % 17, round % 4);
        for n in 0..answers + under_way {
            write(&mut server, &format!("s/{round}/{n}"));
        }
        sent += answers + under_way;
        for _ in 0..answers {
            done.extend(acknowledged(&server.receive()));
        }
        server.kill();
        round += 1;
    }
    let mut server = Server::start_in(home.path(), ServerOptions::embedded());
    assert_kept(&listed(&mut server), &done, sent);
    let (status, stderr) = server.finish();
    assert!(status.success(), "{stderr}");
    let created = audited(&home.path().join("state"));
    let unrecorded: Vec<&String> = done.difference(&created).collect();
    assert!(unrecorded.is_empty(), "acknowledged and not on record: {unrecorded:?}");
}

#[test]
fn a_killed_emulator_loses_no_acknowledged_write() {
    let (kms, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut done, mut sent) = (BTreeSet::new(), 0);
    for round in 0..12 {
        let mut emulator = Emulator::start_in(kms.path());
        let mut server = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
        let (answers, under_way) = (1 + round * 5 % 17, 1 + round % 3);
        for n in 0..answers + under_way {
            write(&mut server, &format!("s/{round}/{n}"));
        }
        sent += answers + under_way;
        for _ in 0..answers {
            done.extend(acknowledged(&server.receive()));
        }
        emulator.kill();
        for _ in 0..under_way {
            let answer = server.receive();
            let envelope = &answer["result"]["structuredContent"];
            match acknowledged(&answer) {
                Some(name) => assert!(done.insert(name)),
                None => assert!(
                    matches!(envelope["Error"]["Changed"].as_str(), Some("no" | "unknown")),
                    "{envelope}"
                ),
            }
        }
    }
    assert!(done.len() > 80);
    let emulator = Emulator::start_in(kms.path());
    let mut server = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
    assert_kept(&listed(&mut server), &done, sent);
    drop(server);
    let created = audited(&home.path().join("state"));
    assert!(done.is_subset(&created));
}
