//! `kms-mcp pin enroll`: root keeps the key of a user's PIN where the user cannot change it.

use std::fs::{DirBuilder, Permissions, set_permissions};
use std::io::{IsTerminal, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use nix::unistd::{Uid, User};

use super::Failure;
use super::pin::new_pin;
use crate::anchor;
use crate::approval::{enrol, piped};
use crate::env::{Env, SUDO_UID};
use crate::files::sync_folder;

/// The largest size of an enrolled file in bytes.
const MAX_BYTES: u64 = 4096;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// User whose servers the PIN is for [default: the one who called sudo]
    #[arg(long, value_name = "N")]
    uid: Option<u32>,
    /// Read the PIN from the first line of stdin. Needs no terminal
    #[arg(long)]
    pin_stdin: bool,
}

pub(super) fn run(flags: &Flags, env: &Env) -> Result<ExitCode, Failure> {
    if !rustix::process::geteuid().is_root() {
        return Err(Failure("only root can enroll a PIN: run `sudo kms-mcp pin enroll`".into()));
    }
    // Otherwise the user of the PIN could have put another program here, which sees it typed.
    anchor::check_program().map_err(|error| {
        Failure(format!(
            "this program could be replaced by somebody other than root, so it takes no PIN: {error}. Install it where only root can write, such as /usr/local/bin"
        ))
    })?;
    let uid = flags.uid.or_else(|| env.get(SUDO_UID)?.parse().ok());
    let uid = uid.ok_or_else(|| Failure("name the user of the servers: --uid N".into()))?;
    let user = User::from_uid(Uid::from_raw(uid))?
        .ok_or_else(|| Failure(format!("there is no user {uid}, so no group can read the file")))?;
    let path = anchor::approver(uid);
    if anchor::read(&path, MAX_BYTES)?.is_some() {
        return Err(Failure(format!(
            "a PIN of user {uid} is enrolled already; to enroll another, remove `{}` first",
            path.display()
        )));
    }
    let pin = if flags.pin_stdin {
        enrol(&piped()?.ok_or_else(|| Failure("no PIN on stdin; nothing was changed".into()))?)?
    } else if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        new_pin()?
    } else {
        return Err(Failure("a PIN is typed on a terminal, or piped in with --pin-stdin".into()));
    };
    let folder = anchor::approvers();
    for missing in [folder.parent(), Some(&*folder)].into_iter().flatten() {
        make(missing)?;
    }
    pin.create_for_group(&path, user.gid.as_raw())?;
    let mut out = std::io::stdout();
    writeln!(out, "The PIN of user {uid} ({}) is enrolled in `{}`.", user.name, path.display())?;
    writeln!(
        out,
        "Running servers of this user accept no more approvals: restart them. A `pin.json` in a state folder counts for nothing."
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Makes a folder of root's that everybody can look into, unless it is there; then checks it.
fn make(folder: &Path) -> Result<(), Failure> {
    match DirBuilder::new().mode(0o755).create(folder) {
        Ok(()) => {
            // Whatever the umask of root's shell says.
            set_permissions(folder, Permissions::from_mode(0o755))?;
            sync_folder(folder.parent().unwrap_or(folder))?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    Ok(anchor::check(folder)?)
}
