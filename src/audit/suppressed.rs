//! [`Suppressor`]: which refusals and alarms are recorded one by one, and how many are only counted.
//!
//! A refusal costs the agent nothing, so nothing else would bound the log. What was sent is never
//! counted here.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::event::{Event, Kind};

/// Records of one event and level that are written before any is only counted.
const BURST: i64 = 100;
/// Milliseconds in which one more is written, over longer times: five a second.
const PACE_MS: i64 = 200;
/// Between a record that is only counted and the record that says how many.
const INTERVAL: Duration = Duration::from_secs(1);
/// Codes that are counted by name; the rest counts as [`OTHER`].
const MAX_CODES: usize = 16;
const OTHER: &str = "other";

/// Member `suppressed`: records of one event and level that are not in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Suppressed {
    /// Their event.
    pub(super) event: Kind,
    /// Level of confirmation that they asked for, if they did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) level: Option<String>,
    /// How many.
    pub(super) count: u64,
    /// When the first of them came.
    #[serde(serialize_with = "milliseconds")]
    pub(super) since: Timestamp,
    /// How many of each error code.
    pub(super) codes: BTreeMap<String, u64>,
}

/// Counts what comes too fast, each event and level by itself: a flood of refusals hides no alarm.
#[derive(Debug, Default)]
pub(super) struct Suppressor {
    classes: BTreeMap<(Kind, Option<String>), Class>,
}

#[derive(Debug, Default)]
struct Class {
    /// When all that was written would have been at the pace, in milliseconds since 1970.
    paced_ms: i64,
    counted: Option<Suppressed>,
}

impl Suppressor {
    /// Whether to write a record. If not, it is counted.
    pub(super) fn admits(&mut self, kind: Kind, event: &Event, now: Timestamp) -> bool {
        let now_ms = now.as_millisecond();
        let class = self.classes.entry((kind, event.level.clone())).or_default();
        // A clock that was set back must not silence the log until it is right again.
        class.paced_ms = class.paced_ms.clamp(now_ms, now_ms + BURST * PACE_MS);
        if class.paced_ms + PACE_MS <= now_ms + BURST * PACE_MS {
            class.paced_ms += PACE_MS;
            return true;
        }
        let counted = class.counted.get_or_insert_with(|| Suppressed {
            event: kind,
            level: event.level.clone(),
            count: 0,
            since: now,
            codes: BTreeMap::new(),
        });
        counted.count += 1;
        let code = event.code.as_deref().unwrap_or(OTHER);
        let known = counted.codes.contains_key(code) || counted.codes.len() < MAX_CODES;
        *counted.codes.entry(if known { code } else { OTHER }.to_owned()).or_default() += 1;
        false
    }

    /// In how long a count is to be recorded; none if there is nothing to record.
    pub(super) fn due_in(&self, now: Timestamp) -> Option<Duration> {
        let counted = self.classes.values().filter_map(|class| class.counted.as_ref());
        counted.map(|counted| due_in(counted, now)).min()
    }

    /// A count that is to be recorded now, or, if `all`, any. It starts anew.
    pub(super) fn take(&mut self, now: Timestamp, all: bool) -> Option<Suppressed> {
        let due = |counted: &mut Suppressed| all || due_in(counted, now).is_zero();
        self.classes.values_mut().find_map(|class| class.counted.take_if(due))
    }

    /// Takes a count back that found no room in the log.
    pub(super) fn give_back(&mut self, counted: Suppressed) {
        let class = self.classes.entry((counted.event, counted.level.clone())).or_default();
        class.counted = Some(counted);
    }
}

/// The wait is never longer than the interval, whatever became of the clock.
fn due_in(counted: &Suppressed, now: Timestamp) -> Duration {
    let passed = Duration::try_from(now.duration_since(counted.since)).unwrap_or(INTERVAL);
    INTERVAL.saturating_sub(passed)
}

fn milliseconds<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + ms).unwrap()
    }

    fn refused(code: &str) -> Event {
        Event { code: Some(code.into()), ..Event::default() }
    }

    /// Offers as many refusals at once; how many were written.
    fn offer(suppressor: &mut Suppressor, refusals: usize, now: Timestamp) -> usize {
        let one = refused("DeniedByPolicy");
        (0..refusals).filter(|_| suppressor.admits(Kind::Denied, &one, now)).count()
    }

    #[test]
    fn a_hundred_at_once_and_five_a_second_are_written() {
        let mut suppressor = Suppressor::default();
        assert_eq!(offer(&mut suppressor, 1_000, at(0)), 100);
        let seconds = (1..=60).map(|second| offer(&mut suppressor, 1_000, at(second * 1_000)));
        assert!(seconds.collect::<Vec<_>>().iter().all(|written| *written == 5));
        assert_eq!(offer(&mut suppressor, 1_000, at(3_600_000)), 100, "after a rest");
    }

    #[test]
    fn what_is_not_written_is_counted_by_code_and_told_once() {
        let mut suppressor = Suppressor::default();
        offer(&mut suppressor, 103, at(0));
        for code in 0..20 {
            assert!(!suppressor.admits(Kind::Denied, &refused(&format!("C{code:02}")), at(5)));
        }
        assert_eq!(suppressor.due_in(at(400)), Some(Duration::from_millis(600)));
        assert!(suppressor.take(at(999), false).is_none());
        let told = suppressor.take(at(1_000), false).unwrap();
        assert_eq!((told.event, told.count, told.since), (Kind::Denied, 23, at(0)));
        assert_eq!(told.codes.len(), MAX_CODES + 1);
        assert_eq!((told.codes["DeniedByPolicy"], told.codes[OTHER]), (3, 5));
        assert_eq!(told.codes.values().sum::<u64>(), told.count);
        assert!(suppressor.take(at(2_000), true).is_none());
        assert_eq!(suppressor.due_in(at(2_000)), None);
    }

    #[test]
    fn a_flood_of_one_event_hides_no_other() {
        let mut suppressor = Suppressor::default();
        offer(&mut suppressor, 1_000, at(0));
        assert!(suppressor.admits(Kind::EgressBlocked, &Event::default(), at(0)));
        let of = |level: &str| Event { level: Some(level.into()), ..Event::default() };
        for _ in 0..1_000 {
            suppressor.admits(Kind::Challenge, &of("token"), at(0));
        }
        assert!(suppressor.admits(Kind::Challenge, &of("person"), at(0)));
    }

    #[test]
    fn a_clock_that_is_set_back_silences_nothing() {
        let mut suppressor = Suppressor::default();
        offer(&mut suppressor, 1_000, at(86_400_000));
        assert_eq!(suppressor.due_in(at(0)), Some(Duration::ZERO));
        assert!(suppressor.take(at(0), false).is_some());
        assert_eq!(offer(&mut suppressor, 1, at(1_000)), 0);
        assert_eq!(offer(&mut suppressor, 9, at(1_200)), 1, "the pace goes on at once");
    }
}
