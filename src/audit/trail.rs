//! [`Trail`], an intent that still wants its result, and [`Closed`], the proof that it got one.

use super::event::{Event, Kind};
use super::log::{AuditError, AuditLog, Durability, Entry};

/// A recorded intent. Dropped without [`Trail::close`] it leaves `aborted` in the log.
#[derive(Debug)]
#[must_use = "a trail is closed with what came of the call"]
pub(crate) struct Trail {
    log: AuditLog,
    event: Event,
    durability: Durability,
    /// `seq` of the intent; none before it is written and after it is closed.
    open: Option<u64>,
    seq: u64,
}

impl Trail {
    /// A trail that is not in the log yet.
    pub(super) fn new(log: AuditLog, event: Event, durability: Durability) -> Self {
        Self { log, event, durability, open: None, seq: 0 }
    }

    /// The intent is written: from here on it must be closed.
    pub(super) fn arm(&mut self, seq: u64) {
        self.seq = seq;
        self.open = Some(seq);
    }

    /// The record of the intent itself.
    pub(super) fn entry(&self) -> Entry {
        let (event, durability) = (self.event.clone(), self.durability);
        Entry { kind: Kind::Intent, intent: None, event, durability }
    }

    /// `seq` of the intent.
    #[cfg(test)]
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// Records `result`, as durably as the intent, under the call, tool and resource of the intent
    /// where it names none itself.
    pub(crate) async fn close(mut self, result: Event) -> Closed {
        let event = self.continued(result);
        // From here to the queue nothing awaits: dropping this future cannot lose both records.
        let intent = self.open.take();
        let entry = Entry { kind: Kind::Result, intent, event, durability: self.durability };
        Closed::by(&self.log.append(entry).await)
    }

    fn continued(&mut self, later: Event) -> Event {
        let intent = std::mem::take(&mut self.event);
        Event {
            call: later.call.or(intent.call),
            parent: later.parent.or(intent.parent),
            tool: later.tool.or(intent.tool),
            action: later.action.or(intent.action),
            resource: later.resource.or(intent.resource),
            ..later
        }
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        if let Some(seq) = self.open.take() {
            let event = self.continued(Event::default());
            let (intent, durability) = (Some(seq), self.durability);
            self.log.enqueue(Entry { kind: Kind::Aborted, intent, event, durability });
        }
    }
}

/// Says whether the answer to a call is in the log. No reply can be made without one.
#[derive(Debug)]
#[must_use = "a reply is made of it"]
pub struct Closed {
    recorded: bool,
}

impl Closed {
    /// As a record turned out.
    pub(super) fn by(written: &Result<u64, AuditError>) -> Self {
        Self { recorded: written.is_ok() }
    }

    /// Whether the answer is in the log; if not, it must not be given.
    pub fn is_recorded(&self) -> bool {
        self.recorded
    }
}
