//! The way to KMS: permit → signed POST → answer.
//!
//! `SecretData` goes into the form body, everything else into the query (facts/kms.md §0.3, §0.4).

mod code;
mod error;
mod explain;
mod no_connection;
mod request;
mod retry;
mod sign;
mod transport;

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::audit::Trail;
use crate::clock::Clock;
use crate::guard::{Permit, Target};
use crate::operation::{Operation, Params, Risk};

pub(crate) use error::ClientError;
use error::Failure;
pub(crate) use request::Signature;
use transport::Received;
pub(crate) use transport::Transport;

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
    signature: Signature,
    clock: Clock,
}

impl Client {
    pub(crate) fn new(transport: Transport, signature: Signature, clock: Clock) -> Self {
        Self { transport, signature, clock }
    }

    /// Until when KMS may answer a call that begins now, and all its steps.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.transport.time_limit()
    }

    /// Spends the permit. The trail comes back open: whoever called closes it with the outcome.
    ///
    /// All attempts and the waits between them are over at the deadline of the call.
    ///
    /// After `given_up` nothing more is sent, and a reading is broken off. What may have changed
    /// something is waited for all the same: its outcome belongs in the trail.
    pub(crate) async fn send<O: Operation>(
        &self,
        permit: Permit<O>,
        given_up: impl Future<Output = ()> + Send,
    ) -> (Result<Answer<O::Output>, ClientError>, Trail) {
        let (params, target, until, trail) = permit.spend();
        let started = self.clock.now_ms();
        let (mut ambiguous, mut was_sent) = (false, false);
        let mut attempts = 0;
        // What has an effect is not begun with so little time that it would likely be left open.
        let least = match O::SPEC.risk {
            Risk::Inspect => Duration::ZERO,
            Risk::Write | Risk::Reveal | Risk::Destroy => self.transport.time_limit() / 2,
        };
        let deadline = tokio::time::sleep_until(until);
        tokio::pin!(given_up, deadline);
        loop {
            let is_given_up = tokio::select! {
                biased;
                () = &mut given_up => true,
                () = std::future::ready(()) => false,
            };
            let outcome = if is_given_up {
                Err(GIVEN_UP)
            } else if attempts == 0 && until.saturating_duration_since(Instant::now()) <= least {
                Err((Failure::TooLate, None, None, None))
            } else {
                attempts += 1;
                let attempt = self.attempt::<O>(&params, &target);
                tokio::select! {
                    biased;
                    outcome = attempt => outcome,
                    () = &mut given_up, if O::SPEC.risk == Risk::Inspect => Err(GIVEN_UP),
                    () = &mut deadline => Err((Failure::NoAnswer, None, None, None)),
                }
            };
            let ms = self.clock.now_ms() - started;
            let (failure, http_status, request_id, asked_ms) = match outcome {
                Ok((output, http_status, request_id)) => {
                    return (Ok(Answer { output, request_id, http_status, attempts, ms }), trail);
                }
                Err(failed) => failed,
            };
            let key_origin = target.credential.origin().to_owned();
            let mut error = ClientError {
                failure,
                http_status,
                request_id,
                attempts,
                ms,
                ambiguous,
                was_sent,
                key_origin,
            };
            ambiguous |= error.leaves_open();
            error.ambiguous = ambiguous;
            was_sent |= error.sends();
            error.was_sent = was_sent;
            if deadline.is_elapsed() || !retry::again(O::SPEC.retry, &error) {
                return (Err(error), trail);
            }
            tokio::select! {
                biased;
                () = &mut given_up => return (Err(error), trail),
                () = &mut deadline => return (Err(error), trail),
                () = tokio::time::sleep(retry::pause(attempts, asked_ms)) => {}
            }
        }
    }

    async fn attempt<O: Operation>(
        &self,
        params: &Params,
        target: &Target,
    ) -> Result<(O::Output, u16, Option<String>), Failed> {
        let built =
            request::build(O::SPEC.action, params, target, self.signature, self.clock.now());
        let (url, headers, body) = built.ok_or((Failure::NotBuilt, None, None, None))?;
        let received = self.transport.post(&url, &target.host, headers, body).await;
        let Received { status, headers, body } =
            received.map_err(|(failure, status)| (failure, status, None, None))?;
        let asked_ms =
            headers.get("x-acs-retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let code = status.as_u16();
        if status.is_redirection() {
            return Err((Failure::Redirected, Some(code), None, None));
        }
        let failed = |failure, request_id| Err((failure, Some(code), request_id, asked_ms));
        let Some(answered) = error::Body::read(&body) else {
            return failed(Failure::Unreadable, None);
        };
        let request_id = answered.request_id();
        if !status.is_success() {
            return match answered.failure() {
                Some(failure) => failed(failure, request_id),
                None => failed(Failure::Unreadable, None),
            };
        }
        if let Some(failure) = answered.contradiction() {
            return failed(failure, request_id);
        }
        // Every answer of KMS has one; without it a proxy answered, and nothing is known of the call.
        if !answered.has_request_id() {
            return failed(Failure::Unreadable, None);
        }
        match serde_json::from_slice(&body) {
            Ok(output) => Ok((output, code, request_id)),
            Err(_) => failed(Failure::Unreadable, request_id),
        }
    }
}

type Failed = (Failure, Option<u16>, Option<String>, Option<u64>);

/// The client wants no answer any more.
const GIVEN_UP: Failed = (Failure::GivenUp, None, None, None);
