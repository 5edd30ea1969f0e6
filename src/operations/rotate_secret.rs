//! `RotateSecret`: managed types only. KMS ignores a `VersionId` that exists; it is refused here.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::answer;
use super::secret_name::SecretName;
use super::version::{CURRENT, VersionId};
use crate::operation::{
    Identifier, Invalid, NewVersion, Operation, Outcome, Params, Resource, Retry, Risk, Sent, Spec,
    Untrusted, Witness,
};

pub(crate) struct RotateSecret;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    secret_name: SecretName,
    /// Of the new version
    version_id: VersionId,
}

answer! {
    struct Rotated {
        arn: Identifier,
        secret_name: Untrusted,
        version_id: Untrusted,
    }
}

impl Operation for RotateSecret {
    const SPEC: Spec = Spec {
        action: "RotateSecret",
        title: "Rotate a secret now",
        summary: "Rotate a managed secret now, at most 50 an hour; Generic secrets cannot rotate.",
        risk: Risk::Destroy,
        retry: Retry::Idempotent,
    };
    type Input = Input;
    type Output = Rotated;
    type View = Rotated;

    fn check(input: &Input) -> Result<(), Invalid> {
        input.secret_name.check()?;
        input.version_id.check("VersionId")
    }

    fn resource(input: &Input) -> Resource {
        Resource::secret(input.secret_name.as_str())
    }

    fn risk(_input: &Input) -> Risk {
        Risk::Write
    }

    fn witness(input: &Input) -> Witness {
        let id = Some(input.version_id.as_str().to_owned());
        Witness::NewVersion(NewVersion { id, stages: vec![CURRENT.to_owned()] })
    }

    fn params(input: Input) -> Params {
        Params::new().query("SecretName", input.secret_name).query("VersionId", input.version_id)
    }

    fn view(output: Rotated, _sent: &Sent) -> Rotated {
        output
    }

    fn outcome(_risk: Risk) -> Option<Outcome> {
        Some(Outcome::Rotated)
    }
}
