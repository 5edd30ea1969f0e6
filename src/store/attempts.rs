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

/// What a wrong PIN leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// As many attempts are left.
    Left(u32),
    /// It was the last attempt: the PIN is locked from now on.
    LocksNow,
    /// The PIN was locked by another attempt meanwhile.
    Locked,
}

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

    /// The PIN was wrong. The last attempt closes the lock, once.
    pub(crate) async fn attempt_was_wrong(&self, now_ms: i64) -> Result<Wrong, StoreError> {
        self.run(move |connection| {
            let wrong: u32 = connection.query_row(
                "SELECT count(*) FROM happened WHERE kind = 'pin_wrong' AND at_ms > ?1",
                [now_ms - LOCKED_MS],
                |row| row.get(0),
            )?;
            if wrong < WRONG {
                return Ok(Wrong::Left(WRONG - wrong));
            }
            // Attempts that were made at once all find the count full.
            let locks = connection.execute(
                "INSERT INTO happened SELECT 'pin_locked', ?1 WHERE NOT EXISTS
                   (SELECT 1 FROM happened WHERE kind = 'pin_locked' AND at_ms > ?2)",
                [now_ms, now_ms - LOCKED_MS],
            )?;
            Ok(if locks == 1 { Wrong::LocksNow } else { Wrong::Locked })
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
            let expected = [4, 3, 2, 1].map(Wrong::Left);
            let expected = expected.get(usize::try_from(minute).unwrap());
            assert_eq!(left, *expected.unwrap_or(&Wrong::LocksNow), "{minute}");
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
        let mut locked = 0;
        for _ in &taken {
            locked +=
                usize::from(store.attempt_was_wrong(MINUTE).await.unwrap() == Wrong::LocksNow);
        }
        assert_eq!(locked, 1);
        store
            .run(|connection| {
                connection.execute("DELETE FROM happened WHERE kind = 'pin_locked'", [])
            })
            .await
            .unwrap();
        for attempt in taken {
            store.take_back(attempt).await.unwrap();
        }
        assert!(store.attempt(MINUTE).await.unwrap().is_some());
    }
}
