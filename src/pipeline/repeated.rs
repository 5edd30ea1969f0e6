//! A value that its own call repeats elsewhere: it would stand in the log or on the screen.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::hex;
use crate::operation::Invalid;
use crate::text::is_hidden;

/// The argument that holds a value inline. A value from a source is never compared with what the
/// agent wrote: the refusal would tell whether a guess is right.
const VALUE: &str = "SecretData";
/// Shorter values stand in other texts by chance. In characters.
const MIN_CHARS: usize = 8;
/// Members of a JSON value that hold the credential itself. A user name may well be repeated:
/// `ExtendedConfig.AccountName` must be.
const CREDENTIALS: [&str; 4] = ["password", "secret", "privatekey", "token"];

/// Refuses a call with an inline value of 8 characters or more that stands, as it is or encoded, in
/// another of its arguments.
pub(super) fn refuse_repeated_value(arguments: &Map<String, Value>) -> Result<(), Invalid> {
    let Some(value) = arguments.get(VALUE).and_then(Value::as_str) else { return Ok(()) };
    let mut needles = Needles::default();
    needles.add(value);
    if let Ok(json) = serde_json::from_str(value) {
        needles.add_credentials(&json, false);
    }
    let mut others = arguments.iter().filter(|(name, _)| *name != VALUE);
    match others.find_map(|(name, argument)| needles.find(argument, name)) {
        Some(field) => Err(Invalid::new(
            field,
            "something else: it repeats the value, and would be shown and logged",
        )),
        None => Ok(()),
    }
}

/// A value in the forms in which it may be repeated, in lower case.
#[derive(Default)]
struct Needles(Vec<Zeroizing<String>>);

impl Needles {
    fn add(&mut self, value: &str) {
        if value.chars().count() < MIN_CHARS {
            return;
        }
        let forms = [
            value.to_owned(),
            STANDARD_NO_PAD.encode(value),
            URL_SAFE_NO_PAD.encode(value),
            hex::encode(value.as_bytes()),
            percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC)
                .to_string(),
        ];
        let folded = forms.map(|form| Zeroizing::new(folded(&Zeroizing::new(form))));
        // Blanks are in every text.
        self.0.extend(folded.into_iter().filter(|form| form.chars().count() >= MIN_CHARS));
    }

    fn add_credentials(&mut self, json: &Value, is_credential: bool) {
        match json {
            Value::String(text) if is_credential => self.add(text),
            Value::Array(items) => {
                for item in items {
                    self.add_credentials(item, is_credential);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    let name = name.to_ascii_lowercase();
                    let is = CREDENTIALS.iter().any(|credential| name.contains(credential));
                    self.add_credentials(member, is);
                }
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn hit(&self, text: &str) -> bool {
        let text = Zeroizing::new(folded(text));
        self.0.iter().any(|needle| text.contains(needle.as_str()))
    }

    /// The path of the argument that repeats the value, without a name that does.
    fn find(&self, argument: &Value, path: &str) -> Option<String> {
        match argument {
            Value::String(text) => self.hit(text).then(|| path.to_owned()),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .find_map(|(index, item)| self.find(item, &format!("{path}[{index}]"))),
            Value::Object(members) => members.iter().find_map(|(name, member)| {
                if self.hit(name) {
                    return Some(path.to_owned());
                }
                self.find(member, &format!("{path}.{name}"))
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }
}

/// Without regard to case, white space, and what nobody sees: it is dropped wherever text is shown.
fn folded(text: &str) -> String {
    let seen = |c: &char| !c.is_whitespace() && !is_hidden(*c);
    text.chars().filter(seen).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(arguments: &Value) -> Option<String> {
        refuse_repeated_value(arguments.as_object().unwrap()).err().map(|invalid| invalid.field)
    }

    #[test]
    fn an_argument_that_repeats_the_value_is_named() {
        let value = "Zq7-plum-Quartz";
        let encoded = STANDARD_NO_PAD.encode(value);
        for (other, field) in [
            (json!({ "Reason": "store Zq7-plum-Quartz now" }), "Reason"),
            (json!({ "Reason": "ZQ7-PLUM-QUARTZ" }), "Reason"),
            (json!({ "SecretName": "app/Zq7-plum-Quartz" }), "SecretName"),
            (json!({ "Description": format!("it is {encoded}==") }), "Description"),
            (json!({ "Description": "Zq7%2Dplum%2DQuartz" }), "Description"),
            (json!({ "Description": "Zq7-plum\n-Quartz" }), "Description"),
            (json!({ "Description": "Zq7-pl\u{200b}u\u{fe0f}m-Quartz" }), "Description"),
            (json!({ "Tags": [{ "TagKey": "k", "TagValue": value }] }), "Tags[0].TagValue"),
            (
                json!({ "ExtendedConfig": { "CustomData": { value: "x" } } }),
                "ExtendedConfig.CustomData",
            ),
        ] {
            let mut arguments = other;
            arguments["SecretData"] = value.into();
            assert_eq!(refused(&arguments).as_deref(), Some(field));
        }
        let managed = json!({ "SecretData": r#"{"AccountName":"app-user-1","AccountPassword":"Hunter2Hunter2"}"#,
            "ExtendedConfig": { "AccountName": "app-user-1" } });
        assert_eq!(refused(&managed), None);
        let mut repeats = managed;
        repeats["Reason"] = "the password is hunter2hunter2".into();
        assert_eq!(refused(&repeats).as_deref(), Some("Reason"));
    }

    #[test]
    fn what_is_short_or_from_a_source_is_not_compared() {
        assert_eq!(refused(&json!({ "SecretData": "1234567", "Reason": "1234567" })), None);
        assert_eq!(refused(&json!({ "SecretData": "          ", "Reason": "a b" })), None);
        let source =
            json!({ "SecretDataSource": { "File": "db-password" }, "Reason": "db-password" });
        assert_eq!(refused(&source), None);
        assert_eq!(
            refused(&json!({ "SecretData": "Zq7-plum-Quartz", "Reason": "Zq7-plum" })),
            None
        );
    }
}
