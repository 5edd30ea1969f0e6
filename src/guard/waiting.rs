//! The life of a token around a decision: waiting for it, and why it cannot be used.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::policy::Level;
use super::tokens::{State, Unknown, hash};
use super::{Guard, Refusal, unavailable};
use crate::audit::{Event, Kind};
use crate::sensitive::Sensitive;
use crate::store::{Hash, Standing};

impl Guard {
    /// Waits for the decision on a token that was sent, at most `wait`, unless the question was one
    /// of a lower level than the call needs now.
    ///
    /// # Errors
    /// Whatever stands against using it, or [`Refusal::Confirm`] again if nobody has decided yet.
    pub(crate) async fn decided(
        &self,
        token: &Sensitive,
        level: Level,
        wait: Duration,
        cancelled: impl Future<Output = ()> + Send,
    ) -> Result<(), Refusal> {
        let hash = hash(token);
        let asked = self.tokens.asked(&hash);
        if asked.as_ref().is_some_and(|asked| asked.level == Level::Token) {
            // Of another call, then: `admit` says so.
            return Ok(());
        }
        let mut until = Instant::now() + wait;
        if let Some(asked) = &asked {
            until = until.min(Instant::now() + asked.time_left(self.clock.moment()));
        }
        let mut changes = self.store.changes();
        tokio::pin!(cancelled);
        loop {
            let standing = self.standing(&hash).await?;
            match (standing, &asked) {
                (Standing::Unknown, None) => return Err(self.wrong_token()),
                // After a restart nobody remembers the question; `admit` asks it anew.
                (Standing::Pending | Standing::Approved | Standing::Expired, None)
                | (Standing::Approved, Some(_)) => return Ok(()),
                // `admit` asks anew.
                (Standing::Pending, Some(asked)) if asked.level < level => return Ok(()),
                (Standing::Pending, Some(asked)) if !asked.is_too_old(self.clock.moment()) => {
                    self.key_for(Level::Person).await?;
                }
                _ => return Err(self.not_redeemable(hash).await),
            }
            if Instant::now() >= until {
                return match self.tokens.challenge(&hash) {
                    Some(challenge) => Err(Refusal::Confirm(Box::new(challenge))),
                    None => Ok(()),
                };
            }
            tokio::select! {
                () = changes.changed() => {}
                () = tokio::time::sleep_until(until) => {}
                () = &mut cancelled => return Err(Refusal::Cancelled),
            }
        }
    }

    /// Where the question of that token stands: what the store says of it, if that is the question
    /// that this process asked.
    async fn standing(&self, hash: &Hash) -> Result<Standing, Refusal> {
        let identity = self.tokens.asked(hash).map(|asked| asked.identity());
        let standing = self.store.standing(*hash, identity, self.clock.now_ms()).await;
        standing.map_err(unavailable)
    }

    /// Whether nobody can decide on the question of that token any more.
    pub(crate) async fn is_over(&self, token: &Sensitive) -> bool {
        let standing = self.standing(&hash(token)).await;
        !matches!(standing, Ok(Standing::Pending) | Err(_))
    }

    /// Why a known token cannot be spent now.
    pub(super) async fn not_redeemable(&self, hash: Hash) -> Refusal {
        if self.tokens.state(&hash) == Some(State::Spent) {
            return Refusal::Spent;
        }
        match self.standing(&hash).await {
            Ok(Standing::Denied) => self.count_no(hash).await,
            Ok(Standing::Spent) => Refusal::Spent,
            Ok(Standing::Unknown) => Refusal::UnknownToken,
            // One that waits in the store is too old by a clock of this process.
            Ok(Standing::Expired | Standing::Pending) => Refusal::Expired,
            Ok(Standing::Approved) => Refusal::Mismatch(vec!["decision"]),
            Ok(Standing::Altered) => {
                // The yes is over another record, or another question: this one has none to come.
                self.tokens.end(&hash);
                Refusal::Mismatch(vec!["decision"])
            }
            Err(refusal) => refusal,
        }
    }

    /// Counts a token that nobody knows, for this process alone.
    fn wrong_token(&self) -> Refusal {
        match self.tokens.unknown(self.clock.moment()) {
            Unknown::Counted => Refusal::UnknownToken,
            Unknown::Locked => Refusal::Locked,
            Unknown::Locks => {
                self.audit.post(Kind::Lockout, Event::default());
                Refusal::Locked
            }
        }
    }
}
