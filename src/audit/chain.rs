//! The file of one chain: appended to while nothing is wrong with it, given up for good otherwise.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::event::{Event, Kind};
use super::log::{AuditError, Durability, Entry};
use super::record::{Actor, GENESIS, Record};
use crate::clock::Clock;

/// Bytes that an instance may have: it becomes part of a file name.
const MAX_INSTANCE: usize = 64;

/// An open chain. The one writer of its file.
#[derive(Debug)]
pub(super) struct Chain {
    file: File,
    path: PathBuf,
    /// Device and inode of `file`: what `path` must still name.
    identity: (u64, u64),
    /// Bytes written so far: what `file` must still hold.
    length: u64,
    /// Of the last record; 0 before the first.
    seq: u64,
    /// Hash of the last record.
    prev: String,
    instance: String,
    clock: Clock,
    /// A record was lost: no later one may pretend otherwise.
    poisoned: bool,
}

impl Chain {
    /// Makes a new file in `folder`, writes `start` and makes both durable.
    pub(super) fn create(
        folder: &Path,
        clock: Clock,
        instance: &str,
        start: Event,
    ) -> Result<Self, AuditError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if instance.is_empty() || instance.len() > MAX_INSTANCE || !instance.chars().all(plain) {
            return Err(AuditError::Instance);
        }
        make_private_folder(folder)?;
        let time = clock.now().strftime("%Y%m%dT%H%M%SZ");
        let path = folder.join(format!("{time}-{instance}.jsonl"));
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed("create", &path))?;
        let mut chain = Self::on(file, path, clock, instance)?;
        let (kind, durability) = (Kind::Start, Durability::Synced);
        chain.append(Entry { kind, intent: None, event: start, durability })?;
        // Without this the name of the file may not survive what its content does.
        sync_folder(folder)?;
        Ok(chain)
    }

    /// A chain on a file that was just opened.
    pub(super) fn on(
        file: File,
        path: PathBuf,
        clock: Clock,
        instance: &str,
    ) -> Result<Self, AuditError> {
        let metadata = file.metadata().map_err(failed("look at", &path))?;
        Ok(Self {
            identity: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            seq: 0,
            prev: GENESIS.to_owned(),
            instance: instance.to_owned(),
            poisoned: false,
            file,
            path,
            clock,
        })
    }

    /// Writes one record and answers its `seq`.
    ///
    /// # Errors
    /// After a failure to write every later call fails too: a log with a hole is no log.
    pub(super) fn append(&mut self, entry: Entry) -> Result<u64, AuditError> {
        let Entry { kind, intent, event, durability } = entry;
        if self.poisoned {
            return Err(AuditError::Poisoned);
        }
        let seq = self.seq + 1;
        let (line, hash) = Record {
            seq,
            time: self.clock.now(),
            instance: &self.instance,
            event: kind,
            intent,
            actor: (kind == Kind::Start).then(Actor::current),
            body: event,
            prev: &self.prev,
        }
        .seal()?;
        if let Err(error) = self.write(&line, durability) {
            self.poisoned = true;
            tracing::error!(%error, source = ?std::error::Error::source(&error), "audit log given up");
            return Err(error);
        }
        self.length += line.len() as u64;
        self.seq = seq;
        self.prev = hash;
        Ok(seq)
    }

    fn write(&mut self, line: &[u8], durability: Durability) -> Result<(), AuditError> {
        self.check_untouched()?;
        let written = self.file.write_all(line).and_then(|()| match durability {
            Durability::Written => Ok(()),
            Durability::Synced => self.file.sync_all(),
        });
        written.map_err(|error| {
            // Best effort: the caller is told that there is no record, so there should be none,
            // and half a line would read as a torn tail. The file is given up either way.
            let _ = self.file.set_len(self.length);
            failed("write", &self.path)(error)
        })
    }

    /// Writing on into a file that was unlinked, replaced or cut would be writing for nobody.
    fn check_untouched(&self) -> Result<(), AuditError> {
        let moved = || AuditError::Replaced { path: self.path.clone() };
        let named = match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(moved()),
            named => named.map_err(failed("look at", &self.path))?,
        };
        if (named.dev(), named.ino()) != self.identity {
            return Err(moved());
        }
        if named.len() != self.length {
            let (path, expected, found) = (self.path.clone(), self.length, named.len());
            return Err(AuditError::Resized { path, expected, found });
        }
        Ok(())
    }
}

/// Makes `folder` with mode 0700, or sees to it that an existing one is not open to everybody.
fn make_private_folder(folder: &Path) -> Result<(), AuditError> {
    match fs::metadata(folder) {
        // In a folder that anyone may write to, anyone may also take the log away.
        Ok(found) if found.mode() & 0o002 != 0 => {
            Err(AuditError::Exposed { path: folder.to_owned() })
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(failed("create", folder))?;
            match folder.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
                _ => Ok(()),
            }
        }
        Err(error) => Err(failed("look at", folder)(error)),
    }
}

fn sync_folder(folder: &Path) -> Result<(), AuditError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> AuditError {
    let path = path.to_owned();
    move |source| AuditError::Io { doing, path, source }
}
