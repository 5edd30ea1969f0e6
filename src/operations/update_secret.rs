//! `UpdateSecret`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::answer;
use super::extended_config::CustomData;
use super::secret_name::SecretName;
use crate::operation::{
    Invalid, Operation, Outcome, Params, Resource, Retry, Risk, Sent, Spec, Untrusted,
};

pub(crate) struct UpdateSecret;

/// KMS' name for a part of `ExtendedConfig`; SDKs take it apart further, the API does not ask for it
/// (facts/kms.md §0.9).
const CUSTOM_DATA: &str = "ExtendedConfig.CustomData";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    secret_name: SecretName,
    #[schemars(length(max = 8192))]
    description: Option<String>,
    /// Managed types only; replaces what is there
    #[serde(rename = "ExtendedConfig.CustomData")]
    custom_data: Option<CustomData>,
}

answer! {
    struct Updated {
        secret_name: Untrusted,
    }
}

impl Operation for UpdateSecret {
    const SPEC: Spec = Spec {
        action: "UpdateSecret",
        title: "Update a secret's metadata",
        summary: "Change a secret's description or custom data, not its value.",
        risk: Risk::Write,
        retry: Retry::Idempotent,
    };
    type Input = Input;
    type Output = Updated;
    type View = Updated;

    fn check(input: &Input) -> Result<(), Invalid> {
        input.secret_name.check()?;
        if input.description.is_none() && input.custom_data.is_none() {
            return Err(Invalid::new(
                "Description",
                "given, or `ExtendedConfig.CustomData`: else nothing is updated",
            ));
        }
        input.custom_data.iter().try_for_each(|data| data.check(CUSTOM_DATA))
    }

    fn resource(input: &Input) -> Resource {
        Resource::secret(input.secret_name.as_str())
    }

    fn params(input: Input) -> Params {
        Params::new()
            .query("SecretName", input.secret_name)
            .query_some("Description", input.description)
            .query_json(CUSTOM_DATA, input.custom_data.as_ref())
    }

    fn view(output: Updated, _sent: &Sent) -> Updated {
        output
    }

    fn outcome(_risk: Risk) -> Option<Outcome> {
        Some(Outcome::Updated)
    }
}
