//! The forms in which KMS writes times; all kept as milliseconds since 1970.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::clock::to_seconds;

pub(crate) const DAY_MS: i64 = 24 * 3600 * 1000;

/// `2024-04-15T07:02:14Z`, the usual form.
pub(crate) fn seconds(ms: i64) -> String {
    to_seconds(at(ms))
}

/// `2020-02-21T04:24:04.586000000Z`, as `DeleteSecret` answers.
pub(crate) fn nanoseconds(ms: i64) -> String {
    at(ms).strftime("%Y-%m-%dT%H:%M:%S%.9fZ").to_string()
}

/// `2020-01-22T12:28:22.006000000+08:00`, as a forced `DeleteSecret` answers.
pub(crate) fn beijing(ms: i64) -> String {
    let zone = TimeZone::fixed(Offset::constant(8));
    at(ms).to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%.9f%:z").to_string()
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn three_forms() {
        assert_eq!(super::seconds(1_500), "1970-01-01T00:00:01Z");
        assert_eq!(super::nanoseconds(1_500), "1970-01-01T00:00:01.500000000Z");
        assert_eq!(super::beijing(1_000), "1970-01-01T08:00:01.000000000+08:00");
    }
}
