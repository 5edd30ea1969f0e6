//! The audit log of a subcommand that decides or sends.

use std::path::Path;

use super::Failure;
use crate::audit::{AuditKey, AuditLog, Copies, Event, Keeping};
use crate::clock::Clock;
use crate::config::Config;

/// Opens a chain in the state folder, kept as `config.toml` says.
pub(in crate::cli) fn open(
    state: &Path,
    config: &Config,
    clock: &Clock,
    instance: &str,
    start: Event,
) -> Result<AuditLog, Failure> {
    let checkpoints = &config.audit.checkpoints;
    let mut keeping = Keeping::new(AuditKey::of(state)?);
    keeping.rotate_bytes = config.rotate_bytes();
    keeping.copies = Copies::open(checkpoints.file.as_deref(), checkpoints.journald.as_deref())?;
    Ok(AuditLog::open(&state.join("audit"), clock.clone(), instance, start, keeping)?)
}
