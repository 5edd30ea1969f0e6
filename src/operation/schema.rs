//! JSON schemas from types, and the check that arguments conform to them.
//!
//! One schema serves both: what the agent reads is what is enforced. Checking before serde parses
//! lets an error name the field and what is allowed without serde's own text, which echoes input.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::Invalid;

/// The schema of `T`: no `$ref`, no titles, no nulls, no formats, so that every client accepts it.
pub(crate) fn input_schema<T: JsonSchema>() -> Value {
    plain(
        SchemaSettings::draft2020_12().for_deserialize(),
        &schemars::SchemaGenerator::into_root_schema_for::<T>,
    )
}

/// The same, of what is serialized.
pub(crate) fn output_schema<T: JsonSchema>() -> Value {
    plain(
        SchemaSettings::draft2020_12().for_serialize(),
        &schemars::SchemaGenerator::into_root_schema_for::<T>,
    )
}

fn plain(
    mut settings: SchemaSettings,
    root: &dyn Fn(schemars::SchemaGenerator) -> schemars::Schema,
) -> Value {
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = root(settings.into_generator()).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.remove("description");
    }
    simplify(&mut schema);
    schema
}

fn simplify(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    object.remove("title");
    object.remove("format");
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    fold_nullable(object);
    for key in ["properties"] {
        if let Some(Value::Object(properties)) = object.get_mut(key) {
            properties.values_mut().for_each(simplify);
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(key) {
            simplify(inner);
        }
    }
}

/// `anyOf [T, null]`, schemars' form of an optional inline type, becomes `T`.
fn fold_nullable(object: &mut Map<String, Value>) {
    let Some(Value::Array(mut choices)) = object.remove("anyOf") else { return };
    choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
    if choices.len() == 1
        && let Some(Value::Object(only)) = choices.pop()
    {
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
        return;
    }
    object.insert("anyOf".into(), Value::Array(choices));
}

/// Checks `value` against a schema made here.
///
/// # Errors
/// The first difference, with the path of the field and what is allowed there.
pub(crate) fn conform(schema: &Value, value: &Value) -> Result<(), Invalid> {
    check(schema, value, "")
}

/// The same, of a part: `path` stands before the field.
///
/// # Errors
/// As [`conform`].
pub(crate) fn conform_at(schema: &Value, value: &Value, path: &str) -> Result<(), Invalid> {
    check(schema, value, path)
}

fn check(schema: &Value, value: &Value, path: &str) -> Result<(), Invalid> {
    let Some(rules) = schema.as_object() else { return Ok(()) };
    let wrong = |allowed: String| Err(Invalid::new(named(path), allowed));
    if let Some(Value::Array(choices)) = rules.get("enum")
        && !choices.contains(value)
    {
        return wrong(format!("one of {}", list(choices)));
    }
    let kind = rules.get("type").and_then(Value::as_str).unwrap_or_default();
    match (kind, value) {
        ("object", Value::Object(members)) => check_object(rules, members, path),
        ("array", Value::Array(items)) => check_array(rules, items, path),
        ("string", Value::String(text)) => check_string(rules, text, path),
        ("integer", Value::Number(number)) if number.is_i64() || number.is_u64() => {
            check_number(rules, number.as_i64().unwrap_or(i64::MAX), path)
        }
        ("boolean", Value::Bool(_)) | ("number", Value::Number(_)) | ("", _) => Ok(()),
        (_, given) => wrong(expected(schema, given)),
    }
}

fn check_object(
    rules: &Map<String, Value>,
    members: &Map<String, Value>,
    path: &str,
) -> Result<(), Invalid> {
    let none = Map::new();
    let properties = rules.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for (name, member) in members {
        match properties.get(name) {
            Some(schema) => check(schema, member, &at(name))?,
            None => match rules.get("additionalProperties") {
                Some(Value::Bool(false)) => {
                    let known: Vec<&str> = properties.keys().map(String::as_str).collect();
                    return Err(Invalid::new(
                        at(&printable(name)),
                        format!("left out, it is not known here; known are {}", known.join(", ")),
                    ));
                }
                Some(schema) => check(schema, member, &at(&printable(name)))?,
                None => {}
            },
        }
    }
    for name in required(rules) {
        if !members.contains_key(name) {
            return Err(Invalid::new(at(name), "given, it is required"));
        }
    }
    if let Some(most) = limit(rules, "maxProperties")
        && i64::try_from(members.len()).unwrap_or(i64::MAX) > most
    {
        return Err(Invalid::new(named(path), format!("an object of at most {most} members")));
    }
    Ok(())
}

fn required(rules: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let names = rules.get("required").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str)
}

pub(super) fn is_required(rules: &Map<String, Value>, name: &str) -> bool {
    required(rules).any(|required| required == name)
}

fn check_array(rules: &Map<String, Value>, items: &[Value], path: &str) -> Result<(), Invalid> {
    let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let least = limit(rules, "minItems").unwrap_or(0);
    let most = limit(rules, "maxItems").unwrap_or(i64::MAX);
    if count < least || count > most {
        return Err(Invalid::new(named(path), format!("an array of {least} to {most} items")));
    }
    match rules.get("items") {
        Some(schema) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| check(schema, item, &format!("{path}[{index}]"))),
        None => Ok(()),
    }
}

fn check_string(rules: &Map<String, Value>, text: &str, path: &str) -> Result<(), Invalid> {
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let least = limit(rules, "minLength").unwrap_or(0);
    let most = limit(rules, "maxLength").unwrap_or(i64::MAX);
    if length < least || length > most {
        return Err(Invalid::new(named(path), format!("{least} to {most} characters long")));
    }
    Ok(())
}

fn check_number(rules: &Map<String, Value>, number: i64, path: &str) -> Result<(), Invalid> {
    let least = limit(rules, "minimum").unwrap_or(i64::MIN);
    let most = limit(rules, "maximum").unwrap_or(i64::MAX);
    if number < least || number > most {
        return Err(Invalid::new(named(path), format!("an integer from {least} to {most}")));
    }
    Ok(())
}

fn limit(rules: &Map<String, Value>, name: &str) -> Option<i64> {
    rules.get(name).and_then(Value::as_i64)
}

fn named(path: &str) -> String {
    if path.is_empty() { "arguments".into() } else { path.into() }
}

fn list(choices: &[Value]) -> String {
    choices
        .iter()
        .map(|choice| format!("`{}`", choice.as_str().unwrap_or_default()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// What to send instead. A client trained on the command line sends JSON as a string; it is shown
/// the right JSON, made from the schema, never from what it sent.
fn expected(schema: &Value, given: &Value) -> String {
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    match (kind, given) {
        ("boolean", Value::String(_)) => "a boolean: true or false, without quotes".into(),
        ("integer", Value::String(_)) => "an integer, without quotes".into(),
        ("array" | "object", Value::String(_)) => {
            format!("JSON, not a string that holds JSON: for example {}", example(schema))
        }
        ("array" | "object", _) => format!("of type {kind}: for example {}", example(schema)),
        ("integer", _) => "an integer".into(),
        ("string", Value::Array(_) | Value::Object(_)) => {
            "a string; JSON that belongs into it goes in as text".into()
        }
        _ => format!("a {kind}"),
    }
}

fn example(schema: &Value) -> Value {
    let first = ["examples", "enum"]
        .iter()
        .find_map(|key| schema.get(key).and_then(|choices| choices.get(0)));
    let first = first.or_else(|| schema.get("default"));
    match (first, schema.get("type").and_then(Value::as_str).unwrap_or_default()) {
        (Some(choice), _) => choice.clone(),
        (None, "object") => {
            let mut members = Map::new();
            if let Some(Value::Object(properties)) = schema.get("properties") {
                members
                    .extend(properties.iter().map(|(name, inner)| (name.clone(), example(inner))));
            } else if let Some(inner @ Value::Object(_)) = schema.get("additionalProperties") {
                members.insert("name".into(), example(inner));
            }
            Value::Object(members)
        }
        (None, "array") => json!([schema.get("items").map_or(Value::Null, example)]),
        (None, "integer") => json!(1),
        (None, "boolean") => json!(true),
        _ => json!("…"),
    }
}

/// A field name that came from outside, safe to repeat.
fn printable(name: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "_-.".contains(character);
    if !name.is_empty() && name.len() <= 64 && name.chars().all(plain) {
        name.into()
    } else {
        "(unprintable name)".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(value: &Value) -> String {
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["Name"],
            "properties": {
                "Name": { "type": "string", "minLength": 1, "maxLength": 4 },
                "Force": { "type": "boolean" },
                "Days": { "type": "integer", "minimum": 7, "maximum": 30 },
                "Kind": { "type": "string", "enum": ["a", "b"] },
                "Tags": { "type": "array", "maxItems": 2, "items": { "type": "object",
                    "additionalProperties": false, "properties": { "TagKey": { "type": "string" } } } },
                "Pairs": { "type": "object", "additionalProperties": { "type": "string" } },
                "Stages": { "type": "array", "default": ["ACSCurrent"], "items": { "type": "string" } },
            }
        });
        conform(&schema, value).map_or_else(|invalid| invalid.to_string(), |()| "fits".into())
    }

    #[test]
    fn names_the_field_and_what_is_allowed() {
        let cases = [
            (json!({ "Name": "x" }), "fits"),
            (json!({}), "`Name` must be given, it is required"),
            (json!({ "Name": "abcde" }), "`Name` must be 1 to 4 characters long"),
            (json!({ "Name": 5 }), "`Name` must be a string"),
            (json!({ "Name": null }), "`Name` must be a string"),
            (
                json!({ "Name": "x", "Stages": "a" }),
                r#"`Stages` must be JSON, not a string that holds JSON: for example ["ACSCurrent"]"#,
            ),
            (
                json!({ "Name": {} }),
                "`Name` must be a string; JSON that belongs into it goes in as text",
            ),
            (
                json!({ "Name": "x", "Pairs": "{}" }),
                r#"`Pairs` must be JSON, not a string that holds JSON: for example {"name":"…"}"#,
            ),
            (
                json!({ "Name": "x", "Force": "true" }),
                "`Force` must be a boolean: true or false, without quotes",
            ),
            (json!({ "Name": "x", "Days": 31 }), "`Days` must be an integer from 7 to 30"),
            (json!({ "Name": "x", "Days": 7.5 }), "`Days` must be an integer"),
            (json!({ "Name": "x", "Kind": "hunter2" }), "`Kind` must be one of `a`, `b`"),
            (
                json!({ "Name": "x", "Tags": "[]" }),
                r#"`Tags` must be JSON, not a string that holds JSON: for example [{"TagKey":"…"}]"#,
            ),
            (
                json!({ "Name": "x", "Tags": [{}, {}, {}] }),
                "`Tags` must be an array of 0 to 2 items",
            ),
            (
                json!({ "Name": "x", "Tags": [{ "TagKey": 1 }] }),
                "`Tags[0].TagKey` must be a string",
            ),
            (
                json!({ "Name": "x", "Nmae\u{202e}": 1 }),
                "`(unprintable name)` must be left out, it is not known here; known are Name, Force, Days, Kind, Tags, Pairs, Stages",
            ),
            (
                json!([]),
                r#"`arguments` must be of type object: for example {"Name":"…","Force":true,"Days":1,"Kind":"a","Tags":[{"TagKey":"…"}],"Pairs":{"name":"…"},"Stages":["ACSCurrent"]}"#,
            ),
        ];
        for (value, says) in cases {
            assert_eq!(refusal(&value), says);
        }
    }
}
