//! [`Figures`]: what is counted while the rows pass.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::tally::Tally;
use crate::audit::query::{Outcome, Row, Story};

/// Calls of unknown outcome that are named one by one.
const NAMED: usize = 100;
/// Times of decisions that are kept for each person, for the median.
const TIMES: usize = 10_000;
/// Approvals that are told apart.
const DIGESTS: usize = 100_000;
/// Days that are told apart: no log lives longer than these 55 years, whatever its times say.
const DAYS: usize = 20_000;
/// A yes sooner than this, in milliseconds, was hardly read.
pub(super) const HASTY_MS: i64 = 3_000;

/// Where values went, in the order in which it matters.
pub(super) const PLACES: [&str; 3] = ["agent", "file", "person"];

/// Everything the page shows.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    /// Values handed out, by day and place of [`PLACES`].
    pub(super) disclosed: BTreeMap<Date, [u64; PLACES.len()]>,
    /// Secrets whose value was handed out, by place.
    pub(super) secrets: Tally<[u64; PLACES.len()]>,
    pub(super) deciders: Tally<Decider>,
    /// Refusals by the rule or the code that caused them.
    pub(super) refusals: Tally<u64>,
    pub(super) actions: Tally<Calls>,
    /// Calls that a rule decided.
    pub(super) rules: Tally<u64>,
    pub(super) unknown: u64,
    /// The first of them.
    pub(super) named: Vec<Unknown>,
    pub(super) asked: u64,
    /// Alarms: lock-outs, changed factors and the like, by event.
    pub(super) alarms: Tally<u64>,
    /// Approvals by record, so that each counts once.
    approved: HashSet<String>,
    /// Calls that name an approval that is on no record.
    pub(super) unrecorded: HashSet<String>,
}

/// What somebody decided.
#[derive(Debug, Default)]
pub(super) struct Decider {
    pub(super) yes: u64,
    pub(super) no: u64,
    pub(super) hasty: u64,
    /// How long each decision took, milliseconds.
    pub(super) times: Vec<i64>,
}

/// What came of the calls of an action.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Calls {
    pub(super) done: u64,
    pub(super) failed: u64,
    pub(super) refused: u64,
    pub(super) unknown: u64,
}

impl Calls {
    pub(super) fn all(&self) -> u64 {
        self.done + self.failed + self.refused + self.unknown
    }
}

/// A call that may or may not have been carried out.
#[derive(Debug)]
pub(super) struct Unknown {
    pub(super) time: Timestamp,
    pub(super) call: String,
    pub(super) action: String,
    pub(super) secret: String,
    pub(super) code: String,
}

impl Figures {
    /// Counts one row.
    pub(crate) fn add(&mut self, row: &Row) {
        let time = row.time();
        self.from = Some(self.from.map_or(time, |from| from.min(time)));
        self.to = Some(self.to.map_or(time, |to| to.max(time)));
        if let Some(rule) = row.text("rule") {
            // The call that follows a yes counts, not the yes.
            let counts = !matches!(row.story(), Story::Approved | Story::Asked);
            *self.rules.of(rule) += u64::from(counts);
        }
        match row.story() {
            Story::Call | Story::Answered => self.call(row),
            Story::Refused => self.refused(row),
            Story::Approved | Story::Denied => self.decided(row),
            Story::Asked => self.asked += 1,
            Story::Other if row.event() == "suppressed" => self.suppressed(row),
            Story::Other => {
                let usual = ["start", "stop", "checkpoint", "rotate", "shown"];
                if !usual.contains(&row.event()) {
                    *self.alarms.of(row.event()) += 1;
                }
            }
        }
    }

    /// Remembers an approval, also one outside the time that is reported: its call may be inside.
    pub(crate) fn saw(&mut self, row: &Row) {
        if row.story() == Story::Approved
            && let Some(digest) = row.text("approval.record_digest")
            && self.approved.len() < DIGESTS
        {
            self.approved.insert(digest.to_owned());
        }
    }

    /// Once all rows are counted.
    pub(crate) fn finished(mut self) -> Self {
        let approved = std::mem::take(&mut self.approved);
        // Beyond that many nothing is known of those that are missing.
        let all = approved.len() < DIGESTS;
        self.unrecorded.retain(|digest| all && !approved.contains(digest));
        self
    }

    fn call(&mut self, row: &Row) {
        let calls = self.actions.of(row.text("action").unwrap_or("none"));
        match row.outcome() {
            Some(Outcome::Done) => calls.done += 1,
            Some(Outcome::Failed) => calls.failed += 1,
            Some(Outcome::Unknown) | None => calls.unknown += 1,
        }
        if row.outcome() == Some(Outcome::Unknown) {
            self.unknown(row);
        }
        if let Some(digest) = row.text("approval.record_digest")
            && row.text("approval.method") != Some("token")
            && self.unrecorded.len() < DIGESTS
        {
            self.unrecorded.insert(digest.to_owned());
        }
        let place = row.disclosed_to().and_then(|to| PLACES.iter().position(|place| *place == to));
        let Some(place) = place else { return };
        let day = row.time().to_zoned(TimeZone::UTC).date();
        if self.disclosed.len() < DAYS || self.disclosed.contains_key(&day) {
            add(self.disclosed.entry(day).or_default(), place);
        }
        add(self.secrets.of(row.secret().unwrap_or("none")), place);
    }

    fn unknown(&mut self, row: &Row) {
        self.unknown += 1;
        if self.named.len() < NAMED {
            let text = |path| row.text(path).unwrap_or_default().to_owned();
            self.named.push(Unknown {
                time: row.time(),
                call: row.call().unwrap_or_default(),
                action: text("action"),
                secret: row.secret().unwrap_or_default().to_owned(),
                code: text("code"),
            });
        }
    }

    fn refused(&mut self, row: &Row) {
        self.actions.of(row.text("action").unwrap_or("none")).refused += 1;
        let code = row.text("code").unwrap_or("no code");
        let why = match row.text("rule") {
            Some(rule) => format!("rule {rule}"),
            None => code.to_owned(),
        };
        *self.refusals.of(&why) += 1;
    }

    /// Counts refusals and alarms that are not on record one by one.
    fn suppressed(&mut self, row: &Row) {
        let codes = row.lines().iter().find_map(|line| line.at("suppressed.codes")?.as_object());
        for (code, count) in codes.into_iter().flatten() {
            let counted = match row.text("suppressed.event") {
                Some("denied") => self.refusals.of(&format!("{code}, only counted")),
                Some("challenge") => &mut self.asked,
                event => self.alarms.of(event.unwrap_or("suppressed")),
            };
            *counted = counted.saturating_add(count.as_u64().unwrap_or_default());
        }
    }

    fn decided(&mut self, row: &Row) {
        self.saw(row);
        let who = row.text("approval.who").unwrap_or("not known");
        // The same person on another terminal is the same person.
        let who = who.split(" at /dev/").next().unwrap_or(who);
        let how = row.text("approval.method").map(|method| format!(", {method}"));
        let decider = self.deciders.of(&format!("{who}{}", how.unwrap_or_default()));
        let yes = row.story() == Story::Approved;
        *(if yes { &mut decider.yes } else { &mut decider.no }) += 1;
        if let Some(took) = row.integer("approval.latency_ms") {
            decider.hasty += u64::from(yes && took < HASTY_MS);
            if decider.times.len() < TIMES {
                decider.times.push(took.max(0));
            }
        }
    }
}

fn add(counts: &mut [u64; PLACES.len()], place: usize) {
    if let Some(count) = counts.get_mut(place) {
        *count += 1;
    }
}

impl Decider {
    /// The fastest, the middle and the slowest decision, milliseconds.
    pub(super) fn spread(&self) -> Option<[i64; 3]> {
        let mut times = self.times.clone();
        times.sort_unstable();
        let middle = times.get(times.len() / 2)?;
        Some([*times.first()?, *middle, *times.last()?])
    }
}
