//! Comparing an envelope with what a case expects of it.

use serde_json::{Map, Value};

/// What stands for what is only known while the case runs.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) account: String,
    pub(crate) instance: String,
    pub(crate) key: String,
}

impl Known {
    /// Fills in what is known, and expands `$repeat`.
    pub(crate) fn fill(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => text
                .replace("{account}", &self.account)
                .replace("{instance}", &self.instance)
                .replace("{key}", &self.key)
                .into(),
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            Value::Object(members) => match members.get("$repeat") {
                Some(repeat) => {
                    let times = usize::try_from(repeat[1].as_u64().unwrap()).unwrap();
                    repeat[0].as_str().unwrap().repeat(times).into()
                }
                None => self.fill_all(members).into(),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    pub(crate) fn fill_all(&self, members: &Map<String, Value>) -> Map<String, Value> {
        members.iter().map(|(name, member)| (name.clone(), self.fill(member))).collect()
    }
}

/// How an object is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Given,
}

/// The differences between an envelope and what is expected.
pub(crate) fn differences(expected: &Map<String, Value>, found: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, wanted) in expected {
        let at = format!("/{name}");
        match (name.as_str(), found.get(name)) {
            (_, None) => wrong.push(format!("{at} is missing")),
            ("Error" | "Confirmation", Some(found)) => {
                compare(wanted, found, &at, Extent::Given, &mut wrong);
            }
            // Each note that is expected is among those found.
            ("Notes", Some(found)) => {
                let notes: Vec<&Value> = found.as_array().into_iter().flatten().collect();
                for note in wanted.as_array().unwrap() {
                    if !notes.iter().any(|found| scalar(note, found)) {
                        wrong.push(format!("no note is {note}: {found}"));
                    }
                }
            }
            (_, Some(found)) => compare(wanted, found, &at, Extent::Whole, &mut wrong),
        }
    }
    for name in ["Result", "Outcome", "Confirmation", "Error"] {
        if !expected.contains_key(name) && found.get(name).is_some() {
            wrong.push(format!("/{name} is not expected: {}", found[name]));
        }
    }
    wrong
}

fn compare(wanted: &Value, found: &Value, at: &str, extent: Extent, wrong: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (name, wanted) in wanted {
                let at = format!("{at}/{name}");
                match found.get(name) {
                    Some(found) => compare(wanted, found, &at, extent, wrong),
                    None => wrong.push(format!("{at} is missing")),
                }
            }
            if extent == Extent::Whole {
                for name in found.keys().filter(|name| !wanted.contains_key(*name)) {
                    wrong.push(format!("{at}/{name} is not expected: {}", found[name]));
                }
            }
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                compare(wanted, found, &format!("{at}/{index}"), extent, wrong);
            }
        }
        (wanted, found) if scalar(wanted, found) => {}
        (wanted, found) => wrong.push(format!("{at} is {found}, not {wanted}")),
    }
}

fn scalar(wanted: &Value, found: &Value) -> bool {
    let (Value::String(pattern), Value::String(text)) = (wanted, found) else {
        return wanted == found;
    };
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    match pattern.as_str() {
        "<text>" => !text.is_empty(),
        "<time>" => is_time(text),
        "<request-id>" => {
            text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
        }
        "<token>" => text.strip_prefix("ct_").is_some_and(|rest| rest.len() >= 40),
        "<match-code>" => text.split_once('-').is_some_and(|(number, word)| {
            digits(number, 2) && word.bytes().all(|b| b.is_ascii_uppercase())
        }),
        pattern => match pattern.strip_prefix("<contains ").and_then(|rest| rest.strip_suffix('>'))
        {
            Some(part) => text.contains(part),
            None => pattern == text,
        },
    }
}

/// RFC 3339, in the forms of KMS.
fn is_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    let shape = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(found, wanted)| {
                if wanted == b'0' { found.is_ascii_digit() } else { found == wanted }
            })
    };
    let Some(time) = time.strip_suffix('Z').or_else(|| time.strip_suffix("+08:00")) else {
        return false;
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    shape(date, "0000-00-00")
        && shape(clock, "00:00:00")
        && fraction.bytes().all(|b| b.is_ascii_digit())
}

#[test]
fn differences_are_found() {
    let object = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
    let found = serde_json::json!({ "Status": "error", "Notes": ["a", "b"],
        "Error": { "Code": "X", "Next": "y" }, "Result": { "At": "2026-01-02T03:04:05.5Z", "N": 1 } });
    for (expected, wrong) in [
        (
            r#"{"Status":"error","Error":{"Code":"X"},"Result":{"At":"<time>","N":1},"Notes":["b"]}"#,
            0,
        ),
        (r#"{"Error":{"Code":"Y"},"Result":{"At":"<time>","N":1}}"#, 1),
        (r#"{"Error":{"Code":"X","Changed":"no"},"Result":{"At":"<time>","N":1}}"#, 1),
        (r#"{"Error":{"Code":"X"},"Result":{"At":"<time>"}}"#, 1),
        (r#"{"Error":{"Code":"X"},"Result":{"At":"<token>","N":2}}"#, 2),
        (r#"{"Error":{"Code":"X"}}"#, 1),
        (r#"{"Error":{"Code":"X"},"Result":{"At":"<time>","N":1},"Outcome":"created"}"#, 1),
        (r#"{"Error":{"Code":"X"},"Result":{"At":"<time>","N":1},"Notes":["c"]}"#, 1),
    ] {
        assert_eq!(differences(&object(expected), &found).len(), wrong, "{expected}");
    }
}
