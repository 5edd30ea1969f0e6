//! The HTTP face: reads a raw request, has it checked and carried out, answers, writes the log.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::actions::{self, Action, Call};
use super::behaviour::Behaviour;
use super::connection::{Door, Knife};
use super::db::Db;
use super::error::{KmsError, Refusal};
use super::faults::{Conditions, Effect, Faults};
use super::folder::Folder;
use super::identity::Identity;
use super::journal::{Entry, Journal};
use super::quota::Quota;
use super::request::{Parsed, Received};
use super::seal::Seal;
use super::verify::{self, Common, Nonces, Scheme};
use super::{EmulatorError, Options, keys, random, upkeep};
use crate::clock::Clock;

const VERSION: &str = "2016-01-20";
const BODY_LIMIT: usize = 1024 * 1024;
/// What requests under way get when the server is told to stop.
const GRACE: Duration = Duration::from_secs(1);

/// Everything a request needs.
pub(crate) struct Service {
    pub(crate) identity: Identity,
    clock: Clock,
    db: Db,
    seal: Seal,
    behaviour: Behaviour,
    faults: Faults,
    journal: Journal,
    nonces: Nonces,
    quota: Quota,
    stop: watch::Sender<bool>,
}

impl Service {
    pub(crate) fn open(options: Options) -> Result<Self, EmulatorError> {
        let folder = Folder::open(options.data)?;
        let faults = Faults::new(options.faults);
        faults.conditions().map_err(EmulatorError::Faults)?;
        let now = options.clock.now_ms();
        Ok(Self {
            identity: Identity::open(&folder)?,
            seal: Seal::open(&folder)?,
            db: Db::open(&folder.reserve("kms.db")?, |db| keys::seed(db, now))?,
            clock: options.clock,
            behaviour: Behaviour::default(),
            faults,
            journal: Journal::open(options.requests.as_deref())?,
            nonces: Nonces::default(),
            quota: Quota::default(),
            stop: watch::channel(false).0,
        })
    }

    fn host(&self) -> String {
        format!("kms.{}.aliyuncs.com", self.identity.region_id)
    }
}

/// Answers on `listener` until `until`, then gives requests under way a moment.
pub(crate) async fn serve(
    service: Arc<Service>,
    listener: TcpListener,
    until: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new().fallback(handle).with_state(Arc::clone(&service));
    let mut stopped = service.stop.subscribe();
    let server = axum::serve(Door(listener), router.into_make_service_with_connect_info::<Knife>())
        .with_graceful_shutdown(async move {
            until.await;
            service.stop.send_replace(true);
        });
    tokio::select! {
        outcome = async { server.await } => outcome,
        () = async {
            let _ = stopped.wait_for(|stopped| *stopped).await;
            tokio::time::sleep(GRACE).await;
        } => Ok(()),
    }
}

/// What goes back to the client.
struct Reply {
    status: u16,
    /// The error code, for the log.
    code: Option<String>,
    headers: Vec<(&'static str, String)>,
    content_type: String,
    body: Vec<u8>,
}

impl Reply {
    fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            code: None,
            headers: Vec::new(),
            content_type: "application/json;charset=utf-8".to_owned(),
            body: body.to_string().into_bytes(),
        }
    }

    fn error(error: &KmsError, request_id: &str, host: &str) -> Self {
        let mut reply = Self::json(error.status, &error.body(request_id, host));
        reply.code = Some(error.code.to_string());
        if let Some(after) = error.retry_after_ms {
            reply.headers.push(("x-acs-retry-after", after.to_string()));
        }
        reply
    }
}

async fn handle(
    State(service): State<Arc<Service>>,
    ConnectInfo(knife): ConnectInfo<Knife>,
    request: Request,
) -> Response<Body> {
    let request_id = random::uuid().unwrap_or_default().to_ascii_uppercase();
    let (head, body) = request.into_parts();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut received = Received {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: axum::body::Bytes::new(),
    };
    let read = match to_bytes(body, BODY_LIMIT).await {
        Ok(body) => {
            received.body = body;
            Parsed::of(&received, service.behaviour.json_bodies)
        }
        Err(_) => Err(KmsError::new(413, "RequestTooLarge", "The request body is too large.")),
    };
    let mut visit = Visit { service, knife, request_id, received, fault: None };
    // A task of its own: what was begun is finished and recorded even if the client leaves.
    let visited = tokio::spawn(async move {
        let reply = match read {
            Ok(parsed) => {
                let reply = visit.answer(&parsed).await;
                visit.record(Some(&parsed), reply.as_ref());
                reply
            }
            Err(error) => {
                let reply = visit.error(&error);
                visit.record(None, Some(&reply));
                Some(reply)
            }
        };
        (visit, reply)
    });
    if let Ok((visit, reply)) = visited.await {
        return visit.respond(reply).await;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// One request on its way through.
struct Visit {
    service: Arc<Service>,
    knife: Knife,
    request_id: String,
    received: Received,
    fault: Option<Effect>,
}

impl Visit {
    fn error(&self, error: &KmsError) -> Reply {
        Reply::error(error, &self.request_id, &self.service.host())
    }

    /// `None` if the fault is not to answer.
    async fn answer(&mut self, parsed: &Parsed) -> Option<Reply> {
        let (action, now) = match self.admit(parsed) {
            Ok(admitted) => admitted,
            Err(error) => return Some(self.error(&error)),
        };
        self.fault = self.service.faults.effect(action.name());
        match self.fault.clone() {
            None => Some(self.act(action, parsed, now).await),
            Some(Effect::Hang | Effect::CutBefore) => None,
            Some(Effect::CutAfter) => {
                self.act(action, parsed, now).await;
                None
            }
            Some(Effect::DelayMs(delay)) => {
                tokio::time::sleep(Duration::from_millis(delay)).await;
                Some(self.act(action, parsed, now).await)
            }
            Some(Effect::LieVersion) => {
                let lie = |members: &mut Map<String, Value>| {
                    if let Some(Value::String(version)) = members.get_mut("VersionId") {
                        version.push_str("-other");
                    }
                };
                Some(self.act_and(action, parsed, now, lie).await)
            }
            Some(Effect::Override(fields)) => {
                Some(self.act_and(action, parsed, now, |members| members.extend(fields)).await)
            }
            Some(Effect::Throttle) => Some(self.error(&KmsError::throttled())),
            Some(Effect::Error { status, code, message, retry_after_ms, extra }) => {
                let error = KmsError {
                    retry_after_ms,
                    extra: Box::new(extra),
                    ..KmsError::new(status, code, message)
                };
                Some(self.error(&error))
            }
            Some(Effect::Echo) => {
                let identity = &self.service.identity;
                Some(self.error(&verify::mismatch(&self.received, parsed, identity)))
            }
            Some(Effect::Raw { status, content_type, body }) => {
                let body = self.repeat(&body).into_bytes();
                Some(Reply { status, code: None, headers: Vec::new(), content_type, body })
            }
            Some(Effect::Redirect { location }) => {
                let mut reply = Reply::json(307, &Value::Object(Map::new()));
                reply.headers.push(("location", location));
                Some(reply)
            }
            Some(Effect::BodyBytes(length)) => {
                let mut reply = Reply::json(200, &Value::Null);
                reply.body = vec![b'x'; length];
                Some(reply)
            }
        }
    }

    /// Fills the placeholders of a raw fault with the request.
    fn repeat(&self, template: &str) -> String {
        let Received { query, body, .. } = &self.received;
        template
            .replace("{authorization}", &self.received.header("authorization").unwrap_or_default())
            .replace("{access_key_id}", &self.service.identity.access_key_id)
            .replace("{query}", query)
            .replace("{body}", &String::from_utf8_lossy(body))
    }

    /// Who asks for what, and when it is.
    fn admit(&self, parsed: &Parsed) -> Result<(Action, Timestamp), KmsError> {
        let Self { service, received, .. } = self;
        let Conditions { clock_offset_seconds, security_tokens } =
            service.faults.conditions().map_err(|error| {
                KmsError::new(500, "InternalFailure", format!("fault file: {error}"))
            })?;
        let now = service
            .clock
            .now()
            .saturating_add(SignedDuration::from_secs(clock_offset_seconds))
            .unwrap_or(Timestamp::MAX);
        let method =
            || KmsError::new(403, "UnsupportedHTTPMethod", "This http method is not supported.");
        if !matches!(received.method.as_str(), "GET" | "POST") {
            return Err(method());
        }
        verify::verify(
            received,
            parsed,
            &service.identity,
            &service.behaviour,
            &service.nonces,
            security_tokens.as_deref(),
            now,
        )?;
        let scheme = Scheme::of(received, parsed);
        let common = |common| scheme.common(received, parsed, common);
        let action = common(Common::Action).ok_or_else(|| KmsError::missing("Action"))?;
        let unknown = || {
            KmsError::new(
                404,
                "InvalidAction.NotFound",
                "Specified api is not found, please check your url and method.",
            )
        };
        let action = Action::named(&action).filter(|_| received.path == "/").ok_or_else(unknown)?;
        match common(Common::Version).as_deref() {
            None => return Err(KmsError::missing("Version")),
            Some(VERSION) => {}
            Some(_) => {
                return Err(KmsError::new(
                    400,
                    "InvalidVersion",
                    "Specified parameter Version is not valid.",
                ));
            }
        }
        if action == Action::SetSecretPolicy && received.method != "POST" {
            return Err(method());
        }
        if service.behaviour.quotas && !service.quota.admit(action, now.as_millisecond()) {
            return Err(KmsError::throttled());
        }
        Ok((action, now))
    }

    async fn act(&self, action: Action, parsed: &Parsed, now: Timestamp) -> Reply {
        self.act_and(action, parsed, now, |_| {}).await
    }

    /// Carries the action out, to the end even if the client leaves, and `change`s a good answer.
    async fn act_and(
        &self,
        action: Action,
        parsed: &Parsed,
        now: Timestamp,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Reply {
        let (service, params) = (Arc::clone(&self.service), parsed.params());
        let work = move || {
            let Service { identity, db, seal, behaviour, .. } = &*service;
            upkeep::run(db, seal, now)?;
            let run = |tx: &rusqlite::Transaction<'_>| {
                let params = &params;
                actions::run(action, &Call { tx, params, now, identity, seal, behaviour })
            };
            if action.writes() { db.write(run) } else { db.read(run) }
        };
        let done = tokio::task::spawn_blocking(work).await.unwrap_or(Err(Refusal::Internal));
        match done {
            Ok(answer) => {
                let mut members = Map::new();
                members.insert("RequestId".to_owned(), self.request_id.clone().into());
                members.extend(answer.into_map());
                change(&mut members);
                Reply::json(200, &Value::Object(members))
            }
            Err(refusal) => self.error(&KmsError::of(refusal, action)),
        }
    }

    fn record(&self, parsed: Option<&Parsed>, reply: Option<&Reply>) {
        let scheme = parsed.map(|parsed| (Scheme::of(&self.received, parsed), parsed));
        let action = scheme
            .and_then(|(scheme, parsed)| scheme.common(&self.received, parsed, Common::Action));
        let user_agent = self.received.header("user-agent");
        let names = |pairs: &mut dyn Iterator<Item = &'_ (String, String)>| {
            pairs.map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        let (query, body) = parsed.map_or_else(Default::default, |parsed| {
            let body = &mut parsed.form.iter().chain(&parsed.json);
            (names(&mut parsed.query.iter()), names(body))
        });
        self.service.journal.record(&Entry {
            action: action.as_deref(),
            method: &self.received.method,
            path: &self.received.path,
            user_agent: user_agent.as_deref(),
            query: query.iter().map(String::as_str).collect(),
            body: body.iter().map(String::as_str).collect(),
            signature: scheme.map_or("none", |(scheme, _)| scheme.name()),
            status: reply.map(|reply| reply.status),
            code: reply.and_then(|reply| reply.code.as_deref()),
            fault: self.fault.as_ref().map(Effect::name),
        });
    }

    async fn respond(self, reply: Option<Reply>) -> Response<Body> {
        let Some(reply) = reply else {
            if matches!(self.fault, Some(Effect::Hang)) {
                // Dropped when the client leaves; ends when the server does.
                let _ = self.service.stop.subscribe().wait_for(|stopped| *stopped).await;
            }
            self.knife.cut();
            return Response::new(Body::empty());
        };
        let mut response = Response::new(Body::from(reply.body));
        *response.status_mut() =
            StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let own = [("content-type", reply.content_type), ("x-acs-request-id", self.request_id)];
        for (name, value) in own.into_iter().chain(reply.headers) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}
