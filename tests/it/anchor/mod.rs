//! What root put into `/etc/kms-mcp` counts, whatever the user and an agent of the user write.

mod approver;
mod recipe;
mod settings;

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::harness::{Namespace, Server, ServerOptions};

/// The user of the server and of the agent: `nobody` of Debian.
const USER: u32 = 65534;

/// What a server that does not start says.
fn refused(home: &Path, options: ServerOptions) -> String {
    let (status, stderr) = Server::spawn_in(home, options).finish();
    assert!(!status.success(), "it started: {stderr}");
    stderr
}

/// Runs `kms-mcp WORDS` as the user, in the home of a server.
fn run(namespace: &Namespace, home: &Path, words: &str, stdin: &str) -> Output {
    namespace.shell(USER, home, &format!("exec kms-mcp {words}"), stdin)
}

/// All that it said.
fn said(output: &Output) -> String {
    String::from_utf8([&output.stdout[..], &output.stderr].concat()).unwrap()
}

/// The first record of the newest log.
fn start_record(server: &Server) -> Value {
    // Other commands begin a chain too, in the same second perhaps; only a server names a policy.
    let of_server =
        |record: &Value| record["event"] == "start" && record["policy_digest"].is_string();
    server.audit().into_iter().rfind(of_server).unwrap()
}

/// Gives a file to a user.
fn give(path: &Path, uid: u32) {
    std::os::unix::fs::chown(path, Some(uid), Some(uid)).unwrap();
}

/// Sets a mode.
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
