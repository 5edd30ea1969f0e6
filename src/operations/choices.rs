//! [`choices!`]: a closed set of words, each with its name on the wire, said once; and [`Word`], one
//! of them in an answer.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::operation::{Confined, Echo};

/// What stands in an answer in place of a word, time or interval that is none.
pub(crate) const UNKNOWN: &str = "unknown";

/// One of a closed set of words.
pub(crate) trait Choice: Copy + 'static {
    /// All of them.
    const ALL: &'static [Self];
    /// Its name on the wire.
    fn name(self) -> &'static str;
}

/// Declares sets of words. Doc comments are for the agent, as in every input.
macro_rules! choices {
    ($($(#[$of_enum:meta])* enum $Name:ident { $($Choice:ident = $name:literal,)* })*) => { $(
        $(#[$of_enum])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
        #[schemars(inline)]
        pub(crate) enum $Name {
            $(#[serde(rename = $name)] $Choice,)*
        }

        impl super::choices::Choice for $Name {
            const ALL: &'static [Self] = &[$(Self::$Choice,)*];
            fn name(self) -> &'static str {
                match self {
                    $(Self::$Choice => $name,)*
                }
            }
        }
    )* };
}
pub(crate) use choices;

/// A word of KMS that passes only if it is one of `C`, in whatever case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word<C> {
    /// One of them.
    Known(C),
    /// Anything else: it is not shown.
    Unknown,
}

impl<C: Choice> Confined for Word<C> {}

impl<'de, C: Choice> Deserialize<'de> for Word<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let echo = Echo::deserialize(deserializer)?;
        let known = C::ALL.iter().find(|word| word.name().eq_ignore_ascii_case(echo.heard()));
        Ok(known.map_or(Self::Unknown, |word| Self::Known(*word)))
    }
}

impl<C: Choice> Serialize for Word<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Known(word) => word.name(),
            Self::Unknown => UNKNOWN,
        })
    }
}

impl<C> JsonSchema for Word<C> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Word".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}
