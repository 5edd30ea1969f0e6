//! `kms-mcp audit`: what an auditor asks of the log. One file a question.

mod key;
mod open;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;

use super::{Failure, State};
use crate::env::Env;
pub(super) use open::open;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check the hash chains and signatures of a folder; exit code 0 verified, 1 tampered, 2 tail not proven, 3 unreadable
    Verify(verify::Flags),
    /// Print the public key that checks this state folder's checkpoints
    Key(State),
}

pub(super) fn run(command: Command, env: &Env) -> Result<ExitCode, Failure> {
    match command {
        Command::Verify(flags) => verify::run(flags, env),
        Command::Key(state) => key::run(state, env),
    }
}
