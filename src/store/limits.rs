//! Limits: how often a thing happened lately, in all processes together.

use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError};

/// One thing that was counted, so that it can be taken back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Happened(i64);

impl Store {
    /// Notes that `kind` happens at `at_ms`, unless it did `most` times after `since_ms`: then
    /// `None`. One statement: of many at once no more than `most` are counted.
    pub(crate) async fn happened_below(
        &self,
        kind: String,
        at_ms: i64,
        since_ms: i64,
        most: u32,
    ) -> Result<Option<Happened>, StoreError> {
        self.run(move |connection| {
            connection.execute("DELETE FROM happened WHERE at_ms < ?1", [at_ms - 86_400_000])?;
            connection
                .query_row(
                    "INSERT INTO happened SELECT ?1, ?2 WHERE
                       (SELECT count(*) FROM happened WHERE kind = ?1 AND at_ms > ?3) < ?4
                     RETURNING rowid",
                    params![kind, at_ms, since_ms, most],
                    |row| row.get(0).map(Happened),
                )
                .optional()
        })
        .await
    }

    /// Takes back what was counted: it did not happen.
    pub(crate) async fn did_not_happen(&self, counted: Vec<Happened>) -> Result<(), StoreError> {
        if counted.is_empty() {
            return Ok(());
        }
        self.run(move |connection| {
            for Happened(row) in counted {
                connection.execute("DELETE FROM happened WHERE rowid = ?1", [row])?;
            }
            Ok(())
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
