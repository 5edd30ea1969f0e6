//! A strict check of a value against the part of JSON Schema that tools use. A keyword it does
//! not know is a difference, so that no schema says more than is checked.

use serde_json::Value;

/// The places where `value` does not conform to `schema`.
pub(crate) fn differences(schema: &Value, value: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    check(schema, value, "", &mut wrong);
    wrong
}

fn check(schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let Some(keywords) = schema.as_object() else {
        wrong.push(format!("{at}: a schema is an object, not {schema}"));
        return;
    };
    let length = value
        .as_str()
        .map(|text| text.chars().count())
        .or_else(|| value.as_array().map(Vec::len))
        .or_else(|| value.as_object().map(serde_json::Map::len));
    let bound = |limit: &Value| usize::try_from(limit.as_u64().unwrap()).unwrap();
    for (keyword, rule) in keywords {
        let holds = match keyword.as_str() {
            "description" | "title" | "default" => true,
            "type" => is_of_type(rule.as_str().unwrap_or_default(), value),
            "enum" => rule.as_array().is_some_and(|choices| choices.contains(value)),
            "required" => {
                let names = rule.as_array().into_iter().flatten().filter_map(Value::as_str);
                names.into_iter().all(|name| value.get(name).is_some())
            }
            "minLength" | "minItems" => length.is_none_or(|length| length >= bound(rule)),
            "maxLength" | "maxItems" => length.is_none_or(|length| length <= bound(rule)),
            "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
            "maximum" => value.as_i64().is_none_or(|number| number <= rule.as_i64().unwrap()),
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(rule, item, &format!("{at}/{index}"), wrong);
                }
                true
            }
            // Members beyond these are differences too, unless the schema leaves them open: an
            // answer holds only what its schema names.
            "properties" => {
                for (name, member) in value.as_object().into_iter().flatten() {
                    match rule.get(name) {
                        Some(rule) => check(rule, member, &format!("{at}/{name}"), wrong),
                        None if keywords.get("additionalProperties")
                            == Some(&Value::Bool(true)) => {}
                        None => wrong.push(format!("{at}/{name} is not in the schema")),
                    }
                }
                true
            }
            "additionalProperties" if keywords.contains_key("properties") => rule.is_boolean(),
            "additionalProperties" => {
                rule == &Value::Bool(false)
                    && value.as_object().is_none_or(serde_json::Map::is_empty)
            }
            _ => {
                wrong.push(format!("{at}: `{keyword}` is a keyword that is not expected here"));
                true
            }
        };
        if !holds {
            wrong.push(format!("{at}: {value} breaks {keyword} {rule}"));
        }
    }
}

fn is_of_type(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => false,
    }
}

#[test]
fn a_wrong_value_is_noticed() {
    use serde_json::json;
    let schema = json!({ "type": "object", "required": ["A"], "properties": {
        "A": { "type": "string", "enum": ["x"] },
        "B": { "type": "array", "maxItems": 1, "items": { "type": "integer" } } } });
    for (value, wrong) in [
        (json!({ "A": "x", "B": [1] }), 0),
        (json!({ "B": [] }), 1),
        (json!({ "A": "y" }), 1),
        (json!({ "A": 1 }), 2),
        (json!({ "A": "x", "B": ["1", 2] }), 2),
        (json!({ "A": "x", "C": 1 }), 1),
        (json!([]), 2),
    ] {
        assert_eq!(differences(&schema, &value).len(), wrong, "{value}");
    }
    assert_eq!(differences(&json!({ "oneOf": [] }), &json!(1)).len(), 1);
}
