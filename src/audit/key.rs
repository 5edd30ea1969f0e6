//! [`AuditKey`], with which a process signs its checkpoints, and [`PublicKey`], which checks them.
//!
//! The key lies in the state folder, not in the audit folder: what an auditor is given is the log
//! and nothing else. Whoever can read it can sign another history. So a signature proves the order
//! of records up to the last checkpoint that was copied to where that reader cannot write.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::files::{Draft, Fault, Rules, read_owned};
use crate::sensitive::Sensitive;

/// Its name in the state folder.
const NAME: &str = "audit-key.json";
/// The layout of the file.
const VERSION: u32 = 1;
/// The file's largest size in bytes; that of a file named by `--key` too.
const CAP: u64 = 4096;
/// Bytes of an Ed25519 seed, and of a public key (RFC 8032).
const KEY: usize = 32;

/// Why there is no key to sign or to check with. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// The file cannot be read or made.
    #[error("could not {doing} `{}` ({kind})", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        kind: ErrorKind,
    },
    /// Others could read or write the key.
    #[error("`{}` must be a regular file of your own, readable by you alone (`chmod 600`)", .0.display())]
    Exposed(PathBuf),
    /// It holds something else.
    #[error("`{}` does not hold an audit key of this version of kms-mcp", .0.display())]
    Content(PathBuf),
    /// The operating system's random generator failed.
    #[error("the operating system's random generator failed, so no audit key was made")]
    Random,
    /// Neither a public key nor a file with one.
    #[error("`--key` must be a public key as `kms-mcp audit key` prints it, or a file with one")]
    NoKey,
}

/// What checkpoints are signed with: one key a state folder, an Ed25519 pair.
pub(crate) struct AuditKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

/// The content of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    seed: Sensitive,
    public_key: String,
}

impl AuditKey {
    /// The key of the state folder. Made, with mode 0600, where there is none.
    pub(crate) fn of(state: &Path) -> Result<Self, KeyError> {
        match Self::read(state)? {
            Some(key) => Ok(key),
            None => Self::create(state),
        }
    }

    /// The key of the state folder, if it has one.
    pub(crate) fn read(state: &Path) -> Result<Option<Self>, KeyError> {
        let path = state.join(NAME);
        let Some(text) = content(&path)? else { return Ok(None) };
        let unfit = || KeyError::Content(path.clone());
        let written: Written = serde_json::from_slice(&text).map_err(|_| unfit())?;
        #[expect(clippy::disallowed_methods, reason = "to the key pair that is made of it")]
        let seed = URL_SAFE_NO_PAD.decode(written.seed.expose()).map(Zeroizing::new);
        let (Ok(seed), Some(public), VERSION) =
            (seed, PublicKey::named(&written.public_key), written.version)
        else {
            return Err(unfit());
        };
        let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &public.0);
        Ok(Some(Self { pair: pair.map_err(|_| unfit())?, public }))
    }

    fn create(state: &Path) -> Result<Self, KeyError> {
        let path = state.join(NAME);
        let mut seed = Zeroizing::new([0_u8; KEY]);
        SystemRandom::new().fill(&mut *seed).map_err(|_| KeyError::Random)?;
        let key = Self::of_seed(&seed).ok_or(KeyError::Random)?;
        let seed = Zeroizing::new(URL_SAFE_NO_PAD.encode(*seed));
        let public = key.public.name();
        let text = Zeroizing::new(format!(
            "{{\n  \"version\": {VERSION},\n  \"seed\": \"{}\",\n  \"public_key\": \"{public}\"\n}}\n",
            *seed
        ));
        let made = Draft::of(&path).and_then(|mut draft| {
            draft.write_all(text.as_bytes())?;
            draft.place()
        });
        match made {
            Ok(()) => Ok(key),
            // Another process made one meanwhile: that one counts.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Self::read(state)?.ok_or_else(|| failed("read", &path, &error))
            }
            Err(error) => Err(failed("create", &path, &error)),
        }
    }

    /// The key of a seed, for tests that want the same one each time.
    pub(super) fn of_seed(seed: &[u8; KEY]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let public = PublicKey(pair.public_key().as_ref().try_into().ok()?);
        Some(Self { pair, public })
    }

    /// The half that checks.
    pub(crate) fn public(&self) -> PublicKey {
        self.public
    }

    /// The signature over `bytes`, base64url.
    pub(super) fn sign(&self, bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.sign(bytes))
    }
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuditKey({})", self.public)
    }
}

/// The half of an [`AuditKey`] that anybody may know. Written as 43 characters of base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PublicKey([u8; KEY]);

impl PublicKey {
    /// The key behind its name. None too for a key that would prove nothing: see [`is_sound`].
    pub(crate) fn named(name: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(name).ok()?.try_into().ok().filter(is_sound).map(Self)
    }

    /// What `--key` names: the key itself, or a file that holds its name.
    pub(crate) fn given(given: &str) -> Result<Self, KeyError> {
        if let Some(key) = Self::named(given) {
            return Ok(key);
        }
        let mut text = String::new();
        let file = fs::File::open(given).map_err(|_| KeyError::NoKey)?;
        file.take(CAP).read_to_string(&mut text).map_err(|_| KeyError::NoKey)?;
        Self::named(text.trim()).ok_or(KeyError::NoKey)
    }

    /// How the log writes it.
    pub(super) fn name(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Whether the holder of the key signed exactly these bytes.
    pub(super) fn verifies(&self, bytes: &[u8], signature: &str) -> bool {
        URL_SAFE_NO_PAD.decode(signature).is_ok_and(|signature| {
            UnparsedPublicKey::new(&ED25519, self.0).verify(bytes, &signature).is_ok()
        })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// The bytes of the file, if it is one that only its owner can have read or written.
fn content(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    read_owned(path, Rules::private(CAP)).map_err(|error| {
        if let Fault::Io(error) = error.fault {
            failed("read", path, &error)
        } else if matches!(error.fault, Fault::TooLong(_)) {
            KeyError::Content(path.to_owned())
        } else {
            KeyError::Exposed(path.to_owned())
        }
    })
}

fn failed(doing: &'static str, path: &Path, error: &io::Error) -> KeyError {
    KeyError::Io { doing, path: path.to_owned(), kind: error.kind() }
}

/// Whether a key is written as RFC 8032, 5.1.3, wants it and is of no small order. `ring` asks
/// for neither, other verifiers do; under a key of small order anybody can sign.
fn is_sound(key: &[u8; KEY]) -> bool {
    /// The field's p, least byte first, the sign of x left out.
    const P: [u8; KEY] = field(0xed, 0xff, 0x7f);
    /// Each y of a point of order 1, 2, 4 or 8.
    const SMALL: [[u8; KEY]; 5] = [
        field(0, 0, 0),
        field(1, 0, 0),
        field(0xec, 0xff, 0x7f),
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
            0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
            0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
            0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
            0x92, 0xac, 0x03, 0x7a,
        ],
    ];
    let mut y = *key;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    y.iter().rev().lt(P.iter().rev()) && !SMALL.contains(&y)
}

/// A number of the field by its first byte, those between, and its last.
const fn field(first: u8, between: u8, last: u8) -> [u8; KEY] {
    let mut bytes = [between; KEY];
    let [start, .., end] = &mut bytes;
    (*start, *end) = (first, last);
    bytes
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_private() {
        let state = tempfile::tempdir().unwrap();
        assert!(AuditKey::read(state.path()).unwrap().is_none());
        let made = AuditKey::of(state.path()).unwrap();
        let again = AuditKey::of(state.path()).unwrap();
        assert_eq!(made.public(), again.public());
        let file = state.path().join(NAME);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 1, "nothing is left beside it");
        assert!(made.public().verifies(b"x", &again.sign(b"x")));
        assert!(!made.public().verifies(b"y", &again.sign(b"x")));
        let shown = format!("{made:?}");
        assert_eq!(shown, format!("AuditKey({})", made.public()));
    }

    #[test]
    fn a_key_that_is_open_to_others_or_damaged_is_refused() {
        let state = tempfile::tempdir().unwrap();
        let file = state.path().join(NAME);
        AuditKey::of(state.path()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(AuditKey::of(state.path()), Err(KeyError::Exposed(_))));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let other = AuditKey::of_seed(&[1; 32]).unwrap().public().name();
        let own = text.split('"').nth(9).unwrap();
        for changed in [text.replace(own, &other), text.replace(": 1", ": 2"), String::new()] {
            assert_ne!(changed, text);
            fs::write(&file, changed).unwrap();
            assert!(matches!(AuditKey::of(state.path()), Err(KeyError::Content(_))));
        }
    }

    #[test]
    fn a_public_key_is_given_by_its_name_or_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let key = AuditKey::of_seed(&[1; 32]).unwrap().public();
        let file = folder.path().join("audit.pub");
        fs::write(&file, format!("{key}\n")).unwrap();
        assert_eq!(PublicKey::given(&key.name()).unwrap(), key);
        assert_eq!(PublicKey::given(file.to_str().unwrap()).unwrap(), key);
        fs::write(&file, "no key").unwrap();
        for wrong in [file.to_str().unwrap(), "/nowhere", "", "AAAA"] {
            assert!(matches!(PublicKey::given(wrong), Err(KeyError::NoKey)), "{wrong}");
        }
    }
}
