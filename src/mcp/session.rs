//! What must be known of a session to keep rmcp from dying of a message or dropping a reply.

use std::collections::{HashMap, VecDeque};

use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorCode, GetExtensions, GetMeta,
    JsonRpcMessage, ProgressToken, ProtocolVersion, RequestId, ServerJsonRpcMessage,
};

use super::message::Reason;
use super::unanswered::{Held, Unanswered};

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
    /// Requests without a reply so far. rmcp answers only one of two that share an id.
    running: HashMap<RequestId, Running>,
    unanswered: Unanswered,
    /// rmcp sends no reply to these. Were their ids used again, it could send the late reply of
    /// the cancelled request for the new one.
    cancelled: VecDeque<RequestId>,
}

/// A request without a reply so far.
#[derive(Debug)]
struct Running {
    /// Of one that wants to hear of progress.
    progress: Option<ProgressToken>,
    held: Held,
}

/// A reply that goes out.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) to: RequestId,
    /// The room of its request. `None`: the request was cancelled meanwhile.
    pub(super) held: Option<Held>,
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

    /// Judges a message that came in and weighs as much.
    pub(super) fn admit(&mut self, message: &mut ClientJsonRpcMessage, weight: usize) -> Admitted {
        match message {
            JsonRpcMessage::Request(request) => {
                self.admit_request(&request.id, &mut request.request, weight)
            }
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

    fn admit_request(
        &mut self,
        id: &RequestId,
        request: &mut ClientRequest,
        weight: usize,
    ) -> Admitted {
        if self.running.contains_key(id) || self.cancelled.contains(id) {
            return Admitted::Refuse(Reason::IdInUse);
        }
        let initialize = matches!(request, ClientRequest::InitializeRequest(_));
        if initialize && self.initialized {
            // rmcp would take over other client capabilities in the middle of the session.
            return Admitted::Refuse(Reason::Initialized);
        }
        let held = match self.unanswered.hold(weight) {
            Ok(held) => held,
            Err(reason) => return Admitted::Refuse(reason),
        };
        let progress = request.get_meta().get_progress_token();
        self.running.insert(id.clone(), Running { progress, held: held.clone() });
        // rmcp hands this to whoever works on the request, and drops it after that.
        request.extensions_mut().insert(held);
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
        self.running.values().any(|running| running.progress.as_ref() == Some(token))
    }

    /// Takes note of a message that goes out, if it is a reply.
    pub(super) fn sends(&mut self, message: &ServerJsonRpcMessage) -> Option<Reply> {
        let (id, error) = match message {
            JsonRpcMessage::Response(response) => (&response.id, None),
            JsonRpcMessage::Error(error) => (error.id.as_ref()?, Some(error.error.code)),
            JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => return None,
        };
        let held = self.running.remove(id).map(|running| running.held);
        if matches!(&self.phase, Phase::Opening(opening) if opening == id) {
            let unknown_version = error == Some(ErrorCode::UNSUPPORTED_PROTOCOL_VERSION);
            self.phase = if unknown_version { Phase::Fresh } else { Phase::Open };
        }
        Some(Reply { to: id.clone(), held })
    }
}

/// Whether rmcp takes a request for the beginning of a session without `initialize`.
fn opens(request: &ClientRequest) -> bool {
    !matches!(request, ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_))
        && request.get_meta().missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty()
}
