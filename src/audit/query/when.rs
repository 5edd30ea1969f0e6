//! [`When`]: a time as one types it.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A point in time, a day, or an age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// RFC 3339.
    At(Timestamp),
    /// A day in UTC.
    Day(Date),
    /// `90s`, `15m`, `2h`, `7d` or `4w` before now.
    Ago(SignedDuration),
}

impl When {
    /// From when on: a day counts from its start.
    pub(crate) fn since(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Day(date) => start(date),
            Self::At(at) => at,
            Self::Ago(span) => now.checked_sub(span).unwrap_or(Timestamp::MIN),
        }
    }

    /// Until when, that moment not included: a day counts to its end.
    pub(crate) fn until(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Day(date) => date.tomorrow().map_or(Timestamp::MAX, start),
            Self::At(_) | Self::Ago(_) => self.since(now),
        }
    }
}

fn start(date: Date) -> Timestamp {
    date.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |start| start.timestamp())
}

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        // jiff takes more than a date here; more could not be meant.
        if text.len() == 10
            && let Ok(date) = text.parse()
        {
            return Ok(Self::Day(date));
        }
        ago(text).map(Self::Ago).ok_or(
            "a time is RFC 3339 (2026-11-22T06:00:00Z), a day in UTC (2026-11-22), or an age (90s, 15m, 2h, 7d, 4w)",
        )
    }
}

fn ago(text: &str) -> Option<SignedDuration> {
    let seconds = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        _ => return None,
    };
    let count = text.strip_suffix(|_: char| true)?;
    let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    let count: i64 = digits.then(|| count.parse().ok()).flatten()?;
    Some(SignedDuration::from_secs(count.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_moment_a_day_or_so_long_ago() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        for (text, since, until) in [
            ("2026-11-20T01:02:03Z", "2026-11-20T01:02:03Z", "2026-11-20T01:02:03Z"),
            ("2026-11-20T01:02:03+08:00", "2026-11-19T17:02:03Z", "2026-11-19T17:02:03Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"),
            ("90s", "2026-11-22T11:58:30Z", "2026-11-22T11:58:30Z"),
            ("2h", "2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
            ("7d", "2026-11-15T12:00:00Z", "2026-11-15T12:00:00Z"),
        ] {
            let when: When = text.parse().unwrap();
            assert_eq!(when.since(now).to_string(), since, "{text}");
            assert_eq!(when.until(now).to_string(), until, "{text}");
        }
        assert_eq!("99999999w".parse::<When>().unwrap().since(now), Timestamp::MIN);
        for wrong in [
            "",
            "d",
            "-1d",
            "1.5h",
            "7",
            "7y",
            "yesterday",
            "2026-13-01",
            "9999999999999999999w",
            "７d",
        ] {
            assert!(wrong.parse::<When>().is_err(), "{wrong}");
        }
    }
}
