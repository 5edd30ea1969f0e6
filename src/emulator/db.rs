//! The database: `SQLite` in write-ahead mode, every commit synced before it is answered.
//!
//! One connection behind a lock, used from blocking threads. Several processes may share the file.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::EmulatorError;
use super::error::Refusal;

const SCHEMA: i64 = 2;

/// `secret (name)` is unique and so indexed: any page of a listing is found by walking that index
/// alone. The other indexes carry the name for the same reason.
const CREATE: &str = "
CREATE TABLE secret (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  description TEXT NOT NULL,
  instance TEXT,
  key TEXT,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  planned_delete INTEGER,
  extended TEXT,
  rotates INTEGER,
  interval INTEGER,
  rotated INTEGER,
  next_rotation INTEGER,
  policy TEXT
) STRICT;
CREATE INDEX secret_type ON secret (type, name);
CREATE INDEX secret_instance ON secret (instance, name);
CREATE INDEX secret_description ON secret (description, name);
CREATE INDEX secret_planned_delete ON secret (planned_delete) WHERE planned_delete IS NOT NULL;
CREATE INDEX secret_next_rotation ON secret (next_rotation) WHERE next_rotation IS NOT NULL;
CREATE TABLE version (
  seq INTEGER PRIMARY KEY,
  secret INTEGER NOT NULL REFERENCES secret ON DELETE CASCADE,
  id TEXT NOT NULL,
  created INTEGER NOT NULL,
  data BLOB NOT NULL,
  data_type TEXT NOT NULL,
  UNIQUE (secret, id)
) STRICT;
CREATE TABLE stage (
  secret INTEGER NOT NULL REFERENCES secret ON DELETE CASCADE,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  PRIMARY KEY (secret, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE tag (
  secret INTEGER NOT NULL REFERENCES secret ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (secret, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE instance (id TEXT PRIMARY KEY) STRICT;
CREATE TABLE key (
  id TEXT PRIMARY KEY,
  instance TEXT,
  spec TEXT NOT NULL,
  usage TEXT NOT NULL,
  origin TEXT NOT NULL,
  protection TEXT NOT NULL,
  state TEXT NOT NULL,
  service INTEGER NOT NULL,
  description TEXT NOT NULL,
  created INTEGER NOT NULL,
  interval INTEGER,
  version TEXT NOT NULL,
  policy TEXT,
  tags TEXT NOT NULL
) STRICT;
CREATE INDEX key_created ON key (created, id);
";

/// What version 2 added. Each tag has a copy of what listings filter by, held up to date by the
/// database itself, and indices in the order of names: a page of tagged secrets, and how many there
/// are up to the limit, is then found without looking at the other 100,000.
const SECOND: &str = "
DROP INDEX IF EXISTS tag_key;
DROP INDEX IF EXISTS tag_value;
ALTER TABLE tag ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE tag ADD COLUMN type TEXT NOT NULL DEFAULT '';
ALTER TABLE tag ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE tag ADD COLUMN instance TEXT;
UPDATE tag SET (name, type, description, instance) =
  (SELECT name, type, description, instance FROM secret WHERE id = tag.secret);
CREATE TRIGGER tag_copies AFTER INSERT ON tag BEGIN
  UPDATE tag SET (name, type, description, instance) =
    (SELECT name, type, description, instance FROM secret WHERE id = NEW.secret)
    WHERE secret = NEW.secret AND key = NEW.key;
END;
CREATE TRIGGER tag_follows AFTER UPDATE OF description ON secret
WHEN NEW.description <> OLD.description BEGIN
  UPDATE tag SET description = NEW.description WHERE secret = NEW.id;
END;
CREATE INDEX tag_key ON tag (key, name, type, description, instance);
CREATE INDEX tag_value ON tag (value, name, type, description, instance);
CREATE INDEX tag_pair ON tag (key, value, name, type, description, instance);
CREATE INDEX secret_type_description ON secret (type, description, name);
CREATE INDEX secret_instance_type ON secret (instance, type, name);
CREATE INDEX secret_instance_description ON secret (instance, description, name);
";

/// An open database.
#[derive(Debug)]
pub(crate) struct Db(Mutex<Connection>);

impl Db {
    /// Opens the file; `seed` fills a new database, in the transaction that creates it.
    pub(crate) fn open(
        path: &Path,
        seed: impl FnOnce(&Transaction<'_>) -> Result<(), EmulatorError>,
    ) -> Result<Self, EmulatorError> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(30))?;
        let mode: String =
            connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(EmulatorError::NoWal { path: path.to_owned() });
        }
        connection.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;
             PRAGMA secure_delete = ON; PRAGMA cache_size = -16384;",
        )?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match transaction.query_row("PRAGMA user_version", [], |row| row.get(0))? {
            SCHEMA => {}
            old @ (0 | 1) => {
                if old == 0 {
                    transaction.execute_batch(CREATE)?;
                    seed(&transaction)?;
                }
                transaction.execute_batch(SECOND)?;
                transaction.pragma_update(None, "user_version", SCHEMA)?;
            }
            found => return Err(EmulatorError::NewerSchema { found, known: SCHEMA }),
        }
        transaction.commit()?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Runs `work` on one consistent state; what it changed is lost.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(&connection.transaction()?)
    }

    /// Runs `work`; if it is content, its changes are on disk before this returns.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_schema_is_brought_forward() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("kms.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(CREATE).unwrap();
        old.execute_batch(
            "INSERT INTO secret (id, name, type, description, created, updated)
               VALUES (7, 'a', 'Generic', 'd', 0, 0);
             INSERT INTO tag (secret, key, value) VALUES (7, 'k', 'v');
             PRAGMA user_version = 1;",
        )
        .unwrap();
        drop(old);
        let db = Db::open(&path, |_| Ok(())).unwrap();
        let copied = |tx: &Transaction<'_>| -> Result<(String, String), Refusal> {
            let select = "SELECT name, description FROM tag WHERE key = 'k'";
            Ok(tx.query_row(select, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
        };
        assert_eq!(db.read(copied), Ok(("a".into(), "d".into())));
        db.write(|tx| Ok(tx.execute("UPDATE secret SET description = 'e'", [])?)).unwrap();
        assert_eq!(db.read(copied), Ok(("a".into(), "e".into())));
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("kms.db");
        drop(Db::open(&path, |_| Ok(())).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", SCHEMA + 1).unwrap();
        let refused = Db::open(&path, |_| Ok(())).unwrap_err();
        assert!(matches!(refused, EmulatorError::NewerSchema { found: 3, known: 2 }));
    }
}
