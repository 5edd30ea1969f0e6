//! The versions of a secret and their sealed values.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::error::Refusal;

/// How many versions a secret keeps.
const MOST: i64 = 10;

/// One version; `data` is sealed.
#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) data: Vec<u8>,
    pub(crate) data_type: String,
}

impl Version {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            created: row.get("created")?,
            data: row.get("data")?,
            data_type: row.get("data_type")?,
        })
    }

    /// The version of that id.
    pub(crate) fn find(
        tx: &Transaction<'_>,
        secret: i64,
        id: &str,
    ) -> Result<Option<Self>, Refusal> {
        Ok(tx
            .query_row(
                "SELECT id, created, data, data_type FROM version WHERE secret = ? AND id = ?",
                params![secret, id],
                Self::of,
            )
            .optional()?)
    }

    /// Stores a new version.
    pub(crate) fn insert(&self, tx: &Transaction<'_>, secret: i64) -> Result<(), Refusal> {
        tx.execute(
            "INSERT INTO version (secret, id, created, data, data_type) VALUES (?, ?, ?, ?, ?)",
            params![secret, self.id, self.created, self.data, self.data_type],
        )?;
        Ok(())
    }
}

/// Drops the oldest versions without a stage until the rest fits; stages are saved before.
pub(crate) fn drop_overflow(tx: &Transaction<'_>, secret: i64) -> Result<(), Refusal> {
    let count = |tx: &Transaction<'_>| {
        tx.query_row("SELECT count(*) FROM version WHERE secret = ?", [secret], |row| {
            row.get::<_, i64>(0)
        })
    };
    while count(tx)? > MOST {
        let dropped = tx.execute(
            "DELETE FROM version WHERE seq = (
               SELECT min(seq) FROM version WHERE secret = ?1 AND id NOT IN
                 (SELECT version FROM stage WHERE secret = ?1))",
            [secret],
        )?;
        if dropped == 0 {
            return Err(Refusal::LimitExceeded);
        }
    }
    Ok(())
}

/// Refuses an id that KMS would not take.
pub(crate) fn check_id(id: &str) -> Result<&str, Refusal> {
    if id.chars().count() <= 64 { Ok(id) } else { Err(Refusal::InvalidParameter) }
}
