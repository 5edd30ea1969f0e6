//! What all kms-mcp processes of one user share: approvals, spent tokens, limits. In SQLite.
//!
//! The store holds the SHA-256 of a token, never the token, and the record's bytes for the approver
//! to render. Nothing in it tells a server *what to do*: a server compares digests and no more.
//!
//! `model` what is kept · `sqlite` the file and its tables · `worker` the thread that uses it

mod approvals;
mod attempts;
mod limits;
mod model;
mod sqlite;
mod worker;

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::files::{Fault, FileError};

pub(crate) use attempts::Wrong;
pub(crate) use limits::Happened;
pub(crate) use model::{
    Asking, Decided, Decision, Denied, Hash, Identity, Method, Pending, Room, Standing,
};
use worker::Job;

/// How long the end of the process waits for the database to be closed.
const FAREWELL: Duration = Duration::from_millis(300);

/// Why the store cannot be used. SQLite's own text is not repeated: it may quote a row.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The folder or file.
    #[error("the state folder cannot be used: {0}")]
    Folder(#[from] FileError),
    /// A newer kms-mcp made it.
    #[error("the store was written by a newer kms-mcp; update this one")]
    Newer,
    /// The file system cannot hold a write-ahead log (network homes cannot).
    #[error(
        "the state folder does not support SQLite's write-ahead log; put it on a local disk with `--state-dir`"
    )]
    NoWal,
    /// Another program keeps the database locked for more than five seconds.
    #[error("another program has locked `store.sqlite` in the state folder")]
    Busy,
    /// The process is ending.
    #[error("the store is closed: kms-mcp is ending")]
    Closed,
    /// Anything else, by SQLite's result code.
    #[error("the store failed ({0})")]
    Sqlite(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(code) => Self::Sqlite(format!("{code:?}")),
            None => Self::Sqlite("no code".into()),
        }
    }
}

/// A handle; cheap to clone. No method blocks but [`Store::open`].
#[derive(Clone)]
pub(crate) struct Store {
    jobs: mpsc::Sender<Job>,
    changes: Arc<watch::Sender<u64>>,
}

impl Store {
    /// Opens the store in `folder`, which is made with mode 0700. Blocks: for the start of a process.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        let connection = sqlite::open(folder)?;
        let (jobs, queue) = mpsc::channel();
        let changes = Arc::new(watch::Sender::new(0));
        let told = Arc::clone(&changes);
        thread::Builder::new()
            .name("store".into())
            .spawn(move || worker::run(connection, &queue, &told))
            .map_err(|error| Fault::Io(error).at(folder))?;
        Ok(Self { jobs, changes })
    }

    /// Does `work` on the store's own thread. It is on its way from the first poll on, even if the
    /// future is dropped.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, answer) = oneshot::channel();
        let work = Box::new(move |connection: Result<&Connection, StoreError>| {
            // Whoever asked may be gone by now.
            let _ = done.send(connection.and_then(|connection| Ok(work(connection)?)));
        });
        let job = Job::Work { since: Instant::now(), work };
        self.jobs.send(job).map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Listens for changes from now on, by this process and by others.
    pub(crate) fn changes(&self) -> Changes {
        let changes = Changes(self.changes.subscribe());
        // A store that is closed does not change any more.
        let _ = self.jobs.send(Job::Listen);
        changes
    }

    /// Takes back what `instance`, which ends at `now_ms`, has asked, and closes the database for
    /// every holder of a handle: what a background task still holds when the process ends would
    /// leave its write-ahead log behind. Waits a second at most.
    pub(crate) async fn close(&self, instance: String, now_ms: i64) {
        let farewell = async {
            // A store that fails is tidied by the next process.
            let _ = self.leave(instance, now_ms).await;
            let (done, closed) = oneshot::channel();
            if self.jobs.send(Job::Close { done }).is_ok() {
                let _ = closed.await;
            }
        };
        // Locked by another program, the file is left as it is: SQLite recovers it.
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

/// Tells when the store has changed. All who listen share the one look at the database.
#[derive(Debug)]
pub(crate) struct Changes(watch::Receiver<u64>);

impl Changes {
    /// Ends when something has changed since the last time, or since listening began. It never ends
    /// once the store is closed.
    pub(crate) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_by_another_process_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (own, other) =
            (Store::open(folder.path()).unwrap(), Store::open(folder.path()).unwrap());
        let mut changes = own.changes();
        other.happened_below("something".into(), 1, 0, 9).await.unwrap();
        tokio::time::timeout(Duration::from_mins(1), changes.changed()).await.unwrap();
        own.happened_below("something".into(), 2, 0, 9).await.unwrap();
        tokio::time::timeout(Duration::from_mins(1), changes.changed()).await.unwrap();
    }

    #[tokio::test]
    async fn a_locked_database_fails_all_who_wait_after_one_time_limit() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let lock = Connection::open(folder.path().join("store.sqlite")).unwrap();
        lock.execute_batch("BEGIN IMMEDIATE").unwrap();
        let all = (0..20).map(|at| {
            let store = store.clone();
            tokio::spawn(async move { store.happened_below("something".into(), at, 0, 9).await })
        });
        // One after the other, each with the whole patience, they would take 100 seconds.
        for one in all.collect::<Vec<_>>() {
            assert!(matches!(one.await.unwrap(), Err(StoreError::Busy)));
        }
        lock.execute_batch("ROLLBACK").unwrap();
        assert!(store.happened_below("something".into(), 1, 0, 9).await.unwrap().is_some());
        assert_eq!(store.count("something".into(), 0).await.unwrap(), 1);
        store.close("one".into(), 0).await;
        assert!(matches!(store.count("something".into(), 0).await, Err(StoreError::Closed)));
    }
}
