//! The way to KMS: permit → signed POST → answer.
//!
//! `SecretData` goes into the form body, everything else into the query (facts/kms.md §0.3, §0.4).

mod error;
mod explain;
mod retry;
pub(crate) mod sign;
mod transport;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::audit::Trail;
use crate::clock::{Clock, to_seconds};
use crate::guard::{Permit, Target};
use crate::operation::{Content, Operation, Params, Place};
use crate::sensitive::Sensitive;

pub(crate) use error::ClientError;
use error::Failure;
use sign::acs3::{self, Unsigned};
use sign::percent;
use transport::Received;
pub(crate) use transport::Transport;

/// The version of the API.
const VERSION: &str = "2016-01-20";
const FORM: &str = "application/x-www-form-urlencoded";

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) output: T,
    pub(crate) request_id: Option<String>,
    pub(crate) http_status: u16,
    pub(crate) attempts: u32,
    pub(crate) ms: i64,
}

/// Sends what was permitted, and nothing else.
#[derive(Debug)]
pub(crate) struct Client {
    transport: Transport,
    clock: Clock,
}

impl Client {
    pub(crate) fn new(transport: Transport, clock: Clock) -> Self {
        Self { transport, clock }
    }

    /// Spends the permit. The trail comes back open: whoever called closes it with the outcome.
    pub(crate) async fn send<O: Operation>(
        &self,
        permit: Permit<O>,
    ) -> (Result<Answer<O::Output>, ClientError>, Trail) {
        let (params, target, trail) = permit.spend();
        let started = self.clock.now_ms();
        let mut ambiguous = false;
        for attempts in 1.. {
            let outcome = self.attempt::<O>(&params, &target).await;
            let ms = self.clock.now_ms() - started;
            let (failure, http_status, request_id, asked_ms) = match outcome {
                Ok((output, http_status, request_id)) => {
                    return (Ok(Answer { output, request_id, http_status, attempts, ms }), trail);
                }
                Err(failed) => failed,
            };
            let mut error =
                ClientError { failure, http_status, request_id, attempts, ms, ambiguous };
            ambiguous |= error.leaves_open();
            error.ambiguous = ambiguous;
            if !retry::again(O::SPEC.retry, &error) {
                return (Err(error), trail);
            }
            tokio::time::sleep(retry::pause(attempts, asked_ms)).await;
        }
        let failure = Failure::NotConnected;
        let none = ClientError {
            failure,
            http_status: None,
            request_id: None,
            attempts: 0,
            ms: 0,
            ambiguous,
        };
        (Err(none), trail)
    }

    async fn attempt<O: Operation>(
        &self,
        params: &Params,
        target: &Target,
    ) -> Result<(O::Output, u16, Option<String>), Failed> {
        let (url, headers, body) = self.request(O::SPEC.action, params, target).ok_or((
            Failure::NotConnected,
            None,
            None,
            None,
        ))?;
        let received = self.transport.post(&url, headers, body).await;
        let Received { status, headers, body } =
            received.map_err(|(failure, status)| (failure, status, None, None))?;
        let asked_ms =
            headers.get("x-acs-retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let code = status.as_u16();
        if status.is_redirection() {
            return Err((Failure::Redirected, Some(code), None, None));
        }
        if !status.is_success() {
            let (failure, request_id) =
                error::Body::read(&body).unwrap_or((Failure::Unreadable, None));
            return Err((failure, Some(code), request_id, asked_ms));
        }
        let meta: Meta = serde_json::from_slice(&body)
            .map_err(|_| (Failure::Unreadable, Some(code), None, None))?;
        // Every answer of KMS has one; without it a proxy answered, and nothing is known of the call.
        let Some(request_id) = meta.request_id else {
            return Err((Failure::Unreadable, Some(code), None, None));
        };
        let request_id = error::request_id(request_id);
        match serde_json::from_slice(&body) {
            Ok(output) => Ok((output, code, request_id)),
            Err(_) => Err((Failure::Unreadable, Some(code), request_id, None)),
        }
    }

    /// Builds and signs one request. `None` only if a header cannot be made or there is no
    /// randomness: nothing is sent then.
    fn request(
        &self,
        action: &'static str,
        params: &Params,
        target: &Target,
    ) -> Option<(String, HeaderMap, Vec<u8>)> {
        let query: Vec<(&str, &str)> = of(params, Place::Query).collect();
        let body = Zeroizing::new(percent::pairs(of(params, Place::Body)));
        let hash = acs3::sha256_hex(body.as_bytes());
        let (date, nonce) = (to_seconds(self.clock.now()), nonce()?);
        let mut headers = vec![
            ("host", target.host.as_str()),
            ("x-acs-action", action),
            ("x-acs-content-sha256", &hash),
            ("x-acs-date", &date),
            ("x-acs-signature-nonce", &nonce),
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
}

type Failed = (Failure, Option<u16>, Option<String>, Option<u64>);

/// What every answer has.
#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "RequestId")]
    request_id: Option<String>,
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
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
