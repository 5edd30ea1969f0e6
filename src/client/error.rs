//! [`ClientError`]: what went wrong on the way to KMS, without a word of what KMS said about it.
//!
//! Upstream text is never kept: it can hold keys, values and injected instructions. What may pass
//! comes from a closed set, the code, the action and the kind of a denial, or is a UUID, the
//! RequestId.

use serde::{Deserialize, Deserializer};

use super::code::Code;
use super::no_connection::NoConnection;
use crate::operation::Operation;
use crate::operations::{Visit, catalogue};

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
    /// A byte of it may have reached KMS, in one of the attempts.
    pub(crate) was_sent: bool,
    /// Where the AccessKey was read that signed it.
    pub(crate) key_origin: String,
}

/// The kinds of failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// KMS answered with an error code.
    Refused { code: Code, denied: Option<Denied> },
    /// The answer holds an error code and the HTTP status of a success.
    Contradictory { code: Code },
    /// The request could not be built: nothing was sent.
    NotBuilt,
    /// The parameters are longer than a request can be: nothing was sent.
    TooMuch,
    /// No time was left for it: nothing was sent.
    TooLate,
    /// No connection was made: nothing was sent.
    NotConnected(Box<NoConnection>),
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
    /// An action of KMS, without the `kms:` before it.
    pub(crate) action: Option<&'static str>,
    pub(crate) kind: Option<&'static str>,
}

/// The kinds of a denial (facts/kms.md §6.1).
const DENIALS: [&str; 2] = ["ImplicitDeny", "ExplicitDeny"];
/// The rights on the key of a secret that an action needs (facts/kms.md §0.6).
const KEY_ACTIONS: [&str; 2] = ["Decrypt", "GenerateDataKey"];

/// The error body of gateway and backend (facts/kms.md §6.1); messages are not even read.
#[derive(Deserialize)]
pub(super) struct Body {
    /// Of any type, since only a string is looked up.
    #[serde(alias = "code", rename = "Code")]
    code: Option<Text>,
    #[serde(alias = "requestId", rename = "RequestId")]
    request_id: Option<Text>,
    #[serde(rename = "AccessDeniedDetail")]
    denied: Option<DeniedBody>,
}

#[derive(Deserialize)]
struct DeniedBody {
    #[serde(rename = "AuthAction")]
    action: Option<Text>,
    #[serde(rename = "NoPermissionType")]
    kind: Option<Text>,
}

/// A string, or nothing in place of any other type: one odd member does not hide the others.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(value.as_str().unwrap_or_default().to_owned()))
    }
}

impl Body {
    /// The body of an answer of KMS; any object is one.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// The failure that an answer with the status of an error tells of.
    pub(super) fn failure(&self) -> Option<Failure> {
        let denied = self.denied.as_ref().map(|denied| Denied {
            action: denied.action.as_ref().and_then(|action| known_action(&action.0)),
            kind: denied.kind.as_ref().and_then(|kind| one_of(DENIALS, &kind.0)),
        });
        let code = &self.code.as_ref()?.0;
        // What cannot be a code, or looks like an AccessKey id, was not answered by KMS.
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let plain = !code.is_empty() && code.len() <= 64 && code.bytes().all(fits);
        (plain && !code.contains("LTAI")).then(|| Failure::Refused { code: Code::of(code), denied })
    }

    /// The failure that an answer with the status of a success tells of all the same.
    pub(super) fn contradiction(&self) -> Option<Failure> {
        let code = Code::of(&self.code.as_ref()?.0);
        Some(Failure::Contradictory { code })
    }

    /// Whether there is a RequestId, as in every answer of KMS.
    pub(super) fn has_request_id(&self) -> bool {
        self.request_id.is_some()
    }

    /// The RequestId, if it has the form of one: a UUID.
    pub(super) fn request_id(&self) -> Option<String> {
        let id = &self.request_id.as_ref()?.0;
        let hyphen = |at: usize| matches!(at, 8 | 13 | 18 | 23);
        let fits = id.len() == 36
            && id
                .bytes()
                .enumerate()
                .all(|(at, byte)| if hyphen(at) { byte == b'-' } else { byte.is_ascii_hexdigit() });
        fits.then(|| id.clone())
    }
}

fn known_action(text: &str) -> Option<&'static str> {
    struct Names;
    impl Visit for Names {
        type Entry = &'static str;
        fn visit<O: Operation>(&mut self) -> &'static str {
            O::SPEC.action
        }
    }
    one_of(catalogue(&mut Names).into_iter().chain(KEY_ACTIONS), text.strip_prefix("kms:")?)
}

fn one_of(words: impl IntoIterator<Item = &'static str>, text: &str) -> Option<&'static str> {
    words.into_iter().find(|word| *word == text)
}

impl ClientError {
    /// The code with which KMS refused the call, if it did.
    pub(crate) fn kms_code(&self) -> Option<&'static str> {
        match &self.failure {
            Failure::Refused { code, .. } => Some(code.name()),
            Failure::Contradictory { .. }
            | Failure::NotBuilt
            | Failure::TooMuch
            | Failure::TooLate
            | Failure::NotConnected(_)
            | Failure::NoAnswer
            | Failure::Unreadable
            | Failure::TooLong
            | Failure::Redirected
            | Failure::GivenUp => None,
        }
    }

    /// The code in the reply: KMS's own, or one of a closed set.
    pub(crate) fn code(&self) -> &'static str {
        match &self.failure {
            Failure::Refused { code, .. } | Failure::Contradictory { code } => code.name(),
            Failure::NotBuilt | Failure::TooMuch | Failure::TooLate => "NotSent",
            Failure::NotConnected(_) => "NotConnected",
            Failure::NoAnswer => "NoAnswer",
            Failure::Unreadable => "UnreadableAnswer",
            Failure::TooLong => "AnswerTooLong",
            Failure::Redirected => "Redirected",
            Failure::GivenUp => "Cancelled",
        }
    }

    /// Whether the code is one that KMS or its gateway publishes.
    pub(crate) fn is_known(&self) -> bool {
        matches!(self.failure, Failure::Refused { code, .. } if code.is_known())
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
            Failure::Contradictory { .. }
            | Failure::NotBuilt
            | Failure::TooMuch
            | Failure::TooLate
            | Failure::NotConnected(_)
            | Failure::TooLong
            | Failure::Redirected
            | Failure::GivenUp => false,
        }
    }

    /// Whether the attempt that failed so may have sent something.
    pub(super) fn sends(&self) -> bool {
        let nothing = matches!(
            self.failure,
            Failure::NotBuilt | Failure::TooMuch | Failure::TooLate | Failure::NotConnected(_)
        );
        // Given up before the first attempt, nothing was sent either.
        !nothing && self.attempts > 0
    }

    /// This failure alone leaves open whether KMS has acted.
    pub(super) fn leaves_open(&self) -> bool {
        self.is_passing()
            || matches!(
                self.failure,
                Failure::Contradictory { .. } | Failure::TooLong | Failure::Redirected
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_an_error_body_passes_but_words_of_closed_sets_and_a_uuid() {
        let text = "Zk7quietlantern41";
        let body = serde_json::json!({ "Code": text, "RequestId": text, "Message": text,
            "AccessDeniedDetail": { "AuthAction": format!("kms:{text}"), "NoPermissionType": text } });
        let body = Body::read(body.to_string().as_bytes()).unwrap();
        let failure = body.failure().unwrap();
        assert!(!format!("{failure:?}").contains(text), "{failure:?}");
        assert!(body.has_request_id() && body.request_id().is_none());
        for odd in ["{\"Code\":5}", "{\"Code\":[\"x\"]}", "{\"code\":\"x\"}"] {
            let body = Body::read(odd.as_bytes()).unwrap();
            assert_eq!(
                body.contradiction().map(|it| format!("{it:?}")).unwrap(),
                "Contradictory { code: Code(\"UnknownCode\") }",
                "{odd}"
            );
        }
        for none in ["{}", "{\"Code\":null}"] {
            assert!(Body::read(none.as_bytes()).unwrap().contradiction().is_none(), "{none}");
        }
    }

    #[test]
    fn known_words_of_a_denial_pass() {
        let read = |action: &str, kind: &str| {
            let body = serde_json::json!({ "Code": "NoPermission", "AccessDeniedDetail":
                { "AuthAction": action, "NoPermissionType": kind } });
            match Body::read(body.to_string().as_bytes()).unwrap().failure() {
                Some(Failure::Refused { denied: Some(denied), .. }) => (denied.action, denied.kind),
                _ => (None, None),
            }
        };
        assert_eq!(
            read("kms:GetSecretValue", "ImplicitDeny"),
            (Some("GetSecretValue"), Some("ImplicitDeny"))
        );
        assert_eq!(read("kms:Decrypt", "ExplicitDeny"), (Some("Decrypt"), Some("ExplicitDeny")));
        assert_eq!(read("GetSecretValue", "implicitdeny"), (None, None));
    }
}
