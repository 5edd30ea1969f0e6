//! A row of the store, as far as it fits the record in it: the one way to a record that waits.

use jiff::Timestamp;

use super::channel::DecideError;
use crate::clock::to_seconds;
use crate::guard::approval::{Record, digest};
use crate::store::Pending;

/// The record that waits, if it is the one that was asked and the row's columns are its own.
///
/// Any program of the user can write the store. What finds a row (its match code) or orders it (its
/// level and times) must not lead to another record than the one the person means.
pub(crate) fn record_of(pending: &Pending) -> Result<Record, DecideError> {
    if digest(&pending.record) != pending.digest {
        return Err(DecideError::Altered);
    }
    let record: Record =
        serde_json::from_slice(&pending.record).map_err(|_| DecideError::Unreadable)?;
    let at = |ms: i64| Timestamp::from_millisecond(ms).ok().map(to_seconds);
    let is_its_own = pending.match_code == record.match_code
        && pending.level == record.level
        && pending.instance == record.instance
        && at(pending.created_ms).as_ref() == Some(&record.asked_at)
        && at(pending.expires_ms).as_ref() == Some(&record.expires_at);
    if is_its_own { Ok(record) } else { Err(DecideError::Altered) }
}
