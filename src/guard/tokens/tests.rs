//! The memory by a clock that the tests move.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use super::*;
use crate::guard::decision::is_late;

/// Wall time and steady time, in seconds, each moved on its own.
#[derive(Clone, Default)]
struct Time(Arc<(AtomicU64, AtomicU64)>);

impl Time {
    fn clock(&self) -> Clock {
        let (wall, steady) = (self.clone(), self.clone());
        let seconds = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let wall = move || Timestamp::from_second(seconds(&wall.0.0).cast_signed()).unwrap();
        Clock::from_fn(wall).with_steady(move || Duration::from_secs(seconds(&steady.0.1)))
    }

    fn set(&self, wall: u64, steady: u64) {
        self.0.0.store(wall, Ordering::Relaxed);
        self.0.1.store(steady, Ordering::Relaxed);
    }
}

fn record(resource: &str) -> Record {
    let none = String::new;
    Record {
        tool: "GetSecretValue".into(),
        risk: "reveal".into(),
        level: none(),
        resource: resource.into(),
        destination: None,
        file_name: None,
        region: none(),
        host: none(),
        account: None,
        caller_key: none(),
        witness: None,
        arguments: Vec::new(),
        source: None,
        rule: none(),
        rule_reason: none(),
        policy_digest: none(),
        anchored: none(),
        client: none(),
        agent_says: None,
        type_the_name: false,
        require_factor: true,
        match_code: none(),
        instance: none(),
        nonce: none(),
        asked_at: none(),
        expires_at: none(),
    }
}

fn tokens() -> Tokens {
    Tokens::new("one".into()).unwrap()
}

fn asked(tokens: &Tokens, name: &str, clock: &Clock) -> Arc<Asked> {
    let asked = tokens.ask(record(name), Level::Person, clock).unwrap();
    let hash = asked.hash;
    let challenge = asked.challenge(String::new(), None);
    tokens.remember(asked, challenge);
    tokens.asked(&hash).unwrap()
}

#[test]
fn a_clock_that_is_set_back_revives_no_yes() {
    let time = Time::default();
    let clock = time.clock();
    time.set(10_000, 0);
    let asked = asked(&tokens(), "a", &clock);
    // The yes comes after a minute, and is good for three.
    let yes = 10_060_000;
    for (wall, steady, late) in [
        (10_061, 61, false),
        (10_239, 239, false),
        (10_240, 240, true),
        // Set back by an hour, or by as long as nobody would notice.
        (6_640, 240, true),
        (10_100, 240, true),
        (10_100, 239, false),
        // The machine slept: its steady clock stood still.
        (10_240, 100, true),
    ] {
        time.set(wall, steady);
        assert_eq!(is_late(&asked, yes, clock.moment()), late, "{wall} {steady}");
    }
    time.set(10_700, 700);
    assert!(is_late(&asked, 10_600_001, clock.moment()), "decided after ten minutes");
}

#[test]
fn a_question_waits_ten_minutes_by_either_clock() {
    let time = Time::default();
    let clock = time.clock();
    time.set(10_000, 0);
    let tokens = tokens();
    let first = asked(&tokens, "a", &clock);
    for (wall, steady, waits) in
        [(10_599, 599, true), (9_000, 599, true), (10_600, 0, false), (9_000, 600, false)]
    {
        time.set(wall, steady);
        let now = clock.moment();
        assert_eq!(!tokens.waiting(now).is_empty(), waits, "{wall} {steady}");
        assert_eq!(tokens.same(&record("a"), now).is_some(), waits, "{wall} {steady}");
        assert_eq!(first.is_too_old(now), !waits, "{wall} {steady}");
        assert_eq!(first.time_left(now).is_zero(), !waits, "{wall} {steady}");
    }
}

#[test]
fn questions_of_ten_minutes_are_counted_and_old_ones_forgotten() {
    let time = Time::default();
    let (clock, tokens) = (time.clock(), tokens());
    for n in 0..20 {
        time.set(10_000 + n * 60, n * 60);
        asked(&tokens, &n.to_string(), &clock);
    }
    assert_eq!(tokens.asked_within(Duration::from_mins(10), clock.moment()), 10);
    time.set(100_000, 90_000);
    let last = asked(&tokens, "last", &clock);
    assert_eq!(tokens.asked_within(Duration::from_mins(10), clock.moment()), 1);
    tokens.with(|memory| {
        assert_eq!(memory.questions.keys().collect::<Vec<_>>(), [&last.hash]);
        assert_eq!(memory.asked.len(), 1);
    });
}

#[test]
fn tokens_that_need_nobody_take_no_more_than_their_room() {
    let time = Time::default();
    let (clock, tokens) = (time.clock(), tokens());
    let bump = |name: &str| tokens.bump(record(name), String::new(), None, &clock).unwrap();
    time.set(10_000, 0);
    let person = asked(&tokens, "person", &clock);
    let first = bump("first");
    assert_eq!(bump("first").token, first.token, "the same call, the same token");
    for n in 0..MAX_QUESTIONS * 2 {
        time.set(10_001, 1);
        bump(&n.to_string());
    }
    tokens.with(|memory| assert_eq!(memory.questions.len(), MAX_QUESTIONS));
    assert!(tokens.asked(&person.hash).is_some(), "what a person was asked is not pushed out");
    assert!(tokens.asked(&token_hash(&first.token)).is_none());
    assert_ne!(bump("first").token, first.token);
}

#[test]
fn five_unknown_tokens_lock_for_ten_minutes() {
    let time = Time::default();
    let (clock, tokens) = (time.clock(), tokens());
    let at = |seconds: u64| {
        time.set(10_000 + seconds, seconds);
        tokens.unknown(clock.moment())
    };
    for minute in 0..20 {
        assert_eq!(at(minute * 150), Unknown::Counted, "one in two and a half minutes never locks");
    }
    let start = 20 * 150 + 600;
    for second in 0..4 {
        assert_eq!(at(start + second), Unknown::Counted);
    }
    assert_eq!(at(start + 4), Unknown::Locks);
    assert_eq!(at(start + 5), Unknown::Locked);
    assert_eq!(at(start + 603), Unknown::Locked);
    assert_eq!(at(start + 604), Unknown::Counted);
}

#[test]
fn questions_for_a_person_take_no_more_than_their_room() {
    let time = Time::default();
    let (clock, tokens) = (time.clock(), tokens());
    // As many in ten minutes as `limits.questions` allows at most, each spent a moment later.
    let mut hashes = Vec::new();
    let many = u64::try_from(MAX_QUESTIONS).unwrap() + 100;
    for n in 0..many {
        time.set(10_000 + n * 6, n * 6);
        let asked = asked(&tokens, &n.to_string(), &clock);
        tokens.spend(&asked.hash);
        hashes.push(asked.hash);
    }
    tokens.with(|memory| assert_eq!(memory.questions.len(), MAX_QUESTIONS));
    assert_eq!(tokens.state(hashes.last().unwrap()), Some(State::Spent), "a late call is told why");
    assert!(tokens.asked(&hashes[99]).is_none(), "the oldest are forgotten");
    assert!(tokens.asked(&hashes[100]).is_some());
    // One that waits, or was decided and not used yet, is not.
    let waits = asked(&tokens, "waits", &clock);
    let decided = asked(&tokens, "decided", &clock);
    tokens.end(&decided.hash);
    for n in 0..MAX_QUESTIONS {
        let asked = asked(&tokens, &format!("more {n}"), &clock);
        tokens.spend(&asked.hash);
    }
    tokens.with(|memory| assert_eq!(memory.questions.len(), MAX_QUESTIONS));
    assert!(tokens.asked(&waits.hash).is_some() && tokens.asked(&decided.hash).is_some());
}

#[test]
fn a_question_that_nobody_answered_makes_room_in_the_end() {
    let time = Time::default();
    let (clock, tokens) = (time.clock(), tokens());
    time.set(10_000, 0);
    let first = asked(&tokens, "first", &clock);
    // A yes of the last moment may be used until then.
    for (steady, stays) in [(779, true), (780, false)] {
        time.set(10_000 + steady, steady);
        for n in 0..MAX_QUESTIONS {
            let asked = asked(&tokens, &format!("{steady} {n}"), &clock);
            tokens.spend(&asked.hash);
        }
        assert_eq!(tokens.asked(&first.hash).is_some(), stays, "{steady}");
    }
}
