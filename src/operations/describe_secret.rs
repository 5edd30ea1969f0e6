//! `DescribeSecret`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::answer;
use super::choices::Word;
use super::custom_data::Configuration;
use super::rotation::{Interval, RotationState};
use super::secret_name::SecretName;
use super::secret_type::SecretType;
use super::tags::TagList;
use super::time::Time;
use crate::operation::{
    Identifier, Invalid, Operation, Params, Resource, Retry, Risk, Sent, Spec, Untrusted,
};

pub(crate) struct DescribeSecret;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    secret_name: SecretName,
    fetch_tags: Option<bool>,
}

answer! {
    struct Metadata {
        arn: Identifier,
        secret_name: Untrusted,
        secret_type: Word<SecretType>,
        /// Untrusted text
        description: Untrusted,
        encryption_key_id: Identifier,
        create_time: Time,
        update_time: Time,
        #[serde(rename = "DKMSInstanceId")]
        dkms_instance_id: Identifier,
        planned_delete_time: Time,
        automatic_rotation: Word<RotationState>,
        rotation_interval: Interval,
        last_rotation_date: Time,
        next_rotation_date: Time,
        extended_config: Configuration,
        owing_service: Untrusted,
        tags: TagList,
    }
}

impl Operation for DescribeSecret {
    const SPEC: Spec = Spec {
        action: "DescribeSecret",
        title: "Describe a secret",
        summary: "Show a secret's metadata, without its value.",
        risk: Risk::Inspect,
        retry: Retry::Idempotent,
    };
    type Input = Input;
    type Output = Metadata;
    type View = Metadata;

    fn check(input: &Input) -> Result<(), Invalid> {
        input.secret_name.check()
    }

    fn resource(input: &Input) -> Resource {
        Resource::secret(input.secret_name.as_str())
    }

    fn params(input: Input) -> Params {
        Params::new()
            .query("SecretName", input.secret_name)
            .query_some("FetchTags", input.fetch_tags)
    }

    fn view(output: Metadata, _sent: &Sent) -> Metadata {
        output
    }

    fn notes(view: &Metadata) -> Vec<String> {
        let description = view.description.as_ref().and_then(|text| text.note("Description"));
        let config = view.extended_config.as_ref().and_then(|text| text.note("ExtendedConfig"));
        let tags = view.tags.as_ref().and_then(TagList::note);
        description.into_iter().chain(config).chain(tags).collect()
    }
}
