//! [`Dialog`]: `elicitation/create`, the way to ask a client before 2026-07-28.

use std::time::Duration;

use rmcp::model::{
    CancelledNotification, CancelledNotificationParam, ClientResult, CustomNotification,
    ElicitRequest, ServerNotification, ServerRequest,
};
use rmcp::service::{PeerRequestOptions, RequestContext, RequestHandle};
use rmcp::{Peer, RoleServer};
use serde_json::json;

use super::{Heard, Mode, params};
use crate::reply::Question;

/// A question that the client shows now.
pub(in crate::mcp) struct Dialog {
    handle: RequestHandle<RoleServer>,
    mode: Mode,
    match_code: String,
}

impl Dialog {
    /// Asks; the client may take as long as `patience`. `id` is the name of a URL dialog.
    pub(in crate::mcp) async fn open(
        context: &RequestContext<RoleServer>,
        question: &Question,
        mode: Mode,
        id: &str,
        patience: Duration,
    ) -> Result<Self, Heard> {
        let params = params(question, mode, id).ok_or(Heard::Unavailable)?;
        let request = ServerRequest::ElicitRequest(ElicitRequest::new(params));
        let options = PeerRequestOptions::with_timeout(patience);
        let sent = context.peer.send_cancellable_request(request, options).await;
        let handle = sent.map_err(|failure| Heard::of_failure(&failure))?;
        Ok(Self { handle, mode, match_code: question.challenge.match_code.clone() })
    }

    /// Waits for what the client says. If `moot` ends first, the client is told to close the dialog
    /// and `None` was heard.
    pub(in crate::mcp) async fn heard(self, moot: impl Future<Output = ()>) -> Option<Heard> {
        let Self { handle, mode, match_code } = self;
        let (peer, id) = (handle.peer.clone(), handle.id.clone());
        tokio::select! {
            answered = handle.await_response() => Some(match answered {
                Ok(ClientResult::ElicitResult(result)) => Heard::of(&result, mode, &match_code),
                Ok(_) => Heard::Unavailable,
                Err(failure) => Heard::of_failure(&failure),
            }),
            () = moot => {
                let closed = CancelledNotificationParam::new(Some(id), None);
                tell(peer, CancelledNotification::new(closed).into());
                None
            }
        }
    }
}

/// Tells the client that what it opened under that name is over: the person has decided.
pub(in crate::mcp) fn completed(context: &RequestContext<RoleServer>, id: &str) {
    let id = json!({ "elicitationId": id });
    let completed = CustomNotification::new("notifications/elicitation/complete", Some(id));
    tell(context.peer.clone(), ServerNotification::CustomNotification(completed));
}

/// Sends a notification that nothing waits for: once the client has closed its side, waiting for
/// one to be sent would cost the reply.
fn tell(peer: Peer<RoleServer>, notification: ServerNotification) {
    tokio::spawn(async move { peer.send_notification(notification).await });
}
