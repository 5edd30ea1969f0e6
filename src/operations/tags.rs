//! [`Tags`] given to a secret or key, and [`TagList`], how KMS answers them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::answer;
use crate::operation::{Invalid, Untrusted};

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(crate) struct Tags(#[schemars(length(max = 20))] Vec<Pair>);

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[schemars(inline)]
struct Pair {
    #[schemars(length(min = 1, max = 128))]
    tag_key: String,
    #[schemars(length(max = 128))]
    tag_value: String,
}

impl Tags {
    /// Key and value of each, for policies.
    pub(crate) fn pairs(tags: Option<&Self>) -> Vec<(String, String)> {
        let pair = |tag: &Pair| (tag.tag_key.clone(), tag.tag_value.clone());
        tags.map(|tags| tags.0.iter().map(pair).collect()).unwrap_or_default()
    }

    /// At most 20 of at most 128 characters each (facts/kms.md §1.1); the schema holds the numbers.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        for (index, tag) in self.0.iter().enumerate() {
            if !fits(&tag.tag_key)
                || ["aliyun", "acs:"].iter().any(|own| tag.tag_key.starts_with(own))
            {
                return Err(Invalid::new(
                    format!("Tags[{index}].TagKey"),
                    r"of the characters A-Z a-z 0-9 /\_-.+=:@, not beginning with aliyun or acs:",
                ));
            }
            if !fits(&tag.tag_value) {
                return Err(Invalid::new(
                    format!("Tags[{index}].TagValue"),
                    r"of the characters A-Z a-z 0-9 /\_-.+=:@",
                ));
            }
            let before = self.0.iter().take(index);
            if before.into_iter().any(|other| other.tag_key == tag.tag_key) {
                return Err(Invalid::new(
                    format!("Tags[{index}].TagKey"),
                    "another than those before it: a key has one value",
                ));
            }
        }
        Ok(())
    }
}

fn fits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || br"/\_-.+=:@".contains(&byte))
}

answer! {
    /// Untrusted text
    struct TagList {
        tag: Vec<TagText>,
    }

    struct TagText {
        tag_key: Untrusted,
        tag_value: Untrusted,
    }
}

impl TagList {
    /// As [`Untrusted::note`], of all tags together.
    pub(super) fn note(&self) -> Option<String> {
        let tags = self.tag.iter().flatten();
        let texts = tags.flat_map(|tag| tag.tag_key.iter().chain(&tag.tag_value));
        texts.into_iter().find_map(|text| text.note("Tags"))
    }
}
