//! The record a person decides on, and its digest.
//!
//! The approver renders these bytes and nothing else, and decides on their digest. At redemption
//! the server rebuilds the record from the call in hand and its own memory; a decision over another
//! digest is no decision.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::hex;
use crate::operation::{Content, Params, Untrusted};
use crate::sensitive::Sensitive;
use crate::store::Hash;

use super::target::Target;
use super::witnessed::Witnessed;

/// Separates this use of SHA-256 from any other.
const DOMAIN: &[u8] = b"kms-mcp/approval/v1\0";
/// The same for [`Record::about`].
const ABOUT: &[u8] = b"kms-mcp/about/v1\0";

/// Everything the approver is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) tool: String,
    pub(crate) risk: String,
    pub(crate) level: String,
    pub(crate) resource: String,
    pub(crate) destination: Option<String>,
    pub(crate) file_name: Option<String>,
    pub(crate) region: String,
    pub(crate) host: String,
    pub(crate) account: Option<String>,
    /// First 12 hex digits of SHA-256 of the AccessKey id.
    pub(crate) caller_key: String,
    /// What was read of the secret before asking.
    pub(crate) witness: Option<Witnessed>,
    /// All other arguments; a value as an HMAC under a key that only this server has.
    pub(crate) arguments: Vec<(String, String)>,
    /// Where a value comes from.
    pub(crate) source: Option<String>,
    pub(crate) rule: String,
    pub(crate) rule_reason: String,
    pub(crate) policy_digest: String,
    /// What of the server lies outside the reach of its user.
    pub(crate) anchored: String,
    /// What the client calls itself; nobody vouches for it.
    pub(crate) client: String,
    /// What the agent says; nobody vouches for it.
    pub(crate) agent_says: Option<String>,
    /// The name must be typed to approve: nothing brings this back.
    pub(crate) type_the_name: bool,
    /// Only a yes that is signed with a PIN counts.
    pub(crate) require_factor: bool,
    pub(crate) match_code: String,
    pub(crate) instance: String,
    pub(crate) nonce: String,
    pub(crate) asked_at: String,
    pub(crate) expires_at: String,
}

impl Record {
    /// The exact bytes that are shown and decided on.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        // A struct of strings always serializes.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The digest of [`Self::bytes`].
    pub(crate) fn digest(&self) -> Hash {
        digest(&self.bytes())
    }

    /// The digest of the call alone: the same whenever, and with whatever reason, it is asked about.
    pub(super) fn call_digest(&self) -> Hash {
        let mut call = self.clone();
        for own in [&mut call.match_code, &mut call.nonce, &mut call.asked_at, &mut call.expires_at]
        {
            own.clear();
        }
        call.agent_says = None;
        call.digest()
    }

    /// A hash of what a person who says no is not asked about again for a while: the action on this
    /// secret, wherever a value was to go.
    pub(super) fn about(&self) -> Hash {
        let mut hash = Sha256::new();
        hash.update(ABOUT);
        for part in [&self.tool, &self.region, secret_name(&self.resource)] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }

    /// The fields in which `other` differs.
    pub(crate) fn differences(&self, other: &Self) -> Vec<&'static str> {
        let pairs: [(&'static str, bool); 13] = [
            ("action", self.tool != other.tool),
            ("risk", self.risk != other.risk),
            ("level", self.level != other.level),
            ("resource", self.resource != other.resource),
            (
                "destination",
                self.destination != other.destination || self.file_name != other.file_name,
            ),
            ("region", self.region != other.region || self.host != other.host),
            ("credentials", self.caller_key != other.caller_key || self.account != other.account),
            ("arguments", self.arguments != other.arguments || self.source != other.source),
            ("policy", self.rule != other.rule || self.policy_digest != other.policy_digest),
            ("anchors", self.anchored != other.anchored),
            ("client", self.client != other.client),
            ("Reason", self.agent_says != other.agent_says),
            ("secret", self.witness != other.witness),
        ];
        pairs.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
    }
}

/// The name in an ARN `acs:kms:<region>:<account>:secret/<name>`, or the name as it is.
pub(crate) fn secret_name(resource: &str) -> &str {
    match resource.strip_prefix("acs:kms:").and_then(|rest| rest.split_once(":secret/")) {
        Some((_, name)) => name,
        None => resource,
    }
}

/// The digest of a record's bytes.
pub(crate) fn digest(record: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(DOMAIN);
    hash.update(record);
    hash.finalize().into()
}

/// The SHA-256 under which the store knows a token.
pub(crate) fn token_hash(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
}

/// The arguments of a call as the record names them.
pub(super) fn arguments(
    params: &Params,
    auto_key: Option<&'static str>,
    key: &ring::hmac::Key,
) -> Vec<(String, String)> {
    let chosen = auto_key.map(|shown| ("AutoKey".to_owned(), shown.to_owned()));
    let given = params.iter().map(|param| {
        let content = match &param.content {
            Content::Plain(text) => text.clone(),
            Content::Secret(value) => sealed(value, key),
        };
        (param.name.to_owned(), content)
    });
    given.chain(chosen).collect()
}

/// Binds a value to the approval without showing it: nobody outside this process has the key.
fn sealed(value: &Sensitive, key: &ring::hmac::Key) -> String {
    #[expect(clippy::disallowed_methods, reason = "into an HMAC under a key in memory")]
    let tag = ring::hmac::sign(key, value.expose().as_bytes());
    format!("hidden value {}", hex::encode(tag.as_ref()))
}

/// What a call would do, in one line.
pub(super) fn summary(record: &Record, target: &Target) -> String {
    let mut text = format!("{} of `{}`", record.tool, record.resource);
    if record.resource.is_empty() {
        text.clone_from(&record.tool);
    }
    // Whoever wrote the version chose its id: only a plain word is repeated to the agent.
    let version = record.witness.as_ref().and_then(|seen| seen.version_id.as_deref());
    if let Some(version) = version.and_then(Untrusted::word) {
        text.push_str(&format!(", version `{version}`"));
    }
    text.push_str(&format!(" in {}", target.region));
    match record.destination.as_deref() {
        Some("agent") => text.push_str("; the value goes into the conversation"),
        Some("mask") => text.push_str("; the value is masked"),
        Some("person") => text.push_str("; the value is shown to the person only"),
        Some("file") => text.push_str("; the value is written to a file"),
        Some(other) => text.push_str(&format!("; the value goes to: {other}")),
        None if record.type_the_name => text.push_str("; nothing brings it back"),
        None => {}
    }
    text
}
