//! The protocol versions that are spoken.

use rmcp::model::ProtocolVersion;

/// Oldest first. 2025-03-26 is not among them: it has batches.
pub(super) static VERSIONS: [ProtocolVersion; 3] =
    [ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28];

/// The version for a client that offers one older than all that are spoken: the nearest to its own.
pub(super) fn for_older(offered: &ProtocolVersion) -> Option<ProtocolVersion> {
    let oldest = ProtocolVersion::V_2025_06_18;
    (offered.as_str() < oldest.as_str()).then_some(oldest)
}
