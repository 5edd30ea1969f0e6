//! [`choices!`]: a closed set of words, each with its name on the wire, said once.

/// One of a closed set of words.
pub(crate) trait Choice: Copy {
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
            fn name(self) -> &'static str {
                match self {
                    $(Self::$Choice => $name,)*
                }
            }
        }
    )* };
}
pub(crate) use choices;
