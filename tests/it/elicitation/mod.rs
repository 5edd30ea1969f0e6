//! Clients that can ask, of every kind, in both protocol eras. What they say is never a person's.
//!
//! `client` a client, scripted · `kinds` one test a kind · `consent` level `client` · `page` the way
//! to the approval page · `progress` while a call waits · `cancel` a call that is given up

mod cancel;
mod client;
mod consent;
mod kinds;
mod page;
mod progress;

use serde_json::{Value, json};

use crate::harness::{Era, Server, ServerOptions};

const VALUE: &str = "hunter2-hunter2";

/// Writing a version wants a consent through the client; reading into the conversation a person.
const POLICY: &str = r#"
version = 1
extends = "default"
[[rule]]
id = "consent"
action = ["PutSecretValue"]
confirm = "client"
reason = "A new version takes effect at once."
examples = [{ secret = "app/db", expect = "client" }]
"#;

/// With that policy and `config`, for a client that declares `elicitation`; `app/db` is there.
fn server_with(options: ServerOptions, elicitation: &Value, config: &str) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    std::fs::write(&policy, POLICY).unwrap();
    let config = format!("policy = {:?}\n{config}", policy.display().to_string());
    let capabilities =
        if elicitation.is_null() { json!({}) } else { json!({ "elicitation": elicitation }) };
    // The policy is read once, when the server starts.
    let mut server = Server::start(options.config(&config).capabilities(capabilities));
    server.create("app/db", VALUE);
    server
}

/// On the embedded KMS, where nobody waits long.
fn server(era: Era, elicitation: &Value) -> Server {
    server_with(ServerOptions::embedded().era(era), elicitation, "wait_seconds = 0\n")
}

/// Wants a consent of the client.
fn put() -> Value {
    json!({ "SecretName": "app/db", "VersionId": "v2", "SecretData": "hunter3-hunter3" })
}

/// Wants a person.
fn read() -> Value {
    json!({ "SecretName": "app/db", "Destination": "agent" })
}
