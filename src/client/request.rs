//! One request: parameters into their places, signed.
//!
//! `SecretData` goes into the form body, everything else into the query (facts/kms.md §0.3, §0.4).

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use super::sign::acs3::{self, Unsigned};
use super::sign::{percent, rpc1};
use crate::clock::to_seconds;
use crate::guard::Target;
use crate::hex;
use crate::operation::{Content, Params, Place};
use crate::sensitive::Sensitive;

/// The version of the API.
const VERSION: &str = "2016-01-20";
const FORM: &str = "application/x-www-form-urlencoded";

/// Which signature requests carry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Signature {
    /// ACS3-HMAC-SHA256. The default: no echo of it can hold a value.
    #[default]
    Acs3,
    /// RPC HMAC-SHA1, for gateways that need it.
    Rpc1,
}

/// URL, headers and body, ready to send.
pub(super) type Built = (String, HeaderMap, Vec<u8>);

/// Builds and signs one request, with a nonce of its own. `None` only if a header cannot be made
/// or the random generator failed: nothing is sent then.
pub(super) fn build(
    action: &'static str,
    params: &Params,
    target: &Target,
    signature: Signature,
    now: Timestamp,
) -> Option<Built> {
    let (date, nonce) = (to_seconds(now), nonce()?);
    match signature {
        Signature::Acs3 => acs3(action, params, target, &date, &nonce),
        Signature::Rpc1 => Some(rpc1(action, params, target, &date, &nonce)),
    }
}

fn acs3(
    action: &'static str,
    params: &Params,
    target: &Target,
    date: &str,
    nonce: &str,
) -> Option<Built> {
    let query: Vec<(&str, &str)> = of(params, Place::Query).collect();
    let body = Zeroizing::new(percent::pairs(of(params, Place::Body)));
    let hash = acs3::sha256_hex(body.as_bytes());
    let mut headers = vec![
        ("host", target.host.as_str()),
        ("x-acs-action", action),
        ("x-acs-content-sha256", &hash),
        ("x-acs-date", date),
        ("x-acs-signature-nonce", nonce),
        ("x-acs-version", VERSION),
    ];
    if !body.is_empty() {
        headers.push(("content-type", FORM));
    }
    let credential = &target.credential;
    if let Some(token) = credential.token() {
        headers.push(("x-acs-accesskey-id", opened(credential.id())));
        headers.push(("x-acs-security-token", opened(token)));
    }
    let unsigned =
        Unsigned { method: "POST", query: &query, headers: &headers, body_sha256: &hash };
    let signed = acs3::sign(&unsigned, opened(credential.id()), opened(credential.secret()));
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(name == "x-acs-security-token");
        map.insert(HeaderName::from_static(name), value);
    }
    let mut authorization = HeaderValue::from_str(&signed.authorization).ok()?;
    authorization.set_sensitive(true);
    map.insert("authorization", authorization);
    map.insert("accept", HeaderValue::from_static("application/json"));
    let url = format!("{}?{}", target.url, percent::pairs(query));
    Some((url, map, body.as_bytes().to_vec()))
}

fn rpc1(action: &'static str, params: &Params, target: &Target, date: &str, nonce: &str) -> Built {
    let credential = &target.credential;
    let mut query: Vec<(&str, &str)> = of(params, Place::Query).collect();
    query.extend([
        ("Action", action),
        ("Version", VERSION),
        ("Format", "JSON"),
        ("AccessKeyId", opened(credential.id())),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("SignatureNonce", nonce),
        ("Timestamp", date),
    ]);
    query.extend(credential.token().map(|token| ("SecurityToken", opened(token))));
    let form: Vec<(&str, &str)> = of(params, Place::Body).collect();
    let all: Vec<(&str, &str)> = query.iter().chain(&form).copied().collect();
    let signature = rpc1::sign("POST", &all, opened(credential.secret()));
    query.push(("Signature", &signature));
    let mut map = HeaderMap::new();
    map.insert("accept", HeaderValue::from_static("application/json"));
    if !form.is_empty() {
        map.insert("content-type", HeaderValue::from_static(FORM));
    }
    let url = format!("{}?{}", target.url, percent::pairs(query));
    let body = Zeroizing::new(percent::pairs(form));
    (url, map, body.as_bytes().to_vec())
}

fn of(params: &Params, place: Place) -> impl Iterator<Item = (&str, &str)> {
    params.iter().filter(move |param| param.place == place).map(|param| {
        let content = match &param.content {
            Content::Plain(text) => text.as_str(),
            #[expect(clippy::disallowed_methods, reason = "into the signed request body")]
            Content::Secret(value) => value.expose(),
        };
        (param.name, content)
    })
}

/// An AccessKey or token on its way into a signature or header.
fn opened(credential: &Sensitive) -> &str {
    #[expect(clippy::disallowed_methods, reason = "into the request's signature and headers")]
    credential.expose()
}

/// 128 random bits in hex; a new one for every attempt.
fn nonce() -> Option<String> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(hex::encode(&bytes))
}
