//! Refusals at full speed: they cost the agent nothing, and must not fill the disk.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{BINARY, Run, Server, ServerOptions, until};

const CALLS: u64 = 600;

/// That all records of an event and code were written or counted, and no more of them written than
/// may be: a hundred at once, and five a second.
pub(crate) fn assert_bounded(server: &Server, event: &str, code: &Value, all: u64) {
    let (written, counted) = until("all are counted", || {
        let audit = server.audit();
        let one = |record: &&Value| record["event"] == event && record["code"] == *code;
        let written: Vec<Value> = audit.iter().filter(one).cloned().collect();
        let counts = audit.iter().filter(|record| record["suppressed"]["event"] == event);
        let counted: u64 = counts
            .map(|one| {
                one["suppressed"]["codes"][code.as_str().unwrap_or("other")].as_u64().unwrap_or(0)
            })
            .sum();
        (written.len() as u64 + counted == all).then_some((written, counted))
    });
    let at = |record: Option<&Value>| -> jiff::Timestamp {
        record.unwrap()["time"].as_str().unwrap().parse().unwrap()
    };
    let took = at(written.last()).duration_since(at(written.first())).as_millis();
    let most = 101 + u64::try_from(took).unwrap() / 200;
    assert!(written.len() as u64 <= most, "{} written, {counted} counted", written.len());
}

fn audit(home: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(BINARY);
    command.arg("audit").args(arguments).env_clear().env("HOME", home);
    let output = command.env("KMS_MCP_STATE_DIR", home.join("state")).run();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn refusals_beyond_some_a_second_are_a_count_that_every_reader_shows() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(home.path(), ServerOptions::embedded());
    for _ in 0..CALLS {
        let answer = server.call("DescribeSecret", json!({ "SecretName": "app/db", "Extra": 1 }));
        assert_eq!(answer["Error"]["Code"], "InvalidArgument", "{answer}");
    }
    server.call("ListSecrets", json!({}));
    assert!(server.finish().0.success());
    let text = audit(home.path(), &["export", "--format", "json"]);
    let records: Vec<Value> = serde_json::from_str(&text).unwrap();
    let written = records.iter().filter(|record| record["event"] == "denied").count() as u64;
    let counts = records.iter().filter(|record| record["event"] == "suppressed");
    let counted: u64 = counts.map(|one| one["suppressed"]["count"].as_u64().unwrap()).sum();
    assert_eq!(written + counted, CALLS);
    assert!(written >= 100 && counted > 0, "{written} written, {counted} counted");
    assert!(records.iter().any(|record| record["event"] == "intent"), "what was sent is there");
    assert!(audit(home.path(), &["verify"]).contains("verified"));
    let shown = audit(home.path(), &["show"]);
    assert!(shown.contains(" more denied"), "{shown}");
    let table = audit(home.path(), &["export", "--format", "csv"]);
    assert!(table.contains("\"\"codes\"\":{\"\"InvalidArgument\"\":"), "{table}");
    let page = home.path().join("page.html");
    audit(home.path(), &["report", "--html", page.to_str().unwrap()]);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("InvalidArgument, only counted"), "{page}");
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/read_audit.py");
    let mut reader = Command::new("python3");
    reader.arg("-B").arg(tool).arg(home.path().join("state/audit")).arg("--denials");
    let rows = String::from_utf8(reader.run().stdout).unwrap();
    assert!(rows.contains("\tsuppressed\t") && rows.contains("\tInvalidArgument="), "{rows}");
}
