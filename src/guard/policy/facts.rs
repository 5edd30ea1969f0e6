//! [`Facts`]: what a policy may know of a call.

use crate::operation::{Destination, Risk};

/// What a policy may know of a call. Never a value, and nothing the agent only says, but `client`.
///
/// In `secret`, `region`, `account` and `client` a trailing `*` says that only the start is known:
/// the secret of a `RAMCredentials` create is `acs/ram/user/*`. No real name ends so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// The KMS action.
    pub(crate) action: &'a str,
    /// The risk of this very call.
    pub(crate) risk: Risk,
    /// The secret's name, never its ARN; empty for a call about the account.
    pub(crate) secret: &'a str,
    /// The region the call goes to.
    pub(crate) region: &'a str,
    /// The account it goes to; `None` if that is not known.
    pub(crate) account: Option<&'a str>,
    /// Where a value goes; `None` for an action that discloses none.
    pub(crate) destination: Option<Destination>,
    /// Where a value comes from; `None` for a call that brings none.
    pub(crate) source: Option<&'a str>,
    /// The secret's type; `None` if it is not known.
    pub(crate) secret_type: Option<&'a str>,
    /// The secret's tags; `None` if they were not read.
    pub(crate) tags: Option<&'a [(String, String)]>,
    /// What the client calls itself. A claim, so it can only tighten.
    pub(crate) client: &'a str,
}

impl Facts<'_> {
    /// The same. A call about the account has no secret whose type and tags could be unread.
    pub(super) fn settled(&self) -> Self {
        if self.secret.is_empty() {
            Self {
                secret_type: self.secret_type.or(Some("")),
                tags: self.tags.or(Some(&[])),
                ..*self
            }
        } else {
            *self
        }
    }
}
