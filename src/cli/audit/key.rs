//! `kms-mcp audit key`.

use std::io::Write;
use std::process::ExitCode;

use super::{Failure, State};
use crate::audit::AuditKey;
use crate::config::state_dir;
use crate::env::Env;

pub(super) fn run(state: State, env: &Env) -> Result<ExitCode, Failure> {
    let state = state_dir(state.state_dir, env)?;
    let Some(key) = AuditKey::read(&state)? else {
        return Err(Failure(format!(
            "there is no audit key in `{}`: the first `kms-mcp serve` makes it",
            state.display()
        )));
    };
    writeln!(std::io::stdout(), "{}", key.public())?;
    Ok(ExitCode::SUCCESS)
}
