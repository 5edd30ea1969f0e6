//! What a call used up, a yes and a place under a limit, it gets back if nothing of it was sent.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::harness::{Emulator, Question, Server, ServerOptions};

/// What is in the way to an emulator: one request a connection, and no connection at all once the
/// last one was let through.
struct Door {
    address: String,
    upstream: String,
    last: Arc<AtomicBool>,
    keeper: JoinHandle<()>,
}

impl Door {
    fn before(emulator: &Emulator) -> Self {
        let upstream = emulator.url.strip_prefix("http://").unwrap().to_owned();
        Self::open("127.0.0.1:0", upstream)
    }

    fn open(address: &str, upstream: String) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let last = Arc::new(AtomicBool::new(false));
        let (to, is_last) = (upstream.clone(), Arc::clone(&last));
        let keeper = std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                if is_last.load(Ordering::SeqCst) {
                    drop(listener);
                    return pass(client, &to);
                }
                pass(client, &to);
            }
        });
        Self { address, upstream, last, keeper }
    }

    /// Lets one more request through, and then none.
    fn closes_after_the_next(&self) {
        self.last.store(true, Ordering::SeqCst);
    }

    /// Opens again once it is closed.
    fn opens(self) -> Self {
        self.keeper.join().unwrap();
        Self::open(&self.address, self.upstream)
    }
}

/// Passes one request on and one answer back, and says that the connection ends with it.
fn pass(mut client: TcpStream, upstream: &str) {
    let mut server = TcpStream::connect(upstream).unwrap();
    server.write_all(&message(&mut client)).unwrap();
    let answer = String::from_utf8(message(&mut server)).unwrap();
    let answer = answer.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    client.write_all(answer.as_bytes()).unwrap();
}

/// One HTTP message with a `content-length`.
fn message(stream: &mut TcpStream) -> Vec<u8> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 8 * 1024]);
    loop {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            if body.len() >= length.map_or(0, |length| length.trim().parse().unwrap()) {
                return bytes;
            }
        }
        let count = stream.read(&mut chunk).unwrap();
        assert!(count > 0, "a whole message");
        bytes.extend_from_slice(&chunk[..count]);
    }
}

fn behind(door: &Door, emulator: &Emulator) -> Server {
    let options = ServerOptions::with_emulator(emulator).at(&format!("http://{}", door.address));
    Server::start(options)
}

fn assert_not_sent(answer: &Value) {
    assert_eq!(answer["Error"]["Code"], "NotConnected", "{answer}");
    assert_eq!(answer["Error"]["Changed"], "no", "{answer}");
}

#[test]
fn a_yes_works_again_when_no_connection_was_made() {
    let emulator = Emulator::start();
    let door = Door::before(&emulator);
    let mut server = behind(&door, &emulator);
    server.create("app/db", "hunter2-hunter2");
    let arguments = json!({ "SecretName": "app/db", "VersionId": "v1", "Destination": "agent" });
    let question = Question::ask(&mut server, "GetSecretValue", arguments);
    question.approve(&server);
    // What was approved is read once more; the reading of the value then finds nobody.
    door.closes_after_the_next();
    let failed = question.redeem(&mut server);
    assert_not_sent(&failed);
    assert!(failed["Notes"].to_string().contains("was not used up"), "{failed}");
    let door = door.opens();
    let read = question.redeem(&mut server);
    assert_eq!(read["Result"]["SecretData"], "hunter2-hunter2", "{read}");
    // One yes is one sent call, whatever failed before it.
    let again = question.redeem(&mut server);
    assert_eq!(again["Error"]["Code"], "ConfirmationUsed", "{again}");
    assert_eq!(emulator.count("GetSecretValue"), 1);
    drop(door);
}

#[test]
fn calls_that_found_no_connection_count_for_no_limit() {
    let emulator = Emulator::start();
    let door = Door::before(&emulator);
    let mut server = behind(&door, &emulator);
    server.create("app/db", "hunter2-hunter2");
    door.closes_after_the_next();
    server.call("ListSecrets", json!({}));
    for _ in 0..7 {
        assert_not_sent(&server.call("CreateKey", json!({ "DKMSInstanceId": "kst-1" })));
    }
    let _door = door.opens();
    let keys = json!({});
    for n in 1..=5 {
        let made = server.call("CreateKey", keys.clone());
        assert_ne!(made["Status"], "confirmation_required", "{n}: {made}");
    }
    assert_eq!(server.call("CreateKey", keys)["Status"], "confirmation_required");
}
