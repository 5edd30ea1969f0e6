//! When a request is sent again (facts/kms.md §6.2), and how long to wait before.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use super::error::{ClientError, Failure};
use crate::operation::Retry;

/// So many attempts in all.
pub(super) const ATTEMPTS: u32 = 3;
/// The longest wait, also when KMS asks for a longer one.
const LONGEST: Duration = Duration::from_secs(5);

/// Whether to try again. A write that is not idempotent is repeated only when KMS cannot have
/// acted on it.
pub(super) fn again(retry: Retry, error: &ClientError) -> bool {
    let not_acted = error.is_throttled()
        || matches!(&error.failure, Failure::NotConnected(why) if why.is_passing());
    error.attempts < ATTEMPTS
        && match retry {
            Retry::NotActed => not_acted,
            Retry::Idempotent => not_acted || error.is_passing(),
        }
}

/// How long to wait: what KMS asks for (`x-acs-retry-after`, milliseconds), else 200 ms, doubled
/// each time, half of it random so that processes do not march in step.
pub(super) fn pause(attempts: u32, asked_ms: Option<u64>) -> Duration {
    let step = if let Some(ms) = asked_ms {
        Duration::from_millis(ms)
    } else {
        let full = 200_u64 << attempts.min(4);
        let mut byte = [0_u8];
        // Without randomness the wait is merely the shortest one.
        let _ = SystemRandom::new().fill(&mut byte);
        Duration::from_millis(full / 2 + full / 2 * u64::from(byte[0]) / 255)
    };
    step.min(LONGEST)
}
