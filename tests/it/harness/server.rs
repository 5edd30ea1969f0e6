//! `kms-mcp serve` as a child process, spoken to in JSON-RPC lines.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{BINARY, Emulator, PATIENCE, Watch};

/// The protocol versions that must work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    V2025_06_18,
    V2025_11_25,
    V2026_07_28,
}

impl Era {
    pub(crate) const ALL: [Self; 3] = [Self::V2025_06_18, Self::V2025_11_25, Self::V2026_07_28];

    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }
}

/// How to start a server. The environment is empty but for what is named here.
pub(crate) struct ServerOptions {
    pub era: Era,
    pub arguments: Vec<String>,
    pub environment: Vec<(String, String)>,
    /// The content of `config.toml`, after what the next two say.
    pub config: Option<String>,
    /// Decisions need no PIN.
    pub unsigned: bool,
    /// Endpoints on the loopback address may be named.
    pub loopback: bool,
    /// A program, with its arguments, that starts the server in its own place.
    pub through: Vec<String>,
    /// What the client says it can do.
    pub capabilities: Value,
}

impl ServerOptions {
    /// On the embedded KMS. A repeated call does not wait long for a decision.
    pub(crate) fn embedded() -> Self {
        Self {
            era: Era::V2025_11_25,
            arguments: vec!["--backend".into(), "embedded".into()],
            environment: Vec::new(),
            config: Some("wait_seconds = 1\n".into()),
            unsigned: true,
            loopback: false,
            through: Vec::new(),
            capabilities: json!({}),
        }
    }

    /// On an emulator in a process of its own.
    pub(crate) fn with_emulator(emulator: &Emulator) -> Self {
        Self {
            arguments: vec![
                "--endpoint".into(),
                emulator.url.clone(),
                "--region".into(),
                "cn-hangzhou".into(),
            ],
            loopback: true,
            ..Self::embedded()
        }
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", &emulator.access_key_id)
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", &emulator.access_key_secret)
    }

    #[must_use]
    pub(crate) fn era(mut self, era: Era) -> Self {
        self.era = era;
        self
    }

    #[must_use]
    pub(crate) fn capabilities(mut self, capabilities: Value) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// The same at another address: that of something that stands before the emulator.
    #[must_use]
    pub(crate) fn at(mut self, url: &str) -> Self {
        url.clone_into(&mut self.arguments[1]);
        self
    }

    #[must_use]
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub(crate) fn arg(mut self, argument: &str) -> Self {
        self.arguments.push(argument.into());
        self
    }

    #[must_use]
    pub(crate) fn through(mut self, words: &[&str]) -> Self {
        self.through = words.iter().map(|word| (*word).into()).collect();
        self
    }

    #[must_use]
    pub(crate) fn config(mut self, text: &str) -> Self {
        self.config = Some(text.into());
        self
    }

    /// Decisions need a PIN, as they do when nothing is configured.
    #[must_use]
    pub(crate) fn signed(mut self) -> Self {
        self.unsigned = false;
        self
    }

    /// All of `config.toml`, if there is to be one.
    fn config_file(&self) -> Option<String> {
        let lines = [
            (self.unsigned, "approval.require_factor = false\n"),
            (self.loopback, "network.endpoints = [\"http://127.0.0.1:*\"]\n"),
        ];
        let mut text: String =
            lines.into_iter().filter(|(wanted, _)| *wanted).map(|(_, line)| line).collect();
        text.push_str(self.config.as_deref().unwrap_or_default());
        (self.config.is_some() || !text.is_empty()).then_some(text)
    }
}

/// A running server. Ends with the value.
pub(crate) struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: Receiver<String>,
    era: Era,
    capabilities: Value,
    next_id: u64,
    /// Everything that came out on stdout.
    pub transcript: String,
    home: Option<TempDir>,
    home_path: PathBuf,
}

impl Server {
    /// Starts in a home of its own and opens the session.
    pub(crate) fn start(options: ServerOptions) -> Self {
        let home = TempDir::new().unwrap();
        let path = home.path().to_owned();
        let mut server = Self::start_in(&path, options);
        server.home = Some(home);
        server
    }

    /// Starts in `home` (state in `home/state`) and opens the session.
    pub(crate) fn start_in(home: &Path, options: ServerOptions) -> Self {
        let mut server = Self::spawn_in(home, options);
        server.open();
        server
    }

    /// Starts without opening a session.
    pub(crate) fn spawn_in(home: &Path, options: ServerOptions) -> Self {
        if let Some(config) = options.config_file() {
            let folder = home.join(".config/kms-mcp");
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("config.toml"), config).unwrap();
        }
        let mut words = options.through.iter().map(String::as_str).chain([BINARY, "serve"]);
        let mut child = Command::new(words.next().unwrap())
            .args(words)
            .args(&options.arguments)
            .arg("--state-dir")
            .arg(home.join("state"))
            .env_clear()
            .env("HOME", home)
            .envs(options.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        let stderr = lines_of(child.stderr.take().unwrap());
        let stdin = child.stdin.take();
        Self {
            child,
            stdin,
            lines,
            stderr,
            era: options.era,
            capabilities: options.capabilities,
            next_id: 0,
            transcript: String::new(),
            home: None,
            home_path: home.to_owned(),
        }
    }

    /// The state folder.
    pub(crate) fn state(&self) -> PathBuf {
        self.home_path.join("state")
    }

    /// The home folder.
    pub(crate) fn home(&self) -> &Path {
        &self.home_path
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends raw bytes.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(bytes).unwrap();
        stdin.flush().unwrap();
    }

    /// The next line on stdout, as JSON.
    pub(crate) fn receive(&mut self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("the server answers");
        self.transcript.push_str(&line);
        self.transcript.push('\n');
        serde_json::from_str(&line).expect("the server writes JSON lines")
    }

    /// Sends a notification.
    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        let line = format!("{}\n", json!({ "jsonrpc": "2.0", "method": method, "params": params }));
        self.send_raw(line.as_bytes());
    }

    /// Sends a request without waiting for its answer; gives its id.
    pub(crate) fn send(&mut self, method: &str, mut params: Value) -> u64 {
        if self.era == Era::V2026_07_28 {
            let meta = &mut params["_meta"];
            meta["io.modelcontextprotocol/protocolVersion"] = self.era.version().into();
            meta["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
            meta["io.modelcontextprotocol/clientInfo"] = json!({ "name": "it", "version": "1" });
        }
        self.next_id += 1;
        let id = self.next_id;
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.send_raw(format!("{message}\n").as_bytes());
        id
    }

    /// Sends a request and gives the whole answer with that id.
    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        loop {
            let answer = self.receive();
            if answer["id"] == json!(id) {
                return answer;
            }
        }
    }

    /// Answers a request of the server with `part`: `result` or `error`.
    pub(crate) fn respond(&mut self, request: &Value, part: &str, content: Value) {
        let mut message = json!({ "jsonrpc": "2.0", "id": request["id"] });
        message[part] = content;
        self.send_raw(format!("{message}\n").as_bytes());
    }

    /// The records of all audit logs of this home so far, in the order of files and lines.
    pub(crate) fn audit(&self) -> Vec<Value> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.state().join("audit"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let text: String =
            files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
        // Another thread may be in the middle of the last line.
        text.lines().map_while(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits until the audit log holds a record that is wanted.
    pub(crate) fn audited(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        super::until("a record", || self.audit().into_iter().find(&wanted))
    }

    /// Calls a tool and gives its envelope; panics on a protocol error.
    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.call_whole(tool, arguments);
        assert!(answer.get("error").is_none(), "{tool}: {answer}");
        answer["result"]["structuredContent"].clone()
    }

    /// Calls a tool and gives the whole JSON-RPC answer.
    pub(crate) fn call_whole(&mut self, tool: &str, arguments: Value) -> Value {
        self.request("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// Calls a tool that asks for a confirmation, approves as a person would at a terminal (typing
    /// `answer`), and repeats the call.
    pub(crate) fn call_approved(&mut self, tool: &str, arguments: Value, answer: &str) -> Value {
        let asked = self.call(tool, arguments.clone());
        assert_eq!(asked["Status"], "confirmation_required", "{asked}");
        let code = asked["Confirmation"]["MatchCode"].as_str().unwrap();
        let screen = super::Pty::approve(&self.home_path, &[code], &[answer]);
        assert!(screen.status.success(), "{}", screen.text);
        let mut again = arguments;
        again["ConfirmationToken"] = asked["Confirmation"]["Token"].clone();
        self.call(tool, again)
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal, to the server or the program that it was started through.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end with stdin left open, and gives the exit status and all of stderr.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let status = super::until("the end", || self.child.try_wait().unwrap());
        (status, self.stderr.iter().collect::<Vec<_>>().join("\n"))
    }

    /// Closes stdin, waits for the end, and gives the exit status and all of stderr.
    pub(crate) fn finish(mut self) -> (ExitStatus, String) {
        self.stdin.take();
        let _watch = Watch::over(&self.child);
        let stderr: Vec<String> = self.stderr.iter().collect();
        let left: Vec<String> = self.lines.iter().collect();
        assert!(left.iter().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{left:?}");
        (self.child.wait().unwrap(), stderr.join("\n"))
    }

    fn open(&mut self) {
        if self.era == Era::V2026_07_28 {
            let answer = self.request("server/discover", json!({}));
            assert!(answer.get("result").is_some(), "{answer}");
            return;
        }
        let answer = self.request(
            "initialize",
            json!({
                "protocolVersion": self.era.version(),
                "capabilities": self.capabilities,
                "clientInfo": { "name": "it", "version": "1" },
            }),
        );
        assert_eq!(answer["result"]["protocolVersion"], self.era.version(), "{answer}");
        self.notify("notifications/initialized", json!({}));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
