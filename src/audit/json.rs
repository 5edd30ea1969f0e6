//! A line of JSON as it stands, with what other parsers forgive still visible.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// JSON as our records use it: integers, strings, lists and objects. Anything else is an error.
#[derive(Debug)]
pub(super) enum Json {
    Integer(i128),
    Text(String),
    List(Vec<Json>),
    /// Members as they stand: two of one name stay two.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The member `name` of an object.
    pub(super) fn member(&self, name: &str) -> Option<&Json> {
        match self {
            Self::Object(members) => {
                members.iter().find_map(|(member, value)| (member == name).then_some(value))
            }
            Self::Integer(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// The member `name`, if it is a string.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.member(name)? {
            Json::Text(text) => Some(text),
            Json::Integer(_) | Json::List(_) | Json::Object(_) => None,
        }
    }

    /// The member `name`, if it is a count.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        match self.member(name)? {
            Json::Integer(number) => u64::try_from(*number).ok(),
            Json::Text(_) | Json::List(_) | Json::Object(_) => None,
        }
    }

    /// Whether an object, at any depth, names a member twice: two readers could then see two
    /// different records in one line.
    pub(super) fn repeats_a_member(&self) -> bool {
        match self {
            Self::Integer(_) | Self::Text(_) => false,
            Self::List(items) => items.iter().any(Self::repeats_a_member),
            Self::Object(members) => {
                let mut seen = HashSet::new();
                members
                    .iter()
                    .any(|(name, value)| !seen.insert(name.as_str()) || value.repeats_a_member())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl<'de> Visitor<'de> for Whole {
            type Value = Json;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer, a string, a list or an object")
            }
            fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
                Ok(Json::Integer(number.into()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
                Ok(Json::Integer(number.into()))
            }
            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Json::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = object.next_entry()? {
                    members.push(member);
                }
                Ok(Json::Object(members))
            }
        }
        deserializer.deserialize_any(Whole)
    }
}
