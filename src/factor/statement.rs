//! [`Statement`]: what a decision says, as the bytes that are signed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::store::Hash;

/// Separates these signatures from any other use of the key.
const DOMAIN: &[u8] = b"kms-mcp/decision/v1\0";

/// A decision: what was said, of which record under which token, when and by which way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement<'a> {
    pub(crate) approve: bool,
    /// Of the record that was shown.
    pub(crate) digest: &'a Hash,
    pub(crate) token_hash: &'a Hash,
    pub(crate) decided_ms: i64,
    /// One of our own names; holds no zero byte.
    pub(crate) method: &'a str,
    pub(crate) who: &'a str,
}

impl Statement<'_> {
    /// The bytes to sign. All parts but the last two have a fixed length, and a zero byte stands
    /// between those, so that no two statements share their bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = DOMAIN.to_vec();
        bytes.push(u8::from(self.approve));
        bytes.extend_from_slice(self.digest);
        bytes.extend_from_slice(self.token_hash);
        bytes.extend_from_slice(&self.decided_ms.to_be_bytes());
        bytes.extend_from_slice(self.method.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(self.who.as_bytes());
        bytes
    }
}

/// The public half of a PIN's Ed25519 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PublicKey([u8; 32]);

impl PublicKey {
    /// A key of those bytes, if there are 32.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The key behind its name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::new(&URL_SAFE_NO_PAD.decode(name).ok()?)
    }

    /// How `pin.json` and the audit log write it: base64url.
    pub(crate) fn name(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Whether the holder of the PIN signed exactly this.
    pub(crate) fn verifies(&self, statement: &Statement<'_>, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(&statement.bytes(), signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    const STATEMENT: Statement<'static> = Statement {
        approve: true,
        digest: &[1; 32],
        token_hash: &[2; 32],
        decided_ms: 1_767_225_600_000,
        method: "terminal",
        who: "uid 1000 at /dev/pts/1",
    };

    #[test]
    fn every_part_of_a_decision_is_signed() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let key = PublicKey::new(pair.public_key().as_ref()).unwrap();
        let signature = pair.sign(&STATEMENT.bytes());
        assert!(key.verifies(&STATEMENT, signature.as_ref()));
        let others = [
            Statement { approve: false, ..STATEMENT },
            Statement { digest: &[3; 32], ..STATEMENT },
            Statement { token_hash: &[3; 32], ..STATEMENT },
            Statement { decided_ms: STATEMENT.decided_ms + 1, ..STATEMENT },
            Statement { method: "page", ..STATEMENT },
            Statement { who: "somebody else", ..STATEMENT },
        ];
        for other in others {
            assert!(!key.verifies(&other, signature.as_ref()), "{other:?}");
        }
    }

    #[test]
    fn another_key_or_no_signature_verifies_nothing() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
        let key = PublicKey::new(other.public_key().as_ref()).unwrap();
        assert!(!key.verifies(&STATEMENT, pair.sign(&STATEMENT.bytes()).as_ref()));
        assert!(!key.verifies(&STATEMENT, &[]));
        assert!(!key.verifies(&STATEMENT, &[0; 64]));
    }
}
