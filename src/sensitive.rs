//! [`Sensitive`]: a value that cannot be serialized, displayed, debugged or cloned by accident.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What stands in place of a value: the same for one byte and for 30,720.
pub(crate) const MASK: &str = "***";

/// A secret value, an `AccessKey` secret or an STS token.
///
/// It can be deserialized and opened, and nothing else: `Serialize`, `Display` and `Clone` are
/// missing on purpose, and `Debug` prints the mask.
///
/// The string is taken over in the memory it has, and that memory is wiped when it is dropped. Copies
/// that were made before, by TLS or by the parsers of HTTP and JSON, are not.
pub struct Sensitive(SecretBox<String>);

impl Sensitive {
    /// Takes over `value`; the string is moved, not copied.
    pub fn new(value: String) -> Self {
        Self(SecretBox::new(Box::new(value)))
    }

    /// Opens the value. Clippy refuses the call unless the caller says where the value goes.
    pub(crate) fn expose(&self) -> &str {
        #[expect(clippy::disallowed_methods, reason = "the one accessor, itself disallowed")]
        self.0.expose_secret()
    }

    /// What may be shown instead.
    pub fn mask(&self) -> Masked {
        Masked
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<'de> Deserialize<'de> for Sensitive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Opaque;
        impl serde::de::Visitor<'_> for Opaque {
            type Value = Sensitive;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_str<E>(self, value: &str) -> Result<Sensitive, E> {
                Ok(Sensitive::new(value.to_owned()))
            }
            fn visit_string<E>(self, value: String) -> Result<Sensitive, E> {
                Ok(Sensitive::new(value))
            }
        }
        deserializer.deserialize_string(Opaque)
    }
}

/// A masked value: always [`MASK`], so that nothing of the original can be read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Masked;

impl Serialize for Masked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

impl JsonSchema for Sensitive {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Sensitive".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": 30_720 })
    }
}

impl JsonSchema for Masked {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Masked".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_in_the_memory_it_was_read_into() {
        let mut value = String::with_capacity(64);
        value.push_str("hunter2-hunter2");
        let place = value.as_ptr();
        let value = Sensitive::new(value);
        #[expect(clippy::disallowed_methods, reason = "its address, in a test")]
        let kept = value.expose().as_ptr();
        assert_eq!(kept, place, "not copied");
    }

    #[test]
    fn debug_and_mask_say_nothing_of_the_value() {
        let value = Sensitive::new("hunter2-hunter2".into());
        assert_eq!(format!("{value:?}"), "***");
        assert_eq!(serde_json::to_string(&value.mask()).unwrap(), "\"***\"");
    }
}
