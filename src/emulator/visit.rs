//! [`Visit`]: one request, from its check to its answer and its line in the log.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::actions::{self, Action, Call};
use super::error::{KmsError, Refusal};
use super::faults::{Conditions, Effect};
use super::journal::Entry;
use super::reply::Reply;
use super::request::{Parsed, Received};
use super::service::Service;
use super::upkeep;
use super::verify::{self, Common, Scheme};

const VERSION: &str = "2016-01-20";

/// One request on its way through.
pub(crate) struct Visit {
    pub(crate) service: Arc<Service>,
    pub(crate) request_id: String,
    pub(crate) received: Received,
    pub(crate) fault: Option<Effect>,
}

impl Visit {
    /// Puts an error into an answer.
    pub(crate) fn error(&self, error: &KmsError) -> Reply {
        Reply::error(error, &self.request_id, &self.service.host())
    }

    /// Checks the request, plays a fault, acts. `None` if the fault is not to answer.
    pub(crate) async fn answer(&mut self, parsed: &Parsed) -> Option<Reply> {
        let (action, now) = match self.admit(parsed).await {
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
            Some(Effect::Throttle) => {
                Some(self.error(&KmsError::throttled(&self.service.behaviour)))
            }
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
    async fn admit(&self, parsed: &Parsed) -> Result<(Action, Timestamp), KmsError> {
        let Self { service, received, .. } = self;
        let Conditions { clock_offset_seconds, now: standing, security_tokens } =
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
        let tokens = security_tokens.as_deref();
        let nonce =
            verify::verify(received, parsed, &service.identity, &service.behaviour, tokens, now)?;
        let keeper = Arc::clone(service);
        tokio::task::spawn_blocking(move || nonce.spend(&keeper.nonces, now))
            .await
            .map_err(|_| KmsError::new(500, "InternalFailure", "The request was given up."))??;
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
        let now = standing.unwrap_or(now);
        if service.behaviour.quotas && !service.quota.admit(action, now.as_millisecond()) {
            return Err(KmsError::throttled(&service.behaviour));
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
            Err(refusal) => self.error(&KmsError::of(refusal, action, &self.service.behaviour)),
        }
    }

    /// Writes the request log.
    pub(crate) fn record(&self, parsed: Option<&Parsed>, reply: Option<&Reply>) {
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
}
