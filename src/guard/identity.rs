//! [`Identity`]: which server asks, and how far its user could have bent it.

use crate::anchor::Anchors;

/// What an approval request says of the server that makes it.
#[derive(Debug)]
pub(crate) struct Identity {
    /// Names this process in the audit log and in records.
    pub(crate) instance: String,
    /// What of it lay outside the reach of its user when it started.
    pub(crate) anchors: Anchors,
}
