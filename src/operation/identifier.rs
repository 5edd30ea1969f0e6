//! [`Identifier`]: an id or ARN that KMS made.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::Untrusted;

/// What stands in place of a text that no id or ARN can be.
const NONE: &str = "[no id]";
/// The longest ARN: a name has 192 characters (facts/kms.md §1.1), the rest less than 64.
const LONGEST: usize = 256;

/// An id or ARN from upstream. Other text in its place is dropped: an answer that repeats the
/// request, with its signature, is no id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Identifier(Untrusted);

impl<'de> Deserialize<'de> for Identifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Untrusted::deserialize(deserializer)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/_+=.@*-".contains(&byte);
        let fits = text.as_str().len() <= LONGEST && text.as_str().bytes().all(plain);
        Ok(Self(if fits { text } else { Untrusted::new(NONE) }))
    }
}

impl JsonSchema for Identifier {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Identifier".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_arns_pass_and_sentences_do_not() {
        let read = |text: &str| {
            let read: Identifier = serde_json::from_value(text.into()).unwrap();
            serde_json::to_value(read).unwrap()
        };
        for id in ["", "kst-hzz1", "acs:kms:cn-hangzhou:1234567890123456:secret/a/b+c=d.e@f-g_h"] {
            assert_eq!(read(id), id);
        }
        for other in ["a b", "AccessKeyId=x&Signature=y%3D", "{\"a\":1}", &"k".repeat(257)] {
            assert_eq!(read(other), NONE, "{other}");
        }
    }
}
