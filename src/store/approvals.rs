//! Approvals: asked, decided, redeemed once.

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::{
    Asking, Decided, Decision, Denied, Hash, Identity, Method, Pending, Room, Standing, Store,
    StoreError,
};

/// How long a row is kept once it is over, for good answers to late calls: an hour.
const KEPT_MS: i64 = 3_600_000;

impl Store {
    /// Asks: the request waits from now on, if there is room. Room is looked for and taken in one
    /// statement: many at once get no more of it.
    pub(crate) async fn ask(&self, pending: Pending, room: Room) -> Result<Asking, StoreError> {
        self.run(move |connection| {
            tidy(connection, pending.created_ms)?;
            let asked = connection.execute(
                "INSERT INTO approvals (token_hash, digest, record, match_code, level, state,
                   instance, created_ms, expires_ms, about)
                 SELECT ?1, ?2, ?3, ?4, ?5, 'pending', ?6, ?7, ?8, ?9 WHERE
                   (SELECT count(*) FROM approvals WHERE state = 'pending' AND expires_ms > ?7
                      AND instance = ?6) < ?10
                   AND (SELECT count(*) FROM approvals WHERE created_ms > ?11) < ?12
                   AND NOT EXISTS (SELECT 1 FROM approvals WHERE state = 'pending'
                      AND expires_ms > ?7 AND match_code = ?4)",
                params![
                    pending.token_hash,
                    pending.digest,
                    pending.record,
                    pending.match_code,
                    pending.level,
                    pending.instance,
                    pending.created_ms,
                    pending.expires_ms,
                    pending.about,
                    room.pending,
                    room.since_ms,
                    room.questions,
                ],
            )?;
            if asked == 1 {
                return Ok(Asking::Asked);
            }
            let (lately, waiting): (u32, u32) = connection.query_row(
                "SELECT (SELECT count(*) FROM approvals WHERE created_ms > ?1),
                   (SELECT count(*) FROM approvals WHERE state = 'pending' AND expires_ms > ?2
                      AND instance = ?3)",
                params![room.since_ms, pending.created_ms, pending.instance],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            Ok(if lately >= room.questions {
                Asking::TooManyLately
            } else if waiting >= room.pending {
                Asking::TooManyPending
            } else {
                Asking::CodeTaken
            })
        })
        .await
    }

    /// Forgets what is over at `now_ms`: records at once, rows an hour later.
    pub(crate) async fn tidy(&self, now_ms: i64) -> Result<(), StoreError> {
        self.run(move |connection| tidy(connection, now_ms)).await
    }

    /// All that wait at `now_ms`, the oldest first.
    pub(crate) async fn pending(&self, now_ms: i64) -> Result<Vec<Pending>, StoreError> {
        self.run(move |connection| {
            let mut statement = connection.prepare(
                "SELECT token_hash, digest, record, about, match_code, level, instance, created_ms,
                   expires_ms
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

    /// Decides on exactly that record, which then leaves the store. `false`: it does not wait any
    /// more.
    pub(crate) async fn decide(
        &self,
        token_hash: Hash,
        digest: Hash,
        decision: Decision,
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let changed = connection.execute(
                "UPDATE approvals SET state = ?1, method = ?2, who = ?3, decided_ms = ?4,
                   expires_ms = CASE WHEN ?1 = 'approved' THEN ?5 ELSE expires_ms END,
                   signature = ?6, record = x''
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
            empty_log(connection);
            Ok(changed == 1)
        })
        .await
    }

    /// Takes back a question that nobody will hear the answer of: it expires at `now_ms`.
    pub(crate) async fn withdraw(&self, token_hash: Hash, now_ms: i64) -> Result<(), StoreError> {
        self.run(move |connection| {
            connection.execute(
                "UPDATE approvals SET expires_ms = min(expires_ms, ?1), record = x''
                 WHERE token_hash = ?2 AND state = 'pending'",
                params![now_ms, token_hash],
            )?;
            empty_log(connection);
            Ok(())
        })
        .await
    }

    /// Takes back all questions of a process that ends: nobody else can use an answer to them.
    pub(crate) async fn leave(&self, instance: String, now_ms: i64) -> Result<(), StoreError> {
        self.run(move |connection| {
            connection.execute(
                "UPDATE approvals SET expires_ms = min(expires_ms, ?1), record = x''
                 WHERE instance = ?2 AND state IN ('pending', 'approved')",
                params![now_ms, instance],
            )?;
            empty_log(connection);
            Ok(())
        })
        .await
    }

    /// Where the request of that token stands. A yes counts only while the row is still that of the
    /// question.
    pub(crate) async fn standing(
        &self,
        token_hash: Hash,
        identity: Option<Identity>,
        now_ms: i64,
    ) -> Result<Standing, StoreError> {
        self.run(move |connection| {
            let found = connection
                .query_row(
                    "SELECT state, expires_ms, digest, match_code, level, instance
                     FROM approvals WHERE token_hash = ?1",
                    [token_hash],
                    |row| {
                        let is = identity.is_none_or(|it| it.is_row(row, 2).unwrap_or_default());
                        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, is))
                    },
                )
                .optional()?;
            Ok(match found {
                None => Standing::Unknown,
                Some((state, expires, is)) => match state.as_str() {
                    "denied" => Standing::Denied,
                    "spent" => Standing::Spent,
                    _ if expires <= now_ms => Standing::Expired,
                    "approved" if is => Standing::Approved,
                    "approved" => Standing::Altered,
                    _ => Standing::Pending,
                },
            })
        })
        .await
    }

    /// What was decided on that question, used or not.
    pub(crate) async fn decided(&self, identity: Identity) -> Result<Option<Decided>, StoreError> {
        self.run(move |connection| {
            connection
                .query_row(
                    "SELECT digest, method, who, decided_ms, signature, state <> 'denied',
                       match_code, level, instance
                     FROM approvals WHERE token_hash = ?1 AND digest = ?2 AND state <> 'pending'
                       AND match_code = ?3 AND level = ?4 AND instance = ?5",
                    identity.params(),
                    |row| decided_row(row, row.get(5)?),
                )
                .optional()
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

    /// Every no after `since_ms` to what `about` stands for.
    pub(crate) async fn denied_since(
        &self,
        about: Hash,
        since_ms: i64,
    ) -> Result<Vec<Denied>, StoreError> {
        self.run(move |connection| {
            let mut statement = connection.prepare(
                "SELECT digest, method, who, decided_ms, signature, token_hash
                 FROM approvals WHERE state = 'denied' AND about = ?1 AND decided_ms > ?2",
            )?;
            let rows = statement.query_map(params![about, since_ms], |row| {
                Ok(Denied { token_hash: row.get(5)?, decided: decided_row(row, false)? })
            })?;
            rows.collect()
        })
        .await
    }

    /// Gives a spent token back: the call that spent it was not sent.
    pub(crate) async fn give_back(&self, identity: Identity) -> Result<(), StoreError> {
        self.run(move |connection| {
            connection.execute(
                "UPDATE approvals SET state = 'approved'
                 WHERE token_hash = ?1 AND digest = ?2 AND state = 'spent'
                   AND match_code = ?3 AND level = ?4 AND instance = ?5",
                identity.params(),
            )?;
            Ok(())
        })
        .await
    }

    /// Spends a token: one atomic update, so that of many at once exactly one succeeds. Whether
    /// the decision counts is the guard's to say.
    pub(crate) async fn redeem(
        &self,
        identity: Identity,
        now_ms: i64,
    ) -> Result<Option<Decided>, StoreError> {
        self.run(move |connection| {
            connection
                .query_row(
                    "UPDATE approvals SET state = 'spent'
                     WHERE token_hash = ?1 AND digest = ?2 AND state = 'approved' AND expires_ms > ?3
                       AND match_code = ?4 AND level = ?5 AND instance = ?6
                     RETURNING digest, method, who, decided_ms, signature",
                    params![
                        identity.token_hash,
                        identity.digest,
                        now_ms,
                        identity.match_code,
                        identity.level,
                        identity.instance
                    ],
                    |row| decided_row(row, true),
                )
                .optional()
        })
        .await
    }
}

impl Identity {
    /// For `token_hash`, `digest`, `match_code`, `level` and `instance`, in this order.
    fn params(&self) -> [&dyn ToSql; 5] {
        [&self.token_hash, &self.digest, &self.match_code, &self.level, &self.instance]
    }

    /// Whether a row has it in the four columns from `first` on.
    fn is_row(&self, row: &Row<'_>, first: usize) -> rusqlite::Result<bool> {
        Ok(row.get::<_, Hash>(first)? == self.digest
            && row.get::<_, String>(first + 1)? == self.match_code
            && row.get::<_, String>(first + 2)? == self.level
            && row.get::<_, String>(first + 3)? == self.instance)
    }
}

/// Forgets what is over: the record at once, for it holds what the agent said; the row later.
fn tidy(connection: &Connection, now_ms: i64) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM approvals WHERE expires_ms < ?1", [now_ms - KEPT_MS])?;
    let blanked = connection.execute(
        "UPDATE approvals SET record = x'' WHERE expires_ms <= ?1 AND length(record) > 0",
        [now_ms],
    )?;
    if blanked > 0 {
        empty_log(connection);
    }
    Ok(())
}

/// Empties the write-ahead log, where the bytes of a record that is gone still are. While another
/// process reads it cannot be done; the next one who decides or asks does it then.
fn empty_log(connection: &Connection) {
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
}

fn pending_row(row: &Row<'_>) -> rusqlite::Result<Pending> {
    Ok(Pending {
        token_hash: row.get(0)?,
        digest: row.get(1)?,
        record: row.get(2)?,
        about: row.get::<_, Option<Hash>>(3)?.unwrap_or_default(),
        match_code: row.get(4)?,
        level: row.get(5)?,
        instance: row.get(6)?,
        created_ms: row.get(7)?,
        expires_ms: row.get(8)?,
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
