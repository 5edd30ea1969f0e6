//! The request log: one JSON line a request, with names and outcomes, never values.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::EmulatorError;
use super::folder::{at, private};

/// One request.
#[derive(Debug, Serialize)]
pub(crate) struct Entry<'a> {
    pub(crate) action: Option<&'a str>,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) query: Vec<&'a str>,
    pub(crate) body: Vec<&'a str>,
    pub(crate) signature: &'static str,
    /// Missing if no answer was sent.
    pub(crate) status: Option<u16>,
    /// The error code of the answer.
    pub(crate) code: Option<&'a str>,
    /// The fault that was played.
    pub(crate) fault: Option<&'static str>,
}

/// A file to append to, or nothing.
#[derive(Debug)]
pub(crate) struct Journal(Option<Mutex<File>>);

impl Journal {
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, EmulatorError> {
        let open = |path| private().append(true).create(true).open(path).map_err(at(path));
        Ok(Self(path.map(open).transpose()?.map(Mutex::new)))
    }

    /// Appends a line in one write, so that a reader never sees half of one.
    pub(crate) fn record(&self, entry: &Entry<'_>) {
        let Some(file) = &self.0 else { return };
        let line = serde_json::to_vec(entry).map_err(io::Error::other).map(|mut line| {
            line.push(b'\n');
            line
        });
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = line.and_then(|line| file.write_all(&line)) {
            tracing::warn!(%error, "the embedded KMS cannot write its request log");
        }
    }
}
