//! What holds for the schemas of every action.

use serde_json::Value;

use super::super::{Visit, catalogue};
use crate::operation::Operation;
use crate::operation::schema::{input_schema, output_schema};

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
                Some("string") if !schema.contains_key("enum") => {
                    assert!(schema.contains_key("maxLength"), "{path}: no limit");
                }
                Some("array") => assert!(schema.contains_key("maxItems"), "{path}: no limit"),
                Some("integer") => assert!(schema.contains_key("maximum"), "{path}: no limit"),
                Some("object") => {
                    let open = path.ends_with(".Policy") || path.ends_with("CustomData");
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
