//! [`PolicyError`]: why a policy was refused, where, and what to do.

use std::path::PathBuf;

use crate::files::FileError;

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
    /// It cannot be read, or others can change it.
    #[error("policy {0}")]
    File(#[from] FileError),
}
