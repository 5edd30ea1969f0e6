//! Why nothing could be sent: the true cause, once, and nothing of the request.

use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection};
use serde_json::{Value, json};

use crate::first_run::list;
use crate::harness::{Emulator, Server, ServerOptions};

/// A listener with a certificate of its own; counts the handshakes.
fn self_signed() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let certificate = CertificateDer::from(include_bytes!("../cases/tls/self-signed.der").to_vec());
    let key = PrivatePkcs8KeyDer::from(include_bytes!("../cases/tls/key.der").to_vec());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::from(key))
        .unwrap();
    let config = Arc::new(config);
    let handshakes = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&handshakes);
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            count.fetch_add(1, Ordering::SeqCst);
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            while connection.is_handshaking() && connection.complete_io(&mut client).is_ok() {}
        }
    });
    (port, handshakes)
}

fn text<'a>(envelope: &'a Value, member: &str) -> &'a str {
    envelope["Error"][member].as_str().unwrap()
}

#[test]
fn a_certificate_that_is_not_trusted_is_named_and_not_tried_again() {
    let (port, handshakes) = self_signed();
    let emulator = Emulator::start();
    let mut options = ServerOptions::with_emulator(&emulator)
        .config(&format!("network.endpoints = ['https://127.0.0.1:{port}']\n"));
    options.loopback = false;
    options.arguments[1] = format!("https://127.0.0.1:{port}");
    let mut server = Server::start(options);
    let envelope = list(&mut server);
    assert_eq!(envelope["Error"]["Code"], "NotConnected", "{envelope}");
    let message = text(&envelope, "Message");
    let expected = format!("the certificate of `127.0.0.1:{port}` is not trusted: unknown issuer");
    assert_eq!(message, expected);
    assert!(text(&envelope, "Next").contains("Calling again does not help"), "{envelope}");
    assert_eq!(handshakes.load(Ordering::SeqCst), 1);
}

#[test]
fn a_refused_connection_is_one() {
    let emulator = Emulator::start();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = ServerOptions::with_emulator(&emulator)
        .env("HTTPS_PROXY", "http://x.test")
        .at(&format!("http://127.0.0.1:{port}"));
    let envelope = list(&mut Server::start(options));
    assert_eq!(text(&envelope, "Message"), format!("`127.0.0.1:{port}` refused the connection"));
    assert!(text(&envelope, "Next").contains("this machine"), "{envelope}");
}

#[test]
#[expect(clippy::print_stderr, reason = "says that it was skipped")]
fn a_sandbox_without_network_is_told_as_what_it_is() {
    if !Command::new("unshare").args(["-n", "true"]).status().unwrap().success() {
        eprintln!("skipped: a network of its own needs root");
        return;
    }
    let alone = |options: ServerOptions| {
        let options = options.through(&["/usr/bin/unshare", "-n"]);
        let envelope = list(&mut Server::start(options));
        assert_eq!(envelope["Error"]["Code"], "NotConnected", "{envelope}");
        (text(&envelope, "Message").to_owned(), text(&envelope, "Next").to_owned())
    };
    let (message, next) = alone(ServerOptions::embedded());
    assert!(message.starts_with("there is no network route to `127.0.0.1:"), "{message}");
    assert!(next.contains("without the loopback network"), "{next}");
    let mut options = ServerOptions::embedded()
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", "canary-id")
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "canary-secret");
    options.arguments = vec!["--region".into(), "cn-hangzhou".into()];
    options = options.env("https_proxy", "http://canary-user@proxy.test");
    let (message, next) = alone(options);
    assert!(message.starts_with("the name `kms.cn-hangzhou.aliyuncs.com` could not"), "{message}");
    assert!(message.contains("`https_proxy` names a proxy, but kms-mcp uses none"), "{message}");
    assert!(next.contains("no proxy by design"), "{next}");
    assert!(!(message + &next).contains("canary"));
}

#[test]
fn more_than_a_request_can_hold_is_not_sent() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    // Each of these characters takes nine bytes of a query.
    let arguments = json!({ "SecretName": "app/db", "VersionId": "v1",
        "SecretData": "hunter2-hunter2", "Description": "说".repeat(8192) });
    let envelope = server.call("CreateSecret", arguments);
    assert_eq!(envelope["Error"]["Code"], "NotSent", "{envelope}");
    assert_eq!(envelope["Error"]["Changed"], "no");
    assert!(text(&envelope, "Message").contains("longer than a request"), "{envelope}");
    assert_eq!(emulator.count("CreateSecret"), 0);
}

/// A server whose calls have two seconds, and one for each attempt.
fn hasty(emulator: &Emulator) -> Server {
    let options = ServerOptions::with_emulator(emulator)
        .env("ALIBABA_CLOUD_CONNECT_TIMEOUT", "1")
        .env("ALIBABA_CLOUD_READ_TIMEOUT", "1");
    Server::start(options)
}

#[test]
fn all_attempts_share_one_deadline() {
    let emulator = Emulator::start();
    emulator.faults("[[rule]]\neffect = 'hang'\n");
    let envelope = list(&mut hasty(&emulator));
    assert_eq!(envelope["Error"]["Code"], "NoAnswer", "{envelope}");
    // Each attempt takes the second of its read timeout; the third would begin after both seconds.
    assert!(emulator.count("ListSecrets") < 3);
}

/// Each of the two readings before the question would end in time with a deadline of its own.
#[test]
fn all_steps_share_it_too() {
    let emulator = Emulator::start();
    let mut server = hasty(&emulator);
    server.create("app/db", "hunter2-hunter2");
    emulator.faults(
        "[[rule]]\naction = 'DescribeSecret'\ntimes = 1\neffect = 'hang'\n[[rule]]\naction = 'ListSecretVersionIds'\ntimes = 1\neffect = 'hang'\n",
    );
    let read = json!({ "SecretName": "app/db", "Destination": "agent" });
    let answer = server.call("GetSecretValue", read);
    assert_eq!(answer["Error"]["Code"], "NoAnswer", "{answer}");
    assert_eq!(answer["Error"]["Changed"], "no", "{answer}");
}

/// With the time that is left, nobody would likely learn what became of the write.
#[test]
fn a_write_is_not_begun_with_little_time_left() {
    let emulator = Emulator::start();
    let mut server = hasty(&emulator);
    server.create("app/db", "hunter2-hunter2");
    emulator.faults("[[rule]]\naction = 'ListSecretVersionIds'\ntimes = 1\neffect = 'hang'\n");
    let put = json!({ "SecretName": "app/db", "VersionId": "v2", "SecretData": "hunter3-hunter3" });
    let answer = server.call("PutSecretValue", put);
    assert_eq!(answer["Error"]["Code"], "NotSent", "{answer}");
    assert_eq!(answer["Error"]["Changed"], "no", "{answer}");
    assert_eq!(emulator.count("PutSecretValue"), 0);
}
