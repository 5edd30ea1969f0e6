//! Events of ActionTrail, as they come out of its console, its API, OSS, SLS or EventBridge.
//!
//! The names of members are those of "Management event structure" in the documents of ActionTrail.
//! Whoever exported a file may have changed the case of names, wrapped the events, or made text of
//! objects, so all of that is taken. Of the parameters of a call only the name of the secret is read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::hex;
use crate::operation::Untrusted;

/// Bytes of the largest file that is read; a larger one is to be split.
const MAX_FILE: u64 = 256 * 1024 * 1024;
/// Wrappings that an event may stand in.
const MAX_DEPTH: usize = 4;

/// One call to KMS as the cloud saw it. Its texts are sanitised, and hold no AccessKey id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CloudEvent {
    pub(crate) request_id: Option<String>,
    pub(crate) time: Option<Timestamp>,
    pub(crate) action: String,
    pub(crate) resource: Option<String>,
    /// The secret, or several joined by `;`, where the event says that it is one.
    pub(crate) secret: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) source_ip: Option<String>,
    /// Name and kind of the identity.
    pub(crate) who: Option<String>,
    /// As the log names keys: the first 12 hex digits of the SHA-256 of the AccessKey id.
    pub(crate) caller_key: Option<String>,
    pub(crate) error_code: Option<String>,
}

/// What a file holds.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    /// Calls to KMS, each once.
    pub(crate) events: Vec<CloudEvent>,
    /// Events of other services.
    pub(crate) others: u64,
    /// Lines or members that are no events.
    pub(crate) broken: u64,
}

/// Reads a file of events: an array, one a line, or wrapped in `Events`.
pub(crate) fn read(path: &Path) -> io::Result<Trail> {
    let mut text = Vec::new();
    File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(io::Error::other(
            "longer than 256 MiB: split it, and pass the parts one by one",
        ));
    }
    let trail = parse(&text);
    if trail.events.is_empty() && trail.others == 0 && trail.broken > 0 {
        return Err(io::Error::other("no JSON with events of ActionTrail"));
    }
    Ok(trail)
}

fn parse(text: &[u8]) -> Trail {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut found = Found::default();
    let whole: Result<Vec<Value>, _> =
        serde_json::Deserializer::from_slice(text).into_iter().collect();
    if let Ok(documents) = whole {
        for document in documents {
            found.take(document, 0);
        }
    } else {
        // One bad line must not hide the others.
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            match serde_json::from_slice(line) {
                Ok(document) => found.take(document, 0),
                Err(_) => found.trail.broken += 1,
            }
        }
    }
    found.trail
}

#[derive(Default)]
struct Found {
    trail: Trail,
    /// ActionTrail delivers at least once.
    seen: std::collections::HashSet<(String, String, Option<String>)>,
}

impl Found {
    fn take(&mut self, value: Value, depth: usize) {
        if depth > MAX_DEPTH {
            self.trail.broken += 1;
            return;
        }
        match value {
            Value::Array(items) => items.into_iter().for_each(|item| self.take(item, depth + 1)),
            Value::Object(members) => self.object(members, depth),
            // A line of SLS holds its event as text.
            Value::String(text) => match serde_json::from_str(&text) {
                Ok(inner) => self.take(inner, depth + 1),
                Err(_) => self.trail.broken += 1,
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => self.trail.broken += 1,
        }
    }

    fn object(&mut self, mut members: Map<String, Value>, depth: usize) {
        let event = Members(&members);
        if event.text("eventName").is_none() {
            let wrapper = ["Events", "event", "data"].iter().find_map(|name| {
                members.keys().find(|member| member.eq_ignore_ascii_case(name)).cloned()
            });
            match wrapper.and_then(|name| members.remove(&name)) {
                Some(inner) => self.take(inner, depth + 1),
                None => self.trail.broken += 1,
            }
            return;
        }
        if !event.is_of_kms() {
            self.trail.others += 1;
            return;
        }
        let event = event.read();
        let twice = event
            .request_id
            .clone()
            .is_some_and(|id| !self.seen.insert((id, event.action.clone(), event.secret.clone())));
        if !twice {
            self.trail.events.push(event);
        }
    }
}

/// The members of an event, whatever the case of their names.
struct Members<'a>(&'a Map<String, Value>);

impl Members<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        let found = self.0.get(name);
        found.or_else(|| {
            self.0
                .iter()
                .find_map(|(member, value)| member.eq_ignore_ascii_case(name).then_some(value))
        })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// The member of a member, which may be an object or the text of one.
    fn inner(&self, name: &str, member: &str) -> Option<String> {
        let read = |members: &Map<String, Value>| Members(members).text(member).map(str::to_owned);
        match self.get(name)? {
            Value::Object(members) => read(members),
            Value::String(text) => read(&serde_json::from_str(text).ok()?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
        }
    }

    /// Whether it is a call to KMS, or may be one: an event that names no service is not left out.
    fn is_of_kms(&self) -> bool {
        let kms = |host: &str| {
            host.to_ascii_lowercase().split(['.', '-', '/', ':']).any(|part| part == "kms")
        };
        match (self.text("serviceName"), self.text("eventSource")) {
            (None, None) => true,
            (service, host) => {
                service.is_some_and(|name| name.eq_ignore_ascii_case("kms"))
                    || host.is_some_and(kms)
            }
        }
    }

    /// The secrets among the resources, which are joined by `;` as their types are.
    fn secret(&self, clean: impl Fn(&str) -> String) -> Option<String> {
        let names = self.text("resourceName")?;
        let is_secret = |kind: &str| kind.to_ascii_lowercase().contains("secret");
        let of_secret = self.text("resourceType").is_none_or(is_secret);
        (of_secret || names.contains(":secret/")).then(|| clean(names))
    }

    fn read(&self) -> CloudEvent {
        let clean = |text: &str| Untrusted::capped(text, 256).as_str().to_owned();
        let shown = |name| self.text(name).map(clean);
        let identity = |member| self.inner("userIdentity", member);
        let name = identity("userName").or_else(|| identity("principalId"));
        let who: Vec<String> =
            name.into_iter().chain(identity("type")).map(|part| clean(&part)).collect();
        let parameter = |member| {
            self.inner("requestParameters", member)
                .or_else(|| self.inner("requestParameterJson", member))
        };
        CloudEvent {
            request_id: shown("requestId").or_else(|| parameter("RequestId").map(|id| clean(&id))),
            time: self.text("eventTime").and_then(|time| time.parse().ok()),
            action: shown("eventName").unwrap_or_default(),
            secret: parameter("SecretName").map(|name| clean(&name)).or_else(|| self.secret(clean)),
            resource: shown("resourceName")
                .or_else(|| parameter("SecretName").map(|name| clean(&name))),
            user_agent: shown("userAgent"),
            source_ip: shown("sourceIpAddress"),
            who: (!who.is_empty()).then(|| who.join(", ")),
            caller_key: identity("accessKeyId").and_then(|id| fingerprint(&id)),
            error_code: shown("errorCode"),
        }
    }
}

/// What the log calls an AccessKey. ActionTrail hides a part of some ids; those have none.
fn fingerprint(id: &str) -> Option<String> {
    let whole = !id.is_empty() && !id.contains('*');
    whole.then(|| hex::encode(Sha256::digest(id.as_bytes()).get(..6).unwrap_or_default()))
}
