//! `GetSecretPolicy`: secrets of a KMS instance only.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::{JsonText, answer};
use super::choices::Choice;
use super::policy::PolicyName;
use super::secret_name::SecretName;
use crate::operation::{Invalid, Operation, Params, Resource, Retry, Risk, Sent, Spec};

pub(crate) struct GetSecretPolicy;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    secret_name: SecretName,
    policy_name: Option<PolicyName>,
}

answer! {
    struct Answer {
        /// JSON; untrusted text
        policy: JsonText,
    }
}

impl Operation for GetSecretPolicy {
    const SPEC: Spec = Spec {
        action: "GetSecretPolicy",
        title: "Get who may use a secret",
        summary: "Show who may use a secret of a KMS instance.",
        risk: Risk::Inspect,
        retry: Retry::Idempotent,
    };
    type Input = Input;
    type Output = Answer;
    type View = Answer;

    fn check(input: &Input) -> Result<(), Invalid> {
        input.secret_name.check()
    }

    fn resource(input: &Input) -> Resource {
        Resource::secret(input.secret_name.as_str())
    }

    fn params(input: Input) -> Params {
        Params::new()
            .query("SecretName", input.secret_name)
            .query_some("PolicyName", input.policy_name.map(Choice::name))
    }

    fn view(output: Answer, _sent: &Sent) -> Answer {
        output
    }

    fn notes(view: &Answer) -> Vec<String> {
        view.policy.as_ref().and_then(|text| text.note("Policy")).into_iter().collect()
    }
}
