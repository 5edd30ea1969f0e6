//! `docs/hostile.toml`, as docs/leak-proof.md says: a KMS that means harm, for anyone to repeat.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Canaries, Emulator, Question, Server, ServerOptions};

const VALUE: &str = "Zk7-quiet-lantern-41";

#[test]
fn the_hostile_kms_of_the_documents_gets_nothing_out() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/hostile.toml");
    let script = fs::read_to_string(file).unwrap();
    let emulator = Emulator::start();
    let options = ServerOptions::with_emulator(&emulator)
        .env("ALIBABA_CLOUD_READ_TIMEOUT", "1")
        .env("RUST_LOG", "trace");
    let mut server = Server::start(options);
    server.create("app/db", VALUE);
    emulator.faults(&script);
    let secret = |n: u32| json!({ "SecretName": format!("app/{n}"), "VersionId": "v1", "SecretData": VALUE });
    let db = json!({ "SecretName": "app/db" });
    let mut calls: Vec<(&str, Value)> = (0..4).map(|n| ("CreateSecret", secret(n))).collect();
    calls.extend([
        ("CreateKey", json!({})),
        ("DescribeSecret", db.clone()),
        ("DescribeSecret", db.clone()),
        ("ListSecrets", json!({})),
        ("ListKeys", json!({})),
    ]);
    for (tool, arguments) in calls {
        let answer = server.call(tool, arguments);
        assert_ne!(answer["Status"], "confirmation_required", "{answer}");
    }
    for _ in 0..2 {
        let masked = Question::ask(&mut server, "GetSecretValue", db.clone());
        masked.redeem(&mut server);
    }
    // Every rule was used: each happened to a request.
    let made: Vec<Value> = emulator.requests().iter().map(|one| one["fault"].clone()).collect();
    for name in [
        "echo",
        "raw",
        "redirect",
        "cut_after",
        "error",
        "override",
        "body_bytes",
        "lie_version",
        "hang",
    ] {
        assert!(made.iter().any(|fault| fault == name), "{name} of {made:?}");
    }
    let (transcript, state) = (server.transcript.clone(), server.state());
    let home = server.home().to_owned();
    let keep = tempfile::tempdir_in(home.parent().unwrap()).unwrap();
    for file in fs::read_dir(state.join("audit")).unwrap() {
        let path = file.unwrap().path();
        fs::copy(&path, keep.path().join(path.file_name().unwrap())).unwrap();
    }
    let (_, stderr) = server.finish();
    let canaries = Canaries::new(&[
        ("the value", VALUE),
        ("the AccessKey secret", &emulator.access_key_secret),
        ("the value of the lie", "nested-and-hidden-value"),
    ]);
    canaries.assert_absent("stdout", transcript.as_bytes());
    canaries.assert_absent("stderr", stderr.as_bytes());
    for file in fs::read_dir(keep.path()).unwrap() {
        let path = file.unwrap().path();
        canaries.assert_absent("the audit log", &fs::read(path).unwrap());
    }
}
