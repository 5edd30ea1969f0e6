//! [`Limits`]: how often a person is asked. Who is asked too much says yes without reading.
//!
//! They hold for all processes of one user together, through the store. What a limit refuses was
//! never shown to anybody.

use super::approval::Record;
use super::decision::proven;
use super::policy::Level;
use super::{Guard, Refusal, secret_name, unavailable};
use crate::store::{Asking, Room};

/// For how long questions are counted: ten minutes (design §6), in milliseconds.
const COUNTED_MS: i64 = 600_000;

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
    /// The room there is for one more question at `level`: a token that needs no person takes none.
    pub(super) fn room(&self, level: Level) -> Option<Room> {
        (level > Level::Token).then(|| Room {
            pending: self.limits.pending,
            since_ms: self.clock.now_ms() - COUNTED_MS,
            questions: self.limits.questions,
        })
    }

    /// Whether a person may be asked this: not if they just said no to the same action on the same
    /// secret, wherever the value was to go.
    ///
    /// # Errors
    /// [`Refusal::CoolingOff`], or the store failed.
    pub(super) async fn may_ask(&self, record: &Record, level: Level) -> Result<(), Refusal> {
        if level <= Level::Token {
            return Ok(());
        }
        let now = self.clock.now_ms();
        let since = now - self.limits.cool_off_ms;
        let denied = self.store.denied_since(since).await.map_err(unavailable)?;
        if denied.is_empty() {
            return Ok(());
        }
        let key = self.key_for(Level::Person).await?;
        let same = denied.iter().filter(|no| {
            proven(Level::Person, key.as_ref(), &no.token_hash, &no.decided)
                && serde_json::from_slice::<Record>(&no.record).is_ok_and(|asked| {
                    asked.tool == record.tool
                        && asked.region == record.region
                        && secret_name(&asked.resource) == secret_name(&record.resource)
                })
        });
        let Some(last) = same.map(|no| no.decided.at_ms).max() else { return Ok(()) };
        let left = (last + self.limits.cool_off_ms - now).max(0);
        Err(Refusal::CoolingOff { seconds: (left + 999) / 1000 })
    }

    /// The refusal of a question for which there is no room.
    pub(super) fn no_room(&self, asking: Asking) -> Option<Refusal> {
        match asking {
            Asking::Asked => None,
            Asking::TooManyPending => Some(Refusal::TooManyPending(self.limits.pending)),
            Asking::TooManyLately => Some(Refusal::TooManyQuestions(self.limits.questions)),
        }
    }
}
