//! [`FileError`]: which file or folder was refused, why, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::RawMode;
use rustix::io::Errno;

/// A file or folder that is not used. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[error("`{}` {fault}", path.display())]
pub(crate) struct FileError {
    /// The file, or the folder in its way.
    pub(crate) path: PathBuf,
    /// What is wrong with it.
    pub(crate) fault: Fault,
}

/// What is wrong with a file or folder.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The path ends in `/` or `..`.
    #[error("does not name a file")]
    NoName,
    /// It is a link where none is followed.
    #[error("is a symbolic link; name what it leads to")]
    Link,
    /// Links lead to links.
    #[error("leads through too many symbolic links")]
    Links,
    /// A link leads to nothing.
    #[error("leads to a file that does not exist")]
    Dangling,
    /// It is a folder, a pipe, a device.
    #[error("is not a regular file")]
    NotAFile,
    /// It is no folder.
    #[error("is not a folder")]
    NotAFolder,
    /// Somebody else owns it.
    #[error("belongs to user {0}; it must be yours or root's (`chown`)")]
    Owner(u32),
    /// Somebody else owns what must be the user's own.
    #[error("belongs to user {0}; it must be your own (`chown`)")]
    NotOwn(u32),
    /// Somebody else owns what must be root's.
    #[error("belongs to user {0}; it must be root's (`chown root`)")]
    NotRoots(u32),
    /// Group or others can change it.
    #[error("can be written by others (mode {0:04o}); run `chmod go-w` on it")]
    Writable(RawMode),
    /// Group or others can read it.
    #[error("is open to others (mode {0:04o}); run `chmod go-rwx` on it")]
    Exposed(RawMode),
    /// Group or others can read it, and it has files of something else.
    #[error(
        "is open to others (mode {0:04o}) and holds files that are not of kms-mcp, so its mode was left as it is; name another folder, or run `chmod 700` on this one"
    )]
    InUse(RawMode),
    /// Everybody can read it.
    #[error("can be read by everybody (mode {0:04o}); run `chmod o-rwx` on it")]
    Public(RawMode),
    /// Somebody else can change a folder or link on the way to it.
    #[error("lies below `{}`, which {why}; {next}", folder.display())]
    Above {
        /// The folder or link.
        folder: PathBuf,
        /// What is wrong with it.
        why: String,
        /// What to do.
        next: &'static str,
    },
    /// It is longer than its reader takes.
    #[error("is longer than {0} bytes")]
    TooLong(u64),
    /// It is no file of this program.
    #[error("was not written by this version of kms-mcp, or was damaged")]
    Foreign,
    /// It is not UTF-8.
    #[error("is not UTF-8 text")]
    NotText,
    /// The system says no.
    #[error("cannot be used ({})", .0.kind())]
    Io(io::Error),
}

impl Fault {
    /// Names the file or folder.
    pub(crate) fn at(self, path: &Path) -> FileError {
        FileError { path: path.to_owned(), fault: self }
    }

    /// The same fault of a folder above the file. Others may need that folder as it is, so no
    /// command is said that changes it unless it is the person's alone.
    pub(super) fn of_a_folder_above(self, folder: &Path, roots: bool) -> Self {
        let (why, next) = if let Self::Writable(mode) = self {
            (
                format!("can be written by others (mode {mode:04o})"),
                "close that folder to them (`chmod go-w`) if it is yours alone, or use another one (XDG_CONFIG_HOME for settings, KMS_MCP_STATE_DIR for the state)",
            )
        } else if let Self::Owner(user) | Self::NotOwn(user) | Self::NotRoots(user) = self {
            (
                format!("belongs to user {user}"),
                "use another place, where all folders above are yours or root's (XDG_CONFIG_HOME for settings, KMS_MCP_STATE_DIR for the state)",
            )
        } else {
            return self;
        };
        let next = if roots {
            "move it to a folder that only root can change, such as `/etc/kms-mcp`"
        } else {
            next
        };
        Self::Above { folder: folder.to_owned(), why, next }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Errno> for Fault {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}
