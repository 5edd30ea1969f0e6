//! [`Untrusted`]: text that others wrote. Data, never an instruction.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::text::is_hidden;

/// The longest text that is passed on, in characters.
const CAP: usize = 1024;

/// A string from upstream, made harmless while it is parsed: hidden characters (see [`is_hidden`])
/// are dropped, so are AccessKey ids, and the length is capped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Untrusted {
    text: String,
    #[serde(skip)]
    loss: Option<Loss>,
}

/// What cleaning took from a text. Who writes the text back as it was read destroys the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Its end, in characters.
    End { shown: usize, whole: usize },
    /// Some characters were replaced or left out.
    Characters,
}

impl Untrusted {
    /// Cleans `text`.
    pub(crate) fn new(text: &str) -> Self {
        Self::capped(text, CAP)
    }

    /// The same, cut after `cap` characters instead of 1,024.
    pub(crate) fn capped(text: &str, cap: usize) -> Self {
        let cleaned = without_access_keys(clean(text, cap));
        let whole = text.chars().count();
        let loss = if whole > cap && cleaned.chars().count() > cap {
            Some(Loss::End { shown: cap, whole })
        } else {
            (cleaned != text).then_some(Loss::Characters)
        };
        Self { text: cleaned, loss }
    }

    fn whole(text: String) -> Self {
        Self { text, loss: None }
    }

    /// To the agent, of the text of `member`: what of it is not shown.
    pub(crate) fn note(&self, member: &str) -> Option<String> {
        Some(match self.loss? {
            Loss::End { shown, whole } => format!(
                "{member} was cut: {shown} of its {whole} characters are shown. Do not write it back as it is here."
            ),
            Loss::Characters => format!(
                "{member} is not shown as it is stored: line breaks became spaces, and characters that are not seen or AccessKey ids were left out. Do not write it back as it is here."
            ),
        })
    }

    /// The clean text if it is one plain word, such as the id of a key: the only text of others that
    /// may stand in a sentence of ours.
    pub(crate) fn word(text: &str) -> Option<&str> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let fits = !text.is_empty() && text.len() <= 64 && text.bytes().all(plain);
        fits.then_some(text)
    }

    /// The clean text.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl<'de> Deserialize<'de> for Untrusted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// A number or boolean is taken as its text: KMS says which fields are strings, gateways
        /// do not always agree.
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Untrusted;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("text")
            }
            fn visit_str<E>(self, text: &str) -> Result<Untrusted, E> {
                Ok(Untrusted::new(text))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Untrusted, E> {
                Ok(Untrusted::whole(number.to_string()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Untrusted, E> {
                Ok(Untrusted::whole(number.to_string()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Untrusted, E> {
                Ok(Untrusted::whole(number.to_string()))
            }
            fn visit_bool<E>(self, truth: bool) -> Result<Untrusted, E> {
                Ok(Untrusted::whole(truth.to_string()))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl JsonSchema for Untrusted {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Untrusted".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// Keeps what is seen; a line break, a tab or another white space becomes a space.
fn clean(text: &str, cap: usize) -> String {
    let mut out = String::with_capacity(text.len().min(cap));
    for (kept, character) in text.chars().filter_map(visible).enumerate() {
        if kept == cap {
            out.push('…');
            break;
        }
        out.push(character);
    }
    out
}

fn visible(character: char) -> Option<char> {
    if character.is_whitespace() {
        return Some(' ');
    }
    (!is_hidden(character)).then_some(character)
}

/// An AccessKey id (`LTAI` and 12 to 26 letters or digits; `STS.` for temporary ones) becomes a
/// note. Tags and descriptions are where people leave them.
fn without_access_keys(text: String) -> String {
    if !text.contains("LTAI") && !text.contains("STS.") {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = ["LTAI", "STS."].iter().filter_map(|prefix| rest.find(prefix)).min() {
        let (before, found) = rest.split_at(at);
        let length = 4 + found.chars().skip(4).take_while(char::is_ascii_alphanumeric).count();
        out.push_str(before);
        let (key, after) = found.split_at(length);
        out.push_str(if length >= 16 { "[AccessKey removed]" } else { key });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_what_hides() {
        let text = "a\u{202E}b\u{200B}c\u{E0041}d\u{1b}]52;c;x\u{7}\r\ne";
        assert_eq!(Untrusted::new(text).as_str(), "abcd]52;c;x  e");
    }

    #[test]
    fn removes_access_keys_and_leaves_short_look_alikes() {
        let text = "key LTAI5tAbCdEfGhIjKlMnOp, LTAI is a prefix, STS.NUabcdefghijklmnop";
        assert_eq!(
            Untrusted::new(text).as_str(),
            "key [AccessKey removed], LTAI is a prefix, [AccessKey removed]"
        );
    }

    #[test]
    fn only_a_plain_word_may_stand_in_a_sentence() {
        assert_eq!(Untrusted::word("kst-hzz68c22f94iwd4k7v0jf"), Some("kst-hzz68c22f94iwd4k7v0jf"));
        let longest = "v".repeat(64);
        assert!(Untrusted::word(&longest).is_some());
        for other in ["", "two words", "a\u{200b}b", "x`y", "é", &format!("{longest}v")] {
            assert!(Untrusted::word(other).is_none(), "{other}");
        }
    }

    #[test]
    fn what_is_lost_is_said() {
        assert_eq!(Untrusted::new("数据库密码，每周轮换").note("Description"), None);
        let cut = Untrusted::new(&"x".repeat(2000)).note("Description").unwrap();
        assert!(cut.contains("1024 of its 2000 characters"), "{cut}");
        for changed in ["a\nb", "a\u{200d}b", "LTAI5tAbCdEfGhIjKlMnOp"] {
            let note = Untrusted::new(changed).note("Description").unwrap();
            assert!(note.starts_with("Description is not shown as it is stored"), "{note}");
        }
    }

    #[test]
    fn caps_the_length() {
        assert_eq!(Untrusted::new(&"x".repeat(5000)).as_str().chars().count(), CAP + 1);
    }
}
