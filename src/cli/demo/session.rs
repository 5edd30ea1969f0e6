//! The client: starts the server as its child and speaks MCP over stdio, as any client would.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::cli::Failure;

/// One session with one server.
pub(super) struct Session {
    child: Child,
    /// `None` once closed.
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    next: u64,
    said: String,
}

impl Session {
    /// Starts a server that keeps everything below `folder`.
    pub(super) fn start(folder: &Path) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", "--backend", "embedded", "--state-dir"])
            .arg(folder.join("state"))
            .env_clear()
            .env("HOME", folder)
            .env("RUST_LOG", "kms_mcp=warn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure("the server has no pipes".into()));
        };
        let lines = BufReader::new(stdout).lines();
        Ok(Self { child, stdin: Some(stdin), lines, next: 0, said: String::new() })
    }

    /// Opens the session and gives the names of the tools.
    pub(super) async fn open(&mut self) -> Result<Vec<String>, Failure> {
        let client = json!({ "name": "kms-mcp-demo", "version": env!("CARGO_PKG_VERSION") });
        self.request(
            "initialize",
            json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client }),
        )
        .await?;
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await?;
        let listed = self.request("tools/list", json!({})).await?;
        let tools = listed.get("tools").and_then(Value::as_array).into_iter().flatten();
        Ok(tools.filter_map(|tool| Some(tool.get("name")?.as_str()?.to_owned())).collect())
    }

    /// Calls a tool and gives its envelope.
    pub(super) async fn call(&mut self, tool: &str, arguments: Value) -> Result<Value, Failure> {
        let result =
            self.request("tools/call", json!({ "name": tool, "arguments": arguments })).await?;
        Ok(result.get("structuredContent").cloned().unwrap_or_default())
    }

    /// All that the server has said.
    pub(super) fn said(&self) -> &str {
        &self.said
    }

    /// Leaves, and waits until the server has gone.
    pub(super) async fn close(&mut self) -> Result<(), Failure> {
        self.stdin.take();
        let status = self.child.wait().await?;
        if status.success() { Ok(()) } else { Err(Failure("the server did not end well".into())) }
    }

    async fn request(&mut self, method: &str, params: Value) -> Result<Value, Failure> {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
            .await?;
        while let Some(line) = self.lines.next_line().await? {
            self.said.push_str(&line);
            let answer: Value = serde_json::from_str(&line)?;
            if answer.get("id").is_some_and(|answered| *answered == id) {
                return match answer.get("result") {
                    Some(result) => Ok(result.clone()),
                    None => Err(Failure(format!("{method} was refused"))),
                };
            }
        }
        Err(Failure("the server went away".into()))
    }

    async fn send(&mut self, message: &Value) -> Result<(), Failure> {
        let Some(stdin) = &mut self.stdin else {
            return Err(Failure("the session is closed".into()));
        };
        stdin.write_all(format!("{message}\n").as_bytes()).await?;
        Ok(stdin.flush().await?)
    }
}
