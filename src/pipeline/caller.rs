//! [`Caller`]: who calls, and how long they are waited with.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::{Pipeline, Turn};
use crate::guard::Refusal;
use crate::guard::policy::Level;
use crate::sensitive::Sensitive;

/// A future that a call waits for.
pub(crate) type Waiting<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Tells the client, now and then, that the question of that match code still waits. Never ends by
/// itself.
type Tell = dyn Fn(&str) -> Waiting<'static, Infallible> + Send + Sync;

/// Who calls.
pub(crate) struct Caller {
    /// What the client calls itself; nobody vouches for it.
    pub(crate) client: String,
    /// Its turn to work.
    pub(crate) turn: Turn,
    /// Whether a repeated call may wait for a decision.
    pub(crate) patient: bool,
    /// Ends when the client gives the call up.
    pub(crate) cancelled: Box<dyn Fn() -> Waiting<'static, ()> + Send + Sync>,
    /// For a client that wants to hear of a call that waits.
    pub(crate) waiting: Box<Tell>,
}

impl Caller {
    /// Waits for its turn, or until the client gives the call up, which is then recorded.
    pub(super) async fn take_turn(&self) {
        tokio::select! {
            () = self.turn.take() => {}
            () = (self.cancelled)() => {}
        }
    }

    /// Whether the client has given the call up.
    pub(super) async fn is_gone(&self) -> bool {
        tokio::select! {
            biased;
            () = (self.cancelled)() => true,
            () = std::future::ready(()) => false,
        }
    }

    /// Takes its turn once more, if it gave it back to wait for something.
    ///
    /// # Errors
    /// [`Refusal::Cancelled`]: what the call holds is not held for the sake of nobody.
    pub(crate) async fn take_turn_again(&self) -> Result<(), Refusal> {
        tokio::select! {
            () = self.turn.take_again() => Ok(()),
            () = (self.cancelled)() => Err(Refusal::Cancelled),
        }
    }
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Caller {:?}", self.client)
    }
}

impl Pipeline {
    /// Waits for the decision on a token, at most `most`, and tells the client that it does.
    ///
    /// # Errors
    /// As [`crate::guard::Guard::decided`].
    pub(crate) async fn wait(
        &self,
        token: &Sensitive,
        level: Level,
        most: Duration,
        caller: &Caller,
    ) -> Result<(), Refusal> {
        let at_once = self.guard.decided(token, level, Duration::ZERO, (caller.cancelled)()).await;
        let Err(Refusal::Confirm(question)) = at_once else { return at_once };
        if most.is_zero() {
            return Err(Refusal::Confirm(question));
        }
        // It does nothing meanwhile, so that other calls may.
        caller.turn.give_back();
        let decided = tokio::select! {
            biased;
            decided = self.guard.decided(token, level, most, (caller.cancelled)()) => decided,
            never = (caller.waiting)(&question.match_code) => match never {},
        };
        caller.take_turn_again().await?;
        decided
    }
}
