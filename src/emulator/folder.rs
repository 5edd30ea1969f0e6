//! The data folder: created 0700, its files 0600, written once and whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::{EmulatorError, random};

/// The folder an emulator keeps its database, key and identity in.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Creates the folder if it is missing; the mode of one that exists is the owner's business.
    pub(crate) fn open(path: PathBuf) -> Result<Self, EmulatorError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(|source| EmulatorError::File { path: path.clone(), source })?;
        Ok(Self(path))
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Creates `name` with mode 0600 if it is missing, so that `SQLite` finds it private.
    pub(crate) fn reserve(&self, name: &str) -> Result<PathBuf, EmulatorError> {
        let path = self.path(name);
        private().write(true).create(true).truncate(false).open(&path).map_err(at(&path))?;
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
        if !path.exists() {
            let draft = self.path(&format!(".{name}.{}", random::lower(12)?));
            let mut file =
                private().write(true).create_new(true).open(&draft).map_err(at(&draft))?;
            file.write_all(&make()?).and_then(|()| file.sync_all()).map_err(at(&draft))?;
            let linked = match fs::hard_link(&draft, &path) {
                Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                other => other,
            };
            fs::remove_file(&draft).map_err(at(&draft))?;
            linked.map_err(at(&path))?;
            File::open(&self.0).and_then(|folder| folder.sync_all()).map_err(at(&self.0))?;
        }
        let mut file = File::open(&path).map_err(at(&path))?;
        if file.metadata().map_err(at(&path))?.mode() & 0o077 != 0 {
            return Err(EmulatorError::Exposed { path });
        }
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(at(&path))?;
        Ok(content)
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
    move |source| EmulatorError::File { path, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_first_content_stays_and_loose_modes_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(home.path().join("kms")).unwrap();
        assert_eq!(folder.once("a", || Ok(b"first".to_vec())).unwrap(), b"first");
        assert_eq!(folder.once("a", || Ok(b"second".to_vec())).unwrap(), b"first");
        assert_eq!(folder.0.metadata().unwrap().mode() & 0o777, 0o700);
        let path = folder.path("a");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = folder.once("a", || Ok(Vec::new())).unwrap_err();
        assert!(matches!(refused, EmulatorError::Exposed { .. }));
    }
}
