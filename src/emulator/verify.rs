//! Checks who sent a request: signature, time, nonce and token, by code of its own.
//!
//! `acs` checks ACS3 and ACS4 headers, `rpc` the RPC signature with HMAC-SHA1. Both work on what
//! was received, and over the headers the client says it signed.

mod acs;
mod nonces;
mod rpc;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use subtle::ConstantTimeEq as _;

pub(crate) use self::nonces::Nonces;
use super::behaviour::Behaviour;
use super::error::KmsError;
use super::identity::Identity;
use super::request::{Parsed, Received};

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What the gateway says of a signature if it repeats nothing.
const BARE_MISMATCH: &str = "Specified signature does not match our calculation.";

/// How a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Acs3,
    Acs4,
    Rpc1,
    Unsigned,
}

impl Scheme {
    pub(crate) fn of(received: &Received, parsed: &Parsed) -> Self {
        let authorization = received.header("authorization").unwrap_or_default();
        if authorization.starts_with("ACS3-") {
            Self::Acs3
        } else if authorization.starts_with("ACS4-") {
            Self::Acs4
        } else if parsed.find("Signature").is_some() {
            Self::Rpc1
        } else {
            Self::Unsigned
        }
    }

    /// The name in the request log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Acs3 => "acs3",
            Self::Acs4 => "acs4",
            Self::Rpc1 => "rpc1",
            Self::Unsigned => "none",
        }
    }

    /// A common parameter, from where this scheme signs it.
    pub(crate) fn common(
        self,
        received: &Received,
        parsed: &Parsed,
        common: Common,
    ) -> Option<String> {
        match self {
            Self::Acs3 | Self::Acs4 => received.header(common.header()),
            Self::Rpc1 | Self::Unsigned => parsed.find(common.parameter()).map(str::to_owned),
        }
        .filter(|value| !value.is_empty())
    }
}

/// The common parameters of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Common {
    Action,
    Version,
    Time,
    Nonce,
    Token,
}

impl Common {
    fn header(self) -> &'static str {
        match self {
            Self::Action => "x-acs-action",
            Self::Version => "x-acs-version",
            Self::Time => "x-acs-date",
            Self::Nonce => "x-acs-signature-nonce",
            Self::Token => "x-acs-security-token",
        }
    }

    fn parameter(self) -> &'static str {
        match self {
            Self::Action => "Action",
            Self::Version => "Version",
            Self::Time => "Timestamp",
            Self::Nonce => "SignatureNonce",
            Self::Token => "SecurityToken",
        }
    }
}

/// What a scheme found in a request.
struct Signed {
    access_key_id: String,
    signature: String,
    expected: String,
    /// What the gateway says when the two differ.
    mismatch: String,
}

/// What makes a signed request good once.
#[derive(Debug)]
pub(crate) struct Nonce {
    text: String,
    until_ms: i64,
}

impl Nonce {
    /// Refuses a request that was seen before. Blocks.
    pub(crate) fn spend(&self, nonces: &Nonces, now: Timestamp) -> Result<(), KmsError> {
        match nonces.first_use(&self.text, now.as_millisecond(), self.until_ms) {
            Ok(true) => Ok(()),
            Ok(false) => Err(KmsError::new(
                400,
                "SignatureNonceUsed",
                "Specified signature nonce was used already.",
            )),
            Err(_) => Err(KmsError::new(500, "InternalFailure", "The nonces cannot be kept.")),
        }
    }
}

/// Lets a request pass that is signed by our access key, in time, and with one of `tokens` if there
/// are any. Its nonce is spent last, so that nobody without the key can use one up.
pub(crate) fn verify(
    received: &Received,
    parsed: &Parsed,
    identity: &Identity,
    behaviour: &Behaviour,
    tokens: Option<&[String]>,
    now: Timestamp,
) -> Result<Nonce, KmsError> {
    let scheme = Scheme::of(received, parsed);
    let signed = check(scheme, received, parsed, identity)?;
    if signed.access_key_id != identity.access_key_id {
        return Err(KmsError::new(
            404,
            "InvalidAccessKeyId.NotFound",
            "Specified access key is not found.",
        ));
    }
    let common = |common| scheme.common(received, parsed, common);
    let time = instant(common(Common::Time))?;
    let skew = now.as_millisecond().saturating_sub(time.as_millisecond()).saturating_abs();
    if skew > behaviour.clock_skew_ms {
        return Err(KmsError::new(
            400,
            "InvalidTimeStamp.Expired",
            "Specified time stamp or date value is expired.",
        ));
    }
    let nonce = common(Common::Nonce).ok_or_else(|| KmsError::missing("SignatureNonce"))?;
    if !bool::from(signed.signature.as_bytes().ct_eq(signed.expected.as_bytes())) {
        let bare = !behaviour.mismatch_repeats_request && scheme != Scheme::Rpc1;
        let message = if bare { BARE_MISMATCH.to_owned() } else { signed.mismatch };
        return Err(KmsError::new(400, "SignatureDoesNotMatch", message));
    }
    token(common(Common::Token), tokens)?;
    let until_ms = now.as_millisecond().max(time.as_millisecond()) + behaviour.clock_skew_ms;
    Ok(Nonce { text: nonce, until_ms })
}

/// The message of a signature that does not match, for a request whose signature does.
pub(crate) fn mismatch(received: &Received, parsed: &Parsed, identity: &Identity) -> KmsError {
    match check(Scheme::of(received, parsed), received, parsed, identity) {
        Ok(signed) => KmsError::new(400, "SignatureDoesNotMatch", signed.mismatch),
        Err(error) => error,
    }
}

fn check(
    scheme: Scheme,
    received: &Received,
    parsed: &Parsed,
    identity: &Identity,
) -> Result<Signed, KmsError> {
    #[expect(clippy::disallowed_methods, reason = "into the key of an HMAC")]
    let secret = identity.access_key_secret.expose();
    match scheme {
        Scheme::Acs3 | Scheme::Acs4 => acs::check(received, parsed, secret),
        Scheme::Rpc1 => rpc::check(received, parsed, secret),
        Scheme::Unsigned => Err(KmsError::missing("AccessKeyId")),
    }
}

fn instant(time: Option<String>) -> Result<Timestamp, KmsError> {
    let time = time.ok_or_else(|| {
        KmsError::new(
            400,
            "IllegalTimestamp",
            "The input parameter \"Timestamp\" that is mandatory for processing this request is \
             not supplied.",
        )
    })?;
    let well_formed = time.len() == 20 && time.ends_with('Z') && time.contains('T');
    time.parse().ok().filter(|_| well_formed).ok_or_else(|| {
        KmsError::new(
            400,
            "InvalidTimeStamp.Format",
            "Specified time stamp or date value is not well formatted.",
        )
    })
}

fn token(token: Option<String>, valid: Option<&[String]>) -> Result<(), KmsError> {
    match (token, valid) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(KmsError::new(
            400,
            "InvalidSecurityToken.MismatchWithAccessKey",
            "Specified SecurityToken mismatch with the AccessKey.",
        )),
        (None, Some(_)) => Err(KmsError::new(
            400,
            "MissingSecurityToken",
            "SecurityToken is mandatory for this action.",
        )),
        (Some(token), Some(valid)) if valid.contains(&token) => Ok(()),
        (Some(_), Some(_)) => Err(KmsError::new(
            400,
            "InvalidSecurityToken.Expired",
            "Specified SecurityToken is expired.",
        )),
    }
}

fn incomplete() -> KmsError {
    KmsError::new(
        400,
        "IncompleteSignature",
        "The request signature does not conform to Aliyun/Alibaba Cloud standards.",
    )
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// `name=value` pairs in the order of their names, encoded and joined.
fn canonical<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut pairs: Vec<_> = pairs.into_iter().collect();
    pairs.sort_unstable();
    let pairs: Vec<_> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

/// The vectors in `tests/cases/signing`, which the official SDKs made.
#[cfg(test)]
mod vectors {
    use std::fs;

    use serde_json::Value;

    pub(super) fn all(kind: &str) -> Vec<Value> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/signing");
        let vectors: Vec<Value> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap())
            .filter(|vector: &Value| vector["name"].as_str().unwrap().starts_with(kind))
            .collect();
        assert!(!vectors.is_empty());
        vectors
    }

    pub(super) fn text(vector: &Value, name: &str) -> String {
        vector[name].as_str().unwrap_or_else(|| panic!("{name} in {vector}")).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;
    use crate::sensitive::Sensitive;

    /// A request of a vector, as if it had just come in.
    fn vector(name: &str) -> (Received, Identity) {
        let vector = vectors::all(name).remove(0);
        let target = vectors::text(&vector, "request_line");
        let query = target.split_once("/?").unwrap().1.split_once(' ').unwrap().0.to_owned();
        let received = Received {
            method: vectors::text(&vector, "method"),
            path: "/".into(),
            query,
            headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())],
            body: Bytes::from(vectors::text(&vector, "body")),
        };
        let identity = Identity {
            account_id: "1".into(),
            access_key_id: vectors::text(&vector, "access_key_id"),
            access_key_secret: Sensitive::new(vectors::text(&vector, "access_key_secret")),
            region_id: "cn-hangzhou".into(),
        };
        (received, identity)
    }

    fn code(
        received: &Received,
        identity: &Identity,
        tokens: Option<&[String]>,
        now: &str,
    ) -> String {
        let parsed = Parsed::of(received, true).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let nonces = Nonces::open(&folder.path().join("nonces.db")).unwrap();
        let run = || {
            let (behaviour, now) = (Behaviour::default(), now.parse().unwrap());
            let verified = verify(received, &parsed, identity, &behaviour, tokens, now);
            match verified.and_then(|nonce| nonce.spend(&nonces, now)) {
                Ok(()) => "ok".to_owned(),
                Err(error) => error.code.into_owned(),
            }
        };
        let first = run();
        if first == "ok" { format!("ok, {}", run()) } else { first }
    }

    #[test]
    fn time_nonce_key_and_token_are_checked() {
        let now = "2026-01-02T03:04:05Z";
        let (received, mut identity) = vector("v1-tea-DescribeSecret-ak");
        assert_eq!(code(&received, &identity, None, now), "ok, SignatureNonceUsed");
        assert_eq!(
            code(&received, &identity, None, "2026-01-02T03:19:05Z"),
            "ok, SignatureNonceUsed"
        );
        assert_eq!(
            code(&received, &identity, None, "2026-01-02T03:19:06Z"),
            "InvalidTimeStamp.Expired"
        );
        assert_eq!(
            code(&received, &identity, None, "2026-01-02T02:49:04Z"),
            "InvalidTimeStamp.Expired"
        );
        assert_eq!(code(&received, &identity, Some(&[]), now), "MissingSecurityToken");
        identity.access_key_secret = Sensitive::new("another".into());
        assert_eq!(code(&received, &identity, None, now), "SignatureDoesNotMatch");
        identity.access_key_id = "another".into();
        assert_eq!(code(&received, &identity, None, now), "InvalidAccessKeyId.NotFound");

        let (received, identity) = vector("v1-tea-CreateSecret-unicode-sts-formbody");
        let token = ["CAISTestSecurityToken+/=abc".to_owned()];
        assert_eq!(code(&received, &identity, Some(&token), now), "ok, SignatureNonceUsed");
        assert_eq!(code(&received, &identity, Some(&[]), now), "InvalidSecurityToken.Expired");
        assert_eq!(
            code(&received, &identity, None, now),
            "InvalidSecurityToken.MismatchWithAccessKey"
        );
    }
}
