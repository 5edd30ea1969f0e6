//! [`Reply`]: the envelope every tool answers (design §5). Nothing is answered without a
//! [`Closed`]: the proof that the audit log knows how the call ended.

use serde_json::{Map, Value, json};

use crate::audit::Closed;
use crate::client::ClientError;
use crate::guard::{Challenge, Commands, Refusal};
use crate::operation::Outcome;
use crate::scrub::Scrubber;
use crate::sensitive::Sensitive;

/// Where a disclosed value stands, in the envelope, and nowhere else.
pub(crate) const VALUE_POINTER: &str = "/Result/SecretData";

/// Whether anything was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    No,
    /// Something was, on the way, although the call itself failed.
    Yes,
    /// A write was sent, and its outcome is not known or not on record.
    Unknown,
}

impl Changed {
    fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Yes => "yes",
            Self::Unknown => "unknown",
        }
    }
}

/// What one would type without us.
#[derive(Debug, Clone)]
pub(crate) struct Equivalent {
    pub(crate) cli: String,
    pub(crate) python: String,
    /// The value would appear where it is run.
    pub(crate) discloses: bool,
}

/// Where a person can decide. Both are always told: a page of this machine does not reach a person
/// who sits at another.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    /// The command for a terminal.
    pub(crate) approve_with: String,
    /// The address of the page.
    pub(crate) approve_at: Option<String>,
    /// What else the person may have to run.
    pub(crate) commands: Commands,
}

/// An answer, ready to be scrubbed and sent.
#[derive(Debug)]
pub struct Reply {
    envelope: Map<String, Value>,
    value: Option<Sensitive>,
    is_error: bool,
    /// A question that the client may be asked.
    question: Option<Question>,
}

/// A question that the client may be asked, and where a person decides it.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) challenge: Challenge,
    /// The address of the page, at levels that want a person.
    pub(crate) page: Option<String>,
}

/// What leaves: the object, and whether it is an error.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// With the disclosed value in its one place.
    pub(crate) structured: Value,
    /// The same as text, the value masked.
    pub(crate) text: String,
    pub(crate) is_error: bool,
    discloses: bool,
    /// JSON pointers whose content had to be removed.
    pub(crate) blocked: Vec<String>,
}

impl Outgoing {
    /// The value that a person approved for the agent.
    pub(crate) fn disclosed(&self) -> Option<&str> {
        let value = self.structured.pointer(VALUE_POINTER).filter(|_| self.discloses)?;
        value.as_str()
    }
}

impl Reply {
    /// The one door: `envelope` is answered only if the call's end is on record; else a fixed
    /// answer is, which says whether anything `changed`, and the value is dropped.
    pub(crate) fn new(
        closed: &Closed,
        changed: Changed,
        envelope: Map<String, Value>,
        value: Option<Sensitive>,
    ) -> Self {
        if !closed.is_recorded() {
            let refusal = Refusal::AuditUnavailable;
            let next = refusal.next(&Commands::default());
            let error = error(refusal.code(), &refusal.message(), changed, &next);
            return Self { envelope: failed(error), value: None, is_error: true, question: None };
        }
        let status = envelope.get("Status").and_then(Value::as_str).unwrap_or("error");
        let is_error = matches!(status, "denied" | "error");
        Self { envelope, value, is_error, question: None }
    }

    /// With a question that the client may be asked.
    pub(crate) fn asking(mut self, question: Option<Question>) -> Self {
        self.question = question.filter(|_| !self.is_error);
        self
    }

    /// The question that the client may be asked.
    pub(crate) fn question(&self) -> Option<&Question> {
        self.question.as_ref()
    }

    /// With a note more.
    pub(crate) fn noting(mut self, note: &str) -> Self {
        add_notes(&mut self.envelope, vec![note.to_owned()]);
        self
    }

    /// Scrubs the envelope and puts the value, if one was approved for the agent, in its place.
    pub(crate) fn into_outgoing(self, scrubber: &Scrubber) -> Outgoing {
        let mut structured = Value::Object(self.envelope);
        let blocked = scrubber.json(&mut structured, None);
        let text = structured.to_string();
        let mut discloses = false;
        if let (Some(value), Some(place)) = (self.value, structured.pointer_mut(VALUE_POINTER)) {
            #[expect(
                clippy::disallowed_methods,
                reason = "to the agent: a person approved exactly this"
            )]
            let opened = Value::String(value.expose().to_owned());
            *place = opened;
            discloses = true;
        }
        Outgoing { structured, text, is_error: self.is_error, discloses, blocked }
    }
}

/// `Status: ok`.
pub(crate) fn ok(
    result: Value,
    outcome: Option<Outcome>,
    request_id: Option<&str>,
    notes: Vec<String>,
) -> Map<String, Value> {
    let mut envelope = status("ok");
    envelope.insert("Result".into(), result);
    if let Some(outcome) = outcome {
        envelope.insert("Outcome".into(), outcome.name().into());
    }
    finish(envelope, request_id, notes)
}

/// A refusal of the guard: `confirmation_required`, `denied` or `error`.
/// `changed` is what steps before it did.
pub(crate) fn refused(
    refusal: &Refusal,
    changed: Changed,
    equivalent: Option<&Equivalent>,
    ways: &Ways,
) -> Map<String, Value> {
    if let Refusal::Confirm(challenge) = refusal {
        return confirm(challenge, equivalent, ways);
    }
    let next = refusal.next(&ways.commands);
    let error = error(refusal.code(), &refusal.message(), changed, &next);
    let mut envelope = status(if refusal.is_denial() { "denied" } else { "error" });
    envelope.insert("Error".into(), error);
    envelope
}

fn confirm(
    challenge: &Challenge,
    equivalent: Option<&Equivalent>,
    ways: &Ways,
) -> Map<String, Value> {
    let mut confirmation = Map::new();
    let mut insert = |name: &str, text: &str| confirmation.insert(name.into(), text.into());
    insert("Token", &challenge.token);
    insert("ExpiresAt", &challenge.expires_at);
    insert("Summary", &challenge.summary);
    insert("MatchCode", &challenge.match_code);
    let mut notes = Vec::new();
    if challenge.approved {
        notes.push("The call was not made. Show the person the equivalent command; if they want the call made, repeat it exactly with ConfirmationToken set to the token.".into());
    } else {
        insert("ApproveWith", &ways.approve_with);
        let mut or_open = "";
        if let Some(address) = &ways.approve_at {
            insert("ApproveAt", address);
            or_open = ", or to open ApproveAt in a browser on this machine,";
        }
        let for_person = challenge.record.destination.as_deref() == Some("person");
        let how = if for_person && ways.approve_at.is_some() {
            "open ApproveAt in a browser on this machine, where the value is shown once they approve it there,".into()
        } else {
            format!("run ApproveWith in their own terminal{or_open}")
        };
        notes.push(format!("The call was not made. Ask the person to {how} and to compare the match code, then repeat exactly this call with ConfirmationToken set to the token: it waits for their decision. You cannot approve it yourself."));
    }
    if let Some(equivalent) = equivalent {
        confirmation.insert(
            "Equivalent".into(),
            json!({ "Cli": equivalent.cli, "Python": equivalent.python }),
        );
        if equivalent.discloses {
            notes.push("The equivalent shows the value where it is run: the person should look in private.".into());
        }
        let host = &challenge.record.host;
        if !host.ends_with(".aliyuncs.com") {
            notes.push(format!("The equivalent acts on Alibaba Cloud, this server on {host}: it is no way to do the same here."));
        }
    }
    notes.extend(challenge.note.map(String::from));
    let mut envelope = status("confirmation_required");
    envelope.insert("Confirmation".into(), Value::Object(confirmation));
    finish(envelope, None, notes)
}

/// A failure of `action` on the way to KMS or there.
pub(crate) fn upstream(
    failure: &ClientError,
    action: &str,
    secret: &str,
    changed: Changed,
) -> Map<String, Value> {
    explained(failure, action, secret, &failure.message(), changed)
}

/// The same, of a step on the way of a call.
pub(crate) fn step_failed(
    failure: &ClientError,
    step: &str,
    changed: Changed,
) -> Map<String, Value> {
    explained(failure, step, "", &format!("in the step {step}: {}", failure.message()), changed)
}

fn explained(
    failure: &ClientError,
    action: &str,
    secret: &str,
    message: &str,
    changed: Changed,
) -> Map<String, Value> {
    let next = failure.next(action, secret, changed == Changed::Unknown);
    let mut envelope = failed(error(failure.code(), message, changed, &next));
    if let (Some(code), Some(id)) = (failure.kms_code(), &failure.request_id) {
        let query = if failure.is_known() { format!("q={code}&") } else { String::new() };
        let link = format!("https://api.aliyun.com/troubleshoot?{query}product=Kms&requestId={id}");
        return finish(envelope, Some(id), vec![format!("Details for the person: {link}")]);
    }
    if let Some(status) = failure.http_status {
        envelope =
            finish(envelope, failure.request_id.as_deref(), vec![format!("HTTP status {status}")]);
    }
    envelope
}

/// Any other error of ours.
pub(crate) fn failed(error: Value) -> Map<String, Value> {
    let mut envelope = status("error");
    envelope.insert("Error".into(), error);
    envelope
}

/// The `Error` object.
pub(crate) fn error(code: &str, message: &str, changed: Changed, next: &str) -> Value {
    json!({ "Code": code, "Message": message, "Changed": changed.name(), "Next": next })
}

fn status(status: &str) -> Map<String, Value> {
    Map::from_iter([("Status".to_owned(), Value::from(status))])
}

fn finish(
    mut envelope: Map<String, Value>,
    request_id: Option<&str>,
    notes: Vec<String>,
) -> Map<String, Value> {
    if let Some(id) = request_id {
        envelope.insert("RequestId".into(), id.into());
    }
    if !notes.is_empty() {
        envelope.insert("Notes".into(), notes.into());
    }
    envelope
}

/// Adds notes before those that are there.
pub(crate) fn add_notes(envelope: &mut Map<String, Value>, mut notes: Vec<String>) {
    if notes.is_empty() {
        return;
    }
    let there = envelope.remove("Notes");
    let there = there.as_ref().and_then(Value::as_array).into_iter().flatten();
    notes.extend(there.filter_map(Value::as_str).map(str::to_owned));
    envelope.insert("Notes".into(), notes.into());
}

/// The schema of the envelope around `result`. Of `Error` and `Confirmation` one member is named,
/// since some front ends refuse an object without any: all would cost 860 bytes a tool.
pub(crate) fn schema(result: &Value) -> Value {
    let part = |member: &str| {
        json!({ "type": "object", "properties": { member: { "type": "string" } },
            "additionalProperties": true })
    };
    let mut result = result.clone();
    if let Some(object) = result.as_object_mut().filter(|it| !it.contains_key("properties")) {
        object.insert("additionalProperties".into(), false.into());
    }
    json!({
        "type": "object",
        "properties": {
            "Status": { "type": "string", "enum": ["ok", "confirmation_required", "denied", "error"] },
            "Result": result,
            "Outcome": { "type": "string" },
            "Confirmation": part("Token"),
            "Error": part("Code"),
            "RequestId": { "type": "string" },
            "Notes": { "type": "array", "items": { "type": "string" } }
        },
        "required": ["Status"]
    })
}
