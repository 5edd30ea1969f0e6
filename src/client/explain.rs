//! What an error means and what to do next, said by us (facts/kms.md §6.2).

use super::error::{ClientError, Failure};

/// What depends on whether a secret is managed; KMS does not say so under these codes.
const OF_ONE_KIND: [&str; 4] =
    ["RotateSecret", "UpdateSecretRotationPolicy", "PutSecretValue", "UpdateSecretVersionStage"];
/// What to do instead on a secret of the other kind.
const OTHER_KIND: &str = "Only managed secrets rotate, and their versions and stages move only by RotateSecret; for a Generic secret use PutSecretValue with a new VersionId.";
/// What to do about an answer that nothing published explains.
const UNKNOWN_NEXT: &str = "Tell the person: the RequestId finds the call in ActionTrail and at https://api.aliyun.com/troubleshoot.";
/// RotateSecret has a quota of its own (facts/kms.md §1.11).
const ROTATIONS: &str = "KMS rotates at most 50 times an hour in an account: call again when the hour is over. The same VersionId is safe to repeat.";

/// `(code, what happened, what to do next)`; a code that ends in `.` stands for all below it.
const CODES: &[(&str, &str, &str)] = &[
    (
        "Forbidden.ResourceNotFound",
        "no such secret, version, stage or key in this account and region",
        "Check the name and RegionId, and EncryptionKeyId if it was given; ListSecrets and ListKeys show what there is.",
    ),
    (
        "Forbidden.KeyNotFound",
        "no such key in this account and region",
        "Leave EncryptionKeyId out, or name a key of the same KMS instance.",
    ),
    (
        "Forbidden.KeyVersionNotFound",
        "no such version of the key",
        "ListKeys shows what keys there are; leave the version to KMS.",
    ),
    (
        "Forbidden.AliasNotFound",
        "no such alias in this account and region",
        "Name the key by its id; ListKeys shows what there is.",
    ),
    (
        "Rejected.Disabled",
        "the key that encrypts the secret is disabled",
        "Ask the person to enable the key in the console.",
    ),
    (
        "Rejected.PendingDeletion",
        "the key that encrypts the secret is scheduled for deletion",
        "Tell the person at once: they can still cancel the deletion of the key in the console.",
    ),
    (
        "Rejected.PendingImport",
        "the key has no key material yet",
        "Ask the person to import the key material, or name another key.",
    ),
    (
        "Rejected.StateModifiedFailed",
        "the state changed in between",
        "Try again in a moment; DescribeSecret shows how it is now.",
    ),
    (
        "Rejected.ResourceExist",
        "a secret or a version of this name exists already",
        "Choose another name or VersionId; DescribeSecret and ListSecretVersionIds show what is there.",
    ),
    (
        "Rejected.ResourceInDeleteWindow",
        "the secret is scheduled for deletion",
        "RestoreSecret brings it back; DescribeSecret shows when it goes.",
    ),
    (
        "Rejected.ResourceInUse",
        "the secret is not scheduled for deletion",
        "Nothing needs to be restored.",
    ),
    (
        "Rejected.LimitExceeded",
        "a limit of the account or of the secret is reached",
        "Delete what is not needed, or ask the person to raise the quota; a secret has 8 stages at most, and UpdateSecretVersionStage takes one away.",
    ),
    (
        "Rejected.ShareQuotaExceedLimit",
        "the shared quota of the KMS instance is reached",
        "Ask the person to raise the quota of the instance.",
    ),
    (
        "Rejected.InvalidRequest",
        "the parameters do not fit together",
        "Call ListSecretVersionIds to see which version holds which stage.",
    ),
    (
        "Rejected.UnsupportedOperation",
        "the secret does not support this now",
        "DescribeSecret shows its type and state.",
    ),
    (
        "UnsupportedOperation",
        "this type of secret or key does not support the action",
        "Rotation is for managed secrets; for a Generic secret use PutSecretValue with a new VersionId. Versions and stages of managed secrets move only by RotateSecret. Only symmetric keys rotate.",
    ),
    (
        "Rejected.Unavailable",
        "the KMS instance has expired or is stopped",
        "Ask the person to renew the KMS instance.",
    ),
    ("Rejected.Throttling", "too many requests", "Wait a few seconds and call again."),
    ("Throttling", "too many requests", "Wait a few seconds and call again."),
    ("Throttling.", "too many requests", "Wait a few seconds and call again."),
    (
        "InvalidParameter",
        "KMS does not accept a parameter",
        "Check the arguments against the tool's schema and against the secret: DescribeSecret shows its type, instance and key.",
    ),
    (
        "MissingParameter",
        "a required parameter is missing",
        "Check the arguments against the tool's schema.",
    ),
    (
        "ParseRequestParameterException",
        "KMS cannot read a parameter",
        "Check the arguments against the tool's schema.",
    ),
    (
        "Missing",
        "a required parameter is missing",
        "Check the arguments against the tool's schema.",
    ),
    (
        "Forbidden.NoPermission",
        "the AccessKey has no permission for this",
        "Ask the person to grant it (RAM policy, and kms:Decrypt or kms:GenerateDataKey when a key of their own encrypts the secret). No permission does not mean that the secret is absent.",
    ),
    (
        "Forbidden.RAM",
        "the AccessKey has no permission for this",
        "Ask the person to grant it in RAM. No permission does not mean that the secret is absent.",
    ),
    (
        "NoPermission",
        "the AccessKey has no permission for this",
        "Ask the person to grant it in RAM. No permission does not mean that the secret is absent.",
    ),
    (
        "Forbidden.AccessKey",
        "the AccessKey is not enabled",
        "Ask the person to configure another one with `aliyun configure`.",
    ),
    (
        "Forbidden.KmsServiceNotEnabled",
        "KMS is not enabled for this account",
        "Ask the person to enable KMS in the console.",
    ),
    ("Forbidden.InDebt", "the account is in debt", "Ask the person to settle the account."),
    ("Forbidden.InDebtOverdue", "the account is in debt", "Ask the person to settle the account."),
    (
        "Forbidden.ProhibitedByRiskControl",
        "the account is held by a risk control of Alibaba Cloud",
        "Ask the person to look in the console.",
    ),
    (
        "Forbidden.DKMSInstanceNotFound",
        "no such KMS instance",
        "Check DKMSInstanceId; ListKmsInstances shows what there is.",
    ),
    (
        "Forbidden.DKMSInstanceStateInvalid",
        "the KMS instance is not ready",
        "Try again later; if it stays, tell the person.",
    ),
    (
        "Forbidden.KeyPolicyUnSupported",
        "only secrets of a KMS instance have policies; this one is in the shared KMS",
        "Create the secret with DKMSInstanceId, or grant access in RAM instead.",
    ),
    (
        "InvalidAccessKeyId.NotFound",
        "KMS does not know the AccessKey",
        "Ask the person to run `aliyun configure`.",
    ),
    (
        "InvalidAccessKeyId.Inactive",
        "the AccessKey is disabled",
        "Ask the person to enable it or to run `aliyun configure`.",
    ),
    (
        "InvalidSecurityToken.",
        "the STS token is expired or does not belong to the AccessKey",
        "Ask the person to renew the credentials.",
    ),
    (
        "MissingSecurityToken",
        "the AccessKey is temporary and its STS token is missing",
        "Ask the person to set ALIBABA_CLOUD_SECURITY_TOKEN or to renew the profile.",
    ),
    (
        "SignatureDoesNotMatch",
        "the AccessKey secret is wrong",
        "Ask the person to run `aliyun configure` again; never ask for the key in the conversation.",
    ),
    (
        "IncompleteSignature",
        "the signature was changed on the way",
        "Ask the person whether a proxy stands between here and KMS.",
    ),
    ("SignatureNonceUsed", "KMS saw this request before", "Call again."),
    (
        "InvalidTimeStamp.",
        "the clock of this machine is more than 15 minutes off",
        "Ask the person to set the clock.",
    ),
    ("IllegalTimestamp", "the clock of this machine is off", "Ask the person to set the clock."),
    ("InternalFailure", "KMS had an internal error", "Try again in a moment."),
    ("ServiceUnavailable", "KMS is not available just now", "Try again in a moment."),
    ("SerivceUn", "KMS is not available just now", "Try again in a moment."),
    (
        "DryRunOperationError",
        "nothing: this was a dry run, and the call itself would be allowed",
        "Call without DryRun to make it.",
    ),
    (
        "ValidationError",
        "nothing: this was a dry run, and KMS would not accept the call itself",
        "Check SecretName, VersionId and VersionStage; ListSecretVersionIds shows which version holds which stage.",
    ),
    (
        "AccessDeniedError",
        "nothing: this was a dry run, and the AccessKey has no permission for the call itself",
        "Ask the person to grant it (RAM policy, and kms:Decrypt when a key of their own encrypts the secret). No permission does not mean that the secret is absent.",
    ),
    (
        "InvalidAction.NotFound",
        "this endpoint does not offer the action",
        "Tell the person; a dedicated gateway offers only GetSecretValue.",
    ),
    (
        "InvalidVersion",
        "this endpoint does not know the version of the KMS API",
        "Tell the person; the endpoint is not one of KMS.",
    ),
    (
        "UnsupportedHTTPMethod",
        "this endpoint does not take the request",
        "Tell the person; the endpoint is not one of KMS.",
    ),
];

/// The codes that are explained by themselves, not with their family.
pub(super) fn codes() -> impl Iterator<Item = &'static str> {
    CODES.iter().map(|(code, ..)| *code).filter(|code| !is_family(code))
}

impl ClientError {
    /// What happened, in our own words.
    pub(crate) fn message(&self) -> String {
        match &self.failure {
            Failure::Refused { code, denied } => {
                let mut text = match lookup(code.name()) {
                    Some((_, what, _)) => format!("KMS refused: {what}"),
                    None => "KMS refused with a code that is not published".into(),
                };
                text.push_str(&self.status());
                if let Some(denied) = denied {
                    if let Some(action) = &denied.action {
                        text.push_str(&format!("; missing is `kms:{action}`"));
                    }
                    if let Some(kind) = &denied.kind {
                        text.push_str(&format!(" ({kind})"));
                    }
                }
                if is_about_the_key(code.name()) {
                    text.push_str(&format!("; the AccessKey is from {}", self.key_origin));
                }
                text
            }
            Failure::Contradictory { .. } => {
                format!(
                    "the answer holds an error code and the status of a success{}",
                    self.status()
                )
            }
            Failure::NotBuilt => "the request could not be built".into(),
            Failure::TooMuch => "the arguments are longer than a request to KMS can be".into(),
            Failure::TooLate => {
                "what was read before it took more than half of the time that a call has, so it was not sent"
                    .into()
            }
            Failure::NotConnected(why) => why.message(),
            Failure::NoAnswer => "the connection broke or no answer came in time".into(),
            Failure::Unreadable => "the answer is not one of KMS; perhaps a proxy answered".into(),
            Failure::TooLong => "the answer is longer than 256 KiB".into(),
            Failure::Redirected => "the answer points elsewhere; redirects are not followed".into(),
            Failure::GivenUp => "the client cancelled the call".into(),
        }
    }

    fn status(&self) -> String {
        self.http_status.map(|status| format!(" (HTTP {status})")).unwrap_or_default()
    }

    /// What to do next after a failed `action` on a secret; `unsure` when a write may have happened.
    pub(crate) fn next(&self, action: &str, secret: &str, unsure: bool) -> String {
        if unsure && action == "CreateKey" {
            return "Look before you try again: ListKeys, filtered by DKMSInstanceId, shows whether the key was created. A second one would cost and stay.".into();
        }
        if unsure && secret.ends_with('*') {
            return "Look before you try again: KMS names the secret acs/ram/user/<UserName>, with the UserName of ExtendedConfig; DescribeSecret of that name shows whether it happened (compare CreateTime).".into();
        }
        if unsure {
            return "Look before you try again: DescribeSecret or ListSecretVersionIds shows whether it happened (compare CreateTime).".into();
        }
        match &self.failure {
            Failure::Refused { .. } if action == "RotateSecret" && self.is_throttled() => {
                ROTATIONS.into()
            }
            Failure::Refused { code, .. } => match lookup(code.name()) {
                Some((_, _, next))
                    if OF_ONE_KIND.contains(&action)
                        && matches!(
                            code.name(),
                            "InvalidParameter" | "Rejected.UnsupportedOperation"
                        ) =>
                {
                    format!("{next} {OTHER_KIND}")
                }
                Some((_, _, next)) => (*next).into(),
                None => UNKNOWN_NEXT.into(),
            },
            Failure::Contradictory { .. } => UNKNOWN_NEXT.into(),
            Failure::NotBuilt => "Tell the person; this is a fault of kms-mcp.".into(),
            Failure::TooMuch => "Shorten the arguments: all of them but the value, percent-encoded, must stay below 64 KiB.".into(),
            Failure::NotConnected(why) => why.next(),
            Failure::NoAnswer | Failure::Unreadable | Failure::TooLate => {
                "Call again; if it stays, check endpoint and network.".into()
            }
            Failure::TooLong => "Ask for less: a smaller PageSize, or without FetchTags.".into(),
            Failure::Redirected => {
                "Tell the person; the endpoint is wrong or something stands in the way.".into()
            }
            Failure::GivenUp => "Call again when it is wanted.".into(),
        }
    }
}

/// Whether a code says that the AccessKey itself is wrong.
fn is_about_the_key(code: &str) -> bool {
    let words = ["AccessKey", "SecurityToken", "SignatureDoesNotMatch"];
    words.iter().any(|word| code.contains(word))
}

fn lookup(code: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    CODES.iter().find(|(known, ..)| *known == code).or_else(|| {
        CODES
            .iter()
            .find(|(known, ..)| is_family(known) && code.starts_with(known.trim_end_matches('.')))
    })
}

/// Whether a row of [`CODES`] stands for all codes that begin like it.
fn is_family(code: &str) -> bool {
    code.ends_with('.') || matches!(code, "Missing" | "ServiceUnavailable" | "SerivceUn")
}
