//! What cannot be recorded does not happen: nothing is sent, and a value that came is dropped.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{BINARY, Emulator, Gate, Question, Run, Server, ServerOptions};

const VALUE: &str = "hunter2-hunter2";

/// Does something to the audit file of a running server. Works for root, whom no mode stops.
type Tamper = fn(&Path);

fn unlinked(file: &Path) {
    fs::remove_file(file).unwrap();
}

fn replaced_by_a_copy(file: &Path) {
    let copy = file.with_extension("copy");
    fs::copy(file, &copy).unwrap();
    fs::rename(copy, file).unwrap();
}

fn replaced_by_a_folder(file: &Path) {
    fs::remove_file(file).unwrap();
    fs::create_dir(file).unwrap();
}

fn replaced_by_a_link_to_itself_elsewhere(file: &Path) {
    let elsewhere = file.parent().unwrap().with_file_name("elsewhere");
    fs::rename(file, &elsewhere).unwrap();
    std::os::unix::fs::symlink(elsewhere, file).unwrap();
}

fn cut(file: &Path) {
    File::options().write(true).open(file).unwrap().set_len(10).unwrap();
}

fn emptied(file: &Path) {
    File::options().write(true).open(file).unwrap().set_len(0).unwrap();
}

fn added_to(file: &Path) {
    let mut file = File::options().append(true).open(file).unwrap();
    std::io::Write::write_all(&mut file, b"{}\n").unwrap();
}

fn folder_removed(file: &Path) {
    fs::remove_dir_all(file.parent().unwrap()).unwrap();
}

fn folder_moved(file: &Path) {
    let folder = file.parent().unwrap();
    fs::rename(folder, folder.with_file_name("moved")).unwrap();
}

const TAMPERINGS: [(&str, Tamper); 9] = [
    ("unlinked", unlinked),
    ("replaced by a copy", replaced_by_a_copy),
    ("replaced by a folder", replaced_by_a_folder),
    ("replaced by a link", replaced_by_a_link_to_itself_elsewhere),
    ("cut", cut),
    ("emptied", emptied),
    ("added to", added_to),
    ("folder removed", folder_removed),
    ("folder moved", folder_moved),
];

/// The audit file of the server: the first one that is there.
fn audit_file(server: &Server) -> PathBuf {
    let mut files: Vec<PathBuf> = fs::read_dir(server.state().join("audit"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    // Others are of approving processes, which have ended.
    files.retain(|file| !fs::read_to_string(file).unwrap().contains("\"event\":\"stop\""));
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

fn assert_unavailable(what: &str, envelope: &Value) {
    assert_eq!(envelope["Error"]["Code"], "AuditUnavailable", "{what}: {envelope}");
    assert!(envelope.get("Result").is_none() && envelope.get("Confirmation").is_none(), "{what}");
}

#[test]
fn without_a_record_nothing_is_sent() {
    for (what, tamper) in TAMPERINGS {
        let emulator = Emulator::start();
        let home = tempfile::tempdir().unwrap();
        let mut server = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
        server.create("app/db", VALUE);
        let masked =
            Question::ask(&mut server, "GetSecretValue", json!({ "SecretName": "app/db" }));
        let agent = Question::disclosure(&mut server, "app/db");
        agent.approve(&server);
        let sent = emulator.requests().len();
        tamper(&audit_file(&server));
        // The first failure is final: the log is not taken up again, whatever comes next.
        for (tool, arguments) in [
            ("GetSecretValue", masked.with_token()),
            ("GetSecretValue", agent.with_token()),
            ("GetSecretValue", json!({ "SecretName": "app/db" })),
            ("DescribeSecret", json!({ "SecretName": "app/db" })),
            ("ListSecrets", json!({})),
            (
                "CreateSecret",
                json!({ "SecretName": "app/x", "VersionId": "v1", "SecretData": VALUE }),
            ),
            ("DeleteSecret", json!({ "SecretName": "app/db" })),
        ] {
            let answer = server.call(tool, arguments);
            assert_unavailable(&format!("{what}, {tool}"), &answer);
            assert_eq!(answer["Error"]["Changed"], "no", "{what}, {tool}");
        }
        assert_eq!(emulator.requests().len(), sent, "{what}");
        assert!(!server.transcript.contains(VALUE), "{what}");
        server.kill();
        let _ = fs::remove_dir_all(home.path().join("state/audit"));
        let mut server = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
        assert_eq!(
            server.call("ListSecrets", json!({}))["Status"],
            "ok",
            "{what}: after a restart"
        );
    }
}

#[test]
fn a_value_whose_disclosure_cannot_be_recorded_is_dropped() {
    for (what, tamper) in TAMPERINGS {
        let emulator = Emulator::start();
        let gate = Gate::before(&emulator, "GetSecretValue");
        let options = ServerOptions::with_emulator(&emulator).at(&gate.url);
        let mut server = Server::start(options);
        server.create("app/db", VALUE);
        let question = Question::disclosure(&mut server, "app/db");
        question.approve(&server);
        let file = audit_file(&server);
        let call = json!({ "name": question.tool, "arguments": question.with_token() });
        let id = server.send("tools/call", call);
        gate.wait();
        assert_eq!(emulator.count("GetSecretValue"), 1, "{what}: KMS has answered");
        tamper(&file);
        gate.open();
        let answer = server.receive();
        assert_eq!(answer["id"], json!(id), "{what}");
        let envelope = &answer["result"]["structuredContent"];
        assert_unavailable(what, envelope);
        assert_eq!(envelope["Error"]["Changed"], "no", "{what}: a reading changes nothing");
        assert!(!server.transcript.contains(VALUE), "{what}");
    }
}

/// The write itself, and the one that makes a key on the way to it.
#[test]
fn only_a_write_that_was_sent_leaves_open_whether_it_changed_something() {
    let put = json!({ "SecretName": "app/db", "VersionId": "v2", "SecretData": VALUE });
    let create =
        json!({ "SecretName": "app/x", "VersionId": "v1", "SecretData": VALUE, "AutoKey": true });
    let cases = [
        ("PutSecretValue", put, "PutSecretValue", "unknown"),
        ("CreateSecret", create, "CreateKey", "yes"),
    ];
    for (tool, arguments, sent, changed) in cases {
        let emulator = Emulator::start();
        let gate = Gate::before(&emulator, sent);
        let options = ServerOptions::with_emulator(&emulator).at(&gate.url);
        let mut server = Server::start(options);
        server.create("app/db", VALUE);
        let file = audit_file(&server);
        server.send("tools/call", json!({ "name": tool, "arguments": arguments }));
        gate.wait();
        unlinked(&file);
        gate.open();
        let answer = server.receive();
        let envelope = &answer["result"]["structuredContent"];
        assert_unavailable(tool, envelope);
        assert_eq!(envelope["Error"]["Changed"], changed, "{envelope}");
        assert_eq!(
            emulator.count(tool),
            usize::from(tool == sent) + usize::from(tool == "CreateSecret")
        );
    }
}

#[test]
fn nor_does_it_stay_in_a_file() {
    let emulator = Emulator::start();
    let gate = Gate::before(&emulator, "GetSecretValue");
    let options = ServerOptions::with_emulator(&emulator).at(&gate.url);
    let mut server = Server::start(options);
    server.create("app/db", VALUE);
    let read = json!({ "SecretName": "app/db", "Destination": "file", "FileName": "db.txt" });
    let question = Question::ask(&mut server, "GetSecretValue", read);
    question.approve(&server);
    let file = audit_file(&server);
    server.send("tools/call", json!({ "name": question.tool, "arguments": question.with_token() }));
    gate.wait();
    unlinked(&file);
    gate.open();
    let answer = server.receive();
    assert_unavailable("file", &answer["result"]["structuredContent"]);
    assert_eq!(std::fs::read_dir(server.state().join("disclosed")).unwrap().count(), 0);
}

#[test]
fn on_a_full_disk_nothing_is_sent_and_the_log_stays_whole() {
    let emulator = Emulator::start();
    // Writing beyond the limit fails as writing to a full disk does.
    let full = ["sh", "-c", "trap '' XFSZ; ulimit -f 128; exec \"$@\"", "sh"];
    let home = tempfile::tempdir().unwrap();
    let options = ServerOptions::with_emulator(&emulator).through(&full);
    let mut server = Server::start_in(home.path(), options);
    let mut answered = 0;
    let refused = loop {
        let answer = server.call("ListSecrets", json!({}));
        if answer["Status"] != "ok" {
            break answer;
        }
        answered += 1;
        assert!(answered < 2_000, "the limit is never reached");
    };
    assert_unavailable("full", &refused);
    let sent = emulator.requests().len();
    // The one request more: its intent was the last thing that fitted.
    assert!((answered..=answered + 1).contains(&sent), "{answered} answered, {sent} sent");
    let create = json!({ "SecretName": "app/x", "VersionId": "v1", "SecretData": VALUE });
    assert_unavailable("full", &server.call("CreateSecret", create));
    assert_eq!(emulator.requests().len(), sent);
    server.kill();
    let verified = Command::new(BINARY)
        .args(["audit", "verify"])
        .arg(home.path().join("state/audit"))
        .env_clear()
        .run();
    let report = String::from_utf8(verified.stdout).unwrap();
    // Nothing is torn and no record is lost, but nobody could sign the end.
    assert_eq!(verified.status.code(), Some(2), "{report}");
    assert!(report.contains("after the last checkpoint") && !report.contains("torn"), "{report}");
}

#[test]
fn without_an_audit_folder_there_is_no_server() {
    type Prepare = fn(&Path);
    let cases: [(&str, Prepare); 3] = [
        ("a file in its place", |audit| fs::write(audit, "").unwrap()),
        ("a link to nowhere", |audit| {
            std::os::unix::fs::symlink("/nowhere/at/all", audit).unwrap();
        }),
        ("open to everybody", |audit| {
            fs::create_dir(audit).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
            fs::set_permissions(audit, mode).unwrap();
        }),
    ];
    for (what, prepare) in cases {
        let emulator = Emulator::start();
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("state")).unwrap();
        prepare(&home.path().join("state/audit"));
        let server = Server::spawn_in(home.path(), ServerOptions::with_emulator(&emulator));
        let (status, stderr) = server.finish();
        assert!(!status.success(), "{what}: {stderr}");
        assert!(stderr.contains("audit"), "{what}: {stderr}");
        assert!(emulator.requests().is_empty(), "{what}");
    }
}

#[test]
fn a_decision_that_cannot_be_recorded_is_none() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    let question = Question::disclosure(&mut server, "app/db");
    let audit = server.state().join("audit");
    let aside = server.state().join("aside");
    fs::rename(&audit, &aside).unwrap();
    fs::write(&audit, "").unwrap();
    let screen = question.decide(&server, &["y"]);
    assert!(!screen.status.success() && !screen.text.contains("Approved."), "{}", screen.text);
    fs::remove_file(&audit).unwrap();
    fs::rename(&aside, &audit).unwrap();
    assert_eq!(question.redeem(&mut server)["Status"], "confirmation_required");
}
