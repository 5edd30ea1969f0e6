//! `CreateKey`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::answer;
use super::choices::{Choice, Word};
use super::key_choices::{
    KeySpec, KeyState, KeyStorageMechanism, KeyUsage, Origin, ProtectionLevel, PublishedKeySpec,
};
use super::policy::Policy;
use super::resource_id::InstanceId;
use super::rotation::{self, Interval, RotationInterval, RotationState, Shortest};
use super::tags::Tags;
use super::time::Time;
use crate::operation::{
    Identifier, Invalid, Operation, Outcome, Params, Resource, Retry, Risk, Sent, Spec, Untrusted,
};

pub(crate) struct CreateKey;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    #[serde(rename = "DKMSInstanceId")]
    dkms_instance_id: Option<InstanceId>,
    #[schemars(length(max = 8192))]
    description: Option<String>,
    enable_automatic_rotation: Option<bool>,
    rotation_interval: Option<RotationInterval>,
    key_spec: Option<KeySpec>,
    key_usage: Option<KeyUsage>,
    /// Of an HSM instance
    key_storage_mechanism: Option<KeyStorageMechanism>,
    origin: Option<Origin>,
    /// Ignored with an instance
    protection_level: Option<ProtectionLevel>,
    policy: Option<Policy>,
    tags: Option<Tags>,
}

answer! {
    struct Created {
        key_metadata: Metadata,
    }

    struct Metadata {
        key_id: Identifier,
        arn: Identifier,
        key_spec: Word<PublishedKeySpec>,
        key_state: Word<KeyState>,
        key_usage: Word<KeyUsage>,
        origin: Word<Origin>,
        creator: Untrusted,
        creation_date: Time,
        /// Untrusted text
        description: Untrusted,
        protection_level: Word<ProtectionLevel>,
        primary_key_version: Untrusted,
        #[serde(rename = "DKMSInstanceId")]
        dkms_instance_id: Identifier,
        automatic_rotation: Word<RotationState>,
        rotation_interval: Interval,
        next_rotation_date: Time,
        last_rotation_date: Time,
        delete_date: Time,
        material_expire_time: Time,
    }
}

impl Operation for CreateKey {
    const SPEC: Spec = Spec {
        action: "CreateKey",
        title: "Create a key",
        summary: "Create a key, to encrypt secrets with in a KMS instance.",
        risk: Risk::Destroy,
        retry: Retry::NotActed,
    };
    type Input = Input;
    type Output = Created;
    type View = Created;

    fn check(input: &Input) -> Result<(), Invalid> {
        input.dkms_instance_id.iter().try_for_each(InstanceId::check)?;
        rotation::check(
            input.enable_automatic_rotation,
            input.rotation_interval.as_ref(),
            Shortest::SevenDays,
        )?;
        input.key_spec.iter().try_for_each(KeySpec::check)?;
        input.policy.iter().try_for_each(Policy::check)?;
        input.tags.iter().try_for_each(Tags::check)
    }

    fn risk(input: &Input) -> Risk {
        Policy::risk(input.policy.as_ref())
    }

    fn resource(_input: &Input) -> Resource {
        Resource::new_key()
    }

    fn tags(input: &Input) -> Option<Vec<(String, String)>> {
        Some(Tags::pairs(input.tags.as_ref()))
    }

    fn params(input: Input) -> Params {
        Params::new()
            .query_some("DKMSInstanceId", input.dkms_instance_id.map(String::from))
            .query_some("Description", input.description)
            .query_some("EnableAutomaticRotation", input.enable_automatic_rotation)
            .query_some("RotationInterval", input.rotation_interval.map(String::from))
            .query_some("KeySpec", input.key_spec.map(String::from))
            .query_some("KeyUsage", input.key_usage.map(Choice::name))
            .query_some("KeyStorageMechanism", input.key_storage_mechanism.map(Choice::name))
            .query_some("Origin", input.origin.map(Choice::name))
            .query_some("ProtectionLevel", input.protection_level.map(Choice::name))
            .query_json("Policy", input.policy.as_ref())
            .query_json("Tags", input.tags.as_ref())
    }

    fn view(output: Created, _sent: &Sent) -> Created {
        output
    }

    fn outcome(_risk: Risk) -> Option<Outcome> {
        Some(Outcome::Created)
    }
}
