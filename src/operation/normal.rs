//! Arguments in one form: what clients write for an argument they leave out is left out.
//!
//! CrewAI, Langflow and others send null for each optional argument that the model did not give,
//! opencode and some models send `""` or `[]`. The model sees none of it and cannot stop it.

use serde_json::{Map, Number, Value};

use super::schema::is_required;

/// The value of a secret: empty text there is a mistake to be named, not an argument left out, unless
/// the call says where the value is to be taken from.
const VALUE: &str = "SecretData";
const SOURCE: &str = "SecretDataSource";

/// Removes from `arguments` each optional member that says nothing: null, an empty list, and empty
/// text unless `schema` allows it. Where it does, empty text means something, as for a description
/// that is cleared. A number without a fraction becomes an integer where one is asked for: to JSON
/// Schema `7.0` is one.
pub(crate) fn normalize(schema: &Value, arguments: &mut Value) {
    match arguments {
        Value::Object(members) => {
            let Some(rules) = schema.as_object() else { return };
            let Some(Value::Object(properties)) = rules.get("properties") else { return };
            let has_source = members.get(SOURCE).is_some_and(|source| !is_empty(source));
            members.retain(|name, member| {
                let Some(schema) = properties.get(name) else { return true };
                let is_value = name == VALUE && !has_source && !member.is_null();
                if !is_required(rules, name) && !is_value && says_nothing(schema, member) {
                    return false;
                }
                normalize(schema, member);
                true
            });
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for item in items {
                    normalize(schema, item);
                }
            }
        }
        Value::Number(number) if schema.get("type").is_some_and(|kind| kind == "integer") => {
            if let Some(whole) = whole(number) {
                *number = whole;
            }
        }
        Value::Number(_) | Value::String(_) | Value::Bool(_) | Value::Null => {}
    }
}

fn says_nothing(schema: &Value, member: &Value) -> bool {
    let means_something = member == "" && schema["type"] == "string" && !forbids_empty(schema);
    is_empty(member) && !means_something
}

/// Null, `""` or `[]`.
fn is_empty(member: &Value) -> bool {
    match member {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

fn forbids_empty(schema: &Value) -> bool {
    schema.get("enum").is_some() || schema["minLength"].as_u64().is_some_and(|least| least > 0)
}

/// `7` of `7.0`, up to the largest integer that every client can write.
fn whole(number: &Number) -> Option<Number> {
    const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;
    let float = number.as_f64().filter(|_| number.is_f64())?;
    let fits = float.fract() == 0.0 && float.abs() <= MAX_SAFE_INTEGER;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and below 2^53")]
    fits.then(|| Number::from(float as i64))
}

/// Takes out what some clients add to the arguments of every call. None of these names is an
/// argument of a tool, or close to one, so nothing that was meant for us is passed over.
pub(crate) fn without_additions_of_clients(arguments: &mut Map<String, Value>) {
    arguments.retain(|name, _| !ADDED_BY_CLIENTS.contains(&name.as_str()));
}

/// `_meta` is MCP's own name, for what a client attaches; n8n adds the others and cannot be told
/// not to (n8n-io/n8n#21500, #22787).
const ADDED_BY_CLIENTS: [&str; 5] = ["_meta", "toolCallId", "sessionId", "action", "chatInput"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn normal(mut arguments: Value) -> Value {
        let schema = json!({ "type": "object", "required": ["Name"], "properties": {
            "Name": { "type": "string", "minLength": 1 },
            "SecretData": { "type": "string", "minLength": 1 },
            "SecretDataSource": { "type": "object", "properties": {} },
            "Stage": { "type": "string", "minLength": 1 },
            "Kind": { "type": "string", "enum": ["a"] },
            "Description": { "type": "string", "maxLength": 9 },
            "Days": { "type": "integer" },
            "Force": { "type": "boolean" },
            "Tags": { "type": "array", "items": { "type": "object", "required": ["Key"],
                "properties": { "Key": { "type": "string" }, "Note": { "type": "string" } } } },
            "Data": { "type": "object", "additionalProperties": { "type": "string" } },
        } });
        normalize(&schema, &mut arguments);
        arguments
    }

    #[test]
    fn an_optional_argument_that_says_nothing_is_left_out() {
        let nothing = json!({ "Name": "n", "SecretData": null, "Stage": "", "Kind": "", "Days": null,
            "Force": null, "Tags": [], "Data": null, "Description": null });
        assert_eq!(normal(nothing), json!({ "Name": "n" }));
        // Whatever type it is of.
        let other = json!({ "Name": "n", "Force": "", "Days": [], "Stage": [], "Tags": "", "Data": "",
            "Kind": [], "SecretDataSource": "" });
        assert_eq!(normal(other), json!({ "Name": "n" }));
        let beside = json!({ "Name": "n", "SecretData": "", "SecretDataSource": { "Env": "A" } });
        assert_eq!(normal(beside), json!({ "Name": "n", "SecretDataSource": { "Env": "A" } }));
        let nested = json!({ "Name": "n", "Tags": [{ "Key": "k", "Note": null }] });
        assert_eq!(normal(nested), json!({ "Name": "n", "Tags": [{ "Key": "k" }] }));
    }

    #[test]
    fn what_means_something_stays() {
        for meant in [
            json!({ "Name": null }),
            json!({ "Name": "" }),
            json!({ "SecretData": "" }),
            json!({ "SecretData": [] }),
            json!({ "Description": "" }),
            json!({ "Data": {} }),
            json!({ "Data": { "a": null } }),
            json!({ "Tags": [{ "Key": null }] }),
            json!({ "Unknown": null }),
            json!({ "Days": 7.5 }),
            json!({ "Days": 1e300 }),
        ] {
            assert_eq!(normal(meant.clone()), meant);
        }
    }

    #[test]
    fn a_number_without_a_fraction_is_an_integer() {
        assert_eq!(normal(json!({ "Days": 7.0 })), json!({ "Days": 7 }));
        assert_eq!(normal(json!({ "Days": -0.0 })), json!({ "Days": 0 }));
    }
}
