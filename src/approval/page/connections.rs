//! [`ConnectionLimit`]: a bound on the connections to the page, and on the time of each. Any program
//! of the machine can open one, and each costs this process a file.
//!
//! A connection beyond the bound takes the place of the oldest one that has no whole request: who
//! holds connections open, or begins requests and does not end them, keeps nobody from the page.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::Sleep;

/// A browser opens six at most.
const MAX_CONNECTIONS: usize = 32;
/// A page is read and a form is sent in less.
const MAX_AGE: Duration = Duration::from_secs(30);

/// The listeners of the page, IPv4 and IPv6, and the connections that are open.
pub(super) struct ConnectionLimit {
    ipv4: TcpListener,
    ipv6: Option<TcpListener>,
    open: Arc<Mutex<Open>>,
}

impl ConnectionLimit {
    pub(super) fn new(ipv4: TcpListener, ipv6: Option<TcpListener>) -> Self {
        Self { ipv4, ipv6, open: Arc::default() }
    }
}

impl Listener for ConnectionLimit {
    type Io = TimedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TimedStream, SocketAddr) {
        // The one before is read first: a request that is there already counts before others come.
        tokio::task::yield_now().await;
        let (stream, address) = match &mut self.ipv6 {
            None => Listener::accept(&mut self.ipv4).await,
            Some(ipv6) => tokio::select! {
                accepted = Listener::accept(&mut self.ipv4) => accepted,
                accepted = Listener::accept(ipv6) => accepted,
            },
        };
        let (number, closed) = lock(&self.open).admit();
        let ends = Box::pin(tokio::time::sleep(MAX_AGE));
        (TimedStream { stream, ends, closed, number, open: Arc::clone(&self.open) }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.ipv4.local_addr()
    }
}

/// The connections that are open: oldest first, and behind them those that a request came from or an
/// answer went to, the last one at the end.
#[derive(Debug, Default)]
struct Open {
    connections: Vec<Connection>,
    next: u64,
}

#[derive(Debug)]
struct Connection {
    number: u64,
    /// A whole request has come, and no answer has gone yet.
    busy: bool,
    /// Dropping it closes the connection.
    _keep: oneshot::Sender<()>,
}

impl Open {
    /// Makes room for one more, and names it.
    fn admit(&mut self) -> (u64, oneshot::Receiver<()>) {
        if self.connections.len() >= MAX_CONNECTIONS {
            let idle = self.connections.iter().position(|one| !one.busy);
            self.connections.remove(idle.unwrap_or(0));
        }
        let (keep, closed) = oneshot::channel();
        let number = self.next;
        self.next += 1;
        self.connections.push(Connection { number, busy: false, _keep: keep });
        (number, closed)
    }

    /// Notes that a whole request came from a connection, or that an answer goes out to it.
    fn note(&mut self, number: u64, busy: bool) {
        let Some(at) = self.connections.iter().position(|one| one.number == number) else { return };
        let mut connection = self.connections.remove(at);
        connection.busy = busy;
        self.connections.push(connection);
    }

    fn forget(&mut self, number: u64) {
        self.connections.retain(|one| one.number != number);
    }
}

fn lock(open: &Mutex<Open>) -> std::sync::MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The connection that a request came through.
#[derive(Debug, Clone)]
pub(super) struct RequestConnection {
    number: u64,
    open: Arc<Mutex<Open>>,
}

impl RequestConnection {
    /// Notes that the request is here to its end: the connection keeps its place for the answer.
    pub(super) fn has_request(&self) {
        lock(&self.open).note(self.number, true);
    }
}

impl Connected<IncomingStream<'_, ConnectionLimit>> for RequestConnection {
    fn connect_info(stream: IncomingStream<'_, ConnectionLimit>) -> Self {
        let stream = stream.io();
        Self { number: stream.number, open: Arc::clone(&stream.open) }
    }
}

/// A connection that ends by itself, or when another one needs its place.
pub(super) struct TimedStream {
    stream: TcpStream,
    ends: Pin<Box<Sleep>>,
    closed: oneshot::Receiver<()>,
    number: u64,
    open: Arc<Mutex<Open>>,
}

impl TimedStream {
    /// An error once the time is over or the place is needed.
    fn over(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.ends.as_mut().poll(context).is_ready() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match Pin::new(&mut self.closed).poll(context) {
            Poll::Ready(_) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl Drop for TimedStream {
    fn drop(&mut self) {
        lock(&self.open).forget(self.number);
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.over(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.over(context)?;
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_ready() {
            lock(&self.open).note(self.number, false);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_idle_connection_makes_room() {
        let mut open = Open::default();
        let mut kept: Vec<_> = (0..MAX_CONNECTIONS).map(|_| open.admit()).collect();
        open.note(0, true);
        open.note(1, false);
        let (_, newest) = open.admit();
        kept.push((99, newest));
        let closed: Vec<u64> = kept
            .iter_mut()
            .filter_map(|(number, closed)| {
                (closed.try_recv() == Err(oneshot::error::TryRecvError::Closed)).then_some(*number)
            })
            .collect();
        // Not 0, whose request is being answered, and not 1, which was answered just now.
        assert_eq!(closed, [2]);
        assert_eq!(open.connections.len(), MAX_CONNECTIONS);
    }

    #[test]
    fn a_busy_connection_makes_room_only_where_all_are() {
        let mut open = Open::default();
        let mut kept: Vec<_> = (0..MAX_CONNECTIONS).map(|_| open.admit().1).collect();
        (0..MAX_CONNECTIONS).for_each(|number| open.note(number as u64, true));
        open.admit();
        assert_eq!(kept[0].try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert_eq!(kept[1].try_recv(), Err(oneshot::error::TryRecvError::Empty));
        open.forget(5);
        assert_eq!(open.connections.len(), MAX_CONNECTIONS - 1);
    }
}
