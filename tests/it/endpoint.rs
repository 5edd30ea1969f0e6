//! Where calls go: a host that is no KMS receives values, so only `config.toml` allows one.

use serde_json::json;
use tempfile::TempDir;

use crate::harness::{Emulator, Server, ServerOptions};

/// To the emulator, by a flag, which nothing allows yet.
fn by_flag(emulator: &Emulator) -> ServerOptions {
    ServerOptions { loopback: false, ..ServerOptions::with_emulator(emulator) }.signed()
}

/// The same by the variable.
fn by_variable(emulator: &Emulator) -> ServerOptions {
    let mut options = by_flag(emulator);
    options.arguments.retain(|argument| *argument != "--endpoint" && *argument != emulator.url);
    options.env("KMS_MCP_ENDPOINT", &emulator.url)
}

#[test]
fn only_a_listed_host_is_called() {
    let emulator = Emulator::start();
    let home = TempDir::new().unwrap();
    let port = emulator.url.rsplit_once(':').unwrap().1;
    let others = ["http://127.0.0.1:1", &format!("http://localhost:{port}")]
        .map(|other| format!("[network]\nendpoints = [{other:?}]\n"));
    for signature in ["acs3", "rpc1"] {
        for named in [by_flag, by_variable] {
            for config in ["", &others[0], &others[1]] {
                let options = named(&emulator).arg("--signature").arg(signature).config(config);
                let (status, stderr) = Server::spawn_in(home.path(), options).finish();
                assert!(!status.success(), "{signature} {config}");
                let line = format!("endpoints = [{:?}]", emulator.url);
                assert!(stderr.contains(&line) && stderr.contains("config.toml"), "{stderr}");
            }
            let config = format!("[network]\nendpoints = [{:?}]\n", emulator.url);
            let options = named(&emulator).arg("--signature").arg(signature).config(&config);
            let mut server = Server::start_in(home.path(), options);
            assert_eq!(server.call("ListSecrets", json!({}))["Status"], "ok");
        }
    }
    assert_eq!(emulator.count("ListSecrets"), 4);
}

#[test]
fn what_config_toml_loosens_is_in_the_start_record() {
    let loosened = |config: &str| {
        let options = ServerOptions::embedded().signed().config(config);
        Server::start(options).audited(|record| record["event"] == "start")["loosened"].clone()
    };
    assert!(loosened("wait_seconds = 1\n").is_null());
    assert!(loosened("approval.require_factor = true\n").is_null());
    assert_eq!(
        loosened("approval.require_factor = false\nnetwork.endpoints = ['http://[::1]:*']\n"),
        "approval.require_factor = false; network.endpoints = [\"http://[::1]:*\"]"
    );
}

#[test]
fn certificates_of_a_variable_are_in_the_start_record() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, CERTIFICATE).unwrap();
    for (name, value) in [("SSL_CERT_FILE", &*file), ("SSL_CERT_DIR", folder.path())] {
        let options = ServerOptions { arguments: Vec::new(), ..ServerOptions::embedded().signed() };
        let options = options.env(name, value.to_str().unwrap());
        let server = Server::start(options.arg("--region").arg("cn-hangzhou"));
        let start = server.audited(|record| record["event"] == "start");
        assert_eq!(start["loosened"], format!("certificates of {name}"));
        let (_, stderr) = server.finish();
        let says = format!("{name} replaces the certificates that the system trusts");
        assert!(stderr.contains(&says), "{stderr}");
    }
}

/// Of a key that nobody has any more.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIBbzCCARWgAwIBAgIUeoNKKHVML7jpiN4OazmrTTjQBeYwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBeDAgFw0yNjExMjYyMjUwMDdaGA8yMTI2MTEwMjIyNTAwN1ow
DDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKATKnwAbC1+
di0T73O7tLRm7zfEUTyFzKCZnyKUhQw2HGAonVYu+nWx3kAj+CcaPYN4ADhr+Ewu
fdsY2v6ARmmjUzBRMB0GA1UdDgQWBBQTeBRMqSDmMbDjaaylJHGLudD/aTAfBgNV
HSMEGDAWgBQTeBRMqSDmMbDjaaylJHGLudD/aTAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0gAMEUCID0Lwr3nWCXLeeaFz1WwboGO+lcOvcSeed1qb4gt+g+o
AiEAtMDt1oVPVhPuI1MKviFTTXHRyfXC4NuK0J/thLS4+W0=
-----END CERTIFICATE-----
";

#[test]
fn a_list_of_endpoints_that_is_none_stops_the_server() {
    let home = TempDir::new().unwrap();
    for entry in ["*", "http://*", "http://192.0.2.1:80", "https://kms.example:*", "ftp://x"] {
        let config = format!("network.endpoints = [{entry:?}]\n");
        let options = ServerOptions::embedded().config(&config);
        let (status, stderr) = Server::spawn_in(home.path(), options).finish();
        assert!(!status.success() && stderr.contains("network.endpoints"), "{entry}: {stderr}");
    }
}

#[test]
fn the_emulator_says_which_line_allows_it() {
    let emulator = Emulator::start();
    let said = emulator.said();
    assert!(said.contains(&format!("endpoints = [{:?}]", emulator.url)), "{said}");
    assert!(said.contains("[network]"), "{said}");
}
