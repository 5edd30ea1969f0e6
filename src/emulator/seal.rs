//! Sealing of secret values at rest: AES-256-GCM under a key file, bound to their place.
//!
//! The additional data names the secret and the version, so that a row copied to another place in
//! the database does not open there.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroize as _;

use super::folder::Folder;
use super::{EmulatorError, random};

const FILE: &str = "seal.key";

/// A value that could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored value does not open with the key of this folder")]
pub(crate) struct Unsealable;

/// The key of one data folder.
pub(crate) struct Seal(LessSafeKey);

impl Seal {
    /// Reads `seal.key`, or creates it.
    pub(crate) fn open(folder: &Folder) -> Result<Self, EmulatorError> {
        let mut key = folder.once(FILE, || Ok(random::bytes::<32>()?.to_vec()))?;
        let unbound = UnboundKey::new(&AES_256_GCM, &key);
        key.zeroize();
        let unbound = unbound.map_err(|_| EmulatorError::Damaged { path: folder.path(FILE) })?;
        Ok(Self(LessSafeKey::new(unbound)))
    }

    /// Encrypts the value of one version of one secret.
    pub(crate) fn seal(
        &self,
        name: &str,
        version: &str,
        value: &str,
    ) -> Result<Vec<u8>, Unsealable> {
        let nonce: [u8; NONCE_LEN] = random::bytes().map_err(|_| Unsealable)?;
        let mut sealed = value.as_bytes().to_vec();
        let place = Aad::from(place(name, version));
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), place, &mut sealed)
            .map_err(|_| Unsealable)?;
        let mut blob = nonce.to_vec();
        blob.append(&mut sealed);
        Ok(blob)
    }

    /// Decrypts what [`Seal::seal`] made for the same place.
    pub(crate) fn open_value(
        &self,
        name: &str,
        version: &str,
        blob: &[u8],
    ) -> Result<String, Unsealable> {
        let (nonce, sealed) = blob.split_first_chunk::<NONCE_LEN>().ok_or(Unsealable)?;
        let mut value = sealed.to_vec();
        let place = Aad::from(place(name, version));
        let length = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), place, &mut value)
            .map_err(|_| Unsealable)?
            .len();
        value.truncate(length);
        String::from_utf8(value).map_err(|_| Unsealable)
    }
}

/// The length of the name keeps `a` + `bc` apart from `ab` + `c`.
fn place(name: &str, version: &str) -> Vec<u8> {
    let mut place = name.len().to_be_bytes().to_vec();
    place.extend_from_slice(name.as_bytes());
    place.extend_from_slice(version.as_bytes());
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_only_in_its_own_place_and_folder() {
        let home = tempfile::tempdir().unwrap();
        let seal = Seal::open(&Folder::open(&home.path().join("a")).unwrap()).unwrap();
        let again = Seal::open(&Folder::open(&home.path().join("a")).unwrap()).unwrap();
        let other = Seal::open(&Folder::open(&home.path().join("b")).unwrap()).unwrap();
        let blob = seal.seal("db", "v1", "pässword\n").unwrap();
        assert!(!blob.windows(4).any(|part| part == b"word"));
        assert_eq!(again.open_value("db", "v1", &blob).as_deref(), Ok("pässword\n"));
        assert_eq!(seal.open_value("db", "v2", &blob), Err(Unsealable));
        assert_eq!(seal.open_value("dbv", "1", &blob), Err(Unsealable));
        assert_eq!(other.open_value("db", "v1", &blob), Err(Unsealable));
        assert_eq!(seal.open_value("db", "v1", b"short"), Err(Unsealable));
    }
}
