//! `UpdateSecretRotationPolicy` of managed secrets.

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::error::Refusal;
use crate::emulator::rotation;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let rotates = call.params.flag("EnableAutomaticRotation")?;
    let rotates = rotates.ok_or(Refusal::MissingParameter("EnableAutomaticRotation"))?;
    let mut secret = call.usable_secret()?;
    if !secret.kind.is_managed() {
        return Err(Refusal::WrongType);
    }
    secret.interval = if rotates {
        Some(rotation::interval(call.params.need("RotationInterval")?, call.behaviour)?)
    } else {
        None
    };
    secret.rotates = Some(rotates);
    rotation::plan(&mut secret, call.ms());
    secret.update(call.tx, call.ms())?;
    Ok(Answer::new().with("SecretName", secret.name))
}
