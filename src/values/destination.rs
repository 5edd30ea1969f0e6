//! A disclosed value in a file: for the person or a program, not for the conversation.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;

use crate::files::{Fault, FileError, create_in};
use crate::operation::Invalid;
use crate::sensitive::Sensitive;

/// The folder that disclosed values may be written to.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Any absolute path; made with mode 0700 when the first value is written.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Makes the file, empty and of mode 0600, before the call is made: a value that has nowhere
    /// to go is not asked for. A file that is there already is never overwritten.
    pub(crate) async fn prepare(&self, name: String) -> Result<Prepared, Invalid> {
        let folder = self.0.clone();
        // No other call waits for a slow disk.
        let made = spawn_blocking(move || make(&folder, &name)).await;
        made.unwrap_or_else(|_| Err(Invalid::new("FileName", "of a file that can be made")))
    }
}

fn make(folder: &Path, name: &str) -> Result<Prepared, Invalid> {
    match create_in(folder, OsStr::new(name)) {
        Ok((file, path)) => Ok(Prepared { file, path, kept: false }),
        Err(FileError { fault: Fault::Io(error), .. })
            if error.kind() == io::ErrorKind::AlreadyExists =>
        {
            Err(Invalid::new(
                "FileName",
                "a name that is not taken: a file of this name is there already",
            ))
        }
        // The mode of the folder is the person's business: it is not changed.
        Err(FileError { fault, .. }) => Err(Invalid::new(
            "FileName",
            format!("in a usable folder: the person's folder for disclosed values {fault}"),
        )),
    }
}

/// A file that waits for its value; it is removed again if none comes.
#[derive(Debug)]
pub(crate) struct Prepared {
    file: File,
    path: PathBuf,
    kept: bool,
}

impl Prepared {
    /// Writes the value, durably. It stays only if [`Self::keep`] follows.
    pub(crate) async fn write(mut self, value: Sensitive) -> io::Result<Self> {
        let write = move || {
            #[expect(
                clippy::disallowed_methods,
                reason = "into the file of mode 0600 that was approved"
            )]
            self.file.write_all(value.expose().as_bytes())?;
            self.file.sync_all()?;
            Ok(self)
        };
        // No other call waits for a slow disk.
        spawn_blocking(write).await?
    }

    /// Leaves the file to the person, and gives its path.
    pub(crate) fn keep(mut self) -> PathBuf {
        self.kept = true;
        self.path.clone()
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed holds nothing, or a value that only its owner can read.
            let _: io::Result<()> = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_value_is_written_once_for_its_owner_and_nothing_is_left_without_one() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path().join("disclosed"));
        let prepare = async |name: &str| folder.prepare(name.into()).await;
        let value = || Sensitive::new("value".into());
        drop(prepare("a").await.unwrap());
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
        drop(prepare("a").await.unwrap().write(value()).await.unwrap());
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0, "written, but not kept");
        let path = prepare("a").await.unwrap().write(value()).await.unwrap().keep();
        assert_eq!(fs::read_to_string(&path).unwrap(), "value");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(prepare("a").await.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "value");
        fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(prepare("b").await.is_err());
    }
}
