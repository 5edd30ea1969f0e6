//! `kms-mcp audit verify [DIR]`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::super::{Failure, State};
use super::folder;
use crate::audit::verify;
use crate::env::Env;

pub(super) fn run(named: Option<PathBuf>, state: State, env: &Env) -> Result<ExitCode, Failure> {
    let report = verify(&folder(named, state, env)?);
    writeln!(std::io::stdout(), "{report}")?;
    Ok(ExitCode::from(report.exit_code()))
}
