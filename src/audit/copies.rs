//! [`Copies`]: the second place of each checkpoint, where whoever owns the log cannot take it back.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;

use super::log::AuditError;

/// How long journald may take for one line.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where each signed line of a chain is copied to; by default nowhere.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    file: Option<CopyFile>,
    journal: Option<(PathBuf, UnixDatagram)>,
}

impl Copies {
    /// Opens a file to append to, and the socket of journald's native protocol
    /// (systemd, "Native Journal Protocol"), as far as they are named.
    ///
    /// The file may belong to somebody else, only be appendable, or be a pipe that is read. It is
    /// not a link.
    ///
    /// # Errors
    /// If one that is named cannot be opened: then no log is opened either.
    pub(crate) fn open(file: Option<&Path>, journal: Option<&Path>) -> Result<Self, AuditError> {
        let mut copies = Self::default();
        if let Some(path) = file {
            copies.file = Some(CopyFile::open(path).map_err(failed(path))?);
        }
        if let Some(path) = journal {
            copies.journal = Some((path.to_owned(), connect(path).map_err(failed(path))?));
        }
        Ok(copies)
    }

    /// Looks whether the file is still the one that was opened, whole. Does not wait.
    ///
    /// # Errors
    /// If it was removed, replaced or cut: what is copied now would be missing there later.
    pub(super) fn check(&self) -> Result<(), AuditError> {
        self.file.as_ref().map_or(Ok(()), CopyFile::check)
    }

    /// Copies one line, its newline included, to each place. A pipe that is full fails and does not
    /// wait; journald may take [`PATIENCE`].
    ///
    /// # Errors
    /// If one of them did not take it.
    pub(super) fn keep(&mut self, line: &[u8]) -> Result<(), AuditError> {
        if let Some(file) = &mut self.file {
            file.check()?;
            file.append(line).map_err(failed(&file.path))?;
        }
        if let Some((path, socket)) = &mut self.journal {
            let message = [b"SYSLOG_IDENTIFIER=kms-mcp\nPRIORITY=5\nMESSAGE=", line].concat();
            let kept = socket.send(&message).or_else(|error| {
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) {
                    return Err(error);
                }
                // journald was started anew since: its socket is another one.
                *socket = connect(path)?;
                socket.send(&message)
            });
            kept.map_err(failed(path))?;
        }
        Ok(())
    }
}

/// The second place as a file. Other servers append to the same one, and nobody shortens it.
#[derive(Debug)]
struct CopyFile {
    path: PathBuf,
    file: File,
    /// To look at its last byte. None for a pipe, and for a file that may only be appended to.
    reader: Option<File>,
    /// Device and inode: what `path` must still name.
    identity: (u64, u64),
    /// Bytes that it had after the last copy; 0 for anything but a regular file.
    length: u64,
}

impl CopyFile {
    fn open(path: &Path) -> io::Result<Self> {
        // A pipe that nobody reads must fail, not wait; a link may lead anywhere by tomorrow.
        let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY).bits().cast_signed();
        let append = || {
            let mut options = OpenOptions::new();
            options.append(true).mode(0o600).custom_flags(flags);
            options
        };
        let file = append().open(path).or_else(|error| {
            if error.kind() != ErrorKind::NotFound {
                return Err(error);
            }
            let file = append().create(true).open(path)?;
            sync_name(path)?;
            Ok(file)
        })?;
        let metadata = file.metadata()?;
        let identity = (metadata.dev(), metadata.ino());
        let (mut reader, mut length) = (None, 0);
        if metadata.is_file() {
            length = metadata.len();
            reader = OpenOptions::new().read(true).custom_flags(flags).open(path).ok();
            let same = |read: &fs::Metadata| (read.dev(), read.ino()) == identity;
            reader = reader.filter(|reader| reader.metadata().is_ok_and(|read| same(&read)));
        }
        Ok(Self { path: path.to_owned(), file, reader, identity, length })
    }

    fn check(&self) -> Result<(), AuditError> {
        let moved = || AuditError::CopyMoved { path: self.path.clone() };
        let named = match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(moved()),
            named => named.map_err(failed(&self.path))?,
        };
        let same = (named.dev(), named.ino()) == self.identity;
        if same && named.len() >= self.length { Ok(()) } else { Err(moved()) }
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        // A full disk may have left half a line, of this process or of another.
        let begin: &[u8] = if self.ends_within_a_line().unwrap_or(true) { b"\n" } else { b"" };
        self.file.write_all(&[begin, line].concat())?;
        let metadata = self.file.metadata()?;
        // A pipe cannot be synced.
        if metadata.is_file() {
            self.length = metadata.len();
            self.file.sync_all()?;
        }
        Ok(())
    }

    /// Whether the file ends in anything but a newline. A pipe has no end; of one that may only be
    /// appended to nobody knows, and an empty line more does no harm.
    fn ends_within_a_line(&self) -> io::Result<bool> {
        let metadata = self.file.metadata()?;
        let Some(last) = metadata.len().checked_sub(1).filter(|_| metadata.is_file()) else {
            return Ok(false);
        };
        let mut byte = [0];
        self.reader.as_ref().ok_or(ErrorKind::PermissionDenied)?.read_exact_at(&mut byte, last)?;
        Ok(byte != *b"\n")
    }
}

/// Makes the name of a new file durable. A folder that may be written and not read cannot be synced.
fn sync_name(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match File::open(folder.unwrap_or(Path::new("."))) {
        Ok(folder) => folder.sync_all(),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error),
    }
}

fn connect(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket)
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> AuditError {
    let path = path.to_owned();
    move |source| AuditError::Copy { path, source }
}
