//! The scrubber's work on a masked read and on a write from a file, counted in a whole server: it is
//! the same for every value.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, duplex, split};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::scrub::work::Work;

/// Speaks to a server in this very process.
struct Client<R, W> {
    read: BufReader<R>,
    write: W,
    scrubber: Scrubber,
    /// Of three digits, so that each line is as long as the others.
    id: u32,
}

impl<R: tokio::io::AsyncRead + Unpin, W: tokio::io::AsyncWrite + Unpin> Client<R, W> {
    async fn request(&mut self, method: &str, params: Value) -> Value {
        self.id += 1;
        let line = json!({ "jsonrpc": "2.0", "id": self.id, "method": method, "params": params });
        self.write.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        self.read.read_line(&mut answer).await.unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> (Value, Work) {
        let before = self.scrubber.work();
        let call = json!({ "name": tool, "arguments": arguments });
        let answer = self.request("tools/call", call).await;
        (answer["result"]["structuredContent"].clone(), self.scrubber.work().since(before))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_work_of_the_scrubber_is_the_same_for_every_value() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("state");
    let flags = Flags {
        backend: Some(Backend::Embedded),
        state: State { state_dir: Some(state.clone()) },
        ..Flags::default()
    };
    let env = Env::from_pairs([("HOME".into(), home.path().to_str().unwrap().into())]);
    let scrubber = Scrubber::new(Clock::system());
    let Serving { pipeline, patience, .. } = assemble(&flags, env, scrubber.clone()).await.unwrap();
    let (ours, theirs) = duplex(1 << 20);
    let (input, output) = split(theirs);
    let stopping = CancellationToken::new();
    let pipeline = Arc::new(pipeline);
    tokio::spawn(async move { mcp::serve(pipeline, patience, input, output, &stopping).await });
    let (read, write) = split(ours);
    let mut client = Client { read: BufReader::new(read), write, scrubber, id: 100 };
    let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": { "name": "test", "version": "1" } });
    client.request("initialize", hello).await;
    let mut works = Vec::new();
    for length in [1, 8, 64, 65, 30_720] {
        std::fs::write(state.join("values/v"), "x7".repeat(length / 2 + 1).get(..length).unwrap())
            .unwrap();
        let name = json!(format!("length/{length:05}"));
        let create =
            json!({ "SecretName": name, "VersionId": "v1", "SecretDataSource": { "File": "v" } });
        let (created, creating) = client.call("CreateSecret", create).await;
        assert_eq!(created["Outcome"], "created", "{created}");
        let (asked, _) = client.call("GetSecretValue", json!({ "SecretName": name })).await;
        let token = asked["Confirmation"]["Token"].clone();
        let again = json!({ "SecretName": name, "ConfirmationToken": token });
        let (masked, reading) = client.call("GetSecretValue", again).await;
        assert_eq!(masked["Result"]["SecretData"], "***", "{masked}");
        works.push((length, creating, reading));
    }
    let (_, creating, reading) = works[0];
    assert!(reading.needles > 0 && reading.bytes > 0 && reading.allocations > 0, "{reading:?}");
    let differing = works.iter().find(|it| (it.1, it.2) != (creating, reading));
    assert!(differing.is_none(), "{differing:#?} is not {:#?}", works[0]);
}
