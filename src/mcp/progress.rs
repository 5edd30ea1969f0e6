//! Progress of a call that waits for a person, for clients that asked to hear of it.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;

use crate::pipeline::Waiting;

/// Says every `every` that the question of a match code waits, from the first moment on. It ends
/// when it is dropped; what it has said by then and was not sent, the transport keeps back.
pub(super) fn progress(
    context: &RequestContext<RoleServer>,
    every: Duration,
) -> impl Fn(&str) -> Waiting<'static, Infallible> + Send + Sync + use<> {
    let (peer, wanted) = (context.peer.clone(), context.meta.get_progress_token());
    // Of one call, however often it waits: the number must rise each time.
    let told = Arc::new(AtomicU32::new(0));
    move |match_code| {
        let (peer, wanted, told) = (peer.clone(), wanted.clone(), Arc::clone(&told));
        let message = format!("waiting for approval {match_code}");
        Box::pin(async move {
            let Some(token) = wanted else { return std::future::pending().await };
            let mut turns = tokio::time::interval(every);
            loop {
                turns.tick().await;
                let number = told.fetch_add(1, Ordering::Relaxed) + 1;
                let progress = ProgressNotificationParam::new(token.clone(), number.into())
                    .with_message(message.clone());
                // A client that went away is noticed by whoever reads from it.
                let _ = peer.notify_progress(progress).await;
            }
        })
    }
}
