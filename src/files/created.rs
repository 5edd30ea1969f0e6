//! [`Created`]: a file that this program made, told from one that took its place.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{AtFlags, fstat, statat, unlinkat};

use super::held::Id;

/// A new file, and the open folder that it was made in.
#[derive(Debug)]
pub(crate) struct Created {
    pub(super) folder: OwnedFd,
    pub(crate) file: File,
    pub(crate) path: PathBuf,
}

impl Created {
    /// Whether its name still leads to it: another program may have put a file of its own there.
    pub(crate) fn is_in_place(&self) -> bool {
        let Some(name) = self.path.file_name() else { return false };
        match (statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW), fstat(&self.file)) {
            (Ok(there), Ok(ours)) => Id::of(&there) == Id::of(&ours),
            _ => false,
        }
    }

    /// Removes it. A file of another program in its place stays, and what was moved away is
    /// emptied.
    pub(crate) fn remove(&self) {
        // What cannot be emptied or removed holds a value that only its owner can read.
        let _: std::io::Result<()> = self.file.set_len(0);
        if let Some(name) = self.path.file_name().filter(|_| self.is_in_place()) {
            let _: rustix::io::Result<()> = unlinkat(&self.folder, name, AtFlags::empty());
        }
    }
}
