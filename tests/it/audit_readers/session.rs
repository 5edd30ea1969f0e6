//! Over the log of a real session: disclosures, a person's no, a rule's no, a killed server.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Read, assert_harmless, assert_inert, audit, csv};
use crate::harness::{Canaries, Emulator, Gate, Question, Server, ServerOptions};

const VALUE: &str = "qzjwkvgxmtprnyqzwjkvx";

/// A log, and what must not be in anything that is made of it.
struct Session {
    home: TempDir,
    canaries: Canaries,
    /// Requests that reached the emulator, but for the one whose answer was lost.
    sent: usize,
}

impl Session {
    fn play() -> Self {
        let home = tempfile::tempdir().unwrap();
        let emulator = Emulator::start();
        let mut server = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
        server.create("app/db", VALUE);
        server.create("app/other", VALUE);
        let mut tokens = Vec::new();
        let to_agent = Question::disclosure(&mut server, "app/db");
        to_agent.approve(&server);
        assert_eq!(to_agent.redeem(&mut server)["Status"], "ok");
        let to_file = json!({ "SecretName": "app/db", "Destination": "file", "FileName": "db" });
        let to_file = Question::ask(&mut server, "GetSecretValue", to_file);
        to_file.approve(&server);
        assert_eq!(to_file.redeem(&mut server)["Status"], "ok");
        let refused = Question::disclosure(&mut server, "app/other");
        refused.decide(&server, &["n"]);
        assert_eq!(refused.redeem(&mut server)["Status"], "denied");
        tokens.extend([to_agent, to_file, refused].map(|question| question.token));
        let keys = json!({
            "SecretName": "$Auto", "SecretType": "RAMCredentials", "VersionId": "v1",
            "SecretData": r#"{"AccessKeys":[{"AccessKeyId":"LTAI5tAbCdEfGhIjKlMnOp","AccessKeySecret":"dRkYhTqVbNmXcZsWaPoIuYtReWqLkJ"}]}"#, "ExtendedConfig": { "SecretSubType": "RamUserAccessKey", "UserName": "x" },
        });
        let denied = server.call("CreateSecret", keys);
        assert_eq!(denied["Status"], "denied", "{denied}");
        assert!(server.finish().0.success());
        let sent = emulator.requests().len();
        // A second process ends before the answer to its write comes.
        let gate = Gate::before(&emulator, "UpdateSecret");
        let options = ServerOptions::with_emulator(&emulator).at(&gate.url);
        let mut server = Server::start_in(home.path(), options);
        let arguments = json!({ "SecretName": "app/db", "Description": "later" });
        server.send("tools/call", json!({ "name": "UpdateSecret", "arguments": arguments }));
        gate.wait();
        server.kill();
        gate.open();
        let mut secrets = vec![
            ("the value", VALUE),
            ("the AccessKey id", &emulator.access_key_id),
            ("the AccessKey secret", &emulator.access_key_secret),
        ];
        secrets.extend(tokens.iter().map(|token| ("a token", token.as_str())));
        let canaries = Canaries::new(&secrets);
        Self { home, canaries, sent }
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("state/audit")
    }

    /// Runs a reader over the log, and looks for secrets in all that it says.
    fn read(&self, arguments: &[&str]) -> Read {
        let folder = self.folder();
        let mut all = arguments.to_vec();
        all.push(folder.to_str().unwrap());
        let read = audit(&all);
        self.searched(arguments[0], &read.out);
        self.searched(arguments[0], &read.err);
        read
    }

    /// Twelve digits of the hashes of key and tokens stand in the log, as they should.
    fn searched(&self, what: &str, text: &str) {
        let mut text = text.to_owned();
        for record in self.records() {
            for place in ["/cloud/caller_key", "/approval/token_id"] {
                if let Some(known) = record.pointer(place).and_then(Value::as_str) {
                    text = text.replace(known, "");
                }
            }
        }
        self.canaries.assert_absent(what, text.as_bytes());
    }

    /// Every record of the folder.
    fn records(&self) -> Vec<Value> {
        let mut records = Vec::new();
        for entry in fs::read_dir(self.folder()).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            records.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        }
        records
    }
}

fn count(rows: &[String], parts: &[&str]) -> usize {
    rows.iter().filter(|row| parts.iter().all(|part| row.contains(part))).count()
}

/// Records as a set: in what order processes wrote within a millisecond nobody knows.
fn set(records: &[Value]) -> BTreeSet<String> {
    records.iter().map(Value::to_string).collect()
}

#[test]
fn the_table_says_who_got_what_and_who_let_them() {
    let session = Session::play();
    let shown = session.read(&["show"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.err.contains("audit verify"), "{}", shown.err);
    assert_harmless(&shown.out);
    assert!(shown.out.lines().all(|line| line.len() <= 100), "{}", shown.out);
    let rows = shown.rows();
    let all = rows.join("\n");
    let by = "approved by uid";
    for (expected, parts) in [
        (1, ["GetSecretValue", "app/db", "agent", by]),
        (1, ["GetSecretValue", "app/db", "file", by]),
        (1, ["GetSecretValue", "app/other", "agent", "denied; by uid"]),
        (1, ["GetSecretValue", "app/other", "refused:", "ConfirmationDeclined"]),
        (1, ["CreateSecret", "acs/ram/user/*", "refused: DeniedByPolicy", "inline-access-keys"]),
        (1, ["UpdateSecret", "app/db", "UNKNOWN OUTCOME", "rule write"]),
        (2, ["CreateSecret", "app/", "created", "rule write"]),
        (3, ["GetSecretValue", "app/", "asked for a yes", ""]),
        (0, ["DescribeSecret", "", "", ""]),
    ] {
        assert_eq!(count(&rows, &parts), expected, "{parts:?} in\n{all}");
    }
    assert!(shown.err.contains("--steps"), "{}", shown.err);
    let steps = session.read(&["show", "--steps"]).rows();
    assert!(count(&steps, &["DescribeSecret", "app/db"]) > 0, "{steps:?}");
    assert!(!session.read(&["show", "--steps"]).err.contains("--steps"));
}

#[test]
fn filters_leave_what_was_asked_for() {
    let session = Session::play();
    let rows = |arguments: &[&str]| session.read(&[&["show"], arguments].concat()).rows();
    let all = rows(&[]).len();
    assert_eq!(rows(&["--decision", "deny"]).len(), 3);
    assert_eq!(rows(&["--decision", "approved"]).len(), 2);
    assert_eq!(rows(&["--destination", "file"]).len(), 3);
    assert_eq!(rows(&["--destination", "file", "--decision", "allow"]).len(), 1);
    assert_eq!(rows(&["--secret", "app/o*"]).len(), 4);
    assert_eq!(rows(&["--approver", "terminal", "--decision", "allow"]).len(), 2);
    assert_eq!(rows(&["--approver", "nobody"]).len(), 0);
    assert_eq!(rows(&["--action", "UpdateSecret"]).len(), 1);
    assert!(!rows(&["--action", "describesecret"]).is_empty());
    assert_eq!(rows(&["--event", "challenge"]).len(), 3);
    assert_eq!(rows(&["--since", "1h"]).len(), all);
    assert_eq!(rows(&["--until", "1h"]).len(), 0);
    assert_eq!(rows(&["--until", "2020-01-01"]).len(), 0);
    let call = session.records();
    let call = call.iter().find(|record| record["event"] == "challenge").unwrap();
    let (process, call) = (call["instance"].as_str().unwrap(), call["call"].as_str().unwrap());
    // The call itself, and its two steps.
    assert_eq!(rows(&["--call", &format!("{}/{call}", &process[..4])]).len(), 3);
    for (flag, wrong) in [("--since", "soon"), ("--secret", "["), ("--decision", "maybe")] {
        let refused = session.read(&["show", flag, wrong]);
        assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{}", refused.err);
    }
}

#[test]
fn json_and_csv_have_every_record_and_no_other() {
    let session = Session::play();
    let records = session.records();
    let shown = session.read(&["show", "--format", "json"]);
    assert_harmless(&shown.out);
    assert_eq!(shown.lines().len(), records.len());
    assert_eq!(set(&shown.lines()), set(&records));
    let exported = session.read(&["export", "--format", "json"]);
    let exported: Vec<Value> = serde_json::from_str(&exported.out).unwrap();
    assert_eq!(set(&exported), set(&records));
    let table = csv(&session.read(&["export", "--format", "csv"]).out);
    assert_eq!(table.len(), 1 + records.len());
    let column = |name: &str| table[0].iter().position(|head| head == name).unwrap();
    let cells = |names: &[&str]| -> BTreeSet<Vec<String>> {
        let columns: Vec<usize> = names.iter().map(|name| column(name)).collect();
        table[1..].iter().map(|row| columns.iter().map(|at| row[*at].clone()).collect()).collect()
    };
    let hashes: BTreeSet<Vec<String>> = records
        .iter()
        .map(|record| vec![record["hash"].as_str().unwrap().to_owned(), record["seq"].to_string()])
        .collect();
    assert_eq!(cells(&["hash", "seq"]), hashes);
    assert!(table.iter().all(|row| row.len() == table[0].len()));
    assert!(table[1..].iter().all(|row| row[column("others")].is_empty()), "all has a column");
    let chosen = session.read(&["export", "--format", "csv", "--destination", "agent"]);
    // Two questions, a yes, a no, a call of two records, and a call refused.
    assert_eq!(csv(&chosen.out).len(), 1 + 7);
}

#[test]
fn the_report_is_one_private_page_that_runs_nothing() {
    let session = Session::play();
    let path = session.home.path().join("report.html");
    let name = path.to_str().unwrap();
    let made = session.read(&["report", "--html", name]);
    assert_eq!((made.code, made.out.as_str()), (0, ""), "{}", made.err);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let page = fs::read_to_string(&path).unwrap();
    session.searched("the report", &page);
    assert_inert(&page);
    for expected in [
        "<strong>2</strong>values handed out",
        "<strong>1</strong>of them to an agent",
        "<strong>1</strong>unknown outcomes",
        "rule inline-access-keys",
        "ConfirmationDeclined",
        "6 of 10 rules of default decided no call",
        "UpdateSecret",
        "prefers-color-scheme",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    // Nothing that is there is written over, be it a page of ours, or written through a link.
    let (link, other) = (session.home.path().join("link"), session.home.path().join("other"));
    fs::write(&other, "mine").unwrap();
    symlink(&other, &link).unwrap();
    for reader in [vec!["report", "--html"], vec!["export", "--format", "csv", "--output"]] {
        for target in [&path, &other, &link, &session.folder()] {
            let refused = session.read(&[reader.clone(), vec![target.to_str().unwrap()]].concat());
            assert_eq!(refused.code, 1, "{}", refused.err);
            assert!(refused.err.contains("nothing was changed"), "{}", refused.err);
            let named = refused.err.contains(&format!("`{}`", target.display()));
            assert!(named && refused.err.contains("choose another name"), "{}", refused.err);
        }
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), page);
    assert_eq!(fs::read_to_string(&other).unwrap(), "mine");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let left = fs::read_dir(session.home.path()).unwrap();
    let left = left
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".part"));
    assert_eq!(left.count(), 0);
    assert_eq!(session.read(&["report", "--html", name, "--policy", "none"]).code, 1);
}

/// What ActionTrail would have of the session: each request that has a RequestId in the log.
fn trail(session: &Session) -> Vec<Value> {
    let records = session.records();
    let answered = records.iter().filter(|record| record["upstream"]["request_id"].is_string());
    let event = |record: &Value| {
        json!({
            "requestId": record["upstream"]["request_id"], "eventName": record["action"],
            "eventTime": record["time"], "serviceName": "Kms",
            "userAgent": "AlibabaCloud-Agent-Skills", "resourceName": record["resource"]["name"],
            "userIdentity": { "type": "ram-user", "userName": "it", "accessKeyId": "LTAI5tAbCdEfGhIjKlMnOp" },
        })
    };
    answered.map(event).collect()
}

fn reconciled(session: &Session, events: &[Value]) -> (i32, Value, Vec<Value>) {
    let path: &Path = &session.home.path().join("trail.json");
    fs::write(path, Value::from(events).to_string()).unwrap();
    let read =
        session.read(&["reconcile", "--format", "json", "--actiontrail", path.to_str().unwrap()]);
    assert!(!format!("{}{}", read.out, read.err).contains("LTAI"), "{}", read.out);
    let mut lines = read.lines();
    (read.code, lines.pop().unwrap(), lines)
}

#[test]
fn a_call_that_went_past_the_log_is_found() {
    let session = Session::play();
    let mut events = trail(&session);
    // The log knows every request that reached KMS, but for the one that was not answered.
    assert_eq!(events.len(), session.sent);
    let (code, counts, lines) = reconciled(&session, &events);
    assert_eq!((code, &counts["matched"]), (0, &json!(session.sent)), "{lines:?}");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(counts["matched_by_unproven"], 0, "every match is signed");
    assert_eq!(
        (&lines[0]["kind"], &lines[0]["action"]),
        (&json!("ours_without_theirs"), &json!("UpdateSecret"))
    );
    let mut past = events[0].clone();
    past["requestId"] = "PAST-1".into();
    past["userAgent"] = "curl/8".into();
    let mut taken_out = past.clone();
    taken_out["requestId"] = "PAST-2".into();
    taken_out["userAgent"] = "AlibabaCloud-Agent-Skills".into();
    events.extend([past, taken_out]);
    let (code, counts, lines) = reconciled(&session, &events);
    assert_eq!((code, &counts["theirs_without_ours"]), (1, &json!(2)));
    let found: Vec<_> = lines.iter().map(|line| (&line["requestId"], &line["why"])).collect();
    assert_eq!(found[0], (&json!("PAST-2"), &json!("our_user_agent")), "the most alarming first");
    assert_eq!(found[1], (&json!("PAST-1"), &json!("other")));
}

#[test]
fn a_request_id_with_another_secret_is_another_call() {
    let session = Session::play();
    let whole = trail(&session);
    let at = whole.iter().position(|event| event["resourceName"].is_string()).unwrap();
    let name = whole[at]["resourceName"].as_str().unwrap().to_owned();
    let arn = format!("acs:kms:cn-hangzhou:1:secret/{name}");
    let other = |why: &str, change: Value| (change, Some(why.to_owned()));
    let same = |change: Value| (change, None);
    for (change, why) in [
        other("other_secret", json!({ "requestParameters": { "SecretName": "prod/other" } })),
        other("other_secret", json!({ "requestParameterJson": r#"{"SecretName":"prod/other"}"# })),
        other("other_secret", json!({ "resourceName": "acs:kms:cn-hangzhou:1:secret/prod/other" })),
        other(
            "other_secret",
            json!({ "resourceName": "other", "resourceType": "ACS::KMS::Secret" }),
        ),
        other("other_action", json!({ "eventName": "RestoreSecret" })),
        same(json!({ "requestParameters": { "SecretName": arn } })),
        same(json!({ "resourceName": format!("some-key;{arn}") })),
        same(json!({ "resourceName": "some-key", "resourceType": "ACS::KMS::Key" })),
        same(json!({ "resourceName": null })),
    ] {
        let mut events = whole.clone();
        let members = events[at].as_object_mut().unwrap();
        members.extend(change.as_object().unwrap().clone());
        let (code, _, lines) = reconciled(&session, &events);
        let found = lines.iter().find(|line| line["kind"] == "theirs_without_ours");
        let found = found.map(|line| line["why"].as_str().unwrap().to_owned());
        assert_eq!((code, found), (i32::from(why.is_some()), why), "{change}");
    }
}

/// Without the chain of the first process, the calls of the first process are outside.
#[test]
fn a_chain_that_was_taken_out_does_not_hide_its_calls() {
    let session = Session::play();
    let mut events = trail(&session);
    for event in &mut events {
        event["eventTime"] = "2020-01-01T00:00:00Z".into();
    }
    let mut files: Vec<_> =
        fs::read_dir(session.folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_by_key(|path| fs::metadata(path).unwrap().len());
    fs::remove_file(files.pop().unwrap()).unwrap();
    let (code, counts, _) = reconciled(&session, &events);
    assert_eq!((code, &counts["theirs_without_ours"]), (1, &json!(session.sent)), "{counts}");
}

/// Who can write the folder can write any RequestId into it.
#[test]
fn a_record_that_proves_nothing_hides_no_call() {
    let session = Session::play();
    let mut events = trail(&session);
    let mut past = events[0].clone();
    past["requestId"] = "PAST-1".into();
    past["userAgent"] = "curl/8".into();
    events.push(past);
    let forged = |name: &str, lines: &str| fs::write(session.folder().join(name), lines).unwrap();
    let time = events[0]["eventTime"].as_str().unwrap();
    let action = events[0]["eventName"].as_str().unwrap();
    let record = |event: &str| {
        json!({ "seq": 1, "time": time, "instance": "x", "event": event, "call": "c1",
            "intent": 1, "action": action, "upstream": { "request_id": "PAST-1" } })
    };
    forged("20260301T000000Z-x.jsonl", &format!("{}\n{}\n", record("intent"), record("result")));
    let (_, counts, lines) = reconciled(&session, &events);
    assert_eq!(counts["matched_by_unproven"], 1, "{counts}");
    let found = lines.iter().find(|line| line["kind"] == "matched_by_unproven").unwrap();
    assert_eq!(found["requestId"], "PAST-1");
    assert_eq!(found["file"], "20260301T000000Z-x.jsonl");
}
