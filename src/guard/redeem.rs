//! Spending a token: the call in hand is the one that was asked about, and whoever must agree has
//! agreed.

use std::sync::Arc;

use super::approval::Record;
use super::policy::{Level, Verdict};
use super::tokens::{self, Asked, State};
use super::{Guard, Refusal, Request, unavailable};
use crate::audit;
use crate::factor::PublicKey;
use crate::operation::Operation;
use crate::sensitive::Sensitive;

/// Of a question that is asked anew because more is wanted than before: a limit was reached, say.
pub(super) const ROSE: &str = "More is asked for than when this was asked before, since a limit was reached or the secret changed: what was decided then does not count for it, and this is a new token.";

impl Guard {
    /// Whether its token was given out for exactly this call; the decision is not looked at.
    pub(crate) fn asked_for<O: Operation>(
        &self,
        request: &Request,
        verdict: &Verdict,
        level: Level,
    ) -> bool {
        let asked =
            request.token.as_ref().and_then(|token| self.tokens.asked(&tokens::hash(token)));
        asked.is_some_and(|asked| {
            let mut record = self.record::<O>(request, verdict, level);
            asked.complete(&mut record);
            record.digest() == asked.digest
        })
    }

    /// Whether its token could be spent now: the question was this very call, and whoever must agree
    /// has agreed. Nothing is spent; sending still takes [`Self::admit`].
    ///
    /// # Errors
    /// The level cannot be reached now, or the store failed.
    pub(crate) async fn is_agreed<O: Operation>(
        &self,
        request: &Request,
        verdict: &Verdict,
        level: Level,
    ) -> Result<bool, Refusal> {
        if !self.asked_for::<O>(request, verdict, level) {
            return Ok(false);
        }
        let hash = request.token.as_ref().map(tokens::hash);
        let asked = hash.and_then(|hash| self.tokens.asked(&hash));
        let (Some(asked), key) = (asked, self.key_for(level).await?) else { return Ok(false) };
        let state = self.tokens.state(&asked.hash);
        if asked.level == Level::Token {
            return Ok(state == Some(State::Open) && !asked.is_too_old(self.clock.moment()));
        }
        let decided = self.store.decided(asked.identity()).await.map_err(unavailable)?;
        let consented = state == Some(State::Consented);
        Ok(state != Some(State::Spent)
            && decided.is_some_and(|decided| {
                decided.approve
                    && self.weigh(&asked, level, key.as_ref(), &decided, consented).is_ok()
            }))
    }

    /// Spends the token if a person approved exactly this record.
    pub(super) async fn redeem(
        &self,
        request: &Request,
        token: &Sensitive,
        mut record: Record,
        level: Level,
        key: Option<&PublicKey>,
    ) -> Result<Redeemed, Refusal> {
        let hash = tokens::hash(token);
        let Some(asked) = self.tokens.asked(&hash) else {
            let note = "this server does not know the question: it restarted since, another server asked it, or many were asked since; this is a new token";
            return Err(self.challenge(request, record, level, Some(note)).await);
        };
        asked.complete(&mut record);
        if record.digest() != asked.digest {
            if level > asked.level && only_more_is_asked(&asked, &record) {
                if self.tokens.state(&hash) == Some(State::Spent) {
                    return Err(Refusal::Spent);
                }
                self.leave(&asked).await;
                return Err(self.challenge(request, record, level, Some(ROSE)).await);
            }
            return Err(refused(&asked, &record));
        }
        if asked.level == Level::Token {
            let (approval, before) = self.take_bump(&asked)?;
            return Ok(Redeemed { approval, asked, before });
        }
        let now = self.clock.now_ms();
        let redeemed = self.store.redeem(asked.identity(), now).await;
        let Some(decided) = redeemed.map_err(unavailable)? else {
            return Err(self.not_redeemable(hash).await);
        };
        // Spent in memory too: whoever writes the store could bring the row back to life.
        let Some(before) = self.tokens.spend(&hash) else { return Err(Refusal::Spent) };
        let consented = before == State::Consented;
        let approval = self.count_yes(&asked, level, key, decided, consented).await?;
        Ok(Redeemed { approval, asked, before })
    }

    /// Takes back a question that nobody need answer any more.
    pub(super) async fn leave(&self, asked: &Asked) {
        self.tokens.end(&asked.hash);
        // Left open by a store that fails, the question expires by itself.
        let _ = self.store.withdraw(asked.hash, self.clock.now_ms()).await;
    }
}

/// A yes that was taken.
pub(super) struct Redeemed {
    pub(super) approval: audit::Approval,
    pub(super) asked: Arc<Asked>,
    /// What was known of the question before.
    pub(super) before: State,
}

/// Whether the record in hand is of the same call as the one that was asked about, and differs only
/// in what a raised level brings with it.
fn only_more_is_asked(asked: &Asked, record: &Record) -> bool {
    let raised = ["risk", "level", "policy", "secret"];
    asked.record.differences(record).iter().all(|part| raised.contains(part))
}

/// Why an approved record is not the call in hand.
fn refused(asked: &Asked, record: &Record) -> Refusal {
    let differences = asked.record.differences(record);
    if differences == ["secret"] { Refusal::Changed } else { Refusal::Mismatch(differences) }
}
