//! JSON for people to read.

use serde_json::Value;

use crate::text::{is_hidden, quoted};

/// A container that takes at most so many characters stands on one line.
const MAX_LINE_CHARACTERS: usize = 60;
/// Spaces for each level.
const INDENT: usize = 2;

/// `text` indented, with its strings escaped as [`quoted`] does, if it is an object or array.
///
/// `None` too if it would be read as something else than was written, such as an object in which a
/// name stands twice.
pub(crate) fn indented(text: &str) -> Option<String> {
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let value: Value = serde_json::from_str(text).ok()?;
    let read = value.to_string();
    (read == text).then(|| written(&value, 0))
}

/// A value in several lines, with all that is hidden in its strings as `\uXXXX`: still JSON, and
/// nothing that commands a terminal.
pub(crate) fn printable(value: &Value) -> String {
    let mut out = String::new();
    for character in format!("{value:#}").chars() {
        if character == '\n' || !is_hidden(character) {
            out.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

fn written(value: &Value, level: usize) -> String {
    let line = on_one_line(value);
    if line.chars().count() <= MAX_LINE_CHARACTERS {
        return line;
    }
    let (open, inner, close): (_, Vec<String>, _) = match value {
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{}: {}", quoted(name), written(value, level + 1))
            };
            ('{', members.iter().map(member).collect(), '}')
        }
        Value::Array(items) => {
            ('[', items.iter().map(|item| written(item, level + 1)).collect(), ']')
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return line,
    };
    let (outer, deeper) = (" ".repeat(level * INDENT), " ".repeat((level + 1) * INDENT));
    format!("{open}\n{deeper}{}\n{outer}{close}", inner.join(&format!(",\n{deeper}")))
}

fn on_one_line(value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", joined(items.iter().map(on_one_line).collect())),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{}: {}", quoted(name), on_one_line(value))
            };
            format!("{{{}}}", joined(members.iter().map(member).collect()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_indented() {
        let policy = r#"{"Version":"1","Statement":[{"Effect":"Deny","Principal":{"RAM":["acs:ram::1234:*"]},"Action":["kms:*"],"Resource":["*"]}]}"#;
        let lines = r#"{
  "Version": "1",
  "Statement": [
    {
      "Effect": "Deny",
      "Principal": {"RAM": ["acs:ram::1234:*"]},
      "Action": ["kms:*"],
      "Resource": ["*"]
    }
  ]
}"#;
        assert_eq!(indented(policy).unwrap(), lines);
        assert_eq!(indented(r#"["a"]"#).unwrap(), r#"["a"]"#);
    }

    #[test]
    fn what_would_be_read_otherwise_is_left_as_it_is() {
        for text in [r#"{"a":1,"a":2}"#, "[1,  2]", "{", "text", "\"text\"", "12", ""] {
            assert_eq!(indented(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_hidden_is_written_as_a_number() {
        let value = serde_json::json!({ "a": "b\u{202e}c\u{e0041}\n" });
        let text = printable(&value);
        assert_eq!(text, "{\n  \"a\": \"b\\u202ec\\udb40\\udc41\\n\"\n}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn strings_are_escaped() {
        assert_eq!(indented("[\"a\u{2800}b\u{202e}\"]").unwrap(), r#"["a\u{2800}b\u{202e}"]"#);
    }
}
