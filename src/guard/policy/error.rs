//! [`PolicyError`]: why a policy was refused, where, and what to do.

use std::io;
use std::path::PathBuf;

use rustix::fs::RawMode;

/// Why a policy was refused. Without a policy there is no server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PolicyError {
    /// What is written there.
    #[error("policy `{origin}`, line {line}, {place}: {what}")]
    Invalid {
        /// The file, or the shipped name.
        origin: String,
        /// The line, counted from 1.
        line: usize,
        /// The key and the rule it stands in.
        place: String,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// The file is not there.
    #[error("policy `{}` is not there; name a file, or a shipped policy", .0.display())]
    Missing(PathBuf),
    /// It cannot be read.
    #[error("policy `{}` cannot be read; it must be a file that you can read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The path names no file in a folder.
    #[error("policy `{}` names no file; give the path of one", .0.display())]
    NoName(PathBuf),
    /// It is a link, so someone else may choose what it leads to.
    #[error("policy `{}` is a symbolic link; name the file itself", .0.display())]
    Symlink(PathBuf),
    /// It is a folder, a pipe, a device.
    #[error("policy `{}` is not a regular file; name one", .0.display())]
    NotAFile(PathBuf),
    /// Another user owns it.
    #[error("policy `{}` belongs to user {owner}; it must be yours or root's (chown)", path.display())]
    Owner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// Group or others can write it.
    #[error("policy `{}` can be written by others (mode {mode:04o}); run: chmod go-w on the file", path.display())]
    Writable {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: RawMode,
    },
    /// Another user owns its folder.
    #[error("the folder of policy `{}` belongs to user {owner}; it must be yours or root's", path.display())]
    FolderOwner {
        /// The file.
        path: PathBuf,
        /// The folder's owner.
        owner: u32,
    },
    /// Group or others can put another file in its place.
    #[error("the folder of policy `{}` can be written by others (mode {mode:04o}); run: chmod go-w on the folder", path.display())]
    FolderWritable {
        /// The file.
        path: PathBuf,
        /// The folder's permissions.
        mode: RawMode,
    },
    /// It is larger than any policy.
    #[error("policy `{}` is larger than {limit} bytes; split off what is no rule", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What is allowed.
        limit: u64,
    },
    /// It is not UTF-8.
    #[error("policy `{}` is not text in UTF-8; save it as such", .0.display())]
    NotText(PathBuf),
}
