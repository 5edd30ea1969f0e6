//! [`Calls`]: the calls in flight, so that the end of the server can wait for what they record.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long the end of the server waits for calls: once for those that still run, and once more
/// for those that it then abandons.
pub(super) const LAST_MOMENT: Duration = Duration::from_millis(300);

/// The calls in flight.
#[derive(Debug, Default)]
pub(super) struct Calls {
    running: watch::Sender<usize>,
    abandoned: CancellationToken,
}

impl Calls {
    /// Makes a call. `None`: it was abandoned, and what it had not recorded is `aborted`.
    pub(super) async fn run<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        let _running = Running::of(&self.running);
        tokio::select! {
            answer = call => Some(answer),
            () = self.abandoned.cancelled() => None,
        }
    }

    /// Waits a moment for the calls in flight, and abandons those that are left.
    pub(super) async fn end(&self) {
        let mut running = self.running.subscribe();
        let over = |running: &usize| *running == 0;
        if timeout(LAST_MOMENT, running.wait_for(over)).await.is_err() {
            self.abandoned.cancel();
            // Dropping a call takes no time, unless its thread is stuck.
            let _ = timeout(LAST_MOMENT, running.wait_for(over)).await;
        }
    }
}

/// One more call in flight, until it is dropped.
struct Running<'a>(&'a watch::Sender<usize>);

impl<'a> Running<'a> {
    fn of(running: &'a watch::Sender<usize>) -> Self {
        running.send_modify(|count| *count += 1);
        Self(running)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
