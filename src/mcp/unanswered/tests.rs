//! The bounds, through the transport that keeps them: no server takes part.

use std::io;
use std::pin::Pin;

use rmcp::ErrorData;
use rmcp::model::{ClientJsonRpcMessage, NumberOrString, ServerJsonRpcMessage};
use rmcp::transport::Transport as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, duplex};
use tokio_util::sync::CancellationToken;

use super::super::line::LONGEST;
use super::super::stdio::{Guarded, Pump, guard};
use super::*;
use crate::clock::Clock;
use crate::scrub::Scrubber;

/// The two sides of a transport.
struct Sides {
    guarded: Guarded<DuplexStream>,
    write: DuplexStream,
    read: BufReader<DuplexStream>,
    _pump: Pump,
}

impl Sides {
    /// With `initialize` as request 0, which has no answer yet.
    async fn start() -> Self {
        let ((write, input), (output, read)) = (duplex(4 * LONGEST), duplex(1024));
        let scrubber = Scrubber::new(Clock::system());
        let (guarded, _, pump) = guard(input, output, scrubber, |_| {}, CancellationToken::new());
        let mut sides = Self { guarded, write, read: BufReader::new(read), _pump: pump };
        let client = json!({ "name": "test", "version": "1" });
        let version = json!("2025-11-25");
        let params =
            json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client });
        sides.request(0, "initialize", &params).await.unwrap();
        sides
    }

    /// Writes a message, and gives what the server gets of it, or the text of the refusal.
    async fn write(&mut self, message: &Value) -> Result<ClientJsonRpcMessage, String> {
        self.write.write_all(format!("{message}\n").as_bytes()).await.unwrap();
        let mut line = String::new();
        tokio::select! {
            message = self.guarded.receive() => Ok(message.unwrap()),
            read = self.read.read_line(&mut line) => {
                read.unwrap();
                let refused: Value = serde_json::from_str(&line).unwrap();
                assert_eq!((&refused["id"], &refused["error"]["code"]), (&message["id"], &json!(-32600)));
                Err(refused["error"]["message"].as_str().unwrap().to_owned())
            }
        }
    }

    async fn request(
        &mut self,
        id: usize,
        method: &str,
        params: &Value,
    ) -> Result<ClientJsonRpcMessage, String> {
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.write(&message).await
    }

    async fn ping(&mut self, id: usize) -> Result<ClientJsonRpcMessage, String> {
        self.request(id, "ping", &json!({})).await
    }

    /// A reply on its way. It comes into the queue when it is polled.
    fn reply(&mut self, id: i64) -> Pin<Box<dyn Future<Output = io::Result<()>>>> {
        let error = ErrorData::internal_error("", None);
        let reply = ServerJsonRpcMessage::error(error, Some(NumberOrString::Number(id)));
        Box::pin(self.guarded.send(reply))
    }

    async fn read(&mut self) -> Value {
        let mut line = String::new();
        self.read.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

#[tokio::test]
async fn requests_without_an_answer_are_bounded_whatever_their_method() {
    let mut sides = Sides::start().await;
    for id in 1..MAX_REQUESTS {
        sides.ping(id).await.unwrap();
    }
    // A reply that waits for a client to read makes no room yet.
    let reply = sides.reply(1);
    for method in ["ping", "tools/list", "no/such"] {
        let refused = sides.request(MAX_REQUESTS, method, &json!({})).await.unwrap_err();
        assert!(refused.contains("2,048 requests have no answer yet"), "{refused}");
    }
    reply.await.unwrap();
    assert_eq!(sides.read().await["id"], 1);
    let working = sides.ping(MAX_REQUESTS).await.unwrap();
    // Nor does one that was cancelled, while the server works on it still.
    let params = json!({ "requestId": MAX_REQUESTS });
    let method = "notifications/cancelled";
    sides.write(&json!({ "jsonrpc": "2.0", "method": method, "params": params })).await.unwrap();
    sides.ping(MAX_REQUESTS + 1).await.unwrap_err();
    drop(working);
    sides.ping(MAX_REQUESTS + 2).await.unwrap();
}

#[tokio::test]
async fn requests_without_an_answer_weigh_no_more_than_they_may() {
    // A long text, and many values: sixteen of them weigh too much.
    let most = 15;
    for content in [json!("x".repeat(1_048_400)), json!(vec![[(); 0]; 8_300])] {
        let mut sides = Sides::start().await;
        let params = json!({ "_meta": { "a": content } });
        for id in 1..=most {
            sides.request(id, "ping", &params).await.unwrap();
        }
        let refused = sides.request(most + 1, "ping", &params).await.unwrap_err();
        assert!(refused.contains("16 MiB"), "{refused}");
        sides.ping(most + 1).await.unwrap();
        sides.reply(1).await.unwrap();
        sides.read().await;
        sides.request(most + 2, "ping", &params).await.unwrap();
    }
}
