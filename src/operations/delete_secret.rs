//! `DeleteSecret`: soft by default, so that `RestoreSecret` can undo it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::answer;
use super::secret_name::SecretName;
use super::time::Time;
use crate::operation::{
    Invalid, Operation, Outcome, Params, Resource, Retry, Risk, Sent, Spec, Untrusted, Witness,
};

pub(crate) struct DeleteSecret;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    secret_name: SecretName,
    /// true: gone at once, cannot be restored
    force_delete_without_recovery: Option<bool>,
    /// Default 30; not with force
    #[schemars(range(min = 7, max = 30))]
    recovery_window_in_days: Option<u8>,
}

impl Input {
    fn forced(&self) -> bool {
        self.force_delete_without_recovery == Some(true)
    }
}

answer! {
    struct Deleted {
        secret_name: Untrusted,
        planned_delete_time: Time,
    }
}

impl Operation for DeleteSecret {
    const SPEC: Spec = Spec {
        action: "DeleteSecret",
        title: "Delete a secret",
        summary: "Schedule a secret's deletion; RestoreSecret undoes it. Force deletes for good and a person must approve.",
        risk: Risk::Destroy,
        retry: Retry::Idempotent,
    };
    type Input = Input;
    type Output = Deleted;
    type View = Deleted;

    fn check(input: &Input) -> Result<(), Invalid> {
        input.secret_name.check()?;
        if input.forced() && input.recovery_window_in_days.is_some() {
            return Err(Invalid::new(
                "RecoveryWindowInDays",
                "left out when `ForceDeleteWithoutRecovery` is true",
            ));
        }
        Ok(())
    }

    fn risk(input: &Input) -> Risk {
        if input.forced() { Risk::Destroy } else { Risk::Write }
    }

    fn resource(input: &Input) -> Resource {
        Resource::secret(input.secret_name.as_str())
    }

    fn witness(input: &Input) -> Witness {
        if input.forced() { Witness::SecretWithVersions } else { Witness::Secret }
    }

    fn params(input: Input) -> Params {
        let window = input.recovery_window_in_days.filter(|_| !input.forced());
        Params::new()
            .query("SecretName", input.secret_name)
            .query_some("ForceDeleteWithoutRecovery", input.force_delete_without_recovery)
            .query_some("RecoveryWindowInDays", window)
    }

    fn view(output: Deleted, _sent: &Sent) -> Deleted {
        output
    }

    fn outcome(risk: Risk) -> Option<Outcome> {
        Some(if risk == Risk::Destroy { Outcome::Deleted } else { Outcome::Scheduled })
    }

    /// Only this code: no permission is not absence.
    fn settles(code: &str) -> Option<Outcome> {
        (code == "Forbidden.ResourceNotFound").then_some(Outcome::AlreadyAbsent)
    }
}
