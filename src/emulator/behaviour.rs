//! [`Behaviour`]: what the documentation of KMS leaves open, decided in one place.
//!
//! The defaults are the stricter or the better-evidenced reading, so that a client which works
//! here does not rely on luck. `kms-mcp emulator --behaviour FILE` reads others from TOML, every
//! field optional, an unknown one refused; `--backend embedded` has the defaults, always.
//!
//! ```toml
//! quotas = true
//! most_secrets = 100
//! wrong_type_code = "InvalidParameter"
//! ```

use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::EmulatorError;
use super::folder::at;

/// How an undocumented point is settled.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an open question of its own")]
pub(crate) struct Behaviour {
    /// Answer 409 to `GetSecretValue`, `PutSecretValue`, `RotateSecret` and the like while a secret
    /// waits for its deletion. Default `true`: other actions are documented to, theirs is not
    /// published.
    pub(crate) locked_in_delete_window: bool,
    /// Let `ForceDeleteWithoutRecovery` purge a secret that already waits for its deletion.
    /// Default `true`: users of Terraform and the console rely on it; else the same 409.
    pub(crate) force_delete_in_window: bool,
    /// Moving `ACSCurrent` puts `ACSPrevious` on the version that held it. Default `true`, as
    /// `PutSecretValue` does.
    pub(crate) previous_follows_current: bool,
    /// Take parameters from a JSON body. Default `true`: a published Python sample sends one.
    pub(crate) json_bodies: bool,
    /// The shortest `RotationInterval` in seconds. Default 6 h by the SDK; older texts say 7 d.
    pub(crate) shortest_rotation_seconds: i64,
    /// The longest `RotationInterval` in seconds. Default 8,760 h: all texts agree.
    pub(crate) longest_rotation_seconds: i64,
    /// Refuse calls beyond the published rates. Default `false`, so that tests and demos are not
    /// throttled by their own speed.
    pub(crate) quotas: bool,
    /// How many secrets the account may have. Default none: the real number depends on what was
    /// bought.
    pub(crate) most_secrets: Option<i64>,
    /// How many keys the account may have, the service key included. Default none, as above.
    pub(crate) most_keys: Option<i64>,
    /// Answer the gateway's `MissingSecretName` for a missing parameter. Default `false`:
    /// `MissingParameter` is the published code of KMS.
    pub(crate) gateway_missing_codes: bool,
    /// Let the filter `SecretName` find names that begin with a value. Default `false`: whole
    /// names, as no document promises more.
    pub(crate) names_match_by_prefix: bool,
    /// The code for an action that the type of the secret does not have, such as a rotation of a
    /// generic one. Default `UnsupportedOperation`: published for other actions, with fitting words.
    pub(crate) wrong_type_code: WrongType,
    /// The HTTP status of `Rejected.Throttling`, 429 or 400. Default 429: the documents of KMS; 400
    /// is documented for `Throttling.User`.
    pub(crate) throttling_status: u16,
    /// How far a request's time may be from ours, in milliseconds. Default 15 min: the documents of
    /// the gateway.
    pub(crate) clock_skew_ms: i64,
    /// How many resources a filter on tags can find. Default 4,000: the documents.
    pub(crate) tag_filter_limit: i64,
    /// Repeat the request in the message of an ACS3 or ACS4 signature that does not match. Default
    /// `true`: third parties saw it, and it is what a client must not pass on.
    pub(crate) mismatch_repeats_request: bool,
    /// Send the further headers that third parties saw from the gateway, such as `x-acs-trace-id`.
    /// Default `false`: nothing official names them.
    pub(crate) gateway_headers: bool,
}

/// The codes that may be meant by "not supported".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum WrongType {
    #[serde(rename = "UnsupportedOperation")]
    Unsupported,
    #[serde(rename = "Rejected.UnsupportedOperation")]
    Rejected,
    #[serde(rename = "InvalidParameter")]
    InvalidParameter,
}

impl WrongType {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Unsupported => "UnsupportedOperation",
            Self::Rejected => "Rejected.UnsupportedOperation",
            Self::InvalidParameter => "InvalidParameter",
        }
    }
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
            most_secrets: None,
            most_keys: None,
            gateway_missing_codes: false,
            names_match_by_prefix: false,
            wrong_type_code: WrongType::Unsupported,
            throttling_status: 429,
            clock_skew_ms: 15 * 60 * 1000,
            tag_filter_limit: 4000,
            mismatch_repeats_request: true,
            gateway_headers: false,
        }
    }
}

impl Behaviour {
    /// Reads the file, once.
    pub(crate) fn read(path: &Path) -> Result<Self, EmulatorError> {
        let content = fs::read(path).map_err(at(path))?;
        let text = String::from_utf8(content)
            .map_err(|error| at(path)(io::Error::new(io::ErrorKind::InvalidData, error)))?;
        Self::parse(&text).map_err(EmulatorError::Behaviour)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let read: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let limits = [read.most_secrets, read.most_keys, Some(read.clock_skew_ms)];
        let holds = [
            (matches!(read.throttling_status, 400 | 429), "`throttling_status` must be 429 or 400"),
            (
                (1..=read.longest_rotation_seconds).contains(&read.shortest_rotation_seconds),
                "`shortest_rotation_seconds` must be from 1 to `longest_rotation_seconds`",
            ),
            (
                limits.into_iter().flatten().chain([read.tag_filter_limit]).all(|most| most >= 0),
                "limits must not be negative",
            ),
        ];
        match holds.into_iter().find(|(holds, _)| !holds) {
            Some((_, why)) => Err(why.to_owned()),
            None => Ok(read),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_optional_and_a_wrong_one_is_refused() {
        assert!(!Behaviour::parse("").unwrap().quotas);
        let read = Behaviour::parse("quotas = true\nwrong_type_code = 'InvalidParameter'").unwrap();
        assert!(read.quotas && read.json_bodies);
        assert_eq!(read.wrong_type_code.code(), "InvalidParameter");
        for (wrong, says) in [
            ("quota = true", "unknown field `quota`"),
            ("wrong_type_code = 'Other'", "unknown variant"),
            ("throttling_status = 503", "429 or 400"),
            ("shortest_rotation_seconds = 0", "shortest_rotation_seconds"),
            ("most_secrets = -1", "negative"),
        ] {
            let why = Behaviour::parse(wrong).unwrap_err();
            assert!(why.contains(says), "{wrong}: {why}");
        }
    }
}
