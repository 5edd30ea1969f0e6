//! A disclosed value in a file: for the person or a program, not for the conversation.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;

use crate::files::{Created, Fault, FileError, create_in};
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
        Ok(created) => Ok(Prepared { created, kept: false }),
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

/// Why a value is in no file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// It could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file was moved or removed, or another one has its name. That one stays.
    #[error("another program took the file away or put one of its own in its place")]
    Replaced,
}

/// A file that waits for its value; it is removed again if none comes.
#[derive(Debug)]
pub(crate) struct Prepared {
    created: Created,
    kept: bool,
}

impl Prepared {
    /// Writes the value, durably. It stays only if [`Self::keep`] follows.
    pub(crate) async fn write(mut self, value: Sensitive) -> Result<Self, Lost> {
        let write = move || {
            #[expect(
                clippy::disallowed_methods,
                reason = "into the file of mode 0600 that was approved"
            )]
            self.created.file.write_all(value.expose().as_bytes())?;
            self.created.file.sync_all()?;
            if self.created.is_in_place() { Ok(self) } else { Err(Lost::Replaced) }
        };
        // No other call waits for a slow disk.
        spawn_blocking(write).await.unwrap_or_else(|error| Err(Lost::Io(error.into())))
    }

    /// Leaves the file to the person, and gives its path.
    pub(crate) async fn keep(mut self) -> Result<PathBuf, Lost> {
        let keep = move || {
            self.kept = self.created.is_in_place();
            if self.kept { Ok(self.created.path.clone()) } else { Err(Lost::Replaced) }
        };
        spawn_blocking(keep).await.unwrap_or_else(|error| Err(Lost::Io(error.into())))
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if !self.kept {
            self.created.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
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
        let path = prepare("a").await.unwrap().write(value()).await.unwrap().keep().await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "value");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(prepare("a").await.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "value");
        fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(prepare("b").await.is_err());
    }

    /// As an editor or a program that synchronises files does, while KMS has not answered.
    #[tokio::test]
    async fn a_file_of_another_program_is_neither_removed_nor_called_ours() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path().join("disclosed"));
        let at = |name: &str| root.path().join("disclosed").join(name);
        let prepare = async || folder.prepare("a".into()).await.unwrap();
        let value = || Sensitive::new("value".into());
        let replace = || {
            fs::write(at("theirs"), "theirs").unwrap();
            fs::rename(at("a"), at("ours")).unwrap();
            fs::rename(at("theirs"), at("a")).unwrap();
        };
        let stays = |about: &str| {
            assert_eq!(fs::read_to_string(at("a")).unwrap(), "theirs", "{about}");
            assert_eq!(fs::read_to_string(at("ours")).unwrap(), "", "{about}");
            fs::remove_file(at("a")).unwrap();
        };
        let prepared = prepare().await;
        replace();
        drop(prepared);
        stays("no value came");
        let prepared = prepare().await;
        replace();
        assert!(matches!(prepared.write(value()).await, Err(Lost::Replaced)));
        stays("before it was written");
        let prepared = prepare().await.write(value()).await.unwrap();
        replace();
        assert!(matches!(prepared.keep().await, Err(Lost::Replaced)));
        stays("after it was written");
        let prepared = prepare().await;
        fs::remove_file(at("a")).unwrap();
        assert!(matches!(prepared.write(value()).await, Err(Lost::Replaced)));
        // The folder that was checked, not what has its path by now.
        let prepared = prepare().await;
        fs::rename(root.path().join("disclosed"), root.path().join("moved")).unwrap();
        fs::create_dir(root.path().join("disclosed")).unwrap();
        fs::write(at("a"), "theirs").unwrap();
        drop(prepared);
        assert_eq!(fs::read_to_string(at("a")).unwrap(), "theirs");
        assert!(!root.path().join("moved/a").exists());
    }
}
