//! A folder that is gone when the demo is.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::cli::{Failure, serve};

/// A private temporary folder.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("kms-mcp-demo-{}", serve::instance()?));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is a throw-away KMS: a leftover harms nobody.
        let _: io::Result<()> = std::fs::remove_dir_all(&self.0);
    }
}
