//! `DeleteSecret`: at once, or after a window in which it can be restored.

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::dates::{self, DAY_MS};
use crate::emulator::error::Refusal;

const DEFAULT_DAYS: i64 = 30;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let force = call.params.flag("ForceDeleteWithoutRecovery")?.unwrap_or(false);
    let days = match call.params.get("RecoveryWindowInDays").map(str::parse) {
        None => DEFAULT_DAYS,
        Some(Ok(days)) if (7..=30).contains(&days) => days,
        // Official clients send a window along with force; it means nothing then.
        Some(_) if force => DEFAULT_DAYS,
        Some(_) => return Err(Refusal::InvalidParameter),
    };
    let mut secret = call.secret()?;
    if secret.planned_delete.is_some() && !(force && call.behaviour.force_delete_in_window) {
        return Err(Refusal::InDeleteWindow);
    }
    let time = if force {
        call.tx.execute("DELETE FROM secret WHERE id = ?", [secret.id])?;
        dates::beijing(call.ms())
    } else {
        let planned = call.ms() + days * DAY_MS;
        secret.planned_delete = Some(planned);
        secret.update(call.tx, call.ms())?;
        dates::nanoseconds(planned)
    };
    Ok(Answer::new().with("SecretName", secret.name).with("PlannedDeleteTime", time))
}
