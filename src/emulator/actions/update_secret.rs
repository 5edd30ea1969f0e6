//! `UpdateSecret`: description and custom data.

use serde_json::{Map, Value};

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::error::Refusal;
use crate::emulator::managed;
use crate::emulator::request::Params;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let custom = custom_data(call.params)?;
    let mut secret = call.living_secret()?;
    if let Some(description) = call.params.sent("Description") {
        description.clone_into(&mut secret.description);
    }
    if let Some(custom) = custom {
        let config = secret.extended.as_deref().ok_or(Refusal::InvalidParameter)?;
        let mut config: Map<String, Value> =
            serde_json::from_str(config).map_err(|_| Refusal::Internal)?;
        config.insert("CustomData".to_owned(), custom);
        let config = Value::Object(config).to_string();
        if !managed::fits(&config) {
            return Err(Refusal::InvalidParameter);
        }
        secret.extended = Some(config);
    }
    secret.update(call.tx, call.ms())?;
    Ok(Answer::new().with("SecretName", secret.name))
}

/// Three forms: the documented `ExtendedConfig.CustomData={..}`, the SDK's flattened
/// `ExtendedConfig.CustomData.a.b=1`, and the whole `ExtendedConfig={"CustomData": {..}}`.
fn custom_data(params: &Params) -> Result<Option<Value>, Refusal> {
    let custom = if let Some(text) = params.get("ExtendedConfig.CustomData") {
        serde_json::from_str(text).map_err(|_| Refusal::InvalidParameter)?
    } else if let Some(text) = params.get("ExtendedConfig") {
        let mut config: Map<String, Value> =
            serde_json::from_str(text).map_err(|_| Refusal::InvalidParameter)?;
        config.remove("CustomData").ok_or(Refusal::InvalidParameter)?
    } else {
        let mut custom = Map::new();
        for (path, value) in params.under("ExtendedConfig.CustomData.") {
            nest(&mut custom, path, value)?;
        }
        if custom.is_empty() {
            return Ok(None);
        }
        Value::Object(custom)
    };
    if managed::custom_data(&custom) { Ok(Some(custom)) } else { Err(Refusal::InvalidParameter) }
}

fn nest(into: &mut Map<String, Value>, path: &str, value: &str) -> Result<(), Refusal> {
    let Some((outer, rest)) = path.split_once('.') else {
        into.insert(path.to_owned(), value.into());
        return Ok(());
    };
    let inner = into.entry(outer).or_insert_with(|| Value::Object(Map::new()));
    nest(inner.as_object_mut().ok_or(Refusal::InvalidParameter)?, rest, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms_say_the_same() {
        let nested = r#"{"a":"b","c":{"d":"1"}}"#;
        let whole = format!(r#"{{"CustomData":{nested}}}"#);
        for pairs in [
            vec![("ExtendedConfig.CustomData", nested)],
            vec![("ExtendedConfig.CustomData.a", "b"), ("ExtendedConfig.CustomData.c.d", "1")],
            vec![("ExtendedConfig", whole.as_str())],
        ] {
            let custom = custom_data(&Params::test(&pairs)).unwrap().unwrap();
            assert_eq!(custom.to_string(), nested);
        }
        assert_eq!(custom_data(&Params::test(&[])), Ok(None));
    }
}
