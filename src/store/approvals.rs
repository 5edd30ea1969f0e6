//! Approvals: asked, decided, redeemed once.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Asking, Decided, Decision, Denied, Hash, Method, Pending, Room, Standing, Store, StoreError,
};

impl Store {
    /// Asks: the request waits from now on, if there is room; `None` is room without end, and
    /// `decided` is for the level that needs no person. Room is looked for and taken in one
    /// statement: many at once get no more of it.
    pub(crate) async fn ask(
        &self,
        pending: Pending,
        decided: Option<Decision>,
        room: Option<Room>,
    ) -> Result<Asking, StoreError> {
        self.run(move |connection| {
            // Old rows are of no use to anyone; an hour is kept for good answers to late calls.
            connection.execute(
                "DELETE FROM approvals WHERE expires_ms < ?1",
                [pending.created_ms - 3_600_000],
            )?;
            let asked = connection.execute(
                "INSERT INTO approvals (token_hash, digest, record, match_code, level, state,
                   instance, created_ms, expires_ms)
                 SELECT ?1, ?2, ?3, ?4, ?5, 'pending', ?6, ?7, ?8 WHERE ?9 IS NULL OR (
                   (SELECT count(*) FROM approvals WHERE state = 'pending' AND expires_ms > ?7
                      AND instance = ?6 AND level <> 'token') < ?9
                   AND (SELECT count(*) FROM approvals WHERE created_ms > ?10
                      AND level <> 'token') < ?11)",
                params![
                    pending.token_hash,
                    pending.digest,
                    pending.record,
                    pending.match_code,
                    pending.level,
                    pending.instance,
                    pending.created_ms,
                    pending.expires_ms,
                    room.as_ref().map(|room| room.pending),
                    room.as_ref().map(|room| room.since_ms),
                    room.as_ref().map(|room| room.questions),
                ],
            )?;
            if let (0, Some(room)) = (asked, room) {
                let lately: u32 = connection.query_row(
                    "SELECT count(*) FROM approvals WHERE created_ms > ?1 AND level <> 'token'",
                    [room.since_ms],
                    |row| row.get(0),
                )?;
                let full = lately >= room.questions;
                return Ok(if full { Asking::TooManyLately } else { Asking::TooManyPending });
            }
            if let Some(decision) = decided {
                decide(connection, &pending.token_hash, &pending.digest, &decision)?;
            }
            Ok(Asking::Asked)
        })
        .await
    }

    /// All that wait at `now_ms`, the oldest first.
    pub(crate) async fn pending(&self, now_ms: i64) -> Result<Vec<Pending>, StoreError> {
        self.run(move |connection| {
            let mut statement = connection.prepare(
                "SELECT token_hash, digest, record, match_code, instance, created_ms, expires_ms
                 FROM approvals WHERE state = 'pending' AND expires_ms > ?1 ORDER BY created_ms",
            )?;
            let rows = statement.query_map([now_ms], pending_row)?;
            rows.collect()
        })
        .await
    }

    /// Whether the question of that token still waits.
    pub(crate) async fn waits(&self, token_hash: Hash, now_ms: i64) -> Result<bool, StoreError> {
        self.run(move |connection| {
            connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM approvals
                   WHERE token_hash = ?1 AND state = 'pending' AND expires_ms > ?2)",
                params![token_hash, now_ms],
                |row| row.get(0),
            )
        })
        .await
    }

    /// Decides on exactly that record. `false`: it does not wait any more.
    pub(crate) async fn decide(
        &self,
        token_hash: Hash,
        digest: Hash,
        decision: Decision,
    ) -> Result<bool, StoreError> {
        self.run(move |connection| decide(connection, &token_hash, &digest, &decision)).await
    }

    /// Takes back a question that nobody will hear the answer of: it expires at `now_ms`.
    pub(crate) async fn withdraw(&self, token_hash: Hash, now_ms: i64) -> Result<(), StoreError> {
        self.run(move |connection| {
            connection.execute(
                "UPDATE approvals SET expires_ms = ?1 WHERE token_hash = ?2 AND state = 'pending'",
                params![now_ms, token_hash],
            )?;
            Ok(())
        })
        .await
    }

    /// Where the request of that token stands.
    pub(crate) async fn standing(
        &self,
        token_hash: Hash,
        now_ms: i64,
    ) -> Result<Standing, StoreError> {
        self.run(move |connection| {
            let found = connection
                .query_row(
                    "SELECT state, expires_ms FROM approvals WHERE token_hash = ?1",
                    [token_hash],
                    |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)),
                )
                .optional()?;
            Ok(match found {
                None => Standing::Unknown,
                Some((state, expires)) => match state.as_str() {
                    "denied" => Standing::Denied,
                    "spent" => Standing::Spent,
                    _ if expires <= now_ms => Standing::Expired,
                    "approved" => Standing::Approved,
                    _ => Standing::Pending,
                },
            })
        })
        .await
    }

    /// The no to the request of that token, if there is one.
    pub(crate) async fn denial(&self, token_hash: Hash) -> Result<Option<Decided>, StoreError> {
        self.run(move |connection| {
            connection
                .query_row(
                    "SELECT digest, method, who, decided_ms, signature FROM approvals
                     WHERE token_hash = ?1 AND state = 'denied'",
                    [token_hash],
                    |row| decided_row(row, false),
                )
                .optional()
        })
        .await
    }

    /// Every no after `since_ms`.
    pub(crate) async fn denied_since(&self, since_ms: i64) -> Result<Vec<Denied>, StoreError> {
        self.run(move |connection| {
            let mut statement = connection.prepare(
                "SELECT digest, method, who, decided_ms, signature, token_hash, record
                 FROM approvals WHERE state = 'denied' AND decided_ms > ?1",
            )?;
            let rows = statement.query_map([since_ms], |row| {
                let decided = decided_row(row, false)?;
                Ok(Denied { token_hash: row.get(5)?, record: row.get(6)?, decided })
            })?;
            rows.collect()
        })
        .await
    }

    /// Spends a token: one atomic update, so that of many at once exactly one succeeds. Whether
    /// the decision counts is the guard's to say.
    pub(crate) async fn redeem(
        &self,
        token_hash: Hash,
        digest: Hash,
        now_ms: i64,
    ) -> Result<Option<Decided>, StoreError> {
        self.run(move |connection| {
            connection
                .query_row(
                    "UPDATE approvals SET state = 'spent'
                     WHERE token_hash = ?1 AND digest = ?2 AND state = 'approved' AND expires_ms > ?3
                     RETURNING digest, method, who, decided_ms, signature",
                    params![token_hash, digest, now_ms],
                    |row| decided_row(row, true),
                )
                .optional()
        })
        .await
    }
}

fn decide(
    connection: &Connection,
    token_hash: &Hash,
    digest: &Hash,
    decision: &Decision,
) -> rusqlite::Result<bool> {
    let changed = connection.execute(
        "UPDATE approvals SET state = ?1, method = ?2, who = ?3, decided_ms = ?4,
           expires_ms = CASE WHEN ?1 = 'approved' THEN ?5 ELSE expires_ms END, signature = ?6
         WHERE token_hash = ?7 AND digest = ?8 AND state = 'pending' AND expires_ms > ?4",
        params![
            if decision.approve { "approved" } else { "denied" },
            decision.method.name(),
            decision.who,
            decision.at_ms,
            decision.usable_until_ms,
            decision.signature,
            token_hash,
            digest
        ],
    )?;
    Ok(changed == 1)
}

fn pending_row(row: &Row<'_>) -> rusqlite::Result<Pending> {
    Ok(Pending {
        token_hash: row.get(0)?,
        digest: row.get(1)?,
        record: row.get(2)?,
        match_code: row.get(3)?,
        level: "",
        instance: row.get(4)?,
        created_ms: row.get(5)?,
        expires_ms: row.get(6)?,
    })
}

/// A forger may have left fields empty: no name then, and a time long ago.
fn decided_row(row: &Row<'_>, approve: bool) -> rusqlite::Result<Decided> {
    Ok(Decided {
        approve,
        digest: row.get(0)?,
        method: row.get::<_, Option<String>>(1)?.as_deref().and_then(Method::named),
        who: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
        at_ms: row.get::<_, Option<i64>>(3)?.unwrap_or(i64::MIN),
        signature: row.get(4)?,
    })
}
