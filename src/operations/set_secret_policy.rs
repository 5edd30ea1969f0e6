//! `SetSecretPolicy`: secrets of a KMS instance only. It can hand values to others without a read,
//! so each call is of the highest risk.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::answer;
use super::choices::Choice;
use super::policy::{Policy, PolicyName};
use super::secret_name::SecretName;
use crate::operation::{
    Invalid, Operation, Outcome, Params, Resource, Retry, Risk, Sent, Spec, Witness,
};

pub(crate) struct SetSecretPolicy;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    secret_name: SecretName,
    policy: Policy,
    policy_name: Option<PolicyName>,
}

answer! {
    struct Set {}
}

impl Operation for SetSecretPolicy {
    const SPEC: Spec = Spec {
        action: "SetSecretPolicy",
        title: "Set who may use a secret",
        summary: "Replace who may use a secret of a KMS instance; a person must approve.",
        risk: Risk::Destroy,
        retry: Retry::Idempotent,
    };
    type Input = Input;
    type Output = Set;
    type View = Set;

    fn check(input: &Input) -> Result<(), Invalid> {
        input.secret_name.check()?;
        input.policy.check()
    }

    fn resource(input: &Input) -> Resource {
        Resource::secret(input.secret_name.as_str())
    }

    fn witness(_input: &Input) -> Witness {
        Witness::SecretOfInstance
    }

    fn params(input: Input) -> Params {
        Params::new()
            .query("SecretName", input.secret_name)
            .query_json("Policy", Some(&input.policy))
            .query_some("PolicyName", input.policy_name.map(Choice::name))
    }

    fn view(output: Set, _sent: &Sent) -> Set {
        output
    }

    fn outcome(_risk: Risk) -> Option<Outcome> {
        Some(Outcome::Updated)
    }
}
