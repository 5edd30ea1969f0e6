//! `kms-mcp audit`: what an auditor asks of the log. One file a question.

mod export;
mod filters;
mod key;
mod open;
mod private;
mod progress;
mod reading;
mod reconcile;
mod report;
mod show;
mod table;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::{Failure, State};
use crate::clock::Clock;
use crate::config::state_dir;
use crate::env::Env;
pub(super) use open::open;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check the hash chains and signatures of a folder; exit code 0 verified, 1 tampered, 2 tail not proven, 3 unreadable
    Verify(verify::Flags),
    /// Print the public key that checks this state folder's checkpoints
    Key(State),
    /// Show who asked for what, who let it through and what came of it; one row per call
    Show(Box<show::Flags>),
    /// Write the records as CSV or JSON, for other programs
    Export(Box<export::Flags>),
    /// Write one page with charts and tables, for a browser, without a script
    Report(Box<report::Flags>),
    /// Compare with ActionTrail; exit code 1 if it has calls that this log has not, 3 unreadable
    Reconcile(Box<reconcile::Flags>),
}

pub(super) fn run(command: Command, env: &Env) -> Result<ExitCode, Failure> {
    let clock = Clock::system();
    match command {
        Command::Verify(flags) => verify::run(flags, env),
        Command::Key(state) => key::run(state, env),
        Command::Export(flags) => export::run(*flags, env, &clock),
        Command::Reconcile(flags) => reconcile::run(*flags, env, &clock),
        Command::Report(flags) => report::run(*flags, env, &clock),
        Command::Show(flags) => show::run(*flags, env, &clock),
    }
}

/// The folder that was named, or the one that this user's servers write to.
fn folder(named: Option<PathBuf>, state: State, env: &Env) -> Result<PathBuf, Failure> {
    Ok(match named {
        Some(folder) => folder,
        None => state_dir(state.state_dir, env)?.join("audit"),
    })
}
