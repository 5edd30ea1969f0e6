//! The one thread that uses the database: no other thread of this process waits for SQLite.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::StoreError;

/// How long a request to the database may take, in the queue or for a lock of another program: a
/// request that waited this long is refused without being tried.
pub(super) const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// How often the database is asked whether another process wrote to it, while somebody listens.
const POLL: Duration = Duration::from_millis(150);

/// Something to be done with the connection, or without one, and why.
pub(super) type Work = dyn FnOnce(Result<&Connection, StoreError>) + Send;

/// What is asked of the thread, in this order.
pub(super) enum Job {
    /// To be done with the connection.
    Work {
        /// When it was asked for.
        since: Instant,
        work: Box<Work>,
    },
    /// Somebody listens for changes from now on.
    Listen,
    /// Close the database.
    Close { done: oneshot::Sender<()> },
}

/// Does the jobs until one closes the database or nobody is left to ask.
pub(super) fn run(connection: Connection, jobs: &Receiver<Job>, changes: &Arc<watch::Sender<u64>>) {
    let mut seen = Seen::of(&connection);
    while let Some(job) = next(&connection, jobs, changes, &mut seen) {
        match job {
            Job::Work { since, work } => {
                let late = since.elapsed() >= BUSY_LIMIT;
                work(if late { Err(StoreError::Busy) } else { Ok(&connection) });
                seen.tell(&connection, changes);
            }
            Job::Listen => {}
            Job::Close { done } => {
                drop(connection);
                // Nobody waits for the answer any more: the database is closed all the same.
                let _ = done.send(());
                return;
            }
        }
    }
}

/// Waits for a job, and looks for changes by other processes while somebody listens for them.
fn next(
    connection: &Connection,
    jobs: &Receiver<Job>,
    changes: &watch::Sender<u64>,
    seen: &mut Seen,
) -> Option<Job> {
    while changes.receiver_count() > 0 {
        match jobs.recv_timeout(POLL) {
            Ok(job) => return Some(job),
            Err(RecvTimeoutError::Timeout) => seen.tell(connection, changes),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
    jobs.recv().ok()
}

/// What was last seen of the database.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    /// Changes with the commits of other connections.
    version: Option<i64>,
    /// Rows that this connection has changed.
    own: u64,
}

impl Seen {
    fn of(connection: &Connection) -> Self {
        let version = connection.query_row("PRAGMA data_version", [], |row| row.get(0));
        Self { version: version.ok(), own: connection.total_changes() }
    }

    /// Wakes those who listen if something has changed.
    fn tell(&mut self, connection: &Connection, changes: &watch::Sender<u64>) {
        let now = Self::of(connection);
        if now != *self {
            *self = now;
            changes.send_modify(|count| *count = count.wrapping_add(1));
        }
    }
}
