//! The server's own memory of what it asked: nobody who writes the store can change it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};

use super::approval::{Record, token_hash};
use super::policy::Level;
use super::{Challenge, match_code};
use crate::clock::{Clock, Moment, to_seconds};
use crate::sensitive::Sensitive;
use crate::store::{Hash, Identity, Pending};

/// How long a question waits for a person (design §6).
pub(super) const PENDING: Duration = Duration::from_mins(10);
/// How long an approved token may be used (design §6).
pub(crate) const USABLE: Duration = Duration::from_mins(3);
/// How long the memory answers for a question that is over.
const REMEMBERED: Duration = Duration::from_hours(1);
/// Most questions that are remembered. Beyond it the oldest one of level `token` is forgotten, or if
/// there is none, the oldest one that was spent or that nobody can use any more. A token that was
/// forgotten is never redeemed: it is refused, or answered with a new question.
const MAX_QUESTIONS: usize = 512;
/// After this many unknown tokens within [`LOCKED`], unknown tokens are locked out for the same
/// period. A token that is known works all the same.
const UNKNOWN_TOKENS: usize = 5;
const LOCKED: Duration = Duration::from_mins(10);
/// Of a question of level `token` that was asked before.
const SAME_TOKEN: &str = "This is the token that the same call was answered with before.";

/// A question that was asked by this process.
#[derive(Debug)]
pub(super) struct Asked {
    token: String,
    pub(super) hash: Hash,
    pub(super) digest: Hash,
    /// Of the record without what makes it this very question: the same for the same call.
    call: Hash,
    pub(super) record: Record,
    pub(super) level: Level,
    pub(super) since: Moment,
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

    /// What the store must say of it.
    pub(super) fn identity(&self) -> Identity {
        Identity {
            token_hash: self.hash,
            digest: self.digest,
            match_code: self.record.match_code.clone(),
            level: self.level.name(),
            instance: self.record.instance.clone(),
        }
    }

    /// The row that waits.
    pub(super) fn row(&self) -> Pending {
        Pending {
            token_hash: self.hash,
            digest: self.digest,
            record: self.record.bytes(),
            about: self.record.about(),
            match_code: self.record.match_code.clone(),
            level: self.level.name().into(),
            instance: self.record.instance.clone(),
            created_ms: self.since_ms(),
            expires_ms: self.expires_ms(),
        }
    }

    /// When it was asked, in milliseconds since 1970.
    pub(super) fn since_ms(&self) -> i64 {
        self.since.wall.as_millisecond()
    }

    /// How long it waits for a decision, or may be used if it needs none.
    fn life(&self) -> Duration {
        if self.level == Level::Token { USABLE } else { PENDING }
    }

    /// Until when a person may decide, in milliseconds since 1970.
    pub(super) fn expires_ms(&self) -> i64 {
        self.since.wall.checked_add(self.life()).unwrap_or(self.since.wall).as_millisecond()
    }

    /// How long it still waits.
    pub(super) fn time_left(&self, now: Moment) -> Duration {
        self.life().saturating_sub(self.since.age(now))
    }

    /// Whether nobody can decide it any more, by either clock.
    pub(super) fn is_too_old(&self, now: Moment) -> bool {
        self.since.age(now) >= self.life()
    }

    /// What the agent is told.
    pub(super) fn challenge(&self, summary: String, note: Option<&'static str>) -> Challenge {
        Challenge {
            token: self.token.clone(),
            expires_at: self.record.expires_at.clone(),
            summary,
            match_code: self.record.match_code.clone(),
            approved: self.level == Level::Token,
            client: self.level == Level::Client,
            record: self.record.clone(),
            note,
            waits_already: false,
        }
    }
}

/// What has become of a question, as far as this process knows for sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nobody has decided it.
    Open,
    /// The client's user agreed, as far as the client says.
    Consented,
    /// It was decided, or taken back.
    Over,
    /// Its token was used.
    Spent,
}

#[derive(Debug)]
struct Question {
    asked: Arc<Asked>,
    challenge: Challenge,
    state: State,
}

#[derive(Debug, Default)]
struct Memory {
    /// By the hash of their token.
    questions: HashMap<Hash, Question>,
    /// When a person was asked, the oldest first.
    asked: VecDeque<Moment>,
    /// When a token came that nobody knows, the oldest first.
    unknown: VecDeque<Moment>,
    /// Since when unknown tokens are locked out.
    locked: Option<Moment>,
}

impl Memory {
    /// Makes room for one question. One that waits, or may have a yes that was not used, stays.
    fn forget_one(&mut self, now: Moment) {
        let age = |it: &&Question| it.asked.since.age(now);
        let is_done = |it: &&Question| it.state == State::Spent || age(it) >= PENDING + USABLE;
        let bumps = self.questions.values().filter(|it| it.asked.level == Level::Token);
        let done = || self.questions.values().filter(is_done).max_by_key(age);
        let oldest = bumps.max_by_key(age).or_else(done).map(|it| it.asked.hash);
        oldest.map(|hash| self.questions.remove(&hash));
    }
}

/// What a token that nobody knows leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// It is counted.
    Counted,
    /// It was the last one: unknown tokens are locked out from now on.
    Locks,
    /// Unknown tokens are locked out.
    Locked,
}

/// All questions of this process.
pub(super) struct Tokens {
    instance: String,
    key: ring::hmac::Key,
    random: SystemRandom,
    memory: Mutex<Memory>,
    /// Held while a question of level `token` is made, for the same reason as `turn`.
    bumps: Mutex<()>,
    /// Held while a person is asked, so that the same call at the same time is one question.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl Tokens {
    pub(super) fn new(instance: String) -> Result<Self, ring::error::Unspecified> {
        let random = SystemRandom::new();
        let key = ring::hmac::Key::generate(ring::hmac::HMAC_SHA256, &random)?;
        let (memory, bumps, turn) =
            (Mutex::default(), Mutex::default(), tokio::sync::Mutex::default());
        Ok(Self { instance, key, random, memory, bumps, turn })
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
        let since = clock.moment();
        let call = record.call_digest();
        let life = if level == Level::Token { USABLE } else { PENDING };
        record.match_code = match_code::fresh()?;
        record.nonce = URL_SAFE_NO_PAD.encode(nonce);
        record.asked_at = to_seconds(since.wall);
        record.expires_at = to_seconds(since.wall.checked_add(life).unwrap_or(since.wall));
        let (hash, digest) = (token_hash(&token), record.digest());
        Ok(Asked { token, hash, digest, call, record, level, since })
    }

    /// A question that needs no person, nor the store: the one that the same call was answered with,
    /// or a new one.
    pub(super) fn bump(
        &self,
        record: Record,
        summary: String,
        note: Option<&'static str>,
        clock: &Clock,
    ) -> Result<Challenge, ring::error::Unspecified> {
        let _one_at_a_time = self.bumps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, challenge)) = self.same(&record, clock.moment()) {
            return Ok(challenge.again(SAME_TOKEN));
        }
        let asked = self.ask(record, Level::Token, clock)?;
        let challenge = asked.challenge(summary, note);
        self.remember(asked, challenge.clone());
        Ok(challenge)
    }

    /// Remembers a question that was asked.
    pub(super) fn remember(&self, asked: Asked, challenge: Challenge) {
        let now = asked.since;
        self.with(|memory| {
            memory.questions.retain(|_, it| it.asked.since.age(now) < REMEMBERED);
            if memory.questions.len() >= MAX_QUESTIONS {
                memory.forget_one(now);
            }
            if asked.level > Level::Token {
                memory.asked.push_back(now);
            }
            let question = Question { asked: Arc::new(asked), challenge, state: State::Open };
            memory.questions.insert(question.asked.hash, question);
        });
    }

    /// The question that the same call was answered with, if nobody has decided it as far as this
    /// process knows.
    pub(super) fn same(&self, record: &Record, now: Moment) -> Option<(Arc<Asked>, Challenge)> {
        let call = record.call_digest();
        let same = |it: &Question| {
            it.asked.call == call
                && it.state == State::Open
                && !it.asked.is_too_old(now)
                && (record.agent_says.is_none() || record.agent_says == it.asked.record.agent_says)
        };
        self.with(|memory| {
            let found = memory.questions.values().find(|it| same(it))?;
            Some((Arc::clone(&found.asked), found.challenge.clone()))
        })
    }

    /// Spent ones too: a call that comes second is told so, and nobody is asked anew.
    pub(super) fn asked(&self, hash: &Hash) -> Option<Arc<Asked>> {
        self.with(|memory| memory.questions.get(hash).map(|it| Arc::clone(&it.asked)))
    }

    /// What the agent was told of a question.
    pub(super) fn challenge(&self, hash: &Hash) -> Option<Challenge> {
        self.with(|memory| memory.questions.get(hash).map(|it| it.challenge.clone()))
    }

    /// What is known of a question for sure.
    pub(super) fn state(&self, hash: &Hash) -> Option<State> {
        self.with(|memory| memory.questions.get(hash).map(|it| it.state))
    }

    /// What it was before, for exactly one caller a question; it stays known, so that a late one is
    /// told why.
    pub(super) fn spend(&self, hash: &Hash) -> Option<State> {
        self.with(|memory| {
            let question = memory.questions.get_mut(hash)?;
            let before = std::mem::replace(&mut question.state, State::Spent);
            (before != State::Spent).then_some(before)
        })
    }

    /// Makes a spent token what it was before: the call that spent it was not sent.
    pub(super) fn give_back(&self, hash: &Hash, before: State) {
        self.with(|memory| {
            if let Some(question) =
                memory.questions.get_mut(hash).filter(|it| it.state == State::Spent)
            {
                question.state = before;
            }
        });
    }

    /// Remembers that the client's user agreed, as far as the client says.
    pub(super) fn consent(&self, hash: &Hash) {
        self.change(hash, State::Consented);
    }

    /// A question that takes no room any more.
    pub(super) fn end(&self, hash: &Hash) {
        self.change(hash, State::Over);
    }

    fn change(&self, hash: &Hash, state: State) {
        self.with(|memory| {
            if let Some(question) =
                memory.questions.get_mut(hash).filter(|it| it.state == State::Open)
            {
                question.state = state;
            }
        });
    }

    /// The questions that wait for a person, as far as this process knows.
    pub(super) fn waiting(&self, now: Moment) -> Vec<Arc<Asked>> {
        let waits = |it: &&Question| {
            it.asked.level > Level::Token && it.state == State::Open && !it.asked.is_too_old(now)
        };
        self.with(|memory| {
            memory.questions.values().filter(waits).map(|it| Arc::clone(&it.asked)).collect()
        })
    }

    /// How often this process asked a person in the time before `now`.
    pub(super) fn asked_within(&self, time: Duration, now: Moment) -> usize {
        self.with(|memory| count_within(&mut memory.asked, time, now))
    }

    /// Counts a token that neither this process nor the store knows.
    pub(super) fn unknown(&self, now: Moment) -> Unknown {
        self.with(|memory| {
            if memory.locked.is_some_and(|since| since.age(now) < LOCKED) {
                return Unknown::Locked;
            }
            memory.unknown.push_back(now);
            if count_within(&mut memory.unknown, LOCKED, now) < UNKNOWN_TOKENS {
                return Unknown::Counted;
            }
            memory.locked = Some(now);
            memory.unknown.clear();
            Unknown::Locks
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Memory) -> T) -> T {
        work(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Forgets the moments that are older than `time`, and counts the others.
fn count_within(moments: &mut VecDeque<Moment>, time: Duration, now: Moment) -> usize {
    moments.retain(|at| at.age(now) < time);
    moments.len()
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

#[cfg(test)]
mod tests;
