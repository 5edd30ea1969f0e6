//! [`ClientError`]: what went wrong on the way to KMS, without a word of what KMS said about it.
//!
//! Upstream text is never kept: it can hold keys, values and injected instructions. What may pass
//! is checked against its alphabet: the code, the RequestId, and two members of AccessDeniedDetail.

use serde::Deserialize;

/// A failed request.
#[derive(Debug, Clone)]
pub(crate) struct ClientError {
    pub(crate) failure: Failure,
    pub(crate) http_status: Option<u16>,
    pub(crate) request_id: Option<String>,
    /// How often it was sent.
    pub(crate) attempts: u32,
    pub(crate) ms: i64,
    /// An attempt may have acted without our knowing.
    pub(crate) ambiguous: bool,
}

/// The kinds of failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// KMS answered with an error code.
    Refused { code: String, denied: Option<Denied> },
    /// No connection was made: nothing was sent.
    NotConnected,
    /// The connection broke, or no answer came in time.
    NoAnswer,
    /// The answer is not one of KMS.
    Unreadable,
    /// The answer is longer than 256 KiB.
    TooLong,
    /// The answer sends us elsewhere, where we do not go.
    Redirected,
    /// The client gave the call up: nothing was sent, or a reading was broken off.
    GivenUp,
}

/// What RAM says was missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denied {
    /// Such as `kms:GetSecretValue`.
    pub(crate) action: Option<String>,
    /// `ImplicitDeny` or `ExplicitDeny`.
    pub(crate) kind: Option<String>,
}

/// The error body of gateway and backend (facts/kms.md §6.1); messages are not even read.
#[derive(Deserialize)]
pub(super) struct Body {
    #[serde(alias = "code", rename = "Code")]
    code: String,
    #[serde(alias = "requestId", rename = "RequestId")]
    request_id: Option<String>,
    #[serde(rename = "AccessDeniedDetail")]
    denied: Option<DeniedBody>,
}

#[derive(Deserialize)]
struct DeniedBody {
    #[serde(rename = "AuthAction")]
    action: Option<String>,
    #[serde(rename = "NoPermissionType")]
    kind: Option<String>,
}

impl Body {
    /// The failure and the RequestId, if the code is one.
    pub(super) fn read(body: &[u8]) -> Option<(Failure, Option<String>)> {
        let body: Self = serde_json::from_slice(body).ok()?;
        let code = checked(body.code, 64, ".-_")?;
        let denied = body.denied.map(|denied| Denied {
            action: denied.action.and_then(|action| checked(action, 64, ":")),
            kind: denied.kind.and_then(|kind| checked(kind, 32, "")),
        });
        Some((Failure::Refused { code, denied }, body.request_id.and_then(request_id)))
    }
}

/// A RequestId, if it has the form of one.
pub(super) fn request_id(id: String) -> Option<String> {
    checked(id, 64, "-")
}

fn checked(text: String, longest: usize, besides: &str) -> Option<String> {
    let allowed =
        |character: char| character.is_ascii_alphanumeric() || besides.contains(character);
    // A code that looks like an AccessKey is not one.
    let fits = !text.is_empty() && text.len() <= longest && text.chars().all(allowed);
    (fits && !text.contains("LTAI")).then_some(text)
}

impl ClientError {
    /// KMS's own code, if it gave one.
    pub(crate) fn kms_code(&self) -> Option<&str> {
        match &self.failure {
            Failure::Refused { code, .. } => Some(code),
            Failure::NotConnected
            | Failure::NoAnswer
            | Failure::Unreadable
            | Failure::TooLong
            | Failure::Redirected
            | Failure::GivenUp => None,
        }
    }

    /// The code in the reply: KMS's own, or one of a closed set.
    pub(crate) fn code(&self) -> &str {
        match &self.failure {
            Failure::Refused { code, .. } => code,
            Failure::NotConnected => "NotConnected",
            Failure::NoAnswer => "NoAnswer",
            Failure::Unreadable => "UnreadableAnswer",
            Failure::TooLong => "AnswerTooLong",
            Failure::Redirected => "Redirected",
            Failure::GivenUp => "Cancelled",
        }
    }

    /// The client gave the call up before KMS could change anything.
    pub(crate) fn is_given_up(&self) -> bool {
        self.failure == Failure::GivenUp
    }

    /// Too many requests: KMS has not acted.
    pub(super) fn is_throttled(&self) -> bool {
        self.http_status == Some(429)
            || self.kms_code().is_some_and(|code| {
                code == "Rejected.Throttling"
                    || code == "Throttling"
                    || code.starts_with("Throttling.")
            })
    }

    /// Passing, and KMS may or may not have acted.
    pub(super) fn is_passing(&self) -> bool {
        match &self.failure {
            Failure::NoAnswer | Failure::Unreadable => true,
            Failure::Refused { .. } => self.http_status.is_some_and(|status| status >= 500),
            Failure::NotConnected | Failure::TooLong | Failure::Redirected | Failure::GivenUp => {
                false
            }
        }
    }

    /// This failure alone leaves open whether KMS has acted.
    pub(super) fn leaves_open(&self) -> bool {
        self.is_passing() || self.failure == Failure::TooLong || self.failure == Failure::Redirected
    }
}
