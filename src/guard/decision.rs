//! Which decisions count. The store can be written by any program of the user: what it says of a
//! decision is a claim, and once a PIN is set only a signature proves it.

use std::sync::Arc;
use std::time::Duration;

use super::policy::Level;
use super::tokens::{Asked, PENDING, State, USABLE};
use super::{Guard, Refusal, unavailable};
use crate::audit::{Approval, Durability, Event, Kind};
use crate::clock::Moment;
use crate::factor::{FactorError, Pinned, PublicKey, Statement};
use crate::hex;
use crate::operation::Untrusted;
use crate::sensitive::Sensitive;
use crate::store::{Decided, Decision, Hash, Method};

/// What a person's decision was signed with, in the log.
const SIGNED: &str = "pin";
pub(super) const UNSIGNED: &str = "none";

/// What proves a yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The client attested it, to this process.
    Client,
    /// It is signed with the PIN.
    Signature,
    /// A person gave it where no PIN is wanted.
    Person,
}

impl Guard {
    /// The key that a decision at `level` must be signed with, if a PIN is set.
    ///
    /// # Errors
    /// The level cannot be reached now, whoever agrees.
    pub(super) async fn key_for(&self, level: Level) -> Result<Option<PublicKey>, Refusal> {
        let pinned = self.look_at_factor().await?;
        match (level, pinned) {
            (Level::None | Level::Token, _) => Ok(None),
            (_, Pinned::Changed) => Err(Refusal::PinChanged),
            (_, Pinned::Unread) => Err(Refusal::StateUnavailable(FactorError::Busy.to_string())),
            (Level::Pin, Pinned::Unset) => Err(Refusal::PinRequired),
            (_, Pinned::Unset) => Ok(None),
            (_, Pinned::Key(key)) => Ok(Some(key)),
        }
    }

    /// Looks at the PIN's file. A change is on record before this or any other call goes on.
    pub(super) async fn look_at_factor(&self) -> Result<Pinned, Refusal> {
        let _one_at_a_time = self.factor_turn.lock().await;
        let factor = Arc::clone(&self.factor);
        let looked = tokio::task::spawn_blocking(move || factor.look()).await;
        let pinned = looked.unwrap_or(Pinned::Unread);
        // One that was not written, or whose call was given up, is written by the next call.
        while let Some(change) = self.factor.unrecorded() {
            let event = factor_changed(change);
            let recorded = self.audit.record(Kind::FactorChanged, event, Durability::Synced).await;
            recorded.map_err(|_| Refusal::AuditUnavailable)?;
            self.factor.recorded();
        }
        Ok(pinned)
    }

    /// Takes the yes that spent a token, if it is one for `level`, and says how it goes on record.
    /// `consented`: this process was told of a consent.
    pub(super) async fn count_yes(
        &self,
        asked: &Asked,
        level: Level,
        key: Option<&PublicKey>,
        decided: Decided,
        consented: bool,
    ) -> Result<Approval, Refusal> {
        let by = match self.weigh(asked, level, key, &decided, consented) {
            Ok(by) => by,
            Err(Refusal::Unproven) => {
                return Err(self.unproven(&asked.hash, &decided.digest).await?);
            }
            Err(refusal) => return Err(refusal),
        };
        Ok(Approval {
            token_id: Some(token_id(&asked.hash)),
            record_digest: Some(hex::encode(&decided.digest)),
            latency_ms: Some(decided.at_ms.saturating_sub(asked.since_ms())),
            signature: decided.signature.as_deref().map(hex::encode),
            key: key.map(PublicKey::name),
            factor: match by {
                By::Signature => Some(SIGNED.into()),
                By::Person => Some(UNSIGNED.into()),
                By::Client => None,
            },
            method: decided.method.map(|method| method.name().into()),
            who: Some(Untrusted::new(&decided.who).as_str().into()),
            ..Approval::default()
        })
    }

    /// What makes a decision one that `level` asks for, in time.
    ///
    /// # Errors
    /// [`Refusal::Unproven`] or [`Refusal::Expired`].
    pub(super) fn weigh(
        &self,
        asked: &Asked,
        level: Level,
        key: Option<&PublicKey>,
        decided: &Decided,
        consented: bool,
    ) -> Result<By, Refusal> {
        let attested =
            level == Level::Client && decided.method == Some(Method::Client) && consented;
        let by = match key {
            _ if attested => By::Client,
            Some(_) => By::Signature,
            None => By::Person,
        };
        let counts = attested || proven(level, key, &asked.hash, decided);
        if !counts || by == By::Person && self.require_factor {
            return Err(Refusal::Unproven);
        }
        // Signed or not, the store's own idea of the time limits is not asked.
        if is_late(asked, decided.at_ms, self.clock.moment()) {
            return Err(Refusal::Expired);
        }
        Ok(by)
    }

    /// Takes a token of level `token`, which needs nobody's decision and works once.
    pub(super) fn take_bump(&self, asked: &Asked) -> Result<(Approval, State), Refusal> {
        let now = self.clock.moment();
        if asked.is_too_old(now) {
            return Err(Refusal::Expired);
        }
        let before = self.tokens.spend(&asked.hash).ok_or(Refusal::Spent)?;
        let approval = Approval {
            token_id: Some(token_id(&asked.hash)),
            record_digest: Some(hex::encode(&asked.digest)),
            method: Some(Method::Server.name().into()),
            who: Some("nobody: level token".into()),
            latency_ms: Some(0),
            ..Approval::default()
        };
        Ok((approval, before))
    }

    /// The answer to a token whose request is said to be denied.
    pub(super) async fn count_no(&self, token_hash: Hash) -> Refusal {
        let key = match self.key_for(Level::Person).await {
            Ok(key) => key,
            Err(refusal) => return refusal,
        };
        match self.store.denial(token_hash).await {
            Ok(Some(no)) if !proven(Level::Person, key.as_ref(), &token_hash, &no) => {
                self.unproven(&token_hash, &no.digest).await.unwrap_or_else(|refusal| refusal)
            }
            Ok(_) => Refusal::Declined,
            Err(error) => unavailable(error),
        }
    }

    /// Takes the consent that a client attests. It is one for level `client` and no other.
    ///
    /// It counts from the moment this process remembers it, and that comes last: a consent that is
    /// not on record, or came too late, spends nothing and sends nothing.
    pub(crate) async fn client_consents(&self, token: &Sensitive) -> Result<(), Refusal> {
        let hash = super::tokens::hash(token);
        let Some(asked) = self.tokens.asked(&hash) else { return Err(Refusal::UnknownToken) };
        if asked.record.level != Level::Client.name() {
            return Err(Refusal::Mismatch(vec!["level"]));
        }
        let now = self.clock.now();
        let decision = Decision {
            approve: true,
            method: Method::Client,
            who: format!("the user of {}, as the client says", asked.record.client),
            at_ms: now.as_millisecond(),
            usable_until_ms: super::usable_until_ms(now),
            signature: None,
        };
        let mut event = client_event(&asked, &decision.who);
        let decided = self.store.decide(hash, asked.digest, decision).await.map_err(unavailable)?;
        if decided {
            let recorded = self.audit.record(Kind::Approved, event, Durability::Synced).await;
            recorded.map_err(|_| Refusal::AuditUnavailable)?;
            self.tokens.consent(&hash);
            return Ok(());
        }
        // No denial: the question was decided, withdrawn or too old before this came.
        event.outcome = Some("late".into());
        event.code = Some(Refusal::Expired.code().into());
        // A client can say it again and again.
        let recorded = self.audit.refuse(Kind::ClientDeclined, event).await;
        Err(if recorded.is_recorded() { Refusal::Expired } else { Refusal::AuditUnavailable })
    }

    /// Records that asking through the client brought no consent, and why: `declined`, say, or
    /// `unavailable`. The question stays open for a person.
    pub(crate) async fn client_gives_none(&self, token: &Sensitive, why: &str) {
        self.note_of_client(Kind::ClientDeclined, token, why).await;
    }

    /// The client gave the call up while its user was asked, and never learns of the token: nobody
    /// need be asked any more.
    pub(crate) async fn client_leaves(&self, token: &Sensitive) {
        if let Some(asked) = self.tokens.asked(&super::tokens::hash(token)) {
            self.leave(&asked).await;
        }
        self.note_of_client(Kind::Aborted, token, "cancelled").await;
    }

    async fn note_of_client(&self, kind: Kind, token: &Sensitive, outcome: &str) {
        let Some(asked) = self.tokens.asked(&super::tokens::hash(token)) else { return };
        let event = Event { outcome: Some(outcome.into()), ..client_event(&asked, "the client") };
        // Nothing is done on the strength of it. A log that fails stops what is. What comes too fast
        // is counted: a newer client can bring the same answer back without end.
        let _ = self.audit.refuse(kind, event).await;
    }

    /// Audits a decision that nobody with the PIN made, or counts it: the call can be repeated. What
    /// it claims of itself is not repeated.
    async fn unproven(&self, token_hash: &Hash, digest: &Hash) -> Result<Refusal, Refusal> {
        let event = Event {
            code: Some(Refusal::Unproven.code().into()),
            // With a level, so that it is not counted among attempts at a locked PIN.
            level: self.tokens.asked(token_hash).map(|asked| asked.record.level.clone()),
            approval: Some(Approval {
                token_id: Some(token_id(token_hash)),
                record_digest: Some(hex::encode(digest)),
                ..Approval::default()
            }),
            ..Event::default()
        };
        let recorded = self.audit.refuse(Kind::FactorFailed, event).await;
        if recorded.is_recorded() { Ok(Refusal::Unproven) } else { Err(Refusal::AuditUnavailable) }
    }
}

fn factor_changed(pinned: Pinned) -> Event {
    match pinned {
        Pinned::Key(key) => Event {
            outcome: Some("pinned".into()),
            approval: Some(Approval { key: Some(key.name()), ..Approval::default() }),
            ..Event::default()
        },
        Pinned::Unset | Pinned::Changed | Pinned::Unread => Event {
            outcome: Some("approvals_stopped".into()),
            code: Some(Refusal::PinChanged.code().into()),
            ..Event::default()
        },
    }
}

fn client_event(asked: &Asked, who: &str) -> Event {
    Event {
        tool: Some(asked.record.tool.clone()),
        level: Some(asked.record.level.clone()),
        client: Some(asked.record.client.clone()),
        approval: Some(Approval {
            token_id: Some(token_id(&asked.hash)),
            record_digest: Some(hex::encode(&asked.digest)),
            method: Some(Method::Client.name().into()),
            who: Some(who.into()),
            ..Approval::default()
        }),
        ..Event::default()
    }
}

/// Whether a decision is one that `level` asks for: a person's, signed with `key` if a PIN is set.
/// Level `token` has no decisions in the store.
pub(super) fn proven(
    level: Level,
    key: Option<&PublicKey>,
    token_hash: &Hash,
    decided: &Decided,
) -> bool {
    let Some(method) = decided.method else { return false };
    match (level, key) {
        (Level::None | Level::Token, _) | (Level::Pin, None) => false,
        (Level::Client | Level::Person, None) => method.is_persons(),
        (Level::Client | Level::Person | Level::Pin, Some(key)) => {
            let statement = Statement {
                approve: decided.approve,
                digest: &decided.digest,
                token_hash,
                decided_ms: decided.at_ms,
                method: method.name(),
                who: &decided.who,
            };
            let signature = decided.signature.as_deref().unwrap_or_default();
            method.is_persons() && key.verifies(&statement, signature)
        }
    }
}

/// Whether a yes of that time came too late, or is too old to be used at `now`: by the wall clock, or
/// by the monotonic clock of this process, so that a clock that is set back revives no yes.
pub(super) fn is_late(asked: &Asked, decided_ms: i64, now: Moment) -> bool {
    let given_after = decided_ms.saturating_sub(asked.since_ms()).clamp(0, ms(PENDING));
    let by_steady = ms(asked.since.steady_age(now)).saturating_sub(given_after);
    let by_wall = now.wall.as_millisecond().saturating_sub(decided_ms);
    decided_ms > asked.expires_ms() || by_wall.max(by_steady) >= ms(USABLE)
}

/// In milliseconds.
fn ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn token_id(hash: &Hash) -> String {
    hex::encode(hash.get(..6).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    const TOKEN: Hash = [2; 32];

    fn decided(method: Method, signature: Option<Vec<u8>>) -> Decided {
        Decided {
            approve: true,
            digest: [1; 32],
            method: Some(method),
            who: "somebody".into(),
            at_ms: 1,
            signature,
        }
    }

    fn signed(pair: &Ed25519KeyPair, method: Method) -> Decided {
        let statement = Statement {
            approve: true,
            digest: &[1; 32],
            token_hash: &TOKEN,
            decided_ms: 1,
            method: method.name(),
            who: "somebody",
        };
        decided(method, Some(pair.sign(&statement.bytes()).as_ref().to_vec()))
    }

    #[test]
    fn each_level_takes_only_its_own_kind_of_decision() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let key = PublicKey::new(pair.public_key().as_ref()).unwrap();
        let by_server = decided(Method::Server, None);
        let unsigned = decided(Method::Terminal, None);
        let signed_by_person = signed(&pair, Method::Terminal);
        // What counts at each level: by the server, by a person unsigned, by a person signed.
        let table = [
            (Level::None, None, [false, false, false]),
            (Level::Token, None, [false, false, false]),
            (Level::Token, Some(&key), [false, false, false]),
            (Level::Client, None, [false, true, true]),
            (Level::Client, Some(&key), [false, false, true]),
            (Level::Person, None, [false, true, true]),
            (Level::Person, Some(&key), [false, false, true]),
            (Level::Pin, None, [false, false, false]),
            (Level::Pin, Some(&key), [false, false, true]),
        ];
        for (level, key, counts) in table {
            let all = [&by_server, &unsigned, &signed_by_person];
            assert_eq!(all.map(|one| proven(level, key, &TOKEN, one)), counts, "{level:?} {key:?}");
        }
        // A client's word is not looked up here: whoever writes the store could have written it.
        for level in [Level::Token, Level::Client, Level::Person, Level::Pin] {
            assert!(!proven(level, None, &TOKEN, &decided(Method::Client, None)), "{level:?}");
            assert!(
                !proven(level, Some(&key), &TOKEN, &signed(&pair, Method::Client)),
                "{level:?}"
            );
        }
        // Even a signature does not make a person's decision the server's, or the other way round.
        assert!(!proven(Level::Person, Some(&key), &TOKEN, &signed(&pair, Method::Server)));
        assert!(!proven(Level::Person, Some(&key), &[3; 32], &signed_by_person));
        // A word that names no method proves nothing.
        for decided in [by_server, unsigned, signed_by_person] {
            let unknown = Decided { method: None, ..decided };
            for level in [Level::Token, Level::Client, Level::Person, Level::Pin] {
                assert!(!proven(level, None, &TOKEN, &unknown), "{level:?}");
                assert!(!proven(level, Some(&key), &TOKEN, &unknown), "{level:?}");
            }
        }
    }
}
