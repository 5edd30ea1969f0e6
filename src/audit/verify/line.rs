//! [`Line`]: one line, checked as far as it can be by itself.

use super::flaw::Flaw;
use crate::audit::json::Json;
use crate::audit::key::PublicKey;
use crate::audit::record::{
    self, HASH_DIGITS, HASH_MEMBER, LINE_END, SIGNATURE_CHARS, SIGNATURE_MEMBER,
};

/// A record whose hash is that of its bytes, and whose signature is that of its key.
pub(super) struct Line<'a> {
    json: Json<'a>,
    /// Its place in the chain.
    pub(super) seq: u64,
    /// Its hash, in hex.
    pub(super) hash: &'a str,
    /// Who signed it, if it is one of those that are signed.
    pub(super) key: Option<PublicKey>,
}

impl<'a> Line<'a> {
    /// Checks a line, given without its newline.
    pub(super) fn read(line: &'a [u8]) -> Result<Self, Flaw> {
        // What other programs could read in another way is not ours to begin with.
        if !line.iter().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(Flaw::NotJson);
        }
        let text = std::str::from_utf8(line).map_err(|_| Flaw::NotJson)?;
        let json: Json = serde_json::from_str(text).map_err(|_| Flaw::NotJson)?;
        if json.repeats_a_member() {
            return Err(Flaw::RepeatedMember);
        }
        let (body, hash) = split(text).ok_or(Flaw::HashNotLast)?;
        let (Some(seq), Some(event), Some(prev), Some(_)) =
            (json.count("seq"), json.text("event"), json.text("prev"), json.text("instance"))
        else {
            return Err(Flaw::NotARecord);
        };
        // Under its own `prev`, so that a moved line is told from a changed one.
        if record::hash(prev, body.as_bytes()) != hash {
            return Err(Flaw::BadHash);
        }
        let key = if matches!(event, "checkpoint" | "rotate" | "stop") {
            Some(signer(&json, body).ok_or(Flaw::BadSignature)?)
        } else {
            None
        };
        Ok(Self { json, seq, hash, key })
    }

    /// What happened.
    pub(super) fn event(&self) -> &str {
        self.json.text("event").unwrap_or_default()
    }

    /// Whose chain it says it is of.
    pub(super) fn instance(&self) -> &str {
        self.json.text("instance").unwrap_or_default()
    }

    /// The hash of the record before.
    pub(super) fn prev(&self) -> &str {
        self.json.text("prev").unwrap_or_default()
    }

    /// When, as it is written.
    pub(super) fn time(&self) -> &str {
        self.json.text("time").unwrap_or_default()
    }

    /// Which file of its chain it opens.
    pub(super) fn part(&self) -> Option<u64> {
        if self.json.member("part").is_none() { Some(1) } else { self.json.count("part") }
    }

    /// The intent it closes, if it is a result. One that was aborted stays open: it may have been
    /// carried out.
    pub(super) fn closes(&self) -> Option<u64> {
        self.json.count("intent").filter(|_| self.event() == "result")
    }
}

/// The key that the record names, if it did sign it.
fn signer(json: &Json<'_>, body: &str) -> Option<PublicKey> {
    let (signed, signature) = tail(body.strip_suffix('"')?, SIGNATURE_MEMBER, SIGNATURE_CHARS)?;
    let key = PublicKey::named(json.text("key")?)?;
    key.verifies(&record::signed(signed.as_bytes()), signature).then_some(key)
}

/// What is hashed, and the hash.
fn split(line: &str) -> Option<(&str, &str)> {
    tail(line.strip_suffix(LINE_END)?, HASH_MEMBER, HASH_DIGITS)
}

/// What stands before a last member, and its content of that length.
fn tail<'a>(text: &'a str, member: &str, length: usize) -> Option<(&'a str, &'a str)> {
    let (text, content) = text.split_at_checked(text.len().checked_sub(length)?)?;
    Some((text.strip_suffix(member)?, content))
}
