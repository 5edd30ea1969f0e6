//! What must be known of a session to keep rmcp from dying of a message or dropping a reply.

use std::collections::{HashMap, VecDeque};

use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorCode, GetMeta, JsonRpcMessage,
    ProgressToken, ProtocolVersion, RequestId, ServerJsonRpcMessage,
};

use super::message::Reason;

/// How many ids of cancelled requests are remembered.
const CANCELLED: usize = 1024;

/// Whether a message may be passed on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admitted {
    Pass,
    Refuse(Reason),
    Drop,
}

/// The messages that came and went, as far as it matters.
#[derive(Debug, Default)]
pub(super) struct Session {
    phase: Phase,
    initialized: bool,
    /// Requests without a reply so far, and the token of those that want to hear of progress. rmcp
    /// answers only one of two that share an id.
    running: HashMap<RequestId, Option<ProgressToken>>,
    /// rmcp sends no reply to these. Were their ids used again, it could send the late reply of
    /// the cancelled request for the new one.
    cancelled: VecDeque<RequestId>,
}

/// rmcp ends if it gets anything but requests before it has chosen between the eras of MCP.
#[derive(Debug, Default)]
enum Phase {
    #[default]
    Fresh,
    /// This request opens the era without `initialize`, unless rmcp says that it does not know
    /// the version before it reads on.
    Opening(RequestId),
    Open,
}

impl Session {
    /// rmcp asks for the next message, so it has done with the last one as far as the phase goes.
    pub(super) fn reads_on(&mut self) {
        if matches!(self.phase, Phase::Opening(_)) {
            self.phase = Phase::Open;
        }
    }

    /// Judges a message that came in.
    pub(super) fn admit(&mut self, message: &ClientJsonRpcMessage) -> Admitted {
        match message {
            JsonRpcMessage::Request(request) => self.admit_request(&request.id, &request.request),
            _ if !matches!(self.phase, Phase::Open) => Admitted::Drop,
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) =
                    &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.cancel(id);
                }
                Admitted::Pass
            }
            JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => Admitted::Pass,
        }
    }

    fn admit_request(&mut self, id: &RequestId, request: &ClientRequest) -> Admitted {
        if self.running.contains_key(id) || self.cancelled.contains(id) {
            return Admitted::Refuse(Reason::IdInUse);
        }
        let initialize = matches!(request, ClientRequest::InitializeRequest(_));
        if initialize && self.initialized {
            // rmcp would take over other client capabilities in the middle of the session.
            return Admitted::Refuse(Reason::Initialized);
        }
        self.running.insert(id.clone(), request.get_meta().get_progress_token());
        if initialize {
            self.initialized = true;
            self.phase = Phase::Open;
        } else if matches!(self.phase, Phase::Fresh) && opens(request) {
            self.phase = Phase::Opening(id.clone());
        }
        Admitted::Pass
    }

    fn cancel(&mut self, id: &RequestId) {
        if self.running.remove(id).is_some() {
            self.cancelled.push_back(id.clone());
            if self.cancelled.len() > CANCELLED {
                self.cancelled.pop_front();
            }
        }
    }

    /// Whether a request that has neither been answered nor cancelled wants to hear of progress
    /// under that token. rmcp may hand progress over after the reply.
    pub(super) fn awaits(&self, token: &ProgressToken) -> bool {
        self.running.values().any(|wanted| wanted.as_ref() == Some(token))
    }

    /// Takes note of a message that goes out; the id of the request if it is a reply.
    pub(super) fn sends(&mut self, message: &ServerJsonRpcMessage) -> Option<RequestId> {
        let (id, error) = match message {
            JsonRpcMessage::Response(response) => (&response.id, None),
            JsonRpcMessage::Error(error) => (error.id.as_ref()?, Some(error.error.code)),
            JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => return None,
        };
        self.running.remove(id);
        if matches!(&self.phase, Phase::Opening(opening) if opening == id) {
            let unknown_version = error == Some(ErrorCode::UNSUPPORTED_PROTOCOL_VERSION);
            self.phase = if unknown_version { Phase::Fresh } else { Phase::Open };
        }
        Some(id.clone())
    }
}

/// Whether rmcp takes a request for the beginning of a session without `initialize`.
fn opens(request: &ClientRequest) -> bool {
    !matches!(request, ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_))
        && request.get_meta().missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty()
}
