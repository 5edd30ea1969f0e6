//! [`Request`]: a call as the guard sees it.

use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::policy::{Facts, InForce, Limit, Per};
use super::{Target, Witnessed, secret_name};
use crate::audit;
use crate::hex;
use crate::operation::{Destination, Params, Resource, Risk};
use crate::sensitive::Sensitive;

/// A call as the guard sees it, everything resolved but the decision.
#[derive(Debug)]
pub(crate) struct Request {
    /// Names this tool call in the audit log.
    pub(crate) call: String,
    /// The tool call that this is a step of.
    pub(crate) parent: Option<String>,
    pub(crate) params: Params,
    /// Parameters that are set when the call is admitted: the version or key that was resolved.
    pub(crate) pins: Vec<(&'static str, String)>,
    /// Where the program chooses the key: what the approver is told of it, beside the instance and
    /// the key that were found.
    pub(crate) auto_key: Option<&'static str>,
    pub(crate) risk: Risk,
    pub(crate) resource: Resource,
    pub(crate) destination: Option<Destination>,
    /// For the destination `file`.
    pub(crate) file_name: Option<String>,
    /// `inline`, or the source that was named.
    pub(crate) source: Option<String>,
    /// The source with its name, for the approver: `file db.txt`.
    pub(crate) source_name: Option<String>,
    pub(crate) secret_type: Option<String>,
    /// Key and value; `None` if they were not read.
    pub(crate) tags: Option<Vec<(String, String)>>,
    /// A reading of type and tags that other rules need; the agent never sees what it answers.
    pub(crate) for_the_guard: bool,
    pub(crate) target: Target,
    pub(crate) witnessed: Option<Witnessed>,
    pub(crate) token: Option<Sensitive>,
    pub(crate) reason: Option<String>,
    /// What the client calls itself.
    pub(crate) client: String,
    /// Until when KMS may answer it, and all its steps.
    pub(crate) deadline: Instant,
}

impl Request {
    /// What policies match on.
    pub(crate) fn facts<'a>(&'a self, action: &'a str) -> Facts<'a> {
        Facts {
            action,
            risk: self.risk,
            secret: secret_name(&self.resource.name),
            region: &self.target.region,
            account: self.target.account.as_deref(),
            destination: self.destination,
            source: self.source.as_deref(),
            secret_type: self.secret_type.as_deref(),
            tags: self.tags.as_deref(),
            client: &self.client,
        }
    }

    /// Stands for the secret where calls are counted: names are not kept there.
    pub(crate) fn secret_key(&self) -> String {
        let name = secret_name(&self.resource.name);
        let hash = Sha256::digest(format!("{}/{name}", self.target.region));
        hex::encode(hash.get(..8).unwrap_or_default())
    }

    /// What this call is counted as, under that limit.
    pub(super) fn counted(&self, limit: &Limit) -> String {
        match limit.per {
            Per::Rule => limit.kind.clone(),
            Per::Secret => format!("{} of {}", limit.kind, self.secret_key()),
        }
    }

    /// What the audit log is told of it.
    pub(crate) fn event(&self, action: &'static str, policy: &InForce) -> audit::Event {
        audit::Event {
            call: Some(self.call.clone()),
            parent: self.parent.clone(),
            tool: Some(action.into()),
            action: Some(action.into()),
            risk: Some(self.risk.name().into()),
            cloud: Some(audit::Cloud {
                account: self.target.account.clone(),
                caller_key: Some(self.target.credential.fingerprint()),
                region: Some(self.target.region.clone()),
                host: Some(self.target.host.clone()),
                ..audit::Cloud::default()
            }),
            resource: Some(audit::Resource {
                name: Some(self.resource.name.clone()),
                version: self.witnessed.as_ref().and_then(|seen| seen.version_id.clone()),
                kind: self.witnessed.as_ref().and_then(|seen| seen.secret_type.clone()),
            }),
            destination: self.destination.map(|destination| destination.name().into()),
            policy_digest: Some(policy.digest()),
            client: Some(self.client.clone()),
            ..audit::Event::default()
        }
    }
}
