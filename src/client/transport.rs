//! The one HTTP client: no redirects, no system proxy, TLS 1.2 or later, bounded bodies.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_LENGTH, HeaderMap};
use zeroize::Zeroizing;

use super::error::Failure;
use crate::env::{CONNECT_TIMEOUT, Env, READ_TIMEOUT};

/// On every request that leaves, whatever it is for. Nothing a client says enters it.
pub(crate) const USER_AGENT: &str = concat!(
    "AlibabaCloud (",
    std::env!("CARGO_PKG_NAME"),
    ") Rust Core/",
    std::env!("CARGO_PKG_VERSION"),
    " AlibabaCloud-Agent-Skills"
);

/// The longest answer, in bytes.
const BODY_CAP: usize = 256 * 1024;

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    /// A timeout variable holds no number of seconds.
    #[error("`{0}` must be a whole number of seconds from 1 to 300")]
    Timeout(&'static str),
    /// TLS could not be set up.
    #[error("TLS could not be set up on this machine")]
    Tls,
}

/// Sends requests.
#[derive(Debug, Clone)]
pub(crate) struct Transport(reqwest::Client);

/// What came back.
pub(super) struct Received {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// May hold a value: wiped when dropped.
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Transport {
    /// With the timeouts of `env`, 30 seconds each by default.
    pub(crate) fn new(env: &Env) -> Result<Self, TransportError> {
        // A second installation fails and changes nothing: the first one stands.
        let _ = rustls::crypto::ring::default_provider().install_default();
        #[expect(clippy::disallowed_methods, reason = "the one place")]
        reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .connect_timeout(seconds(env, CONNECT_TIMEOUT)?)
            .read_timeout(seconds(env, READ_TIMEOUT)?)
            .timeout(seconds(env, CONNECT_TIMEOUT)?.saturating_add(seconds(env, READ_TIMEOUT)?))
            .build()
            .map(Self)
            .map_err(|_| TransportError::Tls)
    }

    /// Posts a form. The error says no more than its kind: reqwest's own text holds the URL.
    pub(super) async fn post(
        &self,
        url: &str,
        mut headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Received, (Failure, Option<u16>)> {
        // Left out for an empty body otherwise, and some gateways refuse a POST without a length.
        headers.insert(CONTENT_LENGTH, body.len().into());
        let sent = self.0.post(url).headers(headers).body(body).send().await;
        let mut response = sent.map_err(|error| {
            (
                if error.is_connect() || error.is_builder() {
                    Failure::NotConnected
                } else {
                    Failure::NoAnswer
                },
                None,
            )
        })?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let mut body = Zeroizing::new(Vec::new());
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > BODY_CAP => {
                    return Err((Failure::TooLong, Some(status.as_u16())));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(Received { status, headers, body }),
                Err(_) => return Err((Failure::NoAnswer, Some(status.as_u16()))),
            }
        }
    }
}

fn seconds(env: &Env, name: &'static str) -> Result<Duration, TransportError> {
    match env.get(name).map(|text| text.trim().parse::<u64>()) {
        None => Ok(Duration::from_secs(30)),
        Some(Ok(seconds @ 1..=300)) => Ok(Duration::from_secs(seconds)),
        Some(_) => Err(TransportError::Timeout(name)),
    }
}
