//! What all kms-mcp processes of one user share: approvals, spent tokens, limits. In SQLite.
//!
//! The store holds the SHA-256 of a token, never the token, and the record's bytes for the approver
//! to render. Nothing in it tells a server *what to do*: a server compares digests and no more.

mod approvals;
mod attempts;
mod limits;

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

pub(crate) use approvals::{Asking, Decided, Decision, Hash, Pending, Room, Standing};

/// The layout below, as `user_version`.
const VERSION: i64 = 2;

const SCHEMA: &str = "
CREATE TABLE approvals (
  token_hash BLOB PRIMARY KEY,     -- SHA-256 of the token
  digest     BLOB NOT NULL,        -- of the record; what a decision is about
  record     BLOB NOT NULL,        -- exactly the bytes the approver is shown
  match_code TEXT NOT NULL,
  level      TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'spent')),
  instance   TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,     -- of a pending one; after a yes, until when it may be used
  decided_ms INTEGER,
  method     TEXT,
  who        TEXT,
  signature  BLOB                  -- over the decision, where a PIN is set
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_by_state ON approvals (state, expires_ms);
CREATE TABLE happened (kind TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
CREATE INDEX happened_by_kind ON happened (kind, at_ms);
";

/// From the layout before each to the next, the oldest first.
const MIGRATIONS: [&str; 1] = ["ALTER TABLE approvals ADD COLUMN signature BLOB"];

/// Why the store cannot be used. SQLite's own text is not repeated: it may quote a row.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The folder or file.
    #[error("the state folder cannot be used ({0})")]
    Folder(std::io::ErrorKind),
    /// A newer kms-mcp made it.
    #[error("the store was written by a newer kms-mcp; update this one")]
    Newer,
    /// The file system cannot hold a write-ahead log (network homes cannot).
    #[error(
        "the state folder does not support SQLite's write-ahead log; put it on a local disk with `--state-dir`"
    )]
    NoWal,
    /// The process is ending.
    #[error("the store is closed: kms-mcp is ending")]
    Closed,
    /// Anything else, by SQLite's result code.
    #[error("the store failed ({0})")]
    Sqlite(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error.sqlite_error_code().map_or("no code".into(), |code| format!("{code:?}")))
    }
}

/// A handle; cheap to clone.
#[derive(Clone)]
pub(crate) struct Store(Arc<Mutex<Option<Connection>>>);

impl Store {
    /// Opens the store in `folder`, which is made with mode 0700.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        private_folder(folder)?;
        let path = folder.join("store.sqlite");
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| StoreError::Folder(error.kind()))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let mut connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        let mode: String =
            connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(StoreError::NoWal);
        }
        connection.pragma_update(None, "synchronous", "FULL")?;
        let transaction =
            connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        match transaction.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))? {
            0 => transaction.execute_batch(SCHEMA)?,
            old @ 1..=VERSION => {
                let done = usize::try_from(old - 1).unwrap_or_default();
                MIGRATIONS
                    .iter()
                    .skip(done)
                    .try_for_each(|step| transaction.execute_batch(step))?;
            }
            _ => return Err(StoreError::Newer),
        }
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()?;
        Ok(Self(Arc::new(Mutex::new(Some(connection)))))
    }

    /// Runs `work` on the thread pool for blocking calls.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || store.now(work)).await;
        done.map_err(|_| StoreError::Sqlite("stopped".into()))?
    }

    fn now<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(work(connection.as_ref().ok_or(StoreError::Closed)?)?)
    }

    /// Closes the database for every holder of a handle: what a background task still holds when
    /// the process ends would leave its write-ahead log behind.
    pub(crate) fn close(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

/// Makes `folder` with mode 0700, and takes away what others may do there.
pub(crate) fn private_folder(folder: &Path) -> Result<(), StoreError> {
    let failed = |error: std::io::Error| StoreError::Folder(error.kind());
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let mode = fs::metadata(folder).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_of_the_first_layout_gets_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let old = Connection::open(folder.path().join("store.sqlite")).unwrap();
        let first = SCHEMA
            .replace("who        TEXT,", "who        TEXT")
            .replace("signature  BLOB ", "-- ");
        old.execute_batch(&first).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        drop(old);
        let signed = |store: &Store| {
            store.now(|connection| connection.prepare("SELECT signature FROM approvals").map(drop))
        };
        for _ in 0..2 {
            signed(&Store::open(folder.path()).unwrap()).unwrap();
        }
    }

    #[test]
    fn a_newer_store_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store
            .now(|connection| connection.pragma_update(None, "user_version", VERSION + 1))
            .unwrap();
        assert!(matches!(Store::open(folder.path()), Err(StoreError::Newer)));
    }
}
