//! [`Sealer`]: ties a form to the record it was made for, and to this process.

use ring::error::Unspecified;
use ring::hmac;
use ring::rand::SystemRandom;
use subtle::ConstantTimeEq;

use crate::hex;
use crate::store::Pending;

/// Separates these seals from any other use of HMAC.
const DOMAIN: &[u8] = b"kms-mcp/form/v1\0";

/// Makes and checks seals, under a key that only this process has.
#[derive(Debug)]
pub(super) struct Sealer(hmac::Key);

impl Sealer {
    pub(super) fn new() -> Result<Self, Unspecified> {
        hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map(Self)
    }

    /// The seal on the form for that question: what is decided is what was shown.
    pub(super) fn seal(&self, pending: &Pending) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(DOMAIN);
        context.update(&pending.token_hash);
        context.update(&pending.digest);
        hex::encode(context.sign().as_ref())
    }

    /// Whether `seal` is that of this question.
    pub(super) fn is_of(&self, seal: &str, pending: &Pending) -> bool {
        bool::from(self.seal(pending).as_bytes().ct_eq(seal.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(token_hash: u8, digest: u8) -> Pending {
        Pending {
            token_hash: [token_hash; 32],
            digest: [digest; 32],
            record: Vec::new(),
            match_code: String::new(),
            level: String::new(),
            about: [0; 32],
            instance: String::new(),
            created_ms: 0,
            expires_ms: 0,
        }
    }

    #[test]
    fn a_seal_is_for_one_record_under_one_token_in_one_process() {
        let sealer = Sealer::new().unwrap();
        let seal = sealer.seal(&pending(1, 2));
        assert!(sealer.is_of(&seal, &pending(1, 2)));
        assert!(!sealer.is_of(&seal, &pending(1, 3)));
        assert!(!sealer.is_of(&seal, &pending(3, 2)));
        assert!(!sealer.is_of("", &pending(1, 2)));
        assert!(!Sealer::new().unwrap().is_of(&seal, &pending(1, 2)));
    }
}
