//! `RestoreSecret`: calls off a deletion.

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::error::Refusal;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let mut secret = call.secret()?;
    if secret.planned_delete.take().is_none() {
        return Err(Refusal::InUse);
    }
    secret.update(call.tx, call.ms())?;
    Ok(Answer::new().with("SecretName", secret.name))
}
