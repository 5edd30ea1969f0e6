//! A value into a file: approved by a person, readable by its owner, never in the conversation.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::harness::{Emulator, Server, ServerOptions};

const VALUE: &str = "correct-horse-battery";

#[test]
fn an_approved_value_goes_into_a_file_and_not_into_the_conversation() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    std::fs::write(server.state().join("values/v"), VALUE).unwrap();
    let create =
        json!({ "SecretName": "app/db", "VersionId": "v1", "SecretDataSource": { "File": "v" } });
    assert_eq!(server.call("CreateSecret", create)["Outcome"], "created");
    let read = json!({ "SecretName": "app/db", "Destination": "file", "FileName": "db.txt" });
    let answer = server.call_approved("GetSecretValue", read.clone(), "y");
    assert_eq!(answer["Result"]["SecretData"], "***", "{answer}");
    let path = server.state().join("disclosed/db.txt");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), VALUE);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!server.transcript.contains(VALUE));

    // A file that is there is never overwritten, and no value is fetched for it.
    let before = emulator.count("GetSecretValue");
    let again = server.call("GetSecretValue", read);
    assert_eq!(again["Error"]["Code"], "InvalidArgument", "{again}");
    assert_eq!(emulator.count("GetSecretValue"), before);
}

#[test]
fn the_approval_is_for_that_file() {
    let mut server = Server::start(ServerOptions::embedded());
    let create = json!({ "SecretName": "app/db", "VersionId": "v1", "SecretData": VALUE });
    assert_eq!(server.call("CreateSecret", create)["Outcome"], "created");
    let read =
        |name: &str| json!({ "SecretName": "app/db", "Destination": "file", "FileName": name });
    let asked = server.call("GetSecretValue", read("a.txt"));
    let code = asked["Confirmation"]["MatchCode"].as_str().unwrap();
    crate::harness::Pty::approve(server.home(), &[code], &["y"]);
    let mut other = read("b.txt");
    other["ConfirmationToken"] = asked["Confirmation"]["Token"].clone();
    assert_eq!(server.call("GetSecretValue", other)["Error"]["Code"], "ConfirmationMismatch");
    assert_eq!(std::fs::read_dir(server.state().join("disclosed")).unwrap().count(), 0);
    for name in ["../x", "/etc/x", ".x", "a/b", ""] {
        assert_eq!(
            server.call("GetSecretValue", read(name))["Error"]["Code"],
            "InvalidArgument",
            "{name}"
        );
    }
}
