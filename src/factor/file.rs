//! [`PinFile`]: `pin.json`, what is kept of a PIN. Never the PIN.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::statement::PublicKey;
use crate::files::{Draft, Fault, FileError, Rules, read_owned};

/// Its name in the state folder.
const NAME: &str = "pin.json";
/// The layout below.
const VERSION: u32 = 1;
/// The file's largest size in bytes.
pub(super) const CAP: u64 = 4096;
/// Bytes of salt.
pub(crate) const SALT: usize = 16;

/// Where the file is.
pub(crate) fn path_in(state: &Path) -> PathBuf {
    state.join(NAME)
}

/// Why the file cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FactorError {
    #[error("`pin.json` cannot be read ({0})")]
    Read(ErrorKind),
    #[error("`pin.json` cannot be read just now: the system is short of files or memory")]
    Busy,
    #[error("`pin.json` cannot be written ({0})")]
    Write(ErrorKind),
    #[error("`pin.json` must be a regular file of your own, readable by you alone (`chmod 600`)")]
    Exposed,
    #[error("`pin.json` was not written by this version of kms-mcp, or was damaged")]
    Content,
    #[error("a PIN is set already; use `kms-mcp pin change`")]
    Exists,
    #[error(transparent)]
    Anchor(#[from] FileError),
}

/// How a key is made from a PIN: Argon2id with these costs over this salt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kdf {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) salt: [u8; SALT],
}

impl Kdf {
    /// What a file may ask for: no cheaper than what this version writes, and nothing that would
    /// bring the machine down.
    pub(crate) const MEMORY_KIB: std::ops::RangeInclusive<u32> = 65_536..=1_048_576;
    pub(crate) const PASSES: std::ops::RangeInclusive<u32> = 3..=16;

    /// The costs this version writes: about a quarter of a second for one guess.
    pub(crate) fn strong(salt: [u8; SALT]) -> Self {
        Self { memory_kib: *Self::MEMORY_KIB.start(), passes: *Self::PASSES.start(), salt }
    }
}

/// The content of `pin.json`, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PinFile {
    pub(crate) kdf: Kdf,
    pub(crate) public_key: PublicKey,
}

/// The same as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    kdf: String,
    memory_kib: u32,
    passes: u32,
    salt: String,
    public_key: String,
}

impl PinFile {
    /// Reads the file. `None`: no PIN is set.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, FactorError> {
        content(path)?.map(|bytes| Self::parse(&bytes)).transpose()
    }

    /// What the bytes of a file say.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, FactorError> {
        let written: Written = serde_json::from_slice(bytes).map_err(|_| FactorError::Content)?;
        let salt = URL_SAFE_NO_PAD.decode(&written.salt).ok().and_then(|salt| salt.try_into().ok());
        let (Some(salt), Some(public_key)) = (salt, PublicKey::named(&written.public_key)) else {
            return Err(FactorError::Content);
        };
        let known = written.version == VERSION
            && written.kdf == "argon2id"
            && Kdf::MEMORY_KIB.contains(&written.memory_kib)
            && Kdf::PASSES.contains(&written.passes);
        if !known {
            return Err(FactorError::Content);
        }
        let kdf = Kdf { memory_kib: written.memory_kib, passes: written.passes, salt };
        Ok(Self { kdf, public_key })
    }

    /// Writes the file where none is.
    pub(crate) fn create(&self, path: &Path) -> Result<(), FactorError> {
        self.draft(path)?.place().map_err(|error| {
            let taken = error.kind() == ErrorKind::AlreadyExists;
            if taken { FactorError::Exists } else { FactorError::Write(error.kind()) }
        })
    }

    /// Writes the file where none is, as one of root's that this group can read: mode 0640.
    pub(crate) fn create_for_group(&self, path: &Path, group: u32) -> Result<(), FactorError> {
        let failed = |error: std::io::Error| FactorError::Anchor(Fault::Io(error).at(path));
        let draft = self.draft(path)?;
        draft.share_with_group(group).map_err(failed)?;
        draft.place().map_err(failed)
    }

    /// Writes the file in place of the one there.
    pub(crate) fn replace(&self, path: &Path) -> Result<(), FactorError> {
        self.draft(path)?.replace().map_err(|error| FactorError::Write(error.kind()))
    }

    /// A complete file next to `path`, so that nobody ever reads half of one.
    fn draft(&self, path: &Path) -> Result<Draft, FactorError> {
        let written = Written {
            version: VERSION,
            kdf: "argon2id".into(),
            memory_kib: self.kdf.memory_kib,
            passes: self.kdf.passes,
            salt: URL_SAFE_NO_PAD.encode(self.kdf.salt),
            public_key: self.public_key.name(),
        };
        let mut bytes = serde_json::to_vec_pretty(&written).map_err(|_| FactorError::Content)?;
        bytes.push(b'\n');
        let write = || {
            let mut draft = Draft::of(path)?;
            draft.write_all(&bytes)?;
            Ok(draft)
        };
        write().map_err(|error: std::io::Error| FactorError::Write(error.kind()))
    }
}

/// When the file at `path` was last written or replaced: the time of its last change of status,
/// which no program can set. `None`: that cannot be told.
pub(super) fn set_at(path: &Path) -> Option<jiff::Timestamp> {
    let seen = std::fs::symlink_metadata(path).ok()?;
    jiff::Timestamp::from_second(seen.ctime()).ok()
}

/// The bytes of the file, if it is one that only its owner can have written.
pub(super) fn content(path: &Path) -> Result<Option<Vec<u8>>, FactorError> {
    let read = read_owned(path, Rules::private(CAP)).map_err(|error| {
        if let Fault::Io(error) = error.fault {
            unread(&error)
        } else if matches!(error.fault, Fault::TooLong(_)) {
            FactorError::Content
        } else {
            FactorError::Exposed
        }
    })?;
    Ok(read.map(|bytes| bytes.to_vec()))
}

/// What is short passes, and says nothing of the file: it must not look like a change of it.
fn unread(error: &std::io::Error) -> FactorError {
    if is_busy(error) { FactorError::Busy } else { FactorError::Read(error.kind()) }
}

/// Whether another try may read the file.
pub(super) fn is_busy(error: &std::io::Error) -> bool {
    let short = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::INTR, Errno::IO];
    Errno::from_io_error(error).is_some_and(|errno| short.contains(&errno))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file() -> PinFile {
        PinFile { kdf: Kdf::strong([5; SALT]), public_key: PublicKey::new(&[9; 32]).unwrap() }
    }

    #[test]
    fn what_was_written_is_read_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(folder.path());
        assert_eq!(PinFile::read(&path).unwrap(), None);
        file().create(&path).unwrap();
        assert_eq!(PinFile::read(&path).unwrap(), Some(file()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(file().create(&path), Err(FactorError::Exists)));
        file().replace(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn links_and_files_open_to_others_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(folder.path());
        file().create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(PinFile::read(&path), Err(FactorError::Exposed)));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(PinFile::read(&link), Err(FactorError::Exposed)));
    }

    #[test]
    fn a_file_cannot_ask_for_cheap_guesses() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(folder.path());
        file().create(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for (strong, weak) in [
            ("\"memory_kib\": 65536", "\"memory_kib\": 8"),
            ("\"memory_kib\": 65536", "\"memory_kib\": 4000000000"),
            ("\"passes\": 3", "\"passes\": 1"),
            ("\"version\": 1", "\"version\": 2"),
            ("argon2id", "argon2d"),
            ("\"version\"", "\"more\": 1, \"version\""),
        ] {
            let changed = text.replace(strong, weak);
            assert_ne!(changed, text, "{strong}");
            let parsed = PinFile::parse(changed.as_bytes());
            assert!(matches!(parsed, Err(FactorError::Content)), "{weak}");
        }
    }
}
