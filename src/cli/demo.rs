//! `kms-mcp demo`.
use super::Failure;
use crate::env::Env;
use std::process::ExitCode;
pub(super) async fn run(_env: &Env) -> Result<ExitCode, Failure> {
    Err(Failure("not yet".into()))
}
