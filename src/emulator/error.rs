//! Refusals in the words of KMS: status, code and message, spelling mistakes included.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::actions::Action;
use super::behaviour::Behaviour;
use super::seal::Unsealable;

/// What went wrong in an action, before it is put into that action's published words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    InvalidParameter,
    MissingParameter(&'static str),
    ResourceNotFound,
    ResourceExist,
    InDeleteWindow,
    InUse,
    LimitExceeded,
    ParamMismatch,
    Unsupported,
    WrongType,
    NoPermission,
    InstanceNotFound,
    PolicyUnsupported,
    DryRun,
    Internal,
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        // The text names tables and columns, never bound values.
        tracing::error!(%error, "the embedded KMS cannot use its database");
        Self::Internal
    }
}

impl From<Unsealable> for Refusal {
    fn from(error: Unsealable) -> Self {
        tracing::error!(%error, "the embedded KMS cannot use a stored value");
        Self::Internal
    }
}

impl From<ring::error::Unspecified> for Refusal {
    fn from(_: ring::error::Unspecified) -> Self {
        tracing::error!("the operating system's random generator failed");
        Self::Internal
    }
}

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KmsError {
    pub(crate) status: u16,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: Cow<'static, str>,
    /// Sent as `x-acs-retry-after`, in milliseconds.
    pub(crate) retry_after_ms: Option<u64>,
    /// Further members of the body, such as `AccessDeniedDetail`.
    pub(crate) extra: Box<Map<String, Value>>,
}

impl KmsError {
    pub(crate) fn new(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (code, message) = (code.into(), message.into());
        Self { status, code, message, retry_after_ms: None, extra: Box::default() }
    }

    /// The answer to a caller above its rate.
    pub(crate) fn throttled(behaviour: &Behaviour) -> Self {
        Self::new(behaviour.throttling_status, "Rejected.Throttling", "QPS Limit Exceeded")
    }

    /// A required parameter of the gateway is not there.
    pub(crate) fn missing(parameter: &str) -> Self {
        Self::new(
            400,
            format!("Missing{parameter}"),
            format!("{parameter} is mandatory for this action."),
        )
    }

    /// The refusal in the words that are published for `action`.
    pub(crate) fn of(refusal: Refusal, action: Action, behaviour: &Behaviour) -> Self {
        if let Refusal::MissingParameter(name) = refusal
            && behaviour.gateway_missing_codes
        {
            return Self::missing(name);
        }
        let (status, code) = code(refusal, action, behaviour);
        Self::new(status, code, message(refusal, action))
    }

    /// The body: the gateway's form.
    pub(crate) fn body(&self, request_id: &str, host: &str) -> Value {
        let code = &self.code;
        let mut body = json!({
            "RequestId": request_id,
            "HostId": host,
            "Code": code,
            "Message": self.message,
            "Recommend": format!(
                "https://api.aliyun.com/troubleshoot?q={code}&product=Kms&requestId={request_id}"
            ),
        });
        if let Some(body) = body.as_object_mut() {
            body.extend(self.extra.as_ref().clone());
        }
        body
    }
}

fn code(refusal: Refusal, action: Action, behaviour: &Behaviour) -> (u16, &'static str) {
    match refusal {
        Refusal::InvalidParameter => (400, "InvalidParameter"),
        Refusal::MissingParameter(_) => (400, "MissingParameter"),
        Refusal::ResourceNotFound => (404, "Forbidden.ResourceNotFound"),
        Refusal::ResourceExist => (409, "Rejected.ResourceExist"),
        Refusal::InDeleteWindow => (409, "Rejected.ResourceInDeleteWindow"),
        Refusal::InUse => (409, "Rejected.ResourceInUse"),
        Refusal::LimitExceeded => (400, "Rejected.LimitExceeded"),
        Refusal::ParamMismatch => (400, "Rejected.InvalidRequest"),
        Refusal::Unsupported => (400, "UnsupportedOperation"),
        Refusal::WrongType => (400, behaviour.wrong_type_code.code()),
        // 400 is what is published for these three.
        Refusal::NoPermission if POLICY_OR_KEY.contains(&action) => (400, "Forbidden.NoPermission"),
        Refusal::NoPermission => (403, "Forbidden.NoPermission"),
        Refusal::InstanceNotFound => (403, "Forbidden.DKMSInstanceNotFound"),
        Refusal::PolicyUnsupported => (400, "Forbidden.KeyPolicyUnSupported"),
        Refusal::DryRun => (400, "DryRunOperationError"),
        Refusal::Internal => (500, "InternalFailure"),
    }
}

const POLICY_OR_KEY: [Action; 3] =
    [Action::SetSecretPolicy, Action::GetSecretPolicy, Action::CreateKey];

fn message(refusal: Refusal, action: Action) -> Cow<'static, str> {
    use Action as A;
    let one_of = |actions: &[Action]| actions.contains(&action);
    let text = match refusal {
        Refusal::InvalidParameter => {
            let quoting = [
                A::UpdateSecret,
                A::ListSecrets,
                A::PutSecretValue,
                A::ListSecretVersionIds,
                A::UpdateSecretVersionStage,
                A::RestoreSecret,
            ];
            if one_of(&quoting) {
                r#"some of the specified parameters "\" is not valid"#
            } else {
                "The specified parameter is not valid."
            }
        }
        Refusal::MissingParameter(name) => {
            if one_of(&[A::SetSecretPolicy, A::GetSecretPolicy]) {
                "The parameter needed but no provided."
            } else {
                return format!("The parameter \"{name}\" is needed but not provided.").into();
            }
        }
        Refusal::ResourceNotFound => {
            let stopped = [A::GetSecretValue, A::SetSecretPolicy, A::GetSecretPolicy];
            if one_of(&[A::CreateSecret]) {
                "The resource is not found."
            } else if one_of(&stopped) {
                "Resource not found."
            } else {
                "Resource not found"
            }
        }
        Refusal::ResourceExist => {
            if one_of(&[A::PutSecretValue, A::UpdateSecret]) {
                "The request was rejected becasue key already exsit"
            } else {
                "The resource already exists."
            }
        }
        Refusal::InDeleteWindow => {
            if one_of(&[A::CreateSecret]) {
                "The secret is planned to be deleted."
            } else {
                "secret in delete peroid"
            }
        }
        Refusal::InUse => "restore normal secret",
        Refusal::LimitExceeded => {
            if one_of(&[A::CreateSecret, A::CreateKey]) {
                "The request was rejected because user create resource limit was exceeded"
            } else {
                "exceed secret limits error"
            }
        }
        Refusal::ParamMismatch => "param mismatch",
        Refusal::Unsupported | Refusal::WrongType => "This action is not supported.",
        Refusal::NoPermission => {
            if one_of(&[A::DescribeSecret]) {
                "You are not authorized to perform the operation."
            } else if one_of(&POLICY_OR_KEY) {
                "This operation is forbidden by permission system."
            } else {
                "This operation is forbidden by permission system"
            }
        }
        Refusal::InstanceNotFound => "The specified DKMS Instance is not found.",
        Refusal::PolicyUnsupported => "The specified key does not support key policy.",
        Refusal::DryRun => "Request validation has been passed with DryRun flag set.",
        Refusal::Internal => {
            if one_of(&[A::CreateSecret, A::CreateKey]) {
                "Internal  Failure"
            } else {
                "Internal Failure"
            }
        }
    };
    Cow::Borrowed(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_refusal_has_each_action_s_words() {
        let words = |refusal, action| {
            let error = KmsError::of(refusal, action, &Behaviour::default());
            (error.status, error.message)
        };
        let gone = Refusal::ResourceNotFound;
        assert_eq!(words(gone, Action::CreateSecret), (404, "The resource is not found.".into()));
        assert_eq!(words(gone, Action::GetSecretValue), (404, "Resource not found.".into()));
        assert_eq!(words(gone, Action::DeleteSecret), (404, "Resource not found".into()));
        assert_eq!(words(Refusal::NoPermission, Action::CreateKey).0, 400);
        assert_eq!(words(Refusal::NoPermission, Action::DescribeSecret).0, 403);
        let gateway = Behaviour { gateway_missing_codes: true, ..Behaviour::default() };
        let missing = Refusal::MissingParameter("SecretName");
        let error = KmsError::of(missing, Action::DescribeSecret, &gateway);
        assert_eq!(error.code, "MissingSecretName");
    }
}
