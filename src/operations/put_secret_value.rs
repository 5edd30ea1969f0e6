//! `PutSecretValue`: Generic secrets only. KMS compares the value where the `VersionId` exists, so
//! it is never sent then.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::confined;
use super::choices::Choice;
use super::secret_data::{self, SecretDataType};
use super::secret_name::SecretName;
use super::version::{CURRENT, KnownStages, StageEchoes, VersionId, VersionStage};
use crate::operation::{
    Echo, Invalid, Known, NewVersion, Operation, Outcome, Params, Resource, Retry, Risk,
    SecretDataSource, Sent, Spec, ValueSlot, Witness,
};
use crate::sensitive::Sensitive;

pub(crate) struct PutSecretValue;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    secret_name: SecretName,
    version_id: VersionId,
    /// Prefer SecretDataSource
    secret_data: Option<Sensitive>,
    /// Takes the value from outside the conversation
    secret_data_source: Option<SecretDataSource>,
    secret_data_type: Option<SecretDataType>,
    #[schemars(length(min = 1, max = 8), extend("default" = ["ACSCurrent"]))]
    version_stages: Option<Vec<VersionStage>>,
}

/// The answer as it comes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Answer {
    secret_name: Option<Echo>,
    version_id: Option<Echo>,
    version_stages: Option<StageEchoes>,
}

confined! {
    struct Put {
        secret_name: Known,
        version_id: Known,
        version_stages: KnownStages,
    }
}

impl Operation for PutSecretValue {
    const SPEC: Spec = Spec {
        action: "PutSecretValue",
        title: "Put a new version of a secret",
        summary: "Store a new version of a Generic secret. A VersionId that exists is refused. On a secret with 10 versions the oldest is lost.",
        risk: Risk::Destroy,
        // Sent twice, the second would be compared with the first.
        retry: Retry::NotActed,
    };
    type Input = Input;
    type Output = Answer;
    type View = Put;

    fn check(input: &Input) -> Result<(), Invalid> {
        input.secret_name.check()?;
        input.version_id.check("VersionId")?;
        for (index, stage) in input.version_stages.iter().flatten().enumerate() {
            stage.check(&format!("VersionStages[{index}]"))?;
        }
        SecretDataSource::check(input.secret_data.as_ref(), input.secret_data_source.as_ref())?;
        Self::check_value(input)
    }

    fn check_value(input: &Input) -> Result<(), Invalid> {
        secret_data::check_size(input.secret_data.as_ref())
    }

    fn resource(input: &Input) -> Resource {
        Resource::secret(input.secret_name.as_str())
    }

    fn risk(_input: &Input) -> Risk {
        Risk::Write
    }

    fn witness(input: &Input) -> Witness {
        let stages = input.version_stages.as_ref().map_or_else(
            || vec![CURRENT.to_owned()],
            |stages| stages.iter().map(|stage| stage.as_str().to_owned()).collect(),
        );
        Witness::NewVersion(NewVersion { id: Some(input.version_id.as_str().to_owned()), stages })
    }

    fn value(input: &mut Input) -> Option<ValueSlot<'_>> {
        Some(ValueSlot { data: &mut input.secret_data, source: input.secret_data_source.as_ref() })
    }

    fn params(input: Input) -> Params {
        Params::new()
            .query("SecretName", input.secret_name)
            .query("VersionId", input.version_id)
            .secret("SecretData", input.secret_data)
            .query_some("SecretDataType", input.secret_data_type.map(Choice::name))
            .query_json("VersionStages", input.version_stages.as_ref())
    }

    fn view(output: Answer, sent: &Sent) -> Put {
        Put {
            secret_name: sent.name(output.secret_name.as_ref()),
            version_id: sent.version(output.version_id.as_ref()),
            version_stages: output.version_stages.map(|stages| stages.known(sent)),
        }
    }

    fn outcome(_risk: Risk) -> Option<Outcome> {
        Some(Outcome::Created)
    }
}
