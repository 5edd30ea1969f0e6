//! A request to the page, answered.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use maud::Markup;
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use super::checks::checked;
use super::form::Form;
use super::posted::Posted;
use super::seal::Sealer;
use super::style::policy;
use super::view::{Question, list, notice};
use crate::approval::channel::{Answer, DecideError, Desk};
use crate::approval::pin::PinError;
use crate::audit::AuditLog;
use crate::clock::Clock;
use crate::factor::PinFile;
use crate::guard::approval::{Record, digest};
use crate::hex;
use crate::store::{Hash, Pending, Store};

/// The largest form, in bytes.
const BODY_LIMIT: usize = 4096;
/// How long a form may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the page stands on.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) store: Store,
    pub(super) audit: AuditLog,
    pub(super) clock: Clock,
    /// `pin.json`.
    pub(super) pin: PathBuf,
    pub(super) sealer: Sealer,
    /// 128 random bits that every path begins with.
    pub(super) path: String,
    /// `127.0.0.1:PORT`.
    pub(super) host: String,
}

/// An answer: its status and what is seen.
type Seen = (StatusCode, Markup);

/// Answers on `listener` as long as the process lives.
pub(super) async fn serve(site: Arc<Site>, listener: TcpListener) {
    let router = Router::new().fallback(handle).with_state(site);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::warn!("the approval page closed ({})", error.kind());
    }
}

async fn handle(State(site): State<Arc<Site>>, request: Request) -> Response<Body> {
    let (status, markup) = site.answer(request).await;
    let mut response = Response::new(Body::from(markup.into_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
    }
    response
}

impl Site {
    /// Where the question of that token is decided.
    pub(super) fn address(&self, token_hash: &Hash) -> String {
        format!("http://{}{}", self.host, self.way_to(token_hash))
    }

    fn list(&self) -> String {
        format!("/{}/", self.path)
    }

    fn way_to(&self, token_hash: &Hash) -> String {
        format!("{}{}", self.list(), hex::encode(token_hash))
    }

    async fn answer(self: Arc<Self>, request: Request) -> Seen {
        let (head, body) = request.into_parts();
        if let Err(suspicious) = checked(&head.uri, &head.headers, &self.host) {
            return refused(StatusCode::FORBIDDEN, &suspicious.to_string());
        }
        let Some(rest) = self.below(head.uri.path()) else {
            return refused(StatusCode::NOT_FOUND, "There is no such page.");
        };
        let rest = rest.to_owned();
        match (head.method, rest.as_str()) {
            (Method::GET, "") => self.all(),
            (Method::GET, _) => match self.find(&rest, StatusCode::NOT_FOUND) {
                Ok(pending) => self.question(&pending, StatusCode::OK, None),
                Err(seen) => seen,
            },
            (Method::POST, rest) if !rest.is_empty() => {
                let kind = head.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
                if kind != Some(b"application/x-www-form-urlencoded") {
                    return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "This is not our form.");
                }
                let arrived = tokio::time::timeout(PATIENCE, to_bytes(body, BODY_LIMIT)).await;
                let Ok(arrived) = arrived else {
                    return refused(StatusCode::REQUEST_TIMEOUT, "The form came too slowly.");
                };
                let Ok(body) = arrived else {
                    return refused(StatusCode::PAYLOAD_TOO_LARGE, "This is not our form.");
                };
                let body = Zeroizing::new(Vec::from(body));
                let Some(form) = Form::parse(&body) else {
                    return refused(StatusCode::BAD_REQUEST, "This is not our form.");
                };
                let rest = rest.to_owned();
                // A task of its own: what was begun is recorded even if the browser leaves.
                let decided = tokio::spawn(async move { self.decide(&rest, form).await }).await;
                decided.unwrap_or_else(|_| {
                    refused(StatusCode::INTERNAL_SERVER_ERROR, "The decision broke off.")
                })
            }
            _ => refused(StatusCode::METHOD_NOT_ALLOWED, "Decisions are sent with the form."),
        }
    }

    /// What follows the random part of a path, if that part is right.
    fn below<'a>(&self, path: &'a str) -> Option<&'a str> {
        let (random, rest) = path.strip_prefix('/')?.split_once('/')?;
        bool::from(random.as_bytes().ct_eq(self.path.as_bytes())).then_some(rest)
    }

    fn all(&self) -> Seen {
        match self.store.pending(self.clock.now_ms()) {
            Ok(waiting) => {
                let addressed = |one: Pending| {
                    let way = self.way_to(&one.token_hash);
                    (one, way)
                };
                (StatusCode::OK, list(&waiting.into_iter().map(addressed).collect::<Vec<_>>()))
            }
            Err(error) => self.broken(&error.to_string()),
        }
    }

    /// The question of that name that still waits; else an answer of status `closed`.
    fn find(&self, name: &str, closed: StatusCode) -> Result<Pending, Seen> {
        let waiting = self.store.pending(self.clock.now_ms());
        let waiting = waiting.map_err(|error| self.broken(&error.to_string()))?;
        let found = waiting.into_iter().find(|one| hex::encode(&one.token_hash) == name);
        found.ok_or_else(|| self.closed(closed))
    }

    /// Shows exactly the record, and the form.
    fn question(&self, pending: &Pending, status: StatusCode, message: Option<&str>) -> Seen {
        if digest(&pending.record) != pending.digest {
            return self.broken(&DecideError::Altered.to_string());
        }
        let Ok(record) = serde_json::from_slice::<Record>(&pending.record) else {
            return self.broken(&DecideError::Unreadable.to_string());
        };
        let pin_is_set = match PinFile::read(&self.pin) {
            Ok(file) => file.is_some(),
            Err(error) => return self.broken(&error.to_string()),
        };
        let question = Question {
            record: &record,
            pin_is_set,
            action: &self.way_to(&pending.token_hash),
            seal: &self.sealer.seal(pending),
            message,
            list: &self.list(),
        };
        (status, question.page())
    }

    async fn decide(&self, name: &str, form: Form) -> Seen {
        let pending = match self.find(name, StatusCode::CONFLICT) {
            Ok(pending) => pending,
            Err(seen) => return seen,
        };
        if !self.sealer.is_of(&form.seal, &pending) {
            let message =
                "Nothing was decided: the form was not made here for this question. This one is.";
            return self.question(&pending, StatusCode::FORBIDDEN, Some(message));
        }
        let pin = match PinFile::read(&self.pin) {
            Ok(pin) => pin,
            Err(error) => return self.broken(&error.to_string()),
        };
        let desk = Desk { store: &self.store, audit: &self.audit, clock: &self.clock, pin };
        let mut posted = Posted::new(form);
        match desk.decide(&mut posted, std::slice::from_ref(&pending)).await {
            Ok(Answer::Approve) => self.done(
                "Approved",
                "The agent may make exactly this call once, within 3 minutes. You can close this page.",
            ),
            Ok(Answer::Deny) => {
                self.done("Denied", "The call will not be made. You can close this page.")
            }
            Ok(Answer::Later) => {
                let why = if posted.misnamed {
                    "Nothing was decided: that is not the name of the secret."
                } else {
                    "Nothing was decided: the PIN or the answer is missing."
                };
                self.question(&pending, StatusCode::UNPROCESSABLE_ENTITY, Some(why))
            }
            Err(DecideError::Pin(
                error @ (PinError::Wrong(_) | PinError::LockedNow | PinError::Locked),
            )) => {
                let why = format!("Nothing was decided: {error}.");
                self.question(&pending, StatusCode::FORBIDDEN, Some(&why))
            }
            Err(DecideError::Closed) => self.closed(StatusCode::CONFLICT),
            Err(error) => self.broken(&error.to_string()),
        }
    }

    fn done(&self, title: &str, text: &str) -> Seen {
        (StatusCode::OK, notice(title, text, Some(&self.list())))
    }

    fn closed(&self, status: StatusCode) -> Seen {
        let text = "It was decided, it expired, or it never was. Ask the agent to try again.";
        (status, notice("This question is not open any more", text, Some(&self.list())))
    }

    fn broken(&self, why: &str) -> Seen {
        let text = format!("Nothing was decided: {why}.");
        let seen = notice("This cannot be decided", &text, Some(&self.list()));
        (StatusCode::SERVICE_UNAVAILABLE, seen)
    }
}

/// For those who may be anybody: the random part of the path is not told.
fn refused(status: StatusCode, why: &str) -> Seen {
    (status, notice("Refused", why, None))
}
