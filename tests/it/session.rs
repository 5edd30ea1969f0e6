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
