//! `kms-mcp audit verify [DIR]`.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::super::{Failure, State, typed};
use crate::audit::{AuditKey, Expected, PublicKey, verify};
use crate::config::state_dir;
use crate::env::Env;

/// Bytes from which on it is shown how far the reading is.
const LONG: u64 = 64 * 1024 * 1024;

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    /// Folder with the log [default: `audit` in the state folder, signed with its key]
    #[arg(value_name = "DIR", value_parser = typed::path())]
    folder: Option<PathBuf>,
    /// Public key that must have signed, as `audit key` prints it; may be named again for another
    #[arg(long = "key", value_name = "FILE|BASE64URL", allow_hyphen_values = true)]
    keys: Vec<String>,
    /// Copy of the checkpoints, from where the log's writer could not change it
    #[arg(long, value_name = "FILE", value_parser = typed::path())]
    checkpoints: Option<PathBuf>,
    #[command(flatten)]
    state: State,
}

pub(super) fn run(flags: Flags, env: &Env) -> Result<ExitCode, Failure> {
    let given = flags.keys.iter().map(|key| PublicKey::given(key));
    let mut keys = given.collect::<Result<Vec<PublicKey>, _>>();
    let folder = if let Some(folder) = flags.folder {
        folder
    } else {
        let state = state_dir(flags.state.state_dir, env)?;
        if flags.keys.is_empty() {
            keys = AuditKey::read(&state).map(|key| key.iter().map(AuditKey::public).collect());
        }
        state.join("audit")
    };
    let keys = match keys {
        Ok(keys) => keys,
        Err(error) => {
            tracing::error!("{error}");
            return Ok(ExitCode::from(3));
        }
    };
    let report = verify(&folder, &Expected { keys, copy: flags.checkpoints }, &mut progress());
    writeln!(std::io::stdout(), "{report}")?;
    Ok(ExitCode::from(report.exit_code()))
}

/// Shows on stderr, if that is a terminal, how far a long reading is.
pub(super) fn progress() -> impl FnMut(u64, u64) {
    let mut stderr = std::io::stderr();
    let on_terminal = stderr.is_terminal();
    let mut shown = 0;
    move |done, total| {
        let percent = done.saturating_mul(100) / total.max(1);
        if on_terminal && total >= LONG && percent > shown {
            shown = percent;
            let end = if done == total { "\r\x1b[K" } else { "" };
            let _ = write!(stderr, "\rverified {percent} % of {} MiB{end}", total >> 20);
            let _ = stderr.flush();
        }
    }
}
