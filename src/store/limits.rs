//! Limits: how often a thing happened lately, in all processes together.

use rusqlite::params;

use super::{Store, StoreError};

impl Store {
    /// Notes that `kind` happens at `at_ms`, unless it did `most` times after `since_ms`. One
    /// statement: of many at once no more than `most` are told yes.
    pub(crate) async fn happened_below(
        &self,
        kind: String,
        at_ms: i64,
        since_ms: i64,
        most: u32,
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            connection.execute("DELETE FROM happened WHERE at_ms < ?1", [at_ms - 86_400_000])?;
            let noted = connection.execute(
                "INSERT INTO happened SELECT ?1, ?2 WHERE
                   (SELECT count(*) FROM happened WHERE kind = ?1 AND at_ms > ?3) < ?4",
                params![kind, at_ms, since_ms, most],
            )?;
            Ok(noted == 1)
        })
        .await
    }

    /// How often `kind` happened after `since_ms`.
    pub(crate) async fn count(&self, kind: String, since_ms: i64) -> Result<u32, StoreError> {
        self.run(move |connection| {
            connection.query_row(
                "SELECT count(*) FROM happened WHERE kind = ?1 AND at_ms > ?2",
                params![kind, since_ms],
                |row| row.get(0),
            )
        })
        .await
    }

    /// Whether `kind` happens for the first time in a day; if so, notes it.
    pub(crate) async fn first_time(
        &self,
        kind: &'static str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let noted = connection.execute(
                "INSERT INTO happened SELECT ?1, ?2 WHERE NOT EXISTS
                   (SELECT 1 FROM happened WHERE kind = ?1 AND at_ms > ?2 - 86400000)",
                params![kind, now_ms],
            )?;
            Ok(noted == 1)
        })
        .await
    }
}
