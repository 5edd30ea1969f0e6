//! [`AuditLog`]: the doors to the one thread that writes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use tokio::sync::oneshot;

use super::chain::Chain;
use super::event::{Event, Kind};
use super::keeping::Keeping;
use super::trail::{Closed, Trail};
use crate::clock::Clock;

/// How safe a record is before its writing is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Handed to the operating system: survives this process.
    Written,
    /// On the disk (fsync): survives the machine. For writes and disclosures.
    Synced,
}

/// Why a record could not be made. Whoever gets one sends nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditError {
    /// The file or folder cannot be used.
    #[error("could not {doing} `{}`", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The disk is full. There is no record, and no trace of it.
    #[error("no room for a record in audit file `{}`", path.display())]
    NoRoom {
        /// The file.
        path: PathBuf,
    },
    /// The path no longer names the file that this process writes.
    #[error("audit file `{}` was removed or replaced while in use", path.display())]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// Someone else cut or wrote the file.
    #[error("audit file `{}` has {found} bytes, {expected} were written", path.display())]
    Resized {
        /// The file.
        path: PathBuf,
        /// Bytes written so far.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// A checkpoint could not be copied to its second place.
    #[error("could not copy an audit checkpoint to `{}`", path.display())]
    Copy {
        /// Where to.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The second place is not the file any more that was opened.
    #[error("the second place of audit checkpoints, `{}`, was removed, replaced or cut while in use", path.display())]
    CopyMoved {
        /// The file.
        path: PathBuf,
    },
    /// An earlier record failed.
    #[error("the audit log was given up after an earlier failure; restart to open a new one")]
    Poisoned,
    /// The log was stopped.
    #[error("the audit log is stopped")]
    Stopped,
    /// The folder is open to everybody.
    #[error("audit folder `{}` is writable by everybody; use `chmod o-w`", path.display())]
    Exposed {
        /// The folder.
        path: PathBuf,
    },
    /// An instance becomes part of a file name.
    #[error("an instance has 1 to 64 characters of `A-Z a-z 0-9 - _`")]
    Instance,
    /// A record longer than readers accept.
    #[error("an audit record of {bytes} bytes is too long")]
    TooLong {
        /// Length of its line.
        bytes: usize,
    },
    /// The record could not be made into JSON.
    #[error("an audit record cannot be written as JSON")]
    Encode(#[from] serde_json::Error),
}

/// The audit log of this process: one chain, one writer thread. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct AuditLog {
    jobs: mpsc::Sender<Job>,
}

/// What the writer is asked to do, in the order asked.
#[derive(Debug)]
enum Job {
    Append { entry: Box<Entry>, done: oneshot::Sender<Result<u64, AuditError>> },
    Refuse { entry: Box<Entry>, done: oneshot::Sender<Result<u64, AuditError>> },
    Post { entry: Box<Entry> },
    Open { trail: Box<Trail>, done: oneshot::Sender<Result<Trail, AuditError>> },
    Stop { done: oneshot::Sender<()> },
}

/// A record to append.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    /// `seq` of the intent that it closes.
    pub(super) intent: Option<u64>,
    pub(super) event: Event,
    pub(super) durability: Durability,
}

impl AuditLog {
    /// Opens a new chain in `folder` (made with mode 0700 if missing) and writes `start`. Blocks.
    ///
    /// The file is `<yyyymmddThhmmssZ>-<instance>.jsonl`, mode 0600, and always a new one.
    ///
    /// # Errors
    /// If the file cannot be made and written durably; then nothing may be sent at all.
    pub(crate) fn open(
        folder: &Path,
        clock: Clock,
        instance: &str,
        start: Event,
        keeping: Keeping,
    ) -> Result<Self, AuditError> {
        let chain = Chain::create(folder, clock, instance, start, keeping)?;
        Self::over(chain, folder)
    }

    /// Starts the writer of `chain`.
    pub(super) fn over(chain: Chain, folder: &Path) -> Result<Self, AuditError> {
        let (jobs, queue) = mpsc::channel();
        thread::Builder::new().name("audit".into()).spawn(move || write(chain, &queue)).map_err(
            |source| AuditError::Io { doing: "start a writer for", path: folder.into(), source },
        )?;
        Ok(Self { jobs })
    }

    /// Records what is about to be sent. Send only once this has returned a [`Trail`].
    ///
    /// Given up half-way (the future dropped), a recorded intent is followed by `aborted`.
    ///
    /// # Errors
    /// The record is not durable: send nothing.
    pub(crate) async fn intent(
        &self,
        event: Event,
        durability: Durability,
    ) -> Result<Trail, AuditError> {
        let (done, answer) = oneshot::channel();
        let trail = Box::new(Trail::new(self.clone(), event, durability));
        self.jobs.send(Job::Open { trail, done }).map_err(|_| AuditError::Stopped)?;
        answer.await.map_err(|_| AuditError::Stopped)?
    }

    /// Records anything else and answers its `seq`.
    ///
    /// # Errors
    /// The record is not durable.
    pub(crate) async fn record(
        &self,
        kind: Kind,
        event: Event,
        durability: Durability,
    ) -> Result<u64, AuditError> {
        self.append(Entry { kind, intent: None, event, durability }).await
    }

    /// Records the answer to a call that never got an intent, durably, and proves that it did.
    /// A refusal that comes too fast is counted, see [`suppressed`](super::suppressed): the count is
    /// on record a second later, or before `stop`.
    pub(crate) async fn refuse(&self, kind: Kind, event: Event) -> Closed {
        let entry = Entry { kind, intent: None, event, durability: Durability::Synced };
        // A `result` tells what KMS said, and that is no refusal.
        if kind == Kind::Result {
            return Closed::by(&self.append(entry).await);
        }
        Closed::by(&self.ask(|done| Job::Refuse { entry: Box::new(entry), done }).await)
    }

    /// Records without waiting: for the scrubber. What comes too fast is counted, what is too long
    /// is shortened, and if there is no record at all, the log is given up: no alarm is lost.
    pub(crate) fn post(&self, kind: Kind, event: Event) {
        self.enqueue(Entry { kind, intent: None, event, durability: Durability::Written });
    }

    /// Writes a checkpoint and `stop`, durably, after everything asked before. Later records fail.
    pub(crate) async fn stop(&self) {
        let (done, answer) = oneshot::channel();
        if self.jobs.send(Job::Stop { done }).is_ok() {
            // An error means that the log was stopped already.
            let _ = answer.await;
        }
    }

    /// Appends `entry`. It is on its way from the first poll on, even if the future is dropped.
    pub(super) async fn append(&self, entry: Entry) -> Result<u64, AuditError> {
        self.ask(|done| Job::Append { entry: Box::new(entry), done }).await
    }

    async fn ask(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<u64, AuditError>>) -> Job,
    ) -> Result<u64, AuditError> {
        let (done, answer) = oneshot::channel();
        self.jobs.send(job(done)).map_err(|_| AuditError::Stopped)?;
        answer.await.map_err(|_| AuditError::Stopped)?
    }

    /// Appends `entry` if the log still runs; a failure is reported on stderr.
    pub(super) fn enqueue(&self, entry: Entry) {
        let kind = entry.kind;
        if self.jobs.send(Job::Post { entry: Box::new(entry) }).is_err() {
            tracing::error!(event = ?kind, "an audit record came after the end of the log");
        }
    }
}

/// The writer: ends at `stop`, or when the last [`AuditLog`] and [`Trail`] are gone.
fn write(mut chain: Chain, queue: &mpsc::Receiver<Job>) {
    // Whoever asked may be gone by the time of the answer: `done.send` then fails, rightly unheard.
    while let Some(job) = next(&mut chain, queue) {
        match job {
            Job::Append { entry, done } => {
                let _ = done.send(chain.append(*entry));
            }
            Job::Refuse { entry, done } => {
                let _ = done.send(chain.append_or_count(*entry));
            }
            Job::Post { entry } => chain.post(*entry),
            Job::Open { mut trail, done } => {
                let written = chain.append(trail.entry());
                // An armed trail that nobody takes is dropped here, and so posts `aborted`.
                let _ = done.send(written.map(|seq| {
                    trail.arm(seq);
                    *trail
                }));
            }
            Job::Stop { done } => {
                chain.stop();
                let _ = done.send(());
                return;
            }
        }
    }
}

/// Waits for a job. A checkpoint or count that becomes due while there is none is written.
fn next(chain: &mut Chain, queue: &mpsc::Receiver<Job>) -> Option<Job> {
    while let Some(wait) = chain.due_in() {
        match queue.recv_timeout(wait) {
            Ok(job) => return Some(job),
            Err(RecvTimeoutError::Timeout) => chain.write_due(),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
    queue.recv().ok()
}
