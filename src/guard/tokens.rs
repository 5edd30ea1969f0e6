//! The server's own memory of what it asked, and the life of a token around a decision.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::rand::{SecureRandom, SystemRandom};

use super::approval::{Record, token_hash};
use super::policy::Level;
use super::{Challenge, Guard, Refusal, match_code, unavailable};
use crate::audit::{Event, Kind};
use crate::clock::{Clock, to_seconds};
use crate::sensitive::Sensitive;
use crate::store::{Decision, Hash, Method, Pending, Standing};

/// How long a question waits for a person (design §6).
const PENDING: SignedDuration = SignedDuration::from_mins(10);
/// How long an approved token may be used (design §6).
pub(crate) const USABLE: SignedDuration = SignedDuration::from_mins(3);
/// So many wrong tokens in [`LOCKED_MS`] lock redemption for as long.
const WRONG_TOKENS: u32 = 5;
const LOCKED_MS: i64 = 600_000;
/// How the store counts a lock. No rule of a policy, counted beside it, can have this name.
const LOCKED: &str = "token_locked";

/// A question that was asked by this process.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    token: String,
    pub(super) hash: Hash,
    pub(super) digest: Hash,
    pub(super) record: Record,
    pub(super) since_ms: i64,
    expires: Timestamp,
}

impl Asked {
    /// Fills in what makes a rebuilt record this very question.
    pub(super) fn complete(&self, record: &mut Record) {
        let asked = &self.record;
        record.match_code.clone_from(&asked.match_code);
        record.nonce.clone_from(&asked.nonce);
        record.asked_at.clone_from(&asked.asked_at);
        record.expires_at.clone_from(&asked.expires_at);
        // A repeated call may leave its reason out: it was shown when the question was asked.
        if record.agent_says.is_none() {
            record.agent_says.clone_from(&asked.agent_says);
        }
    }

    /// The row that waits, and the decision that needs no person.
    pub(super) fn rows(&self, level: Level, now_ms: i64) -> (Pending, Option<Decision>) {
        let pending = Pending {
            token_hash: self.hash,
            digest: self.digest,
            record: self.record.bytes(),
            match_code: self.record.match_code.clone(),
            level: level.name(),
            instance: self.record.instance.clone(),
            created_ms: self.since_ms,
            expires_ms: self.expires.as_millisecond(),
        };
        let decided = (level == Level::Token).then(|| Decision {
            approve: true,
            method: Method::Server,
            who: "nobody: level token".into(),
            at_ms: now_ms,
            usable_until_ms: self.expires.as_millisecond(),
            signature: None,
        });
        (pending, decided)
    }

    /// Until when a person may decide, in milliseconds since 1970.
    pub(super) fn expires_ms(&self) -> i64 {
        self.expires.as_millisecond()
    }

    /// What the agent is told.
    pub(super) fn challenge(
        &self,
        summary: String,
        level: Level,
        note: Option<&'static str>,
    ) -> Challenge {
        Challenge {
            token: self.token.clone(),
            expires_at: self.record.expires_at.clone(),
            summary,
            match_code: self.record.match_code.clone(),
            approved: level == Level::Token,
            client: level == Level::Client,
            record: self.record.clone(),
            note,
        }
    }
}

/// All questions of this process, by the hash of their token.
pub(super) struct Tokens {
    instance: String,
    key: ring::hmac::Key,
    random: SystemRandom,
    asked: Mutex<HashMap<Hash, (Asked, Challenge)>>,
    spent: Mutex<HashSet<Hash>>,
    consented: Mutex<HashSet<Hash>>,
}

impl Tokens {
    pub(super) fn new(instance: String) -> Result<Self, ring::error::Unspecified> {
        let random = SystemRandom::new();
        let key = ring::hmac::Key::generate(ring::hmac::HMAC_SHA256, &random)?;
        Ok(Self {
            instance,
            key,
            random,
            asked: Mutex::default(),
            spent: Mutex::default(),
            consented: Mutex::default(),
        })
    }

    pub(super) fn instance(&self) -> &str {
        &self.instance
    }

    /// Binds values into records; never leaves the process.
    pub(super) fn key(&self) -> &ring::hmac::Key {
        &self.key
    }

    /// Completes `record` into a question with a token of its own.
    pub(super) fn ask(
        &self,
        mut record: Record,
        level: Level,
        clock: &Clock,
    ) -> Result<Asked, ring::error::Unspecified> {
        let mut bytes = [0_u8; 48];
        self.random.fill(&mut bytes)?;
        let (token, nonce) = bytes.split_at(32);
        let token = format!("ct_{}", URL_SAFE_NO_PAD.encode(token));
        let now = clock.now();
        let life = if level == Level::Token { USABLE } else { PENDING };
        let expires = now.checked_add(life).unwrap_or(now);
        record.match_code = match_code::fresh()?;
        record.nonce = URL_SAFE_NO_PAD.encode(nonce);
        record.asked_at = to_seconds(now);
        record.expires_at = to_seconds(expires);
        let hash = token_hash(&token);
        Ok(Asked {
            token,
            hash,
            digest: record.digest(),
            record,
            since_ms: now.as_millisecond(),
            expires,
        })
    }

    pub(super) fn remember(&self, asked: Asked, challenge: Challenge) {
        let mut all = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        // What ended an hour ago is of no use; this keeps the map small in a long life.
        let oldest = asked.since_ms - LOCKED_MS * 6;
        all.retain(|_, (other, _)| other.since_ms > oldest);
        all.insert(asked.hash, (asked, challenge));
    }

    /// Spent ones too: a call that comes second is told so, and nobody is asked anew.
    pub(super) fn asked(&self, hash: &Hash) -> Option<Asked> {
        self.find(hash).map(|(asked, _)| asked)
    }

    /// `true` for exactly one caller a question; it stays known, so that a late one is told why.
    pub(super) fn spend(&self, hash: &Hash) -> bool {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner).insert(*hash)
    }

    /// Remembers that the client's user agreed, as far as the client says.
    pub(super) fn consent(&self, hash: Hash) {
        self.consented.lock().unwrap_or_else(PoisonError::into_inner).insert(hash);
    }

    /// Whether this process was told of a consent.
    pub(super) fn has_consent(&self, hash: &Hash) -> bool {
        self.consented.lock().unwrap_or_else(PoisonError::into_inner).contains(hash)
    }

    fn find(&self, hash: &Hash) -> Option<(Asked, Challenge)> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

/// The hash under which a token is known.
pub(super) fn hash(token: &Sensitive) -> Hash {
    #[expect(clippy::disallowed_methods, reason = "into a hash")]
    token_hash(token.expose())
}

impl Guard {
    /// Waits for the decision on a token that was sent, at most `wait`.
    ///
    /// # Errors
    /// Whatever stands against using it, or [`Refusal::Confirm`] again if nobody has decided yet.
    pub(crate) async fn decided(
        &self,
        token: &Sensitive,
        wait: Duration,
        cancelled: impl Future<Output = ()> + Send,
    ) -> Result<(), Refusal> {
        let hash = hash(token);
        let since = self.clock.now_ms() - LOCKED_MS;
        if self.store.count(LOCKED.into(), since).await.map_err(unavailable)? > 0 {
            return Err(Refusal::Locked);
        }
        let until = tokio::time::Instant::now() + wait;
        let mut changes = self.store.changes();
        tokio::pin!(cancelled);
        loop {
            let now_ms = self.clock.now_ms();
            match self.store.standing(hash, now_ms).await.map_err(unavailable)? {
                Standing::Approved => return Ok(()),
                Standing::Unknown => return Err(self.wrong_token().await?),
                // After a restart nobody remembers the question; `admit` asks it anew.
                Standing::Pending if self.tokens.find(&hash).is_none() => return Ok(()),
                Standing::Pending => {
                    self.key_for(Level::Person).await?;
                }
                Standing::Denied | Standing::Spent | Standing::Expired => {
                    return Err(self.not_redeemable(hash).await);
                }
            }
            if tokio::time::Instant::now() >= until {
                return match self.tokens.find(&hash) {
                    Some((_, challenge)) => Err(Refusal::Confirm(Box::new(challenge))),
                    None => Ok(()),
                };
            }
            tokio::select! {
                () = changes.changed() => {}
                () = tokio::time::sleep_until(until) => {}
                () = &mut cancelled => return Err(Refusal::Cancelled),
            }
        }
    }

    /// Whether nobody can decide on the question of that token any more.
    pub(crate) async fn is_over(&self, token: &Sensitive) -> bool {
        let standing = self.store.standing(hash(token), self.clock.now_ms()).await;
        !matches!(standing, Ok(Standing::Pending) | Err(_))
    }

    /// Why a known token cannot be spent now.
    pub(super) async fn not_redeemable(&self, hash: Hash) -> Refusal {
        match self.store.standing(hash, self.clock.now_ms()).await {
            Ok(Standing::Denied) => self.count_no(hash).await,
            Ok(Standing::Spent) => Refusal::Spent,
            Ok(Standing::Expired) => Refusal::Expired,
            Ok(Standing::Unknown) => Refusal::UnknownToken,
            // Approved or pending, yet not spent: the decision is over another record.
            Ok(Standing::Approved | Standing::Pending) => Refusal::Mismatch(vec!["decision"]),
            Err(error) => unavailable(error),
        }
    }

    /// Counts a token that nobody knows; the fifth in ten minutes locks.
    async fn wrong_token(&self) -> Result<Refusal, Refusal> {
        let now = self.clock.now_ms();
        self.store.happened("wrong_token".into(), now).await.map_err(unavailable)?;
        let wrong =
            self.store.count("wrong_token".into(), now - LOCKED_MS).await.map_err(unavailable)?;
        if wrong < WRONG_TOKENS {
            return Ok(Refusal::UnknownToken);
        }
        self.store.happened(LOCKED.into(), now).await.map_err(unavailable)?;
        self.audit.post(Kind::Lockout, Event::default());
        Ok(Refusal::Locked)
    }
}
