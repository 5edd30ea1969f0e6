//! `UpdateSecretVersionStage` of generic secrets.

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::error::Refusal;
use crate::emulator::stages::Stages;
use crate::emulator::versions::Version;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let stage = call.params.need("VersionStage")?;
    let move_to = call.params.get("MoveToVersion");
    let remove_from = call.params.get("RemoveFromVersion");
    let mut secret = call.living_secret()?;
    if secret.kind.is_managed() {
        return Err(Refusal::WrongType);
    }
    for version in [move_to, remove_from].into_iter().flatten() {
        Version::find(call.tx, secret.id, version)?.ok_or(Refusal::ResourceNotFound)?;
    }
    let mut stages = Stages::load(call.tx, secret.id)?;
    stages.update(stage, move_to, remove_from, call.behaviour.previous_follows_current)?;
    stages.save(call.tx, secret.id)?;
    secret.update(call.tx, call.ms())?;
    Ok(Answer::new().with("SecretName", secret.name))
}
