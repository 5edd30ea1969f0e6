//! [`Clock`]: the time, passed in, so that expiry can be tested.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// Tells the time. Cheap to clone; every part of the program holds the same one.
#[derive(Clone)]
pub(crate) struct Clock {
    wall: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    steady: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl Clock {
    /// The clocks of the machine.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    pub(crate) fn system() -> Self {
        let start = std::time::Instant::now();
        Self { wall: Arc::new(Timestamp::now), steady: Arc::new(move || start.elapsed()) }
    }

    /// A clock that `read` moves; its steady time stands still.
    #[cfg(test)]
    pub(crate) fn from_fn(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { wall: Arc::new(read), steady: Arc::new(|| Duration::ZERO) }
    }

    /// The same, with a steady time that `read` moves.
    #[cfg(test)]
    pub(crate) fn with_steady(
        mut self,
        read: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        self.steady = Arc::new(read);
        self
    }

    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        (self.wall)()
    }

    /// Now, in milliseconds since 1970-01-01 UTC.
    pub(crate) fn now_ms(&self) -> i64 {
        self.now().as_millisecond()
    }

    /// Now, by both clocks.
    pub(crate) fn moment(&self) -> Moment {
        Moment { wall: self.now(), steady: (self.steady)() }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// A moment in the life of this process, by the wall clock and by one that nobody can set. It means
/// nothing to another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// By the wall clock.
    pub(crate) wall: Timestamp,
    /// Since the start of the process, by the monotonic clock.
    steady: Duration,
}

impl Moment {
    /// How long ago this was, at `now`: the longer of what the two clocks say. A wall clock that is
    /// set back makes nothing younger, and a machine that slept makes what waited older.
    pub(crate) fn age(self, now: Self) -> Duration {
        let wall = Duration::try_from(now.wall.duration_since(self.wall)).unwrap_or_default();
        wall.max(self.steady_age(now))
    }

    /// How long ago this was by the monotonic clock.
    pub(crate) fn steady_age(self, now: Self) -> Duration {
        now.steady.saturating_sub(self.steady)
    }
}

/// `YYYY-MM-DDTHH:MM:SSZ`, the form of the KMS API (facts/kms.md §1) and of our replies.
pub(crate) fn to_seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_as_old_as_the_clock_that_says_more() {
        let at = |wall, steady| Moment {
            wall: Timestamp::from_second(wall).unwrap(),
            steady: Duration::from_secs(steady),
        };
        let asked = at(1_000, 10);
        assert_eq!(asked.age(at(1_060, 70)), Duration::from_mins(1));
        assert_eq!(asked.age(at(400, 70)), Duration::from_mins(1), "set back");
        assert_eq!(asked.age(at(4_600, 20)), Duration::from_hours(1), "slept, or set forward");
    }
}
