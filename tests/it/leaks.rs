//! The public leak cases: data in `tests/cases/leaks`, a new case is a new file.
//!
//! Each runs its steps against a server and an emulator of its own; then stdout, stderr and the
//! audit log are searched for the value and the credentials in every encoding. A case that needs
//! a client of another kind names the test that plays it in `PlayedBy`.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::harness::{Canaries, Emulator, Pty, Server, ServerOptions, normal};

const USER_AGENT: &str =
    "AlibabaCloud (alibabacloud-kms-mcp) Rust Core/0.1.0 AlibabaCloud-Agent-Skills";
/// The value of cases that name none.
const VALUE: &str = "qzjwkvgxmtprnyqzwjkvx";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Case {
    #[serde(rename = "Case")]
    about: String,
    /// The test that plays it instead.
    played_by: Option<String>,
    /// Instead of the emulator's.
    endpoint: Option<String>,
    /// What the client calls itself.
    client: Option<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// The case is run with each of these, and nothing may look different.
    #[serde(default)]
    values: Vec<Repeated>,
    /// The value leaves, once and at its one place.
    #[serde(default)]
    discloses: bool,
    #[serde(default)]
    steps: Vec<Step>,
    /// How often an action reaches KMS.
    #[serde(default)]
    sent: BTreeMap<String, usize>,
    /// What else must not be found.
    #[serde(default)]
    absent: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Repeated {
    text: String,
    times: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Step {
    tool: String,
    arguments: Value,
    /// What KMS does wrong from here on.
    faults: Option<Value>,
    /// So much time passes first.
    age_ms: Option<i64>,
    /// A person is shown the question that was answered, and types this.
    approve: Option<Vec<String>>,
    /// By JSON pointer into the envelope; null stands for absence.
    expect: BTreeMap<String, Value>,
}

/// What a run left behind.
struct Run {
    stdout: String,
    stderr: String,
    audit: String,
    requests: Vec<Value>,
    secrets: [String; 2],
    disclosed: usize,
}

/// Replaces `{name}` in every string.
fn filled(value: &Value, names: &BTreeMap<&str, String>) -> Value {
    match value {
        Value::String(text) => {
            let filled = names.iter().fold(text.clone(), |text, (name, with)| {
                text.replace(&format!("{{{name}}}"), with)
            });
            Value::String(filled)
        }
        Value::Array(items) => items.iter().map(|item| filled(item, names)).collect(),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, member)| (name.clone(), filled(member, names)))
                .collect::<Map<_, _>>(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn run(case: &Case, value: &str) -> Run {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let emulator = Emulator::start();
    let mut names = BTreeMap::from([
        ("value", value.to_owned()),
        ("value%1", percent(value)),
        ("value%2", percent(&percent(value))),
        ("access_key_id", emulator.access_key_id.clone()),
        ("elsewhere", elsewhere.local_addr().unwrap().to_string()),
    ]);
    let text = |text: &str, names: &BTreeMap<&str, String>| {
        filled(&text.into(), names).as_str().unwrap().to_owned()
    };
    let mut options = ServerOptions::with_emulator(&emulator).config("wait_seconds = 0\n");
    if let Some(endpoint) = &case.endpoint {
        options.arguments[1].clone_from(endpoint);
    }
    for (name, content) in &case.environment {
        options = options.env(name, &text(content, &names));
    }
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::spawn_in(home.path(), options);
    let client = json!({ "name": case.client.as_deref().unwrap_or("it"), "version": "1" });
    server.request(
        "initialize",
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client }),
    );
    server.notify("notifications/initialized", json!({}));
    for (number, step) in case.steps.iter().enumerate() {
        let place = format!("{}, step {}", case.about, number + 1);
        if let Some(faults) = &step.faults {
            emulator.faults(&filled(faults, &names).to_string());
        }
        if let Some(age) = step.age_ms {
            let store = Connection::open(server.state().join("store.sqlite")).unwrap();
            store.execute("UPDATE approvals SET expires_ms = expires_ms - ?1", [age]).unwrap();
        }
        let envelope = server.call(&step.tool, filled(&step.arguments, &names));
        for (pointer, expected) in &step.expect {
            let found = envelope.pointer(pointer).cloned().unwrap_or_default();
            assert_eq!(found, *expected, "{place}, {pointer}: {envelope}");
        }
        if let Some(token) = envelope.pointer("/Confirmation/Token") {
            names.insert("token", token.as_str().unwrap().to_owned());
        }
        if let Some(lines) = &step.approve {
            let code = envelope["Confirmation"]["MatchCode"].as_str().unwrap();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let screen = Pty::approve(server.home(), &[code], &lines);
            assert!(screen.status.success(), "{place}: {}", screen.text);
        }
    }
    let mut stdout = String::new();
    let mut disclosed = 0;
    for line in server.transcript.lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let place = line.pointer_mut("/result/structuredContent/Result/SecretData");
        if let Some(place) = place.filter(|place| *place == value) {
            *place = Value::Null;
            disclosed += 1;
        }
        stdout.push_str(&line.to_string());
        stdout.push('\n');
    }
    let (status, stderr) = server.finish();
    assert!(status.success(), "{}: {stderr}", case.about);
    elsewhere.set_nonblocking(true).unwrap();
    let visited = elsewhere.accept().map_err(|error| error.kind());
    assert_eq!(
        visited.unwrap_err(),
        ErrorKind::WouldBlock,
        "{}: somebody went elsewhere",
        case.about
    );
    for secret in case.absent.iter().map(|absent| text(absent, &names)) {
        assert!(!stdout.contains(&secret) && !stderr.contains(&secret), "{}: {secret}", case.about);
    }
    let folder = home.path().to_str().unwrap();
    Run {
        stdout: stdout.replace(folder, "<home>"),
        stderr: stderr.replace(folder, "<home>"),
        audit: audit(&home.path().join("state/audit")),
        requests: emulator.requests(),
        secrets: [emulator.access_key_id.clone(), emulator.access_key_secret.clone()],
        disclosed,
    }
}

/// All records; each line is one.
fn audit(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        for line in fs::read_to_string(entry.unwrap().path()).unwrap().lines() {
            let mut record: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            if let Some(key) = record.pointer_mut("/cloud/caller_key") {
                // The one thing that is told of an AccessKey id.
                *key = Value::Null;
            }
            text.push_str(&record.to_string());
            text.push('\n');
        }
    }
    text
}

fn check(case: &Case, value: &str, run: &Run) {
    let case_name = &case.about;
    let [id, secret] = &run.secrets;
    let mut secrets = vec![("the AccessKey id", id.as_str()), ("the AccessKey secret", secret)];
    // Short and repetitive values are found by comparing runs.
    if case.values.is_empty() {
        secrets.push(("the value", value));
    }
    let canaries = Canaries::new(&secrets);
    for (what, text) in
        [("stdout", &run.stdout), ("stderr", &run.stderr), ("the audit log", &run.audit)]
    {
        canaries.assert_absent(&format!("{case_name}: {what}"), text.as_bytes());
    }
    assert_eq!(run.disclosed, usize::from(case.discloses), "{case_name}");
    for request in &run.requests {
        assert_eq!(request["user_agent"], USER_AGENT, "{case_name}");
        let query: Vec<&str> =
            request["query"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(!query.contains(&"SecretData"), "{case_name}: a value in the URL");
    }
    for (action, times) in &case.sent {
        let sent =
            run.requests.iter().filter(|request| request["action"] == action.as_str()).count();
        assert_eq!(sent, *times, "{case_name}: {action}");
    }
}

#[test]
fn no_public_case_leaks() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/leaks");
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let (mut played, mut elsewhere) = (0, Vec::new());
    for path in paths {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let mut case: Case =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        case.about = format!("{name} {}", case.about);
        if case.played_by.is_some() {
            elsewhere.push(name);
            continue;
        }
        played += 1;
        let values: Vec<String> = match case.values.as_slice() {
            [] => vec![VALUE.to_owned()],
            values => values.iter().map(|value| value.text.repeat(value.times)).collect(),
        };
        let mut first: Option<(String, String)> = None;
        for value in values {
            let run = run(&case, &value);
            check(&case, &value, &run);
            let seen = (normal(&run.stdout), normal(&run.stderr));
            assert_eq!(*first.get_or_insert_with(|| seen.clone()), seen, "{}", case.about);
        }
    }
    assert_eq!((played, elsewhere), (23, vec!["P06".to_owned()]));
}
