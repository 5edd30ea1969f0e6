//! The data folder: created 0700, its files 0600, written once and whole.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::EmulatorError;
use crate::files::{Draft, Fault, Rules, ensure_private, own_folder, read_owned};

/// The largest of its files but the database, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// The folder an emulator keeps its database, key and identity in.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Creates the folder if it is missing; one that exists must be the user's own, and its mode
    /// is the user's business.
    pub(crate) fn open(path: &Path) -> Result<Self, EmulatorError> {
        Ok(Self(own_folder(path)?))
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Creates `name` with mode 0600 if it is missing, so that `SQLite` finds it private.
    pub(crate) fn reserve(&self, name: &str) -> Result<PathBuf, EmulatorError> {
        let path = self.path(name);
        ensure_private(&path)?;
        Ok(path)
    }

    /// What is in the private file `name`; the first caller ever decides with `make`.
    ///
    /// Two processes may start in one folder at once: the file is written under another name,
    /// synced and linked into place, and whoever comes second reads what the first one wrote.
    pub(crate) fn once(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<Vec<u8>, EmulatorError>,
    ) -> Result<Vec<u8>, EmulatorError> {
        let path = self.path(name);
        let read = || read_owned(&path, Rules::private(MAX_BYTES));
        if let Some(content) = read()? {
            return Ok(content.to_vec());
        }
        let content = make()?;
        let mut draft = Draft::of(&path).map_err(at(&path))?;
        draft.write_all(&content).map_err(at(&path))?;
        match draft.place() {
            Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => {}
            other => other.map_err(at(&path))?,
        }
        let content = read()?.ok_or_else(|| at(&path)(io::ErrorKind::NotFound.into()))?;
        Ok(content.to_vec())
    }
}

/// Options that create files for the owner alone.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Names the file in an error.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> EmulatorError {
    let path = path.to_owned();
    move |source| Fault::Io(source).at(&path).into()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    #[test]
    fn the_first_content_stays_and_loose_modes_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(&home.path().join("kms")).unwrap();
        assert_eq!(folder.once("a", || Ok(b"first".to_vec())).unwrap(), b"first");
        assert_eq!(folder.once("a", || Ok(b"second".to_vec())).unwrap(), b"first");
        assert_eq!(folder.0.metadata().unwrap().mode() & 0o777, 0o700);
        let path = folder.path("a");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = folder.once("a", || Ok(Vec::new())).unwrap_err();
        assert!(
            matches!(refused, EmulatorError::File(error) if matches!(error.fault, Fault::Exposed(_)))
        );
    }
}
