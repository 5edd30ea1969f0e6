//! [`answer!`]: the shape of what KMS answers, which is also what the agent sees of it.

use serde::{Deserialize, Deserializer, Serialize};

use crate::operation::{Confined, Untrusted};

/// Declares answers under their KMS names. Every field is optional, because KMS leaves out what does
/// not apply and a new or missing field must not turn a success into an error; text is `Untrusted`.
macro_rules! answer {
    ($($(#[$of_struct:meta])* struct $Name:ident {
        $($(#[$of_field:meta])* $field:ident: $Type:ty,)*
    })*) => { $(
        $(#[$of_struct])*
        #[derive(Debug, serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
        #[serde(rename_all = "PascalCase")]
        #[schemars(inline)]
        pub(crate) struct $Name {
            $(
                $(#[$of_field])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub(crate) $field: Option<$Type>,
            )*
        }
    )* };
}
pub(crate) use answer;

/// Declares what is shown of an answer that carries a value: a member that could hold any text does
/// not compile.
macro_rules! confined {
    ($(#[$of_struct:meta])* struct $Name:ident {
        $($(#[$of_field:meta])* $field:ident: $Type:ty,)*
    }) => {
        $(#[$of_struct])*
        #[derive(Debug, serde::Serialize, schemars::JsonSchema)]
        #[serde(rename_all = "PascalCase")]
        #[schemars(inline)]
        pub(crate) struct $Name {
            $(
                $(#[$of_field])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub(crate) $field: Option<$Type>,
            )*
        }

        const _: () = {
            const fn is_confined<T: crate::operation::Confined>() {}
            $(is_confined::<$Type>();)*
        };
    };
}
pub(crate) use confined;

/// JSON that KMS answers as text: cleaned like any other, but cut no shorter than KMS makes it
/// (a policy, 32,768 bytes), for half of it is of no use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
#[schemars(inline, description = "")]
pub(crate) struct JsonText(Untrusted);

impl JsonText {
    /// As [`Untrusted::note`].
    pub(crate) fn note(&self, member: &str) -> Option<String> {
        self.0.note(member)
    }

    /// Cleans `text`.
    pub(crate) fn new(text: &str) -> Self {
        Self(Untrusted::capped(text, 32_768))
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = serde_json::Value::deserialize(deserializer)?;
        let text = json.as_str().map_or_else(|| json.to_string(), ToOwned::to_owned);
        Ok(Self::new(&text))
    }
}

/// A number, which some gateways send as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
#[schemars(inline, description = "")]
pub(crate) struct Count(u64);

impl Count {
    /// The number.
    pub(crate) fn get(self) -> u64 {
        self.0
    }

    #[cfg(test)]
    pub(crate) fn of(number: u64) -> Self {
        Self(number)
    }
}

impl Confined for Count {}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u64),
            Text(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(number) => Ok(Self(number)),
            Either::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}
