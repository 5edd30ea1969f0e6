//! One change of a secret at a time, in all processes of a state folder.

use serde_json::json;

use crate::harness::{Emulator, Gate, Server, ServerOptions};

/// How many calls work at the same time, as ARCHITECTURE.md says.
const AT_WORK: usize = 64;
const VALUE: &str = "hunter2-hunter2";

/// A put was judged by the versions that it listed: no stage may move before it is made.
#[test]
fn nothing_changes_a_secret_between_the_listing_and_the_new_version() {
    let changes = [
        (
            "UpdateSecretVersionStage",
            json!({ "SecretName": "app/db", "VersionStage": "kept", "MoveToVersion": "v1" }),
        ),
        ("UpdateSecret", json!({ "SecretName": "app/db", "Description": "d" })),
        ("DeleteSecret", json!({ "SecretName": "app/db" })),
        ("RotateSecret", json!({ "SecretName": "app/db", "VersionId": "v3" })),
    ];
    for (tool, arguments) in changes {
        let emulator = Emulator::start();
        let gate = Gate::before(&emulator, "ListSecretVersionIds");
        let home = tempfile::tempdir().unwrap();
        let mut first =
            Server::start_in(home.path(), ServerOptions::with_emulator(&emulator).at(&gate.url));
        let mut second = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
        second.create("app/db", VALUE);
        let put = json!({ "SecretName": "app/db", "VersionId": "v2", "SecretData": "x" });
        first.send("tools/call", json!({ "name": "PutSecretValue", "arguments": put }));
        gate.wait();
        second.send("tools/call", json!({ "name": tool, "arguments": arguments }));
        // It has all the time that these take; they need no lock.
        for _ in 0..20 {
            second.request(
                "tools/call",
                json!({ "name": "DescribeSecret", "arguments": { "SecretName": "app/db" } }),
            );
        }
        gate.open();
        let put = first.receive()["result"]["structuredContent"].clone();
        assert_eq!(put["Status"], "ok", "{tool}: {put}");
        let requests = emulator.requests();
        let at = |action: &str| requests.iter().position(|one| one["action"] == action);
        let (put, change) = (at("PutSecretValue").unwrap(), at(tool));
        assert!(change.is_none_or(|change| put < change), "{tool} came before the put");
    }
}

/// Nor do they take anything of which a process has few.
#[test]
fn calls_that_wait_for_a_secret_hold_up_no_others() {
    let emulator = Emulator::start();
    let gate = Gate::before(&emulator, "ListSecretVersionIds");
    let few_files = ["sh", "-c", "ulimit -n 256; exec \"$@\"", "sh"];
    let mut server =
        Server::start(ServerOptions::with_emulator(&emulator).at(&gate.url).through(&few_files));
    server.create("app/db", VALUE);
    server.create("app/other", VALUE);
    for number in 0..AT_WORK * 8 {
        let put =
            json!({ "SecretName": "app/db", "VersionId": format!("n{number}"), "SecretData": "x" });
        server.send("tools/call", json!({ "name": "PutSecretValue", "arguments": put }));
    }
    gate.wait();
    let update = json!({ "SecretName": "app/other", "Description": "d" });
    for (tool, arguments) in [("ListSecrets", json!({})), ("UpdateSecret", update)] {
        let call = server.send("tools/call", json!({ "name": tool, "arguments": arguments }));
        // None of the puts can be answered before the first one has its listing.
        let answer = server.receive();
        assert_eq!(answer["id"], json!(call), "{answer}");
        assert_eq!(answer["result"]["structuredContent"]["Status"], "ok", "{answer}");
    }
}
