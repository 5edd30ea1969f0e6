//! The KMS actions as a policy sees them.
//!
//! Only for naming, for `examples` and for what is listed: a verdict goes by the [`super::Facts`].

use super::facts::Facts;
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
    /// The actions that the guard itself takes on the way of such a call: its witness.
    pub(super) steps: &'static [&'static str],
    /// What a RAM policy has to name for it.
    pub(super) right: Right,
    /// The right on the key that encrypts the secret, for an action that carries a value.
    pub(super) key_right: Option<&'static str>,
}

/// What RAM checks an action against (facts/kms.md §8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// The secret itself.
    Secret,
    /// All secrets of account and region: RAM cannot tell their names apart.
    Secrets,
    /// All keys of account and region.
    Keys,
    /// Nothing finer than everything.
    Everything,
}

impl Action {
    /// Every kind of call of it, with all else left open.
    pub(super) fn calls(&self) -> impl Iterator<Item = Facts<'static>> {
        let Self { name, risks, about_secret, destinations, sources, .. } = *self;
        risks.iter().flat_map(move |risk| {
            destinations.iter().flat_map(move |destination| {
                sources.iter().map(move |source| Facts {
                    action: name,
                    risk: *risk,
                    secret: if about_secret { "*" } else { "" },
                    region: "*",
                    account: None,
                    destination: *destination,
                    source: *source,
                    secret_type: None,
                    tags: None,
                    client: "*",
                })
            })
        })
    }
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
/// A write that becomes destructive by an argument (by force, or by naming another account), or on a
/// secret that holds as many versions as KMS keeps.
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

/// What `Witness::Secret` and the larger witnesses read.
const DESCRIBED: &[&str] = &["DescribeSecret"];
/// What `Witness::NewVersion` reads.
const VERSIONS: &[&str] = &["ListSecretVersionIds"];
const DESCRIBED_WITH_VERSIONS: &[&str] = &["DescribeSecret", "ListSecretVersionIds"];

const fn secret(name: &'static str, risks: &'static [Risk]) -> Action {
    Action {
        name,
        risks,
        about_secret: true,
        destinations: NOWHERE,
        sources: NO_VALUE,
        steps: &[],
        right: Right::Secret,
        key_right: None,
    }
}

const fn account(name: &'static str, risks: &'static [Risk], right: Right) -> Action {
    Action { about_secret: false, right, ..secret(name, risks) }
}

/// Every action, version 2016-01-20, that a policy can name.
pub(super) const ACTIONS: [Action; 17] = [
    Action {
        sources: VALUE,
        right: Right::Secrets,
        key_right: Some("GenerateDataKey"),
        ..secret("CreateSecret", WRITE_OR_DESTROY)
    },
    Action { steps: DESCRIBED_WITH_VERSIONS, ..secret("DeleteSecret", WRITE_OR_DESTROY) },
    secret("UpdateSecret", WRITE),
    secret("DescribeSecret", INSPECT),
    account("ListSecrets", INSPECT, Right::Secrets),
    Action {
        destinations: ANYWHERE,
        steps: DESCRIBED_WITH_VERSIONS,
        key_right: Some("Decrypt"),
        ..secret("GetSecretValue", &[Risk::Reveal])
    },
    Action {
        sources: VALUE,
        key_right: Some("GenerateDataKey"),
        steps: VERSIONS,
        ..secret("PutSecretValue", WRITE_OR_DESTROY)
    },
    secret("ListSecretVersionIds", INSPECT),
    secret("UpdateSecretVersionStage", WRITE),
    Action { steps: VERSIONS, ..secret("UpdateSecretRotationPolicy", WRITE_OR_DESTROY) },
    Action { steps: VERSIONS, ..secret("RotateSecret", WRITE_OR_DESTROY) },
    secret("RestoreSecret", WRITE),
    Action { steps: DESCRIBED, ..secret("SetSecretPolicy", &[Risk::Destroy]) },
    secret("GetSecretPolicy", INSPECT),
    account("ListKmsInstances", INSPECT, Right::Everything),
    account("ListKeys", INSPECT, Right::Keys),
    account("CreateKey", WRITE_OR_DESTROY, Right::Keys),
];

/// The action of that name.
pub(super) fn named(name: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.name == name)
}
