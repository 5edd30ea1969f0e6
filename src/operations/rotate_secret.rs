//! `RotateSecret`: managed types only. A `VersionId` that exists is ignored, so it may be repeated.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::answer;
use super::secret_name::SecretName;
use super::version::VersionId;
use crate::operation::{
    Identifier, Invalid, Operation, Outcome, Params, Resource, Retry, Risk, Sent, Spec, Untrusted,
};

pub(crate) struct RotateSecret;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    secret_name: SecretName,
    /// Of the new version; repeating it is harmless
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
        risk: Risk::Write,
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
