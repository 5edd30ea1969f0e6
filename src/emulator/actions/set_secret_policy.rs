//! `SetSecretPolicy`: of a secret in a KMS instance.

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::error::Refusal;
use crate::emulator::policy;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let text = call.params.need("Policy")?;
    if call.params.get("PolicyName").is_some_and(|name| name != "default") {
        return Err(Refusal::InvalidParameter);
    }
    let mut secret = call.usable_secret()?;
    if secret.instance.is_none() {
        return Err(Refusal::PolicyUnsupported);
    }
    policy::check(text)?;
    secret.policy = Some(text.to_owned());
    secret.update(call.tx, call.ms())?;
    Ok(Answer::new())
}
