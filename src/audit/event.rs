//! What an audit record says. Integers and strings only; what is not known is left out.

use serde::{Serialize, Serializer};

use super::suppressed::Suppressed;

/// Characters kept of what a client says of itself.
const CLAIMED_CHARS: usize = 64;
/// Places that an `egress_blocked` names, and characters of each.
const MAX_PLACES: usize = 16;
const MAX_PLACE_CHARS: usize = 200;
/// The code of a record in place of one that was too long.
const TOO_LONG: &str = "RecordTooLong";

/// What happened; member `event` of the record, in `snake_case`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The process opened its chain, or went on with it in this file: the first record of each.
    Start,
    /// A request is about to be sent.
    Intent,
    /// What came of an intent, or the answer to a call that needed none.
    Result,
    /// A call was given up. With an intent: its request may or may not have been sent; without: none was.
    Aborted,
    /// A confirmation was asked for.
    Challenge,
    /// A person approved.
    Approved,
    /// Policy, a limit or a person refused.
    Denied,
    /// A value is about to be shown to the person who approved that: exactly one look follows.
    Shown,
    /// The client declined a form, or could not show it: not a person's answer.
    ClientDeclined,
    /// A wrong PIN or a bad signature.
    FactorFailed,
    /// The file that holds the PIN's public key changed or went away.
    FactorChanged,
    /// Redemption is closed for a while after too many wrong tokens.
    Lockout,
    /// The scrubber stopped a known secret on its way out.
    EgressBlocked,
    /// Refusals or alarms that came faster than they are recorded one by one: how many.
    Suppressed,
    /// The chain up to here, signed.
    Checkpoint,
    /// The chain goes on in another file, up to here signed: the last record of this one.
    Rotate,
    /// The process closed its chain, signed: the last record of the chain.
    Stop,
}

impl Kind {
    /// Whether a record of this kind is signed, and so proves all records before it.
    pub(super) fn is_signed(self) -> bool {
        matches!(self, Self::Checkpoint | Self::Rotate | Self::Stop)
    }
}

/// What is known of the call that a record is about.
#[derive(Default, Clone, Debug, Serialize)]
pub(crate) struct Event {
    /// Which call, unique in this process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The call this one is a step of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Name of the MCP tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Name of the KMS action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// `inspect`, `write`, `reveal` or `destroy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<String>,
    /// `allow`, `confirm` or `deny`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// Id of the policy rule that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Level of confirmation that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The confirmation, as far as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// Whose cloud, and where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud: Option<Cloud>,
    /// What the call is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Resource>,
    /// HMAC of the request's arguments, hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<String>,
    /// What KMS answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Upstream>,
    /// `created`, `deleted`, `already_absent` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Error code: of KMS, or one of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Where a value went: `mask`, `person`, `file`, `agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// SHA-256 of the policy in force, hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_digest: Option<String>,
    /// Settings of `config.toml` that loosen, as it writes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loosened: Option<String>,
    /// What root keeps out of the user's reach: `settings`, `approver`, both, or `no`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchored: Option<String>,
    /// Who can replace the file of the program: `root` alone, or the `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The client as it calls itself: written as at most 64 characters of printable ASCII.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "claimed")]
    pub client: Option<String>,
    /// Places where a secret was removed; `outcome` names the first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub places: Option<u64>,
    /// What a `suppressed` record counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<Suppressed>,
}

impl Event {
    /// A secret was removed at these JSON pointers of a message, or of what `tool` answers. All are
    /// counted and the first 16 named, at most 200 characters each: a record has a limit.
    pub(crate) fn egress_blocked(tool: Option<String>, places: &[String]) -> Self {
        let named = places.iter().take(MAX_PLACES);
        let named = named.map(|place| place.chars().take(MAX_PLACE_CHARS).collect::<String>());
        Self {
            tool,
            outcome: Some(named.collect::<Vec<_>>().join(" ")),
            places: Some(places.len() as u64),
            ..Self::default()
        }
    }

    /// What is left to say where the whole is too long for a record: which call it was.
    pub(super) fn shortened(&self) -> Self {
        Self {
            call: self.call.clone(),
            parent: self.parent.clone(),
            tool: self.tool.clone(),
            action: self.action.clone(),
            places: self.places,
            code: Some(TOO_LONG.into()),
            ..Self::default()
        }
    }

    /// The texts that KMS had a say in. Checked against their alphabets, but a secret may fit one.
    pub(crate) fn texts_of_upstream(&mut self) -> impl Iterator<Item = &mut String> {
        let upstream = self.upstream.iter_mut();
        let resource = self.resource.iter_mut();
        let texts = upstream.flat_map(|upstream| [&mut upstream.request_id, &mut upstream.code]);
        let texts = texts.chain(resource.flat_map(|seen| [&mut seen.version, &mut seen.kind]));
        texts.chain([&mut self.code]).flatten()
    }
}

/// A confirmation. Never the token itself.
#[derive(Default, Clone, Debug, Serialize)]
pub(crate) struct Approval {
    /// First hex digits of the token's SHA-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_id: Option<String>,
    /// SHA-256 of the record that the approver saw, hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_digest: Option<String>,
    /// The channel: terminal, page, elicitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Who decided, as far as known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// From asking to deciding, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<i64>,
    /// Ed25519 signature over the decision, where a PIN is set, hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// What a person's decision was signed with: `pin` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<String>,
    /// When the PIN was set: in `start`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_at: Option<String>,
    /// The public key of the PIN, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// The account called, and with which key.
#[derive(Default, Clone, Debug, Serialize)]
pub(crate) struct Cloud {
    /// Account id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// ARN of the identity that calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// What [`caller_key`] makes of the `AccessKey` id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller_key: Option<String>,
    /// Region id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Host that the request went to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

/// The secret, or other thing, that a call names.
#[derive(Default, Clone, Debug, Serialize)]
pub(crate) struct Resource {
    /// Its name, or an HMAC of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Version id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Type of secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// The answer of KMS, without any text of it.
#[derive(Default, Clone, Debug, Serialize)]
pub(crate) struct Upstream {
    /// `RequestId`, by which `ActionTrail` knows the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// KMS error code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// From sending to the last byte read, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<i64>,
    /// Requests sent, the first included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
}

/// What a client claims is its own choice of text: no control characters, and not much of it.
#[expect(clippy::ref_option, reason = "the signature serde asks for")]
fn claimed<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    let printable = |c: char| if matches!(c, ' '..='~') { c } else { '?' };
    let text = text.iter().flat_map(|text| text.chars()).take(CLAIMED_CHARS);
    serializer.serialize_str(&text.map(printable).collect::<String>())
}
