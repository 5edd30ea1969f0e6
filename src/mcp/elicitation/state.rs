//! [`States`]: what a client of 2026-07-28 is asked, sealed, and what it brings back.

use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, ElicitRequest, ElicitResult, InputRequest, InputRequests,
    InputRequiredResult, RequestStateCodec, SealOptions,
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Heard, Mode, QUESTION, params};
use crate::reply::Question;

/// How long a question may be answered: as long as its token waits.
const LIFE: Duration = Duration::from_mins(10);

/// Seals what must come back unchanged, and opens it again.
pub(in crate::mcp) struct States(RequestStateCodec);

impl States {
    /// With a key of this process.
    pub(in crate::mcp) fn new() -> Option<Self> {
        use ring::rand::{SecureRandom, SystemRandom};
        let mut key = vec![0_u8; 32];
        SystemRandom::new().fill(&mut key).ok()?;
        RequestStateCodec::try_new(key).ok().map(Self)
    }

    /// The question. Its state is bound to tool and arguments.
    pub(in crate::mcp) fn question(
        &self,
        call: &CallToolRequestParams,
        question: &Question,
        mode: Mode,
    ) -> Option<InputRequiredResult> {
        let asked = InputRequest::Elicitation(ElicitRequest::new(params(question, mode, "")?));
        let requests = InputRequests::from([(QUESTION.to_owned(), asked)]);
        let challenge = &question.challenge;
        let payload = format!("{} {} {}", name(mode), challenge.token, challenge.match_code);
        let bound = binding(call);
        let options = SealOptions::new().associated_data(&bound).ttl(LIFE);
        let state = self.0.seal_with(payload.as_bytes(), &options);
        Some(InputRequiredResult::new(Some(requests), Some(state)))
    }

    /// The token of the question that `call` answers, and what was said. `None`: it answers none of
    /// ours, or other arguments than were asked about.
    pub(in crate::mcp) fn answer(&self, call: &CallToolRequestParams) -> Option<(String, Heard)> {
        let payload = self.0.open_with(call.request_state.as_deref()?, &binding(call)).ok()?;
        let payload = String::from_utf8(payload).ok()?;
        let (named, rest) = payload.split_once(' ')?;
        let (token, match_code) = rest.split_once(' ')?;
        let mode = [Mode::Form, Mode::Url].into_iter().find(|mode| name(*mode) == named)?;
        let answered = call.input_responses.as_ref()?.get(QUESTION)?.clone();
        let heard = match serde_json::from_value::<ElicitResult>(answered) {
            Ok(result) => Heard::of(&result, mode, match_code),
            Err(_) => Heard::Unavailable,
        };
        Some((token.to_owned(), heard))
    }
}

fn name(mode: Mode) -> &'static str {
    match mode {
        Mode::Form => "form",
        Mode::Url => "url",
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
