//! [`Private`]: a file for its owner alone that is there whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file of mode 0600 under another name, until [`Private::keep`]; dropped before, it is removed.
#[derive(Debug)]
pub(super) struct Private {
    file: File,
    written: PathBuf,
    wanted: PathBuf,
    kept: bool,
}

impl Private {
    /// Beside `path`. What is there already must be a regular file; it is replaced at the end.
    ///
    /// # Errors
    /// Also if `path` is in the folder `read` or below it: what is read is not to be changed.
    pub(super) fn new(path: &Path, read: &Path) -> io::Result<Self> {
        let place = path.parent().filter(|place| !place.as_os_str().is_empty());
        let place = fs::canonicalize(place.unwrap_or(Path::new(".")))?;
        // A folder that is not there has nothing in it.
        if fs::canonicalize(read).is_ok_and(|read| place.starts_with(read)) {
            return Err(io::Error::other("it is in the folder that is read"));
        }
        match fs::symlink_metadata(path) {
            Ok(found) if !found.is_file() => {
                return Err(io::Error::other("there is something that is no regular file"));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy();
        let written = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        // `create_new` follows no link either.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&written)?;
        Ok(Self { file, written, wanted: path.to_owned(), kept: false })
    }

    /// Puts the file in its place, durably. A rename replaces a link and does not follow it.
    pub(super) fn keep(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.written, &self.wanted)?;
        self.kept = true;
        Ok(())
    }
}

impl Write for Private {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed can be read by its owner only.
            let _ = fs::remove_file(&self.written);
        }
    }
}
