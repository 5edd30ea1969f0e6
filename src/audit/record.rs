//! The bytes of a record: one line of printable ASCII that ends in its own hash.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::event::{Event, Kind};
use super::key::AuditKey;
use super::log::AuditError;
use crate::hex;

/// `prev` of the first record.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Bytes that a line may have, its newline included. Readers refuse more, so writers do too.
pub(super) const MAX_LINE: usize = 64 * 1024;
/// Stands between what is hashed and the hash.
pub(super) const HASH_MEMBER: &str = ",\"hash\":\"";
/// Stands after the hash.
pub(super) const LINE_END: &str = "\"}";
/// Stands between what is signed and the signature, in records that are.
pub(super) const SIGNATURE_MEMBER: &str = ",\"signature\":\"";
/// Characters of a signature: 64 bytes in base64url.
pub(super) const SIGNATURE_CHARS: usize = 86;
/// Hex digits of a SHA-256.
pub(super) const HASH_DIGITS: usize = 64;
/// Keeps these hashes apart from all others.
const DOMAIN: &[u8] = b"kms-mcp/audit/v1\0";
/// Keeps these signatures apart from all others.
const SIGNATURE_DOMAIN: &[u8] = b"kms-mcp/audit/signature/v1\0";

/// One record before it has a hash.
#[derive(Debug, Serialize)]
pub(super) struct Record<'a> {
    pub(super) seq: u64,
    #[serde(serialize_with = "milliseconds")]
    pub(super) time: Timestamp,
    pub(super) instance: &'a str,
    pub(super) event: Kind,
    /// In the first record of a file that continues a chain: which file of it this is, from 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<u32>,
    /// `seq` of the intent that this record closes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) intent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actor: Option<Actor>,
    #[serde(flatten)]
    pub(super) body: Event,
    /// Public key that the record is signed with, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    pub(super) prev: &'a str,
}

/// Who runs this process, as the operating system tells it.
#[derive(Debug, Serialize)]
pub(super) struct Actor {
    uid: u32,
    pid: u32,
    /// Executable that started us, where the system says (Linux).
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
}

impl Actor {
    /// This process.
    pub(super) fn current() -> Self {
        let parent = std::os::unix::process::parent_id();
        Self {
            uid: rustix::process::getuid().as_raw(),
            pid: std::process::id(),
            parent: std::fs::read_link(format!("/proc/{parent}/exe"))
                .ok()
                .map(|path| path.to_string_lossy().into_owned()),
        }
    }
}

impl Record<'_> {
    /// The line, newline included, and its hash; signed if there is a key to sign with.
    pub(super) fn seal(
        mut self,
        signer: Option<&AuditKey>,
    ) -> Result<(Vec<u8>, String), AuditError> {
        self.key = signer.map(|key| key.public().name());
        let mut line = ascii(&serde_json::to_string(&self)?);
        // Signature and hash go inside the object, as its last members.
        line.pop();
        if let Some(key) = signer {
            let signature = key.sign(&signed(line.as_bytes()));
            line.push_str(SIGNATURE_MEMBER);
            line.push_str(&signature);
            line.push('"');
        }
        let hash = hash(self.prev, line.as_bytes());
        line.push_str(HASH_MEMBER);
        line.push_str(&hash);
        line.push_str(LINE_END);
        line.push('\n');
        if line.len() > MAX_LINE {
            return Err(AuditError::TooLong { bytes: line.len() });
        }
        Ok((line.into_bytes(), hash))
    }
}

/// The hash of a record whose bytes up to [`HASH_MEMBER`] are `body`.
pub(super) fn hash(prev: &str, body: &[u8]) -> String {
    hex::encode(
        &Sha256::new().chain_update(DOMAIN).chain_update(prev).chain_update(body).finalize(),
    )
}

/// What is signed of a record whose bytes up to [`SIGNATURE_MEMBER`] are `body`.
pub(super) fn signed(body: &[u8]) -> Vec<u8> {
    [SIGNATURE_DOMAIN, body].concat()
}

/// The same JSON in printable ASCII. Whatever is not can only stand inside a string, and there
/// `\u` says the same: no terminal, pager or line-splitter can be fooled by U+2028, bidi or C1.
pub(crate) fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + HASH_MEMBER.len() + HASH_DIGITS + 3);
    for c in json.chars() {
        if matches!(c, ' '..='~') {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

fn milliseconds<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
}
