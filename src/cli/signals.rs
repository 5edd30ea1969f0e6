//! [`Signals`]: SIGTERM, SIGINT and SIGHUP end a server in order; a second one ends it at once.
//!
//! They are heard on a thread of their own: it also ends the process when everything else waits.
//! As process 1 of a container there is no default action, so without this they would do nothing.

use std::io;
use std::process;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long an end in order may take: less than the two seconds of SECURITY.md. Clients and containers
/// kill some seconds later.
const PATIENCE: Duration = Duration::from_millis(1_900);
/// A process that is ended by signal `n` has the exit code 128 + `n`.
const BY_SIGNAL: i32 = 128;

/// What was heard so far.
#[derive(Debug)]
pub(super) struct Signals {
    stopping: CancellationToken,
}

impl Signals {
    /// Listens from here on: the signals no longer end the process by themselves.
    ///
    /// # Errors
    /// There is no thread or no handler to be had.
    pub(super) fn listen() -> io::Result<Self> {
        let stopping = CancellationToken::new();
        let (ready, is_ready) = mpsc::channel();
        let first = stopping.clone();
        let listener = move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            let heard = runtime.and_then(|runtime| {
                runtime.block_on(async {
                    let mut handlers = Handlers::new()?;
                    // Whoever asked has not gone: it waits for exactly this.
                    let _ = ready.send(Ok(()));
                    let number = handlers.next().await;
                    first.cancel();
                    let last = tokio::time::timeout(PATIENCE, handlers.next()).await;
                    Ok::<i32, io::Error>(last.unwrap_or(number))
                })
            });
            match heard {
                Ok(number) => end_now(number),
                Err(error) => drop(ready.send(Err(error))),
            }
        };
        thread::Builder::new().name("signals".into()).spawn(listener)?;
        is_ready.recv().map_err(io::Error::other)??;
        Ok(Self { stopping })
    }

    /// Cancelled by the first signal.
    pub(super) fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }
}

struct Handlers {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Handlers {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The number of the next signal.
    async fn next(&mut self) -> i32 {
        let kind = tokio::select! {
            biased;
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.hangup.recv() => SignalKind::hangup(),
        };
        kind.as_raw_value()
    }
}

#[expect(clippy::exit, reason = "the rest of the process may be stuck, and is not asked")]
fn end_now(number: i32) -> ! {
    process::exit(BY_SIGNAL + number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forced_end_comes_within_two_seconds() {
        // That it comes at all is shown with real processes; its time is this one constant.
        assert!(PATIENCE < Duration::from_secs(2));
    }
}
