//! How a session ends: the client leaves, or the process was told to end.

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::service::{QuitReason, RunningService, Service};
use tokio::task::JoinError;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::calls::LAST_MOMENT;

/// How long a call in flight may go on by itself once the process was told to end.
const MOMENT: Duration = Duration::from_millis(500);

/// Waits until a session is over. A moment after `stopping` its calls are cancelled as a client
/// cancels them: readings and waits are given up; what may have changed something goes on.
pub(super) async fn over<S: Service<RoleServer>>(
    session: RunningService<RoleServer, S>,
    stopping: &CancellationToken,
) -> Result<(), JoinError> {
    let cancel_calls = session.cancellation_token();
    let mut over = std::pin::pin!(session.waiting());
    let ended = tokio::select! {
        ended = &mut over => ended,
        () = a_moment_after(stopping) => {
            cancel_calls.cancel();
            timeout(LAST_MOMENT, over).await.unwrap_or(Ok(QuitReason::Cancelled))
        }
    };
    ended.map(|_| ())
}

async fn a_moment_after(stopping: &CancellationToken) {
    stopping.cancelled().await;
    tokio::time::sleep(MOMENT).await;
}
