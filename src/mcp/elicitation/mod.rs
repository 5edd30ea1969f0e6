//! Asking through the MCP client, in one of two modes.
//!
//! A *form* serves level `client`: a consent and no more. What is asked is that a word be typed: a
//! form that was accepted empty, or as it came, is no consent, and several clients send just that.
//! A *URL* leads to the approval page and serves the levels that want a person. To accept it means
//! that it was opened and nothing else: the decision is made there, by the person.
//!
//! Older clients are asked by `elicitation/create` while the call waits; clients of 2026-07-28 get
//! an `InputRequiredResult` and repeat the call. All go through the same record as every other
//! approval.
//!
//! `dialog` asks an older client · `state` what a newer one brings back · `heard` what they say

mod dialog;
mod heard;
mod state;

use rmcp::RoleServer;
use rmcp::model::{ElicitRequestParams, ElicitationSchema, ProtocolVersion};
use rmcp::service::RequestContext;

use crate::approval::as_lines;
use crate::reply::Question;

pub(super) use dialog::{Dialog, completed};
pub(super) use heard::Heard;
pub(super) use state::States;

/// The one question of a form, and its key among the input requests.
const QUESTION: &str = "confirm";

/// What the client shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// A form in which the match code is typed.
    Form,
    /// An offer to open the approval page.
    Url,
}

/// How a client is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// `elicitation/create`, before 2026-07-28.
    Request(Mode),
    /// `InputRequiredResult`, from 2026-07-28 on.
    InputRequired(Mode),
}

/// How this client can be asked that question; `None` if it did not say that it can.
pub(super) fn way(context: &RequestContext<RoleServer>, question: &Question) -> Option<Way> {
    let declared = context.client_capabilities()?.elicitation?;
    let version = context.protocol_version()?;
    // `elicitation: {}` means forms (facts/mcp.md §1.4). URLs came with 2025-11-25.
    let form = declared.form.is_some() || declared.url.is_none();
    let url = declared.url.is_some() && version >= ProtocolVersion::V_2025_11_25;
    let mode = match &question.page {
        _ if question.challenge.client => form.then_some(Mode::Form),
        Some(_) => url.then_some(Mode::Url),
        None => None,
    }?;
    let modern = version >= ProtocolVersion::V_2026_07_28;
    Some(if modern { Way::InputRequired(mode) } else { Way::Request(mode) })
}

/// What the client is asked. `id` names the dialog, in the one protocol that wants a name.
fn params(question: &Question, mode: Mode, id: &str) -> Option<ElicitRequestParams> {
    let code = &question.challenge.match_code;
    let summary = &question.challenge.summary;
    match mode {
        // One required word, without a default.
        Mode::Form => {
            let lines = as_lines(&question.challenge.record);
            let schema = ElicitationSchema::builder()
                .required_string_with(QUESTION, |text| {
                    let asked = format!("Type {code} to agree");
                    text.title("Match code").description(asked).length(1, 32)
                })
                .build()
                .ok()?;
            Some(ElicitRequestParams::FormElicitationParams {
                meta: None,
                message: format!("{summary}.\n{lines}Type {code} to agree."),
                requested_schema: schema,
            })
        }
        Mode::Url => Some(ElicitRequestParams::UrlElicitationParams {
            meta: None,
            message: format!(
                "{summary}. Open the approval page of kms-mcp on this machine and decide there; it shows the match code {code}."
            ),
            url: question.page.clone()?,
            elicitation_id: id.to_owned(),
        }),
    }
}
