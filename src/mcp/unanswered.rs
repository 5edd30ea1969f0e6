//! [`Unanswered`]: a bound on the requests that have no answer yet, and on the memory that they hold.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::message::Reason;

/// Most requests of a client that have no answer yet, whatever their method. One more is refused.
pub(super) const MAX_REQUESTS: usize = 2_048;
/// Most that they weigh together, in bytes; a [`Message`](super::message::Judged) says what it weighs.
pub(super) const MAX_WEIGHT: usize = 16 * 1024 * 1024;

/// The room for requests that have no answer yet.
#[derive(Debug)]
pub(super) struct Unanswered {
    requests: Arc<Semaphore>,
    weight: Arc<Semaphore>,
}

/// The room that one request takes, until the last copy of this is dropped: the session has one, and
/// after it the reply, until it is in the queue of lines to write; whoever works on the request has
/// another, since that may go on for a while after a client cancelled it.
#[derive(Debug, Clone)]
pub(super) struct Held {
    _permits: Arc<[OwnedSemaphorePermit; 2]>,
}

impl Default for Unanswered {
    fn default() -> Self {
        Self {
            requests: Arc::new(Semaphore::new(MAX_REQUESTS)),
            weight: Arc::new(Semaphore::new(MAX_WEIGHT)),
        }
    }
}

impl Unanswered {
    /// Takes the room for one more request.
    pub(super) fn hold(&self, weight: usize) -> Result<Held, Reason> {
        let request = Arc::clone(&self.requests).try_acquire_owned();
        let request = request.map_err(|_| Reason::TooMany)?;
        let weight = u32::try_from(weight).map_err(|_| Reason::TooMuch)?;
        let weight = Arc::clone(&self.weight).try_acquire_many_owned(weight);
        let weight = weight.map_err(|_| Reason::TooMuch)?;
        Ok(Held { _permits: Arc::new([request, weight]) })
    }
}

#[cfg(test)]
mod tests;
