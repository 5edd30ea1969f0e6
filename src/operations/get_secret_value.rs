//! `GetSecretValue`. `Recipient` is left out: an agent has no enclave to attest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::JsonText;
use super::choices::choices;
use super::secret_name::SecretName;
use super::version::{self, Stages, VersionId, VersionStage};
use crate::operation::{
    Destination, Invalid, Operation, Params, Resource, Retry, Risk, Spec, Untrusted, Witness,
};
use crate::sensitive::{Masked, Sensitive};

pub(crate) struct GetSecretValue;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    secret_name: SecretName,
    /// Default ACSCurrent
    version_stage: Option<VersionStage>,
    /// Ignored for managed secrets
    version_id: Option<VersionId>,
    /// Managed secrets only
    fetch_extended_config: Option<bool>,
    /// Only test permission; success is the error DryRunOperationError
    dry_run: Option<bool>,
    /// Where the value goes: mask (default) shows ***; person shows it on the approval page only; file writes FileName in the person's folder; agent puts it into this conversation
    destination: Option<To>,
    #[schemars(length(min = 1, max = 128))]
    file_name: Option<String>,
}

choices! {
    // The destinations that there are.
    enum To {
        Mask = "mask",
        Person = "person",
        File = "file",
        Agent = "agent",
    }
}

/// The answer: with the value as it comes, with a mask as it is seen. No `flatten`: it would copy
/// the value into memory that is not wiped.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Answer<Data> {
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_name: Option<Untrusted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_type: Option<Untrusted>,
    secret_data: Data,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_data_type: Option<Untrusted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<Untrusted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_stages: Option<Stages>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time: Option<Untrusted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    automatic_rotation: Option<Untrusted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_interval: Option<Untrusted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_rotation_date: Option<Untrusted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_rotation_date: Option<Untrusted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extended_config: Option<JsonText>,
}

/// A plain name for the destination `file`, and none for the others.
fn check_file(to: Option<To>, name: Option<&str>) -> Result<(), Invalid> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    let refused = |allowed: &str| Err(Invalid::new("FileName", allowed));
    match (to, name) {
        (Some(To::File), None) => refused("given with Destination `file`"),
        (Some(To::File), Some(name)) if name.starts_with('.') || !name.chars().all(plain) => {
            refused("a plain name of letters, digits, `.`, `_`, `-`, not beginning with a dot")
        }
        (Some(To::File), Some(_)) | (_, None) => Ok(()),
        (_, Some(_)) => refused("left out unless Destination is `file`"),
    }
}

impl Operation for GetSecretValue {
    const SPEC: Spec = Spec {
        action: "GetSecretValue",
        title: "Get the value of a secret",
        summary: "Read a secret's value; it stays masked unless a person approves otherwise.",
        risk: Risk::Reveal,
        retry: Retry::Idempotent,
    };
    type Input = Input;
    type Output = Answer<Option<Sensitive>>;
    type View = Answer<Masked>;

    fn check(input: &Input) -> Result<(), Invalid> {
        input.secret_name.check()?;
        input.version_stage.iter().try_for_each(|stage| stage.check("VersionStage"))?;
        input.version_id.iter().try_for_each(|version| version.check("VersionId"))?;
        check_file(input.destination, input.file_name.as_deref())
    }

    fn resource(input: &Input) -> Resource {
        Resource::secret(input.secret_name.as_str())
    }

    fn destination(input: &Input) -> Option<Destination> {
        Some(match input.destination {
            None | Some(To::Mask) => Destination::Mask,
            Some(To::Person) => Destination::Person,
            Some(To::File) => Destination::File,
            Some(To::Agent) => Destination::Agent,
        })
    }

    fn file_name(input: &Input) -> Option<&str> {
        input.file_name.as_deref()
    }

    fn witness(input: &Input) -> Witness {
        Witness::Version {
            version_id: input.version_id.as_ref().map(|version| version.as_str().to_owned()),
            stage: input
                .version_stage
                .as_ref()
                .map_or(version::CURRENT, VersionStage::as_str)
                .to_owned(),
        }
    }

    fn params(input: Input) -> Params {
        Params::new()
            .query("SecretName", input.secret_name)
            .query_some("VersionStage", input.version_stage.map(String::from))
            .query_some("VersionId", input.version_id.map(String::from))
            .query_some("FetchExtendedConfig", input.fetch_extended_config)
            .query_some("DryRun", input.dry_run)
    }

    fn take_value(output: &mut Self::Output) -> Option<Sensitive> {
        output.secret_data.take()
    }

    fn version(output: &Self::Output) -> Option<&str> {
        output.version_id.as_ref().map(Untrusted::as_str)
    }

    fn view(output: Self::Output) -> Self::View {
        Answer {
            secret_name: output.secret_name,
            secret_type: output.secret_type,
            secret_data: Masked,
            secret_data_type: output.secret_data_type,
            version_id: output.version_id,
            version_stages: output.version_stages,
            create_time: output.create_time,
            automatic_rotation: output.automatic_rotation,
            rotation_interval: output.rotation_interval,
            next_rotation_date: output.next_rotation_date,
            last_rotation_date: output.last_rotation_date,
            extended_config: output.extended_config,
        }
    }
}
