//! `GetSecretValue`. `Recipient` is left out: an agent has no enclave to attest.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::confined;
use super::choices::{Word, choices};
use super::rotation::{Interval, RotationState};
use super::secret_data::SecretDataType;
use super::secret_name::SecretName;
use super::secret_type::SecretType;
use super::time::Time;
use super::version::{self, KnownStages, StageEchoes, VersionId, VersionStage};
use crate::operation::{
    Destination, Echo, Invalid, Known, Operation, Params, Resource, Retry, Risk, Sent, Spec,
    Witness,
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
    /// Managed secrets only; not shown here, DescribeSecret shows it
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

/// The answer as it comes. No `flatten`: serde would buffer the value in memory that is not wiped.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Answer {
    secret_name: Option<Echo>,
    secret_type: Option<Word<SecretType>>,
    secret_data: Option<Sensitive>,
    secret_data_type: Option<Word<SecretDataType>>,
    version_id: Option<Echo>,
    version_stages: Option<StageEchoes>,
    create_time: Option<Time>,
    automatic_rotation: Option<Word<RotationState>>,
    rotation_interval: Option<Interval>,
    next_rotation_date: Option<Time>,
    last_rotation_date: Option<Time>,
}

confined! {
    // `ExtendedConfig` is not shown: DescribeSecret has it, in an answer without a value.
    struct Shown {
        secret_name: Known,
        secret_type: Word<SecretType>,
        secret_data: Masked,
        secret_data_type: Word<SecretDataType>,
        version_id: Known,
        version_stages: KnownStages,
        create_time: Time,
        automatic_rotation: Word<RotationState>,
        rotation_interval: Interval,
        next_rotation_date: Time,
        last_rotation_date: Time,
    }
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
    type Output = Answer;
    type View = Shown;

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

    fn take_value(output: &mut Answer) -> Option<Sensitive> {
        output.secret_data.take()
    }

    fn version(output: &Answer) -> Option<&Echo> {
        output.version_id.as_ref()
    }

    fn view(output: Answer, sent: &Sent) -> Shown {
        Shown {
            secret_name: sent.name(output.secret_name.as_ref()),
            secret_type: output.secret_type,
            secret_data: Some(Masked),
            secret_data_type: output.secret_data_type,
            version_id: sent.version(output.version_id.as_ref()),
            version_stages: output.version_stages.map(|stages| stages.known(sent)),
            create_time: output.create_time,
            automatic_rotation: output.automatic_rotation,
            rotation_interval: output.rotation_interval,
            next_rotation_date: output.next_rotation_date,
            last_rotation_date: output.last_rotation_date,
        }
    }
}
