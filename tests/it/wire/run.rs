//! Running one case.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::case::{Case, Step};
use super::matching::{Known, differences};
use super::rules;
use crate::harness::{Emulator, Era, Pty, Server, ServerOptions};

/// A case under way.
struct Run {
    era: Era,
    signature: &'static str,
    emulator: Emulator,
    server: Server,
    known: Known,
    output_schemas: HashMap<String, Value>,
    last: (String, Map<String, Value>),
    answered: Value,
    /// Values that were given or put into the emulator's faults.
    secrets: Vec<String>,
    seen: usize,
}

/// The differences between what a case says and what happens.
pub(crate) fn run(case: &Case, era: Era, signature: &'static str) -> Vec<String> {
    let home = TempDir::new().unwrap();
    if let Some(behaviour) = &case.behaviour {
        std::fs::write(home.path().join("behaviour.toml"), behaviour).unwrap();
    }
    let emulator = Emulator::start_in(home.path());
    let mut options =
        ServerOptions::with_emulator(&emulator).era(era).arg("--signature").arg(signature);
    if let Some(config) = &case.config {
        options = options.config(&format!("wait_seconds = 1\n{config}"));
    }
    if let Some(policy) = &case.policy {
        options = options.arg("--policy").arg(policy);
    }
    let server_home = TempDir::new().unwrap();
    let mut server = Server::start_in(server_home.path(), options);
    for (name, value) in &case.values {
        let file = server.state().join("values").join(name);
        std::fs::write(file, value.as_str().unwrap()).unwrap();
    }
    let listed = server.request("tools/list", json!({}));
    let tools = listed["result"]["tools"].as_array().unwrap().iter();
    let output_schemas = tools
        .map(|tool| (tool["name"].as_str().unwrap().to_owned(), tool["outputSchema"].clone()))
        .collect();
    let known = known(home.path(), &emulator);
    let mut run = Run {
        era,
        signature,
        emulator,
        server,
        known,
        output_schemas,
        last: Default::default(),
        answered: Value::Null,
        secrets: case.values.values().map(|value| value.as_str().unwrap().to_owned()).collect(),
        seen: 0,
    };
    let mut wrong = Vec::new();
    for (index, step) in case.steps.iter().enumerate() {
        let found = run.step(step);
        let failed = !found.is_empty();
        wrong.extend(found.into_iter().map(|why| format!("step {index}: {why}")));
        if failed {
            // What follows builds on this.
            wrong.push(format!("step {index}: answered {}", run.answered));
            break;
        }
    }
    wrong.extend(run.secrets_kept());
    wrong
}

/// What the emulator made up when it started.
pub(crate) fn known(folder: &Path, emulator: &Emulator) -> Known {
    let database = rusqlite::Connection::open(folder.join("data/kms.db")).unwrap();
    let one = |sql: &str| database.query_row(sql, [], |row| row.get(0)).unwrap();
    Known {
        account: emulator.account_id.clone(),
        instance: one("SELECT id FROM instance"),
        key: one("SELECT id FROM key WHERE service"),
    }
}

impl Run {
    fn step(&mut self, step: &Step) -> Vec<String> {
        let mut wrong = Vec::new();
        if let Some(faults) = &step.faults {
            self.emulator.faults(&self.known.fill(faults).to_string());
            canaries(faults, &mut self.secrets);
        }
        if let Some(typed) = &step.approve {
            let code = self.answered["Confirmation"]["MatchCode"].as_str().unwrap_or_default();
            let screen = Pty::approve(self.server.home(), &[code], &[typed]);
            if !screen.status.success() {
                wrong.push(format!("approving failed: {}", screen.text));
            }
        }
        let (tool, arguments) = self.call(step);
        self.secrets.extend(arguments.get("SecretData").and_then(Value::as_str).map(str::to_owned));
        let answer = self.server.call_whole(&tool, Value::Object(arguments.clone()));
        if answer.get("error").is_some() {
            wrong.push(format!("a protocol error: {answer}"));
            return wrong;
        }
        let line = self.server.transcript.lines().last().unwrap_or_default().to_owned();
        wrong.extend(rules::of_answer(&line, &answer, &self.output_schemas[&tool]));
        self.answered = answer["result"]["structuredContent"].clone();
        self.last = (tool, arguments);
        let expected = self.known.fill_all(&step.expect);
        wrong.extend(differences(&expected, &self.answered));
        wrong.extend(self.disclosed(&line, expected.get("Result")));
        wrong.extend(self.requests(&step.sent));
        wrong
    }

    fn call(&self, step: &Step) -> (String, Map<String, Value>) {
        let Some(changes) = &step.again else {
            return (step.tool.clone().unwrap(), self.known.fill_all(&step.arguments));
        };
        let (tool, mut arguments) = self.last.clone();
        if let Some(token) = self.answered["Confirmation"].get("Token") {
            arguments.insert("ConfirmationToken".into(), token.clone());
        }
        arguments.extend(self.known.fill_all(changes));
        (tool, arguments)
    }

    /// A value stands in a line once where it is expected, else nowhere in any form.
    fn disclosed(&self, line: &str, result: Option<&Value>) -> Vec<String> {
        let value = result.and_then(|result| result["SecretData"].as_str()).unwrap_or("***");
        let mut wrong = Vec::new();
        for secret in self.secrets.iter().filter(|secret| secret.len() >= 8) {
            let expected = usize::from(secret == value);
            let found = rules::occurrences(line, secret);
            if found != expected {
                wrong.push(format!("a value occurs {found} times, not {expected}: {line}"));
            }
        }
        wrong
    }

    /// Compares the requests since the last step.
    fn requests(&mut self, expected: &[String]) -> Vec<String> {
        let requests = self.emulator.requests();
        let new = &requests[self.seen..];
        self.seen = requests.len();
        let mut wrong: Vec<String> =
            new.iter().flat_map(|request| rules::of_request(request, self.signature)).collect();
        let found: Vec<String> = new.iter().map(written).collect();
        if found != expected {
            wrong.push(format!("sent {found:#?}\n instead of {expected:#?}"));
        }
        wrong
    }

    /// The AccessKey is in no line, whatever KMS repeated of it.
    fn secrets_kept(self) -> Vec<String> {
        let Self { era, emulator, server, .. } = self;
        let stdout = server.transcript.clone();
        let (status, stderr) = server.finish();
        let mut wrong = Vec::new();
        if !status.success() {
            wrong.push(format!("{era:?}: ended with {status}: {stderr}"));
        }
        for secret in [&emulator.access_key_id, &emulator.access_key_secret] {
            if rules::occurrences(&stdout, secret) + rules::occurrences(&stderr, secret) > 0 {
                wrong.push("the AccessKey was shown".into());
            }
        }
        wrong
    }
}

/// The texts in a fault that are made to be found: they begin with `canary-`.
fn canaries(fault: &Value, found: &mut Vec<String>) {
    match fault {
        Value::String(text) => {
            let starts = text.match_indices("canary-").map(|(at, _)| text.split_at(at).1);
            found.extend(starts.map(|text| {
                text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap().into()
            }));
        }
        Value::Array(items) => items.iter().for_each(|item| canaries(item, found)),
        Value::Object(members) => members.values().for_each(|item| canaries(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

const RPC: [&str; 9] = [
    "AccessKeyId",
    "Action",
    "Format",
    "Signature",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureVersion",
    "Timestamp",
    "Version",
];

/// A request of the emulator's log in the form of [`Step::sent`].
fn written(request: &Value) -> String {
    let names = |place: &str| {
        let mut names: Vec<&str> =
            request[place].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        // What the RPC signature adds to each request; the other one has it in headers.
        names.retain(|name| !RPC.contains(name));
        // KMS gives no meaning to their order.
        names.sort_unstable();
        names.join(" ")
    };
    let mut text = request["action"].as_str().unwrap_or("?").to_owned();
    for part in [names("query"), names("body")].iter().zip(["", "| "]) {
        if !part.0.is_empty() {
            text.push_str(&format!(" {}{}", part.1, part.0));
        }
    }
    match request["status"].as_u64() {
        Some(status) => text.push_str(&format!(" -> {status}")),
        None => text.push_str(" -> nothing"),
    }
    if let Some(code) = request["code"].as_str() {
        text.push_str(&format!(" {code}"));
    }
    if let Some(fault) = request["fault"].as_str() {
        text.push_str(&format!(" ({fault})"));
    }
    text
}
