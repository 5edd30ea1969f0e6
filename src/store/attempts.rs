//! Attempts at the PIN: few, counted over all processes and restarts.

use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError};

/// After this many wrong PINs within [`LOCKED_MS`], the PIN is locked for the same period.
const WRONG: u32 = 5;
const LOCKED_MS: i64 = 600_000;

/// One attempt: it counts as a wrong one until it is taken back.
#[derive(Debug)]
#[must_use = "it counts as wrong until it is taken back"]
pub(crate) struct Attempt(i64);

impl Store {
    /// Takes one of the attempts left; before the PIN is looked at, so that many processes at once
    /// get no more of them. `None`: the PIN is locked.
    pub(crate) async fn attempt(&self, now_ms: i64) -> Result<Option<Attempt>, StoreError> {
        self.run(move |connection| {
            connection
                .query_row(
                    "INSERT INTO happened SELECT 'pin_wrong', ?1 WHERE
                       NOT EXISTS (SELECT 1 FROM happened WHERE kind = 'pin_locked' AND at_ms > ?2)
                       AND (SELECT count(*) FROM happened WHERE kind = 'pin_wrong' AND at_ms > ?2) < ?3
                     RETURNING rowid",
                    params![now_ms, now_ms - LOCKED_MS, WRONG],
                    |row| row.get(0).map(Attempt),
                )
                .optional()
        })
        .await
    }

    /// Takes an attempt back: the PIN was right, or nobody could look whether it was.
    pub(crate) async fn take_back(&self, attempt: Attempt) -> Result<(), StoreError> {
        self.run(move |connection| {
            connection.execute("DELETE FROM happened WHERE rowid = ?1", [attempt.0])?;
            Ok(())
        })
        .await
    }

    /// The PIN was wrong: how many attempts are left. With the last one the lock closes.
    pub(crate) async fn attempt_was_wrong(&self, now_ms: i64) -> Result<u32, StoreError> {
        self.run(move |connection| {
            let wrong: u32 = connection.query_row(
                "SELECT count(*) FROM happened WHERE kind = 'pin_wrong' AND at_ms > ?1",
                [now_ms - LOCKED_MS],
                |row| row.get(0),
            )?;
            if wrong >= WRONG {
                connection.execute("INSERT INTO happened VALUES ('pin_locked', ?1)", [now_ms])?;
            }
            Ok(WRONG.saturating_sub(wrong))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    #[tokio::test]
    async fn the_fifth_wrong_one_locks_for_ten_minutes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for minute in 0..5 {
            assert!(store.attempt(minute * MINUTE).await.unwrap().is_some(), "{minute}");
            let left = store.attempt_was_wrong(minute * MINUTE).await.unwrap();
            assert_eq!(i64::from(left), 4 - minute);
        }
        // As long as that from the fifth on, whenever the first one was; and in other processes.
        let other = Store::open(folder.path()).unwrap();
        assert!(other.attempt(13 * MINUTE).await.unwrap().is_none());
        assert!(other.attempt(14 * MINUTE + 1).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn attempts_at_once_get_no_more_of_them_and_right_ones_are_free() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let mut taken: Vec<Attempt> = Vec::new();
        for _ in 0..9 {
            taken.extend(store.attempt(MINUTE).await.unwrap());
        }
        assert_eq!(taken.len(), 5);
        for attempt in taken {
            store.take_back(attempt).await.unwrap();
        }
        assert!(store.attempt(MINUTE).await.unwrap().is_some());
    }
}
