//! [`Draft`]: a file for its owner alone that appears whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::folder::sync_folder;
use super::owned::parent;
use crate::hex;

/// A file of mode 0600 under another name beside its own; dropped before it is put in its place,
/// it is removed.
#[derive(Debug)]
pub(crate) struct Draft {
    file: File,
    written: PathBuf,
    wanted: PathBuf,
    /// Whether the name of the draft is still there.
    stands: bool,
}

impl Draft {
    /// An empty draft of `path`.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy();
        // Random, not the process id: containers that share a folder all have the same one.
        let mut random = [0_u8; 8];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| io::Error::other("the operating system's random generator failed"))?;
        let written = path.with_file_name(format!(".{name}.{}.part", hex::encode(&random)));
        Ok(Self { file: create(&written)?, written, wanted: path.to_owned(), stands: true })
    }

    /// Lets this group read the file, but not write it: mode 0640.
    pub(crate) fn share_with_group(&self, group: u32) -> io::Result<()> {
        fchown(&self.file, None, Some(group))?;
        self.file.set_permissions(Permissions::from_mode(0o640))
    }

    /// Puts the file in its place, durably, where nothing is yet.
    ///
    /// # Errors
    /// `AlreadyExists` if something is there: it stays as it is.
    pub(crate) fn place(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        // A link, unlike a rename, does not replace a file that came meanwhile.
        match fs::hard_link(&self.written, &self.wanted) {
            Ok(()) => fs::remove_file(&self.written)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
            // A file system without links, as of a memory stick: a rename that replaces nothing.
            Err(_) => renameat_with(CWD, &self.written, CWD, &self.wanted, RenameFlags::NOREPLACE)?,
        }
        self.stands = false;
        sync_folder(parent(&self.wanted))
    }

    /// Puts the file in the place of what is there, durably. A link is replaced, not followed.
    pub(crate) fn replace(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.written, &self.wanted)?;
        self.stands = false;
        sync_folder(parent(&self.wanted))
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.stands {
            // What cannot be removed can be read by its owner only.
            let _ = fs::remove_file(&self.written);
        }
    }
}

/// `create_new` follows no link.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_draft_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let write = |text: &str| {
            let mut draft = Draft::of(&path).unwrap();
            draft.write_all(text.as_bytes()).unwrap();
            draft
        };
        drop(write("dropped"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        write("first").place().unwrap();
        let refused = write("second").place().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        write("third").replace().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"third");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
