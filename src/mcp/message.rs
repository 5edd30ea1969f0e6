//! What a line means: a message for rmcp, an error that we answer ourselves, or nothing.
//!
//! rmcp drops what it cannot read, without an answer or with one that bears no id, and the client
//! waits forever. So nothing reaches it that it would drop.

use std::fmt;

use rmcp::model::{ClientJsonRpcMessage, ClientRequest, JsonRpcMessage};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

mod unique;

use unique::Unique;

/// The longest id that is a string, in characters: ids are remembered.
const LONGEST_ID: usize = 256;
/// What a value of a message takes in memory, beside its text: as a list without items it is two
/// characters of a line.
const VALUE_BYTES: usize = 128;

/// The requests whose parameters rmcp knows. Where they have the wrong shape it takes them for a
/// method that it does not know, and would say so.
const METHODS: &[&str] = &[
    "completion/complete",
    "initialize",
    "logging/setLevel",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/templates/list",
    "server/discover",
    "tools/call",
    "tools/list",
];

/// What to do with a line.
#[derive(Debug)]
pub(super) enum Judged {
    /// Pass it on. It weighs as many bytes, roughly: the line and what its values take.
    Message(Box<ClientJsonRpcMessage>, usize),
    /// Answer it.
    Refused(Refusal),
    /// Neither: blank, or a notification or error nobody can be told about.
    Nothing,
}

/// An error response of our own: fixed text and at most the id of the request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    reason: Reason,
    id: Value,
}

/// Why a line is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    NotJson,
    TooLong,
    TooManyValues,
    Unreadable,
    Batch,
    NotAMessage,
    BadId,
    IdInUse,
    Initialized,
    BadParams,
    TooMany,
    TooMuch,
}

impl Reason {
    fn code(self) -> i32 {
        match self {
            Self::NotJson => -32700,
            Self::BadParams => -32602,
            Self::TooLong
            | Self::TooManyValues
            | Self::Unreadable
            | Self::Batch
            | Self::NotAMessage
            | Self::BadId
            | Self::IdInUse
            | Self::Initialized
            | Self::TooMany
            | Self::TooMuch => -32600,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::NotJson => "Parse error: a message is one line of JSON in UTF-8",
            Self::TooLong => "Invalid Request: the line is longer than 1 MiB",
            Self::TooManyValues => "Invalid Request: the line has more than 20,000 JSON values",
            Self::Unreadable => {
                "Invalid Request: duplicate keys, nesting deeper than 127, unpaired surrogates and \
                 numbers out of range are refused"
            }
            Self::Batch => "Invalid Request: a message is one JSON object, without batches",
            Self::NotAMessage => {
                "Invalid Request: not a JSON-RPC 2.0 request, notification or response"
            }
            Self::BadId => {
                "Invalid Request: the id must be a string of at most 256 characters or an integer of 64 bits"
            }
            Self::IdInUse => "Invalid Request: an earlier request has the same id",
            Self::Initialized => "Invalid Request: the session is initialized already",
            Self::BadParams => {
                "Invalid params: they must be an object with the fields that the method takes"
            }
            Self::TooMany => {
                "Invalid Request: 2,048 requests have no answer yet, so this one was not made; \
                 wait for some of them"
            }
            Self::TooMuch => {
                "Invalid Request: requests without an answer hold 16 MiB, so this one was not \
                 made; wait for some of them"
            }
        }
    }
}

impl Refusal {
    pub(super) fn new(reason: Reason, id: Value) -> Self {
        Self { reason, id }
    }

    /// The response, `id` being null where none could be read.
    pub(super) fn response(&self) -> Value {
        serde_json::json!({
            "jsonrpc": "2.0",
            "id": self.id,
            "error": { "code": self.reason.code(), "message": self.reason.text() },
        })
    }
}

/// Judges one line, without its newline.
pub(super) fn judge(line: &[u8]) -> Judged {
    // Some tools on Windows begin with a byte order mark; RFC 8259 lets a reader ignore it.
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    if line.trim_ascii().is_empty() {
        return Judged::Nothing;
    }
    let refuse = |reason, id| Judged::Refused(Refusal::new(reason, id));
    let Ok(text) = std::str::from_utf8(line) else {
        return refuse(Reason::NotJson, Value::Null);
    };
    let mut json = Unique::default();
    match json.read(text) {
        Some(Value::Object(message)) => {
            judge_object(message, line.len() + json.values() * VALUE_BYTES)
        }
        Some(_) => refuse(Reason::Batch, Value::Null),
        None => match serde_json::from_str(text) {
            Ok(Outline { id }) if json.is_too_many() => refuse(Reason::TooManyValues, id),
            Ok(Outline { id }) => refuse(Reason::Unreadable, id),
            Err(_) => refuse(Reason::NotJson, Value::Null),
        },
    }
}

fn judge_object(mut message: Map<String, Value>, weight: usize) -> Judged {
    let id = message.get("id").map(readable_id);
    let refuse = |reason| Judged::Refused(Refusal::new(reason, id.clone().unwrap_or(Value::Null)));
    let has = |key| message.contains_key(key);
    let (method, result, error) = (has("method"), has("result"), has("error"));
    if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return refuse(Reason::NotAMessage);
    }
    let well_formed = match (method, result, error) {
        (true, false, false) => message.get("method").is_some_and(Value::is_string),
        (false, true, false) => id.is_some(),
        (false, false, true) => id.is_some() && message.get("error").is_some_and(Value::is_object),
        _ => false,
    };
    if !well_formed {
        return refuse(Reason::NotAMessage);
    }
    match message.get("id") {
        // The other side could not read a line of ours. To answer it would begin a loop.
        Some(Value::Null) if error => return Judged::Nothing,
        Some(Value::String(text)) if text.chars().count() <= LONGEST_ID => {}
        None => {}
        Some(Value::Number(number)) if number.is_i64() => {}
        Some(_) => return refuse(Reason::BadId),
    }
    if message.get("params").is_some_and(Value::is_null) {
        message.remove("params"); // as good as none, and many clients write it
    }
    let by_name = message.get("params").is_none_or(Value::is_object);
    let notification = method && id.is_none();
    let bad = || match () {
        () if notification => Judged::Nothing,
        () if method => refuse(Reason::BadParams),
        () => refuse(Reason::NotAMessage),
    };
    if method && !(by_name && cursor_is_text(&message)) {
        return bad();
    }
    match ClientJsonRpcMessage::deserialize(Value::Object(message)) {
        Ok(message) if !mistaken(&message) => Judged::Message(Box::new(message), weight),
        Ok(_) | Err(_) => bad(),
    }
}

/// rmcp would ignore a cursor of the wrong type and answer with the first page.
fn cursor_is_text(message: &Map<String, Value>) -> bool {
    let list = message.get("method").and_then(Value::as_str).is_some_and(|m| m.ends_with("/list"));
    let cursor = message.get("params").and_then(|params| params.get("cursor"));
    !list || cursor.is_none_or(|cursor| cursor.is_string() || cursor.is_null())
}

/// Whether rmcp took a method it knows for one it does not know.
fn mistaken(message: &ClientJsonRpcMessage) -> bool {
    if let JsonRpcMessage::Request(request) = message
        && let ClientRequest::CustomRequest(custom) = &request.request
    {
        return METHODS.contains(&custom.method.as_str());
    }
    false
}

/// The id as an error may repeat it, null if it should not be repeated.
fn readable_id(id: &Value) -> Value {
    let readable = match id {
        Value::String(text) => text.chars().count() <= LONGEST_ID,
        Value::Number(number) => number.is_i64() || number.is_u64(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    };
    if readable { id.clone() } else { Value::Null }
}

/// Of JSON that cannot be taken as it is, the id. All else is skipped, by grammar alone: without
/// a limit of depth, and without looking into strings and numbers.
struct Outline {
    id: Value,
}

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OutlineVisitor)
    }
}

struct OutlineVisitor;

impl<'de> Visitor<'de> for OutlineVisitor {
    type Value = Outline;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Outline, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Outline { id: Value::Null })
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Outline, A::Error> {
        let (mut id, mut ids) = (Value::Null, 0);
        while let Some(key) = members.next_key::<String>()? {
            if key == "id" {
                id = members.next_value_seed(IdSeed)?;
                ids += 1;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Outline { id: if ids == 1 { id } else { Value::Null } })
    }
}

/// An id, or null for anything else.
struct IdSeed;

impl<'de> DeserializeSeed<'de> for IdSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for IdSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_i64<E>(self, id: i64) -> Result<Value, E> {
        Ok(id.into())
    }
    fn visit_u64<E>(self, id: u64) -> Result<Value, E> {
        Ok(id.into())
    }
    fn visit_str<E>(self, id: &str) -> Result<Value, E> {
        Ok(readable_id(&Value::String(id.to_owned())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests;
