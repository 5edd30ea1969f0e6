//! A server of rmcp behind the guard, over pipes in memory.

use std::sync::atomic::{AtomicUsize, Ordering};

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, NumberOrString,
    ProgressNotificationParam, ProgressToken, ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, ServerHandler, ServiceExt as _};
use serde_json::json;
use tokio::io::{
    AsyncBufReadExt as _, BufReader, DuplexStream, ReadHalf, WriteHalf, duplex, split,
};
use tokio::sync::Notify;

use super::super::line::LONGEST;
use super::*;
use crate::clock::Clock;
use crate::scrub::REMOVED;

const CREDENTIAL: &str = "LTAI5tExampleExample";

/// Answers a call with its own name, or waits, or tells a secret, or of the progress of call `p`.
struct Echo {
    exemptions: Exemptions,
    waits: Arc<Notify>,
}

impl ServerHandler for Echo {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = request.name.to_string();
        let text = match name.as_str() {
            "wait" => {
                self.waits.notified().await;
                name
            }
            "progress" => {
                let token = ProgressToken(NumberOrString::String("p".into()));
                let progress = ProgressNotificationParam::new(token, 1.0);
                context.peer.notify_progress(progress).await.unwrap();
                name
            }
            "leak" => format!("the key is {CREDENTIAL}."),
            "disclose" => {
                self.exemptions.exempt(context.id, "/result/content/0/text", CREDENTIAL);
                CREDENTIAL.to_owned()
            }
            "disclose another" => {
                self.exemptions.exempt(context.id, "/result/content/0/text", "another value");
                CREDENTIAL.to_owned()
            }
            _ => name,
        };
        Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into())
    }
}

/// The client's side of a running server.
struct Client {
    write: Option<WriteHalf<DuplexStream>>,
    read: BufReader<ReadHalf<DuplexStream>>,
    waits: Arc<Notify>,
    blocked: Arc<AtomicUsize>,
    server: JoinHandle<io::Result<()>>,
}

impl Client {
    fn start() -> Self {
        let (ours, theirs) = duplex(256);
        let (input, output) = split(theirs);
        let scrubber = Scrubber::new(Clock::system());
        scrubber.know(CREDENTIAL);
        let blocked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&blocked);
        let blocked_by = move |pointers: &[String]| {
            assert!(!pointers.concat().contains(CREDENTIAL));
            count.fetch_add(pointers.len(), Ordering::SeqCst);
        };
        let (guarded, exemptions, pump) =
            guard(input, output, scrubber, blocked_by, CancellationToken::new());
        let waits = Arc::new(Notify::new());
        let echo = Echo { exemptions, waits: Arc::clone(&waits) };
        let server = tokio::spawn(async move {
            if let Ok(running) = echo.serve(guarded).await {
                running.waiting().await.unwrap();
            }
            pump.finished().await
        });
        let (read, write) = split(ours);
        Self { write: Some(write), read: BufReader::new(read), waits, blocked, server }
    }

    async fn initialized() -> Self {
        let mut client = Self::start();
        client.write(&initialize(0)).await;
        assert_eq!(client.read().await["id"], 0);
        client
    }

    async fn write(&mut self, line: &str) {
        let write = self.write.as_mut().unwrap();
        write.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn read(&mut self) -> Value {
        let mut line = String::new();
        self.read.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Code and id of the next answer, 0 for a result.
    async fn answer(&mut self) -> (i64, Value) {
        let answer = self.read().await;
        (answer["error"]["code"].as_i64().unwrap_or_default(), answer["id"].clone())
    }

    /// Ends the input; what still comes, as soon as the server has ended.
    async fn end(mut self) -> Vec<Value> {
        let mut write = self.write.take().unwrap();
        write.shutdown().await.unwrap();
        let mut rest = Vec::new();
        let mut line = String::new();
        while self.read.read_line(&mut line).await.unwrap() > 0 {
            rest.push(serde_json::from_str(&line).unwrap());
            line.clear();
        }
        self.server.await.unwrap().unwrap();
        rest
    }
}

fn initialize(id: u32) -> String {
    request(
        id,
        "initialize",
        &json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        }),
    )
}

fn request(id: u32, method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

fn call(id: u32, tool: &str) -> String {
    request(id, "tools/call", &json!({ "name": tool }))
}

const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const RESPONSE: &str = r#"{"jsonrpc":"2.0","id":99,"result":{}}"#;
const ERROR: &str = r#"{"jsonrpc":"2.0","id":99,"error":{"code":1,"message":""}}"#;

#[tokio::test]
async fn bad_lines_are_answered_and_good_ones_reach_the_server() {
    let mut client = Client::initialized().await;
    let long = "x".repeat(3 * LONGEST);
    for (line, code, id) in [
        ("not json", -32700, json!(null)),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","id":1}"#, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}"#, -32602, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"no/such"}"#, -32601, json!(1)),
        (&long, -32600, json!(null)),
    ] {
        client.write(line).await;
        assert_eq!(client.answer().await, (code, id), "{line:.100}");
        // What rmcp drops or ignores does no harm.
        for line in ["", "  ", INITIALIZED, RESPONSE, ERROR, r#"{"jsonrpc":"2.0","method":"x"}"#] {
            client.write(line).await;
        }
        client.write(&call(2, "good")).await;
        let answer = client.read().await;
        assert_eq!(
            (&answer["id"], &answer["result"]["content"][0]["text"]),
            (&json!(2), &json!("good"))
        );
    }
    assert!(client.end().await.is_empty());
}

#[tokio::test]
async fn nothing_ends_a_session_that_has_not_begun() {
    let mut client = Client::start();
    for line in [INITIALIZED, RESPONSE, ERROR, "x"] {
        client.write(line).await;
    }
    assert_eq!(client.answer().await, (-32700, json!(null)));
    client.write(&request(1, "ping", &json!({}))).await;
    client.write(INITIALIZED).await;
    assert_eq!(client.answer().await, (0, json!(1)));
    client.write(&call(1, "good")).await;
    client.write(RESPONSE).await;
    assert_eq!(client.answer().await, (-32602, json!(1)), "neither initialized nor self-contained");
    client.write(&modern(2, "2099-01-01", "good")).await;
    client.write(INITIALIZED).await;
    assert_eq!(client.answer().await, (-32022, json!(2)), "no such version");
    client.write(&initialize(3)).await;
    client.write(INITIALIZED).await;
    assert_eq!(client.answer().await, (0, json!(3)));
    client.write(&initialize(4)).await;
    assert_eq!(client.answer().await, (-32600, json!(4)), "twice");
    assert!(client.end().await.is_empty());
}

fn modern(id: u32, version: &str, tool: &str) -> String {
    request(
        id,
        "tools/call",
        &json!({ "name": tool, "_meta": {
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        }}),
    )
}

#[tokio::test]
async fn a_session_without_initialize_takes_notifications() {
    let mut client = Client::start();
    client.write(&modern(1, "2026-07-28", "wait")).await;
    client
        .write(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#)
        .await;
    client.write(&modern(2, "2026-07-28", "good")).await;
    assert_eq!(client.answer().await, (0, json!(2)));
    client.waits.notify_one();
    assert!(client.end().await.is_empty(), "no reply to what was cancelled");
}

#[tokio::test]
async fn progress_is_told_until_the_reply_and_not_after_it() {
    let mut client = Client::initialized().await;
    let meta = json!({ "name": "progress", "_meta": { "progressToken": "p" } });
    client.write(&request(1, "tools/call", &meta)).await;
    assert_eq!(client.read().await["method"], "notifications/progress");
    assert_eq!(client.answer().await, (0, json!(1)));
    // rmcp may hand over what was said before the reply only now.
    client.write(&call(2, "progress")).await;
    assert_eq!(client.answer().await, (0, json!(2)), "of a call that was answered");
    let meta = json!({ "name": "wait", "_meta": { "progressToken": "p" } });
    client.write(&request(3, "tools/call", &meta)).await;
    client.write(&call(4, "progress")).await;
    assert_eq!(client.read().await["method"], "notifications/progress");
    assert_eq!(client.answer().await, (0, json!(4)));
    client
        .write(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}"#)
        .await;
    client.write(&call(5, "progress")).await;
    assert_eq!(client.answer().await, (0, json!(5)), "of a call that was given up");
    client.waits.notify_one();
    assert!(client.end().await.is_empty());
}

#[tokio::test]
async fn an_id_in_use_is_refused_without_answering_for_the_first_request() {
    let mut client = Client::initialized().await;
    client.write(&call(1, "wait")).await;
    client.write(&call(1, "good")).await;
    assert_eq!(client.answer().await, (-32600, json!(null)));
    client.waits.notify_one();
    assert_eq!(client.read().await["result"]["content"][0]["text"], "wait");
    client.write(&call(1, "good")).await;
    assert_eq!(client.answer().await, (0, json!(1)), "free again");

    client.write(&call(2, "wait")).await;
    client
        .write(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#)
        .await;
    client.write(&call(2, "good")).await;
    assert_eq!(
        client.answer().await,
        (-32600, json!(null)),
        "its late reply could be taken for ours"
    );
    client.waits.notify_one();
    assert!(client.end().await.is_empty());
}

#[tokio::test]
async fn a_known_secret_is_removed_but_where_its_disclosure_was_approved() {
    let mut client = Client::initialized().await;
    client.write(&call(1, "leak")).await;
    assert_eq!(client.read().await["result"]["content"][0]["text"], REMOVED);
    assert_eq!(client.blocked.load(Ordering::SeqCst), 1);
    client.write(&call(2, "disclose")).await;
    assert_eq!(client.read().await["result"]["content"][0]["text"], CREDENTIAL);
    assert_eq!(client.blocked.load(Ordering::SeqCst), 1);
    client.write(&call(2, "leak")).await;
    assert_eq!(client.read().await["result"]["content"][0]["text"], REMOVED, "once");
    client.write(&call(3, "disclose another")).await;
    assert_eq!(client.read().await["result"]["content"][0]["text"], REMOVED, "what was approved");
    client.write(&format!(r#"{{"jsonrpc":"2.0","id":"{CREDENTIAL}"}}"#)).await;
    assert_eq!(client.read().await["id"], REMOVED, "our own errors too");
    assert_eq!(client.blocked.load(Ordering::SeqCst), 4);
    client.end().await;
}

#[tokio::test]
async fn whole_lines_however_many_and_all_of_them_before_the_end() {
    let mut client = Client::initialized().await;
    let mut write = client.write.take().unwrap();
    let sending = tokio::spawn(async move {
        for id in 1..=300 {
            let name = "n".repeat(id as usize);
            write.write_all(format!("{}\nx\n", call(id, &name)).as_bytes()).await.unwrap();
        }
        // The last line needs no newline.
        write.write_all(call(301, "last").as_bytes()).await.unwrap();
        write.shutdown().await.unwrap();
    });
    let (mut refused, mut answered) = (0, std::collections::BTreeSet::new());
    let mut line = String::new();
    while client.read.read_line(&mut line).await.unwrap() > 0 {
        let answer: Value = serde_json::from_str(&line).unwrap();
        match answer["id"].as_u64() {
            Some(id) => assert!(answered.insert(id)),
            None => refused += 1,
        }
        line.clear();
    }
    sending.await.unwrap();
    client.server.await.unwrap().unwrap();
    assert_eq!((refused, answered.len()), (300, 301));
}

#[tokio::test]
async fn a_client_that_went_away_ends_the_server() {
    // The input stays open; only the output is closed.
    let (mut write, input) = duplex(1024);
    let (output, read) = duplex(1024);
    let (guarded, exemptions, pump) =
        guard(input, output, Scrubber::new(Clock::system()), |_| {}, CancellationToken::new());
    let echo = Echo { exemptions, waits: Arc::default() };
    let server = tokio::spawn(echo.serve(guarded));
    drop(read);
    write.write_all(format!("{}\n", request(1, "ping", &json!({}))).as_bytes()).await.unwrap();
    assert!(server.await.unwrap().is_err(), "reading ended");
    assert_eq!(pump.finished().await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}
