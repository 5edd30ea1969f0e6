//! Arguments: the common ones taken out, the others parsed into the operation's input.

use serde_json::{Map, Value, json};

use super::repeated::refuse_repeated_value;
use crate::operation::{Invalid, Operation, Risk, Spec, normal, schema};
use crate::sensitive::Sensitive;

/// What every tool takes beside its own parameters.
#[derive(Debug, Default)]
pub(super) struct Common {
    pub(super) region: Option<String>,
    pub(super) token: Option<Sensitive>,
    pub(super) reason: Option<String>,
}

/// The schema of a tool's arguments: the operation's own, and the common ones.
pub(crate) fn input_schema<O: Operation>() -> Value {
    let mut schema = schema::input_schema::<O::Input>();
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.extend(common(&O::SPEC));
    }
    schema
}

fn common(spec: &Spec) -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert("RegionId".into(), json!({ "type": "string", "maxLength": 32 }));
    if spec.risk != Risk::Inspect {
        let token = "From confirmation_required; all else unchanged";
        properties.insert(
            "ConfirmationToken".into(),
            json!({ "description": token, "type": "string", "maxLength": 64 }),
        );
        properties.insert(
            "Reason".into(),
            json!({ "description": "Why, for the approver", "type": "string", "maxLength": 200 }),
        );
    }
    properties
}

/// Checks and parses the arguments of one call.
pub(super) fn parse<O: Operation>(
    schema: &Value,
    mut arguments: Map<String, Value>,
) -> Result<(O::Input, Common), Invalid> {
    normal::without_additions_of_clients(&mut arguments);
    let mut arguments = Value::Object(arguments);
    normal::normalize(schema, &mut arguments);
    schema::conform(schema, &arguments)?;
    let mut common = Common::default();
    if let Value::Object(members) = &arguments {
        refuse_repeated_value(members)?;
    }
    if let Value::Object(members) = &mut arguments {
        let mut take = |name: &str| match members.shift_remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        common = Common {
            region: take("RegionId"),
            token: take("ConfirmationToken").map(Sensitive::new),
            reason: take("Reason"),
        };
    }
    // The schema was checked, so this fails only where it cannot say what the type demands; serde's
    // own text is left unsaid, it repeats what it was given.
    let input: O::Input = serde_path_to_error::deserialize(arguments).map_err(|error| {
        Invalid::new(error.path().to_string(), "as the tool's schema describes it")
    })?;
    O::check(&input)?;
    Ok((input, common))
}
