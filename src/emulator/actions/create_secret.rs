//! `CreateSecret`.

use serde_json::{Map, Value};

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::error::Refusal;
use crate::emulator::managed::{self, SecretType};
use crate::emulator::secrets::{self, Secret};
use crate::emulator::stages::{CURRENT, Stages};
use crate::emulator::versions::{self, Version};
use crate::emulator::{keys, policy, rotation, tags};

/// `SecretData` is limited in bytes.
pub(super) const MOST_BYTES: usize = 30_720;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let Call { tx, params, identity, .. } = call;
    let given_name = params.need("SecretName")?;
    let version = versions::check_id(params.need("VersionId")?)?;
    let (data, data_type) = value(call)?;
    let kind = params.get("SecretType").map_or(Some(SecretType::Generic), SecretType::named);
    let kind = kind.ok_or(Refusal::InvalidParameter)?;
    if kind.is_managed() && data_type != "text" {
        return Err(Refusal::InvalidParameter);
    }
    let tags = tags::parse(params.get("Tags"))?;
    let config = if kind.is_managed() {
        managed::config(kind, params.get("ExtendedConfig"))?
    } else {
        Map::new()
    };
    let name = match (kind, given_name) {
        (SecretType::RamCredentials, "$Auto") => {
            let user = config.get("UserName").and_then(Value::as_str);
            format!("acs/ram/user/{}", user.unwrap_or_default())
        }
        (SecretType::RamCredentials, _) => return Err(Refusal::InvalidParameter),
        _ => given_name.to_owned(),
    };
    secrets::check_name(&name, kind)?;
    let rotates = params.flag("EnableAutomaticRotation")?.unwrap_or(false);
    let interval = match (rotates, params.get("RotationInterval")) {
        (true, _) if !kind.is_managed() => return Err(Refusal::InvalidParameter),
        (true, None) => return Err(Refusal::MissingParameter("RotationInterval")),
        (true, Some(text)) => Some(rotation::interval(text, call.behaviour)?),
        (false, _) => None,
    };
    let instance = params.get("DKMSInstanceId");
    if let Some(instance) = instance {
        keys::check_instance(tx, instance)?;
    }
    let policy = params.get("Policy");
    if let Some(policy) = policy {
        policy::check(policy)?;
        // Only a secret in an instance has a policy.
        instance.ok_or(Refusal::InvalidParameter)?;
    }
    let key = params.get("EncryptionKeyId");
    let key = key.map(|key| keys::for_secret(tx, key, instance, identity)).transpose()?;
    match Secret::find(tx, &name)? {
        Some(Secret { planned_delete: Some(_), .. }) => return Err(Refusal::InDeleteWindow),
        Some(_) => return Err(Refusal::ResourceExist),
        None => {}
    }
    secrets::check_room(tx, call.behaviour)?;
    let value = managed::first(kind, &config, data, call.now)?;
    let mut secret = Secret {
        id: 0,
        name,
        kind,
        description: params.get("Description").unwrap_or_default().to_owned(),
        instance: instance.map(str::to_owned),
        key,
        created: call.ms(),
        updated: call.ms(),
        planned_delete: None,
        extended: kind.is_managed().then(|| Value::Object(config).to_string()),
        rotates: kind.is_managed().then_some(rotates),
        interval,
        rotated: None,
        next_rotation: None,
        policy: policy.map(str::to_owned),
    };
    rotation::plan(&mut secret, call.ms());
    secret.insert(tx)?;
    let data = call.seal.seal(&secret.name, version, &value)?;
    Version { id: version.to_owned(), created: call.ms(), data, data_type: data_type.to_owned() }
        .insert(tx, secret.id)?;
    let mut stages = Stages::default();
    stages.put(version, &[CURRENT.to_owned()])?;
    stages.save(tx, secret.id)?;
    tags::insert(tx, secret.id, &tags)?;
    let answer = Answer::new()
        .with("Arn", identity.arn(&format!("secret/{}", secret.name)))
        .with("SecretName", secret.name.as_str())
        .with("VersionId", version)
        .with("SecretType", kind.name())
        .maybe("DKMSInstanceId", instance)
        .maybe("ExtendedConfig", secret.extended.clone());
    Ok(secret.with_rotation(answer))
}

/// `SecretData` and `SecretDataType`, within their limits.
pub(super) fn value<'a>(call: &Call<'a>) -> Result<(&'a str, &'a str), Refusal> {
    let data = call.params.need("SecretData")?;
    let data_type = call.params.get("SecretDataType").unwrap_or("text");
    if data.len() > MOST_BYTES || !matches!(data_type, "text" | "binary") {
        return Err(Refusal::InvalidParameter);
    }
    Ok((data, data_type))
}
