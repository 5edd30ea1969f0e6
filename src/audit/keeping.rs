//! [`Keeping`]: how a log is kept.

use std::time::Duration;

use super::copies::Copies;
use super::key::AuditKey;

/// Records after which a checkpoint is due.
const RECORDS: u64 = 64;
/// Time after which a checkpoint is due, if there was a record at all.
const INTERVAL: Duration = Duration::from_mins(1);
/// Bytes after which a chain goes on in a new file.
pub(crate) const ROTATE_BYTES: u64 = 64 * 1024 * 1024;

/// With which key a log is signed and how often, where the signatures are copied to, and how long
/// a file may get.
#[derive(Debug)]
pub(crate) struct Keeping {
    /// Signs.
    pub(crate) key: AuditKey,
    /// The second place.
    pub(crate) copies: Copies,
    /// A file of at least so many bytes is closed, and the chain goes on in a new one.
    pub(crate) rotate_bytes: u64,
    /// At most so many records stand between two signed ones.
    pub(super) records: u64,
    /// At most so long is a record without a signed one after it.
    pub(super) interval: Duration,
}

impl Keeping {
    /// As it is unless somebody says otherwise: no second place.
    pub(crate) fn new(key: AuditKey) -> Self {
        Self {
            key,
            copies: Copies::default(),
            rotate_bytes: ROTATE_BYTES,
            records: RECORDS,
            interval: INTERVAL,
        }
    }
}
