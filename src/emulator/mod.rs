//! The embedded KMS: a server that answers as Alibaba Cloud KMS does, over TCP, kept in `SQLite`.
//!
//! It shares no wire type and no signing code with the client: a fake built from the client would
//! agree with its mistakes. A request walks `http` → `request` → `visit` (`verify`, `faults`)
//! → `actions` → `db`; what it changed is on disk before the answer leaves.

mod actions;
mod answer;
mod arn;
mod behaviour;
mod connection;
mod dates;
mod db;
mod error;
mod faults;
mod filters;
mod folder;
mod http;
mod identity;
mod journal;
mod keys;
mod managed;
mod paging;
mod policy;
mod quota;
mod random;
mod reply;
mod request;
mod rotation;
mod seal;
mod secrets;
mod service;
mod stages;
mod streams;
mod tags;
mod upkeep;
mod verify;
mod versions;
mod visit;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;

pub(crate) use self::behaviour::Behaviour;
pub(crate) use self::identity::Identity;
pub(crate) use crate::clock::Clock;
use crate::files::FileError;

/// Where an emulator keeps its data, and how it is told to fail.
#[derive(Debug)]
pub(crate) struct Options {
    /// The data folder; created if it is missing.
    pub data: PathBuf,
    /// The time.
    pub clock: Clock,
    /// A file of faults, read anew whenever it changes. Its format is that of `faults.rs`.
    pub faults: Option<PathBuf>,
    /// A file that gets one JSON line a request: names and outcomes, never values.
    pub requests: Option<PathBuf>,
    /// What the documentation leaves open.
    pub behaviour: Behaviour,
}

/// Why an emulator could not start or stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EmulatorError {
    /// A file or folder cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file is not what this program wrote.
    #[error("`{}` is damaged", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
    },
    /// The database refused.
    #[error("the database refused")]
    Database(#[from] rusqlite::Error),
    /// The database was written by a later version of this program.
    #[error("the database has schema {found}, this program knows {known}: use a newer kms-mcp")]
    NewerSchema {
        /// The schema on disk.
        found: i64,
        /// The newest schema known here.
        known: i64,
    },
    /// The file system cannot do write-ahead logging.
    #[error("`{}` cannot hold the database (a network file system?): choose a local folder", path.display())]
    NoWal {
        /// The database.
        path: PathBuf,
    },
    /// The fault file cannot be understood.
    #[error("the fault file is wrong: {0}")]
    Faults(String),
    /// The behaviour file cannot be understood.
    #[error("the behaviour file is wrong: {0}")]
    Behaviour(String),
    /// The operating system's random generator failed.
    #[error("the operating system's random generator failed")]
    Random,
    /// The listener failed.
    #[error("the listener failed")]
    Serve(#[source] io::Error),
}

impl From<ring::error::Unspecified> for EmulatorError {
    fn from(_: ring::error::Unspecified) -> Self {
        Self::Random
    }
}

/// An embedded KMS, opened and ready to serve.
pub(crate) struct Emulator {
    service: Arc<service::Service>,
}

impl Emulator {
    /// Opens the data folder, creating on the first start the database, the sealing key, the
    /// identity, one KMS instance and a service key. Blocks.
    pub(crate) fn open(options: Options) -> Result<Self, EmulatorError> {
        Ok(Self { service: Arc::new(service::Service::open(options)?) })
    }

    /// The account, and the access key that may call.
    pub(crate) fn identity(&self) -> &Identity {
        &self.service.identity
    }

    /// Answers on `listener` until `until` is ready; requests under way get a moment to finish.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        until: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), EmulatorError> {
        http::serve(self.service, listener, until).await.map_err(EmulatorError::Serve)
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("identity", self.identity()).finish_non_exhaustive()
    }
}
