//! A good answer: members in order, absent ones left out instead of null.

use serde_json::{Map, Value};

/// The members of an answer.
#[derive(Debug, Default)]
pub(crate) struct Answer(Map<String, Value>);

impl Answer {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a member.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a member if there is a value.
    pub(crate) fn maybe(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a list in the API's form: `"Tags": {"Tag": [..]}`.
    pub(crate) fn list(self, outer: &str, inner: &str, items: Vec<Value>) -> Self {
        self.with(outer, Self::new().with(inner, items))
    }

    /// The members.
    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

impl From<Answer> for Value {
    fn from(answer: Answer) -> Self {
        Self::Object(answer.0)
    }
}
