//! Ids of versions that were free when they were listed and taken when the call reached KMS: KMS has
//! then compared the values. Nothing but a race of others brings that about, so few are let through.

use super::{Guard, HOUR_MS, Refusal, Request, unavailable};

/// This many for a secret in an hour, in all processes of a state folder.
const MAX_COLLISIONS: u32 = 5;

impl Guard {
    /// Whether a version of that secret may be made.
    ///
    /// # Errors
    /// [`Refusal::TooManyCollisions`], or the store failed.
    pub(crate) async fn may_collide(&self, request: &Request) -> Result<(), Refusal> {
        let since = self.clock.now_ms() - HOUR_MS;
        let count = self.store.count(kind(&request.secret_key()), since).await;
        if count.map_err(unavailable)? >= MAX_COLLISIONS {
            return Err(Refusal::TooManyCollisions(MAX_COLLISIONS));
        }
        Ok(())
    }

    /// Counts one for the secret of that key, as [`Request::secret_key`] gives it.
    pub(crate) async fn collided(&self, secret_key: &str) {
        let now = self.clock.now_ms();
        let since = now - HOUR_MS;
        // A store that fails stops the next call.
        let _ = self.store.happened_below(kind(secret_key), now, since, MAX_COLLISIONS).await;
    }
}

/// How the store counts them. No rule of a policy, counted beside it, can have this name.
fn kind(secret_key: &str) -> String {
    format!("version_collision of {secret_key}")
}
