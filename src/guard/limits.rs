//! [`Limits`]: how often a person is asked. Who is asked too much says yes without reading.
//!
//! They hold for all processes of one user together, through the store, and for each process by its
//! own memory, where the store cannot reset them. What a limit refuses was never shown to anybody.

use std::time::Duration;

use super::approval::Record;
use super::decision::proven;
use super::policy::Level;
use super::tokens::{Asked, PENDING};
use super::{Challenge, Guard, Refusal, no_randomness, unavailable};
use crate::store::{Asking, Hash, Room, Standing, StoreError};

/// For how long questions are counted (design §6).
const COUNTED: Duration = Duration::from_mins(10);
/// How long a question waits for those before it to be written to the store.
const TURN: Duration = Duration::from_secs(5);
/// How many match codes are tried for one that no waiting question has.
const CODES_TRIED: u32 = 64;
/// Of a question that was asked before.
const WAITS_ALREADY: &str =
    "This call was asked about before and waits for the person: token and match code are the same.";

/// How often a person is asked (security.md §3, approval fatigue).
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Questions of one process that may wait at a time.
    pub(crate) pending: u32,
    /// Questions of all processes in ten minutes.
    pub(crate) questions: u32,
    /// For how long a person who said no is not asked for the same thing again, in milliseconds.
    pub(crate) cool_off_ms: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { pending: 3, questions: 10, cool_off_ms: 300_000 }
    }
}

impl Guard {
    /// Asks a person, or gives the question that the same call was answered with, if it still waits.
    ///
    /// # Errors
    /// There is no room for one more question, or they just said no.
    pub(super) async fn ask_person(
        &self,
        record: Record,
        summary: String,
        level: Level,
        note: Option<&'static str>,
    ) -> Result<Challenge, Refusal> {
        self.may_ask(&record).await?;
        let turn = tokio::time::timeout(TURN, self.tokens.turn.lock()).await;
        let _turn = turn.map_err(|_| unavailable(StoreError::Busy))?;
        if let Some(same) = self.same_question(&record).await? {
            return Ok(same);
        }
        self.look_for_room().await?;
        for _ in 0..CODES_TRIED {
            let asked = self.tokens.ask(record.clone(), level, &self.clock);
            let asked = asked.map_err(|_| no_randomness())?;
            // A row that was deleted must not set the code of a waiting question free.
            let same_code = |other: &Asked| other.record.match_code == asked.record.match_code;
            if self.tokens.waiting(asked.since).iter().any(|other| same_code(other)) {
                continue;
            }
            match self.store.ask(asked.row(), self.room()).await.map_err(unavailable)? {
                Asking::Asked => {
                    self.withdraw_in_time(asked.hash);
                    let challenge = asked.challenge(summary, note);
                    self.tokens.remember(asked, challenge.clone());
                    return Ok(challenge);
                }
                // A question of another process waits under it.
                Asking::CodeTaken => {}
                Asking::TooManyPending => return Err(self.too_many_pending()),
                Asking::TooManyLately => return Err(self.too_many_questions()),
            }
        }
        Err(Refusal::StateUnavailable("no match code is free".into()))
    }

    /// The question that the same call was answered with, if it still waits.
    async fn same_question(&self, record: &Record) -> Result<Option<Challenge>, Refusal> {
        let Some((asked, challenge)) = self.tokens.same(record, self.clock.moment()) else {
            return Ok(None);
        };
        let standing =
            self.store.standing(asked.hash, Some(asked.identity()), self.clock.now_ms()).await;
        let waits = standing.map_err(unavailable)? == Standing::Pending;
        Ok(waits.then(|| challenge.again(WAITS_ALREADY)))
    }

    /// Whether this process may ask one more question, by its own memory: rows that are deleted
    /// from the store still count.
    async fn look_for_room(&self) -> Result<(), Refusal> {
        let now = self.clock.moment();
        let full = |count: usize, most: u32| u32::try_from(count).unwrap_or(u32::MAX) >= most;
        if full(self.tokens.asked_within(COUNTED, now), self.limits.questions) {
            return Err(self.too_many_questions());
        }
        if !full(self.tokens.waiting(now).len(), self.limits.pending) {
            return Ok(());
        }
        // Some may have been decided since; a decision that proves nothing makes no room.
        let key = self.key_for(Level::Person).await?;
        for asked in self.tokens.waiting(now) {
            let decided = self.store.decided(asked.identity()).await.map_err(unavailable)?;
            if decided.is_some_and(|it| proven(Level::Person, key.as_ref(), &asked.hash, &it)) {
                self.tokens.end(&asked.hash);
            }
        }
        let still = self.tokens.waiting(now).len();
        if full(still, self.limits.pending) { Err(self.too_many_pending()) } else { Ok(()) }
    }

    /// The room that there is in the store, which all processes share.
    fn room(&self) -> Room {
        let counted = i64::try_from(COUNTED.as_millis()).unwrap_or(i64::MAX);
        Room {
            pending: self.limits.pending,
            since_ms: self.clock.now_ms() - counted,
            questions: self.limits.questions,
        }
    }

    /// Takes the question out of the store once nobody can decide it any more: what the agent said
    /// does not stay there.
    fn withdraw_in_time(&self, hash: Hash) {
        let (store, clock) = (self.store.clone(), self.clock.clone());
        tokio::spawn(async move {
            tokio::time::sleep(PENDING).await;
            // A store that fails is tidied by the next process that asks.
            let _ = store.withdraw(hash, clock.now_ms()).await;
        });
    }

    /// Whether a person may be asked this: not if they just said no to the same action on the same
    /// secret, wherever the value was to go.
    ///
    /// # Errors
    /// [`Refusal::CoolingOff`], or the store failed.
    async fn may_ask(&self, record: &Record) -> Result<(), Refusal> {
        let now = self.clock.now_ms();
        let since = now - self.limits.cool_off_ms;
        let denied = self.store.denied_since(record.about(), since).await.map_err(unavailable)?;
        if denied.is_empty() {
            return Ok(());
        }
        let key = self.key_for(Level::Person).await?;
        let proven = denied
            .iter()
            .filter(|no| proven(Level::Person, key.as_ref(), &no.token_hash, &no.decided));
        let Some(last) = proven.map(|no| no.decided.at_ms).max() else { return Ok(()) };
        let left = (last + self.limits.cool_off_ms - now).max(0);
        Err(Refusal::CoolingOff { seconds: (left + 999) / 1000 })
    }

    fn too_many_pending(&self) -> Refusal {
        Refusal::TooManyPending(self.limits.pending)
    }

    fn too_many_questions(&self) -> Refusal {
        Refusal::TooManyQuestions(self.limits.questions)
    }
}
