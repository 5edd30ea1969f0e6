//! `GetSecretValue`.

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::dates;
use crate::emulator::error::Refusal;
use crate::emulator::stages::{CURRENT, Stages};
use crate::emulator::versions::Version;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let fetch_config = call.params.flag("FetchExtendedConfig")?.unwrap_or(false);
    let dry_run = call.params.flag("DryRun")?.unwrap_or(false);
    if call.params.get("Recipient").is_some() {
        // Attestation by an enclave: there is none here.
        return Err(Refusal::Unsupported);
    }
    let secret = call.usable_secret()?;
    let stages = Stages::load(call.tx, secret.id)?;
    let stage = call.params.get("VersionStage");
    // Managed types have no use for a version.
    let id = call.params.get("VersionId").filter(|_| !secret.kind.is_managed());
    let holder = match (stage, id) {
        (None, Some(id)) => id,
        (stage, id) => {
            let holder =
                stages.holder(stage.unwrap_or(CURRENT)).ok_or(Refusal::ResourceNotFound)?;
            if id.is_some_and(|id| id != holder) {
                return Err(Refusal::InvalidParameter);
            }
            holder
        }
    };
    let version = Version::find(call.tx, secret.id, holder)?.ok_or(Refusal::ResourceNotFound)?;
    if dry_run {
        return Err(Refusal::DryRun);
    }
    let value = call.seal.open_value(&secret.name, &version.id, &version.data)?;
    let config = secret.extended.as_deref().filter(|_| fetch_config);
    let answer = Answer::new()
        .with("SecretName", secret.name.as_str())
        .with("SecretType", secret.kind.name())
        .with("SecretData", value)
        .with("SecretDataType", version.data_type)
        .with("VersionStages", stages.of(&version.id))
        .with("VersionId", version.id)
        .with("CreateTime", dates::seconds(version.created))
        .maybe("ExtendedConfig", config);
    Ok(secret.with_rotation(answer))
}
