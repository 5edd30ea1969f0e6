//! [`Taken`]: what a call used up when it was admitted, and gets back if nothing of it was sent.

use std::sync::Arc;

use super::Guard;
use super::policy::Level;
use super::tokens::{Asked, State};
use crate::store::Happened;

/// A yes that was spent, and where the call was counted.
#[derive(Debug, Default)]
#[must_use = "a call that was not sent gives it back"]
pub(crate) struct Taken {
    pub(super) counted: Vec<Happened>,
    /// The question, and what was known of it before.
    pub(super) yes: Option<(Arc<Asked>, State)>,
}

impl Guard {
    /// Gives back what a call took of which nothing was sent: it counts for no limit, and its token
    /// works again, for the same call and within the same time. Whether there is such a token.
    pub(crate) async fn give_back(&self, taken: Taken) -> bool {
        let Taken { counted, yes } = taken;
        // A store that fails leaves the call counted and the token spent: that is the safe side.
        let _ = self.store.did_not_happen(counted).await;
        let Some((asked, before)) = yes else { return false };
        // In memory first: whoever finds the row alive in between finds it spent no more.
        self.tokens.give_back(&asked.hash, before);
        // Of level `token` the store knows nothing.
        asked.level == Level::Token || self.store.give_back(asked.identity()).await.is_ok()
    }
}
