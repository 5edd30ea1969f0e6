//! [`Witnessed`]: what a secret looked like when a person was asked.

use serde::{Deserialize, Serialize};

/// Read before asking and again before acting; any difference refuses the call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Witnessed {
    pub(crate) arn: Option<String>,
    pub(crate) secret_type: Option<String>,
    pub(crate) create_time: Option<String>,
    pub(crate) update_time: Option<String>,
    pub(crate) planned_delete_time: Option<String>,
    /// The version that would be read, resolved now: KMS ignores VersionId for managed types.
    pub(crate) version_id: Option<String>,
    /// The version that KMS drops for the new one, as the approver is told.
    pub(crate) dropped_version: Option<String>,
    /// For what cannot be undone: every version with its stages.
    pub(crate) versions: Vec<String>,
    /// For what cannot be undone: the tags.
    pub(crate) tags: Vec<String>,
}
