//! `UpdateSecretVersionStage`: Generic secrets only.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::answer;
use super::secret_name::SecretName;
use super::version::{CURRENT, PREVIOUS, VersionId, VersionStage};
use crate::operation::{
    Invalid, Operation, Outcome, Params, Resource, Retry, Risk, Sent, Spec, Untrusted,
};

pub(crate) struct UpdateSecretVersionStage;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    secret_name: SecretName,
    version_stage: VersionStage,
    /// Needed for ACSCurrent and ACSPrevious
    move_to_version: Option<VersionId>,
    remove_from_version: Option<VersionId>,
}

answer! {
    struct Moved {
        secret_name: Untrusted,
    }
}

impl Operation for UpdateSecretVersionStage {
    const SPEC: Spec = Spec {
        action: "UpdateSecretVersionStage",
        title: "Move a stage label",
        summary: "Move or remove a stage label of a Generic secret; moving ACSCurrent rolls back.",
        risk: Risk::Write,
        retry: Retry::NotActed,
    };
    type Input = Input;
    type Output = Moved;
    type View = Moved;

    /// Moving and removing (facts/kms.md §1.9).
    fn check(input: &Input) -> Result<(), Invalid> {
        input.secret_name.check()?;
        input.version_stage.check("VersionStage")?;
        input.move_to_version.iter().try_for_each(|version| version.check("MoveToVersion"))?;
        input
            .remove_from_version
            .iter()
            .try_for_each(|version| version.check("RemoveFromVersion"))?;
        if input.move_to_version.is_some() {
            return Ok(());
        }
        let allowed = match input.version_stage.as_str() {
            CURRENT | PREVIOUS => "given: ACSCurrent and ACSPrevious can be moved, not removed",
            _ if input.remove_from_version.is_some() => return Ok(()),
            _ => "given, or `RemoveFromVersion`, or both",
        };
        Err(Invalid::new("MoveToVersion", allowed))
    }

    fn resource(input: &Input) -> Resource {
        Resource::secret(input.secret_name.as_str())
    }

    fn params(input: Input) -> Params {
        Params::new()
            .query("SecretName", input.secret_name)
            .query("VersionStage", input.version_stage)
            .query_some("MoveToVersion", input.move_to_version.map(String::from))
            .query_some("RemoveFromVersion", input.remove_from_version.map(String::from))
    }

    fn view(output: Moved, _sent: &Sent) -> Moved {
        output
    }

    fn outcome(_risk: Risk) -> Option<Outcome> {
        Some(Outcome::Updated)
    }
}
