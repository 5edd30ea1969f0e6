//! [`Copies`]: the second place of each checkpoint, where whoever owns the log cannot take it back.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
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
    file: Option<(PathBuf, File)>,
    journal: Option<(PathBuf, UnixDatagram)>,
}

impl Copies {
    /// Opens a file to append to, and the socket of journald's native protocol
    /// (systemd, "Native Journal Protocol"), as far as they are named.
    ///
    /// The file may belong to somebody else, only be appendable, or be a pipe that is read.
    ///
    /// # Errors
    /// If one that is named cannot be opened: then no log is opened either.
    pub(crate) fn open(file: Option<&Path>, journal: Option<&Path>) -> Result<Self, AuditError> {
        let mut copies = Self::default();
        if let Some(path) = file {
            copies.file = Some((path.to_owned(), append_to(path).map_err(failed(path))?));
        }
        if let Some(path) = journal {
            copies.journal = Some((path.to_owned(), connect(path).map_err(failed(path))?));
        }
        Ok(copies)
    }

    /// Copies one line, its newline included, to each place.
    ///
    /// # Errors
    /// If one of them did not take it.
    pub(super) fn keep(&mut self, line: &[u8]) -> Result<(), AuditError> {
        if let Some((path, file)) = &mut self.file {
            // A full disk may have left half a line, of this process or of another.
            let torn = ends_within_a_line(path, file).unwrap_or(true);
            let begin: &[u8] = if torn { b"\n" } else { b"" };
            let kept = file.write_all(&[begin, line].concat()).and_then(|()| {
                // A pipe cannot be synced.
                if file.metadata()?.is_file() { file.sync_all() } else { Ok(()) }
            });
            kept.map_err(failed(path))?;
        }
        if let Some((path, socket)) = &mut self.journal {
            let message = [b"SYSLOG_IDENTIFIER=kms-mcp\nPRIORITY=5\nMESSAGE=", line].concat();
            let kept = socket.send(&message).or_else(|_| {
                // journald was started anew since: its socket is another one.
                *socket = connect(path)?;
                socket.send(&message)
            });
            kept.map_err(failed(path))?;
        }
        Ok(())
    }
}

/// Whether a file ends in anything but a newline. A pipe has no end, and one that may only be
/// appended to cannot be asked: an empty line more does no harm.
fn ends_within_a_line(path: &Path, file: &File) -> io::Result<bool> {
    let metadata = file.metadata()?;
    let Some(last) = metadata.len().checked_sub(1).filter(|_| metadata.is_file()) else {
        return Ok(false);
    };
    let mut byte = [0];
    File::open(path)?.read_exact_at(&mut byte, last)?;
    Ok(byte != *b"\n")
}

fn append_to(path: &Path) -> io::Result<File> {
    // A pipe that nobody reads must fail, not wait.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(path)
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
