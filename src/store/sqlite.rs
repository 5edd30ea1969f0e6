//! The database file: how it is opened, and the layout of its tables.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::StoreError;
use super::worker::BUSY_LIMIT;
use crate::files::{STORE, ensure_private, state_folder};

/// The layout below, as `user_version`.
const VERSION: i64 = 3;

const SCHEMA: &str = "
CREATE TABLE approvals (
  token_hash BLOB PRIMARY KEY,     -- SHA-256 of the token
  digest     BLOB NOT NULL,        -- of the record; what a decision is about
  record     BLOB NOT NULL,        -- exactly the bytes the approver is shown; empty once it is over
  match_code TEXT NOT NULL,
  level      TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'spent')),
  instance   TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,     -- of a pending one; after a yes, until when it may be used
  decided_ms INTEGER,
  method     TEXT,
  who        TEXT,
  signature  BLOB,                 -- over the decision, where a PIN is set
  about      BLOB                  -- hash of action, region and secret: a no holds for all of it
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_by_state ON approvals (state, expires_ms);
CREATE INDEX approvals_by_created ON approvals (created_ms);
CREATE INDEX approvals_by_expiry ON approvals (expires_ms);
CREATE TABLE happened (kind TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
CREATE INDEX happened_by_kind ON happened (kind, at_ms);
";

/// From the layout before each to the next, the oldest first.
const MIGRATIONS: [&str; 2] = [
    "ALTER TABLE approvals ADD COLUMN signature BLOB",
    "ALTER TABLE approvals ADD COLUMN about BLOB;
     CREATE INDEX approvals_by_created ON approvals (created_ms);
     CREATE INDEX approvals_by_expiry ON approvals (expires_ms);
     DELETE FROM approvals WHERE level = 'token';
     UPDATE approvals SET record = x'' WHERE state <> 'pending';",
];

/// Opens the database in `folder`, which is made with mode 0700. Blocks.
pub(super) fn open(folder: &Path) -> Result<Connection, StoreError> {
    // SQLite, told to follow no link, refuses one above the file as well: it gets a path without.
    let path = state_folder(folder)?.join(STORE);
    ensure_private(&path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = Connection::open_with_flags(&path, flags)?;
    connection.busy_timeout(BUSY_LIMIT)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::NoWal);
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What the agent said leaves the file with the question: its bytes are overwritten.
    connection.pragma_update(None, "secure_delete", "ON")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match transaction.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))? {
        0 => transaction.execute_batch(SCHEMA)?,
        old @ 1..=VERSION => {
            let done = usize::try_from(old - 1).unwrap_or_default();
            MIGRATIONS.iter().skip(done).try_for_each(|step| transaction.execute_batch(step))?;
        }
        _ => return Err(StoreError::Newer),
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "
CREATE TABLE approvals (token_hash BLOB PRIMARY KEY, digest BLOB NOT NULL, record BLOB NOT NULL,
  match_code TEXT NOT NULL, level TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'spent')),
  instance TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,
  decided_ms INTEGER, method TEXT, who TEXT) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_by_state ON approvals (state, expires_ms);
CREATE TABLE happened (kind TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
CREATE INDEX happened_by_kind ON happened (kind, at_ms);";

    #[test]
    fn a_store_of_the_first_layout_gets_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let old = Connection::open(folder.path().join("store.sqlite")).unwrap();
        old.execute_batch(FIRST).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        drop(old);
        for _ in 0..2 {
            let opened = open(folder.path()).unwrap();
            opened.prepare("SELECT signature, about FROM approvals").unwrap();
        }
    }

    #[test]
    fn a_newer_store_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let opened = open(folder.path()).unwrap();
        opened.pragma_update(None, "user_version", VERSION + 1).unwrap();
        assert!(matches!(open(folder.path()), Err(StoreError::Newer)));
    }
}
