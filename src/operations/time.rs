//! [`Time`]: a time that KMS answers, parsed and written anew.

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::choices::UNKNOWN;
use crate::operation::{Confined, Echo};

/// RFC 3339 with any offset and up to nine digits of a fraction (facts/kms.md §1.2), shown in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    /// A point in time.
    At(Timestamp),
    /// An empty text, with which KMS says that there is none.
    None,
    /// Anything else: it is not shown.
    Unknown,
}

impl Confined for Time {}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let echo = Echo::deserialize(deserializer)?;
        Ok(match echo.heard() {
            "" => Self::None,
            text => text.parse().map_or(Self::Unknown, Self::At),
        })
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::At(time) => serializer.collect_str(time),
            Self::None => serializer.serialize_str(""),
            Self::Unknown => serializer.serialize_str(UNKNOWN),
        }
    }
}

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_anew_and_nothing_else_passes() {
        for (text, shown) in [
            ("2024-04-15T07:02:14Z", "2024-04-15T07:02:14Z"),
            ("2020-02-21T04:24:04.58616562Z", "2020-02-21T04:24:04.58616562Z"),
            ("2020-01-22T12:28:22.006884739+08:00", "2020-01-22T04:28:22.006884739Z"),
            ("", ""),
            ("2024-04-15", UNKNOWN),
            ("hunter2", UNKNOWN),
            ("2024-04-15T07:02:14Z hunter2", UNKNOWN),
        ] {
            let time: Time = serde_json::from_value(text.into()).unwrap();
            assert_eq!(serde_json::to_value(time).unwrap(), shown, "{text}");
        }
    }
}
