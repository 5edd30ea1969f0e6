//! `RotateSecret`: a new value for a managed secret; a version that exists means it was done.

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::error::Refusal;
use crate::emulator::rotation;
use crate::emulator::versions::{self, Version};

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = versions::check_id(call.params.need("VersionId")?)?;
    let mut secret = call.usable_secret()?;
    if !secret.kind.is_managed() {
        return Err(Refusal::WrongType);
    }
    if Version::find(call.tx, secret.id, id)?.is_none() {
        rotation::rotate(call.tx, call.seal, &mut secret, id, call.now)?;
    }
    Ok(Answer::new()
        .with("Arn", call.identity.arn(&format!("secret/{}", secret.name)))
        .with("SecretName", secret.name)
        .with("VersionId", id))
}
