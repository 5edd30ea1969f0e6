//! The transport: what rmcp reads was judged line by line, what it writes was scrubbed.
//!
//! Implemented as a transport of rmcp and not as pipes before it, since only here is known when
//! rmcp asks for the next message and which reply it sends.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, JsonRpcMessage, RequestId, ServerJsonRpcMessage, ServerNotification,
};
use rmcp::transport::Transport;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::line::{Line, Lines};
use super::message::{Judged, Reason, Refusal, judge};
use super::session::{Admitted, Session};
use crate::scrub::Scrubber;

/// How many lines may wait for a client that does not read. Who sends more waits with them.
const WAITING: usize = 16;

/// Where a disclosed value stands in a reply.
pub(crate) const DISCLOSED: &str = "/result/structuredContent/Result/SecretData";

/// One line to write, with its newline. A reply may hold a disclosed value.
type Outgoing = Zeroizing<Vec<u8>>;

/// Stands between a client and rmcp: serve the [`Guarded`], and once rmcp has ended wait for
/// [`Pump::finished`]. `blocked` is told the JSON pointers where a secret was removed. Once
/// `stopping` is cancelled, nothing more is read, as if the client had closed its side.
///
/// Must be called inside a tokio runtime.
pub(crate) fn guard<R, W>(
    input: R,
    output: W,
    scrubber: Scrubber,
    blocked: impl Fn(&[String]) + Send + Sync + 'static,
    stopping: CancellationToken,
) -> (Guarded<R>, Exemptions, Pump)
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let (queue, lines) = mpsc::channel(WAITING);
    let exemptions = Exemptions::default();
    let guarded = Guarded {
        lines: Lines::new(input),
        session: Session::default(),
        refusal: None,
        queue: Some(queue),
        exemptions: exemptions.clone(),
        net: Arc::new(Net { scrubber, blocked: Box::new(blocked) }),
        stopping,
    };
    (guarded, exemptions, Pump(tokio::spawn(pump(lines, output))))
}

/// Which replies may hold a known secret, and which one where: registered before the reply is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exemptions(Arc<Mutex<HashMap<RequestId, Exemption>>>);

/// A value whose disclosure was approved.
#[derive(Debug)]
struct Exemption {
    /// Where it stands, from the root of the message.
    pointer: &'static str,
    /// Its SHA-256: a reply to the same id with another text there is another reply.
    digest: [u8; 32],
}

impl Exemption {
    /// The pointer, if the approved value stands there in `message`.
    fn holds(&self, message: &Value) -> Option<&'static str> {
        let text = message.pointer(self.pointer)?.as_str()?;
        (digest(text) == self.digest).then_some(self.pointer)
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

impl Exemptions {
    /// Lets the reply to `request` hold `value`, even if it is a known secret, at `pointer`, counted
    /// from the root of the message: `/result/structuredContent/…`.
    pub(crate) fn exempt(&self, request: RequestId, pointer: &'static str, value: &str) {
        let exemption = Exemption { pointer, digest: digest(value) };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(request, exemption);
    }

    fn take(&self, request: &RequestId) -> Option<Exemption> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(request)
    }
}

/// The task that writes, one whole line after the other.
#[derive(Debug)]
pub(crate) struct Pump(JoinHandle<io::Result<()>>);

impl Pump {
    /// Waits until all that was sent is written and flushed. Never ends before the [`Guarded`] is
    /// closed or dropped, nor while a client neither reads nor goes away.
    ///
    /// # Errors
    ///
    /// The output could not be written, usually because the client went away. Reading ended then.
    pub(crate) async fn finished(self) -> io::Result<()> {
        self.0.await.map_err(io::Error::other)?
    }
}

async fn pump<W: AsyncWrite + Unpin>(
    mut lines: mpsc::Receiver<Outgoing>,
    mut output: W,
) -> io::Result<()> {
    while let Some(line) = lines.recv().await {
        output.write_all(&line).await?;
        output.flush().await?;
    }
    output.shutdown().await
}

/// Is told the JSON pointers where a secret was removed.
type Blocked = dyn Fn(&[String]) + Send + Sync;

/// The last look at a message before it is a line.
struct Net {
    scrubber: Scrubber,
    blocked: Box<Blocked>,
}

impl Net {
    fn line(&self, mut message: Value, exemption: Option<&Exemption>) -> Outgoing {
        let exempt = exemption.and_then(|exemption| exemption.holds(&message));
        let found = self.scrubber.json(&mut message, exempt);
        if !found.is_empty() {
            (self.blocked)(&found);
        }
        // The text of a `Value` has no raw newlines, and writing one cannot fail.
        Zeroizing::new(format!("{message}\n").into_bytes())
    }
}

/// The transport to serve.
pub(crate) struct Guarded<R> {
    lines: Lines<R>,
    session: Session,
    /// Not yet in the queue: `receive` may be cancelled while it waits for room.
    refusal: Option<Refusal>,
    /// `None` once closed.
    queue: Option<mpsc::Sender<Outgoing>>,
    exemptions: Exemptions,
    net: Arc<Net>,
    stopping: CancellationToken,
}

impl<R> fmt::Debug for Guarded<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").finish_non_exhaustive()
    }
}

impl<R: AsyncRead + Send + Unpin> Guarded<R> {
    /// The next message for rmcp, a refusal to answer with, or `None` at the end of the input.
    async fn next(&mut self) -> Option<Result<ClientJsonRpcMessage, Refusal>> {
        loop {
            let judged = match self.lines.next().await {
                Line::Whole(line) => judge(line),
                Line::TooLong => {
                    return Some(Err(Refusal::new(Reason::TooLong, Value::Null)));
                }
                Line::End => return None,
            };
            match judged {
                Judged::Nothing => {}
                Judged::Refused(refusal) => return Some(Err(refusal)),
                Judged::Message(mut message, weight) => {
                    match self.session.admit(&mut message, weight) {
                        Admitted::Pass => return Some(Ok(*message)),
                        Admitted::Drop => {}
                        Admitted::Refuse(reason) => {
                            return Some(Err(Refusal::new(reason, refused_id(reason, &message))));
                        }
                    }
                }
            }
        }
    }
}

impl<R> Guarded<R> {
    /// Deals with a progress notification, here and now; `false`: it is none. One that had to wait
    /// for room could come after the reply, so it is dropped then: a client that does not read
    /// needs no progress.
    fn progress(
        &self,
        item: &ServerJsonRpcMessage,
        queue: Option<&mpsc::Sender<Outgoing>>,
    ) -> bool {
        let JsonRpcMessage::Notification(notification) = item else { return false };
        let ServerNotification::ProgressNotification(progress) = &notification.notification else {
            return false;
        };
        if self.session.awaits(&progress.params.progress_token)
            && let (Some(queue), Ok(message)) = (queue, serde_json::to_value(item))
        {
            let _ = queue.try_send(self.net.line(message, None));
        }
        true
    }
}

/// An id that is in use belongs to the request that has it: an error with it would be taken for
/// the reply to that one.
fn refused_id(reason: Reason, message: &ClientJsonRpcMessage) -> Value {
    if reason != Reason::IdInUse
        && let ClientJsonRpcMessage::Request(request) = message
    {
        return request.id.clone().into_json_value();
    }
    Value::Null
}

impl<R: AsyncRead + Send + Unpin> Transport<RoleServer> for Guarded<R> {
    type Error = io::Error;

    fn name() -> Cow<'static, str> {
        "stdio".into()
    }

    fn send(
        &mut self,
        item: ServerJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let (exempt, held) = match self.session.sends(&item) {
            Some(reply) => (self.exemptions.take(&reply.to), reply.held),
            None => (None, None),
        };
        let net = Arc::clone(&self.net);
        let queue = self.queue.clone();
        let progress = self.progress(&item, queue.as_ref());
        async move {
            if progress {
                return Ok(());
            }
            let line = net.line(serde_json::to_value(&item)?, exempt.as_ref());
            let queue = queue.ok_or(io::ErrorKind::NotConnected)?;
            let sent = queue.send(line).await;
            // Only now has the request an answer: one that nobody reads takes room as well.
            drop(held);
            sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        self.session.reads_on();
        // Of this only the queue is shared with what may be cancelled below.
        let (queue, stopping) = (self.queue.clone()?, self.stopping.clone());
        loop {
            if let Some(refusal) = &self.refusal {
                let room = tokio::select! {
                    room = queue.reserve() => room.ok()?,
                    () = stopping.cancelled() => return None,
                };
                room.send(self.net.line(refusal.response(), None));
                self.refusal = None;
            }
            let next = tokio::select! {
                biased;
                // Nobody reads our answers: no more requests are taken.
                () = queue.closed() => return None,
                () = stopping.cancelled() => return None,
                next = self.next() => next?,
            };
            match next {
                Ok(message) => return Some(message),
                Err(refusal) => self.refusal = Some(refusal),
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.queue = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
