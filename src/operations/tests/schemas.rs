//! What holds for the schemas of every action.

use serde_json::Value;

use super::super::{Visit, catalogue};
use crate::operation::Operation;
use crate::operation::schema::{conform, input_schema, output_schema};

struct Schemas;

impl Visit for Schemas {
    type Entry = (&'static str, usize, Value, Value);
    fn visit<O: Operation>(&mut self) -> Self::Entry {
        let words = O::SPEC.action.len() + O::SPEC.summary.len();
        (O::SPEC.action, words, input_schema::<O::Input>(), output_schema::<O::View>())
    }
}

/// Walks every schema in `schema`.
fn each(schema: &Value, path: &str, visit: &mut dyn FnMut(&str, &serde_json::Map<String, Value>)) {
    let object = schema.as_object().unwrap_or_else(|| panic!("{path}: no object"));
    visit(path, object);
    for (name, inner) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
        each(inner, &format!("{path}.{name}"), visit);
    }
    if let Some(items) = object.get("items") {
        each(items, &format!("{path}[]"), visit);
    }
}

/// The keywords that `conform` holds, and those that ask nothing.
const KEYWORDS: [&str; 15] = [
    "additionalProperties",
    "default",
    "description",
    "enum",
    "examples",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "properties",
    "required",
];

/// An argument that breaks the limit `keyword` of its schema.
fn breaking(keyword: &str, schema: &serde_json::Map<String, Value>) -> Option<Value> {
    let limit =
        |by: i64| schema.get(keyword).and_then(Value::as_i64).map(|limit| limit.saturating_add(by));
    let count = |by| usize::try_from(limit(by)?).ok();
    let item = || schema.get("items").map_or(Value::Null, smallest);
    Some(match keyword {
        "enum" => "no such word".into(),
        "maxLength" => "x".repeat(count(1)?).into(),
        "minLength" => "x".repeat(count(-1)?).into(),
        "maximum" => limit(1)?.into(),
        "minimum" => limit(-1)?.into(),
        "maxItems" => vec![item(); count(1)?].into(),
        "minItems" => vec![item(); count(-1)?].into(),
        "maxProperties" => (0..=count(0)?).map(|n| (n.to_string(), Value::from("x"))).collect(),
        "additionalProperties" if schema.get(keyword) == Some(&Value::Bool(false)) => {
            serde_json::json!({ "NoSuchMember": 1 })
        }
        _ => return None,
    })
}

/// An argument that fits.
fn smallest(schema: &Value) -> Value {
    let first = schema.get("enum").and_then(|words| words.get(0));
    match (first, schema.get("type").and_then(Value::as_str).unwrap_or_default()) {
        (Some(word), _) => word.clone(),
        (None, "integer") => schema["minimum"].clone(),
        (None, "boolean") => true.into(),
        (None, "array") => {
            let least = schema["minItems"].as_u64().map_or(0, |n| usize::try_from(n).unwrap());
            vec![schema.get("items").map_or(Value::Null, smallest); least].into()
        }
        (None, "object") => {
            let names = schema["required"].as_array().into_iter().flatten();
            let member = |name: &str| (name.to_owned(), smallest(&schema["properties"][name]));
            names.filter_map(Value::as_str).map(member).collect()
        }
        _ => "x"
            .repeat(schema["minLength"].as_u64().map_or(0, |n| usize::try_from(n).unwrap()))
            .into(),
    }
}

#[test]
fn what_a_schema_lists_is_enforced() {
    for (action, _, input, _) in catalogue(&mut Schemas) {
        each(&input, action, &mut |path, schema| {
            for keyword in schema.keys().filter(|keyword| *keyword != "type") {
                assert!(
                    KEYWORDS.contains(&keyword.as_str()),
                    "{path}: `{keyword}` is not enforced"
                );
                let whole = Value::Object(schema.clone());
                if let Some(bad) = breaking(keyword, schema) {
                    assert!(conform(&whole, &bad).is_err(), "{path}: {keyword}");
                }
                let good = smallest(&whole);
                assert!(conform(&whole, &good).is_ok(), "{path}: {good}");
            }
            let member =
                ["properties", "additionalProperties"].iter().find_map(|it| schema.get(*it));
            assert!(
                schema["type"] != "object" || member.is_some(),
                "{path}: some front ends refuse an object without members"
            );
        });
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "sizes are paid for in every conversation")]
fn schemas_are_plain_and_short() {
    let mut inputs = 0;
    let mut outputs = 0;
    for (action, words, input, output) in catalogue(&mut Schemas) {
        each(&input, action, &mut |path, schema| {
            for key in ["$ref", "$defs", "anyOf", "oneOf", "allOf", "title", "format"] {
                assert!(!schema.contains_key(key), "{path}: {key}");
            }
            match schema.get("type").and_then(Value::as_str) {
                // The limits of a policy are in a schema of its own, which is not listed.
                Some("string" | "array" | "object") if path.contains(".Policy") => {}
                Some("string") if !schema.contains_key("enum") => {
                    assert!(schema.contains_key("maxLength"), "{path}: no limit");
                }
                Some("array") => assert!(schema.contains_key("maxItems"), "{path}: no limit"),
                Some("integer") => assert!(schema.contains_key("maximum"), "{path}: no limit"),
                Some("object") => {
                    let open = path.ends_with("CustomData");
                    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
                    assert!(closed || open, "{path}: takes unknown fields");
                }
                Some(_) => {}
                None => panic!("{path}: no type"),
            }
        });
        for schema in [&input, &output] {
            each(schema, action, &mut |path, schema| {
                let Some(text) = schema.get("description").and_then(Value::as_str) else { return };
                assert!(!text.contains('[') && !text.contains('`'), "{path}: rustdoc in `{text}`");
                assert!(!text.is_empty() && !text.ends_with('.'), "{path}: `{text}`");
            });
        }
        let (input, output) = (words + input.to_string().len(), output.to_string().len());
        println!("{action:28} {input:5} {output:5}");
        inputs += input;
        outputs += output;
    }
    println!("{:28} {inputs:5} {outputs:5}", "total");
    assert!(inputs <= 16_000, "{inputs}");
    assert!(outputs <= 16_000, "{outputs}");
}
