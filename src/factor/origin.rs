//! Which file holds the key that counts: root's for this user, else `pin.json` of the state folder.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::file::{self, FactorError, PinFile, path_in};
use crate::anchor;
use crate::files::{Fault, FileError};

/// Who chose the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Root, in `/etc/kms-mcp/approvers`: nothing that the user can write takes its place.
    Root,
    /// The user, in the state folder.
    User,
}

/// The key that decisions of this user's servers are signed with. `None`: there is none.
///
/// # Errors
/// A file that is there cannot be read or trusted. The other one does not count then.
pub(crate) fn approver(state: &Path) -> Result<Option<PinFile>, FactorError> {
    content(state)?.map(|(origin, bytes)| parse(origin, &bytes)).transpose()
}

/// Root's key for the user of this process. `None`: there is none.
///
/// # Errors
/// The file is there and cannot be read or trusted.
pub(crate) fn enrolled() -> Result<Option<PinFile>, FactorError> {
    anchored()?.map(|bytes| parse(Origin::Root, &bytes)).transpose()
}

/// When the file that counts was last written or replaced. `None`: that cannot be told.
pub(crate) fn set_at(state: &Path) -> Option<jiff::Timestamp> {
    file::set_at(&own()).or_else(|| file::set_at(&path_in(state)))
}

/// The bytes of the file that counts.
pub(super) fn content(state: &Path) -> Result<Option<(Origin, Vec<u8>)>, FactorError> {
    match anchored()? {
        Some(bytes) => Ok(Some((Origin::Root, bytes))),
        None => Ok(file::content(&path_in(state))?.map(|bytes| (Origin::User, bytes))),
    }
}

/// What they say.
pub(super) fn parse(origin: Origin, bytes: &[u8]) -> Result<PinFile, FactorError> {
    PinFile::parse(bytes).map_err(|error| match origin {
        Origin::Root => FactorError::Anchor(Fault::Foreign.at(&own())),
        Origin::User => error,
    })
}

fn anchored() -> Result<Option<Vec<u8>>, FactorError> {
    let path = own();
    let read = anchor::read(&path, file::CAP).map_err(unread)?;
    let Some(bytes) = read else { return Ok(None) };
    let metadata = fs::metadata(&path).map_err(|error| unread(Fault::Io(error).at(&path)))?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o007 != 0 {
        return Err(FactorError::Anchor(Fault::Public(mode).at(&path)));
    }
    Ok(Some(bytes.to_vec()))
}

/// Root's file for the user of this process.
fn own() -> PathBuf {
    anchor::approver(geteuid().as_raw())
}

fn unread(error: FileError) -> FactorError {
    let is_busy = matches!(&error.fault, Fault::Io(cause) if file::is_busy(cause));
    if is_busy { FactorError::Busy } else { FactorError::Anchor(error) }
}
