//! [`Ledger`]: our log against ActionTrail, call by call, joined on RequestId, action and secret.
//!
//! Our log cannot show what went past it. The cloud's can: a call that ActionTrail has and our log
//! has not was made by something else, or was taken out of the log.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::actiontrail::CloudEvent;
use super::proven::Proven;
use super::query::{Filter, Row, secret_name};

/// What every request of an agent skill says of itself, ours among them.
const MARKER: &str = "AlibabaCloud-Agent-Skills";
/// How far the clocks of a server and of the cloud may be apart.
const SLACK: SignedDuration = SignedDuration::from_secs(120);

/// One of our calls that reached KMS, or may have.
#[derive(Debug, Clone)]
pub(crate) struct Ours {
    pub(crate) time: Timestamp,
    pub(crate) call: String,
    pub(crate) action: String,
    pub(crate) secret: Option<String>,
    /// None if the answer never came.
    pub(crate) request_id: Option<String>,
    /// The file that says so.
    pub(crate) file: String,
    /// Whether the verifier vouches for its records.
    proven: bool,
    /// Within the window that was asked for.
    due: bool,
    matched: bool,
}

impl Ours {
    /// Whether it is the action of that event.
    pub(crate) fn is_action_of(&self, event: &CloudEvent) -> bool {
        self.action.eq_ignore_ascii_case(&event.action)
    }

    /// Whether an event with its RequestId is the same call. A secret that one of the two does not
    /// name differs from none: not every event names what it is about.
    fn is(&self, event: &CloudEvent) -> bool {
        let same = |(own, theirs): (&str, &str)| {
            theirs.split(';').any(|theirs| secret_name(theirs.trim()) == own)
        };
        self.is_action_of(event)
            && self.secret.as_deref().zip(event.secret.as_deref()).is_none_or(same)
    }
}

/// Why a call of theirs is not one of ours. The most alarming first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stray {
    /// It has our User-Agent: made by a server whose log is missing, or taken out of the log.
    Marked,
    /// Our log has its RequestId for another action or another secret.
    Differs,
    /// Made by something else.
    Other,
}

/// What the two logs say of each other.
#[derive(Debug, Default)]
pub(crate) struct Reconciled {
    /// Calls of theirs that our log has not, and the call of ours that may be the same one.
    pub(crate) theirs: Vec<(Stray, CloudEvent, Option<Ours>)>,
    /// Calls of ours that ActionTrail has not.
    pub(crate) ours: Vec<Ours>,
    pub(crate) matched: u64,
    /// Those of the matched that only a record tells of which anybody can have written.
    pub(crate) unproven: Vec<(CloudEvent, Ours)>,
    /// Requests that our log counts and names no RequestId of: earlier tries of calls.
    pub(crate) earlier_tries: i64,
    /// Events outside the window.
    pub(crate) outside: u64,
}

/// Our side.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    calls: Vec<Ours>,
    by_request: HashMap<String, usize>,
    earlier_tries: i64,
}

impl Ledger {
    /// Takes a row of the log.
    pub(crate) fn add(&mut self, row: &Row, filter: &Filter, proven: &Proven) {
        let request_id = row.text("upstream.request_id").map(str::to_owned);
        // A row without a request, such as a refusal, is none of theirs.
        if row.event() != "intent" && request_id.is_none() {
            return;
        }
        // Nothing was sent: no connection came about, or no request.
        let unsent = matches!(row.text("code"), Some("NotConnected" | "NotSent"));
        if request_id.is_none() && unsent {
            return;
        }
        // Ours at the edge of the window are joined too: the two clocks need not agree.
        let due = filter.in_time(row.time());
        let tries = row.integer("upstream.attempts").filter(|_| due).unwrap_or(1);
        self.earlier_tries = self.earlier_tries.saturating_add(tries.clamp(1, 100) - 1);
        let proven = proven.has(row);
        if let Some(id) = &request_id {
            let (id, call) = (id.to_uppercase(), self.calls.len());
            let known = self.by_request.get(&id).and_then(|at| self.calls.get(*at));
            // What is proven is not put aside for what is not.
            if proven || known.is_none_or(|known| !known.proven) {
                self.by_request.insert(id, call);
            }
        }
        let file = row.lines().last().map(|line| line.place().file.to_string());
        self.calls.push(Ours {
            time: row.time(),
            call: row.call().unwrap_or_default(),
            action: row.text("action").unwrap_or_default().to_owned(),
            secret: row.secret().map(str::to_owned),
            request_id,
            file: file.unwrap_or_default(),
            proven,
            due,
            matched: false,
        });
    }

    /// Compares with what the cloud saw, within the window of the filter. Without one there is
    /// none: that of the log would hide the calls of a chain that was removed.
    pub(crate) fn against(mut self, events: Vec<CloudEvent>, filter: &Filter) -> Reconciled {
        let mut found = Reconciled { earlier_tries: self.earlier_tries, ..Reconciled::default() };
        for event in events {
            let id = event.request_id.as_deref().map(str::to_uppercase);
            let own = id.and_then(|id| self.by_request.get(&id).copied());
            if let Some(own) = own.and_then(|at| self.calls.get_mut(at)) {
                own.matched = true;
                if own.is(&event) {
                    found.matched += 1;
                    if !own.proven {
                        found.unproven.push((event, own.clone()));
                    }
                } else {
                    let own = own.clone();
                    found.theirs.push((Stray::Differs, event, Some(own)));
                }
            } else if event.time.is_some_and(|time| !filter.in_time(time)) {
                found.outside += 1;
            } else {
                let stray = if is_marked(&event) { Stray::Marked } else { Stray::Other };
                let perhaps = self.perhaps(&event).filter(|_| stray == Stray::Marked);
                found.theirs.push((stray, event, perhaps));
            }
        }
        found.theirs.sort_by_key(|(stray, event, _)| (*stray, event.time));
        found.ours = self.calls.into_iter().filter(|own| own.due && !own.matched).collect();
        found
    }

    /// A call of ours whose answer never came and that may be this one.
    fn perhaps(&self, event: &CloudEvent) -> Option<Ours> {
        let time = event.time?;
        let near = |own: &&Ours| {
            own.request_id.is_none()
                && own.action.eq_ignore_ascii_case(&event.action)
                && time.duration_since(own.time).abs() <= SLACK
        };
        self.calls.iter().find(near).cloned()
    }
}

fn is_marked(event: &CloudEvent) -> bool {
    event.user_agent.as_deref().is_some_and(|agent| agent.contains(MARKER))
}
