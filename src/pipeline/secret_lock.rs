//! [`SecretLocks`]: one change of a secret at a time, in all processes of a state folder.
//!
//! Between the reading of what a call depends on and the call itself no other call of ours may change
//! it. A version id that was free would be taken, and KMS, which compares the two values, would tell
//! whether they are equal. A stage that kept a version would go, and another version would be lost
//! than the person was shown.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::Caller;
use crate::guard::Refusal;

/// How often a lock that is held is tried again.
const POLL: Duration = Duration::from_millis(20);
/// How long a call waits for one.
const MAX_WAIT: Duration = Duration::from_mins(1);

/// The lock files of a state folder: 256, so that a name of which there is no secret leaves nothing
/// behind for ever. Secrets that share one wait for each other now and then.
#[derive(Debug)]
pub(crate) struct SecretLocks(PathBuf);

/// Held until it is dropped, also by a crash: the system releases it with the file.
#[derive(Debug)]
pub(super) struct SecretLock {
    _file: File,
}

impl SecretLocks {
    /// The locks in that folder, which is made when it is needed.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Takes the lock of the secret of that name, in whatever region and account: neither is always
    /// known before the call.
    ///
    /// # Errors
    /// The folder cannot be used, another call holds the lock for a minute, or the client gave up.
    pub(super) async fn acquire(&self, name: &str, caller: &Caller) -> Result<SecretLock, Refusal> {
        let [first, ..] = <[u8; 32]>::from(Sha256::digest(name.as_bytes()));
        let (folder, path) = (self.0.clone(), self.0.join(format!("{first:02x}")));
        let opened = tokio::task::spawn_blocking(move || {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
            let flags = flags.bits().cast_signed();
            let mut options = OpenOptions::new();
            options.create(true).append(true).mode(0o600).custom_flags(flags).open(path)
        });
        let file = opened.await.map_err(|_| unusable(io::ErrorKind::Other))?;
        let file = file.map_err(|error| unusable(error.kind()))?;
        let until = tokio::time::Instant::now() + MAX_WAIT;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(unusable(error.kind())),
                Err(TryLockError::WouldBlock) if tokio::time::Instant::now() >= until => {
                    return Err(Refusal::ChangeInProgress);
                }
                // It does nothing meanwhile, so that other calls may.
                Err(TryLockError::WouldBlock) => caller.turn.give_back(),
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                () = (caller.cancelled)() => return Err(Refusal::Cancelled),
            }
        }
        caller.turn.take_again().await;
        Ok(SecretLock { _file: file })
    }
}

fn unusable(kind: io::ErrorKind) -> Refusal {
    Refusal::StateUnavailable(format!("the locks in the state folder cannot be used ({kind})"))
}
