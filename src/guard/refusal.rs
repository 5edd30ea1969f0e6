//! [`Refusal`]: why a call was not admitted.

use super::approval::Record;
use crate::operation::Invalid;

/// Nothing has been sent in any of these cases.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// An argument is not allowed.
    Invalid(Invalid),
    /// The policy says no.
    Denied { rule: String, reason: String, instead: Option<String> },
    /// A confirmation is needed first.
    Confirm(Box<Challenge>),
    /// The person said no.
    Declined,
    /// The token was not used in time.
    Expired,
    /// The token was used before.
    Spent,
    /// Nobody knows the token.
    UnknownToken,
    /// Too many tokens that nobody knows.
    Locked,
    /// So many questions of this process wait already.
    TooManyPending(u32),
    /// A person was asked so many questions in the last ten minutes.
    TooManyQuestions(u32),
    /// A person said no to this a moment ago; for how long they are left alone.
    CoolingOff { seconds: i64 },
    /// The call is not the one that was approved.
    Mismatch(Vec<&'static str>),
    /// The secret is not the one that was approved.
    Changed,
    /// The secret is outside of any KMS instance, where KMS is known to refuse the call.
    OutsideInstance,
    /// The name of a secret to be created is taken, perhaps by one that waits for its deletion; found
    /// before a key is created for it.
    NameTaken { deleting: bool },
    /// A version of this id is there already, whatever it holds.
    VersionExists,
    /// KMS did not list all versions of the secret.
    VersionsUnread,
    /// The answer to the listing lists nothing at all.
    NoListing,
    /// Another call changes the secret.
    ChangeInProgress,
    /// Ids that were not listed turned out to be taken so often in an hour.
    TooManyCollisions(u32),
    /// The level needs a PIN, and none is set.
    PinRequired,
    /// The file of the PIN is not the one that this server knows.
    PinChanged,
    /// The decision in the store is not signed with the PIN.
    Unproven,
    /// The audit log cannot be written.
    AuditUnavailable,
    /// The store or the source of randomness failed.
    StateUnavailable(String),
    /// There is no region, or what is configured is none: why.
    NoRegion(Option<String>),
    /// An answer named another account than the ones before, under the same AccessKey.
    OtherAccount,
    /// There are no credentials, and why.
    NoCredentials(String),
    /// The client gave the call up while it waited.
    Cancelled,
}

/// What a person runs: of this program, for the user and the state folder of this server.
#[derive(Debug, Clone)]
pub(crate) struct Commands {
    /// Lists what waits.
    pub(crate) approve: String,
    /// Sets a PIN.
    pub(crate) pin_set: String,
}

impl Default for Commands {
    fn default() -> Self {
        Self { approve: "kms-mcp approve".into(), pin_set: "kms-mcp pin set".into() }
    }
}

/// What a person is asked, and the token that their yes brings to life.
#[derive(Debug, Clone)]
pub(crate) struct Challenge {
    pub(crate) token: String,
    pub(crate) expires_at: String,
    pub(crate) summary: String,
    pub(crate) match_code: String,
    /// The token works already: a speed bump, for low risk.
    pub(crate) approved: bool,
    /// A consent given through the MCP client is enough.
    pub(crate) client: bool,
    /// Everything that is agreed to.
    pub(crate) record: Record,
    /// Why a new token was made, if another had been sent; or that this one is not new.
    pub(crate) note: Option<&'static str>,
    /// The same call was answered with it before: nobody is asked a second time.
    pub(crate) waits_already: bool,
}

impl Challenge {
    /// The same, for a call that is made again without its token.
    pub(super) fn again(self, note: &'static str) -> Self {
        Self { note: Some(note), waits_already: true, ..self }
    }
}

impl Refusal {
    /// The code in the reply: one of a closed set.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "InvalidArgument",
            Self::Denied { .. } => "DeniedByPolicy",
            Self::Confirm(_) => "ConfirmationRequired",
            Self::Declined => "ConfirmationDeclined",
            Self::Expired => "ConfirmationExpired",
            Self::Spent => "ConfirmationUsed",
            Self::UnknownToken => "ConfirmationUnknown",
            Self::Locked => "ConfirmationLocked",
            Self::TooManyPending(_) => "TooManyPending",
            Self::TooManyQuestions(_) => "TooManyQuestions",
            Self::CoolingOff { .. } => "ConfirmationCoolOff",
            Self::Mismatch(_) => "ConfirmationMismatch",
            Self::Changed => "ConfirmationChanged",
            // What KMS would answer: the agent and the documents know it under this name.
            Self::OutsideInstance => "Forbidden.KeyPolicyUnSupported",
            Self::NameTaken { deleting: false } => "Rejected.ResourceExist",
            Self::NameTaken { deleting: true } => "Rejected.ResourceInDeleteWindow",
            Self::VersionExists => "VersionExists",
            Self::VersionsUnread => "VersionsUnread",
            Self::NoListing => "UnreadableAnswer",
            Self::ChangeInProgress => "ChangeInProgress",
            Self::TooManyCollisions(_) => "TooManyCollisions",
            Self::PinRequired => "PinRequired",
            Self::PinChanged => "PinChanged",
            Self::Unproven => "ConfirmationUnproven",
            Self::AuditUnavailable => "AuditUnavailable",
            Self::StateUnavailable(_) => "StateUnavailable",
            Self::NoRegion(_) => "NoRegion",
            Self::OtherAccount => "OtherAccount",
            Self::NoCredentials(_) => "NoCredentials",
            Self::Cancelled => "Cancelled",
        }
    }

    /// Whether the guard said no (`denied`), rather than something being wrong (`error`).
    pub(crate) fn is_denial(&self) -> bool {
        matches!(
            self,
            Self::Denied { .. }
                | Self::Declined
                | Self::Expired
                | Self::Spent
                | Self::UnknownToken
                | Self::Locked
                | Self::TooManyPending(_)
                | Self::TooManyQuestions(_)
                | Self::CoolingOff { .. }
                | Self::TooManyCollisions(_)
                | Self::Mismatch(_)
                | Self::Changed
                | Self::PinRequired
                | Self::PinChanged
                | Self::Unproven
        )
    }

    /// What happened.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Invalid(invalid) => invalid.to_string(),
            Self::Denied { rule, reason, .. } => {
                format!("policy rule `{rule}` refuses this call: {reason}")
            }
            Self::Confirm(_) => "a confirmation is needed first".into(),
            Self::Declined => "the person declined".into(),
            Self::Expired => "the confirmation token was not used in time".into(),
            Self::Spent => "the confirmation token was used before; each works once".into(),
            Self::UnknownToken => "this confirmation token is not known here".into(),
            Self::Locked => {
                "too many unknown confirmation tokens; for 10 minutes this server looks at no other unknown one".into()
            }
            Self::TooManyPending(most) => {
                format!("{most} questions of this server wait for the person; no more are asked")
            }
            Self::TooManyQuestions(most) => {
                format!("the person was asked {most} questions in 10 minutes; no more are asked")
            }
            Self::CoolingOff { seconds } => {
                format!("the person said no to this and is not asked again for {seconds} s")
            }
            Self::Mismatch(fields) => {
                format!(
                    "this call is not the one that was approved; different are: {}",
                    fields.join(", ")
                )
            }
            Self::Changed => "the secret changed after the person was asked".into(),
            Self::OutsideInstance => {
                "only secrets of a KMS instance have policies; this one is in the shared KMS, so the call was not made".into()
            }
            Self::NameTaken { deleting: false } => {
                "a secret of this name exists already, so the call was not made and no key was created".into()
            }
            Self::NameTaken { deleting: true } => {
                "a secret of this name is scheduled for deletion, so the call was not made and no key was created".into()
            }
            Self::VersionExists => {
                "the secret has a version with this VersionId already, so nothing was changed".into()
            }
            Self::NoListing => {
                "in the step ListSecretVersionIds: the answer lists no versions, so it is not one of KMS; nothing was changed".into()
            }
            Self::VersionsUnread => {
                "KMS did not list all versions of the secret, so the call was not made".into()
            }
            Self::ChangeInProgress => {
                "another call of kms-mcp has been changing this secret, or one that shares its lock, for a minute, so this one was not made".into()
            }
            Self::TooManyCollisions(most) => {
                format!("{most} calls in an hour named a VersionId of this secret that was taken in the meantime; no more are made")
            }
            Self::PinRequired => "the policy asks for a PIN, and none is set".into(),
            Self::PinChanged => {
                "the PIN was changed or removed while this server ran; it takes no approval any more".into()
            }
            Self::Unproven => {
                "the decision in the store was not made with the person's PIN".into()
            }
            Self::AuditUnavailable => "the audit log cannot be written".into(),
            Self::NoRegion(None) => "no region is configured".into(),
            Self::OtherAccount => "KMS named another account than before for the same AccessKey, so the call was stopped".into(),
            Self::StateUnavailable(why) | Self::NoCredentials(why) | Self::NoRegion(Some(why)) => {
                why.clone()
            }
            Self::Cancelled => "the client cancelled the call".into(),
        }
    }

    /// What to do next, with the commands that the person may have to run.
    pub(crate) fn next(&self, commands: &Commands) -> String {
        let Commands { approve, pin_set } = commands;
        match self {
            Self::Invalid(_) => "Correct the argument and call again.".into(),
            Self::Denied { instead, .. } => instead.clone().unwrap_or_else(|| {
                "Do not try another way around it; tell the person which rule stands in the way.".into()
            }),
            Self::Confirm(_) => "Ask the person to approve, then repeat the same call with the token.".into(),
            Self::Declined => "Stop, and ask the person what they want instead.".into(),
            Self::Expired | Self::Spent | Self::UnknownToken => {
                "Make the same call without ConfirmationToken to get a new one.".into()
            }
            Self::Locked => {
                "Do not try tokens. A token that this server gave you works; without ConfirmationToken the call is asked about anew.".into()
            }
            Self::TooManyPending(_) => {
                format!("Ask the person to decide what waits: `{approve}` lists it, and takes several match codes for one yes. Then repeat those calls with their tokens.")
            }
            Self::TooManyQuestions(_) => {
                "Stop asking. Tell the person what is left to do; they can raise `limits.questions` in config.toml.".into()
            }
            Self::CoolingOff { .. } => {
                "Do not try another way around it; ask the person what they want instead.".into()
            }
            Self::Mismatch(_) => {
                "Repeat exactly the approved call, or call without ConfirmationToken to ask for this one.".into()
            }
            Self::Changed => {
                "Call DescribeSecret to see what it is now, then ask again without ConfirmationToken.".into()
            }
            Self::OutsideInstance => {
                "Create the secret with DKMSInstanceId, or grant access in RAM instead.".into()
            }
            Self::NameTaken { deleting: false } => {
                "Choose another name; DescribeSecret shows what is there.".into()
            }
            Self::NameTaken { deleting: true } => {
                "RestoreSecret brings it back; DescribeSecret shows when it goes.".into()
            }
            Self::VersionExists => {
                "Choose a VersionId that ListSecretVersionIds with IncludeDeprecated does not show. If an earlier call ended with Changed: unknown, CreateTime there tells whether it made the version.".into()
            }
            Self::NoListing => "Call again; if it stays, check endpoint and network.".into(),
            Self::VersionsUnread => "Try again; ListSecretVersionIds shows what KMS answers.".into(),
            Self::ChangeInProgress => "Wait until that call has ended, then call again.".into(),
            Self::TooManyCollisions(_) => {
                "Tell the person: something else makes versions of this secret, or guesses values. Try again in an hour.".into()
            }
            Self::PinRequired => {
                format!("The person runs `{pin_set}` in their own terminal; then call again. You cannot set it for them.")
            }
            Self::PinChanged => {
                "Tell the person. If they changed the PIN themselves, they restart kms-mcp; if not, another program wrote to its state folder.".into()
            }
            Self::Unproven => {
                "Tell the person: another program wrote to the state folder of kms-mcp, or the decision is older than their PIN. Then make the same call without ConfirmationToken.".into()
            }
            Self::AuditUnavailable => {
                "Tell the person: the audit folder must be writable, and its files must not be replaced; then restart kms-mcp. If the disk was full, room on it is enough.".into()
            }
            Self::StateUnavailable(_) => "Tell the person; kms-mcp needs its state folder.".into(),
            Self::OtherAccount => "Tell the person: the endpoint, or the AccessKey, may not be theirs. A new call learns the account anew.".into(),
            Self::NoRegion(Some(_)) => {
                "Pass RegionId, or the person corrects the region where the message says.".into()
            }
            Self::NoRegion(None) => {
                "Pass RegionId, or the person sets a region: `aliyun configure`, or `kms-mcp serve --region cn-hangzhou`; or `kms-mcp serve --backend embedded` needs none.".into()
            }
            Self::NoCredentials(_) => {
                "The person runs `aliyun configure` (mode AK or StsToken), or starts `kms-mcp serve --backend embedded` to work without a cloud account. Never ask for an AccessKey in the conversation.".into()
            }
            Self::Cancelled => "Call again when it is wanted.".into(),
        }
    }
}
