//! What root put where the user, and so an agent of the user, cannot write: `/etc/kms-mcp`.
//!
//! No flag and no variable moves that folder. What is there counts or no server starts; what is not
//! there counts for nothing.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::files::{Fault, FileError, Rules, check_anchored, read_owned};

/// Where root's files are.
const FOLDER: &str = "/etc/kms-mcp";
/// The only user that may write there.
const ROOT: [u32; 1] = [0];

/// The folder as the system names it: on macOS `/etc` is a link of root's.
fn folder() -> PathBuf {
    let folder = Path::new(FOLDER);
    let above = folder.parent().and_then(|above| above.canonicalize().ok());
    match (above, folder.file_name()) {
        (Some(above), Some(name)) => above.join(name),
        _ => folder.to_owned(),
    }
}

/// The settings that bound those of the user.
pub(crate) fn settings() -> PathBuf {
    folder().join("config.toml")
}

/// The folder of the files that [`approver`] names.
pub(crate) fn approvers() -> PathBuf {
    folder().join("approvers")
}

/// The key that signs decisions for servers of the user `uid`.
pub(crate) fn approver(uid: u32) -> PathBuf {
    approvers().join(format!("{uid}.json"))
}

/// Reads one of root's files. `None`: there is no such file.
///
/// # Errors
/// The file or a folder above it, as far as they are there, is not root's, can be written by
/// others, is a link, or cannot be read.
pub(crate) fn read(path: &Path, max_bytes: u64) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
    let folder = folder();
    let below = path.strip_prefix(&folder).map_err(|_| Fault::NoName.at(path))?;
    // Without the folder nothing is anchored, whoever owns what is above it.
    if !is_there(&folder)? {
        return Ok(None);
    }
    check_anchored(&folder, &ROOT)?;
    let mut at = folder;
    for part in below {
        at.push(part);
        if !is_there(&at)? {
            return Ok(None);
        }
        check_anchored(&at, &ROOT)?;
    }
    read_owned(path, Rules::settings(max_bytes))
}

/// Whether there is anything of that name, a link too.
fn is_there(path: &Path) -> Result<bool, FileError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Fault::Io(error).at(path)),
    }
}

/// Whether `path` and every folder above it belong to root and can be written by nobody else.
pub(crate) fn check(path: &Path) -> Result<(), FileError> {
    check_anchored(path, &ROOT)
}

/// The file of this program, if nobody but root can replace it.
///
/// # Errors
/// Names the file or folder that somebody else could change.
pub(crate) fn check_program() -> Result<(), FileError> {
    let unknown = |error| Fault::Io(error).at(Path::new("the file of this program"));
    let path = std::env::current_exe().and_then(|path| path.canonicalize()).map_err(unknown)?;
    check(&path)
}

/// What of a server lies outside the reach of its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchors {
    /// Root's settings bound the user's.
    pub(crate) settings: bool,
    /// Root names the key that signs decisions.
    pub(crate) approver: bool,
    /// Nobody but root can replace the file of the program.
    pub(crate) program: bool,
}

impl Anchors {
    /// What is anchored, for the `start` record: `settings, approver`, one of them, or `no`.
    pub(crate) const fn names(self) -> &'static str {
        match (self.settings, self.approver) {
            (true, true) => "settings, approver",
            (true, false) => "settings",
            (false, true) => "approver",
            (false, false) => "no",
        }
    }

    /// Whose the file of the program is, for the `start` record.
    pub(crate) const fn owner_of_program(self) -> &'static str {
        if self.program { "root" } else { "user" }
    }
}

/// For a person.
impl std::fmt::Display for Anchors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match (self.settings, self.approver) {
            (true, true) => "settings and approver are root's",
            (true, false) => "settings are root's; the approver is the user's",
            (false, true) => "the approver is root's; settings are the user's",
            (false, false) => "no; settings and approver are the user's",
        })?;
        f.write_str(if self.program {
            "; the program file is root's"
        } else {
            "; the program file is the user's, who can replace it"
        })
    }
}
