//! `RestoreSecret`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::answer;
use super::secret_name::SecretName;
use crate::operation::{
    Invalid, Operation, Outcome, Params, Resource, Retry, Risk, Sent, Spec, Untrusted,
};

pub(crate) struct RestoreSecret;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    secret_name: SecretName,
}

answer! {
    struct Restored {
        secret_name: Untrusted,
    }
}

impl Operation for RestoreSecret {
    const SPEC: Spec = Spec {
        action: "RestoreSecret",
        title: "Restore a secret",
        summary: "Undo a scheduled deletion.",
        risk: Risk::Write,
        retry: Retry::Idempotent,
    };
    type Input = Input;
    type Output = Restored;
    type View = Restored;

    fn check(input: &Input) -> Result<(), Invalid> {
        input.secret_name.check()
    }

    fn resource(input: &Input) -> Resource {
        Resource::secret(input.secret_name.as_str())
    }

    fn params(input: Input) -> Params {
        Params::new().query("SecretName", input.secret_name)
    }

    fn view(output: Restored, _sent: &Sent) -> Restored {
        output
    }

    fn outcome(_risk: Risk) -> Option<Outcome> {
        Some(Outcome::Restored)
    }

    fn settles(code: &str) -> Option<Outcome> {
        (code == "Rejected.ResourceInUse").then_some(Outcome::AlreadyActive)
    }
}
