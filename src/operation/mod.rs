//! What a KMS action is, said once: [`Operation`].
//!
//! From one implementation come the MCP tool with its schemas and annotations, the signed request,
//! the approval record, the audit row and the reply. An action is one file in `operations/` and one
//! line in its catalogue.

mod echo;
pub(crate) mod equivalent;
mod identifier;
mod invalid;
pub(crate) mod normal;
mod params;
pub(crate) mod schema;
mod untrusted;

pub(crate) use echo::{Confined, Echo, Known, Sent};
pub(crate) use identifier::Identifier;
pub(crate) use invalid::Invalid;
pub(crate) use params::Place;
pub(crate) use params::{Content, Param, Params};
pub(crate) use untrusted::Untrusted;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::sensitive::Sensitive;

/// One action of the KMS API, version 2016-01-20.
pub trait Operation: Send + Sync + 'static {
    /// Name, text and risk.
    const SPEC: Spec;
    /// The arguments, under their KMS names.
    type Input: DeserializeOwned + JsonSchema + Send + 'static;
    /// The answer on the wire; may hold a [`Sensitive`].
    type Output: DeserializeOwned + Send + 'static;
    /// What the agent sees. Cannot hold a [`Sensitive`]: that is not `Serialize`.
    type View: Serialize + JsonSchema + Send + 'static;

    /// Limits and cross-field rules that the schema cannot say.
    fn check(input: &Self::Input) -> Result<(), Invalid>;

    /// The risk of this very call; at most the one in the [`Spec`].
    fn risk(_input: &Self::Input) -> Risk {
        Self::SPEC.risk
    }

    /// What policy, approval and audit name.
    fn resource(input: &Self::Input) -> Resource;

    /// Where the value goes, for an action that returns one.
    fn destination(_input: &Self::Input) -> Option<Destination> {
        None
    }

    /// The file a value goes to, for the destination `file`.
    fn file_name(_input: &Self::Input) -> Option<&str> {
        None
    }

    /// The `SecretType` the call itself states, for policies that match on it.
    fn secret_type(_input: &Self::Input) -> Option<&str> {
        None
    }

    /// The tags the call itself gives, for an action that creates what it is about.
    fn tags(_input: &Self::Input) -> Option<Vec<(String, String)>> {
        None
    }

    /// What is read before a person is asked, and again before the call is made.
    fn witness(_input: &Self::Input) -> Witness {
        Witness::None
    }

    /// Where a value enters, for an action that takes one.
    fn value(_input: &mut Self::Input) -> Option<ValueSlot<'_>> {
        None
    }

    /// Limits and shape of the value, checked again once it was taken from its source.
    fn check_value(_input: &Self::Input) -> Result<(), Invalid> {
        Ok(())
    }

    /// Whether the program chooses the KMS instance and the key for it.
    fn auto_key(_input: &Self::Input) -> bool {
        false
    }

    /// The parameters on the wire.
    fn params(input: Self::Input) -> Params;

    /// Takes the value out of the answer, before the view is made.
    fn take_value(_output: &mut Self::Output) -> Option<Sensitive> {
        None
    }

    /// The version whose value was answered.
    fn version(_output: &Self::Output) -> Option<&Echo> {
        None
    }

    /// The versions that an answer without a value lists.
    fn listed_versions(_view: &Self::View) -> Vec<String> {
        Vec::new()
    }

    /// The answer as the agent sees it. What an answer that carries a value repeats is shown only if
    /// it was `sent` or listed before.
    fn view(output: Self::Output, sent: &Sent) -> Self::View;

    /// What the agent is told beside an answer.
    fn notes(_view: &Self::View) -> Vec<String> {
        Vec::new()
    }

    /// What a success means. `None` for reads.
    fn outcome(_risk: Risk) -> Option<Outcome> {
        None
    }

    /// An error code that says the wanted state already holds.
    fn settles(_code: &str) -> Option<Outcome> {
        None
    }
}

/// The constants of an action.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The KMS action, and the name of the tool.
    pub action: &'static str,
    /// A short title for people.
    pub title: &'static str,
    /// What it does, for an agent: short, it is paid for in every conversation.
    pub summary: &'static str,
    /// The highest risk a call of it can have.
    pub risk: Risk,
    /// When it may be sent again.
    pub retry: Retry,
}

/// What a call can do. Ordered: MCP annotations and the default confirmation follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Reads metadata.
    Inspect,
    /// Changes what can be changed back.
    Write,
    /// Lets a value leave KMS.
    Reveal,
    /// Cannot be undone, or hands values to others.
    Destroy,
}

impl Risk {
    /// The name used in policies, records and the audit log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inspect => "inspect",
            Self::Write => "write",
            Self::Reveal => "reveal",
            Self::Destroy => "destroy",
        }
    }
}

/// When a request may be sent again (facts/kms.md §6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// After any passing failure: the call changes nothing, or the same when it is repeated.
    Idempotent,
    /// Only when KMS cannot have acted on the first: not connected, or throttled.
    NotActed,
}

/// The thing a call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// What it is.
    pub kind: ResourceKind,
    /// The name or ARN as given; empty for the whole account and for a key to be made.
    pub name: String,
}

/// The kinds of [`Resource`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    /// A secret.
    Secret,
    /// A key.
    Key,
    /// The account's list of things.
    Account,
}

impl Resource {
    /// The secret of that name or ARN.
    pub fn secret(name: impl Into<String>) -> Self {
        Self { kind: ResourceKind::Secret, name: name.into() }
    }

    /// A key that has no id yet.
    pub(crate) fn new_key() -> Self {
        Self { kind: ResourceKind::Key, name: String::new() }
    }

    /// The account as a whole.
    pub fn account() -> Self {
        Self { kind: ResourceKind::Account, name: String::new() }
    }
}

/// Where a disclosed value goes (design §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Destination {
    /// Nowhere: the agent sees `***`.
    Mask,
    /// A file of mode 0600 in the configured folder.
    File,
    /// The approval page.
    Person,
    /// The conversation.
    Agent,
}

impl Destination {
    /// The name used in policies, records and the audit log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mask => "mask",
            Self::File => "file",
            Self::Person => "person",
            Self::Agent => "agent",
        }
    }
}

/// What must not have changed between a person's yes and the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witness {
    /// Nothing is read.
    None,
    /// The secret's type, creation time and deletion state.
    Secret,
    /// The same, of a secret of a KMS instance: KMS refuses the call on any other, so nobody is asked.
    SecretOfInstance,
    /// The same, and tags and versions to show the approver what would be lost.
    SecretWithVersions,
    /// The versions that there are, for a call that makes one.
    NewVersion(NewVersion),
    /// The same as `Secret`, and the version that would be read.
    Version {
        /// The version asked for, if it was named.
        version_id: Option<String>,
        /// The stage asked for, `ACSCurrent` when none was named.
        stage: String,
    },
}

/// A version that a call makes. KMS compares the values where its id exists, and drops an older
/// version where the secret is full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVersion {
    /// Its id, which must be new; `None` where KMS chooses it.
    pub id: Option<String>,
    /// The stages that move to it.
    pub stages: Vec<String>,
}

/// Where a value enters a call.
#[derive(Debug)]
pub struct ValueSlot<'a> {
    /// The value itself, given inline or filled in from the source.
    pub data: &'a mut Option<Sensitive>,
    /// Where to take it from.
    pub source: Option<&'a SecretDataSource>,
}

/// Where a value comes from, so that it need not pass through a conversation. Exactly one is set.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[schemars(inline, extend("examples" = [{ "File": "db-password" }]))]
pub struct SecretDataSource {
    /// Name of an environment variable that config.toml allows
    #[schemars(length(min = 1, max = 128))]
    pub env: Option<String>,
    /// File in a folder that config.toml allows
    #[schemars(length(min = 1, max = 1024))]
    pub file: Option<String>,
}

impl SecretDataSource {
    /// Exactly one source, and either a value or a source.
    pub(crate) fn check(data: Option<&Sensitive>, source: Option<&Self>) -> Result<(), Invalid> {
        match (data, source) {
            (Some(_), None) => Ok(()),
            (None, Some(Self { env: Some(_), file: None } | Self { env: None, file: Some(_) })) => {
                Ok(())
            }
            (None, Some(_)) => {
                Err(Invalid::new("SecretDataSource", "exactly one of `Env` and `File`"))
            }
            (Some(_), Some(_)) => {
                Err(Invalid::new("SecretDataSource", "left out when `SecretData` is given"))
            }
            (None, None) => Err(Invalid::new(
                "SecretData",
                "given, or better `SecretDataSource` with `Env` or `File`, so that the value stays out of the conversation",
            )),
        }
    }
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The secret or version exists now.
    Created,
    /// Metadata was changed.
    Updated,
    /// Deletion is scheduled; RestoreSecret undoes it.
    Scheduled,
    /// Gone for good.
    Deleted,
    /// It was not there.
    AlreadyAbsent,
    /// Deletion was undone.
    Restored,
    /// Deletion was not scheduled.
    AlreadyActive,
    /// A rotation was started.
    Rotated,
}

impl Outcome {
    /// The name used in replies and the audit log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Scheduled => "scheduled",
            Self::Deleted => "deleted",
            Self::AlreadyAbsent => "already_absent",
            Self::Restored => "restored",
            Self::AlreadyActive => "already_active",
            Self::Rotated => "rotated",
        }
    }
}
