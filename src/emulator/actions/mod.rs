//! The actions of KMS that the emulator knows, a file each.

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

use jiff::Timestamp;
use rusqlite::Transaction;

use super::answer::Answer;
use super::arn;
use super::behaviour::Behaviour;
use super::error::Refusal;
use super::identity::Identity;
use super::request::Params;
use super::seal::Seal;
use super::secrets::Secret;

/// What a request can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    CreateKey,
    CreateSecret,
    DeleteSecret,
    DescribeSecret,
    GetSecretPolicy,
    GetSecretValue,
    ListKeys,
    ListKmsInstances,
    ListSecretVersionIds,
    ListSecrets,
    PutSecretValue,
    RestoreSecret,
    RotateSecret,
    SetSecretPolicy,
    UpdateSecret,
    UpdateSecretRotationPolicy,
    UpdateSecretVersionStage,
}

impl Action {
    const ALL: [Self; 17] = [
        Self::CreateKey,
        Self::CreateSecret,
        Self::DeleteSecret,
        Self::DescribeSecret,
        Self::GetSecretPolicy,
        Self::GetSecretValue,
        Self::ListKeys,
        Self::ListKmsInstances,
        Self::ListSecretVersionIds,
        Self::ListSecrets,
        Self::PutSecretValue,
        Self::RestoreSecret,
        Self::RotateSecret,
        Self::SetSecretPolicy,
        Self::UpdateSecret,
        Self::UpdateSecretRotationPolicy,
        Self::UpdateSecretVersionStage,
    ];

    /// The action of that name; gateways do not mind the case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name().eq_ignore_ascii_case(name))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CreateKey => "CreateKey",
            Self::CreateSecret => "CreateSecret",
            Self::DeleteSecret => "DeleteSecret",
            Self::DescribeSecret => "DescribeSecret",
            Self::GetSecretPolicy => "GetSecretPolicy",
            Self::GetSecretValue => "GetSecretValue",
            Self::ListKeys => "ListKeys",
            Self::ListKmsInstances => "ListKmsInstances",
            Self::ListSecretVersionIds => "ListSecretVersionIds",
            Self::ListSecrets => "ListSecrets",
            Self::PutSecretValue => "PutSecretValue",
            Self::RestoreSecret => "RestoreSecret",
            Self::RotateSecret => "RotateSecret",
            Self::SetSecretPolicy => "SetSecretPolicy",
            Self::UpdateSecret => "UpdateSecret",
            Self::UpdateSecretRotationPolicy => "UpdateSecretRotationPolicy",
            Self::UpdateSecretVersionStage => "UpdateSecretVersionStage",
        }
    }

    /// Whether it changes the database.
    pub(crate) fn writes(self) -> bool {
        match self {
            Self::DescribeSecret
            | Self::GetSecretPolicy
            | Self::GetSecretValue
            | Self::ListKeys
            | Self::ListKmsInstances
            | Self::ListSecretVersionIds
            | Self::ListSecrets => false,
            Self::CreateKey
            | Self::CreateSecret
            | Self::DeleteSecret
            | Self::PutSecretValue
            | Self::RestoreSecret
            | Self::RotateSecret
            | Self::SetSecretPolicy
            | Self::UpdateSecret
            | Self::UpdateSecretRotationPolicy
            | Self::UpdateSecretVersionStage => true,
        }
    }
}

/// What an action works with.
pub(crate) struct Call<'a> {
    pub(crate) tx: &'a Transaction<'a>,
    pub(crate) params: &'a Params,
    pub(crate) now: Timestamp,
    pub(crate) identity: &'a Identity,
    pub(crate) seal: &'a Seal,
    pub(crate) behaviour: &'a Behaviour,
}

impl Call<'_> {
    fn ms(&self) -> i64 {
        self.now.as_millisecond()
    }

    /// The secret that `SecretName` names, by name or ARN.
    fn secret(&self) -> Result<Secret, Refusal> {
        let name = arn::local(self.params.need("SecretName")?, "secret", self.identity)?;
        Secret::find(self.tx, name)?.ok_or(Refusal::ResourceNotFound)
    }

    /// The same, if it does not wait for its deletion: published for some actions.
    fn living_secret(&self) -> Result<Secret, Refusal> {
        let secret = self.secret()?;
        if secret.planned_delete.is_some() { Err(Refusal::InDeleteWindow) } else { Ok(secret) }
    }

    /// The same, for actions whose published errors do not say.
    fn usable_secret(&self) -> Result<Secret, Refusal> {
        if self.behaviour.locked_in_delete_window { self.living_secret() } else { self.secret() }
    }
}

/// Carries out an action.
pub(crate) fn run(action: Action, call: &Call<'_>) -> Result<Answer, Refusal> {
    match action {
        Action::CreateKey => create_key::run(call),
        Action::CreateSecret => create_secret::run(call),
        Action::DeleteSecret => delete_secret::run(call),
        Action::DescribeSecret => describe_secret::run(call),
        Action::GetSecretPolicy => get_secret_policy::run(call),
        Action::GetSecretValue => get_secret_value::run(call),
        Action::ListKeys => list_keys::run(call),
        Action::ListKmsInstances => list_kms_instances::run(call),
        Action::ListSecretVersionIds => list_secret_version_ids::run(call),
        Action::ListSecrets => list_secrets::run(call),
        Action::PutSecretValue => put_secret_value::run(call),
        Action::RestoreSecret => restore_secret::run(call),
        Action::RotateSecret => rotate_secret::run(call),
        Action::SetSecretPolicy => set_secret_policy::run(call),
        Action::UpdateSecret => update_secret::run(call),
        Action::UpdateSecretRotationPolicy => update_secret_rotation_policy::run(call),
        Action::UpdateSecretVersionStage => update_secret_version_stage::run(call),
    }
}
