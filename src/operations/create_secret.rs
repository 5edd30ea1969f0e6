//! `CreateSecret`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::confined;
use super::choices::{Choice, Word};
use super::custom_data::KnownConfiguration;
use super::extended_config::ExtendedConfig;
use super::policy::Policy;
use super::resource_id::{InstanceId, KeyId};
use super::rotation::{self, Interval, RotationInterval, RotationState, Shortest};
use super::secret_data::{self, SecretDataType};
use super::secret_name::NewSecretName;
use super::secret_type::SecretType;
use super::tags::Tags;
use super::time::Time;
use super::version::VersionId;
use super::{managed, managed_value};
use crate::operation::{
    Echo, Invalid, Known, Operation, Outcome, Params, Resource, Retry, Risk, SecretDataSource,
    Sent, Spec, ValueSlot,
};
use crate::sensitive::Sensitive;

pub(crate) struct CreateSecret;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    secret_name: NewSecretName,
    version_id: VersionId,
    /// Prefer SecretDataSource
    secret_data: Option<Sensitive>,
    /// Takes the value from outside the conversation
    secret_data_source: Option<SecretDataSource>,
    secret_data_type: Option<SecretDataType>,
    encryption_key_id: Option<KeyId>,
    /// Choose the KMS instance and its AES key, created if there is none
    auto_key: Option<bool>,
    #[schemars(length(max = 8192))]
    description: Option<String>,
    tags: Option<Tags>,
    secret_type: Option<SecretType>,
    extended_config: Option<ExtendedConfig>,
    /// Managed types only
    enable_automatic_rotation: Option<bool>,
    rotation_interval: Option<RotationInterval>,
    #[serde(rename = "DKMSInstanceId")]
    dkms_instance_id: Option<InstanceId>,
    policy: Option<Policy>,
}

impl Input {
    fn secret_type(&self) -> SecretType {
        self.secret_type.unwrap_or(SecretType::Generic)
    }
}

/// The answer as it comes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Answer {
    arn: Option<Echo>,
    secret_name: Option<Echo>,
    version_id: Option<Echo>,
    secret_type: Option<Word<SecretType>>,
    #[serde(rename = "DKMSInstanceId")]
    dkms_instance_id: Option<Echo>,
    automatic_rotation: Option<Word<RotationState>>,
    extended_config: Option<Echo>,
    rotation_interval: Option<Interval>,
    next_rotation_date: Option<Time>,
}

confined! {
    struct Created {
        arn: Known,
        secret_name: Known,
        version_id: Known,
        secret_type: Word<SecretType>,
        #[serde(rename = "DKMSInstanceId")]
        dkms_instance_id: Known,
        automatic_rotation: Word<RotationState>,
        extended_config: KnownConfiguration,
        rotation_interval: Interval,
        next_rotation_date: Time,
    }
}

impl Operation for CreateSecret {
    const SPEC: Spec = Spec {
        action: "CreateSecret",
        title: "Create a secret",
        summary: "Create a secret with its first version.",
        risk: Risk::Destroy,
        retry: Retry::NotActed,
    };
    type Input = Input;
    type Output = Answer;
    type View = Created;

    fn check(input: &Input) -> Result<(), Invalid> {
        input.secret_name.check(input.secret_type())?;
        input.version_id.check("VersionId")?;
        input.tags.iter().try_for_each(Tags::check)?;
        input.encryption_key_id.iter().try_for_each(KeyId::check)?;
        input.dkms_instance_id.iter().try_for_each(InstanceId::check)?;
        input.policy.iter().try_for_each(Policy::check)?;
        if input.auto_key == Some(true) && input.encryption_key_id.is_some() {
            return Err(Invalid::new("EncryptionKeyId", "left out when `AutoKey` is true"));
        }
        // facts/kms.md §1.13: a secret of the shared KMS has none.
        if input.policy.is_some()
            && input.dkms_instance_id.is_none()
            && input.auto_key != Some(true)
        {
            return Err(Invalid::new(
                "DKMSInstanceId",
                "given (or `AutoKey`) when `Policy` is: only secrets of a KMS instance have policies",
            ));
        }
        managed::check(
            input.secret_type(),
            input.extended_config.as_ref(),
            input.secret_data_type,
            input.enable_automatic_rotation == Some(true),
        )?;
        rotation::check(
            input.enable_automatic_rotation,
            input.rotation_interval.as_ref(),
            Shortest::SixHours,
        )?;
        SecretDataSource::check(input.secret_data.as_ref(), input.secret_data_source.as_ref())?;
        Self::check_value(input)
    }

    fn check_value(input: &Input) -> Result<(), Invalid> {
        let data = input.secret_data.as_ref();
        secret_data::check_size(data)?;
        let sub_type = input.extended_config.as_ref().map(|config| config.secret_sub_type);
        managed_value::check(input.secret_type(), sub_type, data)
    }

    fn risk(input: &Input) -> Risk {
        Policy::risk(input.policy.as_ref())
    }

    fn resource(input: &Input) -> Resource {
        input.secret_name.resource()
    }

    fn secret_type(input: &Input) -> Option<&str> {
        Some(input.secret_type().name())
    }

    fn value(input: &mut Input) -> Option<ValueSlot<'_>> {
        Some(ValueSlot { data: &mut input.secret_data, source: input.secret_data_source.as_ref() })
    }

    fn tags(input: &Input) -> Option<Vec<(String, String)>> {
        Some(Tags::pairs(input.tags.as_ref()))
    }

    fn auto_key(input: &Input) -> bool {
        input.auto_key == Some(true)
    }

    fn params(input: Input) -> Params {
        Params::new()
            .query("SecretName", input.secret_name)
            .query("VersionId", input.version_id)
            .secret("SecretData", input.secret_data)
            .query_some("SecretDataType", input.secret_data_type.map(Choice::name))
            .query_some("EncryptionKeyId", input.encryption_key_id.map(String::from))
            .query_some("Description", input.description)
            .query_json("Tags", input.tags.as_ref())
            .query_some("SecretType", input.secret_type.map(Choice::name))
            .query_json("ExtendedConfig", input.extended_config.as_ref())
            .query_some("EnableAutomaticRotation", input.enable_automatic_rotation)
            .query_some("RotationInterval", input.rotation_interval.map(String::from))
            .query_some("DKMSInstanceId", input.dkms_instance_id.map(String::from))
            .query_json("Policy", input.policy.as_ref())
    }

    fn view(output: Answer, sent: &Sent) -> Created {
        Created {
            arn: sent.arn(output.arn.as_ref()),
            secret_name: sent.name(output.secret_name.as_ref()),
            version_id: sent.version(output.version_id.as_ref()),
            secret_type: output.secret_type,
            dkms_instance_id: sent.instance(output.dkms_instance_id.as_ref()),
            automatic_rotation: output.automatic_rotation,
            extended_config: sent.config(output.extended_config.as_ref()).map(Into::into),
            rotation_interval: output.rotation_interval,
            next_rotation_date: output.next_rotation_date,
        }
    }

    fn outcome(_risk: Risk) -> Option<Outcome> {
        Some(Outcome::Created)
    }
}
