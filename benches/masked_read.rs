//! What the time of a masked read tells of the value's length: `cargo bench --bench masked_read`.
//!
//! Reads of values of five lengths take turns, 400 of each, through the real program against the
//! emulator in a process of its own, without and with a delay there. For two lengths the number is
//! P(x < y): how often a read of the shorter value was the faster one. 0.5 tells nothing.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench says what it found and may give up"
)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const LENGTHS: [usize; 5] = [1, 8, 64, 65, 30_720];
const TIMES: usize = 400;
const PROGRAM: &str = env!("CARGO_BIN_EXE_kms-mcp");

fn main() {
    let home = tempfile::tempdir().expect("a folder");
    let faults = home.path().join("faults.toml");
    fs::write(&faults, "").expect("the fault file");
    let mut kms = Command::new(PROGRAM)
        .args(["emulator", "--listen", "127.0.0.1:0", "--data"])
        .arg(home.path().join("kms"))
        .arg("--faults")
        .arg(&faults)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the emulator");
    let mut line = String::new();
    let stdout = kms.stdout.take().expect("its output");
    BufReader::new(stdout).read_line(&mut line).expect("its first line");
    let says: Value = serde_json::from_str(&line).expect("JSON");
    let text = |name: &str| says[name].as_str().expect("text").to_owned();
    let config = home.path().join(".config/kms-mcp");
    fs::create_dir_all(&config).expect("a folder");
    let endpoints = format!("[network]\nendpoints = ['{}']\n", text("Url"));
    fs::write(config.join("config.toml"), endpoints).expect("config.toml");
    let mut server = Command::new(PROGRAM)
        .args(["serve", "--region", "cn-hangzhou", "--endpoint", &text("Url"), "--state-dir"])
        .arg(home.path().join("state"))
        .env_clear()
        .env("HOME", home.path())
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", text("AccessKeyId"))
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", text("AccessKeySecret"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the server");
    let mut client = Client::of(&mut server);
    for length in LENGTHS {
        let value = "x7".repeat(length / 2 + 1);
        let create = json!({ "SecretName": name(length), "VersionId": "v1",
            "SecretData": value.get(..length) });
        client.call("CreateSecret", &create);
    }
    for delay in [0, 30] {
        let rule =
            format!("[[rule]]\naction = 'GetSecretValue'\neffect = {{ delay_ms = {delay} }}\n");
        fs::write(&faults, if delay == 0 { "" } else { &rule }).expect("the fault file");
        let mut took: Vec<Vec<Duration>> = vec![Vec::new(); LENGTHS.len()];
        for round in 0..TIMES {
            for at in 0..LENGTHS.len() {
                let which = (at + round) % LENGTHS.len();
                took[which].push(client.masked_read(&name(LENGTHS[which])));
            }
        }
        println!("upstream delay {delay} ms, {TIMES} reads of each length");
        for (at, times) in took.iter().enumerate() {
            let mut sorted = times.clone();
            sorted.sort_unstable();
            let others: Vec<String> = (at + 1..LENGTHS.len())
                .map(|other| format!("{}: {:.2}", LENGTHS[other], shorter(times, &took[other])))
                .collect();
            println!(
                "{:>6} bytes  median {:?}  P(x < y) {}",
                LENGTHS[at],
                sorted[sorted.len() / 2],
                others.join("  ")
            );
        }
    }
    drop(client);
    for mut child in [server, kms] {
        child.kill().and_then(|()| child.wait()).expect("an end");
    }
}

fn name(length: usize) -> String {
    format!("length/{length:05}")
}

/// P(x < y), ties counted half.
fn shorter(one: &[Duration], other: &[Duration]) -> f64 {
    let pairs = one.iter().flat_map(|x| other.iter().map(move |y| x.cmp(y)));
    let halves: usize = pairs.map(|order| 1 - order as isize).map(isize::unsigned_abs).sum();
    halves as f64 / 2.0 / (one.len() * other.len()) as f64
}

struct Client {
    write: ChildStdin,
    read: BufReader<ChildStdout>,
}

impl Client {
    fn of(server: &mut Child) -> Self {
        let write = server.stdin.take().expect("its input");
        let read = BufReader::new(server.stdout.take().expect("its output"));
        let mut client = Self { write, read };
        client.request(
            "initialize",
            &json!({ "protocolVersion": "2025-11-25", "capabilities": {},
                "clientInfo": { "name": "bench", "version": "1" } }),
        );
        client
    }

    fn request(&mut self, method: &str, params: &Value) -> Value {
        let line = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        writeln!(self.write, "{line}").expect("a reader");
        let mut answer = String::new();
        self.read.read_line(&mut answer).expect("an answer");
        serde_json::from_str(&answer).expect("JSON")
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let call = json!({ "name": tool, "arguments": arguments });
        self.request("tools/call", &call)["result"]["structuredContent"].take()
    }

    /// The time of the call that reads, without the question before.
    fn masked_read(&mut self, name: &str) -> Duration {
        let asked = self.call("GetSecretValue", &json!({ "SecretName": name }));
        let token = &asked["Confirmation"]["Token"];
        let again = json!({ "SecretName": name, "ConfirmationToken": token });
        let before = Instant::now();
        let read = self.call("GetSecretValue", &again);
        let took = before.elapsed();
        assert_eq!(read["Result"]["SecretData"], "***", "{read}");
        took
    }
}
