//! `PutSecretValue`: a new version of a generic secret; the same one again is no change.

use subtle::ConstantTimeEq as _;

use super::Call;
use super::create_secret::value;
use crate::emulator::answer::Answer;
use crate::emulator::error::Refusal;
use crate::emulator::stages::{CURRENT, Stages};
use crate::emulator::versions::{self, Version};

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = versions::check_id(call.params.need("VersionId")?)?;
    let (data, data_type) = value(call)?;
    let wanted = match call.params.get("VersionStages") {
        None => vec![CURRENT.to_owned()],
        Some(text) => serde_json::from_str::<Vec<String>>(text)
            .ok()
            .filter(|stages| !stages.is_empty() && stages.iter().all(|stage| !stage.is_empty()))
            .ok_or(Refusal::InvalidParameter)?,
    };
    let mut secret = call.usable_secret()?;
    if secret.kind.is_managed() {
        return Err(Refusal::WrongType);
    }
    let mut stages = Stages::load(call.tx, secret.id)?;
    if let Some(version) = Version::find(call.tx, secret.id, id)? {
        let known = call.seal.open_value(&secret.name, id, &version.data)?;
        if !bool::from(known.as_bytes().ct_eq(data.as_bytes())) {
            return Err(Refusal::ResourceExist);
        }
    } else {
        let data = call.seal.seal(&secret.name, id, data)?;
        Version { id: id.to_owned(), created: call.ms(), data, data_type: data_type.to_owned() }
            .insert(call.tx, secret.id)?;
        stages.put(id, &wanted)?;
        stages.save(call.tx, secret.id)?;
        versions::drop_overflow(call.tx, secret.id)?;
        secret.update(call.tx, call.ms())?;
    }
    Ok(Answer::new()
        .with("SecretName", secret.name)
        .with("VersionId", id)
        .with("VersionStages", stages.of(id)))
}
