//! The catalogue: the KMS actions, one file and one line each.

#![expect(
    clippy::doc_markdown,
    reason = "doc comments of inputs are schema text: agents need no backticks"
)]

mod create_key;
mod create_secret;
mod delete_secret;
mod describe_secret;
mod get_secret_policy;
mod get_secret_value;
mod list_keys;
mod list_kms_instances;
mod list_secret_version_ids;
mod list_secrets;
mod put_secret_value;
mod restore_secret;
mod rotate_secret;
mod set_secret_policy;
mod update_secret;
mod update_secret_rotation_policy;
mod update_secret_version_stage;

mod answer;
mod choices;
mod custom_data;
mod extended_config;
mod filters;
mod key_choices;
mod managed;
mod managed_value;
mod paging;
mod policy;
mod resource_id;
mod rotation;
mod secret_data;
mod secret_name;
mod secret_type;
mod tags;
mod time;
mod version;

#[cfg(test)]
mod tests;

pub(crate) use create_key::CreateKey;
pub(crate) use create_secret::CreateSecret;
pub(crate) use delete_secret::DeleteSecret;
pub(crate) use describe_secret::DescribeSecret;
pub(crate) use get_secret_policy::GetSecretPolicy;
pub(crate) use get_secret_value::GetSecretValue;
pub(crate) use list_keys::ListKeys;
pub(crate) use list_kms_instances::ListKmsInstances;
pub(crate) use list_secret_version_ids::ListSecretVersionIds;
pub(crate) use list_secrets::ListSecrets;
pub(crate) use policy::{Policy, Reach};
pub(crate) use put_secret_value::PutSecretValue;
pub(crate) use restore_secret::RestoreSecret;
pub(crate) use rotate_secret::RotateSecret;
pub(crate) use set_secret_policy::SetSecretPolicy;
pub(crate) use update_secret::UpdateSecret;
pub(crate) use update_secret_rotation_policy::UpdateSecretRotationPolicy;
pub(crate) use update_secret_version_stage::UpdateSecretVersionStage;

use crate::operation::Operation;

/// Makes one entry of some table from each action: tools, schemas, documents, tests.
pub(crate) trait Visit {
    /// What an action becomes.
    type Entry;
    /// Makes it.
    fn visit<O: Operation>(&mut self) -> Self::Entry;
}

/// Every action that is a tool, in the order they are listed.
pub(crate) fn catalogue<V: Visit>(visit: &mut V) -> Vec<V::Entry> {
    vec![
        visit.visit::<CreateSecret>(),
        visit.visit::<DescribeSecret>(),
        visit.visit::<ListSecrets>(),
        visit.visit::<GetSecretValue>(),
        visit.visit::<PutSecretValue>(),
        visit.visit::<UpdateSecret>(),
        visit.visit::<DeleteSecret>(),
        visit.visit::<RestoreSecret>(),
        visit.visit::<ListSecretVersionIds>(),
        visit.visit::<UpdateSecretVersionStage>(),
        visit.visit::<UpdateSecretRotationPolicy>(),
        visit.visit::<RotateSecret>(),
        visit.visit::<SetSecretPolicy>(),
        visit.visit::<GetSecretPolicy>(),
        visit.visit::<ListKmsInstances>(),
        visit.visit::<ListKeys>(),
        visit.visit::<CreateKey>(),
    ]
}
