//! Asking through the MCP client: level `client`, a consent and no more.
//!
//! Older clients are asked by `elicitation/create` while the call waits; clients of 2026-07-28 get
//! an `InputRequiredResult` and repeat the call. Both go through the same record as every other
//! approval. What is asked is that a word be typed: a form that was accepted empty, or as it came,
//! is no consent, and several clients send just that.

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction,
    ElicitationSchema, InputRequest, InputRequests, InputRequiredResult, ProtocolVersion,
    RequestStateCodec, SealOptions,
};
use rmcp::service::RequestContext;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::guard::Challenge;

/// The one question of a form, and its key among the input requests.
const QUESTION: &str = "confirm";
/// How long a client may take, in the older protocols.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long a question of the newer protocol may be answered: as long as its token waits.
const LIFE: Duration = Duration::from_mins(10);

/// What became of asking.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Consent {
    /// The word was typed.
    Given,
    /// The user said no, the client could not ask, or answered without a consent: they look alike.
    None,
}

/// How a client can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// `elicitation/create`, before 2026-07-28.
    Request,
    /// `InputRequiredResult`, from 2026-07-28 on.
    InputRequired,
}

/// How this client can be asked with a form; `None` if it did not say that it can.
pub(super) fn way(context: &RequestContext<RoleServer>) -> Option<Way> {
    let elicitation = context.client_capabilities()?.elicitation?;
    // `elicitation: {}` of older clients means forms (facts/mcp.md §1.4).
    if elicitation.form.is_none() && elicitation.url.is_some() {
        return None;
    }
    let modern = context.protocol_version().is_some_and(|it| it >= ProtocolVersion::V_2026_07_28);
    Some(if modern { Way::InputRequired } else { Way::Request })
}

/// Asks an older client and waits for its answer.
pub(super) async fn request(
    context: &RequestContext<RoleServer>,
    challenge: &Challenge,
) -> Consent {
    let Some(params) = form(challenge) else { return Consent::None };
    let asked = context.peer.create_elicitation(params);
    tokio::select! {
        answered = tokio::time::timeout(PATIENCE, asked) => match answered {
            Ok(Ok(result)) => judged(&result, &challenge.match_code),
            Ok(Err(_)) | Err(_) => Consent::None,
        },
        () = context.ct.cancelled() => Consent::None,
    }
}

/// Seals what must come back unchanged, and opens it again.
pub(super) struct States(RequestStateCodec);

impl States {
    /// With a key of this process.
    pub(super) fn new() -> Option<Self> {
        use ring::rand::{SecureRandom, SystemRandom};
        let mut key = vec![0_u8; 32];
        SystemRandom::new().fill(&mut key).ok()?;
        RequestStateCodec::try_new(key).ok().map(Self)
    }

    /// The question for a newer client. Its state is bound to tool and arguments.
    pub(super) fn question(
        &self,
        call: &CallToolRequestParams,
        challenge: &Challenge,
    ) -> Option<InputRequiredResult> {
        let asked = InputRequest::Elicitation(ElicitRequest::new(form(challenge)?));
        let requests = InputRequests::from([(QUESTION.to_owned(), asked)]);
        let payload = format!("{} {}", challenge.token, challenge.match_code);
        let bound = binding(call);
        let options = SealOptions::new().associated_data(&bound).ttl(LIFE);
        let state = self.0.seal_with(payload.as_bytes(), &options);
        Some(InputRequiredResult::new(Some(requests), Some(state)))
    }

    /// The token of the question that `call` answers, and the consent. `None`: it answers none of
    /// ours, or other arguments than were asked about.
    pub(super) fn answer(&self, call: &CallToolRequestParams) -> Option<(String, Consent)> {
        let payload = self.0.open_with(call.request_state.as_deref()?, &binding(call)).ok()?;
        let payload = String::from_utf8(payload).ok()?;
        let (token, match_code) = payload.split_once(' ')?;
        let answered = call.input_responses.as_ref()?.get(QUESTION)?.clone();
        let consent = match serde_json::from_value::<ElicitResult>(answered) {
            Ok(result) => judged(&result, match_code),
            Err(_) => Consent::None,
        };
        Some((token.to_owned(), consent))
    }
}

/// SHA-256 over tool and arguments.
fn binding(call: &CallToolRequestParams) -> Vec<u8> {
    let arguments = call.arguments.clone().unwrap_or_default();
    let mut hash = Sha256::new();
    hash.update(call.name.as_bytes());
    hash.update([0]);
    hash.update(Value::Object(sorted(arguments)).to_string());
    hash.finalize().to_vec()
}

/// Members in one order, whatever order a client sends them in.
fn sorted(arguments: Map<String, Value>) -> Map<String, Value> {
    let mut members: Vec<(String, Value)> = arguments.into_iter().collect();
    members.sort_by(|(one, _), (other, _)| one.cmp(other));
    members.into_iter().collect()
}

/// One required word, without a default: the match code.
fn form(challenge: &Challenge) -> Option<ElicitRequestParams> {
    let code = &challenge.match_code;
    let schema = ElicitationSchema::builder()
        .required_string_with(QUESTION, |text| {
            text.title("Match code").description(format!("Type {code} to agree")).length(1, 32)
        })
        .build()
        .ok()?;
    let message = format!("{}. Type {code} to agree.", challenge.summary);
    Some(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message,
        requested_schema: schema,
    })
}

fn judged(result: &ElicitResult, match_code: &str) -> Consent {
    let typed = result.content.as_ref().and_then(|content| content.get(QUESTION)?.as_str());
    let agreed = typed.is_some_and(|typed| typed.trim().eq_ignore_ascii_case(match_code));
    if result.action == ElicitationAction::Accept && agreed {
        Consent::Given
    } else {
        Consent::None
    }
}
