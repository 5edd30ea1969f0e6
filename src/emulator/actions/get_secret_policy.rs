//! `GetSecretPolicy`: of a secret in a KMS instance.

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::error::Refusal;
use crate::emulator::policy;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let secret = call.secret()?;
    if call.params.get("PolicyName").is_some_and(|name| name != "default") {
        return Err(Refusal::ResourceNotFound);
    }
    if secret.instance.is_none() {
        return Err(Refusal::PolicyUnsupported);
    }
    Ok(Answer::new()
        .with("Policy", secret.policy.unwrap_or_else(|| policy::default(call.identity))))
}
