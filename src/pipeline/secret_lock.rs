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
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

use super::Caller;
use crate::guard::Refusal;

/// How often a lock that is held is tried again.
const POLL: Duration = Duration::from_millis(20);
/// How long a call waits for one.
const MAX_WAIT: Duration = Duration::from_mins(1);

/// The locks of a state folder: 256 files, so that a name of which there is no secret leaves nothing
/// behind for ever. Secrets that share one wait for each other now and then.
#[derive(Debug)]
pub(crate) struct SecretLocks {
    folder: PathBuf,
    /// Before each file, the calls of this process in the order in which they came: only the first of
    /// them opens it.
    queues: Vec<Arc<Mutex<()>>>,
}

/// Held until it is dropped, also by a crash: the system releases it with the file.
#[derive(Debug)]
pub(super) struct SecretLock {
    _file: File,
    _first: OwnedMutexGuard<()>,
}

impl SecretLocks {
    /// The locks in that folder, which is made when it is needed.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, queues: (0..=u8::MAX).map(|_| Arc::default()).collect() }
    }

    /// Takes the lock of the secret of that name, in whatever region and account: neither is always
    /// known before the call.
    ///
    /// # Errors
    /// The folder cannot be used, another call holds the lock for a minute, or the client gave up.
    pub(super) async fn acquire(&self, name: &str, caller: &Caller) -> Result<SecretLock, Refusal> {
        let [bucket, ..] = <[u8; 32]>::from(Sha256::digest(name.as_bytes()));
        let queue = self.queues.get(usize::from(bucket)).map(Arc::clone).unwrap_or_default();
        let until = Instant::now() + MAX_WAIT;
        let first = if let Ok(first) = Arc::clone(&queue).try_lock_owned() {
            first
        } else {
            // It does nothing meanwhile, so that other calls may.
            caller.turn.give_back();
            tokio::select! {
                first = queue.lock_owned() => first,
                () = tokio::time::sleep_until(until) => return Err(Refusal::ChangeInProgress),
                () = (caller.cancelled)() => return Err(Refusal::Cancelled),
            }
        };
        let file = self.open(bucket).await.map_err(unusable)?;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(unusable(error)),
                Err(TryLockError::WouldBlock) if Instant::now() >= until => {
                    return Err(Refusal::ChangeInProgress);
                }
                Err(TryLockError::WouldBlock) => caller.turn.give_back(),
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                () = (caller.cancelled)() => return Err(Refusal::Cancelled),
            }
        }
        caller.take_turn_again().await?;
        Ok(SecretLock { _file: file, _first: first })
    }

    async fn open(&self, bucket: u8) -> io::Result<File> {
        let (folder, path) = (self.folder.clone(), self.folder.join(format!("{bucket:02x}")));
        let opened = tokio::task::spawn_blocking(move || {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
            let flags = flags.bits().cast_signed();
            let mut options = OpenOptions::new();
            options.create(true).append(true).mode(0o600).custom_flags(flags).open(path)
        });
        opened.await?
    }
}

#[expect(clippy::needless_pass_by_value, reason = "given to `map_err`")]
fn unusable(error: io::Error) -> Refusal {
    let kind = error.kind();
    Refusal::StateUnavailable(format!("the locks in the state folder cannot be used ({kind})"))
}
