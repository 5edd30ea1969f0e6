//! The one HTTP client: no redirects, no system proxy, TLS 1.2 or later, bounded bodies.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_LENGTH, HeaderMap};
use zeroize::Zeroizing;

use super::error::Failure;
use super::no_connection::NoConnection;
use crate::env::{CONNECT_TIMEOUT, Env, PROXIES, READ_TIMEOUT};

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

/// The longest URL, in bytes; the HTTP library takes none that is longer.
const URL_CAP: usize = 65_534;

/// Sends requests.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    client: reqwest::Client,
    time_limit: Duration,
    /// The variable that names a proxy, which is not used.
    proxy: Option<&'static str>,
}

/// What came back.
pub(super) struct Received {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// May hold a value: wiped when dropped.
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Transport {
    /// With the timeouts of `env`, 30 seconds each by default; both together are the deadline.
    pub(crate) fn new(env: &Env) -> Result<Self, TransportError> {
        // A second installation fails and changes nothing: the first one stands.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (connect, read) = (seconds(env, CONNECT_TIMEOUT)?, seconds(env, READ_TIMEOUT)?);
        let time_limit = connect.saturating_add(read);
        #[expect(clippy::disallowed_methods, reason = "the one place")]
        let client = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .connect_timeout(connect)
            .read_timeout(read)
            .timeout(time_limit)
            .build()
            .map_err(|_| TransportError::Tls)?;
        Ok(Self { client, time_limit, proxy: env.first(&PROXIES).map(|(name, _)| name) })
    }

    /// How long KMS may take for a call: over all its steps, their attempts, and the waits between
    /// them.
    pub(super) fn time_limit(&self) -> Duration {
        self.time_limit
    }

    /// Posts a form to `host`. The error says no more than its kind: reqwest's own text holds the
    /// URL.
    pub(super) async fn post(
        &self,
        url: &str,
        host: &str,
        mut headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Received, (Failure, Option<u16>)> {
        if url.len() > URL_CAP {
            return Err((Failure::TooMuch, None));
        }
        // Left out for an empty body otherwise, and some gateways refuse a POST without a length.
        headers.insert(CONTENT_LENGTH, body.len().into());
        let sent = self.client.post(url).headers(headers).body(body).send().await;
        let mut response = sent.map_err(|error| {
            let failure = if error.is_connect() {
                let why = NoConnection::of(&error, host.to_owned(), self.proxy);
                Failure::NotConnected(Box::new(why))
            } else if error.is_builder() {
                Failure::NotBuilt
            } else {
                Failure::NoAnswer
            };
            (failure, None)
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
