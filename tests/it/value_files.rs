//! Values from files: what is hardly meant is refused or told, and no more is told than that.

use std::fs;

use serde_json::json;

use crate::harness::{Server, ServerOptions};

#[test]
fn a_file_is_told_by_its_form_only() {
    let mut server = Server::start(ServerOptions::embedded());
    let folder = server.state().join("values");
    let mut create = |name: &str, content: &[u8]| {
        fs::write(folder.join(name), content).unwrap();
        let source = json!({ "File": name });
        let envelope = server.call(
            "CreateSecret",
            json!({ "SecretName": name, "VersionId": "v1", "SecretDataSource": source }),
        );
        assert!(!envelope.to_string().contains("canary"), "{envelope}");
        envelope
    };
    for (name, content, says) in [
        ("bom", &b"\xef\xbb\xbfcanary-value"[..], "byte-order mark"),
        ("utf-16", b"c\0a\0n\0a\0r\0y\0", "NUL"),
        ("nul", b"canary\0value", "NUL"),
        ("blank", b" \t\r\n", "white space"),
        ("empty", b"", "not empty"),
        ("latin-1", b"canary-\xe4", "UTF-8"),
    ] {
        let envelope = create(name, content);
        assert_eq!(envelope["Error"]["Code"], "InvalidArgument", "{name}: {envelope}");
        assert!(envelope["Error"]["Message"].as_str().unwrap().contains(says), "{envelope}");
    }
    for (name, content, is_told) in [
        ("plain", &b"canary-value"[..], false),
        ("space", b"canary-value ", false),
        ("inside", b"canary\nvalue", false),
        ("lf", b"canary-value\n", true),
        ("crlf", b"canary-value\r\n", true),
    ] {
        let envelope = create(name, content);
        assert_eq!(envelope["Outcome"], "created", "{name}: {envelope}");
        let notes = envelope["Notes"].to_string();
        assert_eq!(notes.contains("ends with a line break"), is_told, "{name}: {envelope}");
    }
}

#[test]
fn nothing_is_told_where_the_policy_says_no() {
    let home = tempfile::tempdir().unwrap();
    let policy = home.path().join("policy.toml");
    let rule = "version = 1\nextends = \"default\"\n[[rule]]\nid = \"no\"\naction = [\"CreateSecret\"]\nsecret = [\"no/*\"]\ndeny = true\nreason = \"r\"\n";
    fs::write(&policy, rule).unwrap();
    let options = ServerOptions::embedded().arg("--policy").arg(policy.to_str().unwrap());
    let mut server = Server::start(options);
    fs::write(server.state().join("values/lf"), "canary-value\n").unwrap();
    let envelope = server.call(
        "CreateSecret",
        json!({ "SecretName": "no/db", "VersionId": "v1", "SecretDataSource": { "File": "lf" } }),
    );
    assert_eq!(envelope["Error"]["Code"], "DeniedByPolicy", "{envelope}");
    assert!(!envelope.to_string().contains("line break"), "{envelope}");
}
