//! The nonces seen of late: a signed request is good once, for every process that serves the same
//! data and after a restart too.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, params};

/// Nonces, each kept until the request that bore it would be too old anyway. They are in a file of
/// their own: what is lost when the machine loses power is not worth a sync for each request.
#[derive(Debug)]
pub(crate) struct Nonces(Mutex<Connection>);

impl Nonces {
    /// Opens the file, which is made if it is not there.
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        Self::of(Connection::open(path)?)
    }

    fn of(connection: Connection) -> rusqlite::Result<Self> {
        connection.busy_timeout(Duration::from_secs(30))?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
             CREATE TABLE IF NOT EXISTS nonce
               (nonce TEXT PRIMARY KEY, until_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
             CREATE INDEX IF NOT EXISTS nonce_until ON nonce (until_ms);",
        )?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Whether `nonce` is new at `now_ms`; if so, it is kept until `until_ms`. Blocks.
    pub(crate) fn first_use(
        &self,
        nonce: &str,
        now_ms: i64,
        until_ms: i64,
    ) -> rusqlite::Result<bool> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        connection.execute("DELETE FROM nonce WHERE until_ms < ?1", [now_ms])?;
        let added = connection.execute(
            "INSERT OR IGNORE INTO nonce (nonce, until_ms) VALUES (?1, ?2)",
            params![nonce, until_ms],
        )?;
        Ok(added == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_new_again_after_its_time_and_not_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nonces.db");
        let nonces = Nonces::open(&path).unwrap();
        assert!(nonces.first_use("a", 0, 10).unwrap());
        assert!(!nonces.first_use("a", 10, 20).unwrap());
        let again = Nonces::open(&path).unwrap();
        assert!(!again.first_use("a", 10, 20).unwrap());
        assert!(again.first_use("a", 11, 21).unwrap());
        assert!(!nonces.first_use("a", 12, 22).unwrap());
    }
}
