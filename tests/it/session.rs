//! A session, in each protocol version.

use serde_json::json;

use crate::harness::{Emulator, Era, Server, ServerOptions};

#[test]
fn the_main_job_works_in_every_protocol_version() {
    for era in Era::ALL {
        let emulator = Emulator::start();
        let mut server = Server::start(ServerOptions::with_emulator(&emulator).era(era));
        let created = server.call(
            "CreateSecret",
            json!({ "SecretName": "app/db", "VersionId": "v1", "SecretData": "hunter2-hunter2" }),
        );
        assert_eq!(created["Outcome"], "created", "{era:?}");
        let value = server.call_approved(
            "GetSecretValue",
            json!({ "SecretName": "app/db", "Destination": "agent" }),
            "y",
        );
        assert_eq!(value["Result"]["SecretData"], "hunter2-hunter2", "{era:?} {value}");
        let gone = server.call_approved(
            "DeleteSecret",
            json!({ "SecretName": "app/db", "ForceDeleteWithoutRecovery": true }),
            "app/db",
        );
        assert_eq!(gone["Outcome"], "deleted", "{era:?} {gone}");
        let (status, stderr) = server.finish();
        assert!(status.success(), "{stderr}");
    }
}

#[test]
fn a_client_of_an_older_version_is_answered_one_that_is_spoken() {
    for (offered, answered) in [
        ("2024-11-05", "2025-06-18"),
        ("2025-03-26", "2025-06-18"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
    ] {
        let home = tempfile::TempDir::new().unwrap();
        let mut server = Server::spawn_in(home.path(), ServerOptions::embedded());
        let opening = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": offered, "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" } } });
        server.send_raw(format!("{opening}\n").as_bytes());
        let answer = server.receive();
        assert_eq!(answer["result"]["protocolVersion"], answered, "{offered}");
    }
}

#[test]
fn every_list_is_answered_and_has_one_page() {
    for era in Era::ALL {
        let mut server = Server::start(ServerOptions::embedded().era(era));
        for (method, member) in [
            ("tools/list", "tools"),
            ("prompts/list", "prompts"),
            ("resources/list", "resources"),
            ("resources/templates/list", "resourceTemplates"),
        ] {
            for none in [json!({}), json!({ "cursor": "" }), json!({ "cursor": null })] {
                let answer = server.request(method, none);
                let items = answer["result"][member].as_array();
                let items = items.unwrap_or_else(|| panic!("{era:?} {method}: {answer}"));
                assert_eq!(items.is_empty(), method != "tools/list", "{era:?} {method}");
            }
            for stray in [json!("2"), json!("AAAA"), json!(7)] {
                let answer = server.request(method, json!({ "cursor": stray }));
                assert_eq!(answer["error"]["code"], -32602, "{era:?} {method} {stray}: {answer}");
            }
        }
    }
}
