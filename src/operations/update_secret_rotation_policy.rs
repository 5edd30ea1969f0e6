//! `UpdateSecretRotationPolicy`: managed types only.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::answer;
use super::rotation::{self, RotationInterval, Shortest};
use super::secret_name::SecretName;
use super::version::CURRENT;
use crate::operation::{
    Invalid, NewVersion, Operation, Outcome, Params, Resource, Retry, Risk, Sent, Spec, Untrusted,
    Witness,
};

pub(crate) struct UpdateSecretRotationPolicy;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    secret_name: SecretName,
    enable_automatic_rotation: bool,
    rotation_interval: Option<RotationInterval>,
}

answer! {
    struct Updated {
        secret_name: Untrusted,
    }
}

impl Operation for UpdateSecretRotationPolicy {
    const SPEC: Spec = Spec {
        action: "UpdateSecretRotationPolicy",
        title: "Set how often a secret rotates",
        summary: "Turn rotation of a managed secret on or off; Generic secrets cannot rotate.",
        risk: Risk::Destroy,
        retry: Retry::Idempotent,
    };
    type Input = Input;
    type Output = Updated;
    type View = Updated;

    fn check(input: &Input) -> Result<(), Invalid> {
        input.secret_name.check()?;
        rotation::check(
            Some(input.enable_automatic_rotation),
            input.rotation_interval.as_ref(),
            Shortest::SixHours,
        )
    }

    fn resource(input: &Input) -> Resource {
        Resource::secret(input.secret_name.as_str())
    }

    fn risk(_input: &Input) -> Risk {
        Risk::Write
    }

    /// KMS rotates at once where the interval is over already.
    fn witness(input: &Input) -> Witness {
        if !input.enable_automatic_rotation {
            return Witness::None;
        }
        Witness::NewVersion(NewVersion { id: None, stages: vec![CURRENT.to_owned()] })
    }

    fn params(input: Input) -> Params {
        Params::new()
            .query("SecretName", input.secret_name)
            .query("EnableAutomaticRotation", input.enable_automatic_rotation.to_string())
            .query_some("RotationInterval", input.rotation_interval.map(String::from))
    }

    fn view(output: Updated, _sent: &Sent) -> Updated {
        output
    }

    fn outcome(_risk: Risk) -> Option<Outcome> {
        Some(Outcome::Updated)
    }
}
