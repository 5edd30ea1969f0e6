//! [`Configuration`]: `ExtendedConfig` as KMS answers it, without what looks like a credential.
//!
//! `CustomData` holds pairs of people's own, and people leave passwords there. What looks like one
//! is masked; how it looks is all that counts, nothing is compared with a value.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::answer::JsonText;
use crate::operation::{Confined, Known};
use crate::sensitive::MASK;

/// Names, in lower case and without punctuation, of which one part suffices.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
    "apikey",
    "accesskey",
    "privatekey",
    "authorization",
    "connectionstring",
    "cookie",
];
/// The same, of which only the whole counts.
const WHOLE_NAMES: &[&str] = &["auth", "dsn", "key", "pass", "pin", "pw"];
/// How keys and tokens of common services begin.
const PREFIXES: &[&str] = &[
    "LTAI",
    "STS.",
    "AKIA",
    "ASIA",
    "AIza",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "sk-",
    "sk_live_",
    "eyJ",
    "Bearer ",
    "Basic ",
];
/// The shortest run of letters and digits that is looked at as a key.
const RUN: usize = 20;

/// The configuration of a managed secret, as JSON text.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, description = "")]
pub(crate) struct Configuration(JsonText);

/// The same in an answer that carries a value: as the call sent it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, description = "")]
pub(crate) struct KnownConfiguration(Configuration);

impl Confined for KnownConfiguration {}

impl From<Known> for KnownConfiguration {
    fn from(known: Known) -> Self {
        Self(Configuration::new(Value::String(known.as_str().to_owned())))
    }
}

impl<'de> Deserialize<'de> for Configuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::new)
    }
}

impl Configuration {
    /// As [`crate::operation::Untrusted::note`].
    pub(crate) fn note(&self, member: &str) -> Option<String> {
        self.0.note(member)
    }

    fn new(answered: Value) -> Self {
        let text = match answered {
            Value::String(text) if text.is_empty() => text,
            Value::String(text) => match serde_json::from_str(&text) {
                Ok(Value::Object(members)) => masked(members),
                Ok(_) | Err(_) => MASK.into(),
            },
            Value::Object(members) => masked(members),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => MASK.into(),
        };
        Self(JsonText::new(&text))
    }
}

fn masked(mut members: Map<String, Value>) -> String {
    if let Some(custom) = members.get_mut("CustomData") {
        clean("", custom);
    }
    Value::Object(members).to_string()
}

/// Masks what looks like a credential; JSON in a text is looked through as well.
fn clean(name: &str, value: &mut Value) {
    match value {
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| clean(name, value)),
        Value::Array(items) => items.iter_mut().for_each(|item| clean(name, item)),
        Value::String(text) => {
            if let Ok(mut inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text)
            {
                clean(name, &mut inner);
                *text = inner.to_string();
            } else if is_name(name) || is_credential(text) {
                MASK.clone_into(text);
            }
        }
        Value::Number(_) | Value::Bool(_) if is_name(name) => *value = MASK.into(),
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

fn is_name(name: &str) -> bool {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    WHOLE_NAMES.contains(&plain.as_str()) || NAMES.iter().any(|part| plain.contains(part))
}

fn is_credential(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let assigned = |name: &str| {
        lower.split(name).skip(1).any(|after| after.trim_start().starts_with(['=', ':']))
    };
    text.contains("-----BEGIN ")
        || text.split_whitespace().any(|word| PREFIXES.iter().any(|it| word.starts_with(it.trim())))
            && text.len() >= 12
        || NAMES.iter().any(|name| assigned(name))
        || has_user_info(text)
        || text.split(|c: char| !c.is_ascii_alphanumeric() && !"+/_".contains(c)).any(is_key)
}

/// `scheme://user:password@host`.
fn has_user_info(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    })
}

/// Random letters and digits: the kind of character changes more often than in words written
/// together, or all are hexadecimal.
fn is_key(run: &str) -> bool {
    let kind = |byte: u8| match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    };
    let changes = run.as_bytes().windows(2).filter(|pair| match pair {
        [one, other] => kind(*one) != kind(*other),
        _ => false,
    });
    let hex = run.len() >= 32 && run.bytes().all(|byte| byte.is_ascii_hexdigit());
    run.len() >= RUN && (hex || changes.count() * 2 >= run.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(answered: Value) -> Value {
        let read: Configuration = serde_json::from_value(answered).unwrap();
        serde_json::to_value(read).unwrap()
    }

    fn custom(name: &str, value: &str) -> String {
        let config = json!({ "SecretSubType": "SingleUser", "CustomData": { name: value } });
        shown(config.to_string().into()).as_str().unwrap().to_owned()
    }

    #[test]
    fn what_looks_like_a_credential_is_masked() {
        for (name, value) in [
            ("password", "x"),
            ("DB_Password_2", "x"),
            ("api-key", "x"),
            ("pin", "0417"),
            ("note", "LTAI5tAbCdEfGhIjKlMnOp"),
            ("note", "the key is ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
            ("note", "-----BEGIN PRIVATE KEY-----"),
            ("note", "password = hunter2"),
            ("url", "mysql://app:hunter2@db.example/x"),
            ("note", "wJ4lrXUtn9EM/K7mDe3NGbPx2RfiC8YqT5"),
            ("note", "5f4dcc3b5aa765d61d8327deb882cf99"),
            ("note", "eyJhbGciOiJIUzI1NiJ9.e30.abc"),
        ] {
            let shown = custom(name, value);
            assert!(shown.contains(&format!("\"{name}\":\"***\"")), "{name} {value}: {shown}");
        }
        let nested = custom("note", r#"{"AccountName":"app","AccountPassword":"hunter2"}"#);
        assert!(nested.contains("AccountName") && !nested.contains("hunter2"), "{nested}");
    }

    #[test]
    fn what_does_not_is_left_alone() {
        for (name, value) in [
            ("owner", "team-payments"),
            ("author", "Kim"),
            ("url", "https://wiki.example/page:1@2"),
            ("service", "MyVeryLongServiceName123"),
            ("instance", "rm-bp1x8v3w5k7d9f2h4"),
            ("ticket", "3f1c2a9e-1111-4222-8333-444455556666"),
            ("note", "rotate on Mondays"),
        ] {
            let shown = custom(name, value);
            assert!(shown.contains(value), "{name} {value}: {shown}");
        }
        let plain = json!({ "SecretSubType": "SingleUser", "CustomData": {} }).to_string();
        assert_eq!(shown(plain.clone().into()), plain);
        assert_eq!(shown("".into()), "");
    }

    #[test]
    fn what_cannot_be_read_is_masked() {
        for odd in [json!("{\"CustomData\":{\"password\":\"hunter2\""), json!([1]), json!(5)] {
            assert_eq!(shown(odd), MASK);
        }
    }
}
