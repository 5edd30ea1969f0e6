//! [`Channel`]: somewhere a person can be asked; and the one way in which an answer is recorded.

use std::path::Path;

use super::pin::{PinError, SigningKey, first_pin, unlock};
use super::row::record_of;
use super::signing::Signing;
use crate::audit::{self, AuditLog, Durability, Kind};
use crate::clock::Clock;
use crate::factor::{PinFile, Statement, path_in};
use crate::guard::approval::Record;
use crate::guard::usable_until_ms;
use crate::hex;
use crate::operation::Destination;
use crate::sensitive::Sensitive;
use crate::store::{Decision, Method, Pending, Store, StoreError};

/// What the person said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Yes, to exactly this.
    Approve,
    /// No.
    Deny,
    /// Nothing yet: the question stays open.
    Later,
}

/// A place where a person is asked.
pub(crate) trait Channel {
    /// How the decision came about, for the audit log.
    fn method(&self) -> Method;
    /// Who decided, as far as the channel can tell.
    fn who(&self) -> String;
    /// Shows the records, and what signs the decision, and takes one answer for all.
    fn ask(&mut self, records: &[Record], signing: &Signing) -> std::io::Result<Answer>;
    /// Takes the PIN. `None`: the person gives up, and nothing is decided.
    fn pin(&mut self) -> std::io::Result<Option<Sensitive>>;
    /// Takes a first PIN, where nobody but the person can be the one who chooses it.
    fn new_pin(&mut self) -> std::io::Result<NewPin> {
        Ok(NewPin::NotHere)
    }
    /// Whether it can also show the value that is asked for, to the very person who agrees.
    fn shows_value_of(&self, _: &Record) -> bool {
        false
    }
}

/// A first PIN, as far as it came.
#[derive(Debug)]
pub(crate) enum NewPin {
    /// The person chose it.
    Chosen(Sensitive),
    /// The person gave up, and nothing is decided.
    GivenUp,
    /// No PIN is set this way.
    NotHere,
}

/// Why a question could not be decided. Nothing was changed, unless it says so.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecideError {
    #[error(
        "the question in the store is not the one that was asked: another program changed its row or its record; nothing was decided"
    )]
    Altered,
    #[error("no PIN is set, and one is set in a terminal only: run `kms-mcp approve` there")]
    NoPin,
    #[error("the record was written by another version of kms-mcp")]
    Unreadable,
    #[error("the question is not open any more")]
    Closed,
    #[error("{0} of the questions are not open any more; the others were decided")]
    SomeClosed(usize),
    #[error("the audit log cannot be written, so nothing was decided")]
    Audit,
    #[error("the terminal failed")]
    Terminal(#[from] std::io::Error),
    #[error("{0}. Your PIN is set all the same: use it from now on")]
    AfterFirstPin(Box<DecideError>),
    #[error(transparent)]
    Pin(#[from] PinError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "the value would be shown to you on the approval page, so you approve it there: ApproveAt in the agent's answer"
    )]
    NotHere,
}

/// What it takes to record a decision.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) store: &'a Store,
    pub(crate) audit: &'a AuditLog,
    pub(crate) clock: &'a Clock,
    /// The PIN, if one is set.
    pub(crate) pin: Option<PinFile>,
    /// The state folder, where the first one is put.
    pub(crate) state: &'a Path,
}

impl Desk<'_> {
    /// Asks through `channel` and records the answer, signed if a PIN is set: one answer for a
    /// listed set, and a decision for each record in it. A first yes sets a PIN, unless the server
    /// that asked takes an unsigned one.
    pub(crate) async fn decide<C: Channel + ?Sized>(
        &self,
        channel: &mut C,
        pending: &[Pending],
    ) -> Result<Answer, DecideError> {
        let records = pending.iter().map(record_of).collect::<Result<Vec<_>, _>>()?;
        let signing = Signing::of(&records, self.pin.as_ref(), self.state, self.clock);
        let answer = channel.ask(&records, &signing)?;
        if answer == Answer::Later {
            return Ok(answer);
        }
        let hidden = |record: &Record| {
            record.destination.as_deref() == Some(Destination::Person.name())
                && !channel.shows_value_of(record)
        };
        if answer == Answer::Approve && records.iter().any(hidden) {
            return Err(DecideError::NotHere);
        }
        let mut pin_is_new = false;
        let key = match (&self.pin, answer, signing) {
            (Some(file), ..) => {
                let Some(pin) = channel.pin()? else { return Ok(Answer::Later) };
                Some(unlock(pin, file, self.store, self.audit, self.clock).await?)
            }
            (None, Answer::Approve, Signing::NewPin) => match channel.new_pin()? {
                NewPin::Chosen(pin) => {
                    // It may have been decided elsewhere, or expired, while the PIN was typed.
                    if !self.any_waits(pending).await? {
                        return Err(DecideError::Closed);
                    }
                    let key = first_pin(pin, &path_in(self.state), self.audit).await?;
                    pin_is_new = true;
                    Some(key)
                }
                NewPin::GivenUp => return Ok(Answer::Later),
                NewPin::NotHere => return Err(DecideError::NoPin),
            },
            // A no needs no proof: it sends nothing.
            (None, ..) => None,
        };
        let recorded = self.record(channel, pending, &records, answer, key.as_ref()).await;
        recorded.map(|()| answer).map_err(|error| {
            if pin_is_new { DecideError::AfterFirstPin(Box::new(error)) } else { error }
        })
    }

    /// Whether one of them is still to be decided.
    async fn any_waits(&self, pending: &[Pending]) -> Result<bool, StoreError> {
        for one in pending {
            if self.store.waits(one.token_hash, self.clock.now_ms()).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Records the answer for each of them that still waits, and then it counts.
    async fn record<C: Channel + ?Sized>(
        &self,
        channel: &C,
        pending: &[Pending],
        records: &[Record],
        answer: Answer,
        key: Option<&SigningKey>,
    ) -> Result<(), DecideError> {
        let mut closed = 0;
        for (pending, record) in pending.iter().zip(records) {
            let now = self.clock.now();
            let mut decision = Decision {
                approve: answer == Answer::Approve,
                method: channel.method(),
                who: channel.who(),
                at_ms: now.as_millisecond(),
                usable_until_ms: usable_until_ms(now),
                signature: None,
            };
            decision.signature = key.map(|key| key.sign(&statement(pending, &decision)));
            let kind = if decision.approve { Kind::Approved } else { Kind::Denied };
            let event = event(record, pending, &decision);
            // What was decided elsewhere, or is too old, is not decided again, nor put on record.
            if !self.store.waits(pending.token_hash, decision.at_ms).await? {
                closed += 1;
                continue;
            }
            let late = event.clone();
            let recorded = self.audit.record(kind, event, Durability::Synced).await;
            recorded.map_err(|_| DecideError::Audit)?;
            let (hash, digest) = (pending.token_hash, pending.digest);
            let decided = self.store.decide(hash, digest, decision).await;
            if !matches!(decided, Ok(true)) {
                // Another was faster, by less than it takes to write that down; or the store failed.
                let outcome = if decided.is_ok() { "late" } else { "failed" };
                let late = audit::Event { outcome: Some(outcome.into()), ..late };
                let recorded = self.audit.record(Kind::Aborted, late, Durability::Synced).await;
                recorded.map_err(|_| DecideError::Audit)?;
            }
            if !decided? {
                closed += 1;
            }
        }
        match closed {
            0 => Ok(()),
            all if all == pending.len() => Err(DecideError::Closed),
            some => Err(DecideError::SomeClosed(some)),
        }
    }
}

fn statement<'a>(pending: &'a Pending, decision: &'a Decision) -> Statement<'a> {
    Statement {
        approve: decision.approve,
        digest: &pending.digest,
        token_hash: &pending.token_hash,
        decided_ms: decision.at_ms,
        method: decision.method.name(),
        who: &decision.who,
    }
}

fn event(record: &Record, pending: &Pending, decision: &Decision) -> audit::Event {
    audit::Event {
        tool: Some(record.tool.clone()),
        action: Some(record.tool.clone()),
        risk: Some(record.risk.clone()),
        level: Some(record.level.clone()),
        rule: Some(record.rule.clone()),
        resource: Some(audit::Resource {
            name: Some(record.resource.clone()),
            version: record.witness.as_ref().and_then(|seen| seen.version_id.clone()),
            kind: record.witness.as_ref().and_then(|seen| seen.secret_type.clone()),
        }),
        destination: record.destination.clone(),
        policy_digest: Some(record.policy_digest.clone()),
        client: Some(record.client.clone()),
        approval: Some(audit::Approval {
            token_id: Some(hex::encode(pending.token_hash.get(..6).unwrap_or_default())),
            record_digest: Some(hex::encode(&pending.digest)),
            method: Some(decision.method.name().into()),
            who: Some(decision.who.clone()),
            latency_ms: Some(decision.at_ms - pending.created_ms),
            signature: decision.signature.as_deref().map(hex::encode),
            factor: Some(if decision.signature.is_some() { "pin" } else { "none" }.into()),
            ..audit::Approval::default()
        }),
        ..audit::Event::default()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rusqlite::Connection;

    use super::*;
    use crate::approval::terminal::tests::record;
    use crate::clock::to_seconds;
    use crate::store::Room;

    /// A person who says yes and chooses a PIN; the question ends when they are named.
    struct TooLate<'a>(&'a Path);

    impl Channel for TooLate<'_> {
        fn method(&self) -> Method {
            Method::Terminal
        }

        fn who(&self) -> String {
            let store = Connection::open(self.0.join("store.sqlite")).unwrap();
            store.execute("UPDATE approvals SET expires_ms = 0", []).unwrap();
            "somebody".into()
        }

        fn ask(&mut self, _: &[Record], _: &Signing) -> std::io::Result<Answer> {
            Ok(Answer::Approve)
        }

        fn pin(&mut self) -> std::io::Result<Option<Sensitive>> {
            Ok(None)
        }

        fn new_pin(&mut self) -> std::io::Result<NewPin> {
            Ok(NewPin::Chosen(Sensitive::new("four horses".into())))
        }
    }

    #[tokio::test]
    async fn a_question_that_ends_while_the_pin_is_set_says_that_it_is_set() {
        let folder = tempfile::tempdir().unwrap();
        let (state, clock) = (folder.path(), Clock::system());
        let store = Store::open(state).unwrap();
        let keeping = audit::Keeping::new(audit::AuditKey::of(state).unwrap());
        let (log, start) = (state.join("audit"), audit::Event::default());
        let audit = AuditLog::open(&log, clock.clone(), "i-1", start, keeping).unwrap();
        let created_ms = clock.now_ms() / 1000 * 1000;
        let expires_ms = created_ms + 600_000;
        let at = |ms: i64| to_seconds(Timestamp::from_millisecond(ms).unwrap()).into();
        let (record, _) = record(&[("asked_at", at(created_ms)), ("expires_at", at(expires_ms))]);
        let pending = Pending {
            token_hash: [1; 32],
            digest: record.digest(),
            record: record.bytes(),
            about: [2; 32],
            match_code: record.match_code.clone(),
            level: record.level.clone(),
            instance: record.instance.clone(),
            created_ms,
            expires_ms,
        };
        let room = Room { pending: 1, questions: 1, since_ms: 0 };
        store.ask(pending.clone(), room).await.unwrap();
        let pin = None;
        let desk = Desk { store: &store, audit: &audit, clock: &clock, pin, state };
        let decided = desk.decide(&mut TooLate(state), &[pending]).await;
        let says =
            "the question is not open any more. Your PIN is set all the same: use it from now on";
        assert_eq!(decided.unwrap_err().to_string(), says);
        assert!(path_in(state).exists());
    }
}
