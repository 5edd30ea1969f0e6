//! [`Line`]: one record as it stands in a file.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::audit::record::ascii;

/// One record, with every member that it has.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    members: Map<String, Value>,
    /// Its `time`, or that of the record before it if it has none.
    time: Timestamp,
    place: Place,
}

/// Where a record stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// Name of the file in the folder.
    pub(crate) file: Arc<str>,
    /// Number of the line, from 1.
    pub(crate) line: u64,
    /// Bytes of the line.
    pub(crate) bytes: usize,
}

impl Line {
    /// The record in `line`, a line without its newline; none if it is no JSON object with an
    /// `event`. `before` is the time of a record that names none.
    pub(super) fn parse(line: &[u8], before: Timestamp, place: Place) -> Option<Self> {
        let members: Map<String, Value> = serde_json::from_slice(line).ok()?;
        members.get("event")?.as_str()?;
        let time = members.get("time").and_then(Value::as_str).and_then(|text| text.parse().ok());
        Some(Self { members, time: time.unwrap_or(before), place })
    }

    pub(crate) fn time(&self) -> Timestamp {
        self.time
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// What happened.
    pub(crate) fn event(&self) -> &str {
        self.text("event").unwrap_or_default()
    }

    /// The text at a path of members, such as `approval.who`; nothing counts as empty.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.at(path)?.as_str().filter(|text| !text.is_empty())
    }

    /// The integer at a path of members.
    pub(crate) fn integer(&self, path: &str) -> Option<i64> {
        self.at(path)?.as_i64()
    }

    /// What is at a path of members.
    pub(crate) fn at(&self, path: &str) -> Option<&Value> {
        let mut names = path.split('.');
        let first = self.members.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    }

    /// Every member, in the order in which they stand.
    pub(crate) fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// The record as one line of JSON, in printable ASCII.
    pub(crate) fn json(&self) -> String {
        ascii(&serde_json::to_string(&self.members).unwrap_or_default())
    }
}
