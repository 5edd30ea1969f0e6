//! Paths that a person typed: a shell expands them, unless they were quoted or came from a program.

use std::path::{Path, PathBuf};

use clap::builder::{PathBufValueParser, TypedValueParser};

use crate::env::Env;
use crate::files::{PathError, expanded};

/// Parses the path of a flag: `~/` is expanded, a placeholder is refused.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|written| expand(&written))
}

/// The path that `written` stands for.
pub(super) fn expand(written: &Path) -> Result<PathBuf, PathError> {
    expanded(written, Env::of_process().home())
}
