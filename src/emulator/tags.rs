//! Tags: `[{"TagKey": "k", "TagValue": "v"}]`.

use std::collections::BTreeSet;

use rusqlite::{Transaction, params};
use serde::Deserialize;
use serde_json::Value;

use super::answer::Answer;
use super::error::Refusal;

const MOST: usize = 20;
const LONGEST: usize = 128;

/// One tag.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) tag_key: String,
    #[serde(default)]
    pub(crate) tag_value: String,
}

/// Reads the `Tags` parameter.
pub(crate) fn parse(text: Option<&str>) -> Result<Vec<Tag>, Refusal> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let tags: Vec<Tag> = serde_json::from_str(text).map_err(|_| Refusal::InvalidParameter)?;
    let keys: BTreeSet<&str> = tags.iter().map(|tag| tag.tag_key.as_str()).collect();
    let reserved =
        |key: &str| key.is_empty() || key.starts_with("aliyun") || key.starts_with("acs:");
    let valid = tags.len() <= MOST
        && keys.len() == tags.len()
        && !keys.into_iter().any(reserved)
        && tags.iter().all(|tag| plain(&tag.tag_key) && plain(&tag.tag_value));
    if valid { Ok(tags) } else { Err(Refusal::InvalidParameter) }
}

fn plain(text: &str) -> bool {
    text.chars().count() <= LONGEST
        && text.chars().all(|c| c.is_ascii_alphanumeric() || r"/\_-.+=:@".contains(c))
}

/// Stores the tags of a new secret.
pub(crate) fn insert(tx: &Transaction<'_>, secret: i64, tags: &[Tag]) -> Result<(), Refusal> {
    let mut insert = tx.prepare("INSERT INTO tag (secret, key, value) VALUES (?, ?, ?)")?;
    for tag in tags {
        insert.execute(params![secret, tag.tag_key, tag.tag_value])?;
    }
    Ok(())
}

/// `{"Tag": [..]}` of a secret.
pub(crate) fn of(tx: &Transaction<'_>, secret: i64) -> Result<Answer, Refusal> {
    let mut select = tx.prepare("SELECT key, value FROM tag WHERE secret = ? ORDER BY key")?;
    let tags = select.query_map([secret], |row| {
        let (key, value): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(Value::from(Answer::new().with("TagKey", key).with("TagValue", value)))
    })?;
    Ok(Answer::new().with("Tag", tags.collect::<Result<Vec<Value>, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_checked() {
        assert_eq!(parse(Some(r#"[{"TagKey":"k","TagValue":"v"}]"#)).unwrap().len(), 1);
        for wrong in [
            "{}",
            r#"[{"TagKey":"acs:k","TagValue":"v"}]"#,
            r#"[{"TagKey":"aliyunk","TagValue":"v"}]"#,
            r#"[{"TagKey":"a b","TagValue":"v"}]"#,
            r#"[{"TagKey":"k","TagValue":"v"},{"TagKey":"k","TagValue":"w"}]"#,
        ] {
            assert_eq!(parse(Some(wrong)), Err(Refusal::InvalidParameter), "{wrong}");
        }
    }
}
