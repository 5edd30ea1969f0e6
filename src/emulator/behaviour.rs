//! [`Behaviour`]: what the documentation of KMS leaves open, decided in one place.
//!
//! The defaults are the stricter or the better-evidenced reading, so that a client which works
//! here does not rely on luck.

/// How an undocumented point is settled.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an open question of its own")]
pub(crate) struct Behaviour {
    /// Answer 409 to `GetSecretValue`, `PutSecretValue`, `RotateSecret` and the like while a secret
    /// waits for its deletion.
    pub(crate) locked_in_delete_window: bool,
    /// Let `ForceDeleteWithoutRecovery` purge a secret that already waits for its deletion.
    pub(crate) force_delete_in_window: bool,
    /// Moving `ACSCurrent` puts `ACSPrevious` on the version that held it.
    pub(crate) previous_follows_current: bool,
    /// Take parameters from a JSON body.
    pub(crate) json_bodies: bool,
    /// The shortest `RotationInterval` in seconds: 6 h by the SDK, 7 d by older texts.
    pub(crate) shortest_rotation_seconds: i64,
    /// The longest `RotationInterval` in seconds: 8,760 h.
    pub(crate) longest_rotation_seconds: i64,
    /// Refuse calls beyond the published rates.
    pub(crate) quotas: bool,
    /// Answer the gateway's `MissingSecretName` for a missing parameter, not `MissingParameter`.
    pub(crate) gateway_missing_codes: bool,
    /// Let the filter `SecretName` find names that begin with a value, not only whole names.
    pub(crate) names_match_by_prefix: bool,
    /// The code for an action that the type of the secret does not have, such as a rotation of a
    /// generic one.
    pub(crate) wrong_type_code: &'static str,
    /// The HTTP status of `Rejected.Throttling`.
    pub(crate) throttling_status: u16,
    /// How far a request's time may be from ours, in milliseconds.
    pub(crate) clock_skew_ms: i64,
    /// How many resources a filter on tags can find.
    pub(crate) tag_filter_limit: i64,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            locked_in_delete_window: true,
            force_delete_in_window: true,
            previous_follows_current: true,
            json_bodies: true,
            shortest_rotation_seconds: 6 * 3600,
            longest_rotation_seconds: 8760 * 3600,
            quotas: false,
            gateway_missing_codes: false,
            names_match_by_prefix: false,
            wrong_type_code: "UnsupportedOperation",
            throttling_status: 429,
            clock_skew_ms: 15 * 60 * 1000,
            tag_filter_limit: 4000,
        }
    }
}
