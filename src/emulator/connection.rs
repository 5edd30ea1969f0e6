//! Connections that can be aborted: by a fault, as a broken network would, or to make room.
//!
//! Any program of the machine can open connections, and each costs this process a descriptor. Of
//! more than [`MAX_CONNECTIONS`] the one that was silent longest is closed.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// How many connections are open at a time.
const MAX_CONNECTIONS: usize = 256;

/// Aborts one connection: nothing more is read or written, and it is closed without an answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct AbortHandle(CancellationToken);

impl AbortHandle {
    /// Lets nothing more leave.
    pub(crate) fn abort(&self) {
        self.0.cancel();
    }

    fn check(&self) -> io::Result<()> {
        if self.0.is_cancelled() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

/// The open connections, each with the number of its last use.
#[derive(Debug, Default)]
struct Open {
    uses: u64,
    connections: HashMap<u64, (u64, AbortHandle)>,
}

impl Open {
    fn next_use(&mut self) -> u64 {
        self.uses += 1;
        self.uses
    }

    /// Takes in a connection, and aborts the one that was silent longest if there are too many.
    fn admit(&mut self, handle: AbortHandle) -> u64 {
        if self.connections.len() >= MAX_CONNECTIONS
            && let Some((silent, _)) = self.connections.iter().min_by_key(|(_, (used, _))| *used)
            && let Some((_, handle)) = self.connections.remove(&silent.clone())
        {
            handle.abort();
        }
        let id = self.next_use();
        self.connections.insert(id, (id, handle));
        id
    }

    fn used(&mut self, id: u64) {
        let now = self.next_use();
        if let Some((used, _)) = self.connections.get_mut(&id) {
            *used = now;
        }
    }
}

type Shared = Arc<Mutex<Open>>;

fn lock(open: &Shared) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Accepts connections that can be aborted.
#[derive(Debug)]
pub(crate) struct AbortableListener {
    listener: TcpListener,
    open: Shared,
}

impl AbortableListener {
    pub(crate) fn new(listener: TcpListener) -> Self {
        Self { listener, open: Shared::default() }
    }
}

impl Listener for AbortableListener {
    type Io = Connection;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Connection, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Answers are small and their readers wait.
        let _ = stream.set_nodelay(true);
        let handle = AbortHandle::default();
        let id = lock(&self.open).admit(handle.clone());
        let aborted = Box::pin(handle.0.clone().cancelled_owned());
        (Connection { stream, handle, aborted, id, open: Arc::clone(&self.open) }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, AbortableListener>> for AbortHandle {
    fn connect_info(stream: IncomingStream<'_, AbortableListener>) -> Self {
        stream.io().handle.clone()
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    handle: AbortHandle,
    aborted: Pin<Box<WaitForCancellationFutureOwned>>,
    id: u64,
    open: Shared,
}

impl Drop for Connection {
    fn drop(&mut self) {
        lock(&self.open).connections.remove(&self.id);
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.aborted.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if read.is_ready() {
            lock(&self.open).used(self.id);
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.handle.check()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_that_was_silent_longest_makes_room() {
        let mut open = Open::default();
        let handles: Vec<AbortHandle> =
            (0..MAX_CONNECTIONS).map(|_| AbortHandle::default()).collect();
        let ids: Vec<u64> = handles.iter().map(|handle| open.admit(handle.clone())).collect();
        open.used(ids[0]);
        open.admit(AbortHandle::default());
        let aborted: Vec<usize> =
            (0..MAX_CONNECTIONS).filter(|index| handles[*index].check().is_err()).collect();
        assert_eq!(aborted, [1]);
        assert_eq!(open.connections.len(), MAX_CONNECTIONS);
    }
}
