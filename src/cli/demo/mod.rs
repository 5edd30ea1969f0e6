//! `kms-mcp demo`: the main job, shown. A client, a server in a process of its own, a throw-away
//! embedded KMS, and the person played by the demo itself.

mod folder;
mod rehearsal;
mod session;
mod transcript;

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{Failure, serve};
use crate::approval::Desk;
use crate::audit::{AuditKey, Event, Expected, verify};
use crate::clock::Clock;
use crate::config::Config;
use crate::env::Env;
use crate::factor::{approver, enrolled};
use crate::store::Store;
use folder::Folder;
use rehearsal::Rehearsal;
use session::Session;
use transcript::Transcript;

/// The secret that comes and goes.
const NAME: &str = "app/db-password";
/// Where root has set bounds. The demo plays the person, and neither root's policy nor the PIN that
/// root enrolled is its own.
const ANCHORED: &str = "on this machine root's settings or root's approver (/etc/kms-mcp) count for every server, also for the one of the demo, which plays the person itself; nothing was started. Run the demo where there are none, such as in a container";
/// What it holds at first, and then. Made up; they live as long as the demo.
const FIRST: &str = "correct-horse-battery-staple";
const SECOND: &str = "tr0ub4dor-and-three";

pub(super) async fn run(env: &Env) -> Result<ExitCode, Failure> {
    if Config::load(env)?.is_anchored || enrolled()?.is_some() {
        return Err(Failure(ANCHORED.into()));
    }
    let folder = Folder::new()?;
    let mut demo = Demo {
        transcript: Transcript::new(env),
        session: Session::start(folder.path())?,
        state: folder.path().join("state"),
        pin: serve::instance()?,
    };
    demo.play().await?;
    demo.session.close().await?;
    let keys = AuditKey::read(&demo.state)?.iter().map(AuditKey::public).collect();
    let expected = Expected { keys, ..Expected::default() };
    let report = verify(&demo.state.join("audit"), &expected, &mut |_, _| ());
    demo.transcript.heading("The audit log is verified, as an auditor would")?;
    demo.transcript.text("kms-mcp", &report.to_string())?;
    expect(report.exit_code() == 0, "the audit log verifies")?;
    demo.transcript.ending()?;
    Ok(ExitCode::SUCCESS)
}

struct Demo {
    transcript: Transcript,
    session: Session,
    state: std::path::PathBuf,
    /// Of the person who is played.
    pin: String,
}

impl Demo {
    async fn play(&mut self) -> Result<(), Failure> {
        self.transcript.heading("A client starts the server and asks what it can do")?;
        let tools = self.session.open().await?;
        self.transcript.text("kms-mcp", &tools.join(", "))?;
        expect(tools.iter().any(|tool| tool == "GetSecretValue"), "the tools are listed")?;
        self.write_and_read().await?;
        self.disclose().await?;
        self.delete().await
    }

    async fn write_and_read(&mut self) -> Result<(), Failure> {
        self.transcript
            .heading("A secret is created from a file: the value never meets the model")?;
        value_file(&self.state, "first", FIRST)?;
        let created = self
            .call("CreateSecret", json!({ "SecretName": NAME, "VersionId": "v1", "SecretDataSource": { "File": "first" }, "Description": "Password of the app's database" }))
            .await?;
        expect(at(&created, "/Outcome") == "created", "the secret is created")?;

        self.transcript.heading("Metadata is free to read")?;
        let listed = self.call("ListSecrets", json!({})).await?;
        expect(at(&listed, "/Result/TotalCount") == 1, "the secret is listed")?;
        let described = self.call("DescribeSecret", json!({ "SecretName": NAME })).await?;
        expect(at(&described, "/Result/SecretName") == NAME, "the secret is described")?;

        self.transcript.heading("A new version becomes the current one")?;
        value_file(&self.state, "second", SECOND)?;
        let put = self
            .call("PutSecretValue", json!({ "SecretName": NAME, "VersionId": "v2", "SecretDataSource": { "File": "second" } }))
            .await?;
        expect(at(&put, "/Outcome") == "created", "the version is created")?;
        let said = self.session.said();
        expect(!said.contains(FIRST) && !said.contains(SECOND), "no value was said so far")
    }

    async fn disclose(&mut self) -> Result<(), Failure> {
        self.transcript.heading("Reading the value asks a person first; nothing is sent")?;
        let read = json!({ "SecretName": NAME, "Destination": "agent", "Reason": "the user asked to see it" });
        let asked = self.call("GetSecretValue", read.clone()).await?;
        let again = self.approve(&asked, read).await?;
        let value = self.call("GetSecretValue", again.clone()).await?;
        expect(at(&value, "/Result/SecretData") == SECOND, "the approved value is answered")?;

        self.transcript.heading("The same token a second time")?;
        let twice = self.call("GetSecretValue", again).await?;
        expect(at(&twice, "/Error/Code") == "ConfirmationUsed", "a token works once")
    }

    async fn delete(&mut self) -> Result<(), Failure> {
        self.transcript.heading("Deleting is soft, and can be undone")?;
        let deleted = self.call("DeleteSecret", json!({ "SecretName": NAME })).await?;
        expect(at(&deleted, "/Outcome") == "scheduled", "the deletion is scheduled")?;
        let restored = self.call("RestoreSecret", json!({ "SecretName": NAME })).await?;
        expect(at(&restored, "/Outcome") == "restored", "the secret is restored")?;

        self.transcript.heading("Deleting for good asks a person, who types the name")?;
        let force = json!({ "SecretName": NAME, "ForceDeleteWithoutRecovery": true });
        let asked = self.call("DeleteSecret", force.clone()).await?;
        let again = self.approve(&asked, force).await?;
        let gone = self.call("DeleteSecret", again).await?;
        expect(at(&gone, "/Outcome") == "deleted", "the secret is deleted")?;
        let absent = self.call("DescribeSecret", json!({ "SecretName": NAME })).await?;
        expect(at(&absent, "/Error/Code") == "Forbidden.ResourceNotFound", "it is gone")
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> Result<Value, Failure> {
        self.transcript.call(tool, &arguments)?;
        let envelope = self.session.call(tool, arguments).await?;
        self.transcript.envelope(&envelope)?;
        Ok(envelope)
    }

    /// Plays the person, and gives the call to repeat.
    async fn approve(&mut self, asked: &Value, mut call: Value) -> Result<Value, Failure> {
        expect(at(asked, "/Status") == "confirmation_required", "a confirmation is required")?;
        let code = at(asked, "/Confirmation/MatchCode");
        let clock = Clock::system();
        let store = Store::open(&self.state)?;
        let waiting = store.pending(clock.now_ms()).await?;
        let Some(pending) = waiting.iter().find(|one| *code == one.match_code) else {
            return Err(Failure("the request does not wait in the store".into()));
        };
        self.transcript.text(
            "person",
            "(played by this demo: it calls the approval code on its own throw-away store;\n you would run `kms-mcp approve` in your terminal)",
        )?;
        let (instance, config) = (serve::instance()?, Config::default());
        let audit = super::audit::open(&self.state, &config, &clock, &instance, Event::default())?;
        let mut person = Rehearsal { saw: String::new(), pin: self.pin.clone() };
        let pin = approver(&self.state)?;
        let desk = Desk { store: &store, audit: &audit, clock: &clock, pin, state: &self.state };
        let answer = desk.decide(&mut person, std::slice::from_ref(pending)).await;
        audit.stop().await;
        answer?;
        self.transcript.text("person", &person.saw)?;
        if let Value::Object(arguments) = &mut call {
            let token = at(asked, "/Confirmation/Token").clone();
            arguments.insert("ConfirmationToken".into(), token);
        }
        Ok(call)
    }
}

/// A member of an envelope, null if it is not there.
fn at<'a>(envelope: &'a Value, pointer: &str) -> &'a Value {
    envelope.pointer(pointer).unwrap_or(&Value::Null)
}

fn value_file(state: &Path, name: &str, value: &str) -> Result<(), Failure> {
    std::fs::write(state.join("values").join(name), value)?;
    Ok(())
}

fn expect(holds: bool, what: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure(format!("this step did not do what it says: {what}"))) }
}
