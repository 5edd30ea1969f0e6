//! The PIN itself: a key is made of it, a decision is signed, and nothing of it is kept.

use std::path::Path;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::audit::{Approval, AuditError, AuditLog, Durability, Event, Kind};
use crate::clock::Clock;
use crate::factor::{FactorError, Kdf, PinFile, PublicKey, Statement};
use crate::sensitive::Sensitive;
use crate::store::{Store, StoreError, Wrong};

/// The fewest characters of a PIN (design §6).
pub(crate) const SHORTEST: usize = 8;
/// The fewest different characters: fewer is one key held down.
const DIFFERENT: usize = 4;

/// Why a PIN does not do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PinError {
    #[error("a PIN has at least {SHORTEST} characters")]
    Short,
    #[error("this PIN is too easy to guess: use more than {} different characters, in no order", DIFFERENT - 1)]
    Easy,
    #[error("wrong PIN; attempts left: {0}")]
    Wrong(u32),
    #[error("wrong PIN, for the fifth time; the PIN is locked for 10 minutes")]
    LockedNow,
    #[error("the PIN is locked for 10 minutes after five wrong ones")]
    Locked,
    #[error(
        "there is not enough memory for the PIN, or the operating system's random generator failed; nothing was changed"
    )]
    Resources,
    #[error("the audit log cannot be written, so nothing was done")]
    Audit(#[from] AuditError),
    #[error(transparent)]
    File(#[from] FactorError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The private half of a PIN's key. Only whoever knew the PIN has one.
pub(crate) struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// Signs a decision.
    pub(crate) fn sign(&self, statement: &Statement<'_>) -> Vec<u8> {
        self.0.sign(&statement.bytes()).as_ref().to_vec()
    }

    fn public(&self) -> Result<PublicKey, PinError> {
        PublicKey::new(self.0.public_key().as_ref()).ok_or(PinError::Resources)
    }

    /// The key of a PIN. Slow on purpose.
    fn derive(pin: &Sensitive, kdf: &Kdf) -> Result<Self, PinError> {
        let params = Params::new(kdf.memory_kib, kdf.passes, 1, Some(32))
            .map_err(|_| PinError::Resources)?;
        let mut memory = Zeroizing::new(Vec::new());
        memory.try_reserve_exact(params.block_count()).map_err(|_| PinError::Resources)?;
        memory.resize(params.block_count(), Block::new());
        let mut seed = Zeroizing::new([0_u8; 32]);
        let pin = canonical(pin);
        #[expect(clippy::disallowed_methods, reason = "into the key, whose memory is wiped")]
        let pin = pin.expose().as_bytes();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(pin, &kdf.salt, seed.as_mut(), memory.as_mut_slice())
            .map_err(|_| PinError::Resources)?;
        Ed25519KeyPair::from_seed_unchecked(seed.as_ref())
            .map(Self)
            .map_err(|_| PinError::Resources)
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey")
    }
}

/// What is kept of a new PIN.
///
/// # Errors
/// It is too short or too easy: whoever can read `pin.json` can try PINs at their leisure.
pub(crate) fn enrol(pin: &Sensitive) -> Result<PinFile, PinError> {
    Ok(made(pin)?.0)
}

/// Sets a PIN where none is: on record first, then in the file at `path`. Gives the key it makes.
///
/// # Errors
/// As [`enrol`]; and a PIN was set meanwhile: nothing is replaced.
pub(crate) async fn first_pin(
    pin: Sensitive,
    path: &Path,
    audit: &AuditLog,
) -> Result<SigningKey, PinError> {
    let path = path.to_owned();
    let work = tokio::task::spawn_blocking(move || made(&pin)).await;
    let (file, key) = work.map_err(|_| PinError::Resources)??;
    let event = Event {
        outcome: Some("set".into()),
        approval: Some(Approval { key: Some(file.public_key.name()), ..Approval::default() }),
        ..Event::default()
    };
    audit.record(Kind::FactorChanged, event, Durability::Synced).await?;
    let created = tokio::task::spawn_blocking(move || file.create(&path)).await;
    created.map_err(|_| PinError::Resources)??;
    Ok(key)
}

/// The file of a new PIN, and its key.
fn made(pin: &Sensitive) -> Result<(PinFile, SigningKey), PinError> {
    fit(pin)?;
    let mut salt = [0; 16];
    SystemRandom::new().fill(&mut salt).map_err(|_| PinError::Resources)?;
    let kdf = Kdf::strong(salt);
    let key = SigningKey::derive(pin, &kdf)?;
    let public_key = key.public()?;
    Ok((PinFile { kdf, public_key }, key))
}

/// The key, if the PIN is right. A wrong one is counted and audited.
pub(crate) async fn unlock(
    pin: Sensitive,
    file: &PinFile,
    store: &Store,
    audit: &AuditLog,
    clock: &Clock,
) -> Result<SigningKey, PinError> {
    let Some(attempt) = store.attempt(clock.now_ms()).await? else {
        // Whoever has the address of the page can try on and on, at no cost: it is counted.
        let recorded = audit.refuse(Kind::FactorFailed, failed(file, "PinLocked")).await;
        return Err(if recorded.is_recorded() {
            PinError::Locked
        } else {
            PinError::Audit(AuditError::Stopped)
        });
    };
    // A quarter of a second of work: other calls must not wait for it.
    let kdf = file.kdf.clone();
    let derived = tokio::task::spawn_blocking(move || SigningKey::derive(&pin, &kdf)).await;
    let derived = derived.map_err(|_| PinError::Resources).flatten();
    let (key, public) = match derived.and_then(|key| Ok((key.public()?, key))) {
        Ok((public, key)) => (key, public),
        Err(error) => {
            // Nobody knows whether it was wrong.
            store.take_back(attempt).await?;
            return Err(error);
        }
    };
    if public == file.public_key {
        store.take_back(attempt).await?;
        return Ok(key);
    }
    audit.record(Kind::FactorFailed, failed(file, "PinWrong"), Durability::Synced).await?;
    match store.attempt_was_wrong(clock.now_ms()).await? {
        Wrong::LocksNow => {
            let event = Event { code: Some("PinLocked".into()), ..Event::default() };
            audit.record(Kind::Lockout, event, Durability::Synced).await?;
            Err(PinError::LockedNow)
        }
        Wrong::Locked => Err(PinError::Locked),
        Wrong::Left(left) => Err(PinError::Wrong(left)),
    }
}

fn failed(file: &PinFile, code: &str) -> Event {
    let key = Some(file.public_key.name());
    Event {
        code: Some(code.into()),
        approval: Some(Approval { key, ..Approval::default() }),
        ..Event::default()
    }
}

/// The PIN in the form that counts, however it was typed or kept: Unicode's form C, without the
/// byte-order mark and the line end that an editor puts round it. Blanks are part of a PIN.
fn canonical(pin: &Sensitive) -> Sensitive {
    #[expect(clippy::disallowed_methods, reason = "into the same text in another form, wiped too")]
    let typed = pin.expose();
    let typed = typed.strip_prefix('\u{FEFF}').unwrap_or(typed).trim_end_matches(['\r', '\n']);
    // Form C has at most three times the bytes (Unicode Standard Annex 15): nothing moves.
    let mut canonical = String::with_capacity(typed.len() * 3);
    canonical.extend(typed.nfc());
    Sensitive::new(canonical)
}

/// Whether a new PIN is worth having.
pub(super) fn fit(pin: &Sensitive) -> Result<(), PinError> {
    let pin = canonical(pin);
    #[expect(clippy::disallowed_methods, reason = "looked at, not kept")]
    let characters = Zeroizing::new(pin.expose().chars().map(u32::from).collect::<Vec<_>>());
    if characters.len() < SHORTEST {
        return Err(PinError::Short);
    }
    let mut different = characters.clone();
    different.sort_unstable();
    different.dedup();
    let in_order = |step: u32| {
        let next = characters.iter().skip(1);
        characters.iter().zip(next).all(|(one, next)| one.wrapping_add(step) == *next)
    };
    if different.len() < DIFFERENT || in_order(1) || in_order(u32::MAX) {
        return Err(PinError::Easy);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(text: &str) -> Sensitive {
        Sensitive::new(text.into())
    }

    #[test]
    fn short_and_easy_pins_are_refused() {
        for short in ["", "1234567", "äöüßéèê"] {
            assert!(matches!(fit(&pin(short)), Err(PinError::Short)), "{short}");
        }
        for easy in ["11111111", "12121212", "12345678", "hgfedcba"] {
            assert!(matches!(fit(&pin(easy)), Err(PinError::Easy)), "{easy}");
        }
        assert!(fit(&pin("four horses")).is_ok());
        assert!(fit(&pin("27182818")).is_ok());
    }

    #[test]
    fn the_key_is_that_of_this_pin_and_this_salt() {
        let file = enrol(&pin("four horses")).unwrap();
        let of =
            |text: &str, kdf: &Kdf| SigningKey::derive(&pin(text), kdf).unwrap().public().unwrap();
        assert_eq!(of("four horses", &file.kdf), file.public_key);
        assert_ne!(of("four horseS", &file.kdf), file.public_key);
        assert_ne!(of("four horses", &Kdf::strong([0; 16])), file.public_key);
    }

    #[test]
    fn a_pin_is_the_same_however_it_is_typed_or_kept() {
        let same = |text: &str| {
            #[expect(clippy::disallowed_methods, reason = "compared in a test")]
            let canonical = canonical(&pin(text)).expose().to_owned();
            canonical
        };
        let composed = "caf\u{e9}-\u{d55c}-91";
        for typed in [
            composed,
            "cafe\u{301}-\u{1112}\u{1161}\u{11ab}-91",
            "\u{feff}caf\u{e9}-\u{d55c}-91\r\n",
        ] {
            assert_eq!(same(typed), composed, "{typed:?}");
        }
        assert_eq!(same(" a b "), " a b ");
        assert!(matches!(fit(&pin("e\u{301}e\u{301}abcd")), Err(PinError::Short)));
    }

    #[test]
    fn the_key_is_what_another_implementation_makes() {
        // Argon2id and Ed25519 of OpenSSL 4.0, through Python's `cryptography`.
        let kdf = Kdf::strong(*b"somesaltsomesalt");
        let key = SigningKey::derive(&pin("four horses"), &kdf).unwrap().public().unwrap();
        assert_eq!(key.name(), "FdMRy2jHLBwAII_RS75Y-wOQpIGH5VCGHfTXuFZUJgo");
    }

    #[tokio::test]
    async fn a_pin_that_could_not_be_looked_at_is_no_wrong_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let clock = Clock::system();
        let keeping =
            crate::audit::Keeping::new(crate::audit::AuditKey::of(folder.path()).unwrap());
        let (log, start) = (folder.path().join("audit"), Event::default());
        let audit = AuditLog::open(&log, clock.clone(), "i-1", start, keeping).unwrap();
        let mut file = enrol(&pin("four horses")).unwrap();
        // Less memory than Argon2 works with.
        let right = std::mem::replace(&mut file.kdf.memory_kib, 1);
        for _ in 0..6 {
            let failed = unlock(pin("four horses"), &file, &store, &audit, &clock).await;
            assert!(matches!(failed, Err(PinError::Resources)), "{failed:?}");
        }
        file.kdf.memory_kib = right;
        unlock(pin("four horses"), &file, &store, &audit, &clock).await.unwrap();
    }
}
