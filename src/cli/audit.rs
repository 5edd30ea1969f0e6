//! `kms-mcp audit verify [DIR]`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::{Failure, State};
use crate::audit::verify;
use crate::config::state_dir;
use crate::env::Env;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check the hash chains of a folder; exit code 0 verified, 1 tampered, 2 tail not proven, 3 unreadable
    Verify {
        /// Folder with the log [default: `audit` in the state folder]
        folder: Option<PathBuf>,
        #[command(flatten)]
        state: State,
    },
}

pub(super) fn run(command: Command, env: &Env) -> Result<ExitCode, Failure> {
    let Command::Verify { folder, state } = command;
    let folder = match folder {
        Some(folder) => folder,
        None => state_dir(state.state_dir, env)?.join("audit"),
    };
    let report = verify(&folder);
    writeln!(std::io::stdout(), "{report}")?;
    Ok(ExitCode::from(report.exit_code()))
}
