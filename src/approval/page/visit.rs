//! A request to the page, answered.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, Method as Verb, Response, StatusCode, header};
use maud::Markup;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::checks::checked;
use super::connections::{ConnectionLimit, RequestConnection};
use super::form::Form;
use super::loopback::Loopback;
use super::posted::Posted;
use super::seal::Sealer;
use super::shown::{Place, Shown, Taken};
use super::style::policy;
use super::view::{Question, coming, list, notice, ready, value};
use crate::approval::channel::{Answer, Channel as _, DecideError, Desk};
use crate::approval::command::ApproveCommand;
use crate::approval::pin::PinError;
use crate::approval::row::record_of;
use crate::approval::signing::Signing;
use crate::audit::{self, AuditLog, Durability, Kind};
use crate::clock::Clock;
use crate::factor::{FactorError, PinFile, approver};
use crate::guard::approval::Record;
use crate::hex;
use crate::operation::Destination;
use crate::store::{Hash, Method, Pending, Store};

/// Where values are shown, below the random part.
const VALUES: &str = "value/";
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
    /// The state folder.
    pub(super) state: PathBuf,
    pub(super) sealer: Sealer,
    /// Names this server in records.
    pub(super) instance: String,
    /// What the person runs in a terminal.
    pub(super) command: ApproveCommand,
    /// Values for the person.
    pub(super) shown: Shown,
    /// 128 random bits that every path begins with.
    pub(super) path: String,
    pub(super) port: u16,
}

/// An answer: its status and what is seen.
type Seen = (StatusCode, Markup);

/// Answers as long as the process lives.
pub(super) async fn serve(site: Arc<Site>, Loopback { ipv4, ipv6, .. }: Loopback) {
    let router = Router::new().fallback(handle).with_state(site);
    let router = router.into_make_service_with_connect_info::<RequestConnection>();
    if let Err(error) = axum::serve(ConnectionLimit::new(ipv4, ipv6), router).await {
        tracing::warn!("the approval page closed ({})", error.kind());
    }
}

async fn handle(
    State(site): State<Arc<Site>>,
    ConnectInfo(connection): ConnectInfo<RequestConnection>,
    request: Request,
) -> Response<Body> {
    let (status, markup) = site.answer(request, &connection).await;
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
        format!("http://127.0.0.1:{}{}", self.port, self.way_to(token_hash))
    }

    fn list(&self) -> String {
        format!("/{}/", self.path)
    }

    fn way_to(&self, token_hash: &Hash) -> String {
        format!("{}{}", self.list(), hex::encode(token_hash))
    }

    async fn answer(self: Arc<Self>, request: Request, connection: &RequestConnection) -> Seen {
        let (head, body) = request.into_parts();
        // Of a `POST` the body is still to come, and only that of a form is waited for.
        if head.method == Verb::GET {
            connection.has_request();
        }
        if let Err(suspicious) = checked(&head.uri, &head.headers, self.port) {
            return refused(StatusCode::FORBIDDEN, &suspicious.to_string());
        }
        let Some(rest) = self.below(head.uri.path()) else {
            return refused(StatusCode::NOT_FOUND, "There is no such page.");
        };
        let rest = rest.to_owned();
        match (head.method, rest.as_str()) {
            (Verb::GET, "") => self.all().await,
            (Verb::GET, _) if rest.starts_with(VALUES) => self.look(&rest),
            (Verb::POST, _) if rest.starts_with(VALUES) => {
                connection.has_request();
                self.show(&rest).await
            }
            (Verb::GET, _) => match self.find(&rest, StatusCode::NOT_FOUND).await {
                Ok(pending) => self.question(&pending, StatusCode::OK, None).await,
                Err(seen) => seen,
            },
            (Verb::POST, rest) if !rest.is_empty() => {
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
                connection.has_request();
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

    async fn all(&self) -> Seen {
        match self.store.pending(self.clock.now_ms()).await {
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
    async fn find(&self, name: &str, closed: StatusCode) -> Result<Pending, Seen> {
        let waiting = self.store.pending(self.clock.now_ms()).await;
        let waiting = waiting.map_err(|error| self.broken(&error.to_string()))?;
        let found = waiting.into_iter().find(|one| hex::encode(&one.token_hash) == name);
        found.ok_or_else(|| self.closed(closed))
    }

    /// Shows exactly the record, and the form.
    async fn question(&self, pending: &Pending, status: StatusCode, message: Option<&str>) -> Seen {
        let record = match record_of(pending) {
            Ok(record) => record,
            Err(error) => return self.broken(&error.to_string()),
        };
        let pin = match self.pin_file().await {
            Ok(file) => file,
            Err(error) => return self.broken(&error.to_string()),
        };
        let signing =
            Signing::of(std::slice::from_ref(&record), pin.as_ref(), &self.state, &self.clock);
        // A terminal decides, but for what is shown here to whoever decides.
        let command = if record.destination.as_deref() == Some(Destination::Person.name()) {
            self.command.pin_set()
        } else {
            self.command.of(&record.match_code)
        };
        let question = Question {
            record: &record,
            signing: &signing,
            command: &command,
            action: &self.way_to(&pending.token_hash),
            seal: &self.sealer.seal(pending),
            message,
            list: &self.list(),
        };
        (status, question.page())
    }

    async fn decide(&self, name: &str, form: Form) -> Seen {
        let pending = match self.find(name, StatusCode::CONFLICT).await {
            Ok(pending) => pending,
            Err(seen) => return seen,
        };
        if !self.sealer.is_of(&form.seal, &pending) {
            let message =
                "Nothing was decided: the form was not made here for this question. This one is.";
            return self.question(&pending, StatusCode::FORBIDDEN, Some(message)).await;
        }
        let pin = match self.pin_file().await {
            Ok(pin) => pin,
            Err(error) => return self.broken(&error.to_string()),
        };
        let (store, audit, clock) = (&self.store, &self.audit, &self.clock);
        let desk = Desk { store, audit, clock, pin, state: &self.state };
        let mut posted = Posted::new(form, self.instance.clone());
        // Before the yes is given: the agent's call may wait for it, and is quick.
        let place = match self.place_for(&posted, &pending) {
            Ok(place) => place,
            Err(seen) => return seen,
        };
        let decided = desk.decide(&mut posted, std::slice::from_ref(&pending)).await;
        // A place without a yes stays empty: nobody is told of it, and it ends by itself.
        if let (Ok(Answer::Approve), Some(place)) = (&decided, place) {
            let address = format!("{}{VALUES}{place}", self.list());
            return (StatusCode::OK, coming("Approved", &address));
        }
        match decided {
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
                self.question(&pending, StatusCode::UNPROCESSABLE_ENTITY, Some(why)).await
            }
            Err(DecideError::Pin(
                error @ (PinError::Wrong(_) | PinError::LockedNow | PinError::Locked),
            )) => {
                let why = format!("Nothing was decided: {error}.");
                self.question(&pending, StatusCode::FORBIDDEN, Some(&why)).await
            }
            Err(DecideError::NoPin) => {
                let why = "Nothing was decided: no PIN is set.";
                self.question(&pending, StatusCode::CONFLICT, Some(why)).await
            }
            Err(DecideError::Closed) => self.closed(StatusCode::CONFLICT),
            Err(DecideError::NotHere) => {
                let why = "Nothing was decided: another kms-mcp asks this, and shows the value on its own page. Open ApproveAt of the agent's answer.";
                self.question(&pending, StatusCode::CONFLICT, Some(why)).await
            }
            Err(error) => self.broken(&error.to_string()),
        }
    }

    /// The PIN, if one is set.
    async fn pin_file(&self) -> Result<Option<PinFile>, FactorError> {
        let state = self.state.clone();
        let read = tokio::task::spawn_blocking(move || approver(&state)).await;
        read.map_err(|_| FactorError::Busy)?
    }

    /// A place for the value, if that is what would be approved here.
    fn place_for(&self, posted: &Posted, pending: &Pending) -> Result<Option<String>, Seen> {
        let Ok(record) = serde_json::from_slice::<Record>(&pending.record) else { return Ok(None) };
        let to_person = record.destination.as_deref() == Some(Destination::Person.name());
        if !posted.approves() || !to_person || !posted.shows_value_of(&record) {
            return Ok(None);
        }
        let opened = self.shown.open(pending.token_hash, &record.resource);
        opened.map(Some).map_err(|_| self.broken("the operating system's random generator failed"))
    }

    /// What there is at the address of a value: never the value itself, which a look uses up.
    fn look(&self, rest: &str) -> Seen {
        let address = format!("{}{rest}", self.list());
        match self.shown.look(rest.trim_start_matches(VALUES)) {
            Place::Waits => (StatusCode::OK, coming("The value is on its way", &address)),
            Place::Holds => (StatusCode::OK, ready(&address)),
            Place::Gone => self.gone(),
        }
    }

    /// Shows the value, this once, and only when that is on record.
    async fn show(&self, rest: &str) -> Seen {
        let Some(taken) = self.shown.take(rest.trim_start_matches(VALUES)) else {
            return self.gone();
        };
        let recorded = self.audit.record(Kind::Shown, seen(&taken), Durability::Synced).await;
        if recorded.is_err() {
            let text = "The audit log cannot be written, so the value was dropped unseen. Ask the agent to try again once that is mended.";
            let seen = notice("The value is not shown", text, Some(&self.list()));
            return (StatusCode::SERVICE_UNAVAILABLE, seen);
        }
        (StatusCode::OK, value(&taken.value))
    }

    fn gone(&self) -> Seen {
        let text = "It was shown, or its 3 minutes are over. Ask the agent to try again.";
        (StatusCode::NOT_FOUND, notice("There is no value here", text, Some(&self.list())))
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

/// What the log says of a value that is about to be shown.
fn seen(taken: &Taken) -> audit::Event {
    audit::Event {
        resource: Some(audit::Resource {
            name: Some(taken.secret.clone()),
            ..audit::Resource::default()
        }),
        approval: Some(audit::Approval {
            token_id: Some(hex::encode(taken.question.get(..6).unwrap_or_default())),
            method: Some(Method::Page.name().into()),
            ..audit::Approval::default()
        }),
        destination: Some(Destination::Person.name().into()),
        outcome: Some("shown".into()),
        ..audit::Event::default()
    }
}

/// For those who may be anybody: the random part of the path is not told.
fn refused(status: StatusCode, why: &str) -> Seen {
    (status, notice("Refused", why, None))
}
