//! A line of JSON as it stands, with what other parsers forgive still visible.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Members up to which comparing each with each is faster than a set.
const FEW: usize = 24;

/// JSON as our records use it: integers, strings, lists and objects. Anything else is an error.
#[derive(Debug)]
pub(super) enum Json<'a> {
    Integer(i128),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    /// Members as they stand: two of one name stay two.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl Json<'_> {
    /// The member `name` of an object.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
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
                repeats(members) || members.iter().any(|(_, value)| value.repeats_a_member())
            }
        }
    }
}

fn repeats(members: &[(Cow<'_, str>, Json<'_>)]) -> bool {
    if members.len() > FEW {
        let mut seen = HashSet::new();
        return members.iter().any(|(name, _)| !seen.insert(name));
    }
    let earlier = |at: usize| members.iter().take(at);
    members.iter().enumerate().any(|(at, (name, _))| earlier(at).any(|(other, _)| other == name))
}

/// A string, borrowed from the line where it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::Text(text) => Ok(Self(text)),
            Json::Integer(_) | Json::List(_) | Json::Object(_) => {
                Err(serde::de::Error::custom("a member's name is a string"))
            }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl<'de> Visitor<'de> for Whole {
            type Value = Json<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer, a string, a list or an object")
            }
            fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
                Ok(Json::Integer(number.into()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
                Ok(Json::Integer(number.into()))
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
                Ok(Json::Text(text.into()))
            }
            fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
                Ok(Json::Text(text.to_owned().into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json<'de>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Json::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = object.next_entry()? {
                    members.push((name, value));
                }
                Ok(Json::Object(members))
            }
        }
        deserializer.deserialize_any(Whole)
    }
}
