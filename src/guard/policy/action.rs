//! The KMS actions as a policy sees them.
//!
//! Only for naming, for `examples` and for what is listed: a verdict goes by the [`super::Facts`].

use crate::operation::{Destination, Risk};

/// What is known of an action before it is called.
#[derive(Debug)]
pub(super) struct Action {
    /// Its name.
    pub(super) name: &'static str,
    /// The risks its calls can have, the usual one first.
    pub(super) risks: &'static [Risk],
    /// Whether it is about one secret, and not about the account.
    pub(super) about_secret: bool,
    /// Where the value it returns can go.
    pub(super) destinations: &'static [Option<Destination>],
    /// Where the value it takes can come from.
    pub(super) sources: &'static [Option<&'static str>],
}

/// The sources of a value, in the words of policies.
pub(super) const SOURCES: [&str; 5] = ["inline", "env", "file", "generate", "person"];

/// The secret types KMS knows, spelled as KMS does.
pub(super) const TYPES: [&str; 6] = ["Generic", "Rds", "Redis", "RAMCredentials", "ECS", "PolarDB"];

/// The destinations, in the words of policies.
pub(super) const DESTINATIONS: [Destination; 4] =
    [Destination::Mask, Destination::File, Destination::Person, Destination::Agent];

/// The risks, in the words of policies.
pub(super) const RISKS: [Risk; 4] = [Risk::Inspect, Risk::Write, Risk::Reveal, Risk::Destroy];

const INSPECT: &[Risk] = &[Risk::Inspect];
const WRITE: &[Risk] = &[Risk::Write];
/// A write that becomes destructive by an argument: by force, or by naming another account.
const WRITE_OR_DESTROY: &[Risk] = &[Risk::Write, Risk::Destroy];
const NOWHERE: &[Option<Destination>] = &[None];
const ANYWHERE: &[Option<Destination>] = &[
    Some(Destination::Mask),
    Some(Destination::File),
    Some(Destination::Person),
    Some(Destination::Agent),
];
const NO_VALUE: &[Option<&str>] = &[None];
const VALUE: &[Option<&str>] =
    &[Some("env"), Some("inline"), Some("file"), Some("generate"), Some("person")];

const fn secret(name: &'static str, risks: &'static [Risk]) -> Action {
    Action { name, risks, about_secret: true, destinations: NOWHERE, sources: NO_VALUE }
}

const fn account(name: &'static str, risks: &'static [Risk]) -> Action {
    Action { name, risks, about_secret: false, destinations: NOWHERE, sources: NO_VALUE }
}

/// Every action, version 2016-01-20, that a policy can name.
pub(super) const ACTIONS: [Action; 17] = [
    Action { sources: VALUE, ..secret("CreateSecret", WRITE_OR_DESTROY) },
    secret("DeleteSecret", WRITE_OR_DESTROY),
    secret("UpdateSecret", WRITE),
    secret("DescribeSecret", INSPECT),
    account("ListSecrets", INSPECT),
    Action { destinations: ANYWHERE, ..secret("GetSecretValue", &[Risk::Reveal]) },
    Action { sources: VALUE, ..secret("PutSecretValue", WRITE) },
    secret("ListSecretVersionIds", INSPECT),
    secret("UpdateSecretVersionStage", WRITE),
    secret("UpdateSecretRotationPolicy", WRITE),
    secret("RotateSecret", WRITE),
    secret("RestoreSecret", WRITE),
    secret("SetSecretPolicy", &[Risk::Destroy]),
    secret("GetSecretPolicy", INSPECT),
    account("ListKmsInstances", INSPECT),
    account("ListKeys", INSPECT),
    account("CreateKey", WRITE_OR_DESTROY),
];

/// The action of that name.
pub(super) fn named(name: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.name == name)
}
