//! [`Turn`]: the place of a call among those that work at the same time.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many calls work at the same time: each may hold a connection to KMS and an answer of it. The
/// others wait, in the order in which they came. A call that waits for a person does not count.
const AT_WORK: usize = 64;

/// The calls of a process that work. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Turns(Arc<Semaphore>);

impl Turns {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(AT_WORK)))
    }

    /// The turn of one call, not taken yet.
    pub(crate) fn one(&self) -> Turn {
        Turn { turns: self.clone(), taken: Mutex::default() }
    }
}

/// The turn of one call.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Turns,
    taken: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Turn {
    /// Waits for it, and keeps it until it is given back or dropped.
    pub(crate) async fn take(&self) {
        self.give_back();
        // The semaphore is never closed; without a permit there would be no bound, and no harm.
        let permit = Arc::clone(&self.turns.0).acquire_owned().await.ok();
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = permit;
    }

    /// Takes it once more, if it was given back.
    pub(crate) async fn take_again(&self) {
        if self.taken.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            self.take().await;
        }
    }

    /// Lets another call work.
    pub(crate) fn give_back(&self) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
