//! `kms-mcp pin set|change|remove`: the PIN, typed on a terminal and never shown.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use super::{Failure, State, enroll, serve};
use crate::anchor;
use crate::approval::{PinError, SHORTEST, enrol, typed, unlock};
use crate::audit::{Approval, AuditLog, Durability, Event, Kind};
use crate::clock::Clock;
use crate::config::{Config, state_dir};
use crate::env::Env;
use crate::factor::{FactorError, PinFile, enrolled, path_in};
use crate::sensitive::Sensitive;
use crate::store::Store;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Set a PIN where none is set
    Set(State),
    /// Take another PIN; asks for the old one
    Change(State),
    /// Go on without a PIN; asks for the old one
    Remove(State),
    /// As root, set the PIN of a user's servers where the user cannot change it
    Enroll(enroll::Flags),
}

/// What is done, with everything it takes.
struct Desk<'a> {
    path: &'a Path,
    store: &'a Store,
    audit: &'a AuditLog,
    clock: &'a Clock,
}

/// What becomes of the user's own PIN.
#[derive(Debug, Clone, Copy)]
enum Own {
    Set,
    Change,
    Remove,
}

pub(super) async fn run(command: Command, env: &Env) -> Result<ExitCode, Failure> {
    match command {
        Command::Set(state) => own(Own::Set, state, env).await,
        Command::Change(state) => own(Own::Change, state, env).await,
        Command::Remove(state) => own(Own::Remove, state, env).await,
        Command::Enroll(flags) => enroll::run(&flags, env),
    }
}

async fn own(what: Own, state: State, env: &Env) -> Result<ExitCode, Failure> {
    if enrolled()?.is_some() {
        return Err(Failure(format!(
            "root enrolled the PIN of this user in `{}`, and no other counts; nothing was changed",
            anchor::approver(rustix::process::geteuid().as_raw()).display()
        )));
    }
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Failure("a PIN is typed on a terminal, by you".into()));
    }
    let state = state_dir(state.state_dir, env)?;
    let config = Config::load(env)?;
    let clock = Clock::system();
    let store = Store::open(&state)?;
    let path = path_in(&state);
    let instance = serve::instance()?;
    let audit = super::audit::open(&state, &config, &clock, &instance, Event::default())?;
    let desk = Desk { path: &path, store: &store, audit: &audit, clock: &clock };
    let done = match what {
        Own::Set => desk.set().await,
        Own::Change => desk.change().await,
        Own::Remove => desk.remove().await,
    };
    audit.stop().await;
    writeln!(std::io::stdout(), "{}", done?)?;
    Ok(ExitCode::SUCCESS)
}

const SET: &str = "The PIN is set. From now on approving asks for it, and servers that run believe no decision without it.";
const CHANGED: &str = "Running servers accept no more approvals: restart them.";

impl Desk<'_> {
    async fn set(&self) -> Result<String, Failure> {
        if PinFile::read(self.path)?.is_some() {
            return Err(FactorError::Exists.into());
        }
        let file = new_pin()?;
        self.record("set", Some(&file)).await?;
        file.create(self.path)?;
        Ok(SET.into())
    }

    async fn change(&self) -> Result<String, Failure> {
        self.old_pin().await?;
        let file = new_pin()?;
        self.record("changed", Some(&file)).await?;
        file.replace(self.path)?;
        Ok(format!("The PIN is changed. {CHANGED}"))
    }

    async fn remove(&self) -> Result<String, Failure> {
        self.old_pin().await?;
        self.record("removed", None).await?;
        std::fs::remove_file(self.path).map_err(|error| FactorError::Write(error.kind()))?;
        Ok(format!("The PIN is removed. {CHANGED}"))
    }

    /// Asks for the PIN that is set.
    async fn old_pin(&self) -> Result<(), Failure> {
        let Some(file) = PinFile::read(self.path)? else {
            return Err(Failure("no PIN is set; `kms-mcp pin set` sets one".into()));
        };
        let pin = asked("PIN: ")?;
        unlock(pin, &file, self.store, self.audit, self.clock).await?;
        Ok(())
    }

    /// What is about to change goes on record first.
    async fn record(&self, outcome: &str, file: Option<&PinFile>) -> Result<(), PinError> {
        let key = file.map(|file| file.public_key.name());
        let event = Event {
            outcome: Some(outcome.into()),
            approval: Some(Approval { key, ..Approval::default() }),
            ..Event::default()
        };
        self.audit.record(Kind::FactorChanged, event, Durability::Synced).await?;
        Ok(())
    }
}

/// Asks for a new PIN, twice.
pub(super) fn new_pin() -> Result<PinFile, Failure> {
    let pin = asked(&format!("New PIN, at least {SHORTEST} characters: "))?;
    let again = asked("The same again: ")?;
    #[expect(clippy::disallowed_methods, reason = "compared with each other, both typed here")]
    if pin.expose() != again.expose() {
        return Err(Failure("these were two different PINs; nothing was changed".into()));
    }
    Ok(enrol(&pin)?)
}

fn asked(prompt: &str) -> Result<Sensitive, Failure> {
    typed(prompt, &mut std::io::stdout())?
        .ok_or_else(|| Failure("given up; nothing was changed".into()))
}
