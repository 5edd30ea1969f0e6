//! `kms-mcp demo`.
use std::process::ExitCode;
use super::Failure;
use crate::env::Env;
pub(super) async fn run(_env: &Env) -> Result<ExitCode, Failure> {
    Err(Failure("not yet".into()))
}
