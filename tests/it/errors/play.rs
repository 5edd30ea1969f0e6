//! Playing the cases of one file, and what was really seen.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::format::{By, Call, Case, Table, folder, read};
use crate::harness::{Emulator, Pty, Server, ServerOptions};
use crate::wire::matching::Known;
use crate::wire::run::known;

/// A case that held, and what it showed.
#[derive(Debug)]
pub(super) struct Seen {
    /// The action, or `gateway`.
    pub(super) action: String,
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) by: By,
    /// The action that KMS answered the code to, if it is a step on the way.
    pub(super) step: Option<String>,
    pub(super) about: String,
    /// What the agent was told.
    pub(super) told: Value,
}

/// The default without the limits of versions and keys: the cases share a secret.
const POLICY: &str = "version = 1
extends = 'default'
drop = ['new-version', 'create-key']
";

/// A server on an emulator, with what `before.json` makes.
struct House {
    emulator: Emulator,
    server: Server,
    known: Known,
    /// Of the emulator, and of the server; gone with the value.
    homes: [TempDir; 2],
}

impl House {
    fn build(case: Option<&Case>) -> Self {
        let homes = [TempDir::new().unwrap(), TempDir::new().unwrap()];
        if let Some(behaviour) = case.and_then(|case| case.behaviour.as_deref()) {
            std::fs::write(homes[0].path().join("behaviour.toml"), behaviour).unwrap();
        }
        let emulator = Emulator::start_in(homes[0].path());
        let known = known(homes[0].path(), &emulator);
        let policy = homes[1].path().join("policy.toml");
        std::fs::write(&policy, POLICY).unwrap();
        std::fs::set_permissions(&policy, Permissions::from_mode(0o600)).unwrap();
        let config = format!("wait_seconds = 1\npolicy = {:?}\n", policy.to_str().unwrap());
        let options = |emulator: &Emulator| ServerOptions::with_emulator(emulator).config(&config);
        let server = Server::start_in(homes[1].path(), options(&emulator));
        let mut house = Self { emulator, server, known, homes };
        for call in read::<Vec<Call>>(&folder().join("before.json")) {
            house.before(&call);
        }
        let environment = case.map(|case| &case.env).filter(|env| !env.is_empty());
        if let Some(environment) = environment {
            // Only now: with these, nothing could have been made.
            let options = environment
                .iter()
                .fold(options(&house.emulator), |options, (name, value)| options.env(name, value));
            house.server = Server::start_in(house.homes[1].path(), options);
        }
        house
    }

    /// Makes a call to its end: approved, or with the token that needs nobody.
    fn call(&mut self, tool: &str, arguments: &Map<String, Value>, approve: Option<&str>) -> Value {
        let mut arguments = self.known.fill_all(arguments);
        let asked = self.server.call(tool, Value::Object(arguments.clone()));
        if asked["Status"] != "confirmation_required" {
            return asked;
        }
        if let Some(typed) = approve {
            let code = asked["Confirmation"]["MatchCode"].as_str().unwrap();
            let screen = Pty::approve(self.server.home(), &[code], &[typed]);
            assert!(screen.status.success(), "{}", screen.text);
        }
        arguments.insert("ConfirmationToken".into(), asked["Confirmation"]["Token"].clone());
        self.server.call(tool, Value::Object(arguments))
    }

    fn before(&mut self, call: &Call) {
        for n in 1..=call.times {
            let arguments = Value::Object(call.arguments.clone()).to_string();
            let arguments = serde_json::from_str(&arguments.replace("{n}", &n.to_string()));
            let done = self.call(&call.tool, &arguments.unwrap(), call.approve.as_deref());
            assert_eq!(done["Status"], "ok", "{call:?}: {done}");
        }
    }
}

/// Plays the cases of a file; gives what was seen, and what was not as it should be.
pub(super) fn play(file: &str, cases: &[Case], table: &Table) -> (Vec<Seen>, Vec<String>) {
    let mut shared = House::build(None);
    let (mut seen, mut wrong) = (Vec::new(), Vec::new());
    for case in cases {
        let own = case.behaviour.is_some() || !case.env.is_empty();
        let mut house = own.then(|| House::build(Some(case)));
        let tool = case.tool.as_deref().unwrap_or(file);
        match play_one(house.as_mut().unwrap_or(&mut shared), tool, case, table) {
            Ok(found) => seen.push(Seen { action: file.into(), ..found }),
            Err(why) => wrong.push(format!("{file} {} {}: {why}", case.code, case.about)),
        }
    }
    (seen, wrong)
}

fn play_one(house: &mut House, tool: &str, case: &Case, table: &Table) -> Result<Seen, String> {
    if let Some(faults) = &case.faults {
        house.emulator.faults(&house.known.fill(faults).to_string());
    }
    for call in &case.before {
        house.before(call);
    }
    if case.by == By::Fault {
        let effect = json!({ "error": { "status": case.status, "code": case.code,
            "message": "canary-text-of-upstream", "retry_after_ms": 1 } });
        let rules = json!({ "rule": [{ "action": tool, "effect": effect }] });
        house.emulator.faults(&rules.to_string());
    }
    let already = house.emulator.requests().len();
    let envelope = house.call(tool, &case.arguments, case.approve.as_deref());
    let requests = house.emulator.requests();
    house.emulator.faults("");
    if envelope.to_string().contains("canary-text") {
        return Err(format!("upstream text was passed on: {envelope}"));
    }
    told(case, &envelope, table)?;
    let new = &requests[already..];
    let answered = new
        .iter()
        .find(|request| request["code"] == case.code.as_str() && request["status"] == case.status);
    let (by, step) = match answered {
        Some(answered) if answered["fault"].is_null() => {
            let step = answered["action"].as_str().filter(|action| *action != tool);
            // State and input are both answers of the emulator's own.
            let by = if case.by == By::Input { By::Input } else { By::State };
            (by, step.map(str::to_owned))
        }
        Some(_) => (By::Fault, None),
        None if new.iter().all(|request| request["action"] != tool) => (By::Local, None),
        None => return Err(format!("KMS never answered it: {new:?}")),
    };
    if by != case.by {
        return Err(format!("said to be by {:?}, but it is by {by:?}: {envelope}", case.by));
    }
    Ok(Seen {
        action: String::new(),
        status: case.status,
        code: case.code.clone(),
        by,
        step,
        about: case.about.clone(),
        told: envelope["Error"].clone(),
    })
}

/// Compares what the agent is told.
fn told(case: &Case, envelope: &Value, table: &Table) -> Result<(), String> {
    let differs = |what: &str| Err(format!("{what}: {envelope}"));
    if let Some(outcome) = &case.outcome {
        let said = envelope["Notes"].to_string().contains(&case.code);
        let fits = envelope["Status"] == "ok" && envelope["Outcome"] == outcome.as_str() && said;
        return if fits { Ok(()) } else { differs("not settled") };
    }
    let error = &envelope["Error"];
    let local = case.by == By::Local && error["Code"] == "InvalidArgument";
    let code = case.told.as_deref().unwrap_or(&case.code);
    if envelope["Status"] != "error" || (error["Code"] != code && !local) {
        return differs("another Code");
    }
    if error["Changed"] != case.changed.as_deref().unwrap_or("no") {
        return differs("another Changed");
    }
    let key = if local { "InvalidArgument" } else { case.code.as_str() };
    let Some(next) = case.next.as_ref().or_else(|| table.next.get(key)) else {
        return differs("no `next` is said, neither by the case nor in the table");
    };
    if !error["Next"].as_str().unwrap_or_default().contains(next.as_str()) {
        return differs(&format!("`Next` does not say `{next}`"));
    }
    Ok(())
}
