//! Checkpoints, their second place, rotation and the key, through the front door.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::harness::{BINARY, Emulator, Gate, Run, Server, ServerOptions};

fn audit(arguments: &[&str], home: &Path) -> Output {
    Command::new(BINARY)
        .arg("audit")
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("KMS_MCP_STATE_DIR", home.join("state"))
        .run()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Verifies the folder of a home.
fn verify(home: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let folder = home.join("state/audit");
    let output = audit(&[&["verify", folder.to_str().unwrap()], arguments].concat(), home);
    (output.status.code(), stdout(&output))
}

fn files(home: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(home.join("state/audit")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn records(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_stopped_server_is_proved_to_its_end_and_a_running_one_to_its_last_checkpoint() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(home.path(), ServerOptions::embedded());
    for _ in 0..50 {
        server.call("ListSecrets", json!({}));
    }
    let (code, report) = verify(home.path(), &[]);
    assert_eq!(code, Some(2), "{report}");
    assert!(
        report.contains("TAIL NOT PROVEN, records 102, 37 after the last checkpoint"),
        "{report}"
    );
    assert!(server.finish().0.success());
    let (code, report) = verify(home.path(), &[]);
    assert_eq!(code, Some(0), "{report}");
    let records = records(&files(home.path())[0]);
    let events: Vec<&str> = records.iter().map(|one| one["event"].as_str().unwrap()).collect();
    assert_eq!(events.iter().position(|event| *event == "checkpoint"), Some(64));
    assert_eq!(events[events.len() - 2..], ["checkpoint", "stop"]);
    assert_eq!(files(home.path()).len(), 1, "the key is not in the auditor's folder");
}

#[test]
fn the_key_is_the_state_folders_and_pins_its_log() {
    let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(!audit(&["key"], home.path()).status.success());
    assert!(!home.path().join("state").exists(), "asking makes no key");
    for home in [home.path(), other.path()] {
        Server::start_in(home, ServerOptions::embedded()).finish();
    }
    let file = home.path().join("state/audit-key.json");
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let key = stdout(&audit(&["key"], home.path()));
    let foreign = stdout(&audit(&["key"], other.path()));
    assert_ne!(key, foreign);
    let public = home.path().join("audit.pub");
    fs::write(&public, &key).unwrap();
    let (key, foreign, public) = (key.trim(), foreign.trim(), public.to_str().unwrap());
    for (arguments, expected) in [
        (vec!["--key", key], 0),
        (vec!["--key", public], 0),
        (vec!["--key", foreign], 1),
        (vec!["--key", foreign, "--key", key], 0),
        // A key may begin as an option does.
        (vec!["--key", "-lKUw_9pNgDjm3pVh2WfJXHKYcE5cXNuH2n8u1mJb9Y"], 1),
        (vec!["--key", "nonsense"], 3),
        // The neutral point: anybody can sign under it.
        (vec!["--key", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"], 3),
        (vec!["--checkpoints", "/nowhere/at/all"], 3),
    ] {
        let (code, report) = verify(home.path(), &arguments);
        assert_eq!(code, Some(expected), "{arguments:?}: {report}");
    }
    // Without a folder, the state folder's own key is expected.
    assert_eq!(audit(&["verify"], home.path()).status.code(), Some(0));
    fs::copy(other.path().join("state/audit-key.json"), home.path().join("state/audit-key.json"))
        .unwrap();
    assert_eq!(audit(&["verify"], home.path()).status.code(), Some(1));
}

#[test]
fn without_a_key_or_a_second_place_there_is_no_server() {
    type Prepare = fn(&Path) -> String;
    let cases: [(&str, Prepare, &str); 6] = [
        (
            "a key open to others",
            |home| {
                Server::start_in(home, ServerOptions::embedded()).finish();
                let key = home.join("state/audit-key.json");
                fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap();
                String::new()
            },
            "chmod 600",
        ),
        (
            "a key that is none",
            |home| {
                fs::create_dir_all(home.join("state")).unwrap();
                fs::write(home.join("state/audit-key.json"), "{}").unwrap();
                let key = home.join("state/audit-key.json");
                fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
                String::new()
            },
            "does not hold an audit key",
        ),
        (
            "a second place that is not there",
            |home| format!("[audit.checkpoints]\nfile = '{}'\n", home.join("no/such").display()),
            "could not copy",
        ),
        (
            "no journald",
            |home| format!("[audit.checkpoints]\njournald = '{}'\n", home.join("socket").display()),
            "could not copy",
        ),
        ("a relative second place", |_| "[audit.checkpoints]\nfile = 'here'\n".into(), "absolute"),
        ("an unknown key", |_| "[audit]\nrotate = 1\n".into(), "unknown field"),
    ];
    for (what, prepare, said) in cases {
        let emulator = Emulator::start();
        let home = tempfile::tempdir().unwrap();
        let config = prepare(home.path());
        let options = ServerOptions::with_emulator(&emulator).config(&config);
        let (status, stderr) = Server::spawn_in(home.path(), options).finish();
        assert!(!status.success() && stderr.contains(said), "{what}: {stderr}");
        assert!(emulator.requests().is_empty(), "{what}");
    }
}

#[test]
fn half_a_line_in_the_second_place_spoils_no_other() {
    let home = tempfile::tempdir().unwrap();
    let copy = home.path().join("checkpoints");
    // As a full disk left it.
    fs::write(&copy, "{\"seq\":65,\"time\"").unwrap();
    let config = format!("[audit.checkpoints]\nfile = '{}'\n", copy.display());
    Server::start_in(home.path(), ServerOptions::embedded().config(&config)).finish();
    let text = fs::read_to_string(&copy).unwrap();
    let events: Vec<Value> = text
        .lines()
        .skip(1)
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].take())
        .collect();
    assert_eq!(events, ["checkpoint", "stop"], "{text}");
    let (code, report) = verify(home.path(), &["--checkpoints", copy.to_str().unwrap()]);
    assert_eq!(code, Some(2), "{report}");
    assert!(report.contains("1 lines are no signed") && report.contains(": verified,"), "{report}");
}

/// Calls until one is refused, and says what was refused with.
fn until_refused(server: &mut Server) -> Value {
    (0..200)
        .map(|_| server.call("ListSecrets", json!({})))
        .find(|answer| answer["Status"] != "ok")
        .expect("a call is refused")
}

#[test]
fn a_second_place_that_goes_away_ends_all_calls() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let pipe = home.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Opened for both, so that it does not wait for the server.
    let mut reader = File::options().read(true).write(true).open(&pipe).unwrap();
    let config = format!("[audit.checkpoints]\nfile = '{}'\n", pipe.display());
    let options = ServerOptions::with_emulator(&emulator).config(&config);
    let mut server = Server::start_in(home.path(), options);
    for _ in 0..40 {
        assert_eq!(server.call("ListSecrets", json!({}))["Status"], "ok");
    }
    let mut copied = vec![0; 4096];
    let length = reader.read(&mut copied).unwrap();
    let copied: Value = serde_json::from_slice(&copied[..length]).unwrap();
    assert_eq!((&copied["event"], &copied["seq"]), (&json!("checkpoint"), &json!(65)));
    drop(reader);
    let refused = until_refused(&mut server);
    assert_eq!(refused["Error"]["Code"], "AuditUnavailable", "{refused}");
    let sent = emulator.requests().len();
    let again = server.call("ListSecrets", json!({}));
    assert_eq!(again["Error"]["Code"], "AuditUnavailable", "{again}");
    assert_eq!(emulator.requests().len(), sent, "nothing is sent");
    let (_, stderr) = server.finish();
    assert!(stderr.contains("could not copy an audit checkpoint"), "{stderr}");
}

#[test]
fn a_long_log_goes_on_in_new_files_which_verify_as_one_chain() {
    let home = tempfile::tempdir().unwrap();
    let options = ServerOptions::embedded().config("[audit]\nrotate_bytes = 4096\n");
    let mut server = Server::start_in(home.path(), options);
    for _ in 0..20 {
        assert_eq!(server.call("ListSecrets", json!({}))["Status"], "ok");
    }
    let (code, report) = verify(home.path(), &[]);
    assert_eq!(code, Some(2), "{report}");
    assert!(report.matches(": verified, records").count() >= 2, "{report}");
    // The file it writes now is replaced under it: the next call is refused, as ever.
    let newest = files(home.path())
        .into_iter()
        .find(|file| records(file).last().unwrap()["event"] != "rotate")
        .unwrap();
    let copy = newest.with_extension("copy");
    fs::copy(&newest, &copy).unwrap();
    fs::rename(&copy, &newest).unwrap();
    let refused = server.call("ListSecrets", json!({}));
    assert_eq!(refused["Error"]["Code"], "AuditUnavailable", "{refused}");
    drop(server);

    let home = tempfile::tempdir().unwrap();
    let options = ServerOptions::embedded().config("[audit]\nrotate_bytes = 4096\n");
    let mut server = Server::start_in(home.path(), options);
    for _ in 0..20 {
        server.call("ListSecrets", json!({}));
    }
    assert!(server.finish().0.success());
    assert!(files(home.path()).len() >= 3);
    let (code, report) = verify(home.path(), &[]);
    assert_eq!(code, Some(0), "{report}");
    let between = files(home.path())
        .into_iter()
        .find(|file| file.to_str().unwrap().ends_with(".2.jsonl"))
        .unwrap();
    fs::remove_file(between).unwrap();
    let (code, report) = verify(home.path(), &[]);
    assert_eq!(code, Some(1), "{report}");
    assert!(report.contains("file 2 of this chain is missing"), "{report}");
}

#[test]
fn killed_between_intent_and_result_the_outcome_is_unknown() {
    let emulator = Emulator::start();
    let gate = Gate::before(&emulator, "DeleteSecret");
    let home = tempfile::tempdir().unwrap();
    let options = ServerOptions::with_emulator(&emulator).at(&gate.url);
    let mut server = Server::start_in(home.path(), options);
    server.create("app/db", "hunter2-hunter2");
    server.send(
        "tools/call",
        json!({ "name": "DeleteSecret", "arguments": { "SecretName": "app/db" } }),
    );
    gate.wait();
    server.kill();
    let file = &files(home.path())[0];
    let records = records(file);
    let intent = records.last().unwrap();
    assert_eq!((&intent["event"], &intent["tool"]), (&json!("intent"), &json!("DeleteSecret")));
    let (code, report) = verify(home.path(), &[]);
    assert_eq!(code, Some(2), "{report}");
    let unknown = format!("  unknown outcome of {}\n", intent["seq"]);
    assert!(report.contains(&unknown) && report.contains("unknown outcomes 1\n"), "{report}");
    assert_eq!(emulator.count("DeleteSecret"), 1, "it was carried out, and the log cannot know");
}

#[test]
fn an_auditor_is_answered_without_our_binary() {
    let home = tempfile::tempdir().unwrap();
    let emulator = Emulator::start();
    let mut server = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
    server.create("app/db", "hunter2-hunter2");
    let question = crate::harness::Question::disclosure(&mut server, "app/db");
    question.approve(&server);
    let disclosed = question.redeem(&mut server);
    assert_eq!(disclosed["Status"], "ok");
    assert_eq!(question.redeem(&mut server)["Error"]["Code"], "ConfirmationUsed");
    let refused = crate::harness::Question::disclosure(&mut server, "app/db");
    refused.decide(&server, &["n"]);
    assert_eq!(refused.redeem(&mut server)["Error"]["Code"], "ConfirmationDeclined");
    assert!(server.finish().0.success());
    let request = disclosed["RequestId"].as_str().unwrap();
    let trail = home.path().join("trail.json");
    let event = |id: &str| {
        json!({ "eventTime": "2026-11-02T10:00:00Z", "eventName": "GetSecretValue", "requestId": id,
            "serviceName": "Kms", "userAgent": "aliyun-cli", "userIdentity": { "principalId": "28" } })
    };
    let outside = "00000000-1111-2222-3333-444444444444";
    let events = json!({ "Events": [event(request), event(outside)] });
    fs::write(&trail, events.to_string()).unwrap();
    let ask = |arguments: &[&str]| {
        let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/read_audit.py");
        let mut command = Command::new("python3");
        command.arg("-B").arg(tool).arg(home.path().join("state/audit")).args(arguments);
        let output = command.run();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        stdout(&output).lines().skip(1).map(str::to_owned).collect::<Vec<String>>()
    };
    let disclosures = ask(&["--disclosures"]);
    assert_eq!(disclosures.len(), 1, "{disclosures:?}");
    let fields: Vec<&str> = disclosures[0].split('\t').collect();
    assert_eq!(fields[1..7], ["app/db", "v1", "agent", "it/1", "person", "terminal"]);
    assert_eq!(fields[8..11], ["ok", "-", request]);
    assert_eq!(fields[13], "yes", "a signed end proves it");
    let month = &fields[0][..7];
    assert_eq!(ask(&["--disclosures", "--month", month]), disclosures);
    assert!(ask(&["--disclosures", "--month", "1999-01"]).is_empty());
    let denials = ask(&["--denials"]);
    // A token used twice, the no of a person, and the call that was refused for it.
    assert_eq!(denials.len(), 3, "{denials:?}");
    let used = "\tGetSecretValue\tapp/db\tConfirmationUsed\t";
    assert_eq!(denials.iter().filter(|row| row.contains(used)).count(), 1, "{denials:?}");
    let no = denials.iter().map(|row| row.split('\t').collect::<Vec<_>>());
    let no = no.filter(|row| row[8] == "terminal").collect::<Vec<_>>();
    assert_eq!(no.len(), 1, "{denials:?}");
    assert_eq!((no[0][1], no[0][7], no[0][12]), ("denied", "agent", "yes"));
    assert!(no[0][9].starts_with("uid "), "{denials:?}");
    let found = ask(&["--actiontrail", trail.to_str().unwrap()]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains(outside) && !found[0].contains(request), "{found:?}");
    let mut other = event(request);
    other["requestParameters"] = json!({ "SecretName": "prod/other" });
    fs::write(&trail, json!({ "Events": [other] }).to_string()).unwrap();
    let found = ask(&["--actiontrail", trail.to_str().unwrap()]);
    assert!(found.len() == 1 && found[0].ends_with("\tdiffers"), "{found:?}");
}
